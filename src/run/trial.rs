//! One trial: the statements of the experiment in order, with the values of its `vary` axes.

use super::engine::{Engine, read_f64};
use super::prepare::{Base, axis_name};
use super::resume::Checkpoints;
use super::shared::SharedBlocks;
use super::terms;
use super::training::{self, Course, TrainBlock, Trained};
use super::vary::{Over, Trial};
use super::{Observer, Silent};
use std::collections::BTreeMap;

use crate::check::program::{AxisId, AxisKind, Phase};
use crate::diagnostic::{Code, Diagnostic};
use crate::graph::elaborate::{Measured, Outcome as Measurement, Scope, StepProgram, TermField, VaryBinding};
use crate::graph::{Element, Precision, Store, Tensor};
use crate::source::Span;
use crate::syntax::ast::{DataSource, Experiment, Expr, Statement, StatementKind, Train};

/// What one trial measured.
#[derive(Debug, Default, PartialEq)]
pub struct Outcome {
    pub measures: Vec<Found>,
    /// The rows of the data set that stand along an axis of measures: the members of its part.
    pub rows: BTreeMap<AxisId, Vec<i32>>,
    pub courses: Vec<Course>,
    /// Where, at which step and in which term the trial stopped being finite.
    pub diverged: Option<(Span, usize, String)>,
}

/// A measured array.
#[derive(Debug, PartialEq)]
pub struct Found {
    /// The span of the measure's name.
    pub name: Span,
    /// Of a term of a combined objective: what of it.
    pub field: Option<TermField>,
    pub element: Element,
    pub axes: Vec<FoundAxis>,
    pub values: Vec<f64>,
}

impl Found {
    /// Whether both are the same measure, in different trials or rounds.
    pub fn is(&self, other: &Found) -> bool {
        (self.name, self.field) == (other.name, other.field)
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct FoundAxis {
    pub id: Option<AxisId>,
    pub name: String,
    pub size: usize,
    /// What stands at each position, where the run knows it better than the data: the steps of checkpoints.
    pub labels: Option<Vec<String>>,
}

/// Why a trial has no outcome.
#[derive(Debug)]
pub enum Stopped {
    /// The file or the data are wrong.
    Wrong(Vec<Diagnostic>),
    /// Something failed while it ran.
    Failed(Vec<Diagnostic>),
}

impl From<Vec<Diagnostic>> for Stopped {
    fn from(diagnostics: Vec<Diagnostic>) -> Self {
        // Too little memory is no fault of the file.
        match diagnostics.iter().any(|diagnostic| diagnostic.code == Code::A0506) {
            true => Stopped::Failed(diagnostics),
            false => Stopped::Wrong(diagnostics),
        }
    }
}

/// What the trials of a run share while they run.
#[derive(Clone, Copy)]
pub struct Around<'a> {
    pub engine: &'a Engine,
    pub observer: &'a dyn Observer,
    pub shared: &'a SharedBlocks,
}

/// Executes every statement of the trial phase.
pub fn run<'p>(
    base: &Base<'p>,
    experiment: &'p Experiment,
    trial: &Trial,
    number: usize,
    around: Around,
    checkpoints: &mut Checkpoints,
) -> Result<Outcome, Stopped> {
    let mut running = Running::new(base, trial, number, around, checkpoints);
    for statement in trial_phase(base, experiment) {
        running.execute(statement)?;
        if running.outcome.diverged.is_some() {
            break;
        }
    }
    Ok(running.outcome)
}

/// The first train block of a trial, where it begins.
pub struct FirstBlock {
    /// Not compiled.
    pub step: StepProgram,
    pub span: Span,
    /// The address of its order of rows.
    pub key: [u32; 2],
    /// What the statements before it left.
    pub store: Store,
}

/// Executes what comes before the first train block; none without one. Nothing is trained.
pub fn first_block<'p>(
    base: &Base<'p>,
    experiment: &'p Experiment,
    trial: &Trial,
    engine: &Engine,
) -> Result<Option<FirstBlock>, Stopped> {
    let mut nothing = Checkpoints::default();
    let shared = SharedBlocks::default();
    let around = Around { engine, observer: &Silent, shared: &shared };
    let mut running = Running::new(base, trial, 0, around, &mut nothing);
    let mut waiting: Vec<&Statement> = trial_phase(base, experiment).collect();
    waiting.reverse();
    while let Some(statement) = waiting.pop() {
        if let StatementKind::Repeat { axis, body, .. } = &statement.kind {
            running.enter_round(axis.as_ref(), 0);
            waiting.extend(body.iter().rev());
            continue;
        }
        if let StatementKind::If { condition, then, otherwise } = &statement.kind {
            waiting.extend(running.chosen(condition, then, otherwise.as_deref())?.iter().rev());
            continue;
        }
        if let StatementKind::Let(l) = &statement.kind
            && let Some((value, function)) = base.program.fitting_call(l)
        {
            running.enter_fitted(&l.names[0], value, function)?;
            waiting.extend(function.body.statements.iter().rev());
            continue;
        }
        if let StatementKind::Train(train) = &statement.kind {
            let step = running.scope.train(train, statement.span, &mut running.store, base.precision)?;
            let step = step.with_factors(base.factors);
            let key = order_key(running.seed, 1);
            return Ok(Some(FirstBlock { step, span: statement.span, key, store: running.store }));
        }
        running.execute(statement)?;
    }
    Ok(None)
}

