//! Kernels: what a backend runs, in order, over buffers with static places. No axes any more, only loops.

use crate::graph::{
    Binary, CheckId, Compare, Cumulative, Element, Half, Logic, Matrix, NodeId, Reduction, Slot, Special,
    Ties, Unary,
};

/// A buffer of one plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BufferId(pub u32);

/// Where a buffer lies.
#[derive(Clone, Debug, PartialEq)]
pub enum Place {
    /// In the arena, from this byte.
    Arena(usize),
    /// In the store.
    Slot(Slot),
    /// In the table of constants of the plan.
    Constant(usize),
    /// In the space that a thread has for the rows of a band at hand, from this byte.
    Band(usize),
}

/// Elements of one kind, with one place.
#[derive(Clone, Debug, PartialEq)]
pub struct Buffer {
    pub element: Element,
    /// Elements.
    pub length: usize,
    pub place: Place,
}

/// How a kernel walks through a buffer: one stride a loop.
#[derive(Clone, Debug, PartialEq)]
pub struct Access {
    pub buffer: BufferId,
    pub offset: isize,
    pub strides: Vec<isize>,
}

/// A number of a fused kernel: a load, or the result of an instruction.
pub type Value = u32;

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Operation {
    Unary(Unary),
    Binary(Binary),
    IndexBinary(Binary),
    Compare(Compare, Element),
    Logic(Logic),
    Not,
    /// Of values of this element.
    Select(Element),
    /// From, to.
    Cast(Element, Element),
    Special(Special),
}

/// `values[loads.len() + i]` is the result of instruction i.
#[derive(Clone, Debug, PartialEq)]
pub struct Instruction {
    pub operation: Operation,
    pub arguments: [Value; 3],
    pub element: Element,
}

/// How a load relates to the flat range that the kernel walks.
#[derive(Clone, Debug, PartialEq)]
pub enum LoadKind {
    /// Element i of the kernel is element `offset + i`.
    Contiguous,
    /// Always element `offset`.
    Uniform,
    /// Loops (size, stride), outer first.
    Strided(Vec<(usize, isize)>),
}

#[derive(Clone, Debug, PartialEq)]
pub struct Load {
    pub buffer: BufferId,
    pub offset: isize,
    pub element: Element,
    pub kind: LoadKind,
}

/// Where a value lies while a tile is computed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Register {
    /// In memory, at `offset` plus the tile's start.
    Memory { buffer: BufferId, offset: isize },
    /// One element in memory.
    Uniform { buffer: BufferId, offset: isize },
    /// A row of the scratch area.
    Scratch(u32),
}

/// A chain of element-wise operations over one flat range: loads, instructions, stores (dense). `registers` and
/// `copies` are filled when places are known.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Fused {
    pub length: usize,
    pub loads: Vec<Load>,
    pub instructions: Vec<Instruction>,
    pub stores: Vec<(Value, BufferId)>,
    pub registers: Vec<Register>,
    /// Stores that happen after the last instruction of a tile.
    pub copies: Vec<(Value, BufferId)>,
    /// Rows of scratch.
    pub rows: usize,
}

/// c[batch, m, n] = sum over (outer, k) of a * b.
#[derive(Clone, Debug, PartialEq)]
pub struct Contract {
    /// Both factors are numbers of this format.
    pub factors: Option<Half>,
    pub batch: Vec<usize>,
    /// Contracted loops that cannot be merged into k: products are accumulated.
    pub outer: Vec<usize>,
    pub m: usize,
    pub n: usize,
    pub k: usize,
    /// Strides of the batch loops.
    pub a: Access,
    pub b: Access,
    pub c: Access,
    pub a_outer: Vec<isize>,
    pub b_outer: Vec<isize>,
    /// (m, k), (k, n), (m, n).
    pub a_strides: (isize, isize),
    pub b_strides: (isize, isize),
    pub c_strides: (isize, isize),
}

/// The loops of a gather or a scatter: outer ones over the index, inner ones over the rest of the value.
#[derive(Clone, Debug, PartialEq)]
pub struct Indexed {
    pub node: NodeId,
    /// Size and stride of the axis that the index points into.
    pub size: usize,
    pub stride: isize,
    pub outer: Vec<usize>,
    pub inner: Vec<usize>,
    pub index: Access,
    pub from: Access,
    pub to: Access,
    pub from_inner: Vec<isize>,
    pub to_inner: Vec<isize>,
}

/// What a kernel that works along one axis does.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Line {
    ArgReduce { smallest: bool },
    ArgSort { descending: bool },
    Rank(Ties),
    Cumulative { kind: Cumulative, reverse: bool },
}

/// A slot of a loop's plan and where it lies: at `offset`, and `stride` elements further on for every round.
#[derive(Clone, Debug, PartialEq)]
pub struct Binding {
    pub slot: Slot,
    pub buffer: BufferId,
    pub offset: isize,
    pub stride: isize,
}

