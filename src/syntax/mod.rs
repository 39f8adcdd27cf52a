//! From text to the tree.
//!
//! In: a source text. Out: an [`ast::File`], or what is wrong with the text.

pub mod ast;
