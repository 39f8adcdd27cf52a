//! Eigenvectors of symmetric matrices and minimum spanning trees, in the time that their sizes ask for. The reference uses
//! Jacobi's rotations and Kruskal's method, which are plainer and several times slower.
//!
//! In: matrices by rows in f64. Out: as the reference gives them.

use crate::graph::op::linear_algebra::leading;

/// Eigenvalues ascending, each after its vector: Householder's reduction to three diagonals, then the implicit QL method
/// (Wilkinson and Reinsch 1971). Cubic in the size, without the repeated sweeps of Jacobi's method.
pub fn eigen(mut a: Vec<f64>, n: usize) -> Vec<f64> {
    let (mut diagonal, mut beside, mut vectors) = tridiagonal(&mut a, n);
    let scale = diagonal.iter().chain(&beside).fold(0.0f64, |largest, x| largest.max(x.abs()));
    for first in 0..n {
        for _ in 0..60 {
            let small = |at: usize| {
                let near = (diagonal[at].abs() + diagonal[at + 1].abs()) * f64::EPSILON;
                beside[at].abs() <= near.max(1e-18 * scale)
            };
            let last = (first..n - 1).find(|at| small(*at)).unwrap_or(n - 1);
            if last == first {
                break;
            }
            round(&mut diagonal, &mut beside, &mut vectors, first, last);
        }
    }
    let mut order: Vec<usize> = (0..n).collect();
    order.sort_by(|i, j| diagonal[*i].total_cmp(&diagonal[*j]));
    let mut found = Vec::with_capacity(n * (n + 1));
    for k in order {
        let vector = &vectors[k * n..(k + 1) * n];
        let sign = vector[leading(vector.iter().copied())].signum();
        found.extend(vector.iter().map(|x| x * sign));
        found.push(diagonal[k]);
    }
    found
}

/// The diagonal and its neighbour of a similar matrix, and by rows the vectors that the similarity maps axes to.
fn tridiagonal(a: &mut [f64], n: usize) -> (Vec<f64>, Vec<f64>, Vec<f64>) {
    let mut beside = vec![0.0; n];
    let mut mirrors: Vec<Vec<f64>> = Vec::new();
    for k in 0..n.saturating_sub(1) {
        // The mirror that maps the column below the diagonal to its first axis; components from k + 1.
        let mut v: Vec<f64> = (k + 1..n).map(|i| a[i * n + k]).collect();
        let length = v.iter().map(|x| x * x).sum::<f64>().sqrt();
        let target = if v[0] > 0.0 { -length } else { length };
        beside[k] = target;
        v[0] -= target;
        let height = v.iter().map(|x| x * x).sum::<f64>().sqrt();
        if height > 0.0 {
            v.iter_mut().for_each(|x| *x /= height);
            let rest = |i: usize| (k + 1 + i) * n + k + 1;
            let size = v.len();
            let mut w: Vec<f64> = (0..size)
                .map(|i| 2.0 * a[rest(i)..rest(i) + size].iter().zip(&v).map(|(x, y)| x * y).sum::<f64>())
                .collect();
            let along: f64 = v.iter().zip(&w).map(|(x, y)| x * y).sum();
            w.iter_mut().zip(&v).for_each(|(w, v)| *w -= along * v);
            for i in 0..size {
                for (j, x) in a[rest(i)..rest(i) + size].iter_mut().enumerate() {
                    *x -= v[i] * w[j] + w[i] * v[j];
                }
            }
        }
        mirrors.push(v);
    }
    let mut vectors = vec![0.0; n * n];
    (0..n).for_each(|i| vectors[i * n + i] = 1.0);
    for (k, v) in mirrors.iter().enumerate().rev().filter(|(_, v)| v.iter().any(|x| *x != 0.0)) {
        for row in vectors.chunks_mut(n) {
            let row = &mut row[k + 1..];
            let along: f64 = 2.0 * row.iter().zip(v).map(|(x, y)| x * y).sum::<f64>();
            row.iter_mut().zip(v).for_each(|(x, v)| *x -= along * v);
        }
    }
    ((0..n).map(|i| a[i * n + i]).collect(), beside, vectors)
}