/// The address of the order of rows in a block, from 1.
fn order_key(seed: u32, block: u32) -> [u32; 2] {
    [seed, 0x4000_0000 | block]
}

/// The train blocks that every trial executes, once each.
pub fn train_blocks(base: &Base, experiment: &Experiment) -> Vec<Span> {
    let trains = |statement: &&Statement| matches!(statement.kind, StatementKind::Train(_));
    trial_phase(base, experiment).filter(trains).map(|statement| statement.span).collect()
}

pub(super) fn trial_phase<'p>(
    base: &Base,
    experiment: &'p Experiment,
) -> impl Iterator<Item = &'p Statement> {
    let phases = &base.program.phases;
    experiment.body.iter().filter(|statement| phases.get(&statement.span) != Some(&Phase::Results))
}

pub(super) struct Running<'a, 'p> {
    pub(super) base: &'a Base<'p>,
    pub(super) scope: Scope<'p>,
    pub(super) store: Store,
    pub(super) engine: &'a Engine,
    pub(super) seed: u32,
    /// How many splits and train blocks there were: addresses of their random orders.
    pub(super) splits: u32,
    pub(super) blocks: u32,
    /// The positions on the axes of trials.
    pub(super) positions: Vec<usize>,
    pub(super) outcome: Outcome,
    pub(super) number: usize,
    pub(super) observer: &'a dyn Observer,
    pub(super) checkpoints: &'a mut Checkpoints,
    pub(super) shared: &'a SharedBlocks,
}

impl<'a, 'p> Running<'a, 'p> {
    pub(super) fn new(
        base: &'a Base<'p>,
        trial: &Trial,
        number: usize,
        around: Around<'a>,
        checkpoints: &'a mut Checkpoints,
    ) -> Self {
        let Around { engine, observer, shared } = around;
        let mut running = Running {
            base,
            scope: base.scope.clone(),
            store: base.store.clone(),
            engine,
            seed: trial.seed(base.seed, &base.axes),
            splits: 0,
            blocks: 0,
            positions: trial.positions.clone(),
            outcome: Outcome::default(),
            number,
            observer,
            checkpoints,
            shared,
        };
        running.bind(trial);
        running
    }

    fn bind(&mut self, trial: &Trial) {
        // Index scalars are i32; the bits are what counts.
        *self.store.get_mut(self.base.seed_slot) = Tensor::Index(vec![self.seed as i32]);
        for (axis, at) in self.base.axes.iter().zip(&trial.positions) {
            let binding = match axis.over {
                Over::Arms(_) => VaryBinding::Arm(*at),
                _ => VaryBinding::Number(axis.value(*at)),
            };
            self.scope.bind_vary(axis.id, binding);
        }
    }

    pub(super) fn execute(&mut self, statement: &'p Statement) -> Result<(), Stopped> {
        let precision = self.base.precision;
        match &statement.kind {
            StatementKind::Let(l) => match self.base.program.fitting_call(l) {
                Some((value, function)) => self.fitted(&l.names[0], value, function),
                None => self.bind_statement(statement, precision),
            },
            StatementKind::Axis(_)
            | StatementKind::Param(_)
            | StatementKind::State(_)
            | StatementKind::Assign { .. } => self.bind_statement(statement, precision),
            StatementKind::Data(data) => match &data.source {
                DataSource::File { .. } => {
                    let precision = self.base.precision;
                    match self.scope.computed_columns(data, &mut self.store, precision)? {
                        Some(program) => self.once(program, data.span),
                        None => Ok(()),
                    }
                }
                _ => self.generate(data),
            },
            StatementKind::Split(split) => self.split(split, statement.span),
            StatementKind::Train(train) => self.train(train, statement.span),
            StatementKind::Repeat { axis, count, body } => self.rounds(axis.as_ref(), count, body),
            StatementKind::If { condition, then, otherwise } => {
                for statement in self.chosen(condition, then, otherwise.as_deref())? {
                    self.execute(statement)?;
                    if self.outcome.diverged.is_some() {
                        break;
                    }
                }
                Ok(())
            }
            StatementKind::On { data, body } => {
                let on = self.scope.on(data, body, statement.span, &mut self.store, Precision::Double)?;
                self.once(on.program, statement.span)?;
                self.found(on.measures);
                Ok(())
            }
            StatementKind::Measure { name, value } => {
                let (program, mut outcomes) =
                    self.scope.evaluate(&[(&name.text, value)], &mut self.store, Precision::Double)?;
                self.once(program, statement.span)?;
                if let Some(outcome) = outcomes.pop() {
                    self.found(vec![Measured { name: name.span, outcome }]);
                }
                Ok(())
            }
            // Settings and `vary` are done; results come later.
            _ => Ok(()),
        }
    }

