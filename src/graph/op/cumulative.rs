//! Running reductions along an axis.

use super::reduce::{combine, identity};
use super::signature::{FLOAT, Signature, Type, TypeError};
use super::{Cumulative, Op, Reduction};
use crate::graph::Graph;
use crate::graph::axis::{Axis, AxisSet};
use crate::graph::differentiate::Adjoints;
use crate::graph::fault::Fault;
use crate::graph::node::{Element, Node, NodeId};
use crate::graph::reference::Scope;
use smallvec::smallvec;

pub fn type_rule(s: &Signature) -> Result<Type, TypeError> {
    s.count(1)?;
    s.expect(0, FLOAT)?;
    if let Op::Cumulative { axis, .. } = s.op {
        s.has(0, *axis)?;
    }
    Ok(Type::new(Element::Float, s.axes(0).clone()))
}

pub fn reference(scope: &Scope) -> Result<Vec<f64>, Fault> {
    let Op::Cumulative { kind, axis, reverse } = scope.node.op else { return Ok(Vec::new()) };
    let reduction = match kind {
        Cumulative::Sum => Reduction::Sum,
        Cumulative::Product => Reduction::Product,
        Cumulative::Max => Reduction::Max,
    };
    Ok(scope.map(|point| {
        let at = point[axis.0 as usize];
        let mut visited: Vec<usize> =
            if reverse { (at..scope.size(axis)).collect() } else { (0..=at).collect() };
        if reverse {
            visited.reverse();
        }
        let total = visited.into_iter().fold(identity(reduction), |total, position| {
            point[axis.0 as usize] = position;
            combine(reduction, total, scope.operands[0].at(point))
        });
        point[axis.0 as usize] = at;
        total
    }))
}

pub fn derivative(g: &mut Graph, id: NodeId, adjoint: NodeId) -> Result<Adjoints, TypeError> {
    let node = g.node(id);
    let x = node.operands[0];
    let Op::Cumulative { kind, axis, reverse } = node.op else { return Ok(Adjoints::new()) };
    let adjoint = match kind {
        Cumulative::Sum => g.cumulative(Cumulative::Sum, adjoint, axis, !reverse)?,
        Cumulative::Product => product_derivative(g, x, adjoint, axis, reverse)?,
        Cumulative::Max => max_derivative(g, [x, id, adjoint], axis, reverse)?,
    };
    Ok(smallvec![Some(adjoint)])
}

/// Right where elements are zero: for every position j, the running products without x_j. Takes size^2 elements.
fn product_derivative(
    g: &mut Graph,
    x: NodeId,
    adjoint: NodeId,
    axis: Axis,
    reverse: bool,
) -> Result<NodeId, TypeError> {
    let left_out = g.axes.add(g.axes.name(axis).to_string(), g.axes.size(axis));
    let (at, out) = (g.iota(axis)?, g.iota(left_out)?);
    let (zero, one) = (g.float(0.0)?, g.float(1.0)?);
    let is_out = g.equal(at, out)?;
    let others = g.select(is_out, one, x)?;
    let running = g.cumulative(Cumulative::Product, others, axis, reverse)?;
    let contains = if reverse { g.less_equal(at, out)? } else { g.less_equal(out, at)? };
    let slope = g.select(contains, running, zero)?;
    let product = g.mul(slope, adjoint)?;
    let summed = g.sum(product, &[axis])?;
    g.rename(summed, left_out, axis)
}

/// Each adjoint goes to the position that holds its running maximum: among equals, the last that was met.
fn max_derivative(
    g: &mut Graph,
    [x, y, adjoint]: [NodeId; 3],
    axis: Axis,
    reverse: bool,
) -> Result<NodeId, TypeError> {
    let is_record = g.equal(x, y)?;
    let positions = g.iota(axis)?;
    let positions = g.cast(positions, Element::Float)?;
    // From the end, the last met is the smallest position.
    let order = if reverse { g.neg(positions)? } else { positions };
    let none = g.float(-(g.axes.size(axis) as f64))?;
    let records = g.select(is_record, order, none)?;
    let last = g.cumulative(Cumulative::Max, records, axis, reverse)?;
    let last = if reverse { g.neg(last)? } else { last };
    let index = g.cast(last, Element::Index)?;
    // With NaN there may be no record at all: any position will do.
    let (first, end) = (g.index(0)?, g.index(g.axes.size(axis) as i32 - 1)?);
    let index = g.max(index, first)?;
    let index = g.min(index, end)?;
    g.scatter(Reduction::Sum, adjoint, index, &AxisSet::new().with(axis), axis)
}

pub fn flops(graph: &Graph, node: &Node) -> u64 {
    graph.results(node)
}
