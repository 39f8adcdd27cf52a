//! Gather and scatter: an outer loop over the indices, an inner loop over what each index picks.

use super::copy::copy;
use super::walk::{inner, try_walk, walk};
use crate::backend::Fault;
use crate::graph::NodeId;
use crate::plan::kernel::Indexed;

/// How many rows before it is copied a row is fetched.
const AHEAD: usize = 8;
/// Bytes of a row that are fetched; the machine sees by itself how a longer one goes on.
const FETCHED: usize = 256;
const LINE: usize = 64;

/// Asks for the beginning of what lies there, if anything does.
#[inline(always)]
fn fetch(at: *const u8, bytes: usize) {
    #[cfg(target_arch = "x86_64")]
    for line in (0..bytes.min(FETCHED)).step_by(LINE) {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        unsafe { _mm_prefetch::<_MM_HINT_T0>(at.wrapping_add(line).cast()) };
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = (at, bytes);
}

/// The loops of a kernel, or of some of its rows.
#[derive(Clone, Copy)]
pub struct Picks<'a> {
    pub node: NodeId,
    pub size: usize,
    pub stride: isize,
    pub outer: &'a [usize],
    pub inner: &'a [usize],
    /// Strides of the outer loop.
    pub index: &'a [isize],
    pub from: &'a [isize],
    pub to: &'a [isize],
    pub from_inner: &'a [isize],
    pub to_inner: &'a [isize],
}

impl<'a> Picks<'a> {
    /// All of a kernel's.
    pub fn of(loops: &'a Indexed) -> Picks<'a> {
        Picks {
            node: loops.node,
            size: loops.size,
            stride: loops.stride,
            outer: &loops.outer,
            inner: &loops.inner,
            index: &loops.index.strides,
            from: &loops.from.strides,
            to: &loops.to.strides,
            from_inner: &loops.from_inner,
            to_inner: &loops.to_inner,
        }
    }
}

impl Picks<'_> {
    fn each(&self, indices: *const i32, mut f: impl FnMut(isize, isize, isize)) -> Result<(), Fault> {
        // Where nothing is picked, no index is looked at.
        if self.inner.contains(&0) {
            return Ok(());
        }
        let strides = [self.index, self.from, self.to];
        try_walk(self.outer, strides, [0, 0, 0], &mut |[at, from, to]| {
            let index = unsafe { *indices.offset(at) };
            f(self.picked(index)?, from, to);
            Ok(())
        })
    }

    /// How far an index leads.
    #[inline]
    fn picked(&self, index: i32) -> Result<isize, Fault> {
        if index < 0 || index as usize >= self.size {
            let index = i64::from(index);
            return Err(Fault::IndexOutOfRange { node: self.node, index, size: self.size });
        }
        Ok(index as isize * self.stride)
    }

    /// # Safety
    /// The pointers are at the first elements; every position that the loops reach lies inside.
    pub unsafe fn gather<T: Copy>(
        &self,
        indices: *const i32,
        from: *const T,
        to: *mut T,
    ) -> Result<(), Fault> {
        if self.inner.iter().all(|size| *size == 1) {
            return unsafe { self.gather_each(indices, from, to) };
        }
        if let ([width], [1], [1]) = (self.inner, self.from_inner, self.to_inner) {
            return unsafe { self.gather_rows(*width, indices, from, to) };
        }
        self.each(indices, |picked, source, target| unsafe {
            copy(self.inner, from.offset(source + picked), self.from_inner, to.offset(target), self.to_inner);
        })
    }

    /// Each index picks one element.
    unsafe fn gather_each<T: Copy>(
        &self,
        indices: *const i32,
        from: *const T,
        to: *mut T,
    ) -> Result<(), Fault> {
        let (outer, strides, count, [index_step, from_step, to_step]) =
            inner(self.outer, [self.index, self.from, self.to]);
        try_walk(outer, strides, [0, 0, 0], &mut |[at, source, target]| {
            for i in 0..count as isize {
                let index = unsafe { *indices.offset(at + i * index_step) };
                let picked = self.picked(index)?;
                unsafe { *to.offset(target + i * to_step) = *from.offset(source + i * from_step + picked) };
            }
            Ok(())
        })
    }

    /// Each index picks a row. Rows lie anywhere, so those of the next indices are fetched before they are copied.
    unsafe fn gather_rows<T: Copy>(
        &self,
        width: usize,
        indices: *const i32,
        from: *const T,
        to: *mut T,
    ) -> Result<(), Fault> {
        if width == 0 {
            return Ok(());
        }
        let (outer, strides, count, [index_step, from_step, to_step]) =
            inner(self.outer, [self.index, self.from, self.to]);
        let bytes = width * size_of::<T>();
        try_walk(outer, strides, [0, 0, 0], &mut |[at, source, target]| {
            let index = |i: usize| unsafe { *indices.offset(at + i as isize * index_step) };
            let row =
                |i: usize, picked: isize| from.wrapping_offset(source + i as isize * from_step + picked);
            for i in 0..count {
                let next = i + AHEAD;
                if next < count {
                    // An index that is out of range is told of when its turn comes.
                    fetch(row(next, index(next) as isize * self.stride).cast(), bytes);
                }
                let picked = self.picked(index(i))?;
                let target = target + i as isize * to_step;
                unsafe { std::ptr::copy_nonoverlapping(row(i, picked), to.offset(target), width) };
            }
            Ok(())
        })
    }

    /// # Safety
    /// As of [`Self::gather`].
    pub unsafe fn scatter<T: Copy>(
        &self,
        indices: *const i32,
        from: *const T,
        to: *mut T,
        f: impl Fn(T, T) -> T,
    ) -> Result<(), Fault> {
        self.each(indices, |picked, source, target| {
            let (outer, strides, count, [from_step, to_step]) =
                inner(self.inner, [self.from_inner, self.to_inner]);
            walk(outer, strides, [source, target + picked], &mut |[s, t]| unsafe {
                if (from_step, to_step) == (1, 1) {
                    let values = std::slice::from_raw_parts(from.offset(s), count);
                    let sums = std::slice::from_raw_parts_mut(to.offset(t), count);
                    for (sum, value) in sums.iter_mut().zip(values) {
                        *sum = f(*sum, *value);
                    }
                    return;
                }
                for i in 0..count as isize {
                    let sum = to.offset(t + i * to_step);
                    *sum = f(*sum, *from.offset(s + i * from_step));
                }
            });
        })
    }
}
