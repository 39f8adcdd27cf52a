//! Groups of eight elements for AVX2. A mask is a vector, all ones where it is set.

use iced_x86::{Code, Instruction, MemoryOperand, Register};

use super::{COLUMN, CONSTANTS, Done, Emitter, Operand, TAIL, at, four, three, unary};
use crate::backend::cpu::native::lanes::{Both, Lane, One, Shift, Step, Test, Two};
use crate::backend::cpu::native::target::Target;

/// A vector for an operand that has to be in a register.
const OPERAND: u8 = Target::Avx2.operand();
const LANES: usize = Target::Avx2.lanes();

/// Eight of these numbers are a mask: those from the eighth back as many as there are elements.
pub(super) fn tails() -> Vec<u32> {
    [[u32::MAX; LANES], [0; LANES]].concat()
}

fn ymm(number: u8) -> Register {
    Register::YMM0 + u32::from(number)
}

/// The lower half of a vector.
fn low(vector: Register) -> Register {
    Register::XMM0 + (vector as u32 - Register::YMM0 as u32)
}

/// An element of a stream that is so many bytes behind the column.
fn element(pointer: Register, bytes: u32, behind: i64) -> MemoryOperand {
    MemoryOperand::with_base_index_scale_displ_size(pointer, COLUMN, bytes, behind, 1)
}

