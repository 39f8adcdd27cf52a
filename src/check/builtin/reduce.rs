//! Reductions: over axes, by groups, with a filter.

use super::Builtin;
use super::rule::BuiltinCall;
use crate::check::program::{AxisId, AxisIds, Element, Type};
use crate::check::state::Checker;
use crate::check::types::array;
use crate::diagnostic::{Code, Diagnostic, Help};
use crate::source::Span;
use crate::syntax::ast::Expr;

impl Checker<'_> {
    pub fn reduction(&mut self, call: BuiltinCall) -> Type {
        use Builtin as B;
        let options: &[&str] = match call.builtin {
            B::Variance | B::StandardDeviation => &["correction", "at_least"],
            B::Quantile => &["q", "at_least"],
            _ => &["at_least"],
        };
        let mut q_given = false;
        for (name, value) in self.options(call, options) {
            q_given |= name == "q";
            self.numbers(value);
            match name {
                "q" => self.in_domain("quantile", &[(name, value)]),
                "correction" => self.static_number(value, "the correction"),
                "at_least" => self.static_number(value, "the least count"),
                _ => {}
            }
        }
        let mut positional = call.positional();
        self.least_has_else(call);
        if call.builtin == B::Count
            && positional.first().is_none_or(|first| self.axis_argument(first).is_some())
        {
            return self.count_positions(call, &positional);
        }
        if positional.is_empty() {
            return self.wrong_count(call, "a value and the axes to reduce over");
        }
        let operand = positional.remove(0);
        let Some((element, axes)) = self.operand(call, operand) else {
            for value in positional {
                if self.axis_argument(value).is_none() && self.looks_like_axis(value) {
                    let _: Option<()> = self.unknown_axis(&self.text(value.span), value.span);
                }
            }
            self.check_clauses(call);
            return Type::Error;
        };
        if call.builtin == B::Quantile && !q_given {
            match positional.iter().position(|value| {
                self.axis_rather_than_value(value).is_none() && !self.looks_like_axis(value)
            }) {
                Some(at) => {
                    let q = positional.remove(at);
                    self.numbers(q);
                    self.in_domain("quantile", &[("q", q)]);
                }
                None => return self.wrong_count(call, "a value, an axis and the share `q`"),
            }
        }
        let mut over: Vec<AxisId> = Vec::new();
        let mut failed = false;
        let Some(bracketed) = self.bracket_axes(call) else { return Type::Error };
        for (axis, written) in bracketed.into_iter().zip(call.axes) {
            match self.in_operand(&axes, axis) {
                Some(axis) => over.push(axis),
                None => {
                    failed = true;
                    let _: Option<()> =
                        self.operand_lacks(axis, written.span, &axes, operand.span, "reduces over");
                }
            }
        }
        for value in &positional {
            match self.wanted_axis_of(call, value, &axes, operand.span, "reduces over") {
                Some(axis) => over.push(axis),
                None => failed = true,
            }
        }
        if failed {
            self.check_clauses(call);
            return Type::Error;
        }
        if over.is_empty() {
            return self.no_axis(call, operand.span, &axes);
        }
        if matches!(call.builtin, B::ArgMax | B::ArgMin) && over.len() > 1 {
            return self.wrong_count(call, "one axis");
        }
        let rest = axes.iter().copied().filter(|axis| !over.contains(axis)).collect();
        let axes = self.with_clauses(call, &over, vec![(rest, operand.span)]);
        self.builtin_done(call, &over);
        let result = match (call.builtin, element) {
            (B::Any | B::All, _) => Element::Bool,
            (B::ArgMax | B::ArgMin, _) => Element::Index(over[0]),
            _ => Element::Float,
        };
        array(result, axes)
    }

    /// With `at_least = n`, smaller sets count as empty: `else` says what they give.
    fn least_has_else(&mut self, call: BuiltinCall) {
        let least = call.named().into_iter().find(|(name, _)| name.text == "at_least");
        if let Some((name, value)) = least
            && call.otherwise.is_none()
        {
            self.report(
                Diagnostic::error(Code::A0254, name.span.to(value.span), "smaller sets have no value")
                    .label("sets below this count are left out")
                    .related(call.expr.span, "this reduction has no `else`")
                    .help("say what a smaller set gives: `... else 0`"),
            );
        }
    }

    fn operand(&mut self, call: BuiltinCall, operand: &Expr) -> Option<(Element, AxisIds)> {
        match call.builtin {
            Builtin::Any | Builtin::All | Builtin::Count => Some((Element::Bool, self.truths(operand)?)),
            _ => Some((Element::Float, self.numbers(operand)?)),
        }
    }

    /// `count(A where m)`: positions of axes.
    fn count_positions(&mut self, call: BuiltinCall, positional: &[&Expr]) -> Type {
        let mut over = Vec::new();
        for value in positional {
            match self.wanted_axis(call, value) {
                Some(axis) => over.push(axis),
                None => return Type::Error,
            }
        }
        match self.bracket_axes(call) {
            Some(axes) => over.extend(axes),
            None => return Type::Error,
        }
        if over.is_empty() {
            return self.wrong_count(call, "a truth value and axes, or axes alone");
        }
        let axes = self.with_clauses(call, &over, Vec::new());
        self.builtin_done(call, &over);
        array(Element::Float, axes)
    }

    /// The axes of a reduction: those of the operand that are left, those of the filter that are not reduced, and one for
    /// each key, which is the twin of the axis that the key indexes where something has that one already.
    fn with_clauses(&mut self, call: BuiltinCall, over: &[AxisId], operand: Vec<(AxisIds, Span)>) -> AxisIds {
        let mut added = operand;
        let mut groups: Vec<(AxisId, &Expr)> = Vec::new();
        for key in call.by {
            let Some((element, axes)) = self.array_of(key) else { continue };
            let Element::Index(group) = element else {
                let shown = self.show(&array(element, axes));
                self.report(
                    Diagnostic::error(
                        Code::A0206,
                        key.span,
                        format!("groups are made by an index, not by {shown}"),
                    )
                    .label(format!("this is {shown}"))
                    .help(match element {
                        Element::Bool => {
                            "make it an index of an axis of two: `axis Side = 2`, then `by position[Side](number(x))`"
                        }
                        _ => "group by a column of a category, or make an index: `position[A](x)`",
                    }),
                );
                continue;
            };
            if !over.iter().any(|axis| axes.contains(axis)) {
                let names: Vec<String> = over.iter().map(|axis| self.axis_name(*axis)).collect();
                let has = self.axes_in_words(&axes);
                self.report(
                    Diagnostic::error(
                        Code::A0208,
                        key.span,
                        "this key does not run along the axis that is reduced",
                    )
                    .label(format!("this has {has}"))
                    .related(call.expr.span, format!("reduces over {}", names.join(", ")))
                    .help(format!("the key must have the axis {}", names.join(" or "))),
                );
                continue;
            }
            added.push((axes.into_iter().filter(|axis| !over.contains(axis)).collect(), key.span));
            groups.push((group, key));
        }
        if let Some(filter) = call.filter
            && let Some(axes) = self.truths(filter)
        {
            added.push((axes.into_iter().filter(|axis| !over.contains(axis)).collect(), filter.span));
        }
        for (group, key) in groups {
            if let Some(axis) = self.group_axis(group, key, &added) {
                added.push(([axis].into(), key.span));
            }
        }
        if let Some(otherwise) = call.otherwise
            && let Some(axes) = self.numbers(otherwise)
        {
            added.push((axes, otherwise.span));
        }
        let places: Vec<(&AxisIds, Span)> = added.iter().map(|(axes, span)| (axes, *span)).collect();
        self.unite(&places)
    }

    /// The axis of the groups that a key makes.
    fn group_axis(&mut self, group: AxisId, key: &Expr, taken: &[(AxisIds, Span)]) -> Option<AxisId> {
        let by = |axis: AxisId| taken.iter().find(|(axes, _)| axes.contains(&axis)).map(|(_, span)| *span);
        if by(group).is_none() {
            return Some(group);
        }
        let twin = self.prime_of(group, key.span);
        self.program.groups.insert(key.id, twin);
        let Some(other) = by(twin) else { return Some(twin) };
        let (name, twin) = (self.axis_name(group), self.axis_name(twin));
        self.report(
            Diagnostic::error(
                Code::A0214,
                key.span,
                format!("the groups would run along `{name}` or `{twin}`, and both axes are there already"),
            )
            .label(format!("an index of `{name}`"))
            .related(other, format!("this takes `{twin}`"))
            .help(format!("make it an index of an axis of its own: `axis Other = {name}`, `position[Other](number(...))`")),
        );
        None
    }

    fn check_clauses(&mut self, call: BuiltinCall) {
        for clause in call.by.iter().chain(call.filter).chain(call.otherwise) {
            self.expression(clause);
        }
    }

    fn no_axis(&mut self, call: BuiltinCall, operand: Span, axes: &AxisIds) -> Type {
        self.check_clauses(call);
        let has = self.axes_in_words(axes);
        let text = self.text(operand);
        let help = match axes.iter().next() {
            Some(axis) => Help::insert_after(
                operand,
                format!(", {}", self.axis_name(*axis)),
                format!("write `{}({text}, {})`", call.name.text, self.axis_name(*axis)),
            ),
            None => "it is a single value already".into(),
        };
        self.report(
            Diagnostic::error(
                Code::A0208,
                call.expr.span,
                format!("`{}` must name the axes that it reduces over", call.name.text),
            )
            .label("over which axis?")
            .related(operand, format!("this has {has}"))
            .help(help),
        );
        Type::Error
    }
}
