//! What elaboration hands to the runtime: programs, and which slot holds what.

use super::value::Stored;
use crate::check::program::AxisId;
use crate::graph::{Axis, Element, Half, Program, Slot};
use crate::source::Span;

/// A value that a program leaves in the store.
#[derive(Clone, Debug)]
pub struct Outcome {
    pub name: String,
    pub slot: Slot,
    pub element: Element,
    /// Row-major order of the elements.
    pub layout: Vec<Axis>,
    /// The checker's identity of each axis of `layout`, which is the same in every trial; none for an axis that only
    /// exists inside a function.
    pub ids: Vec<Option<AxisId>>,
}

/// A `measure` of an `on` block or of the experiment.
#[derive(Clone, Debug)]
pub struct Measured {
    /// The span of the measure's name, by which the checker knows it.
    pub name: Span,
    pub outcome: Outcome,
}

/// One evaluation of an `on` block: all its measures.
#[derive(Clone, Debug)]
pub struct OnProgram {
    pub program: Program,
    pub measures: Vec<Measured>,
}

/// A claim with what its verdict rests on.
#[derive(Clone, Debug)]
pub struct ClaimProgram {
    pub program: Program,
    /// A Bool scalar.
    pub verdict: Outcome,
    /// The sides of its comparisons and its other conditions, by the span of each.
    pub evidence: Vec<(Span, Outcome)>,
}

/// How long a train block runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Length {
    Epochs(usize),
    Steps(usize),
}

/// The rows that one step sees of one data set.
#[derive(Clone, Debug)]
pub struct BatchInput {
    pub data: String,
    pub part: Option<String>,
    /// Rows of the part.
    pub rows: usize,
    /// Rows of a batch; all of them for a full batch.
    pub size: usize,
    /// The axis of the batch; none where a step sees one row.
    pub axis: Option<Axis>,
    pub sampler: Option<SamplerInput>,
    /// Index, over the batch: row numbers within the part, from 0. None for a full batch, which needs none.
    pub slot: Option<Slot>,
}

/// How the rows of a batch are drawn, where it is not in random order.
#[derive(Clone, Debug)]
pub struct SamplerInput {
    pub kind: SamplerKind,
    /// One value for each row of the part: its category, or its weight. Of a given order: rows of the part.
    pub values: Slot,
    /// The `batch` statement.
    pub span: Span,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SamplerKind {
    /// With so many rows of each category drawn; none: as many as there are categories make room for.
    Balanced {
        each: Option<usize>,
    },
    Weights,
    Pairs,
    /// The rows themselves, one after the other.
    Ordered,
}

/// A number recorded at every step.
#[derive(Clone, Debug)]
pub struct Recorded {
    pub name: String,
    pub slot: Slot,
    pub span: Span,
}

/// What is recorded of a term of a combined objective.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TermField {
    Value,
    Weight,
    /// The length of its gradient by all parameters of the objective.
    Norm,
    /// The cosine of its gradient to that of the term whose name is at this span.
    Cosine(Span),
    /// Of a constraint: how far it is from holding.
    Violation,
}

/// A number about a term.
#[derive(Clone, Debug)]
pub struct TermSlot {
    /// The span of the term's name, or of a constraint's condition.
    pub term: Span,
    pub field: TermField,
    pub slot: Slot,
}

/// Computes what is recorded of the terms of one objective, from what a step starts from. It changes nothing else.
#[derive(Clone, Debug)]
pub struct TermsProgram {
    pub program: Program,
    pub slots: Vec<TermSlot>,
    pub span: Span,
}

/// A value recorded at moments of a train block: the latest one is in the slot.
#[derive(Clone, Debug)]
pub struct RecordSlot {
    /// The span of the name.
    pub name: Span,
    pub outcome: Outcome,
    /// The axis of the moments.
    pub axis: AxisId,
}

/// How often an `every` runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Period {
    Steps(usize),
    Epoch,
}

