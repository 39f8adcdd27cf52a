//! The course of the terms of training: curves with a band over seeds.

use super::Figure;
use super::over::{MOST_SERIES, over};
use super::summary::REPLICATES;
use crate::report::stored::{StoredAxis, StoredCurve, StoredMeasure, StoredResults};

/// The axis of a course: a term is known as its mean over each tenth of a block.
pub const DONE: &str = "part of the block that is done (%)";

/// A figure for each term of each train block.
pub fn training(results: &StoredResults) -> Vec<Figure> {
    let mut figures: Vec<Figure> = Vec::new();
    let blocks = results.training.iter().map(|curve| curve.block).max().unwrap_or(1);
    let mut known: Vec<(usize, &str)> = Vec::new();
    for curve in &results.training {
        if !known.contains(&(curve.block, curve.term.as_str())) {
            known.push((curve.block, &curve.term));
        }
    }
    for (block, term) in known {
        let curves: Vec<&StoredCurve> =
            results.training.iter().filter(|curve| curve.block == block && curve.term == term).collect();
        let mut measure = courses(term, &curves);
        if blocks > 1 {
            measure.name = format!("{term} (block {block})");
        }
        let mut by: Vec<String> = measure.axes.iter().map(|axis| axis.name.clone()).collect();
        by.retain(|name| name != DONE && !REPLICATES.contains(&name.as_str()));
        // Where there are too many arms to be told apart, they are put together by their first axes.
        let size = |name: &String| {
            measure.axes.iter().find(|axis| axis.name == *name).map_or(1, |axis| axis.labels.len())
        };
        while by.iter().map(size).product::<usize>() > MOST_SERIES {
            by.pop();
        }
        let by: Vec<&str> = by.iter().map(String::as_str).collect();
        figures.extend(in_training(&measure, &by));
    }
    figures
}

/// The course of one term, made by [`courses`].
pub fn in_training(term: &StoredMeasure, by: &[&str]) -> Option<Figure> {
    let figure = over(term, DONE, by)?;
    let title = figure.title.replace(&format!(" over {DONE}"), " in training");
    Some(Figure::new(&title, title.clone(), figure.description, figure.drawing))
}

/// Curves of one term as a value over the axes of trials and the course. What is missing is NaN.
pub fn courses(name: &str, curves: &[&StoredCurve]) -> StoredMeasure {
    let mut axes: Vec<StoredAxis> = Vec::new();
    for (axis, label) in curves.iter().flat_map(|curve| &curve.trial) {
        match axes.iter_mut().find(|known| known.name == *axis) {
            Some(known) if known.labels.contains(label) => {}
            Some(known) => known.labels.push(label.clone()),
            None => axes.push(StoredAxis { name: axis.clone(), labels: vec![label.clone()] }),
        }
    }
    let length = curves.iter().map(|curve| curve.values.len()).max().unwrap_or(0);
    let count: usize = axes.iter().map(|axis| axis.labels.len()).product();
    let mut values = vec![f64::NAN; count * length];
    for curve in curves {
        let trial = axes.iter().fold(0, |trial, axis| {
            let label = curve.trial.iter().find(|(name, _)| *name == axis.name).map(|(_, label)| label);
            let at = label.and_then(|label| axis.labels.iter().position(|known| known == label)).unwrap_or(0);
            trial * axis.labels.len() + at
        });
        values[trial * length..][..curve.values.len()].copy_from_slice(&curve.values);
    }
    let done = |part: usize| (100.0 * part as f64 / length.max(1) as f64).to_string();
    axes.push(StoredAxis { name: DONE.to_owned(), labels: (1..=length).map(done).collect() });
    StoredMeasure { name: name.to_owned(), axes, values, line: 0 }
}
