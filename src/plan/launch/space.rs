//! How a kernel walks its memory when its iterations are cut in equal rows.
//!
//! In: a kernel. Out: its iterations, and of every access the loops, so that one can ask: if all iterations are cut in R rows,
//! does row r touch only the r-th of R equal pieces of the buffer? Where that holds for all accesses to a buffer, rows of
//! several kernels can run one after another without waiting for other rows.

use crate::plan::kernel::{Access, Buffer, BufferId, Indexed, Kernel, Line, LoadKind};

/// One access: `offset` plus a stride for each iteration loop, and as far again as the loops inside an iteration reach.
#[derive(Clone, Debug)]
pub struct Touch {
    pub buffer: BufferId,

    offset: isize,
    /// (size, stride) of the iteration loops, outer first; their sizes multiply to the iterations.
    loops: Vec<(usize, isize)>,
    /// How far one iteration reaches beyond its start; none where it reaches backwards.
    reach: Option<isize>,
}

/// Elements that are worth a lane of their own.
const LANE: usize = 4;

/// More units than this do not run at the same time.
const BUSY: usize = 1 << 17;

/// How many units of a cube work on one iteration of a fold: a power of two.
pub fn lanes(iterations: usize, folded: usize, rows: usize) -> usize {
    let each = (iterations / rows.max(1)).max(1);
    let mut lanes = 1;
    while 2 * lanes * each <= super::UNITS && 2 * lanes * LANE <= folded && 2 * lanes * iterations <= BUSY {
        lanes *= 2;
    }
    lanes
}

/// The iterations of a kernel.
#[derive(Clone, Debug)]
pub struct Space {
    pub iterations: usize,
    /// Element operations of one iteration.
    pub cost: usize,
    /// Elements that an iteration folds; 1 where it folds nothing.
    pub folded: usize,
    /// Every iteration is the work of one unit, unless it folds with more lanes than one.
    pub single: bool,
    pub touches: Vec<Touch>,
}

fn reach(sizes: &[usize], strides: &[isize]) -> Option<isize> {
    let loops = sizes.iter().zip(strides).filter(|(size, _)| **size > 1);
    loops.map(|(size, stride)| (*stride >= 0).then(|| (*size as isize - 1) * stride)).sum()
}

fn product(sizes: &[usize]) -> usize {
    sizes.iter().product()
}

/// All elements, one after another.
fn dense(buffer: BufferId, iterations: usize) -> Touch {
    Touch { buffer, offset: 0, loops: vec![(iterations, 1)], reach: Some(0) }
}

fn along(access: &Access, sizes: &[usize], reach: Option<isize>) -> Touch {
    let loops = sizes.iter().copied().zip(access.strides.iter().copied()).collect();
    Touch { buffer: access.buffer, offset: access.offset, loops, reach }
}

/// One element, whatever the iteration.
fn single(buffer: BufferId, offset: isize, iterations: usize) -> Touch {
    Touch { buffer, offset, loops: vec![(iterations, 0)], reach: Some(0) }
}

