//! The derivatives of linear algebra, in primitives. In each rule: the node, its adjoint, the axes of the matrix.
//!
//! Sources: Giles 2008, "An extended collection of matrix derivative results" (systems, eigenvectors, singular vectors);
//! Murray 2016, arXiv:1602.07527 (Cholesky); Walter and Lehmann 2010 (QR).

use smallvec::smallvec;

use super::{Matrix, Triangle, TypeError};
use crate::graph::Graph;
use crate::graph::axis::Axis;
use crate::graph::differentiate::Adjoints;
use crate::graph::node::NodeId;

type Built = Result<NodeId, TypeError>;

/// Differences smaller than this count as none: vectors of equal values have no derivative, and it is taken as 0.
const NONE: f64 = 1e-18;

/// Another axis of the same size.
fn twin(g: &mut Graph, axis: Axis) -> Axis {
    let (name, size) = (format!("{}'", g.axes.name(axis)), g.axes.size(axis));
    g.axes.add(name, size)
}

/// sum(a * b, over)
fn product(g: &mut Graph, a: NodeId, b: NodeId, over: Axis) -> Built {
    let product = g.mul(a, b)?;
    g.sum(product, &[over])
}

/// The two axes of a matrix exchanged.
fn transposed(g: &mut Graph, x: NodeId, a: Axis, b: Axis) -> Built {
    let between = twin(g, a);
    let x = g.rename(x, a, between)?;
    let x = g.rename(x, b, a)?;
    g.rename(x, between, b)
}

/// (x + x') / 2
fn symmetric(g: &mut Graph, x: NodeId, a: Axis, b: Axis) -> Built {
    let mirrored = transposed(g, x, a, b)?;
    let sum = g.plus(x, mirrored)?;
    g.scale(sum, 0.5)
}

/// `x` where the position along `a` is not below (with `strictly`, is above) that along `b`; elsewhere 0.
fn triangle(g: &mut Graph, x: NodeId, a: Axis, b: Axis, strictly: bool) -> Built {
    let (at_a, at_b) = (g.iota(a)?, g.iota(b)?);
    let kept = if strictly { g.less(at_b, at_a)? } else { g.less_equal(at_b, at_a)? };
    let zero = g.float(0.0)?;
    g.select(kept, x, zero)
}

/// The numbers from `start` on along `axis`, of which there are as many as `into` has.
fn part(g: &mut Graph, x: NodeId, axis: Axis, start: usize, into: Axis) -> Built {
    g.slice(x, axis, into, start, 1)
}

/// The one number at a position along `axis`.
fn number(g: &mut Graph, x: NodeId, axis: Axis, at: usize) -> Built {
    let one = g.axes.add("one", 1);
    let x = part(g, x, axis, at, one)?;
    g.sum(x, &[one])
}

/// 1 / x, and 0 where x is (nearly) 0.
fn inverse_or_zero(g: &mut Graph, x: NodeId) -> Built {
    let (zero, one, none) = (g.float(0.0)?, g.float(1.0)?, g.float(NONE)?);
    let size = g.abs(x)?;
    let is_none = g.less_equal(size, none)?;
    let safe = g.select(is_none, one, x)?;
    let inverse = g.reciprocal(safe)?;
    g.select(is_none, zero, inverse)
}

/// With x = L L': half of L'^-1 (P + P') L^-1, P the lower triangle of L' dL with half its diagonal.
pub fn cholesky(
    g: &mut Graph,
    id: NodeId,
    adjoint: NodeId,
    [rows, columns]: [Axis; 2],
) -> Result<Adjoints, TypeError> {
    let (i, j) = (twin(g, rows), twin(g, rows));
    let (left, right) = (g.rename(id, columns, i)?, g.rename(adjoint, columns, j)?);
    let p = product(g, left, right, rows)?;
    let (whole, strict) = (triangle(g, p, i, j, false)?, triangle(g, p, i, j, true)?);
    let sum = g.plus(whole, strict)?;
    let p = g.scale(sum, 0.5)?;
    let solve = Matrix::Solve(Triangle::Upper);
    // L' y = P, then L' z = y': z is the transpose of L'^-1 P L^-1.
    let p = g.rename(p, i, columns)?;
    let y = g.matrix(solve, &[id, p], [columns, rows], &[])?;
    let y = g.rename(y, rows, i)?;
    let y = g.rename(y, j, columns)?;
    let z = g.matrix(solve, &[id, y], [columns, rows], &[])?;
    let z = g.rename(z, i, columns)?;
    Ok(smallvec![Some(symmetric(g, z, rows, columns)?)])
}

