//! `test` blocks: one program for the asserts, and one for each call whose gradient is to be checked.

use std::sync::Arc;

use super::elaborator::Elaborator;
use super::evaluate::evidence;
use super::fail;
use super::outcome::{Assertion, GradientCheck, Slopes, TestProgram};
use super::scope::Scope;
use super::value::{Stored, Value};
use crate::check::program::{AxisId, ItemRef};
use crate::diagnostic::Checked;
use crate::graph::{Axis, AxisTable, Binary, Element, NodeId, Op, Precision, Reduction, Store, Unary};
use crate::source::Span;
use crate::syntax::ast::{self, Expr};

/// What a test gathers.
#[derive(Default)]
pub struct Record<'p> {
    assertions: Vec<Assertion>,
    calls: Vec<RecordedCall<'p>>,
}

/// A call of a function in the text of a test, with its arguments in slots.
struct RecordedCall<'p> {
    item: ItemRef,
    span: Span,
    axes: Vec<(AxisId, Axis)>,
    arguments: Vec<Option<Value<'p>>>,
}

impl<'p> Scope<'p> {
    /// A `test` block, in double precision. The scope is a fresh one.
    pub fn test(&mut self, test: &'p ast::Test, store: &mut Store) -> Checked<TestProgram> {
        let mut e = Elaborator::new(self, store, Precision::Double);
        e.path.push("test".to_owned());
        e.test = Some(Record::default());
        e.block(&test.body)?;
        let record = e.test.take().unwrap_or_default();
        let program = e.finish();
        let mut gradients = Vec::new();
        for call in record.calls {
            // What has no gradient is no fault of the test: the call's value was checked already.
            if let Some(check) = self.gradient_check(call, store)? {
                gradients.push(check);
            }
        }
        Ok(TestProgram { name: test.name.text.clone(), program, assertions: record.assertions, gradients })
    }

    fn gradient_check(
        &mut self,
        call: RecordedCall<'p>,
        store: &mut Store,
    ) -> Checked<Option<GradientCheck>> {
        let function = match &self.program.item(call.item).kind {
            ast::ItemKind::Function(function) => function.name.text.clone(),
            _ => return Ok(None),
        };
        let axes: AxisTable = self.axes.clone();
        let mut e = Elaborator::new(self, store, Precision::Double);
        e.path.push("gradient".to_owned());
        let inputs: Vec<Stored> = call
            .arguments
            .iter()
            .flatten()
            .filter_map(|value| match value {
                Value::Stored(stored) if stored.element == Element::Float => Some(stored.clone()),
                _ => None,
            })
            .collect();
        let result = e.apply_item(call.item, call.axes, call.arguments, call.span)?;
        let Value::Node(result) = result else { return Ok(None) };
        if inputs.is_empty() || e.element(result) != Element::Float {
            return Ok(None);
        }
        let value = e.weighted_sum(result, call.span)?;
        let at: Vec<_> = inputs.iter().map(|input| e.read(input)).collect();
        let Ok(derivatives) = e.gradients(value, &at, call.span) else {
            e.scope.axes = axes;
            return Ok(None);
        };
        let declared = e.roughness(value).0;
        let (second, kinks) = e.second_derivatives(&inputs, &at, &derivatives, call.span)?;
        let value = e.node_outcome("value", value, call.span)?;
        let mut gradients = Vec::with_capacity(inputs.len());
        for (input, derivative) in inputs.iter().zip(derivatives) {
            let stored =
                e.allocate(&format!("{} of {}", "gradient", input.name), Element::Float, &input.layout)?;
            e.write(&stored, derivative, call.span)?;
            gradients.push((input.slot, stored.slot));
        }
        Ok(Some(GradientCheck {
            function,
            span: call.span,
            program: e.finish(),
            value: value.slot,
            gradients,
            second,
            declared,
            kinks,
        }))
    }
}

