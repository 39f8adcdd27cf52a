//! A run on the terminal while it goes on: all trials, each that is being computed, and what the finished ones measured.

use std::collections::BTreeMap;
use std::sync::Mutex;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::report::short;
use crate::run::results::Provenance;
use crate::run::{Ended, How, Labels, Observer};

/// Columns and rows of the table: the newest trials.
const COLUMNS: usize = 6;
const ROWS: usize = 8;

/// One bar for all trials of an experiment, advanced by the share of each trial's training that is done; below it a bar for
/// each trial on its way, and the measures of those that ended.
pub struct Progress {
    bars: MultiProgress,
    all: ProgressBar,
    table: ProgressBar,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    labels: Vec<Labels>,
    /// For each trial the per mille of its current training block.
    done: Vec<u64>,
    running: BTreeMap<usize, ProgressBar>,
    ended: Vec<Row>,
}

/// A finished trial: its number, and its measures that are single numbers.
struct Row {
    trial: usize,
    numbers: Vec<(String, f64)>,
}

impl Progress {
    /// On standard error.
    pub fn new(name: &str) -> Self {
        Self::on(name, ProgressDrawTarget::stderr())
    }

    fn on(name: &str, target: ProgressDrawTarget) -> Self {
        let bars = MultiProgress::with_draw_target(target);
        let all = bars.add(ProgressBar::new(0));
        all.set_style(style("{prefix} [{bar:30}] {msg} {elapsed}, {eta} left"));
        all.set_prefix(name.to_string());
        let table = bars.add(ProgressBar::new(0));
        table.set_style(style("{msg}"));
        Progress { bars, all, table, state: Mutex::default() }
    }

    pub fn finish(&self) {
        if let Ok(mut state) = self.state.lock() {
            state.running.clear();
        }
        let _ = self.bars.clear();
    }

    fn set(&self, state: &mut State, trial: usize, value: u64) {
        if let Some(entry) = state.done.get_mut(trial) {
            *entry = value.max(*entry);
        }
        self.all.set_position(state.done.iter().sum());
        let finished = state.done.iter().filter(|done| **done >= 1000).count();
        self.all.set_message(format!("{finished}/{} trials", state.done.len()));
    }
}

fn style(template: &str) -> ProgressStyle {
    let style = ProgressStyle::with_template(template);
    style.unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars("=> ")
}

impl Observer for Progress {
    fn started(&self, _: &Provenance, trials: &[Labels]) {
        if let Ok(mut state) = self.state.lock() {
            state.labels = trials.to_vec();
            state.done = vec![0; trials.len()];
        }
        self.all.set_length(1000 * trials.len() as u64);
    }

    fn trial_started(&self, trial: usize) {
        let Ok(mut state) = self.state.lock() else { return };
        let bar = self.bars.insert_before(&self.table, ProgressBar::new(0));
        bar.set_style(style("  {prefix} {msg}"));
        bar.set_prefix(state.labels.get(trial).map(coordinates).unwrap_or_default());
        bar.set_message("begins");
        state.running.insert(trial, bar);
    }

    fn training(&self, trial: usize, block: usize, done: usize, steps: usize) {
        let Ok(mut state) = self.state.lock() else { return };
        if let Some(bar) = state.running.get(&trial) {
            // A new block begins to count anew, its time too.
            if bar.length() != Some(steps as u64) || bar.position() > done as u64 {
                bar.reset();
                bar.set_length(steps as u64);
                bar.set_style(style("  {prefix} {msg}: {pos} of {len} steps, {eta} left"));
            }
            bar.set_message(format!("block {block}"));
            bar.set_position(done as u64);
        }
        // The last per cent is for what follows training.
        self.set(&mut state, trial, 990 * done as u64 / steps.max(1) as u64);
    }

    fn trial_ended(&self, trial: usize, ended: &Ended) {
        let Ok(mut state) = self.state.lock() else { return };
        if let Some(bar) = state.running.remove(&trial) {
            bar.finish_and_clear();
            self.bars.remove(&bar);
        }
        self.set(&mut state, trial, 1000);
        if !matches!(ended.how, How::Failed(_)) {
            let single = |measure: crate::run::results::Measure| match measure.values.as_slice() {
                [value] if measure.axes.is_empty() => Some((measure.name, *value)),
                _ => None,
            };
            let numbers = (ended.measures)().into_iter().filter_map(single).collect();
            state.ended.push(Row { trial, numbers });
            self.table.set_message(table(&state));
        }
    }
}

