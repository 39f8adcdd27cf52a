//! Two measures against each other, a point for each trial; with the Pareto front where it is known which end of each is better.

use super::frame::{Across, Frame};
use super::scale::Scale;
use crate::report::number::short;

#[derive(Debug)]
pub struct Scatter {
    pub x: String,
    pub y: String,
    pub series: Vec<(String, Vec<(f64, f64)>)>,
    /// Points of which no other is better in both.
    pub front: Vec<(f64, f64)>,
}

/// Values that spread further than this stand on a logarithmic scale.
const RATIO: f64 = 1000.0;

pub fn draw(scatter: &Scatter) -> (String, f64) {
    let points: Vec<(f64, f64)> =
        scatter.series.iter().flat_map(|(_, points)| points.iter().copied()).collect();
    let x = Scale::fitting(&points.iter().map(|(x, _)| *x).collect::<Vec<_>>(), RATIO);
    let y = Scale::fitting(&points.iter().map(|(_, y)| *y).collect::<Vec<_>>(), RATIO);
    let mut frame = Frame::new(Across::Numbers(x), &scatter.x, y, &scatter.y);
    // Between two points of the front, what is reached is the worse of both: the front has steps.
    let mut steps: Vec<(f64, f64)> = Vec::new();
    for (x, y) in &scatter.front {
        let (Some(x), Some(y)) = (frame.x.place(*x), frame.y.place(*y)) else { continue };
        steps.push((x, y));
    }
    frame.canvas.path("front", &steps, false);
    for (number, (name, points)) in scatter.series.iter().enumerate() {
        for (x, y) in points {
            let (Some(at), Some(up)) = (frame.x.place(*x), frame.y.place(*y)) else { continue };
            let name = if name.is_empty() { String::new() } else { format!("{name}: ") };
            frame.canvas.mark(number, (at, up), &format!("{name}{}, {}", short(*x), short(*y)));
        }
    }
    let names: Vec<&str> = scatter.series.iter().map(|(name, _)| name.as_str()).collect();
    frame.legend(&names);
    frame.finish()
}

/// The points of which no other is at least as good in both and better in one, from left to right.
pub fn front(points: &[(f64, f64)], x_high_is_better: bool, y_high_is_better: bool) -> Vec<(f64, f64)> {
    let good =
        |(x, y): (f64, f64)| (if x_high_is_better { x } else { -x }, if y_high_is_better { y } else { -y });
    let finite: Vec<(f64, f64)> =
        points.iter().copied().filter(|(x, y)| x.is_finite() && y.is_finite()).collect();
    let beaten = |point: &(f64, f64)| {
        let own = good(*point);
        finite.iter().any(|other| {
            let other = good(*other);
            other.0 >= own.0 && other.1 >= own.1 && other != own
        })
    };
    let mut front: Vec<(f64, f64)> = finite.iter().copied().filter(|point| !beaten(point)).collect();
    front.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
    front.dedup();
    front
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_front_is_what_nothing_beats() {
        let points = [(1.0, 1.0), (2.0, 3.0), (3.0, 2.0), (2.5, 2.5), (3.0, 1.0), (f64::NAN, 9.0)];
        assert_eq!(front(&points, true, true), [(2.0, 3.0), (2.5, 2.5), (3.0, 2.0)]);
        assert_eq!(front(&points, false, false), [(1.0, 1.0)]);
        assert_eq!(front(&points, false, true), [(1.0, 1.0), (2.0, 3.0)]);
    }
}
