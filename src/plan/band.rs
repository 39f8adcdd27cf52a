//! Bands: kernels that go through their rows together, so that what one leaves the next finds in the cache.
//!
//! In: the kernels of a plan, in order, before their buffers have places. Out: the kernels in an order in which those of a band are
//! neighbours, and the bands. Row r of a band's kernels touches only the r-th of equal pieces of whatever one of them writes and
//! another one uses: rows can run in any order, each through all kernels.

use std::ops::Range;

use smallvec::SmallVec;

use super::column_sum::{self, ColumnSum, column_sum};
use super::kernel::{Buffer, BufferId, Indexed, Kernel, Place};
use super::launch::{Space, Stage, accepted_rows, are_common, common_rows, conflict, space};
use super::row_sum::row_sum;

/// Kernels of a band, at most.
const LONGEST: usize = 24;
/// Bands with fewer rows do not pay.
const LEAST_ROWS: usize = 8;
/// Bytes of a row, at most: rows of some kernels together stay in the cache.
const LARGEST_ROW: usize = 1 << 19;
/// Bytes of the rows that go through the kernels of a band at a time: a part of the cache of a core.
const CACHE: usize = 192 << 10;
/// Bytes of a piece of a band from which it pays to hand it to another thread.
const PIECE: usize = 1 << 16;
/// Pieces of a band, if its rows fit the cache together.
const PIECES: usize = 8;
/// Places begin at multiples of a cache line.
const LINE: usize = 64;
/// Bytes of a quarter of the sets of a cache, and how far apart places are that would begin in the same ones.
const SETS: usize = 1024;
const APART: usize = 5 * LINE;
/// How many bands back a kernel may join one.
const LOOK: usize = 6;

/// Neighbouring kernels of a plan.
#[derive(Clone, Debug, PartialEq)]
pub struct Band {
    pub kernels: Range<usize>,
    /// 1 where nothing is cut: a kernel alone.
    pub rows: usize,
    /// So many rows go through the kernels at a time.
    pub together: usize,
    /// Each row goes through the kernels in so many steps, in which these sums of columns grow.
    pub steps: usize,
    pub sums: Vec<ColumnSum>,
    /// What only the rows at hand use.
    pub locals: Vec<Local>,
    /// Bytes of all that, for the rows that go together.
    pub local_bytes: usize,
}

/// A buffer of which only the rows at hand are kept.
#[derive(Clone, Debug, PartialEq)]
pub struct Local {
    pub buffer: BufferId,
    /// Where it begins, in bytes.
    pub place: usize,
    /// Of one row, or of one of its steps.
    pub row_bytes: usize,
}

impl Band {
    fn new(kernels: Range<usize>, rows: usize, together: usize) -> Band {
        Band { kernels, rows, together, steps: 1, sums: Vec::new(), locals: Vec::new(), local_bytes: 0 }
    }

    /// Bytes of a buffer of which a step of a row keeps its part.
    fn part(&self, buffer: &Buffer, width: &dyn Fn(&Buffer) -> usize) -> usize {
        buffer.length / (self.rows * self.steps) * width(buffer)
    }
}

struct Item {
    kernels: Vec<usize>,
    rows: usize,
    steps: usize,
    uses: Vec<(usize, bool)>,
}

/// The kernels of one band each; where nothing runs in bands.
pub fn single(kernels: usize) -> Vec<Band> {
    (0..kernels).map(|at| Band::new(at..at + 1, 1, 1)).collect()
}

