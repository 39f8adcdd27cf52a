//! From the computed columns of a `data` declaration to what the readers compute.

use crate::check::program::{AxisId, Program};
use crate::data::text_function::{Computed, TextFunction, pattern, script};
use crate::diagnostic::{Checked, Code, Diagnostic};
use crate::syntax::ast::{ArgumentKind, Call, Column, Data, DataSource, Expr, ExprKind, Init, TypeKind};

/// The call of a function of texts that computes a column, if one does.
pub use crate::check::text_call as call;

fn argument(call: &Call, place: usize) -> Option<&Expr> {
    match &call.arguments.get(place)?.kind {
        ArgumentKind::Positional(value) => Some(value),
        _ => None,
    }
}

/// The name in the file of the text that a column is computed from.
pub fn source<'d>(call: &Call, columns: &'d [Column]) -> Option<&'d str> {
    let ExprKind::Name(name) = &argument(call, 0)?.kind else { return None };
    let column = columns.iter().find(|column| column.name.text == name.text)?;
    Some(match &column.value {
        Some(Init::Value(Expr { kind: ExprKind::Text(header), .. })) => header,
        _ => &column.name.text,
    })
}

/// The name in the file of the text whose tokens a column holds: `word: Word[Place] = tokens(text) missing "-"`.
pub fn tokens<'d>(column: &Column, columns: &'d [Column]) -> Option<&'d str> {
    let call = call(column)?;
    let TypeKind::Array { axes, .. } = &column.ty.kind else { return None };
    match &call.callee.kind {
        ExprKind::Name(name) if name.text == "tokens" && !axes.is_empty() => source(call, columns),
        _ => None,
    }
}

/// Every computed column of a data set.
pub fn computed(
    data: &Data,
    program: &Program,
    size: &dyn Fn(AxisId) -> Option<usize>,
) -> Checked<Vec<Computed>> {
    let DataSource::File { columns, .. } = &data.source else { return Ok(Vec::new()) };
    let mut problems = Vec::new();
    let mut found = Vec::new();
    for column in columns {
        let Some(call) = call(column).filter(|_| tokens(column, columns).is_none()) else { continue };
        match function(column, call, program, size) {
            Ok(function) => {
                let (name, span) = (column.name.text.clone(), column.span);
                found.push(Computed { column: name, function, span });
            }
            Err(problem) => problems.push(problem),
        }
    }
    if problems.is_empty() { Ok(found) } else { Err(problems) }
}

fn function(
    column: &Column,
    call: &Call,
    program: &Program,
    size: &dyn Fn(AxisId) -> Option<usize>,
) -> Result<TextFunction, Diagnostic> {
    let span = call.callee.span;
    let wrong = || {
        Diagnostic::error(Code::A0266, span, "this function of texts is called in another way")
            .label("wrong arguments")
    };
    let text = || match argument(call, 1).map(|value| &value.kind) {
        Some(ExprKind::Text(text)) => Ok(text.as_str()),
        _ => Err(wrong()),
    };
    let regex = || {
        let text = text()?;
        pattern(text).map_err(|error| {
            Diagnostic::error(Code::A0267, span, format!("`{text}` is not a regular expression")).help(error)
        })
    };
    let name = match &call.callee.kind {
        ExprKind::Name(name) => name.text.as_str(),
        _ => "",
    };
    Ok(match name {
        "last_integer" => TextFunction::LastInteger(match &call.otherwise {
            None => None,
            Some(value) => Some(number(value).ok_or_else(wrong)?),
        }),
        "matches" => TextFunction::Matches(regex()?),
        "count_matches" => TextFunction::CountMatches(regex()?),
        "script_share" => TextFunction::ScriptShare(script(text()?).ok_or_else(wrong)?),
        "length" => TextFunction::Length,
        "words" => TextFunction::Words,
        "tokens" => TextFunction::Tokens,
        "grams" => {
            let length = argument(call, 1).and_then(number).ok_or_else(wrong)?;
            let TypeKind::Array { axes, .. } = &column.ty.kind else { return Err(wrong()) };
            let [axis] = &axes[..] else { return Err(wrong()) };
            let buckets = program.axes_at.get(&axis.span).and_then(|id| size(*id));
            let Some(buckets) = buckets else {
                return Err(Diagnostic::error(
                    Code::A0266,
                    axis.span,
                    "the axis of hashed runs of characters needs a size",
                )
                .label("how many positions?")
                .help("declare it before the data: `axis Bucket = 256`"));
            };
            let axis = axis.path.iter().map(|name| name.text.as_str()).collect::<Vec<_>>().join(".");
            TextFunction::Grams { length: length.max(0.0) as usize, axis, buckets }
        }
        _ => return Err(wrong()),
    })
}

/// A number as it is written, with its sign.
fn number(value: &Expr) -> Option<f64> {
    match &value.kind {
        ExprKind::Number { text, .. } => text.replace('_', "").parse().ok(),
        ExprKind::Unary { value, .. } => number(value).map(|number| -number),
        ExprKind::Parenthesised(value) => number(value),
        _ => None,
    }
}
