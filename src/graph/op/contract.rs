//! Contractions: sums of products.

use super::Op;
use super::signature::{FLOAT, Signature, Type, TypeError};
use crate::graph::Graph;
use crate::graph::axis::AxisSet;
use crate::graph::differentiate::Adjoints;
use crate::graph::fault::Fault;
use crate::graph::node::{Element, Node, NodeId};
use crate::graph::reference::Scope;
use smallvec::smallvec;

pub fn type_rule(s: &Signature) -> Result<Type, TypeError> {
    s.count(2)?;
    s.expect(0, FLOAT)?;
    s.expect(1, FLOAT)?;
    let mut united = s.united();
    if let Op::Contract { axes, .. } = s.op {
        for axis in axes.iter() {
            if !united.contains(axis) {
                return Err(TypeError::MissingAxis { op: s.name(), operand: 0, axis });
            }
            united.remove(axis);
        }
    }
    Ok(Type::new(Element::Float, united))
}

pub fn reference(scope: &Scope) -> Result<Vec<f64>, Fault> {
    let Op::Contract { axes, .. } = &scope.node.op else { return Ok(Vec::new()) };
    Ok(scope.map(|point| {
        let mut total = 0.0;
        scope.each(axes, point, &mut |point| {
            total += scope.operands[0].at(point) * scope.operands[1].at(point)
        });
        total
    }))
}

/// The product with the other operand, summed over what the operand lacks: a contraction again, once recognised.
pub fn derivative(g: &mut Graph, id: NodeId, adjoint: NodeId) -> Result<Adjoints, TypeError> {
    let (a, b) = (g.node(id).operands[0], g.node(id).operands[1]);
    let (left, right) = (g.mul(adjoint, b)?, g.mul(adjoint, a)?);
    Ok(smallvec![Some(left), Some(right)])
}

pub fn flops(graph: &Graph, node: &Node) -> u64 {
    let united: AxisSet = node.operands.iter().flat_map(|id| graph.node(*id).axes.iter()).collect();
    2 * graph.elements(&united) as u64
}
