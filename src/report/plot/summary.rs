//! Values with axes, brought down to the axes that a plot or table shows: means with intervals over the others.

use super::Estimate;
use crate::report::stored::{StoredAxis, StoredMeasure};
use crate::run::summarise;

/// Axes whose positions repeat one experiment: intervals are over them. A part of the data that was held out in turn repeats
/// it, too.
pub const REPLICATES: [&str; 2] = ["Seed", "Fold"];

/// Estimates over some axes, row-major.
#[derive(Debug)]
pub struct Grid<'a> {
    pub axes: Vec<&'a StoredAxis>,
    pub cells: Vec<Estimate>,
}

/// The means over all axes that are not kept. Axes that the measure does not have are left out.
pub fn grid<'a>(measure: &'a StoredMeasure, kept: &[&str]) -> Grid<'a> {
    let places: Vec<usize> =
        kept.iter().filter_map(|name| measure.axes.iter().position(|axis| axis.name == *name)).collect();
    let axes: Vec<&StoredAxis> = places.iter().map(|place| &measure.axes[*place]).collect();
    let count = axes.iter().map(|axis| axis.labels.len()).product();
    let mut values: Vec<Vec<f64>> = vec![Vec::new(); count];
    for (number, value) in measure.values.iter().enumerate() {
        let positions = positions(number, &measure.axes);
        let cell =
            places.iter().fold(0, |cell, place| cell * measure.axes[*place].labels.len() + positions[*place]);
        // Those of trials that diverged are no numbers.
        if !value.is_nan() {
            values[cell].push(*value);
        }
    }
    let estimate = |values: &Vec<f64>| {
        let cell = summarise(values);
        Estimate { mean: cell.mean, half_width: cell.half_width }
    };
    Grid { axes, cells: values.iter().map(estimate).collect() }
}

/// The names of the axes that do not repeat the experiment.
pub fn distinguishing(measure: &StoredMeasure) -> Vec<&str> {
    let names = measure.axes.iter().map(|axis| axis.name.as_str());
    names.filter(|name| !REPLICATES.contains(name)).collect()
}

/// The means over seeds and folds.
pub fn over_replicates(measure: &StoredMeasure) -> Grid<'_> {
    grid(measure, &distinguishing(measure))
}

/// The position on each axis of the value with that number, row-major.
pub fn positions(mut number: usize, axes: &[StoredAxis]) -> Vec<usize> {
    let mut positions = vec![0; axes.len()];
    for (at, axis) in axes.iter().enumerate().rev() {
        positions[at] = number % axis.labels.len().max(1);
        number /= axis.labels.len().max(1);
    }
    positions
}

impl Grid<'_> {
    /// The labels of a cell, one for each axis.
    pub fn labels(&self, mut cell: usize) -> Vec<&str> {
        let mut labels = vec![""; self.axes.len()];
        for (at, axis) in self.axes.iter().enumerate().rev() {
            labels[at] = &axis.labels[cell % axis.labels.len()];
            cell /= axis.labels.len();
        }
        labels
    }
}

/// Whether an axis stands for numbers: all its labels are, and there are enough of them for a course.
pub fn numbers(axis: &StoredAxis) -> Option<Vec<f64>> {
    let numbers: Option<Vec<f64>> = axis.labels.iter().map(|label| label.parse::<f64>().ok()).collect();
    numbers.filter(|numbers| numbers.iter().all(|number| number.is_finite()))
}

/// In words: `, mean over Seed`; nothing where every value stands for itself.
pub fn over_words(measure: &StoredMeasure, kept: &[&str]) -> String {
    let over: Vec<&str> =
        measure.axes.iter().filter(|axis| axis.labels.len() > 1).map(|axis| axis.name.as_str()).collect();
    let over: Vec<&str> = over.into_iter().filter(|name| !kept.contains(name)).collect();
    match over.as_slice() {
        [] => String::new(),
        over => format!(", mean over {}", over.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    pub fn measure(name: &str, axes: &[(&str, &[&str])], values: &[f64]) -> StoredMeasure {
        let axis = |(name, labels): &(&str, &[&str])| StoredAxis {
            name: (*name).to_owned(),
            labels: labels.iter().map(|label| (*label).to_owned()).collect(),
        };
        StoredMeasure {
            name: name.to_owned(),
            axes: axes.iter().map(axis).collect(),
            values: values.into(),
            line: 1,
        }
    }

    #[test]
    fn kept_axes_stand_in_the_order_asked_for() {
        let axes: [(&str, &[&str]); 3] = [("A", &["x", "y"]), ("Seed", &["0", "1"]), ("B", &["p", "q", "r"])];
        let values: Vec<f64> = (0..12).map(f64::from).collect();
        let measure = measure("m", &axes, &values);
        let grid = grid(&measure, &["B", "A"]);
        let means: Vec<f64> = grid.cells.iter().map(|cell| cell.mean).collect();
        assert_eq!(means, [1.5, 7.5, 2.5, 8.5, 3.5, 9.5]);
        assert_eq!(grid.labels(3), ["q", "y"]);
        assert_eq!(over_replicates(&measure).cells.len(), 6);
    }
}
