//! Functions as values: names, models and methods where a function type is wanted, and functions as arguments.
//!
//! In: an expression and the function type that is wanted of it. Out: that type, with the further axes that the function's
//! result has because of what it captures; the axes of a generic function are bound as by a call.

use std::rc::Rc;

use super::apply::Callee;
use super::arguments::Matched;
use super::lambda::Lambda;
use crate::check::builtin::Builtin;
use crate::check::infer::{Pair, arrays, silent};
use crate::check::program::{AxisId, AxisIds, CallInfo, Callable, Element, Target, Type};
use crate::check::state::{Checker, ItemState, ParameterInfo, Signature};
use crate::check::types::{Bindings, all_axes, array, axes_of, lift, substitute};
use crate::diagnostic::{Code, Diagnostic};
use crate::syntax::ast::{Argument, AxisName, Expr, ExprKind, Selector};

/// The function type that is wanted of an expression.
pub(in crate::check) struct Wanted {
    pub parameters: Vec<Type>,
    pub result: Type,
    /// Generic axes of the callee that only this function can tell, by its result.
    pub open: Vec<AxisId>,
    /// What it told.
    pub found: Bindings,
}

impl Wanted {
    pub fn new(ty: &Type, open: Vec<AxisId>) -> Option<Wanted> {
        match ty {
            Type::Function { parameters, result } => Some(Wanted {
                parameters: parameters.clone(),
                result: (**result).clone(),
                open,
                found: Vec::new(),
            }),
            _ => None,
        }
    }

    fn ty(&self) -> Type {
        Type::Function { parameters: self.parameters.clone(), result: Box::new(self.result.clone()) }
    }
}

/// The axes that a function's result has beyond those wanted; none if it is not the function wanted.
pub(super) fn further_axes(wanted: &Type, have: &Type) -> Option<AxisIds> {
    match (wanted, have) {
        (
            Type::Function { parameters: first, result: wanted },
            Type::Function { parameters: second, result: have },
        ) if first == second => beyond(wanted, have),
        // Several models where one is wanted: the call is lifted over them.
        (
            Type::Model { layer: first, axes: wanted, over: inside },
            Type::Model { layer: second, axes: have, over },
        ) if first == second && wanted == have && inside.is_subset(over) => {
            Some(over.difference(inside).copied().collect())
        }
        _ => None,
    }
}

/// The further axes of a result; none if it does not fit.
pub(super) fn beyond(wanted: &Type, have: &Type) -> Option<AxisIds> {
    match (wanted, have) {
        (Type::Array { element: want, axes: wanted }, Type::Array { element: have, axes }) => {
            let accepted = want == have || (*want == Element::Float && *have == Element::Bool);
            let all = axes.is_empty() || wanted.is_subset(axes);
            (accepted && all).then(|| axes.difference(wanted).copied().collect())
        }
        (Type::Record(wanted), Type::Record(have)) if wanted.len() == have.len() => {
            let mut extra = AxisIds::new();
            for (name, ty) in wanted {
                extra.extend(beyond(ty, &have.iter().find(|(known, _)| known == name)?.1)?);
            }
            Some(extra)
        }
        (Type::Tuple(wanted), Type::Tuple(have)) if wanted.len() == have.len() => {
            let mut extra = AxisIds::new();
            for (wanted, have) in wanted.iter().zip(have) {
                extra.extend(beyond(wanted, have)?);
            }
            Some(extra)
        }
        (wanted @ Type::Function { .. }, have) => further_axes(wanted, have),
        (wanted, have) => (wanted == have).then(AxisIds::new),
    }
}

