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
unsafe fn load<L: Lanes, const VECTORS: usize>(b: *const f32) -> [L::Vector; VECTORS] {
    std::array::from_fn(|v| unsafe { L::load(b.add(v * L::LANES)) })
}

#[inline(always)]
unsafe fn term<L: Lanes, const VECTORS: usize, const ROWS: usize>(
    a: *const f32,
    row: isize,
    right: [L::Vector; VECTORS],
    sums: &mut [[L::Vector; VECTORS]; ROWS],
) {
    for (r, sums) in sums.iter_mut().enumerate() {
        unsafe {
            let left = L::splat(a.offset(r as isize * row));
            for (sum, right) in sums.iter_mut().zip(right) {
                *sum = L::multiply_add(left, right, *sum);
            }
        }
    }
}

// Numbers of registers, for loops that are unrolled.
#[allow(clippy::needless_range_loop)]
#[inline(always)]
unsafe fn run<L: Lanes, const VECTORS: usize, const ROWS: usize, const PART: bool>(tiles: &Tiles) {
    unsafe {
        let (row, step, _) = tiles.a_strides;
        for number in 0..tiles.count as isize {
            let top = number * ROWS as isize;
            let mut sums = [[L::zero(); VECTORS]; ROWS];
            for at in 0..tiles.loops as isize {
                let mut a = tiles.a.offset(top * row + at * tiles.a_strides.2);
                let mut b = tiles.b.offset(at * tiles.b_strides.1);
                let bounded = if PART { tiles.bounded.min(tiles.k) } else { 0 };
                for _ in 0..tiles.k - bounded {
                    let right = load::<L, VECTORS>(b);
                    term::<L, VECTORS, ROWS>(a, row, right, &mut sums);
                    a = a.offset(step);
                    b = b.offset(tiles.b_strides.0);
                }
                for _ in 0..bounded {
                    let mut right = [L::zero(); VECTORS];
                    for v in 0..VECTORS - 1 {
                        right[v] = L::load(b.add(v * L::LANES));
                    }
                    right[VECTORS - 1] = L::load_part(b.add((VECTORS - 1) * L::LANES), L::mask(tiles.last));
                    term::<L, VECTORS, ROWS>(a, row, right, &mut sums);
                    a = a.offset(step);
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
