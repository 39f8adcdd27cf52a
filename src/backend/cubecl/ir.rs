//! What a kernel is made of, as it is known when the kernel is compiled: operations and the ranks of accesses. Sizes,
//! strides, offsets and constants are no part of it; they stand in the table that is handed over with every launch, so that
//! programs of other sizes share kernels.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use crate::graph::{Binary, Compare, Cumulative, Element, Logic, Reduction, Ties, Unary};

/// A number of a register among those of its element.
pub type Register = u16;

/// Which memory an access is to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Page {
    /// One of the arrays that are bound.
    Bound(u8),
    /// The table itself: constants.
    Table,
    /// No memory: the number of the round of the loop at this depth.
    Round(u8),
}

/// How an access follows the number of an iteration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Rank {
    Flat,
    Uniform,
    /// Loops, outer first.
    Strided(u8),
}

/// An access. Its words in the table begin `at` words after the stage's: the offset, a stride for every loop around, and a size
/// and a stride for every loop of a strided rank.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Walk {
    pub page: Page,
    pub rank: Rank,
    pub at: u16,
}

/// One operation of an element-wise stage. What it computes becomes the next register of its element.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Step {
    Load(Walk, Element),
    /// The bits of a table word.
    Constant {
        element: Element,
        at: u16,
    },
    /// The element at the walk, further on by an index times a stride. Table words from `at`: stride, size, the place of a fault.
    Pick {
        walk: Walk,
        element: Element,
        index: Register,
        at: u16,
    },
    /// A uniform number of (0, 1). Registers: seed, step, round. Table word: site.
    Uniform {
        seed: Register,
        step: Register,
        round: Option<Register>,
        at: u16,
    },
    Unary(Unary, Register),
    Binary(Binary, Register, Register),
    IndexBinary(Binary, Register, Register),
    Compare(Compare, Element, Register, Register),
    Logic(Logic, Register, Register),
    Not(Register),
    Select(Element, Register, Register, Register),
    Cast(Element, Element, Register),
    Store(Walk, Element, Register),
    /// Notes that a condition does not hold. Table word: where.
    Check {
        condition: Register,
        at: u16,
    },
}

/// How a stage sums up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Fold {
    pub reduction: Reduction,
    pub element: Element,
    /// Where an iteration starts to read, and how it goes on: loops, outer first.
    pub first: (Walk, Walk),
    /// The second factor of a contraction.
    pub second: Option<(Walk, Walk)>,
    pub to: Walk,
    pub lanes: Lanes,
}

/// The units that fold one iteration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Lanes {
    One,
    /// Next to each other: folded elements lie side by side.
    Neighbours,
    /// Side by side with the same lane of the next iteration, whose elements lie side by side.
    Apart,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Scatter {
    pub reduction: Reduction,
    pub element: Element,
    pub lanes: Lanes,
    /// Over the elements of the result, and from there over the positions that are left.
    pub index: (Walk, Walk),
    pub from: (Walk, Walk),
    pub to: Walk,
    /// Table words: size of the axis, elements inside of it, the place of a fault.
    pub at: u16,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Along {
    Extreme { smallest: bool },
    Sort { descending: bool },
    Rank(Ties),
    Cumulative { kind: Cumulative, reverse: bool },
}

/// Works along lines. Table words: size, strides of both.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Lines {
    pub along: Along,
    pub from: Walk,
    pub to: Walk,
    pub at: u16,
}

/// One kernel of the plan. Table words from the start of a stage: iterations of a row; for folds and scatters, what is folded.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Stage {
    Map(Vec<Step>),
    Fold(Fold),
    Scatter(Scatter),
    Lines(Lines),
}

/// A stage of a chain.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Part {
    pub stage: Stage,
    /// Units wait for each other before it.
    pub wait: bool,
    /// The word after its last, counted from the member's first.
    pub end: u32,
}

/// Chains of one form.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Form {
    pub stages: Vec<Part>,
    /// Loops around.
    pub depth: u8,
}

/// What the members of a family have in common.
pub trait Common: Clone + PartialEq + Hash {
    /// Words of one member.
    fn words(&self) -> u32;
}

impl Common for Form {
    fn words(&self) -> u32 {
        self.stages.iter().map(|part| part.end).max().unwrap_or(HEAD)
    }
}

/// What a launch's kernel is made of. It is looked up at every launch by a digest that is computed once.
#[derive(Clone, Debug)]
pub struct Forms<F> {
    all: Arc<[F]>,
    digest: [u8; 32],
}

impl<F: Common> Forms<F> {
    pub fn new(all: Vec<F>) -> Self {
        let mut digest = Digest(blake3::Hasher::new());
        all.hash(&mut digest);
        Forms { all: all.into(), digest: digest.0.finalize().into() }
    }

    pub fn count(&self) -> usize {
        self.all.len()
    }

    /// Words of the longest member.
    pub fn words(&self) -> u32 {
        self.all.iter().map(F::words).max().unwrap_or(HEAD)
    }

    pub fn at(&self, number: usize) -> F {
        self.all[number].clone()
    }
}

impl<F> PartialEq for Forms<F> {
    fn eq(&self, other: &Self) -> bool {
        self.digest == other.digest
    }
}

impl<F> Eq for Forms<F> {}

impl<F> Hash for Forms<F> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.digest.hash(state);
    }
}

/// A cryptographic hash: forms of one digest are the same form.
struct Digest(blake3::Hasher);

impl Hasher for Digest {
    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn finish(&self) -> u64 {
        let bytes = *self.0.finalize().as_bytes();
        u64::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3], bytes[4], bytes[5], bytes[6], bytes[7]])
    }
}

/// Words before those of a member: the cube after its last, its first cube; of a chain its rows, rows of a cube; of a contraction
/// its tiles along columns and along rows.
pub const HEAD: u32 = 4;
