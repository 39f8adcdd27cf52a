//! Machine code of programs over lanes, for AVX-512.
//!
//! In: a program and its registers. Out: the instructions of a function `(table, rows, width, constants, blocks)`, see [`super::Entry`]. It
//! goes through blocks of rows of `width` elements, sixteen at a time, the last ones under a mask. All stores of a group come after all its
//! loads, so a result may lie where an operand was.

mod sum;

use iced_x86::{
    BlockEncoder, BlockEncoderOptions, Code, IcedError, Instruction, InstructionBlock, MemoryOperand,
    Register,
};

use super::lanes::{Both, Lane, Lanes, One, Shift, Step, Test, Two};
use super::registers::{Place, Registers};

const TABLE: Register = Register::RDI;
const ROWS: Register = Register::RSI;
const WIDTH: Register = Register::RDX;
const COLUMN: Register = Register::RCX;
/// The last column from which sixteen elements are left.
const LIMIT: Register = Register::RBP;
const CONSTANTS: Register = Register::R15;
/// Pointers of streams that are used most.
const POINTERS: [Register; 7] =
    [Register::R8, Register::R9, Register::R10, Register::R11, Register::R12, Register::R13, Register::R14];
const SAVED: [Register; 6] =
    [Register::RBX, Register::RBP, Register::R12, Register::R13, Register::R14, Register::R15];
/// Bytes of an entry of the table: a pointer, and how far it moves from row to row and from block to block.
const ENTRY: i64 = 24;
const BLOCKS: Register = Register::R8;

const LANES: i32 = 16;

/// Code that runs wherever it lies, and the constants that it reads.
pub struct Assembled {
    pub code: Vec<u8>,
    pub constants: Vec<u32>,
}

pub fn emit(lanes: &Lanes, registers: &Registers) -> Option<Assembled> {
    let mut emitter = Emitter {
        lanes,
        registers,
        code: Vec::new(),
        label: None,
        constants: Vec::new(),
        pinned: Vec::new(),
    };
    emitter.function().ok()?;
    let block = InstructionBlock::new(&emitter.code, 0);
    let encoded = BlockEncoder::encode(64, block, BlockEncoderOptions::NONE).ok()?;
    Some(Assembled { code: encoded.code_buffer, constants: emitter.constants })
}

struct Emitter<'a> {
    lanes: &'a Lanes,
    registers: &'a Registers,
    code: Vec<Instruction>,
    /// Of the next instruction.
    label: Option<u64>,
    constants: Vec<u32>,
    /// Streams whose pointers have registers.
    pinned: Vec<u16>,
}

/// The last operand of an instruction.
enum Operand {
    Register(Register),
    Memory(MemoryOperand),
}

type Done = Result<(), IcedError>;

/// Labels: the addresses that branches name.
const ROW: u64 = 1;
const GROUP: u64 = 2;
const REST: u64 = 3;
const NEXT: u64 = 4;
const BLOCK: u64 = 5;
const END: u64 = 6;

fn zmm(number: u8) -> Register {
    Register::ZMM0 + u32::from(number)
}

fn mask(number: u8) -> Register {
    Register::K0 + u32::from(number)
}

fn at(base: Register, displacement: i64) -> MemoryOperand {
    MemoryOperand::with_base_displ(base, displacement)
}

fn spread(base: Register, displacement: i64) -> MemoryOperand {
    MemoryOperand::with_base_displ_bcst_seg(base, displacement, true, Register::None)
}

