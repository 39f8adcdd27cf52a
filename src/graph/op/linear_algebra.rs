//! Dense linear algebra on the matrix that two axes make, for every position of the other axes: Cholesky's factor, linear
//! systems, eigenvectors, singular vectors, QR; and two algorithms on matrices, the minimum spanning tree and assignment.
//!
//! A decomposition has one result: for each vector its parts one after another (the vector, its value, ...), along one
//! axis; elaboration slices it. Signs are fixed: the largest component of each (left) vector is positive, and so is the
//! diagonal of R. Eigenvalues ascend, singular values descend. What has no result is a fault, never NaN.
//! Matrices that must be symmetric count as (x + x')/2, so derivatives are symmetric. The derivatives of vectors divide by the
//! differences of the (squared) values: these must be distinct.

use super::linear_algebra_derivative as derivatives;
pub use super::linear_algebra_reference::{compute, mirrored};
use super::signature::{FLOAT, Signature, Type, TypeError};
use super::{Matrix, Op};
use crate::graph::Graph;
use crate::graph::axis::Axis;
use crate::graph::differentiate::Adjoints;
use crate::graph::fault::Fault;
use crate::graph::node::{Element, Node, NodeId};
use crate::graph::reference::{Array, Scope};

/// Relative difference of mirrored elements up to which a matrix counts as symmetric.
pub const SYMMETRY: f64 = 1e-3;

/// Components within this share of the largest count as equally large when signs are fixed: the first of them decides.
pub const SIGN: f64 = 1e-6;

/// The position of the component that must be positive.
pub fn leading(vector: impl Iterator<Item = f64> + Clone) -> usize {
    let largest = vector.clone().fold(0.0f64, |largest, x| largest.max(x.abs()));
    vector.into_iter().position(|x| x.abs() >= largest * (1.0 - SIGN)).unwrap_or(0)
}

/// How many numbers each vector of a decomposition has in all.
pub fn parts(kind: Matrix, rows: usize, columns: usize) -> usize {
    match kind {
        Matrix::Eigen => rows + 1,
        Matrix::Singular => rows + 1 + columns,
        Matrix::Orthogonal => rows + columns,
        _ => 0,
    }
}

/// How many vectors (or edges) there are.
pub fn vectors(kind: Matrix, rows: usize, columns: usize) -> usize {
    match kind {
        Matrix::SpanningTree => rows.saturating_sub(1),
        _ => rows.min(columns),
    }
}

pub fn type_rule(s: &Signature) -> Result<Type, TypeError> {
    let Op::Matrix { kind, rows, columns, into } = s.op else {
        return Err(TypeError::Reduction { op: s.name() });
    };
    let (rows, columns) = (*rows, *columns);
    let made = |count: usize| match into.len() == count {
        true => Ok(()),
        false => Err(TypeError::Layout { op: s.name(), expected: count, found: into.len() }),
    };
    let sized = |axis: Axis, expected: usize| match s.size(axis) == expected {
        true => Ok(()),
        false => Err(TypeError::Layout { op: s.name(), expected, found: s.size(axis) }),
    };
    s.count(if matches!(kind, Matrix::Solve(_)) { 2 } else { 1 })?;
    s.expect(0, FLOAT)?;
    s.has(0, rows)?;
    s.has(0, columns)?;
    if rows == columns {
        return Err(TypeError::AxisTwice { op: s.name(), axis: rows });
    }
    let batch = s.replace(0, &[rows, columns], &[])?;
    match kind {
        Matrix::Cholesky => {
            made(0)?;
            s.same_size(rows, columns)?;
            Ok(Type::new(Element::Float, s.axes(0).clone()))
        }
        Matrix::Solve(_) => {
            made(0)?;
            s.same_size(rows, columns)?;
            s.expect(1, FLOAT)?;
            Ok(Type::new(Element::Float, batch.union(&s.replace(1, &[rows], &[columns])?)))
        }
        Matrix::Assignment => {
            made(0)?;
            at_most(s, rows, columns)?;
            Ok(Type::new(Element::Index, batch.with(rows)))
        }
        Matrix::SpanningTree => {
            made(1)?;
            s.same_size(rows, columns)?;
            sized(into[0], vectors(*kind, s.size(rows), s.size(columns)))?;
            Ok(Type::new(Element::Index, s.replace(0, &[rows, columns], into)?))
        }
        Matrix::Eigen | Matrix::Singular | Matrix::Orthogonal => {
            made(2)?;
            match kind {
                Matrix::Eigen => s.same_size(rows, columns)?,
                Matrix::Orthogonal => at_most(s, columns, rows)?,
                _ => {}
            }
            sized(into[0], vectors(*kind, s.size(rows), s.size(columns)))?;
            sized(into[1], parts(*kind, s.size(rows), s.size(columns)))?;
            Ok(Type::new(Element::Float, s.replace(0, &[rows, columns], into)?))
        }
    }
}

