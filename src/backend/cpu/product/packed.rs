//! A rectangle of a product with both operands packed: panels of the right one, two vectors wide, and tiles of the left one.
//!
//! In: operands as they lie, and room for parts of them. Out: the result, along its columns, bit for bit that of [`super::blocks`]. A tile
//! reads both operands one after the other at distances that are known when it is compiled, which frees the machine for what it multiplies;
//! and the few rows of the left operand, the panel and the tile stay in the nearer caches.
//!
//! The order of the loops is that of K. Goto and R. van de Geijn, "Anatomy of High-Performance Matrix Multiplication", 2008.

use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
use std::ops::Range;

use super::Operands;
use super::blocks::{Block, Matrices, TERMS};
use super::lanes::{Lanes, Narrow};
use super::pack::{pack, pack_tile, pack_tiles_across};
use super::tile::{UNROLLED, load, term};

/// Rows of a tile, and vectors of a panel: with them the sums fill twelve of sixteen registers.
const HEIGHT: usize = 6;
const VECTORS: usize = 2;
const WIDTH: usize = VECTORS * Narrow::LANES;
/// Blocks of terms that are packed together: results are read and written again once for all of them.
const TOGETHER: usize = 2;
/// Rows of the left operand that are packed at a time, and columns of the right one.
const ROWS: usize = 8 * HEIGHT;
const COLUMNS: usize = 32 * WIDTH;
/// Panels that are packed at a time, so that a line of the cache is read once.
const ABREAST: usize = 4;
/// Where the packed left operand begins, and elements of room in all: what lies behind a tile is written to.
const LEFT: usize = TOGETHER * TERMS * COLUMNS;
pub const ROOM: usize = LEFT + TOGETHER * TERMS * ROWS + 16;

/// Blocks of terms that are packed together.
struct Together {
    blocks: [Block; TOGETHER],
    count: usize,
    terms: usize,
    /// Is something there that they are added to?
    add: bool,
}

impl Together {
    fn new(matrices: &Matrices, blocks: Range<usize>) -> Together {
        let (count, add) = (blocks.len(), blocks.start > 0);
        let block = |at: usize| matrices.block((blocks.start + at).min(blocks.end - 1));
        let blocks: [Block; TOGETHER] = std::array::from_fn(block);
        let terms = blocks[..count].iter().map(Block::terms).sum();
        Together { blocks, count, terms, add }
    }

    /// Each with the number of terms before it.
    fn each(&self) -> impl Iterator<Item = (usize, &Block)> {
        self.blocks[..self.count].iter().scan(0, |before, block| {
            let first = *before;
            *before += block.terms();
            Some((first, block))
        })
    }
}

/// Tiles of one height, one below the other, in a panel.
#[derive(Clone, Copy)]
struct Tiles<'a> {
    together: &'a Together,
    a: *const f32,
    b: *const f32,
    c: *mut f32,
    stride: isize,
    count: usize,
    /// Columns that count.
    width: usize,
}

/// # Safety
/// The machine has AVX2 and FMA; the rectangle (first, count) of rows and columns lies in the product, and the operands point to
/// what it says. `room` is for [`ROOM`] elements.
#[target_feature(enable = "avx2,fma")]
pub unsafe fn rectangle(
    matrices: &Matrices,
    (a, b, c): Operands,
    rows: (usize, usize),
    columns: (usize, usize),
    room: *mut f32,
) {
    let (row_end, column_end) = (rows.0 + rows.1, columns.0 + columns.1);
    let (right, left) = (room, room.wrapping_add(LEFT));
    let blocks = matrices.blocks();
    for first in (0..blocks).step_by(TOGETHER) {
        let together = Together::new(matrices, first..blocks.min(first + TOGETHER));
        for column in (columns.0..column_end).step_by(COLUMNS) {
            let width = COLUMNS.min(column_end - column);
            unsafe {
                pack_right(matrices, &together, b.offset(column as isize * matrices.b.1), width, right);
                for row in (rows.0..row_end).step_by(ROWS) {
                    let height = ROWS.min(row_end - row);
                    let behind = row_end - row;
                    pack_left(
                        matrices,
                        &together,
                        a.offset(row as isize * matrices.a.0),
                        (height, behind),
                        left,
                    );
                    let c = c.offset(row as isize * matrices.c).add(column);
                    strips(&together, (left, right, c), (height, width), matrices.c);
                }
            }
        }
    }
}

