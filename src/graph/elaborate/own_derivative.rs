//! A function's own derivative: `fn f(x: Float) -> Float { .. } gradient(x, g) { .. }`.
//!
//! The clause is elaborated once for each call, with stand-ins for the parameters and for the gradient by the result; where the call
//! is differentiated, it is computed with the real ones.

use super::elaborator::Elaborator;
use super::fail;
use super::value::Value;
use crate::diagnostic::Checked;
use crate::graph::op::OwnRule;
use crate::graph::{Element, NodeId, Op};
use crate::source::Span;
use crate::syntax::ast::{Block, Function, Name};

impl<'p> Elaborator<'_, 'p> {
    /// The value of a call with the derivative that the function declares. The parameters are bound in the frame.
    pub fn own_derivative(
        &mut self,
        function: &'p Function,
        names: &'p [Name],
        block: &'p Block,
        value: Value<'p>,
        span: Span,
    ) -> Checked<Value<'p>> {
        let Some((upstream_name, names)) = names.split_last() else { return Ok(value) };
        let value = self.float(&value, span)?;
        let mut operands: Vec<NodeId> = vec![value];
        let mut stand_ins: Vec<NodeId> = Vec::new();
        let mut places: Vec<Option<usize>> = Vec::with_capacity(names.len());
        for name in names {
            let parameter = function.parameters.iter().find(|parameter| parameter.name.text == name.text);
            let argument =
                parameter.and_then(|parameter| self.frame.values.get(&parameter.name.span)).cloned();
            let Some(argument) = argument else {
                return Err(fail::fault(name.span, "a gradient by something that is no parameter"));
            };
            let node = match &argument {
                Value::Node(node) if self.element(*node) == Element::Float => Some(*node),
                Value::Stored(stored) if stored.element == Element::Float => Some(self.read(stored)),
                _ => None,
            };
            let bound = match node {
                Some(node) => {
                    let stand_in = self.build(span, |g| Ok(g.variable(node)))?;
                    places.push(Some(stand_ins.len()));
                    operands.push(node);
                    stand_ins.push(stand_in);
                    Value::Node(stand_in)
                }
                None => {
                    places.push(None);
                    argument
                }
            };
            self.frame.values.insert(name.span, bound);
        }
        let axes = self.axes_of(value);
        let upstream = self.build(span, |g| {
            let zero = g.float(0.0)?;
            let zero = g.broadcast(zero, &axes)?;
            Ok(g.variable(zero))
        })?;
        self.frame.values.insert(upstream_name.span, Value::Node(upstream));
        let given = self.named("gradient", |e| e.block(block))?;
        let mut gradients: Vec<Option<NodeId>> = vec![None; stand_ins.len()];
        for (at, (name, place)) in names.iter().zip(&places).enumerate() {
            let part = match &given {
                Value::Record(fields) => {
                    fields.iter().find(|(field, _)| *field == name.text).map(|(_, part)| part.clone())
                }
                single => (at == 0).then(|| single.clone()),
            };
            if let (Some(part), Some(place)) = (part, place) {
                gradients[*place] = Some(self.float(&part, name.span)?);
            }
        }
        let rule = self.output.graph.own_rule(OwnRule { upstream, operands: stand_ins, gradients });
        self.build(span, |g| g.add(Op::Own(rule), &operands, span)).map(Value::Node)
    }
}
