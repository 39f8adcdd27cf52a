//! Stores that may go past the caches: nothing reads or writes the place again before other data have taken it over there.
//!
//! In: a plan whose buffers have places. Out: which stores of its fused kernels these are. What a kernel stores in the usual way is read from
//! memory first, a line at a time, so such a store costs half as much again as it needs to.

use super::kernel::{BufferId, Kernel, Place};
use super::{Plan, element_bytes};
use crate::graph::{Element, Slot};

/// Bytes that a step goes through before what was stored has left the caches: about the last cache of a machine.
const FAR: usize = 32 << 20;

/// Smaller results are left to the caches.
const LEAST: usize = 1 << 20;

/// A stretch of memory.
#[derive(Clone, Copy, PartialEq)]
struct Stretch {
    /// None: the arena.
    slot: Option<Slot>,
    start: usize,
    end: usize,
}

impl Stretch {
    fn overlaps(&self, other: &Stretch) -> bool {
        self.slot == other.slot && self.start < other.end && other.start < self.end
    }

    fn bytes(&self) -> usize {
        self.end - self.start
    }
}

impl Plan {
    /// The stores of a kernel, by number, that go past the caches: (kernel, store). Steps follow each other.
    pub fn streamed(&self) -> Vec<(usize, usize)> {
        let candidates: Vec<(usize, usize, usize, Stretch)> = self
            .bands
            .iter()
            .enumerate()
            .flat_map(|(band, kernels)| kernels.kernels.clone().map(move |kernel| (band, kernel)))
            .flat_map(|(band, kernel)| {
                self.large_stores(kernel).into_iter().map(move |(store, to)| (band, kernel, store, to))
            })
            .collect();
        if candidates.is_empty() {
            return Vec::new();
        }
        let touched: Vec<Vec<Stretch>> =
            self.bands.iter().map(|band| self.touched(band.kernels.clone())).collect();
        let past = |(band, kernel, store, to): (usize, usize, usize, Stretch)| {
            let kernels = self.bands[band].kernels.clone();
            let is_alone = kernels
                .filter(|other| *other != kernel)
                .all(|other| !self.touched(other..other + 1).iter().any(|stretch| stretch.overlaps(&to)));
            let own = self.uses(kernel).filter(|stretch| stretch.overlaps(&to)).count();
            let others = (1..=self.bands.len()).map(|ahead| &touched[(band + ahead) % self.bands.len()]);
            let until = others.take_while(|all| !all.iter().any(|stretch| stretch.overlaps(&to)));
            let between: usize = until.flatten().map(Stretch::bytes).sum();
            // The band itself, in the next step, is the last that comes to it.
            let around: usize = touched[band].iter().map(Stretch::bytes).sum();
            (is_alone && own == 1 && between + around > FAR).then_some((kernel, store))
        };
        candidates.into_iter().filter_map(past).collect()
    }

    fn large_stores(&self, kernel: usize) -> Vec<(usize, Stretch)> {
        let Kernel::Fused(fused) = &self.kernels[kernel] else { return Vec::new() };
        let stores = fused.stores.iter().enumerate();
        let is_number = |buffer: BufferId| self.buffers[buffer.0 as usize].element != Element::Bool;
        let stretches =
            stores.filter(|(_, (_, buffer))| is_number(*buffer)).filter_map(|(store, (_, buffer))| {
                let stretch = self.stretch(*buffer)?;
                (stretch.bytes() >= LEAST).then_some((store, stretch))
            });
        stretches.collect()
    }

    /// Where a buffer lies, unless it never reaches memory or never changes.
    fn stretch(&self, buffer: BufferId) -> Option<Stretch> {
        let buffer = &self.buffers[buffer.0 as usize];
        let bytes = buffer.length * element_bytes(buffer.element, self.precision);
        let (slot, start) = match buffer.place {
            Place::Slot(slot) => (Some(slot), 0),
            Place::Arena(start) => (None, start),
            Place::Constant(_) | Place::Band(_) => return None,
        };
        Some(Stretch { slot, start, end: start + bytes })
    }

    /// Each read and each write.
    fn uses(&self, kernel: usize) -> impl Iterator<Item = Stretch> {
        let kernel = &self.kernels[kernel];
        kernel.reads().into_iter().chain(kernel.writes()).filter_map(|buffer| self.stretch(buffer))
    }

    /// What these kernels read or write.
    fn touched(&self, kernels: std::ops::Range<usize>) -> Vec<Stretch> {
        let mut found: Vec<Stretch> = Vec::new();
        for stretch in kernels.flat_map(|kernel| self.uses(kernel)) {
            if !found.contains(&stretch) {
                found.push(stretch);
            }
        }
        found
    }
}
