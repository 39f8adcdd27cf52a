//! Cells of text files become values: numbers, booleans, categories, strings.
//!
//! Blanks around a value are dropped, except in text columns. A missing value is an empty cell; in a column of
//! numbers or booleans also `NA`, `N/A`, `?`, `null`.

use std::collections::HashMap;

use super::bind::{self, Bound};
use super::category::{self, Coded};
use super::schema::{ColumnKind, ColumnSpec, Domain, Missing, Schema};
use super::table::{Column, Table, TextColumn};
use super::text::Records;
use crate::diagnostic::{Checked, Code, Diagnostic};
use crate::graph::node::Element;
use crate::graph::tensor::Tensor;

/// Whether a column holds numbers, so that marks such as `NA` are no values of it.
pub fn is_numeric(kind: &ColumnKind) -> bool {
    match kind {
        ColumnKind::Float | ColumnKind::Bool => true,
        ColumnKind::Category { domain, .. } => matches!(domain, Domain::Size(_)),
        ColumnKind::Text => false,
    }
}

pub fn is_missing(cell: &str, numeric: bool) -> bool {
    let cell = cell.trim();
    cell.is_empty() || (numeric && matches!(cell, "NA" | "N/A" | "n/a" | "na" | "?" | "null" | "NULL"))
}

/// The problems of one column: the first of each kind, and how many there are.
pub struct Problems<'a> {
    column: &'a ColumnSpec,
    found: Vec<(Diagnostic, usize)>,
}

impl<'a> Problems<'a> {
    pub fn new(column: &'a ColumnSpec) -> Self {
        Problems { column, found: Vec::new() }
    }

    /// Counts a problem; only the first of its code makes a message.
    pub fn add(&mut self, code: Code, first: impl FnOnce(&ColumnSpec) -> Diagnostic) {
        match self.found.iter_mut().find(|(d, _)| d.code == code) {
            Some((_, count)) => *count += 1,
            None => self.found.push((first(self.column), 1)),
        }
    }

    pub fn finish(self) -> impl Iterator<Item = Diagnostic> {
        self.found.into_iter().map(|(mut diagnostic, count)| {
            if count > 1 {
                let values = if count == 2 { "value" } else { "values" };
                diagnostic
                    .message
                    .push_str(&format!(" (and {} more such {values} in this column)", count - 1));
            }
            diagnostic
        })
    }
}

/// The cells of one declared column, row-major.
struct Cells<'a> {
    column: &'a ColumnSpec,
    bound: &'a Bound,
    records: &'a [Records],
}

impl<'a> Cells<'a> {
    /// Every cell with its position; a missing one is filled, or reported and passed on as empty.
    fn each(&self, problems: &mut Problems<'a>, mut take: impl FnMut(&mut Problems<'a>, usize, &'a str)) {
        let numeric = is_numeric(&self.column.kind);
        let is_text = self.column.kind == ColumnKind::Text;
        let width = self.bound.fields.len();
        for row in 0..self.records[0].rows.len() {
            for (at, (file, field)) in self.bound.fields.iter().enumerate() {
                let element = row * width + at;
                let cell: &'a str = self.records[*file].rows[row].get(*field).unwrap_or("");
                let cell = if is_text { cell } else { cell.trim() };
                if !is_missing(cell, numeric) {
                    take(problems, element, cell);
                    continue;
                }
                match &self.column.missing {
                    Missing::Fill(text) => take(problems, element, text),
                    // An empty text is a text.
                    _ if is_text => take(problems, element, cell),
                    _ => {
                        problems.add(Code::A0411, |column| {
                            Diagnostic::error(
                                Code::A0411,
                                column.span,
                                format!("a value is missing at {}", self.place(element)),
                            )
                            .label("refuses missing values")
                            .help(
                                "state what a missing value means: `missing 0` (any value), or `missing drop` \
                                 to leave such rows out",
                            )
                        });
                        take(problems, element, "");
                    }
                }
            }
        }
    }

    /// Where a cell stands, for a message.
    fn place(&self, element: usize) -> String {
        let width = self.bound.fields.len().max(1);
        let (file, field) = self.bound.fields[element % width];
        let records = &self.records[file];
        format!(
            "{} {} of `{}`, column `{}`",
            records.unit,
            records.line(element / width),
            records.path,
            records.headers[field]
        )
    }
}

