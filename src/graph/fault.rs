//! What can go wrong while a program runs.

use super::node::NodeId;
use super::op::CheckId;

#[derive(Clone, Debug, PartialEq)]
pub enum Fault {
    /// A `Check` node's condition was false.
    Check(CheckId),
    /// A `Gather` or `Scatter` met an index outside its axis.
    IndexOutOfRange { node: NodeId, index: i64, size: usize },
}
