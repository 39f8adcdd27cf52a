//! The dataflow graph: primitives over named axes.
//!
//! In: calls of the builder (from elaboration and differentiation). Out: a [`Program`] for a backend.

pub mod axis;
pub mod elaborate;
pub mod node;
pub mod op;
pub mod tensor;

pub use axis::{Axis, AxisInfo, AxisSet, AxisTable};
pub use node::{Element, Input, InputId, Node, NodeId, Output, Precision, Program, Slot};
pub use op::{Binary, CheckId, Compare, Cumulative, Logic, Op, Reduction, Special, Ties, Unary};
pub use tensor::{Store, Tensor};

use crate::source::Span;

/// A run-time condition: what to say when it is false, and where.
#[derive(Clone, Debug, PartialEq)]
pub struct Check {
    pub message: String,
    pub help: String,
    pub span: Span,
}

/// Nodes in topological order, with the axes and checks that they name.
#[derive(Clone, Debug, Default)]
pub struct Graph {
    pub nodes: Vec<Node>,
    pub axes: AxisTable,
    pub checks: Vec<Check>,
}

impl Graph {
    pub fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id.0 as usize]
    }
}
