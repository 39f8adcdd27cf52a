//! What a loop only adds up leaves it: the derivatives by the weights of a recurrent layer are one product over all rounds, not a
//! product and a sum in each.
//!
//! In: loops with a carried value that is nothing but the sum of what rounds contribute, each a contraction or a sum over axes of values
//! that are at hand in every round. Out: the contraction or sum over the rounds as well, after the loop, which carries less.

use std::collections::HashMap;
use std::sync::Arc;

use super::{live, rebuild};
use crate::graph::Graph;
use crate::graph::axis::{Axis, AxisSet};
use crate::graph::node::{Element, InputId, NodeId, Precision, Program};
use crate::graph::op::{Binary, Body, Loop, Op, Reduction, Take, TypeError};

pub const NAME: &str = "accumulate";

pub fn run(program: &Program) -> Result<Program, TypeError> {
    let mut taken: Vec<(Body, Vec<(NodeId, Axis)>)> = Vec::new();
    for (node, _) in program.graph.nodes.iter().zip(live(program)).filter(|(_, live)| *live) {
        let Op::Scan { body, take } = &node.op else { continue };
        let at = taken.iter().position(|(known, _)| known == body).unwrap_or_else(|| {
            taken.push((body.clone(), Vec::new()));
            taken.len() - 1
        });
        if let Take::Every { node, axis } = take {
            taken[at].1.push((*node, *axis));
        }
    }
    let mut lighter: HashMap<Body, Lighter> = HashMap::new();
    for (body, every) in taken {
        if let Some(found) = lighten(&body.0, &every, program)? {
            lighter.insert(body, found);
        }
    }
    if lighter.is_empty() {
        return Ok(program.clone());
    }
    rebuild(program, false, &mut |graph, _, node, operands| {
        let Op::Scan { body, take } = &node.op else { return Ok(None) };
        let Some(lighter) = lighter.get_mut(body) else { return Ok(None) };
        let scan = Outside { body: &body.0, lighter, operands };
        match *take {
            Take::Last(number) => scan.last(graph, number).map(Some),
            Take::Every { node, axis } => scan.every(graph, node, axis).map(Some),
        }
    })
}

/// A loop without its sums.
struct Lighter {
    body: Body,
    /// What became of nodes that are taken of every round.
    nodes: HashMap<NodeId, NodeId>,
    sums: Vec<Sum>,
    /// An axis along which the rounds lie, once it is made.
    rounds: Option<Axis>,
}

/// A carried value that is a sum over all rounds.
struct Sum {
    carried: usize,
    axes: AxisSet,
    /// One, or two that are multiplied.
    terms: Vec<Term>,
}

/// What a round contributes, seen from outside.
#[derive(Clone, Copy)]
enum Term {
    /// A sliced operand: its number, and the axis of the rounds.
    Sliced(usize, Axis),
    /// The same in every round.
    Shared(usize),
    /// A node of the body, and the axis along which its rounds lie, if somebody takes them already.
    Every(NodeId, Option<Axis>),
}

/// None if the loop adds nothing up that can leave it.
fn lighten(body: &Loop, every: &[(NodeId, Axis)], program: &Program) -> Result<Option<Lighter>, TypeError> {
    if body.done.is_some() {
        return Ok(None);
    }
    let known_axes = program.graph.axes.len();
    let uses = uses(body, every);
    let mut kept: Vec<(NodeId, Option<Axis>)> =
        every.iter().map(|(node, axis)| (*node, Some(*axis))).collect();
    let mut sums: Vec<Sum> = Vec::new();
    // Products first: what they keep of every round, sums can use.
    for wants_product in [true, false] {
        for carried in 0..body.carried() {
            let Some(value) = contribution(body, carried, &uses) else { continue };
            let node = body.graph.node(value);
            let axes = match &node.op {
                Op::Contract { axes, factors: None } if wants_product => axes,
                Op::Reduce(Reduction::Sum, axes) if !wants_product => axes,
                _ => continue,
            };
            let terms: Option<Vec<Term>> = node.operands.iter().map(|id| term(body, *id, &kept)).collect();
            let Some(terms) = terms else { continue };
            let new: Vec<NodeId> = terms.iter().filter_map(|term| is_new(*term, &kept)).collect();
            let elements = |id: NodeId| -> usize {
                body.graph.node(id).axes.iter().map(|axis| body.graph.axes.size(axis)).product()
            };
            // Keeping something of every round must cost no more than the sum did.
            let pays = new.iter().map(|id| elements(*id)).sum::<usize>() <= 2 * elements(body.next[carried]);
            let is_known =
                |id: &NodeId| body.graph.node(*id).axes.iter().all(|axis| (axis.0 as usize) < known_axes);
            let changes = terms.iter().any(|term| !matches!(term, Term::Shared(_)));
            if !pays || !changes || !node.operands.iter().all(is_known) {
                continue;
            }
            kept.extend(new.into_iter().map(|id| (id, None)));
            sums.push(Sum { carried, axes: axes.clone(), terms });
        }
    }
    if sums.is_empty() {
        return Ok(None);
    }
    let gone: Vec<usize> = sums.iter().map(|sum| sum.carried).collect();
    let mut wanted: Vec<NodeId> = kept.iter().map(|(id, _)| *id).collect();
    wanted.sort_unstable();
    wanted.dedup();
    let (body, now) = without(body, &gone, &wanted, program.precision)?;
    let nodes = wanted.into_iter().zip(now).collect();
    Ok(Some(Lighter { body: Body(Arc::new(body)), nodes, sums, rounds: None }))
}

