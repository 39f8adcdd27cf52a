//! Long folds into few numbers, which would be the work of few cubes, are cut: parts by many cubes, then the parts together.
//!
//! In: the kernels of a plan, in order, before their buffers have places. Out: the same with some of them in two.

use super::{is_large_contraction, tile};
use crate::graph::{Element, Reduction};
use crate::plan::kernel::{Access, Buffer, BufferId, Contract, Kernel, Place};

/// Results, at most.
const FEW: usize = 32;

/// Folded elements of a result, at least.
const LONG: usize = 1 << 13;

/// Parts of a result: enough for the units of a device, and few enough to be folded by one cube.
const PARTS: std::ops::RangeInclusive<usize> = 32..=1024;

/// Tiles of contractions that keep a device busy.
const TILES: usize = 512;

/// Contracted positions of a part, at least.
const LEAST: usize = 64;

pub fn split(buffers: &mut Vec<Buffer>, kernels: Vec<Kernel>) -> Vec<Kernel> {
    let mut found = Vec::with_capacity(kernels.len());
    for kernel in kernels {
        let halves = match &kernel {
            Kernel::Reduce { .. } => reduce(buffers, &kernel),
            Kernel::Contract(c) => contract(buffers, c),
            _ => None,
        };
        match halves {
            Some(halves) => found.extend(halves),
            None => found.push(kernel),
        }
    }
    found
}

/// The divisor of a size that cuts it in parts near the square root of the elements.
fn parts(size: usize, elements: usize) -> Option<usize> {
    let wanted = elements.isqrt();
    PARTS.filter(|parts| size.is_multiple_of(*parts)).min_by_key(|parts| parts.abs_diff(wanted))
}

fn few_and_long(results: usize, folded: usize) -> bool {
    results <= FEW && folded >= LONG
}

fn temporary(buffers: &mut Vec<Buffer>, element: Element, length: usize) -> BufferId {
    buffers.push(Buffer { element, length, place: Place::Arena(0) });
    BufferId(buffers.len() as u32 - 1)
}

fn reduce(buffers: &mut Vec<Buffer>, kernel: &Kernel) -> Option<Vec<Kernel>> {
    let Kernel::Reduce { reduction, kept, reduced, from, inner, to } = kernel else { return None };
    let (results, folded) = (kept.iter().product::<usize>(), reduced.iter().product::<usize>());
    if !few_and_long(results, folded) {
        return None;
    }
    let longest = (0..reduced.len()).max_by_key(|at| reduced[*at])?;
    let parts = parts(reduced[longest], folded)?;
    let rest = reduced[longest] / parts;
    let partial = temporary(buffers, buffers[from.buffer.0 as usize].element, results * parts);
    let (mut first_kept, mut first_reduced, mut first_from) = (kept.clone(), reduced.clone(), from.clone());
    first_kept.push(parts);
    first_from.strides.push(inner[longest] * rest as isize);
    first_reduced[longest] = rest;
    let first = Kernel::Reduce {
        reduction: *reduction,
        kept: first_kept,
        reduced: first_reduced,
        from: first_from,
        inner: inner.clone(),
        to: partial,
    };
    Some(vec![first, together(*reduction, kept, parts, partial, *to)])
}

/// Folds the parts, which lie side by side.
fn together(reduction: Reduction, kept: &[usize], parts: usize, partial: BufferId, to: BufferId) -> Kernel {
    Kernel::Reduce {
        reduction,
        kept: kept.to_vec(),
        reduced: vec![parts],
        from: Access { buffer: partial, offset: 0, strides: dense_strides(kept, parts) },
        inner: vec![1],
        to,
    }
}

