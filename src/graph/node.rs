//! Nodes of the graph, and the program that a backend runs.

use smallvec::SmallVec;

use super::Graph;
use super::axis::{Axis, AxisSet};
use super::op::{Half, Op};
use crate::source::Span;

/// A node of one graph; operands always have smaller numbers, so ascending order is a topological order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NodeId(pub u32);

/// An input of one program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct InputId(pub u32);

/// What one element of a node is. The width of Float is the program's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Element {
    Float,
    /// i32.
    Index,
    Bool,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    pub op: Op,
    pub operands: SmallVec<[NodeId; 3]>,
    pub element: Element,
    pub axes: AxisSet,
    /// Where the user wrote what this computes.
    pub span: Span,
}

/// The width of Float in a program: training is `Single`, measures and claims `Double`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Precision {
    Single,
    Double,
}

/// A place in the [`Store`](super::tensor::Store).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Slot(pub u32);

/// An input: read from `slot`, which holds the elements row-major in the order of `layout`.
/// A Float slot of the other width is converted as it is read.
#[derive(Clone, Debug, PartialEq)]
pub struct Input {
    pub name: String,
    pub element: Element,
    pub layout: Vec<Axis>,
    pub slot: Slot,
}

/// An output: `node` is written to `slot`, row-major in the order of `layout`, after every input has been read.
/// A slot may be both input and output: that is how state is updated, in place where the plan can.
#[derive(Clone, Debug, PartialEq)]
pub struct Output {
    pub name: String,
    pub node: NodeId,
    pub layout: Vec<Axis>,
    pub slot: Slot,
}

/// What a backend compiles: a graph with its inputs and outputs.
#[derive(Clone, Debug)]
pub struct Program {
    pub graph: Graph,
    pub inputs: Vec<Input>,
    pub outputs: Vec<Output>,
    pub precision: Precision,
    /// What the factors of its contractions are rounded to, by the rewrite `factors`.
    pub factors: Option<Half>,
}
