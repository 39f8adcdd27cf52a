//! Parts of operands, laid out as tiles read them.
//!
//! In: an operand with any strides. Out: of a right one row after row, a panel wide; of a left one term after term, a tile high.

/// Edge of the squares in which an operand that lies across is turned.
const SQUARE: usize = 8;

/// `k` rows of `width` elements, `stride` apart.
///
/// # Safety
/// `from` holds k times width elements at these strides (k, column), `to` k rows of `stride` >= width elements.
#[inline(always)]
pub unsafe fn pack(
    from: *const f32,
    strides: (isize, isize),
    k: usize,
    width: usize,
    to: *mut f32,
    stride: isize,
) {
    unsafe {
        if strides.1 == 1 {
            for row in 0..k {
                let from = from.offset(row as isize * strides.0);
                copy_row(from, to.offset(row as isize * stride), width);
            }
            return;
        }
        if strides.0 != 1 {
            for row in 0..k {
                for column in 0..width {
                    let from = from.offset(row as isize * strides.0 + column as isize * strides.1);
                    *to.offset(row as isize * stride + column as isize) = *from;
                }
            }
            return;
        }
        let (mut column, whole) = (0, k / SQUARE * SQUARE);
        while column < width {
            let columns = SQUARE.min(width - column);
            let from = from.offset(column as isize * strides.1);
            for row in (0..whole).step_by(SQUARE) {
                let (from, to) = (from.add(row), to.offset(row as isize * stride + column as isize));
                if columns == SQUARE {
                    turn::<SQUARE>(from, strides.1, to, stride);
                } else {
                    turn_part(from, strides.1, to, stride, SQUARE, columns);
                }
            }
            turn_part(
                from.add(whole),
                strides.1,
                to.offset(whole as isize * stride + column as isize),
                stride,
                k - whole,
                columns,
            );
            column += SQUARE;
        }
    }
}

/// Some vectors at a time: a call for each row would cost more than its copy.
#[inline(always)]
unsafe fn copy_row(from: *const f32, to: *mut f32, width: usize) {
    unsafe {
        let whole = width / SQUARE * SQUARE;
        for column in (0..whole).step_by(SQUARE) {
            to.add(column).cast::<[f32; SQUARE]>().write(from.add(column).cast::<[f32; SQUARE]>().read());
        }
        for column in whole..width {
            *to.add(column) = *from.add(column);
        }
    }
}

#[inline(always)]
unsafe fn turn_part(from: *const f32, across: isize, to: *mut f32, stride: isize, k: usize, columns: usize) {
    for column in 0..columns {
        for row in 0..k {
            unsafe {
                *to.offset(row as isize * stride + column as isize) =
                    *from.offset(column as isize * across).add(row);
            }
        }
    }
}

/// Terms of a tile of a left operand, its rows of each, one after the other.
///
/// # Safety
/// `from` holds ROWS rows of k terms at these strides (row, k), `to` k times as many elements and seven more, which are written to; ROWS is
/// at most eight.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
pub unsafe fn pack_tile<const ROWS: usize>(
    from: *const f32,
    strides: (isize, isize),
    k: usize,
    to: *mut f32,
) {
    unsafe {
        let whole = if strides.1 == 1 { k / SQUARE * SQUARE } else { 0 };
        // Each term overwrites what the one before it wrote beyond its rows.
        for term in (0..whole).step_by(SQUARE) {
            turn::<ROWS>(from.add(term), strides.0, to.add(term * ROWS), ROWS as isize);
        }
        for term in whole..k {
            for row in 0..ROWS {
                let from = from.offset(row as isize * strides.0 + term as isize * strides.1);
                *to.add(term * ROWS + row) = *from;
            }
        }
    }
}

/// Terms of tiles of a left operand whose rows lie one after the other: the tiles are `tile` elements apart.
///
/// # Safety
/// As of [`pack_tile`], for so many tiles; `from` holds as many rows as `rows` says, which may be more than those of the tiles.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
pub unsafe fn pack_tiles_across<const ROWS: usize>(
    (from, rows): (*const f32, usize),
    step: isize,
    k: usize,
    (to, tiles, tile): (*mut f32, usize, usize),
) {
    unsafe {
        let fits = if rows < SQUARE { 0 } else { tiles.min((rows - SQUARE) / ROWS + 1) };
        for term in 0..k {
            // Behind the last one other tiles begin.
            let whole = if term + 1 < k { fits } else { 0 };
            let (from, to) = (from.offset(term as isize * step), to.add(term * ROWS));
            for at in 0..whole {
                let (from, to) = (from.add(at * ROWS), to.add(at * tile));
                to.cast::<[f32; SQUARE]>().write(from.cast::<[f32; SQUARE]>().read());
            }
            for at in whole..tiles {
                let (from, to) = (from.add(at * ROWS), to.add(at * tile));
                to.cast::<[f32; ROWS]>().write(from.cast::<[f32; ROWS]>().read());
            }
        }
    }
}

/// A whole square, of which the first LINES lines are there. Four columns of two times four lines at a time: pairs of lines, then pairs of pairs.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
unsafe fn turn<const LINES: usize>(from: *const f32, across: isize, to: *mut f32, stride: isize) {
    use std::arch::x86_64::*;
    unsafe {
        for at in [0, 4] {
            let start = |line: usize| from.offset(line.min(LINES - 1) as isize * across).add(at);
            let line = |line: usize| {
                let (low, high) = (start(line), start(line + 4));
                _mm256_insertf128_ps::<1>(_mm256_castps128_ps256(_mm_loadu_ps(low)), _mm_loadu_ps(high))
            };
            let (a, b, c, d) = (line(0), line(1), line(2), line(3));
            let (ab, cd) = (_mm256_unpacklo_ps(a, b), _mm256_unpacklo_ps(c, d));
            let (ab_high, cd_high) = (_mm256_unpackhi_ps(a, b), _mm256_unpackhi_ps(c, d));
            let rows = [
                _mm256_shuffle_ps::<0x44>(ab, cd),
                _mm256_shuffle_ps::<0xee>(ab, cd),
                _mm256_shuffle_ps::<0x44>(ab_high, cd_high),
                _mm256_shuffle_ps::<0xee>(ab_high, cd_high),
            ];
            for (row, values) in rows.into_iter().enumerate() {
                _mm256_storeu_ps(to.offset((at + row) as isize * stride), values);
            }
        }
    }
}
