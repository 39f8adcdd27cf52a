//! Formatting: what `ansatz fmt` does, as edits of the lines that change.

use lsp_types::TextEdit;

use super::document::Document;
use crate::source::{FileId, Sources, Span};
use crate::syntax;

/// The edits that format a text; none if it has errors of syntax, or is formatted.
pub fn edits(document: &Document) -> Vec<TextEdit> {
    let text = &document.text;
    let id = Sources::default().add("", text.clone());
    let Ok(tree) = syntax::parse(id, text, &mut syntax::ExprIds::default()) else { return Vec::new() };
    let formatted = syntax::format(&tree, text);
    if formatted == *text {
        return Vec::new();
    }
    // Equal lines at both ends stay, so that the cursor does where it is in them.
    let common = text.split_inclusive('\n').zip(formatted.split_inclusive('\n'));
    let start: usize = common.take_while(|(a, b)| a == b).map(|(a, _)| a.len()).sum();
    let (rest, new) = (&text[start..], &formatted[start..]);
    let ends = rest.split_inclusive('\n').rev().zip(new.split_inclusive('\n').rev());
    let end: usize = ends.take_while(|(a, b)| a == b).map(|(a, _)| a.len()).sum();
    let span = Span::new(FileId(0), start, text.len() - end);
    vec![TextEdit { range: document.range(span), new_text: new[..new.len() - end].to_owned() }]
}
