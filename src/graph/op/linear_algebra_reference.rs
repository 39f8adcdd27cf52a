//! The reference meaning of linear algebra: textbook algorithms on one matrix in f64, written to be plainly right and
//! independent of the executor's. In: elements by rows. Out: elements in the order that `linear_algebra.rs` states.

use super::linear_algebra::{SYMMETRY, leading};
use super::{Matrix, Triangle};
use crate::graph::fault::MatrixFault;

type Found = Result<Vec<f64>, MatrixFault>;
type Rows = Vec<Vec<f64>>;

pub fn compute(kind: Matrix, a: &[f64], [n, m]: [usize; 2], b: &[f64]) -> Found {
    if a.iter().chain(b).any(|x| !x.is_finite()) {
        return Err(MatrixFault::NotFinite);
    }
    let a: Rows = a.chunks(m.max(1)).map(<[f64]>::to_vec).collect();
    match kind {
        Matrix::Cholesky => cholesky(&symmetric(&a)?),
        Matrix::Solve(shape) => solve(a, b, shape),
        Matrix::Eigen => eigen(symmetric(&a)?),
        Matrix::Singular => singular(&a, [n, m]),
        Matrix::Orthogonal => orthogonal(&a, [n, m]),
        Matrix::SpanningTree => Ok(spanning_tree(&a)),
        Matrix::Assignment => Ok(assignment(&a, m)),
    }
}

fn symmetric(a: &Rows) -> Result<Rows, MatrixFault> {
    let largest = a.iter().flatten().fold(0.0f64, |largest, x| largest.max(x.abs()));
    let n = a.len();
    let mut result = a.clone();
    for i in 0..n {
        for j in 0..n {
            if (a[i][j] - a[j][i]).abs() > SYMMETRY * largest {
                return Err(MatrixFault::NotSymmetric);
            }
            result[i][j] = (a[i][j] + a[j][i]) / 2.0;
        }
    }
    Ok(result)
}

/// The elements of a matrix that must be symmetric, the mean of each two mirrored ones in the place of both.
pub fn mirrored(a: &[f64], n: usize) -> Found {
    if a.iter().any(|x| !x.is_finite()) {
        return Err(MatrixFault::NotFinite);
    }
    let a: Rows = a.chunks(n.max(1)).map(<[f64]>::to_vec).collect();
    Ok(symmetric(&a)?.concat())
}

fn cholesky(a: &Rows) -> Found {
    let n = a.len();
    let mut l = vec![vec![0.0; n]; n];
    for i in 0..n {
        for j in 0..=i {
            let rest = a[i][j] - (0..j).map(|k| l[i][k] * l[j][k]).sum::<f64>();
            l[i][j] = match i == j {
                false => rest / l[j][j],
                true if rest > 0.0 => rest.sqrt(),
                true => return Err(MatrixFault::NotPositiveDefinite),
            };
        }
    }
    Ok(l.concat())
}

/// Gauss and Jordan's elimination with the largest pivot.
fn solve(mut a: Rows, b: &[f64], shape: Triangle) -> Found {
    let n = a.len();
    let width = b.len() / n.max(1);
    for (i, row) in a.iter_mut().enumerate() {
        for (j, x) in row.iter_mut().enumerate() {
            if (shape == Triangle::Lower && j > i) || (shape == Triangle::Upper && j < i) {
                *x = 0.0;
            }
        }
        row.extend(&b[i * width..(i + 1) * width]);
    }
    // A pivot this small beside its row is rounding.
    let mut scales: Vec<f64> =
        a.iter().map(|row| row[..n].iter().fold(0.0, |largest: f64, x| largest.max(x.abs()))).collect();
    for j in 0..n {
        let pivot = (j..n).max_by(|x, y| a[*x][j].abs().total_cmp(&a[*y][j].abs())).unwrap_or(j);
        a.swap(j, pivot);
        scales.swap(j, pivot);
        if a[j][j].abs() <= n as f64 * f64::EPSILON * scales[j] {
            return Err(MatrixFault::Singular);
        }
        let scale = a[j][j];
        a[j].iter_mut().for_each(|x| *x /= scale);
        let row = a[j].clone();
        for (i, other) in a.iter_mut().enumerate() {
            let factor = other[j];
            if i != j {
                other.iter_mut().zip(&row).for_each(|(x, y)| *x -= factor * y);
            }
        }
    }
    Ok(a.iter().flat_map(|row| row[n..].to_vec()).collect())
}

