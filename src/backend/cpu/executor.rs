//! Runs the kernels of a plan, one after another.

mod kernel;

use std::cell::UnsafeCell;
use std::marker::PhantomData;
use std::sync::Arc;

use super::contract::room;
use super::first_fault::FirstFault;
use super::fused::ROW;
use super::instruction::{Execute, for_machine};
use super::memory::{LINE, Memory, Spare};
use super::native::Native;
use super::real::Real;
use super::reduce::WORK;
use super::slots::Slots;
use super::team::{Team, part};
use super::view::{Rows, View};
use crate::backend::{Executable, Fault, Followed};
use crate::graph::{Element, Slot, Store, Tensor};
use crate::plan::band::Band;
use crate::plan::kernel::{Access, BufferId, Kernel, Place, Rounds};
use crate::plan::{Plan, PlanOptions, element_bytes};

/// Pieces of a band for each thread.
const PIECES_EACH: usize = 8;

/// Bytes, and sixteenths of operations, of a step from which it pays to have helpers stand by.
const TEAM: f64 = 3e5;

/// How many bytes an executor needs for what, in whole lines.
#[derive(Clone, Copy, Default)]
struct Sizes {
    arena: usize,
    /// Rows of fused kernels, for each thread.
    scratch: usize,
    /// What bands keep of their rows, for each thread.
    local: usize,
    /// Trees of reductions, for each thread.
    work: usize,
    /// Packed operands of products, for each thread.
    packed: usize,
    threads: usize,
}

impl Sizes {
    /// Where scratch, local, work and packed operands begin, and where all ends. The arena begins at 0.
    fn places(&self) -> [usize; 5] {
        let scratch = self.arena;
        let local = scratch + self.scratch * self.threads;
        let work = local + self.local * self.threads;
        let packed = work + self.work * self.threads;
        [scratch, local, work, packed, packed + self.packed * self.threads]
    }
}

pub struct Executor<R> {
    plan: Plan,
    slots: Slots,
    /// Where each buffer lies in this step.
    bases: Vec<*mut u8>,
    sizes: Sizes,
    memory: Memory,
    constants: Vec<Tensor>,
    /// Where buffers lie for the rows at hand, for each thread.
    own_bases: Vec<*mut u8>,
    most_bases: usize,
    team: Team,
    execute: Execute,
    native: Arc<Native>,
    followed: Followed,
    /// The rounds of loops, by their numbers. Only the thread that runs the plan goes there.
    loops: Vec<UnsafeCell<Executor<R>>>,
}

/// One step of an executor, on the thread that runs it.
struct Step<'a, R> {
    executor: &'a Executor<R>,
    space: Space<R>,
}

// Only one thread runs the step.
unsafe impl<R: Send> Send for Step<'_, R> {}

impl<R: Real> Step<'_, R> {
    fn run(self, team: &Team) -> Result<(), Fault> {
        for band in &self.executor.plan.bands {
            unsafe { self.executor.band(band, self.space, team)? };
        }
        Ok(())
    }

    /// Adds what each band takes.
    fn measure(self, team: &Team, seconds: &mut [f64]) -> Result<(), Fault> {
        for (band, seconds) in self.executor.plan.bands.iter().zip(seconds) {
            let start = std::time::Instant::now();
            unsafe { self.executor.band(band, self.space, team)? };
            *seconds += start.elapsed().as_secs_f64();
        }
        Ok(())
    }
}

/// Memory that kernels use while they run.
#[derive(Clone, Copy)]
struct Space<R> {
    base: *mut u8,
    sizes: Sizes,
    bases: *mut *mut u8,
    most_bases: usize,
    element: PhantomData<R>,
}

// Each thread uses its own part.
unsafe impl<R> Send for Space<R> {}
unsafe impl<R> Sync for Space<R> {}

impl<R> Space<R> {
    fn work(&self, thread: usize) -> *mut R {
        let [_, _, work, ..] = self.sizes.places();
        self.base.wrapping_add(work + thread * self.sizes.work).cast()
    }

    fn packed(&self, thread: usize) -> *mut u8 {
        let [_, _, _, packed, _] = self.sizes.places();
        self.base.wrapping_add(packed + thread * self.sizes.packed)
    }

    fn scratch(&self, thread: usize) -> *mut u8 {
        let [scratch, ..] = self.sizes.places();
        self.base.wrapping_add(scratch + thread * self.sizes.scratch)
    }

    /// Where a band keeps what only some rows of it use.
    fn local(&self, thread: usize) -> *mut u8 {
        let [_, local, ..] = self.sizes.places();
        self.base.wrapping_add(local + thread * self.sizes.local)
    }

    /// Room for the places of so many buffers.
    ///
    /// # Safety
    /// A thread runs one piece of a band at a time.
    #[allow(clippy::mut_from_ref)]
    unsafe fn bases(&self, thread: usize, count: usize) -> &mut [*mut u8] {
        unsafe { std::slice::from_raw_parts_mut(self.bases.wrapping_add(thread * self.most_bases), count) }
    }
}

