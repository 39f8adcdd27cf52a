//! Array files (IDX, npy, npz) become columns: the first dimension is the row, the others are the inner axes.

use std::collections::HashMap;
use std::sync::Arc;

use super::bind::{self, Sizes};
use super::bytes::DataFile;
use super::category::{self, Coded};
use super::cells::Problems;
use super::schema::{ColumnKind, ColumnSpec, Schema, SourceKind};
use super::table::{Column, Table};
use super::tensors::Tensors;
use super::{idx, npy};
use crate::diagnostic::{Checked, Code, Diagnostic};
use crate::graph::node::Element;
use crate::graph::tensor::Tensor;

/// The numbers of an array file, row-major.
#[derive(Clone, Debug, PartialEq)]
pub enum Numbers {
    Whole(Vec<i64>),
    F32(Vec<f32>),
    F64(Vec<f64>),
    Bool(Vec<u8>),
}

/// One array with the name under which messages speak of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Array {
    /// `images.gz`, or `x` of `data.npz`.
    pub name: String,
    pub shape: Vec<usize>,
    pub numbers: Numbers,
}

pub fn read(schema: &Schema, files: &[Arc<DataFile>]) -> Checked<Table> {
    let arrays = match schema.source.kind {
        SourceKind::Npz => named(schema, files)?,
        SourceKind::Safetensors => tensors(schema, files)?,
        _ => in_order(schema, files)?,
    };
    convert(schema, arrays)
}

/// One array for each column, in the order of the files.
fn in_order(schema: &Schema, files: &[Arc<DataFile>]) -> Checked<Vec<Array>> {
    if files.len() != schema.columns.len() {
        return Err(vec![
            Diagnostic::error(
                Code::A0423,
                schema.source.span,
                format!("{} array files for {} columns", files.len(), schema.columns.len()),
            )
            .label("each file holds one array")
            .related(schema.span, "the columns take the files in order")
            .help("name one file a column, in the order of the columns"),
        ]);
    }
    let mut arrays = Vec::with_capacity(files.len());
    let mut problems = Vec::new();
    for file in files {
        let parsed = match schema.source.kind {
            SourceKind::Idx => idx::parse(schema, file),
            _ => npy::parse(schema, &file.path, &file.bytes),
        };
        match parsed {
            Ok(array) => arrays.push(array),
            Err(problem) => problems.push(problem),
        }
    }
    if problems.is_empty() { Ok(arrays) } else { Err(problems) }
}

/// The array of each column's name, from safetensors files.
fn tensors(schema: &Schema, files: &[Arc<DataFile>]) -> Checked<Vec<Array>> {
    let mut opened = Vec::with_capacity(files.len());
    for file in files {
        let file = Tensors::open(&file.bytes, &file.path, schema.source.span);
        opened.push(file.map_err(|problem| vec![problem])?);
    }
    let names =
        opened.iter().enumerate().flat_map(|(at, file)| file.names().into_iter().map(move |name| (at, name)));
    by_name(schema, names.collect(), |at, name| opened[*at].array(name))
}

/// The array of each column's name, from archives.
fn named(schema: &Schema, files: &[Arc<DataFile>]) -> Checked<Vec<Array>> {
    let mut known = Vec::new();
    for file in files {
        known.extend(
            npy::names(schema, file).map_err(|problem| vec![problem])?.into_iter().map(|n| (file, n)),
        );
    }
    by_name(schema, known, |file, name| npy::member(schema, file, name))
}

fn by_name<F>(
    schema: &Schema,
    known: Vec<(F, String)>,
    read: impl Fn(&F, &str) -> Result<Array, Diagnostic>,
) -> Checked<Vec<Array>> {
    let mut arrays = Vec::new();
    let mut problems = Vec::new();
    for column in &schema.columns {
        let wanted = column.header();
        let Some((file, name)) = known.iter().find(|(_, name)| name == wanted) else {
            let names = known.iter().map(|(_, name)| name.as_str());
            let help = match crate::diagnostic::nearest(wanted, names.clone()) {
                Some(near) => format!("did you mean `{near}`? The arrays are {}", bind::listed(names)),
                None => format!("the arrays are {}", bind::listed(names)),
            };
            problems.push(
                Diagnostic::error(
                    Code::A0416,
                    column.span,
                    format!("no array of the archive is called `{wanted}`"),
                )
                .label("not in the archive")
                .help(help),
            );
            continue;
        };
        match read(file, name) {
            Ok(array) => arrays.push(array),
            Err(problem) => problems.push(problem),
        }
    }
    if problems.is_empty() { Ok(arrays) } else { Err(problems) }
}

