//! Loops as operations of the graph. In: a body, elaborated once on a copy of the graph with holes for what differs from
//! round to round. Out: that part of the copy that depends on the holes, as a [`Loop`]; everything else is computed once,
//! before the loop.

use std::sync::Arc;

use smallvec::SmallVec;

use crate::graph::op::TypeError;
use crate::graph::op::scan::{Body, Loop, Take};
use crate::graph::{Axis, AxisSet, Element, Graph, InputId, NodeId, Op, Type};
use crate::source::Span;

/// A copy of a graph in which a body was elaborated.
pub struct Trace {
    /// The graph as it was before.
    pub before: Graph,
    /// What the carried values start as, nodes of `before`.
    pub starts: Vec<NodeId>,
    /// The holes: the carried values, then the number of the round.
    pub holes: Vec<NodeId>,
    pub rounds: usize,
}

/// The nodes of the finished loop.
pub struct Looped {
    pub last: Vec<NodeId>,
    pub every: Vec<NodeId>,
}

/// How many elements an array known now may have and be copied into a body.
const SMALL: usize = 64;

struct Cut<'t> {
    graph: &'t Graph,
    trace: &'t Trace,
    /// Which nodes differ from round to round.
    varies: Vec<bool>,
    /// What is seen one position a round.
    sliced: Vec<(NodeId, Axis)>,
    shared: Vec<NodeId>,
}

impl Cut<'_> {
    fn round(&self) -> Option<NodeId> {
        self.trace.holes.last().copied()
    }

    /// A pick at the number of the round.
    fn slice(&self, id: NodeId) -> Option<(NodeId, Axis)> {
        let node = self.graph.node(id);
        let Op::Gather { axis } = node.op else { return None };
        let whole = self.graph.axes.size(axis) == self.trace.rounds;
        let (x, index) = (node.operands[0], node.operands[1]);
        (whole && Some(index) == self.round() && !self.varies[x.0 as usize]).then_some((x, axis))
    }

    /// Something that is the same in all rounds and is made again in the body rather than brought there.
    fn is_small(&self, id: NodeId) -> bool {
        let node = self.graph.node(id);
        match &node.op {
            Op::Float(_) | Op::Index(_) | Op::Bool(_) | Op::Iota(_) => true,
            Op::Tensor(tensor, _) => tensor.len() <= SMALL,
            Op::Broadcast(axes) => !axes.is_empty(),
            _ => false,
        }
    }

    /// Notes what a node of the body needs from outside.
    fn visit(&mut self, id: NodeId, seen: &mut [bool]) {
        let mut open = vec![id];
        while let Some(id) = open.pop() {
            if std::mem::replace(&mut seen[id.0 as usize], true) || self.trace.holes.contains(&id) {
                continue;
            }
            if let Some(slice) = self.slice(id) {
                if !self.sliced.contains(&slice) {
                    self.sliced.push(slice);
                }
            } else if self.varies[id.0 as usize] || self.is_small(id) {
                open.extend(self.graph.node(id).operands.iter().rev().copied());
            } else if !self.shared.contains(&id) {
                self.shared.push(id);
            }
        }
    }
}