impl Checker<'_> {
    /// An expression of which a type is wanted: where it is a function type, functions may stand.
    pub fn expecting(&mut self, expr: &Expr, wanted: &Type) -> Type {
        if let Some(mut wanted) = Wanted::new(wanted, Vec::new()) {
            return self.hinted(None, |c| c.function_value(expr, &mut wanted));
        }
        if let (Type::Record(wanted), ExprKind::Record(fields)) = (wanted, &expr.kind) {
            let ty = self.record(fields, wanted);
            self.program.types.insert(expr.id, ty.clone());
            return ty;
        }
        self.expression(expr)
    }

    pub fn function_value(&mut self, expr: &Expr, wanted: &mut Wanted) -> Type {
        let ty = match &expr.kind {
            ExprKind::Parenthesised(inner) => self.function_value(inner, wanted),
            ExprKind::Lambda { parameters, result, body } => {
                self.lambda(expr, Lambda { parameters, result: result.as_ref(), body }, Some(wanted))
            }
            ExprKind::Match { value, arms } => self.match_expression(expr, value, arms, Some(wanted)),
            ExprKind::If { condition, then, otherwise } => {
                self.if_expression(condition, then, otherwise, Some(wanted))
            }
            _ => self.named_function(expr, wanted),
        };
        self.program.types.insert(expr.id, ty.clone());
        ty
    }

    fn named_function(&mut self, expr: &Expr, wanted: &mut Wanted) -> Type {
        if let ExprKind::Field { value, field } = &expr.kind
            && let Some(callee) = self.method_value(value, &field.text)
        {
            return self.stands_for(expr, &[], callee, wanted);
        }
        if let ExprKind::Name(name) = &expr.kind
            && self.find_local(&name.text).is_none()
            && let Some(method) = self.own_method(&name.text, name.span)
        {
            return match method {
                Some(callee) => self.stands_for(expr, &[], callee, wanted),
                None => Type::Error,
            };
        }
        // `norm[D]`: a function with its axes named.
        let mut named: &[AxisName] = &[];
        let axes: Option<Vec<AxisName>> = match &expr.kind {
            ExprKind::Index { selectors, .. } => selectors
                .iter()
                .map(|selector| match selector {
                    Selector::Axis(axis) => Some(axis.clone()),
                    _ => None,
                })
                .collect(),
            _ => None,
        };
        let mut of = expr;
        if let (ExprKind::Index { value, .. }, Some(axes)) = (&expr.kind, &axes) {
            of = value;
            named = axes;
        }
        match self.expression(of) {
            Type::Error => Type::Error,
            Type::Callable(Callable::Builtin(builtin)) => self.builtin_stands_for(expr, builtin, wanted),
            ty => match self.callee_of_type(of, &ty) {
                Some(callee) => self.stands_for(expr, named, callee, wanted),
                None => {
                    let (shown, want) = (self.show(&ty), self.show(&wanted.ty()));
                    self.report(
                        Diagnostic::error(
                            Code::A0222,
                            expr.span,
                            format!("a function is wanted, but this is {shown}"),
                        )
                        .label(format!("this is {shown}"))
                        .help(format!(
                            "give the name of a function, a model, or `fn(x) = ...`: it must be {want}"
                        )),
                    );
                    Type::Error
                }
            },
        }
    }

    /// How a value is called, if it is a function or a model.
    pub fn callee_of_type(&mut self, expr: &Expr, ty: &Type) -> Option<Callee> {
        match ty {
            Type::Function { parameters, result } => {
                let mut axes = AxisIds::new();
                all_axes(ty, &mut axes);
                let infos = parameters.iter().enumerate().map(|(at, ty)| ParameterInfo {
                    name: format!("argument {}", at + 1),
                    ty: ty.clone(),
                    optional: false,
                    span: expr.span,
                });
                let signature = Signature {
                    name: self.text(expr.span),
                    generics: Vec::new(),
                    parameters: infos.collect(),
                    result: (**result).clone(),
                    draws: false,
                    random: false,
                    span: expr.span,
                    module: None,
                };
                // Its axes are taken: a call cannot be lifted over them.
                let fixed = axes.into_iter().map(|axis| (axis, axis)).collect();
                Some(Callee {
                    signature: Rc::new(signature),
                    fixed,
                    over: AxisIds::new(),
                    target: Target::Value,
                })
            }
            Type::Callable(Callable::Item(item)) => match self.item(*item, expr.span) {
                ItemState::Function(signature) => {
                    Some(Callee { signature, fixed: Vec::new(), over: AxisIds::new(), target: Target::Value })
                }
                _ => None,
            },
            Type::Model { layer, axes, over } => {
                let over = over.clone();
                let ItemState::Layer(info) = self.item(*layer, expr.span) else { return None };
                let (_, _, signature) = info.calls.iter().find(|(_, name, _)| name.is_none())?;
                Some(Callee {
                    signature: Rc::clone(signature),
                    fixed: axes.clone(),
                    over,
                    target: Target::Value,
                })
            }
            _ => None,
        }
    }

    /// `net.hidden` where a function is wanted.
    fn method_value(&mut self, value: &Expr, method: &str) -> Option<Callee> {
        let ExprKind::Name(name) = &value.kind else { return None };
        let Type::Model { layer, axes, over } = self.find_local(&name.text)?.ty.clone() else { return None };
        let ItemState::Layer(info) = self.item(layer, value.span) else { return None };
        let (_, _, signature) = info.calls.iter().find(|(_, name, _)| name.as_deref() == Some(method))?;
        self.expression(value);
        Some(Callee { signature: Rc::clone(signature), fixed: axes, over, target: Target::Value })
    }

    /// Whether what is called like `callee` can stand for the function wanted: called with the parameters wanted it
    /// must give the result wanted.
    pub(super) fn stands_for(
        &mut self,
        expr: &Expr,
        named: &[AxisName],
        callee: Callee,
        wanted: &mut Wanted,
    ) -> Type {
        let signature = Rc::clone(&callee.signature);
        let axes: Vec<_> = named.iter().filter_map(|axis| Some((self.axis(axis)?, axis.span))).collect();
        self.open_parameters(&signature, &callee.fixed, wanted);
        let values = (0..signature.parameters.len())
            .map(|at| wanted.parameters.get(at).map(|ty| (at, expr.span, ty.clone())))
            .collect();
        let matched = Matched { axes, values, functions: Vec::new(), failed: false };
        if signature.draws {
            self.drawn(expr.span, &signature.name);
        }
        if signature.random {
            self.context.random = true;
            self.context.trace.varies.extend(self.trial.counts.clone());
        }
        let needed = signature.parameters.iter().skip(wanted.parameters.len()).find(|p| !p.optional);
        if wanted.parameters.len() > signature.parameters.len() || needed.is_some() {
            let help = match needed {
                Some(parameter) => format!("`{}` also needs `{}`", signature.name, parameter.name),
                None => format!(
                    "`{}` takes {}, and {} are given",
                    signature.name,
                    signature.parameters.len(),
                    wanted.parameters.len()
                ),
            };
            return self.unfit(expr, &signature.name, wanted, help);
        }
        let before = self.diagnostics.len();
        let parameters: Vec<Type> =
            signature.parameters.iter().map(|p| substitute(&p.ty, &callee.fixed)).collect();
        let bound = self.name_axes(&matched, &signature).and_then(|named| {
            let bindings = self.infer(expr, &[], &signature, &named, &parameters, &matched)?;
            let extra = self.check_arguments(&callee, &parameters, &bindings, &matched)?;
            Some((bindings, extra))
        });
        let Some((mut bindings, extra)) = bound else {
            let reason = self.diagnostics.drain(before..).next();
            let help = reason.map_or_else(String::new, |reason| reason.message);
            return self.unfit(expr, &signature.name, wanted, help);
        };
        let result = substitute(&substitute(&signature.result, &callee.fixed), &bindings);
        let result = self.lifted(&signature.name, &result, &extra, expr.span);
        bindings.sort_by_key(|(generic, _)| signature.generics.iter().position(|g| g == generic));
        if !matches!(expr.kind, ExprKind::Call(_)) {
            let info = CallInfo { target: callee.target, axes: bindings, arguments: Vec::new() };
            self.program.calls.insert(expr.id, info);
        }
        self.wanted_result(expr, &signature.name, &result, wanted)
    }

    /// Generic axes that the parameters wanted leave open are those of the function's own parameters.
    fn open_parameters(&mut self, signature: &Signature, fixed: &Bindings, wanted: &mut Wanted) {
        let open = wanted.open.clone();
        for (want, have) in wanted.parameters.iter().zip(&signature.parameters) {
            let have = substitute(&have.ty, fixed);
            let mut mentioned = AxisIds::new();
            all_axes(&have, &mut mentioned);
            if !mentioned.iter().any(|axis| signature.generics.contains(axis)) {
                bind_open(&open, want, &have, &mut wanted.found);
            }
        }
        let found = wanted.found.clone();
        wanted.parameters.iter_mut().for_each(|ty| *ty = substitute(ty, &found));
        wanted.result = substitute(&wanted.result, &found);
    }

    /// The type wanted, if a result fits it.
    pub(super) fn wanted_result(
        &mut self,
        expr: &Expr,
        name: &str,
        result: &Type,
        wanted: &mut Wanted,
    ) -> Type {
        let open = wanted.open.clone();
        bind_open(&open, &wanted.result.clone(), result, &mut wanted.found);
        let found = wanted.found.clone();
        wanted.result = substitute(&wanted.result, &found);
        if *result == Type::Error {
            return Type::Error;
        }
        let mut mentioned = AxisIds::new();
        all_axes(&wanted.ty(), &mut mentioned);
        if let Some(axis) = mentioned.iter().find(|axis| open.contains(axis)) {
            let help =
                format!("nothing tells which axis `{}` is: name the axes of the call", self.axis_name(*axis));
            return self.unfit(expr, name, wanted, help);
        }
        match beyond(&wanted.result, result) {
            Some(extra) => Type::Function {
                parameters: wanted.parameters.clone(),
                result: Box::new(lift(&wanted.result, &extra)),
            },
            None => {
                let help = format!("for these arguments its result is {}", self.show(result));
                self.unfit(expr, name, wanted, help)
            }
        }
    }

    fn unfit(&mut self, expr: &Expr, name: &str, wanted: &Wanted, help: String) -> Type {
        let want = self.show(&wanted.ty());
        self.report(
            Diagnostic::error(
                Code::A0223,
                expr.span,
                format!("`{name}` is not the function that is wanted here"),
            )
            .label(format!("{want} is wanted"))
            .help(help),
        );
        Type::Error
    }

    /// A builtin as a function: element by element, or a reduction over the axes that the result lacks.
    fn builtin_stands_for(&mut self, expr: &Expr, builtin: Builtin, wanted: &mut Wanted) -> Type {
        let shapes: Option<Vec<(Element, AxisIds)>> = wanted
            .parameters
            .iter()
            .map(|ty| match ty {
                Type::Array { element, axes } => Some((*element, axes.clone())),
                _ => None,
            })
            .collect();
        let numbers =
            shapes.filter(|shapes| shapes.iter().all(|(element, _)| !matches!(element, Element::Index(_))));
        let name = builtin.name();
        let Some(shapes) = numbers else {
            return self.unfit(expr, name, wanted, format!("it is called `{}`", builtin.signature()));
        };
        let all: AxisIds = shapes.iter().flat_map(|(_, axes)| axes.iter().copied()).collect();
        let (result, vanish) = match (shapes.len(), crate::check::builtin::shape_of(builtin)) {
            (n, Some(arity)) if n == arity => (array(Element::Float, all), AxisIds::new()),
            (2, _) if matches!(builtin, Builtin::Max | Builtin::Min) => {
                (array(Element::Float, all), AxisIds::new())
            }
            (1, _) => {
                let vanish: AxisIds = all.difference(&axes_of(&wanted.result)).copied().collect();
                match self.reduced(builtin, &all, &vanish) {
                    Some(result) => (result, vanish),
                    None => {
                        let help = format!(
                            "write it out: `fn(x) = ...`, where it is called `{}`",
                            builtin.signature()
                        );
                        return self.unfit(expr, name, wanted, help);
                    }
                }
            }
            _ => return self.unfit(expr, name, wanted, format!("it is called `{}`", builtin.signature())),
        };
        let info = CallInfo {
            target: Target::Value,
            axes: vanish.iter().map(|axis| (*axis, *axis)).collect(),
            arguments: Vec::new(),
        };
        self.program.calls.insert(expr.id, info);
        self.wanted_result(expr, name, &result, wanted)
    }

    /// The result of a builtin that reduces `all` over `vanish`.
    fn reduced(&self, builtin: Builtin, all: &AxisIds, vanish: &AxisIds) -> Option<Type> {
        use Builtin as B;
        let rest: AxisIds = all.difference(vanish).copied().collect();
        let element = match builtin {
            B::Sum | B::Product | B::Mean | B::Max | B::Min | B::LogSumExp | B::Variance | B::Median => {
                Element::Float
            }
            B::StandardDeviation => Element::Float,
            B::Any | B::All => Element::Bool,
            B::ArgMax | B::ArgMin if vanish.len() == 1 => Element::Index(*vanish.first()?),
            _ => return None,
        };
        (!vanish.is_empty()).then(|| array(element, rest))
    }

    /// The axes of a call with functions among its arguments: what the other arguments leave open, the functions tell.
    pub(super) fn infer_with_functions(
        &mut self,
        expr: &Expr,
        arguments: &[Argument],
        signature: &Signature,
        named: &Bindings,
        parameters: &[Type],
        matched: &mut Matched,
    ) -> Option<Bindings> {
        let mut pairs: Vec<Pair> = Vec::new();
        for (parameter, value) in parameters.iter().zip(&matched.values) {
            if let Some((_, _, ty)) = value {
                arrays(parameter, ty, &mut pairs);
            }
        }
        let mut open = silent(&signature.generics, named, &pairs);
        let known = Signature {
            generics: signature.generics.iter().copied().filter(|axis| !open.contains(axis)).collect(),
            ..signature.clone()
        };
        let mut bindings = self.infer(expr, arguments, &known, named, parameters, matched)?;
        let mut good = true;
        for (at, value) in matched.functions.clone() {
            let ty = substitute(&parameters[at], &bindings);
            let Some(mut wanted) = Wanted::new(&ty, open.clone()) else { continue };
            let ty = self.function_value(value, &mut wanted);
            good &= ty != Type::Error;
            open.retain(|axis| !wanted.found.iter().any(|(known, _)| known == axis));
            bindings.extend(wanted.found);
            if let Some(slot) = &mut matched.values[at] {
                slot.2 = ty;
            }
        }
        if !good {
            return None;
        }
        // What is still open is reported as for any call.
        if open.is_empty() {
            Some(bindings)
        } else {
            self.infer(expr, arguments, signature, &bindings, parameters, matched)
        }
    }

    /// The one type of two alternatives that are functions.
    pub(super) fn join_functions(&mut self, a: &Type, b: &Type) -> Option<Type> {
        if let (Type::Callable(Callable::Item(first)), Type::Callable(Callable::Item(second))) = (a, b)
            && self.called_alike(*first, *second)
        {
            return Some(a.clone());
        }
        let (first, second) = (self.plain_function(a)?, self.plain_function(b)?);
        (first == second).then_some(first)
    }

    /// Whether two generic functions have one signature, whatever the names of its axes.
    fn called_alike(&mut self, a: crate::check::program::ItemRef, b: crate::check::program::ItemRef) -> bool {
        let (a, b) = match (self.items.get(&a), self.items.get(&b)) {
            (Some(ItemState::Function(a)), Some(ItemState::Function(b))) => (Rc::clone(a), Rc::clone(b)),
            _ => return false,
        };
        if a.generics.len() != b.generics.len() || a.parameters.len() != b.parameters.len() {
            return false;
        }
        let renamed: Bindings = b.generics.iter().copied().zip(a.generics.iter().copied()).collect();
        a.parameters.iter().zip(&b.parameters).all(|(a, b)| {
            a.ty == substitute(&b.ty, &renamed)
                && a.optional == b.optional
                && (a.name == b.name || !a.optional)
        }) && a.result == substitute(&b.result, &renamed)
    }

    /// The type of a function that works on fixed axes; none of one that is generic.
    fn plain_function(&mut self, ty: &Type) -> Option<Type> {
        match ty {
            Type::Function { .. } => Some(ty.clone()),
            Type::Callable(Callable::Builtin(builtin)) => {
                let arity = crate::check::builtin::shape_of(*builtin)?;
                Some(Type::Function {
                    parameters: vec![Type::float(); arity],
                    result: Box::new(Type::float()),
                })
            }
            Type::Callable(Callable::Item(item)) => {
                let Some(ItemState::Function(signature)) = self.items.get(item) else { return None };
                let needed = signature.parameters.iter().filter(|parameter| !parameter.optional);
                signature.generics.is_empty().then(|| Type::Function {
                    parameters: needed.map(|parameter| parameter.ty.clone()).collect(),
                    result: Box::new(signature.result.clone()),
                })
            }
            _ => None,
        }
    }

    /// A function where a value is wanted: it was not called.
    pub(super) fn uncalled<T>(&mut self, expr: &Expr, ty: &Type) -> Option<T> {
        let text = self.text(expr.span);
        let help = match ty {
            Type::Callable(Callable::Builtin(builtin)) => format!("call it: `{}`", builtin.signature()),
            Type::Callable(Callable::Item(item)) => match self.items.get(item) {
                Some(ItemState::Function(signature)) => {
                    let names: Vec<&str> = signature.parameters.iter().map(|p| p.name.as_str()).collect();
                    format!("call it: `{text}({})`", names.join(", "))
                }
                _ => "call it".to_owned(),
            },
            _ => format!("call it: `{text}(...)`"),
        };
        let builtin = matches!(ty, Type::Callable(Callable::Builtin(_)));
        self.report(
            Diagnostic::error(Code::A0118, expr.span, format!("`{text}` is a function, not a value"))
                .label(if builtin { "a builtin function" } else { "a function" })
                .help(help),
        );
        None
    }
}

