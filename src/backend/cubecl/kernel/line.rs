//! Along lines: extreme positions and running reductions, one unit a line; order and ranks by counting, one unit an element.

use cubecl::prelude::*;

use super::super::ir::{Along, Lines};
use super::element::bigger;
use super::single;
use super::walk::{address, read, write};
use super::{Memory, Range, Rounds, Table};
use crate::graph::{Cumulative, Ties};

#[cube]
pub fn lines(
    memory: &mut Memory,
    table: &Table,
    words: u32,
    part: Range,
    rounds: Rounds,
    #[comptime] shape: Lines,
    #[comptime] depth: u8,
) {
    let more = words + comptime!(shape.at as u32);
    let size = table[more as usize];
    let (from_step, to_step) = (table[(more + 1u32) as usize], table[(more + 2u32) as usize]);
    let each = match comptime!(shape.along) {
        Along::Sort { .. } | Along::Rank(_) => size,
        Along::Extreme { .. } | Along::Cumulative { .. } => 1u32.runtime(),
    };
    let mut unit = part.from * each + UNIT_POS;
    while unit < part.to * each {
        let line = unit / each;
        let from = address(table, words, line, rounds, comptime!(shape.from), depth);
        let to = address(table, words, line, rounds, comptime!(shape.to), depth);
        match comptime!(shape.along) {
            Along::Extreme { smallest } => {
                let best = extreme(memory, from, from_step, size, rounds, shape, smallest);
                write(memory, to, best, comptime!(shape.to.page));
            }
            Along::Cumulative { kind, reverse } => {
                cumulative(memory, from, to, from_step, to_step, size, rounds, shape, kind, reverse);
            }
            Along::Sort { descending } => {
                let own = unit % each;
                let before = count(memory, from, from_step, size, own, rounds, shape, descending, true);
                write(memory, to + before * to_step, own, comptime!(shape.to.page));
            }
            Along::Rank(ties) => {
                let own = unit % each;
                let below = count(memory, from, from_step, size, own, rounds, shape, false, false);
                let first = count(memory, from, from_step, size, own, rounds, shape, false, true);
                let above = count(memory, from, from_step, size, own, rounds, shape, true, false);
                let end = size - above;
                let rank = match ties {
                    Ties::Average => f32::cast_from(below + 1u32 + end) / 2.0f32,
                    Ties::Min => f32::cast_from(below + 1u32),
                    Ties::Max => f32::cast_from(end),
                    Ties::First => f32::cast_from(first + 1u32),
                };
                write(memory, to + own * to_step, u32::reinterpret(rank), comptime!(shape.to.page));
            }
        }
        unit += CUBE_DIM;
    }
}

/// A number that orders as the value does; NaN after every number, and -0 as 0.
#[cube]
fn key(bits: u32) -> u32 {
    let whole = select(bits == 0x8000_0000u32, 0u32, bits);
    let negative = (whole >> 31u32) == 1u32;
    let ordered = select(negative, !whole, whole | 0x8000_0000u32);
    select((bits & 0x7fff_ffffu32) > 0x7f80_0000u32, 0xffff_ffffu32, ordered)
}

/// How many elements come before element `own`; `stable`: equal ones count that stand before it.
#[cube]
#[allow(clippy::too_many_arguments)]
fn count(
    memory: &Memory,
    from: u32,
    step: u32,
    size: u32,
    own: u32,
    rounds: Rounds,
    #[comptime] shape: Lines,
    #[comptime] descending: bool,
    #[comptime] stable: bool,
) -> u32 {
    let mine = key(read(memory, from + own * step, rounds, comptime!(shape.from.page)));
    let mut before = 0u32;
    let mut j = 0u32;
    while j < size {
        let theirs = key(read(memory, from + j * step, rounds, comptime!(shape.from.page)));
        let ahead = if comptime!(descending) { theirs > mine } else { theirs < mine };
        let tied = if comptime!(stable) { theirs == mine && j < own } else { false.runtime() };
        before += select(ahead || tied, 1u32, 0u32);
        j += 1u32;
    }
    before
}

/// The first position of the largest (smallest) value; the first NaN if there is one.
#[cube]
#[allow(clippy::too_many_arguments)]
fn extreme(
    memory: &Memory,
    from: u32,
    step: u32,
    size: u32,
    rounds: Rounds,
    #[comptime] shape: Lines,
    #[comptime] smallest: bool,
) -> u32 {
    let mut best = 0u32;
    let mut most = 0u32;
    let mut j = 0u32;
    while j < size {
        let found = key(read(memory, from + j * step, rounds, comptime!(shape.from.page)));
        // The largest number wins; NaN is larger than all.
        let turned = if comptime!(smallest) {
            select(found == 0xffff_ffffu32, found, 0xffff_fffeu32 - found)
        } else {
            found
        };
        let better = j == 0u32 || turned > most;
        best = select(better, j, best);
        most = select(better, turned, most);
        j += 1u32;
    }
    best
}

/// Sums carry what rounding took from them.
#[cube]
#[allow(clippy::too_many_arguments)]
fn cumulative(
    memory: &mut Memory,
    from: u32,
    to: u32,
    from_step: u32,
    to_step: u32,
    size: u32,
    rounds: Rounds,
    #[comptime] shape: Lines,
    #[comptime] kind: Cumulative,
    #[comptime] reverse: bool,
) {
    let mut running = match kind {
        Cumulative::Sum => 0.0f32.runtime(),
        Cumulative::Product => 1.0f32.runtime(),
        Cumulative::Max => single::of_bits(0xff80_0000u32),
    };
    let mut lost = 0.0f32;
    let mut step = 0u32;
    while step < size {
        let i = if comptime!(reverse) { size - 1u32 - step } else { step };
        let bits = read(memory, from + i * from_step, rounds, comptime!(shape.from.page));
        let value = f32::reinterpret(bits);
        match kind {
            Cumulative::Sum => {
                // Neumaier: the bigger of both keeps its low bits.
                let total = running + value;
                let large = f32::abs(running) >= f32::abs(value);
                lost += select(large, (running - total) + value, (value - total) + running);
                running = total;
            }
            Cumulative::Product => {
                running *= value;
            }
            Cumulative::Max => {
                running = bigger(running, value);
            }
        }
        let finite = f32::abs(running) < single::of_bits(0x7f80_0000u32);
        let found = select(finite, running + lost, running);
        write(memory, to + i * to_step, u32::reinterpret(found), comptime!(shape.to.page));
        step += 1u32;
    }
}
