//! A forest plot: effects with their intervals, one a line, against the line of no effect.

use super::Estimate;
use super::canvas::{Anchor, Canvas, fitted, width};
use super::frame::WIDTH;
use super::scale::Scale;

#[derive(Debug)]
pub struct Forest {
    /// What the effects are: `accuracy, difference from Objective = plain`.
    pub x: String,
    pub effects: Vec<(String, Estimate)>,
}

const ROW: f64 = 22.0;

pub fn draw(forest: &Forest) -> (String, f64) {
    let mut canvas = Canvas::default();
    let effects = || forest.effects.iter();
    let widest = effects().map(|(label, _)| width(label)).fold(0.0, f64::max).min(175.0);
    let shown: Vec<String> = effects().map(|(_, effect)| effect.shown()).collect();
    let numbers = shown.iter().map(|text| width(text)).fold(0.0, f64::max).min(125.0);
    let (left, right) = (widest + 16.0, WIDTH - numbers - 18.0);
    let ends = effects().flat_map(|(_, effect)| [effect.ends().0, effect.ends().1]);
    // The line of no effect belongs to the drawing.
    let scale = Scale::linear(ends.chain([0.0]), false).placed(left, right);
    let bottom = 8.0 + ROW * forest.effects.len() as f64 + 4.0;
    let mut ticks = scale.ticks(4);
    let room = (right - left) / ticks.len().max(1) as f64;
    let every = if ticks.iter().any(|(_, label)| width(label) + 4.0 > room) { 2 } else { 1 };
    ticks = ticks.into_iter().step_by(every).collect();
    for (value, label) in ticks {
        let Some(x) = scale.place(value) else { continue };
        canvas.line("grid", (x, 8.0), (x, bottom));
        canvas.text("tick", (x, bottom + 15.0), Anchor::Middle, &label);
    }
    if let Some(zero) = scale.place(0.0) {
        canvas.line("zero", (zero, 8.0), (zero, bottom));
    }
    canvas.line("axis", (left, bottom), (right, bottom));
    for (row, ((label, effect), shown)) in effects().zip(&shown).enumerate() {
        let y = 8.0 + ROW * (row as f64 + 0.5);
        canvas.text("tick", (left - 8.0, y + 4.0), Anchor::End, &fitted(label, widest));
        canvas.text("tick", (right + 10.0, y + 4.0), Anchor::Start, &fitted(shown, numbers + 6.0));
        let (low, high) = effect.ends();
        if let (Some(low), Some(high), Some(_)) = (scale.place(low), scale.place(high), effect.half_width) {
            canvas.line("whisker s0", (low, y), (high, y));
            canvas.line("whisker s0", (low, y - 3.0), (low, y + 3.0));
            canvas.line("whisker s0", (high, y - 3.0), (high, y + 3.0));
        }
        if let Some(x) = scale.place(effect.mean) {
            canvas.rectangle("bar s0", None, (x - 3.5, y - 3.5), (7.0, 7.0), &format!("{label}: {shown}"));
        }
    }
    let name = fitted(&forest.x, WIDTH - 8.0);
    // Under the middle of the lines, as far as it fits on the drawing.
    let half = width(&name) / 2.0;
    let middle = ((left + right) / 2.0).min(WIDTH - half - 2.0).max(half + 2.0);
    canvas.text("name", (middle, bottom + 33.0), Anchor::Middle, &name);
    (canvas.finish(), bottom + 42.0)
}
