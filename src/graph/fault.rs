//! What can go wrong while a program runs.

use super::node::NodeId;
use super::op::CheckId;

#[derive(Clone, Debug, PartialEq)]
pub enum Fault {
    /// A `Check` node's condition was false.
    Check(CheckId),
    /// A `Gather` or `Scatter` met an index outside its axis.
    IndexOutOfRange { node: NodeId, index: i64, size: usize },
    /// A `Matrix` node cannot work on its operand.
    Matrix { node: NodeId, fault: MatrixFault },
}

/// Why linear algebra on a matrix has no result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MatrixFault {
    /// An element is NaN or infinite.
    NotFinite,
    NotSymmetric,
    NotPositiveDefinite,
    Singular,
    /// The iteration of a decomposition found no end.
    NoConvergence,
}
