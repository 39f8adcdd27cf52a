//! Train blocks: one step as a program.

use std::collections::HashSet;

use super::elaborator::{Elaborator, Moment, View};
use super::every::{Clock, Watch};
use super::fail;
use super::outcome::{BatchInput, Length, Recorded, StepProgram, TermsProgram};
use super::scope::Scope;
use super::state::Begin;
use super::value::Stored;
use crate::check::program::{AxisId, AxisKind};
use crate::diagnostic::Checked;
use crate::graph::{AxisSet, Element, Precision, Program, Slot, Store, Tensor};
use crate::source::Span;
use crate::syntax::ast::{self, AxisName, StatementKind};

/// What a train block gathers while its statements are executed.
#[derive(Default)]
pub struct Block {
    pub terms: Vec<Recorded>,
    /// How many of them, from the first, are the terms of the first objective.
    pub of_first: usize,
    /// What is recorded of the terms of combined objectives.
    pub combined: Vec<TermsProgram>,
    /// Updated parameters, in order of first update.
    pub updated: Vec<Stored>,
    /// States of optimizers with their initial values.
    pub states: Vec<(Stored, Initial)>,
    /// Declared states, which the initialising program writes.
    pub kept: Vec<Stored>,
    /// Names that the experiment can read after the block.
    pub exported: Vec<Span>,
    /// `every`, `record`, `stop when` and `keep`.
    pub watch: Watch,
}

/// How a state starts.
#[derive(Clone, Debug)]
pub enum Initial {
    Number(f64),
}

impl<'p> Scope<'p> {
    /// One step of a train block.
    pub fn train(
        &mut self,
        train: &'p ast::Train,
        span: Span,
        store: &mut Store,
        precision: Precision,
    ) -> Checked<StepProgram> {
        let name = self.block_name("train");
        let mut e = Elaborator::new(self, store, precision);
        e.path.push(name);
        e.training = true;
        let step = e.store.add(Tensor::Index(vec![0]));
        let epoch = e.allocate("epoch", Element::Float, &[])?.slot;
        let progress = e.allocate("progress", Element::Float, &[])?.slot;
        e.moment = Some(Moment {
            step: e.output.input("step", Element::Index, &[], step),
            epoch: e.output.input("epoch", Element::Float, &[], epoch),
            progress: e.output.input("progress", Element::Float, &[], progress),
        });
        let batches = e.batches(train)?;
        let mut block = Block::default();
        block.watch.clock = Some(Clock { step, epoch, progress });
        block.watch.data =
            train.data.iter().zip(&batches).map(|(name, batch)| (name.span, batch.clone())).collect();
        e.block = Some(block);
        e.begin = Some(Begin::new(precision));
        let mut length = train.stream.then_some(Length::Epochs(1));
        for statement in &train.body {
            match &statement.kind {
                StatementKind::Batch { .. } => {}
                StatementKind::Epochs(count) => {
                    length = Some(Length::Epochs(e.static_size(count, "the number of epochs")?));
                }
                StatementKind::Steps(count) => {
                    length = Some(Length::Steps(e.static_size(count, "the number of steps")?));
                }
                _ => e.statement(statement)?,
            }
        }
        let Some(length) = length else { return Err(fail::no_length(span)) };
        e.move_shadows()?;
        let (Some(block), Some(begin)) = (e.block.take(), e.begin.take()) else {
            return Err(fail::fault(span, "a train block inside a train block"));
        };
        e.write_back(&block, span)?;
        let initialise = e.initialise(begin.program, &block, span)?;
        for name in &block.exported {
            if let Some(value) = e.frame.values.get(name).cloned() {
                e.scope.root.values.insert(*name, value);
            }
        }
        let program = e.finish();
        let mut batches = batches;
        let sampling = self.samplers(train, &mut batches, store)?;
        Ok(StepProgram {
            initialise,
            sampling,
            batches,
            length,
            step,
            epoch,
            progress,
            terms: block.terms,
            of_first: block.of_first,
            combined: block.combined,
            every: block.watch.every,
            records: block.watch.records,
            stops: block.watch.stops,
            keep: block.watch.keep,
            parameters: block.updated,
            states: block.states.into_iter().map(|(stored, _)| stored).chain(block.kept).collect(),
            program,
        })
    }
}

