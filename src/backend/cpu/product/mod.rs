//! Products of single precision with tiles of our own, for machines with AVX-512 or AVX2.
//!
//! In: rectangles of a product. Out: their results, the same whatever the rectangles.

use std::mem::MaybeUninit;

mod blocks;
mod lanes;
mod pack;
#[cfg(target_arch = "x86_64")]
mod packed;
mod tile;

pub use blocks::Matrices;
use lanes::Lanes;

/// Computes a rectangle, (first, count) of rows and of columns, of a product.
pub type Rectangle = unsafe fn(&Matrices, Operands, (usize, usize), (usize, usize));

/// The same with packed operands, and room for [`ROOM`] elements.
pub type Packed = unsafe fn(&Matrices, Operands, (usize, usize), (usize, usize), *mut f32);

#[cfg(target_arch = "x86_64")]
pub use packed::ROOM;
#[cfg(not(target_arch = "x86_64"))]
pub const ROOM: usize = 0;

/// Tiles of a machine: without packed operands and with them, if that is faster than `gemm` there.
#[derive(Clone, Copy)]
pub struct Own {
    pub rectangle: Rectangle,
    pub packed: Option<Packed>,
}

/// What this machine has, if it has anything.
pub fn for_machine() -> Option<Own> {
    #[cfg(target_arch = "x86_64")]
    {
        if is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx2") {
            return Some(Own { rectangle: wide, packed: None });
        }
        if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
            return Some(Own { rectangle: narrow, packed: Some(packed::rectangle) });
        }
    }
    None
}

/// Turns a matrix: element (row, column) lies at `row + column * across` and comes to `row * stride + column`.
pub type Turn = unsafe fn(*const f32, isize, (usize, usize), *mut f32, isize);

