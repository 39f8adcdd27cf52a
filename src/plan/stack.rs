//! A plan of several trials at a time: every array that may differ from trial to trial has one part for each of them, one after another.
//!
//! In: the kernels of one trial, before their buffers have places. Out: the same kernels with one loop more, the outermost. Each result is
//! computed as it is for one trial alone, so it has the same bits. None where a kernel cannot be stacked: loops, random numbers, conditions,
//! and large products, which are not cut as those of one trial are.
//!
//! Trials may have programs that differ in constants only, as a number of `vary` is one: such a constant becomes an array of all trials.

use super::kernel::{Access, BufferId, Contract, Fused, Indexed, Kernel, Load, LoadKind, Operation, Place};
use super::{Lowered, Plan, element_bytes};
use crate::graph::{Binary, Slot, Tensor};

/// Multiplications of a single product from which it may not be stacked: the library that computes large ones looks at their number.
const LARGE: usize = 1 << 18;

/// Which trials a plan is for.
#[derive(Clone, Copy)]
pub struct Stack<'a> {
    /// For each trial, which of the programs is its own.
    pub programs: &'a [usize],
    /// Slots that hold the same in all trials, and that no kernel writes.
    pub is_shared: &'a dyn Fn(Slot) -> bool,
}

impl Stack<'_> {
    pub fn trials(&self) -> usize {
        self.programs.len()
    }
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
        let each = work / (stack.trials() * self.kernels.len()).max(1) as f64;
        let own = self.buffers.iter().filter(|buffer| match buffer.place {
            Place::Slot(slot) => !(stack.is_shared)(slot),
            _ => false,
        });
        let bytes: usize =
            own.map(|buffer| buffer.length * element_bytes(buffer.element, self.precision)).sum();
        each < SMALL && self.arena + bytes < NEAR
    }
}

/// `all`: each of the programs.
pub fn stack(mut all: Vec<Lowered>, stack: Stack) -> Option<Lowered> {
    let are_alike = all.windows(2).all(|pair| are_alike(&pair[0], &pair[1]));
    if !are_alike || all.is_empty() {
        return None;
    }
    let constants: Vec<Vec<Tensor>> = all.iter_mut().map(|one| std::mem::take(&mut one.constants)).collect();
    let Lowered { mut buffers, mut kernels, .. } = all.swap_remove(0);
    let differs: Vec<bool> = (0..constants[0].len())
        .map(|at| constants.iter().any(|other| !other[at].same_bits(&constants[0][at])))
        .collect();
    let each: Vec<Option<usize>> = buffers
        .iter()
        .map(|buffer| match buffer.place {
            Place::Constant(at) => differs[at].then_some(buffer.length),
            Place::Slot(slot) if (stack.is_shared)(slot) => None,
            _ => Some(buffer.length),
        })
        .collect();
    let stacking = Stacking { each, trials: stack.trials() };
    for kernel in &mut kernels {
        let is_apart = kernel.writes().iter().all(|buffer| stacking.length(*buffer).is_some());
        if !is_apart {
            return None;
        }
        stacking.kernel(kernel)?;
    }
    for (buffer, each) in buffers.iter_mut().zip(&stacking.each) {
        if each.is_some() {
            buffer.length *= stack.trials();
        }
    }
    let of_all = |at: usize| match differs[at] {
        true => Tensor::joined(&stack.programs.iter().map(|own| &constants[*own][at]).collect::<Vec<_>>()),
        false => Some(constants[0][at].clone()),
    };
    let constants = (0..differs.len()).map(of_all).collect::<Option<Vec<Tensor>>>()?;
    Some(Lowered { buffers, kernels, constants })
}

/// Whether two programs have the same kernels, whatever their constants are.
fn are_alike(a: &Lowered, b: &Lowered) -> bool {
    // As numbers, 0 and -0 are equal.
    let same_bits = |a: &Kernel, b: &Kernel| match (a, b) {
        (Kernel::Fill { value: a, .. }, Kernel::Fill { value: b, .. }) => a.to_bits() == b.to_bits(),
        _ => true,
    };
    a.buffers == b.buffers
        && a.kernels == b.kernels
        && a.constants.len() == b.constants.len()
        && a.kernels.iter().zip(&b.kernels).all(|(a, b)| same_bits(a, b))
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
            Kernel::Gather(Indexed { outer, index, from, to, .. })
            | Kernel::Scatter(_, Indexed { outer, index, from, to, .. }) => {
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
