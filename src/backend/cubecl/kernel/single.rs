//! Elementary functions of f32 on a device: the formulas of the CPU executor, operation by operation, since the functions that
//! drivers bring may be off by many units in the last place. A device may join a product and a sum into one operation.
//!
//! sin and cos: Cody-Waite reduction by half pi and the polynomials of Cephes' sinf, 2 ulp up to 8192; the normal quantile:
//! Giles 2010, Approximating the erfinv function, table 5 (single precision), relative error 4e-7.

#![allow(clippy::excessive_precision)]

use cubecl::prelude::*;

/// A number by its bits. They go by a variable: the compilers of shaders take no infinite constants, and CUDA's reinterprets none.
#[cube]
#[allow(unused_assignments)]
pub fn of_bits(#[comptime] bits: u32) -> f32 {
    let mut word = 0u32;
    word = bits.runtime();
    f32::reinterpret(word)
}

#[cube]
fn infinity() -> f32 {
    of_bits(0x7f80_0000u32)
}

#[cube]
fn nan() -> f32 {
    of_bits(0x7fc0_0000u32)
}

/// Whether it is NaN, by its bits: comparisons of a number with itself may be taken away by a driver.
#[cube]
pub fn not_a_number(x: f32) -> bool {
    (u32::reinterpret(x) & 0x7fff_ffffu32) > 0x7f80_0000u32
}

#[cube]
fn power_of_two(k: i32) -> f32 {
    f32::reinterpret(u32::reinterpret(k + 127i32) << 23u32)
}

#[cube]
pub fn magnitude(x: f32) -> f32 {
    f32::reinterpret(u32::reinterpret(x) & 0x7fff_ffffu32)
}

/// The size of one number with the sign of another.
#[cube]
fn with_sign(size: f32, sign: f32) -> f32 {
    f32::reinterpret((u32::reinterpret(size) & 0x7fff_ffffu32) | (u32::reinterpret(sign) & 0x8000_0000u32))
}

#[cube]
pub fn exp(x: f32) -> f32 {
    let above = select(x > 89.0f32, 89.0f32, x);
    let bounded = select(above < -104.0f32, -104.0f32, above);
    let whole = f32::floor(bounded * 1.442_695_04f32 + 0.5f32);
    let k = i32::cast_from(whole);
    let rest = (bounded - whole * 0.693_145_752f32) - whole * 1.428_606_77e-6f32;
    let mut p = 1.378_059_39e-3f32;
    p = p * rest + 8.373_124_52e-3f32;
    p = p * rest + 4.166_953_64e-2f32;
    p = p * rest + 1.666_647_20e-1f32;
    p = p * rest + 4.999_998_51e-1f32;
    p = p * rest + 1.0f32;
    p = p * rest + 1.0f32;
    let half = k >> 1i32;
    let value = p * power_of_two(half) * power_of_two(k - half);
    let finite = select(x > 88.8f32, infinity(), value);
    select(not_a_number(x), x, finite)
}

#[cube]
pub fn log(x: f32) -> f32 {
    let tiny = x < 1.175_494_35e-38f32;
    let scaled = select(tiny, x * 8_388_608.0f32, x);
    let bits = i32::reinterpret(scaled);
    let above = bits - 0x3f35_04f3i32;
    let exponent = above >> 23i32;
    let mantissa = f32::reinterpret(bits - (exponent << 23i32)) - 1.0f32;
    let e = f32::cast_from(exponent) - select(tiny, 23.0f32, 0.0f32);
    let square = mantissa * mantissa;
    let mut p = 7.037_683_629_2e-2f32;
    p = p * mantissa - 1.151_461_031_0e-1f32;
    p = p * mantissa + 1.167_699_874_0e-1f32;
    p = p * mantissa - 1.242_014_084_6e-1f32;
    p = p * mantissa + 1.424_932_278_7e-1f32;
    p = p * mantissa - 1.666_805_766_5e-1f32;
    p = p * mantissa + 2.000_071_476_5e-1f32;
    p = p * mantissa - 2.499_999_399_3e-1f32;
    p = p * mantissa + 3.333_333_117_4e-1f32;
    let tail = p * mantissa * square + e * -2.121_944_4e-4f32 - 0.5f32 * square;
    let finite = mantissa + tail + e * 0.693_359_375f32;
    let infinite = select(x == infinity(), x, finite);
    let zero = select(x == 0.0f32, -infinity(), infinite);
    select(x >= 0.0f32 && !not_a_number(x), zero, nan())
}

#[cube]
pub fn log1p(x: f32) -> f32 {
    let sum = 1.0f32 + x;
    let lost = x - (sum - 1.0f32);
    let logarithm = log(sum);
    let corrected = logarithm + lost / sum;
    let finite = select(sum == 1.0f32, x, corrected);
    select(sum == infinity() || sum == 0.0f32, logarithm, finite)
}

#[cube]
pub fn expm1(x: f32) -> f32 {
    let mut p = 2.755_731_9e-6f32;
    p = p * x + 2.480_158_7e-5f32;
    p = p * x + 1.984_127_0e-4f32;
    p = p * x + 1.388_888_9e-3f32;
    p = p * x + 8.333_333_3e-3f32;
    p = p * x + 4.166_666_7e-2f32;
    p = p * x + 1.666_666_7e-1f32;
    p = p * x + 0.5f32;
    let near = x + x * x * p;
    let far = exp(x) - 1.0f32;
    select(magnitude(x) < 0.6f32, near, far)
}

#[cube]
pub fn sigmoid(x: f32) -> f32 {
    let small = exp(-magnitude(x));
    let above = select(x >= 0.0f32, 1.0f32, small);
    select(not_a_number(x), x, above / (1.0f32 + small))
}

