//! Constant folding: the builder's simplifications once more, and the values of small arrays that depend on no input.

use std::sync::Arc;

use super::rebuild;
use crate::graph::node::{Element, Node, NodeId, Precision, Program};
use crate::graph::op::{Op, TypeError};
use crate::graph::reference::{Array, Scope};
use crate::graph::tensor::{Store, Tensor};
use crate::graph::{Graph, Literal};

/// Larger constants are computed when the program runs, so that programs stay small.
const LARGEST: usize = 4096;

pub fn run(program: &Program) -> Result<Program, TypeError> {
    let precision = program.precision;
    rebuild(program, false, &mut |graph, _, node, operands| match constant_value(
        graph, node, operands, precision,
    ) {
        Some(tensor) => graph.tensor(tensor, node.axes.as_slice()).map(Some),
        None => Ok(None),
    })
}

/// The value of an operation whose operands are all constants, one of them an array.
fn constant_value(graph: &Graph, node: &Node, operands: &[NodeId], precision: Precision) -> Option<Tensor> {
    let has_array = operands.iter().any(|id| matches!(graph.node(*id).op, Op::Tensor(..) | Op::Iota(_)));
    let moves =
        matches!(node.op, Op::Broadcast(_) | Op::Stop | Op::Check(_) | Op::Random { .. } | Op::Scan { .. });
    if !has_array || moves || graph.elements(&node.axes) > LARGEST {
        return None;
    }
    let arrays: Vec<Array> = operands.iter().map(|id| constant(graph, *id)).collect::<Option<Vec<_>>>()?;
    let store = Store::default();
    let scope = Scope {
        graph,
        id: *operands.first()?,
        node: &Node { operands: operands.into(), ..node.clone() },
        operands: arrays.iter().collect(),
        inputs: &[],
        store: &store,
        precision,
    };
    // A fault is left to the run, which names the node.
    let values = (node.op.rules().reference)(&scope).ok()?;
    Some(match (node.element, precision) {
        (Element::Float, Precision::Single) => Tensor::F32(values.iter().map(|x| *x as f32).collect()),
        (Element::Float, Precision::Double) => Tensor::F64(values),
        (Element::Index, _) => Tensor::Index(values.iter().map(|x| *x as i32).collect()),
        (Element::Bool, _) => Tensor::Bool(values.iter().map(|x| *x as u8).collect()),
    })
}

/// The values of a constant node.
fn constant(graph: &Graph, id: NodeId) -> Option<Array> {
    let node = graph.node(id);
    if let Some(literal) = graph.literal(id) {
        let value = match literal {
            Literal::Float(value) => value,
            Literal::Index(value) => f64::from(value),
            Literal::Bool(value) => f64::from(u8::from(value)),
        };
        return Some(Array::new(&graph.axes, &[], vec![value]));
    }
    match &node.op {
        Op::Tensor(tensor, layout) if tensor.len() <= LARGEST => {
            Some(Array::new(&graph.axes, layout, Arc::clone(tensor).to_f64()))
        }
        Op::Iota(axis) if graph.axes.size(*axis) <= LARGEST => {
            let values = (0..graph.axes.size(*axis)).map(|position| position as f64).collect();
            Some(Array::new(&graph.axes, &[*axis], values))
        }
        _ => None,
    }
}
