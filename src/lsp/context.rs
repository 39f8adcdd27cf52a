//! What every answer is made from: a text, and what the checker found out about it.

use lsp_types::{Location, Position, Range, Uri};

use super::document::{Document, Places};
use super::place;
use crate::check::program::Program;
use crate::check::uses::{Meaning, Use, uses};
use crate::check::{Analysis, analyse};
use crate::source::{FileId, Span};

/// A text with its analysis.
pub struct Context {
    pub document: std::sync::Arc<Document>,
    pub analysis: Analysis,
}

impl Context {
    pub fn new(document: std::sync::Arc<Document>) -> Self {
        let analysis = analyse(&place::name(&document.uri), &document.text, None);
        Context { document, analysis }
    }

    pub fn program(&self) -> &Program {
        &self.analysis.program
    }

    pub fn uses(&self) -> Vec<Use<'_>> {
        uses(&self.analysis.program)
    }

    /// The name at a position, also directly behind it.
    pub fn use_at(&self, position: Position) -> Option<Use<'_>> {
        let at = self.document.offset(position) as u32;
        let touched = |of: &Use| of.name.span.start <= at && at <= of.name.span.end;
        let mut found: Vec<Use> = self.uses().into_iter().filter(touched).collect();
        // Between two names the one that begins is meant.
        found.pop()
    }

    /// All uses of what a name stands for, its binding among them.
    pub fn all_uses(&self, meaning: &Meaning) -> Vec<Use<'_>> {
        match meaning {
            Meaning::Bound(_) | Meaning::Implied(_) | Meaning::Builtin(_) => {
                self.uses().into_iter().filter(|of| of.meaning == *meaning).collect()
            }
            _ => Vec::new(),
        }
    }

    pub fn range(&self, span: Span) -> Range {
        self.document.range(span)
    }

    /// A place of any file of the program, as an address with a range.
    pub fn location(&self, span: Span) -> Option<Location> {
        if span.file == FileId(0) {
            return Some(Location { uri: self.document.uri.clone(), range: self.range(span) });
        }
        let source = self.analysis.sources.get(span.file);
        let uri: Uri = place::library_file(&source.name)?;
        let places = Places::new(&source.text, self.document.places.columns);
        Some(Location { uri, range: places.range(&source.text, span) })
    }

    /// The word at a position that is no name: a word of the language.
    pub fn word_at(&self, position: Position) -> Option<(&str, Span)> {
        let text = &self.document.text;
        let at = self.document.offset(position);
        let letter = |c: char| c.is_alphanumeric() || c == '_';
        let start = text[..at].char_indices().rev().take_while(|(_, c)| letter(*c)).last();
        let start = start.map_or(at, |(start, _)| start);
        let end = at + text[at..].find(|c| !letter(c)).unwrap_or(text.len() - at);
        (start < end).then(|| (&text[start..end], Span::new(FileId(0), start, end)))
    }
}
