//! `minimize`: terms, gradients by parameters, and the optimizer's step on them.

use std::sync::Arc;

use super::elaborator::Elaborator;
use super::fail;
use super::outcome::Recorded;
use super::train::{Block, Initial};
use super::value::{Delayed, Frame, Stored, Value};
use crate::check::program::Target;
use crate::diagnostic::Checked;
use crate::graph::{AxisSet, Element, NodeId, Op};
use crate::source::Span;
use crate::syntax::ast::{ExprKind, ItemKind, Objective, Optimizer};

impl<'p> Elaborator<'_, 'p> {
    pub fn objective(&mut self, objective: &'p Objective, block: &mut Block) -> Checked<()> {
        let span = objective.span;
        self.refuse_unavailable(objective)?;
        let total = self.terms(objective, block)?;
        let parameters = self.parameters_of(objective, total)?;
        let Some(with) = &objective.with else { return Err(fail::no_optimizer(span)) };
        let Value::Optimizer(optimizer) = self.eval(with)? else {
            return Err(fail::fault(with.span, "something that is no optimizer after `with`"));
        };
        let at: Vec<NodeId> = parameters.iter().map(|parameter| self.read(parameter)).collect();
        let mut gradients = self.gradients(total, &at, span)?;
        if objective.maximize {
            for gradient in &mut gradients {
                let up = *gradient;
                *gradient = self.build(span, |g| g.neg(up))?;
            }
        }
        self.optimize(&optimizer, &parameters, &at, &gradients, block, span)?;
        for parameter in parameters {
            if !block.updated.contains(&parameter) {
                block.updated.push(parameter);
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
        if let Some(steps) = &objective.steps {
            return Err(fail::unavailable(steps.span, "an inner loop (`steps`)"));
        }
        if let Some(project) = &objective.project {
            return Err(fail::unavailable(project.span, "a projection (`project`)"));
        }
        Ok(())
    }

    /// Records every term; the objective is their sum.
    fn terms(&mut self, objective: &'p Objective, block: &mut Block) -> Checked<NodeId> {
        let mut total: Option<NodeId> = None;
        for term in &objective.terms {
            let name = term.name.as_ref().map_or("loss", |name| name.text.as_str());
            let span = term.value.span;
            let value = self.named(name, |e| e.float_of(&term.value))?;
            let value = self.expect_scalar(value, "a term of an objective", span)?;
            let unique = match block.terms.iter().filter(|known| base(&known.name) == name).count() {
                0 => name.to_owned(),
                n => format!("{name}.{}", n + 1),
            };
            let stored = self.allocate(&unique, Element::Float, &[])?;
            self.write(&stored, value, span)?;
            block.terms.push(Recorded { name: unique, slot: stored.slot, span });
            total = Some(match total {
                Some(total) => self.build(span, |g| g.plus(total, value))?,
                None => value,
            });
        }
        total.ok_or_else(|| fail::fault(objective.span, "an objective without terms"))
    }

    /// Those of `over`, or every parameter that the terms depend on.
    fn parameters_of(&mut self, objective: &'p Objective, total: NodeId) -> Checked<Vec<Stored>> {
        let reached = self.reached(total);
        if objective.over.is_empty() {
            let all: Vec<Stored> = self.scope.parameters.values().cloned().collect();
            let mut found = Vec::new();
            for parameter in all {
                if let Some(node) = self.seen_node(&parameter)
                    && reached[node.0 as usize]
                {
                    found.push(parameter);
                }
            }
            return match found.is_empty() {
                true => Err(fail::no_parameters(objective.span)),
                false => Ok(found),
            };
        }
        let mut wanted: Vec<Stored> = Vec::new();
        for expr in &objective.over {
            let value = self.eval(expr)?;
            let mut found = Vec::new();
            match value {
                Value::Stored(stored) => found.push(stored),
                other => other.parameters(&mut found),
            }
            if found.is_empty() {
                return Err(fail::no_parameters(expr.span));
            }
            for parameter in found {
                let node = self.seen_node(&parameter);
                if !node.is_some_and(|node| reached.get(node.0 as usize).copied().unwrap_or(false)) {
                    return Err(fail::unreached(expr.span, &parameter.name, objective.span));
                }
                if !wanted.contains(&parameter) {
                    wanted.push(parameter);
                }
            }
        }
        Ok(wanted)
    }

    /// The node by which a parameter is read in this program, if it is read at all.
    fn seen_node(&self, parameter: &Stored) -> Option<NodeId> {
        if let Some(node) = self.current.get(&parameter.slot) {
            return Some(*node);
        }
        let input = self.output.inputs.iter().position(|input| input.slot == parameter.slot)?;
        let nodes = &self.graph().nodes;
        let is_input = |node: &crate::graph::Node| matches!(node.op, Op::Input(id) if id.0 as usize == input);
        nodes.iter().position(is_input).map(|at| NodeId(at as u32))
    }

    /// Which nodes a gradient of this one can flow to.
    fn reached(&self, from: NodeId) -> Vec<bool> {
        let nodes = &self.graph().nodes;
        let mut reached = vec![false; nodes.len()];
        reached[from.0 as usize] = true;
        for at in (0..nodes.len()).rev() {
            let node = &nodes[at];
            if !reached[at] || node.element != Element::Float || node.op == Op::Stop {
                continue;
            }
            for operand in &node.operands {
                reached[operand.0 as usize] = true;
            }
        }
        reached
    }

    /// The step of an optimizer: `p`, `g` and the states hold one value for each parameter.
    fn optimize(
        &mut self,
        optimizer: &Delayed<'p>,
        parameters: &[Stored],
        at: &[NodeId],
        gradients: &[NodeId],
        block: &mut Block,
        span: Span,
    ) -> Checked<()> {
        let ItemKind::Optimizer(declared) = &self.typed().item(optimizer.item).kind else {
            return Err(fail::fault(span, "an optimizer that is none"));
        };
        let frame = self.optimizer_frame(optimizer, declared)?;
        // A state is a scalar unless it is given a value for each parameter; that shows by executing the step.
        let mut shaped = vec![false; declared.states.len()];
        for _ in 0..=declared.states.len() {
            let mut probe: Vec<Value<'p>> = Vec::with_capacity(shaped.len());
            for (k, (name, _)) in declared.states.iter().enumerate() {
                probe.push(self.probe(&name.text, shaped[k], parameters, at)?);
            }
            let (_, after) = self.optimizer_step(declared, &frame, at, gradients, &probe, span)?;
            let found: Vec<bool> = after
                .iter()
                .zip(&shaped)
                .map(|(value, known)| *known || matches!(value, Value::Bundle(_)))
                .collect();
            if found == shaped {
                break;
            }
            shaped = found;
        }
        let mut slots: Vec<Vec<Stored>> = Vec::with_capacity(shaped.len());
        let mut before: Vec<Value<'p>> = Vec::with_capacity(shaped.len());
        for (k, (name, initial)) in declared.states.iter().enumerate() {
            let start =
                self.in_frame(frame.clone(), |e| e.static_number(initial, "the start of a state")).0?;
            let stored = self.state_slots(&name.text, shaped[k], parameters)?;
            let nodes: Vec<Value<'p>> = stored.iter().map(|state| Value::Node(self.read(state))).collect();
            before.push(match (shaped[k], nodes.first()) {
                (false, Some(only)) => only.clone(),
                _ => Value::Bundle(Arc::new(nodes)),
            });
            block.states.extend(stored.iter().map(|state| (state.clone(), Initial::Number(start))));
            slots.push(stored);
        }
        let (result, after) = self.optimizer_step(declared, &frame, at, gradients, &before, span)?;
        for (stored, value) in slots.iter().zip(&after) {
            self.keep_states(stored, value, span)?;
        }
        self.keep_states(parameters, &result, span)
    }

    /// The optimizer's arguments, evaluated in this step.
    fn optimizer_frame(&mut self, optimizer: &Delayed<'p>, declared: &'p Optimizer) -> Checked<Frame<'p>> {
        let (ExprKind::Call(call), Some(info)) =
            (&optimizer.expr.kind, self.typed().calls.get(&optimizer.expr.id))
        else {
            return Err(fail::fault(optimizer.expr.span, "an optimizer that is not called"));
        };
        if !matches!(info.target, Target::Optimizer(_)) {
            return Err(fail::fault(optimizer.expr.span, "an optimizer that is not called"));
        }
        let arguments =
            self.in_frame(optimizer.frame.clone(), |e| e.arguments(&declared.parameters, info, call)).0?;
        let span = optimizer.expr.span;
        let (bound, frame) =
            self.in_frame(Frame::default(), |e| e.bind_parameters(&declared.parameters, arguments, span));
        bound?;
        Ok(frame)
    }

    /// A stand-in for a state of unknown shape: reads nothing that the final program would keep.
    fn probe(
        &mut self,
        name: &str,
        shaped: bool,
        parameters: &[Stored],
        at: &[NodeId],
    ) -> Checked<Value<'p>> {
        let _ = (name, parameters);
        match shaped {
            true => Ok(Value::Bundle(Arc::new(at.iter().map(|node| Value::Node(*node)).collect()))),
            // Not a number known now, which would fold conditions on it.
            false => match self.moment {
                Some(moment) => Ok(Value::Node(moment.progress)),
                None => Ok(Value::Number(0.0)),
            },
        }
    }

    fn state_slots(&mut self, name: &str, shaped: bool, parameters: &[Stored]) -> Checked<Vec<Stored>> {
        match shaped {
            true => parameters
                .iter()
                .map(|parameter| {
                    self.allocate(&format!("{}.{name}", parameter.name), Element::Float, &parameter.layout)
                })
                .collect(),
            false => Ok(vec![self.allocate(name, Element::Float, &[])?]),
        }
    }

    /// Executes the step: the new parameters, and the states after it.
    fn optimizer_step(
        &mut self,
        declared: &'p Optimizer,
        frame: &Frame<'p>,
        at: &[NodeId],
        gradients: &[NodeId],
        states: &[Value<'p>],
        span: Span,
    ) -> Checked<(Value<'p>, Vec<Value<'p>>)> {
        let bundle =
            |nodes: &[NodeId]| Value::Bundle(Arc::new(nodes.iter().map(|node| Value::Node(*node)).collect()));
        let step = match self.moment {
            Some(moment) => moment.step,
            None => return Err(fail::fault(span, "an optimizer outside a train block")),
        };
        let step = self.as_float(step, span)?;
        // The first step has the number 1.
        let number = self.build(span, |g| {
            let one = g.float(1.0)?;
            g.plus(step, one)
        })?;
        let mut frame = frame.clone();
        for ((name, _), value) in declared.states.iter().zip(states) {
            frame.values.insert(name.span, value.clone());
        }
        let arguments = [bundle(at), bundle(gradients), Value::Node(number)];
        for (parameter, value) in declared.step.parameters.iter().zip(arguments) {
            frame.values.insert(parameter.name.span, value);
        }
        let (result, after) =
            self.in_frame(frame, |e| e.named(&declared.name.text, |e| e.block(&declared.step.body)));
        let states = declared
            .states
            .iter()
            .map(|(name, _)| after.values.get(&name.span).cloned().unwrap_or(Value::Unit))
            .collect();
        Ok((result?, states))
    }

    /// The new values of states or parameters, which later statements of the step see.
    fn keep_states(&mut self, stored: &[Stored], value: &Value<'p>, span: Span) -> Checked<()> {
        for (k, state) in stored.iter().enumerate() {
            let value = match value {
                Value::Bundle(parts) => parts.get(k).cloned().unwrap_or(Value::Unit),
                other => other.clone(),
            };
            let axes = AxisSet::from(&state.layout[..]);
            let node = self.float(&value, span)?;
            let node = self.broadcast(node, &axes, span)?;
            if self.axes_of(node) != axes {
                return Err(fail::fault(span, format!("a step that changes the axes of `{}`", state.name)));
            }
            self.current.insert(state.slot, node);
        }
        Ok(())
    }
}

/// The name without the number of a later objective.
fn base(name: &str) -> &str {
    name.split('.').next().unwrap_or(name)
}
