//! How much a kernel does: floating-point operations of contractions, and bytes that are read and written. For measuring.

use super::kernel::{Access, BufferId, Indexed, Kernel, LoadKind};
use super::{Plan, element_bytes};

/// What one run of a kernel does at least.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Work {
    /// Multiplications and additions of contractions; what is done element by element is not counted.
    pub flops: f64,
    /// Every element that is read or written counts once, wherever it lies.
    pub bytes: f64,
}

impl Plan {
    /// The work of one kernel of the plan; of a loop, that of all its rounds.
    pub fn work(&self, kernel: &Kernel) -> Work {
        let width =
            |buffer: BufferId| element_bytes(self.buffers[buffer.0 as usize].element, self.precision) as f64;
        let whole = |buffer: &BufferId| self.buffers[buffer.0 as usize].length as f64 * width(*buffer);
        let moved = |access: &Access, loops: f64| loops * width(access.buffer);
        let bytes = match kernel {
            Kernel::Fused(fused) => {
                let loads = fused.loads.iter().map(|load| {
                    let elements = match &load.kind {
                        LoadKind::Contiguous => fused.length as f64,
                        LoadKind::Uniform => 1.0,
                        LoadKind::Strided(loops) => loops
                            .iter()
                            .filter(|(_, stride)| *stride != 0)
                            .map(|(size, _)| *size as f64)
                            .product(),
                    };
                    elements * width(load.buffer)
                });
                let stores = fused.stores.iter().map(|(_, buffer)| fused.length as f64 * width(*buffer));
                loads.chain(stores).sum()
            }
            Kernel::Copy { sizes, from, to, add } => {
                let written = moved(to, product(sizes));
                visited(sizes, from) * width(from.buffer) + if *add { 2.0 * written } else { written }
            }
            Kernel::Reduce { kept, reduced, from, to, .. } => {
                moved(from, product(kept) * product(reduced)) + whole(to)
            }
            Kernel::Contract(c) => {
                let (m, n, k) = (c.m as f64, c.n as f64, c.k as f64 * product(&c.outer));
                let a = visited(&c.batch, &c.a) * m * k * width(c.a.buffer);
                let b = visited(&c.batch, &c.b) * k * n * width(c.b.buffer);
                let flops = 2.0 * product(&c.batch) * m * n * k;
                return Work { flops, bytes: a + b + product(&c.batch) * m * n * width(c.c.buffer) };
            }
            Kernel::Gather(Indexed { outer, inner, index, from, to, .. }) => {
                let values = product(outer) * product(inner);
                moved(from, values) + moved(to, values) + moved(index, product(outer))
            }
            Kernel::Scatter(_, Indexed { outer, inner, index, from, to, .. }) => {
                let values = product(outer) * product(inner);
                moved(from, values) + 2.0 * moved(to, values) + moved(index, product(outer))
            }
            Kernel::Rounds(rounds) => {
                let body: Vec<Work> =
                    rounds.plan.kernels.iter().map(|kernel| rounds.plan.work(kernel)).collect();
                let times = rounds.rounds as f64;
                let flops = body.iter().map(|work| work.flops).sum::<f64>() * times;
                return Work { flops, bytes: body.iter().map(|work| work.bytes).sum::<f64>() * times };
            }
            other => other.reads().iter().chain(&other.writes()).map(whole).sum(),
        };
        Work { flops: 0.0, bytes }
    }
}

fn product(sizes: &[usize]) -> f64 {
    sizes.iter().map(|size| *size as f64).product()
}

/// Different places that loops come to.
fn visited(sizes: &[usize], access: &Access) -> f64 {
    sizes
        .iter()
        .zip(&access.strides)
        .filter(|(_, stride)| **stride != 0)
        .map(|(size, _)| *size as f64)
        .product()
}
