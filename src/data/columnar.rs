//! Parquet: compressed columns. They are read row by row, and become records like those of JSON Lines.
//!
//! Dates are days and times are whole numbers of their unit since 1970. A structure inside a row has the path as its
//! name: `user.age`.

use std::panic::{AssertUnwindSafe, catch_unwind};

use bytes::Bytes;
use parquet::errors::ParquetError;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::{Field, Row as ParquetRow};

use super::bytes::DataFile;
use super::loose::{self, Cell, Row};
use super::schema::Schema;
use super::text::Records;
use crate::diagnostic::{Code, Diagnostic};

pub fn parse(schema: &Schema, file: &DataFile) -> Result<Records, Diagnostic> {
    let problem = |what: String, help: &str| {
        Diagnostic::error(
            Code::A0443,
            schema.source.span,
            format!("`{}` is not a whole Parquet file: {what}", file.path),
        )
        .label("read as Parquet")
        .help(help)
    };
    let again = "get the file again; `parquet-tools inspect FILE` tells what is in it";
    if !file.bytes.starts_with(b"PAR1") || !file.bytes.ends_with(b"PAR1") {
        return Err(problem("it does not start and end with the mark of the format".to_string(), again));
    }
    // The library asserts what a damaged file may break; a file from anywhere must give a diagnostic.
    let read = catch_unwind(AssertUnwindSafe(|| rows(&file.bytes)));
    let rows = match read {
        Ok(Ok(rows)) => rows,
        Ok(Err(error)) => {
            let text = error.to_string();
            return Err(
                match text.contains("feature") || text.contains("not supported") || text.contains("codec") {
                    true => {
                        problem(text, "write it with the compression `snappy`, `gzip`, `lz4_raw` or none")
                    }
                    false => problem(text, again),
                },
            );
        }
        Err(_) => return Err(problem("its pages are damaged".to_string(), again)),
    };
    loose::records(schema, &file.path, "row", rows)
}

fn rows(bytes: &[u8]) -> Result<Vec<Row>, ParquetError> {
    let reader = SerializedFileReader::new(Bytes::copy_from_slice(bytes))?;
    let mut rows = Vec::new();
    for (number, row) in reader.get_row_iter(None)?.enumerate() {
        let mut cells = Vec::new();
        flatten(None, &row?, &mut cells);
        rows.push(Row { place: number as u64 + 1, cells });
    }
    Ok(rows)
}

fn flatten(path: Option<&str>, row: &ParquetRow, cells: &mut Vec<(String, Cell)>) {
    for (name, field) in row.get_column_iter() {
        let name = path.map_or_else(|| name.clone(), |path| format!("{path}.{name}"));
        match field {
            Field::Group(inner) => flatten(Some(&name), inner, cells),
            Field::ListInternal(list) => {
                let elements = list.elements();
                let is_record = |field: &Field| matches!(field, Field::Group(_));
                if elements.iter().any(is_record) {
                    let records = elements.iter().map(|element| {
                        let mut record = Vec::new();
                        if let Field::Group(inner) = element {
                            flatten(None, inner, &mut record);
                        }
                        record
                    });
                    cells.push((name, Cell::Records(records.collect())));
                } else {
                    let mut leaves = Vec::new();
                    elements.iter().for_each(|element| leaf(element, &mut leaves));
                    cells.push((name, Cell::List(leaves)));
                }
            }
            other => {
                let mut one = Vec::new();
                leaf(other, &mut one);
                cells.push((name, Cell::One(one.pop().unwrap_or_default())));
            }
        }
    }
}

/// The values of a field as they would stand in a text file; null is empty.
fn leaf(field: &Field, leaves: &mut Vec<String>) {
    leaves.push(match field {
        Field::ListInternal(list) => return list.elements().iter().for_each(|element| leaf(element, leaves)),
        Field::Null | Field::Group(_) | Field::MapInternal(_) => String::new(),
        Field::Bool(value) => value.to_string(),
        Field::Byte(value) => value.to_string(),
        Field::Short(value) => value.to_string(),
        Field::Int(value) | Field::Date(value) | Field::TimeMillis(value) => value.to_string(),
        Field::Long(value)
        | Field::TimeMicros(value)
        | Field::TimestampMillis(value)
        | Field::TimestampMicros(value) => value.to_string(),
        Field::UByte(value) => value.to_string(),
        Field::UShort(value) => value.to_string(),
        Field::UInt(value) => value.to_string(),
        Field::ULong(value) => value.to_string(),
        Field::Float16(value) => value.to_string(),
        Field::Float(value) => value.to_string(),
        Field::Double(value) => value.to_string(),
        Field::Str(text) => text.clone(),
        Field::Bytes(bytes) => String::from_utf8_lossy(bytes.data()).into_owned(),
        other => other.to_string(),
    });
}
