//! The one kernel that every launch is: chains of stages, written out when it is compiled.
//!
//! In: the memory (pages), the table, the place of the launch's words there. A launch has families of chains of one form; each
//! member of a family has its own words. A cube finds its member, and in it its rows, and runs the stages on them one after
//! another; all units wait for each other between stages.

// What is written here is not Rust that runs but what kernels are made of: only plain loops and operators are known to `#[cube]`.
#![allow(
    clippy::needless_range_loop,
    clippy::manual_is_multiple_of,
    clippy::manual_range_contains,
    clippy::approx_constant
)]

mod element;
mod fold;
mod half;
mod line;
mod scatter;
pub mod single;
pub mod tile;
mod walk;

use cubecl::prelude::*;

use super::ir::{Common, Form, Forms, HEAD, Stage};

/// Numbers of the rounds of the loops around, outermost first.
#[derive(CubeType, Clone, Copy)]
pub struct Rounds {
    pub first: u32,
    pub second: u32,
    pub third: u32,
}

/// The iterations of a stage that a cube does.
#[derive(CubeType, Clone, Copy)]
pub struct Range {
    pub from: u32,
    pub to: u32,
}

/// Memory of four-byte elements. The last page is the table.
pub type Memory = Sequence<Array<u32>>;

/// What a cube needs of the table, in its shared memory: walks look at it for every element.
pub type Table = SharedMemory<u32>;

/// One word of each unit, which units fold together.
pub type Units = SharedMemory<u32>;

/// Words of the launch, from `at`: for each family its first cube, the cube after its last, and where its members are listed.
#[cube(launch_unchecked)]
pub fn run(
    memory: &mut Memory,
    at: u32,
    first: u32,
    second: u32,
    third: u32,
    #[comptime] forms: Forms<Form>,
) {
    let rounds = Rounds { first, second, third };
    let cube = CUBE_POS as u32;
    let families = comptime!(forms.count());
    let mut words = SharedMemory::<u32>::new(comptime!(forms.words() as usize));
    let mut units = SharedMemory::<u32>::new(256usize);
    #[unroll]
    for number in 0..families {
        if holds(memory, at, cube, number) {
            let form = comptime!(forms.at(number));
            member(memory, &mut words, at, cube, number, comptime!(form.words()));
            chain(memory, &words, &mut units, cube, rounds, form);
        }
    }
}

/// Whether a cube belongs to a family.
#[cube]
fn holds(memory: &Memory, at: u32, cube: u32, #[comptime] number: usize) -> bool {
    let table = memory.index(comptime!(memory.len() - 1));
    let family = at + comptime!(3 * number as u32);
    cube >= table[family as usize] && cube < table[(family + 1u32) as usize]
}

/// Brings the words of a cube's member of a family to the cube.
#[cube]
fn member(
    memory: &Memory,
    words: &mut Table,
    at: u32,
    cube: u32,
    #[comptime] number: usize,
    #[comptime] count: u32,
) {
    let table = memory.index(comptime!(memory.len() - 1));
    let mut member = table[(at + comptime!(3 * number as u32 + 2)) as usize];
    while cube >= table[member as usize] {
        member += count;
    }
    let mut word = UNIT_POS;
    while word < count {
        words[word as usize] = table[(member + word) as usize];
        word += CUBE_DIM;
    }
    sync_cube();
}

#[cube]
fn chain(
    memory: &mut Memory,
    table: &Table,
    units: &mut Units,
    cube: u32,
    rounds: Rounds,
    #[comptime] form: Form,
) {
    let share = table[3];
    let row = (cube - table[1]) * share;
    let left = table[2] - row;
    let rows = select(left < share, left, share);
    let stages = comptime!(form.stages.len());
    #[unroll]
    for number in 0..stages {
        let stage = comptime!(form.stages[number].stage.clone());
        let begin = comptime!(if number == 0 { HEAD } else { form.stages[number - 1].end });
        let depth = comptime!(form.depth);
        let words = begin.runtime();
        if comptime!(form.stages[number].wait) {
            sync_storage();
        }
        let each = table[words as usize];
        let part = Range { from: row * each, to: (row + rows) * each };
        match stage {
            Stage::Map(steps) => element::map(memory, table, words, part, rounds, steps, depth),
            Stage::Fold(shape) => fold::fold(memory, table, units, words, part, rounds, shape, depth),
            Stage::Scatter(shape) => {
                scatter::scatter(memory, table, units, words, part, rounds, shape, depth)
            }
            Stage::Lines(shape) => line::lines(memory, table, words, part, rounds, shape, depth),
        }
    }
}
