//! NumPy arrays: `.npy` files, and `.npz` archives of them.
//!
//! Source of the format: NumPy Enhancement Proposal 1 and `numpy.lib.format`, versions 1 to 3. Read here because
//! the `npyz` crate overflows on a header with large sizes, and a file from anywhere must give a diagnostic.

use std::io::{Cursor, Read};

use super::arrays::{Array, Numbers};
use super::bytes::{DataFile, LIMIT};
use super::schema::Schema;
use crate::diagnostic::{Code, Diagnostic};

/// What an `.npy` header says.
#[derive(Debug, PartialEq)]
struct Header {
    /// `<f4`
    descr: String,
    /// The first dimension varies fastest.
    fortran: bool,
    shape: Vec<usize>,
}

/// The array of one `.npy` file; `path` is its name in messages.
pub fn parse(schema: &Schema, path: &str, bytes: &[u8]) -> Result<Array, Diagnostic> {
    let broken = |what: &str| {
        Diagnostic::error(
            Code::A0419,
            schema.source.span,
            format!("`{path}` is not a whole NumPy array: {what}"),
        )
        .label("read as npy")
        .help("write it with `numpy.save`; tables of text are read with `csv` or `tsv`")
    };
    let (header, body) = header(bytes).map_err(|what| broken(&what))?;
    let unsupported = || {
        let what = match header.descr.as_str() {
            "" => "a record of several fields".to_string(),
            descr => format!("elements of the type `{descr}`"),
        };
        Diagnostic::error(Code::A0420, schema.source.span, format!("the array `{path}` holds {what}"))
            .label("only numbers and booleans can be read")
            .help("convert it with `astype` to float32, int64 or bool before saving it")
    };
    let (order, kind) = match header.descr.split_at_checked(1) {
        Some((order @ ("<" | ">" | "|" | "="), kind)) => (order, kind),
        _ => return Err(unsupported()),
    };
    let width: usize = match kind {
        "b1" | "i1" | "u1" => 1,
        "f2" | "i2" | "u2" => 2,
        "f4" | "i4" | "u4" => 4,
        "f8" | "i8" | "u8" => 8,
        _ => return Err(unsupported()),
    };
    let count = header.shape.iter().try_fold(1usize, |product, size| product.checked_mul(*size));
    let expected = count.and_then(|count| count.checked_mul(width));
    let Some((count, expected)) = count.zip(expected).filter(|(_, expected)| *expected <= body.len()) else {
        return Err(broken(&format!(
            "its shape {:?} takes more than the {} bytes it has",
            header.shape,
            body.len()
        )));
    };
    if expected < body.len() {
        return Err(broken(&format!(
            "its shape {:?} takes {expected} bytes, but it has {}",
            header.shape,
            body.len()
        )));
    }
    let mut numbers = numbers(kind, order == ">", width, body);
    debug_assert_eq!(expected, count * width);
    if header.fortran && header.shape.len() > 1 {
        let from = row_major_from_fortran(&header.shape, count);
        numbers = match numbers {
            Numbers::Whole(v) => Numbers::Whole(from.iter().map(|at| v[*at]).collect()),
            Numbers::F32(v) => Numbers::F32(from.iter().map(|at| v[*at]).collect()),
            Numbers::F64(v) => Numbers::F64(from.iter().map(|at| v[*at]).collect()),
            Numbers::Bool(v) => Numbers::Bool(from.iter().map(|at| v[*at]).collect()),
        };
    }
    Ok(Array { name: format!("`{path}`"), shape: header.shape, numbers })
}

pub fn numbers(kind: &str, big: bool, width: usize, body: &[u8]) -> Numbers {
    if kind == "f4" && !big {
        // Most files, and the largest.
        let (numbers, _) = body.as_chunks::<4>();
        return Numbers::F32(numbers.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect());
    }
    let raw = body.chunks_exact(width).map(|chunk| {
        // The element's bits in the low end of a word.
        chunk.iter().enumerate().fold(0u64, |word, (at, byte)| {
            let shift = if big { width - 1 - at } else { at };
            word | u64::from(*byte) << (8 * shift)
        })
    });
    match kind {
        "b1" => Numbers::Bool(raw.map(|x| u8::from(x != 0)).collect()),
        "f2" => Numbers::F32(raw.map(|x| half(x as u16)).collect()),
        "f4" => Numbers::F32(raw.map(|x| f32::from_bits(x as u32)).collect()),
        "f8" => Numbers::F64(raw.map(f64::from_bits).collect()),
        "i1" => Numbers::Whole(raw.map(|x| i64::from(x as i8)).collect()),
        "i2" => Numbers::Whole(raw.map(|x| i64::from(x as i16)).collect()),
        "i4" => Numbers::Whole(raw.map(|x| i64::from(x as i32)).collect()),
        "i8" => Numbers::Whole(raw.map(|x| x as i64).collect()),
        // Unsigned numbers above the largest i64 become it; no index is that large.
        _ => Numbers::Whole(raw.map(|x| i64::try_from(x).unwrap_or(i64::MAX)).collect()),
    }
}

