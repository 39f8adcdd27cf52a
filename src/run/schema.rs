//! From a `data` declaration to the schema that the readers want.

use std::collections::BTreeMap;

use crate::check::program::{AxisId, AxisKind, Program};
use crate::data::{
    ColumnKind, ColumnSpec, Domain, InnerAxis, Key, Missing, Piece, Schema, SourceKind, SourceSpec,
};
use crate::diagnostic::{Checked, Code, Diagnostic};
use crate::source::Span;
use crate::syntax::ast::{self, ArgumentKind, Column, Data, DataSource, ExprKind, Init, Name, TypeKind};

/// What is known of axes before a data set is read.
pub struct Known<'a> {
    /// The size of an axis that the program declares (`axis Bucket = 128`) or other data made.
    pub size: &'a dyn Fn(AxisId) -> Option<usize>,
    /// The values of categories that other data made.
    pub labels: &'a BTreeMap<AxisId, Vec<String>>,
}

/// The schema of data read from files.
pub fn schema(data: &Data, program: &Program, known: &Known) -> Checked<Schema> {
    let DataSource::File { reader, arguments, key, columns } = &data.source else {
        return Err(vec![fault(data.span, "data that is not read from a file")]);
    };
    let Some(kind) = SourceKind::from_name(&reader.text) else {
        return Err(vec![fault(reader.span, "a reader that the checker does not know")]);
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
    for column in columns.iter().filter(|column| !is_computed(column)) {
        match column_spec(column, columns, program, known) {
            Ok(spec) => specs.push(spec),
            Err(problem) => problems.push(problem),
        }
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    let mut source = with_options(SourceSpec::new(kind, paths, span), arguments);
    let texts = columns.iter().filter_map(|column| super::text::tokens(column, columns));
    source.tokens = texts.map(str::to_owned).collect::<std::collections::BTreeSet<_>>().into_iter().collect();
    Ok(Schema {
        name: data.name.text.clone(),
        source,
        columns: specs,
        key: key.as_ref().map(|key| Key { header: key.text.clone(), span: key.span }),
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
    known: &Known,
) -> Result<ColumnSpec, Diagnostic> {
    let tokens = super::text::tokens(column, columns);
    // A column computed from a text is read as that text.
    if tokens.is_none()
        && let Some(header) = super::text::call(column).and_then(|call| super::text::source(call, columns))
    {
        let mut spec = ColumnSpec::new(column.name.text.clone(), ColumnKind::Text, column.span);
        spec.header = Some(header.to_owned());
        return Ok(spec);
    }
    let TypeKind::Array { element, axes, .. } = &column.ty.kind else {
        return Err(fault(column.ty.span, "a column of a type that the checker does not know"));
    };
    let kind = match element.text.as_str() {
        "Float" => ColumnKind::Float,
        "Bool" => ColumnKind::Bool,
        "Text" => ColumnKind::Text,
        _ => ColumnKind::Category { axis: element.text.clone(), domain: domain(element, program, known) },
    };
    let inner = axes
        .iter()
        .map(|axis| {
            let name = axis.path.iter().map(|n| n.text.as_str()).collect::<Vec<_>>().join(".");
            InnerAxis { name, size: program.axes_at.get(&axis.span).and_then(|id| (known.size)(*id)) }
        })
        .collect();
    let header = match &column.value {
        None => None,
        Some(Init::Value(ast::Expr { kind: ExprKind::Text(name), .. })) => Some(name.clone()),
        // Computed columns are no columns of the file.
        Some(Init::Value(_) | Init::Draw(_)) => tokens.map(crate::data::tokens::field),
    };
    let missing = match &column.missing {
        None => Missing::Refuse,
        Some(policy) => missing(policy)?,
    };
    Ok(ColumnSpec { name: column.name.text.clone(), header, kind, inner, missing, span: column.span })
}

fn domain(element: &Name, program: &Program, known: &Known) -> Domain {
    let Some(id) = program.axes_at.get(&element.span) else { return Domain::Found };
    // A category that other data made before, or the rows of a table with a key: its labels are known.
    if let Some(labels) = known.labels.get(id) {
        return Domain::Listed(labels.clone());
    }
    match program.axis(*id).kind {
        AxisKind::Category { .. } => Domain::Found,
        _ => (known.size)(*id).map_or(Domain::Found, Domain::Size),
    }
}

/// `missing drop`, or `missing "0"`: the text to read in its place.
fn missing(policy: &ast::Expr) -> Result<Missing, Diagnostic> {
    match &policy.kind {
        ExprKind::Name(name) if name.text == "drop" => Ok(Missing::Drop),
        ExprKind::Name(name) if matches!(name.text.as_str(), "refuse" | "error") => Ok(Missing::Refuse),
        ExprKind::Bool(truth) => Ok(Missing::Fill(truth.to_string())),
        ExprKind::Unary { value, .. } => match &value.kind {
            ExprKind::Number { text, .. } => Ok(Missing::Fill(format!("-{text}"))),
            _ => Err(fault(policy.span, "a policy for missing values that the checker does not know")),
        },
        ExprKind::Text(text) | ExprKind::Number { text, .. } => Ok(Missing::Fill(text.clone())),
        _ => Err(fault(policy.span, "a policy for missing values that the checker does not know")),
    }
}

fn fault(span: Span, what: &str) -> Diagnostic {
    Diagnostic::error(Code::A0359, span, format!("fault in the compiler: {what}"))
        .help("please report it with the file that shows it")
}

/// Whether a column is computed from others in a graph, and not read.
pub fn is_computed(column: &Column) -> bool {
    match &column.value {
        Some(Init::Value(value)) => {
            !matches!(value.kind, ExprKind::Text(_)) && super::text::call(column).is_none()
        }
        Some(Init::Draw(_)) => true,
        None => false,
    }
}
