//! Planning: layouts, fusion, schedule and memory.
//!
//! In: a [`Program`]. Out: a [`Plan`]: kernels in order over buffers with static places, which a backend runs as it
//! is. The passes, in order: what lives, groups, layout wishes, lowering, outputs, memory, registers.

mod ahead;
pub mod band;
pub mod column_sum;
mod columns;
mod contract;
mod display;
mod dot;
mod elementwise;
mod group;
mod index;
pub mod kernel;
pub mod launch;
mod layout;
mod linear_algebra;
mod lower;
mod meet;
mod memory;
mod output;
mod pad;
mod register;
mod rounds;
pub mod row_sum;
mod sequence;
mod stack;
mod stream;
mod view;
mod window;
mod work;

pub use ahead::Ahead;
pub use index::identity;
pub use memory::element_bytes;
pub use stack::Stack;
pub use work::Work;

use crate::graph::{NodeId, Precision, Program, Slot, Tensor};
use kernel::{Buffer, Indexed, Kernel};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlanOptions {
    /// Join element-wise operations into one kernel.
    pub fuse: bool,
    /// Let results take the place of operands that die.
    pub in_place: bool,
    /// Use the threads of the current rayon pool inside big kernels. Results do not depend on it.
    pub parallel: bool,
    /// For a device: kernels are joined into launches, and every element takes four bytes.
    pub launches: bool,
    /// Of fused kernels on the host. Results do not depend on it.
    pub machine_code: MachineCode,
    /// Kernels that go through the same rows do so together, on the host. Results do not depend on it.
    pub bands: bool,
}

/// What fused kernels become; what has no machine code is interpreted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MachineCode {
    /// Code for the best instructions that the machine has.
    Best,
    /// Code for AVX2, even where there is AVX-512.
    Avx2,
    None,
}

impl Default for PlanOptions {
    fn default() -> Self {
        PlanOptions {
            fuse: true,
            in_place: true,
            parallel: true,
            launches: false,
            machine_code: MachineCode::Best,
            bands: true,
        }
    }
}

/// Why a program cannot be planned. Each is a fault of what made the program, none of the user.
#[derive(Clone, Debug, PartialEq)]
pub enum PlanError {
    /// A node is used before it is there, or in a group where it cannot be.
    Order { node: NodeId },
    /// A node lacks an operand.
    Operands,
    /// A node names an input that the program does not have.
    Input { node: NodeId },
    /// Two outputs go to one slot.
    SlotTwice { slot: Slot },
    /// An element-wise operation on an element that it does not have.
    Element { node: NodeId },
}

impl std::fmt::Display for PlanError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            PlanError::Order { node } => write!(f, "node {} is used before it is computed", node.0),
            PlanError::Operands => write!(f, "a node lacks an operand"),
            PlanError::Input { node } => {
                write!(f, "node {} reads an input that the program does not have", node.0)
            }
            PlanError::SlotTwice { slot } => write!(f, "two outputs go to slot {}", slot.0),
            PlanError::Element { node } => {
                write!(f, "node {} has operands of elements that it cannot take", node.0)
            }
        }
    }
}

impl std::error::Error for PlanError {}

/// A planned program.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    pub precision: Precision,
    pub buffers: Vec<Buffer>,
    pub kernels: Vec<Kernel>,
    /// How the host runs the kernels; empty for a device.
    pub bands: Vec<band::Band>,
    pub constants: Vec<Tensor>,
    /// In how many rows all kernels can run, each row through all of them without waiting for others. More than 1 in bodies of loops only.
    pub rows: usize,
    /// What a device runs in one go; empty where the host runs the kernels one by one.
    pub levels: Vec<launch::Level>,
    /// Bytes of the arena.
    pub arena: usize,
}

pub fn plan(program: &Program, options: &PlanOptions) -> Result<Plan, PlanError> {
    planned(program, options, false)
}

/// For several trials at a time, on the host; none where the programs cannot be stacked. Each trial's part of a slot has the bits that
/// [`plan`] computes for it alone. `programs`: those that the trials have.
pub fn plan_stacked(
    programs: &[Program],
    options: &PlanOptions,
    trials: Stack,
) -> Result<Option<Plan>, PlanError> {
    if options.launches || programs.iter().any(|program| program.precision != Precision::Single) {
        return Ok(None);
    }
    let all: Vec<Lowered> =
        programs.iter().map(|program| lowered(program, options)).collect::<Result<_, _>>()?;
    Ok(stack::stack(all, trials).map(|lowered| on_host(lowered, Precision::Single, options, false)))
}

/// Kernels whose buffers have no places yet.
struct Lowered {
    buffers: Vec<Buffer>,
    kernels: Vec<Kernel>,
    constants: Vec<Tensor>,
}

