//! Where buffers lie on the device: in which page, from which word on, and how far further with every round of the loops around.
//!
//! In: a plan and the places of its slots. Out: a place for each of its buffers. The bodies of loops lie in memory of the
//! plan around them.

use super::ir::Page;
use crate::graph::{Slot, Tensor};
use crate::plan::Plan;
use crate::plan::kernel::{BufferId, Place, Rounds};

/// Loops inside loops, at most.
pub const DEEPEST: usize = 3;

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Located {
    pub page: Page,
    /// In words of four bytes.
    pub offset: i64,
    /// For every loop around, outermost first.
    pub strides: [i64; DEEPEST],
}

impl Located {
    pub fn new(page: Page, offset: i64) -> Self {
        Located { page, offset, strides: [0; DEEPEST] }
    }

    fn further(self, words: i64) -> Self {
        Located { offset: self.offset + words, ..self }
    }

    /// The word in these rounds.
    pub fn at(&self, rounds: [u32; DEEPEST]) -> u64 {
        let moved: i64 =
            self.strides.iter().zip(rounds).map(|(stride, round)| stride * i64::from(round)).sum();
        (self.offset + moved) as u64
    }
}

/// One plan with the places of its buffers.
pub struct Frame<'a> {
    pub plan: &'a Plan,
    pub places: Vec<Located>,
    /// Loops around.
    pub depth: usize,
}

impl<'a> Frame<'a> {
    /// The outermost plan. Constants go to the table; `slot` says where the slots are.
    pub fn outer(plan: &'a Plan, slot: impl Fn(Slot) -> Located, table: &mut Vec<u32>) -> Self {
        let constants = constants(plan, table);
        let place = |buffer: &crate::plan::kernel::Buffer| match buffer.place {
            Place::Arena(bytes) | Place::Band(bytes) => Located::new(ARENA, bytes as i64 / 4),
            Place::Constant(at) => constants[at],
            Place::Slot(s) => slot(s),
        };
        Frame { plan, places: plan.buffers.iter().map(place).collect(), depth: 0 }
    }

    /// The body of a loop of this plan.
    pub fn body<'b>(&self, rounds: &'b Rounds, table: &mut Vec<u32>) -> Frame<'b> {
        let constants = constants(&rounds.plan, table);
        let bound = |slot: Slot| {
            let binding = rounds.bindings.iter().find(|binding| binding.slot == slot);
            let Some(binding) = binding else { return Located::new(ARENA, 0) };
            if binding.buffer == rounds.round {
                return Located::new(Page::Round(self.depth as u8), 0);
            }
            let mut place = self.place(binding.buffer).further(binding.offset as i64);
            place.strides[self.depth] = binding.stride as i64;
            place
        };
        let place = |buffer: &crate::plan::kernel::Buffer| match buffer.place {
            Place::Arena(bytes) | Place::Band(bytes) => self.place(rounds.work).further(bytes as i64 / 4),
            Place::Constant(at) => constants[at],
            Place::Slot(slot) => bound(slot),
        };
        let places = rounds.plan.buffers.iter().map(place).collect();
        Frame { plan: &rounds.plan, places, depth: self.depth + 1 }
    }

    pub fn place(&self, buffer: BufferId) -> Located {
        self.places[buffer.0 as usize]
    }
}

/// The page of intermediate values, which faults are noted in too.
pub const ARENA: Page = Page::Bound(0);

fn constants(plan: &Plan, table: &mut Vec<u32>) -> Vec<Located> {
    let add = |tensor: &Tensor| {
        let at = table.len();
        table.extend(words(tensor));
        Located::new(Page::Table, at as i64)
    };
    plan.constants.iter().map(add).collect()
}

/// Elements as they lie on the device.
pub fn words(tensor: &Tensor) -> Vec<u32> {
    match tensor {
        Tensor::F32(v) => v.iter().map(|x| x.to_bits()).collect(),
        Tensor::F64(v) => v.iter().map(|x| (*x as f32).to_bits()).collect(),
        Tensor::Index(v) => v.iter().map(|x| *x as u32).collect(),
        Tensor::Bool(v) => v.iter().map(|x| u32::from(*x)).collect(),
    }
}
