//! Calls: what is called decides who checks it.

use std::rc::Rc;

use super::apply::Callee;
use crate::check::builtin::Builtin;
use crate::check::builtin::rule::BuiltinCall;
use crate::check::item::GIVEN;
use crate::check::program::{AxisId, AxisIds, AxisKind, Callable, Definition, ItemRef, Target, Type};
use crate::check::state::{Checker, ItemState, Signature};
use crate::diagnostic::{Code, Diagnostic, Help, nearest};
use crate::source::Span;
use crate::syntax::ast::{Argument, ArgumentKind, AxisName, Call, Expr, ExprKind, Name};

/// The parameter that the condition after `where` in a call is given to.
const SUBSET: &str = "among";

/// How schedules of a rate are called elsewhere.
const SCHEDULES: &[&str] =
    &["decay", "schedule", "scheduler", "lr_decay", "lr_schedule", "warmup", "warm_up"];

impl Checker<'_> {
    pub fn call(&mut self, expr: &Expr, call: &Call) -> Type {
        if let Some(ty) = self.norm_of_model(expr, call) {
            return ty;
        }
        match &call.callee.kind {
            ExprKind::Name(name) => {
                if let Some(local) = self.find_local(&name.text).cloned()
                    && matches!(
                        local.ty,
                        Type::Model { .. } | Type::Function { .. } | Type::Callable(_) | Type::Error
                    )
                {
                    let ty = self.expression(&call.callee);
                    return self.call_value(expr, call, &ty);
                }
                if self.find_local(&name.text).is_none()
                    && let Some(method) = self.own_method(&name.text, name.span)
                {
                    self.no_reduction_clauses(call);
                    return match method {
                        Some(callee) => self.apply(expr, &call.axes, &call.arguments, callee),
                        None => Type::Error,
                    };
                }
                if self.find_item(&name.text).is_some() || Builtin::find(&name.text).is_some() {
                    return self.call_by_name(expr, name, call);
                }
                if self.find_local(&name.text).is_some() {
                    let ty = self.expression(&call.callee);
                    return self.call_value(expr, call, &ty);
                }
                let ty = self.unknown_name(&name.text, name.span);
                self.check_loose(&call.arguments);
                ty
            }
            ExprKind::Field { value, field } => {
                let ty = self.expression(value);
                self.call_method(expr, call, &ty, field)
            }
            _ => {
                let ty = self.expression(&call.callee);
                self.call_value(expr, call, &ty)
            }
        }
    }

    /// `zeros[H]`, `normal[Example]`: brackets with bare axes after a function are a call without values.
    pub fn call_without_arguments(&mut self, expr: &Expr, name: &Name, axes: &[AxisName]) -> Option<Type> {
        if self.find_local(&name.text).is_some() {
            return None;
        }
        if let Some(item) = self.find_item(&name.text) {
            self.use_item(&name.text);
            self.program.names.insert(name.span, Definition::Item(item));
            let ItemState::Function(signature) = self.item(item, name.span) else { return None };
            let callee =
                Callee { signature, fixed: Vec::new(), over: AxisIds::new(), target: Target::Function(item) };
            return Some(self.apply(expr, axes, &[], callee));
        }
        let builtin = Builtin::find(&name.text)?;
        self.program.names.insert(name.span, Definition::Builtin(builtin));
        Some(self.builtin_call(BuiltinCall {
            expr,
            name,
            builtin,
            axes,
            arguments: &[],
            by: &[],
            filter: None,
            otherwise: None,
        }))
    }

    fn call_by_name(&mut self, expr: &Expr, name: &Name, call: &Call) -> Type {
        let Some(item) = self.use_item(&name.text) else {
            let Some(builtin) = Builtin::find(&name.text) else { return Type::Error };
            self.program.names.insert(name.span, Definition::Builtin(builtin));
            return self.builtin_call(BuiltinCall {
                expr,
                name,
                builtin,
                axes: &call.axes,
                arguments: &call.arguments,
                by: &call.by,
                filter: call.filter.as_ref(),
                otherwise: call.otherwise.as_ref(),
            });
        };
        self.program.names.insert(name.span, Definition::Item(item));
        let state = self.item(item, name.span);
        if let (ItemState::Function(signature), Some(filter)) = (&state, &call.filter)
            && signature.parameters.iter().any(|parameter| parameter.name == SUBSET)
        {
            return self.call_among(expr, call, item, Rc::clone(signature), filter);
        }
        self.no_reduction_clauses(call);
        self.call_item(expr, call, item, state, name.span)
    }

    /// `softmax(x, A where m)`: the condition is the argument `among`.
    fn call_among(
        &mut self,
        expr: &Expr,
        call: &Call,
        item: ItemRef,
        signature: Rc<Signature>,
        filter: &Expr,
    ) -> Type {
        let without = Call { filter: None, ..call.clone() };
        self.no_reduction_clauses(&without);
        let name = Name { text: SUBSET.to_owned(), span: filter.span };
        let kind = ArgumentKind::Named { name, value: filter.clone() };
        let mut arguments = call.arguments.clone();
        arguments.push(Argument { kind, span: filter.span });
        let target = Target::Function(item);
        let callee = Callee { signature, fixed: Vec::new(), over: AxisIds::new(), target };
        self.apply(expr, &call.axes, &arguments, callee)
    }

    fn call_item(&mut self, expr: &Expr, call: &Call, item: ItemRef, state: ItemState, place: Span) -> Type {
        match state {
            ItemState::Function(signature) => {
                if self.program.fits.contains(&item) {
                    self.fits_here(expr, place, item);
                }
                let callee = Callee {
                    signature,
                    fixed: Vec::new(),
                    over: AxisIds::new(),
                    target: Target::Function(item),
                };
                self.apply(expr, &call.axes, &call.arguments, callee)
            }
            ItemState::Layer(layer) => {
                let signature = Rc::clone(&layer.constructor);
                let callee = Callee {
                    signature,
                    fixed: Vec::new(),
                    over: AxisIds::new(),
                    target: Target::Construct(item),
                };
                self.context.trace.varies.extend(self.trial.counts.clone());
                self.context.random = true;
                self.apply(expr, &call.axes, &call.arguments, callee)
            }
            ItemState::Optimizer(signature) => {
                let callee = Callee {
                    signature,
                    fixed: Vec::new(),
                    over: AxisIds::new(),
                    target: Target::Optimizer(item),
                };
                self.apply(expr, &call.axes, &call.arguments, callee)
            }
            ItemState::Combiner(signature) | ItemState::SteppingCombiner(signature)
                if self.context.combining =>
            {
                self.call_combiner(expr, call, item, &signature)
            }
            // Where its weights are wanted, a combiner is a function of what `by` would give it.
            ItemState::Combiner(signature) => {
                let callee = Callee {
                    signature,
                    fixed: Vec::new(),
                    over: AxisIds::new(),
                    target: Target::Function(item),
                };
                self.apply(expr, &call.axes, &call.arguments, callee)
            }
            ItemState::SteppingCombiner(_) => {
                let name = self.item_name(item);
                self.report(
                    Diagnostic::error(Code::A0327, place, format!("`{name}` is a combiner that remembers"))
                        .label("not after `by`")
                        .help(format!(
                            "it combines the terms of an objective: `minimize {{ ... }} by {name}(...)`"
                        )),
                );
                Type::Error
            }
            ItemState::Constraint(signature) => {
                let callee = Callee {
                    signature,
                    fixed: Vec::new(),
                    over: AxisIds::new(),
                    target: Target::Constraint(item),
                };
                self.apply(expr, &call.axes, &call.arguments, callee)
            }
            ItemState::Open => Type::Error,
            ItemState::Other => {
                self.check_loose(&call.arguments);
                Type::Error
            }
            ItemState::Let(ty) => self.not_callable(place, &ty),
            ItemState::Data(data) => {
                let ty = Type::Rows { data: data.name.clone(), rows: data.rows };
                self.not_callable(place, &ty)
            }
        }
    }

    /// `by mgda()`: what the language gives is no argument, and the axes are those of the objective.
    fn call_combiner(&mut self, expr: &Expr, call: &Call, item: ItemRef, signature: &Signature) -> Type {
        let mut fixed: Vec<(AxisId, AxisId)> = Vec::new();
        for generic in &signature.generics {
            let info = self.program.axis(*generic).clone();
            let kind = match info.kind {
                AxisKind::SameSizeAs(of) => {
                    let of = fixed.iter().find(|(known, _)| *known == of).map_or(of, |(_, actual)| *actual);
                    AxisKind::SameSizeAs(of)
                }
                _ => AxisKind::Derived,
            };
            let axis = self.new_axis(info.name, kind, expr.span);
            fixed.push((*generic, axis));
        }
        let mut outside = signature.clone();
        outside.generics = Vec::new();
        outside.parameters.retain(|parameter| !GIVEN.contains(&parameter.name.as_str()));
        let target = Target::Combiner(item);
        let callee =
            Callee { signature: Rc::new(outside), fixed: fixed.clone(), over: AxisIds::new(), target };
        self.context.combining = false;
        let ty = self.apply(expr, &call.axes, &call.arguments, callee);
        self.context.combining = true;
        if let Some(info) = self.program.calls.get_mut(&expr.id) {
            info.axes = fixed;
        }
        ty
    }

    /// Applies a model or a function that is a value.
    fn call_value(&mut self, expr: &Expr, call: &Call, ty: &Type) -> Type {
        self.no_reduction_clauses(call);
        match ty {
            Type::Model { layer, axes, over } => {
                let over = over.clone();
                let ItemState::Layer(info) = self.item(*layer, call.callee.span) else { return Type::Error };
                let Some((member, _, signature)) = info.calls.iter().find(|(_, name, _)| name.is_none())
                else {
                    let name = self.item_name(*layer);
                    self.report(
                        Diagnostic::error(
                            Code::A0215,
                            call.callee.span,
                            format!("the layer `{name}` has no call of its own"),
                        )
                        .label("called here")
                        .related(info.constructor.span, "the layer")
                        .help("give the layer a call: `(x: Float[A]) -> Float[B] = ...`, or name one of its methods"),
                    );
                    return Type::Error;
                };
                let target = Target::Apply { layer: *layer, member: *member };
                let callee = Callee { signature: Rc::clone(signature), fixed: axes.clone(), over, target };
                self.apply(expr, &call.axes, &call.arguments, callee)
            }
            Type::Error => {
                self.check_loose(&call.arguments);
                Type::Error
            }
            Type::Function { .. } => match self.callee_of_type(&call.callee, ty) {
                Some(callee) => self.apply(expr, &call.axes, &call.arguments, callee),
                None => Type::Error,
            },
            Type::Callable(Callable::Item(item)) => match self.item(*item, call.callee.span) {
                ItemState::Function(signature) => {
                    let callee =
                        Callee { signature, fixed: Vec::new(), over: AxisIds::new(), target: Target::Value };
                    self.apply(expr, &call.axes, &call.arguments, callee)
                }
                _ => Type::Error,
            },
            Type::Callable(Callable::Builtin(builtin)) => {
                let name = Name { text: builtin.name().to_owned(), span: call.callee.span };
                self.builtin_call(BuiltinCall {
                    expr,
                    name: &name,
                    builtin: *builtin,
                    axes: &call.axes,
                    arguments: &call.arguments,
                    by: &[],
                    filter: None,
                    otherwise: None,
                })
            }
            other => self.not_callable(call.callee.span, other),
        }
    }

    /// `net.hidden(x)`: a method, or a sub-model.
    fn call_method(&mut self, expr: &Expr, call: &Call, ty: &Type, field: &Name) -> Type {
        if let Type::Model { layer, axes, over } = ty {
            let over = over.clone();
            let ItemState::Layer(info) = self.item(*layer, field.span) else { return Type::Error };
            let method = info.calls.iter().find(|(_, name, _)| name.as_deref() == Some(field.text.as_str()));
            if let Some((member, _, signature)) = method {
                self.no_reduction_clauses(call);
                let target = Target::Apply { layer: *layer, member: *member };
                let callee = Callee { signature: Rc::clone(signature), fixed: axes.clone(), over, target };
                return self.apply(expr, &call.axes, &call.arguments, callee);
            }
            if !info.fields.iter().any(|(name, _)| *name == field.text) {
                if field.text == "with" {
                    self.no_reduction_clauses(call);
                    return self.replaced(call, *layer, axes, &over);
                }
                let mut known: Vec<String> = info.fields.iter().map(|(name, _)| name.clone()).collect();
                known.extend(info.calls.iter().filter_map(|(_, name, _)| name.clone()));
                let of = self.item_name(*layer);
                self.check_loose(&call.arguments);
                return self.unknown_field(
                    &format!("the layer `{of}`"),
                    field,
                    &known,
                    Some(info.constructor.span),
                );
            }
        }
        let ty = self.field_of(ty, call.callee.span, field);
        self.program.types.insert(call.callee.id, ty.clone());
        self.call_value(expr, call, &ty)
    }

    fn not_callable(&mut self, place: Span, ty: &Type) -> Type {
        let shown = self.show(ty);
        self.report(
            Diagnostic::error(Code::A0215, place, format!("{shown} cannot be called"))
                .label(format!("this is {shown}"))
                .help("functions and models are called; to select along an axis write `x[A = i]`, to multiply `a * b`"),
        );
        Type::Error
    }

    fn no_reduction_clauses(&mut self, call: &Call) {
        let place = (call.by.first().map(|e| (e.span, "by")))
            .or_else(|| call.filter.as_ref().map(|e| (e.span, "where")))
            .or_else(|| call.otherwise.as_ref().map(|e| (e.span, "else")));
        if let Some((span, word)) = place {
            self.report(
                Diagnostic::error(Code::A0218, span, format!("`{word}` belongs to reductions only"))
                    .label("this call is none")
                    .related(call.callee.span, "what is called")
                    .help("reductions are sum, mean, max, min, prod, any, all, count, logsumexp, var, std and their kin"),
            );
        }
    }

    /// Checks arguments of a call that is wrong anyway, for the errors in them.
    pub fn check_loose(&mut self, arguments: &[Argument]) {
        use crate::syntax::ast::ArgumentKind as K;
        for argument in arguments {
            match &argument.kind {
                K::Positional(value) | K::Named { value, .. } => {
                    if self.axis_argument(value).is_none() && !self.looks_like_axis(value) {
                        self.expression(value);
                    }
                }
                K::As { .. } => {}
            }
        }
    }

    /// An argument name that the callee does not have.
    pub fn unknown_argument(&mut self, callee: &str, name: &Name, known: &[&str], place: Option<Span>) {
        let help = match nearest(&name.text, known.iter().copied()) {
            Some(near) => Help::meant(name.span, near),
            // What other frameworks give the optimizer is here a rate that depends on the moment.
            None if known.contains(&"lr") && SCHEDULES.contains(&name.text.as_str()) => {
                let rate = "a rate may change with the moment: `lr = 1e-3 * cosine(progress)`, with `use std.optim (cosine)`";
                let weights = if name.text == "decay" { "; `adamw` lets the weights decay" } else { "" };
                format!("{rate}{weights}").into()
            }
            None if known.is_empty() => format!("`{callee}` has no arguments with names").into(),
            None => format!("`{callee}` knows {}", known.join(", ")).into(),
        };
        let mut diagnostic =
            Diagnostic::error(Code::A0108, name.span, format!("`{callee}` has no argument `{}`", name.text))
                .label("unknown argument")
                .help(help);
        if let Some(place) = place {
            diagnostic = diagnostic.related(place, format!("`{callee}` is defined here"));
        }
        self.report(diagnostic);
    }
}