fn coordinates(labels: &Labels) -> String {
    labels.iter().map(|(axis, label)| format!("{axis} = {label}")).collect::<Vec<_>>().join(", ")
}

/// The newest trials that ended, with their measures.
fn table(state: &State) -> String {
    let mut columns: Vec<&str> = Vec::new();
    for (name, _) in state.ended.iter().flat_map(|row| &row.numbers) {
        if !columns.contains(&name.as_str()) && columns.len() < COLUMNS {
            columns.push(name);
        }
    }
    if columns.is_empty() {
        return String::new();
    }
    let axes = state.labels.first().map_or(&[][..], |labels| &labels[..]);
    let heading =
        axes.iter().map(|(axis, _)| axis.clone()).chain(columns.iter().map(|name| (*name).to_owned()));
    let mut lines: Vec<Vec<String>> = vec![heading.collect()];
    for row in state.ended.iter().rev().take(ROWS) {
        let labels = state.labels.get(row.trial).into_iter().flatten().map(|(_, label)| label.clone());
        let cell = |column: &&str| {
            let found = row.numbers.iter().find(|(name, _)| name == column);
            found.map_or_else(String::new, |(_, value)| short(*value))
        };
        lines.push(labels.chain(columns.iter().map(cell)).collect());
    }
    let width = |column: usize| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..lines[0].len()).map(width).collect();
    let shown = lines.iter().map(|line| {
        let cells = line.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        format!("  {}", cells.collect::<Vec<_>>().join("  ")).trim_end().to_owned()
    });
    let mut shown: Vec<String> = shown.collect();
    if state.ended.len() > ROWS {
        shown.push(format!("  and {} before", state.ended.len() - ROWS));
    }
    shown.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::results::Measure;

    fn measure(name: &str, values: &[f64]) -> Measure {
        let axes = match values {
            [_] => Vec::new(),
            _ => vec![crate::run::results::ResultAxis { name: "Row".to_owned(), labels: Vec::new() }],
        };
        Measure { name: name.to_owned(), axes, values: values.to_vec(), line: 1 }
    }

    #[test]
    fn the_table_has_the_newest_trials_and_their_single_numbers() {
        let progress = Progress::on("e", ProgressDrawTarget::hidden());
        let labels = |arm: &str, seed: usize| -> Labels {
            vec![("Arm".to_owned(), arm.to_owned()), ("Seed".to_owned(), seed.to_string())]
        };
        let trials: Vec<Labels> =
            (0..10).map(|seed| labels(if seed % 2 == 0 { "plain" } else { "b" }, seed)).collect();
        progress.started(&Provenance::default(), &trials);
        for trial in 0..10 {
            progress.trial_started(trial);
            progress.training(trial, 1, 50, 100);
            let value = if trial == 9 { f64::NAN } else { 0.9 - trial as f64 / 100.0 };
            let measures =
                || vec![measure("accuracy", &[value]), measure("off", &[1.0, 2.0]), measure("loss", &[1e-7])];
            let ended = Ended { how: How::Computed { seconds: 1.0 }, measures: &measures, diverged: None };
            progress.trial_ended(trial, &ended);
        }
        let state = progress.state.lock().expect("nobody failed");
        assert!(state.running.is_empty());
        assert_eq!((progress.all.position(), progress.all.message()), (10_000, "10/10 trials".to_owned()));
        insta::assert_snapshot!(table(&state), @r"
        Arm    Seed  accuracy  loss
        b      9     -         1.00e-7
        plain  8     0.8200    1.00e-7
        b      7     0.8300    1.00e-7
        plain  6     0.8400    1.00e-7
        b      5     0.8500    1.00e-7
        plain  4     0.8600    1.00e-7
        b      3     0.8700    1.00e-7
        plain  2     0.8800    1.00e-7
        and 2 before
        ");
    }
}
