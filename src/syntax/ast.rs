//! The tree: what the user wrote, construct by construct, with spans. It mirrors `grammar/ansatz.pest`, so
//! the formatter is its printer. Comments are kept beside it, in [`File::comments`].

use crate::source::{FileId, Span};

/// The identity of an expression, unique in one compilation: what later stages know about it is keyed by this.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ExprId(pub u32);

/// A name as written.
#[derive(Clone, Debug, PartialEq)]
pub struct Name {
    pub text: String,
    pub span: Span,
}

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

/// Statements, then the value (absent in step programs and tests).
#[derive(Clone, Debug)]
pub struct Block {
    pub statements: Vec<Statement>,
    pub value: Option<Box<Expr>>,
    pub span: Span,
}

#[derive(Clone, Debug)]
pub struct AxisDeclaration {
    pub name: Name,
    /// A size, or another axis (`axis S = T`: the same size, another identity).
    pub size: Expr,
}

/// `let x: Float[A] = e`, `let (a, b) = e`, `let eps: Float[A] ~ normal(0, 1)`, `let nets = Linear[In, Out]() over Zoo`
#[derive(Clone, Debug)]
pub struct Let {
    pub names: Vec<Name>,
    pub ty: Option<Type>,
    pub value: Init,
    /// The axes over which a new model is made once for each position.
    pub over: Vec<AxisName>,
    /// `let old = copy(policy) every 4 steps`: taken anew every so many steps.
    pub refresh: Option<Expr>,
    pub span: Span,
}

#[derive(Clone, Debug)]
pub struct Statement {
    pub docs: Vec<String>,
    pub kind: StatementKind,
    pub span: Span,
}

// Statements are few: boxing the larger ones would cost every reader a dereference and save nothing that matters.
#[allow(clippy::large_enum_variant)]
#[derive(Clone, Debug)]
pub enum StatementKind {
    // In any block.
    Axis(Vec<AxisDeclaration>),
    Let(Let),
    /// `h := e`
    Assign {
        name: Name,
        value: Expr,
    },
    /// `assert e`, `assert a ~= b within tolerance`
    Assert {
        condition: Expr,
    },
    /// `yield h` in a `scan`.
    Yield(Expr),
    If {
        condition: Expr,
        then: Vec<Statement>,
        otherwise: Option<Vec<Statement>>,
    },
    /// An expression alone.
    Expression(Expr),

    // In an experiment.
    Data(Data),
    Param(Param),
    /// `vary Objective = { ce, dice }` or `vary Seed = 5`
    Vary {
        name: Name,
        over: VaryOver,
    },
    Split(Split),
    Train(Train),
    /// `on ner.test { ... }`
    On {
        data: Vec<AxisName>,
        body: Vec<Statement>,
    },
    Measure {
        name: Name,
        value: Expr,
    },
    Claim {
        text: Text,
        condition: Expr,
    },
    Report(Vec<ReportLine>),
    /// `snapshot score, acc`
    Snapshot(Vec<Name>),
    /// `repeat Round = 5 { }` at experiment level, `repeat 5 { }` in a step.
    Repeat {
        axis: Option<Name>,
        count: Expr,
        body: Vec<Statement>,
    },
    /// `precision f64`, `seed 7`, `allow divergence`
    Setting {
        name: Name,
        value: Expr,
    },

    // In a train block.
    Batch {
        size: Expr,
        axis: Option<AxisName>,
        sampling: Vec<Clause>,
    },
    Epochs(Expr),
    Steps(Expr),
    State(State),
    Objective(Objective),
    /// `every 100 { record ... }`, `every epoch as Moment { ... }`
    Every {
        count: Expr,
        /// The axis of its moments in the results; without one it is `Checkpoint`.
        axis: Option<Name>,
        body: Vec<Statement>,
    },
    Record {
        name: Name,
        value: Expr,
    },
    /// `stop when condition`
    Stop(Expr),
    /// `keep highest score`, `keep lowest error`
    Keep {
        highest: bool,
        name: Name,
    },
}

