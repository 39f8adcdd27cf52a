//! Sums of columns that grow while a band goes through their rows, a few at a time.
//!
//! In: the kernels of a band. Out: which of them are such sums, and in how many steps each row of the band is made so that what a step
//! leaves stays in the cache. A sum takes in its rows one after another, as it does alone, so it has the same bits.

use super::kernel::{Buffer, BufferId, Kernel};
use crate::graph::Element;

/// The most rows of a sum that are taken in one after another; such sums are combined in pairs.
pub const MOST: usize = 64;
/// Columns that lie side by side and are summed together, at least.
pub const BESIDE: usize = 4;

/// Columns of so many neighbouring rows each, `parts` times.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ColumnSum {
    pub parts: usize,
    pub rows: usize,
    pub width: usize,
    pub to: BufferId,
}

pub fn column_sum(kernel: &Kernel, buffers: &[Buffer]) -> Option<ColumnSum> {
    let Kernel::Reduce { kept, reduced, from, inner, to, .. } = kernel else { return None };
    let ([rows], [stride]) = (&reduced[..], &inner[..]) else { return None };
    let ((width, outer), (last, strides)) = (kept.split_last()?, from.strides.split_last()?);
    let mut inside = rows * width;
    let are_dense = outer.iter().zip(strides).rev().all(|(size, stride)| {
        let fits = *stride == inside as isize;
        inside *= size;
        fits
    });
    let are_whole = *last == 1 && *stride == *width as isize && from.offset == 0;
    let is_float = buffers[from.buffer.0 as usize].element == Element::Float;
    let fits = are_dense && are_whole && is_float && *width >= BESIDE && *rows <= MOST;
    fits.then(|| ColumnSum { parts: outer.iter().product(), rows: *rows, width: *width, to: *to })
}

/// In how many steps a band goes through each of so many rows, which are the parts of its sums. `fits`: whether the other kernels can be cut in so many rows;
/// `bytes`: of what all of them touch in one of so many.
pub fn steps(
    sums: &[ColumnSum],
    rows: usize,
    fits: &dyn Fn(usize) -> bool,
    bytes: &dyn Fn(usize) -> usize,
    cache: usize,
) -> usize {
    let Some(first) = sums.first() else { return 1 };
    if sums.iter().any(|sum| sum.rows != first.rows) {
        return 1;
    }
    let mut found = 1;
    for steps in (2..=first.rows).filter(|steps| first.rows.is_multiple_of(*steps)) {
        if bytes(rows * found) <= cache {
            break;
        }
        if fits(rows * steps) {
            found = steps;
        }
    }
    found
}
