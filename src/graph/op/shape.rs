//! Operations that only say differently where values stand: broadcast, rename, flatten and unflatten.

use super::Op;
use super::signature::{Signature, Type, TypeError};
use crate::graph::axis::Axis;

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
