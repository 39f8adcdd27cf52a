//! `minimize` and `maximize`: terms, gradients by parameters, and the optimizer's step on them, once or several times.

mod combine;
mod constraint;
mod optimizer;
mod parameters;
mod remember;
mod terms;

use std::collections::{HashMap, HashSet};

use super::elaborator::Elaborator;
use super::fail;
use super::outcome::Recorded;
use super::train::Block;
use super::value::{Stored, Value};
use crate::diagnostic::Checked;
use crate::graph::{AxisSet, Element, NodeId, Slot};
use crate::source::Span;
use crate::syntax::ast::Objective;

use combine::{Combined, Combiner};
use constraint::Limit;
use parameters::Trained;

/// A term of an objective as it stands in the step.
struct TermValue {
    value: NodeId,
    span: Span,
    /// The parameters that it alone trains; none: all of the objective's.
    over: Option<Vec<Slot>>,
    /// Where its name is; none: it is the only one.
    name: Option<Span>,
}

/// What happens in every round of an objective.
struct Running<'p> {
    terms: Vec<TermValue>,
    limits: Vec<Limit<'p>>,
    combiner: Option<Combiner<'p>>,
    parameters: Vec<Trained>,
    maximize: bool,
    span: Span,
}

impl<'p> Elaborator<'_, 'p> {
    pub fn objective(&mut self, objective: &'p Objective, block: &mut Block) -> Checked<()> {
        let span = objective.span;
        let rounds = match &objective.steps {
            Some(steps) => match self.static_size(steps, "the number of inner steps")? {
                0 => return Err(fail::not_positive(steps.span, "the number of inner steps")),
                rounds => rounds,
            },
            None => 1,
        };
        let ordinals = self.ordinals.clone();
        let is_first = block.terms.is_empty();
        let terms = self.terms(objective, block)?;
        if is_first {
            block.of_first = terms.len();
        }
        let mut limits = Vec::with_capacity(objective.constraints.len());
        for constraint in &objective.constraints {
            limits.push(self.limit(constraint, block)?);
        }
        let mut first: Vec<NodeId> = terms.iter().map(|term| term.value).collect();
        first.extend(limits.iter().map(|limit| limit.violation));
        let parameters = self.parameters_of(objective, &terms, &first[terms.len()..])?;
        if objective.project.is_some() && parameters.len() != 1 {
            return Err(fail::projects_several(span, parameters.len()));
        }
        let Some(with) = &objective.with else { return Err(fail::no_optimizer(span)) };
        let Value::Optimizer(optimizer) = self.eval(with)? else {
            return Err(fail::fault(with.span, "something that is no optimizer after `with`"));
        };
        let mut method = self.optimizer(&optimizer, &parameters, block, span)?;
        let combiner = match &objective.combiner {
            Some(combiner) => {
                let Value::Optimizer(delayed) = self.eval(combiner)? else {
                    return Err(fail::fault(combiner.span, "something that is no combiner after `by`"));
                };
                let stored: Vec<&Stored> = parameters.iter().map(|p| &p.stored).collect();
                Some(self.combiner(&delayed, terms.len(), &stored, block)?)
            }
            None => None,
        };
        let maximize = objective.maximize;
        let mut running = Running { terms, limits, combiner, parameters, maximize, span };
        if objective.terms.len() >= 2 || !running.limits.is_empty() {
            let number = self.update_number(rounds, 0, method.fresh, span)?;
            self.watch_terms(objective, &mut running, &ordinals, number, block)?;
        }
        let mut values = first.clone();
        let mut versions: Vec<Vec<NodeId>> = running.parameters.iter().map(|p| p.versions.clone()).collect();
        for round in 0..rounds {
            let number = self.update_number(rounds, round, method.fresh, span)?;
            let gradients = self.objective_gradients(&mut running, &values, &versions, number)?;
            let parameters = &running.parameters;
            let at: Vec<NodeId> = parameters.iter().map(|p| self.read(&p.stored)).collect();
            let result = self.optimize(&mut method, &at, &gradients, number, span)?;
            for (k, parameter) in parameters.iter().enumerate() {
                let updated = self.updated(&parameter.stored, &result, k, span)?;
                self.current.insert(parameter.stored.slot, updated);
                let value = match &objective.project {
                    Some(project) => self.projected(&parameter.stored, project)?,
                    None => updated,
                };
                versions[k] = vec![self.replace(&parameter.stored, value, span)?];
            }
            if round + 1 < rounds {
                values = self.at_new_values(&first, parameters, &versions, span)?;
            }
        }
        let known: HashSet<Slot> = block.updated.iter().map(|stored| stored.slot).collect();
        let updated = running.parameters.into_iter().map(|parameter| parameter.stored);
        block.updated.extend(updated.filter(|stored| !known.contains(&stored.slot)));
        Ok(())
    }

    /// Records every term.
    fn terms(&mut self, objective: &'p Objective, block: &mut Block) -> Checked<Vec<TermValue>> {
        let mut terms = Vec::with_capacity(objective.terms.len());
        for term in &objective.terms {
            let name = term.name.as_ref().map_or("loss", |name| name.text.as_str());
            let span = term.value.span;
            let value = self.named(name, |e| e.float_of(&term.value))?;
            let value = self.expect_scalar(value, "a term of an objective", span)?;
            self.record_term(name, value, span, block)?;
            let mut over = None;
            for expr in &term.over {
                let named = self.named_parameters(expr)?;
                over.get_or_insert_with(Vec::new).extend(named.into_iter().map(|stored| stored.slot));
            }
            terms.push(TermValue { value, span, over, name: term.name.as_ref().map(|name| name.span) });
        }
        if terms.is_empty() {
            return Err(fail::fault(objective.span, "an objective without terms"));
        }
        Ok(terms)
    }

    fn record_term(&mut self, name: &str, value: NodeId, span: Span, block: &mut Block) -> Checked<String> {
        let unique = match block.terms.iter().filter(|known| base(&known.name) == name).count() {
            0 => name.to_owned(),
            n => format!("{name}.{}", n + 1),
        };
        let stored = self.allocate(&unique, Element::Float, &[])?;
        self.write(&stored, value, span)?;
        block.terms.push(Recorded { name: unique.clone(), slot: stored.slot, span });
        Ok(unique)
    }

    /// The direction that the optimizer takes for the gradient of what is minimized, for each parameter.
    fn objective_gradients(
        &mut self,
        running: &mut Running<'p>,
        values: &[NodeId],
        versions: &[Vec<NodeId>],
        number: NodeId,
    ) -> Checked<Vec<NodeId>> {
        let span = running.span;
        let (values, violations) = values.split_at(running.terms.len());
        let losses = self.losses(running, values)?;
        let penalty = self.penalties(&mut running.limits, violations, number)?;
        let stored: Vec<&Stored> = running.parameters.iter().map(|p| &p.stored).collect();
        let routed = running.terms.iter().any(|term| term.over.is_some());
        let mut weighted = losses.clone();
        if let Some(combiner) = &mut running.combiner {
            let by_term = match combiner.by_term() {
                true => self.gradients_by_term(&running.terms, &losses, &stored, versions, span)?,
                false => Vec::new(),
            };
            let combined = self.combine(combiner, &losses, &by_term, &stored, number)?;
            let gradients = match combined {
                Combined::Direction(direction) => Some(direction),
                Combined::Weights(weights) if combiner.by_term() => {
                    Some(self.weighted(weights, &by_term, combiner.task(), span)?)
                }
                Combined::Weights(weights) => {
                    let weights = self.build(span, |g| g.stop(weights))?;
                    for (at, loss) in weighted.iter_mut().enumerate() {
                        let weight = self.weight_at(weights, combiner.task(), at, span)?;
                        let value = *loss;
                        *loss = self.build(span, |g| g.mul(weight, value))?;
                    }
                    None
                }
            };
            if let Some(gradients) = gradients {
                return self.with_penalty(gradients, penalty, versions, span);
            }
        }
        if routed {
            let by_term = self.gradients_by_term(&running.terms, &weighted, &stored, versions, span)?;
            let mut sums = by_term[0].clone();
            for of_term in &by_term[1..] {
                for (sum, gradient) in sums.iter_mut().zip(of_term) {
                    let before = *sum;
                    *sum = self.build(span, |g| g.plus(before, *gradient))?;
                }
            }
            return self.with_penalty(sums, penalty, versions, span);
        }
        let mut total = weighted[0];
        for (term, value) in running.terms.iter().zip(&weighted).skip(1) {
            total = self.build(term.span, |g| g.plus(total, *value))?;
        }
        if let Some(penalty) = penalty {
            total = self.build(span, |g| g.plus(total, penalty))?;
        }
        self.gradients_by_versions(total, versions, span)
    }

    /// What is minimized of each term.
    fn losses(&mut self, running: &Running<'p>, values: &[NodeId]) -> Checked<Vec<NodeId>> {
        let mut losses = values.to_vec();
        if running.maximize {
            for loss in &mut losses {
                let value = *loss;
                *loss = self.build(running.span, |g| g.neg(value))?;
            }
        }
        Ok(losses)
    }

    /// For each term its gradient by each parameter, 0 where it is routed past it.
    fn gradients_by_term(
        &mut self,
        terms: &[TermValue],
        losses: &[NodeId],
        parameters: &[&Stored],
        versions: &[Vec<NodeId>],
        span: Span,
    ) -> Checked<Vec<Vec<NodeId>>> {
        let mut all = Vec::with_capacity(terms.len());
        for (term, loss) in terms.iter().zip(losses) {
            let mut gradients = self.gradients_by_versions(*loss, versions, span)?;
            for (gradient, parameter) in gradients.iter_mut().zip(parameters) {
                if term.over.as_ref().is_some_and(|over| !over.contains(&parameter.slot)) {
                    let zero = self.build(span, |g| g.float(0.0))?;
                    *gradient = self.broadcast(zero, &AxisSet::from(&parameter.layout[..]), span)?;
                }
            }
            all.push(gradients);
        }
        Ok(all)
    }

    fn with_penalty(
        &mut self,
        mut gradients: Vec<NodeId>,
        penalty: Option<NodeId>,
        versions: &[Vec<NodeId>],
        span: Span,
    ) -> Checked<Vec<NodeId>> {
        if let Some(penalty) = penalty {
            let more = self.gradients_by_versions(penalty, versions, span)?;
            for (gradient, more) in gradients.iter_mut().zip(more) {
                let before = *gradient;
                *gradient = self.build(span, |g| g.plus(before, more))?;
            }
        }
        Ok(gradients)
    }

    /// How often the optimizer was called, with this call, as a Float: what it knows as `t`.
    fn update_number(&mut self, rounds: usize, round: usize, fresh: bool, span: Span) -> Checked<NodeId> {
        let Some(moment) = self.moment else {
            return Err(fail::fault(span, "an optimizer outside a train block"));
        };
        if fresh {
            return self.build(span, |g| g.float(round as f64 + 1.0));
        }
        let step = self.as_float(moment.step, span)?;
        self.build(span, |g| {
            let before = g.scale(step, rounds as f64)?;
            let number = g.float(round as f64 + 1.0)?;
            g.plus(before, number)
        })
    }

    /// The optimizer's new value for the parameter at `k`, over the parameter's axes.
    fn updated(&mut self, stored: &Stored, result: &Value<'p>, k: usize, span: Span) -> Checked<NodeId> {
        let value = match result {
            Value::Bundle(parts) => parts.get(k).cloned().unwrap_or(Value::Unit),
            other => other.clone(),
        };
        self.shaped_like(stored, &value, span)
    }

    /// `project e`: the target's name is its updated value.
    fn projected(&mut self, stored: &Stored, project: &'p crate::syntax::ast::Expr) -> Checked<NodeId> {
        let value = self.eval(project)?;
        self.shaped_like(stored, &value, project.span)
    }

    /// The value over exactly the axes of the slot.
    pub(super) fn shaped_like(&mut self, stored: &Stored, value: &Value<'p>, span: Span) -> Checked<NodeId> {
        let axes = AxisSet::from(&stored.layout[..]);
        let node = self.float(value, span)?;
        let node = self.broadcast(node, &axes, span)?;
        match self.axes_of(node) == axes {
            true => Ok(node),
            false => Err(fail::fault(span, format!("a step that changes the axes of `{}`", stored.name))),
        }
    }

    /// The terms computed again from the parameters' new values.
    fn at_new_values(
        &mut self,
        values: &[NodeId],
        parameters: &[Trained],
        versions: &[Vec<NodeId>],
        span: Span,
    ) -> Checked<Vec<NodeId>> {
        let mut replaced = HashMap::new();
        for (parameter, new) in parameters.iter().zip(versions) {
            replaced.extend(parameter.versions.iter().map(|old| (*old, new[0])));
        }
        let kept =
            self.versions.values().flatten().copied().filter(|id| !replaced.contains_key(id)).collect();
        self.output.graph.replay(values, &replaced, &kept).map_err(|error| fail::type_fault(span, &error))
    }
}

/// The name without the number of a later objective.
fn base(name: &str) -> &str {
    name.split('.').next().unwrap_or(name)
}
