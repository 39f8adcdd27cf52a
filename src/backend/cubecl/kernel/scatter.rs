//! Scatter: every element of the result collects what is sent to it, in the order in which it is sent. No two units write
//! one element, so the order is always the same.

use cubecl::prelude::*;

use super::super::ir::Scatter;
use super::element::within;
use super::fold::join;
use super::walk::{address, read, write};
use super::{Memory, Range, Rounds};

#[cube]
pub fn scatter(
    memory: &mut Memory,
    table: &Array<u32>,
    words: u32,
    part: Range,
    rounds: Rounds,
    #[comptime] shape: Scatter,
    #[comptime] depth: u8,
) {
    let count = table[(words + 1u32) as usize];
    let more = words + comptime!(shape.at as u32);
    let (size, inner) = (table[more as usize], table[(more + 1u32) as usize]);
    let mut i = part.from + UNIT_POS;
    while i < part.to {
        let own = (i / inner) % size;
        // Whoever has position 0 looks whether the indices are positions at all.
        let looks = own == 0u32 && i % inner == 0u32;
        let at = address(table, words, i, rounds, comptime!(shape.to), depth);
        let indices = address(table, words, i, rounds, comptime!(shape.index.0), depth);
        let values = address(table, words, i, rounds, comptime!(shape.from.0), depth);
        let mut all = read(memory, table, at, rounds, comptime!(shape.to.page));
        let mut k = 0u32;
        while k < count {
            let where_index = indices + address(table, words, k, rounds, comptime!(shape.index.1), depth);
            let position = read(memory, table, where_index, rounds, comptime!(shape.index.1.page));
            if looks {
                within(memory, table, more + 2u32, i32::reinterpret(position));
            }
            if position == own {
                let where_value = values + address(table, words, k, rounds, comptime!(shape.from.1), depth);
                let value = read(memory, table, where_value, rounds, comptime!(shape.from.1.page));
                all = join(all, value, shape.reduction, shape.element);
            }
            k += 1u32;
        }
        write(memory, at, all, comptime!(shape.to.page));
        i += CUBE_DIM;
    }
}
