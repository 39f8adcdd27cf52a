//! Machine code of a sum of every row, taken while the row is in registers.
//!
//! In: a program that says which result is summed. Out: instructions for the start, the groups and the end of a row, which add in the order
//! of every fold (`fold.rs`).

use iced_x86::{Code, Instruction, Register};

use super::{Done, Emitter, LANES, at, zmm};
use crate::backend::cpu::native::registers::{VECTORS, sums};

impl Emitter<'_> {
    /// The vectors of a sum, that of the next group first.
    pub(super) fn sums(&self) -> Vec<Register> {
        let count = sums(self.lanes);
        (0..count).map(|at| zmm((VECTORS - count + at) as u8)).collect()
    }

    /// The next vector of the sum takes in the group, and becomes the last one.
    pub(super) fn add_to_sum(&mut self, is_rest: bool) -> Done {
        let Some((value, ..)) = self.lanes.sum else { return Ok(()) };
        let value = self.vector(value, 30)?;
        let all = self.sums();
        let next = all[0];
        let add = Instruction::with3(Code::EVEX_Vaddps_zmm_k1z_zmm_zmmm512b32_er, next, next, value)?;
        self.with_mask(add, if is_rest { Register::K1 } else { Register::None }, false);
        if all.len() > 1 {
            let spare = zmm(31);
            let places: Vec<Register> = std::iter::once(spare).chain(all).chain([spare]).collect();
            for pair in places.windows(2) {
                self.push(Instruction::with2(Code::EVEX_Vmovaps_zmm_k1z_zmmm512, pair[0], pair[1])?);
            }
        }
        Ok(())
    }

    /// The vectors of a row's sum, and then halves of them, are added in the order of every fold.
    pub(super) fn store_sum(&mut self) -> Done {
        let Some((_, stream, width)) = self.lanes.sum else { return Ok(()) };
        let all = self.sums();
        let (sum, other) = (zmm(30), zmm(31));
        if all.len() > 1 {
            // The vector that came first, after so many groups.
            let groups = width.div_ceil(LANES as usize);
            let lane = |number: usize| all[(number + all.len() - groups % all.len()) % all.len()];
            let add = Code::EVEX_Vaddps_zmm_k1z_zmm_zmmm512b32_er;
            self.push(Instruction::with3(add, sum, lane(0), lane(2))?);
            self.push(Instruction::with3(add, other, lane(1), lane(3))?);
            self.push(Instruction::with3(add, sum, sum, other)?);
        } else {
            self.push(Instruction::with2(Code::EVEX_Vmovaps_zmm_k1z_zmmm512, sum, all[0])?);
        }
        let (y, z) = (Register::YMM30, Register::YMM31);
        let (x, w) = (Register::XMM30, Register::XMM31);
        self.push(Instruction::with3(Code::EVEX_Vextractf64x4_ymmm256_k1z_zmm_imm8, z, sum, 1)?);
        self.push(Instruction::with3(Code::EVEX_Vaddps_ymm_k1z_ymm_ymmm256b32, y, y, z)?);
        self.push(Instruction::with3(Code::EVEX_Vextractf32x4_xmmm128_k1z_ymm_imm8, w, y, 1)?);
        let add = Code::EVEX_Vaddps_xmm_k1z_xmm_xmmm128b32;
        self.push(Instruction::with3(add, x, x, w)?);
        self.push(Instruction::with3(Code::EVEX_Vmovhlps_xmm_xmm_xmm, w, x, x)?);
        self.push(Instruction::with3(add, x, x, w)?);
        self.push(Instruction::with2(Code::EVEX_Vmovshdup_xmm_k1z_xmmm128, w, x)?);
        self.push(Instruction::with3(add, x, x, w)?);
        let to = at(self.pointer(stream)?, 0);
        self.push(Instruction::with2(Code::EVEX_Vmovss_m32_k1_xmm, to, x)?);
        Ok(())
    }
}
