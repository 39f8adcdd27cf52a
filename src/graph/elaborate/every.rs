//! What a train block looks at while it runs: `every`, `record`, `stop when`, `keep`.
//!
//! The body of an `every` is a program of its own. It is elaborated where it stands, so that what it records can be read by the
//! rest of the step. What is recorded is measured, in double precision; a body that only assigns is a part of the training, and
//! has its precision.

use std::collections::HashMap;

use super::elaborator::{Elaborator, Moment, View};
use super::fail;
use super::outcome::{BatchInput, EveryProgram, Keep, Period, RecordSlot};
use super::value::{Stored, Value};
use crate::check::program::Definition;
use crate::diagnostic::Checked;
use crate::graph::{Compare, Element, Precision, Program, Slot, Tensor};
use crate::source::Span;
use crate::syntax::ast::{ArgumentKind, Call, Expr, ExprKind, Name, Statement, StatementKind};

/// The slots of `step`, `epoch` and `progress`.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    pub step: Slot,
    pub epoch: Slot,
    pub progress: Slot,
}

/// What a train block gathers for its `every`s, and what these need of it.
#[derive(Default)]
pub struct Watch {
    pub every: Vec<EveryProgram>,
    pub records: Vec<RecordSlot>,
    pub stops: Vec<Slot>,
    pub keep: Option<Keep>,
    pub clock: Option<Clock>,
    /// The data of the block with its batches, by the place where the block names them.
    pub data: Vec<(Span, BatchInput)>,
}

/// What the body of one `every` gathers.
#[derive(Default)]
struct Body {
    records: Vec<RecordSlot>,
    stops: Vec<Slot>,
}

