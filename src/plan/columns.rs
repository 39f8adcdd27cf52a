//! Long sums of columns in two: of few rows each, which go with the kernel that makes the rows, and then of these.
//!
//! In: the kernels of a plan, in order, before their buffers have places. Out: the same with some of them in two. How a sum is cut
//! depends on sizes only.

use super::column_sum::MOST;
use super::kernel::{Access, Buffer, BufferId, Kernel, Place};

/// Rows that are summed first where they are not so many as a sum takes in one after another: at most, and how many elements they have.
const ROWS: usize = 16;
const ELEMENTS: usize = 1 << 13;
/// Parts that a sum falls into, at least.
const PARTS: usize = 16;
/// Elements that are summed, at least: fewer stay in the cache anyway.
const LEAST: usize = 1 << 18;

pub fn split(buffers: &mut Vec<Buffer>, kernels: Vec<Kernel>) -> Vec<Kernel> {
    let mut found = Vec::with_capacity(kernels.len());
    for kernel in kernels {
        match halves(buffers, &kernel) {
            Some(halves) => found.extend(halves),
            None => found.push(kernel),
        }
    }
    found
}

fn halves(buffers: &mut Vec<Buffer>, kernel: &Kernel) -> Option<[Kernel; 2]> {
    let Kernel::Reduce { reduction, kept, reduced, from, inner, to } = kernel else { return None };
    let ([rows], [stride]) = (&reduced[..], &inner[..]) else { return None };
    // Where the rows of the sum lie inside other kept axes, the parts do too.
    let around = from.strides.iter().take_while(|kept| kept.abs() > stride.abs()).count();
    let size = |kept: &[usize]| kept.iter().product::<usize>();
    let width = size(&kept[around..]);
    let few = (ELEMENTS / width.max(1)).next_power_of_two().clamp(4, ROWS);
    let can_be = |each: &usize| rows.is_multiple_of(*each) && rows / each >= PARTS;
    let each = [MOST, few].into_iter().find(can_be)?;
    if from.strides.last() != Some(&1) || rows * size(kept) < LEAST {
        return None;
    }
    let parts = rows / each;
    let element = buffers[from.buffer.0 as usize].element;
    buffers.push(Buffer { element, length: parts * size(kept), place: Place::Arena(0) });
    let partial = BufferId(buffers.len() as u32 - 1);
    let (mut in_parts, mut strides) = (kept.clone(), from.strides.clone());
    in_parts.insert(around, parts);
    strides.insert(around, stride * each as isize);
    let mut dense = Vec::with_capacity(in_parts.len());
    let mut inside = 1;
    for size in in_parts.iter().rev() {
        dense.insert(0, inside);
        inside *= *size as isize;
    }
    dense.remove(around);
    let first = Kernel::Reduce {
        reduction: *reduction,
        kept: in_parts,
        reduced: vec![each],
        from: Access { strides, ..from.clone() },
        inner: inner.clone(),
        to: partial,
    };
    let second = Kernel::Reduce {
        reduction: *reduction,
        kept: kept.clone(),
        reduced: vec![parts],
        from: Access { buffer: partial, offset: 0, strides: dense.into_iter().collect() },
        inner: vec![width as isize],
        to: *to,
    };
    Some([first, second])
}
