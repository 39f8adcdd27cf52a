//! Tests of the readers and of everything that orders rows.

mod errors;
mod fuzz;
mod loose;
mod readers;
mod rows;

use std::path::PathBuf;

use super::*;
use crate::diagnostic::Code;
use crate::source::{Disk, FileId, Memory, Span, World};

pub fn load(schema: &Schema, world: &dyn World) -> Checked<Table> {
    super::load(schema, &Files::new(world))
}

/// A span with a number, to tell places apart.
pub fn span(at: usize) -> Span {
    Span::new(FileId(0), at, at + 1)
}

pub fn schema(kind: SourceKind, paths: &[&str], columns: Vec<ColumnSpec>) -> Schema {
    Schema {
        name: "sample".into(),
        source: SourceSpec::new(kind, paths.iter().map(|p| p.to_string()).collect(), span(100)),
        columns,
        key: None,
        span: span(200),
    }
}

pub fn float(name: &str) -> ColumnSpec {
    ColumnSpec::new(name, ColumnKind::Float, span(1))
}

pub fn boolean(name: &str) -> ColumnSpec {
    ColumnSpec::new(name, ColumnKind::Bool, span(2))
}

pub fn text(name: &str) -> ColumnSpec {
    ColumnSpec::new(name, ColumnKind::Text, span(3))
}

pub fn category(name: &str, axis: &str, domain: Domain) -> ColumnSpec {
    ColumnSpec::new(name, ColumnKind::Category { axis: axis.into(), domain }, span(4))
}

/// With inner axes of unknown size.
pub fn over(mut column: ColumnSpec, axes: &[&str]) -> ColumnSpec {
    column.inner = axes.iter().map(|name| InnerAxis { name: name.to_string(), size: None }).collect();
    column
}

pub fn sized(mut column: ColumnSpec, axes: &[(&str, usize)]) -> ColumnSpec {
    column.inner =
        axes.iter().map(|(name, size)| InnerAxis { name: name.to_string(), size: Some(*size) }).collect();
    column
}

pub fn from_header(mut column: ColumnSpec, header: &str) -> ColumnSpec {
    column.header = Some(header.into());
    column
}

pub fn missing(mut column: ColumnSpec, missing: Missing) -> ColumnSpec {
    column.missing = missing;
    column
}

/// Files in memory, called `a`, `b`, ... in order.
pub fn memory(files: &[&[u8]]) -> Memory {
    let names = ["a", "b", "c"];
    Memory { files: names.iter().zip(files).map(|(n, bytes)| (PathBuf::from(n), bytes.to_vec())).collect() }
}

/// A folder of the repository.
pub fn disk(folder: &str) -> Disk {
    Disk { roots: vec![PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(folder)] }
}

pub fn read_csv(content: &str, columns: Vec<ColumnSpec>) -> Checked<Table> {
    load(&schema(SourceKind::Csv, &["a"], columns), &memory(&[content.as_bytes()]))
}

/// The one problem, which must have that code and speak of all those things.
pub fn refused(outcome: Checked<Table>, code: Code, speaks_of: &[&str]) {
    let problems = outcome.expect_err("should be refused");
    assert_eq!(problems.iter().map(|p| p.code).collect::<Vec<_>>(), [code], "{problems:#?}");
    let said = format!(
        "{} {} {}",
        problems[0].message,
        problems[0].primary.text,
        problems[0].help.as_ref().map_or("", |help| &help.text)
    );
    for words in speaks_of {
        assert!(said.contains(words), "`{words}` is not in: {said}");
    }
}
