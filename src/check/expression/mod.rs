//! Expressions: the type of each, by construct.

mod apply;
mod arguments;
mod call;
mod choice;
mod field;
mod function_value;
mod index;
mod lambda;
mod list;
mod mismatch;
mod operator;
mod pretrained;
mod repeated;
mod replace;
mod value;
mod zoo;

pub(super) use apply::{Callee, plural};

use super::builtin::Builtin;
use super::program::{AxisIds, Element, Target, Type};
use super::state::Checker;
use super::types::{all_axes, array, boolean};
use crate::diagnostic::{Code, Diagnostic, Help};
use crate::syntax::ast::{Expr, ExprKind};

impl Checker<'_> {
    /// The type of an expression, written down.
    pub fn expression(&mut self, expr: &Expr) -> Type {
        self.watch(expr.span);
        let flows = self.context.trace.flows.clone();
        let ty = self.expression_kind(expr);
        if self.cuts_gradients(expr, &ty) {
            self.context.trace.flows = flows;
        }
        if let Some(touched) = &mut self.context.touched {
            all_axes(&ty, touched);
        }
        self.program.types.insert(expr.id, ty.clone());
        ty
    }

    /// Truth values and positions have no derivative, and `stop` is there to have none.
    fn cuts_gradients(&self, expr: &Expr, ty: &Type) -> bool {
        let stops = matches!(
            self.program.calls.get(&expr.id).map(|info| &info.target),
            Some(Target::Builtin(Builtin::Stop))
        );
        stops || matches!(ty, Type::Array { element: Element::Bool | Element::Index(_), .. })
    }

    fn expression_kind(&mut self, expr: &Expr) -> Type {
        match &expr.kind {
            ExprKind::Number { .. } => Type::float(),
            ExprKind::Bool(_) => boolean(),
            ExprKind::Text(_) => Type::Text,
            ExprKind::Name(name) => self.name_value(expr, name),
            ExprKind::Parenthesised(inner) => self.expression(inner),
            ExprKind::Tuple(values) => {
                Type::Tuple(values.iter().map(|value| self.expression(value)).collect())
            }
            ExprKind::List(values) => self.list(expr, values),
            ExprKind::Record(fields) => self.record(fields, &[]),
            ExprKind::Unary { operator, value } => self.unary(*operator, value),
            ExprKind::Binary { operator, left, right, operator_span } => {
                self.binary(*operator, left, right, *operator_span)
            }
            ExprKind::Approximately { left, right, within } => {
                self.approximately(left, right, within.as_deref())
            }
            ExprKind::Call(call) => self.call(expr, call),
            ExprKind::Index { value, selectors } => self.index(expr, value, selectors),
            ExprKind::Field { value, field } => self.field(expr, value, field),
            ExprKind::Match { value, arms } => self.match_expression(expr, value, arms, None),
            ExprKind::If { condition, then, otherwise } => {
                self.if_expression(condition, then, otherwise, None)
            }
            ExprKind::Scan { item, axis, from, body } => self.scan(expr, item, axis, from, body),
            ExprKind::Iterate { count, until, from, body, .. } => {
                self.iterate(expr, count, until.as_deref(), from, body)
            }
            ExprKind::Lambda { parameters, result, body } => {
                self.lambda(expr, lambda::Lambda { parameters, result: result.as_ref(), body }, None)
            }
            ExprKind::From { value, source, .. } => self.pretrained(value, source),
        }
    }

    /// The type of an expression that must be an array; anything else is reported and None.
    pub fn array_of(&mut self, expr: &Expr) -> Option<(Element, AxisIds)> {
        let ty = self.expression(expr);
        self.as_array(expr, &ty)
    }

    pub fn as_array(&mut self, expr: &Expr, ty: &Type) -> Option<(Element, AxisIds)> {
        match ty {
            Type::Array { element: Element::Text, .. } => {
                self.text_as_value(expr);
                None
            }
            Type::Array { element, axes } => Some((*element, axes.clone())),
            Type::Error => None,
            Type::Callable(_) | Type::Function { .. } => self.uncalled(expr, ty),
            other => {
                let shown = self.show(other);
                let help = match other {
                    Type::Axis(_) => format!(
                        "an axis is no value; its positions are `iota({0})`, its size `size({0})`",
                        self.text(expr.span)
                    ),
                    Type::Model { .. } => "a model is applied to a value: `net(x)`".to_owned(),
                    Type::Record(fields) => match fields.first() {
                        Some((name, _)) => format!("read one of its fields, such as `.{name}`"),
                        None => "read one of its fields".to_owned(),
                    },
                    Type::Rows { .. } => "name one of its columns: `data.train.column`".to_owned(),
                    Type::Choice(axis) => {
                        format!("choose by it: `match {} {{ ... }}`", self.axis_name(*axis))
                    }
                    _ => "a value here is a number, a truth value, an index, or an array of them".to_owned(),
                };
                self.report(
                    Diagnostic::error(
                        Code::A0211,
                        expr.span,
                        format!("{shown} is not a value to compute with"),
                    )
                    .label(format!("this is {shown}"))
                    .help(help),
                );
                None
            }
        }
    }

    fn text_as_value(&mut self, expr: &Expr) {
        let text = self.text(expr.span);
        self.report(
            Diagnostic::error(
                Code::A0447,
                expr.span,
                format!("`{text}` is text, which is no value to compute with"),
            )
            .label("strings")
            .help(format!(
                "a function of text makes numbers of it; if it has few different values, declare it as a \
                     category: `{text}: Kind`"
            )),
        );
    }

    /// The axes of an expression that is used as numbers: Float, or Bool as 0 and 1.
    pub fn numbers(&mut self, expr: &Expr) -> Option<AxisIds> {
        let (element, axes) = self.array_of(expr)?;
        match element {
            Element::Float | Element::Bool => Some(axes),
            Element::Text => None,
            Element::Index(axis) => {
                let name = self.axis_name(axis);
                self.report(
                    Diagnostic::error(
                        Code::A0206,
                        expr.span,
                        format!("a number is wanted, but this is an index of `{name}`"),
                    )
                    .label(format!("has type {}", self.show(&array(element, axes.clone()))))
                    .related(self.program.axis(axis).span, format!("`{name}` is declared here"))
                    .help(Help::replace(
                        expr.span,
                        format!("number({})", self.sources.slice(expr.span)),
                        format!("an index is no number by itself: write `number({})`", self.text(expr.span)),
                    )),
                );
                None
            }
        }
    }

    /// The axes of an expression that must be a truth value.
    pub fn truths(&mut self, expr: &Expr) -> Option<AxisIds> {
        let (element, axes) = self.array_of(expr)?;
        if element == Element::Bool {
            return Some(axes);
        }
        let shown = self.show(&array(element, axes));
        self.report(
            Diagnostic::error(
                Code::A0216,
                expr.span,
                format!("a truth value is wanted, but this is {shown}"),
            )
            .label(format!("has type {shown}"))
            .help(format!("compare it: `{} > 0`", self.text(expr.span))),
        );
        None
    }
}
