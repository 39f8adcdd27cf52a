//! Machine code of programs over lanes.
//!
//! In: a program, its registers and the machine it is for. Out: the instructions of a function `(table, rows, width, constants, blocks)`,
//! see [`super::Entry`]. It goes through blocks of rows of `width` elements, a vector at a time, the last ones apart. All stores of a group
//! come after all its loads, so a result may lie where an operand was.
//!
//! Here is what goes around the groups; what computes one is in a file for each kind of machine.

mod avx2;
mod avx512;
mod sum;

use iced_x86::{
    BlockEncoder, BlockEncoderOptions, Code, IcedError, Instruction, InstructionBlock, MemoryOperand,
    Register,
};

use super::lanes::{Lane, Lanes, Step};
use super::registers::{Place, Registers};
use super::target::Target;

const TABLE: Register = Register::RDI;
const ROWS: Register = Register::RSI;
const WIDTH: Register = Register::RDX;
const COLUMN: Register = Register::RCX;
/// The last column from which a whole vector is left.
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

/// What lies on the stack, in bytes from its top: the rows of a block, the blocks that are left, where the stack was, for AVX2 the mask of
/// the last group of a row and its sum, and results.
const BLOCK_ROWS: i64 = 0;
const BLOCKS_LEFT: i64 = 8;
const STACK_BEFORE: i64 = 16;
const TAIL: i64 = 32;
const SUM: i64 = 64;
const RESULTS: i64 = 320;
/// The widest vector, which results on the stack are aligned to.
const SLOT: i64 = 64;

/// Code that runs wherever it lies, and the constants that it reads.
pub struct Assembled {
    pub code: Vec<u8>,
    pub constants: Vec<u32>,
}

pub fn emit(lanes: &Lanes, registers: &Registers, target: Target) -> Option<Assembled> {
    let mut emitter = Emitter {
        target,
        lanes,
        registers,
        code: Vec::new(),
        label: None,
        labels: END,
        constants: Vec::new(),
        before: Vec::new(),
        pinned: Vec::new(),
    };
    if target == Target::Avx2 {
        emitter.before = avx2::tails();
    }
    emitter.function().ok()?;
    let block = InstructionBlock::new(&emitter.code, 0);
    let encoded = BlockEncoder::encode(64, block, BlockEncoderOptions::NONE).ok()?;
    let mut constants = emitter.before;
    for constant in emitter.constants {
        constants.extend(std::iter::repeat_n(constant, copies(target)));
    }
    Some(Assembled { code: encoded.code_buffer, constants })
}

/// How often a constant is written: AVX2 reads no single number as a vector.
fn copies(target: Target) -> usize {
    match target {
        Target::Avx512 => 1,
        Target::Avx2 => target.lanes(),
    }
}

struct Emitter<'a> {
    target: Target,
    lanes: &'a Lanes,
    registers: &'a Registers,
    code: Vec<Instruction>,
    /// Of the next instruction.
    label: Option<u64>,
    /// The last label that was given.
    labels: u64,
    constants: Vec<u32>,
    /// What lies before the constants.
    before: Vec<u32>,
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
const WHOLE: u64 = 6;
const END: u64 = 7;

fn at(base: Register, displacement: i64) -> MemoryOperand {
    MemoryOperand::with_base_displ(base, displacement)
}

/// Where a result lies that has no register.
fn slot(number: u8) -> MemoryOperand {
    at(Register::RSP, RESULTS + SLOT * i64::from(number))
}

/// Instructions whose last operand may lie in memory, with a number that says how, if they need one.
fn unary(code: Code, to: Register, a: Operand, how: Option<i32>) -> Result<Instruction, IcedError> {
    match (a, how) {
        (Operand::Register(a), None) => Instruction::with2(code, to, a),
        (Operand::Memory(a), None) => Instruction::with2(code, to, a),
        (Operand::Register(a), Some(how)) => Instruction::with3(code, to, a, how),
        (Operand::Memory(a), Some(how)) => Instruction::with3(code, to, a, how),
    }
}

fn three(code: Code, to: Register, a: Register, b: Operand) -> Result<Instruction, IcedError> {
    match b {
        Operand::Register(b) => Instruction::with3(code, to, a, b),
        Operand::Memory(b) => Instruction::with3(code, to, a, b),
    }
}

