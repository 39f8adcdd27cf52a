//! Groups of sixteen elements for AVX-512.

use iced_x86::{Code, Instruction, MemoryOperand, Register};

use super::{COLUMN, CONSTANTS, Done, Emitter, at, four, three, unary};
use crate::backend::cpu::native::lanes::{Both, Lane, One, Shift, Step, Test, Two};
use crate::backend::cpu::native::registers::Place;
use crate::backend::cpu::native::target::Target;

/// A vector for an operand that has to be in a register.
const OPERAND: u8 = Target::Avx512.operand();

pub(super) fn mask(number: u8) -> Register {
    Register::K0 + u32::from(number)
}

impl Emitter<'_> {
    /// Mask 1 becomes that of the elements that are left.
    pub(super) fn mask_rest_avx512(&mut self) -> Done {
        let (all, left) = (Register::EAX, Register::EBX);
        self.push(Instruction::with2(Code::Mov_r32_imm32, all, -1)?);
        self.push(Instruction::with3(Code::VEX_Bzhi_r32_rm32_r32, all, all, left)?);
        self.push(Instruction::with2(Code::VEX_Kmovw_kr_r32, Register::K1, all)?);
        Ok(())
    }

    fn mask(&self, lane: Lane) -> Register {
        match self.place(lane) {
            Place::Mask(register) => mask(register),
            _ => Register::K0,
        }
    }

    pub(super) fn with_mask(&mut self, mut instruction: Instruction, mask: Register, zeroing: bool) {
        instruction.set_op_mask(mask);
        instruction.set_zeroing_masking(zeroing);
        self.push(instruction);
    }

    pub(super) fn stores_avx512(&mut self, is_rest: bool) -> Done {
        let tail = if is_rest { Register::K1 } else { Register::None };
        for (value, stream) in &self.lanes.stores {
            if let Place::Mask(register) = self.place(*value) {
                let ones = at(CONSTANTS, self.constant(0x0101_0101));
                let (ones_in, bytes) = (Register::XMM31, Register::XMM30);
                self.push(Instruction::with2(Code::EVEX_Vbroadcastss_xmm_k1z_xmmm32, ones_in, ones)?);
                let chosen = Instruction::with2(Code::EVEX_Vmovdqu8_xmm_k1z_xmmm128, bytes, ones_in)?;
                self.with_mask(chosen, mask(register), true);
                let to = MemoryOperand::with_base_index_scale(self.pointer(*stream)?, COLUMN, 1);
                let store = Instruction::with2(Code::EVEX_Vmovdqu8_xmmm128_k1z_xmm, to, bytes)?;
                self.with_mask(store, tail, false);
                continue;
            }
            let value = self.vector(*value, OPERAND)?;
            let to = MemoryOperand::with_base_index_scale(self.pointer(*stream)?, COLUMN, 4);
            if self.is_streamed(*stream) && !is_rest {
                self.push(Instruction::with2(Code::EVEX_Vmovntps_m512_zmm, to, value)?);
                continue;
            }
            let store = Instruction::with2(Code::EVEX_Vmovups_zmmm512_k1z_zmm, to, value)?;
            self.with_mask(store, tail, false);
        }
        Ok(())
    }

    pub(super) fn step_avx512(&mut self, step: Step, to: Register, is_rest: bool) -> Done {
        let tail = if is_rest { Register::K1 } else { Register::None };
        match step {
            Step::Constant(_) | Step::Spread(_) => {}
            Step::Load(stream) => {
                let from = MemoryOperand::with_base_index_scale(self.pointer(stream)?, COLUMN, 4);
                let load = Instruction::with2(Code::EVEX_Vmovups_zmm_k1z_zmmm512, to, from)?;
                self.with_mask(load, tail, is_rest);
            }
            Step::LoadMask(stream) => {
                let from = MemoryOperand::with_base_index_scale(self.pointer(stream)?, COLUMN, 1);
                let bytes = Register::XMM30;
                let load = Instruction::with2(Code::EVEX_Vmovdqu8_xmm_k1z_xmmm128, bytes, from)?;
                self.with_mask(load, tail, is_rest);
                self.push(Instruction::with3(Code::EVEX_Vptestmb_kr_k1_xmm_xmmm128, to, bytes, bytes)?);
            }
            Step::SpreadMask(stream) => {
                let from = at(self.pointer(stream)?, 0);
                self.push(Instruction::with2(Code::Movzx_r32_rm8, Register::EAX, from)?);
                self.push(Instruction::with1(Code::Neg_rm32, Register::EAX)?);
                self.push(Instruction::with2(Code::VEX_Kmovw_kr_r32, to, Register::EAX)?);
            }
            Step::One(op, a) => {
                let a = self.operand(a)?;
                let (code, how) = one(op);
                self.push(unary(code, to, a, how)?);
            }
            Step::Two(op, a, b) => {
                let swap = op.commutes() && !self.has_register(a) && self.has_register(b);
                let (a, b) = if swap { (b, a) } else { (a, b) };
                let a = self.vector(a, OPERAND)?;
                let last = self.operand(b)?;
                self.push(three(two(op), to, a, last)?);
            }
            Step::MultiplyAdd(a, b, c) => self.multiply_add(to, a, b, c)?,
            Step::Shift(op, a, bits) => {
                let a = self.vector(a, OPERAND)?;
                let code = match op {
                    Shift::Left => Code::EVEX_Vpslld_zmm_k1z_zmmm512b32_imm8,
                    Shift::Right => Code::EVEX_Vpsrad_zmm_k1z_zmmm512b32_imm8,
                };
                self.push(Instruction::with3(code, to, a, i32::from(bits))?);
            }
            Step::Test(op, a, b) => {
                let (code, how) = test(op);
                let a = self.vector(a, OPERAND)?;
                let b = self.operand(b)?;
                self.push(four(code, to, a, b, how)?);
            }
            Step::Not(a) => {
                let a = self.mask(a);
                self.push(Instruction::with2(Code::VEX_Knotw_kr_kr, to, a)?);
            }
            Step::Both(op, a, b) => {
                let code = match op {
                    Both::And => Code::VEX_Kandw_kr_kr_kr,
                    Both::Or => Code::VEX_Korw_kr_kr_kr,
                    Both::Xor => Code::VEX_Kxorw_kr_kr_kr,
                    Both::AndNot => Code::VEX_Kandnw_kr_kr_kr,
                };
                let (a, b) = (self.mask(a), self.mask(b));
                self.push(Instruction::with3(code, to, a, b)?);
            }
            Step::Choose(choice, yes, no) => {
                let choice = self.mask(choice);
                let no = self.vector(no, OPERAND)?;
                let code = Code::EVEX_Vblendmps_zmm_k1z_zmm_zmmm512b32;
                let yes = self.operand(yes)?;
                self.with_mask(three(code, to, no, yes)?, choice, false);
            }
            Step::Keep(choice, value) => {
                let choice = self.mask(choice);
                let value = self.vector(value, OPERAND)?;
                let instruction = Instruction::with2(Code::EVEX_Vmovaps_zmm_k1z_zmmm512, to, value)?;
                self.with_mask(instruction, choice, true);
            }
        }
        Ok(())
    }
}

