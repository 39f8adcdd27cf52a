//! One thing that was tested, and how it ended.

use std::time::{Duration, Instant};

use crate::cli::Exit;

pub struct Case {
    pub file: String,
    pub name: String,
    pub seconds: Duration,
    pub outcome: Outcome,
    /// An experiment against its snapshot, not a `test` block.
    pub snapshot: bool,
}

pub enum Outcome {
    Passed,
    /// The snapshot is written.
    Accepted,
    /// There is no snapshot yet, which is no failure here. Where it would be is said.
    New(String),
    /// An assertion or a derivative is wrong, or the snapshot is another: what there is to say.
    Failed(String),
    /// It could not be found out.
    Error(String, Exit),
}

impl Case {
    pub fn new(file: &str, name: &str, started: Instant, outcome: Outcome) -> Self {
        let (file, name) = (file.to_owned(), name.to_owned());
        Case { file, name, seconds: started.elapsed(), outcome, snapshot: false }
    }

    pub fn of_snapshot(mut self) -> Self {
        self.snapshot = true;
        self
    }

    pub fn exit(&self) -> Exit {
        match &self.outcome {
            Outcome::Passed | Outcome::Accepted | Outcome::New(_) => Exit::Success,
            Outcome::Failed(_) => Exit::Refuted,
            Outcome::Error(_, exit) => *exit,
        }
    }

    /// What is said of it; nothing of what passed, unless all are named.
    pub fn line(&self, all: bool) -> Option<String> {
        let word = match &self.outcome {
            Outcome::Passed if !all => return None,
            Outcome::Passed => "ok      ",
            Outcome::Accepted => "accepted",
            Outcome::New(_) => "new     ",
            Outcome::Failed(_) => "failed  ",
            Outcome::Error(..) => "error   ",
        };
        let what = if self.snapshot { "snapshot of " } else { "" };
        let more = match &self.outcome {
            Outcome::New(place) => format!(", {place}"),
            _ => String::new(),
        };
        Some(format!("{word} {}: {what}{}{more}", self.file, self.name))
    }
}
