//! Combiners: what they are given of the terms, and what their result makes of the terms' gradients.

use super::remember::Remembering;
use crate::check::program::Target;
use crate::diagnostic::Checked;
use crate::graph::elaborate::elaborator::Elaborator;
use crate::graph::elaborate::fail;
use crate::graph::elaborate::train::Block;
use crate::graph::elaborate::value::{Delayed, Frame, Stored, Value};
use crate::graph::{Axis, AxisSet, NodeId};
use crate::source::Span;
use crate::syntax::ast::{ExprKind, Function, ItemKind, Parameter};

/// A combiner with its arguments, in this step.
pub(super) struct Combiner<'p> {
    kind: Kind<'p>,
    span: Span,
    /// One position for each term, twice.
    task: Axis,
    other: Axis,
    /// All elements of all parameters.
    elements: Axis,
    /// Each parameter's elements, one after another.
    flat: Vec<Axis>,
    gram: bool,
    gradients: bool,
}

enum Kind<'p> {
    Plain { function: &'p Function, frame: Frame<'p>, arguments: Vec<Option<Value<'p>>> },
    Step(Remembering<'p>),
}

impl Combiner<'_> {
    /// It needs the gradient of every term by itself.
    pub fn by_term(&self) -> bool {
        self.gram || self.gradients
    }
}

/// What a combiner made of the terms.
pub(super) enum Combined {
    /// Float over the terms.
    Weights(NodeId),
    /// For each parameter.
    Direction(Vec<NodeId>),
}

