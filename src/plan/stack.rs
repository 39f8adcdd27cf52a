//! A plan of several trials at a time: every array that may differ from trial to trial has one part for each of them, one after another.
//!
//! In: the kernels of one trial, before their buffers have places. Out: the same kernels with one loop more, the outermost. Each result is
//! computed as it is for one trial alone, so it has the same bits. None where a kernel cannot be stacked: loops, random numbers, conditions,
//! and large products, which are not cut as those of one trial are.

use super::kernel::{Access, Buffer, BufferId, Contract, Fused, Kernel, Load, LoadKind, Operation, Place};
use super::{Plan, element_bytes};
use crate::graph::{Binary, Slot};

/// Multiplications of a single product from which it may not be stacked: the library that computes large ones looks at their number.
const LARGE: usize = 1 << 18;

/// Which trials a plan is for.
#[derive(Clone, Copy)]
pub struct Stack<'a> {
    pub trials: usize,
    /// Slots that hold the same in all trials, and that no kernel writes.
    pub is_shared: &'a dyn Fn(Slot) -> bool,
}

/// Bytes, and sixteenths of operations, of a kernel for one trial below which what surrounds it costs more than it does.
const SMALL: f64 = 2e4;

/// Bytes of all trials that stay in the second cache.
const NEAR: usize = 1 << 19;

impl Plan {
    /// Whether a plan of these trials is faster than theirs one after another: where the kernels of one trial are small, and what
    /// belongs to one trial alone stays in the cache.
    pub fn pays_stacked(&self, stack: Stack) -> bool {
        let work: f64 =
            self.kernels.iter().map(|kernel| self.work(kernel)).map(|w| w.flops / 16.0 + w.bytes).sum();
        let each = work / (stack.trials * self.kernels.len()).max(1) as f64;
        let own = self.buffers.iter().filter(|buffer| match buffer.place {
            Place::Slot(slot) => !(stack.is_shared)(slot),
            _ => false,
        });
        let bytes: usize =
            own.map(|buffer| buffer.length * element_bytes(buffer.element, self.precision)).sum();
        each < SMALL && self.arena + bytes < NEAR
    }
}

pub fn stack(buffers: &mut [Buffer], kernels: &mut [Kernel], stack: Stack) -> Option<()> {
    let each: Vec<Option<usize>> = buffers
        .iter()
        .map(|buffer| match buffer.place {
            Place::Constant(_) => None,
            Place::Slot(slot) if (stack.is_shared)(slot) => None,
            _ => Some(buffer.length),
        })
        .collect();
    let stacking = Stacking { each, trials: stack.trials };
    for kernel in kernels.iter_mut() {
        let is_apart = kernel.writes().iter().all(|buffer| stacking.length(*buffer).is_some());
        if !is_apart {
            return None;
        }
        stacking.kernel(kernel)?;
    }
    for (buffer, each) in buffers.iter_mut().zip(&stacking.each) {
        if each.is_some() {
            buffer.length *= stack.trials;
        }
    }
    Some(())
}

struct Stacking {
    /// Elements of a trial's part; none of what all trials share.
    each: Vec<Option<usize>>,
    trials: usize,
}

impl Stacking {
    fn length(&self, buffer: BufferId) -> Option<usize> {
        self.each[buffer.0 as usize]
    }

    fn stride(&self, buffer: BufferId) -> isize {
        self.length(buffer).unwrap_or(0) as isize
    }

    /// With the stride of the loop over trials.
    fn access(&self, access: &mut Access) {
        access.strides.insert(0, self.stride(access.buffer));
    }

    fn kernel(&self, kernel: &mut Kernel) -> Option<()> {
        match kernel {
            Kernel::Fused(fused) => return self.fused(fused),
            // All of the buffer.
            Kernel::Fill { .. } => {}
            Kernel::Copy { sizes, from, to, .. } => {
                sizes.insert(0, self.trials);
                self.access(from);
                self.access(to);
            }
            Kernel::Reduce { kept, from, to, .. } => {
                if self.length(*to) != Some(kept.iter().product()) {
                    return None;
                }
                kept.insert(0, self.trials);
                self.access(from);
            }
            Kernel::Contract(contract) => return self.contract(contract),
            Kernel::Gather { outer, index, from, to, .. }
            | Kernel::Scatter { outer, index, from, to, .. } => {
                outer.insert(0, self.trials);
                self.access(index);
                self.access(from);
                self.access(to);
            }
            Kernel::Line { outer, from, to, .. } => {
                outer.insert(0, self.trials);
                self.access(from);
                self.access(to);
            }
            Kernel::Matrix { batch, from, right, .. } => {
                let is_apart = std::iter::once(&*from).chain(&*right).all(|b| self.length(*b).is_some());
                if !is_apart {
                    return None;
                }
                *batch *= self.trials;
            }
            Kernel::Random { .. } | Kernel::Check { .. } | Kernel::Rounds(_) => return None,
        }
        Some(())
    }

    fn contract(&self, contract: &mut Contract) -> Option<()> {
        let terms = contract.k * contract.outer.iter().product::<usize>();
        if contract.m * contract.n * terms >= LARGE {
            return None;
        }
        contract.batch.insert(0, self.trials);
        self.access(&mut contract.a);
        self.access(&mut contract.b);
        self.access(&mut contract.c);
        Some(())
    }

    fn fused(&self, fused: &mut Fused) -> Option<()> {
        let length = fused.length;
        if fused.stores.iter().any(|(_, buffer)| self.length(*buffer) != Some(length)) {
            return None;
        }
        let was_uniform: Vec<bool> = fused.loads.iter().map(|load| load.kind == LoadKind::Uniform).collect();
        for load in &mut fused.loads {
            load.kind = self.load(load, length);
        }
        // Powers with one exponent for all elements are computed in another way.
        let changes = |value: u32| {
            let load = fused.loads.get(value as usize);
            load.is_some_and(|load| was_uniform[value as usize] && load.kind != LoadKind::Uniform)
        };
        let mut powers =
            fused.instructions.iter().filter(|i| i.operation == Operation::Binary(Binary::Power));
        if powers.any(|power| changes(power.arguments[1])) {
            return None;
        }
        fused.length *= self.trials;
        Some(())
    }

    fn load(&self, load: &Load, length: usize) -> LoadKind {
        let (trials, each) = (self.trials, self.length(load.buffer));
        let stride = self.stride(load.buffer);
        let loops = |inner: &[(usize, isize)]| {
            let inner = inner.iter().copied().filter(|(size, _)| *size != 1);
            LoadKind::Strided(std::iter::once((trials, stride)).chain(inner).collect())
        };
        match &load.kind {
            LoadKind::Contiguous if each == Some(length) && load.offset == 0 => LoadKind::Contiguous,
            LoadKind::Contiguous => loops(&[(length, 1)]),
            LoadKind::Uniform if each.is_none() => LoadKind::Uniform,
            LoadKind::Uniform if length == 1 && stride == 1 && load.offset == 0 => LoadKind::Contiguous,
            LoadKind::Uniform => loops(&[(length, 0)]),
            LoadKind::Strided(inner) => loops(inner),
        }
    }
}
