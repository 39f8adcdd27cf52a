//! The step of an optimizer: `p`, `g` and the states hold one value for each parameter.

use std::sync::Arc;

use super::parameters::Trained;
use crate::check::program::Target;
use crate::diagnostic::Checked;
use crate::graph::elaborate::elaborator::Elaborator;
use crate::graph::elaborate::fail;
use crate::graph::elaborate::train::{Block, Initial};
use crate::graph::elaborate::value::{Delayed, Frame, Stored, Value};
use crate::graph::{AxisSet, Element, NodeId};
use crate::source::Span;
use crate::syntax::ast::{ExprKind, ItemKind, Optimizer};

/// An optimizer with its arguments and its states in this step.
pub(super) struct Method<'p> {
    declared: &'p Optimizer,
    frame: Frame<'p>,
    states: Vec<State<'p>>,
    /// The parameters are made anew at every step, and the states with them.
    pub fresh: bool,
}

struct State<'p> {
    /// The slots that keep it between steps: one, or one for each parameter; none if it starts anew.
    kept: Vec<Stored>,
    value: Value<'p>,
}

impl<'p> Elaborator<'_, 'p> {
    pub(super) fn optimizer(
        &mut self,
        optimizer: &Delayed<'p>,
        parameters: &[Trained],
        block: &mut Block,
        span: Span,
    ) -> Checked<Method<'p>> {
        let ItemKind::Optimizer(declared) = &self.typed().item(optimizer.item).kind else {
            return Err(fail::fault(span, "an optimizer that is none"));
        };
        let frame = self.delayed_frame(optimizer, declared)?;
        let shaped = self.shaped_states(declared, &frame, parameters, span)?;
        let fresh = parameters.iter().all(|parameter| self.fresh.contains(&parameter.stored.slot));
        let mut states = Vec::with_capacity(shaped.len());
        for ((name, initial), shaped) in declared.states.iter().zip(shaped) {
            let start =
                self.in_frame(frame.clone(), |e| e.static_number(initial, "the start of a state")).0?;
            states.push(match fresh {
                true => self.new_state(start, shaped, parameters, span)?,
                false => self.kept_state(&name.text, start, shaped, parameters, block)?,
            });
        }
        Ok(Method { declared, frame, states, fresh })
    }

    /// Which states hold a value for each parameter: those that are given one, which shows by executing the step.
    fn shaped_states(
        &mut self,
        declared: &'p Optimizer,
        frame: &Frame<'p>,
        parameters: &[Trained],
        span: Span,
    ) -> Checked<Vec<bool>> {
        let at: Vec<NodeId> = parameters.iter().map(|parameter| self.read(&parameter.stored)).collect();
        let number = match self.moment {
            // Not a number known now, which would fold conditions on it.
            Some(moment) => moment.progress,
            None => return Err(fail::fault(span, "an optimizer outside a train block")),
        };
        let mut shaped = vec![false; declared.states.len()];
        for _ in 0..=declared.states.len() {
            let probe: Vec<Value<'p>> =
                shaped.iter().map(|shaped| if *shaped { bundle(&at) } else { Value::Node(number) }).collect();
            let (_, after) = self.optimizer_step(declared, frame, [&at, &at], &probe, number)?;
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
        Ok(shaped)
    }

    /// A state that the store keeps between steps.
    fn kept_state(
        &mut self,
        name: &str,
        start: f64,
        shaped: bool,
        parameters: &[Trained],
        block: &mut Block,
    ) -> Checked<State<'p>> {
        let mut kept = Vec::new();
        match shaped {
            true => {
                for Trained { stored, .. } in parameters {
                    let name = format!("{}.{name}", stored.name);
                    kept.push(self.allocate(&name, Element::Float, &stored.layout)?);
                }
            }
            false => kept.push(self.allocate(name, Element::Float, &[])?),
        }
        block.states.extend(kept.iter().map(|state| (state.clone(), Initial::Number(start))));
        let nodes: Vec<NodeId> = kept.iter().map(|state| self.read(state)).collect();
        let value = if shaped { bundle(&nodes) } else { Value::Node(nodes[0]) };
        Ok(State { kept, value })
    }

    /// A state that starts anew at every step.
    fn new_state(
        &mut self,
        start: f64,
        shaped: bool,
        parameters: &[Trained],
        span: Span,
    ) -> Checked<State<'p>> {
        let start = self.build(span, |g| g.float(start))?;
        if !shaped {
            return Ok(State { kept: Vec::new(), value: Value::Node(start) });
        }
        let mut nodes = Vec::with_capacity(parameters.len());
        for Trained { stored, .. } in parameters {
            nodes.push(self.broadcast(start, &AxisSet::from(&stored.layout[..]), span)?);
        }
        Ok(State { kept: Vec::new(), value: bundle(&nodes) })
    }

    /// One step: the new parameters. The states are those after it.
    pub(super) fn optimize(
        &mut self,
        method: &mut Method<'p>,
        at: &[NodeId],
        gradients: &[NodeId],
        number: NodeId,
        span: Span,
    ) -> Checked<Value<'p>> {
        let before: Vec<Value<'p>> = method.states.iter().map(|state| state.value.clone()).collect();
        let (result, after) =
            self.optimizer_step(method.declared, &method.frame, [at, gradients], &before, number)?;
        for (state, value) in method.states.iter_mut().zip(after) {
            for (k, stored) in state.kept.iter().enumerate() {
                let node = self.updated(stored, &value, k, span)?;
                self.current.insert(stored.slot, node);
            }
            state.value = value;
        }
        Ok(result)
    }

    /// The arguments of an optimizer, evaluated in this step.
    fn delayed_frame(&mut self, optimizer: &Delayed<'p>, declared: &'p Optimizer) -> Checked<Frame<'p>> {
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

    /// Executes the step: the new parameters, and the states after it.
    fn optimizer_step(
        &mut self,
        declared: &'p Optimizer,
        frame: &Frame<'p>,
        [at, gradients]: [&[NodeId]; 2],
        states: &[Value<'p>],
        number: NodeId,
    ) -> Checked<(Value<'p>, Vec<Value<'p>>)> {
        let arguments = [bundle(at), bundle(gradients), Value::Node(number)];
        self.execute_step(declared, frame, &arguments, states)
    }

    /// Executes the step of an optimizer, a constraint or a combiner: its value, and the states after it.
    pub(super) fn execute_step(
        &mut self,
        declared: &'p Optimizer,
        frame: &Frame<'p>,
        arguments: &[Value<'p>],
        states: &[Value<'p>],
    ) -> Checked<(Value<'p>, Vec<Value<'p>>)> {
        let mut frame = frame.clone();
        for ((name, _), value) in declared.states.iter().zip(states) {
            frame.values.insert(name.span, value.clone());
        }
        for (parameter, value) in declared.step.parameters.iter().zip(arguments) {
            frame.values.insert(parameter.name.span, value.clone());
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
}

fn bundle<'p>(nodes: &[NodeId]) -> Value<'p> {
    Value::Bundle(Arc::new(nodes.iter().map(|node| Value::Node(*node)).collect()))
}