fn convert(schema: &Schema, arrays: Vec<Array>) -> Checked<Table> {
    let mut sizes = Sizes::default();
    let mut problems: Vec<Diagnostic> = schema
        .columns
        .iter()
        .zip(&arrays)
        .filter_map(|(column, array)| check_shape(column, array, &mut sizes).err())
        .collect();
    if !problems.is_empty() {
        return Err(problems);
    }
    let lengths: Vec<_> =
        arrays.iter().map(|a| (a.name.as_str(), a.shape.first().copied().unwrap_or(0))).collect();
    bind::same_lengths(schema, &lengths)?;
    let rows = lengths.first().map_or(0, |(_, rows)| *rows);
    if rows == 0 {
        return Err(vec![
            Diagnostic::error(Code::A0425, schema.source.span, "the arrays have no rows")
                .label("nothing to read"),
        ]);
    }
    if rows > i32::MAX as usize {
        return Err(vec![
            Diagnostic::error(Code::A0427, schema.source.span, format!("the arrays have {rows} rows"))
                .label(format!("more than {} rows", i32::MAX)),
        ]);
    }
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
    let mut coded = Vec::new();
    for (column, array) in schema.columns.iter().zip(arrays) {
        let mut found = Problems::new(column);
        let (element, tensor) = match &column.kind {
            ColumnKind::Float => (Element::Float, Tensor::F32(floats(array, &mut found))),
            ColumnKind::Bool => (Element::Bool, Tensor::Bool(booleans(&array, &mut found))),
            ColumnKind::Category { .. } => {
                match codes(column, &array, table.columns.len()) {
                    Ok(codes) => coded.push(codes),
                    Err(problem) => problems.push(problem),
                }
                (Element::Index, Tensor::Index(Vec::new()))
            }
            ColumnKind::Text => {
                problems.push(
                    Diagnostic::error(
                        Code::A0426,
                        column.span,
                        format!("`{}` is text, but arrays hold numbers", column.name),
                    )
                    .label(format!("read from {}", array.name)),
                );
                continue;
            }
        };
        problems.extend(found.finish());
        let inner = column.inner.iter().map(|axis| axis.name.clone()).collect();
        table.columns.push(Column { name: column.name.clone(), element, category: None, inner, tensor });
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    category::finish(schema, &mut table, coded, &mut sizes)?;
    table.groups = sizes.into_axes();
    Ok(table)
}

fn check_shape(column: &ColumnSpec, array: &Array, sizes: &mut Sizes) -> Result<(), Diagnostic> {
    let shape = || {
        let sizes: Vec<String> = array.shape.iter().map(usize::to_string).collect();
        format!("[{}]", sizes.join(", "))
    };
    if array.shape.len() != 1 + column.inner.len() {
        let names: Vec<&str> = column.inner.iter().map(|axis| axis.name.as_str()).collect();
        return Err(Diagnostic::error(
            Code::A0421,
            column.span,
            format!(
                "the array {} has the shape {}: one dimension for the rows and {} more; `{}` declares [{}]",
                array.name,
                shape(),
                array.shape.len().saturating_sub(1),
                column.name,
                names.join(", ")
            ),
        )
        .label("declares one axis for each dimension after the first")
        .help("as in `image: Float[Height, Width]` for images of shape [n, 28, 28]"));
    }
    for (axis, size) in column.inner.iter().zip(&array.shape[1..]) {
        if axis.size.is_some_and(|declared| declared != *size) {
            return Err(Diagnostic::error(
                Code::A0421,
                column.span,
                format!(
                    "the array {} has the shape {}, but the axis {} is declared with {} positions",
                    array.name,
                    shape(),
                    axis.name,
                    axis.size.unwrap_or(0)
                ),
            )
            .label(format!("{size} positions in the file"))
            .help("the order of the axes in brackets is the order of the dimensions in the file"));
        }
        sizes.set(column, &axis.name, *size)?;
    }
    Ok(())
}

/// Where an element of an array stands, for a message.
fn place(array: &Array, element: usize) -> String {
    let mut rest = element;
    let mut at: Vec<String> = Vec::new();
    for size in array.shape.iter().rev() {
        at.push((rest % size.max(&1)).to_string());
        rest /= size.max(&1);
    }
    at.reverse();
    format!("position [{}] of {}", at.join(", "), array.name)
}

fn floats(array: Array, problems: &mut Problems) -> Vec<f32> {
    let array = match array {
        Array { numbers: Numbers::F32(values), .. } if are_finite(&values) => return values,
        other => other,
    };
    let values: Vec<f32> = match &array.numbers {
        Numbers::Whole(v) => v.iter().map(|x| *x as f32).collect(),
        Numbers::F32(v) => v.clone(),
        Numbers::F64(v) => v.iter().map(|x| *x as f32).collect(),
        Numbers::Bool(v) => v.iter().map(|x| f32::from(*x)).collect(),
    };
    for (element, value) in values.iter().enumerate().filter(|(_, value)| !value.is_finite()) {
        problems.add(Code::A0410, |column| {
            let fault = match &array.numbers {
                Numbers::F64(v) if v[element].is_finite() => "too large for a 32-bit number".to_string(),
                _ => format!("{value}"),
            };
            Diagnostic::error(
                Code::A0410,
                column.span,
                format!("the value at {} is {fault}", place(&array, element)),
            )
            .label("every value must be a finite number")
            .help("mend the array where it is made")
        });
    }
    values
}

/// Looks at all of them: a loop that may end early goes through one at a time.
fn are_finite(values: &[f32]) -> bool {
    values.iter().fold(true, |all, value| all & value.is_finite())
}

fn booleans(array: &Array, problems: &mut Problems) -> Vec<u8> {
    let values: Vec<f64> = match &array.numbers {
        Numbers::Bool(v) => return v.clone(),
        Numbers::Whole(v) => v.iter().map(|x| *x as f64).collect(),
        Numbers::F32(v) => v.iter().map(|x| f64::from(*x)).collect(),
        Numbers::F64(v) => v.clone(),
    };
    for (element, value) in values.iter().enumerate().filter(|(_, value)| **value != 0.0 && **value != 1.0) {
        problems.add(Code::A0413, |column| {
            Diagnostic::error(
                Code::A0413,
                column.span,
                format!("{value} at {} is neither 0 nor 1", place(array, element)),
            )
            .label("a column of booleans")
            .help("read the array as Float or as a category and compare it where it is used")
        });
    }
    values.iter().map(|value| u8::from(*value == 1.0)).collect()
}

fn codes<'a>(column: &'a ColumnSpec, array: &Array, at: usize) -> Result<Coded<'a>, Diagnostic> {
    let widened: Vec<i64>;
    let values = match &array.numbers {
        Numbers::Whole(v) => v,
        Numbers::Bool(v) => {
            widened = v.iter().map(|x| i64::from(*x)).collect();
            &widened
        }
        Numbers::F32(_) | Numbers::F64(_) => {
            return Err(Diagnostic::error(
                Code::A0426,
                column.span,
                format!("`{}` is a category, but {} holds floating-point numbers", column.name, array.name),
            )
            .label("a category is made of whole numbers")
            .help("store the labels as integers"));
        }
    };
    let mut known: HashMap<i64, u32> = HashMap::new();
    let mut coded = Coded::new(column, at);
    for (element, value) in values.iter().enumerate() {
        let code = *known.entry(*value).or_insert_with(|| {
            coded.values.push((value.to_string(), place(array, element)));
            coded.values.len() as u32 - 1
        });
        coded.codes.push(code);
    }
    Ok(coded)
}
