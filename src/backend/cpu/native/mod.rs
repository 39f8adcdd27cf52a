//! Native code of fused kernels: machine code for AVX-512 or AVX2, made when a plan is prepared.
//!
//! In: a plan of single precision. Out: for each fused kernel a function that computes all its instructions on a vector of elements in
//! registers, then on the next vector. Its results have the bits of the interpreter's (`fused.rs`), which runs what has no native code:
//! other machines, double precision, rare functions.

mod emit;
mod functions;
mod lanes;
mod lower;
mod memory;
mod registers;
mod shape;
mod target;

use std::collections::HashMap;
use std::sync::Arc;

use memmap2::Mmap;
use smallvec::SmallVec;

use super::fold::BLOCK;
use super::fused::{ROW, gather};
use super::instruction::TILE;
use crate::graph::{Element, Precision, Tensor};
use crate::plan::kernel::{BufferId, Fused, Kernel, Load, LoadKind, Place, Register};
use crate::plan::row_sum::{RowSum, is_only_summed, row_sum};
use crate::plan::{Ahead, MachineCode, Plan};
use lanes::Lanes;
use lower::Summed;
use shape::{Shape, Strides, shape, shape_in_rows};
use target::Target;

/// Where a stream begins, and how many bytes it moves from row to row, and from the last row of a block to the next block.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Pointer {
    at: *mut u8,
    row: isize,
    block: isize,
}

/// (streams, rows, width, constants, blocks).
type Entry = unsafe extern "sysv64" fn(*mut Pointer, usize, usize, *const u32, usize);

/// The code of a plan and of the loops in it.
#[derive(Default)]
pub struct Native {
    kernels: Vec<Option<NativeKernel>>,
    /// Whether the kernel before a kernel does its work, too.
    is_joined: Vec<bool>,
    /// Of the loops, in their order.
    pub loops: Vec<Arc<Native>>,
    memory: Option<Mmap>,
}

/// A sum of rows that the kernel before it makes.
#[derive(Clone, Copy)]
struct Joined {
    sum: RowSum,
    is_only_summed: bool,
}

struct NativeKernel {
    function: Function,
    /// The same with stores past the caches, for where these streams begin equally far from a whole vector.
    past: Option<(Function, Vec<u16>)>,
    /// Bytes of a vector.
    vector: usize,
    shape: Shape,
    streams: Vec<Stream>,
}

#[derive(Clone)]
struct Function {
    /// Where its code begins.
    entry: usize,
    constants: Vec<u32>,
}

/// What a kernel reads or writes, in bytes.
struct Stream {
    buffer: BufferId,
    offset: isize,
    /// Of an element.
    bytes: usize,
    /// How far it moves from element to element, from row to row, from block to block and in the outer loops.
    element: isize,
    row: isize,
    block: isize,
    outer: SmallVec<[isize; 4]>,
    /// The row of scratch where it is gathered.
    gathered: Option<u32>,
}

impl Stream {
    /// `offset` and strides count elements.
    fn new(buffer: BufferId, offset: isize, bytes: usize, strides: &Strides) -> Stream {
        let wide = |elements: isize| elements * bytes as isize;
        Stream {
            buffer,
            offset: wide(offset),
            bytes,
            element: if strides.is_uniform { 0 } else { bytes as isize },
            row: wide(strides.row),
            block: wide(strides.block),
            outer: strides.outer.iter().map(|stride| wide(*stride)).collect(),
            gathered: None,
        }
    }
}

impl Native {
    pub fn new(plan: &Plan, code: MachineCode) -> Native {
        let target = match code {
            MachineCode::Best => Target::of_machine(Target::Avx512),
            MachineCode::Avx2 => Target::of_machine(Target::Avx2),
            MachineCode::None => None,
        };
        match target {
            Some(target) if plan.precision == Precision::Single => Native::of(plan, target),
            _ => Native::default(),
        }
    }

