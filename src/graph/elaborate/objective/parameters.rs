//! Which parameters an objective updates, and the values of theirs that its terms depend on.
//!
//! A parameter has one value at the start of a step and a new one after every update. A term that was computed before an
//! update still depends on the earlier value; its gradient by that value is what the objective's gradient is.

use std::collections::{HashMap, HashSet};

use super::TermValue;
use crate::diagnostic::Checked;
use crate::graph::elaborate::elaborator::Elaborator;
use crate::graph::elaborate::fail;
use crate::graph::elaborate::value::{Stored, Value};
use crate::graph::{Node, NodeId, Op, Slot};
use crate::source::Span;
use crate::syntax::ast::{Expr, Objective};

/// A parameter with those of its values in this step that the terms depend on.
pub(super) struct Trained {
    pub stored: Stored,
    pub versions: Vec<NodeId>,
}

impl<'p> Elaborator<'_, 'p> {
    /// Those of `over`, or every parameter that the terms depend on.
    pub(super) fn parameters_of(
        &mut self,
        objective: &'p Objective,
        terms: &[TermValue],
        violations: &[NodeId],
    ) -> Checked<Vec<Trained>> {
        let free: Vec<NodeId> =
            terms.iter().filter(|term| term.over.is_none()).map(|term| term.value).collect();
        let free: Vec<NodeId> = free.into_iter().chain(violations.iter().copied()).collect();
        let of_all = self.graph().reached_by_gradients(&free);
        let mut routed = Vec::new();
        for term in terms {
            if let Some(over) = &term.over {
                routed.push((over, self.graph().reached_by_gradients(&[term.value])));
            }
        }
        // Whether gradients by this parameter come from a node.
        let is_reached = |slot: Slot, id: NodeId| -> bool {
            let by = |reached: &[bool]| reached.get(id.0 as usize).copied().unwrap_or(false);
            by(&of_all) || routed.iter().any(|(over, by_term)| over.contains(&slot) && by(by_term))
        };
        let inputs = self.inputs_by_slot();
        let trained = |e: &Self, stored: Stored| -> Option<Trained> {
            let mut versions = e.versions_from(inputs.get(&stored.slot).copied(), &stored);
            versions.retain(|id| is_reached(stored.slot, *id));
            (!versions.is_empty()).then_some(Trained { stored, versions })
        };
        if objective.over.is_empty() {
            let all: Vec<Stored> = self.scope.parameters.values().cloned().collect();
            let found: Vec<Trained> =
                all.into_iter().filter_map(|parameter| trained(self, parameter)).collect();
            return match found.is_empty() {
                true => Err(fail::no_parameters(objective.span)),
                false => Ok(found),
            };
        }
        let mut wanted: Vec<Trained> = Vec::new();
        let mut known: HashSet<Slot> = HashSet::new();
        for expr in &objective.over {
            for parameter in self.named_parameters(expr)? {
                let name = parameter.name.clone();
                let Some(trained) = trained(self, parameter) else {
                    return Err(fail::unreached(expr.span, &name, objective.span));
                };
                if known.insert(trained.stored.slot) {
                    wanted.push(trained);
                }
            }
        }
        Ok(wanted)
    }

    /// The parameters of a model, or the one parameter, that stands after `over`.
    pub(super) fn named_parameters(&mut self, expr: &'p Expr) -> Checked<Vec<Stored>> {
        let mut found = Vec::new();
        match self.eval(expr)? {
            Value::Stored(stored) => found.push(stored),
            other => other.parameters(&mut found),
        }
        match found.is_empty() {
            true => Err(fail::no_parameters(expr.span)),
            false => Ok(found),
        }
    }

    /// The nodes by which a parameter is read in this program, from the first on.
    pub(in crate::graph::elaborate) fn all_versions(&self, parameter: &Stored) -> Vec<NodeId> {
        let input = self.output.inputs.iter().position(|input| input.slot == parameter.slot);
        let is_input = |node: &Node| matches!(node.op, Op::Input(id) if Some(id.0 as usize) == input);
        let node = input.and_then(|_| self.graph().nodes.iter().position(is_input));
        self.versions_from(node.map(|at| NodeId(at as u32)), parameter)
    }

    /// The node of the first input that reads each slot, where there is one.
    fn inputs_by_slot(&self) -> HashMap<Slot, NodeId> {
        let mut first = HashMap::new();
        for (number, input) in self.output.inputs.iter().enumerate() {
            first.entry(input.slot).or_insert(number);
        }
        let mut found = HashMap::new();
        for (at, node) in self.graph().nodes.iter().enumerate() {
            let Op::Input(id) = node.op else { continue };
            let Some(input) = self.output.inputs.get(id.0 as usize) else { continue };
            if first.get(&input.slot) == Some(&(id.0 as usize)) {
                found.entry(input.slot).or_insert(NodeId(at as u32));
            }
        }
        found
    }

    fn versions_from(&self, input: Option<NodeId>, parameter: &Stored) -> Vec<NodeId> {
        let mut found: Vec<NodeId> = input.into_iter().collect();
        let later = self.versions.get(&parameter.slot).into_iter().flatten();
        for id in later.chain(self.current.get(&parameter.slot)) {
            if !found.contains(id) {
                found.push(*id);
            }
        }
        found
    }

    /// Gives a slot a new value, which later statements see. No gradient flows back through the update.
    pub(super) fn replace(&mut self, stored: &Stored, value: NodeId, span: Span) -> Checked<NodeId> {
        let cut = self.build(span, |g| g.stop(value))?;
        self.current.insert(stored.slot, cut);
        self.versions.entry(stored.slot).or_default().push(cut);
        Ok(cut)
    }

    /// The gradient by each parameter: the sum of those by its values.
    pub(in crate::graph::elaborate) fn gradients_by_versions(
        &mut self,
        total: NodeId,
        versions: &[Vec<NodeId>],
        span: Span,
    ) -> Checked<Vec<NodeId>> {
        let all: Vec<NodeId> = versions.iter().flatten().copied().collect();
        let mut gradients = self.gradients(total, &all, span)?.into_iter();
        let mut sums = Vec::with_capacity(versions.len());
        for of_one in versions {
            let mut sum: Option<NodeId> = None;
            for gradient in gradients.by_ref().take(of_one.len()) {
                sum = Some(match sum {
                    Some(sum) => self.build(span, |g| g.plus(sum, gradient))?,
                    None => gradient,
                });
            }
            sums.push(sum.ok_or_else(|| fail::fault(span, "a parameter without a value"))?);
        }
        Ok(sums)
    }
}
