//! What reductions do to rows, compiled for several instruction sets.
//!
//! In: rows that lie side by side. Out: one value of a row, or a row that has taken in others. A row of up to [`BLOCK`] elements is folded
//! in lanes, 64 of them or, where it is short, 16, each of which takes every 64th (16th) element; then halves of the lanes are folded
//! into each other.

use super::real::Real;

/// The longest row.
pub const BLOCK: usize = 1024;
/// Elements of a vector, and how many vectors a long row is folded in.
const VECTOR: usize = 16;
const VECTORS: usize = 4;
/// Rows that are taken in at a time.
pub const TOGETHER: usize = 4;

/// How two values become one.
pub trait Fold<T> {
    const IDENTITY: T;
    fn fold(a: T, b: T) -> T;
}

pub struct Sum;
pub struct Product;
pub struct Max;
pub struct Min;
pub struct All;
pub struct Any;

macro_rules! folds {
    ($($name:ident, $element:ident: $bound:ident, $identity:expr, $fold:expr;)*) => { $(
        impl<$element: $bound> Fold<$element> for $name {
            const IDENTITY: $element = $identity;
            #[inline(always)]
            fn fold(a: $element, b: $element) -> $element {
                $fold(a, b)
            }
        }
    )* };
}

folds! {
    Sum, R: Real, R::ZERO, |a, b| a + b;
    Product, R: Real, R::ONE, |a, b| a * b;
    Max, R: Real, R::LEAST, R::bigger;
    Min, R: Real, R::MOST, R::smaller;
}

impl Fold<u8> for All {
    const IDENTITY: u8 = 1;
    #[inline(always)]
    fn fold(a: u8, b: u8) -> u8 {
        a & b
    }
}

impl Fold<u8> for Any {
    const IDENTITY: u8 = 0;
    #[inline(always)]
    fn fold(a: u8, b: u8) -> u8 {
        a | b
    }
}

/// The loops of a fold for one instruction set.
#[derive(Clone, Copy)]
pub struct Folds<T> {
    pub identity: T,
    pub fold: fn(T, T) -> T,
    /// One value of at most [`BLOCK`].
    pub block: unsafe fn(&[T]) -> T,
    /// Each element of the first, then that of the second.
    pub after: unsafe fn(&mut [T], *const T),
    /// Each element of the second, then that of the first, into the first.
    pub before: unsafe fn(&mut [T], *const T),
    /// Each element of the first, then those of the others in their order.
    pub four: unsafe fn(&mut [T], [*const T; TOGETHER]),
}

impl<T: Copy> Folds<T> {
    /// For the best instructions of this machine.
    pub fn new<F: Fold<T>>() -> Folds<T> {
        #[cfg(target_arch = "x86_64")]
        {
            if is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512vl") {
                return v4::folds::<T, F>();
            }
            if is_x86_feature_detected!("avx2") {
                return v3::folds::<T, F>();
            }
        }
        any::folds::<T, F>()
    }
}

macro_rules! level {
    ($name:ident $(, $features:literal)?) => {
        mod $name {
            use super::{Fold, Folds, TOGETHER};

            $(#[target_feature(enable = $features)])?
            unsafe fn block<T: Copy, F: Fold<T>>(values: &[T]) -> T {
                super::block::<T, F>(values)
            }

            $(#[target_feature(enable = $features)])?
            unsafe fn after<T: Copy, F: Fold<T>>(to: &mut [T], row: *const T) {
                unsafe { super::each(to, [row], |to, [x]| F::fold(to, x)) }
            }

            $(#[target_feature(enable = $features)])?
            unsafe fn before<T: Copy, F: Fold<T>>(to: &mut [T], row: *const T) {
                unsafe { super::each(to, [row], |to, [x]| F::fold(x, to)) }
            }

            $(#[target_feature(enable = $features)])?
            unsafe fn four<T: Copy, F: Fold<T>>(to: &mut [T], rows: [*const T; TOGETHER]) {
                unsafe {
                    super::each(to, rows, |to, [a, b, c, d]| {
                        F::fold(F::fold(F::fold(F::fold(to, a), b), c), d)
                    })
                }
            }

            pub fn folds<T: Copy, F: Fold<T>>() -> Folds<T> {
                Folds {
                    identity: F::IDENTITY,
                    fold: F::fold,
                    block: block::<T, F>,
                    after: after::<T, F>,
                    before: before::<T, F>,
                    four: four::<T, F>,
                }
            }
        }
    };
}

#[cfg(target_arch = "x86_64")]
level!(v4, "avx512f,avx512vl,avx2");
#[cfg(target_arch = "x86_64")]
level!(v3, "avx2");
level!(any);

/// # Safety
/// Every row is as long as `to`, which it does not overlap.
#[inline(always)]
unsafe fn each<T: Copy, const N: usize>(to: &mut [T], rows: [*const T; N], f: impl Fn(T, [T; N]) -> T) {
    for (at, to) in to.iter_mut().enumerate() {
        *to = f(*to, rows.map(|row| unsafe { *row.add(at) }));
    }
}

#[inline(always)]
fn block<T: Copy, F: Fold<T>>(values: &[T]) -> T {
    let lanes = if values.len() < VECTOR * VECTORS {
        let [lanes] = in_lanes::<T, F, 1>(values);
        lanes
    } else {
        let [a, b, c, d] = in_lanes::<T, F, VECTORS>(values);
        vector::<T, F, VECTOR>(&vector::<T, F, VECTOR>(&a, &c), &vector::<T, F, VECTOR>(&b, &d))
    };
    let half = halves::<T, F, 8>(&lanes);
    let half = halves::<T, F, 4>(&half);
    let half = halves::<T, F, 2>(&half);
    F::fold(half[0], half[1])
}

/// Vector v of the result has taken in every N-th vector of the values from the v-th on.
#[inline(always)]
fn in_lanes<T: Copy, F: Fold<T>, const N: usize>(values: &[T]) -> [[T; VECTOR]; N] {
    let mut lanes = [[F::IDENTITY; VECTOR]; N];
    let (vectors, rest) = values.as_chunks::<VECTOR>();
    let (whole, left) = vectors.as_chunks::<N>();
    for chunk in whole {
        for (lanes, values) in lanes.iter_mut().zip(chunk) {
            *lanes = vector::<T, F, VECTOR>(lanes, values);
        }
    }
    for (lanes, values) in lanes.iter_mut().zip(left) {
        *lanes = vector::<T, F, VECTOR>(lanes, values);
    }
    for (lane, value) in lanes[left.len() % N].iter_mut().zip(rest) {
        *lane = F::fold(*lane, *value);
    }
    lanes
}

#[inline(always)]
fn vector<T: Copy, F: Fold<T>, const N: usize>(a: &[T; N], b: &[T; N]) -> [T; N] {
    let mut result = *a;
    for (result, b) in result.iter_mut().zip(b) {
        *result = F::fold(*result, *b);
    }
    result
}

/// Element i with element i + N.
#[inline(always)]
fn halves<T: Copy, F: Fold<T>, const N: usize>(values: &[T]) -> [T; N] {
    let mut result = [F::IDENTITY; N];
    for (at, result) in result.iter_mut().enumerate() {
        *result = F::fold(values[at], values[at + N]);
    }
    result
}
