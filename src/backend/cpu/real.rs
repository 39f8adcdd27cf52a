//! The two float widths: arithmetic and elementary functions of one number, written so that a loop over them becomes
//! vector instructions.
//!
//! Where the f32 functions round a product together with a sum they say so (`mul_add`), so that they give the same bits on every machine.
//! Stated errors are against the exact value, in units in the last place (ulp), and tested.

use super::fold::Folds;
#[cfg(target_arch = "x86_64")]
use super::fold::{narrow, wide};
use super::single;
use crate::graph::half;

/// A Float of the program: f32 or f64.
pub trait Real:
    Copy
    + Send
    + Sync
    + PartialOrd
    + Default
    + 'static
    + std::ops::Add<Output = Self>
    + std::ops::Sub<Output = Self>
    + std::ops::Mul<Output = Self>
    + std::ops::Div<Output = Self>
    + std::ops::Neg<Output = Self>
{
    const ZERO: Self;
    const ONE: Self;
    /// Below and above all numbers.
    const LEAST: Self;
    const MOST: Self;
    fn from_f64(value: f64) -> Self;
    fn to_f64(self) -> f64;
    fn from_index(value: i32) -> Self;
    fn to_index(self) -> i32;
    fn exp(self) -> Self;
    fn log(self) -> Self;
    fn log1p(self) -> Self;
    fn expm1(self) -> Self;
    fn sqrt(self) -> Self;
    fn sin(self) -> Self;
    fn cos(self) -> Self;
    fn tanh(self) -> Self;
    fn erf(self) -> Self;
    fn sigmoid(self) -> Self;
    fn abs(self) -> Self;
    fn floor(self) -> Self;
    fn power(self, exponent: Self) -> Self;
    /// The nearest number of bf16.
    fn bf16(self) -> Self;
    /// The nearest number of f16.
    fn f16(self) -> Self;

    /// The bigger; NaN if either is.
    #[inline(always)]
    fn bigger(self, other: Self) -> Self {
        let bigger = if self > other { self } else { other };
        // A comparison with NaN is false and leaves `other`: only NaN in `self` needs care.
        #[allow(clippy::eq_op)]
        if self != self { self } else { bigger }
    }

    /// The loops of a sum, for AVX-512.
    #[cfg(target_arch = "x86_64")]
    fn wide_sum(folds: Folds<Self>) -> Folds<Self> {
        folds
    }

    /// The loops of a fold to the biggest, for AVX-512.
    #[cfg(target_arch = "x86_64")]
    fn wide_biggest(folds: Folds<Self>) -> Folds<Self> {
        folds
    }

    #[cfg(target_arch = "x86_64")]
    fn wide_smallest(folds: Folds<Self>) -> Folds<Self> {
        folds
    }

    /// As these, for AVX2.
    #[cfg(target_arch = "x86_64")]
    fn narrow_sum(folds: Folds<Self>) -> Folds<Self> {
        folds
    }

    #[cfg(target_arch = "x86_64")]
    fn narrow_biggest(folds: Folds<Self>) -> Folds<Self> {
        folds
    }

    #[cfg(target_arch = "x86_64")]
    fn narrow_smallest(folds: Folds<Self>) -> Folds<Self> {
        folds
    }

    /// The smaller; NaN if either is.
    #[inline(always)]
    fn smaller(self, other: Self) -> Self {
        let smaller = if self < other { self } else { other };
        #[allow(clippy::eq_op)]
        if self != self { self } else { smaller }
    }
}

