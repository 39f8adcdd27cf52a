//! The typed program: the trees, and beside them everything the checker found out about them.
//!
//! Names are keyed by the span at which they are written (a name has its span to itself), expressions by their
//! [`ExprId`]. Elaboration needs no inference of its own: it looks everything up here.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use super::builtin::Builtin;
use crate::source::Span;
use crate::syntax::ast::{self, ExprId};

/// The values of the setting `precision`.
pub const PRECISIONS: [&str; 4] = ["f32", "f64", "bf16", "f16"];

/// An axis as the checker knows it: sizes are symbols. Elaboration binds it to an axis of a graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AxisId(pub u32);

#[derive(Clone, Debug, PartialEq)]
pub struct AxisInfo {
    /// As the user wrote it: `Class`, `Task'`, `Token.train`.
    pub name: String,
    pub kind: AxisKind,
    /// Where it was declared.
    pub span: Span,
}

#[derive(Clone, Debug, PartialEq)]
pub enum AxisKind {
    /// A generic axis of a function, layer or combiner: bound by each call.
    Parameter,
    /// `axis A = 16`: bound when the declaration is executed; `ExprId` is the size.
    Sized(ExprId),
    /// `axis S = T`, or `Task'`: another axis of the same size.
    SameSizeAs(AxisId),
    /// The rows of a data set: `over Token`.
    Rows { data: String },
    /// The rows of one part: `ner.train` gives `Token.train`.
    Part { rows: AxisId, part: String },
    /// One batch of such rows inside a train block (`batch 64 over Token`); in the block it is called by the rows' name.
    Batch { rows: AxisId },
    /// The values of category columns.
    Category { data: String },
    /// The members of a numbered column group, or an inner axis of an idx/npy array: sized by the data.
    Group { data: String },
    /// An axis of trials: `vary Seed = 5`.
    Vary(Vary),
    /// The moments at which a train block records: `every 100 { record .. }`, or every step.
    Recorded,
    /// The rounds of a `repeat Round = 5`; its name is the round's number from 0.
    Round,
    /// Made by an operation (slice, window, concat ...) at an expression: see [`Program::derived`].
    Derived,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Vary {
    /// `{ ce, dice }`
    Arms(Vec<String>),
    /// `= 5`, a list, `kfold(5)`: the expression of the statement.
    Values(ExprId),
}

pub type AxisIds = BTreeSet<AxisId>;

/// What one element is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Element {
    Float,
    Bool,
    /// A position on an axis: the type `Class`.
    Index(AxisId),
    /// A string of a text column. Only functions of text compute with it.
    Text,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Type {
    Array {
        element: Element,
        axes: AxisIds,
    },
    Record(Vec<(String, Type)>),
    Tuple(Vec<Type>),
    Function {
        parameters: Vec<Type>,
        result: Box<Type>,
    },
    /// A function by its name: what it takes and gives is decided where it is called or wanted.
    Callable(Callable),
    /// A model: a layer with its axes bound.
    Model {
        layer: ItemRef,
        axes: Vec<(AxisId, AxisId)>,
        /// The further axes of its values: a model for each position, so that calls are lifted over them.
        over: AxisIds,
    },
    /// An optimizer or combiner with its arguments: `adam(lr = 1e-3)`.
    Optimizer(ItemRef),
    Combiner(ItemRef),
    /// How a constraint enters an objective: `penalty(20)`.
    Constraint(ItemRef),
    /// A data set or one of its parts (`ner`, `ner.train`): its rows' axis.
    Rows {
        data: String,
        rows: AxisId,
    },
    /// A distribution in a draw.
    Text,
    /// An arm of a structural `vary`.
    Choice(AxisId),
    /// An axis named where a value may stand (`sum(x, In)`).
    Axis(AxisId),
    Unit,
    /// Already reported: silences what follows from it.
    Error,
}

/// A function that has a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Callable {
    Item(ItemRef),
    Builtin(Builtin),
}

impl Type {
    pub fn float() -> Type {
        Type::Array { element: Element::Float, axes: AxisIds::new() }
    }
}

/// An item of a file: (file in [`Program::files`], item in it).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ItemRef {
    pub file: u32,
    pub item: u32,
}

/// What a name stands for.
#[derive(Clone, Debug, PartialEq)]
pub enum Definition {
    /// A `let`, parameter, state, column, loop variable, measure ...: the span of the name that binds it.
    Local(Span),
    /// A column of the data of the enclosing `train on` or `on` block.
    Column {
        data: String,
        column: String,
    },
    Item(ItemRef),
    Builtin(Builtin),
    Axis(AxisId),
    /// A numeric `vary` axis used as the value of the current trial.
    VaryValue(AxisId),
    /// An arm of a structural `vary`: (axis, position).
    Arm(AxisId, usize),
}

