//! Sorting and ranking along an axis. A sort is a gather by `ArgSort`, and so has its derivative.

use super::Op;
use super::signature::{FLOAT, Signature, Type, TypeError};
use crate::graph::node::Element;

pub fn type_rule(s: &Signature) -> Result<Type, TypeError> {
    s.count(1)?;
    s.expect(0, FLOAT)?;
    let element = match s.op {
        Op::ArgSort { axis, .. } => {
            s.has(0, *axis)?;
            Element::Index
        }
        Op::Rank { axis, .. } => {
            s.has(0, *axis)?;
            Element::Float
        }
        _ => return Err(TypeError::Reduction { op: s.name() }),
    };
    Ok(Type::new(element, s.axes(0).clone()))
}