impl Emitter<'_> {
    /// Writes the mask of the elements that are left to the stack.
    pub(super) fn mask_rest_avx2(&mut self) -> Done {
        let mask = ymm(OPERAND);
        self.push(Instruction::with2(Code::Mov_r32_imm32, Register::EAX, LANES as i32)?);
        self.push(Instruction::with2(Code::Sub_r32_rm32, Register::EAX, Register::EBX)?);
        let from = MemoryOperand::with_base_index_scale(CONSTANTS, Register::RAX, 4);
        self.push(Instruction::with2(Code::VEX_Vmovups_ymm_ymmm256, mask, from)?);
        self.push(Instruction::with2(Code::VEX_Vmovaps_ymmm256_ymm, at(Register::RSP, TAIL), mask)?);
        Ok(())
    }

    fn new_label(&mut self) -> u64 {
        self.labels += 1;
        self.labels
    }

    /// Does something with each of the elements that are left, the last one first.
    fn each_left(&mut self, mut each: impl FnMut(&mut Self, i32) -> Done) -> Done {
        for element in (0..LANES as i32 - 1).rev() {
            let next = self.new_label();
            self.push(Instruction::with2(Code::Cmp_rm32_imm8, Register::EBX, element)?);
            self.branch(Code::Jbe_rel32_64, next)?;
            each(self, element)?;
            self.label = Some(next);
        }
        // Something for the label to stand at.
        self.push(Instruction::with(Code::Nopd));
        Ok(())
    }

    fn load_truths(&mut self, to: Register, stream: u16, is_rest: bool) -> Done {
        let from = self.pointer(stream)?;
        let zero = ymm(OPERAND);
        if is_rest {
            let bytes = low(to);
            self.push(Instruction::with3(Code::VEX_Vpxor_xmm_xmm_xmmm128, bytes, bytes, bytes)?);
            self.each_left(|emitter, at| {
                let byte = element(from, 1, i64::from(at));
                let insert = Code::VEX_Vpinsrb_xmm_xmm_r32m8_imm8;
                emitter.push(Instruction::with4(insert, bytes, bytes, byte, at)?);
                Ok(())
            })?;
            self.push(Instruction::with2(Code::VEX_Vpmovzxbd_ymm_xmmm64, to, bytes)?);
        } else {
            self.push(Instruction::with2(Code::VEX_Vpmovzxbd_ymm_xmmm64, to, element(from, 1, 0))?);
        }
        self.push(Instruction::with3(Code::VEX_Vpxor_ymm_ymm_ymmm256, zero, zero, zero)?);
        self.push(Instruction::with3(Code::VEX_Vpcmpgtd_ymm_ymm_ymmm256, to, to, zero)?);
        Ok(())
    }

    /// Writes a mask as bytes that are 1 or 0.
    fn store_truths(&mut self, mask: Lane, stream: u16, is_rest: bool) -> Done {
        let mask = self.vector(mask, OPERAND)?;
        let bytes = Register::XMM15;
        self.push(Instruction::with3(Code::VEX_Vextracti128_xmmm128_ymm_imm8, bytes, mask, 1)?);
        self.push(Instruction::with3(Code::VEX_Vpackssdw_xmm_xmm_xmmm128, bytes, low(mask), bytes)?);
        self.push(Instruction::with3(Code::VEX_Vpacksswb_xmm_xmm_xmmm128, bytes, bytes, bytes)?);
        self.push(Instruction::with2(Code::VEX_Vpabsb_xmm_xmmm128, bytes, bytes)?);
        let to = self.pointer(stream)?;
        if is_rest {
            return self.each_left(|emitter, at| {
                let (code, place) = (Code::VEX_Vpextrb_r32m8_xmm_imm8, element(to, 1, i64::from(at)));
                emitter.push(Instruction::with3(code, place, bytes, at)?);
                Ok(())
            });
        }
        self.push(Instruction::with2(Code::VEX_Vmovq_xmmm64_xmm, element(to, 1, 0), bytes)?);
        Ok(())
    }

    /// The elements that are left: four, two and one of them as their number says. Stores under a mask are slow on some machines.
    fn store_rest(&mut self, value: Lane, stream: u16) -> Done {
        let (whole, part) = (Register::YMM15, Register::XMM15);
        self.load(whole, value)?;
        let to = element(self.pointer(stream)?, 4, 0);
        for (count, code) in [
            (4, Code::VEX_Vmovups_xmmm128_xmm),
            (2, Code::VEX_Vmovlps_m64_xmm),
            (1, Code::VEX_Vmovss_m32_xmm),
        ] {
            let next = self.new_label();
            self.push(Instruction::with2(Code::Test_rm32_imm32, Register::EBX, count)?);
            self.branch(Code::Je_rel32_64, next)?;
            self.push(Instruction::with2(code, to, part)?);
            match count {
                4 => self.push(Instruction::with3(Code::VEX_Vextractf128_xmmm128_ymm_imm8, part, whole, 1)?),
                2 => self.push(Instruction::with3(Code::VEX_Vmovhlps_xmm_xmm_xmm, part, part, part)?),
                _ => {}
            }
            self.push(Instruction::with2(Code::Add_rm32_imm8, Register::ECX, count)?);
            self.label = Some(next);
        }
        // Back to where these elements begin.
        self.push(Instruction::with2(Code::Sub_r32_rm32, Register::ECX, Register::EBX)?);
        Ok(())
    }

    pub(super) fn stores_avx2(&mut self, is_rest: bool) -> Done {
        for (value, stream) in &self.lanes.stores {
            if self.lanes.steps[value.0 as usize].is_mask() {
                self.store_truths(*value, *stream, is_rest)?;
            } else if is_rest {
                self.store_rest(*value, *stream)?;
            } else {
                let value = self.vector(*value, OPERAND)?;
                let to = element(self.pointer(*stream)?, 4, 0);
                let code = match self.is_streamed(*stream) {
                    true => Code::VEX_Vmovntps_m256_ymm,
                    false => Code::VEX_Vmovups_ymmm256_ymm,
                };
                self.push(Instruction::with2(code, to, value)?);
            }
        }
        Ok(())
    }

    /// `to` is no operand, except that a sum may grow where its first factor was.
    pub(super) fn step_avx2(&mut self, step: Step, to: Register, is_rest: bool) -> Done {
        match step {
            Step::Constant(_) | Step::Spread(_) => {}
            Step::Load(stream) => {
                let from = element(self.pointer(stream)?, 4, 0);
                if is_rest {
                    let tail = at(Register::RSP, TAIL);
                    self.push(Instruction::with2(Code::VEX_Vmovaps_ymm_ymmm256, to, tail)?);
                    self.push(Instruction::with3(Code::VEX_Vmaskmovps_ymm_ymm_m256, to, to, from)?);
                } else {
                    self.push(Instruction::with2(Code::VEX_Vmovups_ymm_ymmm256, to, from)?);
                }
            }
            Step::LoadMask(stream) => self.load_truths(to, stream, is_rest)?,
            Step::SpreadMask(stream) => {
                let (from, zero) = (at(self.pointer(stream)?, 0), ymm(OPERAND));
                self.push(Instruction::with2(Code::VEX_Vpbroadcastb_ymm_xmmm8, to, from)?);
                self.push(Instruction::with3(Code::VEX_Vpxor_ymm_ymm_ymmm256, zero, zero, zero)?);
                self.push(Instruction::with3(Code::VEX_Vpcmpgtb_ymm_ymm_ymmm256, to, to, zero)?);
            }
            Step::One(op, a) => {
                let a = self.operand(a)?;
                let (code, how) = one(op);
                self.push(unary(code, to, a, how)?);
            }
            Step::Two(op, a, b) => match two(op) {
                Some(code) => self.binary(code, op.commutes(), to, [a, b])?,
                None => self.scale(to, a, b)?,
            },
            Step::MultiplyAdd(a, b, c) => self.multiply_add(to, a, b, c)?,
            Step::Shift(op, a, bits) => {
                let a = self.vector(a, OPERAND)?;
                let code = match op {
                    Shift::Left => Code::VEX_Vpslld_ymm_ymm_imm8,
                    Shift::Right => Code::VEX_Vpsrad_ymm_ymm_imm8,
                };
                self.push(Instruction::with3(code, to, a, i32::from(bits))?);
            }
            Step::Test(op, a, b) => self.test(op, to, a, b)?,
            Step::Not(a) => {
                let a = self.vector(a, OPERAND)?;
                self.invert(to, a)?;
            }
            Step::Both(op, a, b) => {
                let (code, commutes) = match op {
                    Both::And => (Code::VEX_Vandps_ymm_ymm_ymmm256, true),
                    Both::Or => (Code::VEX_Vorps_ymm_ymm_ymmm256, true),
                    Both::Xor => (Code::VEX_Vxorps_ymm_ymm_ymmm256, true),
                    Both::AndNot => (Code::VEX_Vandnps_ymm_ymm_ymmm256, false),
                };
                self.binary(code, commutes, to, [a, b])?;
            }
            Step::Choose(choice, yes, no) => {
                let no = self.vector(no, OPERAND)?;
                let choice = match self.has_register(choice) {
                    true => self.vector(choice, OPERAND)?,
                    false => {
                        self.load(to, choice)?;
                        to
                    }
                };
                let code = Code::VEX_Vblendvps_ymm_ymm_ymmm256_ymm;
                let instruction = match self.operand(yes)? {
                    Operand::Register(yes) => Instruction::with4(code, to, no, yes, choice)?,
                    Operand::Memory(yes) => Instruction::with4(code, to, no, yes, choice)?,
                };
                self.push(instruction);
            }
            Step::Keep(choice, value) => {
                self.binary(Code::VEX_Vandps_ymm_ymm_ymmm256, true, to, [choice, value])?;
            }
        }
        Ok(())
    }

    fn binary(&mut self, code: Code, commutes: bool, to: Register, [a, b]: [Lane; 2]) -> Done {
        let swap = commutes && !self.has_register(a) && self.has_register(b);
        let (a, b) = if swap { (b, a) } else { (a, b) };
        let a = self.vector(a, OPERAND)?;
        let b = self.operand(b)?;
        self.push(three(code, to, a, b)?);
        Ok(())
    }

    /// `a * 2^power` in two factors, so that subnormal results are reached, as in `single.rs`.
    fn scale(&mut self, to: Register, a: Lane, power: Lane) -> Done {
        let other = ymm(OPERAND);
        let power = self.operand(power)?;
        self.push(unary(Code::VEX_Vcvttps2dq_ymm_ymmm256, other, power, None)?);
        self.push(Instruction::with3(Code::VEX_Vpsrad_ymm_ymm_imm8, to, other, 1)?);
        self.push(Instruction::with3(Code::VEX_Vpsubd_ymm_ymm_ymmm256, other, other, to)?);
        let bias = at(CONSTANTS, self.constant(127));
        for exponent in [to, other] {
            self.push(Instruction::with3(Code::VEX_Vpaddd_ymm_ymm_ymmm256, exponent, exponent, bias)?);
            self.push(Instruction::with3(Code::VEX_Vpslld_ymm_ymm_imm8, exponent, exponent, 23)?);
        }
        let a = self.operand(a)?;
        self.push(three(Code::VEX_Vmulps_ymm_ymm_ymmm256, to, to, a)?);
        self.push(Instruction::with3(Code::VEX_Vmulps_ymm_ymm_ymmm256, to, to, other)?);
        Ok(())
    }

    fn invert(&mut self, to: Register, from: Register) -> Done {
        let ones = at(CONSTANTS, self.constant(u32::MAX));
        self.push(Instruction::with3(Code::VEX_Vxorps_ymm_ymm_ymmm256, to, from, ones)?);
        Ok(())
    }

    fn test(&mut self, op: Test, to: Register, a: Lane, b: Lane) -> Done {
        let how = match op {
            Test::Equal => 0x00,
            Test::NotEqual => 0x04,
            Test::Less => 0x11,
            Test::LessEqual => 0x12,
            Test::Unordered => 0x03,
            Test::EqualIndex => return self.binary(Code::VEX_Vpcmpeqd_ymm_ymm_ymmm256, true, to, [a, b]),
            Test::NotEqualIndex => {
                self.binary(Code::VEX_Vpcmpeqd_ymm_ymm_ymmm256, true, to, [a, b])?;
                return self.invert(to, to);
            }
            Test::LessIndex => {
                return self.binary(Code::VEX_Vpcmpgtd_ymm_ymm_ymmm256, false, to, [b, a]);
            }
            Test::LessEqualIndex => {
                self.binary(Code::VEX_Vpcmpgtd_ymm_ymm_ymmm256, false, to, [a, b])?;
                return self.invert(to, to);
            }
        };
        let a = self.vector(a, OPERAND)?;
        let b = self.operand(b)?;
        self.push(four(Code::VEX_Vcmpps_ymm_ymm_ymmm256_imm8, to, a, b, how)?);
        Ok(())
    }
}

