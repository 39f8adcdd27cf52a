//! Fixes of diagnostics, to be chosen in the editor.

use std::collections::HashMap;

use lsp_types::{CodeAction, CodeActionKind, CodeActionOrCommand, Range, TextEdit, WorkspaceEdit};

use super::context::Context;
use super::diagnostics::shown;
use crate::diagnostic::{Diagnostic, Edit, Fix};
use crate::source::FileId;

/// The fixes of the diagnostics that touch a range.
pub fn actions(context: &Context, range: Range) -> Vec<CodeActionOrCommand> {
    let (from, to) = (context.document.offset(range.start) as u32, context.document.offset(range.end) as u32);
    let touched = |diagnostic: &&Diagnostic| {
        let span = diagnostic.primary.span;
        span.file == FileId(0) && span.start <= to && from <= span.end
    };
    let mut found = Vec::new();
    for diagnostic in context.analysis.diagnostics.iter().filter(touched) {
        let fixes = diagnostic.help.as_ref().map(|help| help.fixes.as_slice()).unwrap_or_default();
        for (at, fix) in fixes.iter().enumerate() {
            found.push(action(context, diagnostic, fix, fixes.len() == 1 && at == 0));
        }
    }
    found
}

fn action(context: &Context, diagnostic: &Diagnostic, fix: &Fix, only: bool) -> CodeActionOrCommand {
    let edits =
        fix.iter().map(|edit| TextEdit { range: context.range(edit.span), new_text: edit.text.clone() });
    // The protocol's type of a map of addresses.
    #[allow(clippy::mutable_key_type)]
    let changes = HashMap::from([(context.document.uri.clone(), edits.collect())]);
    let mut title = fix.iter().map(|edit| in_words(context, edit)).collect::<Vec<_>>().join(" and ");
    if let Some(first) = title.get(..1).map(str::to_uppercase) {
        title.replace_range(..1, &first);
    }
    CodeActionOrCommand::CodeAction(CodeAction {
        title,
        kind: Some(CodeActionKind::QUICKFIX),
        diagnostics: Some(vec![shown(context, diagnostic)]),
        edit: Some(WorkspaceEdit { changes: Some(changes), ..WorkspaceEdit::default() }),
        is_preferred: Some(only),
        ..CodeAction::default()
    })
}

/// What a change does; of long texts the beginning.
fn in_words(context: &Context, edit: &Edit) -> String {
    let old = short(context.analysis.sources.slice(edit.span));
    let new = short(&edit.text);
    match (old.is_empty(), new.is_empty()) {
        (true, true) => "insert a line break".to_owned(),
        (true, false) if new == "," => "insert a comma".to_owned(),
        (true, false) => format!("insert `{new}`"),
        (false, true) => format!("remove `{}`", old.trim_matches([',', ' '])),
        (false, false) => format!("replace `{old}` by `{new}`"),
    }
}

fn short(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(48) {
        Some((end, _)) => format!("{}...", &line[..end]),
        None => line,
    }
}
