//! What a train block records: `every`, `record`, `stop when`, `keep`.

use crate::check::program::{AxisId, AxisKind, Type};
use crate::check::state::{Checker, LocalKind, Place, Trace};
use crate::check::types::{axes_of, lift};
use crate::diagnostic::{Code, Diagnostic, Help};
use crate::source::Span;
use crate::syntax::ast::{AxisName, Expr, ExprKind, Name, Statement};

/// A `record` of a train block.
pub struct Recorded {
    name: Name,
    /// At one moment.
    ty: Type,
    trace: Trace,
    /// The axis of its moments.
    axis: AxisId,
    /// It stands in an `every`, not directly in the train block.
    at_checkpoints: bool,
}

impl Checker<'_> {
    /// `every 100 { .. }`, `every epoch as Moment { .. }`
    pub fn every(&mut self, count: &Expr, axis: Option<&Name>, body: &[Statement], span: Span) {
        if self.context.place != Place::Train {
            return self.out_of_place(span, "`every`", "a train block");
        }
        if !is_epoch(count) {
            self.static_number(count, "the number of steps of an `every`");
        }
        let name = axis.map_or("Checkpoint", |name| name.text.as_str());
        let place = axis.map_or(span, |name| name.span);
        let id = self.new_axis(name, AxisKind::Recorded, place);
        self.program.axes_at.insert(span, id);
        if let Some(name) = axis {
            self.program.axes_at.insert(name.span, id);
        }
        let outer = std::mem::replace(&mut self.context.place, Place::Every);
        self.trial.every = Some(id);
        self.scoped(|c| body.iter().for_each(|statement| c.statement(statement)));
        self.trial.every = None;
        self.context.place = outer;
    }

    /// `on d.test { record .. }` in an `every`.
    pub fn on_in_every(&mut self, data: &[AxisName], body: &[Statement], span: Span) {
        let outer = std::mem::replace(&mut self.context.place, Place::On);
        let before = self.trial.rows.len();
        let mut axes = Vec::new();
        // The train block around may be over another part of the same data: its columns come from there.
        let mut around: Vec<(Span, Trace)> = Vec::new();
        self.scoped(|c| {
            for name in data {
                let Some((data, part)) = c.block_rows(name).or_else(|| c.recover_rows(name)) else {
                    continue;
                };
                axes.push(part);
                let columns = c.data.get(&data).map(|info| info.columns.iter().map(|column| column.span));
                let known =
                    columns.into_iter().flatten().filter_map(|span| Some((span, c.traces.get(&span)?)));
                around.extend(known.map(|(span, trace)| (span, trace.clone())));
                c.enter_rows(&data, part, part);
            }
            c.scoped(|c| body.iter().for_each(|statement| c.statement(statement)));
        });
        self.traces.extend(around);
        self.program.blocks.insert(span, axes);
        self.trial.rows.truncate(before);
        self.context.place = outer;
    }

    /// `record name = value`
    pub fn record_statement(&mut self, name: &Name, value: &Expr, span: Span) {
        let place = self.context.place;
        let every = self.trial.every;
        if every.is_none() && place != Place::Train {
            return self.out_of_place(span, "`record`", "a train block, or an `every` in it");
        }
        // What is recorded is measured, not learned from.
        let outer =
            std::mem::replace(&mut self.context.place, if every.is_some() { place } else { Place::Every });
        let (found, mut trace) = self.traced(|c| c.array_of(value));
        self.context.place = outer;
        trace.models.clear();
        let ty = found.map_or(Type::Error, |(element, axes)| crate::check::types::array(element, axes));
        if let Some(first) = self.trial.records.iter().find(|known| known.name.text == name.text) {
            let first = first.name.span;
            return self.defined_twice(name, first);
        }
        let axis = match every {
            Some(axis) => axis,
            None => {
                let steps = self.trial.records.iter().find(|known| !known.at_checkpoints);
                let known = steps.map(|known| known.axis);
                known.unwrap_or_else(|| self.new_axis("Step", AxisKind::Recorded, name.span))
            }
        };
        self.program.axes_at.insert(name.span, axis);
        // The rest of the train block reads the latest value.
        let inner = self.scopes.split_off((self.trial.block_scope + 1).min(self.scopes.len()));
        self.declare(name, ty.clone(), LocalKind::Let, trace.clone());
        self.scopes.extend(inner);
        self.trial.records.push(Recorded {
            name: name.clone(),
            ty,
            trace,
            axis,
            at_checkpoints: every.is_some(),
        });
    }

    /// `stop when condition`
    pub fn stop_statement(&mut self, condition: &Expr, span: Span) {
        if !matches!(self.context.place, Place::Train | Place::Every) {
            return self.out_of_place(span, "`stop when`", "a train block, or an `every` in it");
        }
        let outer = std::mem::replace(&mut self.context.place, Place::Every);
        let axes = self.truths(condition);
        self.context.place = outer;
        if let Some(axes) = axes.filter(|axes| !axes.is_empty()) {
            let has = self.axes_in_words(&axes);
            let names: Vec<String> = axes.iter().map(|axis| self.axis_name(*axis)).collect();
            self.report(
                Diagnostic::error(Code::A0342, condition.span, "training stops by one truth value")
                    .label(format!("this has {has}"))
                    .help(
                        Help::from(format!("`all(..., {0})` or `any(..., {0})`", names.join(", ")))
                            .or(vec![self.wrapped("all", condition.span, &names)])
                            .or(vec![self.wrapped("any", condition.span, &names)]),
                    ),
            );
        }
    }

    /// `keep highest score`
    pub fn keep(&mut self, name: &Name, span: Span) {
        if self.context.place != Place::Train {
            return self.out_of_place(span, "`keep`", "a train block");
        }
        let found = self.trial.records.iter().find(|known| known.name.text == name.text);
        let Some(found) = found else {
            let known: Vec<&str> = self.trial.records.iter().map(|known| known.name.text.as_str()).collect();
            let help = match crate::diagnostic::nearest(&name.text, known.iter().copied()) {
                Some(near) => Help::meant(name.span, near),
                None => "record it before this line: `every 100 { record score = ... }`".into(),
            };
            self.report(
                Diagnostic::error(Code::A0343, name.span, format!("this block records no `{}`", name.text))
                    .label("unknown record")
                    .help(help),
            );
            return;
        };
        let (place, scalar, at_checkpoints) =
            (found.name.span, axes_of(&found.ty).is_empty(), found.at_checkpoints);
        if !scalar || !at_checkpoints {
            let what = if scalar { "is recorded at every step" } else { "is not a single number" };
            self.report(
                Diagnostic::error(
                    Code::A0343,
                    name.span,
                    format!("`{}` {what}: it cannot choose what to keep", name.text),
                )
                .label("chosen by this")
                .related(place, "recorded here")
                .help("`keep` takes a single number that an `every` records"),
            );
        }
        let local = self.find_local(&name.text).cloned();
        if let Some(local) = local {
            self.program.names.insert(name.span, local.definition);
            self.used.insert(local.span);
        }
    }

    /// After the block its records are results over their moments.
    pub fn declare_records(&mut self, records: Vec<Recorded>, block: &Trace) {
        for record in records {
            let axis_name = self.axis_name(record.axis);
            match self.scopes.last().and_then(|scope| scope.axes.get(&axis_name).copied()) {
                Some(known) if known == record.axis => {}
                Some(known) => {
                    let first = self.program.axis(known).span;
                    let help = match axis_name.as_str() {
                        "Step" => "record it in an `every 1 as Moment { ... }`".to_owned(),
                        _ => "name the axis of these moments: `every 10 as Moment { ... }`".to_owned(),
                    };
                    let place = self.program.axis(record.axis).span;
                    self.report(
                        Diagnostic::error(
                            Code::A0341,
                            record.name.span,
                            format!("there is an axis `{axis_name}` of other moments already"),
                        )
                        .label("recorded along a second axis of this name")
                        .related(first, "the first one")
                        .related(place, "the second one")
                        .help(help),
                    );
                    continue;
                }
                None => {
                    if let Some(scope) = self.scopes.last_mut() {
                        scope.axes.insert(axis_name, record.axis);
                    }
                }
            }
            let mut trace = record.trace;
            trace.merge(block);
            trace.parts.clear();
            trace.models.clear();
            self.declare_result(&record.name, lift(&record.ty, &[record.axis].into()), trace);
        }
    }
}

/// `every epoch`
fn is_epoch(count: &Expr) -> bool {
    matches!(&count.kind, ExprKind::Name(name) if name.text == "epoch")
}
