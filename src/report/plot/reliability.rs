//! A reliability diagram: the share that was right against the confidence, for each bin, with the line on which both are equal.

use super::canvas::class;
use super::frame::{Across, Frame};
use super::scale::Scale;
use crate::report::number::short;

#[derive(Debug)]
pub struct Reliability {
    pub x: String,
    pub y: String,
    /// Confidence and share that was right, of each bin.
    pub series: Vec<(String, Vec<(f64, f64)>)>,
}

pub fn draw(diagram: &Reliability) -> (String, f64) {
    let (across, up) = (Scale::between(0.0, 1.0), Scale::between(0.0, 1.0));
    let mut frame = Frame::new(Across::Numbers(across), &diagram.x, up, &diagram.y);
    if let (Some(low), Some(high)) = (corner(&frame, 0.0), corner(&frame, 1.0)) {
        frame.canvas.line("zero", low, high);
    }
    for (number, (name, bins)) in diagram.series.iter().enumerate() {
        // An empty bin has no mean; files write 0 for it.
        let known = |(x, y): &(f64, f64)| x.is_finite() && y.is_finite() && (*x, *y) != (0.0, 0.0);
        let mut bins: Vec<(f64, f64)> = bins.iter().copied().filter(known).collect();
        bins.sort_by(|a, b| a.0.total_cmp(&b.0));
        let placed: Vec<(f64, f64)> =
            bins.iter().filter_map(|(x, y)| Some((frame.x.place(*x)?, frame.y.place(*y)?))).collect();
        frame.canvas.path(&format!("curve {}", class(number)), &placed, false);
        for ((confidence, right), place) in bins.iter().zip(&placed) {
            let name = if name.is_empty() { String::new() } else { format!("{name}, ") };
            let tip = format!("{name}confidence {}: {} right", short(*confidence), short(*right));
            frame.canvas.mark(number, *place, &tip);
        }
    }
    let names: Vec<&str> = diagram.series.iter().map(|(name, _)| name.as_str()).collect();
    frame.legend(&names);
    frame.finish()
}

fn corner(frame: &Frame, value: f64) -> Option<(f64, f64)> {
    Some((frame.x.place(value)?, frame.y.place(value)?))
}
