//! Large contractions: a cube makes a tile of the result, each unit some of its rows and columns, from strips of both factors that are
//! read once into shared memory. Products are added in the order of the contracted loop. While a strip is worked on, the next one is on
//! its way.

use cubecl::prelude::*;

use super::super::ir::{Common, Forms, Walk};
use super::walk::{address, read, write};
use super::{Memory, Rounds, Table, holds, member};

/// Elements of a strip of one factor: four for each unit.
const STRIP: u32 = 1024;

/// Words between the positions of a strip beyond its elements, so that units that write next to each other do not meet in one bank.
const APART: u32 = 4;

/// A contraction whose sizes and strides are in the table. Words after the head: rows, columns, contracted positions, strides of
/// the factors' other loops, strides of rows and columns of the result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Tiling {
    /// Over the batch, and along the contracted loops.
    pub a: (Walk, Walk),
    pub b: (Walk, Walk),
    pub c: Walk,
    /// Neighbours in memory are neighbours along the contracted loop.
    pub a_strips: bool,
    pub b_strips: bool,
    /// Rows and columns that a unit makes: 4, or 8. A tile has 16 times as many.
    pub reach: u32,
    /// Of the table.
    pub words: u32,
    pub depth: u8,
}

/// One factor as a cube reads it: where its batch begins, the first of its other loop, the size and stride of that.
#[derive(CubeType, Clone, Copy)]
struct Side {
    start: u32,
    first: u32,
    size: u32,
    stride: u32,
}

impl Common for Tiling {
    fn words(&self) -> u32 {
        self.words
    }
}

/// Shared memory of one factor.
const SHARED: usize = 1088;

/// Words of the launch, from `at`: families as in a launch of chains.
#[cube(launch_unchecked)]
pub fn tiles(
    memory: &mut Memory,
    at: u32,
    first: u32,
    second: u32,
    third: u32,
    #[comptime] shapes: Forms<Tiling>,
) {
    let rounds = Rounds { first, second, third };
    let cube = CUBE_POS as u32;
    let families = comptime!(shapes.count());
    let mut words = SharedMemory::<u32>::new(comptime!(shapes.words() as usize));
    let mut left = SharedMemory::<f32>::new(SHARED);
    let mut right = SharedMemory::<f32>::new(SHARED);
    #[unroll]
    for number in 0..families {
        if holds(memory, at, cube, number) {
            let shape = comptime!(shapes.at(number));
            member(memory, &mut words, at, cube, number, comptime!(shape.words));
            tile(memory, &words, &mut left, &mut right, cube, rounds, shape);
        }
    }
}

