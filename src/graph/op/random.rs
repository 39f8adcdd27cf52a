//! Uniform random numbers, addressed by (seed, site, step, item). See [`Op::Random`] for the addressing.

use super::signature::{INDEX, Signature, Type, TypeError};
use crate::graph::Op;
use crate::graph::axis::AxisSet;
use crate::graph::node::Element;

pub fn type_rule(s: &Signature) -> Result<Type, TypeError> {
    s.count(2)?;
    for operand in 0..2 {
        s.expect(operand, INDEX)?;
        s.scalar(operand)?;
    }
    let mut axes = AxisSet::new();
    if let Op::Random { order, .. } = s.op {
        for axis in order {
            if axes.contains(*axis) {
                return Err(TypeError::AxisTwice { op: s.name(), axis: *axis });
            }
            axes.insert(*axis);
        }
    }
    Ok(Type::new(Element::Float, axes))
}
