//! The threads that share the kernels of a step.
//!
//! In: kernels cut in pieces. Out: every piece has run once, on some thread. Helpers stand by for the whole step and take pieces as they
//! come, so that sharing a kernel costs less than a microsecond; a helper that never comes is not missed. Where all threads have work of
//! their own, as when each runs a trial, none comes, and kernels are not cut for it. How a kernel is cut changes no bit of its result.

use std::cell::UnsafeCell;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use super::flush::Flush;

/// Looks before a thread that waits lets others go first.
const PATIENCE: usize = 4000;

/// The state says which piece is next: 24 bits number the job, 20 bits count its pieces, 20 bits are the next one.
const BITS: u32 = 20;
const MASK: u64 = (1 << BITS) - 1;
const CLOSED: u64 = u64::MAX;

/// The most pieces of a job.
pub const PIECES: usize = MASK as usize;

type Job = *const (dyn Fn(usize, usize) + Sync);

pub struct Team {
    state: AtomicU64,
    done: AtomicUsize,
    job: UnsafeCell<Option<Job>>,
    /// Helpers that have come in this step, and as many as came in the one before.
    here: AtomicUsize,
    expected: AtomicUsize,
    /// All that may take part.
    threads: usize,
    /// Do results below the normal numbers become zero?
    flushes: bool,
}

// The job is written while no piece is left, and read by who has taken one.
unsafe impl Sync for Team {}
unsafe impl Send for Team {}

/// Counts a piece as done, and ends the step, even if what ran has panicked.
struct Done<'a>(&'a AtomicUsize);

impl Drop for Done<'_> {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::Release);
    }
}

struct Close<'a>(&'a AtomicU64);

impl Drop for Close<'_> {
    fn drop(&mut self) {
        self.0.store(CLOSED, Ordering::Release);
    }
}

/// Waits a little; after a while others may run.
struct Patience(usize);

impl Patience {
    fn wait(&mut self) {
        self.0 += 1;
        if self.0 < PATIENCE {
            std::hint::spin_loop();
        } else {
            std::thread::yield_now();
        }
    }
}

impl Team {
    pub fn new(threads: usize, flushes: bool) -> Team {
        // Until a step has shown who comes, all do.
        let here = AtomicUsize::new(threads.saturating_sub(1));
        let (state, done, expected) = (AtomicU64::new(0), AtomicUsize::new(0), AtomicUsize::new(0));
        Team { state, done, job: UnsafeCell::new(None), here, expected, threads, flushes }
    }

    /// For how many threads a kernel is worth cutting: for this one, the helpers that are here, and those that will come if they came in
    /// the last step.
    pub fn threads(&self) -> usize {
        let helpers = self.here.load(Ordering::Relaxed).max(self.expected.load(Ordering::Relaxed));
        (1 + helpers).min(self.threads)
    }

    /// Runs `step` on this thread, while the other threads of the current pool help with what it shares.
    pub fn work<T: Send>(&self, step: impl FnOnce(&Team) -> T + Send) -> T {
        if self.threads == 1 {
            let _flush = Flush::new(self.flushes);
            return step(self);
        }
        self.expected.store(self.here.swap(0, Ordering::Relaxed), Ordering::Relaxed);
        self.state.store(0, Ordering::Release);
        self.done.store(0, Ordering::Relaxed);
        let team = self;
        let main = move || {
            let _close = Close(&team.state);
            let _flush = Flush::new(team.flushes);
            step(team)
        };
        rayon::join(main, || team.helpers(1, team.threads)).0
    }

    fn helpers(&self, from: usize, to: usize) {
        if to - from == 1 {
            return self.help(from);
        }
        let middle = from.midpoint(to);
        rayon::join(|| self.helpers(from, middle), || self.helpers(middle, to));
    }

    fn help(&self, thread: usize) {
        if self.state.load(Ordering::Acquire) == CLOSED {
            return;
        }
        self.here.fetch_add(1, Ordering::Relaxed);
        let mut patience = Patience(0);
        let _flush = Flush::new(self.flushes);
        loop {
            match self.take() {
                Taken::Piece(piece) => {
                    unsafe { self.run(piece, thread) };
                    patience = Patience(0);
                }
                Taken::Nothing => patience.wait(),
                Taken::Closed => return,
            }
        }
    }