impl Real for f32 {
    const ZERO: f32 = 0.0;
    const ONE: f32 = 1.0;
    const LEAST: f32 = f32::NEG_INFINITY;
    const MOST: f32 = f32::INFINITY;
    #[cfg(target_arch = "x86_64")]
    fn wide_biggest(folds: Folds<f32>) -> Folds<f32> {
        Folds { block: wide::biggest, rows: wide::biggest_of_rows, ..folds }
    }
    #[cfg(target_arch = "x86_64")]
    fn wide_smallest(folds: Folds<f32>) -> Folds<f32> {
        Folds { block: wide::smallest, rows: wide::smallest_of_rows, ..folds }
    }
    #[cfg(target_arch = "x86_64")]
    fn wide_sum(folds: Folds<f32>) -> Folds<f32> {
        Folds { rows: wide::sum_of_rows, ..folds }
    }
    #[cfg(target_arch = "x86_64")]
    fn narrow_sum(folds: Folds<f32>) -> Folds<f32> {
        Folds { rows: narrow::sum_of_rows, ..folds }
    }
    #[cfg(target_arch = "x86_64")]
    fn narrow_biggest(folds: Folds<f32>) -> Folds<f32> {
        Folds { block: narrow::biggest, rows: narrow::biggest_of_rows, ..folds }
    }
    #[cfg(target_arch = "x86_64")]
    fn narrow_smallest(folds: Folds<f32>) -> Folds<f32> {
        Folds { block: narrow::smallest, rows: narrow::smallest_of_rows, ..folds }
    }
    #[inline(always)]
    fn from_f64(value: f64) -> f32 {
        value as f32
    }
    #[inline(always)]
    fn to_f64(self) -> f64 {
        f64::from(self)
    }
    #[inline(always)]
    fn from_index(value: i32) -> f32 {
        value as f32
    }
    #[inline(always)]
    fn to_index(self) -> i32 {
        self as i32
    }
    #[inline(always)]
    fn exp(self) -> f32 {
        single::exp(self)
    }
    #[inline(always)]
    fn log(self) -> f32 {
        single::log(self)
    }
    #[inline(always)]
    fn log1p(self) -> f32 {
        single::log1p(self)
    }
    #[inline(always)]
    fn expm1(self) -> f32 {
        single::expm1(self)
    }
    #[inline(always)]
    fn sqrt(self) -> f32 {
        f32::sqrt(self)
    }
    #[inline(always)]
    fn sin(self) -> f32 {
        f32::sin(self)
    }
    #[inline(always)]
    fn cos(self) -> f32 {
        f32::cos(self)
    }
    #[inline(always)]
    fn tanh(self) -> f32 {
        single::tanh(self)
    }
    #[inline(always)]
    fn erf(self) -> f32 {
        single::erf(self)
    }
    #[inline(always)]
    fn sigmoid(self) -> f32 {
        single::sigmoid(self)
    }
    #[inline(always)]
    fn abs(self) -> f32 {
        f32::abs(self)
    }
    #[inline(always)]
    fn floor(self) -> f32 {
        f32::floor(self)
    }
    #[inline(always)]
    fn power(self, exponent: f32) -> f32 {
        f32::powf(self, exponent)
    }
    #[inline(always)]
    fn bf16(self) -> f32 {
        half::bf16(self)
    }
    #[inline(always)]
    fn f16(self) -> f32 {
        half::f16(self)
    }
}

impl Real for f64 {
    const ZERO: f64 = 0.0;
    const ONE: f64 = 1.0;
    const LEAST: f64 = f64::NEG_INFINITY;
    const MOST: f64 = f64::INFINITY;
    #[inline(always)]
    fn from_f64(value: f64) -> f64 {
        value
    }
    #[inline(always)]
    fn to_f64(self) -> f64 {
        self
    }
    #[inline(always)]
    fn from_index(value: i32) -> f64 {
        f64::from(value)
    }
    #[inline(always)]
    fn to_index(self) -> i32 {
        self as i32
    }
    #[inline(always)]
    fn exp(self) -> f64 {
        f64::exp(self)
    }
    #[inline(always)]
    fn log(self) -> f64 {
        f64::ln(self)
    }
    #[inline(always)]
    fn log1p(self) -> f64 {
        f64::ln_1p(self)
    }
    #[inline(always)]
    fn expm1(self) -> f64 {
        f64::exp_m1(self)
    }
    #[inline(always)]
    fn sqrt(self) -> f64 {
        f64::sqrt(self)
    }
    #[inline(always)]
    fn sin(self) -> f64 {
        f64::sin(self)
    }
    #[inline(always)]
    fn cos(self) -> f64 {
        f64::cos(self)
    }
    #[inline(always)]
    fn tanh(self) -> f64 {
        f64::tanh(self)
    }
    #[inline(always)]
    fn erf(self) -> f64 {
        statrs::function::erf::erf(self)
    }
    #[inline(always)]
    fn sigmoid(self) -> f64 {
        let small = (-f64::abs(self)).exp();
        if self >= 0.0 { 1.0 / (1.0 + small) } else { small / (1.0 + small) }
    }
    #[inline(always)]
    fn abs(self) -> f64 {
        f64::abs(self)
    }
    #[inline(always)]
    fn floor(self) -> f64 {
        f64::floor(self)
    }
    #[inline(always)]
    fn power(self, exponent: f64) -> f64 {
        f64::powf(self, exponent)
    }
    #[inline(always)]
    fn bf16(self) -> f64 {
        f64::from(half::bf16(self as f32))
    }
    #[inline(always)]
    fn f16(self) -> f64 {
        f64::from(half::f16(self as f32))
    }
}
