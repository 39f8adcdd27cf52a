//! Plots as SVG.
//!
//! In: [`StoredResults`](super::StoredResults). Out: [`Figure`]s, each of which is an `<svg>` element for a page or a file of its own.
//! What is drawn is chosen in `choose.rs`, and in `statement.rs` where the file has a `plot` statement.

mod bar;
mod canvas;
mod choose;
mod effect;
mod forest;
mod frame;
mod heat;
mod image;
mod line;
mod over;
mod reliability;
mod scale;
mod scatter;
mod statement;
mod summary;
mod training;

pub use choose::chosen;
pub use over::course;
pub use statement::stated;
pub use summary::{REPLICATES, grid, over_replicates};
pub use training::training;

use super::escape::escape;

/// A plot with what is to be said of it.
#[derive(Debug)]
pub struct Figure {
    /// For the name of a file and of the element: letters, digits and hyphens.
    pub name: String,
    pub title: String,
    /// What is drawn, in a sentence: for those who see it, and for those who do not.
    pub description: String,
    drawing: Drawing,
}

#[derive(Debug)]
enum Drawing {
    Lines(line::Lines),
    Bars(bar::Bars),
    Scatter(scatter::Scatter),
    Heat(heat::Heat),
    Forest(forest::Forest),
    Reliability(reliability::Reliability),
}

/// A mean with the half width of its 95 % interval, where there were several values.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    pub mean: f64,
    pub half_width: Option<f64>,
}

impl Estimate {
    /// The ends of the interval; the mean itself where there is none.
    fn ends(&self) -> (f64, f64) {
        let half = self.half_width.filter(|half| half.is_finite()).unwrap_or(0.0);
        (self.mean - half, self.mean + half)
    }

    fn shown(&self) -> String {
        super::number::with_interval(self.mean, self.half_width)
    }
}

impl Figure {
    fn new(name: &str, title: String, description: String, drawing: Drawing) -> Self {
        let mut plain: String = name
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' })
            .collect();
        while plain.contains("--") {
            plain = plain.replace("--", "-");
        }
        let plain: String = plain.trim_matches('-').chars().take(80).collect();
        Figure { name: plain, title, description, drawing }
    }

    /// An element for a page that has [`STYLE`]. `id` tells it from the others of the page.
    pub fn element(&self, id: &str) -> String {
        self.svg(id, "", "")
    }

    /// A file of its own.
    pub fn document(&self) -> String {
        let space = " xmlns=\"http://www.w3.org/2000/svg\"";
        self.svg("plot", space, &format!("<style>\n{STYLE}{OWN_COLOURS}</style>\n"))
    }

    fn svg(&self, id: &str, attributes: &str, style: &str) -> String {
        let (shapes, height) = match &self.drawing {
            Drawing::Lines(lines) => line::draw(lines),
            Drawing::Bars(bars) => bar::draw(bars),
            Drawing::Scatter(scatter) => scatter::draw(scatter),
            Drawing::Heat(heat) => heat::draw(heat),
            Drawing::Forest(forest) => forest::draw(forest),
            Drawing::Reliability(reliability) => reliability::draw(reliability),
        };
        let (width, height) = (canvas::number(frame::WIDTH), canvas::number(height));
        format!(
            "<svg{attributes} class=\"plot\" viewBox=\"0 0 {width} {height}\" role=\"img\" aria-labelledby=\"{id}-title {id}-desc\">\n\
             <title id=\"{id}-title\">{}</title>\n<desc id=\"{id}-desc\">{}</desc>\n{style}{shapes}</svg>\n",
            escape(&self.title),
            escape(&self.description)
        )
    }
}

/// Gives figures of one name a number.
pub fn with_own_names(mut figures: Vec<Figure>) -> Vec<Figure> {
    let mut taken = std::collections::HashSet::new();
    for figure in &mut figures {
        let (base, mut number) = (figure.name.clone(), 1);
        while !taken.insert(figure.name.clone()) {
            number += 1;
            figure.name = format!("{base}-{number}");
        }
    }
    figures
}

/// How shapes look. Colours are those of Okabe and Ito, which people with any kind of colour vision tell apart, made darker or
/// lighter for the ground they stand on; dashes and marks differ, too.
pub const STYLE: &str = include_str!("plot.css");
/// The colours of a file that stands alone.
const OWN_COLOURS: &str = include_str!("colours.css");
/// The colours, for pages: the same as those of the files.
pub const COLOURS: &str = OWN_COLOURS;
