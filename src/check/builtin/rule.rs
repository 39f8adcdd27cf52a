//! Calls of builtins: the family decides the rule. Helpers to read their arguments.

use super::Builtin;
use crate::check::program::{AxisId, AxisIds, AxisKind, CallInfo, Target, Type};
use crate::check::state::Checker;
use crate::diagnostic::{Code, Diagnostic, Help};
use crate::source::Span;
use crate::syntax::ast::{Argument, ArgumentKind, AxisName, Expr, Name};

/// A call of a builtin, as written.
#[derive(Clone, Copy)]
pub(in crate::check) struct BuiltinCall<'c> {
    pub expr: &'c Expr,
    pub name: &'c Name,
    pub builtin: Builtin,
    pub axes: &'c [AxisName],
    pub arguments: &'c [Argument],
    pub by: &'c [Expr],
    pub filter: Option<&'c Expr>,
    pub otherwise: Option<&'c Expr>,
}

impl<'c> BuiltinCall<'c> {
    pub fn positional(&self) -> Vec<&'c Expr> {
        self.arguments
            .iter()
            .filter_map(|argument| match &argument.kind {
                ArgumentKind::Positional(value) => Some(value),
                _ => None,
            })
            .collect()
    }

    pub fn named(&self) -> Vec<(&'c Name, &'c Expr)> {
        self.arguments
            .iter()
            .filter_map(|argument| match &argument.kind {
                ArgumentKind::Named { name, value } => Some((name, value)),
                _ => None,
            })
            .collect()
    }

    pub fn renamed(&self) -> Vec<(&'c Expr, &'c Name, Option<&'c Expr>)> {
        self.arguments
            .iter()
            .filter_map(|argument| match &argument.kind {
                ArgumentKind::As { value, name, size, .. } => Some((value, name, size.as_ref())),
                _ => None,
            })
            .collect()
    }
}

