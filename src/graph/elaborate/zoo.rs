//! Models over an axis: every parameter has the axis, and so has everything that is computed by them.
//!
//! In: `Linear[In, Out]() over Zoo`. Out: one model whose parameters are over Zoo, each position with its own draw, and whose
//! calls are lifted over Zoo: `extra` of its frame.

use std::sync::Arc;

use super::elaborator::Elaborator;
use super::fail;
use super::value::{Closure, Frame, Model, Value};
use crate::diagnostic::Checked;
use crate::graph::AxisSet;
use crate::source::Span;
use crate::syntax::ast::{AxisName, Expr, Selector};

impl<'p> Elaborator<'_, 'p> {
    /// New models, one for each position of the axes.
    pub fn zoo_of(&mut self, over: &'p [AxisName], value: &'p Expr) -> Checked<Value<'p>> {
        let mut zoo = self.zoo.clone();
        for name in over {
            zoo.insert(self.named_axis(name)?);
        }
        let outer = std::mem::replace(&mut self.zoo, zoo);
        let made = self.eval(value);
        self.zoo = outer;
        made
    }

    /// `nets[Zoo = i]`: the selectors are applied to all arrays of the models.
    pub fn picked_models(
        &mut self,
        expr: &'p Expr,
        models: &Model<'p>,
        selectors: &'p [Selector],
    ) -> Checked<Value<'p>> {
        // What has none of the axes stays as it is; which axes are left shows on an array that has them all.
        let span = expr.span;
        let all = models.frame.extra.clone();
        let form = self.build(span, |g| g.float(0.0))?;
        let form = self.broadcast(form, &all, span)?;
        let form = self.selected(expr, form, selectors)?;
        let left = self.axes_of(form);
        let mut picked = self.mapped(models, &mut |e, value| {
            if let Value::Function(closure) = &value {
                return match &**closure {
                    Closure::Lambda { result, .. } if result.minus(&all) != *result => {
                        Err(fail::pick_replaced(span))
                    }
                    _ => Ok(value),
                };
            }
            let node = e.node(&value, span)?;
            match e.axes_of(node).minus(&all) == e.axes_of(node) {
                true => Ok(value),
                false => e.selected(expr, node, selectors).map(Value::Node),
            }
        })?;
        lifted_over(&mut picked, &all, &left);
        if let Value::Model(model) = &mut picked {
            self.see_all(Arc::make_mut(model));
        }
        Ok(picked)
    }

    /// The model with every array in it, and in the models inside it, in the form that `each` gives it.
    pub fn mapped(
        &mut self,
        model: &Model<'p>,
        each: &mut dyn FnMut(&mut Self, Value<'p>) -> Checked<Value<'p>>,
    ) -> Checked<Value<'p>> {
        let mut made = model.clone();
        let own = made.parameters.values_mut().chain(made.members.values_mut());
        for value in own.chain(made.replaced.values_mut()) {
            *value = self.mapped_value(value, each)?;
        }
        self.see_members(&mut made);
        Ok(Value::Model(Arc::new(made)))
    }

    fn mapped_value(
        &mut self,
        value: &Value<'p>,
        each: &mut dyn FnMut(&mut Self, Value<'p>) -> Checked<Value<'p>>,
    ) -> Checked<Value<'p>> {
        let mut all = |e: &mut Self, parts: &[Value<'p>]| -> Checked<Arc<Vec<Value<'p>>>> {
            Ok(Arc::new(parts.iter().map(|part| e.mapped_value(part, each)).collect::<Checked<_>>()?))
        };
        Ok(match value {
            Value::Model(model) => self.mapped(model, each)?,
            Value::List(parts) => Value::List(all(self, parts)?),
            Value::Tuple(parts) => Value::Tuple(all(self, parts)?),
            Value::Record(fields) => {
                let parts: Vec<Value<'p>> = fields.iter().map(|(_, part)| part.clone()).collect();
                let parts = all(self, &parts)?;
                let names = fields.iter().map(|(name, _)| name.clone());
                Value::Record(Arc::new(names.zip(parts.iter().cloned()).collect()))
            }
            Value::Node(_) | Value::Stored(_) | Value::Frozen(_) | Value::Function(_) => {
                each(self, value.clone())?
            }
            other => other.clone(),
        })
    }

    /// After changes deep inside a model: its functions see them.
    fn see_all(&self, model: &mut Model<'p>) {
        for member in model.members.values_mut() {
            if let Value::Model(inner) = member {
                self.see_all(Arc::make_mut(inner));
            }
        }
        self.see_members(model);
    }

    /// A value of several models has their axes, even where it is the same for all of them.
    pub fn over_models(&mut self, value: Value<'p>, model: &Model<'p>, span: Span) -> Checked<Value<'p>> {
        let over = model.frame.extra.clone();
        if over.is_empty() {
            return Ok(value);
        }
        self.over_axes(value, &over, span)
    }

    fn over_axes(&mut self, value: Value<'p>, over: &AxisSet, span: Span) -> Checked<Value<'p>> {
        Ok(match value {
            Value::Node(_) | Value::Stored(_) | Value::Number(_) | Value::Truth(_) => {
                let node = self.node(&value, span)?;
                match self.broadcast(node, over, span)? {
                    same if same == node => value,
                    other => Value::Node(other),
                }
            }
            Value::Record(fields) => {
                let mut made = Vec::with_capacity(fields.len());
                for (name, value) in fields.iter() {
                    made.push((name.clone(), self.over_axes(value.clone(), over, span)?));
                }
                Value::Record(Arc::new(made))
            }
            Value::Tuple(parts) => {
                let parts: Checked<Vec<_>> =
                    parts.iter().map(|part| self.over_axes(part.clone(), over, span)).collect();
                Value::Tuple(Arc::new(parts?))
            }
            other => other,
        })
    }
}

/// In a model and those inside it, calls that were lifted over `from` are lifted over `to`.
fn lifted_over(value: &mut Value, from: &AxisSet, to: &AxisSet) {
    match value {
        Value::Model(model) => {
            let model = Arc::make_mut(model);
            let frame: &mut Frame = &mut model.frame;
            if frame.extra.minus(from) != frame.extra {
                frame.extra = frame.extra.minus(from).union(to);
            }
            model.members.values_mut().for_each(|member| lifted_over(member, from, to));
        }
        Value::List(parts) | Value::Tuple(parts) => {
            Arc::make_mut(parts).iter_mut().for_each(|part| lifted_over(part, from, to));
        }
        Value::Record(fields) => {
            Arc::make_mut(fields).iter_mut().for_each(|(_, part)| lifted_over(part, from, to));
        }
        _ => {}
    }
}
