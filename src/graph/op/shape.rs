//! Operations that only say differently where values stand: broadcast, rename, flatten and unflatten.

use super::Op;
use super::signature::{Signature, Type, TypeError};
use crate::graph::Graph;
use crate::graph::axis::Axis;
use crate::graph::differentiate::Adjoints;
use crate::graph::fault::Fault;
use crate::graph::node::{Node, NodeId};
use crate::graph::reference::Scope;
use smallvec::smallvec;

pub fn type_rule(s: &Signature) -> Result<Type, TypeError> {
    s.count(1)?;
    let axes = match s.op {
        Op::Broadcast(axes) => s.replace(0, &[], axes.as_slice())?,
        Op::Rename { from, to } => {
            s.same_size(*from, *to)?;
            s.replace(0, &[*from], &[*to])?
        }
        Op::Flatten { axes, into } => {
            product(s, axes, *into)?;
            s.replace(0, axes, &[*into])?
        }
        Op::Unflatten { axis, into } => {
            product(s, into, *axis)?;
            s.replace(0, &[*axis], into)?
        }
        _ => s.axes(0).clone(),
    };
    Ok(Type::new(s.element(0), axes))
}

/// The sizes of `parts` multiply to the size of `whole`.
fn product(s: &Signature, parts: &[Axis], whole: Axis) -> Result<(), TypeError> {
    let expected = parts.iter().map(|axis| s.size(*axis)).product();
    let found = s.size(whole);
    if expected == found { Ok(()) } else { Err(TypeError::Layout { op: s.name(), expected, found }) }
}

pub fn reference(scope: &Scope) -> Result<Vec<f64>, Fault> {
    let x = scope.operands[0];
    Ok(scope.map(|point| {
        match &scope.node.op {
            Op::Rename { from, to } => point[from.0 as usize] = point[to.0 as usize],
            Op::Flatten { axes, into } => {
                let mut rest = point[into.0 as usize];
                for axis in axes.iter().rev() {
                    point[axis.0 as usize] = rest % scope.size(*axis);
                    rest /= scope.size(*axis);
                }
            }
            Op::Unflatten { axis, into } => {
                point[axis.0 as usize] =
                    into.iter().fold(0, |at, axis| at * scope.size(*axis) + point[axis.0 as usize]);
            }
            _ => {}
        }
        x.at(point)
    }))
}

pub fn derivative(g: &mut Graph, id: NodeId, adjoint: NodeId) -> Result<Adjoints, TypeError> {
    Ok(smallvec![Some(match g.node(id).op.clone() {
        Op::Rename { from, to } => g.rename(adjoint, to, from)?,
        Op::Flatten { axes, into } => g.unflatten(adjoint, into, &axes)?,
        Op::Unflatten { axis, into } => g.flatten(adjoint, &into, axis)?,
        // A broadcast's adjoint is summed as every adjoint is.
        _ => adjoint,
    })])
}

/// Moves or makes values without arithmetic.
pub fn flops(_: &Graph, _: &Node) -> u64 {
    0
}
