//! The items that completion offers, each with its type or signature and its documentation.

use lsp_types::{CompletionItem, CompletionItemKind, Documentation, MarkupContent, MarkupKind, TextEdit};
use serde_json::json;

use crate::check::builtin::Builtin;
use crate::check::program::{Definition, Program, Type};
use crate::check::uses::binding;
use crate::check::{Analysis, VisibleValue};
use crate::library::Entry;
use crate::syntax::keywords::{Keyword, Place};
use crate::syntax::names::Kind;

/// Nearer things come first in the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rank {
    Argument,
    Local,
    Axis,
    Item,
    Builtin,
    Word,
    Import,
}

pub fn item(rank: Rank, label: &str, kind: CompletionItemKind) -> CompletionItem {
    CompletionItem {
        label: label.to_owned(),
        kind: Some(kind),
        sort_text: Some(format!("{}{label}", rank as u8)),
        ..CompletionItem::default()
    }
}

pub fn documented(mut item: CompletionItem, docs: &[String]) -> CompletionItem {
    if !docs.is_empty() {
        let contents = MarkupContent { kind: MarkupKind::Markdown, value: docs.join("\n") };
        item.documentation = Some(Documentation::MarkupContent(contents));
    }
    item
}

pub fn detailed(mut item: CompletionItem, detail: impl Into<String>) -> CompletionItem {
    item.detail = Some(detail.into());
    item
}

pub fn value(analysis: &Analysis, value: &VisibleValue) -> CompletionItem {
    let kind = match (&value.definition, &value.ty) {
        (Definition::Column { .. }, _) => CompletionItemKind::FIELD,
        (_, Type::Rows { .. }) => CompletionItemKind::STRUCT,
        (_, Type::Model { .. }) => CompletionItemKind::CLASS,
        (_, Type::Function { .. } | Type::Callable(_)) => CompletionItemKind::FUNCTION,
        _ => CompletionItemKind::VARIABLE,
    };
    let mut found = item(Rank::Local, &value.name, kind);
    if value.ty != Type::Error {
        found.detail = Some(analysis.program.show(&value.ty));
    }
    let docs = match &value.definition {
        Definition::Local(place) => {
            binding(&analysis.program, *place).map(|(_, binding)| binding.docs.to_vec())
        }
        _ => None,
    };
    documented(found, &docs.unwrap_or_default())
}

pub fn axis(program: &Program, name: &str, axis: crate::check::program::AxisId) -> CompletionItem {
    let place = program.axis(axis).span;
    let docs = binding(program, place).map(|(_, binding)| binding.docs.to_vec()).unwrap_or_default();
    documented(detailed(item(Rank::Axis, name, CompletionItemKind::ENUM), "axis"), &docs)
}

pub fn builtin(builtin: Builtin) -> CompletionItem {
    let constant = !builtin.signature().contains(['(', '[']);
    let kind = if constant { CompletionItemKind::CONSTANT } else { CompletionItemKind::FUNCTION };
    let found = detailed(item(Rank::Builtin, builtin.name(), kind), builtin.signature());
    documented(found, &[builtin.doc().to_owned()])
}

pub fn keyword(keyword: &Keyword) -> CompletionItem {
    let found = item(Rank::Word, keyword.word, CompletionItemKind::KEYWORD);
    documented(found, &[keyword.doc.to_owned()])
}

pub fn keywords(places: &[Place]) -> Vec<CompletionItem> {
    let wanted = crate::syntax::keywords::KEYWORDS.iter().filter(|word| places.contains(&word.place));
    wanted.map(keyword).collect()
}

/// An item of the library; what is written about it is looked up when it is asked for.
pub fn library(rank: Rank, entry: &Entry, import: Option<TextEdit>) -> CompletionItem {
    let kind = match entry.keyword {
        "layer" => CompletionItemKind::CLASS,
        "let" => CompletionItemKind::CONSTANT,
        "axis" => CompletionItemKind::ENUM,
        "data" => CompletionItemKind::STRUCT,
        _ => CompletionItemKind::FUNCTION,
    };
    let mut found = item(rank, entry.name, kind);
    found.detail = Some(format!("std.{}", entry.module));
    found.data = Some(json!({ "module": entry.module, "name": entry.name }));
    found.additional_text_edits = import.map(|edit| vec![edit]);
    found
}

pub fn of_kind(kind: Kind) -> CompletionItemKind {
    match kind {
        Kind::Function | Kind::Optimizer | Kind::Combiner | Kind::Constraint => CompletionItemKind::FUNCTION,
        Kind::Layer => CompletionItemKind::CLASS,
        Kind::Method => CompletionItemKind::METHOD,
        Kind::Data => CompletionItemKind::STRUCT,
        Kind::Experiment => CompletionItemKind::MODULE,
        Kind::Axis | Kind::AxisParameter | Kind::Vary => CompletionItemKind::ENUM,
        Kind::Arm => CompletionItemKind::ENUM_MEMBER,
        Kind::Column | Kind::Weight | Kind::Term | Kind::Part => CompletionItemKind::FIELD,
        _ => CompletionItemKind::VARIABLE,
    }
}
