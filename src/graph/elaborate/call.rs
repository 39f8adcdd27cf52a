//! Calls: functions and models are inlined, builtins become nodes, optimizers are kept for the step.

use std::sync::Arc;

use super::elaborator::Elaborator;
use super::fail;
use super::value::{Closure, Delayed, Frame, Model, Value};
use crate::check::program::{AxisId, CallInfo, ItemRef, Target, Type};
use crate::diagnostic::Checked;
use crate::graph::{Axis, AxisSet};
use crate::source::Span;
use crate::syntax::ast::{self, ArgumentKind, Call, Expr, ExprKind, ItemKind, MemberKind, TypeKind};

/// Functions inside functions: more than this is recursion that the checker missed.
const DEEPEST_CALL: usize = 200;

impl<'p> Elaborator<'_, 'p> {
    pub fn eval_call(&mut self, expr: &'p Expr, call: &'p Call) -> Checked<Value<'p>> {
        let typed = self.typed();
        let Some(info) = typed.calls.get(&expr.id) else {
            if let ExprKind::Field { value, .. } = &call.callee.kind
                && let Some(Type::Model { over, .. }) = typed.types.get(&expr.id)
            {
                return self.replaced(value, call, over, expr.span);
            }
            return Err(fail::fault(expr.span, "a call that is not resolved"));
        };
        match info.target {
            Target::Builtin(builtin) => self.eval_builtin(builtin, expr, call),
            Target::Function(item) => {
                // A combiner in a test is called like a function; it is not differentiated.
                if let ItemKind::Combiner(combiner) = &typed.item(item).kind {
                    let axes = self.call_axes(info, expr.span)?;
                    let arguments = self.arguments(&combiner.parameters, info, call)?;
                    let frame = Frame { axes: axes.into_iter().collect(), ..Frame::default() };
                    return self.inline(combiner, frame, arguments, expr.span);
                }
                let ItemKind::Function(function) = &typed.item(item).kind else {
                    return Err(fail::fault(expr.span, "a call of something that is no function"));
                };
                let axes = self.call_axes(info, expr.span)?;
                let arguments = self.arguments(&function.parameters, info, call)?;
                self.record_call(expr.span, item, &axes, &arguments);
                self.apply_item(item, axes, arguments, expr.span)
            }
            Target::Construct(item) => self.construct(expr, item, info, call),
            Target::Apply { layer, member } => self.apply_model(expr, layer, member, info, call),
            Target::Optimizer(item) | Target::Combiner(item) | Target::Constraint(item) => {
                Ok(Value::Optimizer(Arc::new(Delayed { item, expr, frame: self.frame.clone() })))
            }
            Target::Value => self.call_value(expr, call, info),
        }
    }

    /// The generic axes of the callee with the caller's axes.
    pub fn call_axes(&mut self, info: &CallInfo, span: Span) -> Checked<Vec<(AxisId, Axis)>> {
        info.axes.iter().map(|(callee, caller)| Ok((*callee, self.axis(*caller, span)?))).collect()
    }

    /// Each parameter's argument, evaluated here; none where the default stands.
    pub fn arguments(
        &mut self,
        parameters: &'p [ast::Parameter],
        info: &CallInfo,
        call: &'p Call,
    ) -> Checked<Vec<Option<Value<'p>>>> {
        let mut values = Vec::with_capacity(parameters.len());
        for k in 0..parameters.len() {
            // The condition after `where` counts as an argument after all others.
            let argument = info.arguments.get(k).copied().flatten().and_then(|at| {
                let condition = call.filter.as_ref().filter(|_| at == call.arguments.len());
                call.arguments.get(at).map(argument_value).or(condition)
            });
            values.push(match argument {
                Some(argument) => Some(self.eval(argument)?),
                None => None,
            });
        }
        Ok(values)
    }

    /// Inlines a function.
    pub fn apply_item(
        &mut self,
        item: ItemRef,
        axes: Vec<(AxisId, Axis)>,
        arguments: Vec<Option<Value<'p>>>,
        span: Span,
    ) -> Checked<Value<'p>> {
        let ItemKind::Function(function) = &self.typed().item(item).kind else {
            return Err(fail::fault(span, "a call of something that is no function"));
        };
        let frame = Frame { axes: axes.into_iter().collect(), ..Frame::default() };
        self.inline(function, frame, arguments, span)
    }

    /// Evaluates a function's body in `frame`, to which its parameters are added.
    pub fn inline(
        &mut self,
        function: &'p ast::Function,
        mut frame: Frame<'p>,
        arguments: Vec<Option<Value<'p>>>,
        span: Span,
    ) -> Checked<Value<'p>> {
        let outer_extra = self.frame.extra.clone();
        frame.extra = frame.extra.union(&outer_extra);
        self.nested(span, |e| {
            let (result, _) = e.in_frame(frame, |e| {
                e.named(&function.name.text, |e| {
                    e.bind_parameters(&function.parameters, arguments, span)?;
                    let value = e.block(&function.body)?;
                    let value = match &function.result {
                        Some(ty) => e.conform(value, ty, span)?,
                        None => value,
                    };
                    match function.gradient.as_deref() {
                        Some((names, block)) => e.own_derivative(function, names, block, value, span),
                        None => Ok(value),
                    }
                })
            });
            result
        })
    }

    /// One function deeper.
    pub fn nested<T>(&mut self, span: Span, run: impl FnOnce(&mut Self) -> Checked<T>) -> Checked<T> {
        if self.calls >= DEEPEST_CALL {
            return Err(fail::fault(span, "recursion"));
        }
        self.calls += 1;
        let result = run(self);
        self.calls -= 1;
        result
    }

    /// Binds parameters in the current frame, which also learns over which further axes the call is lifted.
    pub fn bind_parameters(
        &mut self,
        parameters: &'p [ast::Parameter],
        arguments: Vec<Option<Value<'p>>>,
        span: Span,
    ) -> Checked<()> {
        let mut arguments = arguments.into_iter();
        for parameter in parameters {
            let value = match (arguments.next().flatten(), &parameter.default) {
                (Some(value), _) => value,
                (None, Some(default)) => self.eval(default)?,
                (None, None) => {
                    let text = &parameter.name.text;
                    return Err(fail::fault(span, format!("no argument for the parameter `{text}`")));
                }
            };
            let value = match &parameter.ty {
                Some(ty) => {
                    let value = self.conform(value, ty, span)?;
                    self.note_extra(&value, ty)?;
                    value
                }
                None => value,
            };
            let value = self.as_variable(value, parameter.name.span)?;
            self.frame.values.insert(parameter.name.span, value);
        }
        Ok(())
    }

    /// Axes of the argument beyond those that its parameter declares: the call is lifted over them.
    pub fn note_extra(&mut self, value: &Value<'p>, ty: &'p ast::Type) -> Checked<()> {
        let have = match value {
            Value::Node(node) => self.axes_of(*node),
            Value::Stored(stored) => AxisSet::from(&stored.layout[..]),
            Value::Function(closure) => match &**closure {
                Closure::Lambda { result, .. } => result.clone(),
                Closure::Method { model, .. } => model.frame.extra.clone(),
                _ => return Ok(()),
            },
            Value::Record(values) => {
                let TypeKind::Record(fields) = &ty.kind else { return Ok(()) };
                for (name, ty) in fields {
                    if let Some((_, value)) = values.iter().find(|(known, _)| *known == name.text) {
                        self.note_extra(value, ty)?;
                    }
                }
                return Ok(());
            }
            Value::Tuple(values) => {
                let TypeKind::Tuple(types) = &ty.kind else { return Ok(()) };
                for (value, ty) in values.iter().zip(types) {
                    self.note_extra(value, ty)?;
                }
                return Ok(());
            }
            Value::Model(model) => model.frame.extra.clone(),
            _ => return Ok(()),
        };
        let mut declared = AxisSet::new();
        let ty = match &ty.kind {
            TypeKind::Function { result, .. } => result,
            _ => ty,
        };
        if let TypeKind::Array { axes, .. } = &ty.kind {
            for name in axes {
                declared.insert(self.named_axis(name)?);
            }
        }
        self.frame.extra = self.frame.extra.union(&have.minus(&declared));
        Ok(())
    }

    /// `net(x)`, `net.hidden(x)`
    fn apply_model(
        &mut self,
        expr: &'p Expr,
        layer: ItemRef,
        member: usize,
        info: &CallInfo,
        call: &'p Call,
    ) -> Checked<Value<'p>> {
        let ItemKind::Layer(declared) = &self.typed().item(layer).kind else {
            return Err(fail::fault(expr.span, "a model without a layer"));
        };
        let Some(MemberKind::Call(function)) = declared.members.get(member).map(|m| &m.kind) else {
            return Err(fail::fault(expr.span, "a call of a member that is no function"));
        };
        let model = self.applied_model(&call.callee, layer, &function.name.text)?;
        // One `let` may hold models of different layers that are called alike.
        let function = match model.layer == layer {
            true => function,
            false => self
                .method(&model, &function.name.text)
                .ok_or_else(|| fail::fault(expr.span, "a model without this call"))?,
        };
        let axes = self.call_axes(info, expr.span)?;
        let arguments = self.arguments(&function.parameters, info, call)?;
        self.apply_method(&model, function, &axes, arguments, expr.span)
    }

    fn applied_model(&mut self, callee: &'p Expr, layer: ItemRef, method: &str) -> Checked<Arc<Model<'p>>> {
        // Another function of the layer.
        if let ExprKind::Name(name) = &callee.kind
            && !self.typed().names.contains_key(&name.span)
            && let Some(model) = self.frame.model.clone()
        {
            return Ok(model);
        }
        if let ExprKind::Field { value, field } = &callee.kind
            && field.text == method
            && let Value::Model(model) = self.eval(value)?
            && model.layer == layer
        {
            return Ok(model);
        }
        match self.eval(callee)? {
            Value::Model(model) => Ok(model),
            other => Err(fail::fault(callee.span, format!("{} applied as a model", other.what()))),
        }
    }
}

/// The expression of an argument, whatever its form.
pub fn argument_value(argument: &ast::Argument) -> &Expr {
    match &argument.kind {
        ArgumentKind::Positional(value)
        | ArgumentKind::Named { value, .. }
        | ArgumentKind::As { value, .. } => value,
    }
}
