//! What a run tells while it goes on.

use super::results::{Divergence, Measure, Provenance};
use crate::diagnostic::Diagnostic;

/// The axes of trials with the label of one trial: `[("Objective", "plain"), ("Seed", "0")]`.
pub type Labels = Vec<(String, String)>;

/// Whoever wants to know. Trials are numbered in their order; what they tell comes from several threads.
pub trait Observer: Sync {
    /// The data are read, and the trials known.
    fn started(&self, _provenance: &Provenance, _trials: &[Labels]) {}
    /// A trial is computed from here on.
    fn trial_started(&self, _trial: usize) {}
    /// `done` of `steps` steps of a training block of one trial; `block` from 1.
    fn training(&self, _trial: usize, _block: usize, _done: usize, _steps: usize) {}
    fn trial_ended(&self, _trial: usize, _ended: &Ended) {}
}

/// How a trial ended.
pub struct Ended<'a> {
    pub how: How<'a>,
    /// What it measured, over the measures' own axes.
    pub measures: &'a dyn Fn() -> Vec<Measure>,
    pub diverged: Option<Divergence>,
}

pub enum How<'a> {
    Computed {
        seconds: f64,
    },
    /// It was computed by an earlier run.
    Kept,
    Failed(&'a [Diagnostic]),
}

/// An observer that looks away.
pub struct Silent;

impl Observer for Silent {}
