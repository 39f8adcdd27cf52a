//! The memory plan: a place in the arena for every buffer, shared by buffers that do not live at the same time.
//!
//! In: kernels, and the moment when each runs. Out: byte offsets, and the size of the arena. A fused kernel's result takes the place of an
//! operand that dies there where both have the same shape.

use super::kernel::{Buffer, BufferId, Kernel, LoadKind, Place};
use crate::graph::{Element, Precision};

/// Places start at multiples of this, for the host: a cache line.
pub const CACHE_LINE: usize = 64;

/// And for a device: where it can bind memory.
pub const BINDING: usize = 256;

pub fn element_bytes(element: Element, precision: Precision) -> usize {
    match (element, precision) {
        (Element::Float, Precision::Single) | (Element::Index, _) => 4,
        (Element::Float, Precision::Double) => 8,
        (Element::Bool, _) => 1,
    }
}

/// The first and the last moment at which a buffer is touched.
#[derive(Clone, Copy)]
struct Life {
    first: usize,
    last: usize,
}

/// Of every buffer that is used, by the numbers of kernels.
fn lives(buffers: usize, kernels: &[Kernel]) -> Vec<Option<Life>> {
    let mut lives: Vec<Option<Life>> = vec![None; buffers];
    for (at, kernel) in kernels.iter().enumerate() {
        for id in kernel.reads().into_iter().chain(kernel.writes()) {
            let life = lives[id.0 as usize].get_or_insert(Life { first: at, last: at });
            life.last = at;
        }
    }
    lives
}

/// Every buffer with a memory of its own.
pub fn apart(buffers: &[Buffer]) -> Vec<usize> {
    (0..buffers.len()).collect()
}

/// `times`: when each kernel runs; `root`: for each buffer the one whose place it has.
pub fn place(
    buffers: &mut [Buffer],
    kernels: &[Kernel],
    times: &[usize],
    width: &dyn Fn(Element) -> usize,
    alignment: usize,
    root: &[usize],
) -> usize {
    let mut lives: Vec<Option<Life>> = vec![None; buffers.len()];
    for (kernel, time) in kernels.iter().zip(times) {
        for id in kernel.reads().into_iter().chain(kernel.writes()) {
            let life = lives[root[id.0 as usize]].get_or_insert(Life { first: *time, last: *time });
            life.first = life.first.min(*time);
            life.last = life.last.max(*time);
        }
    }
    let bytes = |buffer: &Buffer| buffer.length * width(buffer.element);
    let mut wanted: Vec<usize> = (0..buffers.len())
        .filter(|at| {
            root[*at] == *at && lives[*at].is_some() && matches!(buffers[*at].place, Place::Arena(_))
        })
        .collect();
    wanted.sort_by_key(|at| (std::cmp::Reverse(bytes(&buffers[*at])), *at));
    // Biggest first, each at the lowest place that is free during its whole life.
    let mut placed: Vec<(usize, usize, Life)> = Vec::new();
    let mut arena = 0;
    for at in wanted {
        let Some(life) = lives[at] else { continue };
        let size = bytes(&buffers[at]).next_multiple_of(alignment);
        let mut start = 0;
        for (other, end, theirs) in &placed {
            let overlaps = theirs.first <= life.last && life.first <= theirs.last;
            if overlaps && *other < start + size {
                start = start.max(*end);
            }
        }
        arena = arena.max(start + size);
        let after = placed.partition_point(|(other, ..)| *other <= start);
        placed.insert(after, (start, start + size, life));
        buffers[at].place = Place::Arena(start);
    }
    for at in 0..buffers.len() {
        if root[at] != at {
            buffers[at].place = buffers[root[at]].place.clone();
        }
    }
    arena
}

/// For each buffer the one whose place it has.
pub fn share(buffers: &[Buffer], kernels: &[Kernel]) -> Vec<usize> {
    let mut lives = lives(buffers.len(), kernels);
    let mut root: Vec<usize> = (0..buffers.len()).collect();
    let is_arena = |id: BufferId| matches!(buffers[id.0 as usize].place, Place::Arena(_));
    for (at, kernel) in kernels.iter().enumerate() {
        let Kernel::Fused(fused) = kernel else { continue };
        let mut taken: Vec<usize> = Vec::new();
        for (_, store) in fused.stores.iter().filter(|(_, store)| is_arena(*store)) {
            let result = &buffers[store.0 as usize];
            let given = fused.loads.iter().find(|load| {
                let from = load.buffer.0 as usize;
                let once =
                    fused.loads.iter().filter(|other| root[other.buffer.0 as usize] == root[from]).count()
                        == 1;
                is_arena(load.buffer)
                    && once
                    && load.kind == LoadKind::Contiguous
                    && load.offset == 0
                    && buffers[from].element == result.element
                    && buffers[from].length == result.length
                    && !taken.contains(&root[from])
                    && lives[root[from]].is_some_and(|life| life.last == at)
            });
            let Some(load) = given else { continue };
            let from = root[load.buffer.0 as usize];
            taken.push(from);
            root[store.0 as usize] = from;
            if let (Some(mine), Some(theirs)) = (lives[store.0 as usize], lives[from].as_mut()) {
                theirs.last = theirs.last.max(mine.last);
            }
        }
    }
    root
}
