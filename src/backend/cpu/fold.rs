//! What reductions do to rows, compiled for several instruction sets.
//!
//! In: rows that lie side by side. Out: one value of a row, or a row that has taken in others. A row of up to [`BLOCK`] elements is folded
//! in lanes, 64 of them or, where it is short, 16, each of which takes every 64th (16th) element; then halves of the lanes are folded
//! into each other.

use super::real::Real;

#[cfg(target_arch = "x86_64")]
pub mod narrow;
#[cfg(target_arch = "x86_64")]
pub mod wide;

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
    /// The loops for AVX-512, if there are better ones than the compiler makes.
    fn wide(folds: Folds<T>) -> Folds<T> {
        folds
    }
    /// For AVX2.
    fn narrow(folds: Folds<T>) -> Folds<T> {
        folds
    }
}

pub struct Sum;
pub struct Product;
pub struct Max;
pub struct Min;
pub struct All;
pub struct Any;

macro_rules! folds {
    ($($name:ident, $element:ident: $bound:ident, $identity:expr, $fold:expr $(, $wide:expr, $narrow:expr)?;)*) => { $(
        impl<$element: $bound> Fold<$element> for $name {
            const IDENTITY: $element = $identity;
            #[inline(always)]
            fn fold(a: $element, b: $element) -> $element {
                $fold(a, b)
            }
            $(
                #[cfg(target_arch = "x86_64")]
                fn wide(folds: Folds<$element>) -> Folds<$element> {
                    $wide(folds)
                }
                #[cfg(target_arch = "x86_64")]
                fn narrow(folds: Folds<$element>) -> Folds<$element> {
                    $narrow(folds)
                }
            )?
        }
    )* };
}

folds! {
    Sum, R: Real, R::ZERO, |a, b| a + b, R::wide_sum, R::narrow_sum;
    Product, R: Real, R::ONE, |a, b| a * b;
    Max, R: Real, R::LEAST, R::bigger, R::wide_biggest, R::narrow_biggest;
    Min, R: Real, R::MOST, R::smaller, R::wide_smallest, R::narrow_smallest;
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

/// Rows of at most [`BLOCK`] elements.
#[derive(Clone, Copy)]
pub struct RowSet<T> {
    /// The first one.
    pub from: *const T,
    /// How far apart they begin.
    pub stride: isize,
    pub count: usize,
    pub width: usize,
}

impl<T> RowSet<T> {
    /// # Safety
    /// The rows are there.
    #[inline(always)]
    unsafe fn each(self, to: *mut T, fold: impl Fn(&[T]) -> T) {
        for number in 0..self.count {
            unsafe {
                let start = self.from.offset(number as isize * self.stride);
                *to.add(number) = fold(std::slice::from_raw_parts(start, self.width));
            }
        }
    }
}

/// The loops of a fold for one instruction set.
#[derive(Clone, Copy)]
pub struct Folds<T> {
    pub identity: T,
    pub fold: fn(T, T) -> T,
    /// One value of at most [`BLOCK`].
    pub block: unsafe fn(&[T]) -> T,
    /// One value of each row.
    pub rows: unsafe fn(RowSet<T>, *mut T),
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
                let folds = v4::folds::<T, F>();
                return F::wide(folds);
            }
            if is_x86_feature_detected!("avx2") {
                let folds = v3::folds::<T, F>();
                return F::narrow(folds);
            }
        }
        any::folds::<T, F>()
    }
}

macro_rules! level {
    ($name:ident $(, $features:literal)?) => {
        mod $name {
            use super::{Fold, Folds, RowSet, TOGETHER};

            $(#[target_feature(enable = $features)])?
            unsafe fn block<T: Copy, F: Fold<T>>(values: &[T]) -> T {
                super::block::<T, F>(values)
            }

            $(#[target_feature(enable = $features)])?
            pub unsafe fn rows<T: Copy, F: Fold<T>>(rows: RowSet<T>, to: *mut T) {
                unsafe { rows.each(to, |row| super::block::<T, F>(row)) }
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
                    rows: rows::<T, F>,
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Lane by lane, as the first lines say.
    fn plain<F: Fold<f32>>(values: &[f32]) -> f32 {
        let count = if values.len() < 64 { 16 } else { 64 };
        let mut lanes = vec![F::IDENTITY; count];
        for (at, value) in values.iter().enumerate() {
            lanes[at % count] = F::fold(lanes[at % count], *value);
        }
        while lanes.len() > 1 {
            let half = lanes.len() / 2;
            lanes = (0..half).map(|at| F::fold(lanes[at], lanes[at + half])).collect();
        }
        lanes[0]
    }

    fn agrees<F: Fold<f32>>(values: &[f32], what: &str) {
        let expected = plain::<F>(values);
        let mut all = vec![("any", any::folds::<f32, F>()), ("here", Folds::new::<F>())];
        #[cfg(target_arch = "x86_64")]
        if is_x86_feature_detected!("avx2") {
            all.push(("avx2", F::narrow(v3::folds::<f32, F>())));
        }
        for (name, folds) in all {
            let found = unsafe { (folds.block)(values) };
            let same = found.to_bits() == expected.to_bits() || found.is_nan() && expected.is_nan();
            assert!(same, "{what} of {} by {name}: {found} for {expected}", values.len());
            // One row thrice, and rows side by side, none of which may be taken for a part of another.
            let beside = values.repeat(3);
            for stride in [0, values.len() as isize] {
                let rows = RowSet { from: beside.as_ptr(), stride, count: 3, width: values.len() };
                let mut of_rows = [0.0f32; 3];
                unsafe { (folds.rows)(rows, of_rows.as_mut_ptr()) };
                let is_same = |row: &f32| row.to_bits() == found.to_bits() || row.is_nan() && found.is_nan();
                assert!(
                    of_rows.iter().all(is_same),
                    "rows: {what} of {} by {name}: {of_rows:?}",
                    values.len()
                );
            }
        }
    }

    #[test]
    fn rows_are_folded_in_the_same_order_everywhere() {
        let mut state = 5u32;
        for length in (0..130).chain([200, 255, 256, 1000, 1023, 1024]) {
            for has_nan in [false, true] {
                let mut values: Vec<f32> = (0..length)
                    .map(|_| {
                        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                        if state >> 28 == 0 {
                            -0.0
                        } else {
                            ((state >> 8) as f32 / (1 << 23) as f32 - 1.0) * 1.5
                        }
                    })
                    .collect();
                if has_nan && length > 0 {
                    values[state as usize % length] = f32::NAN;
                }
                agrees::<Sum>(&values, "sum");
                agrees::<Product>(&values, "product");
                agrees::<Max>(&values, "max");
                agrees::<Min>(&values, "min");
            }
        }
    }
}
