//! Reductions and small contractions: every iteration folds a loop of elements, or of products, into one.
//!
//! The order is fixed. Some lanes, a power of two of them, fold one iteration: lane l of L takes the elements l, l + L, l + 2 L and so
//! on, in blocks of 32 that are folded one after another, and the blocks one after another; lanes are folded in pairs.

use cubecl::prelude::*;

use super::super::ir::{Fold, Lanes, Walk};
use super::element::{bigger, smaller};
use super::walk::{address, read, write};
use super::{Memory, Range, Rounds, Table, Units};
use crate::graph::{Element, Reduction};

/// Elements that a lane folds before they meet the rest.
const BLOCK: u32 = 32;

/// Elements that are read before they are folded, so that a unit waits for memory once for all of them.
pub const AHEAD: u32 = 4;

/// Table words: iterations of a row, folded elements, lanes.
#[cube]
#[allow(clippy::too_many_arguments)]
pub fn fold(
    memory: &mut Memory,
    table: &Table,
    units: &mut Units,
    words: u32,
    part: Range,
    rounds: Rounds,
    #[comptime] shape: Fold,
    #[comptime] depth: u8,
) {
    let count = table[(words + 1u32) as usize];
    if comptime!(shape.lanes == Lanes::One) {
        let mut i = part.from + UNIT_POS;
        while i < part.to {
            let all = blocks(memory, table, words, i, count, 0u32, rounds, 1u32, shape, depth);
            let at = address(table, words, i, rounds, comptime!(shape.to), depth);
            write(memory, at, all, comptime!(shape.to.page));
            i += CUBE_DIM;
        }
    } else {
        let lanes = table[(words + 2u32) as usize];
        let groups = CUBE_DIM / lanes;
        // The neighbour of a unit is the next lane of its iteration, or the same lane of the next iteration.
        let (group, lane, apart) = if comptime!(shape.lanes == Lanes::Neighbours) {
            (UNIT_POS / lanes, UNIT_POS % lanes, 1u32.runtime())
        } else {
            (UNIT_POS % groups, UNIT_POS / groups, groups)
        };
        let mut first = part.from;
        while first < part.to {
            let i = first + group;
            let inside = i < part.to;
            let mut own = identity(shape.reduction, shape.element);
            if inside {
                own = blocks(memory, table, words, i, count, lane, rounds, lanes, shape, depth);
            }
            pairs(units, own, lane, lanes, apart, shape.reduction, shape.element);
            if inside && lane == 0u32 {
                let at = address(table, words, i, rounds, comptime!(shape.to), depth);
                write(memory, at, units[UNIT_POS as usize], comptime!(shape.to.page));
            }
            sync_cube();
            first += groups;
        }
    }
}

/// Folds lanes in pairs; the first lane's word is the result. `apart`: units between lanes. All units of the cube must come.
#[cube]
pub fn pairs(
    units: &mut Units,
    own: u32,
    lane: u32,
    lanes: u32,
    apart: u32,
    #[comptime] reduction: Reduction,
    #[comptime] element: Element,
) {
    units[UNIT_POS as usize] = own;
    sync_cube();
    let mut width = lanes / 2u32;
    while width > 0u32 {
        if lane < width {
            let (a, b) = (units[UNIT_POS as usize], units[(UNIT_POS + width * apart) as usize]);
            units[UNIT_POS as usize] = join(a, b, reduction, element);
        }
        sync_cube();
        width /= 2u32;
    }
}

/// Folds every so-manieth element from `from` on.
#[cube]
#[allow(clippy::too_many_arguments)]
fn blocks(
    memory: &Memory,
    table: &Table,
    words: u32,
    i: u32,
    count: u32,
    from: u32,
    rounds: Rounds,
    lanes: u32,
    #[comptime] shape: Fold,
    #[comptime] depth: u8,
) -> u32 {
    let start = address(table, words, i, rounds, comptime!(shape.first.0), depth);
    let other = match comptime!(shape.second) {
        Some(second) => address(table, words, i, rounds, comptime!(second.0), depth),
        None => 0u32.runtime(),
    };
    let mut all = identity(shape.reduction, shape.element);
    let mut k = from;
    while k < count {
        let reach = k + BLOCK * lanes;
        let end = select(reach < count, reach, count);
        let mut own = identity(shape.reduction, shape.element);
        while k + (AHEAD - 1u32) * lanes < end {
            let mut found = Sequence::<u32>::new();
            #[unroll]
            for step in 0..AHEAD {
                let at = k + step * lanes;
                found.push(product(memory, table, words, start, other, at, rounds, shape, depth));
            }
            #[unroll]
            for step in 0..AHEAD {
                own = join(own, *found.index(step as usize), shape.reduction, shape.element);
            }
            k += AHEAD * lanes;
        }
        while k < end {
            let found = product(memory, table, words, start, other, k, rounds, shape, depth);
            own = join(own, found, shape.reduction, shape.element);
            k += lanes;
        }
        all = join(all, own, shape.reduction, shape.element);
    }
    all
}

/// What is folded at position `k`: an element, or the product of two.
#[cube]
#[allow(clippy::too_many_arguments)]
fn product(
    memory: &Memory,
    table: &Table,
    words: u32,
    start: u32,
    other: u32,
    k: u32,
    rounds: Rounds,
    #[comptime] shape: Fold,
    #[comptime] depth: u8,
) -> u32 {
    let found = factor(memory, table, words, start, k, rounds, comptime!(shape.first.1), depth);
    match comptime!(shape.second) {
        Some(second) => {
            let by = factor(memory, table, words, other, k, rounds, comptime!(second.1), depth);
            u32::reinterpret(f32::reinterpret(found) * f32::reinterpret(by))
        }
        None => found,
    }
}

/// The element that loop position `k` reaches from `start`.
#[cube]
#[allow(clippy::too_many_arguments)]
fn factor(
    memory: &Memory,
    table: &Table,
    words: u32,
    start: u32,
    k: u32,
    rounds: Rounds,
    #[comptime] walk: Walk,
    #[comptime] depth: u8,
) -> u32 {
    let at = start + address(table, words, k, rounds, walk, depth);
    read(memory, at, rounds, comptime!(walk.page))
}

/// What changes nothing.
#[cube]
pub fn identity(#[comptime] reduction: Reduction, #[comptime] element: Element) -> u32 {
    if comptime!(element == Element::Float) {
        match reduction {
            Reduction::Product => 0x3f80_0000u32.runtime(),
            Reduction::Max => 0xff80_0000u32.runtime(),
            Reduction::Min => 0x7f80_0000u32.runtime(),
            Reduction::Sum | Reduction::All | Reduction::Any => 0u32.runtime(),
        }
    } else if comptime!(matches!(reduction, Reduction::All | Reduction::Min | Reduction::Product)) {
        1u32.runtime()
    } else {
        0u32.runtime()
    }
}

#[cube]
pub fn join(a: u32, b: u32, #[comptime] reduction: Reduction, #[comptime] element: Element) -> u32 {
    if comptime!(element == Element::Float) {
        let (x, y) = (f32::reinterpret(a), f32::reinterpret(b));
        match reduction {
            Reduction::Product => u32::reinterpret(x * y),
            Reduction::Max => u32::reinterpret(bigger(x, y)),
            Reduction::Min => u32::reinterpret(smaller(x, y)),
            Reduction::Sum | Reduction::All | Reduction::Any => u32::reinterpret(x + y),
        }
    } else if comptime!(matches!(reduction, Reduction::All | Reduction::Min | Reduction::Product)) {
        a & b
    } else {
        a | b
    }
}
