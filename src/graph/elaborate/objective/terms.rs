//! What is recorded of the terms of a combined objective: a program of its own, so that the step stays as it is.

use std::collections::HashMap;

use super::Running;
use super::combine::Combined;
use crate::diagnostic::Checked;
use crate::graph::elaborate::elaborator::{Elaborator, finished};
use crate::graph::elaborate::fail;
use crate::graph::elaborate::outcome::{TermField, TermSlot, TermsProgram};
use crate::graph::elaborate::train::Block;
use crate::graph::elaborate::value::Stored;
use crate::graph::{Binary, Compare, Element, NodeId, Unary};
use crate::source::Span;
use crate::syntax::ast::{BinaryOperator, Expr, ExprKind, Objective, UnaryOperator};

impl<'p> Elaborator<'_, 'p> {
    /// `ordinals`: of random numbers, as they were before the terms were evaluated. `number`: what the combiner knows as `t`.
    pub(super) fn watch_terms(
        &mut self,
        objective: &'p Objective,
        running: &mut Running<'p>,
        ordinals: &HashMap<String, u32>,
        number: NodeId,
        block: &mut Block,
    ) -> Checked<()> {
        // Of an objective that a `repeat` of the step executes again, the first update is looked at.
        let again = |slot: &TermSlot| {
            running.terms.iter().any(|term| term.name == Some(slot.term))
                || running.limits.iter().any(|limit| limit.condition == slot.term)
        };
        if block.combined.iter().any(|known| known.slots.iter().any(again)) {
            return Ok(());
        }
        // Everything is added to a copy of the step so far, which computes the terms as the step does.
        let output = self.output.clone();
        let (current, versions) = (self.current.clone(), self.versions.clone());
        let (after, holes) = (self.ordinals.clone(), self.holes);
        self.output.outputs.clear();
        let slots = self.term_slots(objective, running, ordinals, number);
        let program = std::mem::replace(&mut self.output, output);
        self.output.graph.axes = program.graph.axes.clone();
        (self.current, self.versions) = (current, versions);
        (self.ordinals, self.holes) = (after, holes);
        block.combined.push(TermsProgram { program: finished(program), slots: slots?, span: running.span });
        Ok(())
    }

    fn term_slots(
        &mut self,
        objective: &'p Objective,
        running: &mut Running<'p>,
        ordinals: &HashMap<String, u32>,
        number: NodeId,
    ) -> Checked<Vec<TermSlot>> {
        let span = running.span;
        let mut slots = Vec::new();
        for limit in &running.limits {
            slots.push(self.term_slot(limit.condition, TermField::Violation, limit.violation)?);
        }
        if running.terms.len() < 2 {
            return Ok(slots);
        }
        let values: Vec<NodeId> = running.terms.iter().map(|term| term.value).collect();
        let names: Vec<Span> = running.terms.iter().filter_map(|term| term.name).collect();
        if names.len() != values.len() {
            return Err(fail::fault(span, "one of several terms has no name"));
        }
        let losses = self.losses(running, &values)?;
        let versions: Vec<Vec<NodeId>> = running.parameters.iter().map(|p| p.versions.clone()).collect();
        let stored: Vec<&Stored> = running.parameters.iter().map(|p| &p.stored).collect();
        let gradients = self.gradients_by_term(&running.terms, &losses, &stored, &versions, span)?;
        let mut weights = self.written_weights(objective, &versions, ordinals)?;
        if let Some(combiner) = &mut running.combiner
            && let Combined::Weights(given) = self.combine(combiner, &losses, &gradients, &stored, number)?
        {
            let task = combiner.task();
            for (at, weight) in weights.iter_mut().enumerate() {
                *weight = self.weight_at(given, task, at, span)?;
            }
        }
        let mut norms = Vec::with_capacity(gradients.len());
        for of_term in &gradients {
            let square = self.inner_product(of_term, of_term, span)?;
            norms.push(self.build(span, |g| g.unary(Unary::Sqrt, square))?);
        }
        for (a, name) in names.iter().enumerate() {
            for (field, node) in
                [(TermField::Value, values[a]), (TermField::Weight, weights[a]), (TermField::Norm, norms[a])]
            {
                slots.push(self.term_slot(*name, field, node)?);
            }
            for b in a + 1..names.len() {
                let inner = self.inner_product(&gradients[a], &gradients[b], span)?;
                let cosine = self.cosine(inner, [norms[a], norms[b]], span)?;
                slots.push(self.term_slot(*name, TermField::Cosine(names[b]), cosine)?);
            }
        }
        Ok(slots)
    }

    fn term_slot(&mut self, term: Span, field: TermField, node: NodeId) -> Checked<TermSlot> {
        let stored = self.allocate("term", Element::Float, &[])?;
        self.write(&stored, node, term)?;
        Ok(TermSlot { term, field, slot: stored.slot })
    }

    /// 0 where one of the gradients is 0. Rounding does not lead out of [-1, 1].
    fn cosine(&mut self, inner: NodeId, norms: [NodeId; 2], span: Span) -> Checked<NodeId> {
        self.build(span, |g| {
            let (zero, one, least) = (g.float(0.0)?, g.float(1.0)?, g.float(-1.0)?);
            let product = g.mul(norms[0], norms[1])?;
            let some = g.compare(Compare::Less, zero, product)?;
            let divisor = g.select(some, product, one)?;
            let cosine = g.binary(Binary::Divide, inner, divisor)?;
            let cosine = g.binary(Binary::Max, cosine, least)?;
            let cosine = g.binary(Binary::Min, cosine, one)?;
            g.select(some, cosine, zero)
        })
    }

    /// Of each term, the product of the factors that it is written with and that no gradient flows through.
    fn written_weights(
        &mut self,
        objective: &'p Objective,
        versions: &[Vec<NodeId>],
        ordinals: &HashMap<String, u32>,
    ) -> Checked<Vec<NodeId>> {
        // Evaluated as they were in the terms, factors are the nodes that they were there.
        self.ordinals = ordinals.clone();
        let mut weights = Vec::with_capacity(objective.terms.len());
        for term in &objective.terms {
            let name = term.name.as_ref().map_or("loss", |name| name.text.as_str());
            let mut factors = Vec::new();
            let sign = factors_of(&term.value, false, &mut factors);
            let mut weight = self.build(term.span, |g| g.float(sign))?;
            // One factor is the term itself.
            if factors.len() > 1 {
                for (factor, divides) in factors {
                    let node = self.named(name, |e| e.float_of(factor))?;
                    let reached = self.graph().reached_by_gradients(&[node]);
                    let learns = versions.iter().flatten().any(|version| reached[version.0 as usize]);
                    if !learns && self.axes_of(node).is_empty() {
                        let operation = if divides { Binary::Divide } else { Binary::Multiply };
                        weight = self.build(term.span, |g| g.binary(operation, weight, node))?;
                    }
                }
            }
            weights.push(weight);
        }
        Ok(weights)
    }
}

/// The factors of a product as it is written, each with whether it divides; the sign of what is negated.
fn factors_of<'e>(expr: &'e Expr, divides: bool, factors: &mut Vec<(&'e Expr, bool)>) -> f64 {
    match &expr.kind {
        ExprKind::Parenthesised(inner) => factors_of(inner, divides, factors),
        ExprKind::Unary { operator: UnaryOperator::Negate, value } => -factors_of(value, divides, factors),
        ExprKind::Binary { operator: BinaryOperator::Multiply, left, right, .. } => {
            factors_of(left, divides, factors) * factors_of(right, divides, factors)
        }
        ExprKind::Binary { operator: BinaryOperator::Divide, left, right, .. } => {
            factors_of(left, divides, factors) * factors_of(right, !divides, factors)
        }
        _ => {
            factors.push((expr, divides));
            1.0
        }
    }
}
