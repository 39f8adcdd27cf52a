//! Runs the kernels of a plan, one after another.

use std::cell::UnsafeCell;

use super::contract::contract;
use super::copy::{add, copy};
use super::fused::{Machine, ROW};
use super::index::Picks;
use super::instruction::{Execute, TILE, for_machine};
use super::line::{Strided, cumulative, extreme, rank, sort};
use super::real::Real;
use super::reduce::{Loops, WORK, reduce};
use super::slots::Slots;
use crate::backend::{Executable, Fault, Followed};
use crate::graph::{Element, Reduction, Slot, Store, Tensor};
use crate::plan::kernel::{Access, BufferId, Fused, Kernel, Line, Place, Rounds};
use crate::plan::{Plan, PlanOptions, element_bytes, identity};
use crate::random::philox;

/// Elements times instructions from which threads pay.
const PARALLEL: usize = 1 << 20;

/// One cache line, the unit of the arena.
#[derive(Clone, Copy)]
#[repr(align(64))]
struct CacheLine(#[allow(dead_code)] [u8; 64]);

fn lines(bytes: usize) -> Vec<CacheLine> {
    vec![CacheLine([0; 64]); bytes.div_ceil(64)]
}

pub struct Executor<R> {
    plan: Plan,
    slots: Slots,
    /// Where each buffer lies in this step.
    bases: Vec<*mut u8>,
    arena: Vec<CacheLine>,
    constants: Vec<Tensor>,
    /// Rows of fused kernels, for each thread.
    scratch: Vec<CacheLine>,
    scratch_bytes: usize,
    threads: usize,
    work: Vec<R>,
    execute: Execute,
    parallel: bool,
    followed: Followed,
    /// The rounds of loops, by their numbers. Only the thread that runs the plan goes there.
    loops: Vec<UnsafeCell<Executor<R>>>,
}

// The pointers are set and used in one call of `run`.
unsafe impl<R: Send> Send for Executor<R> {}

impl<R: Real> Executor<R> {
    pub fn new(plan: Plan, options: &PlanOptions) -> Self {
        let all = plan.all_kernels();
        let rows = all.iter().map(|kernel| match kernel {
            Kernel::Fused(fused) => fused.rows,
            _ => 0,
        });
        let scratch_bytes = rows.max().unwrap_or(0) * ROW;
        let big = |kernel: &&Kernel| matches!(kernel, Kernel::Fused(fused) if is_big(fused));
        let threads = if options.parallel && all.iter().any(big) { rayon::current_num_threads() } else { 1 };
        let reduces = all.iter().any(|kernel| matches!(kernel, Kernel::Reduce { .. }));
        let work = if reduces { WORK } else { 0 };
        let arena = plan.arena;
        Executor {
            arena: lines(arena),
            scratch: lines(scratch_bytes * threads),
            work: vec![R::ZERO; work],
            ..Executor::bare(plan, options, scratch_bytes, threads)
        }
    }

    /// Without memory of its own: what runs in the rounds of a loop.
    fn bare(mut plan: Plan, options: &PlanOptions, scratch_bytes: usize, threads: usize) -> Self {
        let constants = plan.constants.iter().map(|tensor| in_width::<R>(tensor)).collect();
        let mut loops = Vec::new();
        for kernel in &mut plan.kernels {
            if let Kernel::Rounds(rounds) = kernel {
                rounds.number = loops.len();
                let body = Executor::bare(rounds.plan.clone(), options, scratch_bytes, threads);
                loops.push(UnsafeCell::new(body));
            }
        }
        Executor {
            slots: Slots::new(&plan),
            bases: vec![std::ptr::null_mut(); plan.buffers.len()],
            arena: Vec::new(),
            constants,
            scratch: Vec::new(),
            scratch_bytes,
            threads,
            work: Vec::new(),
            execute: for_machine::<R>(),
            parallel: options.parallel,
            followed: Followed::default(),
            plan,
            loops,
        }
    }

    /// Runs `steps` steps; gives the seconds that each kernel took in all.
    pub fn profile(&mut self, store: &mut Store, steps: usize) -> Result<Vec<f64>, Fault> {
        let mut seconds = vec![0.0; self.plan.kernels.len()];
        for _ in 0..steps {
            self.point(store);
            let work = self.work.as_mut_ptr();
            let scratch: *mut u8 = self.scratch.as_mut_ptr().cast();
            for (kernel, seconds) in self.plan.kernels.iter().zip(&mut seconds) {
                let start = std::time::Instant::now();
                unsafe { self.kernel(kernel, work, scratch)? };
                *seconds += start.elapsed().as_secs_f64();
            }
            self.slots.close(store);
        }
        Ok(seconds)
    }

    fn point(&mut self, store: &mut Store) {
        let arena: *mut u8 = self.arena.as_mut_ptr().cast();
        self.point_into(arena);
        self.slots.open(store, &mut self.bases);
    }

    /// Places of everything that does not lie in a slot.
    fn point_into(&mut self, arena: *mut u8) {
        for (base, buffer) in self.bases.iter_mut().zip(&self.plan.buffers) {
            match buffer.place {
                // A place lies in the arena, or its buffer is empty or unused.
                Place::Arena(offset) => *base = arena.wrapping_add(offset),
                Place::Constant(at) => {
                    *base = match &mut self.constants[at] {
                        Tensor::F32(v) => v.as_mut_ptr().cast(),
                        Tensor::F64(v) => v.as_mut_ptr().cast(),
                        Tensor::Index(v) => v.as_mut_ptr().cast(),
                        Tensor::Bool(v) => v.as_mut_ptr(),
                    }
                }
                Place::Slot(_) => {}
            }
        }
    }

    /// All rounds of a loop.
    ///
    /// # Safety
    /// As for `kernel`; nothing else uses the loop's executor.
    unsafe fn rounds(&self, rounds: &Rounds, work: *mut R, scratch: *mut u8) -> Result<(), Fault> {
        unsafe {
            let body = &mut *self.loops[rounds.number].get();
            body.point_into(self.base(rounds.work));
            for step in 0..rounds.rounds {
                let round = if rounds.reverse { rounds.rounds - 1 - step } else { step };
                *self.base::<i32>(rounds.round) = round as i32;
                for binding in rounds.bindings.iter().filter(|binding| step == 0 || binding.stride != 0) {
                    let element = self.plan.buffers[binding.buffer.0 as usize].element;
                    let width = element_bytes(element, self.plan.precision) as isize;
                    let at = (binding.offset + round as isize * binding.stride) * width;
                    let base = self.base::<u8>(binding.buffer).wrapping_offset(at);
                    body.slots.bind(binding.slot, base, &mut body.bases);
                }
                for kernel in &body.plan.kernels {
                    body.kernel(kernel, work, scratch)?;
                }
                if rounds.done.is_some_and(|done| *self.base::<u8>(done) != 0) {
                    break;
                }
            }
        }
        Ok(())
    }

    fn base<T>(&self, buffer: BufferId) -> *mut T {
        self.bases[buffer.0 as usize].cast()
    }

    fn at<T>(&self, access: &Access) -> *mut T {
        self.base::<T>(access.buffer).wrapping_offset(access.offset)
    }

    fn element(&self, access: &Access) -> Element {
        self.plan.buffers[access.buffer.0 as usize].element
    }

    /// # Safety
    /// The plan is valid, and `bases` are those of this step.
    unsafe fn kernel(&self, kernel: &Kernel, work: *mut R, scratch: *mut u8) -> Result<(), Fault> {
        unsafe {
            match kernel {
                Kernel::Fused(fused) => self.fused(fused, scratch),
                Kernel::Fill { buffer, value } => self.fill(*buffer, *value),
                Kernel::Copy { sizes, from, to, add: true } => {
                    add(sizes, self.at::<R>(from), &from.strides, self.at::<R>(to), &to.strides);
                }
                Kernel::Copy { sizes, from, to, add: false } => {
                    let (f, t) = (&from.strides, &to.strides);
                    match self.element(from) {
                        Element::Float => copy(sizes, self.at::<R>(from), f, self.at::<R>(to), t),
                        Element::Index => copy(sizes, self.at::<i32>(from), f, self.at::<i32>(to), t),
                        Element::Bool => copy(sizes, self.at::<u8>(from), f, self.at::<u8>(to), t),
                    }
                }
                Kernel::Reduce { reduction, kept, reduced, from, inner, to } => {
                    let loops = Loops { kept, kept_strides: &from.strides, reduced, reduced_strides: inner };
                    if self.element(from) == Element::Float {
                        reduce_float::<R>(*reduction, &loops, self.at(from), self.base(*to), work);
                    } else {
                        let (from, to, work) = (self.at::<u8>(from), self.base::<u8>(*to), work.cast::<u8>());
                        match reduction {
                            Reduction::All | Reduction::Min | Reduction::Product => {
                                reduce(&loops, from, to, work, 1, |a, b| a & b);
                            }
                            _ => reduce(&loops, from, to, work, 0, |a, b| a | b),
                        }
                    }
                }
                Kernel::Contract(c) => {
                    contract::<R>(c, self.at(&c.a), self.at(&c.b), self.at(&c.c), self.parallel);
                }
                Kernel::Gather {
                    node,
                    size,
                    stride,
                    outer,
                    inner,
                    index,
                    from,
                    to,
                    from_inner,
                    to_inner,
                } => {
                    let picks = Picks {
                        node: *node,
                        size: *size,
                        stride: *stride,
                        outer,
                        inner,
                        index,
                        from,
                        to,
                        from_inner,
                        to_inner,
                    };
                    let indices = self.at::<i32>(index);
                    return match self.element(from) {
                        Element::Float => picks.gather(indices, self.at::<R>(from), self.at::<R>(to)),
                        Element::Index => picks.gather(indices, self.at::<i32>(from), self.at::<i32>(to)),
                        Element::Bool => picks.gather(indices, self.at::<u8>(from), self.at::<u8>(to)),
                    };
                }
                Kernel::Scatter {
                    node,
                    reduction,
                    size,
                    stride,
                    outer,
                    inner,
                    index,
                    from,
                    to,
                    from_inner,
                    to_inner,
                } => {
                    let picks = Picks {
                        node: *node,
                        size: *size,
                        stride: *stride,
                        outer,
                        inner,
                        index,
                        from,
                        to,
                        from_inner,
                        to_inner,
                    };
                    let indices = self.at::<i32>(index);
                    if self.element(from) == Element::Bool {
                        let (from, to) = (self.at::<u8>(from), self.at::<u8>(to));
                        return match reduction {
                            Reduction::All => picks.scatter(indices, from, to, |a, b| a & b),
                            _ => picks.scatter(indices, from, to, |a, b| a | b),
                        };
                    }
                    let (from, to) = (self.at::<R>(from), self.at::<R>(to));
                    return match reduction {
                        Reduction::Product => picks.scatter(indices, from, to, |a, b| a * b),
                        Reduction::Max => picks.scatter(indices, from, to, R::bigger),
                        Reduction::Min => picks.scatter(indices, from, to, R::smaller),
                        _ => picks.scatter(indices, from, to, |a, b| a + b),
                    };
                }
                Kernel::Line { line, outer, size, from, from_stride, to, to_stride, work } => {
                    let from_at = self.at::<R>(from);
                    super::walk::walk(outer, [&from.strides, &to.strides], [0, 0], &mut |[f, t]| {
                        let source = Strided { at: from_at.offset(f), step: *from_stride };
                        let positions =
                            work.map(|work| std::slice::from_raw_parts_mut(self.base::<i32>(work), *size));
                        let positions = positions.unwrap_or_default();
                        let floats = || Strided { at: self.at::<R>(to).offset(t), step: *to_stride };
                        let indices = || Strided { at: self.at::<i32>(to).offset(t), step: *to_stride };
                        match line {
                            Line::ArgReduce { smallest } => {
                                indices().set(0, extreme(source, *size, *smallest))
                            }
                            Line::ArgSort { descending } => {
                                sort(source, positions, *descending);
                                for (i, position) in positions.iter().enumerate() {
                                    indices().set(i, *position);
                                }
                            }
                            Line::Rank(ties) => rank(source, floats(), positions, *ties),
                            Line::Cumulative { kind, reverse } => {
                                cumulative(source, floats(), *size, *kind, *reverse)
                            }
                        }
                    });
                }
                Kernel::Matrix { node, kind, batch, rows, columns, width, from, right, to } => {
                    let floats = |buffer: &BufferId| {
                        let length = self.plan.buffers[buffer.0 as usize].length;
                        std::slice::from_raw_parts(self.base::<R>(*buffer), length)
                    };
                    let task = super::matrix::Task {
                        kind: *kind,
                        batch: *batch,
                        rows: *rows,
                        columns: *columns,
                        width: *width,
                    };
                    let (from, right) = (floats(from), right.as_ref().map_or(&[][..], floats));
                    let length = self.plan.buffers[to.0 as usize].length;
                    let done = match self.plan.buffers[to.0 as usize].element {
                        Element::Index => {
                            let to = std::slice::from_raw_parts_mut(self.base::<i32>(*to), length);
                            task.run(from, right, to, |x| x as i32)
                        }
                        _ => {
                            let to = std::slice::from_raw_parts_mut(self.base::<R>(*to), length);
                            task.run(from, right, to, R::from_f64)
                        }
                    };
                    return done.map_err(|fault| Fault::Matrix { node: *node, fault });
                }
                Kernel::Rounds(rounds) => self.rounds(rounds, work, scratch)?,
                Kernel::Random { site, seed, step, round, to } => {
                    let round = round.as_ref().map_or(0, |round| *self.at::<i32>(round) as u32);
                    let (seed, step) = (*self.at::<i32>(seed) as u32, *self.at::<i32>(step) as u32);
                    let length = self.plan.buffers[to.0 as usize].length;
                    let to = std::slice::from_raw_parts_mut(self.base::<R>(*to), length);
                    for (block, lanes) in to.chunks_mut(4).enumerate() {
                        let bits = philox([seed, *site], [block as u32, 0, step, round]);
                        for (lane, bits) in lanes.iter_mut().zip(bits) {
                            *lane = R::from_f64((f64::from(bits >> 9) + 0.5) / 8_388_608.0);
                        }
                    }
                }
                Kernel::Check { check, condition } => {
                    if *self.at::<u8>(condition) == 0 {
                        return Err(Fault::Check(*check));
                    }
                }
            }
        }
        Ok(())
    }

    unsafe fn fused(&self, fused: &Fused, scratch: *mut u8) {
        let machine = Machine { bases: &self.bases, execute: self.execute, precision: self.plan.precision };
        if self.threads > 1 && is_big(fused) {
            let tiles = fused.length.div_ceil(TILE);
            let chunk = tiles.div_ceil(self.threads) * TILE;
            let scratch = Scratch { at: scratch, bytes: self.scratch_bytes };
            parallel(&machine, fused, chunk, 0, fused.length.div_ceil(chunk), scratch);
        } else {
            unsafe { machine.run(fused, 0, fused.length, scratch) };
        }
    }

    unsafe fn fill(&self, buffer: BufferId, value: f64) {
        let Some(entry) = self.plan.buffers.get(buffer.0 as usize) else { return };
        unsafe {
            match entry.element {
                Element::Float => {
                    std::slice::from_raw_parts_mut(self.base::<R>(buffer), entry.length)
                        .fill(R::from_f64(value));
                }
                Element::Index => {
                    std::slice::from_raw_parts_mut(self.base::<i32>(buffer), entry.length).fill(value as i32);
                }
                Element::Bool => {
                    std::slice::from_raw_parts_mut(self.base::<u8>(buffer), entry.length)
                        .fill(u8::from(value != 0.0));
                }
            }
        }
    }
}

fn is_big(fused: &Fused) -> bool {
    fused.length * (fused.instructions.len() + 1) >= PARALLEL
}

#[derive(Clone, Copy)]
struct Scratch {
    at: *mut u8,
    bytes: usize,
}

// Each chunk uses its own rows.
unsafe impl Send for Scratch {}
unsafe impl Sync for Scratch {}

/// Runs chunks `from .. to`, halves in parallel.
fn parallel(machine: &Machine, fused: &Fused, chunk: usize, from: usize, to: usize, scratch: Scratch) {
    if to - from == 1 {
        let end = fused.length.min(to * chunk);
        unsafe { machine.run(fused, from * chunk, end, scratch.at.add(from * scratch.bytes)) };
        return;
    }
    let middle = from.midpoint(to);
    rayon::join(
        || parallel(machine, fused, chunk, from, middle, scratch),
        || parallel(machine, fused, chunk, middle, to, scratch),
    );
}

/// Bytes of the constants of a plan and of the loops in it.
fn constant_bytes(plan: &Plan) -> usize {
    let own = plan.constants.iter().map(|t| t.len() * element_bytes(t.element(), plan.precision));
    let loops = plan.kernels.iter().map(|kernel| match kernel {
        Kernel::Rounds(rounds) => constant_bytes(&rounds.plan),
        _ => 0,
    });
    own.chain(loops).sum()
}

/// A constant in the program's width.
fn in_width<R: Real>(tensor: &Tensor) -> Tensor {
    match tensor {
        Tensor::F32(_) | Tensor::F64(_) if size_of::<R>() == 4 => {
            Tensor::F32(tensor.to_f64().into_iter().map(|x| x as f32).collect())
        }
        Tensor::F32(_) | Tensor::F64(_) => Tensor::F64(tensor.to_f64()),
        other => other.clone(),
    }
}

unsafe fn reduce_float<R: Real>(
    reduction: Reduction,
    loops: &Loops,
    from: *const R,
    to: *mut R,
    work: *mut R,
) {
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("avx2") {
        return unsafe { reduce_float_v3(reduction, loops, from, to, work) };
    }
    unsafe { reduce_float_any(reduction, loops, from, to, work) }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
unsafe fn reduce_float_v3<R: Real>(
    reduction: Reduction,
    loops: &Loops,
    from: *const R,
    to: *mut R,
    work: *mut R,
) {
    unsafe { reduce_float_any(reduction, loops, from, to, work) }
}

#[inline(always)]
unsafe fn reduce_float_any<R: Real>(
    reduction: Reduction,
    loops: &Loops,
    from: *const R,
    to: *mut R,
    work: *mut R,
) {
    let start = R::from_f64(identity(reduction));
    unsafe {
        match reduction {
            Reduction::Product => reduce(loops, from, to, work, start, |a, b| a * b),
            Reduction::Max => reduce(loops, from, to, work, start, R::bigger),
            Reduction::Min => reduce(loops, from, to, work, start, R::smaller),
            Reduction::Sum | Reduction::All | Reduction::Any => {
                reduce(loops, from, to, work, start, |a, b| a + b)
            }
        }
    }
}

impl<R: Real> Executable for Executor<R> {
    fn run(&mut self, store: &mut Store) -> Result<(), Fault> {
        self.point(store);
        let work = self.work.as_mut_ptr();
        let scratch: *mut u8 = self.scratch.as_mut_ptr().cast();
        for kernel in &self.plan.kernels {
            unsafe { self.kernel(kernel, work, scratch)? };
        }
        self.slots.close(store);
        self.followed.ran();
        Ok(())
    }

    fn follow(&mut self, slots: &[Slot]) {
        self.followed.follow(slots);
    }

    fn seen(&mut self, store: &Store, _now: bool, rows: &mut Vec<f64>) -> Result<(), Fault> {
        self.followed.seen(store, rows);
        Ok(())
    }

    fn memory(&self) -> usize {
        let work = self.work.len() * size_of::<R>();
        (self.arena.len() + self.scratch.len()) * size_of::<CacheLine>() + constant_bytes(&self.plan) + work
    }
}
