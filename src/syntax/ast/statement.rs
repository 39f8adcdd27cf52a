//! Statements of functions, experiments and train blocks.

use super::{AxisName, Data, Expr, Init, Name, Param, Text, Type};
use crate::source::Span;

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
    /// `snapshot score, gain within 0.02`
    Snapshot {
        /// Names of measures, or of `let`s made from them.
        values: Vec<Expr>,
        within: Option<Expr>,
    },
    /// `quick Seed = 2, rounds = 20`
    Quick(Vec<QuickSetting>),
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

/// `Seed = 2` of a `quick` statement.
#[derive(Clone, Debug)]
pub struct QuickSetting {
    pub name: Name,
    pub value: Expr,
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
