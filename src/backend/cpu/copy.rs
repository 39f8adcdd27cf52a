//! Copies, additions and fills of strided arrays.

use smallvec::SmallVec;

use super::product::turned;
use super::walk::{inner, walk};

/// Both sides of a matrix from which it is turned in squares.
const SQUARE: usize = 8;

/// Copies `sizes` elements; pointers are at the first.
///
/// # Safety
/// Every position that the loops reach lies inside the two arrays, which do not overlap.
pub unsafe fn copy<T: Copy>(
    sizes: &[usize],
    from: *const T,
    from_strides: &[isize],
    to: *mut T,
    to_strides: &[isize],
) {
    let (outer, [from_outer, to_outer], count, [from_step, to_step]) =
        inner(sizes, [from_strides, to_strides]);
    // What lies along another axis than it shall: a matrix is turned.
    let along = (0..outer.len()).find(|at| from_outer[*at] == 1 && outer[*at] >= SQUARE);
    if let (Some(along), Some(turned)) = (along, turned())
        && size_of::<T>() == size_of::<f32>()
        && from_step != 1
        && to_step == 1
        && count >= SQUARE
    {
        let mut loops: SmallVec<[usize; 8]> = SmallVec::from_slice(outer);
        loops[along] = 1;
        walk(&loops, [from_outer, to_outer], [0, 0], &mut |[f, t]| unsafe {
            let (from, to) = (from.offset(f).cast(), to.offset(t).cast());
            turned(from, from_step, (outer[along], count), to, to_outer[along]);
        });
        return;
    }
    walk(outer, [from_outer, to_outer], [0, 0], &mut |[f, t]| unsafe {
        row(count, from.offset(f), from_step, to.offset(t), to_step);
    });
}

#[inline(always)]
unsafe fn row<T: Copy>(count: usize, from: *const T, from_step: isize, to: *mut T, to_step: isize) {
    unsafe {
        match (from_step, to_step) {
            (1, 1) => std::ptr::copy_nonoverlapping(from, to, count),
            (0, 1) => std::slice::from_raw_parts_mut(to, count).fill(*from),
            _ => {
                for i in 0..count as isize {
                    *to.offset(i * to_step) = *from.offset(i * from_step);
                }
            }
        }
    }
}

/// Adds element by element into `to`.
///
/// # Safety
/// As of [`copy`].
pub unsafe fn add<T: Copy + std::ops::Add<Output = T>>(
    sizes: &[usize],
    from: *const T,
    from_strides: &[isize],
    to: *mut T,
    to_strides: &[isize],
) {
    let (outer, [from_outer, to_outer], count, [from_step, to_step]) =
        inner(sizes, [from_strides, to_strides]);
    walk(outer, [from_outer, to_outer], [0, 0], &mut |[f, t]| unsafe {
        for i in 0..count as isize {
            let target = to.offset(t + i * to_step);
            *target = *target + *from.offset(f + i * from_step);
        }
    });
}
