//! Held-out data that leaks into training: values of a part that is measured, and what was fitted on all rows of a data set
//! of which a part is measured.

use std::collections::BTreeMap;

use super::program::{AxisId, AxisKind};
use super::state::{Checker, Place, Trace};
use crate::diagnostic::{Code, Diagnostic};
use crate::source::Span;

impl Checker<'_> {
    /// Values of a held-out part may not reach a train block. What is reported is forgotten: what is computed from it is no
    /// other leak.
    pub fn check_leak(&mut self, span: Span, name: &str, trace: &mut Trace) {
        if self.context.place == Place::Train
            && let Some(diagnostic) = self.leak(span, name, trace)
        {
            self.report(diagnostic);
            trace.parts.clear();
            trace.whole.clear();
            trace.fitted.clear();
        }
    }

    fn leak(&self, span: Span, name: &str, trace: &Trace) -> Option<Diagnostic> {
        let read_at = |diagnostic: Diagnostic, read: Span, what: &str| {
            Some(if read == span { diagnostic } else { diagnostic.related(read, what) })
        };
        for (axis, read) in &trace.parts {
            let AxisKind::Part { rows, part } = self.program.axis(*axis).kind.clone() else { continue };
            let AxisKind::Rows { data } = self.program.axis(rows).kind.clone() else { continue };
            if !self.trial.held_out.contains(&(data.clone(), part.clone())) {
                continue;
            }
            let place = self.program.axis(*axis).span;
            let message =
                format!("`{name}` brings `{data}.{part}` into training, which is held out for measuring");
            let diagnostic = Diagnostic::error(Code::A0302, span, message)
                .label(format!("made from `{data}.{part}`"))
                .related(place, format!("`{part}` is split off here"))
                .help("fit it on the part that is trained on: what is measured must not have been seen");
            return read_at(diagnostic, *read, "the held-out data is read here");
        }
        for (rows, read) in &trace.fitted {
            let AxisKind::Rows { data } = self.program.axis(*rows).kind.clone() else { continue };
            let held_out = self.trial.held_out.iter().find(|(of, _)| *of == data);
            let Some((_, part)) = held_out.cloned() else { continue };
            let trained = self.trial.trained.keys().find(|(of, _)| *of == data);
            let trained = trained.map_or("train", |(_, part)| part.as_str()).to_owned();
            let column = self.text(*read);
            let place = self.find_part(&data, &part).map_or(span, |axis| self.program.axis(axis).span);
            let rows = self.axis_name(*rows);
            let message = format!(
                "`{name}` is computed along all rows of `{data}`, of which `{data}.{part}` is held out for measuring"
            );
            let diagnostic = Diagnostic::error(Code::A0302, span, message)
                .label(format!("made from all of `{data}`"))
                .related(place, format!("`{part}` is split off here"))
                .help(format!(
                    "compute it from the rows that are trained on: `{data}.{trained}.{column}` along `{rows}.{trained}`"
                ));
            return read_at(diagnostic, *read, "all rows are read here");
        }
        None
    }

    /// Runs `f`, which checks the operands of an operation. Gives the data sets of which they hold numbers of all rows, each
    /// with a place that read them.
    pub fn reading<R>(&mut self, f: impl FnOnce(&mut Self) -> R) -> (R, BTreeMap<AxisId, Span>) {
        let before = std::mem::take(&mut self.context.trace.whole);
        let result = f(self);
        let read = self.context.trace.whole.clone();
        for (rows, span) in before {
            self.context.trace.whole.entry(rows).or_insert(span);
        }
        (result, read)
    }

    /// An operation brings the positions of these axes together: along rows, what it gives was fitted on all of them.
    pub fn works_along(&mut self, axes: impl IntoIterator<Item = AxisId>, read: &BTreeMap<AxisId, Span>) {
        for axis in axes {
            if let Some(span) = read.get(&axis) {
                self.context.trace.fitted.entry(axis).or_insert(*span);
            }
        }
    }
}
