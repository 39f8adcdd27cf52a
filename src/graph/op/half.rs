//! The two float formats of 16 bits, as what a number of f32 is rounded to: the result is an f32 again.
//!
//! All by integer arithmetic on the bits, without branches, so that loops over it vectorise and a GPU computes the same bits.

/// A format for the factors of contractions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Half {
    /// The range of f32 with 8 bits of precision.
    Bf16,
    /// IEEE binary16: 11 bits of precision, from 2^-24 to 65504.
    F16,
}

/// The bits of f32's infinity; greater are those of NaN.
const INFINITY: u32 = 0x7f80_0000;
/// The bit that makes a NaN quiet, as the processor's own conversions do.
const QUIET: u32 = 0x0040_0000;

impl Half {
    pub const ALL: [Half; 2] = [Half::Bf16, Half::F16];

    /// As the setting of an experiment writes it.
    pub fn name(self) -> &'static str {
        match self {
            Half::Bf16 => "bf16",
            Half::F16 => "f16",
        }
    }

    pub fn of_name(name: &str) -> Option<Half> {
        Half::ALL.into_iter().find(|half| half.name() == name)
    }

    /// The nearest number of the format, of two the one with an even last bit. What is too large becomes infinite;
    /// subnormals, infinities and NaN stay.
    #[inline(always)]
    pub fn round(self, x: f32) -> f32 {
        match self {
            Half::Bf16 => bf16(x),
            Half::F16 => f16(x),
        }
    }
}

/// The upper half of the bits. A carry out of the fraction goes into the exponent, where it belongs.
#[inline(always)]
pub fn bf16(x: f32) -> f32 {
    let bits = x.to_bits();
    let nearest = bits.wrapping_add(0x7fff + ((bits >> 16) & 1));
    let kept = if bits & 0x7fff_ffff > INFINITY { bits | QUIET } else { nearest };
    f32::from_bits(kept & 0xffff_0000)
}

/// Of normal numbers of f16 the last 13 bits go, of its subnormals one more for each power of two below 2^-14.
#[inline(always)]
pub fn f16(x: f32) -> f32 {
    let bits = x.to_bits();
    let size = bits & 0x7fff_ffff;
    let exponent = size >> 23;
    let gone = if exponent < 113 { 126 - exponent } else { 13 };
    let gone = if gone < 23 { gone } else { 23 };
    let last = 1u32 << gone;
    let nearest = size.wrapping_add((last >> 1) - 1 + ((size >> gone) & 1)) & !(last - 1);
    // Up to 2^-25 the nearest is 0, from there to 2^-24 that.
    let least = if size > 0x3300_0000 { 0x3380_0000 } else { 0 };
    let nearest = if size < 0x3380_0000 { least } else { nearest };
    let finite = if nearest >= 0x4780_0000 { INFINITY } else { nearest };
    let kept = if size > INFINITY { (size | QUIET) & 0xffff_e000 } else { finite };
    f32::from_bits(kept | (bits & 0x8000_0000))
}