/// The instruction and the number that says how it rounds.
fn one(op: One) -> (Code, Option<i32>) {
    match op {
        One::Sqrt => (Code::EVEX_Vsqrtps_zmm_k1z_zmmm512b32_er, None),
        // Down, and no word of it.
        One::Floor => (Code::EVEX_Vrndscaleps_zmm_k1z_zmmm512b32_imm8_sae, Some(9)),
        One::ToIndex => (Code::EVEX_Vcvttps2dq_zmm_k1z_zmmm512b32_sae, None),
        One::FromIndex => (Code::EVEX_Vcvtdq2ps_zmm_k1z_zmmm512b32_er, None),
    }
}

fn two(op: Two) -> Code {
    match op {
        Two::Add => Code::EVEX_Vaddps_zmm_k1z_zmm_zmmm512b32_er,
        Two::Subtract => Code::EVEX_Vsubps_zmm_k1z_zmm_zmmm512b32_er,
        Two::Multiply => Code::EVEX_Vmulps_zmm_k1z_zmm_zmmm512b32_er,
        Two::Divide => Code::EVEX_Vdivps_zmm_k1z_zmm_zmmm512b32_er,
        Two::Scale => Code::EVEX_Vscalefps_zmm_k1z_zmm_zmmm512b32_er,
        Two::Min => Code::EVEX_Vminps_zmm_k1z_zmm_zmmm512b32_sae,
        Two::Max => Code::EVEX_Vmaxps_zmm_k1z_zmm_zmmm512b32_sae,
        Two::AddIndex => Code::EVEX_Vpaddd_zmm_k1z_zmm_zmmm512b32,
        Two::SubtractIndex => Code::EVEX_Vpsubd_zmm_k1z_zmm_zmmm512b32,
        Two::MultiplyIndex => Code::EVEX_Vpmulld_zmm_k1z_zmm_zmmm512b32,
        Two::MinIndex => Code::EVEX_Vpminsd_zmm_k1z_zmm_zmmm512b32,
        Two::MaxIndex => Code::EVEX_Vpmaxsd_zmm_k1z_zmm_zmmm512b32,
        Two::And => Code::EVEX_Vpandd_zmm_k1z_zmm_zmmm512b32,
        Two::Or => Code::EVEX_Vpord_zmm_k1z_zmm_zmmm512b32,
        Two::Xor => Code::EVEX_Vpxord_zmm_k1z_zmm_zmmm512b32,
    }
}

/// The instruction and its predicate.
fn test(op: Test) -> (Code, i32) {
    const FLOAT: Code = Code::EVEX_Vcmpps_kr_k1_zmm_zmmm512b32_imm8_sae;
    const INDEX: Code = Code::EVEX_Vpcmpd_kr_k1_zmm_zmmm512b32_imm8;
    match op {
        Test::Equal => (FLOAT, 0x00),
        Test::NotEqual => (FLOAT, 0x04),
        Test::Less => (FLOAT, 0x11),
        Test::LessEqual => (FLOAT, 0x12),
        Test::Unordered => (FLOAT, 0x03),
        Test::EqualIndex => (INDEX, 0),
        Test::NotEqualIndex => (INDEX, 4),
        Test::LessIndex => (INDEX, 1),
        Test::LessEqualIndex => (INDEX, 2),
    }
}
