//! `minimize` and `maximize`: terms, gradients by parameters, and the optimizer's step on them, once or several times.

mod optimizer;
mod parameters;

use std::collections::HashMap;

use super::elaborator::Elaborator;
use super::fail;
use super::outcome::Recorded;
use super::train::Block;
use super::value::{Stored, Value};
use crate::diagnostic::Checked;
use crate::graph::{AxisSet, Element, NodeId};
use crate::source::Span;
use crate::syntax::ast::Objective;

use parameters::Trained;

/// A term of an objective as it stands in the step.
struct TermValue {
    value: NodeId,
    span: Span,
}

impl<'p> Elaborator<'_, 'p> {
    pub fn objective(&mut self, objective: &'p Objective, block: &mut Block) -> Checked<()> {
        let span = objective.span;
        self.refuse_unavailable(objective)?;
        let rounds = match &objective.steps {
            Some(steps) => match self.static_size(steps, "the number of inner steps")? {
                0 => return Err(fail::not_positive(steps.span, "the number of inner steps")),
                rounds => rounds,
            },
            None => 1,
        };
        let terms = self.terms(objective, block)?;
        let first: Vec<NodeId> = terms.iter().map(|term| term.value).collect();
        let parameters = self.parameters_of(objective, &first)?;
        if objective.project.is_some() && parameters.len() != 1 {
            return Err(fail::projects_several(span, parameters.len()));
        }
        let Some(with) = &objective.with else { return Err(fail::no_optimizer(span)) };
        let Value::Optimizer(optimizer) = self.eval(with)? else {
            return Err(fail::fault(with.span, "something that is no optimizer after `with`"));
        };
        let mut method = self.optimizer(&optimizer, &parameters, block, span)?;
        let mut values = first.clone();
        let mut versions: Vec<Vec<NodeId>> = parameters.iter().map(|p| p.versions.clone()).collect();
        for round in 0..rounds {
            let gradients = self.objective_gradients(objective, &terms, &values, &versions)?;
            let number = self.update_number(rounds, round, method.fresh, span)?;
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
                values = self.at_new_values(&first, &parameters, &versions, span)?;
            }
        }
        for parameter in parameters {
            if !block.updated.contains(&parameter.stored) {
                block.updated.push(parameter.stored);
            }
        }
        Ok(())
    }

    fn refuse_unavailable(&self, objective: &Objective) -> Checked<()> {
        if let Some(combiner) = &objective.combiner {
            return Err(fail::unavailable(combiner.span, "a combiner of objectives (`by`)"));
        }
        if let Some(constraint) = objective.constraints.first() {
            return Err(fail::unavailable(constraint.condition.span, "a constraint (`subject to`)"));
        }
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
            terms.push(TermValue { value, span });
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

    /// The direction of steepest ascent of what is minimized, for each parameter.
    fn objective_gradients(
        &mut self,
        objective: &Objective,
        terms: &[TermValue],
        values: &[NodeId],
        versions: &[Vec<NodeId>],
    ) -> Checked<Vec<NodeId>> {
        let mut total = values[0];
        for (term, value) in terms.iter().zip(values).skip(1) {
            total = self.build(term.span, |g| g.plus(total, *value))?;
        }
        if objective.maximize {
            total = self.build(objective.span, |g| g.neg(total))?;
        }
        self.gradients_by_versions(total, versions, objective.span)
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
