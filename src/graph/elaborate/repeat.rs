//! Loops inside expressions, `scan` and `iterate`: operations of the graph, or unrolled where that is simpler.

use std::sync::Arc;

use super::elaborator::Elaborator;
use super::fail;
use super::trace::Trace;
use super::value::Value;
use crate::diagnostic::Checked;
use crate::graph::{Axis, AxisSet, Element, InputId, NodeId};
use crate::source::Span;
use crate::syntax::ast::{self, AxisName, Expr, Name, Statement, StatementKind};

/// Loops of no more rounds are unrolled: what is known of single rounds then simplifies them.
const FEW_ROUNDS: usize = 4;
/// Rounds of an unrolled loop.
const MOST_ROUNDS: usize = 2000;

/// A loop about to be made.
struct Repeat<'p> {
    /// The index of a `scan`, and its axis.
    item: Option<(&'p Name, Axis)>,
    rounds: usize,
    until: Option<&'p Expr>,
    from: &'p [(Name, Expr)],
    body: &'p ast::Block,
    span: Span,
}

/// What one round gives.
struct Round {
    next: Vec<NodeId>,
    done: Option<(NodeId, NodeId)>,
}

impl<'p> Elaborator<'_, 'p> {
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
        let rounds = self.size(along);
        let repeat = Repeat { item: Some((item, along)), rounds, until: None, from, body, span: expr.span };
        self.eval_repeat(expr, &repeat)
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
        let repeat = Repeat { item: None, rounds, until, from, body, span: expr.span };
        self.eval_repeat(expr, &repeat)
    }

    fn eval_repeat(&mut self, expr: &'p Expr, repeat: &Repeat<'p>) -> Checked<Value<'p>> {
        let mut starts = Vec::with_capacity(repeat.from.len());
        for (_, start) in repeat.from {
            starts.push(self.eval(start)?);
        }
        let plain = repeat.rounds <= FEW_ROUNDS
            || self.typed().static_loops.contains(&expr.id)
            || asserts(&repeat.body.statements);
        let outer = std::mem::take(&mut self.yields);
        let traced = match plain {
            true => None,
            false => self.traced(repeat, &starts)?,
        };
        let value = match traced {
            Some(value) => Ok(value),
            None => self.unrolled(repeat, &starts),
        };
        self.yields = outer;
        value
    }

    fn assign_variables(&mut self, from: &'p [(Name, Expr)], values: &[Value<'p>]) {
        for ((name, _), value) in from.iter().zip(values) {
            self.frame.values.insert(name.span, value.clone());
        }
    }

    fn variables(&self, from: &'p [(Name, Expr)]) -> Vec<Value<'p>> {
        let value = |name: &Name| self.frame.values.get(&name.span).cloned().unwrap_or(Value::Unit);
        from.iter().map(|(name, _)| value(name)).collect()
    }

    // As an operation.

    /// The loop as an operation; none where the body does what only the program around may do.
    fn traced(&mut self, repeat: &Repeat<'p>, starts: &[Value<'p>]) -> Checked<Option<Value<'p>>> {
        let span = repeat.span;
        let mut first: Vec<NodeId> = Vec::new();
        for value in starts {
            self.leaves(value, span, &mut first)?;
        }
        let variables = first.len();
        if repeat.until.is_some() {
            first.push(self.build(span, |g| g.bool(false))?);
        }
        let (ordinals, outputs, current) =
            (self.ordinals.clone(), self.output.outputs.len(), self.current.clone());
        let (test, outer_round) = (self.test.take(), self.round);
        // A start that lacks axes of what is assigned later is broadcast, and the body elaborated once more.
        let mut found = None;
        for _ in 0..8 {
            self.ordinals = ordinals.clone();
            let before = self.output.graph.clone();
            let holes = self.holes(&first, repeat, outer_round)?;
            let template: Vec<Value<'p>> = self.rebuilt_all(starts, &holes);
            self.assign_variables(repeat.from, &template);
            self.yields.clear();
            let round = self.one_round(repeat, &holes, variables);
            self.round = outer_round;
            let round = match round {
                Ok(round) => round,
                Err(errors) => {
                    self.test = test;
                    return Err(errors);
                }
            };
            if self.output.outputs.len() != outputs || self.current.len() != current.len() {
                self.output.outputs.truncate(outputs);
                self.output.graph.truncate(before.nodes.len());
                self.current = current;
                break;
            }
            match self.grown(before, &first, &round, variables, span)? {
                Some(wider) => first = wider,
                None => {
                    found = Some(self.cut(repeat, &first, &holes, round, variables)?);
                    break;
                }
            }
        }
        self.test = test;
        let Some((last, every)) = found else {
            self.ordinals = ordinals;
            return Ok(None);
        };
        Ok(Some(match every {
            Some(value) => value,
            None => {
                let values = self.rebuilt_all(starts, &last);
                self.assign_variables(repeat.from, &values);
                together(repeat.from, values)
            }
        }))
    }

    /// Stand-ins for what differs from round to round: the carried values, and the number of the round.
    fn holes(
        &mut self,
        first: &[NodeId],
        repeat: &Repeat<'p>,
        outer: Option<NodeId>,
    ) -> Checked<Vec<NodeId>> {
        let mut types: Vec<(Element, AxisSet)> =
            first.iter().map(|id| (self.element(*id), self.axes_of(*id))).collect();
        types.push((Element::Index, AxisSet::new()));
        let mut holes = Vec::with_capacity(types.len());
        for (element, axes) in types {
            self.holes += 1;
            let id = InputId(u32::MAX - self.holes);
            holes.push(self.output.graph.input(id, element, axes));
        }
        let Some(round) = holes.last().copied() else { return Ok(holes) };
        if let Some((item, _)) = repeat.item {
            self.frame.values.insert(item.span, Value::Node(round));
        }
        self.round = Some(self.round_number(outer, round, repeat)?);
        Ok(holes)
    }

    /// One number for the rounds of all loops around.
    fn round_number(&mut self, outer: Option<NodeId>, round: NodeId, repeat: &Repeat<'p>) -> Checked<NodeId> {
        let Some(outer) = outer else { return Ok(round) };
        self.build(repeat.span, |g| {
            let rounds = g.index(repeat.rounds as i32)?;
            let before = g.mul(outer, rounds)?;
            g.plus(before, round)
        })
    }

    fn one_round(&mut self, repeat: &Repeat<'p>, holes: &[NodeId], variables: usize) -> Checked<Round> {
        let span = repeat.span;
        let before = self.variables(repeat.from);
        self.block(repeat.body)?;
        let after = self.variables(repeat.from);
        let mut next = Vec::with_capacity(variables);
        for value in &after {
            self.leaves(value, span, &mut next)?;
        }
        let Some(until) = repeat.until else { return Ok(Round { next, done: None }) };
        let done = holes[variables];
        let mut old = Vec::with_capacity(variables);
        for value in &before {
            self.leaves(value, span, &mut old)?;
        }
        for (next, old) in next.iter_mut().zip(old) {
            let (a, b) = self.same_element(old, *next, span)?;
            *next = self.build(span, |g| g.select(done, a, b))?;
        }
        let values = self.rebuilt_all(&after, &next);
        self.assign_variables(repeat.from, &values);
        let reached = self.eval(until)?;
        let reached = self.truth(&reached, until.span)?;
        let now = self.build(until.span, |g| g.or(done, reached))?;
        let all = self.all(now, until.span)?;
        next.push(now);
        Ok(Round { next, done: Some((now, all)) })
    }

    /// Starts with more axes, or Floats where they were truth values, if the round gave such; the graph is then `before`
    /// again.
    fn grown(
        &mut self,
        before: crate::graph::Graph,
        first: &[NodeId],
        round: &Round,
        variables: usize,
        span: Span,
    ) -> Checked<Option<Vec<NodeId>>> {
        let mut wanted = Vec::with_capacity(first.len());
        let mut changed = false;
        for (at, (start, next)) in first.iter().zip(&round.next).enumerate() {
            let (have, gives) = (self.axes_of(*start), self.axes_of(*next));
            let to_float = self.element(*start) == Element::Bool && self.element(*next) == Element::Float;
            changed |= !gives.is_subset(&have) || to_float;
            let mut axes = have.union(&gives);
            // Items that stop by themselves have their own values.
            if let (Some((done, _)), true) = (round.done, at < variables) {
                axes = axes.union(&self.axes_of(done));
            }
            wanted.push((axes, to_float));
        }
        if !changed {
            return Ok(None);
        }
        let axes = self.output.graph.axes.clone();
        self.output.graph = before;
        self.output.graph.axes = axes;
        let mut wider = Vec::with_capacity(first.len());
        for (start, (axes, to_float)) in first.iter().zip(wanted) {
            let start = if to_float { self.as_float(*start, span)? } else { *start };
            wider.push(self.broadcast(start, &axes, span)?);
        }
        Ok(Some(wider))
    }

    /// The loop's node for each carried value, and the value that was yielded, if any.
    fn cut(
        &mut self,
        repeat: &Repeat<'p>,
        first: &[NodeId],
        holes: &[NodeId],
        round: Round,
        variables: usize,
    ) -> Checked<(Vec<NodeId>, Option<Value<'p>>)> {
        let span = repeat.span;
        let mut next = Vec::with_capacity(first.len());
        for (id, start) in round.next.iter().zip(first) {
            let id = match self.element(*start) {
                Element::Float => self.as_float(*id, span)?,
                _ => *id,
            };
            let axes = self.axes_of(*start);
            next.push(self.broadcast(id, &axes, span)?);
        }
        let yielded = std::mem::take(&mut self.yields);
        let mut every = Vec::new();
        if let Some(value) = yielded.first() {
            self.leaves(value, span, &mut every)?;
        }
        // The graph as it was before the holes: everything from the first hole on is the body's.
        let graph = self.output.graph.clone();
        let mut before = graph.clone();
        before.truncate(holes.iter().map(|hole| hole.0 as usize).min().unwrap_or(graph.nodes.len()));
        let trace = Trace { before, starts: first.to_vec(), holes: holes.to_vec(), rounds: repeat.rounds };
        let along = repeat.item.map(|(_, axis)| axis);
        let done = round.done.map(|(_, all)| all);
        let (graph, looped) = trace
            .finish(graph, &next, done, &every, along, span)
            .map_err(|error| fail::type_fault(span, &error))?;
        self.output.graph = graph;
        let value = yielded.first().map(|value| rebuilt(value, &mut looped.every.iter().copied()));
        Ok((looped.last[..variables].to_vec(), value))
    }

    /// The arrays of a value, in order.
    fn leaves(&mut self, value: &Value<'p>, span: Span, found: &mut Vec<NodeId>) -> Checked<()> {
        match value {
            Value::Tuple(parts) => parts.iter().try_for_each(|part| self.leaves(part, span, found)),
            Value::Record(fields) => fields.iter().try_for_each(|(_, value)| self.leaves(value, span, found)),
            other => {
                found.push(self.node(other, span)?);
                Ok(())
            }
        }
    }

    fn rebuilt_all(&self, like: &[Value<'p>], nodes: &[NodeId]) -> Vec<Value<'p>> {
        let mut nodes = nodes.iter().copied();
        like.iter().map(|value| rebuilt(value, &mut nodes)).collect()
    }

    // Unrolled.

    fn unrolled(&mut self, repeat: &Repeat<'p>, starts: &[Value<'p>]) -> Checked<Value<'p>> {
        let span = repeat.span;
        if repeat.rounds > MOST_ROUNDS {
            return Err(fail::too_many_rounds(span, repeat.rounds, MOST_ROUNDS));
        }
        self.assign_variables(repeat.from, starts);
        self.yields.clear();
        let outer_round = self.round;
        let ordinals = self.ordinals.clone();
        let mut done: Option<NodeId> = None;
        for round in 0..repeat.rounds {
            // Draws are told apart by the round, as in loops that are not unrolled.
            self.ordinals = ordinals.clone();
            let number = self.build(span, |g| g.index(round as i32))?;
            if let Some((item, _)) = repeat.item {
                self.frame.values.insert(item.span, Value::Node(number));
            }
            self.round = Some(self.round_number(outer_round, number, repeat)?);
            let before = self.variables(repeat.from);
            let made = self.block(repeat.body);
            self.round = outer_round;
            made?;
            let Some(until) = repeat.until else { continue };
            if let Some(done) = done {
                let after = self.variables(repeat.from);
                let mut kept = Vec::with_capacity(after.len());
                for (old, new) in before.iter().zip(&after) {
                    kept.push(self.chosen(done, old, new, span)?);
                }
                self.assign_variables(repeat.from, &kept);
            }
            let value = self.eval(until)?;
            let reached = self.truth(&value, until.span)?;
            done = Some(match done {
                Some(done) => self.build(until.span, |g| g.or(done, reached))?,
                None => reached,
            });
        }
        let yields = std::mem::take(&mut self.yields);
        match (repeat.item, yields.is_empty()) {
            (Some((_, along)), false) => self.stack(&yields, along, span),
            _ => Ok(together(repeat.from, self.variables(repeat.from))),
        }
    }

    /// The old value where an item is done, leaf by leaf.
    fn chosen(&mut self, done: NodeId, old: &Value<'p>, new: &Value<'p>, span: Span) -> Checked<Value<'p>> {
        let (mut a, mut b) = (Vec::new(), Vec::new());
        self.leaves(old, span, &mut a)?;
        self.leaves(new, span, &mut b)?;
        let mut kept = Vec::with_capacity(a.len());
        for (a, b) in a.into_iter().zip(b) {
            let (a, b) = self.same_element(a, b, span)?;
            kept.push(self.build(span, |g| g.select(done, a, b))?);
        }
        Ok(rebuilt(new, &mut kept.into_iter()))
    }

    /// One value a position, along the axis.
    fn stack(&mut self, values: &[Value<'p>], along: Axis, span: Span) -> Checked<Value<'p>> {
        let Some(first) = values.first() else { return Ok(Value::Unit) };
        let mut columns: Vec<Vec<NodeId>> = Vec::new();
        for value in values {
            let mut leaves = Vec::new();
            self.leaves(value, span, &mut leaves)?;
            columns.resize_with(leaves.len(), Vec::new);
            for (column, leaf) in columns.iter_mut().zip(leaves) {
                column.push(leaf);
            }
        }
        let one = self.fresh(self.axis_name(along), 1);
        let mut joined = Vec::with_capacity(columns.len());
        for column in columns {
            let float = column.iter().any(|id| self.element(*id) == Element::Float);
            let mut parts: Vec<(NodeId, Axis)> = Vec::with_capacity(column.len());
            for id in column {
                let id = if float { self.as_float(id, span)? } else { id };
                parts.push((self.broadcast(id, &AxisSet::new().with(one), span)?, one));
            }
            joined.push(self.build(span, |g| g.concat(&parts, along))?);
        }
        Ok(rebuilt(first, &mut joined.into_iter()))
    }
}

/// The variables at the end: one alone, or all by name.
fn together<'p>(from: &'p [(Name, Expr)], mut values: Vec<Value<'p>>) -> Value<'p> {
    match values.len() {
        1 => values.remove(0),
        _ => {
            let names = from.iter().map(|(name, _)| name.text.clone());
            Value::Record(Arc::new(names.zip(values).collect()))
        }
    }
}

/// A value of the same form, of these nodes.
fn rebuilt<'p>(like: &Value<'p>, nodes: &mut dyn Iterator<Item = NodeId>) -> Value<'p> {
    match like {
        Value::Tuple(parts) => {
            Value::Tuple(Arc::new(parts.iter().map(|part| rebuilt(part, nodes)).collect()))
        }
        Value::Record(fields) => Value::Record(Arc::new(
            fields.iter().map(|(name, value)| (name.clone(), rebuilt(value, nodes))).collect(),
        )),
        _ => nodes.next().map_or(Value::Unit, Value::Node),
    }
}

fn asserts(statements: &[Statement]) -> bool {
    statements.iter().any(|statement| match &statement.kind {
        StatementKind::Assert { .. } => true,
        StatementKind::If { then, otherwise, .. } => {
            asserts(then) || asserts(otherwise.as_deref().unwrap_or_default())
        }
        _ => false,
    })
}
