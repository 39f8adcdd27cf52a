//! The arguments of a call, sorted out: axes, and a value for each parameter.

use crate::check::expression::plural;
use crate::check::program::{AxisId, AxisKind, Type, Vary};
use crate::check::state::{Checker, Signature};
use crate::check::types::Bindings;
use crate::diagnostic::{Code, Diagnostic};
use crate::source::Span;
use crate::syntax::ast::{Argument, ArgumentKind, AxisName, Expr, ExprKind};

/// The arguments of a call, sorted out.
pub(super) struct Matched<'a> {
    pub axes: Vec<(AxisId, Span)>,
    /// For each parameter: position, place and type of its argument.
    pub values: Vec<Option<(usize, Span, Type)>>,
    /// Arguments that are wanted as functions, by parameter: checked when the axes of the others are known.
    pub functions: Vec<(usize, &'a Expr)>,
    pub failed: bool,
}

impl Checker<'_> {
    pub(super) fn match_arguments<'a>(
        &mut self,
        expr: &Expr,
        axes: &[AxisName],
        arguments: &'a [Argument],
        signature: &Signature,
    ) -> Matched<'a> {
        let mut matched = Matched {
            axes: Vec::new(),
            values: vec![None; signature.parameters.len()],
            functions: Vec::new(),
            failed: false,
        };
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
                    while matched.values.get(next).is_some_and(Option::is_some) {
                        next += 1;
                    }
                    let ty = self.argument(value, next, signature, &mut matched.functions);
                    match matched.values.get_mut(next) {
                        Some(slot) => *slot = Some((at, value.span, ty)),
                        None => surplus = surplus.or(Some(value.span)),
                    }
                }
                ArgumentKind::Named { name, value } => {
                    let position = signature.parameters.iter().position(|p| p.name == name.text);
                    let place = position.unwrap_or(usize::MAX);
                    let ty = self.argument(value, place, signature, &mut matched.functions);
                    match position {
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

    /// The type of an argument. One that is wanted as a function is left for later, and Unit stands in its place.
    fn argument<'a>(
        &mut self,
        value: &'a Expr,
        place: usize,
        signature: &Signature,
        functions: &mut Vec<(usize, &'a Expr)>,
    ) -> Type {
        match signature.parameters.get(place) {
            Some(parameter) if matches!(parameter.ty, Type::Function { .. }) => {
                functions.push((place, value));
                Type::Unit
            }
            Some(parameter) => self.expecting(value, &parameter.ty),
            None => self.expression(value),
        }
    }

    pub(super) fn too_many(&mut self, span: Span, signature: &Signature, given: usize) {
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
    pub(super) fn trailing_axis(
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
    pub(super) fn name_axes(&mut self, matched: &Matched, signature: &Signature) -> Option<Bindings> {
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
}

/// The value of an argument that has one.
pub(super) fn value_of(argument: &Argument) -> Option<&Expr> {
    match &argument.kind {
        ArgumentKind::Positional(value) | ArgumentKind::Named { value, .. } => Some(value),
        ArgumentKind::As { .. } => None,
    }
}

/// Whether a positional argument that is plainly a value comes later: axes are named after the values.
fn value_follows(arguments: &[Argument]) -> bool {
    arguments.iter().any(|argument| match &argument.kind {
        ArgumentKind::Positional(value) => !matches!(value.kind, ExprKind::Name(_) | ExprKind::Field { .. }),
        _ => false,
    })
}
