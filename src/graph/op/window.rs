//! Sliding windows and their adjoint.

use super::Op;
use super::signature::{FLOAT, Signature, Type, TypeError};
use crate::graph::Graph;
use crate::graph::differentiate::Adjoints;
use crate::graph::fault::Fault;
use crate::graph::node::{Node, NodeId};
use crate::graph::reference::Scope;
use smallvec::smallvec;

pub fn type_rule(s: &Signature) -> Result<Type, TypeError> {
    s.count(1)?;
    match s.op {
        Op::Window { axis, output, kernel, stride, dilation, .. } => {
            nonzero(s, *stride, *output)?;
            nonzero(s, *dilation, *kernel)?;
            Ok(Type::new(s.element(0), s.replace(0, &[*axis], &[*output, *kernel])?))
        }
        Op::Unwindow { axis, output, kernel, stride, dilation, .. } => {
            s.expect(0, FLOAT)?;
            nonzero(s, *stride, *output)?;
            nonzero(s, *dilation, *kernel)?;
            Ok(Type::new(s.element(0), s.replace(0, &[*output, *kernel], &[*axis])?))
        }
        _ => Err(TypeError::Reduction { op: s.name() }),
    }
}

fn nonzero(s: &Signature, step: usize, axis: crate::graph::Axis) -> Result<(), TypeError> {
    if step == 0 { Err(TypeError::ZeroStep { op: s.name(), axis }) } else { Ok(()) }
}

pub fn reference(scope: &Scope) -> Result<Vec<f64>, Fault> {
    let x = scope.operands[0];
    Ok(match scope.node.op {
        Op::Window { axis, output, kernel, stride, dilation, before } => scope.map(|point| {
            let position = point[output.0 as usize] * stride + point[kernel.0 as usize] * dilation;
            if position < before || position - before >= scope.size(axis) {
                return 0.0;
            }
            point[axis.0 as usize] = position - before;
            x.at(point)
        }),
        Op::Unwindow { axis, output, kernel, stride, dilation, before } => scope.map(|point| {
            let target = point[axis.0 as usize] + before;
            let mut total = 0.0;
            for at in 0..scope.size(output) {
                for of in 0..scope.size(kernel) {
                    if at * stride + of * dilation == target {
                        point[output.0 as usize] = at;
                        point[kernel.0 as usize] = of;
                        total += x.at(point);
                    }
                }
            }
            total
        }),
        _ => Vec::new(),
    })
}

pub fn derivative(g: &mut Graph, id: NodeId, adjoint: NodeId) -> Result<Adjoints, TypeError> {
    let inverse = match g.node(id).op {
        Op::Window { axis, output, kernel, stride, dilation, before } => {
            Op::Unwindow { axis, output, kernel, stride, dilation, before }
        }
        Op::Unwindow { axis, output, kernel, stride, dilation, before } => {
            Op::Window { axis, output, kernel, stride, dilation, before }
        }
        _ => return Ok(Adjoints::new()),
    };
    Ok(smallvec![Some(g.window(inverse, adjoint)?)])
}

pub fn flops(graph: &Graph, node: &Node) -> u64 {
    match node.op {
        Op::Unwindow { .. } => graph.first_elements(node),
        _ => 0,
    }
}
