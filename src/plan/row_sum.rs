//! Sums of the rows that a kernel makes: a backend can take them while the rows are in registers.
//!
//! In: two kernels, one after the other in a band. Out: whether the second sums whole rows of what the first stores. Then nothing that the
//! first reads may lie where the sums will.

use super::kernel::{Buffer, BufferId, Kernel, Place};
use crate::graph::{Element, Reduction};

/// The second kernel, as part of the first.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RowSum {
    /// Which of the stores of the first is summed.
    pub store: usize,
    /// Elements of a row.
    pub width: usize,
    pub to: BufferId,
}

pub fn row_sum(first: &Kernel, second: &Kernel, buffers: &[Buffer]) -> Option<RowSum> {
    let Kernel::Fused(fused) = first else { return None };
    let Kernel::Reduce { reduction: Reduction::Sum, kept, reduced, from, inner, to } = second else {
        return None;
    };
    let ([width], [1]) = (&reduced[..], &inner[..]) else { return None };
    let store = fused.stores.iter().position(|(_, buffer)| *buffer == from.buffer)?;
    let mut inside = *width;
    let rows_are_dense = kept.iter().zip(&from.strides).rev().all(|(size, stride)| {
        let fits = *stride == inside as isize || *size == 1;
        inside *= size;
        fits
    });
    let is_whole = from.offset == 0 && inside == fused.length && *width > 0;
    let is_float = buffers[from.buffer.0 as usize].element == Element::Float;
    let place = |id: BufferId| &buffers[id.0 as usize].place;
    let reads_there = fused.loads.iter().any(|load| {
        load.buffer == *to || matches!(place(*to), Place::Slot(_)) && place(load.buffer) == place(*to)
    });
    let fits = rows_are_dense && is_whole && is_float && !reads_there;
    fits.then_some(RowSum { store, width: *width, to: *to })
}

/// Whether nothing but the sum reads what is summed, so that it need not be stored.
pub fn is_only_summed(kernels: &[Kernel], second: usize, buffer: BufferId) -> bool {
    kernels.iter().enumerate().all(|(at, kernel)| at == second || !kernel.reads().contains(&buffer))
}