#[cube]
pub fn tanh(x: f32) -> f32 {
    let size = select(magnitude(x) > 9.02f32, 9.02f32, magnitude(x));
    let square = size * size;
    let mut above = comptime!(1.317_754_4e-8f32).runtime();
    above = above * square + 2.047_066_8e-5f32;
    above = above * square + 3.486_727_4e-3f32;
    above = above * square + 0.133_734_24f32;
    above = above * square + 1.0f32;
    let mut below = comptime!(7.700_93e-7f32).runtime();
    below = below * square + 3.271_456_8e-4f32;
    below = below * square + 2.584_282_7e-2f32;
    below = below * square + 0.467_067_36f32;
    below = below * square + 1.0f32;
    let quotient = size * above / below;
    let value = with_sign(select(quotient > 1.0f32, 1.0f32, quotient), x);
    select(not_a_number(x), x, value)
}

#[cube]
pub fn erf(x: f32) -> f32 {
    let size = magnitude(x);
    let square = x * x;
    let mut p = comptime!(-7.575_758e-4f32).runtime();
    p = p * square + 4.629_629_6e-3f32;
    p = p * square - 2.380_952_4e-2f32;
    p = p * square + 0.1f32;
    p = p * square - 0.333_333_33f32;
    p = p * square + 1.0f32;
    let near = x * p * 1.128_379_17f32;
    let t = 1.0f32 / (1.0f32 + 0.327_591_1f32 * size);
    let mut q = 1.061_405_429f32;
    q = q * t - 1.453_152_027f32;
    q = q * t + 1.421_413_741f32;
    q = q * t - 0.284_496_736f32;
    q = q * t + 0.254_829_592f32;
    let far = with_sign(1.0f32 - q * t * exp(-square), x);
    let value = select(size < 0.5f32, near, far);
    select(not_a_number(x), x, value)
}

/// The sine of x plus `quarters` right angles.
#[cube]
pub fn sine(x: f32, quarters: i32) -> f32 {
    let turns = f32::floor(x * 0.636_619_772f32 + 0.5f32);
    let rest = ((x - turns * 1.570_312_5f32) - turns * 4.837_512_97e-4f32) - turns * 7.549_789_95e-8f32;
    let quadrant = (i32::cast_from(turns) + quarters) & 3i32;
    let square = rest * rest;
    let mut s = comptime!(-1.951_529_589_1e-4f32).runtime();
    s = s * square + 8.332_160_873_6e-3f32;
    s = s * square - 1.666_665_461_1e-1f32;
    let sine = s * square * rest + rest;
    let mut c = 2.443_315_711_809_948e-5f32;
    c = c * square - 1.388_731_625_493_765e-3f32;
    c = c * square + 4.166_664_568_298_827e-2f32;
    let cosine = c * square * square - 0.5f32 * square + 1.0f32;
    let value = select((quadrant & 1i32) == 1i32, cosine, sine);
    let signed = select((quadrant & 2i32) == 2i32, -value, value);
    select(magnitude(x) < infinity(), signed, nan())
}

#[cube]
pub fn power(x: f32, y: f32) -> f32 {
    let size = magnitude(x);
    let general = exp(y * log(size));
    let whole = f32::floor(y) == y;
    let odd = whole && f32::floor(y * 0.5f32) * 2.0f32 != y;
    let below = select(odd, -general, general);
    let signed = select(x < 0.0f32, select(whole, below, nan()), general);
    let cubed = select(y == 3.0f32, x * x * x, signed);
    let squared = select(y == 2.0f32, x * x, cubed);
    let same = select(y == 1.0f32, x, squared);
    let inverse = select(y == -1.0f32, 1.0f32 / x, same);
    let root = select(y == 0.5f32 && x >= 0.0f32, f32::sqrt(size), inverse);
    let one = select(y == 0.0f32 || x == 1.0f32, 1.0f32, root);
    let known = select(not_a_number(x) && y != 0.0f32, x, one);
    select(not_a_number(y) && x != 1.0f32, y, known)
}

/// The inverse of the standard normal distribution function.
#[cube]
pub fn normal_quantile(p: f32) -> f32 {
    let x = 2.0f32 * p - 1.0f32;
    let w = -log(4.0f32 * p * (1.0f32 - p));
    let a = w - 2.5f32;
    let mut near = 2.810_226_36e-08f32;
    near = near * a + 3.432_739_39e-07f32;
    near = near * a - 3.523_387_7e-06f32;
    near = near * a - 4.391_506_54e-06f32;
    near = near * a + 2.185_808_7e-04f32;
    near = near * a - 1.253_725_03e-03f32;
    near = near * a - 4.177_681_64e-03f32;
    near = near * a + 2.466_407_27e-01f32;
    near = near * a + 1.501_409_41f32;
    let b = f32::sqrt(select(w > 0.0f32, w, 0.0f32)) - 3.0f32;
    let mut far = comptime!(-2.002_142_57e-04f32).runtime();
    far = far * b + 1.009_505_58e-04f32;
    far = far * b + 1.349_343_22e-03f32;
    far = far * b - 3.673_428_44e-03f32;
    far = far * b + 5.739_507_73e-03f32;
    far = far * b - 7.622_461_3e-03f32;
    far = far * b + 9.438_870_47e-03f32;
    far = far * b + 1.001_674_06f32;
    far = far * b + 2.832_976_82f32;
    let inside = select(w < 5.0f32, near, far) * x * 1.414_213_56f32;
    let high = select(p == 1.0f32, infinity(), inside);
    let low = select(p == 0.0f32, -infinity(), high);
    select(p >= 0.0f32 && p <= 1.0f32, low, nan())
}