/// A loop. The carried values, which come first among the bindings, are read and written in place.
#[derive(Clone, Debug, PartialEq)]
pub struct Rounds {
    pub rounds: usize,
    pub reverse: bool,
    pub carried: usize,
    /// Results that are kept of every round.
    pub every: usize,
    /// One round.
    pub plan: super::Plan,
    pub bindings: Vec<Binding>,
    /// Holds the number of the round.
    pub round: BufferId,
    /// Holds whether further rounds may be left out.
    pub done: Option<BufferId>,
    /// The arena of the round.
    pub work: BufferId,
    /// Which of the loops of its plan it is: filled by the backend.
    pub number: usize,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Kernel {
    Fused(Fused),
    /// Fills a whole buffer.
    Fill {
        buffer: BufferId,
        value: f64,
    },
    /// Copies (or adds, Float only) element by element.
    Copy {
        sizes: Vec<usize>,
        from: Access,
        to: Access,
        add: bool,
    },
    /// `to` is dense over the kept loops.
    Reduce {
        reduction: Reduction,
        kept: Vec<usize>,
        reduced: Vec<usize>,
        from: Access,
        inner: Vec<isize>,
        to: BufferId,
    },
    Contract(Contract),
    /// Picks values by an index.
    Gather(Indexed),
    /// Values go to where an index says; `to` was filled with the identity before.
    Scatter(Reduction, Indexed),
    /// One line for each position of the outer loops. `work` holds a line of indices.
    Line {
        line: Line,
        outer: Vec<usize>,
        size: usize,
        from: Access,
        from_stride: isize,
        to: Access,
        to_stride: isize,
        work: Option<BufferId>,
    },
    /// Linear algebra on `batch` dense matrices one after another, in the order that the reference states; `width`: the
    /// right-hand sides of a system.
    Matrix {
        node: NodeId,
        kind: Matrix,
        batch: usize,
        rows: usize,
        columns: usize,
        width: usize,
        from: BufferId,
        right: Option<BufferId>,
        to: BufferId,
    },
    Random {
        site: u32,
        seed: Access,
        step: Access,
        /// Inside a loop.
        round: Option<Access>,
        to: BufferId,
    },
    Check {
        check: CheckId,
        condition: Access,
    },
    Rounds(Box<Rounds>),
}

impl Kernel {
    /// The buffers that it reads.
    pub fn reads(&self) -> Vec<BufferId> {
        match self {
            Kernel::Fused(fused) => fused.loads.iter().map(|load| load.buffer).collect(),
            Kernel::Fill { .. } => vec![],
            Kernel::Copy { from, to, add, .. } if *add => vec![from.buffer, to.buffer],
            Kernel::Copy { from, .. } | Kernel::Reduce { from, .. } | Kernel::Line { from, .. } => {
                vec![from.buffer]
            }
            Kernel::Contract(contract) => vec![contract.a.buffer, contract.b.buffer],
            Kernel::Gather(Indexed { index, from, .. }) => vec![index.buffer, from.buffer],
            Kernel::Scatter(_, Indexed { index, from, to, .. }) => vec![index.buffer, from.buffer, to.buffer],
            Kernel::Matrix { from, right, .. } => std::iter::once(*from).chain(*right).collect(),
            Kernel::Random { seed, step, round, .. } => {
                let round = round.iter().map(|round| round.buffer);
                [seed.buffer, step.buffer].into_iter().chain(round).collect()
            }
            Kernel::Rounds(rounds) => {
                let read = rounds.bindings.iter().filter(|binding| binding.slot.0 < rounds.operands() as u32);
                read.map(|binding| binding.buffer).collect()
            }
            Kernel::Check { condition, .. } => vec![condition.buffer],
        }
    }

    /// The buffers that it writes.
    pub fn writes(&self) -> Vec<BufferId> {
        match self {
            Kernel::Fused(fused) => fused.stores.iter().map(|(_, buffer)| *buffer).collect(),
            Kernel::Fill { buffer, .. } => vec![*buffer],
            Kernel::Copy { to, .. }
            | Kernel::Gather(Indexed { to, .. })
            | Kernel::Scatter(_, Indexed { to, .. }) => {
                vec![to.buffer]
            }
            Kernel::Reduce { to, .. } | Kernel::Random { to, .. } | Kernel::Matrix { to, .. } => vec![*to],
            Kernel::Contract(contract) => vec![contract.c.buffer],
            Kernel::Line { to, work, .. } => std::iter::once(to.buffer).chain(*work).collect(),
            Kernel::Check { .. } => vec![],
            Kernel::Rounds(rounds) => {
                let is_written = |binding: &&Binding| {
                    let slot = binding.slot.0 as usize;
                    let own = [Some(rounds.round), rounds.done].contains(&Some(binding.buffer));
                    own || slot < rounds.carried || binding.slot.0 as usize >= rounds.results_from()
                };
                let written = rounds.bindings.iter().filter(is_written).map(|binding| binding.buffer);
                written.chain([rounds.work]).collect()
            }
        }
    }
}

impl Rounds {
    /// The first slot after those of the inputs.
    fn results_from(&self) -> usize {
        self.operands() + 1
    }

    /// How many operands it has; the slot of the number of the round comes after theirs.
    pub fn operands(&self) -> usize {
        let round = self.bindings.iter().find(|binding| binding.buffer == self.round);
        round.map_or(0, |binding| binding.slot.0 as usize)
    }
}
