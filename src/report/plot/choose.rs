//! Which plots suit what was measured, where the file does not say.

use super::effect::effects;
use super::heat::Heat;
use super::over::{course, over};
use super::reliability::Reliability;
use super::scatter::{Scatter, front};
use super::summary::{Grid, distinguishing, grid, over_words};
use super::{Drawing, Figure};
use crate::report::stored::{StoredMeasure, StoredResults};

/// Of each measure what suits its axes, then effects, trade-offs and reliability.
pub fn chosen(results: &StoredResults) -> Vec<Figure> {
    let plotted = |measure: &&StoredMeasure| !is_constant(measure) && !has_examples(measure, results);
    let measures: Vec<&StoredMeasure> = results.measures.iter().filter(plotted).collect();
    let mut figures: Vec<Figure> = measures.iter().filter_map(|measure| suitable(measure)).collect();
    figures.extend(effects(results));
    figures.extend(trade_offs(&measures, &results.trial_axes()));
    figures.extend(reliability(&measures));
    figures
}

/// A plot of one measure by its axes.
pub fn suitable(measure: &StoredMeasure) -> Option<Figure> {
    let size =
        |name: &str| measure.axes.iter().find(|axis| axis.name == name).map_or(0, |axis| axis.labels.len());
    let runs = |name: &str| {
        let axis = measure.axes.iter().find(|axis| axis.name == name);
        axis.is_some_and(|axis| course(axis).is_some())
    };
    let mut axes = distinguishing(measure);
    axes.retain(|name| size(name) > 1);
    // What runs in time or over numbers stands along the lower edge; else the longest axis.
    let along = axes.iter().copied().max_by_key(|name| (runs(name), size(name)))?;
    let others: Vec<&str> = axes.iter().copied().filter(|name| *name != along).collect();
    let arms: usize = others.iter().map(|name| size(name)).product();
    match axes.as_slice() {
        [first, second] => {
            let table = *second == format!("{first}'") || *first == format!("{second}'");
            if !table && (arms <= 7 && runs(along) || arms <= 5 && size(along) <= 10) {
                over(measure, along, &others)
            } else {
                heat(measure, first, second)
            }
        }
        _ if arms <= 7 => over(measure, along, &others),
        _ => None,
    }
}

/// None if there are more cells than can be seen.
pub fn heat(measure: &StoredMeasure, down: &str, across: &str) -> Option<Figure> {
    let grid = grid(measure, &[down, across]);
    let [rows, columns] = grid.axes[..] else { return None };
    if rows.labels.len() > 100 || columns.labels.len() > 100 || grid.cells.is_empty() {
        return None;
    }
    let title = format!("{} over {down} and {across}", measure.name);
    let description = format!("Heat map: {title}{}.", over_words(measure, &[down, across]));
    let heat = Heat {
        what: measure.name.clone(),
        down: down.to_owned(),
        across: across.to_owned(),
        rows: rows.labels.clone(),
        columns: columns.labels.clone(),
        values: grid.cells.iter().map(|cell| cell.mean).collect(),
    };
    Some(Figure::new(&title, title.clone(), description, Drawing::Heat(heat)))
}

/// At most three pairs of measures of the same trials against each other.
fn trade_offs(measures: &[&StoredMeasure], trials: &[&str]) -> Vec<Figure> {
    // Without training it is not known which axes are those of trials.
    let of_trials = |measure: &StoredMeasure| {
        trials.is_empty() || measure.axes.iter().all(|axis| trials.contains(&axis.name.as_str()))
    };
    let mut figures = Vec::new();
    for (at, first) in measures.iter().enumerate() {
        for second in &measures[at + 1..] {
            let same = first.axes == second.axes && (4..=2000).contains(&first.values.len());
            if same && of_trials(first) && figures.len() < 3 {
                figures.extend(scatter(first, second, None));
            }
        }
    }
    figures
}