impl Emitter<'_> {
    fn push(&mut self, mut instruction: Instruction) {
        if let Some(label) = self.label.take() {
            instruction.set_ip(label);
        }
        self.code.push(instruction);
    }

    fn branch(&mut self, code: Code, label: u64) -> Done {
        let branch = Instruction::with_branch(code, label)?;
        self.push(branch);
        Ok(())
    }

    fn constant(&mut self, bits: u32) -> i64 {
        let known = self.constants.iter().position(|constant| *constant == bits);
        let place = known.unwrap_or_else(|| {
            self.constants.push(bits);
            self.constants.len() - 1
        });
        4 * place as i64
    }

    /// The streams that are read or written, those of whole rows first.
    fn streams(&self) -> Vec<u16> {
        let mut streams: Vec<(bool, u16)> =
            self.lanes.stores.iter().map(|(_, stream)| (false, *stream)).collect();
        streams.extend(self.lanes.sum.map(|(_, stream, _)| (true, stream)));
        for step in &self.lanes.steps {
            match step {
                Step::Load(stream) | Step::LoadMask(stream) => streams.push((false, *stream)),
                Step::Spread(stream) | Step::SpreadMask(stream) => streams.push((true, *stream)),
                _ => {}
            }
        }
        streams.sort_unstable();
        streams.dedup();
        streams.into_iter().map(|(_, stream)| stream).collect()
    }

    fn function(&mut self) -> Done {
        let streams = self.streams();
        self.pinned = streams.iter().copied().take(POINTERS.len()).collect();
        for register in SAVED {
            self.push(Instruction::with1(Code::Push_r64, register)?);
        }
        // On the stack: the rows of a block, and above them the blocks that are left.
        self.push(Instruction::with1(Code::Push_r64, BLOCKS)?);
        self.push(Instruction::with1(Code::Push_r64, ROWS)?);
        self.push(Instruction::with2(Code::Mov_r64_rm64, CONSTANTS, COLUMN)?);
        for (register, stream) in POINTERS.into_iter().zip(self.pinned.clone()) {
            let place = at(TABLE, ENTRY * i64::from(stream));
            self.push(Instruction::with2(Code::Mov_r64_rm64, register, place)?);
        }
        self.push(Instruction::with2(Code::Lea_r64_m, LIMIT, at(WIDTH, -i64::from(LANES)))?);
        self.held(false)?;
        self.label = Some(ROW);
        self.push(Instruction::with2(Code::Xor_r32_rm32, Register::ECX, Register::ECX)?);
        self.held(true)?;
        for sum in self.sums() {
            self.push(Instruction::with3(Code::EVEX_Vpxord_zmm_k1z_zmm_zmmm512b32, sum, sum, sum)?);
        }
        self.push(Instruction::with2(Code::Cmp_rm64_imm8, WIDTH, LANES)?);
        self.branch(Code::Jb_rel32_64, REST)?;
        self.label = Some(GROUP);
        self.group(false)?;
        self.push(Instruction::with2(Code::Add_rm64_imm8, COLUMN, LANES)?);
        self.push(Instruction::with2(Code::Cmp_r64_rm64, COLUMN, LIMIT)?);
        self.branch(Code::Jle_rel32_64, GROUP)?;
        self.label = Some(REST);
        self.push(Instruction::with2(Code::Mov_r32_rm32, Register::EBX, Register::EDX)?);
        self.push(Instruction::with2(Code::Sub_r32_rm32, Register::EBX, Register::ECX)?);
        self.branch(Code::Je_rel32_64, NEXT)?;
        self.push(Instruction::with2(Code::Mov_r32_imm32, Register::EAX, -1)?);
        self.push(Instruction::with3(
            Code::VEX_Bzhi_r32_rm32_r32,
            Register::EAX,
            Register::EAX,
            Register::EBX,
        )?);
        self.push(Instruction::with2(Code::VEX_Kmovw_kr_r32, Register::K1, Register::EAX)?);
        self.group(true)?;
        self.label = Some(NEXT);
        self.store_sum()?;
        self.push(Instruction::with1(Code::Dec_rm64, ROWS)?);
        self.finish(&streams)
    }

    /// The end of a row: pointers move on to the next one, to the next block, or the function ends.
    fn finish(&mut self, streams: &[u16]) -> Done {
        self.branch(Code::Je_rel32_64, BLOCK)?;
        self.advance(streams, 8)?;
        self.branch(Code::Jmp_rel32_64, ROW)?;
        self.label = Some(BLOCK);
        self.push(Instruction::with1(Code::Dec_rm64, at(Register::RSP, 8))?);
        self.branch(Code::Je_rel32_64, END)?;
        self.push(Instruction::with2(Code::Mov_r64_rm64, ROWS, at(Register::RSP, 0))?);
        self.advance(streams, 16)?;
        self.branch(Code::Jmp_rel32_64, ROW)?;
        self.label = Some(END);
        self.push(Instruction::with(Code::VEX_Vzeroupper));
        self.push(Instruction::with2(Code::Add_rm64_imm8, Register::RSP, 16)?);
        for register in SAVED.into_iter().rev() {
            self.push(Instruction::with1(Code::Pop_r64, register)?);
        }
        self.push(Instruction::with(Code::Retnq));
        Ok(())
    }

    /// Moves every pointer on by what stands in its entry, so many bytes behind the pointer.
    fn advance(&mut self, streams: &[u16], behind: i64) -> Done {
        for stream in streams {
            let entry = ENTRY * i64::from(*stream);
            let stride = at(TABLE, entry + behind);
            match self.pinned.iter().position(|pinned| pinned == stream) {
                Some(number) => {
                    self.push(Instruction::with2(Code::Add_r64_rm64, POINTERS[number], stride)?);
                }
                None => {
                    self.push(Instruction::with2(Code::Mov_r64_rm64, Register::RAX, stride)?);
                    self.push(Instruction::with2(Code::Add_rm64_r64, at(TABLE, entry), Register::RAX)?);
                }
            }
        }
        Ok(())
    }

    /// Fills the registers of what is the same for a row; constants before the first row.
    fn held(&mut self, of_rows: bool) -> Done {
        for lane in &self.registers.held {
            let step = self.lanes.steps[lane.0 as usize];
            if matches!(step, Step::Constant(_)) == of_rows {
                continue;
            }
            let Place::Vector(register) = self.registers.places[lane.0 as usize] else { continue };
            self.broadcast(zmm(register), step)?;
        }
        Ok(())
    }

    fn broadcast(&mut self, to: Register, step: Step) -> Done {
        let from = match step {
            Step::Constant(bits) => at(CONSTANTS, self.constant(bits)),
            Step::Spread(stream) => at(self.pointer(stream)?, 0),
            _ => return Ok(()),
        };
        self.push(Instruction::with2(Code::EVEX_Vbroadcastss_zmm_k1z_xmmm32, to, from)?);
        Ok(())
    }

    /// A register with a stream's pointer.
    fn pointer(&mut self, stream: u16) -> Result<Register, IcedError> {
        if let Some(number) = self.pinned.iter().position(|pinned| *pinned == stream) {
            return Ok(POINTERS[number]);
        }
        let place = at(TABLE, ENTRY * i64::from(stream));
        self.push(Instruction::with2(Code::Mov_r64_rm64, Register::RAX, place)?);
        Ok(Register::RAX)
    }

    fn place(&self, lane: Lane) -> Place {
        self.registers.places[lane.0 as usize]
    }

    /// A register with the vector, `spare` if it has none of its own.
    fn vector(&mut self, lane: Lane, spare: u8) -> Result<Register, IcedError> {
        if let Place::Vector(register) = self.place(lane) {
            return Ok(zmm(register));
        }
        self.broadcast(zmm(spare), self.lanes.steps[lane.0 as usize])?;
        Ok(zmm(spare))
    }

    fn operand(&mut self, lane: Lane) -> Result<Operand, IcedError> {
        if let Place::Vector(register) = self.place(lane) {
            return Ok(Operand::Register(zmm(register)));
        }
        Ok(Operand::Memory(match self.lanes.steps[lane.0 as usize] {
            Step::Spread(stream) => spread(self.pointer(stream)?, 0),
            Step::Constant(bits) => spread(CONSTANTS, self.constant(bits)),
            _ => return Ok(Operand::Register(zmm(0))),
        }))
    }

    fn mask(&self, lane: Lane) -> Register {
        match self.place(lane) {
            Place::Mask(register) => mask(register),
            _ => Register::K0,
        }
    }

    fn with_mask(&mut self, mut instruction: Instruction, mask: Register, zeroing: bool) {
        instruction.set_op_mask(mask);
        instruction.set_zeroing_masking(zeroing);
        self.push(instruction);
    }

    /// Sixteen elements; `is_rest`: only those under mask 1.
    fn group(&mut self, is_rest: bool) -> Done {
        for (number, step) in self.lanes.steps.iter().enumerate() {
            if !step.is_invariant() {
                self.step(*step, self.registers.places[number], is_rest)?;
            }
        }
        self.add_to_sum(is_rest)?;
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
            let value = self.vector(*value, 30)?;
            let to = MemoryOperand::with_base_index_scale(self.pointer(*stream)?, COLUMN, 4);
            let store = Instruction::with2(Code::EVEX_Vmovups_zmmm512_k1z_zmm, to, value)?;
            self.with_mask(store, tail, false);
        }
        Ok(())
    }

    fn step(&mut self, step: Step, to: Place, is_rest: bool) -> Done {
        let to = match to {
            Place::Vector(register) => zmm(register),
            Place::Mask(register) => mask(register),
            Place::Memory => return Ok(()),
        };
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
                match one(op) {
                    (code, None) => self.unary(code, to, a)?,
                    (code, Some(how)) => {
                        let instruction = match a {
                            Operand::Register(a) => Instruction::with3(code, to, a, how)?,
                            Operand::Memory(a) => Instruction::with3(code, to, a, how)?,
                        };
                        self.push(instruction);
                    }
                }
            }
            Step::Two(op, a, b) => {
                let swap = op.commutes() && self.place(a) == Place::Memory && self.place(b) != Place::Memory;
                let (a, b) = if swap { (b, a) } else { (a, b) };
                let a = self.vector(a, 30)?;
                let instruction = match self.operand(b)? {
                    Operand::Register(b) => Instruction::with3(two(op), to, a, b)?,
                    Operand::Memory(b) => Instruction::with3(two(op), to, a, b)?,
                };
                self.push(instruction);
            }
            Step::MultiplyAdd(a, b, c) => {
                match self.place(a) {
                    Place::Vector(register) if zmm(register) == to => {}
                    Place::Vector(register) => {
                        let from = zmm(register);
                        self.push(Instruction::with2(Code::EVEX_Vmovaps_zmm_k1z_zmmm512, to, from)?);
                    }
                    _ => self.broadcast(to, self.lanes.steps[a.0 as usize])?,
                }
                // The number at the end of an instruction's name says which of its operands are multiplied.
                let product_last = self.place(b) == Place::Memory && self.place(c) != Place::Memory;
                let (code, middle, last) = match product_last {
                    true => (Code::EVEX_Vfmadd132ps_zmm_k1z_zmm_zmmm512b32_er, c, b),
                    false => (Code::EVEX_Vfmadd213ps_zmm_k1z_zmm_zmmm512b32_er, b, c),
                };
                let middle = self.vector(middle, 30)?;
                let instruction = match self.operand(last)? {
                    Operand::Register(last) => Instruction::with3(code, to, middle, last)?,
                    Operand::Memory(last) => Instruction::with3(code, to, middle, last)?,
                };
                self.push(instruction);
            }
            Step::Shift(op, a, bits) => {
                let a = self.vector(a, 30)?;
                let code = match op {
                    Shift::Left => Code::EVEX_Vpslld_zmm_k1z_zmmm512b32_imm8,
                    Shift::Right => Code::EVEX_Vpsrad_zmm_k1z_zmmm512b32_imm8,
                };
                self.push(Instruction::with3(code, to, a, i32::from(bits))?);
            }
            Step::Test(op, a, b) => {
                let (code, how) = test(op);
                let a = self.vector(a, 30)?;
                let instruction = match self.operand(b)? {
                    Operand::Register(b) => Instruction::with4(code, to, a, b, how)?,
                    Operand::Memory(b) => Instruction::with4(code, to, a, b, how)?,
                };
                self.push(instruction);
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
                let no = self.vector(no, 30)?;
                let code = Code::EVEX_Vblendmps_zmm_k1z_zmm_zmmm512b32;
                let instruction = match self.operand(yes)? {
                    Operand::Register(yes) => Instruction::with3(code, to, no, yes)?,
                    Operand::Memory(yes) => Instruction::with3(code, to, no, yes)?,
                };
                self.with_mask(instruction, choice, false);
            }
            Step::Keep(choice, value) => {
                let choice = self.mask(choice);
                let value = self.vector(value, 30)?;
                let instruction = Instruction::with2(Code::EVEX_Vmovaps_zmm_k1z_zmmm512, to, value)?;
                self.with_mask(instruction, choice, true);
            }
        }
        Ok(())
    }

    fn unary(&mut self, code: Code, to: Register, a: Operand) -> Done {
        let instruction = match a {
            Operand::Register(a) => Instruction::with2(code, to, a)?,
            Operand::Memory(a) => Instruction::with2(code, to, a)?,
        };
        self.push(instruction);
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
