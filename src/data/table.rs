//! What the readers make: typed columns over one row axis.

use crate::graph::node::Element;
use crate::graph::tensor::Tensor;

/// A data set in memory.
#[derive(Clone, Debug)]
pub struct Table {
    pub name: String,
    pub rows: usize,
    /// In the order of the schema, without the text columns.
    pub columns: Vec<Column>,
    pub texts: Vec<TextColumn>,
    /// The value of the key in each row, for a table with one.
    pub keys: Option<Vec<String>>,
    /// One for each category axis that a column names, in order of first mention.
    pub categories: Vec<CategoryAxis>,
    /// The inner axes with the sizes found, in order of first mention.
    pub groups: Vec<SizedAxis>,
    /// Of the files' content after decompression.
    pub hash: blake3::Hash,
}

/// A column as an array `[row, inner...]`, row-major in the order of `inner`.
#[derive(Clone, Debug)]
pub struct Column {
    pub name: String,
    pub element: Element,
    /// The axis that the values of a category column index.
    pub category: Option<String>,
    /// Names of axes in [`Table::groups`].
    pub inner: Vec<String>,
    /// `F32`, `Bool` or `Index`.
    pub tensor: Tensor,
}

#[derive(Clone, Debug, PartialEq)]
pub struct TextColumn {
    pub name: String,
    /// Names of axes in [`Table::groups`]; `values` is `[row, inner...]`.
    pub inner: Vec<String>,
    pub values: Vec<String>,
}

/// An axis made by the values of category columns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CategoryAxis {
    pub name: String,
    pub size: usize,
    /// The value at each position; empty where the axis was declared by its size and a value is its own number.
    pub values: Vec<String>,
}

impl CategoryAxis {
    /// The value at a position, as it stands in the file.
    pub fn label(&self, index: usize) -> String {
        self.values.get(index).cloned().unwrap_or_else(|| index.to_string())
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SizedAxis {
    pub name: String,
    pub size: usize,
}

impl Table {
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }

    pub fn text(&self, name: &str) -> Option<&TextColumn> {
        self.texts.iter().find(|column| column.name == name)
    }

    pub fn category(&self, axis: &str) -> Option<&CategoryAxis> {
        self.categories.iter().find(|category| category.name == axis)
    }

    pub fn group(&self, axis: &str) -> Option<&SizedAxis> {
        self.groups.iter().find(|group| group.name == axis)
    }
}

impl Column {
    /// The values as indexes, if it is a category column of one value a row.
    pub fn as_index(&self) -> Option<&[i32]> {
        match &self.tensor {
            Tensor::Index(values) if self.inner.is_empty() => Some(values),
            _ => None,
        }
    }
}