/// All columns of a schema from its bound records.
pub fn convert(schema: &Schema, bound: &[Bound], records: &[Records]) -> Checked<Table> {
    let mut sizes = bind::sizes(schema, bound)?;
    let rows = records[0].rows.len();
    let mut table = Table {
        name: schema.name.clone(),
        rows,
        columns: Vec::new(),
        texts: Vec::new(),
        keys: None,
        categories: Vec::new(),
        groups: Vec::new(),
        hash: blake3::hash(&[]),
    };
    let mut found = Vec::new();
    let mut coded = Vec::new();
    for (column, bound) in schema.columns.iter().zip(bound) {
        let cells = Cells { column, bound, records };
        let mut problems = Problems::new(column);
        let inner = column.inner.iter().map(|axis| axis.name.clone()).collect();
        let (element, tensor) = match &column.kind {
            ColumnKind::Float => (Element::Float, Tensor::F32(floats(&cells, &mut problems))),
            ColumnKind::Bool if bound.is_missing => (Element::Bool, Tensor::Bool(missing(&cells))),
            ColumnKind::Bool => (Element::Bool, Tensor::Bool(booleans(&cells, &mut problems))),
            ColumnKind::Text => {
                let mut values = Vec::with_capacity(rows * bound.fields.len());
                cells.each(&mut problems, |_, _, cell| values.push(cell.to_string()));
                table.texts.push(TextColumn { name: column.name.clone(), inner, values });
                found.extend(problems.finish());
                continue;
            }
            ColumnKind::Category { .. } => {
                coded.push(codes(&cells, &mut problems, table.columns.len()));
                (Element::Index, Tensor::Index(Vec::new()))
            }
        };
        found.extend(problems.finish());
        table.columns.push(Column { name: column.name.clone(), element, category: None, inner, tensor });
    }
    if !found.is_empty() {
        return Err(found);
    }
    category::finish(schema, &mut table, coded, &mut sizes)?;
    table.groups = sizes.into_axes();
    Ok(table)
}

fn floats<'a>(cells: &Cells<'a>, problems: &mut Problems<'a>) -> Vec<f32> {
    let mut values = Vec::with_capacity(cells.records[0].rows.len() * cells.bound.fields.len());
    cells.each(problems, |problems, element, cell| {
        let value = cell.parse::<f32>().unwrap_or(f32::NAN);
        if !value.is_finite() && !cell.is_empty() {
            number_problem(problems, cell, || cells.place(element));
        }
        values.push(value);
    });
    values
}

/// Says why a cell is no finite 32-bit number.
fn number_problem(problems: &mut Problems, cell: &str, place: impl Fn() -> String) {
    let fault = match cell.parse::<f64>() {
        Err(_) => None,
        Ok(value) if value.is_finite() => Some("too large for a 32-bit number"),
        Ok(value) if value.is_nan() => Some("not a number (NaN)"),
        Ok(_) => Some("infinite"),
    };
    match fault {
        Some(fault) => problems.add(Code::A0410, |column| {
            Diagnostic::error(Code::A0410, column.span, format!("`{cell}` at {} is {fault}", place()))
                .label("every value must be a finite number")
                .help("mend the file, or leave the cell empty and state what a missing value means, as in `missing 0`")
        }),
        None => problems.add(Code::A0415, |column| {
            let help = if cell.contains(',') && cell.replace(',', ".").parse::<f64>().is_ok() {
                "write the decimal point as `.`"
            } else if cell.replace([',', ' ', '_', '\''], "").parse::<f64>().is_ok() {
                "write numbers without marks between the thousands"
            } else {
                "a column of names is a category: declare it with an axis name of its own, as in `colour: Colour`"
            };
            Diagnostic::error(Code::A0415, column.span, format!("`{}` at {} is not a number", short(cell), place()))
                .label("a column of numbers")
                .help(help)
        }),
    }
}

/// Where the cells are empty, or hold a mark of missing numbers.
fn missing(cells: &Cells) -> Vec<u8> {
    let rows = 0..cells.records[0].rows.len();
    rows.flat_map(|row| cells.bound.fields.iter().map(move |(file, field)| (row, *file, *field)))
        .map(|(row, file, field)| {
            u8::from(is_missing(cells.records[file].rows[row].get(field).unwrap_or(""), true))
        })
        .collect()
}

fn booleans<'a>(cells: &Cells<'a>, problems: &mut Problems<'a>) -> Vec<u8> {
    let mut values = Vec::with_capacity(cells.records[0].rows.len() * cells.bound.fields.len());
    cells.each(problems, |problems, element, cell| {
        let is = |words: &[&str]| words.iter().any(|word| cell.eq_ignore_ascii_case(word));
        if !cell.is_empty() && !is(&["0", "1", "true", "false", "yes", "no"]) {
            problems.add(Code::A0413, |column| {
                Diagnostic::error(
                    Code::A0413,
                    column.span,
                    format!("`{}` at {} is neither true nor false", short(cell), cells.place(element)),
                )
                .label("a column of booleans")
                .help("booleans are written 0/1, true/false or yes/no; read other values as a category")
            });
        }
        values.push(u8::from(is(&["1", "true", "yes"])));
    });
    values
}

fn codes<'a>(cells: &Cells<'a>, problems: &mut Problems<'a>, at: usize) -> Coded<'a> {
    let mut known: HashMap<&'a str, u32> = HashMap::new();
    let mut coded = Coded::new(cells.column, at);
    cells.each(problems, |_, element, cell| {
        let code = *known.entry(cell).or_insert_with(|| {
            coded.values.push((cell.to_string(), cells.place(element)));
            coded.values.len() as u32 - 1
        });
        coded.codes.push(code);
    });
    coded
}

/// A cell for a message: its first 40 characters.
pub fn short(cell: &str) -> String {
    let mut text: String = cell.chars().take(40).collect();
    if text.len() < cell.len() {
        text.push_str("...");
    }
    text
}
