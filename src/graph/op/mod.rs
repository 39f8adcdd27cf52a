//! The primitive operations. Each family's file holds everything about its operations: the type rule,
//! the derivative rule (in primitives, so that derivatives nest), the reference meaning and the cost.

mod axes;
pub mod constant;
pub mod contract;
pub mod control;
pub mod cumulative;
pub mod elementwise;
pub mod gather;
pub mod half;
mod kept;
pub mod linear_algebra;
mod linear_algebra_derivative;
mod linear_algebra_reference;
pub mod logic;
pub mod name;
pub mod order;
pub mod own;
pub mod quantile;
pub mod random;
pub mod reduce;
pub mod scan;
pub mod shape;
pub mod signature;
pub mod slice;
pub mod special;
pub mod table;
pub mod window;

pub use half::Half;
pub use own::{OwnId, OwnRule};
pub use random::unit;
pub use scan::{Body, Loop, Take};
pub use signature::{Signature, Type, TypeError};

use std::sync::Arc;

use super::axis::{Axis, AxisSet};
use super::node::{Element, InputId};
use super::tensor::Tensor;

/// One-operand element-wise operations, Float to Float.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Unary {
    Negate,
    Exp,
    /// Natural logarithm.
    Log,
    /// log(1 + x), accurate near 0.
    Log1p,
    /// exp(x) - 1, accurate near 0.
    Expm1,
    Sqrt,
    Sin,
    Cos,
    Tanh,
    Erf,
    /// 1 / (1 + exp(-x)), without overflow.
    Sigmoid,
    Abs,
    /// -1, 0 or 1. Derivative 0.
    Sign,
    /// Derivative 0.
    Floor,
    /// 1 / x.
    Reciprocal,
    /// ln |gamma(x)|.
    LogGamma,
    /// Derivative of `LogGamma`.
    Digamma,
    /// Inverse of the standard normal distribution function.
    NormalQuantile,
    /// The nearest number of a shorter format. Derivative 1: the rounding of a factor is no part of what is differentiated.
    Round(Half),
}

/// Two-operand element-wise operations. Both operands Float, or (Add to Remainder, Max, Min) both Index.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Binary {
    Add,
    Subtract,
    Multiply,
    Divide,
    /// Remainder with the sign of the divisor.
    Remainder,
    Power,
    Max,
    Min,
}

/// Comparisons: two operands of one element, Bool result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Compare {
    Equal,
    NotEqual,
    Less,
    LessEqual,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Logic {
    And,
    Or,
}

/// Reductions over axes: Float (all), Bool (All, Any).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Reduction {
    Sum,
    Product,
    Max,
    Min,
    All,
    Any,
}

/// How equal values are ranked (ranks start at 1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Ties {
    Average,
    Min,
    Max,
    /// By position.
    First,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Cumulative {
    Sum,
    Product,
    Max,
}

/// Special functions of three Float operands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Special {
    /// Regularised incomplete beta function I_x(a, b); operands a, b, x. No derivative.
    BetaIncomplete,
    /// Regularised lower incomplete gamma function P(a, x); operands a, x, and an ignored third.
    GammaIncomplete,
    /// The x with P(a, x) = p; operands a, p, and an ignored third.
    GammaQuantile,
    /// The derivative of `GammaQuantile` by a, of the same operands. No derivative.
    GammaQuantileByShape,
    /// The smallest k with P(K <= k) >= p for a Poisson count K; operands mean, p, and an ignored third. No derivative.
    PoissonQuantile,
    /// The same for a binomial count; operands number of trials, chance, p. No derivative.
    BinomialQuantile,
}

/// Operations on the matrix that two axes make, once for every position of the other axes. Their meaning is in
/// `linear_algebra.rs`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Matrix {
    /// Operand: symmetric positive definite. The lower triangular L with x = L L'.
    Cholesky,
    /// Operands: a, and b with the rows and not the columns. The x along the columns with sum(a * x, columns) = b.
    Solve(Triangle),
    /// Operand: symmetric. `into`: the pair, and its parts: vector (rows), value.
    Eigen,
    /// `into`: the triple, and its parts: left vector (rows), value, right vector (columns).
    Singular,
    /// At least as many rows as columns. `into`: the number, and its parts: column of Q (rows), row of R (columns).
    Orthogonal,
    /// Operand: distances. `into`: the edges of the minimum spanning tree, shortest first: row * size + column, Index.
    SpanningTree,
    /// Operand: costs, at most as many rows as columns. For each row its own column, at the least sum; Index.
    Assignment,
}

/// Which elements of a matrix count: the others are taken as zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Triangle {
    Whole,
    Lower,
    Upper,
}