#[cube]
fn tile(
    memory: &mut Memory,
    table: &Table,
    left: &mut SharedMemory<f32>,
    right: &mut SharedMemory<f32>,
    cube: u32,
    rounds: Rounds,
    #[comptime] shape: Tiling,
) {
    let depth = comptime!(shape.depth);
    let reach = comptime!(shape.reach);
    let tile = comptime!(16 * shape.reach);
    let positions = comptime!(STRIP / (16 * shape.reach));
    let pitch = comptime!(16 * shape.reach + APART);
    let own = cube - table[1];
    let (column, row) = (own % table[2], (own / table[2]) % table[3]);
    let batch = own / (table[2] * table[3]);
    let at = 0u32;
    let k = table[6];
    let a = Side {
        start: address(table, at, batch, rounds, comptime!(shape.a.0), depth),
        first: row * tile,
        size: table[4],
        stride: table[7],
    };
    let b = Side {
        start: address(table, at, batch, rounds, comptime!(shape.b.0), depth),
        first: column * tile,
        size: table[5],
        stride: table[8],
    };
    let mut sums = Array::<f32>::new(comptime!((reach * reach) as usize));
    #[unroll]
    for i in 0..comptime!(reach * reach) {
        sums[i as usize] = 0.0f32;
    }
    let mut next_left = Array::<f32>::new(4usize);
    let mut next_right = Array::<f32>::new(4usize);
    ahead(memory, table, at, a, &mut next_left, 0u32, k, rounds, shape.a, shape.a_strips, tile, depth);
    ahead(memory, table, at, b, &mut next_right, 0u32, k, rounds, shape.b, shape.b_strips, tile, depth);
    // A unit makes groups of 4 x 4 elements, 64 rows and columns apart.
    let (unit_row, unit_column) = ((UNIT_POS / 16u32) * 4u32, (UNIT_POS % 16u32) * 4u32);
    let mut k0 = 0u32;
    while k0 < k {
        #[unroll]
        for step in 0..4u32 {
            let (row, position) = place(step, shape.a_strips, tile);
            left[(position * pitch + row) as usize] = next_left[step as usize];
            let (column, position) = place(step, shape.b_strips, tile);
            right[(position * pitch + column) as usize] = next_right[step as usize];
        }
        sync_cube();
        k0 += positions;
        if k0 < k {
            ahead(memory, table, at, a, &mut next_left, k0, k, rounds, shape.a, shape.a_strips, tile, depth);
            ahead(memory, table, at, b, &mut next_right, k0, k, rounds, shape.b, shape.b_strips, tile, depth);
        }
        let mut position = 0u32;
        while position < positions {
            let mut x = Array::<f32>::new(comptime!(reach as usize));
            let mut y = Array::<f32>::new(comptime!(reach as usize));
            #[unroll]
            for i in 0..reach {
                let beyond = comptime!((i / 4) * 64 + i % 4);
                x[i as usize] = left[(position * pitch + unit_row + beyond) as usize];
                y[i as usize] = right[(position * pitch + unit_column + beyond) as usize];
            }
            #[unroll]
            for i in 0..reach {
                #[unroll]
                for j in 0..reach {
                    sums[comptime!((reach * i + j) as usize)] += x[i as usize] * y[j as usize];
                }
            }
            position += 1u32;
        }
        sync_cube();
    }
    let c = address(table, at, batch, rounds, comptime!(shape.c), depth);
    let (c_row, c_column) = (table[9], table[10]);
    #[unroll]
    for i in 0..reach {
        let row = a.first + unit_row + comptime!((i / 4) * 64 + i % 4);
        #[unroll]
        for j in 0..reach {
            let column = b.first + unit_column + comptime!((j / 4) * 64 + j % 4);
            if row < a.size && column < b.size {
                let to = c + row * c_row + column * c_column;
                let bits = u32::reinterpret(sums[comptime!((reach * i + j) as usize)]);
                write(memory, to, bits, comptime!(shape.c.page));
            }
        }
    }
}

/// Which element of a strip (beside it, along it) a unit reads in a step.
#[cube]
fn place(#[comptime] step: u32, #[comptime] strips: bool, #[comptime] tile: u32) -> (u32, u32) {
    let e = UNIT_POS + comptime!(256 * step);
    let positions = comptime!(STRIP / tile);
    if comptime!(strips) { (e / positions, e % positions) } else { (e % tile, e / tile) }
}

/// Reads the four elements of a unit of the strip at `k0`; 0 outside of the factor.
#[cube]
#[allow(clippy::too_many_arguments)]
fn ahead(
    memory: &Memory,
    table: &Table,
    at: u32,
    side: Side,
    found: &mut Array<f32>,
    k0: u32,
    k: u32,
    rounds: Rounds,
    #[comptime] walks: (Walk, Walk),
    #[comptime] strips: bool,
    #[comptime] tile: u32,
    #[comptime] depth: u8,
) {
    #[unroll]
    for step in 0..4u32 {
        let (beside, position) = place(step, strips, tile);
        let (other, along) = (side.first + beside, k0 + position);
        let offset = address(table, at, along, rounds, comptime!(walks.1), depth);
        let mut element = 0.0f32;
        if other < side.size && along < k {
            let from = side.start + other * side.stride + offset;
            element = f32::reinterpret(read(memory, from, rounds, comptime!(walks.0.page)));
        }
        found[step as usize] = element;
    }
}
