//! What could be written at the cursor: names in scope, axes, fields, arguments, items of the library, words.

pub mod arguments;
pub mod cursor;
mod fields;
mod items;

use std::collections::HashSet;

use lsp_types::{
    CompletionItem, CompletionItemKind, Documentation, MarkupContent, MarkupKind, Position, TextEdit,
};

use self::cursor::Cursor;
use self::items::{Rank, detailed, documented, item, of_kind};
use super::context::Context;
use super::{catalogue, hover, place};
use crate::check::builtin::Builtin;
use crate::check::import::import;
use crate::check::program::{AxisKind, PRECISIONS, Vary};
use crate::check::{Place as Site, Visible};
use crate::library;
use crate::syntax::ast::Use;
use crate::syntax::keywords::Place;
use crate::syntax::names::{Binding, Kind, Role, head, names};

/// Items of the library that are not imported are offered once so much of their name is there.
const IMPORT_FROM: usize = 2;

pub fn completions(context: &Context, position: Position) -> Vec<CompletionItem> {
    let text = &context.document.text;
    let at = context.document.offset(position);
    let Some(cursor) = Cursor::new(&place::name(&context.document.uri), text, at) else { return Vec::new() };
    let mut found = by_role(context, &cursor);
    let mut seen = HashSet::new();
    found.retain(|item| seen.insert(item.label.clone()));
    found
}

fn by_role(context: &Context, cursor: &Cursor) -> Vec<CompletionItem> {
    let Some(role) = cursor.role() else { return unread(context, cursor) };
    match role {
        Role::Field { value, .. } => fields::of_value(cursor, value),
        Role::Axis { whole, at: 1.. } => {
            let data = whole.path.first().map_or("", |name| &name.text);
            fields::of_data(cursor, data, true)
        }
        Role::Axis { .. } if matches!(cursor.word_before(&context.document.text), "on") => data_sets(cursor),
        Role::Axis { .. } | Role::PlainAxis | Role::MadeAxis { .. } => axes(cursor),
        Role::Element => elements(cursor),
        Role::Module { at: 0 } => vec![item(Rank::Local, "std", CompletionItemKind::MODULE)],
        Role::Module { .. } => modules(),
        Role::Import { import } => imports(import),
        Role::DataSet => data_sets(cursor),
        Role::SplitKey { data } => fields::columns(cursor, &data.text),
        Role::TableKey { data } => fields::columns(cursor, &data.name.text),
        Role::Pattern { .. } => arms(cursor),
        Role::Word if cursor.word_before(&context.document.text) == "precision" => {
            PRECISIONS.iter().map(|word| item(Rank::Word, word, CompletionItemKind::KEYWORD)).collect()
        }
        Role::Word | Role::RecordField | Role::Binding(_) => Vec::new(),
        Role::Argument { .. } => arguments::named(cursor),
        Role::Value(_) | Role::Assigned | Role::Result => values(context, cursor),
    }
}

fn values(context: &Context, cursor: &Cursor) -> Vec<CompletionItem> {
    let text = &context.document.text;
    match cursor.word_before(text) {
        "with" => return optimizers(context, cursor, &["optimizer"]),
        "by" if !inside_call(cursor) => {
            let mut found = optimizers(context, cursor, &["combiner", "constraint"]);
            found.extend(axes(cursor));
            return found;
        }
        "on" => return data_sets(cursor),
        _ => {}
    }
    let mut found = arguments::named(cursor);
    if let Some(visible) = &cursor.analysis.visible {
        found.extend(visible.values.iter().map(|value| items::value(&cursor.analysis, value)));
        if cursor.begins_line(text) {
            found.extend(items::keywords(statements(visible.place)));
        }
    }
    found.extend(axes(cursor));
    found.extend(arms(cursor));
    found.extend(own_items(cursor));
    found.extend(imported(cursor));
    let prelude = library::entries().iter().filter(|entry| entry.module == "prelude");
    found.extend(prelude.map(|entry| items::library(Rank::Item, entry, None)));
    found.extend(Builtin::ALL.iter().map(|builtin| items::builtin(*builtin)));
    found.extend(items::keywords(&[Place::Value]));
    if !cursor.begins_line(text) {
        found.extend(items::keywords(&[Place::Inside]));
    }
    if cursor.prefix.len() >= IMPORT_FROM {
        found.extend(importable(context, cursor, |keyword| matches!(keyword, "fn" | "layer" | "let")));
    }
    found
}

