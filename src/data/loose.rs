//! Rows that each bring their own fields, whose values may be lists (JSON, Parquet, lines of text), become records.
//!
//! A list spreads over fields `name[0]`, `name[1]`, ..., as many as the longest has; where one is shorter its last fields are
//! empty, so that the column's policy for missing values decides. `name.length` tells how long each was. With
//! `each = "name"` every element of that list is a row of its own: `name` is the element, `name.position` its place
//! in the list, `name.row` the number of the row that holds the list, and the other fields are repeated.

use std::collections::{HashMap, HashSet};

use csv::{Position, StringRecord};

use super::schema::Schema;
use super::text::Records;
use crate::diagnostic::{Code, Diagnostic, nearest};

/// The value of a field in one row; a missing one is empty.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    One(String),
    List(Vec<String>),
    /// A list of records, by field: only `each` can make something of it.
    Records(Vec<Vec<(String, Cell)>>),
}

/// A row with its place in the file, from 1.
#[derive(Clone, Debug)]
pub struct Row {
    pub place: u64,
    pub cells: Vec<(String, Cell)>,
}

/// A field of the result: its name, and for a list its longest length.
struct Field {
    name: String,
    width: Option<usize>,
}

/// More cells than this are refused before they are made: one long list widens every row.
const CELLS: usize = 1 << 31;

/// `unit` is what a row is called in messages: `line`, `row`.
pub fn records(
    schema: &Schema,
    path: &str,
    unit: &'static str,
    rows: Vec<Row>,
) -> Result<Records, Diagnostic> {
    let rows = match &schema.source.each {
        Some(list) => explode(schema, path, list, rows)?,
        None => rows,
    };
    if rows.is_empty() {
        return Err(Diagnostic::error(Code::A0425, schema.source.span, format!("`{path}` has no rows"))
            .label("nothing to read"));
    }
    if rows.len() > i32::MAX as usize {
        return Err(Diagnostic::error(
            Code::A0427,
            schema.source.span,
            format!("`{path}` has {} rows", rows.len()),
        )
        .label(format!("more than {} rows", i32::MAX)));
    }
    let (fields, places) = fields(schema, &rows);
    let mut headers = Vec::new();
    // The first of each field's headers, and the header of its length.
    let mut starts = Vec::with_capacity(fields.len());
    for field in &fields {
        starts.push(headers.len());
        match field.width {
            None => headers.push(field.name.clone()),
            Some(width) => {
                if width.saturating_mul(rows.len()) > CELLS {
                    return Err(too_wide(schema, path, field, width));
                }
                headers.push(format!("{}.length", field.name));
                headers.extend((0..width).map(|at| format!("{}[{at}]", field.name)));
            }
        }
    }
    let mut made = Vec::with_capacity(rows.len());
    let mut line = vec![""; headers.len()];
    // Numbers of elements as text, to be lent to the records.
    let longest = fields.iter().filter_map(|field| field.width).max().unwrap_or(0);
    let numbers: Vec<String> = (0..=longest).map(|number| number.to_string()).collect();
    for row in &rows {
        line.fill("");
        for (name, cell) in &row.cells {
            let Some(at) = places.get(name.as_str()).copied() else { continue };
            let start = starts[at];
            match (cell, fields[at].width) {
                (Cell::One(value), None) => line[start] = value,
                // A value among lists is a list of one; none is an empty list.
                (Cell::One(value), Some(_)) => {
                    line[start] = if value.is_empty() { "0" } else { "1" };
                    if let Some(first) = line.get_mut(start + 1) {
                        *first = value;
                    }
                }
                (Cell::List(list), Some(_)) => {
                    line[start] = &numbers[list.len()];
                    for (place, value) in line[start + 1..].iter_mut().zip(list) {
                        *place = value;
                    }
                }
                _ => {}
            }
        }
        let mut record = StringRecord::from(line.as_slice());
        let mut position = Position::new();
        position.set_line(row.place);
        record.set_position(Some(position));
        made.push(record);
    }
    Ok(Records { path: path.to_string(), unit, headers, rows: made })
}

/// All fields, in the order of their first mention. Lists that no column asks for are left out.
fn fields<'a>(schema: &Schema, rows: &'a [Row]) -> (Vec<Field>, HashMap<&'a str, usize>) {
    let wanted: HashSet<&str> = schema
        .columns
        .iter()
        .map(|column| column.header())
        .map(|name| name.strip_suffix(".length").unwrap_or(name))
        .collect();
    let mut fields: Vec<Field> = Vec::new();
    let mut places = HashMap::new();
    for (name, cell) in rows.iter().flat_map(|row| &row.cells) {
        let width = match cell {
            Cell::One(_) => None,
            Cell::List(_) if !wanted.contains(name.as_str()) => continue,
            Cell::List(list) => Some(list.len()),
            Cell::Records(_) => continue,
        };
        let at = *places.entry(name.as_str()).or_insert_with(|| {
            fields.push(Field { name: name.clone(), width: None });
            fields.len() - 1
        });
        fields[at].width = fields[at].width.max(width);
    }
    // Single values among lists are lists of one.
    for field in &mut fields {
        field.width = field.width.map(|width| width.max(1));
    }
    (fields, places)
}

fn too_wide(schema: &Schema, path: &str, field: &Field, width: usize) -> Diagnostic {
    Diagnostic::error(
        Code::A0427,
        schema.source.span,
        format!(
            "the longest list `{}` of `{path}` has {width} elements: every row would be as long",
            field.name
        ),
    )
    .label("too much to read into memory")
    .help(format!("read the elements as rows of their own: `each = \"{}\"`", field.name))
}

fn explode(schema: &Schema, path: &str, list: &str, rows: Vec<Row>) -> Result<Vec<Row>, Diagnostic> {
    let mut made = Vec::new();
    let mut found = false;
    let mut names: Vec<String> = Vec::new();
    for (number, mut row) in rows.into_iter().enumerate() {
        let Some(at) =
            row.cells.iter().position(|(name, cell)| name == list && !matches!(cell, Cell::One(_)))
        else {
            for (name, cell) in &row.cells {
                if !matches!(cell, Cell::One(_)) && !names.contains(name) {
                    names.push(name.clone());
                }
            }
            continue;
        };
        found = true;
        let (_, cell) = row.cells.remove(at);
        let elements: Vec<Vec<(String, Cell)>> = match cell {
            Cell::List(values) => {
                values.into_iter().map(|value| vec![(list.to_string(), Cell::One(value))]).collect()
            }
            Cell::Records(records) => records
                .into_iter()
                .map(|cells| cells.into_iter().map(|(name, cell)| (format!("{list}.{name}"), cell)).collect())
                .collect(),
            Cell::One(_) => continue,
        };
        for (position, mut cells) in elements.into_iter().enumerate() {
            cells.push((format!("{list}.position"), Cell::One(position.to_string())));
            cells.push((format!("{list}.row"), Cell::One(number.to_string())));
            cells.extend(row.cells.iter().cloned());
            made.push(Row { place: row.place, cells });
        }
    }
    if found {
        return Ok(made);
    }
    let help = match nearest(list, names.iter().map(String::as_str)) {
        Some(near) => format!("did you mean `{near}`?"),
        None if names.is_empty() => "the file has no lists at all".to_string(),
        None => format!("its lists are {}", super::bind::listed(names.iter().map(String::as_str))),
    };
    Err(Diagnostic::error(Code::A0416, schema.source.span, format!("no list of `{path}` is called `{list}`"))
        .label("`each` names a list whose elements are the rows")
        .help(help))
}
