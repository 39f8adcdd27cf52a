//! The signature of the call that is being written, with the parameter whose turn it is.

use lsp_types::{
    Documentation, MarkupContent, MarkupKind, ParameterInformation, ParameterLabel, Position, SignatureHelp,
    SignatureInformation,
};

use super::completion::arguments::{Callee, call_at, callee, shown};
use super::completion::cursor::Cursor;
use super::context::Context;
use super::place;
use crate::check::program::{ItemRef, Program, Type};
use crate::check::uses::{Meaning, binding, uses};
use crate::source::Span;
use crate::syntax::ast::{ArgumentKind, Call, ExprKind, Function, ItemKind, MemberKind, Parameter};
use crate::syntax::names::head;

pub fn help(context: &Context, position: Position) -> Option<SignatureHelp> {
    let at = context.document.offset(position);
    let cursor = Cursor::new(&place::name(&context.document.uri), &context.document.text, at)?;
    let call = call_at(&cursor)?;
    let program = &cursor.analysis.program;
    let information = match callee(program, &call.callee) {
        Callee::Builtin(builtin) => SignatureInformation {
            label: builtin.signature().to_owned(),
            documentation: Some(words(&[builtin.doc().to_owned()])),
            parameters: None,
            active_parameter: None,
        },
        Callee::Parameters(parameters) => {
            let (head, docs) = declaration(&cursor, call)?;
            SignatureInformation {
                label: head,
                documentation: Some(words(&docs)),
                parameters: Some(
                    parameters.iter().map(|parameter| information(&cursor, parameter)).collect(),
                ),
                active_parameter: active(&cursor, call, parameters),
            }
        }
        Callee::Unknown => return None,
    };
    let active_parameter = information.active_parameter;
    Some(SignatureHelp { signatures: vec![information], active_signature: Some(0), active_parameter })
}

fn words(docs: &[String]) -> Documentation {
    Documentation::MarkupContent(MarkupContent { kind: MarkupKind::Markdown, value: docs.join("\n") })
}

fn information(cursor: &Cursor, parameter: &Parameter) -> ParameterInformation {
    let label = ParameterLabel::Simple(shown(&cursor.analysis.sources, parameter));
    ParameterInformation { label, documentation: None }
}

/// The signature of what is called, on one line, and its documentation.
fn declaration(cursor: &Cursor, call: &Call) -> Option<(String, Vec<String>)> {
    let program = &cursor.analysis.program;
    let name = match &call.callee.kind {
        ExprKind::Name(name) => name.span,
        ExprKind::Field { field, .. } => field.span,
        _ => return None,
    };
    let uses = uses(program);
    let of = uses.iter().find(|of| of.name.span == name)?;
    let Meaning::Bound(place) = of.meaning else { return None };
    let one_line = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let sources = &cursor.analysis.sources;
    if let Some(Type::Model { layer, .. }) = &of.ty {
        // A model is called as its layer says, under its own name.
        let (function, docs) = call_of_layer(program, *layer)?;
        let head = Span { end: function.body.span.start, ..function.span };
        let head = sources.slice(head).trim_end().trim_end_matches(['=', '{']).trim_end();
        return Some((format!("{}{}", of.name.text, one_line(head)), docs));
    }
    let (_, binding) = binding(program, place)?;
    Some((one_line(&head(sources, &binding)), binding.docs.to_vec()))
}

/// The call of a layer, with its documentation.
fn call_of_layer(program: &Program, layer: ItemRef) -> Option<(&Function, Vec<String>)> {
    let ItemKind::Layer(layer) = &program.item(layer).kind else { return None };
    layer.members.iter().find_map(|member| match &member.kind {
        MemberKind::Call(function) if function.name.text.is_empty() => Some((function, member.docs.clone())),
        _ => None,
    })
}

/// The place among the parameters of the argument at the cursor.
fn active(cursor: &Cursor, call: &Call, parameters: &[Parameter]) -> Option<u32> {
    let written = cursor.written()?;
    let span = written.name.span;
    let at = call.arguments.iter().position(|a| a.span.start <= span.start && span.end <= a.span.end)?;
    let position = match &call.arguments[at].kind {
        ArgumentKind::Named { name, .. } => {
            parameters.iter().position(|parameter| parameter.name.text == name.text)?
        }
        _ => at,
    };
    (position < parameters.len()).then_some(position as u32)
}