#[derive(Clone, Debug)]
pub enum VaryOver {
    /// `{ ce, dice }`: structural arms.
    Arms(Vec<Name>),
    /// `5`: a count of seeds; `[0, 0.1, 1]`: values; `kfold(5)`.
    Values(Expr),
}

/// `split ner by sentence stratified by entity into train 70%, test 30%`
#[derive(Clone, Debug)]
pub struct Split {
    pub data: Name,
    pub by: Vec<Name>,
    pub stratified: Vec<Name>,
    pub seed: Option<Expr>,
    pub parts: Vec<Part>,
}

#[derive(Clone, Debug)]
pub struct Part {
    pub name: Name,
    /// `70%` or a count; without one, the rest.
    pub size: Option<PartSize>,
}

#[derive(Clone, Debug)]
pub enum PartSize {
    Percent(Expr),
    Count(Expr),
    /// `test fold Fold`: the rows of this trial's fold.
    Fold(Name),
    /// `bought where mask`: the rows where the condition holds.
    Where(Expr),
}

#[derive(Clone, Debug)]
pub struct Train {
    /// `train stream on ...`: one pass, one item at a time.
    pub stream: bool,
    /// `a.train, b.train`; none for a block that draws its own data.
    pub data: Vec<AxisName>,
    pub body: Vec<Statement>,
}

/// `state centre: Float[Class, D] = 0`
#[derive(Clone, Debug)]
pub struct State {
    pub names: Vec<Name>,
    pub ty: Option<Type>,
    pub value: Expr,
}

/// A clause of a sampler: `balanced by identity`, `weights w`, `pairs ...`, `in order visits`.
#[derive(Clone, Debug)]
pub struct Clause {
    pub words: Vec<Name>,
    pub value: Option<Expr>,
    /// More keys, which cross: `balanced by site, label`.
    pub further: Vec<Expr>,
    /// `balanced by identity, 4 each`
    pub each: Option<Expr>,
}

/// `minimize { fit: a  align: b } by pcgrad() subject to kl <= 0.01 by penalty(20) over model with adam(lr = 1e-3)`
#[derive(Clone, Debug)]
pub struct Objective {
    pub maximize: bool,
    pub terms: Vec<Term>,
    /// Written in braces with names.
    pub named: bool,
    pub combiner: Option<Expr>,
    pub constraints: Vec<Constraint>,
    /// Models or parameters; empty: every parameter that the terms depend on.
    pub over: Vec<Expr>,
    pub with: Option<Expr>,
    /// `steps 5`
    pub steps: Option<Expr>,
    /// `project e`
    pub project: Option<Expr>,
    pub span: Span,
}

#[derive(Clone, Debug)]
pub struct Term {
    /// Absent for the single unnamed term, whose name is `loss`.
    pub name: Option<Name>,
    pub value: Expr,
    /// The models or parameters that this term alone trains; empty: those of the objective.
    pub over: Vec<Expr>,
    pub span: Span,
}

#[derive(Clone, Debug)]
pub struct Constraint {
    pub condition: Expr,
    pub method: Option<Expr>,
}

#[derive(Clone, Debug)]
pub struct ReportLine {
    pub docs: Vec<String>,
    pub kind: ReportKind,
    pub span: Span,
}

#[derive(Clone, Debug)]
pub enum ReportKind {
    /// `table score, acc by Objective`
    Table { values: Vec<Expr>, by: Vec<Name> },
    /// `plot loss over Step by Objective`
    Plot { values: Vec<Expr>, over: Option<Name>, by: Vec<Name> },
    /// `text "..."`
    Text(Text),
}

