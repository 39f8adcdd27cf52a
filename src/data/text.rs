//! CSV and TSV: bytes become records with line numbers, records become columns.
//!
//! In: decompressed files with a header line each. Out: the columns of the schema. Fields of a CSV file may be quoted
//! with `"`; in a TSV file a quote is a character like any other. Blank lines are skipped.

use csv::StringRecord;

use super::bind::{self, Bound};
use std::sync::Arc;

use super::bytes::DataFile;
use super::cells;
use super::key;
use super::schema::{Missing, Schema};
use super::table::Table;
use super::tokens;
use crate::diagnostic::{Checked, Code, Diagnostic};

/// The records of one text file.
pub struct Records {
    pub path: String,
    /// What a row is in the file, for messages: `line`, `row`.
    pub unit: &'static str,
    pub headers: Vec<String>,
    /// All with as many fields as `headers`.
    pub rows: Vec<StringRecord>,
}

impl Records {
    /// The line of the file on which a row starts, or the number of the row; from 1.
    pub fn line(&self, row: usize) -> u64 {
        self.rows[row].position().map_or(0, csv::Position::line)
    }
}

/// Parses every file and makes the columns.
pub fn read(
    schema: &Schema,
    files: &[Arc<DataFile>],
    parse: impl Fn(&DataFile) -> Result<Records, Diagnostic>,
) -> Checked<Table> {
    let mut records = Vec::with_capacity(files.len());
    let mut problems = Vec::new();
    for file in files {
        match parse(file).and_then(|parsed| tokens::divide(schema, parsed)) {
            Ok(parsed) => records.push(parsed),
            Err(problem) => problems.push(problem),
        }
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    bind::same_lengths(schema, &records.iter().map(|r| (r.path.as_str(), r.rows.len())).collect::<Vec<_>>())?;
    let bound = bind::columns(schema, &records)?;
    drop_rows(schema, &bound, &mut records)?;
    let keys = key::sort(schema, &mut records).map_err(|problem| vec![problem])?;
    let mut table = cells::convert(schema, &bound, &records)?;
    table.keys = keys;
    Ok(table)
}

/// A table with a header line. In quotes, the delimiter and line breaks are characters of a value.
pub fn parse(schema: &Schema, file: &DataFile, delimiter: u8, quotes: bool) -> Result<Records, Diagnostic> {
    let span = schema.source.span;
    let path = &file.path;
    let text = text_of(schema, file)?;
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(delimiter)
        .quoting(quotes)
        .flexible(true)
        .from_reader(text.as_bytes());
    let broken = |error: csv::Error| {
        Diagnostic::error(Code::A0407, span, format!("`{path}` is not a table of text: {error}"))
            .label("cannot be read as text")
    };
    let headers: Vec<String> =
        reader.headers().map_err(broken)?.iter().map(|h| h.trim().to_string()).collect();
    check_headers(schema, path, &headers)?;

    let mut rows = Vec::new();
    let mut wrong: Option<(u64, usize)> = None;
    let mut wrong_count = 0usize;
    for record in reader.records() {
        let record = record.map_err(broken)?;
        if record.len() != headers.len() {
            wrong.get_or_insert((record.position().map_or(0, csv::Position::line), record.len()));
            wrong_count += 1;
        }
        rows.push(record);
    }
    if let Some((line, fields)) = wrong {
        let more = if wrong_count > 1 {
            format!(" (and {} more such lines)", wrong_count - 1)
        } else {
            String::new()
        };
        return Err(Diagnostic::error(
            Code::A0408,
            span,
            format!("line {line} of `{path}` has {fields} fields; its header has {}{more}", headers.len()),
        )
        .label("lines of different lengths")
        .help(if quotes {
            "a value that contains the separator or a line break must stand in double quotes"
        } else if headers.len() == 1 {
            "the header has no tab: if the file is separated by commas, read it with `csv`"
        } else {
            "a value of a TSV file can contain neither a tab nor a line break"
        }));
    }
    if rows.is_empty() {
        return Err(Diagnostic::error(Code::A0425, span, format!("`{path}` has a header line and no rows"))
            .label("nothing to read"));
    }
    if rows.len() > i32::MAX as usize {
        return Err(Diagnostic::error(Code::A0427, span, format!("`{path}` has {} rows", rows.len()))
            .label(format!("more than {} rows", i32::MAX)));
    }
    Ok(Records { path: path.clone(), unit: "line", headers, rows })
}

/// The file as UTF-8 without a byte-order mark.
pub fn text_of<'a>(schema: &Schema, file: &'a DataFile) -> Result<&'a str, Diagnostic> {
    let bytes = file.bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&file.bytes);
    let line_of = |at: usize| bytes[..at].iter().filter(|b| **b == b'\n').count() + 1;
    let refuse = |what: String, help: &str| {
        Diagnostic::error(
            Code::A0407,
            schema.source.span,
            format!("`{}` is not a text file: {what}", file.path),
        )
        .label("read as text here")
        .help(help)
    };
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        return Err(refuse("it is UTF-16".into(), "save it as UTF-8"));
    }
    if let Some(at) = bytes.iter().position(|b| *b == 0) {
        return Err(refuse(
            format!("line {} holds a zero byte", line_of(at)),
            "arrays are read with `idx`, `npy` or `npz`; a spreadsheet must be exported as CSV",
        ));
    }
    std::str::from_utf8(bytes).map_err(|error| {
        refuse(
            format!("line {} is not UTF-8", line_of(error.valid_up_to())),
            "save the file as UTF-8 (`iconv -f latin1 -t utf8 FILE` converts one from Latin-1)",
        )
    })
}

