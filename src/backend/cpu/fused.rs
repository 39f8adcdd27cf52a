//! Fused kernels: tile by tile, each instruction once over the tile.

use super::instruction::{Argument, Execute, TILE};
use crate::graph::{Element, Precision};
use crate::plan::element_bytes;
use crate::plan::kernel::{BufferId, Fused, LoadKind, Register};

/// Bytes from one row of scratch to the next: a tile of the widest element, and some lines so that rows do not fall on the same
/// places of the cache, and that the last of several runs may be written beyond its end.
pub const ROW: usize = TILE * 8 + 5 * 64;

/// Elements of a run that are written at once where it is short.
const SHORT: usize = 16;

/// What a fused kernel needs to run.
#[derive(Clone, Copy)]
pub struct Machine<'a> {
    pub bases: &'a [*mut u8],
    pub execute: Execute,
    pub precision: Precision,
}

// The pointers are used on disjoint ranges only.
unsafe impl Sync for Machine<'_> {}
unsafe impl Send for Machine<'_> {}

impl Machine<'_> {
    fn base(&self, buffer: BufferId) -> *mut u8 {
        self.bases[buffer.0 as usize]
    }

    fn size(&self, element: Element) -> usize {
        element_bytes(element, self.precision)
    }

    /// Runs the elements `from .. to`. `scratch` holds the kernel's rows.
    ///
    /// # Safety
    /// The plan is valid for the buffers at `bases`.
    pub unsafe fn run(&self, fused: &Fused, from: usize, to: usize, scratch: *mut u8) {
        let mut start = from;
        while start < to {
            let count = TILE.min(to - start);
            unsafe { self.tile(fused, start, count, scratch) };
            start += count;
        }
    }

    #[inline]
    unsafe fn tile(&self, fused: &Fused, start: usize, count: usize, scratch: *mut u8) {
        let element = |value: usize| match value.checked_sub(fused.loads.len()) {
            None => fused.loads[value].element,
            Some(at) => fused.instructions[at].element,
        };
        let locate = |value: usize| unsafe {
            match fused.registers[value] {
                Register::Memory { buffer, offset } => {
                    let bytes = (offset + start as isize) * self.size(element(value)) as isize;
                    Argument { at: self.base(buffer).offset(bytes), uniform: false }
                }
                Register::Uniform { buffer, offset } => {
                    let bytes = offset * self.size(element(value)) as isize;
                    Argument { at: self.base(buffer).offset(bytes), uniform: true }
                }
                Register::Scratch(row) => Argument { at: scratch.add(row as usize * ROW), uniform: false },
            }
        };
        unsafe {
            for (at, load) in fused.loads.iter().enumerate() {
                if let (LoadKind::Strided(loops), Register::Scratch(row)) = (&load.kind, fused.registers[at])
                {
                    let place = (load.offset, self.size(load.element));
                    gather(
                        self.base(load.buffer),
                        place,
                        loops,
                        start,
                        count,
                        scratch.add(row as usize * ROW),
                    );
                }
            }
            for (at, instruction) in fused.instructions.iter().enumerate() {
                let to = locate(fused.loads.len() + at).at.cast_mut();
                let mut arguments = [Argument { at: std::ptr::null(), uniform: true }; 3];
                let operands = instruction.operation.operands();
                for (argument, value) in arguments.iter_mut().zip(instruction.arguments).take(operands) {
                    *argument = locate(value as usize);
                }
                (self.execute)(instruction.operation, arguments, to, count);
            }
            for (value, buffer) in &fused.copies {
                let size = self.size(element(*value as usize));
                let from = locate(*value as usize);
                let to = self.base(*buffer).add(start * size);
                std::ptr::copy(from.at, to, count * size);
            }
        }
    }
}

/// Gathers the elements `start .. start + count` of a strided load, which has `place`: its offset, and the bytes of an element.
///
/// # Safety
/// The loops stay inside the buffer at `base`; `to` is a row of scratch.
#[inline]
pub unsafe fn gather(
    base: *const u8,
    place: (isize, usize),
    loops: &[(usize, isize)],
    start: usize,
    count: usize,
    to: *mut u8,
) {
    let (offset, bytes) = place;
    unsafe {
        match bytes {
            1 => strided(base.offset(offset), loops, start, count, to),
            4 => strided(base.cast::<u32>().offset(offset), loops, start, count, to.cast()),
            _ => strided(base.cast::<u64>().offset(offset), loops, start, count, to.cast()),
        }
    }
}

/// Elements `start .. start + count` of a strided array.
#[inline]
unsafe fn strided<T: Copy>(from: *const T, loops: &[(usize, isize)], start: usize, count: usize, to: *mut T) {
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("avx2") {
        return unsafe { strided_v3(from, loops, start, count, to) };
    }
    unsafe { strided_any(from, loops, start, count, to) }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
unsafe fn strided_v3<T: Copy>(
    from: *const T,
    loops: &[(usize, isize)],
    start: usize,
    count: usize,
    to: *mut T,
) {
    unsafe { strided_any(from, loops, start, count, to) }
}

#[inline(always)]
unsafe fn strided_any<T: Copy>(
    from: *const T,
    loops: &[(usize, isize)],
    start: usize,
    count: usize,
    to: *mut T,
) {
    let Some(((width, step), outer)) = loops.split_last() else { return };
    // Rows that are all the same are gathered once.
    let gathered = if outer.iter().all(|(_, stride)| *stride == 0) { count.min(*width) } else { count };
    let mut row = start / width;
    let mut column = start % width;
    let (mut at, mut left) = (to, gathered);
    while left > 0 {
        let mut offset = 0;
        if let Some(((_, first), rest)) = outer.split_first() {
            let mut index = row;
            for (size, stride) in rest.iter().rev() {
                offset += (index % size) as isize * stride;
                index /= size;
            }
            offset += index as isize * first;
        }
        let run = left.min(width - column);
        unsafe {
            let source = from.offset(offset + column as isize * step);
            match step {
                0 if run <= SHORT => at.cast::<[T; SHORT]>().write_unaligned([*source; SHORT]),
                0 => std::slice::from_raw_parts_mut(at, run).fill(*source),
                1 => copy_run(source, at, run),
                _ => {
                    for i in 0..run {
                        *at.add(i) = *source.offset(i as isize * step);
                    }
                }
            }
            at = at.add(run);
        }
        left -= run;
        row += 1;
        column = 0;
    }
    let mut done = gathered;
    while done < count {
        let next = done.min(count - done);
        unsafe { std::ptr::copy_nonoverlapping(to, to.add(done), next) };
        done += next;
    }
}

/// Short runs are copied as two halves that may overlap, without a call.
#[inline(always)]
unsafe fn copy_run<T: Copy>(from: *const T, to: *mut T, count: usize) {
    #[inline(always)]
    unsafe fn ends<T: Copy, const N: usize>(from: *const T, to: *mut T, count: usize) {
        unsafe {
            let first = from.cast::<[T; N]>().read_unaligned();
            let last = from.add(count - N).cast::<[T; N]>().read_unaligned();
            to.cast::<[T; N]>().write_unaligned(first);
            to.add(count - N).cast::<[T; N]>().write_unaligned(last);
        }
    }
    unsafe {
        match count {
            0..=1 => (0..count).for_each(|i| *to.add(i) = *from.add(i)),
            2..=3 => ends::<T, 2>(from, to, count),
            4..=7 => ends::<T, 4>(from, to, count),
            8..=SHORT => ends::<T, 8>(from, to, count),
            _ => std::ptr::copy_nonoverlapping(from, to, count),
        }
    }
}
