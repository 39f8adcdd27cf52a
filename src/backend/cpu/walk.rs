//! Loops over strided operands, without allocation.

/// Calls `f` with every operand's offset, last loop fastest.
#[inline]
pub fn walk<const N: usize>(
    sizes: &[usize],
    strides: [&[isize]; N],
    at: [isize; N],
    f: &mut impl FnMut([isize; N]),
) {
    let Some((size, sizes)) = sizes.split_first() else { return f(at) };
    let mut at = at;
    let rest = strides.map(|s| &s[1..]);
    for _ in 0..*size {
        walk(sizes, rest, at, f);
        for (at, stride) in at.iter_mut().zip(strides) {
            *at += stride[0];
        }
    }
}

/// The same, but stops at the first error.
pub fn try_walk<const N: usize, E>(
    sizes: &[usize],
    strides: [&[isize]; N],
    at: [isize; N],
    f: &mut impl FnMut([isize; N]) -> Result<(), E>,
) -> Result<(), E> {
    let Some((size, sizes)) = sizes.split_first() else { return f(at) };
    let mut at = at;
    let rest = strides.map(|s| &s[1..]);
    for _ in 0..*size {
        try_walk(sizes, rest, at, f)?;
        for (at, stride) in at.iter_mut().zip(strides) {
            *at += stride[0];
        }
    }
    Ok(())
}

/// Splits the last loop off: outer loops, and (size, stride of each operand) of the innermost.
pub fn inner<'a, const N: usize>(
    sizes: &'a [usize],
    strides: [&'a [isize]; N],
) -> (&'a [usize], [&'a [isize]; N], usize, [isize; N]) {
    match sizes.split_last() {
        None => (sizes, strides, 1, [0; N]),
        Some((last, rest)) => {
            (rest, strides.map(|s| &s[..rest.len()]), *last, strides.map(|s| s[rest.len()]))
        }
    }
}
