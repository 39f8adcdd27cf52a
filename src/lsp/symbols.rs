//! The outline of a file: its items, and the named parts of experiments and layers.

use lsp_types::{DocumentSymbol, SymbolKind};

use super::context::Context;
use crate::source::Span;
use crate::syntax::ast::{Item, ItemKind, MemberKind, Name, Statement, StatementKind, VaryOver};

pub fn symbols(context: &Context) -> Vec<DocumentSymbol> {
    let items = context.analysis.file().map(|file| file.items.as_slice()).unwrap_or_default();
    items.iter().flat_map(|item| of_item(context, item)).collect()
}

fn of_item(context: &Context, item: &Item) -> Vec<DocumentSymbol> {
    let whole = item.span;
    let one = |name: &Name, kind, children| vec![symbol(context, name, kind, whole, children)];
    match &item.kind {
        ItemKind::Use(_) => Vec::new(),
        ItemKind::Function(of) | ItemKind::Combiner(of) => one(&of.name, SymbolKind::FUNCTION, Vec::new()),
        ItemKind::Layer(layer) => {
            let members = layer.members.iter().flat_map(|member| {
                let names: Vec<(&Name, SymbolKind)> = match &member.kind {
                    MemberKind::Param(param) => {
                        param.names.iter().map(|name| (name, SymbolKind::FIELD)).collect()
                    }
                    MemberKind::Let(l) => l.names.iter().map(|name| (name, SymbolKind::FIELD)).collect(),
                    MemberKind::Axis(_) => Vec::new(),
                    MemberKind::Call(function) => vec![(&function.name, SymbolKind::METHOD)],
                };
                let named = names.into_iter().filter(|(name, _)| !name.text.is_empty());
                named
                    .map(|(name, kind)| symbol(context, name, kind, member.span, Vec::new()))
                    .collect::<Vec<_>>()
            });
            one(&layer.name, SymbolKind::CLASS, members.collect())
        }
        ItemKind::Optimizer(of) | ItemKind::SteppingCombiner(of) | ItemKind::Constraint(of) => {
            one(&of.name, SymbolKind::FUNCTION, Vec::new())
        }
        ItemKind::Data(data) => one(&data.name, SymbolKind::STRUCT, Vec::new()),
        ItemKind::Experiment(experiment) => {
            one(&experiment.name, SymbolKind::MODULE, of_statements(context, &experiment.body))
        }
        ItemKind::Test(test) => {
            let name = Name { text: format!("test \"{}\"", test.name.text), span: test.name.span };
            one(&name, SymbolKind::METHOD, Vec::new())
        }
        ItemKind::Axis(axes) => {
            let all = axes.iter().map(|axis| {
                symbol(context, &axis.name, SymbolKind::ENUM, axis.name.span.to(axis.size.span), Vec::new())
            });
            all.collect()
        }
        ItemKind::Let(l) => {
            l.names.iter().flat_map(|name| one(name, SymbolKind::CONSTANT, Vec::new())).collect()
        }
    }
}

fn of_statements(context: &Context, statements: &[Statement]) -> Vec<DocumentSymbol> {
    let mut found = Vec::new();
    for statement in statements {
        let whole = statement.span;
        let mut add = |name: &Name, kind, children| found.push(symbol(context, name, kind, whole, children));
        match &statement.kind {
            StatementKind::Vary { name, over } => {
                let arms: Vec<DocumentSymbol> = match over {
                    VaryOver::Arms(arms) => {
                        let all = arms.iter();
                        all.map(|arm| symbol(context, arm, SymbolKind::ENUM_MEMBER, arm.span, Vec::new()))
                            .collect()
                    }
                    VaryOver::Values(_) => Vec::new(),
                };
                add(name, SymbolKind::ENUM, arms);
            }
            StatementKind::Data(data) => add(&data.name, SymbolKind::STRUCT, Vec::new()),
            StatementKind::Let(l) => {
                l.names.iter().for_each(|name| add(name, SymbolKind::VARIABLE, Vec::new()));
            }
            StatementKind::Param(param) => {
                param.names.iter().for_each(|name| add(name, SymbolKind::FIELD, Vec::new()));
            }
            StatementKind::State(state) => {
                state.names.iter().for_each(|name| add(name, SymbolKind::VARIABLE, Vec::new()));
            }
            StatementKind::Measure { name, .. } | StatementKind::Record { name, .. } => {
                add(name, SymbolKind::NUMBER, Vec::new());
            }
            StatementKind::Claim { text, .. } => {
                let name = Name { text: format!("claim \"{}\"", text.text), span: text.span };
                add(&name, SymbolKind::BOOLEAN, Vec::new());
            }
            StatementKind::Train(train) => {
                let children = of_statements(context, &train.body);
                let name = block(context, whole, train.data.last().map(|axis| axis.span));
                add(&name, SymbolKind::NAMESPACE, children);
            }
            StatementKind::On { data, body } => {
                let children = of_statements(context, body);
                let name = block(context, whole, data.last().map(|axis| axis.span));
                add(&name, SymbolKind::NAMESPACE, children);
            }
            StatementKind::Repeat { body, .. } => {
                let children = of_statements(context, body);
                let name = block(context, whole, None);
                add(&name, SymbolKind::NAMESPACE, children);
            }
            StatementKind::Every { body, .. } => found.extend(of_statements(context, body)),
            StatementKind::If { then, otherwise, .. } => {
                found.extend(of_statements(context, then));
                found.extend(of_statements(context, otherwise.as_deref().unwrap_or_default()));
            }
            _ => {}
        }
    }
    found
}

/// A block is called by its first words: `train on digits.train`.
fn block(context: &Context, whole: Span, last: Option<Span>) -> Name {
    let text = context.analysis.sources.slice(whole);
    let start = first_word(text);
    let brace = text[start..].find('{').map_or(text.len(), |at| start + at);
    let end = last.map_or(brace, |last| (last.end.saturating_sub(whole.start)) as usize).max(start);
    // A block that was closed for a text that is cut off may end behind it.
    let words = text.get(start..end).unwrap_or("").trim();
    let span =
        Span::new(whole.file, whole.start as usize + start, whole.start as usize + start + words.len());
    Name { text: if words.is_empty() { "block".to_owned() } else { words.to_owned() }, span }
}

/// Behind the documentation of a statement.
fn first_word(text: &str) -> usize {
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        if !line.trim_start().starts_with("//") && !line.trim().is_empty() {
            return at + (line.len() - line.trim_start().len());
        }
        at += line.len();
    }
    0
}

fn symbol(
    context: &Context,
    name: &Name,
    kind: SymbolKind,
    whole: Span,
    children: Vec<DocumentSymbol>,
) -> DocumentSymbol {
    let selection = context.range(name.span);
    // The protocol wants the name inside of the whole.
    let whole = whole.to(name.span);
    #[allow(deprecated)]
    DocumentSymbol {
        name: name.text.clone(),
        detail: None,
        kind,
        tags: None,
        deprecated: None,
        range: context.range(whole),
        selection_range: selection,
        children: (!children.is_empty()).then_some(children),
    }
}
