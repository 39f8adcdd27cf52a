//! Files, and what stands at their top: functions, layers, optimizers, data, experiments, tests; and types.

use super::{Argument, AxisDeclaration, Block, Expr, Let, Name, Statement};
use crate::source::{FileId, Span};

#[derive(Clone, Debug)]
pub struct File {
    pub id: FileId,
    /// The text of the `//!` lines.
    pub docs: Vec<String>,
    pub items: Vec<Item>,
    /// All `//` comments in order of place, for the formatter.
    pub comments: Vec<Comment>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Comment {
    pub text: String,
    pub span: Span,
    /// Something stands before it on its line.
    pub trailing: bool,
}

#[derive(Clone, Debug)]
pub struct Item {
    /// The text of the `///` lines.
    pub docs: Vec<String>,
    pub kind: ItemKind,
    pub span: Span,
}

#[derive(Clone, Debug)]
pub enum ItemKind {
    /// `use std.loss (bce, dice)`
    Use(Use),
    Function(Function),
    Layer(Layer),
    Optimizer(Optimizer),
    Combiner(Function),
    /// A combiner that remembers: its step takes `gram`, `g`, `losses` or `t`, by these names.
    SteppingCombiner(Optimizer),
    /// How a constraint enters the objective: its step takes the violation and the time.
    Constraint(Optimizer),
    Data(Data),
    Experiment(Experiment),
    Test(Test),
    /// `axis Bucket = 128` at the top of a file.
    Axis(Vec<AxisDeclaration>),
    /// `let c = 3` at the top of a file.
    Let(Let),
}

#[derive(Clone, Debug)]
pub struct Use {
    /// `std`, `loss`
    pub path: Vec<Name>,
    pub names: Vec<Name>,
}

/// `fn name[A, B](x: Float[A], k: Float = 1) -> Float[B] { ... }`
#[derive(Clone, Debug)]
pub struct Function {
    pub name: Name,
    pub axes: Vec<Name>,
    pub parameters: Vec<Parameter>,
    pub result: Option<Type>,
    pub body: Block,
    /// Written `= expression` instead of a block.
    pub short: bool,
    /// `custom_grad` clause: `gradient(x, g) { ... }` after the body.
    pub gradient: Option<Box<(Vec<Name>, Block)>>,
    pub span: Span,
}

#[derive(Clone, Debug)]
pub struct Parameter {
    pub name: Name,
    /// Absent only in the `step(p, g, t)` of an optimizer and in lambdas.
    pub ty: Option<Type>,
    pub default: Option<Expr>,
    pub span: Span,
}

#[derive(Clone, Debug)]
pub struct Type {
    pub kind: TypeKind,
    pub span: Span,
}

#[derive(Clone, Debug)]
pub enum TypeKind {
    /// `Float[Example, Class]`, `Class[Example]`, `Bool`: an element (a built-in one or an axis) and axes.
    Array {
        element: Name,
        /// The element is an index of a part: `ner.train`.
        part: Option<Box<AxisName>>,
        axes: Vec<AxisName>,
    },
    /// `{ statistic: Float, p: Float }`
    Record(Vec<(Name, Type)>),
    Tuple(Vec<Type>),
    /// `fn(Float[D], Float[D]) -> Float`
    Function {
        parameters: Vec<Type>,
        result: Box<Type>,
    },
}

/// An axis where one is named: `Task`, `Task'` (same size), `ner.train` (a part of a data set's rows).
#[derive(Clone, Debug, PartialEq)]
pub struct AxisName {
    pub path: Vec<Name>,
    pub primed: bool,
    pub span: Span,
}

#[derive(Clone, Debug)]
pub struct Layer {
    pub name: Name,
    pub axes: Vec<Name>,
    /// Run-time arguments of the constructor: `layer Dropout[A](rate: Float = 0.1)`.
    pub parameters: Vec<Parameter>,
    pub members: Vec<Member>,
    pub span: Span,
}

#[derive(Clone, Debug)]
pub struct Member {
    pub docs: Vec<String>,
    pub kind: MemberKind,
    pub span: Span,
}

#[derive(Clone, Debug)]
pub enum MemberKind {
    /// `param query, key: Float[D, Key] ~ glorot(D, Key)` or `= 0`
    Param(Param),
    /// A sub-layer or a value: `let first = Linear[In, Hidden]()`
    Let(Let),
    Axis(Vec<AxisDeclaration>),
    /// The call `(x: Float[In]) -> Float[Out] = ...`; with a name, a further method `fn hidden(x: ...) -> ...`.
    Call(Function),
}

#[derive(Clone, Debug)]
pub struct Param {
    pub names: Vec<Name>,
    pub ty: Type,
    pub init: Init,
    pub span: Span,
}

#[derive(Clone, Debug)]
pub enum Init {
    /// `= 0`
    Value(Expr),
    /// `~ uniform(-1, 1) * sqrt(1 / size(In))`
    Draw(Expr),
}

/// `optimizer adam(lr: Float, ...) { state m = 0, v = 0  step(p, g, t) { ... } }`
#[derive(Clone, Debug)]
pub struct Optimizer {
    pub name: Name,
    /// Of a combiner: the objectives, and all elements of all parameters.
    pub axes: Vec<Name>,
    pub parameters: Vec<Parameter>,
    pub states: Vec<(Name, Expr)>,
    pub step: Function,
    pub span: Span,
}

#[derive(Clone, Debug)]
pub struct Data {
    pub name: Name,
    pub source: DataSource,
    pub axis: Name,
    pub span: Span,
}

#[derive(Clone, Debug)]
pub enum DataSource {
    /// `= tsv("file") over Token { columns }`; further arguments are options of the reader.
    /// With a key (`over Shop by name`), the rows are the values of a category.
    File { reader: Name, arguments: Vec<Argument>, key: Option<Name>, columns: Vec<Column> },
    /// `over Example = n { statements }`: generated; `let`s are hidden, columns are declared by `Column`.
    Generated { size: Expr, block: Vec<GeneratorStatement> },
    /// `over Fake = 2000 from sample(generator)`
    /// `draw`: of `sample(model)`, the call of the model without data, which draws one row.
    Sampled { size: Expr, from: Expr, draw: Option<Box<Expr>> },
}

/// `entity: Bool = "label"`: a column, its type (without the row axis), and the name in the file if another.
#[derive(Clone, Debug)]
pub struct Column {
    pub docs: Vec<String>,
    pub name: Name,
    pub ty: Type,
    /// `= expression` (a string names the column of the file) or `~ draw` (generated data only).
    pub value: Option<Init>,
    /// `missing ...` policy, as an expression.
    pub missing: Option<Expr>,
    pub span: Span,
}

// Statements are few: boxing the larger ones would cost every reader a dereference and save nothing that matters.
#[allow(clippy::large_enum_variant)]
#[derive(Clone, Debug)]
pub enum GeneratorStatement {
    Column(Column),
    Statement(Statement),
}

#[derive(Clone, Debug)]
pub struct Experiment {
    pub name: Name,
    pub body: Vec<Statement>,
    pub span: Span,
}

#[derive(Clone, Debug)]
pub struct Test {
    pub name: Text,
    pub body: Block,
    pub span: Span,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Text {
    pub text: String,
    pub span: Span,
}
