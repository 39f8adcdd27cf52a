//! Changes of the `use`s of a file: importing an item, no longer importing one.

use super::state::Checker;
use crate::diagnostic::{Edit, Fix};
use crate::source::{FileId, Span};
use crate::syntax::ast::{File, Item, ItemKind, Use};

/// The change that imports an item: into a `use` of its module, or as a line of its own.
pub fn import(file: Option<&File>, text: &str, module: &str, name: &str) -> Edit {
    let mut last: Option<Span> = None;
    for (item, import) in uses(file) {
        last = Some(item.span);
        let same = import.path.get(1).is_some_and(|known| known.text == module);
        if let Some(known) = import.names.last().filter(|_| same) {
            return Edit { span: known.span.after(), text: format!(", {name}") };
        }
    }
    match last {
        Some(span) => Edit { span: span.after(), text: format!("\nuse std.{module} ({name})") },
        None => {
            let start = after_docs(text);
            let span = Span::new(FileId(0), start, start);
            Edit { span, text: format!("use std.{module} ({name})\n\n") }
        }
    }
}

/// The change that takes a name out of its `use`, with the `use` if it was all of it.
pub(super) fn remove(file: &File, text: &str, name: Span) -> Option<Edit> {
    let (item, import) = uses(Some(file)).find(|(_, import)| import.names.iter().any(|n| n.span == name))?;
    let at = import.names.iter().position(|known| known.span == name)?;
    let span = match (import.names.get(at + 1), at.checked_sub(1).map(|before| &import.names[before])) {
        (Some(next), _) => Span { end: next.span.start, ..name },
        (None, Some(before)) => Span { start: before.span.end, ..name },
        (None, None) => {
            let line = text[item.span.end as usize..].starts_with('\n') as u32;
            Span { end: item.span.end + line, ..item.span }
        }
    };
    Some(Edit { span, text: String::new() })
}

/// The changes that import a name from another module than the one that it was sought in.
pub(super) fn elsewhere(file: &File, text: &str, name: Span, module: &str, item: &str) -> Option<Fix> {
    let (_, of) = uses(Some(file)).find(|(_, import)| import.names.iter().any(|n| n.span == name))?;
    if of.names.len() == 1 {
        return Some(vec![Edit { span: of.path.get(1)?.span, text: module.to_owned() }]);
    }
    Some(vec![remove(file, text, name)?, import(Some(file), text, module, item)])
}

fn uses(file: Option<&File>) -> impl Iterator<Item = (&Item, &Use)> {
    file.into_iter().flat_map(|file| &file.items).filter_map(|item| match &item.kind {
        ItemKind::Use(import) => Some((item, import)),
        _ => None,
    })
}

/// The start of the first line behind the documentation of a file.
fn after_docs(text: &str) -> usize {
    let docs =
        text.split_inclusive('\n').take_while(|line| line.starts_with("//!") || line.trim().is_empty());
    let mut at = docs.clone().map(str::len).sum();
    if !docs.clone().any(|line| line.starts_with("//!")) {
        at = 0;
    }
    at
}

impl Checker<'_> {
    /// The change that imports an item of the library into the user's file.
    pub fn import_of(&self, module: &str, name: &str) -> Edit {
        let file = self.program.files.last().map(|file| &**file).filter(|file| file.id == FileId(0));
        import(file, &self.sources.get(FileId(0)).text, module, name)
    }
}
