//! Kernels, or some rows of them, on buffers at given places.
//!
//! In: a plan, its native code, and where each buffer lies: in bands some lie where the rows at hand have their space. Out: results in
//! their buffers.

use super::contract::contract_some;
use super::copy::{add, copy};
use super::fused::Machine;
use super::index::Picks;
use super::instruction::Execute;
use super::native::Native;
use super::real::Real;
use super::reduce::{Loops, grow};
use super::rows::Cut;
use super::share::{folds_of_floats, reduce_float, reduce_truth};
use super::team::part;
use crate::backend::Fault;
use crate::graph::Element;
use crate::plan::Plan;
use crate::plan::band::Band;
use crate::plan::kernel::{Access, BufferId, Fused, Indexed, Kernel};

#[derive(Clone, Copy)]
pub struct View<'a> {
    pub plan: &'a Plan,
    pub native: &'a Native,
    pub execute: Execute,
    pub bases: &'a [*mut u8],
}

/// The rows `from .. to`, of so many.
#[derive(Clone, Copy)]
pub struct Rows {
    pub from: usize,
    pub to: usize,
    pub of: usize,
}

impl Rows {
    /// Those of one of so many groups that go through a band together.
    pub fn of_group(band: &Band, group: usize, groups: usize) -> Rows {
        let (from, count) = part(band.rows, 1, group, groups);
        Rows { from, to: from + count, of: band.rows }
    }

    /// The steps of each row, in their order; all rows at a time if they have one step.
    pub fn steps(self, steps: usize) -> impl Iterator<Item = Rows> {
        let Rows { from, to, of } = self;
        let each = if steps == 1 { to - from } else { 1 };
        let starts = (from * steps..to * steps).step_by(each.max(1));
        starts.map(move |from| Rows { from, to: from + each, of: of * steps })
    }
}