#[derive(Clone, Debug)]
pub struct Expr {
    pub id: ExprId,
    pub kind: ExprKind,
    pub span: Span,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum UnaryOperator {
    Negate,
    Not,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BinaryOperator {
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
    Power,
    Equal,
    NotEqual,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
    And,
    Or,
}

#[derive(Clone, Debug)]
pub enum ExprKind {
    Number {
        value: f64,
        text: String,
    },
    Bool(bool),
    Text(String),
    /// A value, a function, or an axis where an argument names one; an axis may be primed (`Task'`).
    Name(Name),
    /// In the source as `( e )`; kept so that the formatter prints what was written.
    Parenthesised(Box<Expr>),
    Tuple(Vec<Expr>),
    List(Vec<Expr>),
    Record(Vec<(Name, Expr)>),
    Unary {
        operator: UnaryOperator,
        value: Box<Expr>,
    },
    Binary {
        operator: BinaryOperator,
        left: Box<Expr>,
        right: Box<Expr>,
        operator_span: Span,
    },
    /// `a ~= b within tolerance`
    Approximately {
        left: Box<Expr>,
        right: Box<Expr>,
        within: Option<Box<Expr>>,
    },
    /// `f(x, k = 2)`, `Linear[In, Out]()`, `mean(x, Example by sex where m) else 0`
    Call(Box<Call>),
    /// `x[A = i]`, `x[A as B]`, `x[A = 2..5]`; with bare axes only, `zeros[H]`.
    Index {
        value: Box<Expr>,
        selectors: Vec<Selector>,
    },
    /// `result.p`, `ner.train`, `net.weight`
    Field {
        value: Box<Expr>,
        field: Name,
    },
    /// `match Objective { ce => ...  dice => ... }`
    Match {
        value: Box<Expr>,
        arms: Vec<Arm>,
    },
    If {
        condition: Box<Expr>,
        then: Block,
        otherwise: Block,
    },
    /// `scan t in T from h = zeros[H] { ... yield h }`
    Scan {
        item: Name,
        axis: AxisName,
        from: Vec<(Name, Expr)>,
        body: Block,
    },
    /// `iterate n from a = .. { a := .. }`, `iterate up to n until cond from a = .. { .. }`
    Iterate {
        count: Box<Expr>,
        bounded: bool,
        until: Option<Box<Expr>>,
        from: Vec<(Name, Expr)>,
        body: Block,
    },
    /// `fn(a, b) = e`, `fn(a: Float) -> Float { .. }`
    Lambda {
        parameters: Vec<Parameter>,
        result: Option<Type>,
        body: Block,
    },
    /// `Encoder[...]() from safetensors("...") map { ... }`
    From {
        value: Box<Expr>,
        source: Box<Expr>,
        map: Vec<(Text, Text)>,
    },
}

#[derive(Clone, Debug)]
pub struct Call {
    pub callee: Expr,
    /// `[In, Out]` between the callee and the parentheses.
    pub axes: Vec<AxisName>,
    pub arguments: Vec<Argument>,
    /// `by sex, race`
    pub by: Vec<Expr>,
    /// `where m`
    pub filter: Option<Expr>,
    /// `else 0` after the parentheses.
    pub otherwise: Option<Expr>,
}

#[derive(Clone, Debug)]
pub struct Argument {
    pub kind: ArgumentKind,
    pub span: Span,
}

#[derive(Clone, Debug)]
pub enum ArgumentKind {
    /// A value, or an axis where the parameter is one (`sum(x, In)`).
    Positional(Expr),
    Named {
        name: Name,
        value: Expr,
    },
    /// `H as K = 3`, `k as K`, `[H, W] as P`
    As {
        value: Expr,
        name: Name,
        /// The others of `Pixel as [Row, Column]`.
        further: Vec<Name>,
        size: Option<Expr>,
    },
}

#[derive(Clone, Debug)]
pub enum Selector {
    /// `A`
    Axis(AxisName),
    /// `A as B`
    Rename { axis: AxisName, to: AxisName },
    /// `A = i`: a position, an arm of a `vary`, or an array of indices
    Pick { axis: AxisName, index: Expr },
    /// `A = 2..5`, either end may be left out
    Slice { axis: AxisName, start: Option<Expr>, end: Option<Expr> },
}

#[derive(Clone, Debug)]
pub struct Arm {
    pub pattern: Pattern,
    pub value: Expr,
    pub span: Span,
}

#[derive(Clone, Debug)]
pub enum Pattern {
    Name(Name),
    Number(f64, Span),
    /// `_`
    Any(Span),
}
