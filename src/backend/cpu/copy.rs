//! Copies, additions and fills of strided arrays.

use super::walk::{inner, walk};

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
