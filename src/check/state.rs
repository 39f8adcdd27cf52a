//! What the checker knows while it works: scopes, the context of the place it is at, and what it wrote down.
//!
//! In: trees, item by item. Out: the tables of [`Program`] and diagnostics.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::rc::Rc;

use super::program::{AxisId, AxisIds, AxisInfo, AxisKind, Definition, Element, ItemRef, Program, Type};
use super::visible::Watch;
use crate::diagnostic::Diagnostic;
use crate::source::{Sources, Span};
use crate::syntax::ast::{Function, Name};

/// The checker of one compilation.
pub(super) struct Checker<'a> {
    pub sources: &'a Sources,
    pub program: Program,
    pub diagnostics: Vec<Diagnostic>,
    /// Names at the top of each file, in the order of `Program::files`.
    pub files: Vec<FileNames>,
    pub items: HashMap<ItemRef, ItemState>,
    pub scopes: Vec<Scope>,
    pub context: Context,
    /// Where the value of a binding comes from, by the span of its name.
    pub traces: HashMap<Span, Trace>,
    /// Functions, and models that are others under a further name (`freeze`, `with`, arithmetic): where they are used they are by the
    /// models' values of then, which training may have changed since they were named.
    pub views: HashSet<Span>,
    /// Bindings that some expression uses.
    pub used: HashSet<Span>,
    /// Bindings whose value is known when the graph is built.
    pub statics: HashSet<Span>,
    /// Those of them that the text alone says, by the span of the name.
    pub constants: HashMap<Span, f64>,
    /// Names bound by `let`, to warn of those that nothing uses.
    pub lets: Vec<(String, Span)>,
    /// Data sets by name, of the file that is being checked.
    pub data: HashMap<String, Rc<DataInfo>>,
    pub trial: Trial,
    /// Slices and windows' places: the axis that each was cut from.
    pub origins: HashMap<AxisId, AxisId>,
    /// The axis of each slice with plain numbers as bounds, so that equal slices of an axis are one axis.
    pub slices: HashMap<(AxisId, String), AxisId>,
    /// The place of which an editor wants to know what can be named there.
    pub watch: Watch,
}

/// The names at the top of one file.
#[derive(Default)]
pub(super) struct FileNames {
    /// `std.loss` for a file of the library.
    pub module: Option<String>,
    pub own: HashMap<String, ItemRef>,
    /// Name, item and the place of the name in the `use`.
    pub imported: HashMap<String, (ItemRef, Span)>,
    pub prelude: HashMap<String, ItemRef>,
    pub axes: HashMap<String, AxisId>,
    pub data: HashMap<String, Rc<DataInfo>>,
}

/// How far the checker is with an item.
#[derive(Clone)]
pub(super) enum ItemState {
    /// In work: meeting it again is recursion.
    Open,
    Function(Rc<Signature>),
    Layer(Rc<LayerInfo>),
    Optimizer(Rc<Signature>),
    Combiner(Rc<Signature>),
    SteppingCombiner(Rc<Signature>),
    Constraint(Rc<Signature>),
    Data(Rc<DataInfo>),
    Let(Type),
    /// Nothing to refer to (tests, experiments, uses), or already reported.
    Other,
}

/// What a call of a function must fit.
#[derive(Clone, Debug)]
pub(super) struct Signature {
    pub name: String,
    pub generics: Vec<AxisId>,
    pub parameters: Vec<ParameterInfo>,
    pub result: Type,
    /// A distribution stands in its body outside `~`: it may be called only in a draw.
    pub draws: bool,
    /// Random numbers are drawn in its body, with or without `~`.
    pub random: bool,
    pub span: Span,
    pub module: Option<String>,
}

#[derive(Clone, Debug)]
pub(super) struct ParameterInfo {
    pub name: String,
    pub ty: Type,
    pub optional: bool,
    pub span: Span,
}

/// A layer: its constructor, the fields of its models, and their calls.
#[derive(Debug)]
pub(super) struct LayerInfo {
    pub constructor: Rc<Signature>,
    /// Parameters, sub-models and values, by name.
    pub fields: Vec<(String, Type)>,
    /// (member, name of the method; none for the call itself, signature)
    pub calls: Vec<(usize, Option<String>, Rc<Signature>)>,
    /// It has parameters, itself or in a sub-model.
    pub learns: bool,
}

/// A data set: its rows and columns.
#[derive(Debug)]
pub(super) struct DataInfo {
    pub name: String,
    pub rows: AxisId,
    pub columns: Vec<ColumnInfo>,
    pub span: Span,
    pub trace: Trace,
}

#[derive(Clone, Debug)]
pub(super) struct ColumnInfo {
    pub name: String,
    pub element: Element,
    /// Without the rows.
    pub axes: AxisIds,
    pub span: Span,
}

/// One level of names.
#[derive(Default)]
pub(super) struct Scope {
    pub values: HashMap<String, Local>,
    pub axes: HashMap<String, AxisId>,
}

