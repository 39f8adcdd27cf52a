//! Plain text: every line, word or character of a file is a row, and may be divided into words or characters.

use super::bytes::DataFile;
use super::loose::{self, Cell, Row};
use super::schema::{ColumnKind, Piece, Schema};
use super::text::{Records, text_of};
use crate::diagnostic::{Code, Diagnostic};

pub fn parse(schema: &Schema, file: &DataFile) -> Result<Records, Diagnostic> {
    if let Some(column) =
        schema.columns.iter().find(|c| matches!(c.kind, ColumnKind::Bool) || c.inner.len() > 1)
    {
        return Err(Diagnostic::error(
            Code::A0441,
            column.span,
            format!("`{}` cannot be read from plain text", column.name),
        )
        .label("not a text, a category or a number, or with several axes")
        .related(schema.source.span, "a row of this is one line, word or character")
        .help("declare a text, `line: Text`, a category, `word: Word`, or the pieces of a line, `name: Letter[Position]`"));
    }
    let text = text_of(schema, file)?;
    let mut rows = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let mut row = |piece: &str| {
            let cells = schema.columns.iter().map(|column| {
                let name = column.header();
                match name.strip_suffix(".length") {
                    Some(stem) => (stem.to_string(), Cell::List(pieces(piece, schema.source.cells))),
                    None if column.inner.is_empty() => (name.to_string(), Cell::One(piece.to_string())),
                    None => (name.to_string(), Cell::List(pieces(piece, schema.source.cells))),
                }
            });
            rows.push(Row { place: number as u64 + 1, cells: cells.collect() });
        };
        match schema.source.rows {
            Piece::Lines if line.trim().is_empty() => {}
            Piece::Lines => row(line),
            Piece::Words => line.split_whitespace().for_each(&mut row),
            Piece::Characters => {
                let mut buffer = [0; 4];
                // Blanks are trimmed from the cells of categories, so they are written by name.
                line.chars().for_each(|c| row(visible(c).unwrap_or(c.encode_utf8(&mut buffer))));
                row("newline");
            }
        }
    }
    loose::records(schema, &file.path, "line", rows)
}

fn visible(c: char) -> Option<&'static str> {
    match c {
        ' ' => Some("space"),
        '\t' => Some("tab"),
        '\r' => Some("return"),
        _ => None,
    }
}

fn pieces(line: &str, by: Piece) -> Vec<String> {
    match by {
        Piece::Words => line.split_whitespace().map(String::from).collect(),
        _ => line.chars().map(|c| visible(c).map_or_else(|| c.to_string(), String::from)).collect(),
    }
}