/// How often each node of a body is used.
fn uses(body: &Loop, every: &[(NodeId, Axis)]) -> Vec<usize> {
    let taken: Vec<NodeId> = every.iter().map(|(id, _)| *id).collect();
    let round = body.program(Precision::Single, &taken);
    let live = live(&round);
    let mut uses = vec![0; body.graph.nodes.len()];
    let nodes = body.graph.nodes.iter().zip(live).filter(|(_, live)| *live);
    let operands = nodes.flat_map(|(node, _)| node.operands.iter().copied());
    for id in operands.chain(round.outputs.iter().map(|output| output.node)) {
        uses[id.0 as usize] += 1;
    }
    uses
}

/// What is added to a carried value in each round, if that is all that happens to it.
fn contribution(body: &Loop, carried: usize, uses: &[usize]) -> Option<NodeId> {
    let next = body.graph.node(body.next[carried]);
    let input = body.input(carried)?;
    let is_sum = next.op == Op::Binary(Binary::Add) && next.element == Element::Float;
    if !is_sum || uses[input.0 as usize] != 1 || uses[body.next[carried].0 as usize] != 1 {
        return None;
    }
    match next.operands[..] {
        [a, b] if a == input => Some(b),
        [a, b] if b == input => Some(a),
        _ => None,
    }
    .filter(|value| body.graph.node(*value).axes == next.axes)
}

fn term(body: &Loop, id: NodeId, kept: &[(NodeId, Option<Axis>)]) -> Option<Term> {
    let first = body.carried();
    match body.graph.node(id).op {
        Op::Input(InputId(number)) => {
            let number = number as usize;
            match number.checked_sub(first) {
                Some(at) if at < body.sliced.len() => Some(Term::Sliced(number, body.sliced[at])),
                Some(_) if number < body.operands() => Some(Term::Shared(number)),
                Some(_) => None,
                // A carried value as it is before the round.
                None => Some(Term::Every(id, None)),
            }
        }
        _ => Some(Term::Every(id, kept.iter().find(|(known, _)| *known == id).and_then(|(_, axis)| *axis))),
    }
}

fn is_new(term: Term, kept: &[(NodeId, Option<Axis>)]) -> Option<NodeId> {
    match term {
        Term::Every(id, _) => Some(id).filter(|id| kept.iter().all(|(known, _)| known != id)),
        _ => None,
    }
}

/// The loop without some of its carried values, and what became of other nodes.
fn without(
    body: &Loop,
    gone: &[usize],
    every: &[NodeId],
    precision: Precision,
) -> Result<(Loop, Vec<NodeId>), TypeError> {
    let mut round = body.program(precision, every);
    let mut number = 0;
    round.outputs.retain(|_| {
        number += 1;
        !gone.contains(&(number - 1))
    });
    let before = |number: usize| gone.iter().filter(|carried| **carried < number).count();
    let rebuilt = rebuild(&round, true, &mut |graph, _, node, _| {
        let Op::Input(InputId(number)) = node.op else { return Ok(None) };
        let number = InputId(number - before(number as usize) as u32);
        Ok(Some(graph.input(number, node.element, node.axes.clone())))
    })?;
    let mut nodes: Vec<NodeId> = rebuilt.outputs.iter().map(|output| output.node).collect();
    let every = nodes.split_off(body.carried() - gone.len());
    let inputs = body.inputs.iter().enumerate().filter(|(number, _)| !gone.contains(number));
    let inputs = inputs.map(|(_, ty)| ty.clone()).collect();
    Ok((Loop { graph: rebuilt.graph, next: nodes, inputs, ..body.clone() }, every))
}

