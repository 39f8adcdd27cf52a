//! The operations that dfdx has: each applied to the values of a node's operands.

use dfdx::prelude::*;

use super::arrange::offset;
use super::{Floats, Machine, Value};
use crate::graph::reference::points;
use crate::graph::{Axis, AxisSet, Binary, Compare, Element, Graph, Node, Op, Reduction, Unary};

/// Whether the operation has no counterpart in dfdx, and so no gradient on its tape.
pub fn lacks(graph: &Graph, node: &Node) -> bool {
    let float = |at: usize| graph.node(node.operands[at]).element == Element::Float;
    !match &node.op {
        Op::Unary(unary) => !matches!(
            unary,
            Unary::Erf
                | Unary::Floor
                | Unary::LogGamma
                | Unary::Digamma
                | Unary::NormalQuantile
                | Unary::Round(_)
        ),
        Op::Binary(Binary::Remainder) => false,
        Op::Binary(Binary::Power) => float(0) && graph.float_literal(node.operands[1]).is_some(),
        Op::Binary(_) => float(0),
        Op::Compare(_) => float(0),
        Op::Select => node.element == Element::Float,
        Op::Reduce(Reduction::Sum | Reduction::Max | Reduction::Min, _) => float(0),
        Op::Broadcast(_)
        | Op::Rename { .. }
        | Op::Slice { .. }
        | Op::Pad { .. }
        | Op::Window { .. }
        | Op::Flatten { .. }
        | Op::Unflatten { .. }
        | Op::Gather { .. }
        | Op::Stop => node.element == Element::Float,
        Op::Contract { .. } | Op::Float(_) => true,
        _ => false,
    }
}