/// Binds open axes of the wanted type by the type that is there: elements first, then the one axis left over.
fn bind_open(open: &[AxisId], wanted: &Type, have: &Type, found: &mut Bindings) {
    match (wanted, have) {
        (Type::Array { element: want, axes: wanted }, Type::Array { element: have, axes }) => {
            let is_open = |axis: &AxisId, found: &Bindings| {
                open.contains(axis) && !found.iter().any(|(known, _)| known == axis)
            };
            if let (Element::Index(want), Element::Index(have)) = (want, have)
                && is_open(want, found)
            {
                found.push((*want, *have));
            }
            let now: AxisIds = wanted
                .iter()
                .map(|axis| found.iter().find(|(known, _)| known == axis).map_or(*axis, |(_, bound)| *bound))
                .collect();
            let unknown: Vec<AxisId> = now.iter().copied().filter(|axis| is_open(axis, found)).collect();
            let left: Vec<AxisId> = axes.difference(&now).copied().collect();
            if let ([unknown], [left]) = (&unknown[..], &left[..]) {
                found.push((*unknown, *left));
            }
        }
        (Type::Record(wanted), Type::Record(have)) => {
            for (name, ty) in wanted {
                if let Some((_, have)) = have.iter().find(|(known, _)| known == name) {
                    bind_open(open, ty, have, found);
                }
            }
        }
        (Type::Tuple(wanted), Type::Tuple(have)) => {
            for (wanted, have) in wanted.iter().zip(have) {
                bind_open(open, wanted, have, found);
            }
        }
        _ => {}
    }
}
