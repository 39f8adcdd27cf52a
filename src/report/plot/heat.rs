//! A heat map: means over two axes, each cell with its colour and its number.

use super::canvas::{Anchor, Canvas, fitted, width};
use super::frame::WIDTH;
use super::scale::Scale;
use crate::report::number::short;

#[derive(Debug)]
pub struct Heat {
    pub what: String,
    pub down: String,
    pub across: String,
    pub rows: Vec<String>,
    pub columns: Vec<String>,
    /// Row-major.
    pub values: Vec<f64>,
}

/// Stops of the viridis map: even in lightness, and readable with any kind of colour vision and in grey.
const STOPS: [(f64, f64, f64); 6] = [
    (68.0, 1.0, 84.0),
    (65.0, 68.0, 135.0),
    (42.0, 120.0, 142.0),
    (34.0, 168.0, 132.0),
    (122.0, 209.0, 81.0),
    (253.0, 231.0, 37.0),
];

pub fn draw(heat: &Heat) -> (String, f64) {
    let mut canvas = Canvas::default();
    let widest = heat.rows.iter().map(|label| width(label)).fold(0.0, f64::max).min(110.0);
    let (left, top) = (widest + 32.0, 8.0);
    let cell_width = (WIDTH - 8.0 - left) / heat.columns.len().max(1) as f64;
    let cell_height = (220.0 / heat.rows.len().max(1) as f64).clamp(8.0, 34.0);
    let bottom = top + cell_height * heat.rows.len() as f64;
    let scale = Scale::linear(heat.values.iter().copied(), false);
    for (number, value) in heat.values.iter().enumerate() {
        let (row, column) = (number / heat.columns.len(), number % heat.columns.len());
        let corner = (left + column as f64 * cell_width, top + row as f64 * cell_height);
        let tip = format!("{}, {}: {}", heat.rows[row], heat.columns[column], short(*value));
        let Some(share) = scale.place(*value) else {
            canvas.rectangle("missing", None, corner, (cell_width, cell_height), &tip);
            continue;
        };
        let (colour, is_light) = colour(share);
        canvas.rectangle("cell", Some(&colour), corner, (cell_width, cell_height), &tip);
        let text = short(*value);
        if width(&text) + 2.0 < cell_width && cell_height > 13.0 {
            let class = if is_light { "value on-light" } else { "value on-dark" };
            let middle = (corner.0 + cell_width / 2.0, corner.1 + cell_height / 2.0 + 4.0);
            canvas.text(class, middle, Anchor::Middle, &text);
        }
    }
    let every = (13.0 / cell_height).ceil().max(1.0) as usize;
    for (row, label) in heat.rows.iter().enumerate().step_by(every) {
        let y = top + (row as f64 + 0.5) * cell_height + 4.0;
        canvas.text("tick", (left - 6.0, y), Anchor::End, &fitted(label, widest));
    }
    let below = columns(&mut canvas, heat, left, cell_width, bottom);
    let down = fitted(&heat.down, bottom - top);
    canvas.turned("name", (12.0, (top + bottom) / 2.0), Anchor::Middle, -90.0, &down);
    canvas.text("name", ((left + WIDTH - 8.0) / 2.0, below + 14.0), Anchor::Middle, &heat.across);
    let height = key(&mut canvas, heat, left, below + 24.0);
    (canvas.finish(), height)
}

/// The labels of the columns, turned where they would touch. Where they end.
fn columns(canvas: &mut Canvas, heat: &Heat, left: f64, cell_width: f64, bottom: f64) -> f64 {
    let widest = heat.columns.iter().map(|label| width(label)).fold(0.0, f64::max);
    let turned = widest + 4.0 > cell_width;
    let every = if turned { (13.0 / cell_width).ceil().max(1.0) as usize } else { 1 };
    for (column, label) in heat.columns.iter().enumerate().step_by(every) {
        let x = left + (column as f64 + 0.5) * cell_width;
        match turned {
            true => canvas.turned("tick", (x + 4.0, bottom + 12.0), Anchor::End, -40.0, &fitted(label, 90.0)),
            false => canvas.text("tick", (x, bottom + 15.0), Anchor::Middle, label),
        }
    }
    bottom + if turned { 14.0 + 0.65 * widest.min(90.0) } else { 18.0 }
}

/// What the colours mean. Where it ends.
fn key(canvas: &mut Canvas, heat: &Heat, left: f64, top: f64) -> f64 {
    let finite = || heat.values.iter().copied().filter(|value| value.is_finite());
    let Some(low) = finite().reduce(f64::min) else { return top };
    let high = finite().fold(low, f64::max);
    let scale = Scale::linear(finite(), false);
    let (from, to) = (scale.place(low).unwrap_or(0.0), scale.place(high).unwrap_or(1.0));
    let (low, high) = (short(low), short(high));
    canvas.text("tick", (left, top + 10.0), Anchor::Start, &low);
    let start = left + width(&low) + 6.0;
    for part in 0..10 {
        let (colour, _) = colour(from + (to - from) * (f64::from(part) + 0.5) / 10.0);
        canvas.rectangle("cell", Some(&colour), (start + 8.0 * f64::from(part), top), (8.0, 11.0), "");
    }
    let end = start + 86.0;
    canvas.text("tick", (end, top + 10.0), Anchor::Start, &high);
    let room = WIDTH - end - width(&high) - 16.0;
    canvas.text("tick", (end + width(&high) + 10.0, top + 10.0), Anchor::Start, &fitted(&heat.what, room));
    top + 20.0
}

/// The colour of a share of the scale, and whether dark text is read on it.
fn colour(share: f64) -> (String, bool) {
    let place = share.clamp(0.0, 1.0) * (STOPS.len() - 1) as f64;
    let at = (place.floor() as usize).min(STOPS.len() - 2);
    let rest = place - at as f64;
    let mix = |from: f64, to: f64| (from + rest * (to - from)).round();
    let (from, to) = (STOPS[at], STOPS[at + 1]);
    let (red, green, blue) = (mix(from.0, to.0), mix(from.1, to.1), mix(from.2, to.2));
    let is_light = 0.299 * red + 0.587 * green + 0.114 * blue > 125.0;
    (format!("#{:02x}{:02x}{:02x}", red as u8, green as u8, blue as u8), is_light)
}