/// Jacobi's rotations.
fn eigen(mut a: Rows) -> Found {
    let n = a.len();
    let mut v: Rows = (0..n).map(|i| (0..n).map(|j| f64::from(u8::from(i == j))).collect()).collect();
    let scale = a.iter().flatten().fold(0.0f64, |largest, x| largest.max(x.abs()));
    for _ in 0..100 {
        for p in 0..n {
            for q in p + 1..n {
                if a[p][q].abs() <= 1e-17 * scale {
                    continue;
                }
                let angle = 0.5 * (2.0 * a[p][q]).atan2(a[q][q] - a[p][p]);
                let (s, c) = angle.sin_cos();
                for row in a.iter_mut().chain(&mut v) {
                    (row[p], row[q]) = (c * row[p] - s * row[q], s * row[p] + c * row[q]);
                }
                let (upper, lower) = (a[p].clone(), a[q].clone());
                a[p] = upper.iter().zip(&lower).map(|(x, y)| c * x - s * y).collect();
                a[q] = upper.iter().zip(&lower).map(|(x, y)| s * x + c * y).collect();
            }
        }
    }
    let mut order: Vec<usize> = (0..n).collect();
    order.sort_by(|i, j| a[*i][*i].total_cmp(&a[*j][*j]));
    Ok(order
        .into_iter()
        .flat_map(|k| {
            let mut parts: Vec<f64> = v.iter().map(|row| row[k]).collect();
            let sign = parts[leading(parts.iter().copied())].signum();
            parts.iter_mut().for_each(|x| *x *= sign);
            parts.push(a[k][k]);
            parts
        })
        .collect())
}

/// Hestenes' rotations of the columns (or, of a wide matrix, of the rows), until they are orthogonal.
fn singular(a: &Rows, [n, m]: [usize; 2]) -> Found {
    if n < m {
        let flipped: Rows = (0..m).map(|j| (0..n).map(|i| a[i][j]).collect()).collect();
        let found = singular(&flipped, [m, n])?;
        let vectors = found.chunks(n + m + 1).flat_map(|parts| {
            let (right, rest) = parts.split_at(m);
            let mut parts = [&rest[1..], &rest[..1], right].concat();
            let sign = parts[leading(parts[..n].iter().copied())].signum();
            parts[..n].iter_mut().for_each(|x| *x *= sign);
            parts[n + 1..].iter_mut().for_each(|x| *x *= sign);
            parts
        });
        return Ok(vectors.collect());
    }
    let column = |j: usize| -> Vec<f64> { a.iter().map(|row| row[j]).collect() };
    let mut u: Rows = (0..m).map(column).collect();
    let mut v: Rows = (0..m).map(|i| (0..m).map(|j| f64::from(u8::from(i == j))).collect()).collect();
    let dot = |x: &[f64], y: &[f64]| -> f64 { x.iter().zip(y).map(|(x, y)| x * y).sum() };
    for _ in 0..100 {
        let mut turned = false;
        for p in 0..m {
            for q in p + 1..m {
                let (pp, qq, pq) = (dot(&u[p], &u[p]), dot(&u[q], &u[q]), dot(&u[p], &u[q]));
                if pq.abs() <= 1e-14 * (pp * qq).sqrt() {
                    continue;
                }
                turned = true;
                let (s, c) = (0.5 * (2.0 * pq).atan2(qq - pp)).sin_cos();
                for columns in [&mut u, &mut v] {
                    for i in 0..columns[p].len() {
                        let (x, y) = (columns[p][i], columns[q][i]);
                        (columns[p][i], columns[q][i]) = (c * x - s * y, s * x + c * y);
                    }
                }
            }
        }
        if !turned {
            break;
        }
    }
    let mut order: Vec<(f64, usize)> = (0..m).map(|k| (dot(&u[k], &u[k]).sqrt(), k)).collect();
    order.sort_by(|x, y| y.0.total_cmp(&x.0));
    let mut left: Rows = Vec::new();
    let mut parts = Vec::new();
    for (value, k) in order {
        let vector = match value > 1e-14 * dot(&u[k], &u[k]).sqrt().max(1e-300) && value > 1e-13 {
            true => u[k].iter().map(|x| x / value).collect(),
            false => orthogonal_to(&left, n),
        };
        let sign = vector[leading(vector.iter().copied())].signum();
        parts.extend(vector.iter().map(|x| x * sign));
        parts.push(value);
        parts.extend(v[k].iter().map(|x| x * sign));
        left.push(vector);
    }
    Ok(parts)
}

