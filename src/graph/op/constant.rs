//! Operations without operands: inputs, literals, arrays known when the graph is built, and positions.

use super::signature::{Signature, Type, TypeError};
use crate::graph::Graph;
use crate::graph::Op;
use crate::graph::axis::{Axis, AxisSet};
use crate::graph::fault::Fault;
use crate::graph::node::{Element, Node};
use crate::graph::reference::{Array, Scope};
use crate::graph::tensor::Tensor;

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

pub fn reference(scope: &Scope) -> Result<Vec<f64>, Fault> {
    Ok(match &scope.node.op {
        Op::Float(bits) => vec![f64::from_bits(*bits)],
        Op::Index(index) => vec![f64::from(*index)],
        Op::Bool(value) => vec![f64::from(u8::from(*value))],
        Op::Tensor(tensor, layout) => from_layout(scope, tensor, layout),
        Op::Iota(axis) => scope.map(|point| point[axis.0 as usize] as f64),
        Op::Input(id) => {
            let input = &scope.inputs[id.0 as usize];
            from_layout(scope, scope.store.get(input.slot), &input.layout)
        }
        _ => Vec::new(),
    })
}

fn from_layout(scope: &Scope, tensor: &Tensor, layout: &[Axis]) -> Vec<f64> {
    let array = Array::new(&scope.graph.axes, layout, tensor.to_f64());
    scope.map(|point| array.at(point))
}

/// Moves or makes values without arithmetic.
pub fn flops(_: &Graph, _: &Node) -> u64 {
    0
}
