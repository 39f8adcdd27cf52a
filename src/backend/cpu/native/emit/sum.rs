//! Machine code of a sum of every row, taken while the row is in registers.
//!
//! In: a program that says which result is summed. Out: instructions for the start, the groups and the end of a row, which add in the order
//! of every fold (`fold.rs`).

use iced_x86::{Code, Instruction, MemoryOperand, Register};

use super::{Done, Emitter, Operand, SUM, TAIL, at, three};
use crate::backend::cpu::native::registers::{LONG, sums};

impl Emitter<'_> {
    /// The vectors of a sum, that of the next group first.
    fn sums(&self) -> Vec<Register> {
        let (count, vectors) = (sums(self.lanes, self.target), self.target.vectors());
        (0..count).map(|at| self.target.vector((vectors - count + at) as u8)).collect()
    }

    pub(super) fn start_sum_avx512(&mut self) -> Done {
        for sum in self.sums() {
            self.push(Instruction::with3(Code::EVEX_Vpxord_zmm_k1z_zmm_zmmm512b32, sum, sum, sum)?);
        }
        Ok(())
    }

    /// The next vector of the sum takes in the group, and becomes the last one.
    pub(super) fn add_to_sum_avx512(&mut self, is_rest: bool) -> Done {
        let Some((value, ..)) = self.lanes.sum else { return Ok(()) };
        let value = self.vector(value, self.target.operand())?;
        let all = self.sums();
        let next = all[0];
        let add = Instruction::with3(Code::EVEX_Vaddps_zmm_k1z_zmm_zmmm512b32_er, next, next, value)?;
        self.with_mask(add, if is_rest { Register::K1 } else { Register::None }, false);
        if all.len() > 1 {
            let spare = self.target.vector(self.target.spare());
            let places: Vec<Register> = std::iter::once(spare).chain(all).chain([spare]).collect();
            for pair in places.windows(2) {
                self.push(Instruction::with2(Code::EVEX_Vmovaps_zmm_k1z_zmmm512, pair[0], pair[1])?);
            }
        }
        Ok(())
    }

    /// The vectors of a row's sum, and then halves of them, are added in the order of every fold.
    pub(super) fn store_sum_avx512(&mut self) -> Done {
        let Some((_, stream, width)) = self.lanes.sum else { return Ok(()) };
        let all = self.sums();
        let (sum, other) = (Register::ZMM30, Register::ZMM31);
        if all.len() > 1 {
            // The vector that came first, after so many groups.
            let groups = width.div_ceil(self.target.lanes());
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

    /// With AVX2 the sixteen or sixty-four lanes of a sum lie on the stack.
    pub(super) fn start_sum_avx2(&mut self) -> Done {
        let Some(lanes) = self.sum_lanes() else { return Ok(()) };
        let zero = Register::YMM15;
        self.push(Instruction::with3(Code::VEX_Vxorps_ymm_ymm_ymmm256, zero, zero, zero)?);
        for first in (0..lanes).step_by(8) {
            let place = at(Register::RSP, SUM + 4 * first);
            self.push(Instruction::with2(Code::VEX_Vmovaps_ymmm256_ymm, place, zero)?);
        }
        Ok(())
    }

    fn sum_lanes(&self) -> Option<i64> {
        let (.., width) = self.lanes.sum?;
        Some(if width < LONG { 16 } else { 64 })
    }

    pub(super) fn add_to_sum_avx2(&mut self, is_rest: bool) -> Done {
        let (Some((value, ..)), Some(lanes)) = (self.lanes.sum, self.sum_lanes()) else { return Ok(()) };
        let (operand, sum) = (Register::YMM14, Register::YMM15);
        let mut value = self.vector(value, self.target.operand())?;
        if is_rest {
            // No sum is -0, so that adding 0 leaves it what it is.
            let tail = at(Register::RSP, TAIL);
            self.push(Instruction::with3(Code::VEX_Vandps_ymm_ymm_ymmm256, operand, value, tail)?);
            value = operand;
        }
        let column = (Register::EAX, Register::ECX);
        self.push(Instruction::with2(Code::Mov_r32_rm32, column.0, column.1)?);
        self.push(Instruction::with2(Code::And_rm32_imm8, column.0, lanes as i32 - 1)?);
        let place = MemoryOperand::with_base_index_scale_displ_size(Register::RSP, Register::RAX, 4, SUM, 1);
        self.push(Instruction::with2(Code::VEX_Vmovaps_ymm_ymmm256, sum, place)?);
        self.push(Instruction::with3(Code::VEX_Vaddps_ymm_ymm_ymmm256, sum, sum, value)?);
        self.push(Instruction::with2(Code::VEX_Vmovaps_ymmm256_ymm, place, sum)?);
        Ok(())
    }

    /// Halves of the lanes are added, in the order of every fold.
    pub(super) fn store_sum_avx2(&mut self) -> Done {
        let (Some((_, stream, _)), Some(lanes)) = (self.lanes.sum, self.sum_lanes()) else { return Ok(()) };
        let add = Code::VEX_Vaddps_ymm_ymm_ymmm256;
        let sum = Register::YMM15;
        let place = |first: i64| at(Register::RSP, SUM + 4 * first);
        let mut half = lanes / 2;
        while half >= 8 {
            for first in (0..half).step_by(8) {
                self.push(Instruction::with2(Code::VEX_Vmovaps_ymm_ymmm256, sum, place(first))?);
                self.push(three(add, sum, sum, Operand::Memory(place(first + half)))?);
                if half > 8 {
                    self.push(Instruction::with2(Code::VEX_Vmovaps_ymmm256_ymm, place(first), sum)?);
                }
            }
            half /= 2;
        }
        let (x, w) = (Register::XMM15, Register::XMM14);
        self.push(Instruction::with3(Code::VEX_Vextractf128_xmmm128_ymm_imm8, w, sum, 1)?);
        let add = Code::VEX_Vaddps_xmm_xmm_xmmm128;
        self.push(Instruction::with3(add, x, x, w)?);
        self.push(Instruction::with3(Code::VEX_Vmovhlps_xmm_xmm_xmm, w, x, x)?);
        self.push(Instruction::with3(add, x, x, w)?);
        self.push(Instruction::with2(Code::VEX_Vmovshdup_xmm_xmmm128, w, x)?);
        self.push(Instruction::with3(add, x, x, w)?);
        let to = at(self.pointer(stream)?, 0);
        self.push(Instruction::with2(Code::VEX_Vmovss_m32_xmm, to, x)?);
        Ok(())
    }
}