fn lowered(program: &Program, options: &PlanOptions) -> Result<Lowered, PlanError> {
    let live = group::live(program);
    let groups = group::group(program, &live, options.fuse);
    let wishes = layout::wishes(program, &live);
    let mut lowering = lower::lower(program, &groups, wishes, live, options)?;
    output::write_outputs(&mut lowering)?;
    let lower::Lowering { mut buffers, mut kernels, constants, .. } = lowering;
    if !options.launches && program.precision == Precision::Single {
        kernels = columns::split(&mut buffers, kernels);
    }
    Ok(Lowered { buffers, kernels, constants })
}

/// `is_body`: of a loop, whose rows may run apart through all rounds.
fn planned(program: &Program, options: &PlanOptions, is_body: bool) -> Result<Plan, PlanError> {
    let lowered = lowered(program, options)?;
    let precision = program.precision;
    if !options.launches {
        return Ok(on_host(lowered, precision, options, is_body));
    }
    let Lowered { mut buffers, kernels, constants } = lowered;
    let kernels = launch::split(&mut buffers, kernels);
    let levels = launch::schedule(&buffers, &kernels, options.fuse);
    let times = launch::times(&levels, kernels.len());
    let root = memory::apart(&buffers);
    let arena = memory::place(&mut buffers, &kernels, &times, &|_| 4, memory::BINDING, &root);
    Ok(Plan { precision, buffers, kernels, bands: Vec::new(), constants, rows: 1, levels, arena })
}

fn on_host(lowered: Lowered, precision: Precision, options: &PlanOptions, is_body: bool) -> Plan {
    let Lowered { mut buffers, mut kernels, constants } = lowered;
    let bytes = |element| element_bytes(element, precision);
    let root = if options.in_place { memory::share(&buffers, &kernels) } else { memory::apart(&buffers) };
    let mut bands = band::single(kernels.len());
    let rows = if is_body && options.bands { band::whole(&buffers, &kernels, &root) } else { 1 };
    if options.bands && rows == 1 {
        (kernels, bands) = band::band(&buffers, kernels, &root, &|buffer| bytes(buffer.element));
    }
    // Where rows run apart, all kernels run at the same time.
    let times = if rows > 1 { vec![0; kernels.len()] } else { band::times(&bands) };
    band::localize(&mut buffers, &kernels, &mut bands, &root, &|buffer| bytes(buffer.element));
    let arena = memory::place(&mut buffers, &kernels, &times, &bytes, memory::CACHE_LINE, &root);
    let levels = Vec::new();
    let mut plan = Plan { precision, buffers, kernels, bands, constants, rows, levels, arena };
    plan.allocate_registers();
    plan
}

impl Plan {
    /// Faults in a loop's body are told of the loop's node: the nodes of the body are no nodes of the program.
    fn belongs_to(&mut self, owner: NodeId) {
        for kernel in &mut self.kernels {
            match kernel {
                Kernel::Gather(Indexed { node, .. })
                | Kernel::Scatter(_, Indexed { node, .. })
                | Kernel::Matrix { node, .. } => {
                    *node = owner;
                }
                Kernel::Rounds(rounds) => rounds.plan.belongs_to(owner),
                _ => {}
            }
        }
    }

    /// Where the values of fused kernels lie while the host computes them.
    pub fn allocate_registers(&mut self) {
        for kernel in &mut self.kernels {
            if let Kernel::Fused(fused) = kernel {
                register::allocate(fused, &self.buffers);
            }
        }
    }

    /// Bytes on a device of the largest array that is read or written.
    pub fn largest_slot(&self) -> u64 {
        let slots = self.buffers.iter().filter(|buffer| matches!(buffer.place, kernel::Place::Slot(_)));
        slots.map(|buffer| 4 * buffer.length as u64).max().unwrap_or(0)
    }

    /// How deep loops are nested.
    pub fn depth(&self) -> usize {
        let of =
            |kernel: &Kernel| if let Kernel::Rounds(rounds) = kernel { 1 + rounds.plan.depth() } else { 0 };
        self.kernels.iter().map(of).max().unwrap_or(0)
    }

    /// The most that a plan has of something, be it this one or a loop's.
    pub fn most(&self, of: &dyn Fn(&Plan) -> usize) -> usize {
        let loops = self.kernels.iter().filter_map(|kernel| match kernel {
            Kernel::Rounds(rounds) => Some(rounds.plan.most(of)),
            _ => None,
        });
        loops.chain([of(self)]).max().unwrap_or(0)
    }

    /// All kernels, those of loops' bodies too.
    pub fn all_kernels(&self) -> Vec<&Kernel> {
        let mut all = Vec::new();
        for kernel in &self.kernels {
            all.push(kernel);
            if let Kernel::Rounds(rounds) = kernel {
                all.extend(rounds.plan.all_kernels());
            }
        }
        all
    }
}