/// With a x = b: db = a'^-1 dx, da = -db x'.
pub fn solve(
    g: &mut Graph,
    id: NodeId,
    adjoint: NodeId,
    [rows, columns]: [Axis; 2],
    shape: Triangle,
) -> Result<Adjoints, TypeError> {
    let a = g.node(id).operands[0];
    let mirrored = match shape {
        Triangle::Whole => Triangle::Whole,
        Triangle::Lower => Triangle::Upper,
        Triangle::Upper => Triangle::Lower,
    };
    let by_b = g.matrix(Matrix::Solve(mirrored), &[a, adjoint], [columns, rows], &[])?;
    // Sum over the right-hand sides before the triangle is cut out.
    let product = g.mul(by_b, id)?;
    let summed = g.node(product).axes.minus(&g.node(a).axes).minus(&g.apart);
    let product = g.sum(product, summed.as_slice())?;
    let by_a = g.neg(product)?;
    let by_a = match shape {
        Triangle::Whole => by_a,
        Triangle::Lower => triangle(g, by_a, rows, columns, false)?,
        Triangle::Upper => triangle(g, by_a, columns, rows, false)?,
    };
    Ok(smallvec![Some(by_a), Some(by_b)])
}

/// With x = V diag(l) V': V (diag(dl) + F (V' dV)) V', F the inverse differences of values.
pub fn eigen(
    g: &mut Graph,
    id: NodeId,
    adjoint: NodeId,
    [rows, columns]: [Axis; 2],
    [k, parts]: [Axis; 2],
) -> Result<Adjoints, TypeError> {
    let n = g.axes.size(rows);
    let j = twin(g, k);
    let (v, dv) = (part(g, id, parts, 0, rows)?, part(g, adjoint, parts, 0, rows)?);
    let (value, dvalue) = (number(g, id, parts, n)?, number(g, adjoint, parts, n)?);
    let dv_j = g.rename(dv, k, j)?;
    let turned = product(g, v, dv_j, rows)?;
    let value_j = g.rename(value, k, j)?;
    let middle = scaled_by_differences(g, turned, value, value_j)?;
    let middle = with_diagonal(g, middle, dvalue, k, j)?;
    let left = product(g, v, middle, k)?;
    let right = renamed_matrix(g, v, &[(rows, columns), (k, j)])?;
    let x = product(g, left, right, j)?;
    Ok(smallvec![Some(symmetric(g, x, rows, columns)?)])
}

fn renamed_matrix(g: &mut Graph, x: NodeId, names: &[(Axis, Axis)]) -> Built {
    names.iter().try_fold(x, |x, (from, to)| g.rename(x, *from, *to))
}

/// x / (second - first), 0 where these are equal.
fn scaled_by_differences(g: &mut Graph, x: NodeId, first: NodeId, second: NodeId) -> Built {
    let difference = g.sub(second, first)?;
    let inverse = inverse_or_zero(g, difference)?;
    g.mul(x, inverse)
}

/// The matrix over k and j with another diagonal.
fn with_diagonal(g: &mut Graph, x: NodeId, diagonal: NodeId, k: Axis, j: Axis) -> Built {
    let (at_k, at_j) = (g.iota(k)?, g.iota(j)?);
    let here = g.equal(at_k, at_j)?;
    g.select(here, diagonal, x)
}