/// The second measure over the first. A point is a trial, or the mean of an arm where there are several arms.
pub fn scatter(first: &StoredMeasure, second: &StoredMeasure, by: Option<&str>) -> Option<Figure> {
    let mut axes = distinguishing(first);
    let arms: usize = grid(first, &axes).cells.len();
    let means = arms >= 3;
    if !means {
        axes = first.axes.iter().map(|axis| axis.name.as_str()).collect();
    }
    let (x, y) = (grid(first, &axes), grid(second, &axes));
    if x.axes != y.axes {
        return None;
    }
    let short =
        |axis: &&str| first.axes.iter().any(|own| own.name == **axis && (2..=7).contains(&own.labels.len()));
    let own = distinguishing(first);
    let by = by.filter(|name| axes.contains(name)).or_else(|| own.iter().find(|axis| short(axis)).copied());
    let place = by.and_then(|by| x.axes.iter().position(|axis| axis.name == by));
    let mut series: Vec<(String, Vec<(f64, f64)>)> = Vec::new();
    for (cell, (across, up)) in x.cells.iter().zip(&y.cells).enumerate() {
        let name = place.map_or("", |place| x.labels(cell)[place]);
        let point = (across.mean, up.mean);
        match series.iter_mut().find(|(known, _)| known == name) {
            Some((_, points)) => points.push(point),
            None => series.push((name.to_owned(), vec![point])),
        }
    }
    let points: Vec<(f64, f64)> = series.iter().flat_map(|(_, points)| points.iter().copied()).collect();
    let better = means.then(|| Some((high_is_better(&first.name)?, high_is_better(&second.name)?))).flatten();
    let front = better.map_or(Vec::new(), |(x, y)| front(&points, x, y));
    let title = format!("{} against {}", second.name, first.name);
    let word = |high: bool| if high { "high" } else { "low" };
    let said = match better {
        Some((x, y)) => format!(
            " The dashed line is the Pareto front for {} {} and {} {}, as the names say.",
            word(x),
            first.name,
            word(y),
            second.name
        ),
        None => String::new(),
    };
    let of = if means { "the mean of an arm" } else { "a trial" };
    let description = format!("Scatter plot: {title}; a point is {of}.{said}");
    let scatter = Scatter { x: first.name.clone(), y: second.name.clone(), series, front };
    Some(Figure::new(&title, title.clone(), description, Drawing::Scatter(scatter)))
}

/// What the name of a measure says of which end is better; none where it says nothing.
fn high_is_better(name: &str) -> Option<bool> {
    const LOW: [&str; 20] = [
        "loss",
        "error",
        "err",
        "nll",
        "ece",
        "brier",
        "gap",
        "violation",
        "risk",
        "regret",
        "cost",
        "disparity",
        "perplexity",
        "rmse",
        "mse",
        "mae",
        "distance",
        "bias",
        "unfairness",
        "deviation",
    ];
    const HIGH: [&str; 11] =
        ["accuracy", "acc", "f1", "auc", "auroc", "precision", "recall", "score", "reward", "purity", "r2"];
    let name = name.to_lowercase();
    let has = |words: &[&str]| name.split(|c: char| !c.is_alphanumeric()).any(|part| words.contains(&part));
    match (has(&LOW), has(&HIGH)) {
        (true, _) => Some(false),
        (false, true) => Some(true),
        (false, false) => None,
    }
}

/// Where a file measures mean confidence and the share that was right over the same bins.
fn reliability(measures: &[&StoredMeasure]) -> Option<Figure> {
    let confidence = measures.iter().find(|measure| measure.name.contains("confid"))?;
    let words = ["right", "accura", "share", "frequen", "correct"];
    let right = measures.iter().find(|measure| {
        measure.axes == confidence.axes && words.iter().any(|word| measure.name.contains(word))
    })?;
    let axes = distinguishing(confidence);
    let bin = axes.iter().copied().find(|name| name.contains("Bin")).or(axes.last().copied())?;
    let mut kept: Vec<&str> = axes.iter().copied().filter(|name| *name != bin).collect();
    kept.push(bin);
    let (x, y): (Grid, Grid) = (grid(confidence, &kept), grid(right, &kept));
    let length = x.axes.last()?.labels.len();
    let within =
        |grid: &Grid| grid.cells.iter().all(|cell| cell.mean.is_nan() || (0.0..=1.0).contains(&cell.mean));
    if !within(&x) || !within(&y) || x.cells.len() / length > super::over::MOST_SERIES {
        return None;
    }
    let names = &x;
    let series = x.cells.chunks(length).zip(y.cells.chunks(length)).enumerate().map(|(number, (x, y))| {
        let labels = names.labels(number * length);
        (labels[..labels.len() - 1].join(", "), x.iter().zip(y).map(|(x, y)| (x.mean, y.mean)).collect())
    });
    let title = format!("Reliability: {} against {}", right.name, confidence.name);
    let description = format!(
        "Reliability diagram: {} over {} of each {bin}{}. On the dashed line both are equal.",
        right.name,
        confidence.name,
        over_words(confidence, &kept)
    );
    let drawing = Reliability {
        x: format!("{} (share)", confidence.name),
        y: format!("{} (share)", right.name),
        series: series.collect(),
    };
    Some(Figure::new("reliability", title, description, Drawing::Reliability(drawing)))
}

fn is_constant(measure: &StoredMeasure) -> bool {
    let mut finite = measure.values.iter().filter(|value| value.is_finite());
    let first = finite.next();
    finite.all(|value| Some(value) == first)
}

/// Values of single examples are for tables and other programs.
fn has_examples(measure: &StoredMeasure, results: &StoredResults) -> bool {
    measure.axes.iter().any(|axis| results.examples.iter().any(|examples| examples.axis == axis.name))
}