// The pointers are set and used in one call of `run`; threads that share a kernel write disjoint parts.
unsafe impl<R: Send> Send for Executor<R> {}
unsafe impl<R: Sync> Sync for Executor<R> {}

impl<R: Real> Executor<R> {
    pub fn new(plan: Plan, native: Arc<Native>, spare: &Arc<Spare>, options: &PlanOptions) -> Self {
        let all = plan.all_kernels();
        let rows = all.iter().map(|kernel| match kernel {
            Kernel::Fused(fused) => fused.rows,
            _ => 0,
        });
        let total: f64 =
            plan.kernels.iter().map(|kernel| plan.work(kernel)).map(|w| w.flops / 16.0 + w.bytes).sum();
        let threads = if options.parallel && total >= TEAM { rayon::current_num_threads() } else { 1 };
        let reduces = all.iter().any(|kernel| matches!(kernel, Kernel::Reduce { .. }));
        let packed = all.iter().map(|kernel| match kernel {
            Kernel::Contract(contract) => room::<R>(contract),
            _ => 0,
        });
        let local = plan.most(&|plan| plan.bands.iter().map(|band| band.local_bytes).max().unwrap_or(0));
        let sizes = Sizes {
            arena: plan.arena.next_multiple_of(LINE),
            scratch: (rows.max().unwrap_or(0) * ROW).next_multiple_of(LINE),
            local: local.next_multiple_of(LINE),
            work: if reduces { (WORK * size_of::<R>()).next_multiple_of(LINE) } else { 0 },
            packed: packed.max().unwrap_or(0).next_multiple_of(LINE),
            threads,
        };
        let [.., bytes] = sizes.places();
        let most_bases = plan.most(&|plan| plan.buffers.len());
        Executor {
            sizes,
            memory: Memory::new(bytes, spare),
            own_bases: vec![std::ptr::null_mut(); most_bases * threads],
            most_bases,
            team: Team::new(threads, flushes::<R>()),
            ..Executor::bare(plan, native, spare)
        }
    }

    /// Without memory of its own: what runs in the rounds of a loop.
    fn bare(mut plan: Plan, native: Arc<Native>, spare: &Arc<Spare>) -> Self {
        let constants = plan.constants.iter().map(|tensor| in_width::<R>(tensor)).collect();
        let mut loops = Vec::new();
        for kernel in &mut plan.kernels {
            if let Kernel::Rounds(rounds) = kernel {
                rounds.number = loops.len();
                let native = native.loops.get(loops.len()).cloned().unwrap_or_default();
                let body = Executor::bare(rounds.plan.clone(), native, spare);
                loops.push(UnsafeCell::new(body));
            }
        }
        Executor {
            slots: Slots::new(&plan),
            bases: vec![std::ptr::null_mut(); plan.buffers.len()],
            sizes: Sizes::default(),
            memory: Memory::new(0, spare),
            constants,
            own_bases: Vec::new(),
            most_bases: 0,
            team: Team::new(1, flushes::<R>()),
            execute: for_machine::<R>(),
            native,
            followed: Followed::default(),
            plan,
            loops,
        }
    }

    /// Runs `steps` steps; gives the seconds that each band took in all.
    pub fn profile(&mut self, store: &mut Store, steps: usize) -> Result<Vec<f64>, Fault> {
        let mut seconds = vec![0.0; self.plan.bands.len()];
        for _ in 0..steps {
            self.point(store);
            let step = Step { executor: &*self, space: self.space() };
            let seconds = &mut seconds[..];
            self.team.work(move |team| step.measure(team, seconds))?;
            self.slots.close(store);
        }
        Ok(seconds)
    }

    fn space(&self) -> Space<R> {
        Space {
            base: self.memory.base(),
            sizes: self.sizes,
            bases: self.own_bases.as_ptr().cast_mut(),
            most_bases: self.most_bases,
            element: PhantomData,
        }
    }

