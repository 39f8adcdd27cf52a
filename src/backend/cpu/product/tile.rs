//! Tiles of a product, one below the other, their sums in registers.
//!
//! In: a left operand whose elements are spread over lanes one by one, and a right operand that lies along its columns. Out:
//! as many vectors of results as fit into registers. Every sum goes through its terms in order, whatever the tiles.

use super::lanes::Lanes;

/// The most rows and vectors of a tile.
pub const ROWS: usize = 16;
pub const VECTORS: usize = 4;

/// What tiles of one height read and write. Sums over `loops` times `k` terms.
#[derive(Clone, Copy)]
pub struct Tiles {
    pub a: *const f32,
    pub b: *const f32,
    pub c: *mut f32,
    pub k: usize,
    pub loops: usize,
    /// So many, one below the other: a call for each would cost as much as some of its terms.
    pub count: usize,
    /// Strides of (rows, k, loops).
    pub a_strides: (isize, isize, isize),
    /// Strides of (k, loops).
    pub b_strides: (isize, isize),
    pub c_stride: isize,
    /// Lanes of the last vector that count.
    pub last: usize,
    /// Terms at the end of the sum of which no more of the right operand may be read than counts: what lies beyond may be nobody's.
    pub bounded: usize,
    /// Add to what is there.
    pub add: bool,
}

pub type Run = unsafe fn(&Tiles);

/// Of one size: where all lanes of the right operand can be read, and where those beyond the last must not be at the end of a sum.
pub type Sized = [Run; 2];

/// `table[vectors - 1][rows - 1]`; nothing where the sums do not fit into registers.
pub type Table = [[Option<Sized>; ROWS]; VECTORS];

#[inline(always)]
pub unsafe fn load<L: Lanes, const VECTORS: usize>(b: *const f32) -> [L::Vector; VECTORS] {
    std::array::from_fn(|v| unsafe { L::load(b.add(v * L::LANES)) })
}

/// Adds a term to every sum.
#[inline(always)]
pub unsafe fn term<L: Lanes, const VECTORS: usize, const ROWS: usize>(
    left: impl Fn(usize) -> *const f32,
    right: [L::Vector; VECTORS],
    sums: &mut [[L::Vector; VECTORS]; ROWS],
) {
    for (row, sums) in sums.iter_mut().enumerate() {
        unsafe {
            let left = L::splat(left(row));
            for (sum, right) in sums.iter_mut().zip(right) {
                *sum = L::multiply_add(left, right, *sum);
            }
        }
    }
}

/// A number of which the compiler knows nothing: it stays in a register, instead of being made from others anew for each term.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
fn opaque(mut number: isize) -> isize {
    unsafe {
        std::arch::asm!("/* {0} */", inout(reg) number, options(pure, nomem, nostack, preserves_flags))
    };
    number
}

/// Terms that are added without a look at whether more follow.
pub const UNROLLED: usize = 4;

/// Terms from which that pays where the distance of rows is no part of the instructions.
const MANY: usize = 4 * UNROLLED;

/// Rows that are reached from one pointer: by no distance, one or two of a first one, and a second one.
const NEAR: usize = 4;
const POINTERS: usize = ROWS / NEAR;

/// How far the rows of a left operand are apart, in bytes.
#[derive(Clone, Copy)]
struct Distances {
    one: isize,
    three: isize,
    /// From the first pointer.
    pointers: [isize; POINTERS],
}

impl Distances {
    #[inline(always)]
    fn new(row: isize) -> Distances {
        let bytes = |rows: usize| opaque((rows * size_of::<f32>()) as isize * row);
        Distances { one: bytes(1), three: bytes(3), pointers: std::array::from_fn(|at| bytes(at * NEAR)) }
    }
}

/// The rows of a left operand in a term.
#[derive(Clone, Copy)]
struct Left {
    pointers: [*const f32; POINTERS],
    distances: Distances,
}

impl Left {
    #[inline(always)]
    fn new(a: *const f32, distances: Distances) -> Left {
        Left { pointers: distances.pointers.map(|bytes| a.wrapping_byte_offset(bytes)), distances }
    }

    #[inline(always)]
    fn at(&self, row: usize) -> *const f32 {
        let Distances { one, three, .. } = self.distances;
        self.pointers[row / NEAR].wrapping_byte_offset([0, one, 2 * one, three][row % NEAR])
    }

    #[inline(always)]
    fn step(&mut self, step: isize) {
        self.pointers = self.pointers.map(|pointer| pointer.wrapping_offset(step));
    }
}

