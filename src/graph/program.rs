//! Making a [`Program`]: its graph is built first or as one goes, its inputs and outputs are named here.

use super::axis::{Axis, AxisSet};
use super::node::{Element, Input, InputId, NodeId, Output, Precision, Program, Slot};
use super::op::TypeError;
use super::{Graph, Type};

impl Program {
    pub fn new(precision: Precision) -> Self {
        Program { graph: Graph::new(), inputs: Vec::new(), outputs: Vec::new(), precision, factors: None }
    }

    /// The node of an input; a slot that is already an input with this layout is the same input.
    pub fn input(
        &mut self,
        name: impl Into<String>,
        element: Element,
        layout: &[Axis],
        slot: Slot,
    ) -> NodeId {
        let known = self
            .inputs
            .iter()
            .position(|input| input.slot == slot && input.element == element && input.layout == layout);
        let number = known.unwrap_or_else(|| {
            self.inputs.push(Input { name: name.into(), element, layout: layout.to_vec(), slot });
            self.inputs.len() - 1
        });
        self.graph.input(InputId(number as u32), element, AxisSet::from(layout))
    }

    /// Writes `node` to `slot`; `layout` is an order of exactly the node's axes.
    pub fn output(
        &mut self,
        name: impl Into<String>,
        node: NodeId,
        layout: &[Axis],
        slot: Slot,
    ) -> Result<(), TypeError> {
        let axes = &self.graph.node(node).axes;
        if AxisSet::from(layout) != *axes || layout.len() != axes.len() {
            return Err(TypeError::Layout { op: "output", expected: axes.len(), found: layout.len() });
        }
        self.outputs.push(Output { name: name.into(), node, layout: layout.to_vec(), slot });
        Ok(())
    }
}

impl Graph {
    pub fn type_at(&self, node: NodeId) -> Type {
        let node = self.node(node);
        Type::new(node.element, node.axes.clone())
    }

    /// How many elements a value over these axes has.
    pub fn elements(&self, axes: &AxisSet) -> usize {
        axes.iter().map(|axis| self.axes.size(axis)).product()
    }
}
