//! Part of a right operand, laid out as its tiles read it: row after row, a panel wide.
//!
//! In: an operand with any strides. Out: `k` rows of `width` elements, `stride` apart.

/// Edge of the squares in which an operand that lies across is turned.
const SQUARE: usize = 8;

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
                    turn(from, strides.1, to, stride);
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

/// A whole square. Four columns of two times four lines at a time: pairs of lines, then pairs of pairs.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
unsafe fn turn(from: *const f32, across: isize, to: *mut f32, stride: isize) {
    use std::arch::x86_64::*;
    unsafe {
        for at in [0, 4] {
            let line = |line: isize| {
                let (low, high) =
                    (from.offset(line * across).add(at), from.offset((line + 4) * across).add(at));
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
