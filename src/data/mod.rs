//! Data: files become typed columns, rows become parts, epochs and batches.
//!
//! In: a [`Schema`] (plain structs that the runtime fills from the checked program) and [`Files`] of a world. Out: a
//! [`Table`] of tensors whose first axis is the row, or every problem of the file as coded diagnostics;
//! [`split`](split::split) cuts its rows into named parts, [`order`] puts them into batches.
//!
//! Nothing here knows syntax trees, and no byte comes in except through the `Files`.

mod arrays;
mod bind;
mod bytes;
mod category;
mod cells;
mod columnar;
mod fold;
mod group;
mod idx;
mod jsonl;
mod key;
mod lines;
mod loose;
mod npy;
pub mod order;
mod sample;
mod schema;
pub mod split;
mod table;
mod tensors;
mod text;
pub mod text_function;
pub mod tokens;
mod weights;

#[cfg(test)]
mod tests;

pub use bytes::Files;
pub use fold::{Folds, kfold, leave_one_group_out};
pub use order::{Batches, permutation};
pub use sample::Sampler;
pub use schema::{
    ColumnKind, ColumnSpec, Domain, InnerAxis, Key, Missing, Piece, Schema, SourceKind, SourceSpec,
};
pub use split::{Amount, PartSpec, Split, SplitSpec, split};
pub use table::{CategoryAxis, Column, SizedAxis, Table, TextColumn};
pub use weights::{WeightArray, Weights, weights};

use crate::diagnostic::Checked;

/// Reads the files of a schema and makes its columns.
///
/// All problems of a stage are reported together: files first, then headers and groups, then values.
pub fn load(schema: &Schema, files: &Files) -> Checked<Table> {
    let files = files.of(schema)?;
    let hash = bytes::hash(&files);
    let mut table = match schema.source.kind {
        SourceKind::Csv => {
            let delimiter = schema.source.delimiter.unwrap_or(b',');
            text::read(schema, &files, |file| text::parse(schema, file, delimiter, true))?
        }
        SourceKind::Tsv => text::read(schema, &files, |file| text::parse(schema, file, b'\t', false))?,
        SourceKind::Jsonl => text::read(schema, &files, |file| jsonl::parse(schema, file))?,
        SourceKind::Parquet => text::read(schema, &files, |file| columnar::parse(schema, file))?,
        SourceKind::Text => text::read(schema, &files, |file| lines::parse(schema, file))?,
        SourceKind::Idx | SourceKind::Npy | SourceKind::Npz | SourceKind::Safetensors => {
            arrays::read(schema, &files)?
        }
    };
    table.hash = hash;
    Ok(table)
}
