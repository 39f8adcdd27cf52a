//! Elementary functions over lanes: the operations of `single.rs` in the same order, so that the results have the same bits.

use super::lanes::{Builder, Lane, One, Shift, Test, Two};
use crate::backend::cpu::single;

const SIGN: u32 = 1 << 31;

impl Builder {
    pub fn negate(&mut self, x: Lane) -> Lane {
        let sign = self.bits(SIGN);
        self.two(Two::Xor, x, sign)
    }

    pub fn abs(&mut self, x: Lane) -> Lane {
        let rest = self.bits(!SIGN);
        self.two(Two::And, x, rest)
    }

    /// A size that is not negative, with the sign of the other.
    fn with_sign(&mut self, size: Lane, sign: Lane) -> Lane {
        let mask = self.bits(SIGN);
        let sign = self.two(Two::And, sign, mask);
        self.two(Two::Or, size, sign)
    }

    /// The number if it is NaN, else the value.
    fn unless_nan(&mut self, x: Lane, value: Lane) -> Lane {
        let nan = self.test(Test::Unordered, x, x);
        self.choose(nan, x, value)
    }

    /// The bigger; NaN if either is.
    pub fn bigger(&mut self, a: Lane, b: Lane) -> Lane {
        let bigger = self.two(Two::Max, a, b);
        self.unless_nan(a, bigger)
    }

    pub fn smaller(&mut self, a: Lane, b: Lane) -> Lane {
        let smaller = self.two(Two::Min, a, b);
        self.unless_nan(a, smaller)
    }

    /// The first coefficient times x, plus the second, times x, and so on; ends with an addition.
    fn polynomial(&mut self, x: Lane, coefficients: &[f32]) -> Lane {
        let Some((first, rest)) = coefficients.split_first() else { return x };
        let mut sum = self.number(*first);
        for coefficient in rest {
            let coefficient = self.number(*coefficient);
            sum = self.multiply_add(sum, x, coefficient);
        }
        sum
    }

    pub fn exp(&mut self, x: Lane) -> Lane {
        let most = self.number(single::MOST);
        let bounded = self.two(Two::Min, most, x);
        let least = self.number(single::LEAST);
        let bounded = self.two(Two::Max, least, bounded);
        let round = self.number(single::ROUND);
        let shifted = self.scale_add(bounded, std::f32::consts::LOG2_E, round);
        let whole = self.subtract(shifted, round);
        let rest = self.scale_add(whole, -single::LN_2_HIGH, bounded);
        let rest = self.scale_add(whole, -single::LN_2_LOW, rest);
        let p = self.polynomial(rest, &single::EXP);
        self.two(Two::Scale, p, whole)
    }

    pub fn log(&mut self, x: Lane) -> Lane {
        let tiny = self.test_number(Test::Less, x, f32::MIN_POSITIVE);
        let up = self.scale(x, single::SUBNORMAL);
        let bits = self.choose(tiny, up, x);
        let middle = self.bits(single::ROOT_HALF);
        let above = self.two(Two::SubtractIndex, bits, middle);
        let exponent = self.shift(Shift::Right, above, 23);
        let moved = self.shift(Shift::Left, exponent, 23);
        let mantissa = self.two(Two::SubtractIndex, bits, moved);
        let one = self.number(1.0);
        let mantissa = self.subtract(mantissa, one);
        let e = self.one(One::FromIndex, exponent);
        let shift = self.number(23.0);
        let shift = self.keep(tiny, shift);
        let e = self.subtract(e, shift);
        let square = self.multiply(mantissa, mantissa);
        let p = self.polynomial(mantissa, &single::LOG);
        let p = self.multiply(p, mantissa);
        let low = self.scale(e, single::LOG_LOW);
        let tail = self.multiply_add(p, square, low);
        let tail = self.scale_add(square, -0.5, tail);
        let sum = self.add(mantissa, tail);
        let finite = self.scale_add(e, single::LOG_HIGH, sum);
        let infinite = self.test_number(Test::Equal, x, f32::INFINITY);
        let value = self.choose(infinite, x, finite);
        let zero = self.test_number(Test::Equal, x, 0.0);
        let least = self.number(f32::NEG_INFINITY);
        let value = self.choose(zero, least, value);
        let none = self.number(f32::NAN);
        let valid = self.number(0.0);
        let valid = self.test(Test::LessEqual, valid, x);
        self.choose(valid, value, none)
    }

