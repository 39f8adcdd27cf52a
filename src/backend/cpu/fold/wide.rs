//! Rows of single precision for AVX-512, where the compiler's loops gather, or go through short rows one element at a time.
//!
//! In: rows. Out: what [`super::block`] gives of each, bit for bit.

use std::arch::x86_64::*;

use super::{Fold, Max, Min, RowSet, Sum, VECTOR, VECTORS};

/// # Safety
/// The machine has AVX-512.
#[target_feature(enable = "avx512f,avx512vl,avx2")]
pub unsafe fn biggest(values: &[f32]) -> f32 {
    unsafe { extreme::<Max>(values, |a, b| _mm512_max_ps(a, b)) }
}

/// # Safety
/// The machine has AVX-512.
#[target_feature(enable = "avx512f,avx512vl,avx2")]
pub unsafe fn smallest(values: &[f32]) -> f32 {
    unsafe { extreme::<Min>(values, |a, b| _mm512_min_ps(a, b)) }
}

/// # Safety
/// The machine has AVX-512; the rows are there.
#[target_feature(enable = "avx512f,avx512vl,avx2")]
pub unsafe fn biggest_of_rows(rows: RowSet<f32>, to: *mut f32) {
    unsafe { extreme_of_rows::<Max>(rows, to, |a, b| _mm512_max_ps(a, b)) }
}

/// # Safety
/// The machine has AVX-512; the rows are there.
#[target_feature(enable = "avx512f,avx512vl,avx2")]
pub unsafe fn smallest_of_rows(rows: RowSet<f32>, to: *mut f32) {
    unsafe { extreme_of_rows::<Min>(rows, to, |a, b| _mm512_min_ps(a, b)) }
}

#[inline(always)]
unsafe fn extreme_of_rows<F: Fold<f32>>(
    rows: RowSet<f32>,
    to: *mut f32,
    f: impl Fn(__m512, __m512) -> __m512 + Copy,
) {
    unsafe {
        match rows.width <= VECTOR {
            true => rows.each(to, |row| short_extreme::<F>(row, f)),
            false => rows.each(to, |row| extreme::<F>(row, f)),
        }
    }
}

/// # Safety
/// The machine has AVX-512; the rows are there.
#[target_feature(enable = "avx512f,avx512vl,avx2")]
pub unsafe fn sum_of_rows(rows: RowSet<f32>, to: *mut f32) {
    unsafe {
        match rows.width <= VECTOR {
            true => rows.each(to, |row| {
                let zero = _mm512_setzero_ps();
                // Lanes start from zero, so that no sum is -0.
                fold(_mm512_add_ps(zero, part(row, zero)), |a, b| _mm512_add_ps(a, b))
            }),
            false => super::v4::rows::<f32, Sum>(rows, to),
        }
    }
}

/// A row of at most a vector, the rest of which is `start`.
#[inline(always)]
unsafe fn part(row: &[f32], start: __m512) -> __m512 {
    let mask = ((1u32 << row.len()) - 1) as __mmask16;
    unsafe { _mm512_mask_loadu_ps(start, mask, row.as_ptr()) }
}

/// Halves of a vector, one into the other.
#[inline(always)]
unsafe fn fold(all: __m512, f: impl Fn(__m512, __m512) -> __m512) -> f32 {
    unsafe {
        let all = f(all, _mm512_shuffle_f32x4::<0b11_10_11_10>(all, all));
        let all = f(all, _mm512_shuffle_f32x4::<0b01_01_01_01>(all, all));
        let all = f(all, _mm512_shuffle_ps::<0b11_10_11_10>(all, all));
        let all = f(all, _mm512_shuffle_ps::<0b01_01_01_01>(all, all));
        _mm512_cvtss_f32(all)
    }
}

#[inline(always)]
unsafe fn short_extreme<F: Fold<f32>>(row: &[f32], f: impl Fn(__m512, __m512) -> __m512) -> f32 {
    unsafe {
        let all = part(row, _mm512_set1_ps(F::IDENTITY));
        match _mm512_cmp_ps_mask::<_CMP_UNORD_Q>(all, all) {
            0 => fold(all, f),
            _ => super::block::<f32, F>(row),
        }
    }
}

/// The same lanes as of every fold, without a look at NaN in each step: if there is one it does that way.
#[inline(always)]
unsafe fn extreme<F: Fold<f32>>(values: &[f32], f: impl Fn(__m512, __m512) -> __m512) -> f32 {
    const LANES: usize = VECTOR * VECTORS;
    let whole = values.len() / LANES * LANES;
    if whole == 0 {
        return super::block::<f32, F>(values);
    }
    unsafe {
        let start = _mm512_set1_ps(F::IDENTITY);
        let mut lanes = [start; VECTORS];
        let mut unordered = 0;
        for chunk in (0..whole).step_by(LANES) {
            let load = |at: usize| _mm512_loadu_ps(values.as_ptr().add(chunk + at * VECTOR));
            let (a, b, c, d) = (load(0), load(1), load(2), load(3));
            unordered |= _mm512_cmp_ps_mask::<_CMP_UNORD_Q>(a, b);
            unordered |= _mm512_cmp_ps_mask::<_CMP_UNORD_Q>(c, d);
            lanes = [f(lanes[0], a), f(lanes[1], b), f(lanes[2], c), f(lanes[3], d)];
        }
        for (lane, start) in lanes.iter_mut().zip((whole..values.len()).step_by(VECTOR)) {
            let mask = ((1u32 << VECTOR.min(values.len() - start)) - 1) as __mmask16;
            let rest = _mm512_maskz_loadu_ps(mask, values.as_ptr().add(start));
            unordered |= _mm512_cmp_ps_mask::<_CMP_UNORD_Q>(rest, rest);
            *lane = _mm512_mask_mov_ps(*lane, mask, f(*lane, rest));
        }
        if unordered != 0 {
            return super::block::<f32, F>(values);
        }
        let all = f(f(lanes[0], lanes[2]), f(lanes[1], lanes[3]));
        fold(all, f)
    }
}
