//! Loops inside expressions, `scan` and `iterate`: unrolled.

use std::sync::Arc;

use super::elaborator::Elaborator;
use super::fail;
use super::value::Value;
use crate::diagnostic::Checked;
use crate::graph::{Axis, AxisSet, NodeId};
use crate::source::Span;
use crate::syntax::ast::{self, AxisName, Expr, Name};

/// Rounds of an unrolled loop.
const MOST_ROUNDS: usize = 2000;

impl<'p> Elaborator<'_, 'p> {
    fn bind_loop(&mut self, from: &'p [(Name, Expr)]) -> Checked<()> {
        for (name, value) in from {
            let value = self.eval(value)?;
            self.frame.values.insert(name.span, value);
        }
        Ok(())
    }

    /// The variables at the end: one alone, or all by name.
    fn loop_result(&self, from: &'p [(Name, Expr)]) -> Value<'p> {
        let mut values = Vec::with_capacity(from.len());
        for (name, _) in from {
            let value = self.frame.values.get(&name.span).cloned().unwrap_or(Value::Unit);
            values.push((name.text.clone(), value));
        }
        match values.len() {
            1 => values.remove(0).1,
            _ => Value::Record(Arc::new(values)),
        }
    }

    /// `scan t in T from h = zeros[H] { ... yield h }`: what is yielded, along T; without `yield` the last state.
    pub fn eval_scan(
        &mut self,
        expr: &'p Expr,
        item: &'p Name,
        axis: &'p AxisName,
        from: &'p [(Name, Expr)],
        body: &'p ast::Block,
    ) -> Checked<Value<'p>> {
        let along = self.named_axis(axis)?;
        let size = self.size(along);
        if size > MOST_ROUNDS {
            return Err(fail::unavailable(expr.span, &format!("a `scan` of more than {MOST_ROUNDS} rounds")));
        }
        self.bind_loop(from)?;
        let outer = std::mem::take(&mut self.yields);
        for round in 0..size {
            let position = self.build(item.span, |g| g.index(round as i32))?;
            self.frame.values.insert(item.span, Value::Node(position));
            self.block(body)?;
        }
        let yields = std::mem::replace(&mut self.yields, outer);
        match yields.len() == size && size > 0 {
            true => self.stack(&yields, along, expr.span),
            false => Ok(self.loop_result(from)),
        }
    }

    /// One value a position, along the axis.
    fn stack(&mut self, values: &[Value<'p>], along: Axis, span: Span) -> Checked<Value<'p>> {
        if let Some(Value::Tuple(first)) = values.first() {
            let mut parts = Vec::with_capacity(first.len());
            for k in 0..first.len() {
                let column: Vec<Value<'p>> = values
                    .iter()
                    .map(|value| match value {
                        Value::Tuple(parts) => parts.get(k).cloned().unwrap_or(Value::Unit),
                        _ => Value::Unit,
                    })
                    .collect();
                parts.push(self.stack(&column, along, span)?);
            }
            return Ok(Value::Tuple(Arc::new(parts)));
        }
        if let Some(Value::Record(first)) = values.first() {
            let mut fields = Vec::with_capacity(first.len());
            for (name, _) in first.iter() {
                let column: Vec<Value<'p>> = values
                    .iter()
                    .map(|value| match value {
                        Value::Record(fields) => fields
                            .iter()
                            .find(|(known, _)| known == name)
                            .map_or(Value::Unit, |(_, value)| value.clone()),
                        _ => Value::Unit,
                    })
                    .collect();
                fields.push((name.clone(), self.stack(&column, along, span)?));
            }
            return Ok(Value::Record(Arc::new(fields)));
        }
        let name = self.axis_name(along);
        let one = self.fresh(name, 1);
        let mut joined: Vec<(NodeId, Axis)> = Vec::with_capacity(values.len());
        for value in values {
            let node = self.float(value, span)?;
            joined.push((self.broadcast(node, &AxisSet::new().with(one), span)?, one));
        }
        self.build(span, |g| g.concat(&joined, along)).map(Value::Node)
    }

    /// `iterate n from a = .. { a := .. }`; with `until`, rounds after the condition change nothing.
    pub fn eval_iterate(
        &mut self,
        expr: &'p Expr,
        count: &'p Expr,
        until: Option<&'p Expr>,
        from: &'p [(Name, Expr)],
        body: &'p ast::Block,
    ) -> Checked<Value<'p>> {
        let rounds = self.static_size(count, "the number of rounds")?;
        if rounds > MOST_ROUNDS {
            let text = format!("an `iterate` of more than {MOST_ROUNDS} rounds");
            return Err(fail::unavailable(expr.span, &text));
        }
        self.bind_loop(from)?;
        let mut done: Option<NodeId> = None;
        for _ in 0..rounds {
            let before: Vec<Option<Value<'p>>> =
                from.iter().map(|(name, _)| self.frame.values.get(&name.span).cloned()).collect();
            self.block(body)?;
            let Some(until) = until else { continue };
            if let Some(done) = done {
                for ((name, _), old) in from.iter().zip(before) {
                    let (Some(old), Some(new)) = (old, self.frame.values.get(&name.span).cloned()) else {
                        continue;
                    };
                    let kept = self.choose(&Value::Node(done), &old, &new, expr.span)?;
                    self.frame.values.insert(name.span, kept);
                }
            }
            let value = self.eval(until)?;
            let reached = self.truth(&value, until.span)?;
            done = Some(match done {
                Some(done) => self.build(until.span, |g| g.or(done, reached))?,
                None => reached,
            });
        }
        Ok(self.loop_result(from))
    }
}
