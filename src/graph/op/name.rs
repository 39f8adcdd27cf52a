//! The names of operations, for dumps and messages.

use super::{Binary, Compare, Cumulative, Half, Logic, Matrix, Op, Reduction, Special, Triangle, Unary};

impl Unary {
    pub const ALL: [Unary; 20] = [
        Unary::Negate,
        Unary::Exp,
        Unary::Log,
        Unary::Log1p,
        Unary::Expm1,
        Unary::Sqrt,
        Unary::Sin,
        Unary::Cos,
        Unary::Tanh,
        Unary::Erf,
        Unary::Sigmoid,
        Unary::Abs,
        Unary::Sign,
        Unary::Floor,
        Unary::Reciprocal,
        Unary::LogGamma,
        Unary::Digamma,
        Unary::NormalQuantile,
        Unary::Round(Half::Bf16),
        Unary::Round(Half::F16),
    ];

    pub fn name(self) -> &'static str {
        match self {
            Unary::Negate => "negate",
            Unary::Exp => "exp",
            Unary::Log => "log",
            Unary::Log1p => "log1p",
            Unary::Expm1 => "expm1",
            Unary::Sqrt => "sqrt",
            Unary::Sin => "sin",
            Unary::Cos => "cos",
            Unary::Tanh => "tanh",
            Unary::Erf => "erf",
            Unary::Sigmoid => "sigmoid",
            Unary::Abs => "abs",
            Unary::Sign => "sign",
            Unary::Floor => "floor",
            Unary::Reciprocal => "reciprocal",
            Unary::LogGamma => "log_gamma",
            Unary::Digamma => "digamma",
            Unary::NormalQuantile => "normal_quantile",
            Unary::Round(Half::Bf16) => "round_bf16",
            Unary::Round(Half::F16) => "round_f16",
        }
    }
}

impl Binary {
    pub const ALL: [Binary; 8] = [
        Binary::Add,
        Binary::Subtract,
        Binary::Multiply,
        Binary::Divide,
        Binary::Remainder,
        Binary::Power,
        Binary::Max,
        Binary::Min,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Binary::Add => "add",
            Binary::Subtract => "subtract",
            Binary::Multiply => "multiply",
            Binary::Divide => "divide",
            Binary::Remainder => "remainder",
            Binary::Power => "power",
            Binary::Max => "max",
            Binary::Min => "min",
        }
    }

    pub fn is_commutative(self) -> bool {
        matches!(self, Binary::Add | Binary::Multiply | Binary::Max | Binary::Min)
    }
}

impl Compare {
    pub fn name(self) -> &'static str {
        match self {
            Compare::Equal => "equal",
            Compare::NotEqual => "not_equal",
            Compare::Less => "less",
            Compare::LessEqual => "less_equal",
        }
    }

    pub fn is_commutative(self) -> bool {
        matches!(self, Compare::Equal | Compare::NotEqual)
    }
}

impl Reduction {
    pub const ALL: [Reduction; 6] =
        [Reduction::Sum, Reduction::Product, Reduction::Max, Reduction::Min, Reduction::All, Reduction::Any];

    pub fn name(self) -> &'static str {
        match self {
            Reduction::Sum => "sum",
            Reduction::Product => "product",
            Reduction::Max => "reduce_max",
            Reduction::Min => "reduce_min",
            Reduction::All => "all",
            Reduction::Any => "any",
        }
    }
}

impl Matrix {
    pub fn name(self) -> &'static str {
        match self {
            Matrix::Cholesky => "cholesky",
            Matrix::Solve(Triangle::Whole) => "solve",
            Matrix::Solve(Triangle::Lower) => "solve_lower",
            Matrix::Solve(Triangle::Upper) => "solve_upper",
            Matrix::Eigen => "eigh",
            Matrix::Singular => "svd",
            Matrix::Orthogonal => "qr",
            Matrix::SpanningTree => "spanning_tree",
            Matrix::Assignment => "assignment",
        }
    }
}

impl Op {
    pub fn name(&self) -> &'static str {
        match self {
            Op::Input(_) => "input",
            Op::Float(_) => "float",
            Op::Index(_) => "index",
            Op::Bool(_) => "bool",
            Op::Tensor(..) => "tensor",
            Op::Iota(_) => "iota",
            Op::Random { .. } => "random",
            Op::Unary(unary) => unary.name(),
            Op::Binary(binary) => binary.name(),
            Op::Compare(compare) => compare.name(),
            Op::Logic(Logic::And) => "and",
            Op::Logic(Logic::Or) => "or",
            Op::Not => "not",
            Op::Select => "select",
            Op::Cast(_) => "cast",
            Op::Reduce(reduction, _) => reduction.name(),
            Op::ArgReduce { smallest: false, .. } => "argmax",
            Op::ArgReduce { smallest: true, .. } => "argmin",
            Op::Broadcast(_) => "broadcast",
            Op::Rename { .. } => "rename",
            Op::Gather { .. } => "gather",
            Op::Scatter { .. } => "scatter",
            Op::Slice { .. } => "slice",
            Op::Pad { .. } => "pad",
            Op::Concat { .. } => "concat",
            Op::Window { .. } => "window",
            Op::Unwindow { .. } => "unwindow",
            Op::Flatten { .. } => "flatten",
            Op::Unflatten { .. } => "unflatten",
            Op::ArgSort { .. } => "argsort",
            Op::Rank { .. } => "rank",
            Op::Cumulative { kind: Cumulative::Sum, .. } => "cumulative_sum",
            Op::Cumulative { kind: Cumulative::Product, .. } => "cumulative_product",
            Op::Cumulative { kind: Cumulative::Max, .. } => "cumulative_max",
            Op::Contract { .. } => "contract",
            Op::Special(Special::BetaIncomplete) => "beta_incomplete",
            Op::Special(Special::GammaIncomplete) => "gamma_incomplete",
            Op::Scan { .. } => "scan",
            Op::Special(Special::GammaQuantile) => "gamma_quantile",
            Op::Special(Special::GammaQuantileByShape) => "gamma_quantile_by_shape",
            Op::Special(Special::PoissonQuantile) => "poisson_quantile",
            Op::Special(Special::BinomialQuantile) => "binomial_quantile",
            Op::Matrix { kind, .. } => kind.name(),
            Op::Stop => "stop",
            Op::Check(_) => "check",
            Op::Own(_) => "own_derivative",
        }
    }
}

impl Op {
    /// Whether element i of the result depends on element i of the operands alone.
    pub fn is_elementwise(&self) -> bool {
        matches!(
            self,
            Op::Unary(_)
                | Op::Binary(_)
                | Op::Compare(_)
                | Op::Logic(_)
                | Op::Not
                | Op::Select
                | Op::Cast(_)
                | Op::Special(_)
                | Op::Stop
        )
    }

    /// Whether the operation only moves, repeats or leaves out values.
    pub fn is_movement(&self) -> bool {
        matches!(
            self,
            Op::Broadcast(_)
                | Op::Rename { .. }
                | Op::Gather { .. }
                | Op::Slice { .. }
                | Op::Pad { .. }
                | Op::Concat { .. }
                | Op::Window { .. }
                | Op::Flatten { .. }
                | Op::Unflatten { .. }
        )
    }
}
