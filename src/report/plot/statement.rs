//! What a `plot` statement of the file asks for.

use super::choose::{scatter, suitable};
use super::line::Lines;
use super::over::over;
use super::training::{courses, in_training};
use super::{Drawing, Figure};
use crate::report::stored::{StoredCurve, StoredMeasure, StoredPlot, StoredResults};

/// The figures of one statement: one for each value, or one for all where they are single curves over the same axis. A value
/// that cannot be drawn so is left out.
pub fn stated(plot: &StoredPlot, results: &StoredResults) -> Vec<Figure> {
    let by: Vec<&str> = plot.by.iter().map(String::as_str).collect();
    let (terms, values) = parts(plot, results);
    if let (None, true, [first, second]) = (&plot.over, terms.is_empty(), values.as_slice()) {
        return scatter(first, second, by.first().copied()).into_iter().collect();
    }
    let mut figures: Vec<Figure> = terms.iter().filter_map(|term| in_training(term, &by)).collect();
    for value in &values {
        let asked = plot.over.as_deref().filter(|name| value.axes.iter().any(|axis| axis.name == *name));
        figures.extend(match (asked, by.as_slice()) {
            (Some(axis), by) => over(value, axis, by),
            (None, [others @ .., last]) => over(value, last, others),
            (None, []) => suitable(value),
        });
    }
    joined(figures)
}

/// The terms and the other values of a statement. Of a term there is a series for each trial, with a name made from both.
fn parts(plot: &StoredPlot, results: &StoredResults) -> (Vec<StoredMeasure>, Vec<StoredMeasure>) {
    let mut terms: Vec<(usize, &str)> = Vec::new();
    let mut values = Vec::new();
    for series in &plot.series {
        let curve = results.training.iter().find(|curve| is_course_of(&series.source, curve));
        match curve.filter(|_| series.axes.len() == 1) {
            Some(curve) if terms.contains(&(curve.block, &curve.term)) => {}
            Some(curve) => terms.push((curve.block, &curve.term)),
            None => values.push(series.as_measure()),
        }
    }
    // A name may stand for terms of several blocks.
    let mut all: Vec<(usize, &str)> = Vec::new();
    for curve in &results.training {
        let named = terms.iter().any(|(_, term)| *term == curve.term);
        if named && !all.contains(&(curve.block, curve.term.as_str())) {
            all.push((curve.block, &curve.term));
        }
    }
    let several = all.iter().any(|(block, _)| *block != all[0].0);
    let term = |(block, term): &(usize, &str)| {
        let curves: Vec<&StoredCurve> =
            results.training.iter().filter(|curve| curve.block == *block && curve.term == *term).collect();
        let name = if several { format!("{term} (block {block})") } else { (*term).to_owned() };
        courses(&name, &curves)
    };
    (all.iter().map(term).collect(), values)
}

fn is_course_of(source: &str, curve: &StoredCurve) -> bool {
    let trial: Vec<String> = curve.trial.iter().map(|(axis, label)| format!("{axis} = {label}")).collect();
    match trial.is_empty() {
        true => source == curve.term,
        false => source == format!("{} ({})", curve.term, trial.join(", ")),
    }
}

/// Single curves over one axis become curves of one figure.
fn joined(figures: Vec<Figure>) -> Vec<Figure> {
    let single = |figure: &Figure| match &figure.drawing {
        Drawing::Lines(lines) if lines.series.len() == 1 => Some(lines.x.clone()),
        _ => None,
    };
    let first = figures.first().and_then(single);
    if figures.len() < 2 || first.is_none() || !figures.iter().all(|figure| single(figure) == first) {
        return figures;
    }
    let names: Vec<String> = figures.iter().map(|figure| figure.title.clone()).collect();
    let descriptions: Vec<String> = figures.iter().map(|figure| figure.description.clone()).collect();
    let mut series = Vec::new();
    for figure in figures {
        if let Drawing::Lines(mut lines) = figure.drawing {
            lines.series.iter_mut().for_each(|line| line.name.clone_from(&lines.y));
            series.append(&mut lines.series);
        }
    }
    let values: Vec<&str> = series.iter().map(|line| line.name.as_str()).collect();
    let title = format!("{} over {}", values.join(", "), first.clone().unwrap_or_default());
    let lines = Lines { x: first.unwrap_or_default(), y: "value".to_owned(), series };
    vec![Figure::new(&names.join(" "), title, descriptions.join(" "), Drawing::Lines(lines))]
}
