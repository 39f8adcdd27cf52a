//! Registers of a program over lanes.
//!
//! In: a program. Out: where each result lies while a group of sixteen elements is computed. None if there are too few registers:
//! the interpreter runs such a kernel.

use super::lanes::{Lane, Lanes, Step};

/// Vectors 0 to 29 hold results, the last of them sums of rows; 30 and 31 are for the moment.
pub const VECTORS: usize = 30;
/// Elements of a row that is summed in four vectors.
const LONG: usize = 64;
/// Masks 2 to 7 hold results; 1 is that of the last group of a row.
pub const FIRST_MASK: usize = 2;
const MASKS: usize = 6;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    Vector(u8),
    Mask(u8),
    /// What is the same for the whole row, and is read from memory wherever it is used.
    Memory,
}

pub struct Registers {
    pub places: Vec<Place>,
    /// What is the same for the whole row and has a register.
    pub held: Vec<Lane>,
}

/// Vectors in which a row is summed: as in every fold (`fold.rs`), four or, if it is short, one.
pub fn sums(lanes: &Lanes) -> usize {
    match lanes.sum {
        Some((.., width)) if width < LONG => 1,
        Some(_) => 4,
        None => 0,
    }
}

pub fn allocate(lanes: &Lanes) -> Option<Registers> {
    let limit = VECTORS - sums(lanes);
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
    let mut places = vec![Place::Memory; count];
    let mut vectors = Free::new(limit);
    let mut masks = Free::new(MASKS);
    for (at, step) in lanes.steps.iter().enumerate() {
        // A result shares no register with an argument, since some steps write it before they have read everything; but a sum
        // grows where its first factor was.
        let grows = match *step {
            Step::MultiplyAdd(a, b, c) if a != b && a != c && last[a.0 as usize] == at => Some(a),
            _ => None,
        };
        let taken = grows.filter(|a| matches!(places[a.0 as usize], Place::Vector(_)));
        if let Some(from) = taken {
            places[at] = places[from.0 as usize];
        } else if !step.is_invariant() {
            places[at] = if step.is_mask() {
                Place::Mask(masks.take()? + FIRST_MASK as u8)
            } else {
                Place::Vector(vectors.take()?)
            };
        }
        let mut dead: Vec<Lane> = step.arguments().chain([Lane(at as u32)]).collect();
        dead.sort_unstable_by_key(|lane| lane.0);
        dead.dedup();
        for lane in dead.into_iter().filter(|lane| last[lane.0 as usize] <= at && Some(*lane) != taken) {
            match places[lane.0 as usize] {
                Place::Vector(register) => vectors.give(register),
                Place::Mask(register) => masks.give(register - FIRST_MASK as u8),
                Place::Memory => {}
            }
        }
    }
    let held = hold(lanes, &mut places, vectors.used, limit);
    Some(Registers { places, held })
}

/// Registers that are left over go to what is the same for a row, most uses first.
fn hold(lanes: &Lanes, places: &mut [Place], used: usize, limit: usize) -> Vec<Lane> {
    let mut uses = vec![0usize; lanes.steps.len()];
    for step in &lanes.steps {
        for (number, argument) in step.arguments().enumerate() {
            // Elsewhere than last it would have to be loaded first.
            let is_last = number + 1 == step.arguments().count() && !matches!(step, Step::Shift(..));
            uses[argument.0 as usize] += if is_last { 2 } else { 3 };
        }
    }
    let mut wanted: Vec<usize> =
        (0..lanes.steps.len()).filter(|at| lanes.steps[*at].is_invariant() && uses[*at] > 0).collect();
    wanted.sort_by_key(|at| (std::cmp::Reverse(uses[*at]), *at));
    wanted.truncate(limit - used);
    for (number, at) in wanted.iter().enumerate() {
        places[*at] = Place::Vector((used + number) as u8);
    }
    wanted.into_iter().map(|at| Lane(at as u32)).collect()
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
