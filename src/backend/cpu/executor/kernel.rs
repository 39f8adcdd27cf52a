//! A kernel that stands alone, in pieces that the threads of a team share.
//!
//! In: a kernel of the plan, and where its buffers lie in this step. Out: its results; or the first fault, by the order of the rows.

use smallvec::SmallVec;

use super::super::contract::contract;
use super::super::draw::{Draw, draw};
use super::super::first_fault::FirstFault;
use super::super::index::Picks;
use super::super::instruction::TILE;
use super::super::line::{Strided, cumulative, extreme, rank, sort};
use super::super::reduce::Loops;
use super::super::share::{Pointers, cuts, pieces, reduce_float, reduce_truth, share_reduce};
use super::super::{matrix, walk};
use super::{Executor, Real, Space, Team, part};
use crate::backend::Fault;
use crate::graph::{Element, Reduction};
use crate::plan::kernel::{Access, BufferId, Fused, Indexed, Kernel, Line};

/// Elements times instructions of a piece of a fused kernel from which another thread pays.
const FUSED: usize = 1 << 15;

/// Elements of a piece of a copy, or of what is gathered, from which another thread pays.
const COPY: usize = 1 << 13;

impl<R: Real> Executor<R> {
    /// # Safety
    /// The plan is valid, and `bases` are those of this step.
    pub(super) unsafe fn kernel(&self, at: usize, space: Space<R>, team: &Team) -> Result<(), Fault> {
        unsafe {
            match &self.plan.kernels[at] {
                Kernel::Fused(fused) => self.fused(at, fused, space, team),
                Kernel::Fill { buffer, value } => {
                    let length = self.plan.buffers[buffer.0 as usize].length;
                    self.view().fill::<R>(*buffer, *value, 0, length);
                }
                Kernel::Copy { sizes, from, to, add } => self.copy(sizes, from, to, *add, team),
                Kernel::Reduce { reduction, kept, reduced, from, inner, to } => {
                    let loops = Loops::new(kept, &from.strides, reduced, inner);
                    let length = self.plan.buffers[to.0 as usize].length;
                    let cuts = cuts(&loops, length, team);
                    let is_float = self.element(from) == Element::Float;
                    let reach = (self.at::<R>(from).cast_const(), self.base::<R>(*to));
                    let bits = (self.at::<u8>(from).cast_const(), self.base::<u8>(*to));
                    let (reach, bits) = (Pointers(reach), Pointers(bits));
                    share_reduce(&loops, cuts, team, &|loops, [source, target], thread| {
                        let work = space.work(thread);
                        if is_float {
                            let (from, to) = reach.both();
                            reduce_float(*reduction, loops, from.offset(source), to.offset(target), work);
                        } else {
                            let (from, to) = bits.both();
                            let (from, to) = (from.offset(source), to.offset(target));
                            reduce_truth(*reduction, loops, from, to, work.cast());
                        }
                    });
                }
                Kernel::Contract(c) => {
                    let operands = (
                        self.at::<R>(&c.a).cast_const(),
                        self.at::<R>(&c.b).cast_const(),
                        self.at::<R>(&c.c),
                    );
                    contract::<R>(c, operands, team, |thread| space.packed(thread));
                }
                Kernel::Gather(loops) => return self.gather(loops, team),
                Kernel::Scatter(reduction, loops) => {
                    let (picks, Indexed { index, from, to, .. }) = (Picks::of(loops), loops);
                    let indices = self.at::<i32>(index);
                    if self.element(from) == Element::Bool {
                        let (from, to) = (self.at::<u8>(from), self.at::<u8>(to));
                        return match reduction {
                            Reduction::All => picks.scatter(indices, from, to, |a, b| a & b),
                            _ => picks.scatter(indices, from, to, |a, b| a | b),
                        };
                    }
                    let (from, to) = (self.at::<R>(from), self.at::<R>(to));
                    return match reduction {
                        Reduction::Product => picks.scatter(indices, from, to, |a, b| a * b),
                        Reduction::Max => picks.scatter(indices, from, to, R::bigger),
                        Reduction::Min => picks.scatter(indices, from, to, R::smaller),
                        _ => picks.scatter(indices, from, to, |a, b| a + b),
                    };
                }
                Kernel::Line { line, outer, size, from, from_stride, to, to_stride, work } => {
                    let from_at = self.at::<R>(from);
                    walk::walk(outer, [&from.strides, &to.strides], [0, 0], &mut |[f, t]| {
                        let source = Strided { at: from_at.offset(f), step: *from_stride };
                        let positions =
                            work.map(|work| std::slice::from_raw_parts_mut(self.base::<i32>(work), *size));
                        let positions = positions.unwrap_or_default();
                        let floats = || Strided { at: self.at::<R>(to).offset(t), step: *to_stride };
                        let indices = || Strided { at: self.at::<i32>(to).offset(t), step: *to_stride };
                        match line {
                            Line::ArgReduce { smallest } => {
                                indices().set(0, extreme(source, *size, *smallest))
                            }
                            Line::ArgSort { descending } => {
                                sort(source, positions, *descending);
                                for (i, position) in positions.iter().enumerate() {
                                    indices().set(i, *position);
                                }
                            }
                            Line::Rank(ties) => rank(source, floats(), positions, *ties),
                            Line::Cumulative { kind, reverse } => {
                                cumulative(source, floats(), *size, *kind, *reverse)
                            }
                        }
                    });
                }
                Kernel::Matrix { node, kind, batch, rows, columns, width, from, right, to } => {
                    let floats = |buffer: &BufferId| {
                        let length = self.plan.buffers[buffer.0 as usize].length;
                        std::slice::from_raw_parts(self.base::<R>(*buffer), length)
                    };
                    let task = matrix::Task {
                        kind: *kind,
                        batch: *batch,
                        rows: *rows,
                        columns: *columns,
                        width: *width,
                    };
                    let (from, right) = (floats(from), right.as_ref().map_or(&[][..], floats));
                    let length = self.plan.buffers[to.0 as usize].length;
                    let done = match self.plan.buffers[to.0 as usize].element {
                        Element::Index => {
                            let to = std::slice::from_raw_parts_mut(self.base::<i32>(*to), length);
                            task.run(from, right, to, |x| x as i32)
                        }
                        _ => {
                            let to = std::slice::from_raw_parts_mut(self.base::<R>(*to), length);
                            task.run(from, right, to, R::from_f64)
                        }
                    };
                    return done.map_err(|fault| Fault::Matrix { node: *node, fault });
                }
                Kernel::Rounds(rounds) => self.rounds(rounds, space, team)?,
                Kernel::Random { site, seed, step, round, to } => {
                    let round = round.as_ref().map_or(0, |round| *self.at::<i32>(round) as u32);
                    let (seed, step) = (*self.at::<i32>(seed) as u32, *self.at::<i32>(step) as u32);
                    let length = self.plan.buffers[to.0 as usize].length;
                    let to = std::slice::from_raw_parts_mut(self.base::<R>(*to), length);
                    draw(Draw { key: [seed, *site], rest: [0, step, round] }, to, team);
                }
                Kernel::Check { check, condition } => {
                    if *self.at::<u8>(condition) == 0 {
                        return Err(Fault::Check(*check));
                    }
                }
            }
        }
        Ok(())
    }