/// The instruction and the number that says how it rounds.
fn one(op: One) -> (Code, Option<i32>) {
    match op {
        One::Sqrt => (Code::VEX_Vsqrtps_ymm_ymmm256, None),
        // Down, and no word of it.
        One::Floor => (Code::VEX_Vroundps_ymm_ymmm256_imm8, Some(9)),
        One::ToIndex => (Code::VEX_Vcvttps2dq_ymm_ymmm256, None),
        One::FromIndex => (Code::VEX_Vcvtdq2ps_ymm_ymmm256, None),
    }
}

/// Nothing where it takes more than one.
fn two(op: Two) -> Option<Code> {
    Some(match op {
        Two::Scale => return None,
        Two::Add => Code::VEX_Vaddps_ymm_ymm_ymmm256,
        Two::Subtract => Code::VEX_Vsubps_ymm_ymm_ymmm256,
        Two::Multiply => Code::VEX_Vmulps_ymm_ymm_ymmm256,
        Two::Divide => Code::VEX_Vdivps_ymm_ymm_ymmm256,
        Two::Min => Code::VEX_Vminps_ymm_ymm_ymmm256,
        Two::Max => Code::VEX_Vmaxps_ymm_ymm_ymmm256,
        Two::AddIndex => Code::VEX_Vpaddd_ymm_ymm_ymmm256,
        Two::SubtractIndex => Code::VEX_Vpsubd_ymm_ymm_ymmm256,
        Two::MultiplyIndex => Code::VEX_Vpmulld_ymm_ymm_ymmm256,
        Two::MinIndex => Code::VEX_Vpminsd_ymm_ymm_ymmm256,
        Two::MaxIndex => Code::VEX_Vpmaxsd_ymm_ymm_ymmm256,
        Two::And => Code::VEX_Vandps_ymm_ymm_ymmm256,
        Two::Or => Code::VEX_Vorps_ymm_ymm_ymmm256,
        Two::Xor => Code::VEX_Vxorps_ymm_ymm_ymmm256,
    })
}
