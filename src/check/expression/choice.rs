//! `match` over arms and `if` over static conditions, and the blocks in them.

use super::function_value::Wanted;
use crate::check::program::{AxisKind, Element, Type, Vary};
use crate::check::state::{Checker, ItemState};
use crate::check::types::{array, substitute};
use crate::diagnostic::{Code, Diagnostic};
use crate::source::Span;
use crate::syntax::ast::{Arm, Block, Expr, Pattern};

impl Checker<'_> {
    /// `wanted`: the function type that is expected of every arm.
    pub fn match_expression(
        &mut self,
        expr: &Expr,
        value: &Expr,
        arms: &[Arm],
        wanted: Option<&mut Wanted>,
    ) -> Type {
        let mut wanted = wanted;
        let of = self.expression(value);
        match &of {
            Type::Choice(axis) => self.arms_of(expr, *axis, arms),
            Type::Error => {}
            Type::Array { axes, .. } if axes.is_empty() && self.is_static(value) => {
                self.numbers_of(expr, arms)
            }
            other => {
                let shown = self.show(other);
                self.report(
                    Diagnostic::error(Code::A0213, value.span, format!("`match` cannot choose by {shown}"))
                        .label("not known before the run")
                        .help("`match` is over the arms of a `vary` or a static number; over data use `where(condition, a, b)`"),
                );
            }
        }
        let mut result: Option<(Type, Span)> = None;
        for arm in arms {
            let ty = match &mut wanted {
                Some(wanted) => self.function_value(&arm.value, wanted),
                None => self.expression(&arm.value),
            };
            result = Some(match result {
                None => (ty, arm.value.span),
                Some((known, place)) => (self.join(&known, place, &ty, arm.value.span), place),
            });
        }
        result.map_or(Type::Error, |(ty, _)| ty)
    }

    fn arms_of(&mut self, expr: &Expr, axis: crate::check::program::AxisId, arms: &[Arm]) {
        let info = self.program.axis(axis).clone();
        let AxisKind::Vary(Vary::Arms(names)) = &info.kind else { return };
        let mut seen: Vec<Option<Span>> = vec![None; names.len()];
        let mut any: Option<Span> = None;
        let mut wrong = false;
        for arm in arms {
            let span = match &arm.pattern {
                Pattern::Name(name) => name.span,
                Pattern::Number(_, span) | Pattern::Any(span) => *span,
            };
            if let Some(first) = any {
                self.repeated_arm(span, first, "never reached");
                continue;
            }
            match &arm.pattern {
                Pattern::Name(name) => match self.arm(axis, name) {
                    Some(position) => match seen[position] {
                        Some(first) => self.repeated_arm(span, first, "the second time"),
                        None => {
                            seen[position] = Some(span);
                            self.program.arms.insert(arm.span, (axis, position));
                        }
                    },
                    None => wrong = true,
                },
                Pattern::Any(span) => any = Some(*span),
                Pattern::Number(_, span) => {
                    wrong = true;
                    self.report(
                        Diagnostic::error(
                            Code::A0110,
                            *span,
                            format!("`{}` has no arm that is a number", info.name),
                        )
                        .label("unknown arm")
                        .related(info.span, format!("`{}` is declared here", info.name))
                        .help(format!("its arms are {}", names.join(", "))),
                    );
                }
            }
        }
        let missing: Vec<String> = names
            .iter()
            .zip(&seen)
            .filter(|(_, seen)| seen.is_none())
            .map(|(name, _)| format!("`{name}`"))
            .collect();
        if any.is_none() && !wrong && !missing.is_empty() {
            let first = missing[0].trim_matches('`').to_owned();
            self.report(
                Diagnostic::error(
                    Code::A0306,
                    expr.span,
                    format!("`match {}` leaves out {}", info.name, missing.join(" and ")),
                )
                .label(format!("no arm for {}", missing.join(" and ")))
                .related(info.span, format!("`{}` is declared here", info.name))
                .help(format!("add `{first} => ...`, or `_ => ...` for all others")),
            );
        }
    }

    fn repeated_arm(&mut self, span: Span, first: Span, label: &str) {
        self.report(
            Diagnostic::error(Code::A0307, span, "this arm is already covered")
                .label(label)
                .related(first, "covered here")
                .help("remove one of the two"),
        );
    }

    fn numbers_of(&mut self, expr: &Expr, arms: &[Arm]) {
        let mut seen: Vec<(f64, Span)> = Vec::new();
        let mut any: Option<Span> = None;
        for arm in arms {
            match &arm.pattern {
                Pattern::Any(span) => any = any.or(Some(*span)),
                Pattern::Number(value, span) => {
                    if let Some(first) =
                        any.or_else(|| seen.iter().find(|(v, _)| v == value).map(|(_, s)| *s))
                    {
                        self.repeated_arm(*span, first, "never reached");
                    }
                    seen.push((*value, *span));
                }
                Pattern::Name(name) => {
                    self.report(
                        Diagnostic::error(Code::A0110, name.span, format!("`{}` is no number", name.text))
                            .label("a number is wanted")
                            .help("the value before the arms is a number: `2 => ...`, and `_ => ...` for all others"),
                    );
                }
            }
        }
        if any.is_none() {
            self.report(
                Diagnostic::error(
                    Code::A0306,
                    expr.span,
                    "`match` over a number needs an arm for all other numbers",
                )
                .label("no arm for the others")
                .help("add `_ => ...`"),
            );
        }
    }

    pub fn if_expression(
        &mut self,
        condition: &Expr,
        then: &Block,
        otherwise: &Block,
        wanted: Option<&mut Wanted>,
    ) -> Type {
        self.static_condition(condition);
        let (a, b) = match wanted {
            Some(wanted) => (
                self.scoped(|c| c.function_block(then, wanted)),
                self.scoped(|c| c.function_block(otherwise, wanted)),
            ),
            None => (self.block(then), self.block(otherwise)),
        };
        let place = |block: &Block| block.value.as_ref().map_or(block.span, |value| value.span);
        self.join(&a, place(then), &b, place(otherwise))
    }

    pub fn static_condition(&mut self, condition: &Expr) {
        let Some(axes) = self.truths(condition) else { return };
        if !axes.is_empty() || !self.is_static(condition) {
            self.report(
                Diagnostic::error(
                    Code::A0213,
                    condition.span,
                    "`if` needs a condition that is known before the run",
                )
                .label("this depends on data or parameters")
                .help("choose between values with `where(condition, a, b)`"),
            );
        }
    }

    /// Statements in their own scope, then the value.
    pub fn block(&mut self, block: &Block) -> Type {
        self.scoped(|c| c.block_in_scope(block))
    }

    /// A block whose value is wanted as a function.
    fn function_block(&mut self, block: &Block, wanted: &mut Wanted) -> Type {
        for statement in &block.statements {
            self.statement(statement);
        }
        block.value.as_ref().map_or(Type::Unit, |value| self.function_value(value, wanted))
    }

    /// Statements in the scope at hand, then the value, of which `wanted` is expected.
    pub fn block_expecting(&mut self, block: &Block, wanted: &Type) -> Type {
        for statement in &block.statements {
            self.statement(statement);
        }
        block.value.as_ref().map_or(Type::Unit, |value| self.expecting(value, wanted))
    }

    pub fn block_in_scope(&mut self, block: &Block) -> Type {
        for statement in &block.statements {
            self.statement(statement);
        }
        block.value.as_ref().map_or(Type::Unit, |value| self.expression(value))
    }

    /// The one type of two alternatives.
    pub(super) fn join(&mut self, a: &Type, a_span: Span, b: &Type, b_span: Span) -> Type {
        match (a, b) {
            (Type::Error, other) | (other, Type::Error) => other.clone(),
            (a, b) if a == b => a.clone(),
            (Type::Array { element: first, axes: left }, Type::Array { element: second, axes: right })
                if left == right
                    && !matches!(first, Element::Index(_))
                    && !matches!(second, Element::Index(_)) =>
            {
                array(Element::Float, left.clone())
            }
            // Which one it is, is known before the run.
            (Type::Optimizer(_), Type::Optimizer(_))
            | (Type::Combiner(_), Type::Combiner(_))
            | (Type::Constraint(_), Type::Constraint(_)) => a.clone(),
            (Type::Model { .. }, Type::Model { .. }) if self.same_calls(a, b) => a.clone(),
            _ => {
                if let Some(joined) = self.join_functions(a, b) {
                    return joined;
                }
                let (one, other) = (self.show(a), self.show(b));
                let help = match (a, b) {
                    (Type::Array { axes: left, .. }, Type::Array { axes: right, .. }) if left != right => {
                        let differ: Vec<String> =
                            left.symmetric_difference(right).map(|axis| self.axis_name(*axis)).collect();
                        format!(
                            "they differ in {0}: reduce over it, or add it with `broadcast(x, {0})`",
                            differ.join(", ")
                        )
                    }
                    _ => "all alternatives must have one type".to_owned(),
                };
                self.report(
                    Diagnostic::error(Code::A0221, b_span, "the alternatives have different types")
                        .label(format!("this is {other}"))
                        .related(a_span, format!("this is {one}"))
                        .help(help),
                );
                Type::Error
            }
        }
    }

    /// Whether two models are called alike, so that either may stand for the other.
    fn same_calls(&mut self, a: &Type, b: &Type) -> bool {
        let call = |c: &mut Self, model: &Type| match model {
            Type::Model { layer, axes, over } => {
                let place = c.program.item(*layer).span;
                let ItemState::Layer(info) = c.item(*layer, place) else { return None };
                let (_, _, signature) = info.calls.iter().find(|(_, name, _)| name.is_none())?;
                let parameters: Vec<Type> =
                    signature.parameters.iter().map(|p| substitute(&p.ty, axes)).collect();
                Some((
                    parameters,
                    substitute(&signature.result, axes),
                    signature.generics.len(),
                    over.clone(),
                ))
            }
            _ => None,
        };
        matches!((call(self, a), call(self, b)), (Some(a), Some(b)) if a == b)
    }
}
