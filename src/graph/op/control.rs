//! Identities with a side: `Stop` cuts the derivative, `Check` faults when its condition is false.

use super::Op;
use super::signature::{BOOL, FLOAT, Signature, Type, TypeError};
use crate::graph::Graph;
use crate::graph::differentiate::Adjoints;
use crate::graph::fault::Fault;
use crate::graph::node::{Node, NodeId};
use crate::graph::reference::Scope;
use smallvec::smallvec;

pub fn type_rule(s: &Signature) -> Result<Type, TypeError> {
    if let Op::Check(_) = s.op {
        s.count(2)?;
        s.expect(1, BOOL)?;
        s.scalar(1)?;
    } else {
        s.count(1)?;
        s.expect(0, FLOAT)?;
    }
    Ok(Type::new(s.element(0), s.axes(0).clone()))
}

pub fn reference(scope: &Scope) -> Result<Vec<f64>, Fault> {
    if let Op::Check(check) = scope.node.op
        && scope.operands[1].values[0] == 0.0
    {
        return Err(Fault::Check(check));
    }
    Ok(scope.map(|point| scope.operands[0].at(point)))
}

pub fn derivative(g: &mut Graph, id: NodeId, adjoint: NodeId) -> Result<Adjoints, TypeError> {
    Ok(match g.node(id).op {
        Op::Check(_) => smallvec![Some(adjoint), None],
        _ => smallvec![None],
    })
}

/// Moves or makes values without arithmetic.
pub fn flops(_: &Graph, _: &Node) -> u64 {
    0
}