/// `root`: for each buffer the one whose memory it shares; `width`: bytes of an element of a buffer.
pub fn band(
    buffers: &[Buffer],
    kernels: Vec<Kernel>,
    root: &[usize],
    width: &dyn Fn(&Buffer) -> usize,
) -> (Vec<Kernel>, Vec<Band>) {
    let memory = memory(buffers, root);
    let length = |id: BufferId| buffers[id.0 as usize].length;
    let spaces: Vec<Option<Space>> =
        kernels.iter().map(|kernel| if can_be_cut(kernel) { space(kernel, length) } else { None }).collect();
    let uses: Vec<Vec<(usize, bool)>> = kernels.iter().map(|kernel| uses(kernel, buffers, &memory)).collect();
    let stages = |kernels: &[usize]| -> Vec<Stage<'_>> {
        kernels
            .iter()
            .filter_map(|at| Some(Stage { space: spaces[*at].as_ref()?, uses: &uses[*at] }))
            .collect()
    };
    let bytes = |kernels: &[usize], rows: usize| {
        let mut seen: Vec<usize> = Vec::new();
        let touches = stages(kernels).into_iter().flat_map(|stage| &stage.space.touches);
        let mut total = 0;
        for touch in touches {
            let (id, place) = (touch.buffer.0 as usize, memory[touch.buffer.0 as usize]);
            if !seen.contains(&place) {
                seen.push(place);
                total += touch.elements().min(buffers[id].length).div_ceil(rows) * width(&buffers[id]);
            }
        }
        total
    };
    // The other kernels are cut more finely than sums of columns, which nothing of the band reads.
    let sums = |all: &[usize], rows: usize| -> Vec<ColumnSum> {
        let found = all.iter().filter_map(|at| column_sum(&kernels[*at], buffers));
        found.filter(|sum| sum.parts == rows).collect()
    };
    let steps = |all: &[usize], rows: usize| {
        let sums = sums(all, rows);
        let others: Vec<usize> = all
            .iter()
            .copied()
            .filter(|at| !sums.iter().any(|sum| kernels[*at].writes() == [sum.to]))
            .collect();
        let is_apart = |sum: &ColumnSum| {
            let place = memory[sum.to.0 as usize];
            all.iter().flat_map(|at| &uses[*at]).filter(|(used, _)| *used == place).count() == 1
        };
        if !sums.iter().all(is_apart) {
            return 1;
        }
        let stages = stages(&others);
        let fits = |rows: usize| {
            are_common(rows, &stages, buffers, &memory)
                && others.iter().all(|at| can_be_cut_in(&kernels[*at], rows))
        };
        column_sum::steps(&sums, rows, &fits, &|rows| bytes(all, rows), CACHE)
    };
    let mut items: Vec<Item> = Vec::new();
    for (at, own) in uses.iter().enumerate() {
        let mut joined = false;
        for item in items.iter_mut().rev().take(LOOK) {
            let shares = item.uses.iter().any(|(used, _)| own.iter().any(|(mine, _)| mine == used));
            let mut together = item.kernels.clone();
            together.push(at);
            let stages = stages(&together);
            if shares && stages.len() == together.len() && together.len() <= LONGEST {
                let rows = common_rows(&stages, buffers, &memory).unwrap_or(1);
                let fits = together.iter().all(|at| can_be_cut_in(&kernels[*at], rows));
                let steps = if rows >= LEAST_ROWS { steps(&together, rows) } else { 1 };
                if rows >= LEAST_ROWS && fits && bytes(&together, rows * steps) <= LARGEST_ROW {
                    *item = Item { kernels: together, rows, steps, uses: [&item.uses[..], own].concat() };
                    joined = true;
                    break;
                }
            }
            if conflict(&item.uses, own) {
                break;
            }
        }
        if !joined {
            items.push(Item { kernels: vec![at], rows: 1, steps: 1, uses: own.clone() });
        }
    }
    let mut bands = Vec::new();
    let mut order: Vec<usize> = Vec::new();
    for item in &items {
        let start = order.len();
        order.extend(&item.kernels);
        let together = match (item.rows, item.steps) {
            (1, _) | (_, 2..) => 1,
            _ => together(item.rows, bytes(&item.kernels, item.rows)),
        };
        let sums = if item.steps > 1 { sums(&item.kernels, item.rows) } else { Vec::new() };
        let band = Band::new(start..order.len(), item.rows, together);
        bands.push(Band { steps: item.steps, sums, ..band });
    }
    let mut kernels: Vec<Option<Kernel>> = kernels.into_iter().map(Some).collect();
    (order.into_iter().filter_map(|at| kernels[at].take()).collect(), bands)
}