/// The space of a kernel that can be a stage of a chain; none of one that stands alone.
pub fn space(kernel: &Kernel, length: impl Fn(BufferId) -> usize) -> Option<Space> {
    Some(match kernel {
        Kernel::Fused(fused) => {
            let n = fused.length;
            let load = |load: &crate::plan::kernel::Load| match &load.kind {
                LoadKind::Contiguous => Touch { offset: load.offset, ..dense(load.buffer, n) },
                LoadKind::Uniform => single(load.buffer, load.offset, n),
                LoadKind::Strided(loops) => {
                    Touch { buffer: load.buffer, offset: load.offset, loops: loops.clone(), reach: Some(0) }
                }
            };
            let mut touches: Vec<Touch> = fused.loads.iter().map(load).collect();
            touches.extend(fused.stores.iter().map(|(_, buffer)| dense(*buffer, n)));
            Space { iterations: n, cost: 1 + fused.instructions.len() / 4, folded: 1, single: true, touches }
        }
        Kernel::Fill { buffer, .. } => {
            let n = length(*buffer);
            Space { iterations: n, cost: 1, folded: 1, single: true, touches: vec![dense(*buffer, n)] }
        }
        Kernel::Copy { sizes, from, to, add } => {
            let mut touches = vec![along(from, sizes, Some(0)), along(to, sizes, Some(0))];
            if *add {
                touches.push(along(to, sizes, Some(0)));
            }
            Space { iterations: product(sizes), cost: 1, folded: 1, single: true, touches }
        }
        Kernel::Reduce { kept, reduced, from, inner, to, .. } => {
            let n = product(kept);
            let touches = vec![along(from, kept, reach(reduced, inner)), dense(*to, n)];
            let count = product(reduced);
            Space { iterations: n, cost: 1 + count / 2, folded: count, single: true, touches }
        }
        Kernel::Contract(c) => {
            let sizes: Vec<usize> = c.batch.iter().copied().chain([c.m, c.n]).collect();
            let inner: Vec<usize> = c.outer.iter().copied().chain([c.k]).collect();
            let walk =
                |access: &Access, rows: isize, columns: isize, outer: &[isize], k: isize, inner: &[usize]| {
                    let strides: Vec<isize> = outer.iter().copied().chain([k]).collect();
                    let mut access = access.clone();
                    access.strides.extend([rows, columns]);
                    along(&access, &sizes, reach(inner, &strides))
                };
            let touches = vec![
                walk(&c.a, c.a_strides.0, 0, &c.a_outer, c.a_strides.1, &inner),
                walk(&c.b, 0, c.b_strides.1, &c.b_outer, c.b_strides.0, &inner),
                walk(&c.c, c.c_strides.0, c.c_strides.1, &[], 0, &[]),
            ];
            let (n, count) = (product(&sizes), product(&inner));
            Space { iterations: n, cost: 1 + count / 2, folded: count, single: true, touches }
        }
        Kernel::Gather(Indexed {
            size, stride, outer, inner, index, from, to, from_inner, to_inner, ..
        }) => {
            let sizes: Vec<usize> = outer.iter().chain(inner).copied().collect();
            let both = |access: &Access, inner: &[isize], reach| {
                let mut access = access.clone();
                access.strides.extend(inner);
                along(&access, &sizes, reach)
            };
            let nothing = vec![0; inner.len()];
            let touches = vec![
                both(index, &nothing, Some(0)),
                both(from, from_inner, reach(&[*size], &[*stride])),
                both(to, to_inner, Some(0)),
            ];
            Space { iterations: product(&sizes), cost: 2, folded: 1, single: true, touches }
        }
        Kernel::Scatter(
            _,
            Indexed { size, stride, outer, inner, index, from, to, from_inner, to_inner, .. },
        ) => {
            // One iteration for each element of the result; it looks at all outer positions that may end there.
            let kept: Vec<usize> = (0..outer.len()).filter(|at| to.strides[*at] != 0).collect();
            let over: Vec<usize> = (0..outer.len()).filter(|at| to.strides[*at] == 0).collect();
            let kept_sizes: Vec<usize> = kept.iter().map(|at| outer[*at]).collect();
            let over_sizes: Vec<usize> = over.iter().map(|at| outer[*at]).collect();
            let sizes: Vec<usize> =
                kept_sizes.iter().copied().chain([*size]).chain(inner.iter().copied()).collect();
            let pick = |access: &Access, which: &[usize]| {
                which.iter().map(|at| access.strides[*at]).collect::<Vec<isize>>()
            };
            let whole = |access: &Access, picked: isize, inner: &[isize], reach| {
                let strides = pick(access, &kept).into_iter().chain([picked]).chain(inner.iter().copied());
                let access = Access { strides: strides.collect(), ..access.clone() };
                along(&access, &sizes, reach)
            };
            let nothing = vec![0; inner.len()];
            let touches = vec![
                whole(index, 0, &nothing, reach(&over_sizes, &pick(index, &over))),
                whole(from, 0, from_inner, reach(&over_sizes, &pick(from, &over))),
                whole(to, *stride, to_inner, Some(0)),
                whole(to, *stride, to_inner, Some(0)),
            ];
            Space {
                iterations: product(&sizes),
                cost: 1 + product(&over_sizes),
                folded: product(&over_sizes),
                single: true,
                touches,
            }
        }
        Kernel::Line { line, outer, size, from, from_stride, to, to_stride, .. } => {
            let whole = |stride: isize| reach(&[*size], &[stride]);
            let to_reach = if matches!(line, Line::ArgReduce { .. }) { Some(0) } else { whole(*to_stride) };
            let touches = vec![along(from, outer, whole(*from_stride)), along(to, outer, to_reach)];
            let cost = match line {
                Line::ArgSort { .. } | Line::Rank(_) => size * size / 2,
                Line::ArgReduce { .. } | Line::Cumulative { .. } => 2 * size,
            };
            let single = matches!(line, Line::ArgReduce { .. } | Line::Cumulative { .. });
            Space { iterations: product(outer), cost, folded: 1, single, touches }
        }
        Kernel::Random { seed, step, round, to, .. } => {
            let n = length(*to);
            let mut touches = vec![dense(*to, n)];
            let numbers = [Some(seed), Some(step), round.as_ref()];
            touches.extend(numbers.into_iter().flatten().map(|a| single(a.buffer, a.offset, n)));
            Space { iterations: n, cost: 10, folded: 1, single: true, touches }
        }
        Kernel::Check { condition, .. } => {
            let touches = vec![single(condition.buffer, condition.offset, 1)];
            Space { iterations: 1, cost: 1, folded: 1, single: true, touches }
        }
        Kernel::Matrix { .. } | Kernel::Rounds(_) => return None,
    })
}

