//! `train on` and `on` blocks: the rows they run over, their columns, and what a training block must have.

use crate::check::program::{AxisId, AxisKind, Definition, Type};
use crate::check::state::{Checker, Local, LocalKind, Place, Trace};
use crate::check::types::array;
use crate::diagnostic::{Code, Diagnostic, Help};
use crate::source::Span;
use crate::syntax::ast::{AxisName, Name, Statement, StatementKind, Train};

impl Checker<'_> {
    /// Which parts are trained on and which are measured, before anything is checked.
    pub fn survey_blocks(&mut self, body: &[Statement]) {
        let named = |axis: &AxisName| match axis.path.as_slice() {
            [data, part] => Some((data.text.clone(), part.text.clone())),
            _ => None,
        };
        let body = flat(body);
        for statement in &body {
            if let StatementKind::Train(train) = &statement.kind {
                for axis in &train.data {
                    if let Some(part) = named(axis) {
                        self.trial.trained.entry(part).or_insert(axis.span);
                    }
                }
            }
        }
        for statement in &body {
            if let StatementKind::On { data, .. } = &statement.kind {
                for part in data.iter().filter_map(named) {
                    if !self.trial.trained.contains_key(&part) {
                        self.trial.held_out.insert(part);
                    }
                }
            }
        }
    }

    /// The rows that a block names, and the data set they are of.
    pub(super) fn block_rows(&mut self, axis: &AxisName) -> Option<(String, AxisId)> {
        self.watch(axis.span);
        match axis.path.as_slice() {
            [of] => match self.data.get(&of.text).cloned() {
                Some(info) => {
                    self.program.axes_at.insert(axis.span, info.rows);
                    Some((info.name.clone(), info.rows))
                }
                None => self.unknown_part(&of.text, of.span, "", of.span),
            },
            [of, part] => match self.find_part(&of.text, &part.text) {
                Some(rows) => {
                    self.program.axes_at.insert(axis.span, rows);
                    Some((self.data_of(&of.text)?, rows))
                }
                None => self.unknown_part(&of.text, of.span, &part.text, part.span),
            },
            _ => self.unknown_axis(&self.text(axis.span), axis.span),
        }
    }

    /// After an unknown part, all rows of the data stand in, so that the columns in the block are known; after an
    /// unknown data set, unknown names in the block are no news.
    pub(super) fn recover_rows(&mut self, axis: &AxisName) -> Option<(String, AxisId)> {
        let data = axis.path.first().and_then(|name| self.data_of(&name.text));
        match data.as_ref().and_then(|data| self.data.get(data)) {
            Some(info) => Some((info.name.clone(), info.rows)),
            None => {
                self.trial.blind = true;
                None
            }
        }
    }

    /// Brings rows and columns of a data set into the scope of a block.
    pub(super) fn enter_rows(&mut self, data: &str, part: AxisId, rows: AxisId) {
        let Some(info) = self.data.get(data).cloned() else { return };
        let name = self.axis_name(info.rows);
        if let Some(scope) = self.scopes.last_mut() {
            scope.axes.insert(name, rows);
        }
        self.enter_columns(&info, part, Some(rows));
        self.trial.rows.push((info.name.clone(), rows));
    }

    /// Of a stream, a step sees one row: its columns have no axis of rows.
    fn enter_row(&mut self, data: &str, part: AxisId) {
        if let Some(info) = self.data.get(data).cloned() {
            self.enter_columns(&info, part, None);
        }
    }

    fn enter_columns(&mut self, info: &crate::check::state::DataInfo, part: AxisId, rows: Option<AxisId>) {
        let mut trace = info.trace.clone();
        let place = self.program.axis(part).span;
        if let Some(of_part) = self.traces.get(&place) {
            trace.merge(&of_part.clone());
        }
        self.context.trace.merge(&trace);
        if matches!(self.program.axis(part).kind, AxisKind::Part { .. }) {
            trace.parts.insert(part, place);
        }
        for column in &info.columns {
            let ty = array(column.element, column.axes.iter().copied().chain(rows).collect());
            let local = Local {
                span: column.span,
                ty,
                kind: LocalKind::Column,
                definition: Definition::Column { data: info.name.clone(), column: column.name.clone() },
            };
            let name = Name { text: column.name.clone(), span: column.span };
            self.declare_local(&name, local, trace.clone());
        }
    }

    pub fn train(&mut self, train: &Train, span: Span) {
        let outer = std::mem::replace(&mut self.context.place, Place::Train);
        let before = self.trial.rows.len();
        let updated = std::mem::take(&mut self.trial.updated);
        let exported = std::mem::take(&mut self.trial.exported);
        self.trial.block = Some(span);
        let records = std::mem::take(&mut self.trial.records);
        let terms = std::mem::take(&mut self.trial.block_terms);
        let mut axes = Vec::new();
        let (_, mut trace) = self.traced(|c| {
            c.scoped(|c| {
                for name in &train.data {
                    let Some((data, part)) = c.block_rows(name).or_else(|| c.recover_rows(name)) else {
                        continue;
                    };
                    c.trains_on_test(name);
                    let batch_name = c.data.get(&data).map(|info| c.axis_name(info.rows)).unwrap_or_default();
                    let batch = c.new_axis(batch_name, AxisKind::Batch { rows: part }, name.span);
                    axes.push(batch);
                    match train.stream {
                        true => c.enter_row(&data, part),
                        false => c.enter_rows(&data, part, batch),
                    }
                }
                if train.stream {
                    c.stream(train, span);
                }
                c.required(train, span);
                // The statements are in a scope inside that of the columns, which they may hide.
                c.scoped(|c| {
                    c.trial.block_scope = c.scopes.len() - 1;
                    train.body.iter().for_each(|statement| c.statement(statement));
                });
            });
        });
        self.program.blocks.insert(span, axes);
        // Whether the block is there at all depends on what stands around it.
        self.trial.conditions.iter().for_each(|condition| trace.merge(condition));
        // The order of the rows and everything random differ with the seed.
        trace.varies.extend(self.trial.counts.clone());
        trace.parts.clear();
        for model in self.trial.updated.clone() {
            self.traces
                .entry(model)
                .or_default()
                .merge(&Trace { models: Default::default(), ..trace.clone() });
        }
        self.trial.updated.extend(updated);
        self.trial.rows.truncate(before);
        self.trial.blind = false;
        self.trial.block = None;
        self.context.place = outer;
        self.export_states(train, &trace);
        self.trial.exported = exported;
        let recorded = std::mem::replace(&mut self.trial.records, records);
        self.declare_records(recorded, &trace);
        let terms = std::mem::replace(&mut self.trial.block_terms, terms);
        self.declare_terms(terms, &trace);
    }

    /// A statement that a block lacks, before those that it has.
    fn first_in_block(&self, train: &Train, statement: &str, text: &str) -> Help {
        let Some(first) = train.body.first().map(|first| first.span) else { return text.into() };
        let column = self.sources.position(first).1 - 1;
        Help::replace(first.before(), format!("{statement}\n{}", " ".repeat(column)), text)
    }

    fn trains_on_test(&mut self, name: &AxisName) {
        let [data, part] = name.path.as_slice() else { return };
        let held = |word: &str| matches!(word, "test" | "held_out" | "holdout" | "heldout");
        if held(&part.text) {
            let help = format!("train on the other part: `train on {}.train {{ ... }}`", data.text);
            self.report(
                Diagnostic::error(
                    Code::A0302,
                    name.span,
                    format!("this trains on `{}.{}`", data.text, part.text),
                )
                .label("the test data")
                .related(
                    self.find_part(&data.text, &part.text)
                        .map_or(part.span, |axis| self.program.axis(axis).span),
                    "split off for testing here",
                )
                .help(match self.find_part(&data.text, "train") {
                    Some(_) => Help::replace(part.span, "train", help),
                    None => help.into(),
                }),
            );
        }
    }

    /// A training block needs a length and an objective, and each of its settings once.
    fn required(&mut self, train: &Train, span: Span) {
        let find = |wanted: fn(&StatementKind) -> bool| {
            train.body.iter().filter(|statement| wanted(&statement.kind)).map(|s| s.span).collect::<Vec<_>>()
        };
        let lengths = find(|kind| matches!(kind, StatementKind::Epochs(_) | StatementKind::Steps(_)));
        let batches = find(|kind| matches!(kind, StatementKind::Batch { .. }));
        let objectives = find(|kind| {
            matches!(
                kind,
                StatementKind::Objective(_)
                    | StatementKind::Assign { .. }
                    | StatementKind::If { .. }
                    | StatementKind::Repeat { .. }
            )
        });
        let head = train.data.first().map_or(span, |axis| axis.span);
        let negative = train.body.iter().any(|statement| {
            matches!(&statement.kind, StatementKind::Expression(value) if self.negative_length(value).is_some())
        });
        if lengths.is_empty() && !train.stream && !negative {
            self.report(
                Diagnostic::error(Code::A0311, head, "this training has no length")
                    .label("how many epochs or steps?")
                    .help(self.first_in_block(
                        train,
                        "epochs 10",
                        "add `epochs 10` or `steps 1000` to the block",
                    )),
            );
        }
        if objectives.is_empty() {
            self.report(
                Diagnostic::error(Code::A0326, head, "this training has no objective")
                    .label("nothing is minimized, and no state is assigned to")
                    .help("add `minimize loss over model with adam(lr = 1e-3)` to the block"),
            );
        }
        // Each data set of the block may have a batch of its own.
        let mut of = std::collections::BTreeSet::new();
        let distinct = train.body.iter().all(|statement| match &statement.kind {
            StatementKind::Batch { axis, .. } => of.insert(axis.as_ref().map(|axis| self.text(axis.span))),
            _ => true,
        });
        let batches = if distinct && !of.contains(&None) { Vec::new() } else { batches };
        for (places, what) in [(&lengths, "length"), (&batches, "batch")] {
            if let [first, second, ..] = places.as_slice() {
                self.report(
                    Diagnostic::error(Code::A0325, *second, format!("a second {what} in one training"))
                        .label("the second one")
                        .related(*first, "the first one")
                        .help("keep one of the two"),
                );
            }
        }
    }

    pub fn on(&mut self, data: &[AxisName], body: &[Statement], span: Span) {
        let outer = std::mem::replace(&mut self.context.place, Place::On);
        let before = self.trial.rows.len();
        let measures = std::mem::take(&mut self.trial.measured);
        let mut axes = Vec::new();
        let measured = self.scoped(|c| {
            for name in data {
                let Some((data, part)) = c.block_rows(name).or_else(|| c.recover_rows(name)) else {
                    continue;
                };
                axes.push(part);
                c.enter_rows(&data, part, part);
                c.measures_training(name, body);
            }
            c.scoped(|c| body.iter().for_each(|statement| c.statement(statement)));
            std::mem::replace(&mut c.trial.measured, measures)
        });
        self.program.blocks.insert(span, axes);
        self.trial.rows.truncate(before);
        self.trial.blind = false;
        self.context.place = outer;
        // Outside the block, its measures are results.
        for (name, ty, trace) in measured {
            self.declare_result(&name, ty, trace);
        }
    }

    fn measures_training(&mut self, name: &AxisName, body: &[Statement]) {
        let [data, part] = name.path.as_slice() else { return };
        let measure = body.iter().find(|s| matches!(s.kind, StatementKind::Measure { .. }));
        let key = (data.text.clone(), part.text.clone());
        if let (Some(trained), Some(measure)) = (self.trial.trained.get(&key).copied(), measure) {
            let other = self.trial.parts.get(&data.text).and_then(|parts| {
                parts
                    .iter()
                    .find(|other| !self.trial.trained.contains_key(&(data.text.clone(), other.name.clone())))
            });
            let help = match other {
                Some(other) => Help::replace(
                    part.span,
                    &other.name,
                    format!("for what holds on new data, measure on `{}.{}`", data.text, other.name),
                ),
                None => format!(
                    "split off a part that is not trained on: `split {} into train 70%, test 30%`",
                    data.text
                )
                .into(),
            };
            self.report(
                Diagnostic::warning(
                    Code::A0303,
                    name.span,
                    format!("this measures on `{}.{}`, which is trained on", data.text, part.text),
                )
                .label("training data")
                .related(trained, "trained on here")
                .related(measure.span, "measured here")
                .help(help),
            );
        }
    }

    /// A measure as the statements after the trials see it: over the `vary` axes it depends on.
    pub fn declare_result(&mut self, name: &Name, ty: Type, mut trace: Trace) {
        if self.trial.round.is_some() {
            self.trial.round_results.push((name.clone(), ty, trace));
            return;
        }
        trace.results = true;
        let varies: Vec<AxisId> =
            self.trial.varies.iter().copied().filter(|axis| trace.varies.contains(axis)).collect();
        let lifted = crate::check::types::lift(&ty, &varies.iter().copied().collect());
        self.program.varies.insert(name.span, varies);
        self.declare(name, lifted, LocalKind::Result, trace);
    }
}

/// The statements of an experiment with those inside its rounds.
fn flat(body: &[Statement]) -> Vec<&Statement> {
    let mut found = Vec::new();
    for statement in body {
        match &statement.kind {
            StatementKind::Repeat { body, .. } => found.extend(flat(body)),
            StatementKind::If { then, otherwise, .. } => {
                found.extend(flat(then));
                found.extend(flat(otherwise.as_deref().unwrap_or_default()));
            }
            _ => found.push(statement),
        }
    }
    found
}