impl Checker<'_> {
    pub fn builtin_call(&mut self, call: BuiltinCall) -> Type {
        use Builtin as B;
        let keeps_hint = super::elementwise::arity(call.builtin).is_some() || call.builtin == B::Where;
        let hint = if keeps_hint { self.context.hint.clone() } else { None };
        let (ty, read) = self.reading(|c| c.hinted(hint, |c| c.builtin_rule(call)));
        self.size_made_axes(call);
        if !read.is_empty() && !is_of_axes(call.builtin) {
            let along = self.program.calls.get(&call.expr.id).map(|info| info.axes.clone());
            self.works_along(along.unwrap_or_default().into_iter().map(|(axis, _)| axis), &read);
        }
        if !is_reduction(call.builtin) {
            let clause = (call.by.first()).or(call.filter).or(call.otherwise);
            if let Some(clause) = clause {
                self.report(
                    Diagnostic::error(
                        Code::A0218,
                        clause.span,
                        format!("`by`, `where` and `else` belong to reductions; `{}` is none", call.name.text),
                    )
                    .label("not possible here")
                    .related(call.name.span, "what is called")
                    .help("reductions are sum, mean, max, min, prod, any, all, count, logsumexp, var, std and their kin"),
                );
                return Type::Error;
            }
        }
        ty
    }

    /// The axes that a call makes are sized by those that it names and by its arguments that are known before the run.
    fn size_made_axes(&mut self, call: BuiltinCall) {
        let made = self.program.derived.get(&call.expr.id).cloned().unwrap_or_default();
        if made.is_empty() {
            return;
        }
        let mut varies = AxisIds::new();
        if let Some(info) = self.program.calls.get(&call.expr.id) {
            for (axis, _) in info.axes.iter().filter(|(axis, _)| !made.contains(axis)) {
                varies.extend(self.traces.get(&self.program.axis(*axis).span).iter().flat_map(|t| &t.varies));
            }
        }
        for argument in call.arguments {
            let value = match &argument.kind {
                ArgumentKind::Positional(value) | ArgumentKind::Named { value, .. } => Some(value),
                ArgumentKind::As { size, .. } => size.as_ref(),
            };
            if let Some(value) = value.filter(|value| self.is_static(value)) {
                varies.extend(self.varies_of_static(value));
            }
        }
        for axis in made {
            self.sized_by(self.program.axis(axis).span, varies.clone());
        }
    }

    fn builtin_rule(&mut self, call: BuiltinCall) -> Type {
        use Builtin as B;
        match call.builtin {
            B::Where => self.where_call(call),
            B::Stop => self.stop_call(call),
            B::Copy | B::Freeze | B::Ema => self.model_call(call),
            B::Grad => self.grad_call(call),
            B::Inner => self.inner_call(call),
            B::Plateau => self.plateau_call(call),
            B::Max | B::Min if self.is_pair(call) => self.elementwise_call(call, 2),
            builtin if is_reduction(builtin) => self.reduction(call),
            B::Sort
            | B::ArgSort
            | B::Rank
            | B::CumulativeSum
            | B::CumulativeProduct
            | B::CumulativeMax
            | B::CumulativeMin => self.order_call(call),
            B::Top => self.top_call(call),
            B::Size
            | B::Iota
            | B::OneHot
            | B::Zeros
            | B::Ones
            | B::Number
            | B::Position
            | B::Broadcast
            | B::Window
            | B::Concat
            | B::Flatten
            | B::Unflatten
            | B::Split
            | B::Shift
            | B::Pad
            | B::Diagonal => self.shape_call(call),
            B::Cholesky
            | B::Solve
            | B::SolveTriangular
            | B::Eigh
            | B::Svd
            | B::Qr
            | B::SpanningTree
            | B::Assignment => self.matrix_call(call),
            B::Uniform
            | B::Normal
            | B::Bernoulli
            | B::Categorical
            | B::UniformIndex
            | B::Permutation
            | B::Resample => self.random_call(call),
            B::Step | B::Epoch | B::Progress | B::Training | B::Pi | B::Infinity => {
                self.report(
                    Diagnostic::error(
                        Code::A0215,
                        call.name.span,
                        format!("`{}` is a value, not a function", call.name.text),
                    )
                    .label("called here")
                    .help(Help::replace(
                        call.expr.span,
                        &call.name.text,
                        format!("write `{}` without parentheses", call.name.text),
                    )),
                );
                Type::Error
            }
            B::Geometric | B::Range | B::KFold => {
                self.report(
                    Diagnostic::error(
                        Code::A0321,
                        call.expr.span,
                        format!("`{}` makes the values of a `vary`", call.name.text),
                    )
                    .label("not a value by itself")
                    .help(format!("write `vary Name = {}`", self.text(call.expr.span))),
                );
                Type::Error
            }
            builtin => match super::elementwise::arity(builtin) {
                Some(arity) => self.elementwise_call(call, arity),
                None => Type::Error,
            },
        }
    }

    /// Two values and no axis: `max(a, b)`.
    fn is_pair(&mut self, call: BuiltinCall) -> bool {
        let [_, second] = call.positional()[..] else { return false };
        call.axes.is_empty()
            && call.by.is_empty()
            && call.filter.is_none()
            && !self.looks_like_axis(second)
            && self.axis_rather_than_value(second).is_none()
    }

    /// Writes down which builtin is called and along which axes.
    pub fn builtin_done(&mut self, call: BuiltinCall, axes: &[AxisId]) {
        let info = CallInfo {
            target: Target::Builtin(call.builtin),
            axes: axes.iter().map(|axis| (*axis, *axis)).collect(),
            arguments: Vec::new(),
        };
        self.program.calls.insert(call.expr.id, info);
    }

    /// The axis that an argument names; anything else is reported.
    pub fn wanted_axis(&mut self, call: BuiltinCall, value: &Expr) -> Option<AxisId> {
        if let Some(axis) = self.axis_argument(value) {
            return Some(axis);
        }
        if self.looks_like_axis(value) {
            return self.unknown_axis(&self.text(value.span), value.span);
        }
        if let crate::syntax::ast::ExprKind::Field { value: of, field } = &value.kind
            && let crate::syntax::ast::ExprKind::Name(of) = &of.kind
            && self.data_of(&of.text).is_some()
        {
            return self.unknown_part(&of.text, of.span, &field.text, field.span);
        }
        self.expression(value);
        self.report(
            Diagnostic::error(Code::A0201, value.span, format!("`{}` wants an axis here", call.name.text))
                .label("not the name of an axis")
                .help(format!("it is called `{}`", call.builtin.signature())),
        );
        None
    }

    /// The axis that an argument names, which the operand must have.
    pub fn wanted_axis_of(
        &mut self,
        call: BuiltinCall,
        value: &Expr,
        axes: &AxisIds,
        operand: Span,
        verb: &str,
    ) -> Option<AxisId> {
        let axis = self.wanted_axis(call, value)?;
        match self.in_operand(axes, axis) {
            Some(found) => {
                self.program.axes_at.insert(value.span, found);
                Some(found)
            }
            None => self.operand_lacks(axis, value.span, axes, operand, verb),
        }
    }

    /// Reports a wrong number of values; `wanted` in words.
    pub fn wrong_count(&mut self, call: BuiltinCall, wanted: &str) -> Type {
        self.report(
            Diagnostic::error(Code::A0201, call.expr.span, format!("`{}` takes {wanted}", call.name.text))
                .label("called with other arguments")
                .help(format!("it is called `{}`", call.builtin.signature())),
        );
        for value in call.positional() {
            if self.axis_argument(value).is_none() && !self.looks_like_axis(value) {
                self.expression(value);
            }
        }
        Type::Error
    }

    /// Refuses names that are none of `known`; gives the values of the others, unchecked.
    pub fn options<'c>(&mut self, call: BuiltinCall<'c>, known: &[&str]) -> Vec<(&'c str, &'c Expr)> {
        let mut found = Vec::new();
        for (name, value) in call.named() {
            if known.contains(&name.text.as_str()) {
                found.push((name.text.as_str(), value));
            } else {
                self.unknown_argument(&call.name.text, name, known, None);
            }
        }
        found
    }

    /// Refuses brackets on a builtin that takes its axes in parentheses.
    pub fn bracket_axes(&mut self, call: BuiltinCall) -> Option<Vec<AxisId>> {
        let axes: Vec<Option<AxisId>> = call.axes.iter().map(|axis| self.axis(axis)).collect();
        axes.into_iter().collect()
    }

    /// A new axis named in `as K`: the axis of that name in scope, or a new one.
    pub fn made_axis(&mut self, name: &Name) -> (AxisId, bool) {
        if let Some(axis) = self.find_axis(&name.text) {
            self.program.axes_at.insert(name.span, axis);
            return (axis, false);
        }
        let axis = self.new_axis(name.text.clone(), AxisKind::Derived, name.span);
        self.declare_axis(name, axis);
        (axis, true)
    }
}

/// What names axes and brings nothing together along them.
fn is_of_axes(builtin: Builtin) -> bool {
    use Builtin as B;
    matches!(builtin, B::Size | B::Iota | B::Zeros | B::Ones | B::Position | B::Broadcast)
}

pub(in crate::check) fn is_reduction(builtin: Builtin) -> bool {
    use Builtin as B;
    matches!(
        builtin,
        B::Sum
            | B::Product
            | B::Mean
            | B::Max
            | B::Min
            | B::Any
            | B::All
            | B::Count
            | B::LogSumExp
            | B::Variance
            | B::StandardDeviation
            | B::ArgMax
            | B::ArgMin
            | B::Median
            | B::Quantile
    )
}
