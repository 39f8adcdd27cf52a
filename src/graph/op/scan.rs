//! Loops: a body that is computed in rounds, with values carried from each round to the next.
//!
//! A loop is as many nodes as it has results that somebody wants: all have the same [`Body`] and the same operands, and each
//! takes something else. Any node of the body can be taken for every round, so that derivatives get what they need.
//! The body shares the axes of the graph around it by number; axes beyond those are its own.

use std::collections::HashMap;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use smallvec::SmallVec;

use super::Op;
use super::kept::{Keeping, kept as nodes_to_keep};
use super::signature::{Signature, Type, TypeError};
use crate::graph::Graph;
use crate::graph::axis::{Axis, AxisSet};
use crate::graph::differentiate::Adjoints;
use crate::graph::fault::Fault;
use crate::graph::node::{Element, Input, InputId, Node, NodeId, Output, Precision, Program, Slot};
use crate::graph::reference::{Array, Scope};

/// What happens in each round. The inputs of the graph are, in order: the carried values, the sliced ones, those that all
/// rounds share, and the number of the round (a scalar Index). The operands of a loop are the same but for the round:
/// carried values as they are at the start, sliced ones with their axes.
#[derive(Clone, Debug)]
pub struct Loop {
    pub graph: Graph,
    pub rounds: usize,
    /// Rounds go from the last to the first.
    pub reverse: bool,
    /// For each carried value, the node of the next one.
    pub next: Vec<NodeId>,
    /// For each sliced operand, the axis whose position is the number of the round.
    pub sliced: Vec<Axis>,
    /// Of every input.
    pub inputs: Vec<Type>,
    /// A scalar Bool: once it holds, no further round changes a carried value.
    pub done: Option<NodeId>,
}

/// A loop that several nodes share. Equal are only those that are one and the same.
#[derive(Clone, Debug)]
pub struct Body(pub Arc<Loop>);

impl PartialEq for Body {
    fn eq(&self, other: &Body) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Body {}

impl Hash for Body {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (Arc::as_ptr(&self.0) as usize).hash(state);
    }
}

/// Which result of a loop a node is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Take {
    /// The carried value of this number after the last round.
    Last(usize),
    /// A node of the body, of every round, along the axis.
    Every { node: NodeId, axis: Axis },
}

impl Loop {
    pub fn carried(&self) -> usize {
        self.next.len()
    }

    /// How many operands there are.
    pub fn operands(&self) -> usize {
        self.inputs.len() - 1
    }

    /// The node of an input, if the body uses it.
    pub fn input(&self, number: usize) -> Option<NodeId> {
        let wanted = Op::Input(InputId(number as u32));
        self.graph.nodes.iter().position(|node| node.op == wanted).map(|at| NodeId(at as u32))
    }

    /// One round as a program: carried values are read from and written to slots 0, 1 ..; the other inputs are read from the
    /// slots that follow; then come the slots of `every`, and that of `done`.
    pub fn program(&self, precision: Precision, every: &[NodeId]) -> Program {
        let mut program = Program::new(precision);
        program.graph = self.graph.clone();
        for (number, ty) in self.inputs.iter().enumerate() {
            program.inputs.push(Input {
                name: format!("input {number}"),
                element: ty.element,
                layout: ty.axes.as_slice().to_vec(),
                slot: Slot(number as u32),
            });
        }
        let slots = self.next.iter().zip(0u32..).chain(every.iter().zip(self.inputs.len() as u32..));
        let slots = slots.map(|(node, slot)| (*node, slot));
        let done = self.done.map(|node| (node, (self.inputs.len() + every.len()) as u32));
        for (node, slot) in slots.chain(done) {
            program.outputs.push(Output {
                name: format!("output {slot}"),
                node,
                layout: self.graph.node(node).axes.as_slice().to_vec(),
                slot: Slot(slot),
            });
        }
        program
    }

