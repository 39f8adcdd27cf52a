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

/// Positions in ascending (descending) order of their values; equal values keep their order.
pub unsafe fn sort<R: Real>(from: Strided<R>, positions: &mut [i32], descending: bool) {
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
