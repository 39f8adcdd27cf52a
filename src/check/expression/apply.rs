//! Calls of functions, constructors, models and optimizers: arguments to parameters, axes inferred, results lifted.

use std::rc::Rc;

use crate::check::infer::{Pair, assignments, silent};
use crate::check::program::{AxisId, AxisIds, AxisKind, CallInfo, Element, ItemRef, Target, Type, Vary};
use crate::check::state::{Checker, Draw, Signature};
use crate::check::types::{Bindings, axes_of, lift, substitute};
use crate::diagnostic::{Code, Diagnostic};
use crate::source::Span;
use crate::syntax::ast::{Argument, ArgumentKind, AxisName, Expr, ExprKind};

/// What is called.
pub(in crate::check) struct Callee {
    pub signature: Rc<Signature>,
    /// Axes of the model that is applied: bound when it was made.
    pub fixed: Bindings,
    pub target: Target,
}

/// The arguments of a call, sorted out.
struct Matched {
    axes: Vec<(AxisId, Span)>,
    /// For each parameter: position, place and type of its argument.
    values: Vec<Option<(usize, Span, Type)>>,
    failed: bool,
}

impl Checker<'_> {
    pub fn apply(&mut self, expr: &Expr, axes: &[AxisName], arguments: &[Argument], callee: Callee) -> Type {
        let signature = Rc::clone(&callee.signature);
        let matched = self.hinted(None, |c| c.match_arguments(expr, axes, arguments, &signature));
        let named = self.name_axes(&matched, &signature);
        let parameters: Vec<Type> =
            signature.parameters.iter().map(|p| substitute(&p.ty, &callee.fixed)).collect();
        let failed = matched.failed
            || matched.values.iter().flatten().any(|(_, _, ty)| *ty == Type::Error)
            || parameters.contains(&Type::Error);
        let (Some(named), false) = (named, failed) else {
            return self.known_result(&callee, None);
        };
        let Some(bindings) = self.infer(expr, arguments, &signature, &named, &parameters, &matched) else {
            return self.known_result(&callee, Some(&named));
        };
        let Some(extra) = self.check_arguments(&callee, &parameters, &bindings, &matched) else {
            return self.known_result(&callee, Some(&bindings));
        };
        let extra = extra.union(&self.draw_axes(expr.span, &signature)).copied().collect();
        self.few_seeds(expr.span, &signature, &bindings);
        let result = self.result_of(&callee, &bindings, &extra);
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
                Type::Model { layer: *item, axes: bindings.clone() }
            }
            (Target::Optimizer(item), _) => Type::Optimizer(*item),
            _ => Type::Error,
        }
    }

    fn result_of(&mut self, callee: &Callee, bindings: &Bindings, extra: &AxisIds) -> Type {
        match &callee.target {
            Target::Construct(item) => {
                Type::Model { layer: *item, axes: self.in_order(*item, callee, bindings) }
            }
            Target::Optimizer(item) => Type::Optimizer(*item),
            _ => lift(&substitute(&substitute(&callee.signature.result, &callee.fixed), bindings), extra),
        }
    }

    fn in_order(&self, _: ItemRef, callee: &Callee, bindings: &Bindings) -> Bindings {
        let find = |generic: &AxisId| bindings.iter().find(|(known, _)| known == generic).copied();
        callee.signature.generics.iter().filter_map(find).collect()
    }

    fn match_arguments(
        &mut self,
        expr: &Expr,
        axes: &[AxisName],
        arguments: &[Argument],
        signature: &Signature,
    ) -> Matched {
        let mut matched =
            Matched { axes: Vec::new(), values: vec![None; signature.parameters.len()], failed: false };
        for axis in axes {
            match self.axis(axis) {
                Some(id) => matched.axes.push((id, axis.span)),
                None => matched.failed = true,
            }
        }
        let mut next = 0;
        let mut surplus: Option<Span> = None;
        for (at, argument) in arguments.iter().enumerate() {
            match &argument.kind {
                ArgumentKind::Positional(value) => {
                    let trailing = !value_follows(&arguments[at + 1..]);
                    if let Some(axis) = self.trailing_axis(value, signature, trailing, matched.axes.len()) {
                        matched.axes.push((axis, value.span));
                        continue;
                    }
                    if self.looks_like_axis(value) {
                        let _: Option<()> = self.unknown_axis(&self.text(value.span), value.span);
                        matched.failed = true;
                        continue;
                    }
                    let ty = self.expression(value);
                    while matched.values.get(next).is_some_and(Option::is_some) {
                        next += 1;
                    }
                    match matched.values.get_mut(next) {
                        Some(slot) => *slot = Some((at, value.span, ty)),
                        None => surplus = surplus.or(Some(value.span)),
                    }
                }
                ArgumentKind::Named { name, value } => {
                    let ty = self.expression(value);
                    match signature.parameters.iter().position(|p| p.name == name.text) {
                        Some(position) => match &matched.values[position] {
                            Some((_, first, _)) => {
                                let first = *first;
                                self.defined_twice(name, first);
                                matched.failed = true;
                            }
                            None => matched.values[position] = Some((at, value.span, ty)),
                        },
                        None => {
                            let known: Vec<&str> =
                                signature.parameters.iter().map(|p| p.name.as_str()).collect();
                            self.unknown_argument(&signature.name, name, &known, Some(signature.span));
                            matched.failed = true;
                        }
                    }
                }
                ArgumentKind::As { value, .. } => {
                    self.report(
                        Diagnostic::error(
                            Code::A0218,
                            argument.span,
                            "`as` names an axis that a builtin makes",
                        )
                        .label(format!("`{}` makes no axis", signature.name))
                        .help("only window, top, concat, flatten, unflatten, pad and resample take `as`"),
                    );
                    let _ = value;
                    matched.failed = true;
                }
            }
        }
        if let Some(span) = surplus {
            self.too_many(span, signature, arguments.len());
            matched.failed = true;
        }
        let missing: Vec<&str> = signature
            .parameters
            .iter()
            .zip(&matched.values)
            .filter(|(parameter, value)| value.is_none() && !parameter.optional)
            .map(|(parameter, _)| parameter.name.as_str())
            .collect();
        if !missing.is_empty() && !matched.failed {
            let names: Vec<String> = missing.iter().map(|name| format!("`{name}`")).collect();
            let place = signature.parameters.iter().find(|p| p.name == missing[0]).map(|p| p.span);
            let mut diagnostic = Diagnostic::error(
                Code::A0202,
                expr.span,
                format!("`{}` needs {}", signature.name, names.join(" and ")),
            )
            .label(format!("{} is missing", names.join(" and ")))
            .help(format!("write `{}`", self.spelled(signature, None, arguments, Some(&missing))));
            if let Some(place) = place {
                diagnostic = diagnostic.related(place, "the parameter");
            }
            self.report(diagnostic);
            matched.failed = true;
        }
        matched
    }

    fn too_many(&mut self, span: Span, signature: &Signature, given: usize) {
        let wanted = signature.parameters.len();
        let list: Vec<&str> = signature.parameters.iter().map(|p| p.name.as_str()).collect();
        let help = match list.as_slice() {
            [] => format!("`{}` takes no values", signature.name),
            list => format!("`{}` takes {}", signature.name, list.join(", ")),
        };
        self.report(
            Diagnostic::error(
                Code::A0201,
                span,
                format!("`{}` takes {wanted} argument{}, not {given}", signature.name, plural(wanted)),
            )
            .label("one too many")
            .related(signature.span, format!("`{}` is defined here", signature.name))
            .help(help),
        );
    }

    /// Whether a positional argument names an axis of the call. A numeric `vary` axis is a value inside a trial.
    fn trailing_axis(
        &mut self,
        value: &Expr,
        signature: &Signature,
        trailing: bool,
        taken: usize,
    ) -> Option<AxisId> {
        let axis = self.axis_argument(value)?;
        if let AxisKind::Vary(vary) = &self.program.axis(axis).kind {
            let value_here = !trailing || !self.context.results || taken >= signature.generics.len();
            if value_here && matches!(vary, Vary::Values(_)) {
                self.program.axes_at.remove(&value.span);
                return None;
            }
        }
        Some(axis)
    }

    /// The axes named in the call, to the generic axes in order of declaration.
    fn name_axes(&mut self, matched: &Matched, signature: &Signature) -> Option<Bindings> {
        let declared: Vec<AxisId> = signature
            .generics
            .iter()
            .copied()
            .filter(|axis| !matches!(self.program.axis(*axis).kind, AxisKind::SameSizeAs(_)))
            .chain(
                signature
                    .generics
                    .iter()
                    .copied()
                    .filter(|axis| matches!(self.program.axis(*axis).kind, AxisKind::SameSizeAs(_))),
            )
            .collect();
        if matched.axes.len() > declared.len() {
            let names: Vec<String> = declared.iter().map(|axis| self.axis_name(*axis)).collect();
            let help = match names.as_slice() {
                [] => format!("`{}` works on single items and lifts over any axes by itself", signature.name),
                names => format!("its axes are {}", names.join(", ")),
            };
            self.report(
                Diagnostic::error(
                    Code::A0212,
                    matched.axes[declared.len()].1,
                    format!(
                        "`{}` takes {} axis argument{}, not {}",
                        signature.name,
                        declared.len(),
                        plural(declared.len()),
                        matched.axes.len()
                    ),
                )
                .label("one axis too many")
                .related(signature.span, format!("`{}` is defined here", signature.name))
                .help(help),
            );
            return None;
        }
        let mut bindings: Vec<(AxisId, AxisId)> = Vec::new();
        for ((axis, span), generic) in matched.axes.iter().zip(declared) {
            if let Some((other, _)) = bindings.iter().find(|(_, taken)| taken == axis).copied() {
                let (name, one, two) =
                    (self.axis_name(*axis), self.axis_name(other), self.axis_name(generic));
                self.report(
                    Diagnostic::error(
                        Code::A0220,
                        *span,
                        format!("`{name}` stands for two axes of `{}`", signature.name),
                    )
                    .label(format!("`{one}` and `{two}` must be different axes"))
                    .related(signature.span, format!("`{}` is defined here", signature.name))
                    .help(format!("declare another axis of the same size: `axis Other = {name}`")),
                );
                return None;
            }
            bindings.push((generic, *axis));
        }
        Some(bindings)
    }

    fn infer(
        &mut self,
        expr: &Expr,
        arguments: &[Argument],
        signature: &Signature,
        named: &Bindings,
        parameters: &[Type],
        matched: &Matched,
    ) -> Option<Bindings> {
        let pairs: Vec<Pair> = parameters
            .iter()
            .zip(&matched.values)
            .filter_map(|(parameter, value)| Some((parameter, &value.as_ref()?.2)))
            .collect();
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
                    .help(format!("name the axes: {}", calls.join(" or "))),
                );
                None
            }
        }
    }

    /// The call with its axes in brackets, as the user may write it.
    fn spelled(
        &self,
        signature: &Signature,
        bindings: Option<&Bindings>,
        arguments: &[Argument],
        missing: Option<&[&str]>,
    ) -> String {
        let axes: Vec<String> = signature
            .generics
            .iter()
            .map(|generic| {
                let known = bindings.and_then(|b| b.iter().find(|(g, _)| g == generic));
                known.map_or_else(|| self.axis_name(*generic), |(_, actual)| self.plain_axis_name(*actual))
            })
            .collect();
        let mut values: Vec<String> = arguments
            .iter()
            .filter(|argument| match &argument.kind {
                ArgumentKind::Positional(value) => !self.program.axes_at.contains_key(&value.span),
                _ => true,
            })
            .map(|argument| self.text(argument.span))
            .collect();
        values.extend(missing.unwrap_or_default().iter().map(|name| format!("{name} = ...")));
        let axes = match bindings {
            Some(_) if !axes.is_empty() => format!("[{}]", axes.join(", ")),
            _ => String::new(),
        };
        format!("{}{axes}({})", signature.name, values.join(", "))
    }

    /// The name by which the axis is called here: inside a block, a part has the name of its rows.
    fn plain_axis_name(&self, axis: AxisId) -> String {
        for scope in self.scopes.iter().rev() {
            if let Some((name, _)) = scope.axes.iter().find(|(_, known)| **known == axis) {
                return name.clone();
            }
        }
        self.axis_name(axis)
    }

    fn no_assignment(
        &mut self,
        signature: &Signature,
        named: &Bindings,
        parameters: &[Type],
        matched: &Matched,
    ) {
        // The argument to blame: the first that lacks a bound axis, or that has too few axes.
        let mut known = named.clone();
        for ((parameter, info), value) in parameters.iter().zip(&signature.parameters).zip(&matched.values) {
            let Some((_, span, actual)) = value else { continue };
            let (declared, have) = (axes_of(parameter), axes_of(actual));
            if have.is_empty() || declared.is_empty() {
                continue;
            }
            let wanted: Vec<AxisId> = declared
                .iter()
                .copied()
                .filter(|axis| match known.iter().find(|(generic, _)| generic == axis) {
                    Some((_, bound)) => !have.contains(bound),
                    None => !signature.generics.contains(axis) && !have.contains(axis),
                })
                .collect();
            let open = declared
                .iter()
                .filter(|axis| signature.generics.contains(axis) && !known.iter().any(|(g, _)| g == *axis))
                .count();
            let free = have.iter().filter(|axis| !known.iter().any(|(_, taken)| taken == *axis)).count();
            if wanted.is_empty() && open <= free {
                if open == 1 && free == 1 {
                    let generic =
                        declared.iter().find(|axis| !known.iter().any(|(g, _)| g == *axis)).copied();
                    let actual = have.iter().find(|axis| !known.iter().any(|(_, t)| t == *axis)).copied();
                    if let (Some(generic), Some(actual)) = (generic, actual) {
                        known.push((generic, actual));
                    }
                }
                continue;
            }
            let lacking = match wanted.first() {
                Some(axis) => match known.iter().find(|(generic, _)| generic == axis) {
                    Some((_, bound)) => *bound,
                    None => *axis,
                },
                None => match declared
                    .iter()
                    .find(|axis| signature.generics.contains(axis) && !known.iter().any(|(g, _)| g == *axis))
                {
                    Some(axis) => *axis,
                    None => continue,
                },
            };
            self.lacks_axis(&signature.name, info.name.as_str(), info.span, *span, lacking, &have);
            return;
        }
        let place =
            matched.values.iter().flatten().map(|(_, span, _)| *span).next().unwrap_or(signature.span);
        let shown: Vec<String> = matched
            .values
            .iter()
            .flatten()
            .map(|(_, span, ty)| format!("`{}` has {}", self.text(*span), self.axes_in_words(&axes_of(ty))))
            .collect();
        self.report(
            Diagnostic::error(
                Code::A0205,
                place,
                format!("the arguments of `{}` have no axes in common that fit", signature.name),
            )
            .label("these arguments do not fit together")
            .related(signature.span, "its axes are declared here")
            .help(shown.join("; ")),
        );
    }

    fn lacks_axis(
        &mut self,
        callee: &str,
        parameter: &str,
        place: Span,
        span: Span,
        axis: AxisId,
        have: &AxisIds,
    ) {
        let name = self.axis_name(axis);
        let has = self.axes_in_words(have);
        self.report(
            Diagnostic::error(
                Code::A0205,
                span,
                format!("the argument `{parameter}` of `{callee}` lacks the axis `{name}`"),
            )
            .label(format!("this has {has}"))
            .related(place, format!("`{parameter}` is declared over `{name}` here"))
            .help(format!(
                "the value must have the axis `{name}` (or no axes at all): was it reduced or picked away?"
            )),
        );
    }

    /// Elements and axes of every argument; the axes beyond the declared ones, over which the call is lifted.
    fn check_arguments(
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
        let places: Vec<(&AxisIds, Span)> = extras.iter().map(|(axes, span)| (axes, *span)).collect();
        Some(self.unite(&places))
    }

    fn wrong_element(
        &mut self,
        signature: &Signature,
        parameter: &str,
        place: Span,
        span: Span,
        want: Element,
        have: Element,
    ) {
        let (wanted, found) = (self.show_element(want), self.show_element(have));
        let text = self.text(span);
        let (code, help) = match (want, have) {
            (Element::Index(_), Element::Index(_)) => (
                Code::A0209,
                format!("an index of `{found}` is no index of `{wanted}`; were two arguments swapped?"),
            ),
            (Element::Float, Element::Index(_)) => {
                (Code::A0206, format!("an index is no number by itself: write `number({text})`"))
            }
            (Element::Index(_), _) => (
                Code::A0206,
                format!("make an index of it: `position[{wanted}]({text})`; or were two arguments swapped?"),
            ),
            (Element::Bool, _) => (Code::A0206, format!("compare it: `{text} > 0`")),
            _ => (Code::A0206, "give a value of the declared type".to_owned()),
        };
        self.report(
            Diagnostic::error(
                code,
                span,
                format!("the argument `{parameter}` of `{}` holds {wanted}, not {found}", signature.name),
            )
            .label(format!("this holds {found}"))
            .related(place, format!("`{parameter}` is declared here"))
            .help(help),
        );
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

/// Whether a positional argument that is plainly a value comes later: axes are named after the values.
fn value_follows(arguments: &[Argument]) -> bool {
    arguments.iter().any(|argument| match &argument.kind {
        ArgumentKind::Positional(value) => !matches!(value.kind, ExprKind::Name(_) | ExprKind::Field { .. }),
        _ => false,
    })
}

/// Whether an argument's element fits a parameter's: a Bool counts as 0 and 1.
fn accepts(want: Element, have: Element) -> bool {
    want == have || (want == Element::Float && have == Element::Bool)
}

pub(in crate::check) fn plural(n: usize) -> &'static str {
    if n == 1 { "" } else { "s" }
}