/// The first axis is not longer than the second.
fn at_most(s: &Signature, short: Axis, long: Axis) -> Result<(), TypeError> {
    match s.size(short) <= s.size(long) {
        true => Ok(()),
        false => s.same_size(short, long),
    }
}

pub fn derivative(g: &mut Graph, id: NodeId, adjoint: NodeId) -> Result<Adjoints, TypeError> {
    let Op::Matrix { kind, rows, columns, ref into } = g.node(id).op else { return Ok(Adjoints::new()) };
    let axes = [rows, columns];
    match (kind, into.clone().as_slice()) {
        (Matrix::Cholesky, _) => derivatives::cholesky(g, id, adjoint, axes),
        (Matrix::Solve(triangle), _) => derivatives::solve(g, id, adjoint, axes, triangle),
        (Matrix::Eigen, &[vector, part]) => derivatives::eigen(g, id, adjoint, axes, [vector, part]),
        (Matrix::Singular, &[vector, part]) => derivatives::singular(g, id, adjoint, axes, [vector, part]),
        (Matrix::Orthogonal, &[vector, part]) => {
            derivatives::orthogonal(g, id, adjoint, axes, [vector, part])
        }
        _ => Ok(Adjoints::new()),
    }
}

pub fn reference(scope: &Scope) -> Result<Vec<f64>, Fault> {
    let Op::Matrix { kind, rows, columns, ref into } = scope.node.op else { return Ok(Vec::new()) };
    let table = &scope.graph.axes;
    let (n, m) = (scope.size(rows), scope.size(columns));
    // One matrix after another: its elements by rows, and the places of its results.
    let operand = &scope.graph.node(scope.node.operands[0]).axes;
    let batch = operand.without(rows).without(columns);
    let result: Vec<Axis> = scope.node.axes.minus(&batch).iter().collect();
    let order: Vec<Axis> = match kind {
        Matrix::Cholesky => vec![rows, columns],
        Matrix::Solve(_) => {
            std::iter::once(columns).chain(result.iter().copied().filter(|a| *a != columns)).collect()
        }
        Matrix::Assignment => vec![rows],
        _ => into.clone(),
    };
    let mut values =
        Array::new(table, scope.node.axes.as_slice(), vec![0.0; scope.graph.elements(&scope.node.axes)]);
    let mut fault = None;
    scope.each(&batch, &mut scope.origin(), &mut |point| {
        let collect = |point: &mut Vec<usize>, array: &Array, axes: &[Axis]| {
            let mut found = Vec::new();
            crate::graph::reference::points(table, axes, point, &mut |point| found.push(array.at(point)));
            found
        };
        let a = collect(point, scope.operands[0], &[rows, columns]);
        let b = match kind {
            Matrix::Solve(_) => {
                let by_rows: Vec<Axis> =
                    order.iter().map(|a| if *a == columns { rows } else { *a }).collect();
                collect(point, scope.operands[1], &by_rows)
            }
            _ => Vec::new(),
        };
        match compute(kind, &a, [n, m], &b) {
            Ok(found) => {
                let mut found = found.into_iter();
                crate::graph::reference::points(table, &order, point, &mut |point| {
                    let at = values.offset(point);
                    values.values[at] = found.next().unwrap_or(f64::NAN);
                });
            }
            Err(why) => fault = fault.or(Some(why)),
        }
    });
    match fault {
        Some(fault) => Err(Fault::Matrix { node: scope.id, fault }),
        None => Ok(values.values),
    }
}

/// The leading term of the usual algorithms.
pub fn flops(graph: &Graph, node: &Node) -> u64 {
    let Op::Matrix { kind, rows, columns, .. } = node.op else { return 0 };
    let (n, m) = (graph.axes.size(rows) as u64, graph.axes.size(columns) as u64);
    let matrices = graph.first_elements(node) / (n * m).max(1);
    let small = n.min(m);
    match kind {
        Matrix::Cholesky => matrices * n * n * n / 3,
        Matrix::Solve(_) => matrices * n * n * n + 2 * n * graph.results(node),
        Matrix::Eigen => 9 * matrices * n * n * n,
        Matrix::Singular => 14 * matrices * n * m * small,
        Matrix::Orthogonal => 4 * matrices * n * m * small,
        Matrix::SpanningTree => matrices * n * m,
        Matrix::Assignment => matrices * n * m * small,
    }
}