/// In how many rows all kernels can run, each row through all of them without waiting for others; every buffer has a memory of its own.
pub fn whole(buffers: &[Buffer], kernels: &[Kernel], root: &[usize]) -> usize {
    let memory = memory(buffers, root);
    let length = |id: BufferId| buffers[id.0 as usize].length;
    let spaces: Option<Vec<Space>> = kernels
        .iter()
        .map(|kernel| {
            let is_cut = can_be_cut(kernel) || matches!(kernel, Kernel::Contract(_));
            if is_cut { space(kernel, length) } else { None }
        })
        .collect();
    let Some(spaces) = spaces else { return 1 };
    let uses: Vec<Vec<(usize, bool)>> = kernels.iter().map(|kernel| uses(kernel, buffers, &memory)).collect();
    let stages: Vec<Stage> = spaces.iter().zip(&uses).map(|(space, uses)| Stage { space, uses }).collect();
    let accept = |rows: usize| kernels.iter().all(|kernel| can_be_cut_in(kernel, rows));
    accepted_rows(&stages, buffers, &memory, &accept).unwrap_or(1)
}

/// How many rows, each of so many bytes, go through the kernels of a band at a time. It does not depend on the number of threads.
fn together(rows: usize, row_bytes: usize) -> usize {
    let row_bytes = row_bytes.max(1);
    let fit = (CACHE / row_bytes).max(1);
    // Enough pieces for some threads, if they are worth handing around.
    let pieces = (rows * row_bytes / PIECE).clamp(1, PIECES);
    fit.min(rows.div_ceil(pieces))
}

/// Gives places in the space of their band to buffers that nothing else uses. Nothing of them is left when the band has run.
pub fn localize(
    buffers: &mut [Buffer],
    kernels: &[Kernel],
    bands: &mut [Band],
    root: &[usize],
    width: &dyn Fn(&Buffer) -> usize,
) {
    let mut user: Vec<Option<usize>> = vec![None; buffers.len()];
    let mut many = vec![false; buffers.len()];
    let touched = |kernel: &Kernel| kernel.reads().into_iter().chain(kernel.writes()).map(|id| id.0 as usize);
    for (number, band) in bands.iter().enumerate() {
        for id in kernels[band.kernels.clone()].iter().flat_map(touched) {
            let place = root[id];
            many[place] |= user[place].is_some_and(|other| other != number);
            user[place] = Some(number);
        }
    }
    for band in bands.iter_mut().filter(|band| band.rows > 1) {
        // (root, bytes of a row, first and last kernel).
        let mut found: Vec<(usize, usize, usize, usize)> = Vec::new();
        for at in band.kernels.clone() {
            // A sum of rows may be made together with the rows.
            let is_made_before =
                at > band.kernels.start && row_sum(&kernels[at - 1], &kernels[at], buffers).is_some();
            let first = if is_made_before { at - 1 } else { at };
            for id in touched(&kernels[at]) {
                let place = root[id];
                if many[place] || !matches!(buffers[id].place, Place::Arena(_)) {
                    continue;
                }
                match found.iter_mut().find(|(other, ..)| *other == place) {
                    Some(entry) => entry.3 = at,
                    None => {
                        let row_bytes = band.part(&buffers[id], width);
                        found.push((place, row_bytes, first, at));
                    }
                }
            }
        }
        let places = lay_out(&found, band.together);
        for ((place, row_bytes, ..), start) in found.iter().zip(&places) {
            band.local_bytes = band.local_bytes.max(start + span(*row_bytes, band.together));
            for id in (0..buffers.len()).filter(|id| root[*id] == *place) {
                if matches!(buffers[id].place, Place::Arena(_)) {
                    buffers[id].place = Place::Band(*start);
                    let buffer = BufferId(id as u32);
                    band.locals.push(Local { buffer, place: *start, row_bytes: *row_bytes });
                }
            }
        }
    }
}