impl<'p> Elaborator<'_, 'p> {
    pub(super) fn combiner(
        &mut self,
        delayed: &Delayed<'p>,
        terms: usize,
        parameters: &[&Stored],
        block: &mut Block,
    ) -> Checked<Combiner<'p>> {
        let span = delayed.expr.span;
        let task = self.fresh("Task", terms);
        let other = self.fresh("Task'", terms);
        let flat: Vec<usize> =
            parameters.iter().map(|p| p.layout.iter().map(|axis| self.size(*axis)).product()).collect();
        let elements = self.fresh("P", flat.iter().sum());
        let flat: Vec<Axis> = flat.into_iter().map(|size| self.fresh("P", size)).collect();
        let (ExprKind::Call(call), Some(info)) =
            (&delayed.expr.kind, self.typed().calls.get(&delayed.expr.id))
        else {
            return Err(fail::fault(span, "a combiner that is not called"));
        };
        let mut frame = Frame::default();
        let mut outside = delayed.frame.clone();
        for (k, (generic, actual)) in info.axes.iter().enumerate() {
            let primed = self.typed().axis(*generic).name.ends_with('\'');
            let axis = match (k, primed) {
                (0, _) => task,
                (_, true) => other,
                (_, false) => elements,
            };
            frame.axes.insert(*generic, axis);
            outside.axes.insert(*actual, axis);
        }
        let typed = self.typed();
        let (kind, given): (Kind<'p>, &'p [Parameter]) = match (&typed.item(delayed.item).kind, &info.target)
        {
            (ItemKind::Combiner(function), Target::Combiner(_)) => {
                let arguments = self.in_frame(outside, |e| e.arguments_of(info, call)).0?;
                (Kind::Plain { function, frame, arguments }, &function.parameters)
            }
            (ItemKind::SteppingCombiner(declared), Target::Combiner(_)) => {
                let arguments = self.in_frame(outside, |e| e.arguments_of(info, call)).0?;
                let (bound, frame) =
                    self.in_frame(frame, |e| e.bind_parameters(&declared.parameters, arguments, span));
                bound?;
                let given = given_axes(&declared.step.parameters, [task, other, elements]);
                let step = self.remembering(declared, frame, &given, block, span)?;
                (Kind::Step(step), &declared.step.parameters)
            }
            _ => return Err(fail::fault(span, "something that is no combiner after `by`")),
        };
        let takes = |name: &str| given.iter().any(|parameter| parameter.name.text == name);
        let (gram, gradients) = (takes("gram"), takes("g"));
        Ok(Combiner { kind, span, task, other, elements, flat, gram, gradients })
    }

    fn arguments_of(
        &mut self,
        info: &crate::check::program::CallInfo,
        call: &'p crate::syntax::ast::Call,
    ) -> Checked<Vec<Option<Value<'p>>>> {
        let mut values = Vec::with_capacity(info.arguments.len());
        for position in &info.arguments {
            let argument = position.and_then(|at| call.arguments.get(at));
            values.push(match argument {
                Some(argument) => Some(self.eval(crate::graph::elaborate::call::argument_value(argument))?),
                None => None,
            });
        }
        Ok(values)
    }

    /// The terms' values, and their gradients if it needs them, to weights or a direction.
    pub(super) fn combine(
        &mut self,
        combiner: &mut Combiner<'p>,
        losses: &[NodeId],
        gradients: &[Vec<NodeId>],
        parameters: &[&Stored],
        number: NodeId,
    ) -> Checked<Combined> {
        let span = combiner.span;
        let losses = self.stacked(losses, combiner.task, span)?;
        let gram = match combiner.gram {
            true => Some(self.gram(gradients, combiner)?),
            false => None,
        };
        let all = match combiner.gradients {
            true => Some(self.flattened(gradients, parameters, combiner)?),
            false => None,
        };
        let given = |name: &str| match name {
            "gram" => gram.map(Value::Node),
            "g" => all.map(Value::Node),
            "losses" => Some(Value::Node(losses)),
            "t" => Some(Value::Node(number)),
            _ => None,
        };
        let result = match &mut combiner.kind {
            Kind::Plain { function, frame, arguments } => {
                let mut rest = arguments.iter().cloned();
                let values = function
                    .parameters
                    .iter()
                    .map(|p| given(&p.name.text).or_else(|| rest.next().flatten()))
                    .collect();
                self.inline(function, frame.clone(), values, span)?
            }
            Kind::Step(step) => {
                let values: Vec<Value<'p>> =
                    step.parameters().iter().map(|p| given(&p.name.text).unwrap_or(Value::Unit)).collect();
                self.remembering_step(step, &values, span)?
            }
        };
        let result = self.float(&result, span)?;
        let axes = self.axes_of(result);
        if axes == AxisSet::new().with(combiner.elements) && !combiner.flat.is_empty() {
            return Ok(Combined::Direction(self.unflattened(result, parameters, combiner)?));
        }
        Ok(Combined::Weights(self.broadcast(result, &AxisSet::new().with(combiner.task), span)?))
    }

    /// Scalars, one after another.
    pub(super) fn stacked(&mut self, parts: &[NodeId], along: Axis, span: Span) -> Checked<NodeId> {
        let name = self.axis_name(along);
        let one = self.fresh(name, 1);
        let mut joined = Vec::with_capacity(parts.len());
        for part in parts {
            let axes = self.axes_of(*part).with(one);
            joined.push((self.broadcast(*part, &axes, span)?, one));
        }
        self.build(span, |g| g.concat(&joined, along))
    }

    /// The value at one position of an axis.
    pub(super) fn weight_at(&mut self, x: NodeId, axis: Axis, at: usize, span: Span) -> Checked<NodeId> {
        let one = self.fresh("one", 1);
        self.build(span, |g| {
            let part = g.slice(x, axis, one, at, 1)?;
            g.sum(part, &[one])
        })
    }

    /// The inner product of the gradients of two terms.
    pub(super) fn inner_product(&mut self, a: &[NodeId], b: &[NodeId], span: Span) -> Checked<NodeId> {
        self.build(span, |g| {
            let mut total = g.float(0.0)?;
            for (a, b) in a.iter().zip(b) {
                let product = g.mul(*a, *b)?;
                let axes = g.node(product).axes.clone();
                let sum = g.sum(product, axes.as_slice())?;
                total = g.plus(total, sum)?;
            }
            Ok(total)
        })
    }

    fn gram(&mut self, gradients: &[Vec<NodeId>], combiner: &Combiner<'p>) -> Checked<NodeId> {
        let span = combiner.span;
        let mut rows = Vec::with_capacity(gradients.len());
        for a in gradients {
            let mut row = Vec::with_capacity(gradients.len());
            for b in gradients {
                // Equal products are one node.
                row.push(self.inner_product(a, b, span)?);
            }
            rows.push(self.stacked(&row, combiner.other, span)?);
        }
        self.stacked(&rows, combiner.task, span)
    }

    /// Every term's gradient as one row of numbers.
    fn flattened(
        &mut self,
        gradients: &[Vec<NodeId>],
        parameters: &[&Stored],
        combiner: &Combiner<'p>,
    ) -> Checked<NodeId> {
        let span = combiner.span;
        let mut rows = Vec::with_capacity(gradients.len());
        for of_term in gradients {
            let mut parts = Vec::with_capacity(parameters.len());
            for ((gradient, parameter), flat) in of_term.iter().zip(parameters).zip(&combiner.flat) {
                let part = match parameter.layout.as_slice() {
                    [] => self.broadcast(*gradient, &AxisSet::new().with(*flat), span)?,
                    layout => self.build(span, |g| g.flatten(*gradient, layout, *flat))?,
                };
                parts.push((part, *flat));
            }
            rows.push(self.build(span, |g| g.concat(&parts, combiner.elements))?);
        }
        self.stacked(&rows, combiner.task, span)
    }

    fn unflattened(
        &mut self,
        direction: NodeId,
        parameters: &[&Stored],
        combiner: &Combiner<'p>,
    ) -> Checked<Vec<NodeId>> {
        let mut start = 0;
        let mut parts = Vec::with_capacity(parameters.len());
        for (parameter, flat) in parameters.iter().zip(&combiner.flat) {
            let size = self.size(*flat);
            parts.push(self.build(combiner.span, |g| {
                let part = g.slice(direction, combiner.elements, *flat, start, 1)?;
                match parameter.layout.as_slice() {
                    [] => g.sum(part, &[*flat]),
                    layout => g.unflatten(part, *flat, layout),
                }
            })?);
            start += size;
        }
        Ok(parts)
    }

    /// The sum of the gradients with these weights.
    pub(super) fn weighted(
        &mut self,
        weights: NodeId,
        gradients: &[Vec<NodeId>],
        task: Axis,
        span: Span,
    ) -> Checked<Vec<NodeId>> {
        let mut total: Vec<NodeId> = Vec::new();
        for (at, of_term) in gradients.iter().enumerate() {
            let weight = self.weight_at(weights, task, at, span)?;
            for (k, gradient) in of_term.iter().enumerate() {
                let part = self.build(span, |g| g.mul(weight, *gradient))?;
                match total.get(k).copied() {
                    Some(sum) => total[k] = self.build(span, |g| g.plus(sum, part))?,
                    None => total.push(part),
                }
            }
        }
        Ok(total)
    }
}

impl Combiner<'_> {
    pub fn task(&self) -> Axis {
        self.task
    }
}

/// The axes of what a step is given, by its name.
fn given_axes(parameters: &[Parameter], [task, other, elements]: [Axis; 3]) -> Vec<AxisSet> {
    let axes = |name: &str| match name {
        "gram" => AxisSet::from(&[task, other][..]),
        "g" => AxisSet::from(&[task, elements][..]),
        "losses" => AxisSet::from(&[task][..]),
        _ => AxisSet::new(),
    };
    parameters.iter().map(|parameter| axes(&parameter.name.text)).collect()
}
