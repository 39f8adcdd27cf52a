//! Launches: which kernels of a plan a device runs in one go.
//!
//! In: the kernels of a plan, in order, before their buffers have places. Out: levels. Everything in a level is independent
//! of everything else in it and needs only earlier levels. Its chains become one launch: a chain is a list of kernels, cut in
//! rows that do not wait for each other; the kernels of a row run one after another. What stands alone is run by itself.
//! Buffers get places by levels, since all rows of a level may be under way at once.

mod display;
mod space;
mod split;

pub use display::Load;
pub use space::{Space, Stage, accepted_rows, are_common, common_rows, lanes, space};
pub use split::split;

use super::kernel::{Buffer, BufferId, Contract, Kernel, Operation, Place};
use crate::graph::Unary;

/// Units that work together on a row.
pub const UNITS: usize = 256;

/// Cubes that can be expected to run at the same time.
pub const MOST_CUBES: usize = 1 << 10;

/// Kernels of a chain, at most: drivers take long to compile long programs.
const LONGEST_CHAIN: usize = 24;

/// Element operations of one unit that cost less than another launch.
const WORTH_A_LAUNCH: usize = 64;

/// From this many multiplications on a contraction stands alone, and is done by a kernel of its own.
const LARGE_CONTRACTION: usize = 1 << 22;

/// From this many multiplications on its tiles are larger: each factor is read fewer times, by fewer cubes.
const HUGE_CONTRACTION: usize = 1 << 27;

/// Longer lines are sorted on the host.
pub const LONGEST_LINE: usize = 4096;

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Level {
    pub chains: Vec<Chain>,
    /// Kernels that are no stages: loops, linear algebra, large contractions, what only the host computes.
    pub alone: Vec<usize>,
}

/// Kernels by their numbers in the plan, cut in rows.
#[derive(Clone, Debug, PartialEq)]
pub struct Chain {
    pub kernels: Vec<usize>,
    pub rows: usize,
    /// Whether the units of a row wait for each other before each kernel.
    pub waits: Vec<bool>,
}

/// Whether only the host computes it.
pub fn is_host(kernel: &Kernel) -> bool {
    match kernel {
        Kernel::Matrix { .. } => true,
        Kernel::Fused(fused) => fused.instructions.iter().any(|instruction| {
            matches!(
                instruction.operation,
                Operation::Special(_) | Operation::Unary(Unary::LogGamma | Unary::Digamma)
            )
        }),
        Kernel::Line {
            line: super::kernel::Line::ArgSort { .. } | super::kernel::Line::Rank(_),
            size,
            ..
        } => *size > LONGEST_LINE,
        _ => false,
    }
}

/// Whether a contraction is done by a kernel of its own.
pub fn is_large(kernel: &Kernel) -> bool {
    matches!(kernel, Kernel::Contract(c) if is_large_contraction(c))
}

fn multiplications(c: &Contract) -> usize {
    c.batch.iter().chain(&c.outer).product::<usize>() * c.m * c.n * c.k
}

fn is_large_contraction(c: &Contract) -> bool {
    multiplications(c) >= LARGE_CONTRACTION && c.m >= 16 && c.n >= 16
}

/// Rows and columns of the tiles of a large contraction: 64, or 128.
pub fn tile(c: &Contract) -> usize {
    if multiplications(c) >= HUGE_CONTRACTION && c.m >= 128 && c.n >= 128 { 128 } else { 64 }
}

struct Scheduler<'a> {
    buffers: &'a [Buffer],
    spaces: Vec<Option<Space>>,
    /// The memory that a buffer lies in: all buffers of a slot are one.
    memory: Vec<usize>,
    levels: Vec<Level>,
    /// Level of each kernel so far.
    level_of: Vec<usize>,
    /// (memory, written) of each kernel.
    uses: Vec<Vec<(usize, bool)>>,
}

/// `fuse`: kernels become stages of chains; without it each is a launch of its own.
pub fn schedule(buffers: &[Buffer], kernels: &[Kernel], fuse: bool) -> Vec<Level> {
    let mut memory: Vec<usize> = (0..buffers.len()).collect();
    for at in 0..buffers.len() {
        if let Place::Slot(slot) = buffers[at].place
            && let Some(first) = buffers[..at].iter().position(|b| b.place == Place::Slot(slot))
        {
            memory[at] = first;
        }
    }
    let length = |id: BufferId| buffers[id.0 as usize].length;
    let mut scheduler = Scheduler {
        buffers,
        spaces: kernels
            .iter()
            .map(|kernel| space(kernel, length).filter(|_| !is_host(kernel) && !is_large(kernel)))
            .collect(),
        memory,
        levels: Vec::new(),
        level_of: Vec::new(),
        uses: Vec::new(),
    };
    for (at, kernel) in kernels.iter().enumerate() {
        scheduler.add(at, kernel, fuse);
    }
    scheduler.levels
}

