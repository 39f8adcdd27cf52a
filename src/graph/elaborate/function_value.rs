//! Functions as values: named functions, builtins, models, methods and lambdas, all inlined where they are called.
//!
//! A function that captures values is called with arguments that may have further axes, over which the call is lifted. Such an
//! axis may have the identity of one that the function works along by itself; it is renamed for the time of the call.

use std::sync::Arc;

use super::elaborator::Elaborator;
use super::fail;
use super::value::{Closure, Frame, Model, Value};
use crate::check::builtin::Builtin;
use crate::check::program::{AxisIds, CallInfo, Element as CheckedElement, Type};
use crate::diagnostic::Checked;
use crate::graph::{Axis, AxisSet, NodeId};
use crate::source::Span;
use crate::syntax::ast::{self, Call, Expr, ExprKind, ItemKind, MemberKind};

impl<'p> Elaborator<'_, 'p> {
    /// The value of an expression that stands where a function is wanted: its generic axes are bound as the checker found.
    pub fn eval_function(&mut self, expr: &'p Expr, info: &'p CallInfo) -> Checked<Value<'p>> {
        match &expr.kind {
            ExprKind::Field { value, field } => {
                if let Value::Model(model) = self.eval(value)?
                    && let Some(function) = self.method(&model, &field.text)
                {
                    let axes = self.call_axes(info, expr.span)?;
                    return Ok(Value::Function(Arc::new(Closure::Method { model, function, axes })));
                }
                let found = self.eval_kind(expr)?;
                self.shaped(found, info, expr.span)
            }
            // Another function of the layer.
            ExprKind::Name(name) if !self.typed().names.contains_key(&name.span) => {
                let found = self.frame.model.clone();
                let method = found.and_then(|model| Some((self.method(&model, &name.text)?, model)));
                let Some((function, model)) = method else {
                    return Err(fail::fault(expr.span, "a function that is not resolved"));
                };
                let axes = self.call_axes(info, expr.span)?;
                Ok(Value::Function(Arc::new(Closure::Method { model, function, axes })))
            }
            ExprKind::Index { value, .. } => {
                let found = self.eval(value)?;
                self.shaped(found, info, expr.span)
            }
            _ => {
                let found = self.eval_kind(expr)?;
                self.shaped(found, info, expr.span)
            }
        }
    }

    /// The function with the axes that the checker bound; a model as the function that applies it.
    fn shaped(&mut self, value: Value<'p>, info: &CallInfo, span: Span) -> Checked<Value<'p>> {
        let closure = match &value {
            Value::Function(closure) => match &**closure {
                Closure::Item { item, axes } if axes.is_empty() => {
                    // The checker may have seen another function of the same signature.
                    let generics = self.typed().generics.get(item).map_or(&[][..], Vec::as_slice);
                    let mut axes = Vec::with_capacity(generics.len());
                    for (generic, (_, caller)) in generics.iter().zip(&info.axes) {
                        axes.push((*generic, self.axis(*caller, span)?));
                    }
                    Closure::Item { item: *item, axes }
                }
                Closure::Builtin { builtin, axes } if axes.is_empty() => {
                    let axes = self.call_axes(info, span)?.into_iter().map(|(_, axis)| axis).collect();
                    Closure::Builtin { builtin: *builtin, axes }
                }
                _ => return Ok(value),
            },
            Value::Model(model) => match self.method(model, "") {
                Some(function) => {
                    let axes = self.call_axes(info, span)?;
                    Closure::Method { model: Arc::clone(model), function, axes }
                }
                None => return Err(fail::fault(span, "a model without a call")),
            },
            _ => return Ok(value),
        };
        Ok(Value::Function(Arc::new(closure)))
    }

    /// The function of a model by its name; the empty name is the call itself.
    pub fn method(&self, model: &Model<'p>, name: &str) -> Option<&'p ast::Function> {
        let ItemKind::Layer(layer) = &self.typed().item(model.layer).kind else { return None };
        layer.members.iter().find_map(|member| match &member.kind {
            MemberKind::Call(function) if function.name.text == name => Some(function),
            _ => None,
        })
    }

    pub fn eval_lambda(
        &mut self,
        expr: &'p Expr,
        parameters: &'p [ast::Parameter],
        declared: Option<&'p ast::Type>,
        body: &'p ast::Block,
    ) -> Checked<Value<'p>> {
        let typed = self.typed();
        let result = match typed.types.get(&expr.id) {
            Some(Type::Function { result, .. }) => declared_axes(result),
            _ => AxisIds::new(),
        };
        let none = AxisIds::new();
        let touched = typed.touched.get(&expr.id).unwrap_or(&none);
        let (touched, result) = (self.bound_axes(touched), self.bound_axes(&result));
        let frame = self.frame.clone();
        let lambda = Closure::Lambda { parameters, declared, body, frame, touched, result };
        Ok(Value::Function(Arc::new(lambda)))
    }

    /// Those of the axes that are bound here.
    fn bound_axes(&self, ids: &AxisIds) -> AxisSet {
        let bound = |id| self.frame.axes.get(id).or_else(|| self.scope.root.axes.get(id)).copied();
        AxisSet::from(&ids.iter().filter_map(bound).collect::<Vec<_>>()[..])
    }

    /// A call of a value: `f(x)` where f is a parameter, a `let` or a lambda.
    pub fn call_value(&mut self, expr: &'p Expr, call: &'p Call, info: &'p CallInfo) -> Checked<Value<'p>> {
        let span = expr.span;
        let callee = self.eval(&call.callee)?;
        let mut arguments = Vec::with_capacity(info.arguments.len());
        for at in &info.arguments {
            arguments.push(match at.and_then(|at| call.arguments.get(at)) {
                Some(argument) => Some(self.eval(super::call::argument_value(argument))?),
                None => None,
            });
        }
        let Some(Type::Function { parameters, result }) = self.typed().types.get(&call.callee.id) else {
            let callee = self.shaped(callee, info, span)?;
            return self.apply_function(&callee, arguments, &AxisSet::new(), span);
        };
        let mut extra = AxisSet::new();
        let mut fitted = Vec::with_capacity(arguments.len());
        for (value, ty) in arguments.into_iter().zip(parameters) {
            let Some(value) = value else { return Err(fail::fault(span, "a function without its argument")) };
            let value = self.fit(value, ty, span)?;
            let declared = self.bound_axes(&declared_axes(ty));
            extra = extra.union(&self.value_axes(&value).minus(&declared));
            fitted.push(Some(value));
        }
        let value = self.apply_function(&callee, fitted, &extra, span)?;
        self.fit(value, result, span)
    }

    /// The axes of all arrays in a value.
    pub fn value_axes(&self, value: &Value<'p>) -> AxisSet {
        match value {
            Value::Node(node) => self.axes_of(*node),
            Value::Stored(stored) => AxisSet::from(&stored.layout[..]),
            Value::Record(fields) => {
                fields.iter().fold(AxisSet::new(), |all, (_, value)| all.union(&self.value_axes(value)))
            }
            Value::Tuple(parts) | Value::List(parts) => {
                parts.iter().fold(AxisSet::new(), |all, value| all.union(&self.value_axes(value)))
            }
            _ => AxisSet::new(),
        }
    }

    /// The value with at least the axes of the type, and truth values as numbers where numbers are wanted.
    pub fn fit(&mut self, value: Value<'p>, ty: &Type, span: Span) -> Checked<Value<'p>> {
        match (ty, value) {
            (Type::Array { axes, .. }, value @ (Value::Number(_) | Value::Truth(_) | Value::Stored(_)))
                if axes.is_empty() =>
            {
                Ok(value)
            }
            (
                Type::Array { element, axes },
                value @ (Value::Node(_)
                | Value::Number(_)
                | Value::Truth(_)
                | Value::Stored(_)
                | Value::List(_)),
            ) => {
                let mut wanted = AxisSet::new();
                for axis in axes {
                    wanted.insert(self.axis(*axis, span)?);
                }
                let node = match element {
                    CheckedElement::Float => self.float(&value, span)?,
                    _ => self.node(&value, span)?,
                };
                self.broadcast(node, &wanted, span).map(Value::Node)
            }
            (Type::Record(types), Value::Record(fields)) => {
                let mut fitted = Vec::with_capacity(fields.len());
                for (name, value) in fields.iter() {
                    let value = match types.iter().find(|(known, _)| known == name) {
                        Some((_, ty)) => self.fit(value.clone(), ty, span)?,
                        None => value.clone(),
                    };
                    fitted.push((name.clone(), value));
                }
                Ok(Value::Record(Arc::new(fitted)))
            }
            (Type::Tuple(types), Value::Tuple(parts)) => {
                let parts: Checked<Vec<_>> = types
                    .iter()
                    .zip(parts.iter())
                    .map(|(ty, part)| self.fit(part.clone(), ty, span))
                    .collect();
                Ok(Value::Tuple(Arc::new(parts?)))
            }
            (_, value) => Ok(value),
        }
    }

    /// Inlines a function that is a value. `extra`: axes of the arguments beyond those of its type.
    pub fn apply_function(
        &mut self,
        callee: &Value<'p>,
        arguments: Vec<Option<Value<'p>>>,
        extra: &AxisSet,
        span: Span,
    ) -> Checked<Value<'p>> {
        if let Value::Model(model) = callee
            && let Some(function) = self.method(model, "")
        {
            let closure = Closure::Method { model: Arc::clone(model), function, axes: Vec::new() };
            return self.apply_function(&Value::Function(Arc::new(closure)), arguments, extra, span);
        }
        let Value::Function(closure) = callee else {
            return Err(fail::fault(span, format!("a call of {}", callee.what())));
        };
        match &**closure {
            Closure::Item { item, axes } => self.apply_item(*item, axes.clone(), arguments, span),
            Closure::Builtin { builtin, axes } => {
                let values: Vec<Value<'p>> = arguments.into_iter().flatten().collect();
                self.apply_builtin(*builtin, axes, &values, span)
            }
            Closure::Lambda { parameters, declared, body, frame, touched, result } => {
                let clash = intersection(extra, touched).minus(result);
                self.apart(&clash, arguments, extra, span, |e, arguments, extra| {
                    let mut frame = frame.clone();
                    frame.extra = frame.extra.union(&e.frame.extra).union(extra);
                    e.nested(span, |e| {
                        let (result, _) = e.in_frame(frame, |e| {
                            e.bind_parameters(parameters, arguments, span)?;
                            let value = e.block(body)?;
                            match declared {
                                Some(ty) => e.conform(value, ty, span),
                                None => Ok(value),
                            }
                        });
                        result
                    })
                })
            }
            Closure::Method { model, function, axes } => {
                let own = AxisSet::from(&model.frame.axes.values().copied().collect::<Vec<_>>()[..]);
                let clash = intersection(extra, &own);
                self.apart(&clash, arguments, extra, span, |e, arguments, _| {
                    e.apply_method(model, function, axes, arguments, span)
                })
            }
        }
    }

    /// Inlines a function of a model.
    pub fn apply_method(
        &mut self,
        model: &Arc<Model<'p>>,
        function: &'p ast::Function,
        axes: &[(crate::check::program::AxisId, Axis)],
        arguments: Vec<Option<Value<'p>>>,
        span: Span,
    ) -> Checked<Value<'p>> {
        let mut frame: Frame<'p> = model.frame.clone();
        frame.model = Some(Arc::clone(model));
        for (id, axis) in axes {
            frame.axes.entry(*id).or_insert(*axis);
        }
        if let Some(other) = model.replaced.get(&function.name.text) {
            let value = self.call_replaced(function, other, frame, arguments, span)?;
            return self.over_models(value, model, span);
        }
        let value = self.named(&model.path.clone(), |e| e.inline(function, frame, arguments, span))?;
        self.over_models(value, model, span)
    }

    fn apply_builtin(
        &mut self,
        builtin: Builtin,
        axes: &[Axis],
        values: &[Value<'p>],
        span: Span,
    ) -> Checked<Value<'p>> {
        match (values, axes.is_empty()) {
            ([value], false) => {
                let node = self.node(value, span)?;
                self.reduce_plainly(builtin, node, axes, span).map(Value::Node)
            }
            _ => self.element_wise(builtin, values, span),
        }
    }

    /// Runs a call with the axes of `clash` renamed in its arguments, and renames them back in the result.
    fn apart(
        &mut self,
        clash: &AxisSet,
        arguments: Vec<Option<Value<'p>>>,
        extra: &AxisSet,
        span: Span,
        run: impl FnOnce(&mut Self, Vec<Option<Value<'p>>>, &AxisSet) -> Checked<Value<'p>>,
    ) -> Checked<Value<'p>> {
        if clash.is_empty() {
            return run(self, arguments, extra);
        }
        let mut pairs = Vec::new();
        for axis in clash.iter() {
            let (name, size) = (self.axis_name(axis), self.size(axis));
            pairs.push((axis, self.fresh(name, size)));
        }
        let mut renamed = Vec::with_capacity(arguments.len());
        for argument in arguments {
            renamed.push(match argument {
                Some(value) => Some(self.rename_all(value, &pairs, span)?),
                None => None,
            });
        }
        let mut outside = extra.minus(clash);
        pairs.iter().for_each(|(_, fresh)| outside.insert(*fresh));
        let result = run(self, renamed, &outside)?;
        let back: Vec<(Axis, Axis)> = pairs.iter().map(|(from, to)| (*to, *from)).collect();
        self.rename_all(result, &back, span)
    }

    fn rename_all(&mut self, value: Value<'p>, pairs: &[(Axis, Axis)], span: Span) -> Checked<Value<'p>> {
        Ok(match value {
            Value::Node(_) | Value::Stored(_) => {
                let mut node: NodeId = self.node(&value, span)?;
                for (from, to) in pairs {
                    if self.axes_of(node).contains(*from) {
                        node = self.build(span, |g| g.rename(node, *from, *to))?;
                    }
                }
                Value::Node(node)
            }
            Value::Record(fields) => {
                let mut renamed = Vec::with_capacity(fields.len());
                for (name, value) in fields.iter() {
                    renamed.push((name.clone(), self.rename_all(value.clone(), pairs, span)?));
                }
                Value::Record(Arc::new(renamed))
            }
            Value::Tuple(parts) => {
                let parts: Checked<Vec<_>> =
                    parts.iter().map(|part| self.rename_all(part.clone(), pairs, span)).collect();
                Value::Tuple(Arc::new(parts?))
            }
            other => other,
        })
    }

    /// The function with every array that it captured in a form that `keep` gives it.
    pub fn recapture(
        &mut self,
        closure: &Closure<'p>,
        keep: &mut dyn FnMut(&mut Self, &str, Value<'p>) -> Checked<Value<'p>>,
    ) -> Checked<Closure<'p>> {
        let mut closure = closure.clone();
        if let Closure::Lambda { frame, .. } = &mut closure {
            let mut values: Vec<(Span, Value<'p>)> = frame.values.drain().collect();
            values.sort_by_key(|(span, _)| *span);
            for (at, (span, value)) in values.into_iter().enumerate() {
                frame.values.insert(span, keep(self, &format!("captured.{at}"), value)?);
            }
        }
        Ok(closure)
    }
}

fn intersection(a: &AxisSet, b: &AxisSet) -> AxisSet {
    a.minus(&a.minus(b))
}

fn declared_axes(ty: &Type) -> AxisIds {
    let mut axes = AxisIds::new();
    axes_in(ty, &mut axes);
    axes
}

fn axes_in(ty: &Type, found: &mut AxisIds) {
    match ty {
        Type::Array { axes, .. } => found.extend(axes),
        Type::Record(fields) => fields.iter().for_each(|(_, ty)| axes_in(ty, found)),
        Type::Tuple(types) => types.iter().for_each(|ty| axes_in(ty, found)),
        _ => {}
    }
}
