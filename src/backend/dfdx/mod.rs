//! The reference backend: a program's graph, operation by operation, on dfdx's CPU device, in f64.
//!
//! In: a [`Program`] and a [`Store`]. Out: the program's outputs in the store, or with [`gradients`] the derivatives of a number
//! by dfdx's own tape, against which our derivative rules are tested. What dfdx has no operation for ([`lacks`]) is computed
//! by the reference meaning and carries no gradient. Slow: for comparison.

mod apply;
mod arrange;

use dfdx::prelude::*;

use super::{Executable, Followed};
use crate::graph::reference::{self, Array};
use crate::graph::{Element, Fault, Node, NodeId, Precision, Program, Slot, Store, Tensor as Elements};

pub use apply::lacks;

/// The values of a Float node: row-major in the order of its axes, whatever their number.
pub(super) type Floats = Tensor<(usize,), f64, Cpu>;

/// The values of a node.
#[derive(Clone)]
pub(super) enum Value {
    Float(Floats),
    /// Indices, and truth values as 0 or 1.
    Other(Vec<f64>),
}

impl Value {
    fn to_f64(&self) -> Vec<f64> {
        match self {
            // dfdx cannot iterate over nothing.
            Value::Float(tensor) if tensor.shape().0 == 0 => Vec::new(),
            Value::Float(tensor) => tensor.as_vec(),
            Value::Other(values) => values.clone(),
        }
    }
}

/// The tape of one run: operations take it along and give it back.
pub(super) struct Machine<'a> {
    pub device: Cpu,
    pub tape: OwnedTape<f64, Cpu>,
    pub program: &'a Program,
}

impl Machine<'_> {
    /// Applies an operation of dfdx to a tensor, recording it.
    pub fn record<A: Shape, B: Shape>(
        &mut self,
        x: Tensor<A, f64, Cpu>,
        apply: impl FnOnce(Tensor<A, f64, Cpu, OwnedTape<f64, Cpu>>) -> Tensor<B, f64, Cpu, OwnedTape<f64, Cpu>>,
    ) -> Tensor<B, f64, Cpu> {
        let (result, tape) = apply(x.put_tape(std::mem::take(&mut self.tape))).split_tape();
        self.tape = tape;
        result
    }

    pub fn tensor(&self, values: Vec<f64>) -> Floats {
        let shape = (values.len(),);
        self.device.tensor_from_vec(values, shape)
    }

    /// The values of every node.
    fn values(&mut self, store: &Store) -> Result<Vec<Value>, Fault> {
        let graph = &self.program.graph;
        let mut values: Vec<Value> = Vec::with_capacity(graph.nodes.len());
        for (number, node) in graph.nodes.iter().enumerate() {
            let id = NodeId(number as u32);
            let value = match self.apply(node, &values) {
                Some(value) => value,
                None => self.by_reference(id, node, &values, store)?,
            };
            values.push(value);
        }
        Ok(values)
    }

    /// What dfdx has no operation for: the reference meaning, on arrays.
    fn by_reference(&self, id: NodeId, node: &Node, values: &[Value], store: &Store) -> Result<Value, Fault> {
        let graph = &self.program.graph;
        let operands: Vec<Array> = node
            .operands
            .iter()
            .map(|operand| {
                let axes = graph.node(*operand).axes.as_slice();
                Array::new(&graph.axes, axes, values[operand.0 as usize].to_f64())
            })
            .collect();
        let scope = reference::Scope {
            graph,
            id,
            node,
            operands: operands.iter().collect(),
            inputs: &self.program.inputs,
            precision: self.program.precision,
            store,
        };
        let found = (node.op.rules().reference)(&scope)?;
        Ok(match node.element {
            Element::Float => Value::Float(self.tensor(found)),
            _ => Value::Other(found),
        })
    }
}

/// A program that dfdx interprets.
pub struct Interpreted {
    program: Program,
    followed: Followed,
}

/// Makes an executable of a program.
pub fn prepare(program: &Program) -> Box<dyn Executable> {
    Box::new(Interpreted { program: program.clone(), followed: Followed::default() })
}

