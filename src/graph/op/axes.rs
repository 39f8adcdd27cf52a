//! Which axes an operation names: along any other, what it does at one position does not depend on the other positions.

use super::{Op, Take};
use crate::graph::Graph;
use crate::graph::axis::{Axis, AxisSet};
use crate::graph::node::NodeId;

impl Graph {
    /// Whether the operation of a node brings together what stands at different positions along one of `axes`. Of a loop or
    /// an own derivative, whether anything in it does.
    pub fn mixes(&self, id: NodeId, axes: &AxisSet) -> bool {
        let any = |named: &[Axis]| named.iter().any(|axis| axes.contains(*axis));
        match &self.node(id).op {
            Op::Reduce(_, named) | Op::Contract { axes: named, .. } => any(named.as_slice()),
            Op::ArgReduce { axis, .. }
            | Op::Gather { axis }
            | Op::ArgSort { axis, .. }
            | Op::Rank { axis, .. }
            | Op::Cumulative { axis, .. } => any(&[*axis]),
            Op::Rename { from, to } => any(&[*from, *to]),
            Op::Scatter { over, into, .. } => any(over.with(*into).as_slice()),
            Op::Slice { axis, into, .. } | Op::Pad { axis, into, .. } => any(&[*axis, *into]),
            Op::Concat { axes: named, into } | Op::Flatten { axes: named, into } => {
                any(named) || any(&[*into])
            }
            Op::Unflatten { axis, into } => any(into) || any(&[*axis]),
            Op::Window { axis, output, kernel, .. } | Op::Unwindow { axis, output, kernel, .. } => {
                any(&[*axis, *output, *kernel])
            }
            Op::Matrix { rows, columns, into, .. } => any(&[*rows, *columns]) || any(into),
            Op::Own(rule) => {
                let Some(rule) = self.own_rules.get(rule.0 as usize) else { return false };
                let ends: Vec<NodeId> = rule.stand_ins().collect();
                let given: Vec<NodeId> = rule.gradients.iter().copied().flatten().collect();
                self.between(&given, &ends).any(|id| self.mixes(id, axes))
            }
            Op::Scan { body, take } => {
                let l = &body.0;
                let along = match take {
                    Take::Every { axis, .. } => any(&[*axis]),
                    Take::Last(_) => false,
                };
                let nodes = (0..l.graph.nodes.len() as u32).map(NodeId);
                along || any(&l.sliced) || nodes.into_iter().any(|id| l.graph.mixes(id, axes))
            }
            Op::Input(_)
            | Op::Float(_)
            | Op::Index(_)
            | Op::Bool(_)
            | Op::Tensor(..)
            | Op::Iota(_)
            | Op::Random { .. }
            | Op::Unary(_)
            | Op::Binary(_)
            | Op::Compare(_)
            | Op::Logic(_)
            | Op::Not
            | Op::Select
            | Op::Cast(_)
            | Op::Broadcast(_)
            | Op::Special(_)
            | Op::Stop
            | Op::Check(_) => false,
        }
    }

    /// The nodes that `from` are computed from, without `ends` and what those are computed from.
    fn between(&self, from: &[NodeId], ends: &[NodeId]) -> impl Iterator<Item = NodeId> {
        let last = from.iter().max().map_or(0, |id| id.0 as usize + 1);
        let mut needed = vec![false; last];
        from.iter().for_each(|id| needed[id.0 as usize] = true);
        for number in (0..last).rev() {
            if ends.contains(&NodeId(number as u32)) {
                needed[number] = false;
            } else if needed[number] {
                self.nodes[number].operands.iter().for_each(|operand| needed[operand.0 as usize] = true);
            }
        }
        (0..last as u32).map(NodeId).filter(move |id| needed[id.0 as usize])
    }
}