impl<'p> Elaborator<'_, 'p> {
    /// `assert e`, `assert a ~= b within t`
    pub fn assert(&mut self, condition: &'p Expr) -> Checked<()> {
        if self.test.is_none() {
            return Err(fail::fault(condition.span, "`assert` outside a test"));
        }
        let mut shown = Vec::new();
        evidence(condition, &mut shown);
        self.watched = shown.iter().map(|expr| expr.id).collect();
        let value = self.eval(condition)?;
        let holds = self.truth(&value, condition.span)?;
        let holds = self.all(holds, condition.span)?;
        let holds = self.node_outcome("holds", holds, condition.span)?;
        self.watched.clear();
        let seen = std::mem::take(&mut self.seen);
        let mut sides = Vec::with_capacity(shown.len());
        for expr in shown {
            let Some((_, value)) = seen.iter().find(|(id, _)| *id == expr.id) else { continue };
            if value.is_array() {
                sides.push((expr.span, self.outcome("side", value, expr.span)?));
            }
        }
        if let Some(record) = &mut self.test {
            record.assertions.push(Assertion { span: condition.span, holds, sides });
        }
        Ok(())
    }

    /// In the text of a test: keeps the call, so that its gradient can be compared with differences.
    pub fn record_call(
        &mut self,
        span: Span,
        item: ItemRef,
        axes: &[(AxisId, Axis)],
        arguments: &[Option<Value<'p>>],
    ) {
        if self.calls > 0 || self.test.is_none() {
            return;
        }
        let mut kept = Vec::with_capacity(arguments.len());
        for (k, argument) in arguments.iter().enumerate() {
            kept.push(match argument {
                Some(value) => {
                    let Ok(value) = self.detached(&format!("argument {k}"), value.clone(), span) else {
                        return;
                    };
                    Some(value)
                }
                None => None,
            });
        }
        if let Some(record) = &mut self.test {
            record.calls.push(RecordedCall { item, span, axes: axes.to_vec(), arguments: kept });
        }
    }

    /// The value in a form that other programs can use.
    fn detached(&mut self, name: &str, value: Value<'p>, span: Span) -> Checked<Value<'p>> {
        Ok(match value {
            Value::Node(node) => Value::Stored(self.keep_apart(name, node, span)?),
            Value::Record(fields) => {
                let mut kept = Vec::with_capacity(fields.len());
                for (field, value) in fields.iter() {
                    kept.push((
                        field.clone(),
                        self.detached(&format!("{name}.{field}"), value.clone(), span)?,
                    ));
                }
                Value::Record(Arc::new(kept))
            }
            Value::Tuple(parts) => Value::Tuple(Arc::new(self.all_detached(name, &parts, span)?)),
            Value::List(parts) => Value::List(Arc::new(self.all_detached(name, &parts, span)?)),
            Value::Function(closure) => {
                let kept = self.recapture(&closure, &mut |e, part, value| {
                    e.detached(&format!("{name}.{part}"), value, span)
                })?;
                Value::Function(Arc::new(kept))
            }
            other => other,
        })
    }

    fn all_detached(&mut self, name: &str, parts: &[Value<'p>], span: Span) -> Checked<Vec<Value<'p>>> {
        let named = |k: usize| format!("{name}.{k}");
        parts.iter().enumerate().map(|(k, part)| self.detached(&named(k), part.clone(), span)).collect()
    }

    /// Writes a node to a new slot, which this program does not read.
    fn keep_apart(&mut self, name: &str, node: crate::graph::NodeId, span: Span) -> Checked<Stored> {
        let layout = self.axes_of(node).as_slice().to_vec();
        let stored = self.allocate(name, self.element(node), &layout)?;
        self.write(&stored, node, span)?;
        Ok(stored)
    }

    /// Whether derivatives are declared or cut on the way to a node, and whether there are kinks or jumps.
    fn roughness(&self, node: NodeId) -> (bool, bool) {
        let graph = self.graph();
        let mut live = vec![false; node.0 as usize + 1];
        live[node.0 as usize] = true;
        let (mut declared, mut kinks) = (false, false);
        for number in (0..live.len()).rev() {
            if !live[number] {
                continue;
            }
            let node = &graph.nodes[number];
            node.operands.iter().for_each(|operand| live[operand.0 as usize] = true);
            let (declares, breaks) = of_operation(&node.op);
            declared |= declares;
            kinks |= breaks;
        }
        (declared, kinks)
    }

    /// The derivatives of a weighted sum of derivatives, and whether that sum has kinks.
    fn second_derivatives(
        &mut self,
        inputs: &[Stored],
        at: &[NodeId],
        derivatives: &[NodeId],
        span: Span,
    ) -> Checked<(Option<Slopes>, bool)> {
        let mut total = self.build(span, |g| g.float(0.0))?;
        for derivative in derivatives {
            let part = self.weighted_sum(*derivative, span)?;
            total = self.build(span, |g| g.plus(total, part))?;
        }
        let kinks = self.roughness(total).1;
        let Ok(found) = self.gradients(total, at, span) else { return Ok((None, kinks)) };
        let total = self.node_outcome("slope", total, span)?;
        let mut slots = Vec::with_capacity(inputs.len());
        for (input, derivative) in inputs.iter().zip(found) {
            let name = format!("second derivative of {}", input.name);
            let stored = self.allocate(&name, Element::Float, &input.layout)?;
            self.write(&stored, derivative, span)?;
            slots.push((input.slot, stored.slot));
        }
        Ok((Some((total.slot, slots)), kinks))
    }

    /// The sum of the elements, each with a weight of its own, so that no direction of the gradient cancels.
    fn weighted_sum(&mut self, node: crate::graph::NodeId, span: Span) -> Checked<crate::graph::NodeId> {
        let axes = self.axes_of(node);
        let mut weighted = node;
        for axis in axes.iter() {
            weighted = self.build(span, |g| {
                let position = g.iota(axis)?;
                let position = g.cast(position, Element::Float)?;
                let frequency = g.float(1.3)?;
                let angle = g.mul(position, frequency)?;
                let wave = g.cos(angle)?;
                let base = g.float(1.5)?;
                let weight = g.plus(wave, base)?;
                g.mul(weighted, weight)
            })?;
        }
        self.build(span, |g| g.sum(weighted, axes.as_slice()))
    }
}

/// Whether the operation declares or cuts a derivative, and whether it has kinks or jumps. Of a loop, what it does.
fn of_operation(op: &Op) -> (bool, bool) {
    if let Op::Scan { body, .. } = op {
        let all = body.0.graph.nodes.iter().map(|node| of_operation(&node.op));
        return all.fold((false, false), |a, b| (a.0 || b.0, a.1 || b.1));
    }
    let kinks = matches!(
        op,
        Op::Unary(Unary::Abs | Unary::Sign | Unary::Floor)
            | Op::Binary(Binary::Max | Binary::Min | Binary::Remainder)
            | Op::Compare(_)
            | Op::Select
            | Op::Reduce(Reduction::Max | Reduction::Min, _)
            | Op::ArgReduce { .. }
            | Op::ArgSort { .. }
            | Op::Rank { .. }
            | Op::Cumulative { .. }
            // Their derivatives have none themselves.
            | Op::Special(_)
    );
    (matches!(op, Op::Stop | Op::Own(_)), kinks)
}
