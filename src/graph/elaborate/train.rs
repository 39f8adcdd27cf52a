//! Train blocks: one step as a program.

use super::elaborator::{Elaborator, Moment, View};
use super::every::{Clock, Watch};
use super::fail;
use super::outcome::{BatchInput, Length, Recorded, StepProgram};
use super::scope::Scope;
use super::value::{Stored, Value};
use crate::check::program::{AxisId, AxisKind};
use crate::diagnostic::Checked;
use crate::graph::{AxisSet, Element, NodeId, Op, Precision, Program, Store, Tensor};
use crate::source::Span;
use crate::syntax::ast::{self, AxisName, StatementKind};

/// What a train block gathers while its statements are executed.
#[derive(Default)]
pub struct Block {
    pub terms: Vec<Recorded>,
    /// Updated parameters, in order of first update.
    pub updated: Vec<Stored>,
    /// States with their initial values.
    pub states: Vec<(Stored, Initial)>,
    /// `every`, `record`, `stop when` and `keep`.
    pub watch: Watch,
}

/// How a state starts.
#[derive(Clone, Debug)]
pub enum Initial {
    Number(f64),
    /// Written by the initialising program already.
    Written,
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
        // First the declared states' initial values, which are a program of their own.
        let (initialise, declared) = self.initial_states(train, &name, store, precision)?;
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
        for (binding, stored) in &declared {
            e.frame.values.insert(*binding, Value::Stored(stored.clone()));
            block.states.push((stored.clone(), Initial::Written));
            block.watch.states.push((*binding, stored.clone()));
        }
        block.watch.clock = Some(Clock { step, epoch, progress });
        block.watch.data =
            train.data.iter().zip(&batches).map(|(name, batch)| (name.span, batch.clone())).collect();
        let mut length = train.stream.then_some(Length::Epochs(1));
        for statement in &train.body {
            match &statement.kind {
                StatementKind::Batch { .. } | StatementKind::State(_) => {}
                StatementKind::Epochs(count) => {
                    length = Some(Length::Epochs(e.static_size(count, "the number of epochs")?));
                }
                StatementKind::Steps(count) => {
                    length = Some(Length::Steps(e.static_size(count, "the number of steps")?));
                }
                StatementKind::Objective(objective) => e.objective(objective, &mut block)?,
                StatementKind::Every { .. }
                | StatementKind::Record { .. }
                | StatementKind::Stop(_)
                | StatementKind::Keep { .. } => e.watch(statement, &mut block.watch)?,
                _ => e.statement(statement)?,
            }
        }
        let Some(length) = length else { return Err(fail::no_length(span)) };
        e.write_back(&declared, &block, span)?;
        let initialise = e.initialise(initialise, &block, span)?;
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
            every: block.watch.every,
            records: block.watch.records,
            stops: block.watch.stops,
            keep: block.watch.keep,
            parameters: block.updated,
            states: block.states.into_iter().map(|(stored, _)| stored).collect(),
            program,
        })
    }

    /// `state centre: Float[Class, D] = 0`: slots, and the program that sets them.
    #[allow(clippy::type_complexity)]
    fn initial_states(
        &mut self,
        train: &'p ast::Train,
        name: &str,
        store: &mut Store,
        precision: Precision,
    ) -> Checked<(Program, Vec<(Span, Stored)>)> {
        let mut e = Elaborator::new(self, store, precision);
        e.path.push(format!("{name}.state"));
        let mut declared = Vec::new();
        for statement in &train.body {
            let StatementKind::State(state) = &statement.kind else { continue };
            for state_name in &state.names {
                let value = e.named(&state_name.text, |e| e.eval(&state.value))?;
                let value = match &state.ty {
                    Some(ty) => e.conform(value, ty, state_name.span)?,
                    None => value,
                };
                let node = e.float(&value, state_name.span)?;
                declared.push((state_name.span, e.keep(&state_name.text, node, state_name.span)?));
            }
        }
        Ok((e.finish(), declared))
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
    fn write_back(&mut self, declared: &[(Span, Stored)], block: &Block, span: Span) -> Checked<()> {
        for (binding, stored) in declared {
            let Some(value) = self.variable(*binding) else { continue };
            if let Value::Stored(same) = &value
                && same.slot == stored.slot
            {
                continue;
            }
            let node = self.float(&value, *binding)?;
            let axes = AxisSet::from(&stored.layout[..]);
            let node = self.broadcast(node, &axes, *binding)?;
            if self.axes_of(node) != axes {
                return Err(fail::fault(*binding, "a state with other axes than at the start"));
            }
            self.write(stored, node, *binding)?;
        }
        let changed: Vec<(Stored, NodeId)> = block
            .updated
            .iter()
            .chain(block.states.iter().map(|(stored, _)| stored))
            .filter_map(|stored| Some((stored.clone(), *self.current.get(&stored.slot)?)))
            .collect();
        for (stored, node) in changed {
            // The cut behind an update is for later gradients; what is stored is its value.
            let updated = self.graph().node(node);
            let node = if updated.op == Op::Stop { updated.operands[0] } else { node };
            self.write(&stored, node, span)?;
        }
        Ok(())
    }

    /// Adds the optimizers' states to the initialising program.
    fn initialise(&mut self, mut program: Program, block: &Block, span: Span) -> Checked<Program> {
        program.graph.axes = self.output.graph.axes.clone();
        program.graph.span = span;
        for (stored, initial) in &block.states {
            let Initial::Number(number) = initial else { continue };
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