    fn take(&self) -> Taken {
        let mut state = self.state.load(Ordering::Acquire);
        loop {
            if state == CLOSED {
                return Taken::Closed;
            }
            let next = state & MASK;
            if next >= state >> BITS & MASK {
                return Taken::Nothing;
            }
            match self.state.compare_exchange_weak(state, state + 1, Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => return Taken::Piece(next as usize),
                Err(now) => state = now,
            }
        }
    }

    /// # Safety
    /// The piece was taken and has not run.
    unsafe fn run(&self, piece: usize, thread: usize) {
        let _done = Done(&self.done);
        if let Some(job) = unsafe { *self.job.get() } {
            unsafe { (*job)(piece, thread) };
        }
    }

    /// Runs the pieces `0 .. pieces` of a job, each once: `job(piece, thread)`. Only the thread of the step may call this.
    pub fn share(&self, pieces: usize, job: impl Fn(usize, usize) + Sync) {
        if self.threads == 1 || pieces <= 1 {
            (0..pieces).for_each(|piece| job(piece, 0));
            return;
        }
        let job: &(dyn Fn(usize, usize) + Sync) = &job;
        // All pieces are done before this function returns, so the job lives as long as anyone runs it.
        unsafe { *self.job.get() = Some(std::mem::transmute::<&(dyn Fn(usize, usize) + Sync), Job>(job)) };
        self.done.store(0, Ordering::Relaxed);
        let number = (self.state.load(Ordering::Relaxed) >> (2 * BITS)).wrapping_add(1) & 0x7f_ffff;
        self.state.store(number << (2 * BITS) | (pieces as u64) << BITS, Ordering::Release);
        while let Taken::Piece(piece) = self.take() {
            unsafe { self.run(piece, 0) };
        }
        let mut patience = Patience(0);
        while self.done.load(Ordering::Acquire) < pieces {
            patience.wait();
        }
    }
}

enum Taken {
    Piece(usize),
    Nothing,
    Closed,
}

/// Part `part` of `parts` of `0 .. size`, as even as multiples of `unit` allow: start and length.
pub fn part(size: usize, unit: usize, part: usize, parts: usize) -> (usize, usize) {
    let units = size.div_ceil(unit.max(1));
    let at = |part: usize| (units * part / parts * unit).min(size);
    (at(part), at(part + 1) - at(part))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_piece_runs_once() {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(3).build().unwrap();
        let team = Team::new(3, false);
        pool.install(|| {
            for _ in 0..50 {
                let counts: Vec<AtomicUsize> = (0..100).map(|_| AtomicUsize::new(0)).collect();
                team.work(|team| {
                    for pieces in [1, 2, 7, 100] {
                        team.share(pieces, |piece, _| {
                            counts[piece].fetch_add(1, Ordering::Relaxed);
                        });
                    }
                });
                let total: usize = counts.iter().map(|count| count.load(Ordering::Relaxed)).sum();
                assert_eq!((total, counts[0].load(Ordering::Relaxed)), (110, 4));
            }
        });
    }

    /// A step that waits for its helper, and one whose helper has other work.
    #[test]
    fn kernels_are_cut_for_helpers_that_come() {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build().unwrap();
        let team = Team::new(2, false);
        pool.install(|| {
            let busy = std::sync::Barrier::new(2);
            let alone = || {
                let first = team.work(Team::threads);
                (first, team.work(Team::threads), team.work(Team::threads))
            };
            let both = || {
                busy.wait();
                let found = alone();
                busy.wait();
                found
            };
            let wait = || {
                busy.wait();
                busy.wait();
            };
            let (found, ()) = rayon::join(both, wait);
            assert_eq!(found, (2, 1, 1), "the other thread is busy");
            let helped = team.work(|team| {
                while team.threads() < 2 {
                    std::hint::spin_loop();
                }
                team.threads()
            });
            assert_eq!((helped, team.work(Team::threads)), (2, 2), "it came, and is expected");
        });
    }

    #[test]
    fn parts_cover_everything() {
        for (size, unit, parts) in [(100, 8, 3), (7, 8, 2), (64, 1, 64), (0, 4, 2)] {
            let mut end = 0;
            for at in 0..parts {
                let (start, length) = part(size, unit, at, parts);
                assert_eq!(start, end);
                end += length;
            }
            assert_eq!(end, size);
        }
    }
}
