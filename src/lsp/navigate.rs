//! From a name to its binding and its uses.

use lsp_types::{DocumentHighlight, DocumentHighlightKind, Location, Position};

use super::context::Context;
use super::place;
use crate::check::uses::Meaning;
use crate::library;
use crate::source::Span;
use crate::syntax::names::Role;

/// Where a name is bound; for one of the library, in its text.
pub fn definition(context: &Context, position: Position) -> Option<Location> {
    let of = context.use_at(position)?;
    match &of.meaning {
        Meaning::Bound(span) | Meaning::Implied(span) => context.location(*span),
        Meaning::Module(module) => {
            let (path, _) =
                library::FILES.iter().find(|(path, _)| library::module_of_path(path) == module)?;
            let uri = place::library_file(&format!("std/{path}"))?;
            Some(Location { uri, range: lsp_types::Range::default() })
        }
        _ => None,
    }
}

/// All places of the file that name the same thing.
pub fn references(context: &Context, position: Position, declaration: bool) -> Vec<Location> {
    let Some(of) = context.use_at(position) else { return Vec::new() };
    let uri = &context.document.uri;
    let mut found: Vec<Location> = same(context, &of.meaning)
        .into_iter()
        .filter(|(span, _)| declaration || Meaning::Bound(*span) != of.meaning)
        .map(|(span, _)| Location { uri: uri.clone(), range: context.range(span) })
        .collect();
    // What the library binds is declared there.
    if let Meaning::Bound(span) = of.meaning
        && span.file != crate::source::FileId(0)
        && declaration
    {
        found.extend(context.location(span));
    }
    found
}

pub fn highlights(context: &Context, position: Position) -> Vec<DocumentHighlight> {
    let Some(of) = context.use_at(position) else { return Vec::new() };
    same(context, &of.meaning)
        .into_iter()
        .map(|(span, writes)| DocumentHighlight {
            range: context.range(span),
            kind: Some(if writes { DocumentHighlightKind::WRITE } else { DocumentHighlightKind::READ }),
        })
        .collect()
}

/// The places of the file that name a thing, and whether they give it a value.
fn same(context: &Context, meaning: &Meaning) -> Vec<(Span, bool)> {
    let uses = context.all_uses(meaning).into_iter();
    uses.map(|of| (of.name.span, matches!(of.role, Role::Binding(_) | Role::Assigned))).collect()
}