fn inside_call(cursor: &Cursor) -> bool {
    arguments::call_at(cursor).is_some()
}

/// The words that begin statements at a place.
fn statements(place: Site) -> &'static [Place] {
    match place {
        Site::Experiment => &[Place::Statement, Place::Experiment, Place::Member],
        Site::Train | Site::Every => &[Place::Statement, Place::Train, Place::Experiment],
        Site::On => &[Place::Statement, Place::Experiment],
        Site::File => &[Place::Top, Place::Statement],
        Site::Layer | Site::Optimizer => &[Place::Statement, Place::Member, Place::Train],
        Site::Function | Site::Test => &[Place::Statement],
    }
}

/// Where nothing can be read around the cursor: the words that may begin something there.
fn unread(context: &Context, cursor: &Cursor) -> Vec<CompletionItem> {
    let text = &context.document.text;
    let before = &text[..cursor.start];
    let depth = before.matches('{').count() as i64 - before.matches('}').count() as i64;
    if !cursor.begins_line(text) {
        return axes(cursor);
    }
    match depth {
        ..=0 => items::keywords(&[Place::Top, Place::Statement]),
        _ => {
            let head = before.rsplit('\n').find(|line| line.trim_end().ends_with('{')).unwrap_or("");
            match head.split_whitespace().next() {
                Some("layer" | "optimizer" | "combiner" | "constraint") => {
                    items::keywords(&[Place::Member, Place::Statement])
                }
                Some("report") => items::keywords(&[Place::Report]),
                _ => items::keywords(&[Place::Statement, Place::Experiment, Place::Train]),
            }
        }
    }
}

fn visible(cursor: &Cursor) -> Option<&Visible> {
    cursor.analysis.visible.as_ref()
}

fn axes(cursor: &Cursor) -> Vec<CompletionItem> {
    let axes = visible(cursor).into_iter().flat_map(|visible| &visible.axes);
    axes.map(|(name, axis)| items::axis(&cursor.analysis.program, name, *axis)).collect()
}

fn data_sets(cursor: &Cursor) -> Vec<CompletionItem> {
    let data = visible(cursor).into_iter().flat_map(|visible| &visible.data);
    let detail = |parts: &[String]| match parts {
        [] => "data set".to_owned(),
        parts => format!("data set with the parts {}", parts.join(", ")),
    };
    data.map(|(name, parts)| detailed(item(Rank::Local, name, CompletionItemKind::STRUCT), detail(parts)))
        .collect()
}

/// The arms of every `vary` in scope: they are patterns, and pick results.
fn arms(cursor: &Cursor) -> Vec<CompletionItem> {
    let program = &cursor.analysis.program;
    let axes = visible(cursor).into_iter().flat_map(|visible| &visible.axes);
    let arms = axes.flat_map(|(name, axis)| match &program.axis(*axis).kind {
        AxisKind::Vary(Vary::Arms(arms)) => arms.iter().map(|arm| (arm, name)).collect::<Vec<_>>(),
        _ => Vec::new(),
    });
    arms.map(|(arm, of)| {
        detailed(item(Rank::Axis, arm, CompletionItemKind::ENUM_MEMBER), format!("arm of {of}"))
    })
    .collect()
}

fn elements(cursor: &Cursor) -> Vec<CompletionItem> {
    let mut found: Vec<CompletionItem> = ["Float", "Bool", "Text"]
        .map(|name| item(Rank::Local, name, CompletionItemKind::TYPE_PARAMETER))
        .into();
    found.extend(axes(cursor));
    let layers = own_items(cursor).into_iter().chain(imported(cursor));
    found.extend(layers.filter(|item| item.kind == Some(CompletionItemKind::CLASS)));
    found
}

