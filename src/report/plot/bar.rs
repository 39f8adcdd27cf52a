//! Bars with intervals, for each category and series; points where the values lie too close for lengths from zero to tell.

use super::Estimate;
use super::canvas::class;
use super::frame::{Across, Frame};
use super::scale::Scale;

#[derive(Debug)]
pub struct Bars {
    /// The axis of the categories.
    pub x: String,
    pub y: String,
    pub categories: Vec<String>,
    pub series: Vec<BarSeries>,
}

#[derive(Debug)]
pub struct BarSeries {
    pub name: String,
    /// One for each category.
    pub estimates: Vec<Estimate>,
}

/// Whether lengths from zero tell the values apart; else they are drawn as points.
pub fn stand_on_zero(bars: &Bars) -> bool {
    let means = bars.series.iter().flat_map(|series| &series.estimates).map(|estimate| estimate.mean);
    let finite: Vec<f64> = means.filter(|mean| mean.is_finite()).collect();
    let low = finite.iter().copied().fold(f64::INFINITY, f64::min);
    let high = finite.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    !(low > 0.6 * high || high < 0.6 * low)
}

pub fn draw(bars: &Bars) -> (String, f64) {
    let estimates = || bars.series.iter().flat_map(|series| &series.estimates);
    let from_zero = stand_on_zero(bars);
    let ends: Vec<f64> = estimates().flat_map(|estimate| [estimate.ends().0, estimate.ends().1]).collect();
    let below_zero = ends.iter().any(|end| *end < 0.0);
    let up = Scale::linear(ends, from_zero);
    let mut frame = Frame::new(Across::Categories(&bars.categories), &bars.x, up, &bars.y);
    let share = 0.8 / bars.series.len().max(1) as f64;
    if let (true, Some(zero)) = (from_zero && below_zero, frame.y.place(0.0)) {
        let (left, right) = frame.ends();
        frame.canvas.line("axis", (left, zero), (right, zero));
    }
    for (number, series) in bars.series.iter().enumerate() {
        for (at, estimate) in series.estimates.iter().enumerate() {
            let Some(top) = frame.y.place(estimate.mean) else { continue };
            let from = frame.category(at, 0.1 + share * number as f64);
            let width = (frame.category(at, 0.1 + share * (number + 1) as f64) - from).min(46.0);
            let middle = frame.category(at, 0.1 + share * (number as f64 + 0.5));
            let tip = match series.name.as_str() {
                "" => format!("{}: {}", bars.categories[at], estimate.shown()),
                name => format!("{}, {name}: {}", bars.categories[at], estimate.shown()),
            };
            let (low, high) = estimate.ends();
            if from_zero {
                let zero = frame.y.place(0.0).unwrap_or(top);
                let corner = (middle - 0.45 * width, top.min(zero));
                let size = (0.9 * width, (top - zero).abs().max(0.5));
                frame.canvas.rectangle(&format!("bar {}", class(number)), None, corner, size, &tip);
                if estimate.half_width.is_some() {
                    over_bar(&mut frame, middle, low, high);
                }
            } else {
                if estimate.half_width.is_some() {
                    frame.whisker(number, middle, low, high);
                }
                frame.canvas.mark(number, (middle, top), &tip);
            }
        }
    }
    let names: Vec<&str> = bars.series.iter().map(|series| series.name.as_str()).collect();
    frame.legend(&names);
    frame.finish()
}

/// An interval in the colour of text, as one in the colour of its bar could not be seen.
fn over_bar(frame: &mut Frame, x: f64, low: f64, high: f64) {
    let (Some(low), Some(high)) = (frame.y.place(low), frame.y.place(high)) else { return };
    frame.canvas.line("over-bar", (x, low), (x, high));
    frame.canvas.line("over-bar", (x - 3.0, low), (x + 3.0, low));
    frame.canvas.line("over-bar", (x - 3.0, high), (x + 3.0, high));
}
