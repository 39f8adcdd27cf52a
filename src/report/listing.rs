//! Runs as a list, and one run in full.

use crate::store::{RunRecord, TrialCondition};

/// A line for each run, under a heading. `now`: milliseconds since 1970.
pub fn list(runs: &[RunRecord], now: u64) -> String {
    let mut lines: Vec<Vec<String>> =
        vec![["run", "condition", "started", "claims", "trials", "settings"].map(str::to_owned).to_vec()];
    for run in runs {
        let mut settings = vec![format!("seed {}", run.seed), run.backend.clone()];
        settings.extend(run.settings.iter().map(|(name, value)| format!("{name} = {value}")));
        lines.push(vec![
            run.id.clone(),
            run.condition.name().to_owned(),
            ago(now.saturating_sub(run.started)),
            format!("{} of {}", run.claims.0, run.claims.1),
            run.trials.len().to_string(),
            settings.join(", "),
        ]);
    }
    let width = |column: usize| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..lines[0].len()).map(width).collect();
    let shown = lines.iter().map(|line| {
        let cells = line.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        format!("{}\n", cells.collect::<Vec<_>>().join("  ").trim_end())
    });
    shown.collect()
}

/// What is written down about a run.
pub fn heading(run: &RunRecord, now: u64) -> String {
    let count = |condition| run.trials.iter().filter(|trial| trial.condition == condition).count();
    let mut out = format!("{}: `{}` of {}\n", run.id, run.experiment, run.file);
    out.push_str(&format!(
        "{}, started {}, seed {}, {}\n",
        run.condition.name(),
        ago(now.saturating_sub(run.started)),
        run.seed,
        run.backend
    ));
    for (name, value) in &run.settings {
        out.push_str(&format!("with {name} = {value}\n"));
    }
    out.push_str(&format!(
        "{} trials: {} computed, {} kept, {} failed, {} waiting\n",
        run.trials.len(),
        count(TrialCondition::Computed),
        count(TrialCondition::Kept),
        count(TrialCondition::Failed),
        count(TrialCondition::Waiting)
    ));
    for trial in run.trials.iter().filter(|trial| trial.condition == TrialCondition::Failed) {
        let labels: Vec<String> =
            trial.trial.iter().map(|(axis, label)| format!("{axis} = {label}")).collect();
        out.push_str(&format!("failed: {}\n", labels.join(", ")));
    }
    out
}

fn ago(milliseconds: u64) -> String {
    match milliseconds / 1000 {
        seconds @ 0..60 => format!("{seconds} s ago"),
        seconds @ 60..3600 => format!("{} min ago", seconds / 60),
        seconds @ 3600..172_800 => format!("{} h ago", seconds / 3600),
        seconds => format!("{} days ago", seconds / 86_400),
    }
}