    /// The statements of an `if` that this trial executes.
    fn chosen(
        &mut self,
        condition: &'p Expr,
        then: &'p [Statement],
        otherwise: Option<&'p [Statement]>,
    ) -> Result<&'p [Statement], Stopped> {
        Ok(if self.scope.truth(condition)? { then } else { otherwise.unwrap_or_default() })
    }

    pub(super) fn once(&mut self, program: crate::graph::Program, span: Span) -> Result<(), Stopped> {
        let mut compiled = self.engine.compile(program, span, &self.store)?;
        compiled.run(&mut self.store).map_err(Stopped::Failed)
    }

    fn bind_statement(&mut self, statement: &'p Statement, precision: Precision) -> Result<(), Stopped> {
        match self.scope.execute(statement, &mut self.store, precision)? {
            Some(program) => self.once(program, statement.span),
            None => Ok(()),
        }
    }

    fn generate(&mut self, data: &'p crate::syntax::ast::Data) -> Result<(), Stopped> {
        let rows = self.base.program.axes_at.get(&data.axis.span).copied();
        if let (Some(id), Some(count)) = (rows, self.scope.generated_rows(data)?) {
            self.scope.bind_axis(id, count);
        }
        let program = self.scope.generate(data, &mut self.store, self.base.precision)?;
        self.once(program, data.span)
    }

    fn train(&mut self, train: &'p Train, span: Span) -> Result<(), Stopped> {
        let (step, block) = self.begin_train(train, span)?;
        self.train_begun(step, block)
    }

    /// A train block that was elaborated, alone.
    pub(super) fn train_begun(&mut self, step: StepProgram, block: TrainBlock) -> Result<(), Stopped> {
        let observer = self.observer;
        let progress = |done, steps| observer.training(block.trial, block.number as usize, done, steps);
        let trained = training::train(
            step,
            block,
            self.engine,
            &mut self.store,
            self.checkpoints,
            self.shared,
            progress,
        )?;
        self.end_train(trained);
        Ok(())
    }

    /// The next train block, elaborated.
    pub(super) fn begin_train(
        &mut self,
        train: &'p Train,
        span: Span,
    ) -> Result<(StepProgram, TrainBlock), Stopped> {
        self.blocks += 1;
        let step = self.scope.train(train, span, &mut self.store, self.base.precision)?;
        let step = step.with_factors(self.base.factors);
        let key = order_key(self.seed, self.blocks);
        Ok((step, TrainBlock { span, key, number: self.blocks, trial: self.number }))
    }

    /// What a train block left.
    pub(super) fn end_train(&mut self, trained: Trained) {
        let Trained { courses, histories, terms, stop } = trained;
        for history in histories {
            let Measured { name, outcome } = history.measured;
            let mut axes = vec![FoundAxis {
                id: Some(history.axis),
                name: self.base.program.axis(history.axis).name.clone(),
                size: history.labels.len(),
                labels: Some(history.labels),
            }];
            axes.extend(self.found_axes(&outcome));
            let values = history.values;
            self.outcome.measures.push(Found { name, field: None, element: outcome.element, axes, values });
        }
        let terms = terms::found(terms, self.base.program, &self.outcome.measures);
        self.outcome.measures.extend(terms);
        let block = self.blocks as usize;
        self.outcome.courses.extend(courses.into_iter().map(|mut c| {
            c.block = block;
            c
        }));
        if let Some(stop) = stop {
            self.outcome.diverged = Some((stop.span, stop.step, stop.term));
        }
    }

    fn found(&mut self, measures: Vec<Measured>) {
        for Measured { name, outcome } in measures {
            let axes = self.found_axes(&outcome);
            for id in outcome.ids.iter().flatten() {
                if let Some(rows) = self.rows_of_part(*id) {
                    self.outcome.rows.insert(*id, rows);
                }
            }
            let values = read_f64(&self.store, outcome.slot);
            self.outcome.measures.push(Found { name, field: None, element: outcome.element, axes, values });
        }
    }

    /// The rows of the data set that an axis goes along, if it is the axis of a part.
    fn rows_of_part(&self, axis: AxisId) -> Option<Vec<i32>> {
        let AxisKind::Part { rows, part } = &self.base.program.axis(axis).kind else { return None };
        let AxisKind::Rows { data } = &self.base.program.axis(*rows).kind else { return None };
        match self.store.get(self.scope.data(data)?.parts.get(part)?.slot) {
            Tensor::Index(rows) => Some(rows.clone()),
            _ => None,
        }
    }

    fn found_axes(&self, outcome: &Measurement) -> Vec<FoundAxis> {
        let axes = outcome.layout.iter().zip(&outcome.ids).map(|(axis, id)| FoundAxis {
            id: *id,
            name: axis_name(self.base.program, &self.scope, *axis, *id),
            size: self.scope.axes.size(*axis),
            labels: None,
        });
        axes.collect()
    }
}