/// With x = U S V': U (J_u S + S J_v + diag(ds)) V' + (dU - U U' dU) S^-1 V' + U S^-1 (dV - V V' dV)', where J is the
/// antisymmetric part of U' dU (V' dV) over the differences of squared values.
pub fn singular(
    g: &mut Graph,
    id: NodeId,
    adjoint: NodeId,
    [rows, columns]: [Axis; 2],
    [k, parts]: [Axis; 2],
) -> Result<Adjoints, TypeError> {
    let n = g.axes.size(rows);
    let j = twin(g, k);
    let (u, du) = (part(g, id, parts, 0, rows)?, part(g, adjoint, parts, 0, rows)?);
    let (s, ds) = (number(g, id, parts, n)?, number(g, adjoint, parts, n)?);
    let (v, dv) = (part(g, id, parts, n + 1, columns)?, part(g, adjoint, parts, n + 1, columns)?);
    let (s_j, v_j) = (g.rename(s, k, j)?, g.rename(v, k, j)?);
    let (square, square_j) = (g.mul(s, s)?, g.mul(s_j, s_j)?);
    let (u_turned, u_left) = turned(g, u, du, rows, [k, j])?;
    let (v_turned, v_left) = turned(g, v, dv, columns, [k, j])?;
    let u_part = {
        let scaled = scaled_by_differences(g, u_turned, square, square_j)?;
        g.mul(scaled, s_j)?
    };
    let v_part = {
        let scaled = scaled_by_differences(g, v_turned, square, square_j)?;
        g.mul(scaled, s)?
    };
    let middle = g.plus(u_part, v_part)?;
    let middle = with_diagonal(g, middle, ds, k, j)?;
    let left = product(g, u, middle, k)?;
    let inside = product(g, left, v_j, j)?;
    let inverse = inverse_or_zero(g, s_j)?;
    let u_j = g.rename(u, k, j)?;
    let u_left = g.mul(u_left, inverse)?;
    let outside_u = product(g, u_left, v_j, j)?;
    let v_left = g.mul(v_left, inverse)?;
    let outside_v = product(g, u_j, v_left, j)?;
    let outside = g.plus(outside_u, outside_v)?;
    Ok(smallvec![Some(g.plus(inside, outside)?)])
}

/// W' dW - dW' W over (k, j), and dW - W W' dW over (axis, j).
fn turned(
    g: &mut Graph,
    w: NodeId,
    dw: NodeId,
    axis: Axis,
    [k, j]: [Axis; 2],
) -> Result<(NodeId, NodeId), TypeError> {
    let dw_j = g.rename(dw, k, j)?;
    let inner = product(g, w, dw_j, axis)?;
    let mirrored = transposed(g, inner, k, j)?;
    let within = product(g, w, inner, k)?;
    Ok((g.sub(inner, mirrored)?, g.sub(dw_j, within)?))
}

/// With x = Q R: (dQ + Q T) R'^-1, T the symmetric matrix with the lower triangle of R dR' - dQ' Q.
pub fn orthogonal(
    g: &mut Graph,
    id: NodeId,
    adjoint: NodeId,
    [rows, columns]: [Axis; 2],
    [k, parts]: [Axis; 2],
) -> Result<Adjoints, TypeError> {
    let n = g.axes.size(rows);
    let j = twin(g, k);
    let (q, dq) = (part(g, id, parts, 0, rows)?, part(g, adjoint, parts, 0, rows)?);
    let (r, dr) = (part(g, id, parts, n, columns)?, part(g, adjoint, parts, n, columns)?);
    let dr = triangle(g, dr, columns, k, false)?;
    let (q_j, dr_j) = (g.rename(q, k, j)?, g.rename(dr, k, j)?);
    let first = product(g, r, dr_j, columns)?;
    let second = product(g, dq, q_j, rows)?;
    let difference = g.sub(first, second)?;
    let lower = triangle(g, difference, k, j, false)?;
    let strict = triangle(g, difference, k, j, true)?;
    let mirrored = transposed(g, strict, k, j)?;
    let t = g.plus(lower, mirrored)?;
    let turned = product(g, q_j, t, j)?;
    let b = g.plus(dq, turned)?;
    let x = g.matrix(Matrix::Solve(Triangle::Upper), &[r, b], [k, columns], &[])?;
    Ok(smallvec![Some(x)])
}