impl Scheduler<'_> {
    fn add(&mut self, at: usize, kernel: &Kernel, fuse: bool) {
        let place = |id: BufferId| self.memory[id.0 as usize];
        let is_constant = |id: &BufferId| matches!(self.buffers[id.0 as usize].place, Place::Constant(_));
        let reads = kernel.reads().into_iter().filter(|id| !is_constant(id)).map(|id| (place(id), false));
        let uses: Vec<(usize, bool)> =
            reads.chain(kernel.writes().into_iter().map(|id| (place(id), true))).collect();
        let waits: Vec<usize> = (0..at).filter(|other| conflict(&self.uses[*other], &uses)).collect();
        let last = waits.iter().map(|other| self.level_of[*other]).max();
        self.uses.push(uses);
        let level = match last {
            Some(last) if fuse && self.join(at, last, &waits) => last,
            Some(last) => self.begin(at, last + 1, fuse),
            None => self.begin(at, 0, fuse),
        };
        self.level_of.push(level);
    }

    /// A kernel by itself, in the first level from `level` on.
    fn begin(&mut self, at: usize, level: usize, fuse: bool) -> usize {
        let mut level = level;
        // Unfused, every level has one kernel.
        if !fuse {
            level = self.levels.len();
        }
        while self.levels.len() <= level {
            self.levels.push(Level::default());
        }
        match &self.spaces[at] {
            Some(_) => {
                let rows = self.rows(&[at]).unwrap_or(1);
                self.levels[level].chains.push(Chain { kernels: vec![at], rows, waits: vec![false] });
            }
            None => self.levels[level].alone.push(at),
        }
        level
    }

    /// Tries to make it one more stage of the chains that it waits for in a level.
    fn join(&mut self, at: usize, level: usize, waits: &[usize]) -> bool {
        let waited = |kernel: &usize| waits.contains(kernel);
        if self.spaces[at].is_none() || self.levels[level].alone.iter().any(waited) {
            return false;
        }
        let chains = &self.levels[level].chains;
        let joined: Vec<usize> =
            (0..chains.len()).filter(|chain| chains[*chain].kernels.iter().any(waited)).collect();
        let mut kernels: Vec<usize> =
            joined.iter().flat_map(|chain| chains[*chain].kernels.iter().copied()).collect();
        kernels.sort_unstable();
        kernels.push(at);
        if kernels.len() > LONGEST_CHAIN {
            return false;
        }
        let Some(rows) = self.rows(&kernels) else { return false };
        let waits = self.waits(&kernels, rows);
        let chains = &mut self.levels[level].chains;
        for chain in joined.iter().rev() {
            chains.remove(*chain);
        }
        chains.push(Chain { kernels, rows, waits });
        true
    }

    /// Before which kernels the units of a row have to wait: where one needs what another unit has done since they last waited.
    fn waits(&self, kernels: &[usize], rows: usize) -> Vec<bool> {
        let mut since = 0;
        let wait = |number: usize| {
            let wait = (since..number).any(|other| !self.same_unit(kernels[other], kernels[number], rows));
            if wait {
                since = number;
            }
            wait
        };
        (0..kernels.len()).map(wait).collect()
    }

    /// Whether every unit needs of an earlier kernel only what it has done itself.
    fn same_unit(&self, earlier: usize, later: usize, rows: usize) -> bool {
        if !conflict(&self.uses[earlier], &self.uses[later]) {
            return true;
        }
        let (Some(a), Some(b)) = (&self.spaces[earlier], &self.spaces[later]) else { return false };
        let single = |space: &Space| space.single && lanes(space.iterations, space.folded, rows) == 1;
        if !single(a) || !single(b) || a.iterations != b.iterations {
            return false;
        }
        let mine: Vec<usize> = self.uses[later].iter().map(|(memory, _)| *memory).collect();
        let shared =
            self.uses[earlier].iter().map(|(memory, _)| *memory).filter(|memory| mine.contains(memory));
        let shared: Vec<usize> = shared.collect();
        a.touches.iter().chain(&b.touches).all(|touch| {
            let memory = self.memory[touch.buffer.0 as usize];
            let length = self.buffers[touch.buffer.0 as usize].length;
            !shared.contains(&memory) || touch.is_aligned(a.iterations, length)
        })
    }

    fn common(&self, kernels: &[usize]) -> Option<usize> {
        let stages: Vec<Stage> = kernels
            .iter()
            .filter_map(|at| Some(Stage { space: self.spaces[*at].as_ref()?, uses: &self.uses[*at] }))
            .collect();
        common_rows(&stages, self.buffers, &self.memory)
    }

    /// The largest number of rows in which the kernels can run without waiting for other rows; none if they cannot, or
    /// if too few rows would do too much work.
    fn rows(&self, kernels: &[usize]) -> Option<usize> {
        let rows = self.common(kernels)?;
        let spaces: Vec<&Space> = kernels.iter().filter_map(|at| self.spaces[*at].as_ref()).collect();
        let units = rows.min(MOST_CUBES) * UNITS;
        // The units of a row share the work of a fold.
        let time = |space: &Space, units: usize| {
            let single = space.iterations.div_ceil(units) * space.cost;
            let shared = (space.iterations * space.cost).div_ceil(units);
            if space.folded > 1 { shared } else { single }
        };
        let slow = |space: &&Space| time(space, units) > 2 * time(space, MOST_CUBES * UNITS) + WORTH_A_LAUNCH;
        (kernels.len() == 1 || !spaces.iter().any(slow)).then_some(rows)
    }
}

pub(super) fn conflict(earlier: &[(usize, bool)], later: &[(usize, bool)]) -> bool {
    later.iter().any(|(memory, written)| {
        earlier.iter().any(|(other, other_written)| other == memory && (*written || *other_written))
    })
}

/// The level of every kernel.
pub fn times(levels: &[Level], kernels: usize) -> Vec<usize> {
    let mut times = vec![0; kernels];
    for (number, level) in levels.iter().enumerate() {
        let stages = level.chains.iter().flat_map(|chain| &chain.kernels);
        for at in stages.chain(&level.alone) {
            times[*at] = number;
        }
    }
    times
}