fn four(code: Code, to: Register, a: Register, b: Operand, how: i32) -> Result<Instruction, IcedError> {
    match b {
        Operand::Register(b) => Instruction::with4(code, to, a, b, how),
        Operand::Memory(b) => Instruction::with4(code, to, a, b, how),
    }
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

    /// Where a constant lies behind its register.
    fn constant(&mut self, bits: u32) -> i64 {
        let known = self.constants.iter().position(|constant| *constant == bits);
        let place = known.unwrap_or_else(|| {
            self.constants.push(bits);
            self.constants.len() - 1
        });
        4 * (self.before.len() + copies(self.target) * place) as i64
    }

    /// The streams that are read or written, those of whole rows first.
    fn streams(&self) -> Vec<u16> {
        let mut streams: Vec<(bool, u16)> =
            self.lanes.stores.iter().map(|(_, stream)| (false, *stream)).collect();
        streams.extend(self.lanes.sum.map(|(_, stream, _)| (true, stream)));
        streams.extend(self.lanes.fetched.iter().map(|stream| (false, *stream)));
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
        let lanes = self.target.lanes() as i32;
        self.pinned = streams.iter().copied().take(POINTERS.len()).collect();
        self.enter()?;
        self.push(Instruction::with2(Code::Mov_r64_rm64, CONSTANTS, COLUMN)?);
        for (register, stream) in POINTERS.into_iter().zip(self.pinned.clone()) {
            let place = at(TABLE, ENTRY * i64::from(stream));
            self.push(Instruction::with2(Code::Mov_r64_rm64, register, place)?);
        }
        self.push(Instruction::with2(Code::Lea_r64_m, LIMIT, at(WIDTH, -i64::from(lanes)))?);
        self.held(false)?;
        self.label = Some(ROW);
        self.push(Instruction::with2(Code::Xor_r32_rm32, Register::ECX, Register::ECX)?);
        self.held(true)?;
        match self.target {
            Target::Avx512 => self.start_sum_avx512()?,
            Target::Avx2 => self.start_sum_avx2()?,
        }
        if let Some(stream) = self.lanes.streamed.first() {
            self.head(*stream)?;
        }
        self.push(Instruction::with2(Code::Cmp_r64_rm64, COLUMN, LIMIT)?);
        self.branch(Code::Jg_rel32_64, REST)?;
        self.label = Some(GROUP);
        self.group(false)?;
        self.push(Instruction::with2(Code::Add_rm64_imm8, COLUMN, lanes)?);
        self.push(Instruction::with2(Code::Cmp_r64_rm64, COLUMN, LIMIT)?);
        self.branch(Code::Jle_rel32_64, GROUP)?;
        self.label = Some(REST);
        self.push(Instruction::with2(Code::Mov_r32_rm32, Register::EBX, Register::EDX)?);
        self.push(Instruction::with2(Code::Sub_r32_rm32, Register::EBX, Register::ECX)?);
        self.branch(Code::Je_rel32_64, NEXT)?;
        self.part()?;
        self.label = Some(NEXT);
        match self.target {
            Target::Avx512 => self.store_sum_avx512()?,
            Target::Avx2 => self.store_sum_avx2()?,
        }
        self.push(Instruction::with1(Code::Dec_rm64, ROWS)?);
        self.finish(&streams)
    }

    /// So many elements as `ebx` says, fewer than a vector.
    fn part(&mut self) -> Done {
        match self.target {
            Target::Avx512 => self.mask_rest_avx512()?,
            Target::Avx2 => self.mask_rest_avx2()?,
        }
        self.group(true)
    }

    /// The elements up to the first vector that lies whole in a cache line: stores past the caches write no others.
    fn head(&mut self, streamed: u16) -> Done {
        let (address, left) = (Register::RAX, Register::EBX);
        let pointer = self.pointer(streamed)?;
        if pointer != address {
            self.push(Instruction::with2(Code::Mov_r64_rm64, address, pointer)?);
        }
        self.push(Instruction::with1(Code::Neg_rm64, address)?);
        self.push(Instruction::with2(Code::Mov_r32_rm32, left, Register::EAX)?);
        self.push(Instruction::with2(Code::And_rm32_imm8, left, 4 * self.target.lanes() as i32 - 1)?);
        self.push(Instruction::with2(Code::Shr_rm32_imm8, left, 2)?);
        self.branch(Code::Je_rel32_64, WHOLE)?;
        self.push(Instruction::with2(Code::Cmp_r32_rm32, left, Register::EDX)?);
        self.push(Instruction::with2(Code::Cmova_r32_rm32, left, Register::EDX)?);
        self.part()?;
        self.push(Instruction::with2(Code::Mov_r32_rm32, Register::ECX, left)?);
        self.label = Some(WHOLE);
        Ok(())
    }

    /// Whether a store goes past the caches.
    fn is_streamed(&self, stream: u16) -> bool {
        self.lanes.streamed.contains(&stream)
    }

    /// Saves registers and makes room on the stack.
    fn enter(&mut self) -> Done {
        for register in SAVED {
            self.push(Instruction::with1(Code::Push_r64, register)?);
        }
        let room = (RESULTS + SLOT * self.registers.slots as i64) as i32;
        self.push(Instruction::with2(Code::Mov_r64_rm64, Register::RAX, Register::RSP)?);
        self.push(Instruction::with2(Code::Sub_rm64_imm32, Register::RSP, room)?);
        self.push(Instruction::with2(Code::And_rm64_imm8, Register::RSP, -(SLOT as i32))?);
        for (place, register) in [(STACK_BEFORE, Register::RAX), (BLOCKS_LEFT, BLOCKS), (BLOCK_ROWS, ROWS)] {
            self.push(Instruction::with2(Code::Mov_rm64_r64, at(Register::RSP, place), register)?);
        }
        Ok(())
    }

    /// The end of a row: pointers move on to the next one, to the next block, or the function ends.
    fn finish(&mut self, streams: &[u16]) -> Done {
        self.branch(Code::Je_rel32_64, BLOCK)?;
        self.advance(streams, 8)?;
        self.branch(Code::Jmp_rel32_64, ROW)?;
        self.label = Some(BLOCK);
        self.push(Instruction::with1(Code::Dec_rm64, at(Register::RSP, BLOCKS_LEFT))?);
        self.branch(Code::Je_rel32_64, END)?;
        self.push(Instruction::with2(Code::Mov_r64_rm64, ROWS, at(Register::RSP, BLOCK_ROWS))?);
        self.advance(streams, 16)?;
        self.branch(Code::Jmp_rel32_64, ROW)?;
        self.label = Some(END);
        if !self.lanes.streamed.is_empty() {
            // Other threads see what went past the caches.
            self.push(Instruction::with(Code::Sfence));
        }
        self.push(Instruction::with(Code::VEX_Vzeroupper));
        self.push(Instruction::with2(Code::Mov_r64_rm64, Register::RSP, at(Register::RSP, STACK_BEFORE))?);
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

    /// Brings what is the same for a row to its place; constants before the first row.
    fn held(&mut self, of_rows: bool) -> Done {
        for lane in &self.registers.held {
            let step = self.lanes.steps[lane.0 as usize];
            if matches!(step, Step::Constant(_)) == of_rows {
                continue;
            }
            match self.registers.places[lane.0 as usize] {
                Place::Vector(register) => self.broadcast(self.target.vector(register), step)?,
                Place::Stack(number) => {
                    let spare = self.target.vector(self.target.spare());
                    self.broadcast(spare, step)?;
                    self.keep(number, spare)?;
                }
                Place::Mask(_) | Place::Memory => {}
            }
        }
        Ok(())
    }

    fn broadcast(&mut self, to: Register, step: Step) -> Done {
        let code = match (self.target, step) {
            (Target::Avx512, _) => Code::EVEX_Vbroadcastss_zmm_k1z_xmmm32,
            (Target::Avx2, Step::Constant(_)) => Code::VEX_Vmovups_ymm_ymmm256,
            (Target::Avx2, _) => Code::VEX_Vbroadcastss_ymm_m32,
        };
        let from = match step {
            Step::Constant(bits) => at(CONSTANTS, self.constant(bits)),
            Step::Spread(stream) => at(self.pointer(stream)?, 0),
            _ => return Ok(()),
        };
        self.push(Instruction::with2(code, to, from)?);
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

    fn has_register(&self, lane: Lane) -> bool {
        matches!(self.place(lane), Place::Vector(_))
    }

    /// The code that moves a whole vector between registers, or from memory, and the one that moves it to memory.
    fn moves(&self) -> (Code, Code) {
        match self.target {
            Target::Avx512 => (Code::EVEX_Vmovaps_zmm_k1z_zmmm512, Code::EVEX_Vmovaps_zmmm512_k1z_zmm),
            Target::Avx2 => (Code::VEX_Vmovaps_ymm_ymmm256, Code::VEX_Vmovaps_ymmm256_ymm),
        }
    }

    /// Writes a result to its place on the stack.
    fn keep(&mut self, number: u8, from: Register) -> Done {
        self.push(Instruction::with2(self.moves().1, slot(number), from)?);
        Ok(())
    }

    fn load(&mut self, to: Register, lane: Lane) -> Done {
        match self.place(lane) {
            Place::Vector(register) => {
                let from = self.target.vector(register);
                self.push(Instruction::with2(self.moves().0, to, from)?);
            }
            Place::Stack(number) => self.push(Instruction::with2(self.moves().0, to, slot(number))?),
            Place::Mask(_) | Place::Memory => self.broadcast(to, self.lanes.steps[lane.0 as usize])?,
        }
        Ok(())
    }

    /// A register with the vector, `spare` if it has none of its own.
    fn vector(&mut self, lane: Lane, spare: u8) -> Result<Register, IcedError> {
        if let Place::Vector(register) = self.place(lane) {
            return Ok(self.target.vector(register));
        }
        let spare = self.target.vector(spare);
        self.load(spare, lane)?;
        Ok(spare)
    }

    /// The vector wherever it is; AVX-512 spreads one number while it reads it.
    fn operand(&mut self, lane: Lane) -> Result<Operand, IcedError> {
        let target = self.target;
        let spread = |base, displacement| match target {
            Target::Avx512 => {
                MemoryOperand::with_base_displ_bcst_seg(base, displacement, true, Register::None)
            }
            Target::Avx2 => at(base, displacement),
        };
        Ok(Operand::Memory(match (self.place(lane), self.lanes.steps[lane.0 as usize]) {
            (Place::Vector(register), _) => return Ok(Operand::Register(self.target.vector(register))),
            (Place::Stack(number), _) => slot(number),
            (_, Step::Spread(stream)) => spread(self.pointer(stream)?, 0),
            (_, Step::Constant(bits)) => spread(CONSTANTS, self.constant(bits)),
            // Masks are no operands of this kind.
            _ => return Ok(Operand::Register(self.target.vector(0))),
        }))
    }

    /// Brings a vector to a register, unless it is there.
    fn bring(&mut self, to: Register, lane: Lane) -> Done {
        match self.place(lane) {
            Place::Vector(register) if self.target.vector(register) == to => Ok(()),
            _ => self.load(to, lane),
        }
    }

    /// The number at the end of an instruction's name says which of its operands are multiplied.
    fn multiply_add(&mut self, to: Register, a: Lane, b: Lane, c: Lane) -> Done {
        self.bring(to, a)?;
        let [sum_last, product_last] = match self.target {
            Target::Avx512 => [
                Code::EVEX_Vfmadd213ps_zmm_k1z_zmm_zmmm512b32_er,
                Code::EVEX_Vfmadd132ps_zmm_k1z_zmm_zmmm512b32_er,
            ],
            Target::Avx2 => [Code::VEX_Vfmadd213ps_ymm_ymm_ymmm256, Code::VEX_Vfmadd132ps_ymm_ymm_ymmm256],
        };
        let (code, middle, last) = match !self.has_register(b) && self.has_register(c) {
            true => (product_last, c, b),
            false => (sum_last, b, c),
        };
        let middle = self.vector(middle, self.target.operand())?;
        let last = self.operand(last)?;
        self.push(three(code, to, middle, last)?);
        Ok(())
    }

    /// A group of elements; `is_rest`: only those that are left in the row.
    fn group(&mut self, is_rest: bool) -> Done {
        for stream in self.lanes.fetched.iter().filter(|_| !is_rest) {
            let from = MemoryOperand::with_base_index_scale(self.pointer(*stream)?, COLUMN, 4);
            self.push(Instruction::with1(Code::Prefetcht1_m8, from)?);
        }
        for (number, step) in self.lanes.steps.iter().enumerate() {
            if step.is_invariant() {
                continue;
            }
            let place = self.registers.places[number];
            let to = match place {
                Place::Vector(register) => self.target.vector(register),
                Place::Mask(register) => avx512::mask(register),
                Place::Stack(_) => self.target.vector(self.target.spare()),
                Place::Memory => continue,
            };
            match self.target {
                Target::Avx512 => self.step_avx512(*step, to, is_rest)?,
                Target::Avx2 => self.step_avx2(*step, to, is_rest)?,
            }
            if let Place::Stack(number) = place {
                self.keep(number, to)?;
            }
        }
        match self.target {
            Target::Avx512 => {
                self.add_to_sum_avx512(is_rest)?;
                self.stores_avx512(is_rest)
            }
            Target::Avx2 => {
                self.add_to_sum_avx2(is_rest)?;
                self.stores_avx2(is_rest)
            }
        }
    }
}