/// A unit vector orthogonal to all of these.
fn orthogonal_to(vectors: &[Vec<f64>], n: usize) -> Vec<f64> {
    let mut best = vec![0.0; n];
    let mut longest = -1.0;
    for axis in 0..n {
        let mut x: Vec<f64> = (0..n).map(|i| f64::from(u8::from(i == axis))).collect();
        for _ in 0..2 {
            for vector in vectors {
                let along: f64 = x.iter().zip(vector).map(|(x, y)| x * y).sum();
                x.iter_mut().zip(vector).for_each(|(x, y)| *x -= along * y);
            }
        }
        let length = x.iter().map(|x| x * x).sum::<f64>().sqrt();
        if length > longest + 1e-9 {
            longest = length;
            best = x.into_iter().map(|x| x / length).collect();
        }
    }
    best
}

/// Gram and Schmidt's method, each column twice.
fn orthogonal(a: &Rows, [n, m]: [usize; 2]) -> Found {
    let mut q: Rows = Vec::new();
    let mut r = vec![vec![0.0; m]; m];
    for j in 0..m {
        let mut x: Vec<f64> = (0..n).map(|i| a[i][j]).collect();
        for _ in 0..2 {
            for (k, vector) in q.iter().enumerate() {
                let along: f64 = x.iter().zip(vector).map(|(x, y)| x * y).sum();
                r[k][j] += along;
                x.iter_mut().zip(vector).for_each(|(x, y)| *x -= along * y);
            }
        }
        let length = x.iter().map(|x| x * x).sum::<f64>().sqrt();
        let whole = (0..n).map(|i| a[i][j] * a[i][j]).sum::<f64>().sqrt();
        if length <= 1e-14 * whole {
            q.push(orthogonal_to(&q, n));
        } else {
            r[j][j] = length;
            q.push(x.into_iter().map(|x| x / length).collect());
        }
    }
    Ok(q.into_iter().zip(r).flat_map(|(q, r)| [q, r].concat()).collect())
}

/// Kruskal's method: the shortest edges that join two parts. Of equal edges the first by place.
fn spanning_tree(a: &Rows) -> Vec<f64> {
    let n = a.len();
    let length = |i: usize, j: usize| (a[i][j] + a[j][i]) / 2.0;
    let mut edges: Vec<(usize, usize)> = (0..n).flat_map(|i| (i + 1..n).map(move |j| (i, j))).collect();
    edges.sort_by(|x, y| length(x.0, x.1).total_cmp(&length(y.0, y.1)));
    let mut part: Vec<usize> = (0..n).collect();
    let mut tree = Vec::new();
    for (i, j) in edges {
        let (old, new) = (part[i], part[j]);
        if old != new {
            tree.push((i * n + j) as f64);
            part.iter_mut().filter(|part| **part == old).for_each(|part| *part = new);
        }
    }
    tree
}

/// Every assignment is tried, in the order of columns; for small matrices.
fn assignment(a: &Rows, m: usize) -> Vec<f64> {
    fn search(a: &Rows, m: usize, taken: &mut Vec<usize>, sum: f64, best: &mut (f64, Vec<usize>)) {
        if taken.len() == a.len() {
            if sum < best.0 {
                *best = (sum, taken.clone());
            }
            return;
        }
        for j in 0..m {
            if !taken.contains(&j) {
                let more = a[taken.len()][j];
                taken.push(j);
                search(a, m, taken, sum + more, best);
                taken.pop();
            }
        }
    }
    let mut best = (f64::INFINITY, Vec::new());
    search(a, m, &mut Vec::new(), 0.0, &mut best);
    best.1.into_iter().map(|column| column as f64).collect()
}
