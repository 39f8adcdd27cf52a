//! Backends: a planned program in, numbers out.
//!
//! In: a [`Program`] and a [`Store`]. Out: the program's outputs, written to the store.

pub mod cpu;
#[cfg(feature = "gpu")]
pub mod cubecl;
pub mod dfdx;

pub use crate::graph::Fault;
use crate::graph::{Slot, Store};

/// What computes the programs of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Backend {
    /// Fused kernels and `gemm` on the host.
    #[default]
    Cpu,
    /// Launches on a GPU, through CubeCL; what runs once, and what is computed in f64, stays on the host.
    #[cfg(feature = "gpu")]
    Gpu,
    /// The reference interpreter, operation by operation, in f64.
    Dfdx,
}

impl Backend {
    /// Whether trials run one after another: a device is filled by one.
    pub fn is_sequential(self) -> bool {
        #[cfg(feature = "gpu")]
        if self == Backend::Gpu {
            return true;
        }
        false
    }

    pub fn name(self) -> &'static str {
        match self {
            Backend::Cpu => "cpu",
            #[cfg(feature = "gpu")]
            Backend::Gpu => "gpu",
            Backend::Dfdx => "dfdx",
        }
    }
}

/// A compiled program. Running it allocates nothing.
pub trait Executable: Send {
    fn run(&mut self, store: &mut Store) -> Result<(), Fault>;
    /// These slots are written by the host before every run.
    fn feed(&mut self, _slots: &[Slot]) {}
    /// Bytes of working memory, known before the first run.
    fn memory(&self) -> usize;
}
