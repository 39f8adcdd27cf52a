//! Picking along an axis by an index, and its adjoint: reducing by groups.

use super::signature::{FLOAT, INDEX, Signature, Type, TypeError};
use super::{Op, Reduction};

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