/// An `every`, or a `stop when` that is decided at the moments of one: run before the first step, then each time a period
/// of steps is done, and once after the last step.
#[derive(Clone, Debug)]
pub struct EveryProgram {
    pub program: Program,
    pub period: Period,
    /// It uses values of the step: there are none before the first.
    pub after: bool,
    pub records: Vec<RecordSlot>,
    /// Bool scalars; training ends where one holds.
    pub stops: Vec<Slot>,
    pub span: Span,
}

/// `keep highest score`: the record by whose best value the parameters are chosen.
#[derive(Clone, Copy, Debug)]
pub struct Keep {
    pub highest: bool,
    /// The span of the record's name.
    pub record: Span,
}

/// A parameter that a train block updates.
pub type ParameterSlot = Stored;

/// One step of a train block. Slots of states and parameters are inputs and outputs of `program`.
#[derive(Clone, Debug)]
pub struct StepProgram {
    pub program: Program,
    /// Run once before the first step: sets the states of the optimizer and of the block.
    pub initialise: Program,
    /// Run once: the values by which rows are sampled.
    pub sampling: Program,
    pub batches: Vec<BatchInput>,
    pub length: Length,
    /// Index scalar, from 0. The runtime sets it before each step.
    pub step: Slot,
    /// Float scalar, from 0: the epoch.
    pub epoch: Slot,
    /// Float scalar in [0, 1]: the share of the steps that is done.
    pub progress: Slot,
    /// Every term of every objective (a single unnamed one is `loss`).
    pub terms: Vec<Recorded>,
    /// How many of them, from the first, are the terms of the first objective.
    pub of_first: usize,
    /// For every objective with several terms, to be run before some of the steps.
    pub combined: Vec<TermsProgram>,
    pub every: Vec<EveryProgram>,
    /// Values recorded at every step.
    pub records: Vec<RecordSlot>,
    /// Bool scalars, written by every step; training ends after a step in which one holds.
    pub stops: Vec<Slot>,
    pub keep: Option<Keep>,
    pub parameters: Vec<ParameterSlot>,
    /// Slots of optimizer states and declared states: with the parameters, what a checkpoint holds.
    pub states: Vec<Stored>,
}

impl StepProgram {
    /// With the factors of contractions rounded, in what is computed in the width of training.
    pub fn with_factors(mut self, factors: Option<Half>) -> Self {
        let terms = self.combined.iter_mut().map(|terms| &mut terms.program);
        for program in std::iter::once(&mut self.program).chain(terms) {
            program.factors = factors;
        }
        self
    }
}

/// An `assert` of a test.
#[derive(Clone, Debug)]
pub struct Assertion {
    pub span: Span,
    /// A Bool scalar.
    pub holds: Outcome,
    /// The sides of the comparison, to be shown if it does not hold: the text's span and the value.
    pub sides: Vec<(Span, Outcome)>,
}

/// The slot of a number, and for each argument its slot and that of the number's derivative by it.
pub type Slopes = (Slot, Vec<(Slot, Slot)>);

/// A call of a function in a test, to compare its gradient with differences. Run the test's program first: it leaves
/// the arguments in their slots. Then `program` leaves a weighted sum of the result in `value`, and its derivatives.
#[derive(Clone, Debug)]
pub struct GradientCheck {
    pub function: String,
    pub span: Span,
    pub program: Program,
    /// Float scalar.
    pub value: Slot,
    /// For each Float argument its slot, and the slot of the derivative by it, in the same layout.
    pub gradients: Vec<(Slot, Slot)>,
    /// The same of a weighted sum of these derivatives, if it can be differentiated.
    pub second: Option<Slopes>,
    /// A part of it has a derivative that is declared or cut: differences need not agree.
    pub declared: bool,
    /// Its derivatives have kinks or jumps, or parts without a derivative: second differences need not agree.
    pub kinks: bool,
}

/// A `test` block as one program.
#[derive(Clone, Debug)]
pub struct TestProgram {
    pub name: String,
    pub program: Program,
    pub assertions: Vec<Assertion>,
    pub gradients: Vec<GradientCheck>,
}