/// One round of the QL method between two positions: rotations from the last to the first.
fn round(diagonal: &mut [f64], beside: &mut [f64], vectors: &mut [f64], first: usize, last: usize) {
    let n = diagonal.len();
    let half = (diagonal[first + 1] - diagonal[first]) / (2.0 * beside[first]);
    let shift = beside[first] / (half + half.hypot(1.0).copysign(half));
    let (mut g, mut s, mut c, mut p) = (diagonal[last] - diagonal[first] + shift, 1.0, 1.0, 0.0);
    for i in (first..last).rev() {
        let (f, b) = (s * beside[i], c * beside[i]);
        let r = f.hypot(g);
        beside[i + 1] = r;
        if r == 0.0 {
            diagonal[i + 1] -= p;
            beside[last] = 0.0;
            return;
        }
        (s, c) = (f / r, g / r);
        g = diagonal[i + 1] - p;
        let turned = (diagonal[i] - g) * s + 2.0 * c * b;
        p = s * turned;
        diagonal[i + 1] = g + p;
        g = c * turned - b;
        let (low, high) = vectors.split_at_mut((i + 1) * n);
        for (x, y) in low[i * n..].iter_mut().zip(&mut high[..n]) {
            (*x, *y) = (c * *x - s * *y, s * *x + c * *y);
        }
    }
    diagonal[first] -= p;
    beside[first] = g;
    beside[last] = 0.0;
}

/// The edges of the minimum spanning tree, as places in the matrix, by ascending length: the tree grows by the point that is
/// nearest to it (Prim 1957), in time quadratic in the size.
pub fn spanning_tree(a: &[f64], n: usize) -> Vec<f64> {
    let length = |i: usize, j: usize| (a[i * n + j] + a[j * n + i]) / 2.0;
    let mut nearest: Vec<(f64, usize)> = vec![(f64::INFINITY, 0); n];
    let mut outside: Vec<usize> = (1..n).collect();
    let mut edges: Vec<(f64, usize)> = Vec::new();
    let mut newest = 0;
    while !outside.is_empty() {
        let mut best = 0;
        for (at, &point) in outside.iter().enumerate() {
            let apart = length(newest, point);
            if apart < nearest[point].0 {
                nearest[point] = (apart, newest);
            }
            if nearest[point].0 < nearest[outside[best]].0 {
                best = at;
            }
        }
        newest = outside.swap_remove(best);
        let (apart, from) = nearest[newest];
        edges.push((apart, from.min(newest) * n + from.max(newest)));
    }
    edges.sort_by(|x, y| x.0.total_cmp(&y.0).then(x.1.cmp(&y.1)));
    edges.into_iter().map(|(_, place)| place as f64).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::Matrix;
    use crate::graph::op::linear_algebra::compute;

    fn random(n: usize, state: &mut u32) -> Vec<f64> {
        let mut a = vec![0.0; n * n];
        for i in 0..n {
            for j in 0..=i {
                *state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                let x = f64::from(*state >> 8) / f64::from(1 << 23) - 1.0;
                (a[i * n + j], a[j * n + i]) = (x, x);
            }
        }
        a
    }

    /// The methods find what those of the reference find.
    #[test]
    fn eigenvectors_and_trees_are_those_of_the_reference() {
        let mut state = 5u32;
        for n in [1, 2, 3, 5, 8, 17] {
            let a = random(n, &mut state);
            let found = eigen(a.clone(), n);
            let known = compute(Matrix::Eigen, &a, [n, n], &[]).unwrap();
            let off = found.iter().zip(&known).map(|(x, y)| (x - y).abs()).fold(0.0, f64::max);
            assert!(off < 1e-9, "{n}: {off}");
            assert_eq!(spanning_tree(&a, n), compute(Matrix::SpanningTree, &a, [n, n], &[]).unwrap());
        }
    }

    /// Matrices of low rank, diagonal ones and zero end too.
    #[test]
    fn eigenvalues_of_low_rank() {
        let n = 6;
        let x = [1.0, 2.0, 0.0, -1.0, 0.5, 3.0];
        let a: Vec<f64> = (0..n * n).map(|at| x[at / n] * x[at % n]).collect();
        let values = |a: Vec<f64>| -> Vec<f64> { eigen(a, n).chunks(n + 1).map(|part| part[n]).collect() };
        let found = values(a);
        assert!((found[5] - 15.25).abs() < 1e-12 && found[..5].iter().all(|x| x.abs() < 1e-12), "{found:?}");
        let diagonal = (0..n * n).map(|at| if at % (n + 1) == 0 { at as f64 } else { 0.0 }).collect();
        assert_eq!(values(diagonal), [0.0, 7.0, 14.0, 21.0, 28.0, 35.0]);
        assert_eq!(values(vec![0.0; n * n]), [0.0; 6]);
    }
}
