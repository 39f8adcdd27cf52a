//! What combines the terms of an objective, and the constraints that it is subject to.

use std::collections::BTreeSet;

use crate::check::program::Type;
use crate::check::state::Checker;
use crate::diagnostic::{Code, Diagnostic, Help, nearest};
use crate::source::Span;
use crate::syntax::ast::{BinaryOperator, Constraint, Expr, ExprKind};

impl Checker<'_> {
    /// `by mgda()`
    pub fn combined_by(&mut self, combiner: &Expr) {
        if self.unknown_method(combiner, "combiner", "mgda()") {
            return;
        }
        let outer = std::mem::replace(&mut self.context.combining, true);
        let ty = self.expression(combiner);
        self.context.combining = outer;
        if !matches!(ty, Type::Combiner(_) | Type::Error) {
            let shown = self.show(&ty);
            self.report(
                Diagnostic::error(Code::A0327, combiner.span, format!("{shown} is no combiner"))
                    .label(format!("this is {shown}"))
                    .help("after `by` stands a combiner with its arguments: `by mgda()` and `use std.combine (mgda)`"),
            );
        }
    }

    /// `subject to a <= b by penalty(20)`: the models that it depends on.
    pub fn constraint(&mut self, constraint: &Constraint) -> BTreeSet<Span> {
        let condition = &constraint.condition;
        let sides = match &condition.kind {
            ExprKind::Binary {
                operator: BinaryOperator::LessEqual | BinaryOperator::GreaterEqual,
                left,
                right,
                ..
            } => [&**left, &**right],
            _ => {
                self.expression(condition);
                self.report(
                    Diagnostic::error(Code::A0329, condition.span, "a constraint compares two numbers")
                        .label("no comparison by `<=` or `>=`")
                        .help("write `subject to a <= b by penalty(20)`; for an equality bound the square of the difference"),
                );
                return BTreeSet::new();
            }
        };
        let mut models = BTreeSet::new();
        for side in sides {
            let (axes, trace) = self.traced(|c| c.numbers(side));
            models.extend(trace.models);
            if let Some(axes) = axes.filter(|axes| !axes.is_empty()) {
                let has = self.axes_in_words(&axes);
                let names: Vec<String> = axes.iter().map(|axis| self.axis_name(*axis)).collect();
                self.report(
                    Diagnostic::error(Code::A0329, side.span, "a constraint compares two single numbers")
                        .label(format!("this has {has}"))
                        .help(format!(
                            "reduce it: `mean(..., {0})`, or `max(..., {0})` for the worst",
                            names.join(", ")
                        )),
                );
            }
        }
        match &constraint.method {
            None => self.report(
                Diagnostic::error(Code::A0327, condition.span, "this constraint has no method")
                    .label("how does it enter the objective?")
                    .help("add one: `by penalty(20)` and `use std.combine (penalty)`"),
            ),
            Some(method) if self.unknown_method(method, "constraint", "penalty(20)") => {}
            Some(method) => {
                let ty = self.expression(method);
                if !matches!(ty, Type::Constraint(_) | Type::Error) {
                    let shown = self.show(&ty);
                    self.report(
                        Diagnostic::error(
                            Code::A0327,
                            method.span,
                            format!("{shown} is no method for constraints"),
                        )
                        .label(format!("this is {shown}"))
                        .help("after `by` stands a method with its arguments: `by penalty(20)`"),
                    );
                }
            }
        }
        models
    }

    /// Whether the expression calls something that nothing here is called by; then that is told.
    fn unknown_method(&mut self, expr: &Expr, keyword: &str, example: &str) -> bool {
        let name = match &expr.kind {
            ExprKind::Call(call) => match &call.callee.kind {
                ExprKind::Name(name) => name,
                _ => return false,
            },
            ExprKind::Name(name) if self.find_local(&name.text).is_none() => name,
            _ => return false,
        };
        let called = matches!(expr.kind, ExprKind::Call(_));
        let known = self.find_item(&name.text).is_some();
        if self.find_local(&name.text).is_some() || (known && called) {
            return false;
        }
        if let ExprKind::Call(call) = &expr.kind {
            self.check_loose(&call.arguments);
        }
        let library = crate::library::of_kind(keyword);
        let what = if keyword == "combiner" { "combiner" } else { "method for constraints" };
        let (message, help) = if known {
            self.use_item(&name.text);
            (format!("`{}` needs its arguments", name.text), format!("write `by {}(...)`", name.text).into())
        } else {
            let help = match nearest(&name.text, library.iter().copied()) {
                Some(near) if near == name.text => {
                    Help::from(format!("add `use std.combine ({near})` at the top of the file"))
                        .or(vec![self.import_of("combine", near)])
                }
                Some(near) => Help::meant(name.span, near)
                    .and(self.find_item(near).is_none().then(|| self.import_of("combine", near)))
                    .saying(format!("did you mean `{near}`? It comes by `use std.combine ({near})`")),
                None => format!("the library's are {}: write `by {example}`", library.join(", ")).into(),
            };
            (format!("there is no {what} `{}` here", name.text), help)
        };
        self.report(
            Diagnostic::error(Code::A0327, name.span, message).label(format!("no {what}")).help(help),
        );
        true
    }
}