/// Adds so many terms, in order. A loop of its own for terms of the left operand that lie one after the other, and for rows that do: their
/// distances are part of the instructions.
#[inline(always)]
unsafe fn terms<L: Lanes, const VECTORS: usize, const ROWS: usize>(
    mut a: *const f32,
    (row, step): (isize, isize),
    distances: Distances,
    mut b: *const f32,
    right_step: isize,
    count: usize,
    sums: &mut [[L::Vector; VECTORS]; ROWS],
) {
    unsafe {
        if row == 1 && step != 1 {
            for _ in 0..count {
                term::<L, VECTORS, ROWS>(|row| a.add(row), load::<L, VECTORS>(b), sums);
                a = a.wrapping_offset(step);
                b = b.wrapping_offset(right_step);
            }
            return;
        }
        let mut left = Left::new(a, distances);
        let mut count = count;
        if step == 1 && count >= MANY {
            for _ in 0..count / UNROLLED {
                for at in 0..UNROLLED {
                    term::<L, VECTORS, ROWS>(
                        |row| left.at(row).wrapping_add(at),
                        load::<L, VECTORS>(b),
                        sums,
                    );
                    b = b.wrapping_offset(right_step);
                }
                left.step(UNROLLED as isize);
            }
            count %= UNROLLED;
        }
        for _ in 0..count {
            term::<L, VECTORS, ROWS>(|row| left.at(row), load::<L, VECTORS>(b), sums);
            left.step(step);
            b = b.wrapping_offset(right_step);
        }
    }
}

// Numbers of registers, for loops that are unrolled.
#[allow(clippy::needless_range_loop)]
#[inline(always)]
unsafe fn run<L: Lanes, const VECTORS: usize, const ROWS: usize, const PART: bool>(tiles: &Tiles) {
    unsafe {
        let (row, step, _) = tiles.a_strides;
        let distances = Distances::new(row);
        for number in 0..tiles.count as isize {
            let top = number * ROWS as isize;
            let mut sums = [[L::zero(); VECTORS]; ROWS];
            for at in 0..tiles.loops as isize {
                let a = tiles.a.offset(top * row + at * tiles.a_strides.2);
                let mut b = tiles.b.offset(at * tiles.b_strides.1);
                let bounded = if PART { tiles.bounded.min(tiles.k) } else { 0 };
                let free = tiles.k - bounded;
                terms::<L, VECTORS, ROWS>(a, (row, step), distances, b, tiles.b_strides.0, free, &mut sums);
                let mut left = Left::new(a.wrapping_offset(free as isize * step), distances);
                b = b.wrapping_offset(free as isize * tiles.b_strides.0);
                for _ in 0..bounded {
                    let mut right = [L::zero(); VECTORS];
                    for v in 0..VECTORS - 1 {
                        right[v] = L::load(b.add(v * L::LANES));
                    }
                    right[VECTORS - 1] = L::load_part(b.add((VECTORS - 1) * L::LANES), L::mask(tiles.last));
                    term::<L, VECTORS, ROWS>(|row| left.at(row), right, &mut sums);
                    left.step(step);
                    b = b.offset(tiles.b_strides.0);
                }
            }
            match (tiles.add, tiles.last == L::LANES) {
                (false, true) => store::<L, VECTORS, ROWS, false, true>(tiles, top, sums),
                (false, false) => store::<L, VECTORS, ROWS, false, false>(tiles, top, sums),
                (true, true) => store::<L, VECTORS, ROWS, true, true>(tiles, top, sums),
                (true, false) => store::<L, VECTORS, ROWS, true, false>(tiles, top, sums),
            }
        }
    }
}

/// Puts sums where they belong, adding what is there; of the last vectors only what counts, unless they are whole. A loop of its own for
/// each, so that sums go there from registers.
#[allow(clippy::needless_range_loop)]
#[inline(always)]
unsafe fn store<L: Lanes, const VECTORS: usize, const ROWS: usize, const ADD: bool, const WHOLE: bool>(
    tiles: &Tiles,
    top: isize,
    sums: [[L::Vector; VECTORS]; ROWS],
) {
    unsafe {
        for r in 0..ROWS {
            let c = tiles.c.offset((top + r as isize) * tiles.c_stride);
            for v in 0..VECTORS {
                let (at, sum) = (c.add(v * L::LANES), sums[r][v]);
                if WHOLE || v < VECTORS - 1 {
                    L::store(at, if ADD { L::add(L::load(at), sum) } else { sum });
                } else {
                    let sum = if ADD { L::add(L::load_part(at, L::mask(tiles.last)), sum) } else { sum };
                    L::store_part(at, tiles.last, sum);
                }
            }
        }
    }
}

macro_rules! table {
    ($name:ident, $lanes:ty, $features:literal, [$($vectors:literal: $($rows:literal)*;)*]) => {
        #[cfg(target_arch = "x86_64")]
        pub mod $name {
            use super::{ROWS, Table, Tiles, VECTORS};
            use super::super::lanes;

            #[target_feature(enable = $features)]
            unsafe fn run<const V: usize, const R: usize, const PART: bool>(tiles: &Tiles) {
                unsafe { super::run::<$lanes, V, R, PART>(tiles) }
            }

            pub static TABLE: Table = {
                let mut table: Table = [[None; ROWS]; VECTORS];
                $($(table[$vectors - 1][$rows - 1] = Some([run::<$vectors, $rows, false>, run::<$vectors, $rows, true>]);)*)*
                table
            };
        }
    };
}

table!(wide, lanes::Wide, "avx512f", [
    1: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16;
    2: 1 2 3 4 5 6 7 8 9 10 11 12;
    3: 1 2 3 4 5 6 7 8;
    4: 1 2 3 4 5 6;
]);
table!(narrow, lanes::Narrow, "avx2,fma", [
    1: 1 2 3 4 5 6 7 8 9 10 11 12;
    2: 1 2 3 4 5 6;
]);
