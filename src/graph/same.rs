//! Whether two programs are the same, so that one plan serves both. In: programs of different trials. Out: a hash, and the
//! comparison that decides.
//!
//! Slots are places, not values: programs that differ in the values that their slots will hold are the same. The bodies of loops,
//! which are elsewhere equal only to themselves, are compared by what they compute.

use std::collections::HashMap;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use super::build::same_op;
use super::op::{Body, Loop, Op};
use super::{Graph, Node, Program};

impl Program {
    /// Equal for programs that are the same.
    pub fn fingerprint(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        (self.precision, self.factors, self.inputs.len()).hash(&mut hasher);
        for output in &self.outputs {
            (output.node, output.slot).hash(&mut hasher);
        }
        for node in &self.graph.nodes {
            node.operands.hash(&mut hasher);
            match &node.op {
                Op::Scan { body, take } => (take, body.0.rounds, body.0.graph.nodes.len()).hash(&mut hasher),
                op => op.hash(&mut hasher),
            }
        }
        hasher.finish()
    }

    /// Whether the other has the same nodes, axes, names, places in the text and slots, in the same order: all that is made of one
    /// can be used for the other.
    pub fn is_same_as(&self, other: &Program) -> bool {
        (self.precision, self.factors) == (other.precision, other.factors)
            && self.inputs == other.inputs
            && self.outputs == other.outputs
            && Loops::default().same_graphs(&self.graph, &other.graph)
    }
}

/// Which body of the one program is which of the other.
#[derive(Default)]
struct Loops {
    there: HashMap<*const Loop, *const Loop>,
    here: HashMap<*const Loop, *const Loop>,
}

impl Loops {
    fn same_graphs(&mut self, a: &Graph, b: &Graph) -> bool {
        a.nodes.len() == b.nodes.len()
            && a.axes == b.axes
            && a.checks == b.checks
            && a.keep_literal == b.keep_literal
            && a.nodes.iter().zip(&b.nodes).all(|(a, b)| self.same_nodes(a, b))
    }

    fn same_nodes(&mut self, a: &Node, b: &Node) -> bool {
        let same = (&a.operands, a.element, &a.axes, a.span) == (&b.operands, b.element, &b.axes, b.span);
        same && match (&a.op, &b.op) {
            (Op::Scan { body: a, take }, Op::Scan { body: b, take: other }) => {
                take == other && self.same_bodies(a, b)
            }
            (a, b) => same_op(a, b),
        }
    }

    /// Nodes that share a body are one loop, so what is shared here has to be shared there.
    fn same_bodies(&mut self, a: &Body, b: &Body) -> bool {
        let (one, other) = (Arc::as_ptr(&a.0), Arc::as_ptr(&b.0));
        match (self.there.get(&one), self.here.get(&other)) {
            (None, None) => {}
            (there, here) => return there == Some(&other) && here == Some(&one),
        }
        self.there.insert(one, other);
        self.here.insert(other, one);
        let (a, b) = (&a.0, &b.0);
        (a.rounds, a.reverse, a.done) == (b.rounds, b.reverse, b.done)
            && (&a.next, &a.sliced, &a.inputs) == (&b.next, &b.sliced, &b.inputs)
            && self.same_graphs(&a.graph, &b.graph)
    }
}
