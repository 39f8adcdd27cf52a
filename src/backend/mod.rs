//! Backends: a planned program in, numbers out.
//!
//! In: a [`Program`] and a [`Store`]. Out: the program's outputs, written to the store.

pub mod cpu;

use crate::graph::{CheckId, NodeId, Store};

/// What can go wrong while a program runs.
#[derive(Clone, Debug, PartialEq)]
pub enum Fault {
    /// A `Check` node's condition was false.
    Check(CheckId),
    /// A `Gather` or `Scatter` met an index outside its axis.
    IndexOutOfRange { node: NodeId, index: i64, size: usize },
}

/// A compiled program. Running it allocates nothing.
pub trait Executable: Send {
    fn run(&mut self, store: &mut Store) -> Result<(), Fault>;
    /// Bytes of working memory, known before the first run.
    fn memory(&self) -> usize;
}
