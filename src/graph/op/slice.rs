//! Parts of an axis and axes made of parts: slice, pad and concat.

use super::Op;
use super::signature::{Signature, Type, TypeError};
use crate::graph::Graph;
use crate::graph::axis::{Axis, AxisSet};
use crate::graph::differentiate::Adjoints;
use crate::graph::fault::Fault;
use crate::graph::node::{Node, NodeId};
use crate::graph::reference::Scope;
use smallvec::smallvec;

pub fn type_rule(s: &Signature) -> Result<Type, TypeError> {
    match s.op {
        Op::Slice { axis, into, start, step } => {
            s.count(1)?;
            steps(s, *into, *axis, *start as isize, *step)?;
            Ok(Type::new(s.element(0), s.replace(0, &[*axis], &[*into])?))
        }
        Op::Pad { axis, into, before, step } => {
            s.count(1)?;
            steps(s, *axis, *into, *before, *step)?;
            Ok(Type::new(s.element(0), s.replace(0, &[*axis], &[*into])?))
        }
        Op::Concat { axes, into } => {
            s.count(axes.len().max(1))?;
            let mut united = AxisSet::new();
            for (operand, axis) in axes.iter().enumerate() {
                s.same_element(0, operand)?;
                s.has(operand, *axis)?;
                united = united.union(&s.axes(operand).without(*axis));
            }
            if united.contains(*into) {
                return Err(TypeError::AxisAlreadyThere { op: s.name(), operand: 0, axis: *into });
            }
            let expected = axes.iter().map(|axis| s.size(*axis)).sum();
            let found = s.size(*into);
            if expected != found {
                return Err(TypeError::Layout { op: s.name(), expected, found });
            }
            Ok(Type::new(s.element(0), united.with(*into)))
        }
        _ => Err(TypeError::Reduction { op: s.name() }),
    }
}

/// Every position of `short`, taken to start + i * step, lies on `long`, and no two fall together.
fn steps(s: &Signature, short: Axis, long: Axis, start: isize, step: isize) -> Result<(), TypeError> {
    let size = s.size(short) as isize;
    if size == 0 {
        return Ok(());
    }
    if step == 0 && size > 1 {
        return Err(TypeError::ZeroStep { op: s.name(), axis: short });
    }
    s.position(long, start)?;
    s.position(long, start + (size - 1) * step)
}

pub fn reference(scope: &Scope) -> Result<Vec<f64>, Fault> {
    let x = scope.operands[0];
    Ok(scope.map(|point| match &scope.node.op {
        Op::Slice { axis, into, start, step } => {
            point[axis.0 as usize] = (*start as isize + point[into.0 as usize] as isize * step) as usize;
            x.at(point)
        }
        Op::Pad { axis, into, before, step } => {
            let target = point[into.0 as usize] as isize;
            let source = (0..scope.size(*axis)).find(|position| before + *position as isize * step == target);
            source.map_or(0.0, |position| {
                point[axis.0 as usize] = position;
                x.at(point)
            })
        }
        Op::Concat { axes, into } => {
            let mut position = point[into.0 as usize];
            for (operand, axis) in axes.iter().enumerate() {
                let size = scope.size(*axis);
                if position < size {
                    point[axis.0 as usize] = position;
                    return scope.operands[operand].at(point);
                }
                position -= size;
            }
            0.0
        }
        _ => 0.0,
    }))
}

pub fn derivative(g: &mut Graph, id: NodeId, adjoint: NodeId) -> Result<Adjoints, TypeError> {
    Ok(match g.node(id).op.clone() {
        Op::Slice { axis, into, start, step } => {
            smallvec![Some(g.pad(adjoint, into, axis, start as isize, step)?)]
        }
        Op::Pad { axis, into, before, step } => {
            smallvec![Some(g.slice(adjoint, into, axis, before.max(0) as usize, step)?)]
        }
        Op::Concat { axes, into } => {
            let mut start = 0;
            let mut adjoints = Adjoints::new();
            for axis in axes {
                // Where another operand brings the axis, this one is constant along that.
                let clash = g.node(adjoint).axes.contains(axis) && axis != into;
                let summed = if clash { g.sum(adjoint, &[axis])? } else { adjoint };
                adjoints.push(Some(g.slice(summed, into, axis, start, 1)?));
                start += g.axes.size(axis);
            }
            adjoints
        }
        _ => Adjoints::new(),
    })
}

/// Moves or makes values without arithmetic.
pub fn flops(_: &Graph, _: &Node) -> u64 {
    0
}
