//! The rows of a step: `batch` with its ways of sampling, and streams.

use crate::check::program::{AxisId, AxisKind, Element};
use crate::check::state::Checker;
use crate::diagnostic::{Code, Diagnostic};
use crate::source::Span;
use crate::syntax::ast::{AxisName, Clause, Expr, StatementKind, Train};

impl Checker<'_> {
    pub fn batch(&mut self, size: &Expr, axis: Option<&AxisName>, sampling: &[Clause]) {
        self.static_number(size, "the size of a batch");
        let Some(name) = axis else { return };
        let Some(axis) = self.axis(name) else { return };
        if !self.trial.rows.iter().any(|(_, rows)| *rows == axis) {
            let shown = self.axis_name(axis);
            let rows: Vec<String> = self.trial.rows.iter().map(|(_, rows)| self.axis_name(*rows)).collect();
            let help = match rows.as_slice() {
                [] => "this block trains on no data: name some, `train on data.train { ... }`".to_owned(),
                rows => format!(
                    "the rows of this block are {}: `batch {} over {}`",
                    rows.join(", "),
                    self.text(size.span),
                    rows[0]
                ),
            };
            self.report(
                Diagnostic::error(Code::A0318, name.span, format!("a batch cannot be taken over `{shown}`"))
                    .label("not the rows of this block")
                    .related(self.program.axis(axis).span, format!("`{shown}` is declared here"))
                    .help(help),
            );
        }
        if let [_, second, ..] = sampling
            && let Some(word) = second.words.first()
        {
            self.no_sampling(word.span, "rows cannot be sampled in two ways", "keep one of them");
        }
        for clause in sampling {
            self.sampling(clause, axis);
        }
    }

    fn sampling(&mut self, clause: &Clause, axis: AxisId) {
        let words: Vec<&str> = clause.words.iter().map(|word| word.text.as_str()).collect();
        let place = clause.words.first().map_or(self.program.axis(axis).span, |word| word.span);
        let Some(value) = &clause.value else {
            let help = match words.as_slice() {
                ["stream", ..] => "one row after the other is `train stream on data.train { ... }`",
                _ => "say which rows make a pair: `pairs by label`",
            };
            return self.no_sampling(
                place,
                &format!("`{}` does not say how rows are sampled", words.join(" ")),
                help,
            );
        };
        if let Some(each) = &clause.each {
            self.static_number(each, "the number of rows of each category");
        }
        if words.first() == Some(&"in") {
            return self.given_order(value, axis);
        }
        let weights = words.first() == Some(&"weights");
        for value in std::iter::once(value).chain(&clause.further) {
            self.sampled_by(value, weights, axis);
        }
    }

    /// One value for each row.
    fn sampled_by(&mut self, value: &Expr, weights: bool, axis: AxisId) {
        let Some((element, axes)) = self.array_of(value) else { return };
        let over_rows = axes.len() == 1 && axes.contains(&axis);
        let fits = over_rows && ((element != Element::Float) != weights);
        if !fits {
            let shown = self.show(&crate::check::types::array(element, axes));
            let rows = self.axis_name(axis);
            let help = match weights {
                true => format!("weights are one Float for each row: `weights w`, where w is Float[{rows}]"),
                false => format!("write a column of a category or a Bool: one for each `{rows}`"),
            };
            self.no_sampling(value.span, &format!("rows cannot be sampled by {shown}"), &help);
        }
    }

    /// Rows one after the other, along any one axis.
    fn given_order(&mut self, value: &Expr, axis: AxisId) {
        let Some((element, axes)) = self.array_of(value) else { return };
        let rows = match self.program.axis(axis).kind {
            AxisKind::Batch { rows } => rows,
            _ => axis,
        };
        if axes.len() == 1 && (element == Element::Index(axis) || element == Element::Index(rows)) {
            return;
        }
        let shown = self.show(&crate::check::types::array(element, axes));
        let rows = self.axis_name(axis);
        self.no_sampling(
            value.span,
            &format!("rows cannot be visited in the order of {shown}"),
            &format!(
                "an order is a list of rows: `{rows}` along one axis, such as `argsort(length, {rows})`"
            ),
        );
    }

    fn no_sampling(&mut self, span: Span, message: &str, help: &str) {
        self.report(Diagnostic::error(Code::A0344, span, message).label("sampled by this").help(help));
    }

    /// A stream goes once through its rows, one at a time.
    pub(super) fn stream(&mut self, train: &Train, span: Span) {
        let setting = train.body.iter().find(|statement| {
            matches!(
                statement.kind,
                StatementKind::Batch { .. } | StatementKind::Epochs(_) | StatementKind::Steps(_)
            )
        });
        let place = train.data.first().map_or(span, |axis| axis.span);
        if let Some(setting) = setting {
            self.report(
                Diagnostic::error(Code::A0345, setting.span, "a stream has neither batches nor a length")
                    .label("not in a stream")
                    .related(place, "each row of it is one step")
                    .help("remove it, or train without `stream`"),
            );
        }
        if train.data.len() != 1 {
            self.report(
                Diagnostic::error(Code::A0345, place, "a stream is over one data set")
                    .label(format!("there are {}", train.data.len()))
                    .help("name one part: `train stream on data.train { ... }`"),
            );
        }
    }
}
