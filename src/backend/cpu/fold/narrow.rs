//! Rows of single precision for AVX2, where the compiler's loops go through short rows one element at a time, and look for NaN at each step.
//!
//! In: rows. Out: what [`super::block`] gives of each, bit for bit.

use std::arch::x86_64::*;

use super::{Fold, Max, Min, RowSet, Sum, VECTOR, VECTORS};

/// Elements of a vector.
const HALF: usize = VECTOR / 2;

/// # Safety
/// The machine has AVX2; the rows are there.
#[target_feature(enable = "avx2")]
pub unsafe fn sum_of_rows(rows: RowSet<f32>, to: *mut f32) {
    unsafe {
        if !is_short(rows.width) {
            return super::v3::rows::<f32, Sum>(rows, to);
        }
        // Lanes start from zero, so that no sum is -0.
        let zero = _mm256_setzero_ps();
        let lanes = |low, high| Some((_mm256_add_ps(zero, low), _mm256_add_ps(zero, high)));
        short_rows::<Sum>(rows, to, lanes, |a, b| _mm256_add_ps(a, b));
    }
}

/// # Safety
/// The machine has AVX2.
#[target_feature(enable = "avx2")]
pub unsafe fn biggest(values: &[f32]) -> f32 {
    unsafe { extreme::<Max>(values, |a, b| _mm256_max_ps(a, b)) }
}

/// # Safety
/// The machine has AVX2; the rows are there.
#[target_feature(enable = "avx2")]
pub unsafe fn biggest_of_rows(rows: RowSet<f32>, to: *mut f32) {
    unsafe { extreme_of_rows::<Max>(rows, to, |a, b| _mm256_max_ps(a, b)) }
}

/// # Safety
/// The machine has AVX2.
#[target_feature(enable = "avx2")]
pub unsafe fn smallest(values: &[f32]) -> f32 {
    unsafe { extreme::<Min>(values, |a, b| _mm256_min_ps(a, b)) }
}

/// # Safety
/// The machine has AVX2; the rows are there.
#[target_feature(enable = "avx2")]
pub unsafe fn smallest_of_rows(rows: RowSet<f32>, to: *mut f32) {
    unsafe { extreme_of_rows::<Min>(rows, to, |a, b| _mm256_min_ps(a, b)) }
}

fn is_short(width: usize) -> bool {
    (1..=VECTOR).contains(&width)
}

#[inline(always)]
unsafe fn extreme_of_rows<F: Fold<f32>>(
    rows: RowSet<f32>,
    to: *mut f32,
    f: impl Fn(__m256, __m256) -> __m256 + Copy,
) {
    unsafe {
        match is_short(rows.width) {
            true => short_rows::<F>(rows, to, |low, high| ordered(low, high), f),
            false => rows.each(to, |row| extreme::<F>(row, f)),
        }
    }
}

/// The same lanes as of every fold, without a look at NaN in each step: if there is one it does that way.
#[inline(always)]
unsafe fn extreme<F: Fold<f32>>(values: &[f32], f: impl Fn(__m256, __m256) -> __m256 + Copy) -> f32 {
    const LANES: usize = VECTOR * VECTORS;
    let whole = values.len() / LANES * LANES;
    if whole == 0 {
        return super::block::<f32, F>(values);
    }
    unsafe {
        let identity = _mm256_set1_ps(F::IDENTITY);
        let mut lanes = [identity; 2 * VECTORS];
        let mut unordered = _mm256_setzero_ps();
        let mut rest = [F::IDENTITY; LANES];
        rest[..values.len() - whole].copy_from_slice(&values[whole..]);
        for chunk in (0..values.len()).step_by(LANES) {
            let start = if chunk < whole { values.as_ptr().add(chunk) } else { rest.as_ptr() };
            for (pair, lanes) in lanes.as_chunks_mut::<2>().0.iter_mut().enumerate() {
                let start = start.add(pair * VECTOR);
                let (a, b) = (_mm256_loadu_ps(start), _mm256_loadu_ps(start.add(HALF)));
                unordered = _mm256_or_ps(unordered, _mm256_cmp_ps::<_CMP_UNORD_Q>(a, b));
                *lanes = [f(lanes[0], a), f(lanes[1], b)];
            }
        }
        if _mm256_movemask_ps(unordered) != 0 {
            return super::block::<f32, F>(values);
        }
        let [a, b, c, d, e, g, h, i] = lanes;
        let (low, high) = (f(f(a, e), f(c, h)), f(f(b, g), f(d, i)));
        fold(f(low, high), f)
    }
}

type Lanes = (__m256, __m256);

/// The lanes, if none of them is NaN.
#[inline(always)]
unsafe fn ordered(low: __m256, high: __m256) -> Option<Lanes> {
    let is_nan = unsafe { _mm256_movemask_ps(_mm256_cmp_ps::<_CMP_UNORD_Q>(low, high)) };
    (is_nan == 0).then_some((low, high))
}

/// Rows of at most a vector of [`VECTOR`]. `lanes` gives what the lanes of a row begin with, or nothing where the row goes the long way.
#[inline(always)]
unsafe fn short_rows<F: Fold<f32>>(
    rows: RowSet<f32>,
    to: *mut f32,
    lanes: impl Fn(__m256, __m256) -> Option<Lanes>,
    f: impl Fn(__m256, __m256) -> __m256 + Copy,
) {
    let RowSet { from, stride, count, width } = rows;
    // Where a whole vector is read of a row, its end is the beginning of the rows after it; these must be there.
    let read = width.next_multiple_of(HALF);
    let bounded = match stride {
        1.. => (read - width).div_ceil(stride as usize).min(count),
        _ => count,
    };
    unsafe {
        let places = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
        let mask = |count: usize| {
            _mm256_castsi256_ps(_mm256_cmpgt_epi32(_mm256_set1_epi32(count.min(HALF) as i32), places))
        };
        let (low_mask, high_mask) = (mask(width), mask(width.saturating_sub(HALF)));
        let identity = _mm256_set1_ps(F::IDENTITY);
        let mut copy = [F::IDENTITY; VECTOR];
        for number in 0..count {
            let row = from.offset(number as isize * stride);
            let start = if number < count - bounded {
                row
            } else {
                copy.as_mut_ptr().copy_from_nonoverlapping(row, width);
                copy.as_ptr()
            };
            let low = _mm256_blendv_ps(identity, _mm256_loadu_ps(start), low_mask);
            let high = if width > HALF {
                _mm256_blendv_ps(identity, _mm256_loadu_ps(start.add(HALF)), high_mask)
            } else {
                identity
            };
            *to.add(number) = match lanes(low, high) {
                Some((low, high)) => fold(f(low, high), f),
                None => super::block::<f32, F>(std::slice::from_raw_parts(row, width)),
            };
        }
    }
}

/// Halves of a vector, one into the other.
#[inline(always)]
unsafe fn fold(all: __m256, f: impl Fn(__m256, __m256) -> __m256) -> f32 {
    unsafe {
        let all = f(all, _mm256_permute2f128_ps::<1>(all, all));
        let all = f(all, _mm256_shuffle_ps::<0b11_10_11_10>(all, all));
        let all = f(all, _mm256_shuffle_ps::<0b01_01_01_01>(all, all));
        _mm256_cvtss_f32(all)
    }
}
