//! What is said about the name or word under the pointer: its type here, its declaration, its documentation.

use lsp_types::{Hover, HoverContents, MarkupContent, MarkupKind, Position};

use super::context::Context;
use crate::check::builtin::Builtin;
use crate::check::program::{AxisKind, Program, Type, Vary};
use crate::check::uses::{Meaning, Use, binding};
use crate::library;
use crate::source::{Sources, Span};
use crate::syntax::keywords::keyword;
use crate::syntax::names::{Kind, Role, calls, head};

pub fn hover(context: &Context, position: Position) -> Option<Hover> {
    let found = context.use_at(position);
    let (text, span) = match found.filter(|of| of.meaning != Meaning::Word) {
        Some(of) => (about(context, &of)?, of.name.span),
        None => {
            let (word, span) = context.word_at(position)?;
            (about_word(word)?, span)
        }
    };
    let contents = MarkupContent { kind: MarkupKind::Markdown, value: text };
    Some(Hover { contents: HoverContents::Markup(contents), range: Some(context.range(span)) })
}

fn about_word(word: &str) -> Option<String> {
    let keyword = keyword(word)?;
    Some(page(keyword.word, &[keyword.doc.to_owned()]))
}

fn about(context: &Context, of: &Use) -> Option<String> {
    let (program, sources) = (context.program(), &context.analysis.sources);
    match &of.meaning {
        Meaning::Bound(place) | Meaning::Implied(place) => {
            let mut text = declared(program, sources, *place, of.ty.as_ref())
                .or_else(|| Some(page(&typed(program, &of.name.text, Some(of.ty.as_ref()?)), &[])))?;
            if let Some(bound) = bound_axes(program, of) {
                text += &format!("\n\n{bound}");
            }
            Some(text)
        }
        Meaning::Builtin(builtin) | Meaning::Option(builtin) => Some(about_builtin(*builtin)),
        Meaning::Module(module) => Some(about_module(module)),
        Meaning::Element => Some(page(&of.name.text, &[about_element(&of.name.text).to_owned()])),
        Meaning::RecordField => Some(page(&typed(program, &of.name.text, of.ty.as_ref()), &[])),
        Meaning::Word | Meaning::Unknown => {
            of.ty.as_ref().map(|ty| page(&typed(program, &of.name.text, Some(ty)), &[]))
        }
    }
}

/// Code, a line, and words.
pub fn page(code: &str, docs: &[String]) -> String {
    let mut text = format!("```ansatz\n{code}\n```");
    if !docs.is_empty() {
        text += &format!("\n\n---\n\n{}", docs.join("\n"));
    }
    text
}

pub fn about_builtin(builtin: Builtin) -> String {
    page(builtin.signature(), &[builtin.doc().to_owned()])
}

pub fn about_module(module: &str) -> String {
    let entries = library::entries().iter().filter(|entry| entry.module == module);
    let names: Vec<String> = entries.map(|entry| format!("`{}`", entry.name)).collect();
    page(&format!("std.{module}"), &[names.join(" ")])
}

fn about_element(name: &str) -> &'static str {
    match name {
        "Float" => "A number.",
        "Bool" => "A truth value; as a number 0 or 1.",
        _ => "A string of a text column: only functions of text compute with it.",
    }
}

