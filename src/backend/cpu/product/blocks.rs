//! A product, or a rectangle of one, in blocks that stay in the caches.
//!
//! In: operands as they lie, the left with any strides, the right best along its columns. Out: the result, along its columns.
//! Every element is a sum of sums: blocks of terms, which depend on the contracted sizes alone, are added in order. So neither
//! the rectangle nor the tile changes a bit.

use super::pack::pack;
use super::tile::{ROWS, Table, Tiles};

/// Terms of a block of a sum: the panels of the right operand that belong to it stay near.
pub const TERMS: usize = 256;
/// Blocks that go together, so that results are seldom read again.
const TOGETHER: usize = 4;
/// Rows that go together, so that their part of the left operand stays near.
const TALL: usize = 256;
/// Rows from which packing the right operand pays, and the stride from which it does so for one that lies well.
const PACKED_ROWS: usize = 32;
const PACKED_STRIDE: isize = 512;
/// Multiplications from which packing both operands beforehand pays, from which it does so for a left operand that lies across, and the stride
/// from which it does so for a right one.
const PACKED_MUCH: usize = 1 << 25;
const PACKED_WORK: usize = 1 << 22;
const PACKED_WIDE: isize = 1024;
/// Elements from one address to the next in the same set of the first cache.
const PAGE: isize = 1024;
/// Strides by which terms lie in eight of its sets only; so many terms of both operands, or of the right one alone, fill these.
const CROWDED: isize = PAGE / 8;
const CROWD: usize = 32;
const CROWD_ALONE: usize = 128;
/// Elements of a line of the cache.
const LINE: usize = 16;
/// The widest panel.
const WIDTH: usize = 64;

/// c[m, n] = sum over (outer, k) of a[outer, m, k] * b[outer, k, n]; m and n are the rectangle's affair.
#[derive(Clone, Copy)]
pub struct Matrices<'a> {
    pub k: usize,
    pub outer: &'a [usize],
    /// Strides of (m, k).
    pub a: (isize, isize),
    pub a_outer: &'a [isize],
    /// Strides of (k, n).
    pub b: (isize, isize),
    pub b_outer: &'a [isize],
    /// Stride of m; that of n is 1.
    pub c: isize,
}

/// Terms that are summed in registers.
pub struct Block {
    pub a: isize,
    pub b: isize,
    pub k: usize,
    pub loops: usize,
}

impl Block {
    pub fn terms(&self) -> usize {
        self.k * self.loops
    }
}

impl Matrices<'_> {
    /// The innermost of the outer loops: size, strides of a and b.
    pub fn inner(&self) -> (usize, isize, isize) {
        match (self.outer.last(), self.a_outer.last(), self.b_outer.last()) {
            (Some(size), Some(a), Some(b)) => (*size, *a, *b),
            _ => (1, 0, 0),
        }
    }

    /// Blocks along k, and along the innermost outer loop.
    fn cuts(&self) -> (usize, usize) {
        let along = self.k.div_ceil(TERMS).max(1);
        let together = if along == 1 { (TERMS / self.k.max(1)).max(1) } else { 1 };
        (along, self.inner().0.div_ceil(together))
    }

    pub fn blocks(&self) -> usize {
        let (along, loops) = self.cuts();
        let rest = &self.outer[..self.outer.len().saturating_sub(1)];
        along * loops * rest.iter().product::<usize>()
    }

    pub fn block(&self, at: usize) -> Block {
        let (along, loops) = self.cuts();
        let (size, a_loop, b_loop) = self.inner();
        let part = |size: usize, at: usize, of: usize| (size * at / of, size * (at + 1) / of);
        let (k, k_end) = part(self.k, at % along, along);
        let (first, end) = part(size, at / along % loops, loops);
        let (mut a, mut b) = (k as isize * self.a.1, k as isize * self.b.0);
        a += first as isize * a_loop;
        b += first as isize * b_loop;
        let mut rest = at / along / loops;
        for place in (0..self.outer.len().saturating_sub(1)).rev() {
            let position = (rest % self.outer[place]) as isize;
            rest /= self.outer[place];
            a += position * self.a_outer[place];
            b += position * self.b_outer[place];
        }
        Block { a, b, k: k_end - k, loops: end - first }
    }

    /// Is the right operand packed for this many rows?
    pub fn packs_right(&self, rows: usize) -> bool {
        self.b.1 != 1 || rows >= PACKED_ROWS && self.b.0.abs() >= PACKED_STRIDE
    }

    /// Do terms crowd into a few sets of the first cache, so that the right operand is packed? With vectors of half a line a panel has a line
    /// of each term, and is gone before the next rows; with longer ones packing cost as much as it gave.
    pub fn is_crowded(&self, rows: usize, lanes: usize) -> bool {
        let is_left_crowded = self.a.0 == 1 && self.a.1 % CROWDED == 0;
        let (least_rows, least_terms) = match is_left_crowded {
            true => (PACKED_ROWS, CROWD + 1),
            false => (CROWD_ALONE, CROWD_ALONE),
        };
        lanes < LINE && self.b.0 % CROWDED == 0 && rows >= least_rows && self.k >= least_terms
    }

    /// Is the whole so large, or do its operands lie so badly, that both are packed beforehand by machines that gain by it?
    pub fn pays_packing(&self, rows: usize, columns: usize) -> bool {
        let terms = self.k * self.outer.iter().product::<usize>();
        let work = rows * columns * terms;
        let lies_across = self.a.0 == 1 && self.a.1 != 1;
        let is_wide = self.b.1 == 1 && self.b.0.abs() >= PACKED_WIDE;
        let lies_badly = lies_across && terms >= TERMS && work >= PACKED_WORK
            || is_wide && terms >= TERMS / 2
            || self.packs_left(rows, columns) && terms >= TERMS / 4;
        rows >= PACKED_ROWS / 2 && columns >= WIDTH && (work >= PACKED_MUCH || lies_badly)
    }

    /// Is the left operand packed? Where its rows lie side by side and its terms far apart, or its rows so that all begin in the same
    /// sets of a cache.
    pub fn packs_left(&self, rows: usize, columns: usize) -> bool {
        let is_far = self.a.0 == 1 && self.a.1.abs() >= PACKED_STRIDE;
        let collides = self.a.1 == 1 && self.a.0 % PAGE == 0 && self.k >= PACKED_ROWS && columns >= WIDTH;
        rows >= PACKED_ROWS && (is_far || collides)
    }
}