/// A name bound in a scope.
#[derive(Clone, Debug)]
pub(super) struct Local {
    pub span: Span,
    pub ty: Type,
    pub kind: LocalKind,
    pub definition: Definition,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LocalKind {
    Let,
    Parameter,
    State,
    /// A variable of a `scan` or `iterate`.
    Loop,
    Column,
    /// A measure, or a `let` made from measures, seen after its block.
    Result,
    /// A parameter of a layer.
    Weight,
    Data,
}

/// Where a value comes from.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Trace {
    /// Trial axes that it depends on.
    pub varies: AxisIds,
    /// Parts of data sets whose values it holds, with a place that read them.
    pub parts: BTreeMap<AxisId, Span>,
    /// The rows of data sets of which it holds numbers of all rows, with a place that read them: each at its own row, or
    /// (then they are in `fitted` as well) brought together.
    pub whole: BTreeMap<AxisId, Span>,
    pub fitted: BTreeMap<AxisId, Span>,
    /// Models that it is computed by.
    pub models: BTreeSet<Span>,
    /// Those of them to which a gradient can flow back.
    pub flows: BTreeSet<Span>,
    /// Models behind frozen ones, whose training still changes it.
    pub behind: BTreeSet<Span>,
    /// It mentions a measure.
    pub results: bool,
}

impl Trace {
    pub fn merge(&mut self, other: &Trace) {
        self.varies.extend(&other.varies);
        for (part, span) in &other.parts {
            self.parts.entry(*part).or_insert(*span);
        }
        for (rows, span) in &other.whole {
            self.whole.entry(*rows).or_insert(*span);
        }
        for (rows, span) in &other.fitted {
            self.fitted.entry(*rows).or_insert(*span);
        }
        self.behind.extend(&other.behind);
        self.models.extend(&other.models);
        self.flows.extend(&other.flows);
        self.results |= other.results;
    }
}

/// Whether distributions may stand here.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) enum Draw {
    #[default]
    Forbidden,
    /// In the body of a function, which then may be called only in a draw.
    Function,
    /// After `~`, over these axes.
    Over(AxisIds),
}

/// What kind of code is being checked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Place {
    #[default]
    File,
    Function,
    Layer,
    Optimizer,
    Experiment,
    Train,
    /// The body of `every`, and the condition of `stop when`.
    Every,
    On,
    Test,
}

impl Place {
    pub fn words(self) -> &'static str {
        match self {
            Place::File => "the top of a file",
            Place::Function => "a function",
            Place::Layer => "a layer",
            Place::Optimizer => "an optimizer",
            Place::Experiment => "an experiment",
            Place::Train => "a train block",
            Place::Every => "an every block",
            Place::On => "an on block",
            Place::Test => "a test",
        }
    }
}

/// The declared shape that a list literal takes: `let x: Float[Item] = [1, 2]`.
#[derive(Clone, Debug)]
pub(super) struct Hint {
    pub element: Element,
    /// As written, outermost first.
    pub axes: Vec<AxisId>,
}

/// What was met so far in the body of a loop that is a value.
#[derive(Clone, Debug, Default)]
pub(super) struct LoopState {
    /// How many scopes there were around it: names of outer ones do not belong to the loop.
    pub scope: usize,
    /// The variable, the type of what is assigned to it, the place.
    pub assigned: Vec<(Span, Type, Span)>,
    pub yields: Vec<(Type, Span)>,
}

/// The functions of the layer that is being checked.
#[derive(Debug)]
pub(super) struct LayerMethods {
    pub layer: ItemRef,
    /// The axes of the layer.
    pub axes: Vec<AxisId>,
    /// How many scopes there are at the level of the layer.
    pub depth: usize,
    /// Each with its place among the members.
    pub functions: Vec<(usize, Rc<Function>)>,
    pub states: Vec<MethodState>,
}

/// How far the checker is with a function of a layer.
#[derive(Debug)]
pub(super) enum MethodState {
    Todo,
    Open,
    Done(Rc<Signature>),
}

/// The place that is being checked.
#[derive(Clone, Debug, Default)]
pub(super) struct Context {
    pub file: usize,
    pub place: Place,
    pub draw: Draw,
    /// A bare distribution was met in [`Draw::Function`].
    pub draws: bool,
    /// Random numbers were drawn.
    pub random: bool,
    /// Values are results, with their trial axes.
    pub results: bool,
    pub hint: Option<Hint>,
    /// After `by`: combiners take their arguments without what the language gives them.
    pub combining: bool,
    pub trace: Trace,
    /// In a layer: its functions, which may call each other.
    pub methods: Option<Rc<RefCell<LayerMethods>>>,
    /// In a function without a name: the axes of every value in it.
    pub touched: Option<AxisIds>,
    /// The loops around, the innermost last.
    pub loops: Vec<LoopState>,
    /// The function, layer or optimizer that is being checked, for messages about recursion.
    pub item: Option<ItemRef>,
}

