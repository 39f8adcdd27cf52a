//! Computing nodes once more with other values for some of the nodes that they are made from.
//!
//! In: the nodes that are wanted and what stands for what. Out: the nodes that compute the same from the new values;
//! what does not depend on a replaced node is shared, not copied.

use std::collections::{HashMap, HashSet};

use super::node::{Element, NodeId};
use super::op::{Op, TypeError};
use super::{AxisSet, Graph};

impl Graph {
    /// Each of `wanted` with `replaced` substituted. Nodes of `kept` stay as they are, whatever they depend on.
    pub fn replay(
        &mut self,
        wanted: &[NodeId],
        replaced: &HashMap<NodeId, NodeId>,
        kept: &HashSet<NodeId>,
    ) -> Result<Vec<NodeId>, TypeError> {
        let Some(last) = wanted.iter().max() else { return Ok(Vec::new()) };
        let mut needed = vec![false; last.0 as usize + 1];
        for id in wanted {
            needed[id.0 as usize] = true;
        }
        let ends = |id: NodeId| replaced.contains_key(&id) || kept.contains(&id);
        for number in (0..needed.len()).rev() {
            if needed[number] && !ends(NodeId(number as u32)) {
                for operand in &self.nodes[number].operands {
                    needed[operand.0 as usize] = true;
                }
            }
        }
        let before = self.span;
        let mut copies: Vec<NodeId> = (0..=last.0).map(NodeId).collect();
        for number in 0..copies.len() {
            let id = NodeId(number as u32);
            if let Some(new) = replaced.get(&id) {
                copies[number] = *new;
                continue;
            }
            let node = &self.nodes[number];
            let moved = node.operands.iter().any(|operand| copies[operand.0 as usize] != *operand);
            if !needed[number] || kept.contains(&id) || !moved {
                continue;
            }
            let operands: Vec<NodeId> = node.operands.iter().map(|o| copies[o.0 as usize]).collect();
            let (op, span) = (node.op.clone(), node.span);
            self.span = span;
            // A value that is differentiated by stays a node of its own.
            copies[number] = match op == Op::Broadcast(AxisSet::new()) {
                true => self.variable(operands[0]),
                false => self.add(op, &operands, span)?,
            };
        }
        self.span = before;
        Ok(wanted.iter().map(|id| copies[id.0 as usize]).collect())
    }

    /// Which nodes a gradient of one of `from` can flow to.
    pub fn reached_by_gradients(&self, from: &[NodeId]) -> Vec<bool> {
        let mut reached = vec![false; self.nodes.len()];
        for id in from {
            reached[id.0 as usize] = true;
        }
        for at in (0..self.nodes.len()).rev() {
            let node = &self.nodes[at];
            if !reached[at] || node.element != Element::Float || node.op.rules().derivative.is_none() {
                continue;
            }
            for operand in &node.operands {
                reached[operand.0 as usize] = true;
            }
        }
        reached
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::Axis;

    fn setting() -> (Graph, Axis, NodeId, NodeId) {
        let mut g = Graph::new();
        let axis = g.axes.add("A", 3);
        let x = g.input(crate::graph::InputId(0), Element::Float, AxisSet::from(&[axis][..]));
        let y = g.input(crate::graph::InputId(1), Element::Float, AxisSet::from(&[axis][..]));
        (g, axis, x, y)
    }

    #[test]
    fn what_does_not_depend_is_shared() -> Result<(), TypeError> {
        let (mut g, axis, x, y) = setting();
        let sine = g.sin(y)?;
        let product = g.mul(x, sine)?;
        let sum = g.sum(product, &[axis])?;
        let moved = g.exp(x)?;
        let found = g.replay(&[sum, sine], &HashMap::from([(x, moved)]), &HashSet::new())?;
        let expected = g.mul(moved, sine)?;
        let expected = g.sum(expected, &[axis])?;
        assert_eq!(found, vec![expected, sine]);
        Ok(())
    }

    #[test]
    fn kept_nodes_stay() -> Result<(), TypeError> {
        let (mut g, _, x, y) = setting();
        let updated = g.sub(y, x)?;
        let updated = g.stop(updated)?;
        let sum = g.plus(updated, x)?;
        let moved = g.exp(x)?;
        let found = g.replay(&[sum], &HashMap::from([(x, moved)]), &HashSet::from([updated]))?;
        assert_eq!(found, vec![g.plus(updated, moved)?]);
        Ok(())
    }
}
