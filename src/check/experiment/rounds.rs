//! `repeat Round = 5 { .. }`: statements of the experiment that are executed again and again.

use crate::check::program::{AxisKind, Phase};
use crate::check::state::{Checker, Place};
use crate::check::types::{axes_of, lift};
use crate::diagnostic::{Code, Diagnostic};
use crate::source::Span;
use crate::syntax::ast::{DataSource, Expr, Name, Statement, StatementKind};

impl Checker<'_> {
    pub fn rounds(&mut self, axis: Option<&Name>, count: &Expr, body: &[Statement], span: Span) {
        if self.context.place != Place::Experiment || self.trial.round.is_some() {
            return self.not_in_rounds(
                span,
                "rounds cannot be inside others",
                "write one `repeat` with all rounds",
            );
        }
        self.static_number(count, "the number of rounds");
        let Some(name) = axis else {
            return self.not_in_rounds(
                span,
                "these rounds have no name",
                "name their axis: `repeat Round = 5 { ... }`",
            );
        };
        let round = self.new_axis(name.text.clone(), AxisKind::Round, name.span);
        self.declare_axis(name, round);
        self.trial.round = Some(round);
        let outer = std::mem::take(&mut self.trial.round_results);
        let outer_terms = std::mem::take(&mut self.trial.round_terms);
        self.scoped(|c| {
            for statement in body {
                let refused = match &statement.kind {
                    StatementKind::Vary { .. } => Some("`vary`"),
                    StatementKind::Claim { .. } => Some("a claim"),
                    StatementKind::Report(_) => Some("a report"),
                    StatementKind::Snapshot { .. } => Some("a snapshot"),
                    StatementKind::Quick(_) => Some("`quick`"),
                    StatementKind::Setting { .. } => Some("a setting"),
                    StatementKind::Data(data) if matches!(data.source, DataSource::File { .. }) => {
                        Some("data from a file")
                    }
                    _ => None,
                };
                match refused {
                    Some(what) => c.not_in_rounds(
                        statement.span,
                        &format!("{what} is not made anew in each round"),
                        "write it outside the `repeat`",
                    ),
                    None => c.statement(statement),
                }
                c.program.phases.insert(statement.span, Phase::Trial);
            }
        });
        self.trial.round = None;
        let results = std::mem::replace(&mut self.trial.round_results, outer);
        for (name, ty, trace) in results {
            // The axes of checkpoints belong to the results, too.
            for axis in axes_of(&ty) {
                if self.program.axis(axis).kind == AxisKind::Recorded {
                    let shown = self.axis_name(axis);
                    if let Some(scope) = self.scopes.last_mut() {
                        scope.axes.entry(shown).or_insert(axis);
                    }
                }
            }
            self.declare_result(&name, lift(&ty, &[round].into()), trace);
        }
        let terms = std::mem::replace(&mut self.trial.round_terms, outer_terms);
        self.declare_round_terms(terms, round);
    }

    fn not_in_rounds(&mut self, span: Span, message: &str, help: &str) {
        self.report(Diagnostic::error(Code::A0347, span, message).label("not possible here").help(help));
    }
}
