//! Some rows of a kernel: those of a band go through their kernels a few rows at a time.
//!
//! In: the loops of a kernel, and into how many rows they fall. Out: runs of neighbouring rows as loops of their own.

use smallvec::SmallVec;

use crate::plan::band::split;

type Sizes = SmallVec<[usize; 8]>;
type Strides = SmallVec<[isize; 8]>;

/// Loops whose outer part makes up the rows.
pub struct Cut<const N: usize> {
    outer: Sizes,
    outer_strides: [Strides; N],
    inner: Sizes,
    inner_strides: [Strides; N],
}

/// Neighbouring rows: where they begin, how many they are, and the loops over them.
pub struct Run<'a, const N: usize> {
    /// The first row.
    pub row: usize,
    pub offsets: [isize; N],
    pub sizes: &'a [usize],
    pub strides: [&'a [isize]; N],
}

impl<const N: usize> Cut<N> {
    /// None if no loop, or no even part of one, ends after so many rows.
    pub fn new(sizes: &[usize], strides: [&[isize]; N], rows: usize) -> Option<Cut<N>> {
        let empty = || std::array::from_fn(|_| Strides::new());
        let mut cut =
            Cut { outer: Sizes::new(), outer_strides: empty(), inner: Sizes::new(), inner_strides: empty() };
        for (at, (outer, inner)) in split(sizes, rows)?.into_iter().enumerate() {
            if outer != 1 {
                cut.outer.push(outer);
            }
            if inner != 1 {
                cut.inner.push(inner);
            }
            for (number, strides) in strides.iter().enumerate() {
                if outer != 1 {
                    cut.outer_strides[number].push(strides[at] * inner as isize);
                }
                if inner != 1 {
                    cut.inner_strides[number].push(strides[at]);
                }
            }
        }
        Some(cut)
    }

    /// Calls `run` for the rows `from .. to`, as many at a time as are neighbours.
    pub fn runs(&self, from: usize, to: usize, run: &mut dyn FnMut(Run<N>)) {
        let last = self.outer.last().copied().unwrap_or(1);
        let mut row = from;
        while row < to {
            let count = (to - row).min(last - row % last);
            let mut sizes: Sizes = SmallVec::from_slice(&[count]);
            sizes.extend_from_slice(&self.inner);
            let strides: [Strides; N] = std::array::from_fn(|number| {
                let mut strides: Strides = SmallVec::new();
                strides.push(self.outer_strides[number].last().copied().unwrap_or(0));
                strides.extend_from_slice(&self.inner_strides[number]);
                strides
            });
            let offsets = std::array::from_fn(|number| {
                let mut rest = row;
                let mut offset = 0;
                for (size, stride) in self.outer.iter().zip(&self.outer_strides[number]).rev() {
                    offset += (rest % size) as isize * stride;
                    rest /= size;
                }
                offset
            });
            run(Run { row, offsets, sizes: &sizes, strides: std::array::from_fn(|n| &strides[n][..]) });
            row += count;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every place that the loops come to, in order.
    fn places(sizes: &[usize], strides: &[isize], at: isize, into: &mut Vec<isize>) {
        let Some((size, sizes)) = sizes.split_first() else { return into.push(at) };
        for i in 0..*size {
            places(sizes, &strides[1..], at + i as isize * strides[0], into);
        }
    }

    #[test]
    fn runs_come_to_all_places_in_order() {
        for (sizes, rows) in [
            (vec![6, 4], 6),
            (vec![6, 4], 12),
            (vec![6, 4], 24),
            (vec![6, 4], 3),
            (vec![2, 3, 4], 6),
            (vec![5], 5),
        ] {
            let strides: Vec<isize> = (0..sizes.len()).map(|at| [100, -7, 1000][at]).collect();
            let mut expected = Vec::new();
            places(&sizes, &strides, 0, &mut expected);
            let cut = Cut::new(&sizes, [&strides], rows).unwrap();
            for middle in 0..=rows {
                let mut found = Vec::new();
                for (from, to) in [(0, middle), (middle, rows)] {
                    cut.runs(from, to, &mut |run| {
                        places(run.sizes, run.strides[0], run.offsets[0], &mut found)
                    });
                }
                assert_eq!(found, expected, "{sizes:?} in {rows} rows");
            }
        }
        assert!(Cut::new(&[6, 4], [&[4, 1]], 4).is_none());
    }
}
