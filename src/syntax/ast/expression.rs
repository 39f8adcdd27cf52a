//! Expressions, their calls, selectors and patterns.

use super::{AxisName, Block, ExprId, Name, Parameter, Text, Type};
use crate::source::Span;

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
