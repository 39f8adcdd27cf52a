//! Backends: a planned program in, numbers out.
//!
//! In: a [`Program`] and a [`Store`]. Out: the program's outputs, written to the store.

pub mod cpu;

pub use crate::graph::Fault;
use crate::graph::Store;

/// A compiled program. Running it allocates nothing.
pub trait Executable: Send {
    fn run(&mut self, store: &mut Store) -> Result<(), Fault>;
    /// Bytes of working memory, known before the first run.
    fn memory(&self) -> usize;
}
