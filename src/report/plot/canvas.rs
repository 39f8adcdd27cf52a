//! SVG text: shapes and words at places, everything escaped, numbers with one decimal.

use std::fmt::Write;

use crate::report::escape::{escape, shortened};

/// How many series have a colour of their own; what comes after begins again, with other dashes.
pub const COLOURS: usize = 7;

/// Width of a letter of the labels, about: SVG has no way to measure text without a script.
const LETTER: f64 = 6.1;

#[derive(Default)]
pub struct Canvas {
    out: String,
}

#[derive(Clone, Copy, PartialEq)]
pub enum Anchor {
    Start,
    Middle,
    End,
}

impl Canvas {
    pub fn line(&mut self, class: &str, from: (f64, f64), to: (f64, f64)) {
        let (x1, y1, x2, y2) = (number(from.0), number(from.1), number(to.0), number(to.1));
        self.push(format!("<line class=\"{class}\" x1=\"{x1}\" y1=\"{y1}\" x2=\"{x2}\" y2=\"{y2}\"/>"));
    }

    pub fn path(&mut self, class: &str, points: &[(f64, f64)], closed: bool) {
        if points.is_empty() {
            return;
        }
        let mut path = String::new();
        for (at, (x, y)) in points.iter().enumerate() {
            let _ = write!(path, "{}{} {}", if at == 0 { "M" } else { " L" }, number(*x), number(*y));
        }
        path.push_str(if closed { " Z" } else { "" });
        self.push(format!("<path class=\"{class}\" d=\"{path}\"/>"));
    }

    /// A rectangle; `fill` only where the colour stands for a value. What it stands for is shown when it is pointed at.
    pub fn rectangle(
        &mut self,
        class: &str,
        fill: Option<&str>,
        corner: (f64, f64),
        size: (f64, f64),
        tip: &str,
    ) {
        let fill = fill.map_or(String::new(), |fill| format!(" fill=\"{fill}\""));
        let (x, y, width, height) = (number(corner.0), number(corner.1), number(size.0), number(size.1));
        self.push(format!(
            "<rect class=\"{class}\"{fill} x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\">{}</rect>",
            title(tip)
        ));
    }

    /// The mark of a series: its shape tells series apart where colours do not.
    pub fn mark(&mut self, series: usize, (x, y): (f64, f64), tip: &str) {
        let corners = |corners: &[(f64, f64)]| {
            let shifted = corners.iter().map(|(dx, dy)| format!("{},{}", number(x + dx), number(y + dy)));
            format!(
                "<polygon class=\"mark {}\" points=\"{}\">",
                class(series),
                shifted.collect::<Vec<_>>().join(" ")
            )
        };
        let (shape, end) = match series % 4 {
            0 => {
                let (x, y) = (number(x), number(y));
                (format!("<circle class=\"mark {}\" cx=\"{x}\" cy=\"{y}\" r=\"3\">", class(series)), "circle")
            }
            1 => (corners(&[(-2.8, -2.8), (2.8, -2.8), (2.8, 2.8), (-2.8, 2.8)]), "polygon"),
            2 => (corners(&[(0.0, -3.7), (3.4, 2.7), (-3.4, 2.7)]), "polygon"),
            _ => (corners(&[(0.0, -4.0), (4.0, 0.0), (0.0, 4.0), (-4.0, 0.0)]), "polygon"),
        };
        self.push(format!("{shape}{}</{end}>", title(tip)));
    }

    pub fn text(&mut self, class: &str, (x, y): (f64, f64), anchor: Anchor, text: &str) {
        self.turned(class, (x, y), anchor, 0.0, text);
    }

    /// Text turned by degrees, clockwise, around where it stands.
    pub fn turned(&mut self, class: &str, (x, y): (f64, f64), anchor: Anchor, degrees: f64, text: &str) {
        let anchor = match anchor {
            Anchor::Start => "start",
            Anchor::Middle => "middle",
            Anchor::End => "end",
        };
        let (x, y) = (number(x), number(y));
        let turn = match degrees {
            0.0 => String::new(),
            degrees => format!(" transform=\"rotate({} {x} {y})\"", number(degrees)),
        };
        self.push(format!(
            "<text class=\"{class}\" x=\"{x}\" y=\"{y}\" text-anchor=\"{anchor}\"{turn}>{}</text>",
            escape(text)
        ));
    }

    fn push(&mut self, element: String) {
        self.out.push_str(&element);
        self.out.push('\n');
    }

    pub fn finish(self) -> String {
        self.out
    }
}

/// The class of a series: its colour, and its dashes from the second round of colours on.
pub fn class(series: usize) -> String {
    let dashes = (series / COLOURS) % 3;
    match dashes {
        0 => format!("s{}", series % COLOURS),
        more => format!("s{} d{more}", series % COLOURS),
    }
}

/// About how wide a label is.
pub fn width(text: &str) -> f64 {
    text.chars().count() as f64 * LETTER
}

/// As much of a label as fits.
pub fn fitted(text: &str, room: f64) -> String {
    shortened(text, ((room / LETTER) as usize).max(3))
}

fn title(text: &str) -> String {
    if text.is_empty() { String::new() } else { format!("<title>{}</title>", escape(text)) }
}

/// One decimal is a tenth of a pixel; processors differ below it.
pub fn number(value: f64) -> String {
    let text = format!("{:.1}", value + 0.0);
    let text = text.strip_suffix(".0").unwrap_or(&text);
    if text == "-0" { "0".to_owned() } else { text.to_owned() }
}