    fn point(&mut self, store: &mut Store) {
        self.point_into(self.memory.base());
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
                Place::Slot(_) | Place::Band(_) => {}
            }
        }
    }

    /// All rounds of a loop.
    ///
    /// # Safety
    /// As for `kernel`; nothing else uses the loop's executor.
    unsafe fn rounds(&self, rounds: &Rounds, space: Space<R>, team: &Team) -> Result<(), Fault> {
        unsafe {
            let body = &mut *self.loops[rounds.number].get();
            body.point_into(self.base(rounds.work));
            if rounds.plan.rows > 1 && team.threads() > 1 {
                return self.rows_apart(body, rounds, space, team);
            }
            for step in 0..rounds.rounds {
                let round = if rounds.reverse { rounds.rounds - 1 - step } else { step };
                *self.base::<i32>(rounds.round) = round as i32;
                self.bind(rounds, step, &body.slots, &mut body.bases);
                for band in &body.plan.bands {
                    body.band(band, space, team)?;
                }
                if rounds.done.is_some_and(|done| *self.base::<u8>(done) != 0) {
                    break;
                }
            }
        }
        Ok(())
    }

    /// Points the slots of a loop's body to where they are in a round.
    fn bind(&self, rounds: &Rounds, step: usize, slots: &Slots, bases: &mut [*mut u8]) {
        let round = if rounds.reverse { rounds.rounds - 1 - step } else { step };
        for binding in rounds.bindings.iter().filter(|binding| step == 0 || binding.stride != 0) {
            let element = self.plan.buffers[binding.buffer.0 as usize].element;
            let width = element_bytes(element, self.plan.precision) as isize;
            let at = (binding.offset + round as isize * binding.stride) * width;
            let base = self.base::<u8>(binding.buffer).wrapping_offset(at);
            slots.bind(binding.slot, base, bases);
        }
    }

    /// A loop whose rows do not need each other: every thread goes through all rounds with its own rows.
    ///
    /// # Safety
    /// As for `rounds`.
    unsafe fn rows_apart(
        &self,
        body: &Executor<R>,
        rounds: &Rounds,
        space: Space<R>,
        team: &Team,
    ) -> Result<(), Fault> {
        let of = rounds.plan.rows;
        let pieces = of.min(team.threads());
        let fault = FirstFault::default();
        team.share(pieces, |piece, thread| {
            let (start, count) = part(of, 1, piece, pieces);
            let own = unsafe { space.bases(thread, body.bases.len()) };
            own.copy_from_slice(&body.bases);
            for step in 0..rounds.rounds {
                self.bind(rounds, step, &body.slots, own);
                let view = View { bases: own, ..body.view() };
                for at in 0..body.plan.kernels.len() {
                    let rows = Rows { from: start, to: start + count, of };
                    let result = unsafe { view.rows(at, rows, space.scratch(thread), space.work(thread)) };
                    if result.is_err() {
                        return fault.keep(piece, result);
                    }
                }
            }
        });
        fault.result()
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

    /// Kernels that go through their rows together: as many rows at a time as stay in the cache.
    ///
    /// # Safety
    /// As for `kernel`.
    unsafe fn band(&self, band: &Band, space: Space<R>, team: &Team) -> Result<(), Fault> {
        if band.rows == 1 {
            for at in band.kernels.clone() {
                unsafe { self.kernel(at, space, team)? };
            }
            return Ok(());
        }
        let groups = band.rows.div_ceil(band.together);
        // What a group fetches for the next one is for the same thread.
        let pieces = if team.threads() == 1 { 1 } else { groups.min(PIECES_EACH * team.threads()) };
        let fault = FirstFault::default();
        team.share(pieces, |piece, thread| {
            let (first, count) = part(groups, 1, piece, pieces);
            let own = unsafe { space.bases(thread, self.bases.len()) };
            own.copy_from_slice(&self.bases);
            let groups = (first..first + count).map(|group| Rows::of_group(band, group, groups));
            for rows in groups.flat_map(|rows| rows.steps(band.steps)) {
                let result = unsafe { self.rows(band, rows, space, thread, own) };
                if result.is_err() {
                    return fault.keep(piece, result);
                }
            }
        });
        fault.result()
    }

    /// Some rows, or a step of one, through all kernels of a band.
    ///
    /// # Safety
    /// As for `kernel`; `own` are the bases of a thread.
    unsafe fn rows(
        &self,
        band: &Band,
        rows: Rows,
        space: Space<R>,
        thread: usize,
        own: &mut [*mut u8],
    ) -> Result<(), Fault> {
        // What only these rows use lies in the thread's own space, as if the rows before them lay there, too.
        for local in &band.locals {
            let before = (rows.from * local.row_bytes) as isize;
            own[local.buffer.0 as usize] =
                space.local(thread).wrapping_add(local.place).wrapping_offset(-before);
        }
        let view = View { bases: own, ..self.view() };
        for at in band.kernels.clone() {
            unsafe {
                if view.grow::<R>(at, rows.from, band).is_none() {
                    view.rows(at, rows, space.scratch(thread), space.work(thread))?;
                }
            }
        }
        Ok(())
    }

    fn view(&self) -> View<'_> {
        View { plan: &self.plan, native: &self.native, execute: self.execute, bases: &self.bases }
    }
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

/// In double precision small numbers are rare, and meant.
fn flushes<R: Real>() -> bool {
    size_of::<R>() == size_of::<f32>()
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

impl<R: Real> Executable for Executor<R> {
    fn run(&mut self, store: &mut Store) -> Result<(), Fault> {
        self.point(store);
        let step = Step { executor: &*self, space: self.space() };
        self.team.work(move |team| step.run(team))?;
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
        self.memory.bytes() + constant_bytes(&self.plan)
    }
}
