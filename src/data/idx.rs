//! IDX, the format of MNIST: a magic number, the dimensions, then big-endian numbers.

use super::arrays::{Array, Numbers};
use super::bytes::DataFile;
use super::schema::Schema;
use crate::diagnostic::{Code, Diagnostic};

/// The array of one file.
pub fn parse(schema: &Schema, file: &DataFile) -> Result<Array, Diagnostic> {
    let name = format!("`{}`", file.path);
    let bytes = file.bytes.as_slice();
    let problem = |what: String, help: &str| {
        Diagnostic::error(Code::A0418, schema.source.span, format!("{name} is not a whole IDX file: {what}"))
            .label("read as IDX")
            .help(help)
    };
    let (kind, dimensions) = match bytes {
        [0, 0, kind, dimensions, ..] => (*kind, usize::from(*dimensions)),
        _ => {
            let start: Vec<String> = bytes.iter().take(4).map(|b| format!("{b:02x}")).collect();
            return Err(problem(
                format!("it starts with the bytes {}, not with 00 00", start.join(" ")),
                "tables of text are read with `csv` or `tsv`, NumPy arrays with `npy` or `npz`",
            ));
        }
    };
    let width = match kind {
        0x08 | 0x09 => 1,
        0x0b => 2,
        0x0c | 0x0d => 4,
        0x0e => 8,
        other => {
            return Err(problem(
                format!("its element type {other:#04x} is unknown"),
                "the types are 08 (unsigned byte), 09 (signed byte), 0b (short), 0c (int), 0d (float), 0e (double)",
            ));
        }
    };
    let truncated = "get the file again: it was cut off";
    let header = 4 + 4 * dimensions;
    if bytes.len() < header || dimensions == 0 {
        return Err(problem(format!("its header of {dimensions} dimensions is incomplete"), truncated));
    }
    let shape: Vec<usize> = bytes[4..header]
        .chunks_exact(4)
        .map(|d| u32::from_be_bytes([d[0], d[1], d[2], d[3]]) as usize)
        .collect();
    let body = &bytes[header..];
    let expected = shape.iter().try_fold(width, |product: usize, size| product.checked_mul(*size));
    match expected {
        Some(expected) if expected == body.len() => {}
        Some(expected) if expected < body.len() => {
            return Err(problem(
                format!("the shape {shape:?} takes {expected} bytes, but {} follow the header", body.len()),
                "the file holds more than its header says: it may be two files in one",
            ));
        }
        _ => {
            let expected =
                expected.map_or("more than any file can hold".to_string(), |e| format!("{e} bytes"));
            return Err(problem(
                format!("the shape {shape:?} takes {expected}, but {} bytes follow the header", body.len()),
                truncated,
            ));
        }
    }
    let numbers = match kind {
        0x08 => Numbers::Whole(body.iter().map(|b| i64::from(*b)).collect()),
        0x09 => Numbers::Whole(body.iter().map(|b| i64::from(*b as i8)).collect()),
        0x0b => Numbers::Whole(
            body.chunks_exact(2).map(|b| i64::from(i16::from_be_bytes([b[0], b[1]]))).collect(),
        ),
        0x0c => Numbers::Whole(words(body).map(|b| i64::from(i32::from_be_bytes(b))).collect()),
        0x0d => Numbers::F32(words(body).map(f32::from_be_bytes).collect()),
        _ => Numbers::F64(
            body.chunks_exact(8)
                .map(|b| f64::from_be_bytes([b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7]]))
                .collect(),
        ),
    };
    Ok(Array { name, shape, numbers })
}

fn words(body: &[u8]) -> impl Iterator<Item = [u8; 4]> + '_ {
    body.chunks_exact(4).map(|b| [b[0], b[1], b[2], b[3]])
}
