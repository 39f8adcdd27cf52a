//! Where a value was clipped is read from what the clipping left, so that nothing else need be kept of it.
//!
//! In: `y = select(x <= z, z, x)` (the other way round too, or with `<` and the branches exchanged) for a number z, and further uses of the
//! condition, as the derivative has them. Out: `y <= z` in these, which is true of the same elements. Only where y is in memory
//! anyway: an operand of something that is not computed element by element. The derivative of a rectifier then reads the
//! activations, not a mask beside them.

use std::collections::HashMap;

use super::rebuild;
use crate::graph::op::{Compare, Op, TypeError};
use crate::graph::{Graph, NodeId, Program};

pub fn run(program: &Program) -> Result<Program, TypeError> {
    let clippings = clippings(program);
    if clippings.is_empty() {
        return Ok(program.clone());
    }
    // Of the conditions of clippings that were met: what the clipping left, and the condition on that, once it is wanted.
    let mut met: HashMap<NodeId, (NodeId, Option<NodeId>)> = HashMap::new();
    rebuild(program, false, &mut |graph, id, node, operands| {
        let condition = node.operands.first().filter(|condition| clippings.get(*condition) == Some(&id));
        if let Some(condition) = condition {
            let clipped = graph.add(node.op.clone(), operands, node.span)?;
            met.insert(*condition, (clipped, None));
            return Ok(Some(clipped));
        }
        let mut replaced = operands.to_vec();
        for (old, new) in node.operands.iter().zip(&mut replaced) {
            if let Some((clipped, known)) = met.get_mut(old) {
                let condition = match *known {
                    Some(condition) => condition,
                    None => on(graph, &program.graph, *old, *new, *clipped)?,
                };
                *known = Some(condition);
                *new = condition;
            }
        }
        if replaced == operands {
            return Ok(None);
        }
        graph.add(node.op.clone(), &replaced, node.span).map(Some)
    })
}

/// The clipping of each condition that has one.
fn clippings(program: &Program) -> HashMap<NodeId, NodeId> {
    let graph = &program.graph;
    let live = super::live(program);
    let in_memory = super::in_memory(program, &live, Op::is_elementwise);
    let mut found = HashMap::new();
    for (at, node) in graph.nodes.iter().enumerate().filter(|(at, _)| live[*at] && in_memory[*at]) {
        if let (Op::Select, [condition, yes, no]) = (&node.op, node.operands.as_slice())
            && is_clipping(graph, *condition, *yes, *no)
        {
            found.entry(*condition).or_insert(NodeId(at as u32));
        }
    }
    found
}

/// Does `select(condition, yes, no)` clip at a number, and can what it has clipped be seen?
fn is_clipping(graph: &Graph, condition: NodeId, yes: NodeId, no: NodeId) -> bool {
    let node = graph.node(condition);
    let (bound, value) = match node.op {
        // Elements at the bound count as clipped.
        Op::Compare(Compare::LessEqual) => (yes, no),
        Op::Compare(Compare::Less) => (no, yes),
        _ => return false,
    };
    let (a, b) = (node.operands[0], node.operands[1]);
    graph.float_literal(bound).is_some() && ((a, b) == (value, bound) || (a, b) == (bound, value))
}

/// The condition, of what the clipping left instead of what it was given. `old` in the old graph and `new` in the new one are the condition.
fn on(
    graph: &mut Graph,
    before: &Graph,
    old: NodeId,
    new: NodeId,
    clipped: NodeId,
) -> Result<NodeId, TypeError> {
    let node = graph.node(new).clone();
    let operands = before.node(old).operands.iter().zip(&node.operands);
    let operands: Vec<NodeId> = operands
        .map(|(old, new)| if before.float_literal(*old).is_some() { *new } else { clipped })
        .collect();
    graph.add(node.op, &operands, node.span)
}
