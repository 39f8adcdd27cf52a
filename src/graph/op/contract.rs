//! Contractions: sums of products.

use super::Op;
use super::signature::{FLOAT, Signature, Type, TypeError};
use crate::graph::node::Element;

pub fn type_rule(s: &Signature) -> Result<Type, TypeError> {
    s.count(2)?;
    s.expect(0, FLOAT)?;
    s.expect(1, FLOAT)?;
    let mut united = s.united();
    if let Op::Contract { axes } = s.op {
        for axis in axes.iter() {
            if !united.contains(axis) {
                return Err(TypeError::MissingAxis { op: s.name(), operand: 0, axis });
            }
            united.remove(axis);
        }
    }
    Ok(Type::new(Element::Float, united))
}
