//! Types that the file does not say, shown behind the names: of lets, states, measures and records.

use lsp_types::{InlayHint, InlayHintKind, InlayHintLabel, Range};

use super::context::Context;
use crate::check::program::Type;
use crate::syntax::names::{Binding, Kind, Role};

pub fn hints(context: &Context, range: Range) -> Vec<InlayHint> {
    let (from, to) = (context.document.offset(range.start), context.document.offset(range.end));
    let program = context.program();
    let mut found = Vec::new();
    for of in context.uses() {
        let Role::Binding(Binding { kind, ty: None, .. }) = of.role else { continue };
        let end = of.name.span.end as usize;
        let inferred = matches!(kind, Kind::Let | Kind::State | Kind::Measure | Kind::Record | Kind::Loop);
        if !inferred || end < from || end > to {
            continue;
        }
        let Some(ty) = of.ty.as_ref().filter(|ty| is_worth_showing(ty)) else { continue };
        found.push(InlayHint {
            position: context.range(of.name.span).end,
            label: InlayHintLabel::String(format!(": {}", program.show(ty))),
            kind: Some(InlayHintKind::TYPE),
            text_edits: None,
            tooltip: None,
            padding_left: None,
            padding_right: None,
            data: None,
        });
    }
    found
}

fn is_worth_showing(ty: &Type) -> bool {
    match ty {
        Type::Array { .. } | Type::Model { .. } => true,
        Type::Record(fields) => fields.len() <= 4,
        Type::Tuple(types) => types.len() <= 4,
        _ => false,
    }
}