    /// The loop whose round is a rewritten [`Loop::program`], and what became of `every`.
    pub fn rewritten(&self, program: Program) -> (Loop, Vec<NodeId>) {
        let mut nodes: Vec<NodeId> = program.outputs.iter().map(|output| output.node).collect();
        let done = self.done.and_then(|_| nodes.pop());
        let every = nodes.split_off(self.next.len());
        (Loop { graph: program.graph, next: nodes, done, ..self.clone() }, every)
    }
}

pub fn type_rule(s: &Signature) -> Result<Type, TypeError> {
    let Op::Scan { body, take } = s.op else { return Err(TypeError::Reduction { op: s.name() }) };
    let l = &body.0;
    s.count(l.operands())?;
    for (number, wanted) in l.inputs[..l.operands()].iter().enumerate() {
        if s.element(number) != wanted.element {
            return Err(TypeError::ElementsDiffer {
                op: s.name(),
                left: wanted.element,
                right: s.element(number),
            });
        }
        let mut axes = s.axes(number).clone();
        if let Some(axis) = number.checked_sub(l.carried()).and_then(|at| l.sliced.get(at)) {
            s.has(number, *axis)?;
            if s.size(*axis) != l.rounds {
                return Err(TypeError::Layout { op: s.name(), expected: l.rounds, found: s.size(*axis) });
            }
            axes.remove(*axis);
        }
        if axes != wanted.axes {
            return Err(TypeError::Layout { op: s.name(), expected: wanted.axes.len(), found: axes.len() });
        }
    }
    match take {
        Take::Last(number) => match l.inputs.get(*number) {
            Some(ty) if *number < l.carried() => Ok(ty.clone()),
            _ => Err(TypeError::OperandCount { op: s.name(), expected: l.carried(), found: *number }),
        },
        Take::Every { node, axis } => {
            let node = l.graph.node(*node);
            if s.size(*axis) != l.rounds {
                return Err(TypeError::Layout { op: s.name(), expected: l.rounds, found: s.size(*axis) });
            }
            Ok(Type::new(node.element, node.axes.with(*axis)))
        }
    }
}

/// Every round, node by node.
pub fn reference(scope: &Scope) -> Result<Vec<f64>, Fault> {
    let Op::Scan { body, take } = &scope.node.op else { return Ok(Vec::new()) };
    let l = &body.0;
    let table = &l.graph.axes;
    let count = l.carried();
    let mut carried: Vec<Array> = scope.operands[..count].iter().map(|array| (*array).clone()).collect();
    let mut every: Vec<Option<Array>> = vec![None; l.rounds];
    for step in 0..l.rounds {
        let round = if l.reverse { l.rounds - 1 - step } else { step };
        let mut arrays: Vec<Array> = Vec::with_capacity(l.graph.nodes.len());
        for (at, node) in l.graph.nodes.iter().enumerate() {
            let array = match &node.op {
                Op::Input(InputId(number)) => {
                    let number = *number as usize;
                    match number.checked_sub(count) {
                        None => carried[number].clone(),
                        Some(_) if number == l.operands() => Array::new(table, &[], vec![round as f64]),
                        Some(other) => {
                            let mut point = vec![0; scope.graph.axes.len().max(table.len())];
                            if let Some(axis) = l.sliced.get(other) {
                                point[axis.0 as usize] = round;
                            }
                            let mut values = Vec::new();
                            let axes = node.axes.as_slice();
                            crate::graph::reference::points(table, axes, &mut point, &mut |point| {
                                values.push(scope.operands[number].at(point));
                            });
                            Array::new(table, axes, values)
                        }
                    }
                }
                op => {
                    let inner = Scope {
                        graph: &l.graph,
                        id: NodeId(at as u32),
                        node,
                        operands: node.operands.iter().map(|id| &arrays[id.0 as usize]).collect(),
                        inputs: &[],
                        store: scope.store,
                        precision: scope.precision,
                    };
                    let found = (op.rules().reference)(&inner);
                    let mut values = found.map_err(|fault| match fault {
                        Fault::IndexOutOfRange { index, size, .. } => {
                            Fault::IndexOutOfRange { node: scope.id, index, size }
                        }
                        Fault::Matrix { fault, .. } => Fault::Matrix { node: scope.id, fault },
                        Fault::Check(check) => Fault::Check(check),
                    })?;
                    if node.element == Element::Float && scope.precision == Precision::Single {
                        values.iter_mut().for_each(|value| *value = f64::from(*value as f32));
                    }
                    Array::new(table, node.axes.as_slice(), values)
                }
            };
            arrays.push(array);
        }
        carried = l.next.iter().map(|id| arrays[id.0 as usize].clone()).collect();
        if let Take::Every { node, .. } = take {
            every[round] = Some(arrays.swap_remove(node.0 as usize));
        }
    }
    Ok(scope.map(|point| match take {
        Take::Last(number) => carried[*number].at(point),
        Take::Every { axis, .. } => {
            every[point[axis.0 as usize]].as_ref().map_or(0.0, |array| array.at(point))
        }
    }))
}

