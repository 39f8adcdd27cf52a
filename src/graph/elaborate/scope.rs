//! The persistent environment of one trial, or of the results phase: what every program of it shares.

use std::collections::{BTreeMap, HashMap};

use super::outcome::{ClaimProgram, OnProgram, Outcome, StepProgram, TestProgram};
use super::value::{Frame, Stored, Value};
use crate::check::program::{self, AxisId};
use crate::diagnostic::{Checked, Code, Diagnostic};
use crate::graph::{Axis, AxisTable, Precision, Program, Slot, Store};
use crate::source::Span;
use crate::syntax::ast;

/// A data set in the store: every column over its rows (and inner axes), and the row numbers of each part.
#[derive(Clone, Debug, Default)]
pub struct DataBinding {
    pub columns: BTreeMap<String, Stored>,
    /// Index, over the part's axis: row numbers of the data set.
    pub parts: BTreeMap<String, Stored>,
}

/// What a `vary` axis is in this scope.
#[derive(Clone, Debug)]
pub enum VaryBinding {
    /// The arm of this trial.
    Arm(usize),
    /// The value of this trial, known while the graph is built.
    Number(f64),
    /// The value of this trial in a scalar slot: one program serves all values. Where a static number is needed, `at`
    /// is used (and the program serves this value only).
    Slot { slot: Slot, at: f64 },
    /// In the results phase: all values, in order (for arms: empty).
    Values(Vec<f64>),
}

/// The environment. Clone it to start a trial from what all trials share.
#[derive(Clone, Debug)]
pub struct Scope<'p> {
    pub program: &'p program::Program,
    /// Each program's graph starts with these axes, so an axis is the same number in all of them.
    pub axes: AxisTable,
    pub(super) root: Frame<'p>,
    pub(super) data: BTreeMap<String, DataBinding>,
    pub(super) varies: BTreeMap<AxisId, VaryBinding>,
    /// Index scalar: the trial's seed.
    pub(super) seed: Slot,
    /// How many blocks of each kind were elaborated: part of the address of random numbers.
    pub(super) blocks: HashMap<&'static str, u32>,
}

impl<'p> Scope<'p> {
    /// `seed` is a slot with an Index scalar, which the runtime sets.
    pub fn new(program: &'p program::Program, seed: Slot) -> Self {
        Scope {
            program,
            axes: AxisTable::default(),
            root: Frame::default(),
            data: BTreeMap::new(),
            varies: BTreeMap::new(),
            seed,
            blocks: HashMap::new(),
        }
    }

    /// Gives an axis of the checker its size here: rows, parts, categories, groups, and `vary` axes of the results.
    /// Batch axes are bound by [`Scope::train`].
    pub fn bind_axis(&mut self, id: AxisId, size: usize) -> Axis {
        let axis = self.axes.add(self.program.axis(id).name.clone(), size);
        self.root.axes.insert(id, axis);
        axis
    }

    pub fn axis(&self, id: AxisId) -> Option<Axis> {
        self.root.axes.get(&id).copied()
    }

    /// Gives the name bound at `name` a value: a measure in the results phase, for example.
    pub fn bind(&mut self, name: Span, value: Value<'p>) {
        self.root.values.insert(name, value);
    }

    pub fn value(&self, name: Span) -> Option<&Value<'p>> {
        self.root.values.get(&name)
    }

    pub fn bind_vary(&mut self, axis: AxisId, value: VaryBinding) {
        self.varies.insert(axis, value);
    }

    pub fn bind_data(&mut self, name: &str, data: DataBinding) {
        self.data.insert(name.to_owned(), data);
    }

    /// Executes an `axis`, `let` or `param` statement of the experiment. Values known while building (sizes, numbers,
    /// models, functions) are bound; parameters and other arrays get slots, and the program that returns computes them:
    /// run it once, before any program that follows.
    pub fn execute(
        &mut self,
        statement: &'p ast::Statement,
        _store: &mut Store,
        _precision: Precision,
    ) -> Checked<Option<Program>> {
        Err(vec![unavailable(statement.span)])
    }

    /// A number that must be known before anything runs: a count, a percentage, a seed.
    pub fn number(&mut self, expr: &'p ast::Expr) -> Checked<f64> {
        Err(vec![unavailable(expr.span)])
    }

    /// A list of such numbers: `[0, 0.1, 1]`, `geometric(1, 100, 10)`, `range(0, 5)`.
    pub fn numbers(&mut self, expr: &'p ast::Expr) -> Checked<Vec<f64>> {
        Err(vec![unavailable(expr.span)])
    }

    /// The values of expressions of the experiment, each by a name of the caller's choice.
    pub fn evaluate(
        &mut self,
        values: &[(&str, &'p ast::Expr)],
        _store: &mut Store,
        _precision: Precision,
    ) -> Checked<(Program, Vec<Outcome>)> {
        Err(values.iter().map(|(_, expr)| unavailable(expr.span)).collect())
    }

    /// An `on` block: its statements, and all its measures.
    pub fn on(
        &mut self,
        _data: &'p [ast::AxisName],
        _body: &'p [ast::Statement],
        span: Span,
        _store: &mut Store,
        _precision: Precision,
    ) -> Checked<OnProgram> {
        Err(vec![unavailable(span)])
    }

    /// A claim, in double precision.
    pub fn claim(&mut self, condition: &'p ast::Expr, _store: &mut Store) -> Checked<ClaimProgram> {
        Err(vec![unavailable(condition.span)])
    }

    /// One step of a train block.
    pub fn train(
        &mut self,
        _train: &'p ast::Train,
        span: Span,
        _store: &mut Store,
        _precision: Precision,
    ) -> Checked<StepProgram> {
        Err(vec![unavailable(span)])
    }

    /// A `test` block, in double precision. The scope is a fresh one.
    pub fn test(&mut self, test: &'p ast::Test, _store: &mut Store) -> Checked<TestProgram> {
        Err(vec![unavailable(test.span)])
    }
}

fn unavailable(span: Span) -> Diagnostic {
    Diagnostic::error(Code::A0090, span, "not available yet")
}
