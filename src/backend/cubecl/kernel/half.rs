//! Numbers of f32 rounded to the 16-bit formats: the formulas of `graph::op::half`, on bits.

use cubecl::prelude::*;

use crate::graph::Half;

const INFINITY: u32 = 0x7f80_0000;
const QUIET: u32 = 0x0040_0000;

#[cube]
pub fn round(x: f32, #[comptime] half: Half) -> f32 {
    match half {
        Half::Bf16 => bf16(x),
        Half::F16 => f16(x),
    }
}

#[cube]
fn bf16(x: f32) -> f32 {
    let bits = u32::reinterpret(x);
    let nearest = bits + 0x7fffu32 + ((bits >> 16u32) & 1u32);
    let kept = select((bits & 0x7fff_ffffu32) > INFINITY, bits | QUIET, nearest);
    f32::reinterpret(kept & 0xffff_0000u32)
}

#[cube]
fn f16(x: f32) -> f32 {
    let bits = u32::reinterpret(x);
    let size = bits & 0x7fff_ffffu32;
    let exponent = size >> 23u32;
    // Chosen before it is subtracted, so that nothing wraps around.
    let below = select(exponent < 113u32, exponent, 113u32);
    let gone = 126u32 - select(below > 103u32, below, 103u32);
    let last = 1u32 << gone;
    let nearest = (size + (last >> 1u32) - 1u32 + ((size >> gone) & 1u32)) & (0xffff_ffffu32 ^ (last - 1u32));
    let least = select(size > 0x3300_0000u32, 0x3380_0000u32, 0u32);
    let nearest = select(size < 0x3380_0000u32, least, nearest);
    let finite = select(nearest >= 0x4780_0000u32, INFINITY, nearest);
    let kept = select(size > INFINITY, (size | QUIET) & 0xffff_e000u32, finite);
    f32::reinterpret(kept | (bits & 0x8000_0000u32))
}
