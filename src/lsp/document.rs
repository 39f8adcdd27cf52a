//! An open text: its version, its edits, and its places as the editor counts them.
//!
//! In: what the editor says of a text. Out: the text, and offsets in bytes for positions in lines.

use lsp_types::{Position, Range, TextDocumentContentChangeEvent, Uri};

use crate::source::Span;

/// In what units the editor counts the columns of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Columns {
    Bytes,
    /// Units of UTF-16: what every editor knows.
    Utf16,
}

/// A text at one version.
#[derive(Clone, Debug)]
pub struct Document {
    pub uri: Uri,
    pub version: i32,
    pub text: String,
    pub places: Places,
}

impl Document {
    pub fn new(uri: Uri, version: i32, text: String, columns: Columns) -> Self {
        let places = Places::new(&text, columns);
        Document { uri, version, text, places }
    }

    /// The text after some changes, each to the text that those before it gave.
    pub fn changed(&self, version: i32, changes: Vec<TextDocumentContentChangeEvent>) -> Self {
        let columns = self.places.columns;
        let mut text = self.text.clone();
        let mut places = self.places.clone();
        for change in changes {
            match change.range {
                Some(range) => {
                    let start = places.offset(&text, range.start);
                    let end = places.offset(&text, range.end).max(start);
                    text.replace_range(start..end, &change.text);
                }
                None => text = change.text,
            }
            places = Places::new(&text, columns);
        }
        Document { uri: self.uri.clone(), version, text, places }
    }

    pub fn offset(&self, position: Position) -> usize {
        self.places.offset(&self.text, position)
    }

    pub fn range(&self, span: Span) -> Range {
        self.places.range(&self.text, span)
    }
}

/// Where the lines of a text begin.
#[derive(Clone, Debug)]
pub struct Places {
    lines: Vec<usize>,
    pub columns: Columns,
}

impl Places {
    pub fn new(text: &str, columns: Columns) -> Self {
        let breaks = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at + 1);
        Places { lines: std::iter::once(0).chain(breaks).collect(), columns }
    }

    /// The byte at a position; places behind the end of a line or text are the end.
    pub fn offset(&self, text: &str, position: Position) -> usize {
        let line = position.line as usize;
        let Some(&start) = self.lines.get(line) else { return text.len() };
        let end = self.lines.get(line + 1).map_or(text.len(), |next| next - 1);
        let line = &text[start..end];
        let wanted = position.character as usize;
        let mut column = 0;
        for (at, character) in line.char_indices() {
            if column >= wanted {
                return start + at;
            }
            column += match self.columns {
                Columns::Bytes => character.len_utf8(),
                Columns::Utf16 => character.len_utf16(),
            };
        }
        start + line.len()
    }

    pub fn position(&self, text: &str, offset: usize) -> Position {
        let offset = offset.min(text.len());
        let line = self.lines.partition_point(|start| *start <= offset).saturating_sub(1);
        let before = text.get(self.lines[line]..offset).unwrap_or("");
        let character = match self.columns {
            Columns::Bytes => before.len(),
            Columns::Utf16 => before.encode_utf16().count(),
        };
        Position { line: line as u32, character: character as u32 }
    }

    pub fn range(&self, text: &str, span: Span) -> Range {
        Range {
            start: self.position(text, span.start as usize),
            end: self.position(text, span.end.max(span.start) as usize),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::str::FromStr;

    fn document(text: &str, columns: Columns) -> Document {
        Document::new(Uri::from_str("file:///a.anz").expect("a uri"), 1, text.to_owned(), columns)
    }

    #[test]
    fn columns_count_units() {
        let text = "é𝛼x\nsecond\n";
        for (columns, expected) in [(Columns::Utf16, 3), (Columns::Bytes, 6)] {
            let document = document(text, columns);
            let at = text.find('x').expect("there");
            let position = document.places.position(text, at);
            assert_eq!(position, Position { line: 0, character: expected });
            assert_eq!(document.offset(position), at);
            assert_eq!(document.offset(Position { line: 0, character: 99 }), text.find('\n').expect("there"));
            assert_eq!(document.offset(Position { line: 9, character: 0 }), text.len());
        }
    }

    #[test]
    fn changes_follow_each_other() {
        let before = document("let x = 1\nlet y = 2\n", Columns::Utf16);
        let change = |line, from, to, text: &str| TextDocumentContentChangeEvent {
            range: Some(Range {
                start: Position { line, character: from },
                end: Position { line, character: to },
            }),
            range_length: None,
            text: text.to_owned(),
        };
        let after = before.changed(2, vec![change(0, 4, 5, "first\n"), change(2, 4, 5, "z")]);
        assert_eq!(after.text, "let first\n = 1\nlet z = 2\n");
        assert_eq!(after.version, 2);
    }
}