/// Contracted loops are cut until a contraction has enough tiles, or is long no more.
fn contract(buffers: &mut Vec<Buffer>, c: &Contract) -> Option<Vec<Kernel>> {
    let kept: Vec<usize> = c.batch.iter().copied().chain([c.m, c.n]).collect();
    let results: usize = kept.iter().product();
    let folded: usize = c.outer.iter().chain([&c.k]).product();
    let wanted = if is_large_contraction(c) {
        let cubes = tiles(c);
        // Matrix units want long products.
        if c.factors.is_some() && c.outer.is_empty() && cubes >= 16 {
            return None;
        }
        // Cubes of large tiles fill a device sooner.
        (TILES * 64 / tile(c) / cubes).min(folded / LEAST)
    } else if few_and_long(results, folded) {
        folded.isqrt().min(*PARTS.end())
    } else {
        return None;
    };
    if wanted < 2 {
        return None;
    }
    let mut first = c.clone();
    let mut left = wanted;
    for at in 0..c.outer.len() {
        let parts = divisor(first.outer[at], left);
        let rest = first.outer[at] / parts;
        first.batch.push(parts);
        first.a.strides.push(first.a_outer[at] * rest as isize);
        first.b.strides.push(first.b_outer[at] * rest as isize);
        first.outer[at] = rest;
        left /= parts;
    }
    let parts = divisor(c.k, left);
    first.k = c.k / parts;
    first.batch.push(parts);
    first.a.strides.push(c.a_strides.1 * first.k as isize);
    first.b.strides.push(c.b_strides.0 * first.k as isize);
    let parts: usize = first.batch[c.batch.len()..].iter().product();
    if parts < 2 {
        return None;
    }
    // All results of one part, then those of the next.
    let partial = temporary(buffers, Element::Float, results * parts);
    let mut strides = dense_strides(&c.batch, c.m * c.n);
    strides.extend(dense_strides(&first.batch[c.batch.len()..], results));
    first.c = Access { buffer: partial, offset: 0, strides };
    first.c_strides = (c.n as isize, 1);
    let dense = is_dense(c, &kept, buffers);
    let to = if dense { c.c.buffer } else { temporary(buffers, Element::Float, results) };
    let sums = Kernel::Reduce {
        reduction: Reduction::Sum,
        kept: kept.clone(),
        reduced: vec![parts],
        from: Access { buffer: partial, offset: 0, strides: dense_strides(&kept, 1) },
        inner: vec![results as isize],
        to,
    };
    let mut found = vec![Kernel::Contract(first), sums];
    if !dense {
        let from = Access { buffer: to, offset: 0, strides: dense_strides(&kept, 1) };
        let strides = c.c.strides.iter().copied().chain([c.c_strides.0, c.c_strides.1]).collect();
        found.push(Kernel::Copy { sizes: kept, from, to: Access { strides, ..c.c.clone() }, add: false });
    }
    Some(found)
}

fn tiles(c: &Contract) -> usize {
    let side = tile(c);
    c.batch.iter().product::<usize>() * c.m.div_ceil(side) * c.n.div_ceil(side)
}

/// The largest divisor up to a limit.
fn divisor(size: usize, limit: usize) -> usize {
    (1..=limit.min(size).max(1)).rev().find(|parts| size.is_multiple_of(*parts)).unwrap_or(1)
}

/// Strides of loops whose innermost has this one.
fn dense_strides(sizes: &[usize], innermost: usize) -> Vec<isize> {
    let mut stride = innermost as isize;
    let mut strides: Vec<isize> = Vec::with_capacity(sizes.len());
    for size in sizes.iter().rev() {
        strides.push(stride);
        stride *= *size as isize;
    }
    strides.reverse();
    strides
}

fn is_dense(c: &Contract, kept: &[usize], buffers: &[Buffer]) -> bool {
    let strides = c.c.strides.iter().copied().chain([c.c_strides.0, c.c_strides.1]);
    let dense = kept.iter().zip(strides).zip(dense_strides(kept, 1));
    let whole = buffers[c.c.buffer.0 as usize].length == kept.iter().product::<usize>();
    whole && c.c.offset == 0 && dense.into_iter().all(|((size, found), dense)| *size == 1 || found == dense)
}