impl Machine<'_> {
    /// The value of a node, if dfdx has its operation.
    pub fn apply(&mut self, node: &Node, values: &[Value]) -> Option<Value> {
        let graph = &self.program.graph;
        // dfdx cannot iterate over nothing.
        let empty = |axes: &AxisSet| graph.elements(axes) == 0;
        let nothing =
            empty(&node.axes) || node.operands.iter().any(|operand| empty(&graph.node(*operand).axes));
        if lacks(graph, node) || nothing {
            return None;
        }
        let value = |at: usize| &values[node.operands[at].0 as usize];
        let float = |at: usize| match value(at) {
            Value::Float(tensor) => Some(tensor.clone()),
            Value::Other(_) => None,
        };
        let axes = |at: usize| graph.node(node.operands[at]).axes.as_slice();
        let own = node.axes.as_slice();
        let result = match &node.op {
            Op::Float(bits) => self.tensor(vec![f64::from_bits(*bits)]),
            Op::Unary(unary) => self.unary(*unary, float(0)?),
            Op::Binary(Binary::Power) => {
                let exponent = graph.float_literal(node.operands[1])?;
                let base = self.over(float(0)?, axes(0), own);
                self.record(base, |x| x.powf(exponent))
            }
            Op::Binary(binary) => {
                let a = self.over(float(0)?, axes(0), own);
                let b = self.over(float(1)?, axes(1), own);
                self.binary(*binary, a, b)
            }
            Op::Compare(compare) => {
                let a = self.over(float(0)?, axes(0), own);
                let b = self.over(float(1)?, axes(1), own);
                return Some(Value::Other(compared(*compare, &a, &b)));
            }
            Op::Select => {
                let Value::Other(condition) = value(0) else { return None };
                let spread = Self::positions(graph, axes(0), own);
                let holds: Vec<bool> = spread.iter().map(|at| condition[*at] != 0.0).collect();
                let a = self.over(float(1)?, axes(1), own);
                let b = self.over(float(2)?, axes(2), own);
                self.choose(holds, a, b)
            }
            Op::Reduce(reduction, over) => self.reduce(*reduction, float(0)?, axes(0), own, over),
            Op::Broadcast(_) => self.over(float(0)?, axes(0), own),
            Op::Stop => self.tensor(float(0)?.as_vec()),
            Op::Contract { axes: over, .. } => {
                self.contract((float(0)?, axes(0)), (float(1)?, axes(1)), own, over.as_slice())
            }
            _ => {
                let index = match &node.op {
                    Op::Gather { .. } => match value(1) {
                        Value::Other(index) => Some((index.as_slice(), axes(1))),
                        Value::Float(_) => None,
                    },
                    _ => None,
                };
                let positions = moved(graph, node, axes(0), index)?;
                self.gather(float(0)?, positions)
            }
        };
        Some(Value::Float(result))
    }

    fn unary(&mut self, unary: Unary, x: Floats) -> Floats {
        match unary {
            Unary::Negate => self.record(x, |x| x.negate()),
            Unary::Exp => self.record(x, |x| x.exp()),
            Unary::Log => self.record(x, |x| x.ln()),
            Unary::Log1p => self.record(x, |x| (x + 1.0).ln()),
            Unary::Expm1 => self.record(x, |x| x.exp() - 1.0),
            Unary::Sqrt => self.record(x, |x| x.sqrt()),
            Unary::Sin => self.record(x, |x| x.sin()),
            Unary::Cos => self.record(x, |x| x.cos()),
            Unary::Tanh => self.record(x, |x| x.tanh()),
            Unary::Sigmoid => self.record(x, |x| x.sigmoid()),
            Unary::Abs => self.record(x, |x| x.abs()),
            Unary::Reciprocal => self.record(x, |x| x.recip()),
            // Without derivative, so without tape. The others do not come here: see `lacks`.
            _ => self.tensor(x.as_vec().into_iter().map(sign).collect()),
        }
    }

    /// The same values as a tensor of its own: dfdx cannot apply an operation to one tensor twice.
    fn another<S: Shape>(&mut self, x: Tensor<S, f64, Cpu>) -> Tensor<S, f64, Cpu> {
        self.record(x, |x| x + 0.0)
    }

    fn binary(&mut self, binary: Binary, a: Floats, b: Floats) -> Floats {
        let b = self.another(b);
        self.record(a, |a| match binary {
            Binary::Add => a + b,
            Binary::Subtract => a - b,
            Binary::Multiply => a * b,
            Binary::Divide => a / b,
            Binary::Max => a.maximum(b),
            _ => a.minimum(b),
        })
    }

    fn choose(&mut self, holds: Vec<bool>, a: Floats, b: Floats) -> Floats {
        let shape = (holds.len(),);
        let condition: Tensor<(usize,), bool, Cpu> = self.device.tensor_from_vec(holds, shape);
        let b = self.another(b);
        self.record(a, |a| condition.choose(a, b))
    }

    /// The reduced axes last, then one reduction over them.
    fn reduce(
        &mut self,
        reduction: Reduction,
        x: Floats,
        from: &[Axis],
        own: &[Axis],
        over: &AxisSet,
    ) -> Floats {
        let graph = &self.program.graph;
        let size = |axes: &[Axis]| axes.iter().map(|axis| graph.axes.size(*axis)).product::<usize>();
        let outer: Vec<Axis> = own.to_vec();
        let inner: Vec<Axis> = over.as_slice().to_vec();
        let (rows, columns) = (size(&outer), size(&inner));
        let order: Vec<Axis> = outer.iter().chain(&inner).copied().collect();
        let ordered = self.over(x, from, &order);
        let matrix = self.record(ordered, |x| x.reshape_like(&(rows, columns)));
        self.record(matrix, |x| match reduction {
            Reduction::Max => x.max::<(usize,), dfdx::shapes::Axis<1>>(),
            Reduction::Min => x.min::<(usize,), dfdx::shapes::Axis<1>>(),
            _ => x.sum::<(usize,), dfdx::shapes::Axis<1>>(),
        })
    }

    /// sum(a * b, over): both as stacks of matrices over (shared, own, contracted) axes.
    fn contract(
        &mut self,
        a: (Floats, &[Axis]),
        b: (Floats, &[Axis]),
        own: &[Axis],
        over: &[Axis],
    ) -> Floats {
        let graph = &self.program.graph;
        let size = |axes: &[Axis]| axes.iter().map(|axis| graph.axes.size(*axis)).product::<usize>();
        let kept = |of: &[Axis], other: &[Axis], both: bool| -> Vec<Axis> {
            own.iter().filter(|axis| of.contains(axis) && other.contains(axis) == both).copied().collect()
        };
        let shared = kept(a.1, b.1, true);
        let (rows, columns) = (kept(a.1, b.1, false), kept(b.1, a.1, false));
        let join = |parts: [&[Axis]; 3]| parts.concat();
        let left = self.over(a.0, a.1, &join([&shared, &rows, over]));
        let right = self.over(b.0, b.1, &join([&shared, over, &columns]));
        let (stack, m, k, n) = (size(&shared), size(&rows), size(over), size(&columns));
        let left = self.record(left, |x| x.reshape_like(&(stack, m, k)));
        let right = self.record(right, |x| x.reshape_like(&(stack, k, n)));
        let right = self.another(right);
        let product = self.record(left, |x| x.matmul(right));
        let flat = self.record(product, |x| x.reshape_like(&(stack * m * n,)));
        self.over(flat, &join([&shared, &rows, &columns]), own)
    }
}

