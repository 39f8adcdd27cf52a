//! Rewrites, one a file, and the walk that they share. See [`super::passes`] for their order.

pub mod accumulate;
pub mod clipped;
pub mod contraction;
pub mod factors;
pub mod fold;
pub mod join;
pub mod reassociate;
pub mod rounds;
pub mod shorten;
pub mod spread;
pub mod unwindow;

use super::Graph;
use super::node::{Node, NodeId, Program};
use super::op::{Op, TypeError};

/// What a rewrite says of a node, given its operands in the new graph: the node that replaces it, or nothing to copy it.
pub type Rule<'a> = dyn FnMut(&mut Graph, NodeId, &Node, &[NodeId]) -> Result<Option<NodeId>, TypeError> + 'a;

/// A new program with every node that an output needs, replaced by `rule` where it says so.
///
/// `keep_literal`: copy operations as they are; otherwise the simplifications of the builder apply again.
pub fn rebuild(program: &Program, keep_literal: bool, rule: &mut Rule) -> Result<Program, TypeError> {
    let old = &program.graph;
    let mut graph = Graph::new();
    graph.axes = old.axes.clone();
    graph.checks = old.checks.clone();
    graph.keep_literal = keep_literal;
    let live = live(program);
    let mut new: Vec<NodeId> = Vec::with_capacity(old.nodes.len());
    for (number, node) in old.nodes.iter().enumerate() {
        if !live[number] {
            // Never looked at: no live node has it as an operand.
            new.push(NodeId(u32::MAX));
            continue;
        }
        let operands: Vec<NodeId> = node.operands.iter().map(|id| new[id.0 as usize]).collect();
        graph.span = node.span;
        let replaced = rule(&mut graph, NodeId(number as u32), node, &operands)?;
        new.push(match (replaced, &node.op) {
            (Some(id), _) => id,
            (None, Op::Input(input)) => graph.input(*input, node.element, node.axes.clone()),
            (None, Op::Own(_)) => operands[0],
            (None, op) => graph.add(op.clone(), &operands, node.span)?,
        });
    }
    let mut outputs = program.outputs.clone();
    for output in &mut outputs {
        output.node = new[output.node.0 as usize];
    }
    let rebuilt = Program {
        graph,
        inputs: program.inputs.clone(),
        outputs,
        precision: program.precision,
        factors: program.factors,
    };
    sweep(rebuilt)
}

/// Drops what a rule built and then no output needed.
fn sweep(program: Program) -> Result<Program, TypeError> {
    if live(&program).iter().all(|live| *live) {
        return Ok(program);
    }
    rebuild(&program, true, &mut |_, _, _, _| Ok(None))
}

/// For every node, whether an output needs it.
pub fn live(program: &Program) -> Vec<bool> {
    let graph = &program.graph;
    let mut live = vec![false; graph.nodes.len()];
    for output in &program.outputs {
        live[output.node.0 as usize] = true;
    }
    for number in (0..graph.nodes.len()).rev() {
        if live[number] {
            for operand in &graph.nodes[number].operands {
                live[operand.0 as usize] = true;
            }
        }
    }
    live
}

/// For every node, whether it is in memory anyhow: an output, or an operand of what is not computed element by element.
pub fn in_memory(program: &Program, live: &[bool], is_elementwise: impl Fn(&Op) -> bool) -> Vec<bool> {
    let nodes = &program.graph.nodes;
    let mut found = vec![false; nodes.len()];
    for output in &program.outputs {
        found[output.node.0 as usize] = true;
    }
    for (node, _) in nodes.iter().zip(live).filter(|(node, live)| **live && !is_elementwise(&node.op)) {
        for operand in &node.operands {
            found[operand.0 as usize] = true;
        }
    }
    found
}

/// For every node, how many live operands and outputs it is.
pub fn uses(program: &Program) -> Vec<usize> {
    let live = live(program);
    let mut uses = vec![0; program.graph.nodes.len()];
    for (node, _) in program.graph.nodes.iter().zip(&live).filter(|(_, live)| **live) {
        for operand in &node.operands {
            uses[operand.0 as usize] += 1;
        }
    }
    for output in &program.outputs {
        uses[output.node.0 as usize] += 1;
    }
    uses
}
