//! Renaming: all uses in the file, or a reason why not.
//!
//! The new text is checked before it is offered: what was right stays right, and every name stands for what it stood for.

use std::collections::HashMap;

use lsp_types::{Position, PrepareRenameResponse, TextEdit, WorkspaceEdit};

use super::context::Context;
use crate::check::analyse;
use crate::check::uses::{Meaning, Use, uses};
use crate::diagnostic::{Diagnostic, Edit, Severity};
use crate::source::{FileId, Span};
use crate::syntax::ast::{ArgumentKind, DataSource, Init, ItemKind, StatementKind};
use crate::syntax::keywords::{Place, keyword};
use crate::syntax::names::{Kind, Role};

/// The range of the name that would be renamed, with the name.
pub fn prepare(context: &Context, position: Position) -> Result<PrepareRenameResponse, String> {
    let of = renamed(context, position)?;
    Ok(PrepareRenameResponse::RangeWithPlaceholder {
        range: context.range(of.name.span),
        placeholder: of.name.text.trim_end_matches('\'').to_owned(),
    })
}

pub fn rename(context: &Context, position: Position, new: &str) -> Result<WorkspaceEdit, String> {
    let of = renamed(context, position)?;
    check_name(new)?;
    let old = of.name.text.trim_end_matches('\'').to_owned();
    let mut edits: Vec<Edit> = Vec::new();
    for used in context.all_uses(&of.meaning) {
        let text = used.name.text.as_str();
        // `Task'` is renamed with its `Task`.
        if text.trim_end_matches('\'') != old {
            continue;
        }
        let span = Span { end: used.name.span.start + old.len() as u32, ..used.name.span };
        edits.push(Edit { span, text: new.to_owned() });
    }
    if let Meaning::Bound(place) = of.meaning {
        edits.extend(column_of_file(context, place, &old)?);
    }
    edits.sort_by_key(|edit| (edit.span.start, edit.span.end));
    check_outcome(context, &of, &edits, new)?;
    let changes = edits
        .into_iter()
        .map(|edit| TextEdit { range: context.range(edit.span), new_text: edit.text })
        .collect::<Vec<_>>();
    // The protocol's type of a map of addresses.
    #[allow(clippy::mutable_key_type)]
    let changes = HashMap::from([(context.document.uri.clone(), changes)]);
    Ok(WorkspaceEdit { changes: Some(changes), ..WorkspaceEdit::default() })
}

fn renamed(context: &Context, position: Position) -> Result<Use<'_>, String> {
    if context.analysis.broken {
        return Err("the file has errors of syntax: uses in what cannot be read would be missed".into());
    }
    let of = context.use_at(position).ok_or("there is no name here")?;
    let name = &of.name.text;
    let refuse = |why: String| Err(why);
    match &of.meaning {
        Meaning::Bound(place) if place.file != FileId(0) => {
            let of = &context.analysis.sources.get(place.file).name;
            refuse(format!("`{name}` belongs to the library (`{of}`) and cannot be renamed"))
        }
        Meaning::Bound(_) => Ok(of),
        Meaning::Implied(_) => refuse(format!("the language gives `{name}` its name: it is not renamed")),
        Meaning::Builtin(_) | Meaning::Option(_) => {
            refuse(format!("`{name}` is a builtin and cannot be renamed"))
        }
        Meaning::Module(_) => refuse(format!("`{name}` is a module of the library and cannot be renamed")),
        Meaning::Element => refuse(format!("`{name}` is a type of the language and cannot be renamed")),
        Meaning::RecordField => {
            refuse(format!("`{name}` is a field of a record, which is a part of its type: it is not renamed"))
        }
        Meaning::Word => refuse(format!("`{name}` is a word of the language")),
        Meaning::Unknown => refuse(format!("what `{name}` stands for is not known")),
    }
}

fn check_name(new: &str) -> Result<(), String> {
    let mut letters = new.chars();
    let begins = letters.next().is_some_and(|c| c.is_alphabetic() || c == '_');
    if !begins || !letters.all(|c| c.is_alphanumeric() || c == '_') {
        return Err(format!(
            "`{new}` is no name: names are letters, digits and `_`, and begin with no digit"
        ));
    }
    let reserved = ["fn", "let", "axis", "yield", "assert", "minimize", "maximize"];
    let word = keyword(new).is_some_and(|keyword| keyword.place == Place::Value);
    if reserved.contains(&new) || word {
        return Err(format!("`{new}` is a word of the language and cannot be a name"));
    }
    Ok(())
}

