//! Addresses: from the words of a walk and the number of an iteration to a place in memory.

use cubecl::prelude::*;

use super::super::ir::{Page, Rank, Walk};
use super::{Memory, Rounds, Table};

/// Where iteration `i` of an access is. Numbers wrap, so that strides may be negative.
#[cube]
pub fn address(
    table: &Table,
    words: u32,
    i: u32,
    rounds: Rounds,
    #[comptime] walk: Walk,
    #[comptime] depth: u8,
) -> u32 {
    let at = words + comptime!(walk.at as u32);
    let mut offset = table[at as usize];
    if comptime!(depth > 0) {
        offset += table[(at + 1u32) as usize] * rounds.first;
    }
    if comptime!(depth > 1) {
        offset += table[(at + 2u32) as usize] * rounds.second;
    }
    if comptime!(depth > 2) {
        offset += table[(at + 3u32) as usize] * rounds.third;
    }
    offset + along(table, at + comptime!(1 + depth as u32), i, walk.rank)
}

/// How far iteration `i` is from the first.
#[cube]
fn along(table: &Table, at: u32, i: u32, #[comptime] rank: Rank) -> u32 {
    match rank {
        Rank::Uniform => 0u32.runtime(),
        Rank::Flat => i,
        Rank::Strided(loops) => {
            let mut offset = 0u32;
            let mut rest = i;
            let inner = comptime!(loops as u32 - 1);
            #[unroll]
            for step in 0..inner {
                let pair = at + comptime!(2 * (inner - step));
                let size = table[pair as usize];
                offset += (rest % size) * table[(pair + 1u32) as usize];
                rest /= size;
            }
            offset + rest * table[(at + 1u32) as usize]
        }
    }
}

/// The bits of an element.
#[cube]
pub fn read(memory: &Memory, address: u32, rounds: Rounds, #[comptime] page: Page) -> u32 {
    match page {
        Page::Bound(number) => {
            let array = memory.index(comptime!(number as usize));
            array[address as usize]
        }
        Page::Table => {
            let table = memory.index(comptime!(memory.len() - 1));
            table[address as usize]
        }
        Page::Round(depth) => {
            if comptime!(depth == 0) {
                rounds.first
            } else if comptime!(depth == 1) {
                rounds.second
            } else {
                rounds.third
            }
        }
    }
}

#[cube]
pub fn write(memory: &mut Memory, address: u32, bits: u32, #[comptime] page: Page) {
    if let Page::Bound(number) = comptime!(page) {
        let array = memory.index_mut(comptime!(number as usize));
        array[address as usize] = bits;
    }
}
