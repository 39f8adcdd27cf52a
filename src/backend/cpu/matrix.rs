//! Linear algebra on dense matrices, in f64 whatever the program's width: factors of small matrices are cheap beside what
//! they feed, and single precision would lose half their digits.
//!
//! In: matrices by rows, one after another. Out: results in the order of the reference. Allocates its matrices each time.

use super::real::Real;
use crate::graph::op::linear_algebra::compute;
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
            let found = compute(self.kind, &wide(from, n * m), [n, m], &wide(right, n * width))?;
            for (to, value) in to[at * each..(at + 1) * each].iter_mut().zip(found) {
                *to = write(value);
            }
        }
        Ok(())
    }
}
