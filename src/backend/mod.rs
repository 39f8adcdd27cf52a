//! Backends: a planned program in, numbers out.
//!
//! In: a [`Program`] and a [`Store`]. Out: the program's outputs, written to the store.

pub mod cpu;
#[cfg(feature = "gpu")]
pub mod cubecl;
pub mod dfdx;

pub use crate::graph::Fault;
use crate::graph::{Slot, Store, Tensor};

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

/// The vector instructions of this processor: others add in another order, and so give other bits.
pub fn vector_instructions() -> &'static str {
    #[cfg(target_arch = "x86_64")]
    {
        if std::arch::is_x86_feature_detected!("avx512f") {
            return "avx512";
        }
        if std::arch::is_x86_feature_detected!("avx2") && std::arch::is_x86_feature_detected!("fma") {
            return "avx2";
        }
    }
    std::env::consts::ARCH
}

/// The number in a slot that holds a single one.
pub fn scalar(store: &Store, slot: Slot) -> f64 {
    match store.get(slot) {
        Tensor::F32(v) => v.first().map_or(f64::NAN, |x| f64::from(*x)),
        Tensor::F64(v) => v.first().copied().unwrap_or(f64::NAN),
        Tensor::Index(v) => v.first().map_or(f64::NAN, |x| f64::from(*x)),
        Tensor::Bool(v) => v.first().map_or(f64::NAN, |x| f64::from(*x)),
    }
}

/// What a host's executable has to remember of followed slots.
#[derive(Debug, Default)]
pub struct Followed {
    slots: Vec<Slot>,
    /// Whether there was a run since it was last asked.
    fresh: bool,
}

impl Followed {
    pub fn ran(&mut self) {
        self.fresh = true;
    }

    pub fn follow(&mut self, slots: &[Slot]) {
        self.slots = slots.to_vec();
    }

    /// The host asks after every run, so there is one row at most.
    pub fn seen(&mut self, store: &Store, rows: &mut Vec<f64>) {
        if self.fresh {
            rows.extend(self.slots.iter().map(|slot| scalar(store, *slot)));
        }
        self.fresh = false;
    }
}

/// A compiled program. Running it allocates nothing.
pub trait Executable: Send {
    fn run(&mut self, store: &mut Store) -> Result<(), Fault>;
    /// These slots are written by the host before every run.
    fn feed(&mut self, _slots: &[Slot]) {}
    /// The single numbers in these slots are asked for after every run, by `seen`.
    fn follow(&mut self, slots: &[Slot]);
    /// Appends the numbers of the followed slots after each run that was not told of yet, run by run. A device tells of several
    /// runs at a time, and of all when `now`, which it waits for; a fault of one of these runs may come only here.
    fn seen(&mut self, store: &Store, now: bool, rows: &mut Vec<f64>) -> Result<(), Fault>;
    /// Bytes of working memory, known before the first run.
    fn memory(&self) -> usize;
}
