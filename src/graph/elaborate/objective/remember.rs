//! Steps of combiners and constraints, with states that are kept between steps.

use crate::diagnostic::Checked;
use crate::graph::elaborate::elaborator::Elaborator;
use crate::graph::elaborate::fail;
use crate::graph::elaborate::train::{Block, Initial};
use crate::graph::elaborate::value::{Frame, Stored, Value};
use crate::graph::{AxisSet, Element, NodeId};
use crate::source::Span;
use crate::syntax::ast::{Optimizer, Parameter};

/// A step with its arguments and its states.
pub(super) struct Remembering<'p> {
    declared: &'p Optimizer,
    frame: Frame<'p>,
    states: Vec<Stored>,
}

impl<'p> Remembering<'p> {
    pub fn parameters(&self) -> &'p [Parameter] {
        &self.declared.step.parameters
    }
}

impl<'p> Elaborator<'_, 'p> {
    /// Gives every state its slot. `given`: the axes of the step's parameters.
    pub(super) fn remembering(
        &mut self,
        declared: &'p Optimizer,
        frame: Frame<'p>,
        given: &[AxisSet],
        block: &mut Block,
        span: Span,
    ) -> Checked<Remembering<'p>> {
        let Some(moment) = self.moment else {
            return Err(fail::fault(span, "a step outside a train block"));
        };
        // A state has the axes of what is assigned to it, which shows by executing the step on stand-ins.
        let stand_in = moment.progress;
        let mut arguments = Vec::with_capacity(given.len());
        for axes in given {
            arguments.push(Value::Node(self.broadcast(stand_in, axes, span)?));
        }
        let mut shapes = vec![AxisSet::new(); declared.states.len()];
        for _ in 0..=2 * shapes.len() {
            let mut states = Vec::with_capacity(shapes.len());
            for axes in &shapes {
                states.push(Value::Node(self.broadcast(stand_in, axes, span)?));
            }
            let (_, after) = self.execute_step(declared, &frame, &arguments, &states)?;
            let mut found = Vec::with_capacity(shapes.len());
            for (value, axes) in after.iter().zip(&shapes) {
                let node = self.float(value, span)?;
                found.push(self.axes_of(node).union(axes));
            }
            if found == shapes {
                break;
            }
            shapes = found;
        }
        let mut states = Vec::with_capacity(shapes.len());
        for ((name, initial), axes) in declared.states.iter().zip(shapes) {
            let start =
                self.in_frame(frame.clone(), |e| e.static_number(initial, "the start of a state")).0?;
            let name = format!("{}.{}", declared.name.text, name.text);
            let stored = self.allocate(&name, Element::Float, axes.as_slice())?;
            block.states.push((stored.clone(), Initial::Number(start)));
            states.push(stored);
        }
        Ok(Remembering { declared, frame, states })
    }

    /// One step: its value. The states are new afterwards.
    pub(super) fn remembering_step(
        &mut self,
        step: &mut Remembering<'p>,
        arguments: &[Value<'p>],
        span: Span,
    ) -> Checked<Value<'p>> {
        let before: Vec<Value<'p>> = step.states.iter().map(|state| Value::Node(self.read(state))).collect();
        let (value, after) = self.execute_step(step.declared, &step.frame, arguments, &before)?;
        for (stored, value) in step.states.iter().zip(after) {
            let node: NodeId = self.shaped_like(stored, &value, span)?;
            let cut = self.build(span, |g| g.stop(node))?;
            self.current.insert(stored.slot, cut);
        }
        Ok(value)
    }
}
