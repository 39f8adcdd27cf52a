//! The frame of a drawing: where the axes stand, their ticks and names, the grid and the legend.

use super::canvas::{Anchor, Canvas, class, fitted, width};
use super::scale::Scale;

/// Width of every drawing: that of a small screen, so that letters keep their size there.
pub const WIDTH: f64 = 420.0;
const HEIGHT: f64 = 240.0;
const TOP: f64 = 12.0;
const RIGHT: f64 = 12.0;
const LINE: f64 = 17.0;

/// What stands along the lower edge.
pub enum Across<'a> {
    Numbers(Scale),
    Categories(&'a [String]),
}

pub struct Frame {
    pub canvas: Canvas,
    pub x: Scale,
    pub y: Scale,
    /// Whether categories stand along the lower edge: their number.
    categories: usize,
    left: f64,
    bottom: f64,
    /// Where the next thing below is drawn.
    below: f64,
}

impl Frame {
    /// Draws the axes with their ticks and names.
    pub fn new(across: Across<'_>, across_name: &str, up: Scale, up_name: &str) -> Self {
        let ticks = up.ticks(5);
        let widest = ticks.iter().map(|(_, label)| width(label)).fold(0.0, f64::max);
        let left = (widest + 30.0).min(120.0);
        let mut frame = Frame {
            canvas: Canvas::default(),
            x: Scale::between(0.0, 1.0).placed(left, WIDTH - RIGHT),
            y: up.placed(HEIGHT, TOP),
            categories: 0,
            left,
            bottom: HEIGHT,
            below: HEIGHT + 16.0,
        };
        for (value, label) in ticks {
            let Some(y) = frame.y.place(value) else { continue };
            frame.canvas.line("grid", (left, y), (WIDTH - RIGHT, y));
            frame.canvas.text("tick", (left - 6.0, y + 4.0), Anchor::End, &label);
        }
        let middle = (TOP + HEIGHT) / 2.0;
        let name = fitted(up_name, HEIGHT - TOP);
        frame.canvas.turned("name", (12.0, middle), Anchor::Middle, -90.0, &name);
        match across {
            Across::Numbers(scale) => frame.numbers(scale),
            Across::Categories(labels) => frame.names(labels),
        }
        frame.canvas.line("axis", (left, HEIGHT), (WIDTH - RIGHT, HEIGHT));
        if !across_name.is_empty() {
            let name = fitted(across_name, WIDTH - RIGHT - left);
            frame.canvas.text(
                "name",
                ((left + WIDTH - RIGHT) / 2.0, frame.below + 14.0),
                Anchor::Middle,
                &name,
            );
            frame.below += LINE;
        }
        frame
    }

    fn numbers(&mut self, scale: Scale) {
        self.x = scale.placed(self.left, WIDTH - RIGHT);
        let mut ticks = self.x.ticks(5);
        let room = (WIDTH - RIGHT - self.left) / ticks.len().max(1) as f64;
        // Every second tick where labels would touch.
        let every = if ticks.iter().any(|(_, label)| width(label) + 6.0 > room) { 2 } else { 1 };
        ticks = ticks.into_iter().step_by(every).collect();
        for (value, label) in ticks {
            let Some(x) = self.x.place(value) else { continue };
            self.canvas.line("axis", (x, HEIGHT), (x, HEIGHT + 4.0));
            // A label at the edge must not leave the drawing.
            let x = x.min(WIDTH - width(&label) / 2.0);
            self.canvas.text("tick", (x, HEIGHT + 17.0), Anchor::Middle, &label);
        }
        self.below = HEIGHT + 20.0;
    }

    /// Labels of categories; turned where they would touch.
    fn names(&mut self, labels: &[String]) {
        self.categories = labels.len().max(1);
        let room = (WIDTH - RIGHT - self.left) / self.categories as f64;
        let widest = labels.iter().map(|label| width(label)).fold(0.0, f64::max);
        let turned = widest + 6.0 > room;
        // Every label where there is room for a line of text each.
        let every = if turned { (13.0 / room).ceil().max(1.0) as usize } else { 1 };
        let longest = 110.0f64;
        for (at, label) in labels.iter().enumerate().step_by(every) {
            let x = self.category(at, 0.5);
            if turned {
                let label = fitted(label, longest);
                self.canvas.turned("tick", (x + 4.0, HEIGHT + 13.0), Anchor::End, -40.0, &label);
            } else {
                self.canvas.text("tick", (x, HEIGHT + 16.0), Anchor::Middle, label);
            }
        }
        self.below = HEIGHT + if turned { 16.0 + 0.65 * widest.min(longest) } else { 20.0 };
    }

    /// Where a share of the room of a category stands.
    pub fn category(&self, at: usize, share: f64) -> f64 {
        let room = (WIDTH - RIGHT - self.left) / self.categories.max(1) as f64;
        self.left + (at as f64 + share) * room
    }

    /// The left and the right end of the plotted area.
    pub fn ends(&self) -> (f64, f64) {
        (self.left, WIDTH - RIGHT)
    }

    /// An interval around a value, as a line with two ends.
    pub fn whisker(&mut self, series: usize, x: f64, low: f64, high: f64) {
        let (Some(low), Some(high)) = (self.y.place(low), self.y.place(high)) else { return };
        let class = format!("whisker {}", class(series));
        self.canvas.line(&class, (x, low), (x, high));
        self.canvas.line(&class, (x - 3.0, low), (x + 3.0, low));
        self.canvas.line(&class, (x - 3.0, high), (x + 3.0, high));
    }

    /// The names of the series below the drawing, with their marks.
    pub fn legend(&mut self, names: &[&str]) {
        if names.len() < 2 && names.first().is_none_or(|name| name.is_empty()) {
            return;
        }
        let mut x = self.left;
        let mut y = self.below + 16.0;
        for (series, name) in names.iter().enumerate() {
            let name = fitted(name, WIDTH - self.left - 40.0);
            let needed = 26.0 + width(&name);
            if x + needed > WIDTH && x > self.left {
                x = self.left;
                y += LINE;
            }
            self.canvas.line(&format!("curve {}", class(series)), (x, y - 4.0), (x + 14.0, y - 4.0));
            self.canvas.mark(series, (x + 7.0, y - 4.0), "");
            self.canvas.text("tick", (x + 19.0, y), Anchor::Start, &name);
            x += needed;
        }
        self.below = y + 4.0;
    }

    /// The elements, and the height of the drawing.
    pub fn finish(self) -> (String, f64) {
        let height = self.below.max(self.bottom) + 6.0;
        (self.canvas.finish(), height)
    }
}