/// How a panel of columns is computed.
#[derive(Clone, Copy)]
struct Panel {
    column: usize,
    width: usize,
    vectors: usize,
}

/// Panels of about three vectors, which with their rows fill the registers best, or of as many as the table has.
fn panel((table, lanes): (&Table, usize), column: usize, end: usize, rows: usize) -> Panel {
    let left = (end - column).div_ceil(lanes);
    let most = table.iter().filter(|runs| runs[0].is_some()).count();
    let vectors = match left {
        _ if rows <= 6 => left.min(most),
        4 => 2,
        _ => left.min(3).min(most),
    };
    Panel { column, width: (end - column).min(vectors * lanes), vectors }
}

/// Room for a packed right operand.
#[repr(align(64))]
pub struct RightRoom(#[allow(dead_code)] [f32; RIGHT]);

/// Room for both operands, the left one after the right one.
#[repr(align(64))]
pub struct Room(#[allow(dead_code)] [f32; RIGHT + LEFT]);

const RIGHT: usize = TERMS * WIDTH;
/// Rows of a packed left operand, and their distance: no power of two, so that they spread over the sets of a cache.
const ROWS_PACKED: usize = TALL;
const LEFT_STRIDE: usize = ROWS_PACKED + 16;
const LEFT: usize = TERMS * LEFT_STRIDE;

/// What every strip of a rectangle shares.
#[derive(Clone, Copy)]
struct Work<'a> {
    matrices: &'a Matrices<'a>,
    table: &'a Table,
    lanes: usize,
    a: *const f32,
    b: *const f32,
    c: *mut f32,
    room: *mut f32,
}

/// # Safety
/// The machine has the features of the table; the rectangle (first, count) of rows and columns lies in the product, and the
/// operands point to what it says. `room` is a [`RightRoom`] if only the right operand is packed, a [`Room`]
/// if the left one is.
#[inline(always)]
pub unsafe fn rectangle(
    matrices: &Matrices,
    (table, lanes): (&Table, usize),
    (a, b, c): (*const f32, *const f32, *mut f32),
    rows: (usize, usize),
    columns: (usize, usize),
    room: *mut f32,
) {
    let work = Work { matrices, table, lanes, a, b, c, room };
    let blocks = matrices.blocks();
    let (row_end, column_end) = (rows.0 + rows.1, columns.0 + columns.1);
    if matrices.packs_left(rows.1, columns.1) {
        for at in 0..blocks {
            for row in (rows.0..row_end).step_by(ROWS_PACKED) {
                let count = ROWS_PACKED.min(row_end - row);
                unsafe {
                    let left = work.pack_left(at, row, count);
                    work.strips(left, (row, count), (columns.0, column_end), at..at + 1);
                }
            }
        }
        return;
    }
    let left = (a, matrices.a, matrices.inner().1);
    for first in (0..blocks).step_by(TOGETHER) {
        for row in (rows.0..row_end).step_by(TALL) {
            let count = TALL.min(row_end - row);
            let together = first..blocks.min(first + TOGETHER);
            unsafe { work.strips(left, (row, count), (columns.0, column_end), together) };
        }
    }
}

/// A left operand: from its first row, strides of (rows, k), and of the loops.
type Left = (*const f32, (isize, isize), isize);

impl Work<'_> {
    /// One block of terms of the left operand, moved so that rows and terms are near each other.
    #[inline(always)]
    unsafe fn pack_left(&self, at: usize, row: usize, count: usize) -> Left {
        let block = self.matrices.block(at);
        let to = self.room.wrapping_add(RIGHT);
        for turn in 0..block.loops {
            unsafe {
                let start = block.a + row as isize * self.matrices.a.0;
                let from = self.a.offset(start + turn as isize * self.matrices.inner().1);
                let to = to.add(turn * block.k * LEFT_STRIDE);
                // Terms are rows of what is packed.
                pack(from, (self.matrices.a.1, self.matrices.a.0), block.k, count, to, LEFT_STRIDE as isize);
            }
        }
        // As if it began at the first row of the whole and at the first term.
        let start = to.wrapping_offset(-block.a).wrapping_sub(row);
        (start, (1, LEFT_STRIDE as isize), (block.k * LEFT_STRIDE) as isize)
    }

    #[inline(always)]
    unsafe fn strips(
        &self,
        left: Left,
        rows: (usize, usize),
        (mut column, end): (usize, usize),
        blocks: std::ops::Range<usize>,
    ) {
        while column < end {
            let panel = panel((self.table, self.lanes), column, end, rows.1);
            for at in blocks.clone() {
                unsafe { self.strip(left, rows, panel, at) };
            }
            column += panel.width;
        }
    }

    /// One block of terms for some rows of one panel.
    #[inline(always)]
    unsafe fn strip(&self, left: Left, (first, count): (usize, usize), panel: Panel, at: usize) {
        let Work { matrices, table, lanes, b, c, room, .. } = *self;
        unsafe {
            let block = matrices.block(at);
            let mut right = b.offset(block.b + panel.column as isize * matrices.b.1);
            let mut strides = (matrices.b.0, matrices.inner().2);
            let packs = matrices.packs_right(count) || matrices.is_crowded(count, lanes);
            if packs {
                let stride = panel.vectors * lanes;
                for turn in 0..block.loops {
                    let from = right.offset(turn as isize * strides.1);
                    pack(
                        from,
                        matrices.b,
                        block.k,
                        panel.width,
                        room.add(turn * block.k * stride),
                        stride as isize,
                    );
                }
                // What follows a row that is too short is read, and counts for nothing.
                if panel.width < stride {
                    for row in 0..block.k * block.loops {
                        room.add(row * stride + panel.width).write_bytes(0, stride - panel.width);
                    }
                }
                right = room;
                strides = (stride as isize, (block.k * stride) as isize);
            }
            let last = panel.width - (panel.vectors - 1) * lanes;
            // Whole vectors of a row end in the rows after it, as long as there are some.
            let bounded = match strides.0 {
                _ if packs => 0,
                stride @ 1.. => (lanes - last).div_ceil(stride as usize),
                _ => block.k,
            };
            let runs = &table[panel.vectors - 1];
            let most = runs.iter().rposition(Option::is_some).map_or(1, |last| last + 1);
            // Tiles of two heights, the smaller ones first.
            let tiles = count.div_ceil(most);
            let (height, higher) = (count / tiles, count % tiles);
            let mut row = first;
            for (height, tiles) in [(height, tiles - higher), (height + 1, higher)] {
                if tiles == 0 {
                    continue;
                }
                let work = Tiles {
                    a: left.0.wrapping_offset(block.a + row as isize * left.1.0),
                    b: right,
                    c: c.offset(row as isize * matrices.c).add(panel.column),
                    k: block.k,
                    loops: block.loops,
                    count: tiles,
                    a_strides: (left.1.0, left.1.1, left.2),
                    b_strides: strides,
                    c_stride: matrices.c,
                    last,
                    bounded,
                    add: at > 0,
                };
                debug_assert!(height <= ROWS);
                if let Some(sized) = runs[height - 1] {
                    sized[usize::from(bounded > 0)](&work);
                }
                row += height * tiles;
            }
        }
    }
}
