//! Reports of a finished run.
//!
//! In: [`Results`](crate::run::results::Results), or what a run has left in its folder. Out: text for the terminal, JSON, tables
//! and event files for other programs, a page with plots.

mod compare;
mod escape;
mod export;
mod html;
mod listing;
mod number;
mod papers;
mod plot;
pub mod snapshot;
mod stored;
mod tensorboard;
mod terminal;

pub use compare::compare;
pub use export::Long;
pub use html::{Report, figures, page};
pub use listing::{heading, list};
pub use number::short;
pub use papers::{Entry, differing, papers};
pub use plot::Figure;
pub use stored::{StoredResults, stored};
pub use tensorboard::tensorboard;
pub use terminal::{diverged, terminal};

use crate::run::results::Results;

/// The results as JSON, indented, with a final newline.
pub fn json(results: &Results) -> String {
    // Serialising plain structs of strings and numbers into memory cannot fail.
    let mut text = serde_json::to_string_pretty(results).unwrap_or_default();
    text.push('\n');
    text
}
