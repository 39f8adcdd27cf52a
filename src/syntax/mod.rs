//! From text to the tree, and from the tree back to text.
//!
//! In: the text of one file. Out: an [`ast::File`], or everything that is wrong with the text; and, from a tree,
//! the text as `ansatz fmt` prints it.

pub mod ast;
mod dump;
mod format;
pub mod keywords;
pub mod names;
mod parse;
mod repair;
mod scan;

pub use dump::dump;
pub use format::format;
pub use parse::parse;
pub use repair::parse_rest;

use crate::diagnostic::{Code, Diagnostic};
use crate::source::{FileId, Span};

/// The numbers that expressions get, unique over all files of one compilation.
#[derive(Debug, Default)]
pub struct ExprIds {
    next: u32,
}

impl ExprIds {
    /// A number that no other expression has.
    pub fn fresh(&mut self) -> ast::ExprId {
        let id = ast::ExprId(self.next);
        self.next += 1;
        id
    }

    /// How many numbers were given out: the length of a table keyed by them.
    pub fn count(&self) -> usize {
        self.next as usize
    }
}

/// The text in the bytes of a source file.
///
/// Refuses what is not UTF-8 and what holds control characters: such a file is not a program. The span covers
/// nothing, because a file without text has no place to point to.
pub fn decode(file: FileId, bytes: Vec<u8>) -> Result<String, Box<Diagnostic>> {
    let refuse = |offset: usize, what: &str| {
        Box::new(
            Diagnostic::error(
                Code::A0002,
                Span::new(file, 0, 0),
                format!("this file is not text: {what} at byte {offset}"),
            )
            .help("a program is UTF-8 text; data files are named in `data`, not given as the program"),
        )
    };
    let text = String::from_utf8(bytes)
        .map_err(|error| refuse(error.utf8_error().valid_up_to(), "it is not valid UTF-8"))?;
    match text.bytes().position(|byte| byte < b' ' && !matches!(byte, b'\n' | b'\r' | b'\t')) {
        Some(offset) => Err(refuse(offset, "it has a control character")),
        None => Ok(text),
    }
}
