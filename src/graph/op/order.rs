//! Sorting and ranking along an axis. A sort is a gather by `ArgSort`, and so has its derivative.

use super::signature::{FLOAT, Signature, Type, TypeError};
use super::{Op, Ties};
use crate::graph::Graph;
use crate::graph::axis::Axis;
use crate::graph::fault::Fault;
use crate::graph::node::{Element, Node};
use crate::graph::reference::{Array, Scope};

pub fn type_rule(s: &Signature) -> Result<Type, TypeError> {
    s.count(1)?;
    s.expect(0, FLOAT)?;
    let element = match s.op {
        Op::ArgSort { axis, .. } => {
            s.has(0, *axis)?;
            Element::Index
        }
        Op::Rank { axis, .. } => {
            s.has(0, *axis)?;
            Element::Float
        }
        _ => return Err(TypeError::Reduction { op: s.name() }),
    };
    Ok(Type::new(element, s.axes(0).clone()))
}

pub fn reference(scope: &Scope) -> Result<Vec<f64>, Fault> {
    let x = scope.operands[0];
    Ok(match scope.node.op {
        Op::ArgSort { axis, descending } => scope.map(|point| {
            let at = point[axis.0 as usize];
            sorted(&along(scope, axis, point, x), descending)[at] as f64
        }),
        Op::Rank { axis, ties } => scope.map(|point| {
            let at = point[axis.0 as usize];
            let values = along(scope, axis, point, x);
            let less = values.iter().filter(|value| **value < values[at]).count() as f64;
            let equal = values.iter().filter(|value| **value == values[at]).count() as f64;
            let before = values[..at].iter().filter(|value| **value == values[at]).count() as f64;
            match ties {
                Ties::Min => less + 1.0,
                Ties::Max => less + equal,
                Ties::Average => less + (equal + 1.0) / 2.0,
                Ties::First => less + before + 1.0,
            }
        }),
        _ => Vec::new(),
    })
}

/// The values along an axis through a point.
fn along(scope: &Scope, axis: Axis, point: &mut [usize], x: &Array) -> Vec<f64> {
    (0..scope.size(axis))
        .map(|position| {
            point[axis.0 as usize] = position;
            x.at(point)
        })
        .collect()
}

/// Positions in the order of their values, equal ones by position, NaN last.
fn sorted(values: &[f64], descending: bool) -> Vec<usize> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|a, b| {
        let (a, b) = (values[*a], values[*b]);
        let natural = if descending { b.partial_cmp(&a) } else { a.partial_cmp(&b) };
        natural.unwrap_or_else(|| a.is_nan().cmp(&b.is_nan()))
    });
    order
}

/// The comparisons of a sort.
pub fn flops(graph: &Graph, node: &Node) -> u64 {
    let size = match node.op {
        Op::ArgSort { axis, .. } | Op::Rank { axis, .. } => graph.axes.size(axis),
        _ => 1,
    };
    graph.results(node) * u64::from(size.max(2).ilog2() + 1)
}
