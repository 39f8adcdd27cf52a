//! Parts of an axis and axes made of parts: slice, pad and concat.

use super::Op;
use super::signature::{Signature, Type, TypeError};
use crate::graph::axis::{Axis, AxisSet};

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