/// Panel after panel, each with the terms of all blocks.
#[inline(always)]
unsafe fn pack_right(matrices: &Matrices, together: &Together, b: *const f32, width: usize, to: *mut f32) {
    unsafe {
        for (before, block) in together.each() {
            for turn in 0..block.loops {
                let from = b.offset(block.b + turn as isize * matrices.inner().2);
                let to = to.add((before + turn * block.k) * WIDTH);
                pack_panels((from, matrices.b), block.k, width, to, together.terms * WIDTH);
            }
        }
    }
}

/// Some terms of all panels, which lie `panel` elements apart.
#[inline(always)]
unsafe fn pack_panels(
    (from, strides): (*const f32, (isize, isize)),
    k: usize,
    width: usize,
    to: *mut f32,
    panel: usize,
) {
    let whole = if strides.1 == 1 { width / WIDTH } else { 0 };
    unsafe {
        for first in (0..whole).step_by(ABREAST) {
            let abreast = first..whole.min(first + ABREAST);
            for row in 0..k {
                let from = from.offset(row as isize * strides.0);
                for at in abreast.clone() {
                    let (from, to) = (from.add(at * WIDTH), to.add(at * panel + row * WIDTH));
                    to.cast::<[f32; WIDTH]>().write(from.cast::<[f32; WIDTH]>().read());
                }
            }
        }
        for at in whole..width.div_ceil(WIDTH) {
            let column = at * WIDTH;
            let (count, to) = (WIDTH.min(width - column), to.add(at * panel));
            pack(from.offset(column as isize * strides.1), strides, k, count, to, WIDTH as isize);
            if count < WIDTH {
                for row in 0..k {
                    to.add(row * WIDTH + count).write_bytes(0, WIDTH - count);
                }
            }
        }
    }
}

/// Tile after tile, each with the terms of all blocks.
#[inline(always)]
unsafe fn pack_left(
    matrices: &Matrices,
    together: &Together,
    a: *const f32,
    (rows, behind): (usize, usize),
    to: *mut f32,
) {
    unsafe {
        for (first, height, count) in heights(rows) {
            let from = (a.offset(first as isize * matrices.a.0), behind - first);
            let to = to.add(first * together.terms);
            match height {
                1 => pack_tiles::<1>(matrices, together, from, count, to),
                2 => pack_tiles::<2>(matrices, together, from, count, to),
                3 => pack_tiles::<3>(matrices, together, from, count, to),
                4 => pack_tiles::<4>(matrices, together, from, count, to),
                5 => pack_tiles::<5>(matrices, together, from, count, to),
                _ => pack_tiles::<HEIGHT>(matrices, together, from, count, to),
            }
        }
    }
}

#[target_feature(enable = "avx2,fma")]
unsafe fn pack_tiles<const ROWS: usize>(
    matrices: &Matrices,
    together: &Together,
    (a, behind): (*const f32, usize),
    count: usize,
    to: *mut f32,
) {
    let tile = ROWS * together.terms;
    let lies_across = matrices.a.0 == 1;
    // Terms are written beyond their rows, which those that follow mend: so a tile at a time.
    let (groups, each) = if lies_across { (1, count) } else { (count, 1) };
    for group in 0..groups {
        for (before, block) in together.each() {
            for turn in 0..block.loops {
                unsafe {
                    let from = a
                        .offset(block.a + turn as isize * matrices.inner().1)
                        .offset((group * ROWS) as isize * matrices.a.0);
                    let to = to.add((before + turn * block.k) * ROWS + group * tile);
                    if lies_across {
                        pack_tiles_across::<ROWS>((from, behind), matrices.a.1, block.k, (to, each, tile));
                    } else {
                        pack_tile::<ROWS>(from, matrices.a, block.k, to);
                    }
                }
            }
        }
    }
}

