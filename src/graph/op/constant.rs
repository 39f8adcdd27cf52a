//! Operations without operands: inputs, literals, arrays known when the graph is built, and positions.

use super::signature::{Signature, Type, TypeError};
use crate::graph::Op;
use crate::graph::axis::AxisSet;
use crate::graph::node::Element;

/// The type of every operation of this family but `Input`, whose type is the program's.
pub fn type_rule(s: &Signature) -> Result<Type, TypeError> {
    s.count(0)?;
    let scalar = |element| Ok(Type::new(element, AxisSet::new()));
    match s.op {
        Op::Float(_) => scalar(Element::Float),
        Op::Index(_) => scalar(Element::Index),
        Op::Bool(_) => scalar(Element::Bool),
        Op::Tensor(tensor, layout) => {
            let mut axes = AxisSet::new();
            for axis in layout {
                if axes.contains(*axis) {
                    return Err(TypeError::AxisTwice { op: s.name(), axis: *axis });
                }
                axes.insert(*axis);
            }
            let expected = layout.iter().map(|axis| s.size(*axis)).product();
            if tensor.len() != expected {
                return Err(TypeError::Layout { op: s.name(), expected, found: tensor.len() });
            }
            Ok(Type::new(tensor.element(), axes))
        }
        Op::Iota(axis) => Ok(Type::new(Element::Index, AxisSet::new().with(*axis))),
        _ => Err(TypeError::OperandCount { op: s.name(), expected: 0, found: 0 }),
    }
}
