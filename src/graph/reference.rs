//! The reference meaning of programs: slow and plainly right, the oracle of the compiled backends.
//!
//! In: a [`Program`] and a [`Store`]. Out: the outputs, in the store. Every number is an f64 (indices and truth values as
//! their numbers); a program of single precision rounds each node's elements to f32.

use super::Graph;
use super::axis::{Axis, AxisSet, AxisTable};
use super::fault::Fault;
use super::node::{Element, Input, Node, NodeId, Precision, Program};
use super::tensor::{Store, Tensor};

/// The values of one node, row-major in the order of its axes.
#[derive(Clone, Debug, PartialEq)]
pub struct Array {
    strides: Vec<(Axis, usize)>,
    pub values: Vec<f64>,
}

impl Array {
    /// `layout`: the order of the axes in `values`, slowest first.
    pub fn new(table: &AxisTable, layout: &[Axis], values: Vec<f64>) -> Self {
        let mut stride = 1;
        let mut strides = Vec::with_capacity(layout.len());
        for axis in layout.iter().rev() {
            strides.push((*axis, stride));
            stride *= table.size(*axis);
        }
        Array { strides, values }
    }

    /// The element at a point, which holds a position for every axis of the graph.
    pub fn at(&self, point: &[usize]) -> f64 {
        self.values[self.offset(point)]
    }

    pub fn offset(&self, point: &[usize]) -> usize {
        self.strides.iter().map(|(axis, stride)| point[axis.0 as usize] * stride).sum()
    }
}

/// Calls `visit` for every point over `axes`, row-major; the other positions of `point` stay.
pub fn points(
    table: &AxisTable,
    axes: &[Axis],
    point: &mut Vec<usize>,
    visit: &mut dyn FnMut(&mut Vec<usize>),
) {
    let Some((axis, rest)) = axes.split_first() else { return visit(point) };
    let before = point[axis.0 as usize];
    for position in 0..table.size(*axis) {
        point[axis.0 as usize] = position;
        points(table, rest, point, visit);
    }
    point[axis.0 as usize] = before;
}

/// What the reference meaning of an operation sees: its node and the values of its operands.
pub struct Scope<'a> {
    pub graph: &'a Graph,
    pub id: NodeId,
    pub node: &'a Node,
    pub operands: Vec<&'a Array>,
    pub inputs: &'a [Input],
    pub store: &'a Store,
    pub precision: Precision,
}

impl Scope<'_> {
    pub fn size(&self, axis: Axis) -> usize {
        self.graph.axes.size(axis)
    }

    /// A point at the origin of every axis.
    pub fn origin(&self) -> Vec<usize> {
        vec![0; self.graph.axes.len()]
    }

    /// The values of the node, from a function of the point.
    pub fn map(&self, mut value: impl FnMut(&mut Vec<usize>) -> f64) -> Vec<f64> {
        let mut values = Vec::with_capacity(self.graph.elements(&self.node.axes));
        self.each(&self.node.axes, &mut self.origin(), &mut |point| {
            // The function may move the point: it gets its own.
            values.push(value(&mut point.clone()));
        });
        values
    }

    pub fn each(&self, axes: &AxisSet, point: &mut Vec<usize>, visit: &mut dyn FnMut(&mut Vec<usize>)) {
        points(&self.graph.axes, axes.as_slice(), point, visit);
    }

    /// An index as a position on the axis, or the fault that it lies outside.
    pub fn position(&self, index: f64, axis: Axis) -> Result<usize, Fault> {
        let size = self.size(axis);
        if index >= 0.0 && index < size as f64 {
            Ok(index as usize)
        } else {
            Err(Fault::IndexOutOfRange { node: self.id, index: index as i64, size })
        }
    }
}

/// The values of every node.
pub fn values(program: &Program, store: &Store) -> Result<Vec<Array>, Fault> {
    let graph = &program.graph;
    let mut arrays: Vec<Array> = Vec::with_capacity(graph.nodes.len());
    for (number, node) in graph.nodes.iter().enumerate() {
        let operands = node.operands.iter().map(|id| &arrays[id.0 as usize]).collect();
        let scope = Scope {
            graph,
            id: NodeId(number as u32),
            node,
            operands,
            inputs: &program.inputs,
            store,
            precision: program.precision,
        };
        let mut values = (node.op.rules().reference)(&scope)?;
        if node.element == Element::Float && program.precision == Precision::Single {
            values.iter_mut().for_each(|value| *value = f64::from(*value as f32));
        }
        arrays.push(Array::new(&graph.axes, node.axes.as_slice(), values));
    }
    Ok(arrays)
}

/// Runs the program once.
pub fn evaluate(program: &Program, store: &mut Store) -> Result<(), Fault> {
    let arrays = values(program, store)?;
    let table = &program.graph.axes;
    for output in &program.outputs {
        let array = &arrays[output.node.0 as usize];
        let mut values = Vec::with_capacity(array.values.len());
        let mut origin = vec![0; table.len()];
        points(table, &output.layout, &mut origin, &mut |point| values.push(array.at(point)));
        let slot = store.get_mut(output.slot);
        *slot = match (program.graph.node(output.node).element, &*slot) {
            (Element::Float, Tensor::F64(_)) => Tensor::F64(values),
            (Element::Float, _) => Tensor::F32(values.iter().map(|x| *x as f32).collect()),
            (Element::Index, _) => Tensor::Index(values.iter().map(|x| *x as i32).collect()),
            (Element::Bool, _) => Tensor::Bool(values.iter().map(|x| *x as u8).collect()),
        };
    }
    Ok(())
}

/// The value of one node with every input from the store, for tests and constants.
pub fn value_of(program: &Program, store: &Store, node: NodeId) -> Result<Vec<f64>, Fault> {
    Ok(values(program, store)?.swap_remove(node.0 as usize).values)
}