/// The biggest first, each at the lowest place that is free during its whole life.
fn lay_out(found: &[(usize, usize, usize, usize)], together: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..found.len()).collect();
    order.sort_by_key(|at| (std::cmp::Reverse(found[*at].1), *at));
    let mut places = vec![0; found.len()];
    let mut placed: Vec<usize> = Vec::new();
    for at in order {
        let (_, row_bytes, first, last) = found[at];
        let size = span(row_bytes, together);
        let mut start = 0;
        let end = |other: usize| places[other] + span(found[other].1, together);
        placed.sort_unstable_by_key(|other| places[*other]);
        for other in &placed {
            let overlaps = found[*other].2 <= last && first <= found[*other].3;
            if overlaps && places[*other] < start + size {
                start = start.max(end(*other));
            }
        }
        places[at] = start;
        placed.push(at);
    }
    places
}

/// Bytes from one place to the next, at least. Rows that are long and even would all begin in the same sets of the first cache, where a
/// kernel that goes through eight of them at a time finds no room for a ninth.
fn span(row_bytes: usize, together: usize) -> usize {
    let bytes = (row_bytes * together).next_multiple_of(LINE);
    if bytes.is_multiple_of(SETS) { bytes + APART } else { bytes }
}

/// Whether the host can run some rows of a kernel.
fn can_be_cut(kernel: &Kernel) -> bool {
    match kernel {
        Kernel::Fused(_) | Kernel::Fill { .. } | Kernel::Copy { .. } | Kernel::Reduce { .. } => true,
        // Where rows are picked from anywhere nothing is gained.
        Kernel::Gather(loops) => loops.inner.is_empty(),
        _ => false,
    }
}

/// Whether so many rows end where loops end, or in even parts of one.
fn can_be_cut_in(kernel: &Kernel, rows: usize) -> bool {
    match kernel {
        Kernel::Copy { sizes, .. }
        | Kernel::Reduce { kept: sizes, .. }
        | Kernel::Gather(Indexed { outer: sizes, .. }) => split(sizes, rows).is_some(),
        Kernel::Contract(contract) => split(&contract.batch, rows).is_some(),
        _ => true,
    }
}

/// Each size as the part that counts rows and the part inside a row: (outer, inner).
pub fn split(sizes: &[usize], rows: usize) -> Option<SmallVec<[(usize, usize); 8]>> {
    let mut left = rows;
    let mut parts = SmallVec::with_capacity(sizes.len());
    for size in sizes {
        let outer = if left == 1 {
            1
        } else if *size > 0 && left.is_multiple_of(*size) {
            *size
        } else if size.is_multiple_of(left) {
            left
        } else {
            return None;
        };
        left /= outer;
        parts.push((outer, size / outer));
    }
    (left == 1).then_some(parts)
}

fn uses(kernel: &Kernel, buffers: &[Buffer], memory: &[usize]) -> Vec<(usize, bool)> {
    let place = |id: BufferId| memory[id.0 as usize];
    let is_constant = |id: &BufferId| matches!(buffers[id.0 as usize].place, Place::Constant(_));
    let reads = kernel.reads().into_iter().filter(|id| !is_constant(id)).map(|id| (place(id), false));
    reads.chain(kernel.writes().into_iter().map(|id| (place(id), true))).collect()
}

/// All buffers of a slot are one memory.
fn memory(buffers: &[Buffer], root: &[usize]) -> Vec<usize> {
    let mut memory = root.to_vec();
    let mut slots = std::collections::HashMap::new();
    for (at, buffer) in buffers.iter().enumerate() {
        if let Place::Slot(slot) = buffer.place {
            memory[at] = *slots.entry(slot).or_insert(at);
        }
    }
    memory
}

/// The band of every kernel.
pub fn times(bands: &[Band]) -> Vec<usize> {
    bands.iter().enumerate().flat_map(|(number, band)| band.kernels.clone().map(move |_| number)).collect()
}