fn sign(x: f64) -> f64 {
    if x == 0.0 || x.is_nan() { x } else { x.signum() }
}

fn compared(compare: Compare, a: &Floats, b: &Floats) -> Vec<f64> {
    let holds = match compare {
        Compare::Equal => a.eq(b),
        Compare::NotEqual => a.ne(b),
        Compare::Less => a.lt(b),
        Compare::LessEqual => a.le(b),
    };
    holds.as_vec().into_iter().map(|holds| if holds { 1.0 } else { 0.0 }).collect()
}

/// For each element of an operation that moves elements: its position in the operand, whose length stands for zero.
fn moved(graph: &Graph, node: &Node, from: &[Axis], index: Option<(&[f64], &[Axis])>) -> Option<Vec<usize>> {
    let size = |axis: Axis| graph.axes.size(axis);
    let nothing: usize = from.iter().map(|axis| size(*axis)).product();
    let mut found = Vec::with_capacity(graph.elements(&node.axes));
    let mut fits = true;
    points(&graph.axes, node.axes.as_slice(), &mut vec![0; graph.axes.len()], &mut |point| {
        let mut at = point.clone();
        let mut inside = true;
        match &node.op {
            Op::Rename { from, to } => at[from.0 as usize] = point[to.0 as usize],
            Op::Slice { axis, into, start, step } => {
                at[axis.0 as usize] = (*start as isize + point[into.0 as usize] as isize * step) as usize;
            }
            Op::Pad { axis, into, before, step } => {
                let steps = point[into.0 as usize] as isize - before;
                inside = steps % step == 0 && (0..size(*axis) as isize).contains(&(steps / step));
                if inside {
                    at[axis.0 as usize] = (steps / step) as usize;
                }
            }
            Op::Window { axis, output, kernel, stride, dilation, before } => {
                let position = point[output.0 as usize] * stride + point[kernel.0 as usize] * dilation;
                inside = position >= *before && position - before < size(*axis);
                if inside {
                    at[axis.0 as usize] = position - before;
                }
            }
            Op::Flatten { axes, into } => {
                let mut rest = point[into.0 as usize];
                for axis in axes.iter().rev() {
                    at[axis.0 as usize] = rest % size(*axis);
                    rest /= size(*axis);
                }
            }
            Op::Unflatten { axis, into } => {
                at[axis.0 as usize] =
                    into.iter().fold(0, |at, axis| at * size(*axis) + point[axis.0 as usize]);
            }
            Op::Gather { axis } => match index {
                Some((values, axes)) => {
                    let position = values[offset(graph, axes, point)];
                    fits &= position >= 0.0 && position < size(*axis) as f64;
                    at[axis.0 as usize] = position.max(0.0) as usize;
                }
                None => fits = false,
            },
            _ => fits = false,
        }
        found.push(if inside && fits { offset(graph, from, &at) } else { nothing });
    });
    fits.then_some(found)
}