impl<'p> Elaborator<'_, 'p> {
    /// One of the statements of a train block that look at it.
    pub fn watch(&mut self, statement: &'p Statement, watch: &mut Watch) -> Checked<()> {
        let span = statement.span;
        match &statement.kind {
            StatementKind::Every { count, body, .. } => {
                let period = match &count.kind {
                    ExprKind::Name(name) if name.text == "epoch" => Period::Epoch,
                    _ => match self.static_size(count, "the number of steps of an `every`")? {
                        0 => return Err(fail::not_size(count.span, 0.0)),
                        n => Period::Steps(n),
                    },
                };
                self.every(period, body, span, watch)
            }
            StatementKind::Record { name, value } => {
                let value = self.named(&name.text, |e| e.eval(value))?;
                let record = self.record_slot(name, &value)?;
                self.frame.values.insert(name.span, value);
                watch.records.push(record);
                Ok(())
            }
            StatementKind::Stop(condition) => {
                // A record changes only at the moments of its `every`: that is when the condition is looked at.
                let mentioned = self.mentioned(condition.span);
                let of = watch
                    .every
                    .iter()
                    .find(|every| every.records.iter().any(|record| mentioned.contains(&record.name)));
                match of.map(|every| every.period) {
                    Some(period) => self.every(period, std::slice::from_ref(statement), span, watch),
                    None => {
                        let slot = self.stop_slot(condition)?;
                        watch.stops.push(slot);
                        Ok(())
                    }
                }
            }
            StatementKind::Keep { highest, name } => {
                let Some(Definition::Local(record)) = self.typed().names.get(&name.span) else {
                    return Err(fail::fault(name.span, "a record that the checker does not know"));
                };
                watch.keep = Some(Keep { highest: *highest, record: *record });
                Ok(())
            }
            _ => Err(fail::fault(span, "a statement that looks at nothing")),
        }
    }

    /// The bindings that are named somewhere in a piece of text.
    pub(super) fn mentioned(&self, span: Span) -> Vec<Span> {
        let within = |at: &Span| at.file == span.file && at.start >= span.start && at.end <= span.end;
        let names = self.typed().names.iter().filter(|(at, _)| within(at));
        let mut found: Vec<Span> = names
            .filter_map(|(_, definition)| match definition {
                Definition::Local(binding) => Some(*binding),
                _ => None,
            })
            .collect();
        found.sort_by_key(|span| (span.file, span.start));
        found.dedup();
        found
    }

    fn every(&mut self, period: Period, body: &'p [Statement], span: Span, watch: &mut Watch) -> Checked<()> {
        let Some(clock) = watch.clock else { return Err(fail::fault(span, "`every` outside a train block")) };
        let outer_frame = self.frame.clone();
        let mut after = false;
        // Values of the step go through slots; a state is one, seen as the last step leaves it.
        for binding in self.mentioned(span) {
            let Some(value) = self.frame.values.get(&binding).cloned() else { continue };
            if has_nodes(&value) {
                let kept = self.persist(value, "value of the step", binding)?;
                after |= has_slots(&kept);
                self.frame.values.insert(binding, kept);
            }
        }
        let precision = if measures(body) { Precision::Double } else { self.output.precision };
        let program = Program::new(precision);
        let step_program = std::mem::replace(&mut self.output, program);
        self.output.graph.axes = step_program.graph.axes.clone();
        let current = std::mem::take(&mut self.current);
        let changed = std::mem::take(&mut self.changed);
        let views = std::mem::take(&mut self.views);
        let moment = self.moment.take();
        let training = std::mem::replace(&mut self.training, false);
        let mut found = Body::default();
        let done = self.named(&format!("every.{}", watch.every.len()), |e| {
            e.every_body(clock, body, span, watch, &mut found)
        });
        self.current = current;
        self.changed = changed;
        self.views = views;
        self.moment = moment;
        self.training = training;
        let program = std::mem::replace(&mut self.output, step_program);
        self.output.graph.axes = program.graph.axes.clone();
        self.frame = outer_frame;
        done?;
        for record in &found.records {
            let outcome = &record.outcome;
            let latest = Stored {
                slot: outcome.slot,
                element: outcome.element,
                layout: outcome.layout.clone(),
                name: outcome.name.clone(),
            };
            self.frame.values.insert(record.name, Value::Stored(latest));
        }
        let Body { records, stops } = found;
        watch.every.push(EveryProgram { program, period, after, records, stops, span });
        Ok(())
    }

    fn every_body(
        &mut self,
        clock: Clock,
        body: &'p [Statement],
        span: Span,
        watch: &Watch,
        found: &mut Body,
    ) -> Checked<()> {
        self.moment = Some(Moment {
            step: self.output.input("step", Element::Index, &[], clock.step),
            epoch: self.output.input("epoch", Element::Float, &[], clock.epoch),
            progress: self.output.input("progress", Element::Float, &[], clock.progress),
        });
        for (name, batch) in &watch.data {
            self.view_batch(batch, *name)?;
        }
        for statement in body {
            self.every_statement(statement, found)?;
        }
        self.write_changed(span)
    }

    /// The columns of the block's data as the last step saw them.
    fn view_batch(&mut self, batch: &BatchInput, span: Span) -> Checked<()> {
        let data = &batch.data;
        let all = match &batch.part {
            Some(part) => Some(self.part_rows(data, part, span)?),
            None => None,
        };
        let rows = match batch.slot {
            None => all,
            Some(slot) => {
                let layout = batch.axis.map_or_else(Vec::new, |axis| vec![axis]);
                let numbers = self.output.input(format!("rows of {data}"), Element::Index, &layout, slot);
                match (all, &batch.part) {
                    (Some(all), Some(part)) => {
                        let Some(id) = self.part_id(data, part) else {
                            return Err(fail::fault(span, "a train block over unknown rows"));
                        };
                        let axis = self.axis(id, span)?;
                        Some(self.build(span, |g| g.gather(all, axis, numbers))?)
                    }
                    _ => Some(numbers),
                }
            }
        };
        self.views.insert(data.clone(), View { rows });
        Ok(())
    }

    fn every_statement(&mut self, statement: &'p Statement, found: &mut Body) -> Checked<()> {
        match &statement.kind {
            StatementKind::Record { name, value } => {
                let value = self.named(&name.text, |e| e.eval(value))?;
                found.records.push(self.record_slot(name, &value)?);
                self.frame.values.insert(name.span, value);
                Ok(())
            }
            StatementKind::Stop(condition) => {
                found.stops.push(self.stop_slot(condition)?);
                Ok(())
            }
            StatementKind::On { data, body } => {
                let views = self.views.clone();
                for name in data {
                    self.view_part(name, statement.span)?;
                }
                let done = body.iter().try_for_each(|statement| self.every_statement(statement, found));
                self.views = views;
                done
            }
            StatementKind::If { condition, then, otherwise } => {
                let chosen = match self.static_truth(condition, "the condition of an `if`")? {
                    true => Some(then),
                    false => otherwise.as_ref(),
                };
                chosen.into_iter().flatten().try_for_each(|statement| self.every_statement(statement, found))
            }
            _ => self.statement(statement),
        }
    }

    fn record_slot(&mut self, name: &'p Name, value: &Value<'p>) -> Checked<RecordSlot> {
        let outcome = self.outcome(&name.text, value, name.span)?;
        match self.typed().axes_at.get(&name.span) {
            Some(axis) => Ok(RecordSlot { name: name.span, outcome, axis: *axis }),
            None => Err(fail::fault(name.span, "a record without an axis of moments")),
        }
    }

    fn stop_slot(&mut self, condition: &'p Expr) -> Checked<Slot> {
        let value = self.eval(condition)?;
        let node = self.truth(&value, condition.span)?;
        let node = self.expect_scalar(node, "a condition to stop", condition.span)?;
        Ok(self.node_outcome("stop", node, condition.span)?.slot)
    }

    /// `plateau(x, patience = 5, margin = 0)`: the best so far and the looks since then are kept in slots, which start
    /// anew with the block.
    pub fn plateau(&mut self, call: &'p Call, span: Span) -> Checked<Value<'p>> {
        let mut options: HashMap<&str, &'p Expr> = HashMap::new();
        let mut positional = Vec::new();
        for argument in &call.arguments {
            match &argument.kind {
                ArgumentKind::Positional(value) => positional.push(value),
                ArgumentKind::Named { name, value } => {
                    options.insert(name.text.as_str(), value);
                }
                ArgumentKind::As { .. } => {}
            }
        }
        let Some(value) = positional.first().copied() else {
            return Err(fail::fault(span, "plateau of nothing"));
        };
        let number = |e: &mut Self, name: &str, at: usize, default: f64| match options
            .get(name)
            .copied()
            .or_else(|| positional.get(at).copied())
        {
            Some(expr) => e.static_number(expr, "an argument of `plateau`"),
            None => Ok(default),
        };
        let patience = number(self, "patience", 1, 5.0)?;
        let margin = number(self, "margin", 2, 0.0)?;
        let x = self.float_of(value)?;
        let x = self.expect_scalar(x, "the value of `plateau`", value.span)?;
        let best = self.allocate("best", Element::Float, &[])?;
        let since = self.allocate("looks since the best", Element::Float, &[])?;
        match self.store.get_mut(best.slot) {
            Tensor::F32(values) => values.fill(f32::NEG_INFINITY),
            Tensor::F64(values) => values.fill(f64::NEG_INFINITY),
            _ => {}
        }
        let (best_before, since_before) = (self.read(&best), self.read(&since));
        let better = self.build(span, |g| {
            let margin = g.float(margin)?;
            let bar = g.plus(best_before, margin)?;
            g.compare(Compare::Less, bar, x)
        })?;
        let best_after = self.build(span, |g| g.select(better, x, best_before))?;
        let since_after = self.build(span, |g| {
            let (zero, one) = (g.float(0.0)?, g.float(1.0)?);
            let more = g.plus(since_before, one)?;
            g.select(better, zero, more)
        })?;
        self.write(&best, best_after, span)?;
        self.write(&since, since_after, span)?;
        self.build(span, |g| {
            let patience = g.float(patience)?;
            g.compare(Compare::LessEqual, patience, since_after)
        })
        .map(Value::Node)
    }
}

/// Whether something in the body of an `every` is recorded, or ends the training.
fn measures(body: &[Statement]) -> bool {
    body.iter().any(|statement| match &statement.kind {
        StatementKind::Record { .. } | StatementKind::Stop(_) => true,
        StatementKind::On { body, .. } => measures(body),
        StatementKind::If { then, otherwise, .. } => {
            measures(then) || otherwise.as_deref().is_some_and(measures)
        }
        _ => false,
    })
}

/// Whether the value, or a part of it, is computed by the program at hand.
fn has_nodes(value: &Value) -> bool {
    any(value, &|value| matches!(value, Value::Node(_)))
}

fn has_slots(value: &Value) -> bool {
    any(value, &|value| matches!(value, Value::Stored(_)))
}

fn any(value: &Value, is: &dyn Fn(&Value) -> bool) -> bool {
    match value {
        Value::List(parts) | Value::Tuple(parts) => parts.iter().any(|part| any(part, is)),
        Value::Record(fields) => fields.iter().any(|(_, part)| any(part, is)),
        other => is(other),
    }
}