/// A column is called by its name in the file: renamed, it says which one that is.
fn column_of_file(context: &Context, place: Span, old: &str) -> Result<Option<Edit>, String> {
    let Some(file) = context.analysis.file() else { return Ok(None) };
    let data = file.items.iter().flat_map(|item| match &item.kind {
        ItemKind::Data(data) => vec![data],
        ItemKind::Experiment(experiment) => {
            let all = experiment.body.iter().filter_map(|statement| match &statement.kind {
                StatementKind::Data(data) => Some(data),
                _ => None,
            });
            all.collect()
        }
        _ => Vec::new(),
    });
    for data in data {
        let DataSource::File { columns, .. } = &data.source else { continue };
        let Some(column) = columns.iter().find(|column| column.name.span == place) else { continue };
        if column.value.is_none() {
            let end = column.ty.span.end as usize;
            let span = Span::new(place.file, end, end);
            return Ok(Some(Edit { span, text: format!(" = \"{old}\"") }));
        }
        // `tokens(text)` and the like name columns of the file.
        if let Some(Init::Value(value)) = &column.value
            && let crate::syntax::ast::ExprKind::Call(call) = &value.kind
            && call.arguments.iter().any(|argument| matches!(argument.kind, ArgumentKind::As { .. }))
        {
            return Err(format!("`{old}` makes axes from a column of text and is not renamed"));
        }
    }
    Ok(None)
}

fn check_outcome(context: &Context, of: &Use, edits: &[Edit], new: &str) -> Result<(), String> {
    let text = applied(&context.document.text, edits);
    let after = analyse("", &text, None);
    let errors = |diagnostics: &[Diagnostic]| -> Vec<String> {
        let all = diagnostics.iter().filter(|diagnostic| diagnostic.severity == Severity::Error);
        all.map(|diagnostic| diagnostic.message.clone()).collect()
    };
    let (before, after_errors) = (errors(&context.analysis.diagnostics), errors(&after.diagnostics));
    if after_errors.len() > before.len() {
        let fresh = after_errors.iter().find(|message| !before.contains(message));
        let fresh = fresh.or(after_errors.first()).cloned().unwrap_or_default();
        return Err(format!("with the name `{new}` the file would be wrong: {fresh}"));
    }
    // Every name must still stand for the same place.
    let moved = |place: Span| match place.file {
        FileId(0) => shifted(place.start, edits),
        file => place.start + (file.0 << 24),
    };
    let outline = |uses: &[Use], of_new: bool| -> Vec<(u32, Option<u32>)> {
        let start = |span: Span| if of_new { place_of(span) } else { moved(span) };
        uses.iter()
            .map(|used| {
                let bound = match used.meaning {
                    Meaning::Bound(place) if place.file == FileId(0) => Some(start(place)),
                    _ => None,
                };
                (start(used.name.span), bound)
            })
            .collect()
    };
    let same = outline(&context.uses(), false) == outline(&uses(&after.program), true);
    let kind = match of.role {
        Role::Binding(binding) => Some(binding.kind),
        _ => None,
    };
    // The names of layers and functions are in every type and call that the comparison sees anyway.
    match same || (kind == Some(Kind::Experiment)) {
        true => Ok(()),
        false => Err(format!("with the name `{new}` something else in the file would change its meaning")),
    }
}

fn place_of(span: Span) -> u32 {
    match span.file {
        FileId(0) => span.start,
        file => span.start + (file.0 << 24),
    }
}

/// Where a place of the old text is in the new one.
fn shifted(at: u32, edits: &[Edit]) -> u32 {
    let mut shift: i64 = 0;
    for edit in edits.iter().filter(|edit| edit.span.end <= at && edit.span.start < at) {
        shift += edit.text.len() as i64 - i64::from(edit.span.end - edit.span.start);
    }
    (i64::from(at) + shift) as u32
}

/// The text after edits that are in order and do not overlap.
pub fn applied(text: &str, edits: &[Edit]) -> String {
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    for edit in edits {
        out += &text[at..(edit.span.start as usize).max(at)];
        out += &edit.text;
        at = edit.span.end as usize;
    }
    out + &text[at..]
}
