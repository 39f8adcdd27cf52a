//! `ansatz run --json`: what happens, as it happens, one JSON object a line on standard output. docs/runs.md has the schema.

use std::io::Write;
use std::sync::Mutex;

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::Exit;
use crate::diagnostic::Diagnostic;
use crate::run::results::{Provenance, Results};
use crate::run::{Ended, How, Labels, Observer};
use crate::source::Sources;

/// The events of one experiment.
pub struct Events<'a> {
    experiment: &'a str,
    sources: &'a Sources,
    trials: Mutex<Vec<Labels>>,
}

impl<'a> Events<'a> {
    pub fn new(experiment: &'a str, sources: &'a Sources) -> Self {
        Events { experiment, sources, trials: Mutex::default() }
    }

    fn tell(&self, event: &str, more: Value) {
        let mut object = Map::new();
        object.insert("event".to_owned(), json!(event));
        object.insert("experiment".to_owned(), json!(self.experiment));
        object.extend(fields(more));
        write(Value::Object(object));
    }

    fn trial(&self, event: &str, trial: usize, more: Value) {
        let labels = self.trials.lock().ok().and_then(|trials| trials.get(trial).cloned());
        let coordinates: Map<String, Value> =
            labels.into_iter().flatten().map(|(axis, label)| (axis, json!(label))).collect();
        let mut object = fields(json!({ "trial": trial, "coordinates": coordinates }));
        object.extend(fields(more));
        self.tell(event, Value::Object(object));
    }

    fn problems(&self, problems: &[Diagnostic]) -> Value {
        let problem = |problem: &Diagnostic| {
            let span = problem.primary.span;
            let (line, column) = self.sources.position(span);
            json!({
                "code": problem.code.to_string(),
                "message": problem.message,
                "file": self.sources.get(span.file).name,
                "line": line,
                "column": column,
            })
        };
        problems.iter().map(problem).collect()
    }

    /// There are results: what they decide and show.
    pub fn concluded(&self, results: &Results, kept_in: Option<&str>, exit: Exit) {
        results.tables.iter().for_each(|table| self.tell("table", value(table)));
        results.claims.iter().for_each(|claim| self.tell("claim", value(claim)));
        let held = results.claims.iter().filter(|claim| claim.verdict == crate::run::results::Verdict::Holds);
        self.tell(
            "run_finished",
            json!({
                "exit_code": exit as u8,
                "claims": results.claims.len(),
                "claims_held": held.count(),
                "trials": results.times.trials,
                "trials_kept": results.times.kept,
                "seconds": results.times.seconds,
                "folder": kept_in,
                "problems": [],
            }),
        );
    }

    /// There are none.
    pub fn failed(&self, problems: &[Diagnostic], exit: Exit) {
        self.tell("run_finished", json!({ "exit_code": exit as u8, "problems": self.problems(problems) }));
    }
}

impl Observer for Events<'_> {
    fn started(&self, provenance: &Provenance, trials: &[Labels]) {
        if let Ok(mut own) = self.trials.lock() {
            *own = trials.to_vec();
        }
        let settings: Map<String, Value> =
            provenance.settings.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
        self.tell(
            "run_started",
            json!({
                "file": provenance.file,
                "seed": provenance.seed,
                "backend": provenance.backend,
                "settings": settings,
                "trials": trials.len(),
            }),
        );
    }

    fn trial_started(&self, trial: usize) {
        self.trial("trial_started", trial, json!({}));
    }

    fn trial_ended(&self, trial: usize, ended: &Ended) {
        let (cached, seconds) = match ended.how {
            How::Computed { seconds } => (false, json!(seconds)),
            How::Kept => (true, Value::Null),
            How::Failed(problems) => {
                return self.trial("trial_failed", trial, json!({ "problems": self.problems(problems) }));
            }
        };
        let measures: Vec<Value> = (ended.measures)().iter().map(value).collect();
        let diverged =
            ended.diverged.as_ref().map(|at| json!({ "term": at.term, "step": at.step, "line": at.line }));
        self.trial(
            "trial_finished",
            trial,
            json!({ "cached": cached, "seconds": seconds, "measures": measures, "diverged": diverged }),
        );
    }
}

/// Everything is done: the last line.
pub fn finished(exit: Exit) {
    write(json!({ "event": "finished", "exit_code": exit as u8 }));
}

/// One line in one piece. Whoever reads may have enough: then nobody is told any more.
fn write(event: Value) {
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{event}").and_then(|()| out.flush());
}

/// Structs of strings and numbers always have a form in JSON.
fn value(of: impl Serialize) -> Value {
    serde_json::to_value(of).unwrap_or_default()
}

fn fields(of: Value) -> Map<String, Value> {
    match of {
        Value::Object(fields) => fields,
        _ => Map::new(),
    }
}
