//! Special functions of three operands. They have no derivative.

use super::signature::{FLOAT, Signature, Type, TypeError};
use crate::graph::node::Element;

pub fn type_rule(s: &Signature) -> Result<Type, TypeError> {
    s.count(3)?;
    for operand in 0..3 {
        s.expect(operand, FLOAT)?;
    }
    Ok(Type::new(Element::Float, s.united()))
}
