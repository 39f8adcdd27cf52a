//! The dataflow graph: primitives over named axes.
//!
//! In: calls of the builder (from elaboration and differentiation). Out: a [`Program`] for a backend.

pub mod axis;
mod build;
mod construct;
mod cost;
pub mod differentiate;
mod dump;
pub mod elaborate;
pub mod fault;
mod items;
pub mod node;
pub mod op;
pub mod passes;
mod program;
pub mod reference;
mod replay;
pub mod rewrite;
mod same;
mod simplify;
mod stable;
pub mod tensor;
pub mod verify;

use std::collections::HashMap;

use smallvec::SmallVec;

pub use axis::{Axis, AxisInfo, AxisSet, AxisTable};
pub use cost::Cost;
pub use fault::{Fault, MatrixFault};
pub use node::{Element, Input, InputId, Node, NodeId, Output, Precision, Program, Slot};
pub use op::{
    Binary, Body, CheckId, Compare, Cumulative, Half, Logic, Loop, Matrix, Op, Reduction, Special, Take,
    Ties, Triangle, Type, TypeError, Unary, half, unit,
};
pub use passes::{Pass, PassError, optimise, optimise_with};
pub use simplify::Literal;
pub use tensor::{Resident, Store, Tensor};
pub use verify::{Broken, verify};

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
    /// Derivatives that functions declare of themselves, for differentiation; a finished program has none.
    pub own_rules: Vec<op::OwnRule>,
    /// The span of the nodes that the methods of `construct` add.
    pub span: Span,
    /// Axes along which adjoints are not summed: the items of a derivative that is taken of many at once.
    apart: AxisSet,
    /// Keeps operations as they are given, without the simplifications of `simplify`.
    pub keep_literal: bool,
    /// Nodes by the hash of their operation and operands.
    interned: HashMap<u64, SmallVec<[NodeId; 1]>>,
}

impl Graph {
    pub fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id.0 as usize]
    }
}
