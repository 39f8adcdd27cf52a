//! Running reductions along an axis.

use super::Op;
use super::signature::{FLOAT, Signature, Type, TypeError};
use crate::graph::node::Element;

pub fn type_rule(s: &Signature) -> Result<Type, TypeError> {
    s.count(1)?;
    s.expect(0, FLOAT)?;
    if let Op::Cumulative { axis, .. } = s.op {
        s.has(0, *axis)?;
    }
    Ok(Type::new(Element::Float, s.axes(0).clone()))
}