    fn of(plan: &Plan, target: Target) -> Native {
        let mut functions = Functions { target, known: HashMap::new(), code: Vec::new() };
        let (past, ahead) = (plan.streamed(), plan.ahead());
        let mut native = Native { is_joined: vec![false; plan.kernels.len()], ..Native::default() };
        for (at, kernel) in plan.kernels.iter().enumerate() {
            native.kernels.push(match kernel {
                Kernel::Fused(fused) => {
                    let joined = joined(plan, at);
                    let past = past.iter().filter(|(kernel, _)| *kernel == at).map(|(_, store)| *store);
                    let ahead = ahead.get(&at).map_or(&[][..], |ahead| ahead);
                    let far = Far { past: past.collect(), ahead };
                    let with = joined.and_then(|_| compile(fused, plan, joined, &far, &mut functions));
                    if with.is_some() {
                        native.is_joined[at + 1] = true;
                    }
                    with.or_else(|| compile(fused, plan, None, &far, &mut functions))
                }
                _ => None,
            });
            if let Kernel::Rounds(rounds) = kernel {
                native.loops.push(Arc::new(Native::of(&rounds.plan, target)));
            }
        }
        native.memory = memory::executable(&functions.code);
        native
    }

    /// Whether rows of kernel `at` are made by the one before it.
    pub fn is_joined(&self, at: usize) -> bool {
        self.is_joined.get(at).is_some_and(|joined| *joined)
    }

    /// The code of kernel `at`, if it has any.
    pub fn kernel(&self, at: usize) -> Option<Code<'_>> {
        let kernel = self.kernels.get(at)?.as_ref()?;
        let memory = self.memory.as_ref()?;
        Some(Code { kernel, memory: memory.as_ptr() })
    }
}

/// The sum of rows that follows kernel `at` in its band.
fn joined(plan: &Plan, at: usize) -> Option<Joined> {
    let band = plan.bands.iter().find(|band| band.kernels.contains(&at))?;
    if band.rows == 1 || !band.kernels.contains(&(at + 1)) {
        return None;
    }
    let sum = row_sum(&plan.kernels[at], &plan.kernels[at + 1], &plan.buffers)?;
    let Kernel::Reduce { from, .. } = &plan.kernels[at + 1] else { return None };
    let is_local = band.locals.iter().any(|local| local.buffer == from.buffer);
    let is_only_summed = is_local && is_only_summed(&plan.kernels, at + 1, from.buffer);
    (sum.width <= BLOCK).then_some(Joined { sum, is_only_summed })
}

/// The functions of a plan. Equal programs share their code, wherever their operands lie.
struct Functions {
    target: Target,
    known: HashMap<Lanes, Function>,
    code: Vec<u8>,
}

impl Functions {
    fn of(&mut self, lanes: &Lanes) -> Option<Function> {
        if let Some(known) = self.known.get(lanes) {
            return Some(known.clone());
        }
        let registers = registers::allocate(lanes, self.target)?;
        let assembled = emit::emit(lanes, &registers, self.target)?;
        self.code.resize(self.code.len().next_multiple_of(64), 0xcc);
        let function = Function { entry: self.code.len(), constants: assembled.constants };
        self.code.extend(assembled.code);
        self.known.insert(lanes.clone(), function.clone());
        Some(function)
    }
}

/// What a kernel does with memory beyond the caches.
struct Far<'a> {
    /// The stores that go there.
    past: Vec<usize>,
    /// What it fetches for later.
    ahead: &'a [Ahead],
}

