//! Kernels along one axis: extreme positions, sorting, ranking, running reductions.

use std::cmp::Ordering;

use super::real::Real;
use crate::graph::{Cumulative, Ties};

/// One line of an array.
#[derive(Clone, Copy)]
pub struct Strided<T> {
    pub at: *mut T,
    pub step: isize,
}

impl<T: Copy> Strided<T> {
    #[inline(always)]
    pub unsafe fn get(self, i: usize) -> T {
        unsafe { *self.at.offset(i as isize * self.step) }
    }

    #[inline(always)]
    pub unsafe fn set(self, i: usize, value: T) {
        unsafe { *self.at.offset(i as isize * self.step) = value };
    }
}

/// The first position of the largest (smallest) value; the first NaN if there is one.
pub unsafe fn extreme<R: Real>(from: Strided<R>, size: usize, smallest: bool) -> i32 {
    let mut best = 0;
    for i in 1..size {
        let (value, old) = unsafe { (from.get(i), from.get(best)) };
        let better = if smallest { value < old } else { value > old };
        if better || (is_nan(value) && !is_nan(old)) {
            best = i;
        }
    }
    best as i32
}

#[inline(always)]
fn is_nan<R: Real>(x: R) -> bool {
    x.partial_cmp(&x).is_none()
}

/// NaN after every number.
fn compare<R: Real>(a: R, b: R) -> Ordering {
    a.partial_cmp(&b).unwrap_or_else(|| is_nan(a).cmp(&is_nan(b)))
}

/// Lines up to this size are sorted as whole numbers on the stack.
const SHORT: usize = 1024;

/// A number that orders as the single-precision value does; NaN after every number.
fn key(value: f32) -> u32 {
    if value.is_nan() {
        return u32::MAX;
    }
    // Adding 0 makes -0 equal to 0.
    let bits = (value + 0.0).to_bits();
    if bits >> 31 == 1 { !bits } else { bits | (1 << 31) }
}

/// The order of a short line in single precision: value and position packed in one number, so that comparing is one
/// instruction.
unsafe fn sort_short<R: Real>(from: Strided<R>, positions: &mut [i32], descending: bool) {
    let mut packed = [0u64; SHORT];
    let packed = &mut packed[..positions.len()];
    for (i, packed) in packed.iter_mut().enumerate() {
        let key = key(unsafe { from.get(i) }.to_f64() as f32);
        let key = if descending { !key } else { key };
        *packed = u64::from(key) << 32 | i as u64;
    }
    packed.sort_unstable();
    for (position, packed) in positions.iter_mut().zip(packed.iter()) {
        *position = *packed as u32 as i32;
    }
}

/// Positions in ascending (descending) order of their values; equal values keep their order.
pub unsafe fn sort<R: Real>(from: Strided<R>, positions: &mut [i32], descending: bool) {
    if size_of::<R>() == size_of::<f32>() && positions.len() <= SHORT {
        return unsafe { sort_short(from, positions, descending) };
    }
    for (i, position) in positions.iter_mut().enumerate() {
        *position = i as i32;
    }
    positions.sort_unstable_by(|a, b| {
        let order = unsafe { compare(from.get(*a as usize), from.get(*b as usize)) };
        let order = if descending { order.reverse() } else { order };
        order.then(a.cmp(b))
    });
}

pub unsafe fn rank<R: Real>(from: Strided<R>, to: Strided<R>, positions: &mut [i32], ties: Ties) {
    unsafe {
        sort(from, positions, false);
        let mut start = 0;
        while start < positions.len() {
            let value = from.get(positions[start] as usize);
            let mut end = start + 1;
            while end < positions.len()
                && compare(from.get(positions[end] as usize), value) == Ordering::Equal
            {
                end += 1;
            }
            for (at, position) in positions.iter().enumerate().take(end).skip(start) {
                let rank = match ties {
                    Ties::Average => (start + 1 + end) as f64 / 2.0,
                    Ties::Min => (start + 1) as f64,
                    Ties::Max => end as f64,
                    Ties::First => (at + 1) as f64,
                };
                to.set(*position as usize, R::from_f64(rank));
            }
            start = end;
        }
    }
}

/// Sums and products are kept in f64, so that they do not drift.
pub unsafe fn cumulative<R: Real>(
    from: Strided<R>,
    to: Strided<R>,
    size: usize,
    kind: Cumulative,
    reverse: bool,
) {
    let mut running = match kind {
        Cumulative::Sum => 0.0,
        Cumulative::Product => 1.0,
        Cumulative::Max => f64::NEG_INFINITY,
    };
    for step in 0..size {
        let i = if reverse { size - 1 - step } else { step };
        let value = unsafe { from.get(i) }.to_f64();
        running = match kind {
            Cumulative::Sum => running + value,
            Cumulative::Product => running * value,
            Cumulative::Max => running.bigger(value),
        };
        unsafe { to.set(i, R::from_f64(running)) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Short lines of f32 are sorted by another way than lines of f64: both must agree.
    #[test]
    fn short_lines_sort_as_others_do() {
        let special =
            [0.0, -0.0, f32::NAN, f32::INFINITY, f32::NEG_INFINITY, 1.5, -1.5, 1e-40, -1e-40, 3.0e38];
        let mut state = 1u32;
        for size in [1, 2, 7, 64, 600, SHORT] {
            let mut values: Vec<f32> = (0..size)
                .map(|_| {
                    state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    special[(state >> 16) as usize % special.len()]
                })
                .collect();
            let mut wide: Vec<f64> = values.iter().map(|v| f64::from(*v)).collect();
            for descending in [false, true] {
                let (mut short, mut long) = (vec![0; size], vec![0; size]);
                // SAFETY: both lines have `size` elements in a row.
                unsafe {
                    sort(Strided { at: values.as_mut_ptr(), step: 1 }, &mut short, descending);
                    sort(Strided { at: wide.as_mut_ptr(), step: 1 }, &mut long, descending);
                }
                assert_eq!(short, long);
            }
        }
    }
}
