//! How two runs differ, as text: in what they came from, in their claims, in their measures.

use super::number::short;
use super::stored::{StoredMeasure, StoredProvenance, StoredResults};

/// Both by their names. Empty sections are left out; runs that differ in nothing say so.
pub fn compare(names: (&str, &str), a: &StoredResults, b: &StoredResults) -> String {
    let mut lines = Vec::new();
    origins(&a.provenance, &b.provenance, &mut lines);
    claims(a, b, &mut lines);
    for measure in &a.measures {
        match b.measures.iter().find(|other| other.name == measure.name) {
            Some(other) => measures(measure, other, &mut lines),
            None => lines.push(format!("measure {}: only in {}", measure.name, names.0)),
        }
    }
    for other in &b.measures {
        if !a.measures.iter().any(|measure| measure.name == other.name) {
            lines.push(format!("measure {}: only in {}", other.name, names.1));
        }
    }
    if lines.is_empty() {
        lines.push("no difference".to_owned());
    }
    format!("{} against {}\n  {}\n", names.0, names.1, lines.join("\n  "))
}

fn origins(a: &StoredProvenance, b: &StoredProvenance, lines: &mut Vec<String>) {
    match (a.source == b.source, a.program == b.program) {
        (true, true) => {}
        (false, true) => lines.push("file: other comments or layout, the same program".to_owned()),
        _ => lines.push("file: another program".to_owned()),
    }
    if a.ansatz != b.ansatz {
        lines.push(format!("version of Ansatz: {} and {}", a.ansatz, b.ansatz));
    }
    for (name, hash) in &a.data {
        match b.data.iter().find(|(other, _)| other == name) {
            Some((_, other)) if other == hash => {}
            Some(_) => lines.push(format!("data {name}: another content")),
            None => lines.push(format!("data {name}: only in the first")),
        }
    }
    for (name, _) in &b.data {
        if !a.data.iter().any(|(other, _)| other == name) {
            lines.push(format!("data {name}: only in the second"));
        }
    }
    if a.seed != b.seed {
        lines.push(format!("seed: {} and {}", a.seed, b.seed));
    }
    if a.backend != b.backend {
        lines.push(format!("backend: {} and {}", a.backend, b.backend));
    }
    if a.settings != b.settings {
        let shown = |settings: &[(String, String)]| match settings {
            [] => "none".to_owned(),
            _ => settings
                .iter()
                .map(|(name, value)| format!("{name} = {value}"))
                .collect::<Vec<_>>()
                .join(", "),
        };
        lines.push(format!("settings: {} and {}", shown(&a.settings), shown(&b.settings)));
    }
}

fn claims(a: &StoredResults, b: &StoredResults, lines: &mut Vec<String>) {
    for claim in &a.claims {
        match b.claims.iter().find(|other| other.text == claim.text) {
            Some(other) if other.verdict == claim.verdict => {}
            Some(other) => {
                lines.push(format!("claim \"{}\": {} and {}", claim.text, claim.verdict, other.verdict));
            }
            None => lines.push(format!("claim \"{}\": only in the first, {}", claim.text, claim.verdict)),
        }
    }
    for claim in &b.claims {
        if !a.claims.iter().any(|other| other.text == claim.text) {
            lines.push(format!("claim \"{}\": only in the second, {}", claim.text, claim.verdict));
        }
    }
}

fn measures(a: &StoredMeasure, b: &StoredMeasure, lines: &mut Vec<String>) {
    let name = &a.name;
    let axes = |measure: &StoredMeasure| {
        let axes = measure.axes.iter().map(|axis| format!("{} = {}", axis.name, axis.labels.len()));
        format!("[{}]", axes.collect::<Vec<_>>().join(", "))
    };
    let means = format!("means {} and {}", short(mean(&a.values)), short(mean(&b.values)));
    if a.axes != b.axes {
        let (left, right) = (axes(a), axes(b));
        let how = if left == right { "other labels".to_owned() } else { format!("{left} and {right}") };
        lines.push(format!("measure {name}: {how}, {means}"));
        return;
    }
    let differs = |(x, y): &(&f64, &f64)| x.to_bits() != y.to_bits() && !(x.is_nan() && y.is_nan());
    let pairs = || a.values.iter().zip(&b.values);
    let count = pairs().filter(differs).count();
    if count > 0 {
        let largest = pairs().map(|(x, y)| (x - y).abs()).fold(0.0, f64::max);
        let of = a.values.len();
        lines.push(format!(
            "measure {name}: {count} of {of} values differ, by {} at most; {means}",
            short(largest)
        ));
    }
}

/// Of the values that there are.
fn mean(values: &[f64]) -> f64 {
    let known: Vec<f64> = values.iter().copied().filter(|value| !value.is_nan()).collect();
    known.iter().sum::<f64>() / known.len() as f64
}
