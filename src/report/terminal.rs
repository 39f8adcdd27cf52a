//! The report on the terminal: tables, then each claim with its evidence.

use super::number::{short, with_interval};
use crate::run::results::{Claim, Evidence, Results, Side, Table, Verdict};

/// The whole report as text. `colour` adds ANSI colours to the verdicts.
pub fn terminal(results: &Results, colour: bool) -> String {
    let mut out = String::new();
    if let Some(settings) = results.quick() {
        out.push_str(&format!("quick: {settings}\n\n"));
    }
    for table in &results.tables {
        out.push_str(&render_table(table));
        out.push('\n');
    }
    for text in &results.texts {
        out.push_str(&format!("{text}\n"));
    }
    for plot in &results.plots {
        let count = plot.series.len();
        let series = if count == 1 { "series" } else { "series of values" };
        out.push_str(&format!("plot {}: {count} {series}, in the results under `plots`\n", plot.name));
    }
    for claim in &results.claims {
        out.push_str(&render_claim(claim, colour));
    }
    out.extend(diverged(results));
    let held = results.claims.iter().filter(|c| c.verdict == Verdict::Holds).count();
    let trials = results.times.trials;
    let kept = match results.times.kept {
        0 => String::new(),
        kept if kept == trials => " kept from before".to_owned(),
        kept => format!(" ({kept} kept from before)"),
    };
    let preparing = match results.times.preparing {
        seconds if seconds < 0.05 => String::new(),
        seconds => format!(", {seconds:.1} s of them to make kernels"),
    };
    let quick = if results.quick().is_some() { " with quick settings, which decide nothing" } else { "" };
    out.push_str(&format!(
        "{}: {held} of {} claims hold{quick}; {trials} {}{kept} in {:.1} s{preparing}\n",
        results.experiment,
        results.claims.len(),
        if trials == 1 { "trial" } else { "trials" },
        results.times.seconds
    ));
    out
}

/// A line for each trial that diverged.
pub fn diverged(results: &Results) -> impl Iterator<Item = String> {
    results.diverged.iter().map(|divergence| {
        let trial: Vec<String> =
            divergence.trial.iter().map(|(axis, value)| format!("{axis} = {value}")).collect();
        let trial = if trial.is_empty() { String::new() } else { format!(" ({})", trial.join(", ")) };
        format!(
            "diverged: {}{trial}, term `{}` at step {}, line {}\n",
            results.experiment, divergence.term, divergence.step, divergence.line
        )
    })
}

fn render_table(table: &Table) -> String {
    let mut lines = vec![table.by.iter().chain(&table.columns).cloned().collect::<Vec<_>>()];
    for row in &table.rows {
        let cells = row.cells.iter().map(|cell| with_interval(cell.mean, cell.half_width));
        lines.push(row.labels.iter().cloned().chain(cells).collect());
    }
    let width = |column: usize| lines.iter().map(|l| l[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..lines[0].len()).map(width).collect();
    let mut out = String::new();
    for (number, line) in lines.iter().enumerate() {
        let cells = line.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        out.push_str(format!("  {}", cells.collect::<Vec<_>>().join("  ")).trim_end());
        out.push('\n');
        if number == 0 {
            out.push_str(&format!(
                "  {}\n",
                "-".repeat(widths.iter().sum::<usize>() + 2 * (widths.len() - 1))
            ));
        }
    }
    out
}

fn render_claim(claim: &Claim, colour: bool) -> String {
    let (word, code) = match claim.verdict {
        Verdict::Holds => ("holds", "32"),
        Verdict::Refuted => ("refuted", "31"),
    };
    let verdict = if colour { format!("\x1b[1;{code}m{word}\x1b[0m") } else { word.to_string() };
    let mut out = format!("{verdict}: {}\n", claim.text);
    for evidence in &claim.evidence {
        let mark = match (evidence.at_fault, evidence.holds) {
            (false, _) => "",
            (true, false) => "   <- not so",
            (true, true) => "   <- is so",
        };
        out.push_str(&format!("    {}{mark}\n", render_evidence(evidence)));
    }
    out
}

fn render_evidence(evidence: &Evidence) -> String {
    match &evidence.right {
        None => render_side(&evidence.left),
        Some(right) => {
            let within = evidence.within.as_ref().map(|within| format!(" within {}", render_side(within)));
            let (left, right) = (render_side(&evidence.left), render_side(right));
            format!("{left} {} {right}{}", evidence.relation, within.unwrap_or_default())
        }
    }
}

/// `mean(gain, Seed) = 0.069`; a number that the user wrote stands alone.
fn render_side(side: &Side) -> String {
    if side.axes.is_empty() && side.source.parse::<f64>().is_ok() {
        return side.source.clone();
    }
    let values = match side.values.as_slice() {
        [one] => short(*one),
        many if many.len() <= 8 => {
            format!("[{}]", many.iter().map(|v| short(*v)).collect::<Vec<_>>().join(", "))
        }
        many => {
            let low = many.iter().copied().fold(f64::INFINITY, f64::min);
            let high = many.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let axes: Vec<&str> = side.axes.iter().map(|axis| axis.name.as_str()).collect();
            format!("{} to {} over {}", short(low), short(high), axes.join(", "))
        }
    };
    format!("{} = {values}", side.source)
}
