//! How kernels are shared: in how many pieces, and which part of a reduction each piece is.
//!
//! In: the sizes of a kernel and a team. Out: pieces whose results do not depend on their number, since every result is computed
//! by one of them as it would be alone.

use smallvec::SmallVec;

use super::fold::{self, Folds};
use super::real::Real;
use super::reduce::{Loops, reduce};
use super::team::{PIECES, Team, part};
use crate::graph::Reduction;

/// Elements of a piece of a reduction from which another thread pays.
const REDUCE: usize = 1 << 14;
/// Columns of a piece of a reduction of columns: a cache line of them.
const COLUMNS: usize = 16;

/// Pieces of work of at least `least` each, at most `most`, some for every thread.
pub fn pieces(work: usize, least: usize, most: usize, team: &Team) -> usize {
    if team.threads() == 1 {
        return 1;
    }
    (work / least).min(most).clamp(1, (4 * team.threads()).min(PIECES))
}

/// Where a kernel reads and where it writes.
#[derive(Clone, Copy)]
pub struct Pointers<T>(pub (*const T, *mut T));

// Pieces write disjoint parts.
unsafe impl<T> Send for Pointers<T> {}
unsafe impl<T> Sync for Pointers<T> {}

impl<T> Pointers<T> {
    pub fn both(&self) -> (*const T, *mut T) {
        self.0
    }
}

/// The loop over kept positions that is cut, in so many pieces of multiples of `unit`.
#[derive(Clone, Copy)]
pub struct Cuts {
    pieces: usize,
    unit: usize,
}

/// The first loop can be cut, since results lie along it.
pub fn cuts(loops: &Loops, results: usize, team: &Team) -> Cuts {
    let elements = results * loops.reduced.iter().product::<usize>();
    let first = loops.kept.first().copied().unwrap_or(1);
    let is_columns = loops.kept.len() == 1 && loops.kept_strides == [1];
    let unit = if is_columns { COLUMNS } else { 1 };
    Cuts { pieces: pieces(elements, REDUCE, first.div_ceil(unit), team), unit }
}

/// Runs a reduction piece by piece: `run(loops, [offset of what is read, of what is written], thread)`.
pub fn share_reduce(
    loops: &Loops,
    cuts: Cuts,
    team: &Team,
    run: &(dyn Fn(&Loops, [isize; 2], usize) + Sync),
) {
    let (Some(first), Some(stride)) = (loops.kept.first(), loops.kept_strides.first()) else {
        return run(loops, [0, 0], 0);
    };
    let below: usize = loops.kept[1..].iter().product();
    team.share(cuts.pieces, |piece, thread| {
        let (start, count) = part(*first, cuts.unit, piece, cuts.pieces);
        let mut kept: SmallVec<[usize; 8]> = SmallVec::from_slice(loops.kept);
        kept[0] = count;
        let part = loops.part(&kept, loops.kept_strides);
        run(&part, [start as isize * stride, (start * below) as isize], thread);
    });
}

/// Reduces floats.
///
/// # Safety
/// As of [`reduce`].
pub unsafe fn reduce_float<R: Real>(
    reduction: Reduction,
    loops: &Loops,
    from: *const R,
    to: *mut R,
    work: *mut R,
) {
    unsafe { reduce(loops, from, to, work, &folds_of_floats(reduction)) }
}

pub fn folds_of_floats<R: Real>(reduction: Reduction) -> Folds<R> {
    match reduction {
        Reduction::Product => Folds::new::<fold::Product>(),
        Reduction::Max => Folds::new::<fold::Max>(),
        Reduction::Min => Folds::new::<fold::Min>(),
        Reduction::Sum | Reduction::All | Reduction::Any => Folds::new::<fold::Sum>(),
    }
}

/// Reduces truth values: all, or any.
///
/// # Safety
/// As of [`reduce`].
pub unsafe fn reduce_truth(reduction: Reduction, loops: &Loops, from: *const u8, to: *mut u8, work: *mut u8) {
    let folds = match reduction {
        Reduction::All | Reduction::Min | Reduction::Product => Folds::new::<fold::All>(),
        Reduction::Any | Reduction::Max | Reduction::Sum => Folds::new::<fold::Any>(),
    };
    unsafe { reduce(loops, from, to, work, &folds) }
}
