//! What a node costs: floating-point operations and bytes moved, if nothing is fused.

use super::Graph;
use super::node::{Element, Node, NodeId, Precision};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cost {
    pub flops: u64,
    pub bytes: u64,
}

impl Graph {
    pub fn cost(&self, id: NodeId, precision: Precision) -> Cost {
        let node = self.node(id);
        let read = node.operands.iter().map(|operand| self.bytes(self.node(*operand), precision));
        Cost {
            flops: (node.op.rules().flops)(self, node),
            bytes: read.sum::<u64>() + self.bytes(node, precision),
        }
    }

    /// Bytes that a node's value takes.
    pub fn bytes(&self, node: &Node, precision: Precision) -> u64 {
        let width = match (node.element, precision) {
            (Element::Float, Precision::Double) => 8,
            (Element::Float, Precision::Single) | (Element::Index, _) => 4,
            (Element::Bool, _) => 1,
        };
        self.elements(&node.axes) as u64 * width
    }

    /// The elements of a node's result.
    pub(crate) fn results(&self, node: &Node) -> u64 {
        self.elements(&node.axes) as u64
    }

    /// The elements of a node's first operand.
    pub(crate) fn first_elements(&self, node: &Node) -> u64 {
        node.operands.first().map_or(0, |id| self.results(self.node(*id)))
    }
}