/// A loop in the program around it.
struct Outside<'a> {
    body: &'a Loop,
    lighter: &'a mut Lighter,
    operands: &'a [NodeId],
}

impl Outside<'_> {
    fn scan(&self, graph: &mut Graph, take: Take) -> Result<NodeId, TypeError> {
        let is_gone = |number: usize| self.lighter.sums.iter().any(|sum| sum.carried == number);
        let left = self.operands.iter().enumerate().filter(|(number, _)| !is_gone(*number));
        let operands: Vec<NodeId> = left.map(|(_, id)| *id).collect();
        graph.add(Op::Scan { body: self.lighter.body.clone(), take }, &operands, graph.span)
    }

    fn every(&self, graph: &mut Graph, node: NodeId, axis: Axis) -> Result<NodeId, TypeError> {
        if let Some(given) = self.given(graph, node, axis)? {
            return Ok(given);
        }
        let node = self.lighter.nodes.get(&node).copied().unwrap_or(node);
        self.scan(graph, Take::Every { node, axis })
    }

    /// All rounds of a node that is a sliced operand under another name.
    fn given(&self, graph: &mut Graph, id: NodeId, axis: Axis) -> Result<Option<NodeId>, TypeError> {
        let node = self.body.graph.node(id);
        match node.op {
            Op::Input(InputId(number)) => {
                let sliced = (number as usize).checked_sub(self.body.carried());
                let Some(along) = sliced.and_then(|at| self.body.sliced.get(at)) else { return Ok(None) };
                let operand = self.operands[number as usize];
                if *along == axis { Ok(Some(operand)) } else { graph.rename(operand, *along, axis).map(Some) }
            }
            Op::Rename { from, to } => match self.given(graph, node.operands[0], axis)? {
                Some(given) => graph.rename(given, from, to).map(Some),
                None => Ok(None),
            },
            _ => Ok(None),
        }
    }

    fn last(mut self, graph: &mut Graph, number: usize) -> Result<NodeId, TypeError> {
        let Some(at) = self.lighter.sums.iter().position(|sum| sum.carried == number) else {
            let gone = self.lighter.sums.iter().filter(|sum| sum.carried < number).count();
            return self.scan(graph, Take::Last(number - gone));
        };
        let rounds = match self.lighter.rounds {
            Some(axis) => axis,
            None => graph.axes.add("Round".to_string(), self.body.rounds),
        };
        self.lighter.rounds = Some(rounds);
        let axes = self.lighter.sums[at].axes.clone();
        let terms = self.lighter.sums[at].terms.clone();
        let mut values = Vec::new();
        for term in &terms {
            values.push(self.term(graph, *term, rounds)?);
        }
        let total = match values[..] {
            [a, b] => {
                let (a_moves, b_moves) = (has(graph, a, rounds), has(graph, b, rounds));
                let over = [rounds];
                // What only one of them has is summed in it.
                let a = if b_moves { a } else { graph.sum(a, &over)? };
                let b = if a_moves { b } else { graph.sum(b, &over)? };
                let mut all = axes;
                if a_moves && b_moves {
                    all.insert(rounds);
                }
                graph.contract(a, b, &all)?
            }
            [a] => {
                let mut all = axes;
                all.insert(rounds);
                graph.sum(a, all.as_slice())?
            }
            _ => return Err(TypeError::OperandCount { op: "scan", expected: 2, found: values.len() }),
        };
        let start = self.operands[number];
        graph.plus(start, total)
    }

    /// A term of all rounds.
    fn term(&mut self, graph: &mut Graph, term: Term, rounds: Axis) -> Result<NodeId, TypeError> {
        match term {
            Term::Shared(number) => Ok(self.operands[number]),
            Term::Sliced(number, axis) => graph.rename(self.operands[number], axis, rounds),
            Term::Every(node, Some(axis)) => {
                let every = self.every(graph, node, axis)?;
                graph.rename(every, axis, rounds)
            }
            Term::Every(node, None) => self.every(graph, node, rounds),
        }
    }
}

fn has(graph: &Graph, id: NodeId, axis: Axis) -> bool {
    graph.node(id).axes.contains(axis)
}