impl Trace {
    /// Cuts the loop out of `graph`, and adds it to what was there before.
    ///
    /// `next`: the next carried values; `every`: what is wanted of every round, along `along`.
    pub fn finish(
        self,
        graph: Graph,
        next: &[NodeId],
        done: Option<NodeId>,
        every: &[NodeId],
        along: Option<Axis>,
        span: Span,
    ) -> Result<(Graph, Looped), TypeError> {
        let mut varies = vec![false; graph.nodes.len()];
        // An own derivative made in the body stays there with its rule.
        let known = self.before.nodes.len();
        for node in &graph.nodes[known..] {
            if let Op::Own(rule) = node.op {
                let rule = &graph.own_rules[rule.0 as usize];
                rule.stand_ins().for_each(|id| varies[id.0 as usize] = true);
            }
        }
        for (number, node) in graph.nodes.iter().enumerate() {
            let own = number >= known && matches!(node.op, Op::Own(_));
            let hole = varies[number] || own || self.holes.contains(&NodeId(number as u32));
            varies[number] = hole || node.operands.iter().any(|operand| varies[operand.0 as usize]);
        }
        let mut cut = Cut { graph: &graph, trace: &self, varies, sliced: Vec::new(), shared: Vec::new() };
        let mut seen = vec![false; graph.nodes.len()];
        for id in next.iter().chain(every).chain(&done) {
            cut.visit(*id, &mut seen);
        }
        // Rules have smaller numbers than the values that they belong to.
        for number in (known..graph.nodes.len()).rev().filter(|_| !graph.own_rules.is_empty()) {
            if let (true, Op::Own(rule)) = (seen[number], &graph.nodes[number].op) {
                for id in graph.own_rules[rule.0 as usize].nodes() {
                    cut.visit(id, &mut seen);
                }
            }
        }
        let Cut { varies, sliced, shared, .. } = &cut;

        // The graph around: what was there, and what the body needs of what is new and the same in all rounds.
        let mut outer = self.before.clone();
        outer.axes = graph.axes.clone();
        outer.checks = graph.checks.clone();
        let mut needed = vec![false; graph.nodes.len()];
        for id in sliced.iter().map(|(id, _)| id).chain(shared) {
            needed[id.0 as usize] = true;
        }
        for number in (known..graph.nodes.len()).rev().filter(|number| !varies[*number]) {
            if needed[number] {
                graph.nodes[number].operands.iter().for_each(|operand| needed[operand.0 as usize] = true);
            }
        }
        let mut now: Vec<NodeId> = (0..graph.nodes.len() as u32).map(NodeId).collect();
        for number in known..graph.nodes.len() {
            if needed[number] && !varies[number] {
                let node = &graph.nodes[number];
                let operands: Vec<NodeId> = node.operands.iter().map(|id| now[id.0 as usize]).collect();
                now[number] = copy(&mut outer, &graph, NodeId(number as u32), &operands)?;
            }
        }

        // The body.
        let mut body = Graph::new();
        body.axes = graph.axes.clone();
        body.checks = graph.checks.clone();
        let ty = |id: NodeId| graph.type_at(id);
        let carried = self.starts.len();
        let mut inputs: Vec<Type> = self.holes[..carried].iter().map(|id| ty(*id)).collect();
        for (id, axis) in sliced {
            let whole = ty(*id);
            inputs.push(Type::new(whole.element, whole.axes.without(*axis)));
        }
        inputs.extend(shared.iter().map(|id| ty(*id)));
        inputs.push(Type::new(Element::Index, AxisSet::new()));
        let mut inner: Vec<Option<NodeId>> = vec![None; graph.nodes.len()];
        let number_of = |id: NodeId| -> Option<usize> {
            if let Some(hole) = self.holes.iter().position(|hole| *hole == id) {
                return Some(if hole < carried { hole } else { inputs.len() - 1 });
            }
            if let Some(slice) = cut.slice(id) {
                return Some(carried + sliced.iter().position(|known| *known == slice)?);
            }
            Some(carried + sliced.len() + shared.iter().position(|known| *known == id)?)
        };
        for number in 0..graph.nodes.len() {
            let id = NodeId(number as u32);
            if !seen[number] {
                continue;
            }
            let node = graph.node(id);
            body.span = node.span;
            let op = match &node.op {
                Op::Own(rule) => {
                    let moved = |id: NodeId| inner[id.0 as usize].unwrap_or(NodeId(0));
                    Op::Own(body.own_rule(graph.own_rules[rule.0 as usize].moved(moved)))
                }
                op => op.clone(),
            };
            inner[number] = Some(match number_of(id) {
                Some(input) => {
                    let ty = &inputs[input];
                    body.input(InputId(input as u32), ty.element, ty.axes.clone())
                }
                None => {
                    let operands: SmallVec<[NodeId; 3]> =
                        node.operands.iter().filter_map(|operand| inner[operand.0 as usize]).collect();
                    copy_as(op, &mut body, &graph, id, &operands)?
                }
            });
        }
        let at = |id: &NodeId| inner[id.0 as usize].unwrap_or(NodeId(0));
        let made = Loop {
            rounds: self.rounds,
            reverse: false,
            next: next.iter().map(at).collect(),
            sliced: sliced.iter().map(|(_, axis)| *axis).collect(),
            inputs: inputs.clone(),
            done: done.as_ref().map(at),
            graph: body,
        };
        let every: Vec<NodeId> = every.iter().map(at).collect();
        let made = Body(Arc::new(made));
        let mut operands = self.starts.clone();
        operands.extend(sliced.iter().map(|(id, _)| now[id.0 as usize]));
        operands.extend(shared.iter().map(|id| now[id.0 as usize]));
        let mut looped = Looped { last: Vec::new(), every: Vec::new() };
        for number in 0..carried {
            let take = Take::Last(number);
            looped.last.push(outer.add(Op::Scan { body: made.clone(), take }, &operands, span)?);
        }
        for node in every {
            let Some(axis) = along else { break };
            let take = Take::Every { node, axis };
            looped.every.push(outer.add(Op::Scan { body: made.clone(), take }, &operands, span)?);
        }
        Ok((outer, looped))
    }
}

/// The node once more, in another graph.
fn copy(to: &mut Graph, from: &Graph, id: NodeId, operands: &[NodeId]) -> Result<NodeId, TypeError> {
    copy_as(from.node(id).op.clone(), to, from, id, operands)
}

fn copy_as(
    op: Op,
    to: &mut Graph,
    from: &Graph,
    id: NodeId,
    operands: &[NodeId],
) -> Result<NodeId, TypeError> {
    let node = from.node(id);
    to.span = node.span;
    match op {
        Op::Input(input) => Ok(to.input(input, node.element, node.axes.clone())),
        Op::Broadcast(axes) if axes.is_empty() => Ok(to.variable(operands[0])),
        op => to.add(op, operands, node.span),
    }
}
