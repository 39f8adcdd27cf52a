//! `net.with(hidden = ...)`: the model with other functions, models or parameters in the place of its own.

use std::sync::Arc;

use super::elaborator::Elaborator;
use super::fail;
use super::value::{Frame, Value};
use crate::check::program::{AxisIds, Type};
use crate::diagnostic::Checked;
use crate::source::Span;
use crate::syntax::ast::{self, ArgumentKind, Call, Expr};

impl<'p> Elaborator<'_, 'p> {
    /// `over`: the axes of the model that is made, those that replacements bring among them.
    pub fn replaced(
        &mut self,
        of: &'p Expr,
        call: &'p Call,
        over: &AxisIds,
        span: Span,
    ) -> Checked<Value<'p>> {
        let mut model = self.model(of)?;
        let made = Arc::make_mut(&mut model);
        for axis in over {
            let axis = self.axis(*axis, span)?;
            made.frame.extra.insert(axis);
        }
        for argument in &call.arguments {
            let ArgumentKind::Named { name, value } = &argument.kind else {
                return Err(fail::fault(argument.span, "a replacement without a name"));
            };
            let mut new = self.eval(value)?;
            if let Some(ty @ (Type::Array { .. } | Type::Record(_) | Type::Tuple(_))) =
                self.typed().types.get(&value.id)
            {
                new = self.fit(new, ty, value.span)?;
            }
            let text = &name.text;
            if let Some(parameter) = made.parameters.get_mut(text) {
                *parameter = new;
                continue;
            }
            match (made.members.get_mut(text), new) {
                // The function replaces the call of the model inside.
                (Some(Value::Model(inner)), new @ Value::Function(_)) => {
                    let inner = Arc::make_mut(inner);
                    inner.frame.extra = inner.frame.extra.union(&made.frame.extra);
                    inner.replaced.insert(String::new(), new);
                }
                (Some(member), new) => *member = new,
                (None, new) => {
                    made.replaced.insert(text.clone(), new);
                }
            }
        }
        self.see_members(made);
        Ok(Value::Model(model))
    }

    /// Calls what stands in the place of a function of a layer, which is called in `frame`.
    pub fn call_replaced(
        &mut self,
        function: &'p ast::Function,
        other: &Value<'p>,
        frame: Frame<'p>,
        arguments: Vec<Option<Value<'p>>>,
        span: Span,
    ) -> Checked<Value<'p>> {
        let Value::Function(_) = other else { return Ok(other.clone()) };
        let (fitted, frame) = self.in_frame(frame, |e| -> Checked<Vec<Option<Value<'p>>>> {
            let mut fitted = Vec::new();
            for (parameter, value) in function.parameters.iter().zip(arguments) {
                let (Some(value), Some(ty), None) = (value, &parameter.ty, &parameter.default) else {
                    continue;
                };
                let value = e.conform(value, ty, span)?;
                e.note_extra(&value, ty)?;
                fitted.push(Some(value));
            }
            Ok(fitted)
        });
        let extra = frame.extra.clone();
        let value = self.apply_function(other, fitted?, &extra, span)?;
        match &function.result {
            Some(ty) => self.in_frame(frame, |e| e.conform(value, ty, span)).0,
            None => Ok(value),
        }
    }
}