impl<'p> Elaborator<'_, 'p> {
    /// The rows of each step: slots for row numbers, and views by which columns are gathered.
    fn batches(&mut self, train: &'p ast::Train) -> Checked<Vec<BatchInput>> {
        let mut found = Vec::with_capacity(train.data.len());
        for name in &train.data {
            let Some(data) = name.path.first() else { continue };
            let part = name.path.get(1).map(|part| part.text.clone());
            if train.stream {
                found.push(self.stream_row(name, &data.text, part)?);
                continue;
            }
            let size = self.batch_size(train, &data.text)?;
            let sampled = self.sampler_of(train, &data.text)?.is_some();
            found.push(self.batch(name, &data.text, part, size, sampled)?);
        }
        Ok(found)
    }

    /// The size that a `batch` statement gives to this data set.
    fn batch_size(&mut self, train: &'p ast::Train, data: &str) -> Checked<Option<usize>> {
        for statement in &train.body {
            let StatementKind::Batch { size, axis, .. } = &statement.kind else { continue };
            let for_this = match axis {
                Some(axis) if train.data.len() > 1 => self.batch_is_of(axis, data)?,
                _ => true,
            };
            if for_this {
                let count = self.static_size(size, "the size of a batch")?;
                if count == 0 {
                    return Err(fail::not_size(size.span, 0.0));
                }
                return Ok(Some(count));
            }
        }
        Ok(None)
    }

    pub(super) fn batch_is_of(&self, axis: &AxisName, data: &str) -> Checked<bool> {
        let mut id = self.named_axis_id(axis)?;
        loop {
            match &self.typed().axis(id).kind {
                AxisKind::Batch { rows } | AxisKind::Part { rows, .. } => id = *rows,
                AxisKind::Rows { data: of } => return Ok(of == data),
                _ => return Ok(false),
            }
        }
    }

    fn batch(
        &mut self,
        name: &AxisName,
        data: &str,
        part: Option<String>,
        size: Option<usize>,
        sampled: bool,
    ) -> Checked<BatchInput> {
        let span = name.span;
        let id = match &part {
            Some(part) => self.part_id(data, part),
            None => self.rows_id(data),
        };
        let Some(id) = id else { return Err(fail::fault(span, "a train block over unknown rows")) };
        let all_axis = self.axis(id, span)?;
        let rows = self.size(all_axis);
        let all = match &part {
            Some(part) => Some(self.part_rows(data, part, span)?),
            None => None,
        };
        let full = !sampled && size.is_none_or(|size| size >= rows);
        let (axis, slot, view) = if full {
            (all_axis, None, all)
        } else {
            let size = size.unwrap_or(rows);
            let row_name = self.axis_name(all_axis);
            let axis = self.fresh(row_name, size);
            let stored = self.allocate(&format!("rows of {data}"), Element::Index, &[axis])?;
            let numbers = self.read(&stored);
            let view = match all {
                Some(all) => self.build(span, |g| g.gather(all, all_axis, numbers))?,
                None => numbers,
            };
            (axis, Some(stored.slot), Some(view))
        };
        // Whatever the checker calls the batch's axis in this block, it is this one.
        for (k, info) in self.typed().axes.iter().enumerate() {
            if info.kind == (AxisKind::Batch { rows: id }) {
                self.frame.axes.insert(AxisId(k as u32), axis);
            }
        }
        self.views.insert(data.to_owned(), View { rows: view });
        let size = self.size(axis);
        Ok(BatchInput { data: data.to_owned(), part, rows, size, axis: Some(axis), sampler: None, slot })
    }

    /// New values of parameters and states become outputs to the slots that they were read from.
    fn write_back(&mut self, block: &Block, span: Span) -> Checked<()> {
        let mut known: HashSet<Slot> = self.changed.iter().map(|stored| stored.slot).collect();
        for stored in block.updated.iter().chain(block.states.iter().map(|(stored, _)| stored)) {
            if self.current.contains_key(&stored.slot) && known.insert(stored.slot) {
                self.changed.push(stored.clone());
            }
        }
        self.write_changed(span)
    }

    /// Adds the optimizers' states to the initialising program.
    fn initialise(&mut self, mut program: Program, block: &Block, span: Span) -> Checked<Program> {
        program.graph.axes = self.output.graph.axes.clone();
        program.graph.span = span;
        for (stored, initial) in &block.states {
            let Initial::Number(number) = initial;
            let axes = AxisSet::from(&stored.layout[..]);
            program
                .graph
                .float(*number)
                .and_then(|node| program.graph.broadcast(node, &axes))
                .and_then(|node| program.output(stored.name.clone(), node, &stored.layout, stored.slot))
                .map_err(|error| fail::type_fault(span, &error))?;
        }
        Ok(program)
    }
}
