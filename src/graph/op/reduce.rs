//! Reductions over axes, and the position of the extreme value along one.

use super::elementwise::binary_value;
use super::signature::{BOOL, FLOAT, Signature, Type, TypeError};
use super::{Binary, Cumulative, Op, Reduction};
use crate::graph::Graph;
use crate::graph::axis::{Axis, AxisSet};
use crate::graph::differentiate::Adjoints;
use crate::graph::fault::Fault;
use crate::graph::node::{Element, Node, NodeId};
use crate::graph::reference::Scope;
use smallvec::smallvec;

pub fn type_rule(s: &Signature) -> Result<Type, TypeError> {
    s.count(1)?;
    match s.op {
        Op::ArgReduce { axis, .. } => {
            s.expect(0, FLOAT)?;
            s.position(*axis, 0)?;
            Ok(Type::new(Element::Index, s.replace(0, &[*axis], &[])?))
        }
        Op::Reduce(reduction, axes) => {
            let wanted = if matches!(reduction, Reduction::All | Reduction::Any) { BOOL } else { FLOAT };
            let element = s.expect(0, wanted)?;
            Ok(Type::new(element, s.replace(0, axes.as_slice(), &[])?))
        }
        _ => Err(TypeError::Reduction { op: s.name() }),
    }
}

pub fn reference(scope: &Scope) -> Result<Vec<f64>, Fault> {
    let x = scope.operands[0];
    Ok(match &scope.node.op {
        Op::Reduce(reduction, axes) => scope.map(|point| {
            let mut total = identity(*reduction);
            scope.each(axes, point, &mut |point| total = combine(*reduction, total, x.at(point)));
            total
        }),
        Op::ArgReduce { axis, smallest } => scope.map(|point| {
            let sign = if *smallest { -1.0 } else { 1.0 };
            let (mut best, mut largest) = (0, f64::NAN);
            for position in 0..scope.size(*axis) {
                point[axis.0 as usize] = position;
                let value = sign * x.at(point);
                if value > largest || (largest.is_nan() && !value.is_nan()) {
                    (best, largest) = (position, value);
                }
            }
            best as f64
        }),
        _ => Vec::new(),
    })
}

/// The result of reducing nothing.
pub fn identity(reduction: Reduction) -> f64 {
    match reduction {
        Reduction::Sum | Reduction::Any => 0.0,
        Reduction::Product | Reduction::All => 1.0,
        Reduction::Max => f64::NEG_INFINITY,
        Reduction::Min => f64::INFINITY,
    }
}

/// One step of a reduction; Max and Min give NaN where either is NaN.
pub fn combine(reduction: Reduction, total: f64, value: f64) -> f64 {
    match reduction {
        Reduction::Sum => total + value,
        Reduction::Product => total * value,
        Reduction::Max => binary_value(Binary::Max, total, value),
        Reduction::Min => binary_value(Binary::Min, total, value),
        Reduction::All => f64::from(u8::from(total != 0.0 && value != 0.0)),
        Reduction::Any => f64::from(u8::from(total != 0.0 || value != 0.0)),
    }
}

pub fn derivative(g: &mut Graph, id: NodeId, adjoint: NodeId) -> Result<Adjoints, TypeError> {
    let node = g.node(id);
    let x = node.operands[0];
    let Op::Reduce(reduction, axes) = node.op.clone() else { return Ok(Adjoints::new()) };
    Ok(match reduction {
        Reduction::Sum => smallvec![Some(adjoint)],
        Reduction::Max | Reduction::Min => {
            // Equal values share the adjoint.
            let extreme = g.equal(x, id)?;
            let indicator = g.indicator(extreme)?;
            let count = g.sum(indicator, axes.as_slice())?;
            let share = g.div(adjoint, count)?;
            smallvec![Some(g.mul(share, indicator)?)]
        }
        Reduction::Product => smallvec![Some(product_derivative(g, x, &axes, adjoint)?)],
        Reduction::All | Reduction::Any => Adjoints::new(),
    })
}

/// The adjoint times the product of the others, axis by axis: right where elements are zero.
fn product_derivative(
    g: &mut Graph,
    x: NodeId,
    axes: &AxisSet,
    adjoint: NodeId,
) -> Result<NodeId, TypeError> {
    let (mut partial, mut total) = (x, adjoint);
    for axis in axes.iter() {
        let others = product_of_others(g, partial, axis)?;
        total = g.mul(total, others)?;
        partial = g.reduce(Reduction::Product, partial, &[axis])?;
    }
    Ok(total)
}

/// For each position, the product of the values at the other positions: of those before times of those after.
fn product_of_others(g: &mut Graph, x: NodeId, axis: Axis) -> Result<NodeId, TypeError> {
    let size = g.axes.size(axis);
    if size <= 1 {
        return g.float(1.0);
    }
    let shorter = g.axes.add(g.axes.name(axis).to_string(), size - 1);
    let positions = g.iota(axis)?;
    let mut sides = [x, x];
    for (side, reverse) in sides.iter_mut().zip([false, true]) {
        let running = g.cumulative(Cumulative::Product, x, axis, reverse)?;
        let inner = g.slice(running, axis, shorter, usize::from(reverse), 1)?;
        let shifted = g.pad(inner, shorter, axis, isize::from(!reverse), 1)?;
        let end = g.index(if reverse { size as i32 - 1 } else { 0 })?;
        let at_end = g.equal(positions, end)?;
        let one = g.float(1.0)?;
        *side = g.select(at_end, one, shifted)?;
    }
    g.mul(sides[0], sides[1])
}

pub fn flops(graph: &Graph, node: &Node) -> u64 {
    graph.first_elements(node)
}
