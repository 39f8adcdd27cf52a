//! What to say when arguments do not fit: the call spelled out, the axis that is missing, the wrong element.

use super::arguments::Matched;
use crate::check::program::{AxisId, AxisIds, Element, Type};
use crate::check::state::{Checker, Signature};
use crate::check::types::{Bindings, axes_of};
use crate::diagnostic::{Code, Diagnostic, Help};
use crate::source::Span;
use crate::syntax::ast::{Argument, ArgumentKind};

impl Checker<'_> {
    /// The call with its axes in brackets, as the user may write it.
    pub(super) fn spelled(
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
    pub(super) fn plain_axis_name(&self, axis: AxisId) -> String {
        for scope in self.scopes.iter().rev() {
            if let Some((name, _)) = scope.axes.iter().find(|(_, known)| **known == axis) {
                return name.clone();
            }
        }
        self.axis_name(axis)
    }

    pub(super) fn no_assignment(
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

    pub(super) fn lacks_axis(
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

    pub(super) fn wrong_element(
        &mut self,
        signature: &Signature,
        parameter: &str,
        place: Span,
        span: Span,
        want: Element,
        have: Element,
    ) {
        let (wanted, found) = (self.show_element(want), self.show_element(have));
        let (text, whole) = (self.text(span), self.sources.slice(span));
        let (code, help): (Code, Help) = match (want, have) {
            (Element::Index(_), Element::Index(_)) => (
                Code::A0209,
                format!("an index of `{found}` is no index of `{wanted}`; were two arguments swapped?")
                    .into(),
            ),
            (Element::Float, Element::Index(_)) => {
                let words = format!("an index is no number by itself: write `number({text})`");
                (Code::A0206, Help::replace(span, format!("number({whole})"), words))
            }
            (Element::Index(_), _) => (
                Code::A0206,
                Help::replace(
                    span,
                    format!("position[{wanted}]({whole})"),
                    format!(
                        "make an index of it: `position[{wanted}]({text})`; or were two arguments swapped?"
                    ),
                ),
            ),
            (Element::Bool, _) => (Code::A0206, format!("compare it: `{text} > 0`").into()),
            _ => (Code::A0206, "give a value of the declared type".into()),
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
}
