//! What is written down about a run: `run.json`.

use serde::{Deserialize, Serialize};

/// A run as it stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunRecord {
    /// The name of its folder.
    pub id: String,
    pub experiment: String,
    /// As it was named on the command line.
    pub file: String,
    pub condition: Condition,
    /// Milliseconds since 1970 when it was last started, and when it ended.
    pub started: u64,
    pub ended: Option<u64>,
    pub seed: u32,
    pub backend: String,
    pub settings: Vec<(String, String)>,
    /// Claims that hold, and claims.
    pub claims: (usize, usize),
    pub trials: Vec<TrialRecord>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Condition {
    /// It goes on, or its process was ended from outside: whether somebody holds its lock tells.
    Running,
    Interrupted,
    Finished,
    /// Some trials failed; the others are kept.
    Failed,
}

impl Condition {
    pub fn name(self) -> &'static str {
        match self {
            Condition::Running => "running",
            Condition::Interrupted => "interrupted",
            Condition::Finished => "finished",
            Condition::Failed => "failed",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TrialRecord {
    /// The axes of trials, with the label of this trial on each.
    pub trial: Vec<(String, String)>,
    /// What its results are kept under.
    pub identity: String,
    pub condition: TrialCondition,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TrialCondition {
    Waiting,
    /// Computed by this run.
    Computed,
    /// Taken from an earlier run.
    Kept,
    Failed,
}
