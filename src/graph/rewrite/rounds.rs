//! Loops: the bodies are rewritten by all passes, once for all nodes that share one.

use std::collections::HashMap;

use super::{live, rebuild};
use crate::graph::node::{NodeId, Program};
use crate::graph::op::{Body, Op, Take};
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
    let mut new: HashMap<Body, (Body, HashMap<NodeId, NodeId>)> = HashMap::new();
    for (body, every) in taken {
        let round = optimise(&body.0.program(program.precision, &every), off)?;
        let (rewritten, now) = body.0.rewritten(round);
        new.insert(body, (Body(Arc::new(rewritten)), every.into_iter().zip(now).collect()));
    }
    rebuild(program, false, &mut |graph, _, node, operands| {
        let Op::Scan { body, take } = &node.op else { return Ok(None) };
        let Some((body, nodes)) = new.get(body) else { return Ok(None) };
        let take = match take {
            Take::Every { node, axis } => {
                Take::Every { node: nodes.get(node).copied().unwrap_or(*node), axis: *axis }
            }
            last => *last,
        };
        graph.add(Op::Scan { body: body.clone(), take }, operands, node.span).map(Some)
    })
    .map_err(|error| PassError::Type { pass: NAME, error })
}