/// What this machine has for that, if it has anything.
pub fn turned() -> Option<Turn> {
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("avx2") {
        return Some(turn);
    }
    None
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
unsafe fn turn(
    from: *const f32,
    across: isize,
    (rows, columns): (usize, usize),
    to: *mut f32,
    stride: isize,
) {
    unsafe { pack::pack(from, (1, across), rows, columns, to, stride) }
}

/// Operands: left, right, result.
pub type Operands = (*const f32, *const f32, *mut f32);

macro_rules! rectangle {
    ($name:ident, $packed:ident, $both:ident, $table:expr, $lanes:ty, $features:literal) => {
        #[cfg(target_arch = "x86_64")]
        #[target_feature(enable = $features)]
        unsafe fn $name(
            matrices: &Matrices,
            operands: Operands,
            rows: (usize, usize),
            columns: (usize, usize),
        ) {
            let table = (&$table, <$lanes>::LANES);
            if matrices.packs_left(rows.1, columns.1) {
                return unsafe { $both(matrices, operands, rows, columns) };
            }
            if matrices.packs_right(rows.1) || matrices.is_crowded(rows.1, <$lanes>::LANES) {
                return unsafe { $packed(matrices, operands, rows, columns) };
            }
            unsafe { blocks::rectangle(matrices, table, operands, rows, columns, std::ptr::null_mut()) }
        }

        packed!($packed, blocks::RightRoom, $table, $lanes, $features);
        packed!($both, blocks::Room, $table, $lanes, $features);
    };
}

/// A rectangle with room for packed operands. Apart, because room on the stack has a price: each of its pages is touched.
macro_rules! packed {
    ($name:ident, $room:ty, $table:expr, $lanes:ty, $features:literal) => {
        #[cfg(target_arch = "x86_64")]
        #[inline(never)]
        #[target_feature(enable = $features)]
        unsafe fn $name(
            matrices: &Matrices,
            operands: Operands,
            rows: (usize, usize),
            columns: (usize, usize),
        ) {
            let mut room = MaybeUninit::<$room>::uninit();
            let table = (&$table, <$lanes>::LANES);
            unsafe { blocks::rectangle(matrices, table, operands, rows, columns, room.as_mut_ptr().cast()) }
        }
    };
}

rectangle!(wide, wide_packed, wide_packed_both, tile::wide::TABLE, lanes::Wide, "avx512f,avx2");
rectangle!(narrow, narrow_packed, narrow_packed_both, tile::narrow::TABLE, lanes::Narrow, "avx2,fma");

#[cfg(all(test, target_arch = "x86_64"))]
mod tests {
    use super::*;

    fn tables() -> Vec<(&'static str, Rectangle)> {
        let mut tables: Vec<(&'static str, Rectangle)> = Vec::new();
        if is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx2") {
            tables.push(("avx512", wide));
        }
        if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
            tables.push(("avx2", narrow));
            tables.push(("avx2, packed", narrow_with_room));
        }
        tables
    }

    #[target_feature(enable = "avx2,fma")]
    unsafe fn narrow_with_room(
        matrices: &Matrices,
        operands: Operands,
        rows: (usize, usize),
        columns: (usize, usize),
    ) {
        let mut room = vec![f32::NAN; ROOM];
        unsafe { packed::rectangle(matrices, operands, rows, columns, room.as_mut_ptr()) };
    }

    fn values(count: usize, seed: u32) -> Vec<f32> {
        let mut state = seed;
        let next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as f32 / (1 << 23) as f32 - 1.0
        };
        std::iter::repeat_with(next).take(count).collect()
    }

    /// Every table, on operands that lie along and across, sums within and beyond a block, with and without outer loops: as a plain loop, and
    /// bit for bit the same however it is cut.
    #[test]
    fn every_table_agrees_with_a_plain_loop_however_it_is_cut() {
        let sizes = [
            (1, 1, 1),
            (5, 10, 3),
            (33, 70, 300),
            (64, 64, 16),
            (130, 37, 257),
            (40, 530, 520),
            (128, 128, 40),
            (128, 256, 70),
            (130, 128, 140),
            (61, 600, 1030),
        ];
        for (m, n, k) in sizes {
            for (a_across, b_across, outer) in
                [(false, false, 1), (true, false, 1), (false, true, 1), (true, true, 3), (false, false, 3)]
            {
                let (a, b) = (values(outer * m * k, 1), values(outer * k * n, 2));
                let a_strides = if a_across { (1, m as isize) } else { (k as isize, 1) };
                let b_strides = if b_across { (1, k as isize) } else { (n as isize, 1) };
                let (a_outer, b_outer) = ([(m * k) as isize], [(k * n) as isize]);
                let matrices = Matrices {
                    k,
                    outer: &[outer],
                    a: a_strides,
                    a_outer: &a_outer,
                    b: b_strides,
                    b_outer: &b_outer,
                    c: n as isize,
                };
                let at = |row: usize, column: usize| -> f64 {
                    let terms = (0..outer).flat_map(|o| (0..k).map(move |i| (o, i)));
                    let term = |(o, i): (usize, usize)| {
                        let x =
                            o as isize * a_outer[0] + row as isize * a_strides.0 + i as isize * a_strides.1;
                        let y = o as isize * b_outer[0]
                            + i as isize * b_strides.0
                            + column as isize * b_strides.1;
                        f64::from(a[x as usize]) * f64::from(b[y as usize])
                    };
                    terms.map(term).sum()
                };
                let mut narrow_bits: Option<Vec<u32>> = None;
                for (name, run) in tables() {
                    let what = format!("{name}: {m} x {n} x {k}, {a_across} {b_across} {outer}");
                    let product = |rows: &[(usize, usize)], columns: &[(usize, usize)]| {
                        let mut c = vec![f32::NAN; m * n];
                        let operands = (a.as_ptr(), b.as_ptr(), c.as_mut_ptr());
                        for (rows, columns) in rows.iter().flat_map(|r| columns.iter().map(move |c| (*r, *c)))
                        {
                            unsafe { run(&matrices, operands, rows, columns) };
                        }
                        c
                    };
                    let whole = product(&[(0, m)], &[(0, n)]);
                    for (place, found) in whole.iter().enumerate() {
                        let expected = at(place / n, place % n);
                        let most = 1e-6 * ((outer * k) as f64).sqrt() * 10.0;
                        assert!(
                            (f64::from(*found) - expected).abs() < most,
                            "{what}: {found} for {expected}"
                        );
                    }
                    // With packed operands as without.
                    let bits: Vec<u32> = whole.iter().map(|x| x.to_bits()).collect();
                    if name == "avx2, packed" {
                        assert_eq!(narrow_bits.as_ref(), Some(&bits), "{what}");
                    }
                    narrow_bits = Some(bits);
                    let (half, quarter) = (m / 2, n / 4);
                    let cut =
                        product(&[(0, half), (half, m - half)], &[(0, quarter), (quarter, n - quarter)]);
                    assert!(whole.iter().zip(&cut).all(|(a, b)| a.to_bits() == b.to_bits()), "{what}: cut");
                }
            }
        }
    }
}