fn compile(
    fused: &Fused,
    plan: &Plan,
    joined: Option<Joined>,
    far: &Far,
    functions: &mut Functions,
) -> Option<NativeKernel> {
    let (shape, strides) = match joined {
        Some(joined) => shape_in_rows(fused, joined.sum.width)?,
        None => shape(fused),
    };
    let constant = |buffer: BufferId| match &plan.buffers[buffer.0 as usize].place {
        Place::Constant(at) => match &plan.constants[*at] {
            Tensor::F32(values) if values.len() == 1 => Some(values[0]),
            Tensor::F64(values) if values.len() == 1 => Some(values[0] as f32),
            _ => None,
        },
        _ => None,
    };
    let summed = joined.map(|joined| Summed {
        store: joined.sum.store,
        width: joined.sum.width,
        is_only_summed: joined.is_only_summed,
    });
    let mut lanes = lower::lower(fused, &|load| strides[load].is_uniform, &constant, summed)?;
    let mut streams = streams(fused, plan, &shape, strides);
    if let (Some(joined), Shape::Rows { outer, blocks, rows, .. }) = (joined, &shape) {
        let strides =
            Strides { outer: dense(outer, blocks * rows), block: *rows as isize, row: 1, is_uniform: true };
        streams.push(Stream::new(joined.sum.to, 0, 4, &strides));
    }
    if let Some(walk) = walk(&shape) {
        for (buffer, distance) in far.ahead {
            lanes.fetched.push(streams.len() as u16);
            streams.push(Stream::new(*buffer, *distance as isize, 4, &walk));
        }
    }
    let function = functions.of(&lanes)?;
    // A sum goes through its row from the first vector on.
    let past: Vec<u16> = far.past.iter().map(|store| (fused.loads.len() + store) as u16).collect();
    let can_go_past = !past.is_empty() && lanes.sum.is_none();
    let past = can_go_past.then(|| Some((functions.of(&Lanes { streamed: past.clone(), ..lanes })?, past)));
    let vector = 4 * functions.target.lanes();
    Some(NativeKernel { function, past: past.flatten(), vector, shape, streams })
}

/// Strides of loops one inside the other, the innermost so long.
fn dense(sizes: &[usize], mut inside: usize) -> SmallVec<[isize; 4]> {
    let mut strides = SmallVec::new();
    for size in sizes.iter().rev() {
        strides.insert(0, inside as isize);
        inside *= size;
    }
    strides
}

fn bytes(element: Element) -> usize {
    if element == Element::Bool { 1 } else { 4 }
}

/// Strides of what lies as the elements are gone through; none where tiles are gathered.
fn walk(shape: &Shape) -> Option<Strides> {
    let (row, block, outer) = match shape {
        Shape::Rows { outer, blocks, rows, width } => {
            (*width as isize, (rows * width) as isize, dense(outer, blocks * rows * width))
        }
        Shape::Flat => (0, 0, SmallVec::new()),
        Shape::Tiles => return None,
    };
    Some(Strides { outer, block, row, is_uniform: false })
}

fn streams(fused: &Fused, plan: &Plan, shape: &Shape, strides: Vec<Strides>) -> Vec<Stream> {
    let of_load = |(at, (load, strides)): (usize, (&Load, Strides))| {
        let gathered = match (&load.kind, fused.registers.get(at), shape) {
            (LoadKind::Strided(_), Some(Register::Scratch(row)), Shape::Tiles) => Some(*row),
            _ => None,
        };
        Stream { gathered, ..Stream::new(load.buffer, load.offset, bytes(load.element), &strides) }
    };
    let mut found: Vec<Stream> = fused.loads.iter().zip(strides).enumerate().map(of_load).collect();
    let still = Strides { outer: SmallVec::new(), block: 0, row: 0, is_uniform: false };
    let walk = walk(shape).unwrap_or(still);
    found.extend(
        fused.stores.iter().map(|(_, buffer)| {
            Stream::new(*buffer, 0, bytes(plan.buffers[buffer.0 as usize].element), &walk)
        }),
    );
    found
}

/// A kernel's code, ready to run.
#[derive(Clone, Copy)]
pub struct Code<'a> {
    kernel: &'a NativeKernel,
    /// Where the code of the plan begins.
    memory: *const u8,
}

type Table = SmallVec<[Pointer; 24]>;

