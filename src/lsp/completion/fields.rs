//! What may stand behind a dot: the fields of a value by its type.

use lsp_types::{CompletionItem, CompletionItemKind};

use super::cursor::Cursor;
use super::items::{Rank, detailed, documented, item, of_kind};
use crate::check::program::Type;
use crate::syntax::ast::{Expr, ExprKind, ItemKind, MemberKind, Name};
use crate::syntax::names::Kind;

pub fn of_value(cursor: &Cursor, value: &Expr) -> Vec<CompletionItem> {
    let program = &cursor.analysis.program;
    let field =
        |name: &str, detail: String| detailed(item(Rank::Local, name, CompletionItemKind::FIELD), detail);
    match program.types.get(&value.id) {
        Some(Type::Record(fields)) => fields.iter().map(|(name, ty)| field(name, program.show(ty))).collect(),
        Some(Type::Tuple(types)) => {
            let parts = types.iter().enumerate();
            parts.map(|(at, ty)| field(&at.to_string(), program.show(ty))).collect()
        }
        Some(Type::Model { layer, .. }) => match &program.item(*layer).kind {
            ItemKind::Layer(layer) => {
                layer.members.iter().flat_map(|member| of_member(cursor, member)).collect()
            }
            _ => Vec::new(),
        },
        Some(Type::Rows { data, rows }) => {
            let whole = matches!(program.axis(*rows).kind, crate::check::program::AxisKind::Rows { .. });
            of_data(cursor, data, whole)
        }
        _ => match &value.kind {
            ExprKind::Name(name) if is_data(cursor, &name.text) => of_data(cursor, &name.text, true),
            ExprKind::Name(name) => of_term(cursor, name),
            _ => Vec::new(),
        },
    }
}

fn is_data(cursor: &Cursor, name: &str) -> bool {
    let visible = cursor.analysis.visible.as_ref();
    visible.is_some_and(|visible| visible.data.iter().any(|(known, _)| known == name))
}

fn of_member(cursor: &Cursor, member: &crate::syntax::ast::Member) -> Vec<CompletionItem> {
    let program = &cursor.analysis.program;
    let (names, kind): (Vec<&Name>, Kind) = match &member.kind {
        MemberKind::Param(param) => (param.names.iter().collect(), Kind::Weight),
        MemberKind::Let(l) => (l.names.iter().collect(), Kind::Let),
        MemberKind::Call(function) => (vec![&function.name], Kind::Method),
        MemberKind::Axis(_) => return Vec::new(),
    };
    let items = names.into_iter().filter(|name| !name.text.is_empty()).map(|name| {
        let mut found = item(Rank::Local, &name.text, of_kind(kind));
        if let Some(ty) = program.bindings.get(&name.span) {
            found.detail = Some(program.show(ty));
        }
        documented(found, &member.docs)
    });
    items.collect()
}

/// The parts of a data set, and its columns.
pub fn of_data(cursor: &Cursor, data: &str, whole: bool) -> Vec<CompletionItem> {
    let visible = cursor.analysis.visible.iter();
    let parts = visible.flat_map(|visible| &visible.data).filter(|(known, _)| whole && known == data);
    let parts = parts.flat_map(|(_, parts)| parts);
    let mut found: Vec<CompletionItem> = parts
        .map(|part| {
            detailed(item(Rank::Argument, part, CompletionItemKind::FIELD), format!("part of {data}"))
        })
        .collect();
    found.extend(columns(cursor, data));
    found
}

pub fn columns(cursor: &Cursor, data: &str) -> Vec<CompletionItem> {
    use crate::syntax::ast::{DataSource, GeneratorStatement, StatementKind};
    let program = &cursor.analysis.program;
    let items = cursor.analysis.file().into_iter().flat_map(|file| &file.items);
    let sets = items.flat_map(|item| match &item.kind {
        ItemKind::Data(data) => vec![data],
        ItemKind::Experiment(experiment) => {
            let all = experiment.body.iter().filter_map(|statement| match &statement.kind {
                StatementKind::Data(data) => Some(data),
                _ => None,
            });
            all.collect()
        }
        _ => Vec::new(),
    });
    let columns = sets.filter(|set| set.name.text == data).flat_map(|set| match &set.source {
        DataSource::File { columns, .. } => columns.iter().collect::<Vec<_>>(),
        DataSource::Generated { block, .. } => {
            let all = block.iter().filter_map(|statement| match statement {
                GeneratorStatement::Column(column) => Some(column),
                GeneratorStatement::Statement(_) => None,
            });
            all.collect()
        }
        DataSource::Sampled { .. } => Vec::new(),
    });
    let items = columns.map(|column| {
        let mut found = item(Rank::Local, &column.name.text, CompletionItemKind::FIELD);
        found.detail = program.bindings.get(&column.name.span).map(|ty| program.show(ty));
        documented(found, &column.docs)
    });
    items.collect()
}

/// What is recorded of a term of an objective.
fn of_term(cursor: &Cursor, name: &Name) -> Vec<CompletionItem> {
    use crate::syntax::names::{Binding, Role, names};
    let file = cursor.analysis.file();
    let is_term = file.into_iter().flat_map(names).any(|written| {
        matches!(written.role, Role::Binding(Binding { kind: Kind::Term, .. }))
            && written.name.text == name.text
    });
    match is_term {
        true => ["value", "weight", "norm", "cosine"]
            .map(|field| item(Rank::Local, field, CompletionItemKind::FIELD))
            .into(),
        false => Vec::new(),
    }
}
