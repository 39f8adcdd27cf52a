//! Scatter: every element of the result collects what is sent to it, in an order that is always the same: no two groups of units
//! write one element. Some lanes look at the positions of one element, each at every so-manieth in the order in which they are
//! sent, and are folded in pairs.

use cubecl::prelude::*;

use super::super::ir::{Lanes, Scatter};
use super::element::within;
use super::fold::{AHEAD, identity, join, pairs};
use super::walk::{address, read, write};
use super::{Memory, Range, Rounds, Table, Units};

/// Table words: iterations of a row, positions, lanes.
#[cube]
#[allow(clippy::too_many_arguments)]
pub fn scatter(
    memory: &mut Memory,
    table: &Table,
    units: &mut Units,
    words: u32,
    part: Range,
    rounds: Rounds,
    #[comptime] shape: Scatter,
    #[comptime] depth: u8,
) {
    if comptime!(shape.lanes == Lanes::One) {
        let mut i = part.from + UNIT_POS;
        while i < part.to {
            let found = collect(memory, table, words, i, 0u32, 1u32, rounds, shape, depth);
            add(memory, table, words, i, found, rounds, shape, depth);
            i += CUBE_DIM;
        }
    } else {
        let lanes = table[(words + 2u32) as usize];
        let groups = CUBE_DIM / lanes;
        let (group, lane) = (UNIT_POS % groups, UNIT_POS / groups);
        let mut first = part.from;
        while first < part.to {
            let i = first + group;
            let inside = i < part.to;
            let mut own = identity(shape.reduction, shape.element);
            if inside {
                own = collect(memory, table, words, i, lane, lanes, rounds, shape, depth);
            }
            pairs(units, own, lane, lanes, groups, shape.reduction, shape.element);
            if inside && lane == 0u32 {
                add(memory, table, words, i, units[UNIT_POS as usize], rounds, shape, depth);
            }
            sync_cube();
            first += groups;
        }
    }
}

/// Joins what was collected to what is there.
#[cube]
#[allow(clippy::too_many_arguments)]
fn add(
    memory: &mut Memory,
    table: &Table,
    words: u32,
    i: u32,
    found: u32,
    rounds: Rounds,
    #[comptime] shape: Scatter,
    #[comptime] depth: u8,
) {
    let at = address(table, words, i, rounds, comptime!(shape.to), depth);
    let before = read(memory, at, rounds, comptime!(shape.to.page));
    let all = join(before, found, shape.reduction, shape.element);
    write(memory, at, all, comptime!(shape.to.page));
}

/// What every so-manieth position from `from` on sends to element i.
#[cube]
#[allow(clippy::too_many_arguments)]
fn collect(
    memory: &mut Memory,
    table: &Table,
    words: u32,
    i: u32,
    from: u32,
    lanes: u32,
    rounds: Rounds,
    #[comptime] shape: Scatter,
    #[comptime] depth: u8,
) -> u32 {
    let count = table[(words + 1u32) as usize];
    let more = words + comptime!(shape.at as u32);
    let (size, inner) = (table[more as usize], table[(more + 1u32) as usize]);
    let own = (i / inner) % size;
    // Whoever has position 0 looks whether the indices are positions at all.
    let looks = own == 0u32 && i % inner == 0u32;
    let indices = address(table, words, i, rounds, comptime!(shape.index.0), depth);
    let values = address(table, words, i, rounds, comptime!(shape.from.0), depth);
    let mut all = identity(shape.reduction, shape.element);
    let mut k = from;
    while k < count {
        let mut positions = Sequence::<u32>::new();
        #[unroll]
        for step in 0..AHEAD {
            // Beyond the end, the last position is read again.
            let next = k + step * lanes;
            let at = select(next < count, next, count - 1u32);
            let where_index = indices + address(table, words, at, rounds, comptime!(shape.index.1), depth);
            positions.push(read(memory, where_index, rounds, comptime!(shape.index.1.page)));
        }
        #[unroll]
        for step in 0..AHEAD {
            let at = k + step * lanes;
            let position = *positions.index(step as usize);
            if looks {
                within(memory, table, more + 2u32, i32::reinterpret(position));
            }
            if at < count && position == own {
                let where_value = values + address(table, words, at, rounds, comptime!(shape.from.1), depth);
                let value = read(memory, where_value, rounds, comptime!(shape.from.1.page));
                all = join(all, value, shape.reduction, shape.element);
            }
        }
        k += AHEAD * lanes;
    }
    all
}