impl Code<'_> {
    /// Computes the elements `from .. to`. `scratch` holds the kernel's rows.
    ///
    /// # Safety
    /// The plan is valid for the buffers at `bases`, and the kernel is the one of the plan that was compiled.
    pub unsafe fn run(&self, fused: &Fused, bases: &[*mut u8], from: usize, to: usize, scratch: *mut u8) {
        unsafe {
            match &self.kernel.shape {
                Shape::Flat => self.flat(bases, from, to, scratch),
                Shape::Tiles => {
                    let mut start = from;
                    while start < to {
                        let count = TILE.min(to - start);
                        for (load, stream) in fused.loads.iter().zip(&self.kernel.streams) {
                            if let (LoadKind::Strided(loops), Some(row)) = (&load.kind, stream.gathered) {
                                let base = bases[load.buffer.0 as usize];
                                let to = scratch.add(row as usize * ROW);
                                gather(base, (load.offset, stream.bytes), loops, start, count, to);
                            }
                        }
                        self.flat(bases, start, start + count, scratch);
                        start += count;
                    }
                }
                Shape::Rows { outer, blocks, rows, width } => {
                    self.rows(bases, (outer, *blocks, *rows, *width), from, to);
                }
            }
        }
    }

    unsafe fn call(&self, table: &mut Table, [blocks, rows, width]: [usize; 3]) {
        let past = self.kernel.past.as_ref().filter(|(_, streams)| self.begin_alike(table, streams));
        let Function { entry, constants } = past.map_or(&self.kernel.function, |(function, _)| function);
        let start = self.memory.wrapping_add(*entry);
        // The memory holds a function of this type there: `Functions` wrote it.
        unsafe {
            let function = std::mem::transmute::<*const u8, Entry>(start);
            function(table.as_mut_ptr(), rows, width, constants.as_ptr(), blocks);
        }
    }

    /// Whether streams begin equally far from a whole vector, in every row.
    fn begin_alike(&self, table: &Table, streams: &[u16]) -> bool {
        let phases = |stream: &u16| {
            let Pointer { at, row, block } = table[usize::from(*stream)];
            [at as usize, row as usize, block as usize].map(|bytes| bytes % self.kernel.vector)
        };
        streams.windows(2).all(|pair| phases(&pair[0]) == phases(&pair[1]))
    }

    unsafe fn flat(&self, bases: &[*mut u8], from: usize, to: usize, scratch: *mut u8) {
        // Pushed one by one: what is collected is moved, and what extends calls a function for each.
        let mut table = Table::new();
        for stream in &self.kernel.streams {
            let at = match stream.gathered {
                Some(row) => scratch.wrapping_add(row as usize * ROW),
                None => {
                    let bytes = stream.offset + from as isize * stream.element;
                    bases[stream.buffer.0 as usize].wrapping_offset(bytes)
                }
            };
            table.push(Pointer { at, row: 0, block: 0 });
        }
        unsafe { self.call(&mut table, [1, 1, to - from]) };
    }

    unsafe fn rows(&self, bases: &[*mut u8], loops: (&[usize], usize, usize, usize), from: usize, to: usize) {
        let (outer, blocks, rows, width) = loops;
        let mut at = from;
        while at < to {
            let (row, column, left) = (at / width, at % width, to - at);
            let (in_block, block) = (row % rows, row / rows);
            let in_outer = block % blocks;
            // A piece of a row, rows up to the end of a block, or blocks up to the next step of an outer loop.
            let [count, high, long] = if column > 0 || left < width {
                [1, 1, (width - column).min(left)]
            } else if in_block > 0 || left < rows * width {
                [1, (left / width).min(rows - in_block), width]
            } else {
                [(left / (rows * width)).min(blocks - in_outer), rows, width]
            };
            let mut table = Table::new();
            for stream in &self.kernel.streams {
                let mut bytes = stream.offset + column as isize * stream.element;
                bytes += in_block as isize * stream.row + in_outer as isize * stream.block;
                if !outer.is_empty() {
                    let mut rest = block / blocks;
                    for (size, stride) in outer.iter().zip(&stream.outer).rev() {
                        bytes += (rest % size) as isize * stride;
                        rest /= size;
                    }
                }
                let at = bases[stream.buffer.0 as usize].wrapping_offset(bytes);
                let step = stream.block - (high as isize - 1) * stream.row;
                table.push(Pointer { at, row: stream.row, block: step });
            }
            unsafe { self.call(&mut table, [count, high, long]) };
            at += count * high * long;
        }
    }
}
