//! Sliding windows and their adjoint.

use super::Op;
use super::signature::{FLOAT, Signature, Type, TypeError};

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
