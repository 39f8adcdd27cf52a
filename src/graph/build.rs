//! Adding nodes: in, an operation and its operands; out, the node that computes it, new or already there.
//!
//! Every node passes its type rule. Equal nodes are one node (their span is the first one's), and
//! operations that obviously say less than they seem are simplified (see [`super::simplify`]).

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};

use smallvec::SmallVec;

use super::axis::AxisSet;
use super::node::{Element, InputId, Node, NodeId};
use super::op::{Signature, Type, TypeError};
use super::{Graph, Op, simplify};
use crate::source::Span;

impl Graph {
    pub fn new() -> Self {
        Self::default()
    }

    /// The node that applies `op`. Any op but `Input`, which [`Graph::input`] adds.
    pub fn add(&mut self, op: Op, operands: &[NodeId], span: Span) -> Result<NodeId, TypeError> {
        let mut operands: SmallVec<[NodeId; 3]> = operands.into();
        if is_commutative(&op) {
            operands.sort_unstable();
        }
        let ty = self.type_of(&op, &operands)?;
        if !self.keep_literal {
            let before = std::mem::replace(&mut self.span, span);
            let simpler = simplify::simplify(self, &op, &operands, &ty);
            self.span = before;
            if let Some(id) = simpler? {
                return Ok(id);
            }
        }
        Ok(self.intern(op, operands, ty, span))
    }

    /// What `op` would give, or why it cannot be applied.
    pub fn type_of(&self, op: &Op, operands: &[NodeId]) -> Result<Type, TypeError> {
        let signature = Signature { graph: self, op, operands };
        (op.rules().type_rule)(&signature)
    }

    /// The node of a program's input.
    pub fn input(&mut self, id: InputId, element: Element, axes: AxisSet) -> NodeId {
        let span = self.span;
        self.intern(Op::Input(id), SmallVec::new(), Type::new(element, axes), span)
    }

    /// A node of its own with the value of `x`, for values that are differentiated by and are not inputs.
    ///
    /// What is built from it stays built from it: without, `grad(-z, z)` with z = -x would find only x, and a literal
    /// would be folded. The node is a broadcast along nothing; the rewrites remove it.
    pub fn variable(&mut self, x: NodeId) -> NodeId {
        let node = self.node(x);
        let (element, axes) = (node.element, node.axes.clone());
        let op = Op::Broadcast(AxisSet::new());
        self.nodes.push(Node { op, operands: [x].into_iter().collect(), element, axes, span: self.span });
        NodeId(self.nodes.len() as u32 - 1)
    }

    /// Forgets the nodes from this number on.
    pub fn truncate(&mut self, nodes: usize) {
        self.nodes.truncate(nodes);
        for bucket in self.interned.values_mut() {
            bucket.retain(|id| (id.0 as usize) < nodes);
        }
        self.interned.retain(|_, bucket| !bucket.is_empty());
    }

    /// The node that is exactly this one, made if there is none.
    fn intern(&mut self, op: Op, operands: SmallVec<[NodeId; 3]>, ty: Type, span: Span) -> NodeId {
        let mut hasher = DefaultHasher::new();
        op.hash(&mut hasher);
        operands.hash(&mut hasher);
        let bucket = self.interned.entry(hasher.finish()).or_default();
        let same = bucket.iter().copied().find(|id| {
            let node = &self.nodes[id.0 as usize];
            node.operands == operands && same_op(&node.op, &op)
        });
        if let Some(id) = same {
            return id;
        }
        let id = NodeId(self.nodes.len() as u32);
        bucket.push(id);
        self.nodes.push(Node { op, operands, element: ty.element, axes: ty.axes, span });
        id
    }
}

/// Whether the operation gives the same for its operands in any order.
fn is_commutative(op: &Op) -> bool {
    match op {
        Op::Binary(binary) => binary.is_commutative(),
        Op::Compare(compare) => compare.is_commutative(),
        Op::Logic(_) | Op::Contract { .. } => true,
        _ => false,
    }
}

/// Equal, where arrays are compared by their bits.
pub(super) fn same_op(a: &Op, b: &Op) -> bool {
    match (a, b) {
        (Op::Tensor(x, layout), Op::Tensor(y, other)) => {
            layout == other && (std::sync::Arc::ptr_eq(x, y) || x.same_bits(y))
        }
        _ => a == b,
    }
}