impl Space {
    /// Numbers of rows that might do: wherever some loop ends.
    pub fn candidates(&self, into: &mut Vec<usize>) {
        into.extend([1, self.iterations]);
        for touch in &self.touches {
            let mut rows = 1;
            for (size, _) in &touch.loops {
                rows *= size;
                into.push(rows);
            }
        }
    }
}

impl Touch {
    /// Different elements that it touches, at most.
    pub fn elements(&self) -> usize {
        let outer: usize =
            self.loops.iter().filter(|(_, stride)| *stride != 0).map(|(size, _)| *size).product();
        let reach = self.reach.map_or(usize::MAX, |reach| reach as usize + 1);
        outer.saturating_mul(reach)
    }

    /// Whether row r of `rows` touches only the r-th piece of the buffer, which has `length` elements.
    pub fn is_aligned(&self, rows: usize, length: usize) -> bool {
        if rows == 1 {
            return true;
        }
        let Some(reach) = self.reach else { return false };
        if !length.is_multiple_of(rows) || self.offset < 0 || self.loops.iter().any(|(size, _)| *size == 0) {
            return false;
        }
        let piece = (length / rows) as isize;
        // The outer loops make up the row's number; the loop that rows end in is cut.
        let mut left = rows;
        let mut inside = self.offset + reach;
        for (size, stride) in &self.loops {
            if left == 1 {
                if *stride < 0 {
                    return false;
                }
                inside += (*size as isize - 1).max(0) * stride;
            } else if left.is_multiple_of(*size) {
                left /= size;
                if *size > 1 && *stride != piece * left as isize {
                    return false;
                }
            } else if size.is_multiple_of(left) {
                let chunk = (size / left) as isize;
                if chunk * stride != piece {
                    return false;
                }
                inside += (chunk - 1) * stride;
                left = 1;
            } else {
                return false;
            }
        }
        left == 1 && inside < piece
    }
}

/// A kernel among others: how it walks, and which memories it uses: (memory, written).
pub struct Stage<'a> {
    pub space: &'a Space,
    pub uses: &'a [(usize, bool)],
}

/// The largest number of rows in which the kernels can run one after another without waiting for other rows. `memory`: which
/// memory each buffer lies in.
pub fn common_rows(stages: &[Stage], buffers: &[Buffer], memory: &[usize]) -> Option<usize> {
    accepted_rows(stages, buffers, memory, &|_| true)
}

/// The same, of numbers that are accepted.
pub fn accepted_rows(
    stages: &[Stage],
    buffers: &[Buffer],
    memory: &[usize],
    accept: &dyn Fn(usize) -> bool,
) -> Option<usize> {
    let mut candidates = Vec::new();
    stages.iter().for_each(|stage| stage.space.candidates(&mut candidates));
    candidates.sort_unstable();
    candidates.dedup();
    let shared = shared(stages);
    let mut accepted = candidates.into_iter().rev().filter(|rows| *rows > 0 && accept(*rows));
    accepted.find(|rows| fits(*rows, stages, &shared, buffers, memory))
}

/// Whether the kernels can run in so many rows, one after another, without waiting for other rows.
pub fn are_common(rows: usize, stages: &[Stage], buffers: &[Buffer], memory: &[usize]) -> bool {
    fits(rows, stages, &shared(stages), buffers, memory)
}

/// The memories that one kernel writes and another one uses.
fn shared(stages: &[Stage]) -> Vec<usize> {
    let mut shared: Vec<usize> = Vec::new();
    for (number, stage) in stages.iter().enumerate() {
        for (used, _) in stage.uses {
            let others = stages[..number].iter().any(|other| {
                other
                    .uses
                    .iter()
                    .any(|(m, written)| m == used && (*written || stage.uses.contains(&(*used, true))))
            });
            if others {
                shared.push(*used);
            }
        }
    }
    shared
}

fn fits(rows: usize, stages: &[Stage], shared: &[usize], buffers: &[Buffer], memory: &[usize]) -> bool {
    stages.iter().all(|stage| stage.space.iterations.is_multiple_of(rows))
        && stages.iter().flat_map(|stage| &stage.space.touches).all(|touch| {
            let length = buffers[touch.buffer.0 as usize].length;
            !shared.contains(&memory[touch.buffer.0 as usize]) || touch.is_aligned(rows, length)
        })
}