/// IEEE 754 binary16.
fn half(bits: u16) -> f32 {
    let sign = if bits & 0x8000 == 0 { 1.0 } else { -1.0 };
    let exponent = i32::from(bits >> 10 & 0x1f);
    let fraction = f32::from(bits & 0x3ff);
    sign * match exponent {
        0 => fraction * 2f32.powi(-24),
        31 if fraction == 0.0 => f32::INFINITY,
        31 => f32::NAN,
        _ => (1.0 + fraction / 1024.0) * 2f32.powi(exponent - 15),
    }
}

/// For each element in row-major order its position in column-major order.
fn row_major_from_fortran(shape: &[usize], count: usize) -> Vec<usize> {
    let mut strides = Vec::with_capacity(shape.len());
    let mut stride = 1usize;
    for size in shape {
        strides.push(stride);
        stride *= size;
    }
    (0..count)
        .map(|element| {
            let mut rest = element;
            shape.iter().zip(&strides).rev().fold(0, |at, (size, stride)| {
                let index = rest % size;
                rest /= size;
                at + index * stride
            })
        })
        .collect()
}

/// Splits a file into its header and its elements.
fn header(bytes: &[u8]) -> Result<(Header, &[u8]), String> {
    let rest = bytes.strip_prefix(b"\x93NUMPY").ok_or("it does not start with the mark of the format")?;
    let (length, rest) = match rest {
        [1, _, a, b, rest @ ..] => (u32::from(u16::from_le_bytes([*a, *b])), rest),
        [2 | 3, _, a, b, c, d, rest @ ..] => (u32::from_le_bytes([*a, *b, *c, *d]), rest),
        [version, ..] if *version > 3 || *version == 0 => {
            return Err(format!("version {version} is unknown"));
        }
        _ => return Err("its header was cut off".into()),
    };
    let (text, body) = rest.split_at_checked(length as usize).ok_or("its header was cut off")?;
    let text = std::str::from_utf8(text).map_err(|_| "its header is not text")?;
    Ok((dictionary(text).ok_or("its header cannot be understood")?, body))
}

/// `{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }`
fn dictionary(text: &str) -> Option<Header> {
    let mut rest = text.trim().strip_prefix('{')?.strip_suffix('}')?.trim_start();
    let (mut descr, mut fortran, mut shape) = (None, None, None);
    while !rest.is_empty() {
        let (key, after) = quoted(rest)?;
        rest = after.trim_start().strip_prefix(':')?.trim_start();
        rest = match key {
            // A list describes records; it is refused by the empty name.
            "descr" if rest.starts_with('[') => {
                descr = Some(String::new());
                &rest[rest.rfind(']')? + 1..]
            }
            "descr" => {
                let (value, after) = quoted(rest)?;
                descr = Some(value.to_string());
                after
            }
            "fortran_order" => {
                fortran = Some(rest.starts_with("True"));
                rest.strip_prefix("True").or_else(|| rest.strip_prefix("False"))?
            }
            "shape" => {
                let (inside, after) = rest.strip_prefix('(')?.split_once(')')?;
                let sizes: Result<Vec<usize>, _> =
                    inside.split(',').map(str::trim).filter(|s| !s.is_empty()).map(str::parse).collect();
                shape = Some(sizes.ok()?);
                after
            }
            _ => return None,
        };
        rest = rest.trim_start();
        rest = rest.strip_prefix(',').unwrap_or(rest).trim_start();
    }
    Some(Header { descr: descr?, fortran: fortran?, shape: shape? })
}

/// A Python string at the start of a text, and what follows it.
fn quoted(text: &str) -> Option<(&str, &str)> {
    let quote = text.chars().next().filter(|c| *c == '\'' || *c == '"')?;
    text[1..].split_once(quote)
}

fn archive<'a>(schema: &Schema, file: &'a DataFile) -> Result<zip::ZipArchive<Cursor<&'a [u8]>>, Diagnostic> {
    zip::ZipArchive::new(Cursor::new(file.bytes.as_slice()))
        .map_err(|error| archive_problem(schema, &file.path, &error))
}

fn archive_problem(schema: &Schema, path: &str, error: &dyn std::fmt::Display) -> Diagnostic {
    Diagnostic::error(
        Code::A0419,
        schema.source.span,
        format!("`{path}` is not a whole NumPy archive: {error}"),
    )
    .label("read as npz")
    .help("write it with `numpy.savez`; a single array is read with `npy`")
}

/// The names of the arrays of an archive, without `.npy`.
pub fn names(schema: &Schema, file: &DataFile) -> Result<Vec<String>, Diagnostic> {
    let archive = archive(schema, file)?;
    Ok(archive.file_names().filter_map(|name| Some(name.ok()?.strip_suffix(".npy")?.to_string())).collect())
}

/// One array of an archive.
pub fn member(schema: &Schema, file: &DataFile, name: &str) -> Result<Array, Diagnostic> {
    let path = format!("{name}` of `{}", file.path);
    let mut archive = archive(schema, file)?;
    let member = archive
        .by_name(&format!("{name}.npy"))
        .map_err(|error| archive_problem(schema, &file.path, &error))?;
    let mut bytes = Vec::new();
    member
        .take(LIMIT)
        .read_to_end(&mut bytes)
        .map_err(|error| archive_problem(schema, &file.path, &error))?;
    parse(schema, &path, &bytes)
}
