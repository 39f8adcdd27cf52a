//! Elementary functions of f32 without branches, calls or tables, so that loops over them vectorise.
//!
//! Methods: exp by Cody-Waite reduction and a polynomial of degree 6 (Juffa's coefficients); log by the polynomial of
//! Cephes' logf; tanh by a quotient of polynomials; the others from these. Products that are added to something are rounded once, with it: a machine without
//! such an instruction computes the same, slowly. Errors in ulp: exp 2, log 2, log1p 4, expm1 4, tanh 5, sigmoid 4;
//! erf 3e-7 absolute and 4 ulp below one half.

#![allow(clippy::excessive_precision)]

/// Adding and subtracting this rounds to an integer, and leaves the integer in the low bits.
pub const ROUND: f32 = 12_582_912.0;
/// Beyond this the exponential is infinite, and below the other one it is zero.
pub const MOST: f32 = 89.0;
pub const LEAST: f32 = -104.0;
/// ln 2 in two parts.
pub const LN_2_HIGH: f32 = 0.693_145_752;
pub const LN_2_LOW: f32 = 1.428_606_77e-6;
/// Coefficients of polynomials, the highest power first.
pub const EXP: [f32; 7] =
    [1.378_059_39e-3, 8.373_124_52e-3, 4.166_953_64e-2, 1.666_647_20e-1, 4.999_998_51e-1, 1.0, 1.0];
pub const LOG: [f32; 9] = [
    7.037_683_629_2e-2,
    -1.151_461_031_0e-1,
    1.167_699_874_0e-1,
    -1.242_014_084_6e-1,
    1.424_932_278_7e-1,
    -1.666_805_766_5e-1,
    2.000_071_476_5e-1,
    -2.499_999_399_3e-1,
    3.333_333_117_4e-1,
];
/// Makes subnormal numbers normal: 2^23.
pub const SUBNORMAL: f32 = 8_388_608.0;
/// The bits of sqrt(1/2).
pub const ROOT_HALF: u32 = 0x3f35_04f3;
/// ln 2 in two parts, for the exponent of a logarithm.
pub const LOG_LOW: f32 = -2.121_944_4e-4;
pub const LOG_HIGH: f32 = 0.693_359_375;
pub const EXPM1: [f32; 8] = [
    2.755_731_9e-6,
    2.480_158_7e-5,
    1.984_127_0e-4,
    1.388_888_9e-3,
    8.333_333_3e-3,
    4.166_666_7e-2,
    1.666_666_7e-1,
    0.5,
];
/// Of tanh(x) / x = above / below in powers of x^2: the least largest relative error up to TANH_MOST (2e-8), then those numbers of single
/// precision near them with which the worst result is nearest. Beyond TANH_MOST all is one.
pub const TANH_ABOVE: [f32; 5] = [1.317_754_4e-8, 2.047_066_8e-5, 3.486_727_4e-3, 0.133_734_24, 1.0];
pub const TANH_BELOW: [f32; 5] = [7.700_93e-7, 3.271_456_8e-4, 2.584_282_7e-2, 0.467_067_36, 1.0];
pub const TANH_MOST: f32 = 9.02;
/// Of erf(x) sqrt(pi) / 2 = x + x^3 (..) in powers of x^2.
pub const ERF_NEAR: [f32; 5] = [-7.575_758e-4, 4.629_629_6e-3, -2.380_952_4e-2, 0.1, -0.333_333_33];
pub const ERF_FAR: [f32; 5] = [1.061_405_429, -1.453_152_027, 1.421_413_741, -0.284_496_736, 0.254_829_592];
pub const ERF_SCALE: f32 = 0.327_591_1;
pub const ERF_NEAR_END: f32 = 0.5;

#[inline(always)]
fn polynomial<const N: usize>(x: f32, coefficients: &[f32; N]) -> f32 {
    let mut sum = coefficients[0];
    for coefficient in &coefficients[1..] {
        sum = sum.mul_add(x, *coefficient);
    }
    sum
}

