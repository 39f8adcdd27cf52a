//! What a data set should look like: what the `data` declaration of a file says, as plain structs.

use crate::source::Span;

/// One `data` declaration.
#[derive(Clone, Debug, PartialEq)]
pub struct Schema {
    /// The name of the data set, for messages: `ner`.
    pub name: String,
    pub source: SourceSpec,
    pub columns: Vec<ColumnSpec>,
    /// The field that names the rows: each is one value of a category. The rows are put in the order of a category.
    pub key: Option<Key>,
    /// The declaration.
    pub span: Span,
}

/// `by name`: the field of the file whose values are the rows of a category.
#[derive(Clone, Debug, PartialEq)]
pub struct Key {
    pub header: String,
    pub span: Span,
}

/// The reader and its files. Several files are joined by row: row i of the data is row i of each.
#[derive(Clone, Debug, PartialEq)]
pub struct SourceSpec {
    pub kind: SourceKind,
    /// As the user wrote them.
    pub paths: Vec<String>,
    /// What separates the fields of a `csv` file, if not a comma.
    pub delimiter: Option<u8>,
    /// The list whose elements are the rows (`jsonl`, `parquet`), or the text whose tokens are (`csv`, `tsv`).
    pub each: Option<String>,
    /// The fields of texts whose tokens a column asks for.
    pub tokens: Vec<String>,
    /// What a row of plain text is.
    pub rows: Piece,
    /// Into what a column with an axis divides a row of plain text.
    pub cells: Piece,
    /// The `csv("...")` call.
    pub span: Span,
}

/// A piece of plain text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Piece {
    Lines,
    /// Between blanks.
    Words,
    Characters,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SourceKind {
    /// Comma-separated, with a header line; columns are found by name.
    Csv,
    /// Tab-separated, with a header line; columns are found by name.
    Tsv,
    /// One IDX array a file; the columns take the files in order.
    Idx,
    /// One NumPy array a file; the columns take the files in order.
    Npy,
    /// Archives of named NumPy arrays; columns are found by name.
    Npz,
    /// An object of JSON a line; columns are found by name.
    Jsonl,
    /// Compressed columns; found by name.
    Parquet,
    /// Plain text without columns.
    Text,
    /// Named arrays; columns are found by name.
    Safetensors,
}

impl SourceSpec {
    /// A reader without options.
    pub fn new(kind: SourceKind, paths: Vec<String>, span: Span) -> Self {
        let (rows, cells) = (Piece::Lines, Piece::Characters);
        SourceSpec { kind, paths, delimiter: None, each: None, tokens: Vec::new(), rows, cells, span }
    }
}

impl SourceKind {
    /// The reader of that name in the language.
    pub fn from_name(name: &str) -> Option<SourceKind> {
        Some(match name {
            "csv" => SourceKind::Csv,
            "tsv" => SourceKind::Tsv,
            "idx" => SourceKind::Idx,
            "npy" => SourceKind::Npy,
            "npz" => SourceKind::Npz,
            "jsonl" => SourceKind::Jsonl,
            "parquet" => SourceKind::Parquet,
            "text" => SourceKind::Text,
            "safetensors" => SourceKind::Safetensors,
            _ => return None,
        })
    }
}

/// One column of the declaration: `feature: Bucket[Slot]`, `entity: Bool = "label"`.
#[derive(Clone, Debug, PartialEq)]
pub struct ColumnSpec {
    pub name: String,
    /// The name in the file where it is another one. For a group: the text before the numbers.
    pub header: Option<String>,
    pub kind: ColumnKind,
    /// The axes besides the row. In a text file they gather the numbered columns `name_0 .. name_k` (row-major
    /// where there are several axes); in an array file they are its further dimensions.
    pub inner: Vec<InnerAxis>,
    pub missing: Missing,
    pub span: Span,
}

impl ColumnSpec {
    /// A column of one value a row that refuses missing values.
    pub fn new(name: impl Into<String>, kind: ColumnKind, span: Span) -> Self {
        let name = name.into();
        ColumnSpec { name, header: None, kind, inner: Vec::new(), missing: Missing::Refuse, span }
    }

    /// The name to look for in the file.
    pub fn header(&self) -> &str {
        self.header.as_deref().unwrap_or(&self.name)
    }
}

#[derive(Clone, Debug, PartialEq)]
pub enum ColumnKind {
    Float,
    Bool,
    /// Kept as strings, outside the tensors.
    Text,
    /// An index into the axis of that name. All columns that name one axis share it.
    Category {
        axis: String,
        domain: Domain,
    },
}

/// Which values a category may take.
#[derive(Clone, Debug, PartialEq)]
pub enum Domain {
    /// The values found in the file, in an order that does not depend on the order of rows: numbers first, by
    /// value, then texts, in which runs of digits count as numbers (`item2` before `item10`).
    Found,
    /// These, in this order.
    Listed(Vec<String>),
    /// Whole numbers from 0 below this size (`axis Bucket = 128`).
    Size(usize),
}

/// An axis of a column besides the row, with its size if the program fixes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InnerAxis {
    pub name: String,
    pub size: Option<usize>,
}

/// What an empty cell of a text file means.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Missing {
    /// An error.
    #[default]
    Refuse,
    /// As if this text stood in the cell.
    Fill(String),
    /// The whole row is left out.
    Drop,
}