impl Executable for Interpreted {
    fn run(&mut self, store: &mut Store) -> Result<(), Fault> {
        let mut machine =
            Machine { device: Cpu::default(), tape: OwnedTape::default(), program: &self.program };
        let values = machine.values(store)?;
        let graph = &self.program.graph;
        for output in &self.program.outputs {
            let node = graph.node(output.node);
            let array =
                Array::new(&graph.axes, node.axes.as_slice(), values[output.node.0 as usize].to_f64());
            let mut found = Vec::with_capacity(array.values.len());
            let mut origin = vec![0; graph.axes.len()];
            reference::points(&graph.axes, &output.layout, &mut origin, &mut |point| {
                found.push(array.at(point))
            });
            let slot = store.get_mut(output.slot);
            *slot = match (node.element, &*slot) {
                (Element::Float, Elements::F64(_)) => Elements::F64(found),
                (Element::Float, _) => Elements::F32(found.iter().map(|x| *x as f32).collect()),
                (Element::Index, _) => Elements::Index(found.iter().map(|x| *x as i32).collect()),
                (Element::Bool, _) => Elements::Bool(found.iter().map(|x| *x as u8).collect()),
            };
        }
        self.followed.ran();
        Ok(())
    }

    fn follow(&mut self, slots: &[Slot]) {
        self.followed.follow(slots);
    }

    fn seen(&mut self, store: &Store, _now: bool, rows: &mut Vec<f64>) -> Result<(), Fault> {
        self.followed.seen(store, rows);
        Ok(())
    }

    /// Nothing is planned: every value of the graph is kept, 8 bytes an element.
    fn memory(&self) -> usize {
        let graph = &self.program.graph;
        graph.nodes.iter().map(|node| 8 * graph.elements(&node.axes)).sum()
    }
}

/// The derivatives of a scalar Float node by other nodes, by dfdx's tape. None where the value is computed by something that
/// dfdx has no operation for and that is on the way.
pub fn gradients(
    program: &Program,
    store: &Store,
    of: NodeId,
    by: &[NodeId],
) -> Result<Option<Vec<Vec<f64>>>, Fault> {
    debug_assert_eq!(program.precision, Precision::Double);
    let mut machine = Machine { device: Cpu::default(), tape: OwnedTape::default(), program };
    let values = machine.values(store)?;
    if on_the_way(program, of, by) {
        return Ok(None);
    }
    let Value::Float(total) = &values[of.0 as usize] else { return Ok(None) };
    let tape = std::mem::take(&mut machine.tape);
    let total = total.clone().put_tape(tape).sum::<(), Axis<0>>();
    let mut found = total.backward();
    let mut gradients = Vec::with_capacity(by.len());
    for node in by {
        let Value::Float(x) = &values[node.0 as usize] else { return Ok(None) };
        // What the number does not depend on has no gradient yet: it gets zeros.
        match found.try_alloc_for(x) {
            Ok(()) => gradients.push(found.get(x).as_vec()),
            Err(_) => return Ok(None),
        }
    }
    Ok(Some(gradients))
}

/// Whether something without an operation in dfdx lies between `by` and `of`.
fn on_the_way(program: &Program, of: NodeId, by: &[NodeId]) -> bool {
    let graph = &program.graph;
    let mut depends = vec![false; graph.nodes.len()];
    for (at, node) in graph.nodes.iter().enumerate() {
        let through = node.operands.iter().any(|operand| depends[operand.0 as usize]);
        depends[at] = by.contains(&NodeId(at as u32)) || (through && node.element == Element::Float);
    }
    let mut reached = vec![false; graph.nodes.len()];
    reached[of.0 as usize] = true;
    for at in (0..graph.nodes.len()).rev() {
        let node = &graph.nodes[at];
        if !reached[at] || !depends[at] || by.contains(&NodeId(at as u32)) {
            continue;
        }
        if node.op.rules().derivative.is_some() && lacks(graph, node) {
            return true;
        }
        for operand in &node.operands {
            reached[operand.0 as usize] = true;
        }
    }
    false
}