/// A primitive operation. Operands are positional; their number and elements are stated at each.
#[derive(Clone, Debug, PartialEq, Hash)]
pub enum Op {
    /// No operands. A value from a slot of the store; element and axes are the program input's.
    Input(InputId),
    /// No operands. One Float number, as bits of an f64 so that it compares and hashes.
    Float(u64),
    /// No operands.
    Index(i32),
    /// No operands.
    Bool(bool),
    /// No operands. An array known when the graph is built; its axes are in the order given.
    Tensor(Arc<Tensor>, Vec<Axis>),
    /// No operands. The position along the axis, Index.
    Iota(Axis),
    /// Operands: seed, step and, inside a loop, round (scalar Indices). Uniform Float in the open interval (0, 1), from
    /// Philox4x32-10 with key (seed, site) and counter (block, 0, step, round); item i is lane i % 4 of block i / 4, where i is the
    /// row-major position in `order`. Both float widths give the same number: ((bits >> 9) + 0.5) * 2^-23.
    Random { site: u32, order: Vec<Axis> },
    /// Operand: Float.
    Unary(Unary),
    /// Operands: two Floats or two Indices; axes are united.
    Binary(Binary),
    /// Operands: two of one element; axes are united. Bool.
    Compare(Compare),
    /// Operands: two Bools.
    Logic(Logic),
    /// Operand: Bool.
    Not,
    /// Operands: condition (Bool), value if true, value if false (of one element).
    Select,
    /// Operand: any element. Bool to Float is 0 or 1; Float to Index truncates towards zero.
    Cast(Element),
    /// Operand: Float or Bool. The axes vanish.
    Reduce(Reduction, AxisSet),
    /// Operand: Float. The position (Index) of the largest value along the axis, the first among equals. With
    /// `smallest`, of the smallest.
    ArgReduce { axis: Axis, smallest: bool },
    /// Operand: any. Adds axes along which the value is constant.
    Broadcast(AxisSet),
    /// Operand: any. The same values, with the axis called by another identity of the same size.
    Rename { from: Axis, to: Axis },
    /// Operands: value with `axis`, index (Index). The value at the index: `axis` is replaced by the axes of the
    /// index; axes that both have are aligned. An index outside the axis is a run-time fault.
    Gather { axis: Axis },
    /// Operands: value, index (Index, its axes a subset of the value's). Reduces the axes `over` (a subset of the
    /// index's) into the new axis `into`: result[k] reduces the values whose index is k. The adjoint of `Gather`, and
    /// reduction by groups. An empty group gives the reduction's identity (0 for sums).
    Scatter { over: AxisSet, into: Axis, reduction: Reduction },
    /// Operand: any, with `axis`. Positions start, start + step, ... as many as `into` has. step may be negative.
    Slice { axis: Axis, into: Axis, start: usize, step: isize },
    /// Operand: any, with `axis`. Element i goes to position before + i * step of the longer axis `into`; the rest is
    /// zero (false, index 0). The adjoint of `Slice`.
    Pad { axis: Axis, into: Axis, before: isize, step: isize },
    /// Operands: one per axis in `axes`, each with that axis; joined end to end along `into`. Operands that lack one of the
    /// other axes are constant along it.
    Concat { axes: Vec<Axis>, into: Axis },
    /// Operand: any, with `axis`. Sliding windows: result[o, k] = x[o * stride + k * dilation - before], zero outside.
    Window { axis: Axis, output: Axis, kernel: Axis, stride: usize, dilation: usize, before: usize },
    /// Operand: Float with `output` and `kernel`: the adjoint of `Window`, summing into `axis`.
    Unwindow { axis: Axis, output: Axis, kernel: Axis, stride: usize, dilation: usize, before: usize },
    /// Operand: any, with all `axes`, which become one, the first of them slowest.
    Flatten { axes: Vec<Axis>, into: Axis },
    /// Operand: any, with `axis`, which becomes several, the first of them slowest. The inverse of `Flatten`.
    Unflatten { axis: Axis, into: Vec<Axis> },
    /// Operand: Float. Positions (Index) that sort the values in ascending order, stable, along the same axis.
    ArgSort { axis: Axis, descending: bool },
    /// Operand: Float. The rank from 1, as Float. No derivative.
    Rank { axis: Axis, ties: Ties },
    /// Operand: Float. Running reduction along the axis, inclusive; `reverse` from the end.
    Cumulative { kind: Cumulative, axis: Axis, reverse: bool },
    /// Operands: two Floats. sum(a * b, axes): made by the rewrite that recognises contractions. `factors`: the operands are
    /// numbers of this format already; a device may multiply them as such.
    Contract { axes: AxisSet, factors: Option<Half> },
    /// Operands: three Floats.
    Special(Special),
    /// Operands: Float. `into`: the axes that the result has instead of rows and columns.
    Matrix { kind: Matrix, rows: Axis, columns: Axis, into: Vec<Axis> },
    /// Operand: Float. The same value; its derivative is zero.
    Stop,
    /// Operands: a Float value, then what it is computed from. The same value; its derivative by the other operands is the rule
    /// of this number in the graph's table.
    Own(OwnId),
    /// Operands: those of the loop. One of its results: see [`scan`].
    Scan { body: Body, take: Take },
    /// Operands: value, condition (scalar Bool). The same value; a false condition is a run-time fault whose text
    /// is in the graph's table of checks.
    Check(CheckId),
}

/// A run-time condition of the graph: see `Graph::checks`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CheckId(pub u32);