/// What a binding declares, in the words of the user, with its type and its documentation.
pub fn declared(program: &Program, sources: &Sources, place: Span, ty: Option<&Type>) -> Option<String> {
    let Some((name, binding)) = binding(program, place) else {
        // An axis that no declaration binds: a category, the members of a column, one that an operation makes.
        let axis = program.axes.iter().find(|axis| axis.span == place)?;
        if matches!(ty, Some(Type::Record(_) | Type::Array { .. })) {
            return None;
        }
        return Some(page(&format!("axis {}", axis.name), &[of_axis(&axis.kind, program)]));
    };
    let mut docs = binding.docs.to_vec();
    let code = match binding.kind {
        Kind::Function
        | Kind::Layer
        | Kind::Method
        | Kind::Optimizer
        | Kind::Combiner
        | Kind::Constraint
        | Kind::Data => head(sources, &binding),
        Kind::Experiment => format!("experiment {}", name.text),
        Kind::Axis | Kind::AxisParameter | Kind::Vary | Kind::Part => {
            let axis = program.axes.iter().find(|axis| axis.span == place);
            if let Some(axis) = axis {
                docs.push(of_axis(&axis.kind, program));
            }
            match binding.kind {
                Kind::Vary => sources.slice(binding.whole).trim_end().to_owned(),
                Kind::Part => axis.map_or_else(|| name.text.clone(), |axis| format!("axis {}", axis.name)),
                Kind::AxisParameter => format!("axis {}", name.text),
                _ if binding.whole.end - binding.whole.start < 80 && binding.whole.start == place.start => {
                    format!("axis {}", sources.slice(binding.whole))
                }
                _ => format!("axis {}", name.text),
            }
        }
        Kind::Arm => {
            docs.push("An arm of a `vary`: one program of its own.".to_owned());
            name.text.clone()
        }
        Kind::Term => {
            let known = "A term of the objective; recorded are `.value`, `.weight`, `.norm` and `.cosine`.";
            docs.push(known.to_owned());
            name.text.clone()
        }
        kind => {
            let ty = ty.or_else(|| program.bindings.get(&place)).filter(|ty| **ty != Type::Error);
            let shown = match (ty, binding.ty) {
                (Some(_), _) => typed(program, &name.text, ty),
                (None, Some(written)) => format!("{}: {}", name.text, sources.slice(written.span)),
                (None, None) => name.text.clone(),
            };
            format!("{}{shown}", word(kind))
        }
    };
    Some(page(&code, &docs))
}

/// The word that begins such a declaration.
fn word(kind: Kind) -> &'static str {
    match kind {
        Kind::Let => "let ",
        Kind::Weight => "param ",
        Kind::State => "state ",
        Kind::Measure => "measure ",
        Kind::Record => "record ",
        _ => "",
    }
}

fn typed(program: &Program, name: &str, ty: Option<&Type>) -> String {
    match ty {
        None | Some(Type::Error) => name.to_owned(),
        Some(ty) => format!("{name}: {}", program.show(ty)),
    }
}

fn of_axis(kind: &AxisKind, program: &Program) -> String {
    let name = |axis: &crate::check::program::AxisId| program.axis(*axis).name.clone();
    match kind {
        AxisKind::Parameter => "A generic axis: bound by each call.".into(),
        AxisKind::Sized(_) => "An axis of a size that the file says.".into(),
        AxisKind::SameSizeAs(of) => format!("Another axis of the size of `{}`.", name(of)),
        AxisKind::Rows { data } => format!("The rows of `{data}`."),
        AxisKind::Part { rows, part } => format!("The rows of the part `{part}` of `{}`.", name(rows)),
        AxisKind::Batch { rows } => format!("A batch of `{}`.", name(rows)),
        AxisKind::Category { data } => format!("The categories of a column of `{data}`: sized by the data."),
        AxisKind::Group { data } => format!("The members of a column of `{data}`: sized by the data."),
        AxisKind::Vary(Vary::Arms(arms)) => format!("An axis of trials, with the arms {}.", arms.join(", ")),
        AxisKind::Vary(Vary::Values(_)) => "An axis of trials.".into(),
        AxisKind::Recorded => "The moments at which the training records.".into(),
        AxisKind::Round => "The rounds of a `repeat`.".into(),
        AxisKind::Derived => "An axis that an operation makes.".into(),
    }
}

/// At a call of something generic: what its axes are here.
fn bound_axes(program: &Program, of: &Use) -> Option<String> {
    let Role::Value(callee) = of.role else { return None };
    let calls = program.files.last().map(|file| calls(file)).unwrap_or_default();
    let id = calls.into_iter().find(|(_, call)| call.callee.id == callee)?.0.id;
    let info = program.calls.get(&id)?;
    if info.axes.is_empty() {
        return None;
    }
    let bound = info.axes.iter().map(|(generic, actual)| {
        format!("`{}` is `{}`", program.axis(*generic).name, program.axis(*actual).name)
    });
    let mut text = format!("Here {}", bound.collect::<Vec<_>>().join(", "));
    if let Some(ty) = program.types.get(&id).filter(|ty| **ty != Type::Error) {
        text += &format!("; the value is `{}`", program.show(ty));
    }
    Some(text + ".")
}
