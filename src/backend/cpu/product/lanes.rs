//! Vectors of single precision, as the machine has them.
//!
//! Every method is inlined into a function that enables the features which its type stands for.

#[cfg(target_arch = "x86_64")]
use std::arch::x86_64::*;

/// A width of vectors, with masks for what is shorter.
pub trait Lanes: Copy {
    /// Elements of a vector.
    const LANES: usize;
    type Vector: Copy;
    type Mask: Copy;

    /// The first `count` lanes.
    unsafe fn mask(count: usize) -> Self::Mask;
    unsafe fn zero() -> Self::Vector;
    /// One element in every lane.
    unsafe fn splat(from: *const f32) -> Self::Vector;
    unsafe fn load(from: *const f32) -> Self::Vector;
    /// Zero where the mask has nothing; reads nothing there.
    unsafe fn load_part(from: *const f32, mask: Self::Mask) -> Self::Vector;
    unsafe fn store(to: *mut f32, vector: Self::Vector);
    /// The first `count` lanes, fewer than there are.
    unsafe fn store_part(to: *mut f32, count: usize, vector: Self::Vector);
    unsafe fn add(a: Self::Vector, b: Self::Vector) -> Self::Vector;
    /// a * b + c, rounded once.
    unsafe fn multiply_add(a: Self::Vector, b: Self::Vector, c: Self::Vector) -> Self::Vector;
}

/// AVX-512.
#[cfg(target_arch = "x86_64")]
#[derive(Clone, Copy)]
pub struct Wide;

/// AVX2 with fused multiply-add.
#[cfg(target_arch = "x86_64")]
#[derive(Clone, Copy)]
pub struct Narrow;

#[cfg(target_arch = "x86_64")]
impl Lanes for Wide {
    const LANES: usize = 16;
    type Vector = __m512;
    type Mask = __mmask16;

    #[inline(always)]
    unsafe fn mask(count: usize) -> __mmask16 {
        ((1u32 << count) - 1) as __mmask16
    }
    #[inline(always)]
    unsafe fn zero() -> __m512 {
        unsafe { _mm512_setzero_ps() }
    }
    #[inline(always)]
    unsafe fn splat(from: *const f32) -> __m512 {
        unsafe { _mm512_set1_ps(*from) }
    }
    #[inline(always)]
    unsafe fn load(from: *const f32) -> __m512 {
        unsafe { _mm512_loadu_ps(from) }
    }
    #[inline(always)]
    unsafe fn load_part(from: *const f32, mask: __mmask16) -> __m512 {
        unsafe { _mm512_maskz_loadu_ps(mask, from) }
    }
    #[inline(always)]
    unsafe fn store(to: *mut f32, vector: __m512) {
        unsafe { _mm512_storeu_ps(to, vector) }
    }
    #[inline(always)]
    unsafe fn store_part(to: *mut f32, count: usize, vector: __m512) {
        unsafe { _mm512_mask_storeu_ps(to, Self::mask(count), vector) }
    }
    #[inline(always)]
    unsafe fn add(a: __m512, b: __m512) -> __m512 {
        unsafe { _mm512_add_ps(a, b) }
    }
    #[inline(always)]
    unsafe fn multiply_add(a: __m512, b: __m512, c: __m512) -> __m512 {
        unsafe { _mm512_fmadd_ps(a, b, c) }
    }
}

#[cfg(target_arch = "x86_64")]
impl Lanes for Narrow {
    const LANES: usize = 8;
    type Vector = __m256;
    type Mask = __m256i;

    #[inline(always)]
    unsafe fn mask(count: usize) -> __m256i {
        unsafe {
            let places = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
            _mm256_cmpgt_epi32(_mm256_set1_epi32(count as i32), places)
        }
    }
    #[inline(always)]
    unsafe fn zero() -> __m256 {
        unsafe { _mm256_setzero_ps() }
    }
    #[inline(always)]
    unsafe fn splat(from: *const f32) -> __m256 {
        unsafe { _mm256_set1_ps(*from) }
    }
    #[inline(always)]
    unsafe fn load(from: *const f32) -> __m256 {
        unsafe { _mm256_loadu_ps(from) }
    }
    #[inline(always)]
    unsafe fn load_part(from: *const f32, mask: __m256i) -> __m256 {
        unsafe { _mm256_maskload_ps(from, mask) }
    }
    #[inline(always)]
    unsafe fn store(to: *mut f32, vector: __m256) {
        unsafe { _mm256_storeu_ps(to, vector) }
    }
    #[inline(always)]
    unsafe fn store_part(mut to: *mut f32, count: usize, vector: __m256) {
        // By halves: a store with a mask takes AMD's cores as long as a dozen others.
        unsafe {
            let mut rest = _mm256_castps256_ps128(vector);
            if count & 4 != 0 {
                _mm_storeu_ps(to, rest);
                to = to.add(4);
                rest = _mm256_extractf128_ps::<1>(vector);
            }
            if count & 2 != 0 {
                _mm_store_sd(to.cast(), _mm_castps_pd(rest));
                to = to.add(2);
                rest = _mm_movehl_ps(rest, rest);
            }
            if count & 1 != 0 {
                _mm_store_ss(to, rest);
            }
        }
    }
    #[inline(always)]
    unsafe fn add(a: __m256, b: __m256) -> __m256 {
        unsafe { _mm256_add_ps(a, b) }
    }
    #[inline(always)]
    unsafe fn multiply_add(a: __m256, b: __m256, c: __m256) -> __m256 {
        unsafe { _mm256_fmadd_ps(a, b, c) }
    }
}
