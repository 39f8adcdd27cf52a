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
            Target::Value => {
                let callee = self.eval(&call.callee)?;
                let arguments = self.plain_arguments(call)?;
                match callee {
                    Value::Function(closure) => {
                        let ty = typed.types.get(&call.callee.id);
                        self.apply_closure(&closure, arguments, ty, expr)
                    }
                    other => Err(fail::fault(expr.span, format!("a call of {}", other.what()))),
                }
            }
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
            let argument = info.arguments.get(k).copied().flatten().and_then(|at| call.arguments.get(at));
            values.push(match argument {
                Some(argument) => Some(self.eval(argument_value(argument))?),
                None => None,
            });
        }
        Ok(values)
    }

    fn plain_arguments(&mut self, call: &'p Call) -> Checked<Vec<Value<'p>>> {
        call.arguments.iter().map(|argument| self.eval(argument_value(argument))).collect()
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
        if self.calls >= DEEPEST_CALL {
            return Err(fail::unavailable(span, "recursion"));
        }
        self.calls += 1;
        let outer_extra = self.frame.extra.clone();
        frame.extra = frame.extra.union(&outer_extra);
        let (result, _) = self.in_frame(frame, |e| {
            e.named(&function.name.text, |e| {
                e.bind_parameters(&function.parameters, arguments, span)?;
                let value = e.block(&function.body)?;
                match &function.result {
                    Some(ty) => e.conform(value, ty, span),
                    None => Ok(value),
                }
            })
        });
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
    fn note_extra(&mut self, value: &Value<'p>, ty: &'p ast::Type) -> Checked<()> {
        let have = match value {
            Value::Node(node) => self.axes_of(*node),
            Value::Stored(stored) => AxisSet::from(&stored.layout[..]),
            _ => return Ok(()),
        };
        let mut declared = AxisSet::new();
        if let TypeKind::Array { axes, .. } = &ty.kind {
            for name in axes {
                declared.insert(self.named_axis(name)?);
            }
        }
        self.frame.extra = self.frame.extra.union(&have.minus(&declared));
        Ok(())
    }

    /// Applies a function that is a value.
    pub fn apply_closure(
        &mut self,
        closure: &Closure<'p>,
        arguments: Vec<Value<'p>>,
        ty: Option<&Type>,
        expr: &'p Expr,
    ) -> Checked<Value<'p>> {
        let some = |arguments: Vec<Value<'p>>| arguments.into_iter().map(Some).collect::<Vec<_>>();
        match closure {
            Closure::Lambda { parameters, body, frame } => {
                let (result, _) = self.in_frame(frame.clone(), |e| {
                    e.bind_parameters(parameters, some(arguments), expr.span)?;
                    e.block(body)
                });
                result
            }
            Closure::Builtin(builtin) => self.element_wise(*builtin, &arguments, expr.span),
            Closure::Item { item, axes } => {
                let ItemKind::Function(function) = &self.typed().item(*item).kind else {
                    return Err(fail::fault(expr.span, "a call of something that is no function"));
                };
                let mut axes = axes.clone();
                if axes.len() < function.axes.len()
                    && let Some(Type::Function { parameters, .. }) = ty
                {
                    self.axes_by_type(function, parameters, &mut axes, expr.span)?;
                }
                self.apply_item(*item, axes, some(arguments), expr.span)
            }
        }
    }

    /// Binds generic axes by the declared type under which the function was handed over: parameters of one axis.
    fn axes_by_type(
        &mut self,
        function: &'p ast::Function,
        types: &[Type],
        axes: &mut Vec<(AxisId, Axis)>,
        span: Span,
    ) -> Checked<()> {
        for (parameter, ty) in function.parameters.iter().zip(types) {
            let (Some(declared), Type::Array { axes: wanted, .. }) = (&parameter.ty, ty) else { continue };
            let TypeKind::Array { axes: names, .. } = &declared.kind else { continue };
            let mut open = Vec::new();
            for name in names {
                let id = self.named_axis_id(name)?;
                if !axes.iter().any(|(known, _)| *known == id) {
                    open.push(id);
                }
            }
            let mut left = Vec::new();
            for id in wanted {
                let axis = self.axis(*id, span)?;
                if !axes.iter().any(|(_, known)| *known == axis) {
                    left.push(axis);
                }
            }
            if let ([id], [axis]) = (&open[..], &left[..]) {
                axes.push((*id, *axis));
            }
        }
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
            false => self.main_call(&model, &function.name.text, expr.span)?,
        };
        let mut frame = model.frame.clone();
        for (id, axis) in self.call_axes(info, expr.span)? {
            frame.axes.entry(id).or_insert(axis);
        }
        let arguments = self.arguments(&function.parameters, info, call)?;
        let name = model.path.clone();
        self.named(&name, |e| e.inline(function, frame, arguments, expr.span))
    }

    /// The member of the model's own layer by which it is called.
    fn main_call(&self, model: &Model<'p>, name: &str, span: Span) -> Checked<&'p ast::Function> {
        let members = match &self.typed().item(model.layer).kind {
            ItemKind::Layer(layer) => &layer.members[..],
            _ => &[],
        };
        let found = members.iter().find_map(|member| match &member.kind {
            MemberKind::Call(function) if function.name.text == name => Some(function),
            _ => None,
        });
        found.ok_or_else(|| fail::fault(span, "a model without this call"))
    }

    fn applied_model(&mut self, callee: &'p Expr, layer: ItemRef, method: &str) -> Checked<Arc<Model<'p>>> {
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
