//! Picking along an axis by an index, and its adjoint: reducing by groups.

use super::reduce::{combine, identity};
use super::signature::{FLOAT, INDEX, Signature, Type, TypeError};
use super::{Op, Reduction};
use crate::graph::Graph;
use crate::graph::axis::{Axis, AxisSet};
use crate::graph::differentiate::Adjoints;
use crate::graph::fault::Fault;
use crate::graph::node::{Node, NodeId};
use crate::graph::reference::{Array, Scope};
use smallvec::smallvec;

pub fn type_rule(s: &Signature) -> Result<Type, TypeError> {
    s.count(2)?;
    s.expect(1, INDEX)?;
    match s.op {
        Op::Gather { axis } => {
            s.has(0, *axis)?;
            Ok(Type::new(s.element(0), s.axes(0).without(*axis).union(s.axes(1))))
        }
        Op::Scatter { over, into, reduction } => {
            match reduction {
                Reduction::All | Reduction::Any => s.expect(0, super::signature::BOOL)?,
                _ => s.expect(0, FLOAT)?,
            };
            if let Some(axis) = s.axes(1).minus(s.axes(0)).iter().next() {
                return Err(TypeError::MissingAxis { op: s.name(), operand: 0, axis });
            }
            if let Some(axis) = over.minus(s.axes(1)).iter().next() {
                return Err(TypeError::MissingAxis { op: s.name(), operand: 1, axis });
            }
            Ok(Type::new(s.element(0), s.replace(0, over.as_slice(), &[*into])?))
        }
        _ => Err(TypeError::Reduction { op: s.name() }),
    }
}

pub fn reference(scope: &Scope) -> Result<Vec<f64>, Fault> {
    let (x, index) = (scope.operands[0], scope.operands[1]);
    let mut fault = None;
    let values = match &scope.node.op {
        Op::Gather { axis } => scope.map(|point| {
            match scope.position(index.at(point), *axis) {
                Ok(position) => point[axis.0 as usize] = position,
                Err(found) => {
                    fault.get_or_insert(found);
                    return 0.0;
                }
            }
            x.at(point)
        }),
        Op::Scatter { into, reduction, .. } => {
            let result = Array::new(&scope.graph.axes, scope.node.axes.as_slice(), Vec::new());
            let mut values = scope.map(|_| identity(*reduction));
            let axes = &scope.graph.node(scope.node.operands[0]).axes;
            scope.each(axes, &mut scope.origin(), &mut |point| {
                let value = x.at(point);
                match scope.position(index.at(point), *into) {
                    Ok(position) => {
                        let before = std::mem::replace(&mut point[into.0 as usize], position);
                        let offset = result.offset(point);
                        values[offset] = combine(*reduction, values[offset], value);
                        point[into.0 as usize] = before;
                    }
                    Err(found) => {
                        fault.get_or_insert(found);
                    }
                }
            });
            values
        }
        _ => Vec::new(),
    };
    fault.map_or(Ok(values), Err)
}

pub fn derivative(g: &mut Graph, id: NodeId, adjoint: NodeId) -> Result<Adjoints, TypeError> {
    let node = g.node(id);
    let (x, index) = (node.operands[0], node.operands[1]);
    let adjoint = match node.op.clone() {
        Op::Gather { axis } => {
            let kept = g.node(x).axes.without(axis);
            let over = g.node(index).axes.minus(&kept).minus(&g.apart);
            g.scatter(Reduction::Sum, adjoint, index, &over, axis)?
        }
        Op::Scatter { into, reduction: Reduction::Sum, .. } => g.gather(adjoint, into, index)?,
        Op::Scatter { over, into, reduction: Reduction::Max | Reduction::Min } => {
            // Equal values of a group share its adjoint.
            let extreme = g.gather(id, into, index)?;
            let wins = g.equal(x, extreme)?;
            let indicator = g.indicator(wins)?;
            let count = g.scatter(Reduction::Sum, indicator, index, &over, into)?;
            let one = g.float(1.0)?;
            let count = g.max(count, one)?;
            let share = g.div(adjoint, count)?;
            let share = g.gather(share, into, index)?;
            g.mul(share, indicator)?
        }
        Op::Scatter { over, into, reduction: Reduction::Product } => {
            let others = product_of_others(g, x, index, &over, into)?;
            let share = g.gather(adjoint, into, index)?;
            g.mul(share, others)?
        }
        _ => return Ok(Adjoints::new()),
    };
    Ok(smallvec![Some(adjoint), None])
}

/// For each value, the product of the others of its group: the group's product of its non-zero values, divided by the
/// value, unless there are other zeros. (Its own derivative misses the terms of two zeros in one group.)
fn product_of_others(
    g: &mut Graph,
    x: NodeId,
    index: NodeId,
    over: &AxisSet,
    into: Axis,
) -> Result<NodeId, TypeError> {
    let (zero, one) = (g.float(0.0)?, g.float(1.0)?);
    let is_zero = g.equal(x, zero)?;
    let safe = g.select(is_zero, one, x)?;
    let indicator = g.indicator(is_zero)?;
    let product = g.scatter(Reduction::Product, safe, index, over, into)?;
    let zeros = g.scatter(Reduction::Sum, indicator, index, over, into)?;
    let product = g.gather(product, into, index)?;
    let zeros = g.gather(zeros, into, index)?;
    let other_zeros = g.sub(zeros, indicator)?;
    let none = g.equal(other_zeros, zero)?;
    let quotient = g.div(product, safe)?;
    g.select(none, quotient, zero)
}

pub fn flops(graph: &Graph, node: &Node) -> u64 {
    match node.op {
        Op::Scatter { .. } => graph.first_elements(node),
        _ => 0,
    }
}
