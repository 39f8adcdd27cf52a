//! Progress bars on the terminal.

use indicatif::{ProgressBar, ProgressStyle};
use std::sync::Mutex;

use crate::run::Observer;

/// One bar for all trials of an experiment, advanced by the share of each trial's training that is done.
pub struct Progress {
    bar: ProgressBar,
    /// For each trial the per mille of its current training block.
    done: Mutex<Vec<u64>>,
}

impl Progress {
    pub fn new(name: &str) -> Self {
        let bar = ProgressBar::new(0);
        let template = "{prefix} [{bar:30}] {msg} {elapsed}, {eta} left";
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style.progress_chars("=> "));
        }
        bar.set_prefix(name.to_string());
        Progress { bar, done: Mutex::new(Vec::new()) }
    }

    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }

    fn set(&self, trial: usize, value: u64) {
        let Ok(mut done) = self.done.lock() else { return };
        if let Some(entry) = done.get_mut(trial) {
            *entry = value.max(*entry);
        }
        self.bar.set_position(done.iter().sum());
        let finished = done.iter().filter(|d| **d >= 1000).count();
        self.bar.set_message(format!("{finished}/{} trials", done.len()));
    }
}

impl Observer for Progress {
    fn trials(&self, count: usize) {
        if let Ok(mut done) = self.done.lock() {
            *done = vec![0; count];
        }
        self.bar.set_length(1000 * count as u64);
    }

    fn training(&self, trial: usize, done: usize, steps: usize) {
        // The last per cent is for what follows training.
        self.set(trial, 990 * done as u64 / steps.max(1) as u64);
    }

    fn trial_finished(&self, trial: usize) {
        self.set(trial, 1000);
    }
}
