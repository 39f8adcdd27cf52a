//! Loops: the bodies are rewritten by all passes, once for all nodes that share one. What all rounds share and use only rounded
//! (the weights of a recurrent layer in half precision) is rounded before the loop.

use std::collections::HashMap;

use super::{factors, live, rebuild};
use crate::graph::node::{InputId, NodeId, Program};
use crate::graph::op::{Body, Half, Op, Take, TypeError, Unary};
use crate::graph::passes::{PassError, optimise};
use std::sync::Arc;

pub const NAME: &str = "loops";

pub fn run(program: &Program, off: &[&str]) -> Result<Program, PassError> {
    let is_live = live(program);
    // What is taken of every round, by body.
    let mut taken: Vec<(Body, Vec<NodeId>)> = Vec::new();
    for (node, _) in program.graph.nodes.iter().zip(&is_live).filter(|(_, live)| **live) {
        let Op::Scan { body, take } = &node.op else { continue };
        let at = taken.iter().position(|(known, _)| known == body).unwrap_or_else(|| {
            taken.push((body.clone(), Vec::new()));
            taken.len() - 1
        });
        if let Take::Every { node, .. } = take
            && !taken[at].1.contains(node)
        {
            taken[at].1.push(*node);
        }
    }
    if taken.is_empty() {
        return Ok(program.clone());
    }
    let wrong = |error| PassError::Type { pass: NAME, error };
    let mut new: HashMap<Body, Rewritten> = HashMap::new();
    for (body, every) in taken {
        let round = Program { factors: program.factors, ..body.0.program(program.precision, &every) };
        let round = optimise(&round, off)?;
        let first = body.0.carried() + body.0.sliced.len();
        let (round, before) = without_shared_rounding(round, first, body.0.operands()).map_err(wrong)?;
        let (rewritten, now) = body.0.rewritten(round);
        let nodes = every.into_iter().zip(now).collect();
        new.insert(body, Rewritten { body: Body(Arc::new(rewritten)), nodes, before });
    }
    rebuild(program, false, &mut |graph, _, node, operands| {
        let Op::Scan { body, take } = &node.op else { return Ok(None) };
        let Some(Rewritten { body, nodes, before }) = new.get(body) else { return Ok(None) };
        let mut operands = operands.to_vec();
        for (number, half) in before {
            operands[*number] = factors::rounded(graph, *half, operands[*number])?;
        }
        let take = match take {
            Take::Every { node, axis } => {
                Take::Every { node: nodes.get(node).copied().unwrap_or(*node), axis: *axis }
            }
            last => *last,
        };
        graph.add(Op::Scan { body: body.clone(), take }, &operands, node.span).map(Some)
    })
    .map_err(wrong)
}

struct Rewritten {
    body: Body,
    /// What became of the nodes that are taken of every round.
    nodes: HashMap<NodeId, NodeId>,
    /// Operands, by number, to round before the loop.
    before: Vec<(usize, Half)>,
}

/// One round without the rounding of inputs from `first` on that nothing uses as they are, and which those are.
fn without_shared_rounding(
    round: Program,
    first: usize,
    end: usize,
) -> Result<(Program, Vec<(usize, Half)>), TypeError> {
    let nodes = &round.graph.nodes;
    let shared = |id: NodeId| match nodes[id.0 as usize].op {
        Op::Input(InputId(number)) => Some(number as usize).filter(|number| (first..end).contains(number)),
        _ => None,
    };
    let mut used: Vec<Option<Half>> = vec![None; end];
    let mut as_it_is = vec![false; end];
    for (node, _) in nodes.iter().zip(live(&round)).filter(|(_, live)| *live) {
        for number in node.operands.iter().filter_map(|operand| shared(*operand)) {
            match node.op {
                Op::Unary(Unary::Round(half)) => used[number] = Some(half),
                _ => as_it_is[number] = true,
            }
        }
    }
    for number in round.outputs.iter().filter_map(|output| shared(output.node)) {
        as_it_is[number] = true;
    }
    let before: Vec<(usize, Half)> = (0..end)
        .filter(|number| !as_it_is[*number])
        .filter_map(|number| used[number].map(|half| (number, half)))
        .collect();
    if before.is_empty() {
        return Ok((round, before));
    }
    let rebuilt = rebuild(&round, false, &mut |_, _, node, operands| {
        let Op::Unary(Unary::Round(_)) = node.op else { return Ok(None) };
        let moved = shared(node.operands[0]).is_some_and(|number| before.iter().any(|(k, _)| *k == number));
        Ok(moved.then(|| operands[0]))
    })?;
    Ok((rebuilt, before))
}