/// A call, resolved.
#[derive(Clone, Debug, PartialEq)]
pub struct CallInfo {
    pub target: Target,
    /// Each generic axis of the callee with the caller's axis that it is bound to.
    pub axes: Vec<(AxisId, AxisId)>,
    /// For each value parameter of the callee, in its order, the position in `Call::arguments`; none: its default.
    pub arguments: Vec<Option<usize>>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Target {
    Function(ItemRef),
    /// Makes a model: `Linear[In, Out]()`.
    Construct(ItemRef),
    /// Applies a model: the member of its layer (index in `Layer::members`).
    Apply {
        layer: ItemRef,
        member: usize,
    },
    Optimizer(ItemRef),
    /// A combiner after `by`. What the language gives it is no argument; its axes are those of the objective.
    Combiner(ItemRef),
    Constraint(ItemRef),
    /// Builtins read their arguments themselves: `arguments` is empty, axes are those found in the call, in order.
    Builtin(Builtin),
    /// A value that is a function: a parameter, a `let`, a lambda. Its arguments are in the order of its type, or, for
    /// a [`Type::Callable`], of that function's parameters, with its generic axes in `axes`.
    Value,
}

/// Whether a statement of an experiment belongs to each trial or comes after all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Executed once a trial.
    Trial,
    /// Works on results: measures with their `vary` axes.
    Results,
}

/// A file of weights: `safetensors("w.safetensors")` after the `from` of a model.
#[derive(Clone, Debug, PartialEq)]
pub struct WeightFile {
    pub path: String,
    pub span: Span,
}

/// Everything that the later stages need.
#[derive(Debug, Default)]
pub struct Program {
    /// The user's file is the last; before it every stdlib file it uses, imports first.
    pub files: Vec<Arc<ast::File>>,
    pub axes: Vec<AxisInfo>,
    pub types: HashMap<ExprId, Type>,
    /// Every use of a value's name, by the span of the name.
    pub names: HashMap<Span, Definition>,
    /// Every axis name, in declarations, types, selectors and arguments, by the span of the `AxisName` or `Name`.
    pub axes_at: HashMap<Span, AxisId>,
    pub calls: HashMap<ExprId, CallInfo>,
    /// New axes that the operation at an expression makes, in the order that the builtin documents (for `window`:
    /// its places, then K if K is new; for the others the axis named after `as`, if it is new). Of a list literal:
    /// its axes, outermost first.
    pub derived: HashMap<ExprId, Vec<AxisId>>,
    /// By the span of a binding name (let, parameter, state, column, measure): its type. For a measure or a
    /// `let` of the results phase, with the `vary` axes.
    pub bindings: HashMap<Span, Type>,
    /// By the span of a `train` or `on` statement: the axis of the rows in the block, one for each data set named
    /// there. In a train block a [`AxisKind::Batch`], in an `on` block the part itself.
    pub blocks: HashMap<Span, Vec<AxisId>>,
    /// By the span of an experiment's statement.
    pub phases: HashMap<Span, Phase>,
    /// The spans of the names that some `grad(y, x)` differentiates by: elaboration keeps their values apart, so that
    /// what is built from them stays built from them.
    pub differentiated: HashSet<Span>,
    /// By the key of a grouped reduction: the axis of its groups, where that is not the axis that the key indexes but its twin.
    pub groups: HashMap<ExprId, AxisId>,
    /// Loops whose value is known when the graph is built.
    pub static_loops: HashSet<ExprId>,
    /// The generic axes of every function that is checked, in the order of `CallInfo::axes`.
    pub generics: HashMap<ItemRef, Vec<AxisId>>,
    /// Functions that train: their calls are executed by the experiment, like its own statements.
    pub fits: HashSet<ItemRef>,
    /// The axes that a function without a name touches: those of every value in it.
    pub touched: HashMap<ExprId, AxisIds>,
    /// Uses, in a block, of a value over all rows of the block's data sets, by the span of the name: seen for the
    /// block's rows alone, like a column.
    pub viewed: HashMap<Span, Vec<String>>,
    /// By the span of a measure's name: the `vary` axes that it depends on.
    pub varies: HashMap<Span, Vec<AxisId>>,
    /// By the span of an arm of a `match` over a structural `vary`: the axis, and the position for which the arm is there.
    pub arms: HashMap<Span, (AxisId, usize)>,
    /// A term of a combined objective in a branch of an `if`: the span of the term of this name in the first branch.
    pub term_of: HashMap<Span, Span>,
    /// Files that parameters start from.
    pub weights: Vec<WeightFile>,
    /// By the span of a name in a `quick` statement: what `--quick` sets it to, several numbers for the values of a `vary`.
    pub quick: HashMap<Span, Vec<f64>>,
}

impl Program {
    pub fn item(&self, at: ItemRef) -> &ast::Item {
        &self.files[at.file as usize].items[at.item as usize]
    }

    /// The call of a function that trains, if a `let` has one for its value.
    pub fn fitting_call<'p>(&'p self, l: &'p ast::Let) -> Option<(&'p ast::Expr, &'p ast::Function)> {
        let ast::Init::Value(value) = &l.value else { return None };
        let Target::Function(item) = self.calls.get(&value.id)?.target else { return None };
        match &self.item(item).kind {
            ast::ItemKind::Function(function) if self.fits.contains(&item) => Some((value, function)),
            _ => None,
        }
    }

    pub fn axis(&self, id: AxisId) -> &AxisInfo {
        &self.axes[id.0 as usize]
    }
}
