//! Texts taken apart at blanks: the tokens of a row as fields of it, or as rows of their own.
//!
//! In: the records of a file of texts. Out: beside the field `text` the fields `text.tokens[0]`, `text.tokens[1]`, ..., as many as the
//! longest text has, where shorter ones are empty, so that the column's policy for missing values decides. Or, with
//! `each = "text"`, a record for every token: `text` is the token, `text.position` its place, `text.row` the number of the
//! record that held the text.

use csv::StringRecord;

use super::bind::listed;
use super::schema::{Schema, SourceKind};
use super::text::Records;
use crate::diagnostic::{Code, Diagnostic, nearest};

/// More fields than this are refused before they are made: one long text widens every row.
const CELLS: usize = 1 << 31;

/// The name of the fields that hold the tokens of a text.
pub fn field(header: &str) -> String {
    format!("{header}.tokens")
}

/// The tokens of every text that a column asks for.
pub fn divide(schema: &Schema, records: Records) -> Result<Records, Diagnostic> {
    let mut records = match &schema.source.each {
        Some(text) if matches!(schema.source.kind, SourceKind::Csv | SourceKind::Tsv) => {
            explode(schema, text, records)?
        }
        _ => records,
    };
    for header in &schema.source.tokens {
        let Some(at) = records.headers.iter().position(|known| known == header) else { continue };
        let width = records.rows.iter().map(|row| row[at].split_whitespace().count()).max().unwrap_or(0);
        let width = width.max(1);
        if width.saturating_mul(records.rows.len()) > CELLS {
            return Err(Diagnostic::error(
                Code::A0427,
                schema.source.span,
                format!(
                    "the longest text `{header}` of `{}` has {width} tokens: every row would be as long",
                    records.path
                ),
            )
            .label("too much to read into memory")
            .help(format!("read the tokens as rows of their own: `each = \"{header}\"`")));
        }
        let name = field(header);
        records.headers.extend((0..width).map(|place| format!("{name}[{place}]")));
        for row in &mut records.rows {
            let text = row[at].to_owned();
            let mut tokens = text.split_whitespace();
            (0..width).for_each(|_| row.push_field(tokens.next().unwrap_or("")));
        }
    }
    Ok(records)
}

fn explode(schema: &Schema, text: &str, records: Records) -> Result<Records, Diagnostic> {
    let Some(at) = records.headers.iter().position(|known| known == text) else {
        let help = match nearest(text, records.headers.iter().map(String::as_str)) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("the columns are {}", listed(records.headers.iter().map(String::as_str))),
        };
        return Err(Diagnostic::error(
            Code::A0416,
            schema.source.span,
            format!("no column of `{}` is called `{text}`", records.path),
        )
        .label("`each` names a column of texts whose tokens are the rows")
        .help(help));
    };
    let mut headers = records.headers;
    headers.extend([format!("{text}.position"), format!("{text}.row")]);
    let mut rows = Vec::new();
    for (number, row) in records.rows.iter().enumerate() {
        for (place, token) in row[at].split_whitespace().enumerate() {
            let (place, number) = (place.to_string(), number.to_string());
            let own = row.iter().enumerate().map(|(field, value)| if field == at { token } else { value });
            let mut made: StringRecord = own.chain([place.as_str(), number.as_str()]).collect();
            made.set_position(row.position().cloned());
            rows.push(made);
        }
    }
    if rows.is_empty() {
        return Err(Diagnostic::error(
            Code::A0425,
            schema.source.span,
            format!("no text `{text}` of `{}` has a token", records.path),
        )
        .label("nothing to read"));
    }
    Ok(Records { path: records.path, unit: records.unit, headers, rows })
}
