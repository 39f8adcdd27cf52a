//! What depends on what: static values, and results.

use super::builtin::Builtin;
use super::program::{AxisIds, Definition, Target, Type};
use super::state::{Checker, LocalKind};
use crate::source::Span;
use crate::syntax::ast::{
    ArgumentKind, Block, Expr, ExprKind, Init, ItemKind, Let, Selector, Statement, StatementKind,
};

impl Checker<'_> {
    /// Whether a checked expression is known when the graph is built.
    pub fn is_static(&self, expr: &Expr) -> bool {
        self.is_static_with(expr, &[])
    }

    /// The trial axes that a checked expression, which is known when the graph is built, depends on.
    pub fn varies_of_static(&self, expr: &Expr) -> AxisIds {
        let mut found = AxisIds::new();
        walk(expr, &mut |expr| {
            let ExprKind::Name(name) = &expr.kind else { return };
            match self.program.names.get(&name.span) {
                Some(Definition::VaryValue(axis)) => {
                    found.insert(*axis);
                }
                Some(Definition::Local(binding)) => {
                    found.extend(self.traces.get(binding).iter().flat_map(|trace| &trace.varies));
                }
                _ => {}
            }
            if let Some(axis) = self.program.axes_at.get(&name.span) {
                let size = self.traces.get(&self.program.axis(*axis).span);
                found.extend(size.iter().flat_map(|trace| &trace.varies));
            }
        });
        found
    }

    /// The same, where further bindings count as known.
    pub fn is_static_with(&self, expr: &Expr, known: &[Span]) -> bool {
        let is_static = |expr: &Expr| self.is_static_with(expr, known);
        match &expr.kind {
            ExprKind::Number { .. } | ExprKind::Bool(_) | ExprKind::Text(_) => true,
            ExprKind::Name(name) => match self.program.names.get(&name.span) {
                Some(Definition::Local(span)) => known.contains(span) || self.statics.contains(span),
                Some(Definition::Item(item)) => match &self.program.item(*item).kind {
                    ItemKind::Let(l) => l.names.iter().any(|name| self.statics.contains(&name.span)),
                    _ => false,
                },
                Some(Definition::Builtin(builtin)) => {
                    matches!(builtin, Builtin::Pi | Builtin::Infinity | Builtin::Training)
                }
                Some(Definition::VaryValue(_)) => !self.context.results,
                Some(Definition::Axis(_) | Definition::Arm(..)) => true,
                Some(Definition::Column { .. }) | None => false,
            },
            ExprKind::Parenthesised(inner) => is_static(inner),
            ExprKind::Unary { value, .. } => is_static(value),
            ExprKind::Binary { left, right, .. } => {
                (is_static(left) || self.is_arm(left)) && (is_static(right) || self.is_arm(right))
            }
            ExprKind::Call(call) => {
                let callable = match self.program.calls.get(&expr.id).map(|info| &info.target) {
                    Some(Target::Builtin(Builtin::Size)) => return true,
                    Some(Target::Builtin(builtin)) => !is_random(*builtin),
                    Some(Target::Function(_)) => true,
                    _ => false,
                };
                let scalar = matches!(self.program.types.get(&expr.id), Some(Type::Array { axes, .. }) if axes.is_empty());
                callable
                    && scalar
                    && call.arguments.iter().all(|argument| match &argument.kind {
                        ArgumentKind::Positional(value) | ArgumentKind::Named { value, .. } => {
                            self.program.axes_at.contains_key(&value.span) || is_static(value)
                        }
                        ArgumentKind::As { .. } => false,
                    })
            }
            ExprKind::Match { value, arms } => {
                is_static(value) && arms.iter().all(|arm| is_static(&arm.value))
            }
            ExprKind::If { condition, then, otherwise } => {
                is_static(condition) && self.static_block(then, known) && self.static_block(otherwise, known)
            }
            ExprKind::Field { value, .. } => is_static(value),
            ExprKind::Iterate { until, from, body, .. } => {
                known.is_empty() && self.static_loop(from, until.as_deref(), body)
            }
            _ => false,
        }
    }

    fn static_block(&self, block: &Block, known: &[Span]) -> bool {
        block.statements.is_empty()
            && block.value.as_ref().is_some_and(|value| self.is_static_with(value, known))
    }

    fn is_arm(&self, expr: &Expr) -> bool {
        matches!(&expr.kind, ExprKind::Name(name) if matches!(self.program.names.get(&name.span), Some(Definition::Arm(..))))
    }

    /// Whether an unchecked expression mentions a measure, so that it is computed after all trials.
    pub fn mentions_results(&self, expr: &Expr) -> bool {
        let mut found = false;
        // Results are not called: a measure `size` does not hide the function.
        let mut called: Vec<Span> = Vec::new();
        walk(expr, &mut |expr| match &expr.kind {
            ExprKind::Call(call) => {
                if let ExprKind::Name(name) = &call.callee.kind {
                    called.push(name.span);
                }
            }
            ExprKind::Name(name) if !called.contains(&name.span) => {
                found |= self.find_local(&name.text).is_some_and(|local| local.kind == LocalKind::Result);
            }
            ExprKind::Field { value, field } => found |= self.is_term_field(value, field),
            _ => {}
        });
        found
    }
}

