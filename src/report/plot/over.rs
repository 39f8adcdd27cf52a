//! One value over an axis, broken down by others: curves where the axis stands for numbers, else bars.

use super::bar::{BarSeries, Bars, stand_on_zero};
use super::line::{Line, Lines};
use super::summary::{Grid, grid, numbers, over_words};
use super::{Drawing, Estimate, Figure};
use crate::report::stored::{StoredAxis, StoredMeasure};

/// More curves or bars than this cannot be told apart.
pub const MOST_SERIES: usize = 14;
const MOST_BARS: usize = 80;
const MOST_POINTS: usize = 4000;

/// Axes whose positions follow each other in time, however few they are.
const COURSES: [&str; 7] = ["Step", "Epoch", "Round", "Tenth", "Checkpoint", "Look", super::training::DONE];

/// The numbers that an axis stands for. Positions counted from 0, as those of a class, are no numbers.
pub fn course(axis: &StoredAxis) -> Option<Vec<f64>> {
    let numbers = numbers(axis)?;
    let grows = numbers.windows(2).all(|pair| pair[0] < pair[1]);
    let counted = numbers.iter().enumerate().all(|(at, number)| at as f64 == *number);
    let known = COURSES.iter().any(|course| axis.name.starts_with(course));
    (grows && numbers.len() >= 3 && (!counted || known || numbers.len() > 12)).then_some(numbers)
}

/// None where the value has no such axis, or there would be more than can be read.
pub fn over(measure: &StoredMeasure, over: &str, by: &[&str]) -> Option<Figure> {
    let mut kept: Vec<&str> = by.iter().copied().filter(|name| *name != over).collect();
    kept.push(over);
    let grid = grid(measure, &kept);
    let axis = grid.axes.last().filter(|axis| axis.name == over)?;
    let (count, length) = (grid.cells.len() / axis.labels.len().max(1), axis.labels.len());
    if count == 0 || count > MOST_SERIES || grid.cells.len() > MOST_POINTS {
        return None;
    }
    let series: Vec<(String, &[Estimate])> = grid
        .cells
        .chunks(length)
        .enumerate()
        .map(|(number, cells)| {
            let labels = grid.labels(number * length);
            (labels[..labels.len() - 1].join(", "), cells)
        })
        .collect();
    let by_words = match grid.axes.len() {
        1 => String::new(),
        several => {
            let names: Vec<&str> = grid.axes[..several - 1].iter().map(|axis| axis.name.as_str()).collect();
            format!(" by {}", names.join(", "))
        }
    };
    let title = format!("{} over {over}{by_words}", measure.name);
    let drawing = match course(axis) {
        Some(places) => Drawing::Lines(Lines {
            x: over.to_owned(),
            y: measure.name.clone(),
            series: series
                .into_iter()
                .map(|(name, cells)| Line {
                    name,
                    points: places.iter().copied().zip(cells.iter().copied()).collect(),
                })
                .collect(),
        }),
        None if grid.cells.len() > MOST_BARS => return None,
        None => Drawing::Bars(Bars {
            x: over.to_owned(),
            y: measure.name.clone(),
            categories: axis.labels.clone(),
            series: series
                .into_iter()
                .map(|(name, cells)| BarSeries { name, estimates: cells.to_vec() })
                .collect(),
        }),
    };
    let kind = match &drawing {
        Drawing::Lines(_) => "Curves",
        Drawing::Bars(bars) if stand_on_zero(bars) => "Bars",
        _ => "Points",
    };
    let interval = match over_words(measure, &kept) {
        words if words.is_empty() => words,
        words => format!("{words} with its 95 % interval"),
    };
    let description = format!("{kind}: {title}{interval}.{}", values_in_words(&grid, measure));
    Some(Figure::new(&title, title.clone(), description, drawing))
}

/// Few values are said, for those who do not see the drawing.
fn values_in_words(grid: &Grid, measure: &StoredMeasure) -> String {
    if grid.cells.len() > 8 || measure.values.is_empty() {
        return String::new();
    }
    let cell = |(number, estimate): (usize, &Estimate)| {
        format!("{} {}", grid.labels(number).join(", "), estimate.shown())
    };
    let cells: Vec<String> = grid.cells.iter().enumerate().map(cell).collect();
    format!(" {}.", cells.join("; "))
}
