//! Large contractions: a cube makes 64 x 64 elements of the result, each unit 4 x 4 of them, from strips of both factors that are
//! read once into shared memory. Products are added in the order of the contracted loop.

use cubecl::prelude::*;

use super::super::ir::{Page, Walk};
use super::walk::{address, read, write};
use super::{Memory, Rounds};

/// Rows and columns of a tile.
pub const TILE: u32 = 64;
/// Contracted positions of a strip.
const STRIP: u32 = 16;

/// A contraction whose sizes and strides are in the table. Words: rows, columns, contracted positions, strides of rows and columns
/// of the factors' other loops and of the result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Tiling {
    /// Over the batch, and along the contracted loops.
    pub a: (Walk, Walk),
    pub b: (Walk, Walk),
    pub c: Walk,
    /// Neighbours in memory are neighbours along the contracted loop.
    pub a_strips: bool,
    pub b_strips: bool,
    pub depth: u8,
}

#[cube(launch_unchecked)]
pub fn tiles(
    memory: &mut Memory,
    table: &Array<u32>,
    at: u32,
    first: u32,
    second: u32,
    third: u32,
    #[comptime] shape: Tiling,
) {
    let rounds = Rounds { first, second, third };
    let depth = comptime!(shape.depth);
    let (m, n, k) = (table[at as usize], table[(at + 1u32) as usize], table[(at + 2u32) as usize]);
    let (row0, column0) = (CUBE_POS_Y * TILE, CUBE_POS_X * TILE);
    let batch = CUBE_POS_Z;
    let a = address(table, at, batch, rounds, comptime!(shape.a.0), depth);
    let b = address(table, at, batch, rounds, comptime!(shape.b.0), depth);
    let c = address(table, at, batch, rounds, comptime!(shape.c), depth);
    let (a_row, b_column) = (table[(at + 3u32) as usize], table[(at + 4u32) as usize]);
    let (c_row, c_column) = (table[(at + 5u32) as usize], table[(at + 6u32) as usize]);
    let mut left = SharedMemory::<f32>::new(1024usize);
    let mut right = SharedMemory::<f32>::new(1024usize);
    let mut sums = Array::<f32>::new(16usize);
    #[unroll]
    for i in 0..16usize {
        sums[i] = 0.0f32;
    }
    let (unit_row, unit_column) = ((UNIT_POS / 16u32) * 4u32, (UNIT_POS % 16u32) * 4u32);
    let mut k0 = 0u32;
    while k0 < k {
        #[unroll]
        for step in 0..4u32 {
            let e = UNIT_POS + 256u32 * step;
            let (row, ka) = place(e, comptime!(shape.a_strips));
            let offset = address(table, at, k0 + ka, rounds, comptime!(shape.a.1), depth);
            let inside = row0 + row < m && k0 + ka < k;
            left[(ka * TILE + row) as usize] =
                factor(memory, table, a + (row0 + row) * a_row + offset, inside, comptime!(shape.a.0.page));
            let (column, kb) = place(e, comptime!(shape.b_strips));
            let offset = address(table, at, k0 + kb, rounds, comptime!(shape.b.1), depth);
            let inside = column0 + column < n && k0 + kb < k;
            right[(kb * TILE + column) as usize] = factor(
                memory,
                table,
                b + (column0 + column) * b_column + offset,
                inside,
                comptime!(shape.b.0.page),
            );
        }
        sync_cube();
        let mut kk = 0u32;
        while kk < STRIP {
            #[unroll]
            for i in 0..4u32 {
                let x = left[(kk * TILE + unit_row + i) as usize];
                #[unroll]
                for j in 0..4u32 {
                    let y = right[(kk * TILE + unit_column + j) as usize];
                    sums[(4u32 * i + j) as usize] += x * y;
                }
            }
            kk += 1u32;
        }
        sync_cube();
        k0 += STRIP;
    }
    #[unroll]
    for i in 0..4u32 {
        #[unroll]
        for j in 0..4u32 {
            let (row, column) = (row0 + unit_row + i, column0 + unit_column + j);
            if row < m && column < n {
                let to = c + row * c_row + column * c_column;
                write(memory, to, u32::reinterpret(sums[(4u32 * i + j) as usize]), comptime!(shape.c.page));
            }
        }
    }
}

/// Which element of a tile (beside the strip, along it) a unit reads.
#[cube]
fn place(e: u32, #[comptime] strips: bool) -> (u32, u32) {
    if comptime!(strips) { (e / STRIP, e % STRIP) } else { (e % TILE, e / TILE) }
}

/// An element of a factor; 0 outside.
#[cube]
fn factor(memory: &Memory, table: &Array<u32>, at: u32, inside: bool, #[comptime] page: Page) -> f32 {
    let mut found = 0.0f32;
    if inside {
        let rounds = Rounds { first: 0u32, second: 0u32, third: 0u32 };
        found = f32::reinterpret(read(memory, table, at, rounds, page));
    }
    found
}