#[inline(always)]
pub fn exp(x: f32) -> f32 {
    // NaN stays what it is.
    let bounded = if x > MOST { MOST } else { x };
    let bounded = if bounded < LEAST { LEAST } else { bounded };
    let shifted = bounded.mul_add(std::f32::consts::LOG2_E, ROUND);
    let whole = shifted - ROUND;
    let k = (shifted.to_bits() as i32).wrapping_sub(ROUND.to_bits() as i32);
    let rest = whole.mul_add(-LN_2_LOW, whole.mul_add(-LN_2_HIGH, bounded));
    let p = polynomial(rest, &EXP);
    // 2^k in two factors, so that subnormal results are reached.
    let half = k >> 1;
    p * power_of_two(half) * power_of_two(k.wrapping_sub(half))
}

#[inline(always)]
fn power_of_two(k: i32) -> f32 {
    f32::from_bits((k.wrapping_add(127) as u32) << 23)
}

#[inline(always)]
pub fn log(x: f32) -> f32 {
    let tiny = x < f32::MIN_POSITIVE;
    let scaled = if tiny { x * SUBNORMAL } else { x };
    let bits = scaled.to_bits() as i32;
    // Mantissa in [sqrt(1/2), sqrt(2)).
    let above = bits.wrapping_sub(ROOT_HALF as i32);
    let exponent = above >> 23;
    let mantissa = f32::from_bits(bits.wrapping_sub(exponent << 23) as u32) - 1.0;
    let e = exponent as f32 - if tiny { 23.0 } else { 0.0 };
    let square = mantissa * mantissa;
    let p = polynomial(mantissa, &LOG);
    let tail = square.mul_add(-0.5, (p * mantissa).mul_add(square, e * LOG_LOW));
    let finite = e.mul_add(LOG_HIGH, mantissa + tail);
    let infinite = if x == f32::INFINITY { x } else { finite };
    let zero = if x == 0.0 { f32::NEG_INFINITY } else { infinite };
    // Negative numbers and NaN.
    if x >= 0.0 { zero } else { f32::NAN }
}

#[inline(always)]
pub fn log1p(x: f32) -> f32 {
    let sum = 1.0 + x;
    // What rounding took from 1 + x, as a correction of the logarithm.
    let lost = x - (sum - 1.0);
    let corrected = log(sum) + lost / sum;
    let finite = if sum == 1.0 { x } else { corrected };
    if sum == f32::INFINITY || sum == 0.0 { log(sum) } else { finite }
}

#[inline(always)]
pub fn expm1(x: f32) -> f32 {
    let near = (x * x).mul_add(polynomial(x, &EXPM1), x);
    let far = exp(x) - 1.0;
    if x.abs() < 0.6 { near } else { far }
}

#[inline(always)]
pub fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + exp(-x))
}

#[inline(always)]
pub fn tanh(x: f32) -> f32 {
    // NaN stays what it is; a rounded quotient may be above one.
    let bounded = within(x, TANH_MOST);
    let square = bounded * bounded;
    within(bounded * polynomial(square, &TANH_ABOVE) / polynomial(square, &TANH_BELOW), 1.0)
}

#[inline(always)]
fn within(x: f32, most: f32) -> f32 {
    let below = if x > most { most } else { x };
    if below < -most { -most } else { below }
}

