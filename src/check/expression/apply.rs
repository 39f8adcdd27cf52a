//! Calls of functions, constructors, models and optimizers: arguments to parameters, axes inferred, results lifted.

use std::rc::Rc;

use super::arguments::Matched;
use super::function_value::{beyond, further_axes};
use crate::check::infer::{Pair, arrays, assignments, silent};
use crate::check::program::{AxisId, AxisIds, AxisKind, CallInfo, Element, ItemRef, Target, Type};
use crate::check::state::{Checker, Draw, Hint, Signature};
use crate::check::types::{Bindings, bound, lift, substitute};
use crate::diagnostic::{Code, Diagnostic, Edit, Help};
use crate::source::Span;
use crate::syntax::ast::{Argument, AxisName, Expr};

/// What is called.
pub(in crate::check) struct Callee {
    pub signature: Rc<Signature>,
    /// Axes of the model that is applied: bound when it was made.
    pub fixed: Bindings,
    /// The axes over which there are several models of one form.
    pub over: AxisIds,
    pub target: Target,
}

impl Checker<'_> {
    pub fn apply(&mut self, expr: &Expr, axes: &[AxisName], arguments: &[Argument], callee: Callee) -> Type {
        let signature = Rc::clone(&callee.signature);
        // A list given to a combiner has an element for each term.
        let hint = match (&callee.target, callee.fixed.first()) {
            (Target::Combiner(_), Some((_, task))) => {
                Some(Hint { element: Element::Float, axes: vec![*task] })
            }
            _ => None,
        };
        let (mut matched, read) =
            self.reading(|c| c.hinted(hint, |c| c.match_arguments(expr, axes, arguments, &signature)));
        let named = self.name_axes(&matched, &signature);
        let parameters: Vec<Type> =
            signature.parameters.iter().map(|p| substitute(&p.ty, &callee.fixed)).collect();
        let failed = matched.failed
            || matched.values.iter().flatten().any(|(_, _, ty)| *ty == Type::Error)
            || parameters.contains(&Type::Error);
        let Some(named) = named else { return self.known_result(&callee, None) };
        if failed || !self.kinds_fit(&signature, &parameters, &matched) {
            return self.known_result(&callee, Some(&named));
        }
        let bindings = match matched.functions.is_empty() {
            true => self.infer(expr, arguments, &signature, &named, &parameters, &matched),
            false => self.hinted(None, |c| {
                c.infer_with_functions(expr, arguments, &signature, &named, &parameters, &mut matched)
            }),
        };
        let Some(bindings) = bindings else { return self.known_result(&callee, Some(&named)) };
        let Some(extra) = self.check_arguments(&callee, &parameters, &bindings, &matched) else {
            return self.known_result(&callee, Some(&bindings));
        };
        self.works_along(callee.fixed.iter().chain(&bindings).map(|(_, axis)| *axis), &read);
        let extra = extra.union(&self.draw_axes(expr.span, &signature)).copied().collect();
        self.few_seeds(expr.span, &signature, &bindings);
        if signature.draws && signature.module.as_deref() == Some("std.prelude") {
            let given = signature.parameters.iter().zip(&matched.values);
            let given: Vec<(&str, &Expr)> = given
                .filter_map(|(parameter, value)| {
                    let argument = arguments.get(value.as_ref()?.0)?;
                    Some((parameter.name.as_str(), super::arguments::value_of(argument)?))
                })
                .collect();
            self.in_domain(&signature.name, &given);
        }
        let result = self.result_of(&callee, &bindings, &extra, expr.span);
        let order = |generic: &AxisId| signature.generics.iter().position(|g| g == generic);
        let mut pairs = bindings;
        pairs.sort_by_key(|(generic, _)| order(generic));
        let positions = matched.values.iter().map(|value| value.as_ref().map(|(at, _, _)| *at)).collect();
        let info = CallInfo { target: callee.target, axes: pairs, arguments: positions };
        self.program.calls.insert(expr.id, info);
        result
    }

    /// What a wrong call would still give: models, so that their uses are checked; else an error.
    fn known_result(&mut self, callee: &Callee, bindings: Option<&Bindings>) -> Type {
        match (&callee.target, bindings) {
            (Target::Construct(item), Some(bindings))
                if callee.signature.generics.iter().all(|g| bindings.iter().any(|(known, _)| known == g)) =>
            {
                Type::Model { layer: *item, axes: bindings.clone(), over: AxisIds::new() }
            }
            (Target::Optimizer(item), _) => Type::Optimizer(*item),
            (Target::Combiner(item), _) => Type::Combiner(*item),
            (Target::Constraint(item), _) => Type::Constraint(*item),
            _ => Type::Error,
        }
    }

    fn result_of(&mut self, callee: &Callee, bindings: &Bindings, extra: &AxisIds, span: Span) -> Type {
        match &callee.target {
            Target::Construct(item) => {
                let axes = self.in_order(*item, callee, bindings);
                Type::Model { layer: *item, axes, over: AxisIds::new() }
            }
            Target::Optimizer(item) => Type::Optimizer(*item),
            Target::Combiner(item) => Type::Combiner(*item),
            Target::Constraint(item) => Type::Constraint(*item),
            _ => {
                let result = substitute(&substitute(&callee.signature.result, &callee.fixed), bindings);
                self.lifted(&callee.signature.name, &result, extra, span)
            }
        }
    }

    /// What a call over further axes gives: numbers for each of their positions, but not models.
    pub(super) fn lifted(&mut self, name: &str, result: &Type, extra: &AxisIds, span: Span) -> Type {
        if extra.is_empty() || !has_model(result) {
            return lift(result, extra);
        }
        let over = self.axes_in_words(extra);
        let over = over.trim_start_matches("the axis ").trim_start_matches("the axes ").to_owned();
        self.report(
            Diagnostic::error(Code::A0226, span, format!("`{name}` would give a model for every position of {over}"))
                .label(format!("lifted over {over}"))
                .help("use the model in the function, and let its result be numbers: `norm(grad(loss, net))`, `grad(loss, net).weight`"),
        );
        Type::Error
    }

    fn in_order(&self, _: ItemRef, callee: &Callee, bindings: &Bindings) -> Bindings {
        let find = |generic: &AxisId| bindings.iter().find(|(known, _)| known == generic).copied();
        callee.signature.generics.iter().filter_map(find).collect()
    }

    /// Whether every argument is an index where one is wanted and a number where one is wanted: swapped arguments
    /// are told as such, before their axes confuse.
    fn kinds_fit(&mut self, signature: &Signature, parameters: &[Type], matched: &Matched) -> bool {
        let mut fit = true;
        for ((parameter, info), value) in parameters.iter().zip(&signature.parameters).zip(&matched.values) {
            if let (Type::Array { element: want, .. }, Some((_, span, Type::Array { element: have, .. }))) =
                (parameter, value)
                && matches!(want, Element::Index(_)) != matches!(have, Element::Index(_))
            {
                self.wrong_element(signature, &info.name, info.span, *span, *want, *have);
                fit = false;
            }
        }
        fit
    }

    pub(super) fn infer(
        &mut self,
        expr: &Expr,
        arguments: &[Argument],
        signature: &Signature,
        named: &Bindings,
        parameters: &[Type],
        matched: &Matched,
    ) -> Option<Bindings> {
        let mut pairs: Vec<Pair> = Vec::new();
        for (parameter, value) in parameters.iter().zip(&matched.values) {
            if let Some((_, _, ty)) = value {
                arrays(parameter, ty, &mut pairs);
            }
        }
        let unbound = silent(&signature.generics, named, &pairs);
        if !unbound.is_empty() {
            let names: Vec<String> =
                unbound.iter().map(|axis| format!("`{}`", self.axis_name(*axis))).collect();
            self.report(
                Diagnostic::error(
                    Code::A0204,
                    expr.span,
                    format!(
                        "no argument tells which axis {} of `{}` is",
                        names.join(" and "),
                        signature.name
                    ),
                )
                .label(format!("{} cannot be inferred", names.join(" and ")))
                .related(signature.span, "declared here")
                .help(format!("name the axes: `{}`", self.spelled(signature, Some(named), arguments, None))),
            );
            return None;
        }
        let mut found = assignments(&signature.generics, named, &pairs, 9);
        if found.len() > 1 {
            // Where A and A' can be an axis and its own twin, they are.
            let twins: Vec<Bindings> =
                found.iter().filter(|bindings| self.keeps_twins(signature, bindings)).cloned().collect();
            if twins.len() == 1 {
                found = twins;
            }
        }
        match found.len() {
            1 => found.pop(),
            0 => {
                self.no_assignment(signature, named, parameters, matched);
                None
            }
            _ => {
                let calls: Vec<String> = found
                    .iter()
                    .take(4)
                    .map(|bindings| format!("`{}`", self.spelled(signature, Some(bindings), arguments, None)))
                    .collect();
                self.report(
                    Diagnostic::error(
                        Code::A0203,
                        expr.span,
                        format!("which axes does `{}` work along?", signature.name),
                    )
                    .label(format!(
                        "{} readings are possible",
                        if found.len() > 8 { "many".to_owned() } else { found.len().to_string() }
                    ))
                    .related(signature.span, "its axes are declared here")
                    .help(self.readings(expr, signature, &calls)),
                );
                None
            }
        }
    }

    /// The spelled-out calls, each in the place of the call, where that is on one line.
    fn readings(&self, expr: &Expr, signature: &Signature, calls: &[String]) -> Help {
        let help = Help::from(format!("name the axes: {}", calls.join(" or ")));
        let written = self.sources.slice(expr.span);
        let plain =
            written.strip_prefix(signature.name.as_str()).is_some_and(|rest| rest.starts_with(['(', '[']));
        if !plain || !written.ends_with(')') || written.contains('\n') {
            return help;
        }
        let edit = |call: &String| vec![Edit { span: expr.span, text: call.trim_matches('`').to_owned() }];
        calls.iter().fold(help, |help, call| help.or(edit(call)))
    }

    /// Whether every twin among the generic axes stands for the twin of what its axis stands for; and there is one.
    fn keeps_twins(&self, signature: &Signature, bindings: &Bindings) -> bool {
        let twin_of = |axis: AxisId| match self.program.axis(axis).kind {
            AxisKind::SameSizeAs(of) => Some(of),
            _ => None,
        };
        let mut twins = bindings.iter().filter_map(|(generic, actual)| {
            let of = twin_of(*generic).filter(|of| signature.generics.contains(of))?;
            Some(twin_of(*actual) == Some(bound(bindings, of)))
        });
        let first = twins.next();
        first == Some(true) && twins.all(|keeps| keeps)
    }

    /// Elements and axes of every argument; the axes beyond the declared ones, over which the call is lifted.
    pub(super) fn check_arguments(
        &mut self,
        callee: &Callee,
        parameters: &[Type],
        bindings: &Bindings,
        matched: &Matched,
    ) -> Option<AxisIds> {
        let signature = &callee.signature;
        let mut good = true;
        let mut extras: Vec<(AxisIds, Span)> = Vec::new();
        for ((parameter, info), value) in parameters.iter().zip(&signature.parameters).zip(&matched.values) {
            let Some((_, span, actual)) = value else { continue };
            let wanted = substitute(parameter, bindings);
            match (&wanted, actual) {
                (
                    Type::Array { element: want, axes: declared },
                    Type::Array { element: have, axes: actual_axes },
                ) => {
                    if !accepts(*want, *have) {
                        self.wrong_element(signature, info.name.as_str(), info.span, *span, *want, *have);
                        good = false;
                        continue;
                    }
                    if actual_axes.is_empty() {
                        continue;
                    }
                    if let Some(axis) = declared.iter().find(|axis| !actual_axes.contains(axis)) {
                        self.lacks_axis(&signature.name, &info.name, info.span, *span, *axis, actual_axes);
                        good = false;
                        continue;
                    }
                    extras.push((actual_axes.difference(declared).copied().collect(), *span));
                }
                (want, have) if want == have => {}
                (want, have) if further_axes(want, have).is_some() => {
                    extras.extend(further_axes(want, have).map(|extra| (extra, *span)));
                }
                (want @ (Type::Record(_) | Type::Tuple(_)), have) if beyond(want, have).is_some() => {
                    extras.extend(beyond(want, have).map(|extra| (extra, *span)));
                }
                (want, have) => {
                    let (want, have) = (self.show(want), self.show(have));
                    self.report(
                        Diagnostic::error(
                            Code::A0206,
                            *span,
                            format!(
                                "the argument `{}` of `{}` is {want}, not {have}",
                                info.name, signature.name
                            ),
                        )
                        .label(format!("this is {have}"))
                        .related(info.span, format!("declared as {want} here"))
                        .help("give a value of the declared type"),
                    );
                    good = false;
                }
            }
        }
        if !good {
            return None;
        }
        let taken: Vec<AxisId> = callee.fixed.iter().chain(bindings).map(|(_, actual)| *actual).collect();
        for (extra, span) in &extras {
            if let Some(axis) = extra.iter().find(|axis| taken.contains(axis)) {
                let name = self.axis_name(*axis);
                self.report(
                    Diagnostic::error(
                        Code::A0219,
                        *span,
                        format!("`{}` would be lifted over `{name}`, which it already works along", signature.name),
                    )
                    .label(format!("has the axis `{name}` besides the declared ones"))
                    .related(signature.span, format!("`{}` is defined here", signature.name))
                    .help(format!(
                        "reduce this argument over `{name}`, or rename its axis: `axis Other = {name}`, `x[{name} as Other]`"
                    )),
                );
                return None;
            }
        }
        if let Some((_, axis)) = bindings.iter().find(|(_, actual)| callee.over.contains(actual)) {
            self.along_models(signature, *axis, matched);
            return None;
        }
        let models = (callee.over.clone(), signature.span);
        let places: Vec<(&AxisIds, Span)> =
            extras.iter().chain([&models]).map(|(axes, span)| (axes, *span)).collect();
        Some(self.unite(&places))
    }

    /// The axes of the draw that a call stands in, if its callee draws.
    fn draw_axes(&mut self, span: Span, signature: &Signature) -> AxisIds {
        if signature.random {
            self.context.random = true;
            self.context.trace.varies.extend(self.trial.counts.clone());
        }
        if signature.draws { self.drawn(span, &signature.name) } else { AxisIds::new() }
    }

    /// A draw happens here: allowed after `~` and in functions, which then draw themselves.
    pub fn drawn(&mut self, span: Span, name: &str) -> AxisIds {
        self.context.random = true;
        self.context.trace.varies.extend(self.trial.counts.clone());
        match &self.context.draw {
            Draw::Over(axes) => axes.clone(),
            Draw::Function => {
                self.context.draws = true;
                AxisIds::new()
            }
            Draw::Forbidden => {
                self.report(
                    Diagnostic::error(
                        Code::A0304,
                        span,
                        format!("`{name}` draws random numbers, but this is no draw"),
                    )
                    .label("random, but not after `~`")
                    .help(format!("draw it with `~`: `let x ~ {}`", self.text(span))),
                );
                AxisIds::new()
            }
        }
    }
}

fn has_model(ty: &Type) -> bool {
    match ty {
        Type::Model { .. } => true,
        Type::Record(fields) => fields.iter().any(|(_, ty)| has_model(ty)),
        Type::Tuple(types) => types.iter().any(has_model),
        Type::Function { result, .. } => has_model(result),
        _ => false,
    }
}

/// Whether an argument's element fits a parameter's: a Bool counts as 0 and 1.
fn accepts(want: Element, have: Element) -> bool {
    want == have || (want == Element::Float && have == Element::Bool)
}

pub(in crate::check) fn plural(n: usize) -> &'static str {
    if n == 1 { "" } else { "s" }
}
