//! From a `data` declaration to the schema that the readers want.

use crate::check::program::{AxisId, AxisKind, Program};
use crate::data::{
    ColumnKind, ColumnSpec, Domain, InnerAxis, Missing, Piece, Schema, SourceKind, SourceSpec,
};
use crate::diagnostic::{Checked, Code, Diagnostic};
use crate::source::Span;
use crate::syntax::ast::{self, ArgumentKind, Column, Data, DataSource, ExprKind, Init, Name, TypeKind};

/// The schema of data read from files. `size` tells the size of an axis that the program declares
/// (`axis Bucket = 128`); it is none for axes that the data itself makes.
pub fn schema(data: &Data, program: &Program, size: &dyn Fn(AxisId) -> Option<usize>) -> Checked<Schema> {
    let DataSource::File { reader, arguments, columns } = &data.source else {
        return Err(vec![Diagnostic::error(Code::A0090, data.span, "this data is not read from a file")]);
    };
    let Some(kind) = SourceKind::from_name(&reader.text) else {
        return Err(vec![not_yet(reader.span, &format!("the reader `{}`", reader.text))]);
    };
    let mut problems = Vec::new();
    let mut paths = Vec::new();
    for argument in arguments {
        if let ArgumentKind::Positional(ast::Expr { kind: ExprKind::Text(path), .. }) = &argument.kind {
            paths.push(path.clone());
        }
    }
    let span = arguments.iter().fold(reader.span, |span, argument| span.to(argument.span));
    let mut specs = Vec::new();
    for column in columns {
        match column_spec(column, columns, program, size) {
            Ok(spec) => specs.push(spec),
            Err(problem) => problems.push(problem),
        }
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    Ok(Schema {
        name: data.name.text.clone(),
        source: with_options(SourceSpec::new(kind, paths, span), arguments),
        columns: specs,
        span: data.span,
    })
}

/// The options of a reader, which the checker has seen to be right.
fn with_options(mut source: SourceSpec, arguments: &[ast::Argument]) -> SourceSpec {
    let piece = |value: &ast::Expr| match &value.kind {
        ExprKind::Name(name) if name.text == "words" => Piece::Words,
        ExprKind::Name(name) if name.text == "characters" => Piece::Characters,
        _ => Piece::Lines,
    };
    for argument in arguments {
        let ArgumentKind::Named { name, value } = &argument.kind else { continue };
        match (name.text.as_str(), &value.kind) {
            ("delimiter", ExprKind::Text(text)) => source.delimiter = text.bytes().next(),
            ("each", ExprKind::Text(text)) => source.each = Some(text.clone()),
            ("rows", _) => source.rows = piece(value),
            ("cells", _) => source.cells = piece(value),
            _ => {}
        }
    }
    source
}

fn column_spec(
    column: &Column,
    columns: &[Column],
    program: &Program,
    size: &dyn Fn(AxisId) -> Option<usize>,
) -> Result<ColumnSpec, Diagnostic> {
    // A column computed from a text is read as that text.
    if let Some(header) = super::text::call(column).and_then(|call| super::text::source(call, columns)) {
        let mut spec = ColumnSpec::new(column.name.text.clone(), ColumnKind::Text, column.span);
        spec.header = Some(header.to_owned());
        return Ok(spec);
    }
    let TypeKind::Array { element, axes } = &column.ty.kind else {
        return Err(not_yet(column.ty.span, "a column of this type"));
    };
    let kind = match element.text.as_str() {
        "Float" => ColumnKind::Float,
        "Bool" => ColumnKind::Bool,
        "Text" => ColumnKind::Text,
        _ => ColumnKind::Category { axis: element.text.clone(), domain: domain(element, program, size) },
    };
    let inner = axes
        .iter()
        .map(|axis| {
            let name = axis.path.iter().map(|n| n.text.as_str()).collect::<Vec<_>>().join(".");
            InnerAxis { name, size: program.axes_at.get(&axis.span).and_then(|id| size(*id)) }
        })
        .collect();
    let header = match &column.value {
        None => None,
        Some(Init::Value(ast::Expr { kind: ExprKind::Text(name), .. })) => Some(name.clone()),
        Some(Init::Value(e)) | Some(Init::Draw(e)) => {
            return Err(not_yet(e.span, "a column of a file computed by an expression"));
        }
    };
    let missing = match &column.missing {
        None => Missing::Refuse,
        Some(policy) => missing(policy)?,
    };
    Ok(ColumnSpec { name: column.name.text.clone(), header, kind, inner, missing, span: column.span })
}

fn domain(element: &Name, program: &Program, size: &dyn Fn(AxisId) -> Option<usize>) -> Domain {
    let Some(id) = program.axes_at.get(&element.span) else { return Domain::Found };
    match program.axis(*id).kind {
        AxisKind::Category { .. } => Domain::Found,
        _ => size(*id).map_or(Domain::Found, Domain::Size),
    }
}

/// `missing drop`, or `missing "0"`: the text to read in its place.
fn missing(policy: &ast::Expr) -> Result<Missing, Diagnostic> {
    match &policy.kind {
        ExprKind::Name(name) if name.text == "drop" => Ok(Missing::Drop),
        ExprKind::Name(name) if name.text == "refuse" => Ok(Missing::Refuse),
        ExprKind::Text(text) | ExprKind::Number { text, .. } => Ok(Missing::Fill(text.clone())),
        _ => Err(not_yet(policy.span, "this policy for missing values")),
    }
}

fn not_yet(span: Span, what: &str) -> Diagnostic {
    Diagnostic::error(Code::A0090, span, format!("{what} is not available yet"))
}