/// Abramowitz and Stegun 7.1.26 outside [-0.5, 0.5], the power series inside.
#[inline(always)]
pub fn erf(x: f32) -> f32 {
    let size = x.abs();
    let square = x * x;
    let scaled = x * std::f32::consts::FRAC_2_SQRT_PI;
    let near = (scaled * square).mul_add(polynomial(square, &ERF_NEAR), scaled);
    let t = 1.0 / size.mul_add(ERF_SCALE, 1.0);
    let far = (polynomial(t, &ERF_FAR) * t).mul_add(-exp(-square), 1.0).copysign(x);
    if size <= ERF_NEAR_END { near } else { far }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The distance of `found` from the exact value, in units in the last place of f32 there.
    fn ulps(found: f32, exact: f64) -> f64 {
        let rounded = exact as f32;
        if found == rounded || (found.is_nan() && exact.is_nan()) {
            return 0.0;
        }
        let unit = f64::from(rounded.abs().max(f32::MIN_POSITIVE).next_up())
            - f64::from(rounded.abs().max(f32::MIN_POSITIVE));
        (f64::from(found) - exact).abs() / unit
    }

    /// The largest error over an even grid.
    fn worst(from: f32, to: f32, f: impl Fn(f32) -> f32, exact: impl Fn(f64) -> f64) -> f64 {
        let count = 200_000;
        (0..=count)
            .map(|i| from + (to - from) * (i as f32 / count as f32))
            .map(|x| ulps(f(x), exact(f64::from(x))))
            .fold(0.0, f64::max)
    }

    #[test]
    fn errors_are_as_stated() {
        let sigmoid_exact = |x: f64| 1.0 / (1.0 + (-x).exp());
        for (name, bound, error) in [
            ("exp", 2.0, worst(-87.0, 88.7, exp, f64::exp)),
            ("log", 2.0, worst(1e-30, 1e5, log, f64::ln).max(worst(1e-6, 3.0, log, f64::ln))),
            ("log1p", 4.0, worst(-0.99, 3.0, log1p, f64::ln_1p).max(worst(-1e-4, 1e-4, log1p, f64::ln_1p))),
            ("expm1", 4.0, worst(-5.0, 5.0, expm1, f64::exp_m1).max(worst(-1e-4, 1e-4, expm1, f64::exp_m1))),
            ("tanh", 5.0, worst(-12.0, 12.0, tanh, f64::tanh).max(worst(-1e-3, 1e-3, tanh, f64::tanh))),
            ("sigmoid", 4.0, worst(-80.0, 80.0, sigmoid, sigmoid_exact)),
            ("erf near 0", 4.0, worst(-0.5, 0.5, erf, statrs::function::erf::erf)),
        ] {
            assert!(error <= bound, "{name}: {error} ulp");
        }
        for i in -6000..6000 {
            let x = i as f32 * 1e-3;
            assert!((f64::from(erf(x)) - statrs::function::erf::erf(f64::from(x))).abs() < 3e-7, "erf {x}");
        }
    }

    #[test]
    fn limits_are_exact() {
        assert_eq!(exp(f32::NEG_INFINITY), 0.0);
        assert_eq!(exp(f32::INFINITY), f32::INFINITY);
        assert_eq!(exp(100.0), f32::INFINITY);
        assert!(exp(f32::NAN).is_nan());
        assert_eq!(exp(0.0), 1.0);
        assert!(exp(-100.0) > 0.0);
        assert_eq!(log(0.0), f32::NEG_INFINITY);
        assert_eq!(log(f32::INFINITY), f32::INFINITY);
        assert!(log(-1.0).is_nan() && log(f32::NAN).is_nan());
        assert_eq!(log(1.0), 0.0);
        assert_eq!(log1p(-1.0), f32::NEG_INFINITY);
        assert_eq!(log1p(f32::INFINITY), f32::INFINITY);
        assert_eq!(expm1(f32::NEG_INFINITY), -1.0);
        assert_eq!((tanh(f32::INFINITY), tanh(f32::NEG_INFINITY)), (1.0, -1.0));
        assert!((0..20_000).map(|i| tanh(i as f32 * 1e-3)).all(|y| y <= 1.0) && tanh(9.1) == 1.0);
        assert!((-0.0f32).to_bits() == tanh(-0.0).to_bits() && tanh(1e-30) == 1e-30);
        assert_eq!((sigmoid(f32::INFINITY), sigmoid(f32::NEG_INFINITY)), (1.0, 0.0));
        assert!(tanh(f32::NAN).is_nan() && sigmoid(f32::NAN).is_nan() && erf(f32::NAN).is_nan());
    }
}
