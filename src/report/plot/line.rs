//! Curves over numbers, each with a band for its intervals.

use super::Estimate;
use super::canvas::class;
use super::frame::{Across, Frame};
use super::scale::Scale;
use crate::report::number::short;

#[derive(Debug)]
pub struct Lines {
    pub x: String,
    pub y: String,
    pub series: Vec<Line>,
}

#[derive(Debug)]
pub struct Line {
    pub name: String,
    pub points: Vec<(f64, Estimate)>,
}

/// Values that spread further than this stand on a logarithmic scale.
const RATIO: f64 = 50.0;
/// Up to so many points, each has a mark.
const MARKED: usize = 24;

pub fn draw(lines: &Lines) -> (String, f64) {
    let points = || lines.series.iter().flat_map(|line| &line.points);
    let across: Vec<f64> = points().map(|(x, _)| *x).collect();
    let means: Vec<f64> = points().map(|(_, estimate)| estimate.mean).collect();
    let mut up = Scale::fitting(&means, RATIO);
    if !up.is_logarithmic() {
        up = Scale::linear(points().flat_map(|(_, estimate)| [estimate.ends().0, estimate.ends().1]), false);
    }
    let logarithmic = |scale: &Scale| if scale.is_logarithmic() { " (logarithmic)" } else { "" };
    let up_name = format!("{}{}", lines.y, logarithmic(&up));
    let x = across_scale(&across);
    let across_name = format!("{}{}", lines.x, logarithmic(&x));
    let mut frame = Frame::new(Across::Numbers(x), &across_name, up, &up_name);
    for (number, line) in lines.series.iter().enumerate() {
        band(&mut frame, number, line);
    }
    for (number, line) in lines.series.iter().enumerate() {
        curve(&mut frame, number, line);
    }
    let names: Vec<&str> = lines.series.iter().map(|line| line.name.as_str()).collect();
    frame.legend(&names);
    frame.finish()
}

/// Numbers along the lower edge: a factor apart they stand on a logarithmic scale.
fn across_scale(values: &[f64]) -> Scale {
    let mut sorted: Vec<f64> = values.iter().copied().filter(|value| value.is_finite()).collect();
    sorted.sort_by(f64::total_cmp);
    sorted.dedup();
    // Steps that grow as the values do: 0.001, 0.01, 0.1.
    let grows = sorted.len() >= 3 && {
        let (first, last) = (sorted[1] - sorted[0], sorted[sorted.len() - 1] - sorted[sorted.len() - 2]);
        last > 4.0 * first
    };
    if grows { Scale::fitting(&sorted, 8.0) } else { Scale::linear(sorted, false) }
}

/// The points of a curve up to each place where it is broken.
fn pieces(frame: &Frame, line: &Line) -> Vec<Vec<(f64, f64, Estimate)>> {
    let mut pieces = vec![Vec::new()];
    for (x, estimate) in &line.points {
        match (frame.x.place(*x), frame.y.place(estimate.mean)) {
            (Some(at), Some(up)) => {
                if let Some(piece) = pieces.last_mut() {
                    piece.push((at, up, *estimate));
                }
            }
            _ => pieces.push(Vec::new()),
        }
    }
    pieces.retain(|piece| !piece.is_empty());
    pieces
}

fn band(frame: &mut Frame, number: usize, line: &Line) {
    for piece in pieces(frame, line) {
        if piece.iter().all(|(_, _, estimate)| estimate.half_width.is_none()) {
            continue;
        }
        let end = |end: f64, mean: f64| {
            // On a logarithmic scale an interval may reach below all that can be shown.
            frame
                .y
                .place(end)
                .or_else(|| frame.y.place(f64::MIN_POSITIVE))
                .or(frame.y.place(mean))
                .unwrap_or(0.0)
        };
        let upper = piece.iter().map(|(x, _, estimate)| (*x, end(estimate.ends().1, estimate.mean)));
        let lower = piece.iter().rev().map(|(x, _, estimate)| (*x, end(estimate.ends().0, estimate.mean)));
        let outline: Vec<(f64, f64)> = upper.chain(lower).collect();
        frame.canvas.path(&format!("band {}", class(number)), &outline, true);
    }
}

fn curve(frame: &mut Frame, number: usize, line: &Line) {
    let marked = line.points.len() <= MARKED;
    for piece in pieces(frame, line) {
        let points: Vec<(f64, f64)> = piece.iter().map(|(x, y, _)| (*x, *y)).collect();
        frame.canvas.path(&format!("curve {}", class(number)), &points, false);
    }
    for (x, estimate) in line.points.iter().filter(|_| marked) {
        if let (Some(at), Some(up)) = (frame.x.place(*x), frame.y.place(estimate.mean)) {
            let name = if line.name.is_empty() { String::new() } else { format!("{}, ", line.name) };
            frame.canvas.mark(number, (at, up), &format!("{name}{}: {}", short(*x), estimate.shown()));
        }
    }
}
