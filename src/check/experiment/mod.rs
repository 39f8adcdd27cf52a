//! Experiments: their statements in order, each in its phase.

mod blocks;
mod combine;
mod model;
mod objective;
mod quick;
mod record;
mod results;
mod rounds;
mod sampling;
mod split;
mod state;
mod terms;
mod vary;

pub(super) use record::Recorded;
pub(super) use terms::{TermResult, Terms};

use super::program::{PRECISIONS, Phase, Type};
use super::state::{Checker, Local, LocalKind, Place};
use crate::diagnostic::{Code, Diagnostic, Help, nearest};
use crate::syntax::ast::{Experiment, Expr, ExprKind, Name, Statement, StatementKind};

impl Checker<'_> {
    pub fn experiment(&mut self, experiment: &Experiment) {
        self.context.place = Place::Experiment;
        self.scoped(|c| {
            c.declare_varies(&experiment.body);
            c.survey_blocks(&experiment.body);
            for statement in &experiment.body {
                c.statement(statement);
                let phase = c.phase_of(statement);
                c.program.phases.insert(statement.span, phase);
            }
            c.quick(&experiment.body);
            c.marked_once(&experiment.body);
            c.untrained_models();
        });
    }

    /// Lets that mention measures, claims and reports come after all trials.
    fn phase_of(&self, statement: &Statement) -> Phase {
        let binds_result = |name: &Name| {
            self.find_local(&name.text)
                .is_some_and(|local| local.span == name.span && local.kind == LocalKind::Result)
        };
        match &statement.kind {
            StatementKind::Claim { .. } | StatementKind::Report(_) | StatementKind::Snapshot { .. } => {
                Phase::Results
            }
            StatementKind::Let(l) if l.names.iter().any(binds_result) => Phase::Results,
            StatementKind::Measure { name, value } if binds_result(name) && self.mentions_results(value) => {
                Phase::Results
            }
            _ => Phase::Trial,
        }
    }

    /// Statements that only experiments, train blocks or on blocks have.
    pub fn experiment_statement(&mut self, statement: &Statement) {
        let span = statement.span;
        let place = self.context.place;
        let alike = matches!(
            statement.kind,
            StatementKind::Data(_)
                | StatementKind::Vary { .. }
                | StatementKind::Split(_)
                | StatementKind::On { .. }
                | StatementKind::Measure { .. }
                | StatementKind::Claim { .. }
                | StatementKind::Report(_)
                | StatementKind::Snapshot { .. }
                | StatementKind::Quick(_)
                | StatementKind::Setting { .. }
        );
        if alike && place == Place::Experiment && !self.trial.conditions.is_empty() {
            return self.not_in_if(span);
        }
        match &statement.kind {
            StatementKind::Data(data) => {
                if place != Place::Experiment {
                    return self.out_of_place(span, "a data set", "an experiment, or at the top of the file");
                }
                if let Some(info) = self.data_set(data) {
                    let ty = Type::Rows { data: info.name.clone(), rows: info.rows };
                    let local = Local {
                        span: data.name.span,
                        ty,
                        kind: LocalKind::Data,
                        definition: super::program::Definition::Local(data.name.span),
                    };
                    self.declare_local(&data.name, local, info.trace.clone());
                    self.used.insert(data.name.span);
                }
            }
            StatementKind::Param(param) => self.table(param, span),
            StatementKind::Vary { name, over } => {
                if place != Place::Experiment {
                    return self.out_of_place(span, "`vary`", "an experiment");
                }
                self.vary(name, over);
            }
            StatementKind::Split(split) => {
                if place != Place::Experiment {
                    return self.out_of_place(span, "`split`", "an experiment");
                }
                self.split(split, span);
            }
            StatementKind::Train(train) => {
                if place != Place::Experiment {
                    return self.out_of_place(span, "a train block", "an experiment");
                }
                self.train(train, span);
            }
            StatementKind::On { data, body } if place == Place::Every => self.on_in_every(data, body, span),
            StatementKind::On { data, body } => {
                if place != Place::Experiment {
                    return self.out_of_place(span, "an on block", "an experiment");
                }
                self.on(data, body, span);
            }
            StatementKind::Measure { .. } if self.trial.every.is_some() => {
                self.out_of_place(span, "a measure", "an on block after the training; here it is `record`");
            }
            StatementKind::Measure { name, value } => self.measure(name, value, span),
            StatementKind::Claim { condition, .. } => {
                if place != Place::Experiment {
                    return self.out_of_place(span, "a claim", "an experiment, after its blocks");
                }
                self.claim(condition);
            }
            StatementKind::Report(lines) => {
                if place != Place::Experiment {
                    return self.out_of_place(span, "a report", "an experiment, after its blocks");
                }
                self.report_lines(lines);
            }
            StatementKind::Snapshot { values, within } => {
                if place != Place::Experiment {
                    return self.out_of_place(span, "a snapshot", "an experiment, after its blocks");
                }
                self.snapshot(values, within.as_ref());
            }
            // Its names may stand after it: looked at when all are known.
            StatementKind::Quick(_) if place == Place::Experiment => {}
            StatementKind::Quick(_) => self.out_of_place(span, "`quick`", "an experiment"),
            StatementKind::Repeat { axis, count, body } if place == Place::Experiment => {
                self.rounds(axis.as_ref(), count, body, span);
            }
            StatementKind::Repeat { axis: None, count, body } if place == Place::Train => {
                self.static_number(count, "the number of rounds");
                self.scoped(|c| body.iter().for_each(|statement| c.statement(statement)));
            }
            StatementKind::Repeat { .. } => {
                self.out_of_place(span, "`repeat`", "an experiment; in a train block `repeat` names no axis");
            }
            StatementKind::Setting { name, value } => {
                if place != Place::Experiment {
                    return self.out_of_place(span, "a setting", "an experiment");
                }
                self.setting(name, value);
            }
            StatementKind::Batch { .. }
            | StatementKind::Epochs(_)
            | StatementKind::Steps(_)
            | StatementKind::Objective(_)
                if place != Place::Train =>
            {
                self.out_of_place(span, "this statement", "a train block");
            }
            StatementKind::Batch { size, axis, sampling } => self.batch(size, axis.as_ref(), sampling),
            StatementKind::Epochs(count) => self.static_number(count, "the number of epochs"),
            StatementKind::Steps(count) => self.static_number(count, "the number of steps"),
            StatementKind::Objective(objective) => self.objective(objective),
            StatementKind::State(state) => self.state(state, span),
            StatementKind::Every { count, axis, body } => self.every(count, axis.as_ref(), body, span),
            StatementKind::Record { name, value } => self.record_statement(name, value, span),
            StatementKind::Stop(condition) => self.stop_statement(condition, span),
            StatementKind::Keep { name, .. } => self.keep(name, span),
            // Of any block: handled before.
            _ => {}
        }
    }

    /// `precision bf16`, `seed 7`, `allow divergence`
    fn setting(&mut self, name: &Name, value: &Expr) {
        match name.text.as_str() {
            "seed" => self.static_number(value, "the seed"),
            "precision" => self.setting_word(value, "precision", &PRECISIONS),
            "allow" => self.setting_word(value, "allowance", &["divergence"]),
            other => {
                let known = ["seed", "precision", "allow"];
                let help = match nearest(other, known) {
                    Some(near) => Help::meant(name.span, near),
                    None => format!("the settings are {}", known.join(", ")).into(),
                };
                self.report(
                    Diagnostic::error(Code::A0111, name.span, format!("there is no setting `{other}`"))
                        .label("unknown setting")
                        .help(help),
                );
            }
        }
    }

    fn setting_word(&mut self, value: &Expr, what: &str, known: &[&str]) {
        self.program.types.insert(value.id, Type::Text);
        let written = match &value.kind {
            ExprKind::Name(name) => name.text.as_str(),
            _ => "",
        };
        if known.contains(&written) {
            return;
        }
        let help = match nearest(written, known.iter().copied()) {
            Some(near) => Help::meant(value.span, near)
                .saying(format!("did you mean `{near}`? It may be {}", known.join(", "))),
            None => format!("it may be {}", known.join(", ")).into(),
        };
        let message = match written {
            "" => format!("there is no such {what}"),
            written => format!("there is no {what} `{written}`"),
        };
        self.report(Diagnostic::error(Code::A0111, value.span, message).label("unknown setting").help(help));
    }
}