/// The derivative of one result alone; [`pull_back`] takes all results of a loop together.
pub fn derivative(g: &mut Graph, id: NodeId, adjoint: NodeId) -> Result<Adjoints, TypeError> {
    let wanted = vec![true; g.node(id).operands.len()];
    Ok(pull_back(g, &[(id, adjoint)], &wanted)?.into_iter().collect())
}

/// The adjoints of a loop's operands from those of some of its results: a loop in the other direction.
///
/// It carries the adjoints of the carried values, and the sums so far of the adjoints of what all rounds share; it sees
/// the carried values that each round started from, which the loop is asked to keep, and computes the round again, but
/// for what is dear ([`super::kept`]), which the loop keeps too.
pub fn pull_back(
    g: &mut Graph,
    results: &[(NodeId, NodeId)],
    wanted: &[bool],
) -> Result<Vec<Option<NodeId>>, TypeError> {
    let Some((first, _)) = results.first() else { return Ok(vec![None; wanted.len()]) };
    let node = g.node(*first).clone();
    let Op::Scan { body, .. } = &node.op else { return Ok(vec![None; wanted.len()]) };
    let (l, operands) = (Arc::clone(&body.0), node.operands.clone());
    let (carried, sliced) = (l.carried(), l.sliced.len());
    let float = |number: &usize| l.inputs[*number].element == Element::Float;
    // What flows back: carried values, and those operands whose derivatives are wanted.
    let flowing: Vec<usize> = (0..carried).filter(float).collect();
    let shared: Vec<usize> = (carried + sliced..l.operands()).filter(|k| float(k) && wanted[*k]).collect();
    let along: Vec<usize> = (carried..carried + sliced).filter(|k| float(k) && wanted[*k]).collect();
    let kept: Vec<(usize, NodeId)> = (0..carried).filter_map(|k| Some((k, l.input(k)?))).collect();

    let mut r = Graph::new();
    r.axes = l.graph.axes.clone();
    let apart = g.apart.clone();
    r.apart = apart.clone();
    if !apart.is_empty() {
        r.axes.extend_from(&g.axes);
    }
    // Adjoints may have the axes of items that are kept apart, besides those of their values.
    let with_items = |ty: &Type| Type::new(ty.element, ty.axes.union(&apart));
    r.checks = l.graph.checks.clone();
    r.span = node.span;
    let mut back = Operands::default();
    let (zero, mut last, mut every) = (g.float(0.0)?, HashMap::new(), Vec::new());
    for (id, adjoint) in results {
        match &g.node(*id).op {
            Op::Scan { take: Take::Last(number), .. } => {
                last.insert(*number, *adjoint);
            }
            Op::Scan { take: Take::Every { node, axis }, .. } => every.push((*node, *axis, *adjoint)),
            _ => {}
        }
    }
    let types: Vec<Type> =
        flowing.iter().chain(&shared).map(|number| with_items(&l.inputs[*number])).collect();
    for (number, ty) in flowing.iter().chain(&shared).zip(types) {
        let start = last.get(number).copied().unwrap_or(zero);
        back.carried.push(g.broadcast(start, &ty.axes)?);
        back.types.push(ty);
    }
    // What the loop keeps is seen outside, where only the axes of the graph around it have a meaning.
    let outside = g.axes.clone();
    let is_known = |axis: Axis| {
        let inside = &l.graph.axes;
        (axis.0 as usize) < outside.len()
            && outside.size(axis) == inside.size(axis)
            && outside.name(axis) == inside.name(axis)
    };
    let rounds = g.axes.add("Round", l.rounds);
    for (number, input) in &kept {
        let keep = Op::Scan { body: Body(Arc::clone(&l)), take: Take::Every { node: *input, axis: rounds } };
        back.slice(g.add(keep, &operands, node.span)?, rounds, l.inputs[*number].clone());
    }
    for number in carried..carried + sliced {
        back.slice(operands[number], l.sliced[number - carried], l.inputs[number].clone());
    }
    for (of, axis, adjoint) in &every {
        let ty = g.type_at(*adjoint);
        debug_assert!(l.graph.node(*of).axes.is_subset(&ty.axes));
        back.slice(*adjoint, *axis, Type::new(ty.element, ty.axes.without(*axis)));
    }
    for number in carried + sliced..l.operands() {
        back.shared.push(operands[number]);
        back.types.push(l.inputs[number].clone());
    }
    back.types.push(l.inputs[l.operands()].clone());
    let inputs: Vec<NodeId> =
        (0u32..).zip(&back.types).map(|(k, ty)| r.input(InputId(k), ty.element, ty.axes.clone())).collect();

    // The round again: conditions were checked the first time.
    let (after, flows) = (flowing.len() + shared.len(), flowing.len());
    let mut again: Vec<NodeId> = Vec::with_capacity(l.graph.nodes.len());
    for inner in &l.graph.nodes {
        let operands: Vec<NodeId> = inner.operands.iter().map(|id| again[id.0 as usize]).collect();
        again.push(match &inner.op {
            Op::Input(InputId(number)) => {
                let number = *number as usize;
                match number.checked_sub(carried) {
                    None => {
                        let at = kept.iter().position(|(k, _)| *k == number).unwrap_or(0);
                        inputs[after + at]
                    }
                    Some(at) if at < sliced => inputs[after + kept.len() + at],
                    Some(at) => inputs[after + kept.len() + every.len() + at],
                }
            }
            Op::Check(_) => operands[0],
            Op::Broadcast(axes) if axes.is_empty() => {
                r.span = inner.span;
                r.variable(operands[0])
            }
            Op::Own(rule) => {
                let moved = l.graph.own_rules[rule.0 as usize].moved(|id| again[id.0 as usize]);
                let rule = r.own_rule(moved);
                r.add(Op::Own(rule), &operands, inner.span)?
            }
            op => r.add(op.clone(), &operands, inner.span)?,
        });
    }
    let first = r.nodes.len();
    let at = |id: NodeId| again[id.0 as usize];
    let mut seeds: Vec<(NodeId, NodeId)> =
        flowing.iter().enumerate().map(|(k, number)| (at(l.next[*number]), inputs[k])).collect();
    for (k, (of, ..)) in every.iter().enumerate() {
        seeds.push((at(*of), inputs[after + kept.len() + sliced + k]));
    }
    let by: Vec<Option<NodeId>> =
        flowing.iter().chain(&shared).chain(&along).map(|number| l.input(*number).map(at)).collect();
    let wrt: Vec<NodeId> = by.iter().flatten().copied().collect();
    let mut found = r.gradient_of(&seeds, &wrt)?.into_iter();
    // An input that the body does not use has no gradient.
    let gradients: Vec<Option<NodeId>> = by.iter().map(|input| input.and_then(|_| found.next())).collect();
    let mut next = Vec::with_capacity(after);
    for k in 0..after {
        next.push(match gradients[k] {
            Some(gradient) if k < flows => r.broadcast(gradient, &back.types[k].axes)?,
            Some(gradient) => r.plus(inputs[k], gradient)?,
            None if k < flows => {
                let zero = r.float(0.0)?;
                r.broadcast(zero, &back.types[k].axes)?
            }
            None => inputs[k],
        });
    }
    // What is read again becomes an input, after the other sliced ones.
    let outputs: Vec<NodeId> = next.iter().chain(gradients[after..].iter().flatten()).copied().collect();
    let (before, round) = (after + back.sliced.len(), back.types.len() - 1);
    let moves = |number: usize| (after..before).contains(&number) || number == round;
    let rules = Keeping { first, outputs: &outputs, rounds: l.rounds, moves: &moves, is_known: &is_known };
    let read: Vec<(NodeId, usize)> = nodes_to_keep(&r, &rules)
        .into_iter()
        .filter_map(|id| Some((id, again.iter().position(|copy| *copy == id)?)))
        .collect();
    r.interned.clear();
    for node in &mut r.nodes {
        if let Op::Input(InputId(number)) = &mut node.op
            && *number as usize >= before
        {
            *number += read.len() as u32;
        }
    }
    for (number, (id, of)) in (before..).zip(&read) {
        let node = &mut r.nodes[id.0 as usize];
        (node.op, node.operands) = (Op::Input(InputId(number as u32)), SmallVec::new());
        back.types.insert(number, Type::new(node.element, node.axes.clone()));
        let take = Take::Every { node: NodeId(*of as u32), axis: rounds };
        back.sliced.push(g.add(Op::Scan { body: Body(Arc::clone(&l)), take }, &operands, node.span)?);
        back.axes.push(rounds);
    }
    let reverse = Loop {
        graph: r,
        rounds: l.rounds,
        reverse: !l.reverse,
        next,
        sliced: back.axes,
        inputs: back.types,
        done: None,
    };
    let reverse = Body(Arc::new(reverse));
    let all: Vec<NodeId> = [back.carried, back.sliced, back.shared].concat();
    let mut adjoints: Vec<Option<NodeId>> = vec![None; l.operands()];
    for (k, number) in flowing.iter().chain(&shared).enumerate() {
        if wanted[*number] {
            let take = Take::Last(k);
            adjoints[*number] = Some(g.add(Op::Scan { body: reverse.clone(), take }, &all, node.span)?);
        }
    }
    for (k, number) in along.iter().enumerate() {
        if let Some(gradient) = gradients[after + k] {
            let take = Take::Every { node: gradient, axis: l.sliced[*number - carried] };
            adjoints[*number] = Some(g.add(Op::Scan { body: reverse.clone(), take }, &all, node.span)?);
        }
    }
    Ok(adjoints)
}

/// The operands of a loop that is being made, with the types of its body's inputs.
#[derive(Default)]
struct Operands {
    carried: Vec<NodeId>,
    sliced: Vec<NodeId>,
    axes: Vec<Axis>,
    shared: Vec<NodeId>,
    types: Vec<Type>,
}

impl Operands {
    fn slice(&mut self, operand: NodeId, axis: Axis, ty: Type) {
        self.sliced.push(operand);
        self.axes.push(axis);
        self.types.push(ty);
    }
}

/// Every round's.
pub fn flops(_: &Graph, node: &Node) -> u64 {
    let Op::Scan { body, .. } = &node.op else { return 0 };
    let round = body.0.graph.nodes.iter().map(|node| (node.op.rules().flops)(&body.0.graph, node));
    body.0.rounds as u64 * round.sum::<u64>()
}

/// The axes that a body and the graph around it both know.
pub fn axes_of_interface(l: &Loop) -> AxisSet {
    l.inputs.iter().flat_map(|ty| ty.axes.iter()).chain(l.sliced.iter().copied()).collect()
}