fn modules() -> Vec<CompletionItem> {
    let all = library::modules().into_iter().filter(|module| *module != "prelude");
    all.map(|module| {
        documented(item(Rank::Local, module, CompletionItemKind::MODULE), &[hover::about_module(module)])
    })
    .collect()
}

/// What the module of a `use` still has to offer.
fn imports(import: &Use) -> Vec<CompletionItem> {
    let module = import.path.get(1).map_or("", |name| &name.text);
    let taken = |name: &str| import.names.iter().any(|known| known.text == name);
    let all = library::entries().iter().filter(|entry| entry.module == module && !taken(entry.name));
    all.map(|entry| items::library(Rank::Item, entry, None)).collect()
}

/// The items of this file.
fn own_items(cursor: &Cursor) -> Vec<CompletionItem> {
    let sources = &cursor.analysis.sources;
    let written = cursor.analysis.file().into_iter().flat_map(names);
    let items = written.filter_map(|written| {
        let Role::Binding(binding) = written.role else { return None };
        let callable = matches!(
            binding.kind,
            Kind::Function | Kind::Layer | Kind::Optimizer | Kind::Combiner | Kind::Constraint
        );
        callable.then(|| of_binding(sources, &written.name.text, &binding))
    });
    items.collect()
}

fn of_binding(sources: &crate::source::Sources, name: &str, binding: &Binding) -> CompletionItem {
    let head = head(sources, binding);
    documented(detailed(item(Rank::Item, name, of_kind(binding.kind)), head), binding.docs)
}

/// What the `use`s of this file import.
fn imported(cursor: &Cursor) -> Vec<CompletionItem> {
    let items = cursor.analysis.file().into_iter().flat_map(|file| &file.items);
    let entries = items.flat_map(|item| match &item.kind {
        crate::syntax::ast::ItemKind::Use(import) => {
            let module = import.path.get(1).map_or("", |name| name.text.as_str());
            import.names.iter().filter_map(|name| library::find(module, &name.text)).collect::<Vec<_>>()
        }
        _ => Vec::new(),
    });
    entries.map(|entry| items::library(Rank::Item, &entry, None)).collect()
}

/// Items of the library with the edit that imports them.
fn importable(context: &Context, cursor: &Cursor, wanted: impl Fn(&str) -> bool) -> Vec<CompletionItem> {
    let document = &context.document;
    let file = context.analysis.file();
    let prefix = cursor.prefix.to_lowercase();
    let entries = catalogue::importable()
        .filter(|entry| wanted(entry.keyword) && entry.name.to_lowercase().starts_with(&prefix));
    entries
        .map(|entry| {
            let edit = import(file, &document.text, entry.module, entry.name);
            let edit = TextEdit { range: document.range(edit.span), new_text: edit.text };
            items::library(Rank::Import, entry, Some(edit))
        })
        .collect()
}

/// Optimizers or combiners: those at hand, and those of the library.
fn optimizers(context: &Context, cursor: &Cursor, keywords: &[&str]) -> Vec<CompletionItem> {
    let is_function = |item: &CompletionItem| item.kind == Some(CompletionItemKind::FUNCTION);
    let known = |item: &CompletionItem| {
        let entry = catalogue::importable().find(|entry| entry.name == item.label);
        entry.is_none_or(|entry| keywords.contains(&entry.keyword))
    };
    let at_hand = imported(cursor).into_iter().filter(|item| is_function(item) && known(item));
    let own = own_items(cursor).into_iter().filter(is_function);
    let mut found: Vec<CompletionItem> = at_hand.chain(own).collect();
    found.extend(importable(context, cursor, |keyword| keywords.contains(&keyword)));
    found
}

/// An item with what is written about it.
pub fn resolved(mut item: CompletionItem) -> CompletionItem {
    let field = |name: &str| item.data.as_ref()?.get(name)?.as_str().map(str::to_owned);
    let article =
        field("module").zip(field("name")).and_then(|(module, name)| catalogue::article(&module, &name));
    if let Some(article) = article {
        item.detail = Some(article.head);
        let contents = MarkupContent { kind: MarkupKind::Markdown, value: article.docs.join("\n") };
        item.documentation = Some(Documentation::MarkupContent(contents));
    }
    item
}
