//! The dump of launches: what a device runs in a step, how often, and how many bytes that moves.

use std::fmt::Write;

use super::super::Plan;
use super::super::kernel::{BufferId, Kernel, Place};
use super::space::space;
use super::{Level, is_host, is_large};

/// What a step asks of a device.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Load {
    pub launches: usize,
    /// Kernels that the host computes, each with transfers.
    pub host: usize,
    /// Bytes that kernels read and write in the memory of the device, each element once a kernel.
    pub bytes: usize,
}

impl Load {
    fn plus(self, other: Load, times: usize) -> Load {
        Load {
            launches: self.launches + times * other.launches,
            host: self.host + times * other.host,
            bytes: self.bytes + times * other.bytes,
        }
    }
}

impl Plan {
    /// The load of one run of the plan.
    pub fn load(&self) -> Load {
        let mut load = Load::default();
        for level in &self.levels {
            load.launches += usize::from(!level.chains.is_empty());
            load.launches += usize::from(level.alone.iter().any(|at| is_large(&self.kernels[*at])));
            for at in &level.alone {
                match &self.kernels[*at] {
                    Kernel::Rounds(rounds) => load = load.plus(rounds.plan.load(), rounds.rounds),
                    kernel if is_host(kernel) => load.host += 1,
                    _ => {}
                }
            }
        }
        let moved: usize = self.kernels.iter().map(|kernel| self.moved(kernel)).sum();
        load.plus(Load { bytes: moved, ..Load::default() }, 1)
    }

    /// Bytes that a kernel reads and writes.
    fn moved(&self, kernel: &Kernel) -> usize {
        let length = |id: BufferId| self.buffers[id.0 as usize].length;
        let Some(space) = space(kernel, length) else {
            // A loop counts what its rounds move, linear algebra its operands and results.
            let own = kernel.reads().into_iter().chain(kernel.writes());
            return if matches!(kernel, Kernel::Rounds(_)) { 0 } else { own.map(|id| 4 * length(id)).sum() };
        };
        let constant = |id: BufferId| matches!(self.buffers[id.0 as usize].place, Place::Constant(_));
        let touched = space.touches.iter().filter(|touch| !constant(touch.buffer));
        touched.map(|touch| 4 * touch.elements().min(length(touch.buffer))).sum()
    }

    /// Every launch with its chains, and the sums.
    pub fn launches(&self) -> String {
        let load = self.load();
        let mut out = format!("{} launches a step, {} bytes moved", load.launches, load.bytes);
        if load.host > 0 {
            let _ = write!(out, ", {} kernels on the host", load.host);
        }
        let _ = writeln!(out, "; {} bytes of intermediate values", self.arena);
        self.levels_into(&mut out, "");
        out
    }

    fn levels_into(&self, out: &mut String, indent: &str) {
        for Level { chains, alone } in &self.levels {
            let (large, others): (Vec<usize>, Vec<usize>) =
                alone.iter().partition(|at| is_large(&self.kernels[**at]));
            for at in others {
                let kernel = &self.kernels[at];
                if let Kernel::Rounds(rounds) = kernel {
                    let _ = writeln!(out, "{indent}{} rounds, each:", rounds.rounds);
                    rounds.plan.levels_into(out, &format!("{indent}  "));
                    continue;
                }
                let _ = writeln!(out, "{indent}host: {}", self.line(kernel));
            }
            if !large.is_empty() {
                let _ = writeln!(out, "{indent}launch");
                for at in large {
                    let _ = writeln!(out, "{indent}  {}", self.line(&self.kernels[at]));
                }
            }
            if chains.is_empty() {
                continue;
            }
            let _ = writeln!(out, "{indent}launch");
            for chain in chains {
                let _ = writeln!(out, "{indent}  {} rows", chain.rows);
                for at in &chain.kernels {
                    let _ = writeln!(out, "{indent}    {}", self.line(&self.kernels[*at]));
                }
            }
        }
    }
}
