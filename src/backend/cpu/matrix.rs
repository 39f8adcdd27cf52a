//! Linear algebra on dense matrices, in f64 whatever the program's width: factors of small matrices are cheap beside what
//! they feed, and single precision would lose half their digits.
//!
//! In: matrices by rows, one after another. Out: results in the order of the reference. Allocates its matrices each time.

use super::real::Real;
use super::symmetric;
use crate::graph::op::linear_algebra::{compute, mirrored};
use crate::graph::{Matrix, MatrixFault};

pub struct Task {
    pub kind: Matrix,
    pub batch: usize,
    pub rows: usize,
    pub columns: usize,
    /// The right-hand sides of a system.
    pub width: usize,
}

impl Task {
    /// `write`: a number of the result as an element.
    pub fn run<R: Real, T: Copy>(
        &self,
        from: &[R],
        right: &[R],
        to: &mut [T],
        write: impl Fn(f64) -> T,
    ) -> Result<(), MatrixFault> {
        let (n, m, width) = (self.rows, self.columns, self.width);
        let each = to.len() / self.batch.max(1);
        for at in 0..self.batch {
            let wide = |values: &[R], size: usize| -> Vec<f64> {
                let part = values.get(at * size..(at + 1) * size).unwrap_or_default();
                part.iter().map(|x| x.to_f64()).collect()
            };
            let (a, b) = (wide(from, n * m), wide(right, n * width));
            let found = match self.kind {
                Matrix::Assignment if a.iter().all(|x| x.is_finite()) => assignment(&a, [n, m]),
                Matrix::SpanningTree if a.iter().all(|x| x.is_finite()) => symmetric::spanning_tree(&a, n),
                Matrix::Eigen => symmetric::eigen(mirrored(&a, n)?, n),
                kind => compute(kind, &a, [n, m], &b)?,
            };
            for (to, value) in to[at * each..(at + 1) * each].iter_mut().zip(found) {
                *to = write(value);
            }
        }
        Ok(())
    }
}

/// The Hungarian method by shortest augmenting paths (Jonker and Volgenant 1987): each row enters along the path of least
/// reduced cost, in time rows x rows x columns. The reference tries all assignments.
fn assignment(cost: &[f64], [n, m]: [usize; 2]) -> Vec<f64> {
    // Prices of rows and columns; column m stands for the row that enters.
    let (mut row_price, mut column_price) = (vec![0.0; n], vec![0.0; m + 1]);
    let mut row_of: Vec<Option<usize>> = vec![None; m + 1];
    for entering in 0..n {
        row_of[m] = Some(entering);
        let mut nearest = vec![f64::INFINITY; m];
        let mut before = vec![m; m];
        let mut done = vec![false; m + 1];
        let mut at = m;
        while let Some(row) = row_of[at] {
            done[at] = true;
            let mut next = (f64::INFINITY, m);
            for column in (0..m).filter(|column| !done[*column]) {
                let reduced = cost[row * m + column] - row_price[row] - column_price[column];
                if reduced < nearest[column] {
                    (nearest[column], before[column]) = (reduced, at);
                }
                if nearest[column] < next.0 {
                    next = (nearest[column], column);
                }
            }
            for column in 0..=m {
                if done[column] {
                    if let Some(row) = row_of[column] {
                        row_price[row] += next.0;
                    }
                    column_price[column] -= next.0;
                } else if column < m {
                    nearest[column] -= next.0;
                }
            }
            at = next.1;
        }
        while at != m {
            row_of[at] = row_of[before[at]];
            at = before[at];
        }
    }
    let mut found = vec![0.0; n];
    for (column, row) in row_of[..m].iter().enumerate() {
        if let Some(row) = row {
            found[*row] = column as f64;
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The method finds what trying everything finds.
    #[test]
    fn assignments_are_best() {
        let mut state = 7u32;
        for (n, m) in [(1, 1), (2, 3), (4, 4), (5, 7)] {
            for _ in 0..20 {
                let cost: Vec<f64> = (0..n * m)
                    .map(|_| {
                        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                        f64::from(state >> 8) / 65536.0 - 100.0
                    })
                    .collect();
                let sum = |found: &[f64]| -> f64 {
                    found.iter().enumerate().map(|(row, column)| cost[row * m + *column as usize]).sum()
                };
                let found = assignment(&cost, [n, m]);
                let best = compute(Matrix::Assignment, &cost, [n, m], &[]).unwrap();
                assert!((sum(&found) - sum(&best)).abs() < 1e-9, "{found:?} {best:?}");
                let mut columns: Vec<i64> = found.iter().map(|column| *column as i64).collect();
                columns.sort_unstable();
                columns.dedup();
                assert_eq!(columns.len(), n);
            }
        }
    }
}
