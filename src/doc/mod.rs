//! Documentation: what the comments of files say of their items.
//!
//! In: the tree of a file. Out: a [`Chapter`]: its items with their signatures, their `///` lines, and a test that shows each. `page.rs` writes
//! chapters as Markdown, `library.rs` makes the pages of the standard library.

pub mod library;
mod page;

pub use page::{entry, page};

use crate::source::{Sources, Span};
use crate::syntax::ast::{File, ItemKind, Layer, MemberKind};
use crate::syntax::names::{Kind, Role, head, names};

/// The items of one file.
pub struct Chapter {
    /// The name of the file.
    pub file: String,
    /// The `//!` lines.
    pub docs: Vec<String>,
    pub entries: Vec<Entry>,
}

pub struct Entry {
    pub name: String,
    pub kind: Kind,
    pub signature: String,
    pub docs: Vec<String>,
    pub members: Vec<Member>,
    /// The first test of the file that uses it: its name and its text.
    pub test: Option<(String, String)>,
}

/// What can be called of a layer.
pub struct Member {
    pub signature: String,
    pub docs: Vec<String>,
}

pub fn chapter(sources: &Sources, file: &File) -> Chapter {
    let mut chapter =
        Chapter { file: sources.get(file.id).name.clone(), docs: file.docs.clone(), entries: Vec::new() };
    let written = names(file);
    for item in &file.items {
        let inside = |span: Span| item.span.start <= span.start && span.end <= item.span.end;
        let bound = written.iter().find_map(|written| match &written.role {
            Role::Binding(binding) if inside(written.name.span) => Some((written.name, *binding)),
            _ => None,
        });
        let Some((name, binding)) = bound.filter(|(_, binding)| is_item(binding.kind)) else { continue };
        if matches!(binding.kind, Kind::Axis | Kind::Let) && item.docs.is_empty() {
            continue;
        }
        let signature = match binding.kind {
            Kind::Axis | Kind::Let => sources.slice(item.span).trim_end().to_owned(),
            Kind::Experiment => format!("experiment {}", name.text),
            _ => head(sources, &binding),
        };
        chapter.entries.push(Entry {
            name: name.text.clone(),
            kind: binding.kind,
            signature,
            docs: item.docs.clone(),
            members: match &item.kind {
                ItemKind::Layer(layer) => members(sources, layer),
                _ => Vec::new(),
            },
            test: test_of(&name.text, file, sources),
        });
    }
    chapter
}

fn is_item(kind: Kind) -> bool {
    use Kind::*;
    matches!(kind, Function | Layer | Optimizer | Combiner | Constraint | Data | Experiment | Axis | Let)
}

fn members(sources: &Sources, layer: &Layer) -> Vec<Member> {
    let calls = layer.members.iter().filter_map(|member| match &member.kind {
        MemberKind::Call(function) => Some((function, &member.docs)),
        _ => None,
    });
    calls
        .map(|(function, docs)| {
            let head = Span { end: function.body.span.start.max(function.span.start), ..function.span };
            let text = sources.slice(head).trim_end();
            let text = text.strip_suffix(['=', '{']).unwrap_or(text).trim_end();
            let lines: Vec<&str> = text.lines().map(str::trim).collect();
            Member { signature: lines.join(" "), docs: docs.clone() }
        })
        .collect()
}

fn test_of(name: &str, file: &File, sources: &Sources) -> Option<(String, String)> {
    let written = names(file);
    file.items.iter().find_map(|item| {
        let ItemKind::Test(test) = &item.kind else { return None };
        let uses = written.iter().any(|written| {
            let inside = item.span.start <= written.name.span.start && written.name.span.end <= item.span.end;
            inside && written.name.text == name && matches!(written.role, Role::Value(_))
        });
        uses.then(|| (test.name.text.clone(), sources.slice(item.span).trim_end().to_owned()))
    })
}
