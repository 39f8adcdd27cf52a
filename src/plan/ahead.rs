//! What the next rows of a band will read from memory: it can be fetched while the rows at hand are computed.
//!
//! In: a plan whose bands are known. Out: for its kernels, buffers and how many elements further on to fetch. Only the kernel of a band that
//! computes most fetches, and only what kernels before it are the first to read: they wait for memory, it does not.

use std::collections::HashMap;

use super::Plan;
use super::band::Band;
use super::kernel::{BufferId, Kernel, Place};
use crate::graph::Element;

/// Smaller buffers stay in the caches.
const LEAST: usize = 1 << 18;

/// Instructions of a kernel from which there is time for it.
const LONG: usize = 2;

/// A buffer, and how many elements further on than a kernel is.
pub type Ahead = (BufferId, usize);

impl Plan {
    /// By kernel.
    pub fn ahead(&self) -> HashMap<usize, Vec<Ahead>> {
        self.bands.iter().filter(|band| band.rows > 1).filter_map(|band| self.ahead_in(band)).collect()
    }

    fn ahead_in(&self, band: &Band) -> Option<(usize, Vec<Ahead>)> {
        let fused = band.kernels.clone().filter_map(|at| match &self.kernels[at] {
            Kernel::Fused(fused) => Some((at, fused)),
            _ => None,
        });
        let (host, kernel) = fused.max_by_key(|(_, fused)| fused.length * fused.instructions.len())?;
        let length = kernel.length;
        let mut found = Vec::new();
        for at in band.kernels.start..host {
            for buffer in self.kernels[at].reads() {
                let lies = &self.buffers[buffer.0 as usize];
                let is_far =
                    matches!(lies.place, Place::Slot(_) | Place::Arena(_)) && lies.element != Element::Bool;
                let is_written =
                    self.kernels[band.kernels.clone()].iter().any(|k| k.writes().contains(&buffer));
                if is_far && lies.length == length && !is_written && !found.contains(&buffer) {
                    found.push(buffer);
                }
            }
        }
        let rows = length / (band.rows * band.steps) * band.together;
        let is_worth = length >= LEAST && kernel.instructions.len() >= LONG && !found.is_empty();
        is_worth.then(|| (host, found.into_iter().map(|buffer| (buffer, rows)).collect()))
    }
}