fn is_random(builtin: Builtin) -> bool {
    use Builtin as B;
    matches!(
        builtin,
        B::Uniform
            | B::Normal
            | B::Bernoulli
            | B::Categorical
            | B::UniformIndex
            | B::Permutation
            | B::Resample
            | B::Grad
    )
}

/// Visits an expression and all expressions inside it.
pub(super) fn walk(expr: &Expr, visit: &mut impl FnMut(&Expr)) {
    visit(expr);
    match &expr.kind {
        ExprKind::Number { .. } | ExprKind::Bool(_) | ExprKind::Text(_) | ExprKind::Name(_) => {}
        ExprKind::Parenthesised(inner) | ExprKind::Unary { value: inner, .. } => walk(inner, visit),
        ExprKind::Tuple(values) | ExprKind::List(values) => {
            values.iter().for_each(|value| walk(value, visit))
        }
        ExprKind::Record(fields) => fields.iter().for_each(|(_, value)| walk(value, visit)),
        ExprKind::Binary { left, right, .. } => {
            walk(left, visit);
            walk(right, visit);
        }
        ExprKind::Approximately { left, right, within } => {
            walk(left, visit);
            walk(right, visit);
            within.iter().for_each(|value| walk(value, visit));
        }
        ExprKind::Call(call) => {
            walk(&call.callee, visit);
            for argument in &call.arguments {
                match &argument.kind {
                    ArgumentKind::Positional(value)
                    | ArgumentKind::Named { value, .. }
                    | ArgumentKind::As { value, .. } => walk(value, visit),
                }
            }
            call.by.iter().chain(&call.filter).chain(&call.otherwise).for_each(|value| walk(value, visit));
        }
        ExprKind::Index { value, selectors } => {
            walk(value, visit);
            for selector in selectors {
                match selector {
                    Selector::Pick { index, .. } => walk(index, visit),
                    Selector::Slice { start, end, .. } => {
                        start.iter().chain(end).for_each(|value| walk(value, visit));
                    }
                    Selector::Axis(_) | Selector::Rename { .. } => {}
                }
            }
        }
        ExprKind::Field { value, .. } => walk(value, visit),
        ExprKind::Match { value, arms } => {
            walk(value, visit);
            arms.iter().for_each(|arm| walk(&arm.value, visit));
        }
        ExprKind::If { condition, then, otherwise } => {
            walk(condition, visit);
            walk_block(then, visit);
            walk_block(otherwise, visit);
        }
        ExprKind::Scan { from, body, .. } => {
            from.iter().for_each(|(_, start)| walk(start, visit));
            walk_block(body, visit);
        }
        ExprKind::Iterate { count, until, from, body, .. } => {
            walk(count, visit);
            until.iter().for_each(|until| walk(until, visit));
            from.iter().for_each(|(_, start)| walk(start, visit));
            walk_block(body, visit);
        }
        ExprKind::Lambda { body, .. } => walk_block(body, visit),
        // The source is a file.
        ExprKind::From { value, .. } => walk(value, visit),
    }
}

fn walk_block(block: &Block, visit: &mut impl FnMut(&Expr)) {
    walk_statements(&block.statements, visit);
    block.value.iter().for_each(|value| walk(value, visit));
}

/// The expressions of statements that may stand in a block that is a value.
fn walk_statements(statements: &[Statement], visit: &mut impl FnMut(&Expr)) {
    for statement in statements {
        match &statement.kind {
            StatementKind::Let(Let { value: Init::Value(value) | Init::Draw(value), .. })
            | StatementKind::Assign { value, .. }
            | StatementKind::Assert { condition: value }
            | StatementKind::Yield(value)
            | StatementKind::Expression(value) => walk(value, visit),
            StatementKind::Axis(axes) => axes.iter().for_each(|axis| walk(&axis.size, visit)),
            StatementKind::If { condition, then, otherwise } => {
                walk(condition, visit);
                walk_statements(then, visit);
                walk_statements(otherwise.as_deref().unwrap_or_default(), visit);
            }
            _ => {}
        }
    }
}
