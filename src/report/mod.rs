//! Reports of a finished run.
//!
//! In: [`Results`](crate::run::results::Results). Out: text for the terminal, or JSON.

mod number;
mod terminal;

pub use number::short;
pub use terminal::terminal;

use crate::run::results::Results;

/// The results as JSON, indented, with a final newline.
pub fn json(results: &Results) -> String {
    // Serialising plain structs of strings and numbers into memory cannot fail.
    let mut text = serde_json::to_string_pretty(results).unwrap_or_default();
    text.push('\n');
    text
}