/// What is known about the experiment that is being checked.
#[derive(Default)]
pub(super) struct Trial {
    /// Parts of each data set.
    pub parts: HashMap<String, Vec<PartInfo>>,
    /// Axes of `vary`, in order.
    pub varies: Vec<AxisId>,
    /// Those declared as a count: everything random depends on them.
    pub counts: AxisIds,
    /// How many values each numeric `vary` has, where the file says so plainly.
    pub sizes: HashMap<AxisId, f64>,
    /// Rows of the blocks around: data set, axis.
    pub rows: Vec<(String, AxisId)>,
    /// Data parts (`ner.test`) that some `on` block measures and no block trains on.
    pub held_out: BTreeSet<(String, String)>,
    /// Data parts that some block trains on, with a place.
    pub trained: BTreeMap<(String, String), Span>,
    /// The data of the block at hand is unknown, and with it the columns.
    pub blind: bool,
    /// Models made by the experiment: name, place.
    pub models: Vec<(String, Span)>,
    /// Models and parameters that an objective updates.
    pub updated: BTreeSet<Span>,
    /// Measures of the on block at hand, with their types in a trial.
    pub measured: Vec<(Name, Type, Trace)>,
    /// The train block at hand, and the names in it that the experiment can read after it.
    pub block: Option<Span>,
    pub exported: Vec<Name>,
    /// Models that others are made of: they need no training of their own.
    pub copied: BTreeSet<Span>,
    /// The value of the `let` at hand, directly in an experiment: a function that trains may be called there.
    pub let_value: Option<crate::syntax::ast::ExprId>,
    /// The value at hand is that of a `let` with one name.
    pub named_model: bool,
    /// Where the conditions of the `if`s around come from.
    pub conditions: Vec<Trace>,
    /// Names of terms, for plots.
    pub terms: Vec<String>,
    /// What the train block at hand records: names with their types at one moment, and the axis of the moments.
    pub records: Vec<super::experiment::Recorded>,
    /// The scope of the statements of the train block at hand, where its records are known.
    pub block_scope: usize,
    /// Axes of `vary Fold = kfold(5)` and `vary Held = groups(d.site)`.
    pub folds: AxisIds,
    /// The axis of the `repeat` at hand, and the results of its body at one round.
    pub round: Option<AxisId>,
    pub round_results: Vec<(Name, Type, Trace)>,
    /// The terms of combined objectives: in the train block at hand, in the rounds at hand, and as results; the axis
    /// of what is recorded of them.
    pub block_terms: Vec<super::experiment::Terms>,
    pub round_terms: Vec<super::experiment::TermResult>,
    pub term_results: Vec<super::experiment::TermResult>,
    pub tenth: Option<AxisId>,
    /// The axis of the `every` at hand.
    pub every: Option<AxisId>,
}

#[derive(Clone, Debug)]
pub(super) struct PartInfo {
    pub name: String,
    pub axis: AxisId,
    pub span: Span,
}

impl<'a> Checker<'a> {
    pub fn new(sources: &'a Sources) -> Self {
        Checker {
            sources,
            program: Program::default(),
            diagnostics: Vec::new(),
            files: Vec::new(),
            items: HashMap::new(),
            scopes: Vec::new(),
            context: Context::default(),
            traces: HashMap::new(),
            views: HashSet::new(),
            used: HashSet::new(),
            statics: HashSet::new(),
            constants: HashMap::new(),
            lets: Vec::new(),
            data: HashMap::new(),
            trial: Trial::default(),
            origins: HashMap::new(),
            slices: HashMap::new(),
            watch: Watch::default(),
        }
    }

    pub fn report(&mut self, diagnostic: Diagnostic) {
        if !self.diagnostics.contains(&diagnostic) {
            self.diagnostics.push(diagnostic);
        }
    }

    pub fn new_axis(&mut self, name: impl Into<String>, kind: AxisKind, span: Span) -> AxisId {
        let id = AxisId(self.program.axes.len() as u32);
        self.program.axes.push(AxisInfo { name: name.into(), kind, span });
        id
    }

    /// Runs `f` in a new innermost scope.
    pub fn scoped<R>(&mut self, f: impl FnOnce(&mut Self) -> R) -> R {
        self.scopes.push(Scope::default());
        let result = f(self);
        self.scopes.pop();
        result
    }

    /// Runs `f` and tells where the values it met come from; the surrounding trace learns it too.
    pub fn traced<R>(&mut self, f: impl FnOnce(&mut Self) -> R) -> (R, Trace) {
        let outer = std::mem::take(&mut self.context.trace);
        let result = f(self);
        let trace = std::mem::replace(&mut self.context.trace, outer);
        self.context.trace.merge(&trace);
        (result, trace)
    }

    /// Runs `f` with another hint for list literals.
    pub fn hinted<R>(&mut self, hint: Option<Hint>, f: impl FnOnce(&mut Self) -> R) -> R {
        let outer = std::mem::replace(&mut self.context.hint, hint);
        let result = f(self);
        self.context.hint = outer;
        result
    }

    /// The text that a span covers, on one line.
    pub fn text(&self, span: Span) -> String {
        self.sources.slice(span).split_whitespace().collect::<Vec<_>>().join(" ")
    }
}
