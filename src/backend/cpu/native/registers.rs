//! Registers of a program over lanes.
//!
//! In: a program, and the machine it is for. Out: where each result lies while a group of elements is computed: in a register or, if there
//! are too few, on the stack. None if even that has no room: the interpreter runs such a kernel.

use super::lanes::{Lane, Lanes, Step};
use super::target::Target;

/// Elements of a row that is summed in more than one vector of AVX-512.
pub const LONG: usize = 64;
/// Masks 2 to 7 hold results; 1 is that of the last group of a row.
pub const FIRST_MASK: usize = 2;
/// The most vectors on the stack.
const SLOTS: usize = 96;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    Vector(u8),
    Mask(u8),
    /// So many vectors above the first on the stack.
    Stack(u8),
    /// What is the same for the whole row, and is read from memory wherever it is used.
    Memory,
}

pub struct Registers {
    pub places: Vec<Place>,
    /// What is the same for the whole row and is brought to its place before it.
    pub held: Vec<Lane>,
    /// Vectors on the stack.
    pub slots: usize,
}

/// Registers in which a row is summed: as in every fold (`fold.rs`), four or, if it is short, one. AVX2 has none to spare for it.
pub fn sums(lanes: &Lanes, target: Target) -> usize {
    match lanes.sum {
        _ if target == Target::Avx2 => 0,
        Some((.., width)) if width < LONG => 1,
        Some(_) => 4,
        None => 0,
    }
}

pub fn allocate(lanes: &Lanes, target: Target) -> Option<Registers> {
    let count = lanes.steps.len();
    let mut last = vec![0; count];
    for (at, step) in lanes.steps.iter().enumerate() {
        for argument in step.arguments() {
            last[argument.0 as usize] = at;
        }
    }
    // Results are stored at the end of a group.
    let sum = lanes.sum.as_ref().map(|(value, ..)| value);
    for value in lanes.stores.iter().map(|(value, _)| value).chain(sum) {
        last[value.0 as usize] = count;
    }
    let limit = target.vectors() - sums(lanes, target);
    let mut allocation = Allocation {
        lanes,
        last,
        places: vec![Place::Memory; count],
        vectors: Free::new(limit),
        masks: Free::new(target.masks()),
        live: Vec::new(),
        slots: 0,
    };
    for at in 0..count {
        allocation.step(at, target)?;
    }
    let held = allocation.hold(limit, target)?;
    Some(Registers { places: allocation.places, held, slots: allocation.slots })
}

struct Allocation<'a> {
    lanes: &'a Lanes,
    /// The last step that reads each result.
    last: Vec<usize>,
    places: Vec<Place>,
    vectors: Free,
    masks: Free,
    /// Results that are in vectors and will be read.
    live: Vec<usize>,
    slots: usize,
}

impl Allocation<'_> {
    fn step(&mut self, at: usize, target: Target) -> Option<()> {
        let step = self.lanes.steps[at];
        // A result shares no register with an argument, since some steps write it before they have read everything; but a sum
        // grows where its first factor was.
        let grows = match step {
            Step::MultiplyAdd(a, b, c) if a != b && a != c && self.last[a.0 as usize] == at => {
                Some(a.0 as usize)
            }
            _ => None,
        };
        let taken = grows.filter(|a| matches!(self.places[*a], Place::Vector(_)));
        if let Some(from) = taken {
            self.places[at] = self.places[from];
            self.live.retain(|lane| *lane != from);
            self.live.push(at);
        } else if step.is_mask() && target.masks() > 0 {
            self.places[at] = Place::Mask(self.masks.take()? + FIRST_MASK as u8);
        } else if !step.is_invariant() {
            self.places[at] = self.vector(at)?;
        }
        let mut dead: Vec<usize> = step.arguments().map(|lane| lane.0 as usize).chain([at]).collect();
        dead.sort_unstable();
        dead.dedup();
        for lane in dead.into_iter().filter(|lane| self.last[*lane] <= at && Some(*lane) != taken) {
            match self.places[lane] {
                Place::Vector(register) => {
                    self.vectors.give(register);
                    self.live.retain(|live| *live != lane);
                }
                Place::Mask(register) => self.masks.give(register - FIRST_MASK as u8),
                Place::Stack(_) | Place::Memory => {}
            }
        }
        Some(())
    }

    /// A register, or the stack for whichever result is needed longest.
    fn vector(&mut self, at: usize) -> Option<Place> {
        if let Some(register) = self.vectors.take() {
            self.live.push(at);
            return Some(Place::Vector(register));
        }
        let longest = self.live.iter().copied().max_by_key(|lane| self.last[*lane])?;
        let slot = self.slot()?;
        if self.last[longest] <= self.last[at] {
            return Some(slot);
        }
        let register = std::mem::replace(&mut self.places[longest], slot);
        self.live.retain(|lane| *lane != longest);
        self.live.push(at);
        Some(register)
    }

    fn slot(&mut self) -> Option<Place> {
        self.slots += 1;
        (self.slots <= SLOTS).then_some(Place::Stack(self.slots as u8 - 1))
    }

    /// Registers that are left over go to what is the same for a row, most uses first. AVX2 reads no single number as a vector: what has no
    /// register is on the stack.
    fn hold(&mut self, limit: usize, target: Target) -> Option<Vec<Lane>> {
        let steps = &self.lanes.steps;
        let mut uses = vec![0usize; steps.len()];
        for step in steps {
            for (number, argument) in step.arguments().enumerate() {
                // Elsewhere than last it would have to be loaded first.
                let is_last = number + 1 == step.arguments().count() && !matches!(step, Step::Shift(..));
                uses[argument.0 as usize] += if is_last { 2 } else { 3 };
            }
        }
        for (value, _) in &self.lanes.stores {
            uses[value.0 as usize] += 3;
        }
        let mut wanted: Vec<usize> =
            (0..steps.len()).filter(|at| steps[*at].is_invariant() && uses[*at] > 0).collect();
        wanted.sort_by_key(|at| (std::cmp::Reverse(uses[*at]), *at));
        let left = wanted.split_off(wanted.len().min(limit - self.vectors.used));
        for (number, at) in wanted.iter().enumerate() {
            self.places[*at] = Place::Vector((self.vectors.used + number) as u8);
        }
        for at in left {
            if target == Target::Avx2 && matches!(self.lanes.steps[at], Step::Spread(_)) {
                self.places[at] = self.slot()?;
                wanted.push(at);
            }
        }
        Some(wanted.into_iter().map(|at| Lane(at as u32)).collect())
    }
}

struct Free {
    free: Vec<u8>,
    /// How many were in use at a time: the first ones.
    used: usize,
    most: usize,
}

impl Free {
    fn new(most: usize) -> Free {
        Free { free: Vec::new(), used: 0, most }
    }

    fn take(&mut self) -> Option<u8> {
        if let Some(register) = self.free.pop() {
            return Some(register);
        }
        if self.used == self.most {
            return None;
        }
        self.used += 1;
        Some(self.used as u8 - 1)
    }

    fn give(&mut self, register: u8) {
        self.free.push(register);
    }
}
