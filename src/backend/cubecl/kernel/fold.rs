//! Reductions and small contractions: every iteration folds a loop of elements, or of products, into one.
//!
//! The order is fixed. A unit by itself folds blocks of 32 elements one after another, and the blocks one after another. A
//! whole cube gives every unit each 256th block, and folds the units in pairs.

use cubecl::prelude::*;

use super::super::ir::{Fold, Walk};
use super::element::{bigger, smaller};
use super::walk::{address, read, write};
use super::{Memory, Range, Rounds};
use crate::graph::{Element, Reduction};

/// Elements that are folded before they meet the rest.
const BLOCK: u32 = 32;

#[cube]
pub fn fold(
    memory: &mut Memory,
    table: &Array<u32>,
    words: u32,
    part: Range,
    rounds: Rounds,
    #[comptime] shape: Fold,
    #[comptime] depth: u8,
) {
    let count = table[(words + 1u32) as usize];
    if comptime!(shape.wide) {
        let mut units = SharedMemory::<u32>::new(256usize);
        let mut i = part.from;
        while i < part.to {
            let own = blocks(
                memory,
                table,
                words,
                i,
                count,
                UNIT_POS * BLOCK,
                rounds,
                CUBE_DIM * BLOCK,
                shape,
                depth,
            );
            units[UNIT_POS as usize] = own;
            sync_cube();
            let mut width = CUBE_DIM / 2u32;
            while width > 0u32 {
                if UNIT_POS < width {
                    let (a, b) = (units[UNIT_POS as usize], units[(UNIT_POS + width) as usize]);
                    units[UNIT_POS as usize] = join(a, b, shape.reduction, shape.element);
                }
                sync_cube();
                width /= 2u32;
            }
            if UNIT_POS == 0u32 {
                let at = address(table, words, i, rounds, comptime!(shape.to), depth);
                write(memory, at, units[0], comptime!(shape.to.page));
            }
            sync_cube();
            i += 1u32;
        }
    } else {
        let mut i = part.from + UNIT_POS;
        while i < part.to {
            let all = blocks(memory, table, words, i, count, 0u32, rounds, BLOCK, shape, depth);
            let at = address(table, words, i, rounds, comptime!(shape.to), depth);
            write(memory, at, all, comptime!(shape.to.page));
            i += CUBE_DIM;
        }
    }
}

/// Folds blocks from element `from` on, each `apart` elements after the one before.
#[cube]
#[allow(clippy::too_many_arguments)]
fn blocks(
    memory: &Memory,
    table: &Array<u32>,
    words: u32,
    i: u32,
    count: u32,
    from: u32,
    rounds: Rounds,
    apart: u32,
    #[comptime] shape: Fold,
    #[comptime] depth: u8,
) -> u32 {
    let start = address(table, words, i, rounds, comptime!(shape.first.0), depth);
    let other = match comptime!(shape.second) {
        Some(second) => address(table, words, i, rounds, comptime!(second.0), depth),
        None => 0u32.runtime(),
    };
    let mut all = identity(shape.reduction, shape.element);
    let mut block = from;
    while block < count {
        let end = select(count - block < BLOCK, count, block + BLOCK);
        let mut own = identity(shape.reduction, shape.element);
        let mut k = block;
        while k < end {
            let mut found = factor(memory, table, words, start, k, rounds, comptime!(shape.first.1), depth);
            if let Some(second) = comptime!(shape.second) {
                let by = factor(memory, table, words, other, k, rounds, comptime!(second.1), depth);
                found = u32::reinterpret(f32::reinterpret(found) * f32::reinterpret(by));
            }
            own = join(own, found, shape.reduction, shape.element);
            k += 1u32;
        }
        all = join(all, own, shape.reduction, shape.element);
        block += apart;
    }
    all
}

/// The element that loop position `k` reaches from `start`.
#[cube]
#[allow(clippy::too_many_arguments)]
fn factor(
    memory: &Memory,
    table: &Array<u32>,
    words: u32,
    start: u32,
    k: u32,
    rounds: Rounds,
    #[comptime] walk: Walk,
    #[comptime] depth: u8,
) -> u32 {
    let at = start + address(table, words, k, rounds, walk, depth);
    read(memory, table, at, rounds, comptime!(walk.page))
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
