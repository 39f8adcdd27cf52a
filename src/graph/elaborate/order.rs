//! Sorting, ranking, the largest, and running sums.

use super::elaborator::Elaborator;
use super::fail;
use super::value::Value;
use crate::check::builtin::Builtin;
use crate::diagnostic::Checked;
use crate::graph::{AxisSet, Cumulative, Ties};
use crate::source::Span;
use crate::syntax::ast::{ArgumentKind, Call, Expr, ExprKind};

impl<'p> Elaborator<'_, 'p> {
    pub fn eval_order(&mut self, builtin: Builtin, expr: &'p Expr, call: &'p Call) -> Checked<Value<'p>> {
        let span = expr.span;
        let node = self.first_node(call, span)?;
        let axis = self.one_axis(call, span)?;
        let x = self.as_float(node, span)?;
        let x = self.broadcast(x, &AxisSet::new().with(axis), span)?;
        let node = match builtin {
            Builtin::Sort | Builtin::ArgSort => {
                let descending = match self.argument(call, 1, &["descending"]) {
                    Some(value) => self.static_truth(value, "`descending`")?,
                    None => false,
                };
                self.build(span, |g| match builtin {
                    Builtin::Sort => g.sort(x, axis, descending),
                    _ => g.argsort(x, axis, descending),
                })?
            }
            Builtin::Rank => {
                let ties = ties(call, span)?;
                self.build(span, |g| g.rank(x, axis, ties))?
            }
            Builtin::CumulativeSum => self.build(span, |g| g.cumulative(Cumulative::Sum, x, axis, false))?,
            Builtin::CumulativeProduct => {
                self.build(span, |g| g.cumulative(Cumulative::Product, x, axis, false))?
            }
            Builtin::CumulativeMax => self.build(span, |g| g.cumulative(Cumulative::Max, x, axis, false))?,
            Builtin::CumulativeMin => self.build(span, |g| {
                let below = g.neg(x)?;
                let largest = g.cumulative(Cumulative::Max, below, axis, false)?;
                g.neg(largest)
            })?,
            _ => {
                let (count, id) = self.made_axis(expr, call)?;
                let size = self.size(axis);
                let k = self.static_size(count, "how many are taken")?;
                if k > size {
                    let what = "`top` takes the largest of";
                    return Err(fail::too_many_positions(count.span, what, k, &self.axis_name(axis), size));
                }
                let into = self.new_axis(id, k, count.span)?;
                self.build(span, |g| {
                    let order = g.argsort(x, axis, true)?;
                    let first = g.slice(order, axis, into, 0, 1)?;
                    g.gather(x, axis, first)
                })?
            }
        };
        Ok(Value::Node(node))
    }

    /// `k as K`: the expression before `as`, and the axis that the call makes.
    pub fn made_axis(
        &mut self,
        expr: &'p Expr,
        call: &'p Call,
    ) -> Checked<(&'p Expr, crate::check::program::AxisId)> {
        let typed = self.typed();
        for argument in &call.arguments {
            if let ArgumentKind::As { value, name, .. } = &argument.kind {
                let made = typed.axes_at.get(&name.span).copied();
                let derived = || typed.derived.get(&expr.id).and_then(|ids| ids.first()).copied();
                if let Some(id) = made.or_else(derived) {
                    return Ok((value, id));
                }
            }
        }
        Err(fail::fault(expr.span, "a call without its new axis"))
    }
}

fn ties(call: &Call, span: Span) -> Checked<Ties> {
    let named = call.arguments.iter().find_map(|argument| match &argument.kind {
        ArgumentKind::Named { name, value } if name.text == "ties" => Some(value),
        _ => None,
    });
    let text = match named.map(|value| &value.kind) {
        None => "average",
        Some(ExprKind::Name(name)) => name.text.as_str(),
        Some(ExprKind::Text(text)) => text.as_str(),
        Some(_) => "",
    };
    match text {
        "average" => Ok(Ties::Average),
        "min" => Ok(Ties::Min),
        "max" => Ok(Ties::Max),
        "first" => Ok(Ties::First),
        _ => Err(fail::fault(span, "ties are `average`, `min`, `max` or `first`")),
    }
}