/// # Safety
/// Of all functions: the plan is valid, and the buffers lie where `bases` says.
impl View<'_> {
    fn base<T>(&self, buffer: BufferId) -> *mut T {
        self.bases[buffer.0 as usize].cast()
    }

    fn at<T>(&self, access: &Access) -> *mut T {
        self.base::<T>(access.buffer).wrapping_offset(access.offset)
    }

    fn element(&self, access: &Access) -> Element {
        self.plan.buffers[access.buffer.0 as usize].element
    }

    /// Copies (or adds) by loops of these sizes; each side has its access, its strides and where to begin.
    pub unsafe fn copy<R: Real>(
        &self,
        sizes: &[usize],
        from: (&Access, &[isize], isize),
        to: (&Access, &[isize], isize),
        adds: bool,
    ) {
        unsafe fn both<T>(from: *const T, to: *mut T, offsets: (isize, isize)) -> (*const T, *mut T) {
            unsafe { (from.offset(offsets.0), to.offset(offsets.1)) }
        }
        let ((from, from_strides, f), (to, to_strides, t)) = (from, to);
        unsafe {
            match self.element(from) {
                Element::Float => {
                    let (from, to) = both::<R>(self.at(from), self.at(to), (f, t));
                    if adds {
                        add(sizes, from, from_strides, to, to_strides);
                    } else {
                        copy(sizes, from, from_strides, to, to_strides);
                    }
                }
                Element::Index => {
                    let (from, to) = both::<i32>(self.at(from), self.at(to), (f, t));
                    copy(sizes, from, from_strides, to, to_strides);
                }
                Element::Bool => {
                    let (from, to) = both::<u8>(self.at(from), self.at(to), (f, t));
                    copy(sizes, from, from_strides, to, to_strides);
                }
            }
        }
    }

    /// Some of what a kernel gathers, from these offsets of its indices, its source and its target on.
    pub unsafe fn gather<R: Real>(
        &self,
        loops: &Indexed,
        picks: &Picks,
        [index, from, to]: [isize; 3],
    ) -> Result<(), Fault> {
        let (source, target) = (&loops.from, &loops.to);
        unsafe {
            let indices = self.at::<i32>(&loops.index).offset(index);
            match self.element(source) {
                Element::Float => {
                    picks.gather(indices, self.at::<R>(source).offset(from), self.at::<R>(target).offset(to))
                }
                Element::Index => {
                    let (from, to) = (self.at::<i32>(source).offset(from), self.at::<i32>(target).offset(to));
                    picks.gather(indices, from, to)
                }
                Element::Bool => {
                    let (from, to) = (self.at::<u8>(source).offset(from), self.at::<u8>(target).offset(to));
                    picks.gather(indices, from, to)
                }
            }
        }
    }

    /// The elements `from .. to` of a fused kernel.
    pub unsafe fn elements(&self, at: usize, fused: &Fused, from: usize, to: usize, scratch: *mut u8) {
        unsafe {
            if let Some(code) = self.native.kernel(at) {
                return code.run(fused, self.bases, from, to, scratch);
            }
            let machine =
                Machine { bases: self.bases, execute: self.execute, precision: self.plan.precision };
            machine.run(fused, from, to, scratch);
        }
    }

    /// The elements `from .. to` of a buffer.
    pub unsafe fn fill<R: Real>(&self, buffer: BufferId, value: f64, from: usize, to: usize) {
        unsafe fn fill<T: Copy>(base: *mut T, from: usize, to: usize, value: T) {
            unsafe { std::slice::from_raw_parts_mut(base.add(from), to - from).fill(value) }
        }
        unsafe {
            match self.plan.buffers[buffer.0 as usize].element {
                Element::Float => fill(self.base(buffer), from, to, R::from_f64(value)),
                Element::Index => fill(self.base(buffer), from, to, value as i32),
                Element::Bool => fill(self.base(buffer), from, to, u8::from(value != 0.0)),
            }
        }
    }

    /// A sum of columns takes in the rows of a step of its row of the band; none where the kernel is none.
    pub unsafe fn grow<R: Real>(&self, at: usize, step: usize, band: &Band) -> Option<()> {
        let Kernel::Reduce { reduction, from, to, .. } = &self.plan.kernels[at] else { return None };
        let sum = band.sums.iter().find(|sum| sum.to == *to)?;
        let (row, step) = (step / band.steps, step % band.steps);
        let count = sum.rows / band.steps;
        let first = (row * sum.rows + step * count) * sum.width;
        unsafe {
            let sums = self.base::<R>(sum.to).add(row * sum.width);
            let sums = std::slice::from_raw_parts_mut(sums, sum.width);
            let rows = self.base::<R>(from.buffer).wrapping_add(first);
            grow(sums, rows, count, step == 0, &folds_of_floats(*reduction));
        }
        Some(())
    }

    /// The rows `from .. to` of a kernel.
    ///
    /// # Safety
    /// The kernel can be cut in so many rows; `scratch` and `work` are the thread's own.
    pub unsafe fn rows<R: Real>(
        &self,
        at: usize,
        rows: Rows,
        scratch: *mut u8,
        work: *mut R,
    ) -> Result<(), Fault> {
        let Rows { from, to, of: rows } = rows;
        if self.native.is_joined(at) {
            return Ok(());
        }
        unsafe {
            match &self.plan.kernels[at] {
                Kernel::Fused(fused) => {
                    let each = fused.length / rows;
                    self.elements(at, fused, from * each, to * each, scratch);
                }
                Kernel::Fill { buffer, value } => {
                    let each = self.plan.buffers[buffer.0 as usize].length / rows;
                    self.fill::<R>(*buffer, *value, from * each, to * each);
                }
                Kernel::Copy { sizes, from: source, to: target, add } => {
                    let Some(cut) = Cut::new(sizes, [&source.strides, &target.strides], rows) else {
                        return Ok(());
                    };
                    cut.runs(from, to, &mut |run| {
                        let [f, t] = run.offsets;
                        self.copy::<R>(
                            run.sizes,
                            (source, run.strides[0], f),
                            (target, run.strides[1], t),
                            *add,
                        );
                    });
                }
                Kernel::Reduce { reduction, kept, reduced, from: source, inner, to: target } => {
                    let Some(cut) = Cut::new(kept, [&source.strides], rows) else { return Ok(()) };
                    let each = self.plan.buffers[target.0 as usize].length / rows;
                    let is_float = self.element(source) == Element::Float;
                    let whole = Loops::new(kept, &source.strides, reduced, inner);
                    cut.runs(from, to, &mut |run| {
                        let loops = whole.part(run.sizes, run.strides[0]);
                        let ([offset], first) = (run.offsets, run.row * each);
                        if is_float {
                            let from = self.at::<R>(source).cast_const().offset(offset);
                            reduce_float(*reduction, &loops, from, self.base::<R>(*target).add(first), work);
                        } else {
                            let from = self.at::<u8>(source).cast_const().offset(offset);
                            let to = self.base::<u8>(*target).add(first);
                            reduce_truth(*reduction, &loops, from, to, work.cast());
                        }
                    });
                }
                Kernel::Contract(contract) => {
                    let each = contract.batch.iter().product::<usize>() / rows;
                    let operands = (
                        self.at::<R>(&contract.a).cast_const(),
                        self.at::<R>(&contract.b).cast_const(),
                        self.at::<R>(&contract.c),
                    );
                    contract_some(contract, operands, from * each, (to - from) * each);
                }
                Kernel::Gather(loops) => {
                    let all = Picks::of(loops);
                    let Some(cut) = Cut::new(all.outer, [all.index, all.from, all.to], rows) else {
                        return Ok(());
                    };
                    let mut result = Ok(());
                    cut.runs(from, to, &mut |run| {
                        if result.is_err() {
                            return;
                        }
                        let ([index_strides, from, to], [i, f, t]) = (run.strides, run.offsets);
                        let picks = Picks { outer: run.sizes, index: index_strides, from, to, ..all };
                        result = self.gather::<R>(loops, &picks, [i, f, t]);
                    });
                    return result;
                }
                _ => {}
            }
        }
        Ok(())
    }
}
