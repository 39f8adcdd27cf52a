//! The call at the cursor: its callee, the parameters by their names.

use lsp_types::{CompletionItem, CompletionItemKind};

use super::cursor::Cursor;
use super::items::{Rank, detailed, item};
use crate::check::builtin::Builtin;
use crate::check::program::{Program, Type};
use crate::check::uses::{Meaning, Use, uses};
use crate::source::Span;
use crate::syntax::ast::{ArgumentKind, Call, Expr, ExprKind, ItemKind, MemberKind, Parameter};
use crate::syntax::names::calls;

/// The innermost call that has the name at the cursor for an argument.
pub fn call_at(cursor: &Cursor) -> Option<&Call> {
    let written = cursor.written()?;
    let name = written.name.span;
    let holds = |call: &&Call| {
        call.arguments
            .iter()
            .any(|argument| argument.span.start <= name.start && name.end <= argument.span.end)
    };
    let mut all = calls(cursor.analysis.file()?).into_iter().map(|(_, call)| call);
    all.rfind(holds)
}

/// Named arguments that a call may still take; only where the name at the cursor is an argument by itself.
pub fn named(cursor: &Cursor) -> Vec<CompletionItem> {
    let Some(call) = call_at(cursor) else { return Vec::new() };
    let alone = call.arguments.iter().any(|argument| match &argument.kind {
        ArgumentKind::Positional(value) => cursor.is_here(value.span),
        ArgumentKind::Named { name, .. } => cursor.is_here(name.span),
        ArgumentKind::As { .. } => false,
    });
    if !alone {
        return Vec::new();
    }
    let given = |name: &str| {
        call.arguments
            .iter()
            .any(|argument| matches!(&argument.kind, ArgumentKind::Named { name: known, .. } if known.text == name))
    };
    let program = &cursor.analysis.program;
    let offered = |name: &str, detail: String| {
        let mut found = detailed(item(Rank::Argument, name, CompletionItemKind::PROPERTY), detail);
        found.label = format!("{name} =");
        found.filter_text = Some(name.to_owned());
        found.insert_text = Some(format!("{name} = "));
        found
    };
    match callee(program, &call.callee) {
        Callee::Parameters(parameters) => parameters
            .iter()
            .filter(|parameter| !given(&parameter.name.text))
            .map(|parameter| offered(&parameter.name.text, shown(&cursor.analysis.sources, parameter)))
            .collect(),
        Callee::Builtin(builtin) => options(builtin)
            .into_iter()
            .filter(|(name, _)| !given(name))
            .map(|(name, detail)| offered(name, detail))
            .collect(),
        Callee::Unknown => Vec::new(),
    }
}

/// A parameter as its function declares it.
pub fn shown(sources: &crate::source::Sources, parameter: &Parameter) -> String {
    sources.slice(parameter.span).split_whitespace().collect::<Vec<_>>().join(" ")
}

/// What a call calls.
pub enum Callee<'p> {
    Parameters(&'p [Parameter]),
    Builtin(Builtin),
    Unknown,
}

pub fn callee<'p>(program: &'p Program, callee: &Expr) -> Callee<'p> {
    let uses = uses(program);
    let meaning = |span: Span| uses.iter().find(|of| of.name.span == span);
    let found = match &callee.kind {
        ExprKind::Name(name) => meaning(name.span),
        ExprKind::Field { field, .. } => meaning(field.span),
        ExprKind::Index { value, .. } => return self::callee(program, value),
        _ => None,
    };
    match found {
        Some(Use { meaning: Meaning::Builtin(builtin), .. }) => Callee::Builtin(*builtin),
        // A model is called by the call of its layer.
        Some(Use { ty: Some(Type::Model { layer, .. }), .. }) => match &program.item(*layer).kind {
            ItemKind::Layer(layer) => {
                let call = layer.members.iter().find_map(|member| match &member.kind {
                    MemberKind::Call(function) if function.name.text.is_empty() => Some(function),
                    _ => None,
                });
                call.map_or(Callee::Unknown, |function| Callee::Parameters(&function.parameters))
            }
            _ => Callee::Unknown,
        },
        Some(Use { meaning: Meaning::Bound(place), .. }) => {
            declared(program, *place).map_or(Callee::Unknown, Callee::Parameters)
        }
        _ => Callee::Unknown,
    }
}

/// The parameters of what is bound at a place.
fn declared(program: &Program, place: Span) -> Option<&[Parameter]> {
    let file = program.files.iter().find(|file| file.id == place.file)?;
    file.items.iter().find_map(|item| match &item.kind {
        ItemKind::Function(f) | ItemKind::Combiner(f) if f.name.span == place => {
            Some(f.parameters.as_slice())
        }
        ItemKind::Optimizer(o) | ItemKind::SteppingCombiner(o) | ItemKind::Constraint(o)
            if o.name.span == place =>
        {
            Some(o.parameters.as_slice())
        }
        ItemKind::Layer(layer) if layer.name.span == place => Some(layer.parameters.as_slice()),
        ItemKind::Layer(layer) => layer.members.iter().find_map(|member| match &member.kind {
            MemberKind::Call(f) if f.name.span == place => Some(f.parameters.as_slice()),
            _ => None,
        }),
        _ => None,
    })
}

/// The arguments of a builtin that have names: `descending = false` in its signature.
fn options(builtin: Builtin) -> Vec<(&'static str, String)> {
    let signature = builtin.signature();
    let inside = signature.split_once('(').map_or("", |(_, rest)| rest.trim_end_matches(')'));
    let options = inside.split(',').filter(|part| part.contains('=') && !part.contains(" as "));
    options
        .filter_map(|part| Some((part.split_once('=')?.0.trim(), part.trim().to_owned())))
        .filter(|(name, _)| name.chars().all(|c| c.is_alphanumeric() || c == '_'))
        .collect()
}
