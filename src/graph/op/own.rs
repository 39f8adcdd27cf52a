//! A value whose derivative is given: operand 0, as a function of the other operands by the rule in the graph's table.
//!
//! The rule is a part of the graph made with stand-ins for the operands and for the gradient by the value; it is computed once
//! more with the real ones. It is made of primitives, so it can be differentiated again.

use std::collections::{HashMap, HashSet};

use super::Op;
use super::signature::{FLOAT, Signature, Type, TypeError};
use crate::graph::Graph;
use crate::graph::differentiate::Adjoints;
use crate::graph::fault::Fault;
use crate::graph::node::{Node, NodeId};
use crate::graph::reference::Scope;

/// How the gradient by a value becomes the gradients by what it was computed from.
#[derive(Clone, Debug, PartialEq)]
pub struct OwnRule {
    /// Stands for the gradient by the value.
    pub upstream: NodeId,
    /// Stand for the operands after the value.
    pub operands: Vec<NodeId>,
    /// The gradient by each of them; none where it is zero.
    pub gradients: Vec<Option<NodeId>>,
}

impl OwnRule {
    /// What stands for the operands and for the gradient by the value.
    pub fn stand_ins(&self) -> impl Iterator<Item = NodeId> {
        self.operands.iter().copied().chain([self.upstream])
    }

    /// All nodes that the rule names.
    pub fn nodes(&self) -> impl Iterator<Item = NodeId> {
        self.stand_ins().chain(self.gradients.iter().copied().flatten())
    }

    /// The same rule in a graph where its nodes have other numbers.
    pub fn moved(&self, to: impl Fn(NodeId) -> NodeId) -> OwnRule {
        OwnRule {
            upstream: to(self.upstream),
            operands: self.operands.iter().map(|id| to(*id)).collect(),
            gradients: self.gradients.iter().map(|id| id.map(&to)).collect(),
        }
    }
}

impl Graph {
    /// Adds a row to the table of own rules.
    pub fn own_rule(&mut self, rule: OwnRule) -> OwnId {
        self.own_rules.push(rule);
        OwnId(self.own_rules.len() as u32 - 1)
    }
}

/// A row of the graph's table of own rules: see `Graph::own_rules`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct OwnId(pub u32);

pub fn type_rule(s: &Signature) -> Result<Type, TypeError> {
    s.expect(0, FLOAT)?;
    Ok(Type::new(s.element(0), s.axes(0).clone()))
}

pub fn reference(scope: &Scope) -> Result<Vec<f64>, Fault> {
    Ok(scope.map(|point| scope.operands[0].at(point)))
}

pub fn derivative(g: &mut Graph, id: NodeId, adjoint: NodeId) -> Result<Adjoints, TypeError> {
    let node = g.node(id);
    let operands = node.operands.clone();
    let mut adjoints: Adjoints = operands.iter().map(|_| None).collect();
    let Op::Own(rule) = node.op else { return Ok(adjoints) };
    let Some(rule) = g.own_rules.get(rule.0 as usize).cloned() else { return Ok(adjoints) };
    let mut replaced: HashMap<NodeId, NodeId> =
        rule.operands.iter().copied().zip(operands.iter().skip(1).copied()).collect();
    replaced.insert(rule.upstream, adjoint);
    let wanted: Vec<NodeId> = rule.gradients.iter().copied().flatten().collect();
    let mut found = g.replay(&wanted, &replaced, &HashSet::new())?.into_iter();
    for (slot, gradient) in adjoints.iter_mut().skip(1).zip(&rule.gradients) {
        *slot = gradient.and_then(|_| found.next());
    }
    Ok(adjoints)
}

/// The value is there already.
pub fn flops(_: &Graph, _: &Node) -> u64 {
    0
}
