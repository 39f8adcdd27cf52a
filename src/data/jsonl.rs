//! JSON Lines: every line is an object, whose members are the fields of the row.
//!
//! A member of an inner object has its path as its name: `user.age`. Lists of lists are read row by row, the last
//! dimension fastest.

use serde_json::Value;

use super::bytes::DataFile;
use super::cells::short;
use super::loose::{self, Cell, Row};
use super::schema::Schema;
use super::text::{Records, text_of};
use crate::diagnostic::{Code, Diagnostic};

pub fn parse(schema: &Schema, file: &DataFile) -> Result<Records, Diagnostic> {
    let text = text_of(schema, file)?;
    let problem = |line: usize, what: String, help: &str| {
        Diagnostic::error(
            Code::A0440,
            schema.source.span,
            format!("line {} of `{}` {what}", line + 1, file.path),
        )
        .label("read as JSON Lines")
        .help(help)
    };
    let mut rows = Vec::new();
    for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let value: Value = serde_json::from_str(line).map_err(|error| {
            let help = if line.trim_start().starts_with('[') || line.trim() == "{" {
                "every line is an object of its own: `jq -c '.[]' FILE` makes such lines of one JSON array"
            } else {
                "mend the line: an interrupted export often leaves half a line at the end"
            };
            problem(number, format!("is not JSON: {error}"), help)
        })?;
        let Value::Object(members) = value else {
            return Err(problem(
                number,
                format!("is no object: `{}`", short(line.trim())),
                "every line must be an object with named members: `{\"x\": 1, \"label\": \"a\"}`",
            ));
        };
        let mut cells = Vec::with_capacity(members.len());
        for (name, value) in members {
            flatten(name, value, &mut cells).map_err(|(name, what)| {
                problem(
                    number,
                    format!("holds {what} in `{name}`"),
                    "lists must hold values, or lists of one length",
                )
            })?;
        }
        rows.push(Row { place: number as u64 + 1, cells });
    }
    loose::records(schema, &file.path, "line", rows)
}

type Wrong = (String, &'static str);

fn flatten(name: String, value: Value, cells: &mut Vec<(String, Cell)>) -> Result<(), Wrong> {
    match value {
        Value::Object(members) => {
            for (inner, value) in members {
                flatten(format!("{name}.{inner}"), value, cells)?;
            }
        }
        Value::Array(values) if values.iter().any(Value::is_object) => {
            let mut records = Vec::with_capacity(values.len());
            for value in values {
                let Value::Object(members) = value else {
                    return Err((name, "a list of objects and other things"));
                };
                let mut record = Vec::new();
                for (inner, value) in members {
                    flatten(inner, value, &mut record)?;
                }
                records.push(record);
            }
            cells.push((name, Cell::Records(records)));
        }
        Value::Array(values) => match leaves(values) {
            Ok(list) => cells.push((name, Cell::List(list))),
            Err(what) => return Err((name, what)),
        },
        other => cells.push((name, Cell::One(scalar(other)))),
    }
    Ok(())
}

/// The values of a list, or of lists of equal length in it.
fn leaves(values: Vec<Value>) -> Result<Vec<String>, &'static str> {
    let mut list = Vec::with_capacity(values.len());
    let mut width = None;
    for value in values {
        match value {
            Value::Array(inner) => {
                let inner = leaves(inner)?;
                if *width.get_or_insert(Some(inner.len())) != Some(inner.len()) {
                    return Err("lists of different lengths in one list");
                }
                list.extend(inner);
            }
            Value::Object(_) => return Err("objects in a list of lists"),
            other => {
                if width.get_or_insert(None).is_some() {
                    return Err("values beside lists in one list");
                }
                list.push(scalar(other));
            }
        }
    }
    Ok(list)
}

/// A value as it would stand in a text file; null is an empty cell.
fn scalar(value: Value) -> String {
    match value {
        Value::String(text) => text,
        Value::Number(number) => number.to_string(),
        Value::Bool(truth) => truth.to_string(),
        _ => String::new(),
    }
}