    pub fn log1p(&mut self, x: Lane) -> Lane {
        let one = self.number(1.0);
        let sum = self.add(one, x);
        let back = self.subtract(sum, one);
        let lost = self.subtract(x, back);
        let log = self.log(sum);
        let correction = self.divide(lost, sum);
        let corrected = self.add(log, correction);
        let same = self.test(Test::Equal, sum, one);
        let finite = self.choose(same, x, corrected);
        let infinite = self.test_number(Test::Equal, sum, f32::INFINITY);
        let zero = self.test_number(Test::Equal, sum, 0.0);
        let value = self.choose(infinite, log, finite);
        self.choose(zero, log, value)
    }

    pub fn expm1(&mut self, x: Lane) -> Lane {
        let p = self.polynomial(x, &single::EXPM1);
        let square = self.multiply(x, x);
        let near = self.multiply_add(square, p, x);
        let far = self.exp(x);
        let one = self.number(1.0);
        let far = self.subtract(far, one);
        let size = self.abs(x);
        let is_near = self.test_number(Test::Less, size, 0.6);
        self.choose(is_near, near, far)
    }

    pub fn sigmoid(&mut self, x: Lane) -> Lane {
        let negative = self.negate(x);
        let other = self.exp(negative);
        let one = self.number(1.0);
        let whole = self.add(one, other);
        self.divide(one, whole)
    }

    pub fn tanh(&mut self, x: Lane) -> Lane {
        let bounded = self.within(x, single::TANH_MOST);
        let square = self.multiply(bounded, bounded);
        let above = self.polynomial(square, &single::TANH_ABOVE);
        let above = self.multiply(bounded, above);
        let below = self.polynomial(square, &single::TANH_BELOW);
        let quotient = self.divide(above, below);
        self.within(quotient, 1.0)
    }

    /// Between the number and the one below zero; NaN stays what it is.
    fn within(&mut self, x: Lane, most: f32) -> Lane {
        let (above, below) = (self.number(most), self.number(-most));
        let bounded = self.two(Two::Min, above, x);
        self.two(Two::Max, below, bounded)
    }

    pub fn erf(&mut self, x: Lane) -> Lane {
        let size = self.abs(x);
        let square = self.multiply(x, x);
        let p = self.polynomial(square, &single::ERF_NEAR);
        let scaled = self.scale(x, std::f32::consts::FRAC_2_SQRT_PI);
        let cube = self.multiply(scaled, square);
        let near = self.multiply_add(cube, p, scaled);
        let one = self.number(1.0);
        let t = self.scale_add(size, single::ERF_SCALE, one);
        let t = self.divide(one, t);
        let q = self.polynomial(t, &single::ERF_FAR);
        let q = self.multiply(q, t);
        let negative = self.negate(square);
        let tail = self.exp(negative);
        let negative = self.negate(tail);
        let far = self.multiply_add(q, negative, one);
        let far = self.with_sign(far, x);
        let is_near = self.test_number(Test::LessEqual, size, single::ERF_NEAR_END);
        self.choose(is_near, near, far)
    }

    pub fn sign(&mut self, x: Lane) -> Lane {
        let zero = self.number(0.0);
        let (less, more) = (self.number(-1.0), self.number(1.0));
        let is_below = self.test(Test::Less, x, zero);
        let below = self.choose(is_below, less, x);
        let is_above = self.test(Test::Less, zero, x);
        self.choose(is_above, more, below)
    }

    /// Towards zero; the nearest i32 for what no i32 is, 0 for NaN.
    pub fn cut_to_index(&mut self, x: Lane) -> Lane {
        let cut = self.one(One::ToIndex, x);
        let above = self.number(2_147_483_648.0);
        let is_above = self.test(Test::LessEqual, above, x);
        let most = self.bits(i32::MAX as u32);
        let value = self.choose(is_above, most, cut);
        let nan = self.test(Test::Unordered, x, x);
        let number = self.not(nan);
        self.keep(number, value)
    }
}
