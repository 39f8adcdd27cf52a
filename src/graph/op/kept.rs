//! What the derivative of a loop reads again instead of computing it again.
//!
//! In: a round of the derivative: the round itself once more, and then its derivative. Out: the nodes of the first part that the second
//! needs and that are dear to compute: sums, exponentials, what is drawn. The loop keeps them of every round. What follows from them,
//! or from the carried values, in a few operations, is computed again.

use super::{Binary, Op, Unary};
use crate::graph::Graph;
use crate::graph::axis::Axis;
use crate::graph::node::NodeId;

/// Elements of all rounds that a loop keeps for its derivative, at most: then computing again is cheaper than the memory.
const MOST: usize = 1 << 23;

pub struct Keeping<'a> {
    /// How many nodes the round itself has.
    pub first: usize,
    /// What the derivative gives.
    pub outputs: &'a [NodeId],
    pub rounds: usize,
    /// Whether an input, by its number, differs from round to round.
    pub moves: &'a dyn Fn(usize) -> bool,
    /// Whether an axis has a meaning outside of the loop.
    pub is_known: &'a dyn Fn(Axis) -> bool,
}

pub fn kept(graph: &Graph, keeping: &Keeping) -> Vec<NodeId> {
    let Keeping { first, outputs, rounds, moves, is_known } = *keeping;
    let wanted = wanted(graph, first, outputs);
    let mut is_dear = vec![false; first];
    let mut is_moving = vec![false; first];
    let (mut found, mut left) = (Vec::new(), MOST);
    for (at, node) in graph.nodes[..first].iter().enumerate() {
        let any = |of: &[bool]| node.operands.iter().any(|operand| of[operand.0 as usize]);
        is_moving[at] = match &node.op {
            Op::Input(input) => moves(input.0 as usize),
            _ => any(&is_moving),
        };
        is_dear[at] = any(&is_dear) || is_dear_op(&node.op);
        let elements = rounds * node.axes.iter().map(|axis| graph.axes.size(axis)).product::<usize>();
        if wanted[at] && is_dear[at] && is_moving[at] && elements <= left && node.axes.iter().all(is_known) {
            left -= elements;
            is_dear[at] = false;
            found.push(NodeId(at as u32));
        }
    }
    found
}

/// The nodes of the first part that the rest reads. Of what is only another way to look at an array, the array.
fn wanted(graph: &Graph, first: usize, outputs: &[NodeId]) -> Vec<bool> {
    let mut live = vec![false; graph.nodes.len()];
    for output in outputs {
        live[output.0 as usize] = true;
    }
    let mut wanted = vec![false; first];
    for at in (0..graph.nodes.len()).rev() {
        let node = &graph.nodes[at];
        let is_view = matches!(
            node.op,
            Op::Broadcast(_) | Op::Rename { .. } | Op::Flatten { .. } | Op::Unflatten { .. }
        );
        if at >= first && live[at] {
            for operand in &node.operands {
                live[operand.0 as usize] = true;
            }
        } else if at < first && live[at] {
            if is_view {
                node.operands.iter().for_each(|operand| live[operand.0 as usize] = true);
            } else {
                wanted[at] = true;
            }
        }
    }
    wanted
}

fn is_dear_op(op: &Op) -> bool {
    match op {
        Op::Unary(unary) => matches!(
            unary,
            Unary::Exp
                | Unary::Log
                | Unary::Log1p
                | Unary::Expm1
                | Unary::Tanh
                | Unary::Erf
                | Unary::Sigmoid
                | Unary::Sin
                | Unary::Cos
                | Unary::LogGamma
                | Unary::Digamma
                | Unary::NormalQuantile
        ),
        Op::Binary(binary) => *binary == Binary::Power,
        Op::Reduce(..)
        | Op::Contract { .. }
        | Op::Scan { .. }
        | Op::Matrix { .. }
        | Op::Random { .. }
        | Op::Special(_)
        | Op::ArgReduce { .. }
        | Op::ArgSort { .. }
        | Op::Rank { .. }
        | Op::Cumulative { .. }
        | Op::Scatter { .. } => true,
        _ => false,
    }
}