/// Tiles of two heights that make up so many rows, the smaller ones first: the first row, the height, how many.
fn heights(rows: usize) -> [(usize, usize, usize); 2] {
    let tiles = rows.div_ceil(HEIGHT);
    let (height, higher) = (rows / tiles, rows % tiles);
    let lower = tiles - higher;
    [(0, height, lower), (lower * height, height + 1, higher)]
}

/// All tiles of some rows, panel after panel.
#[inline(always)]
unsafe fn strips(
    together: &Together,
    (left, right, c): (*const f32, *const f32, *mut f32),
    (rows, columns): (usize, usize),
    stride: isize,
) {
    for column in (0..columns).step_by(WIDTH) {
        let width = WIDTH.min(columns - column);
        for (first, height, count) in heights(rows) {
            unsafe {
                let a = left.add(first * together.terms);
                let b = right.add(column * together.terms);
                let c = c.offset(first as isize * stride).add(column);
                let tiles = Tiles { together, a, b, c, stride, count, width };
                match height {
                    1 => run::<Narrow, 1>(tiles),
                    2 => run::<Narrow, 2>(tiles),
                    3 => run::<Narrow, 3>(tiles),
                    4 => run::<Narrow, 4>(tiles),
                    5 => run::<Narrow, 5>(tiles),
                    _ => run::<Narrow, HEIGHT>(tiles),
                }
            }
        }
    }
}

#[target_feature(enable = "avx2,fma")]
unsafe fn run<L: Lanes, const ROWS: usize>(tiles: Tiles) {
    let Tiles { together, a, b, stride, width, .. } = tiles;
    for number in 0..tiles.count {
        unsafe {
            let c = tiles.c.offset((number * ROWS) as isize * stride);
            for row in 0..ROWS as isize {
                // Both ends: a row of the tile may lie in two lines of the cache.
                _mm_prefetch::<_MM_HINT_T0>(c.offset(row * stride).cast());
                _mm_prefetch::<_MM_HINT_T0>(c.offset(row * stride).wrapping_add(WIDTH - 1).cast());
            }
            let a = a.add(number * ROWS * together.terms);
            for (before, block) in together.each() {
                let (a, b) = (a.add(before * ROWS), b.add(before * WIDTH));
                let sums = sums::<L, ROWS>(a, b, block.terms());
                store::<L, ROWS>(sums, c, stride, width, together.add || before > 0);
            }
        }
    }
}

#[inline(always)]
unsafe fn sums<L: Lanes, const ROWS: usize>(
    mut a: *const f32,
    mut b: *const f32,
    terms: usize,
) -> [[L::Vector; VECTORS]; ROWS] {
    unsafe {
        let mut sums = [[L::zero(); VECTORS]; ROWS];
        for _ in 0..terms / UNROLLED {
            for at in 0..UNROLLED {
                let right = load::<L, VECTORS>(b.add(at * WIDTH));
                term::<L, VECTORS, ROWS>(|row| a.add(at * ROWS + row), right, &mut sums);
            }
            a = a.add(UNROLLED * ROWS);
            b = b.add(UNROLLED * WIDTH);
        }
        for at in 0..terms % UNROLLED {
            let right = load::<L, VECTORS>(b.add(at * WIDTH));
            term::<L, VECTORS, ROWS>(|row| a.add(at * ROWS + row), right, &mut sums);
        }
        sums
    }
}

/// Puts sums where they belong, or adds them to what is there; of the columns those that count.
#[inline(always)]
unsafe fn store<L: Lanes, const ROWS: usize>(
    sums: [[L::Vector; VECTORS]; ROWS],
    c: *mut f32,
    stride: isize,
    width: usize,
    add: bool,
) {
    unsafe {
        for (row, sums) in sums.into_iter().enumerate() {
            for (at, sum) in sums.into_iter().enumerate() {
                let c = c.offset(row as isize * stride).wrapping_add(at * L::LANES);
                let count = width.saturating_sub(at * L::LANES);
                if count >= L::LANES {
                    L::store(c, if add { L::add(L::load(c), sum) } else { sum });
                } else if count > 0 {
                    let sum = if add { L::add(L::load_part(c, L::mask(count)), sum) } else { sum };
                    L::store_part(c, count, sum);
                }
            }
        }
    }
}