fn check_headers(schema: &Schema, path: &str, headers: &[String]) -> Result<(), Diagnostic> {
    let span = schema.source.span;
    let wanted = schema.columns.iter().any(|column| headers.iter().any(|h| h == column.header()));
    // Some tables are headed by numbers, such as the identities of sensors: they are headers if one is asked for.
    if !wanted && headers.iter().all(|h| h.parse::<f64>().is_ok() || h.is_empty()) {
        let shown = headers.iter().take(5).cloned().collect::<Vec<_>>().join(", ");
        return Err(Diagnostic::error(
            Code::A0406,
            span,
            format!("the first line of `{path}` is no header: it holds values ({shown})"),
        )
        .label("columns are found by the names in the first line")
        .help("add a first line with the name of each column"));
    }
    for (at, header) in headers.iter().enumerate() {
        if let Some(first) = headers[..at].iter().position(|h| h == header && !h.is_empty()) {
            return Err(Diagnostic::error(
                Code::A0409,
                span,
                format!(
                    "two columns of `{path}` are called `{header}`: column {} and column {}",
                    first + 1,
                    at + 1
                ),
            )
            .label("which of the two is meant cannot be told")
            .help("rename one of them in the header line"));
        }
    }
    Ok(())
}

/// Leaves out the rows in which a column with `Missing::Drop` is empty.
fn drop_rows(schema: &Schema, bound: &[Bound], records: &mut [Records]) -> Checked<()> {
    let fields: Vec<(usize, usize, bool)> = schema
        .columns
        .iter()
        .zip(bound)
        .filter(|(spec, _)| spec.missing == Missing::Drop)
        .flat_map(|(spec, bound)| {
            bound.fields.iter().map(|(file, field)| (*file, *field, cells::is_numeric(&spec.kind)))
        })
        .collect();
    if fields.is_empty() {
        return Ok(());
    }
    let rows = records[0].rows.len();
    let keep: Vec<bool> = (0..rows)
        .map(|row| {
            !fields
                .iter()
                .any(|(file, field, numeric)| cells::is_missing(&records[*file].rows[row][*field], *numeric))
        })
        .collect();
    for file in records.iter_mut() {
        let mut kept = keep.iter();
        file.rows.retain(|_| kept.next().copied().unwrap_or(true));
    }
    if records[0].rows.is_empty() {
        return Err(vec![
            Diagnostic::error(
                Code::A0425,
                schema.source.span,
                "every row has a missing value, so none is left",
            )
            .label("all rows are dropped by `missing drop`"),
        ]);
    }
    Ok(())
}