    unsafe fn copy(&self, sizes: &[usize], from: &Access, to: &Access, adds: bool, team: &Team) {
        let elements: usize = sizes.iter().product();
        let first = sizes.first().copied().unwrap_or(1);
        let pieces = pieces(elements, COPY, first, team);
        team.share(pieces, |piece, _| {
            let (start, count) = part(first, 1, piece, pieces);
            let mut sizes: SmallVec<[usize; 8]> = SmallVec::from_slice(sizes);
            let (mut f, mut t) = (0, 0);
            if let (Some(size), Some(from), Some(to)) =
                (sizes.first_mut(), from.strides.first(), to.strides.first())
            {
                *size = count;
                (f, t) = (start as isize * from, start as isize * to);
            }
            unsafe {
                self.view().copy::<R>(&sizes, (from, &from.strides, f), (to, &to.strides, t), adds);
            }
        });
    }

    /// Rows lie anywhere, so threads wait for memory rather than for each other.
    unsafe fn gather(&self, loops: &Indexed, team: &Team) -> Result<(), Fault> {
        let all = Picks::of(loops);
        let elements: usize = all.outer.iter().chain(all.inner).product();
        let first = all.outer.first().copied().unwrap_or(1);
        let pieces = pieces(elements, COPY, first, team);
        let fault = FirstFault::default();
        team.share(pieces, |piece, _| {
            let (start, count) = part(first, 1, piece, pieces);
            let mut outer: SmallVec<[usize; 8]> = SmallVec::from_slice(all.outer);
            if let Some(size) = outer.first_mut() {
                *size = count;
            }
            let offsets = [all.index, all.from, all.to]
                .map(|strides| start as isize * strides.first().copied().unwrap_or(0));
            let picks = Picks { outer: &outer, ..all };
            fault.keep(piece, unsafe { self.view().gather::<R>(loops, &picks, offsets) });
        });
        fault.result()
    }

    unsafe fn fused(&self, at: usize, fused: &Fused, space: Space<R>, team: &Team) {
        let tiles = fused.length.div_ceil(TILE);
        let work = fused.length * (fused.instructions.len() + fused.loads.len());
        let pieces = pieces(work, FUSED, tiles, team);
        team.share(pieces, |piece, thread| {
            let (start, count) = part(fused.length, TILE, piece, pieces);
            let scratch = space.scratch(thread);
            unsafe { self.view().elements(at, fused, start, start + count, scratch) };
        });
    }
}
