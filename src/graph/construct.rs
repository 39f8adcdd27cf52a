//! One method per operation, for elaboration and differentiation; new nodes carry the span in `Graph::span`.
//!
//! In: nodes and literals. Out: nodes, or the [`TypeError`] of the type rule. Bool and Index become Float only by `cast`.

use std::sync::Arc;

use super::axis::{Axis, AxisSet};
use super::node::{Element, NodeId};
use super::op::{
    Binary, CheckId, Compare, Cumulative, Logic, Matrix, Op, Reduction, Special, Ties, TypeError, Unary,
};
use super::tensor::Tensor;
use super::{Check, Graph};

type Built = Result<NodeId, TypeError>;

/// Methods `name(x)` that apply a [`Unary`].
macro_rules! unary_methods {
    ($($name:ident $unary:ident),* $(,)?) => { $(
        pub fn $name(&mut self, x: NodeId) -> Built { self.unary(Unary::$unary, x) }
    )* };
}

/// Methods `name(a, b)` that apply an operation of two operands.
macro_rules! binary_methods {
    ($($name:ident $method:ident $op:expr),* $(,)?) => { $(
        pub fn $name(&mut self, a: NodeId, b: NodeId) -> Built { self.$method($op, a, b) }
    )* };
}

impl Graph {
    fn apply(&mut self, op: Op, operands: &[NodeId]) -> Built {
        let span = self.span;
        self.add(op, operands, span)
    }

    pub fn float(&mut self, value: f64) -> Built {
        self.apply(Op::Float(value.to_bits()), &[])
    }

    pub fn index(&mut self, value: i32) -> Built {
        self.apply(Op::Index(value), &[])
    }

    pub fn bool(&mut self, value: bool) -> Built {
        self.apply(Op::Bool(value), &[])
    }

    /// An array known now, row-major in the order of `layout`.
    pub fn tensor(&mut self, tensor: impl Into<Arc<Tensor>>, layout: &[Axis]) -> Built {
        self.apply(Op::Tensor(tensor.into(), layout.to_vec()), &[])
    }

    pub fn iota(&mut self, axis: Axis) -> Built {
        self.apply(Op::Iota(axis), &[])
    }

    /// `seed` and `step` are scalar indices.
    pub fn random_uniform(&mut self, site: u32, seed: NodeId, step: NodeId, order: &[Axis]) -> Built {
        self.apply(Op::Random { site, order: order.to_vec() }, &[seed, step])
    }

    /// The same in a round of a loop, which is a scalar index too.
    pub fn random_in_round(&mut self, site: u32, [seed, step, round]: [NodeId; 3], order: &[Axis]) -> Built {
        self.apply(Op::Random { site, order: order.to_vec() }, &[seed, step, round])
    }

    pub fn unary(&mut self, unary: Unary, x: NodeId) -> Built {
        self.apply(Op::Unary(unary), &[x])
    }

    unary_methods! {
        neg Negate, exp Exp, log Log, log1p Log1p, expm1 Expm1, sqrt Sqrt, sin Sin, cos Cos, tanh Tanh, erf Erf,
        sigmoid Sigmoid, abs Abs, sign Sign, floor Floor, reciprocal Reciprocal, log_gamma LogGamma,
        digamma Digamma, normal_quantile NormalQuantile,
    }

    pub fn binary(&mut self, binary: Binary, a: NodeId, b: NodeId) -> Built {
        self.apply(Op::Binary(binary), &[a, b])
    }

    pub fn compare(&mut self, compare: Compare, a: NodeId, b: NodeId) -> Built {
        self.apply(Op::Compare(compare), &[a, b])
    }

    pub fn logic(&mut self, logic: Logic, a: NodeId, b: NodeId) -> Built {
        self.apply(Op::Logic(logic), &[a, b])
    }

    binary_methods! {
        plus binary Binary::Add, sub binary Binary::Subtract, mul binary Binary::Multiply,
        div binary Binary::Divide, rem binary Binary::Remainder, pow binary Binary::Power,
        max binary Binary::Max, min binary Binary::Min,
        equal compare Compare::Equal, not_equal compare Compare::NotEqual, less compare Compare::Less,
        less_equal compare Compare::LessEqual, and logic Logic::And, or logic Logic::Or,
    }

    pub fn not(&mut self, x: NodeId) -> Built {
        self.apply(Op::Not, &[x])
    }

    pub fn select(&mut self, condition: NodeId, yes: NodeId, no: NodeId) -> Built {
        self.apply(Op::Select, &[condition, yes, no])
    }

    pub fn cast(&mut self, x: NodeId, element: Element) -> Built {
        self.apply(Op::Cast(element), &[x])
    }

    pub fn reduce(&mut self, reduction: Reduction, x: NodeId, axes: &[Axis]) -> Built {
        self.apply(Op::Reduce(reduction, AxisSet::from(axes)), &[x])
    }

    pub fn sum(&mut self, x: NodeId, axes: &[Axis]) -> Built {
        self.reduce(Reduction::Sum, x, axes)
    }

    /// The sum over the axes divided by the product of their sizes.
    pub fn mean(&mut self, x: NodeId, axes: &[Axis]) -> Built {
        let count: usize = AxisSet::from(axes).iter().map(|axis| self.axes.size(axis)).product();
        let sum = self.sum(x, axes)?;
        let scale = self.float(1.0 / count as f64)?;
        self.mul(sum, scale)
    }

    pub fn argmax(&mut self, x: NodeId, axis: Axis) -> Built {
        self.apply(Op::ArgReduce { axis, smallest: false }, &[x])
    }

    pub fn argmin(&mut self, x: NodeId, axis: Axis) -> Built {
        self.apply(Op::ArgReduce { axis, smallest: true }, &[x])
    }

    /// Adds those of `axes` that the value lacks.
    pub fn broadcast(&mut self, x: NodeId, axes: &AxisSet) -> Built {
        let missing = axes.minus(&self.node(x).axes);
        self.apply(Op::Broadcast(missing), &[x])
    }

    pub fn rename(&mut self, x: NodeId, from: Axis, to: Axis) -> Built {
        self.apply(Op::Rename { from, to }, &[x])
    }

    pub fn gather(&mut self, x: NodeId, axis: Axis, index: NodeId) -> Built {
        self.apply(Op::Gather { axis }, &[x, index])
    }

    pub fn scatter(
        &mut self,
        kind: Reduction,
        x: NodeId,
        index: NodeId,
        over: &AxisSet,
        into: Axis,
    ) -> Built {
        self.apply(Op::Scatter { over: over.clone(), into, reduction: kind }, &[x, index])
    }

    pub fn slice(&mut self, x: NodeId, axis: Axis, into: Axis, start: usize, step: isize) -> Built {
        self.apply(Op::Slice { axis, into, start, step }, &[x])
    }

    pub fn pad(&mut self, x: NodeId, axis: Axis, into: Axis, before: isize, step: isize) -> Built {
        self.apply(Op::Pad { axis, into, before, step }, &[x])
    }

    /// `parts`: each with the axis along which it is joined.
    pub fn concat(&mut self, parts: &[(NodeId, Axis)], into: Axis) -> Built {
        let operands: Vec<NodeId> = parts.iter().map(|part| part.0).collect();
        self.apply(Op::Concat { axes: parts.iter().map(|part| part.1).collect(), into }, &operands)
    }

    /// A window operation (or its adjoint) on one operand.
    pub fn window(&mut self, window: Op, x: NodeId) -> Built {
        self.apply(window, &[x])
    }

    pub fn flatten(&mut self, x: NodeId, axes: &[Axis], into: Axis) -> Built {
        self.apply(Op::Flatten { axes: axes.to_vec(), into }, &[x])
    }

    pub fn unflatten(&mut self, x: NodeId, axis: Axis, into: &[Axis]) -> Built {
        self.apply(Op::Unflatten { axis, into: into.to_vec() }, &[x])
    }

    pub fn argsort(&mut self, x: NodeId, axis: Axis, descending: bool) -> Built {
        self.apply(Op::ArgSort { axis, descending }, &[x])
    }

    pub fn sort(&mut self, x: NodeId, axis: Axis, descending: bool) -> Built {
        let order = self.argsort(x, axis, descending)?;
        self.gather(x, axis, order)
    }

    pub fn rank(&mut self, x: NodeId, axis: Axis, ties: Ties) -> Built {
        self.apply(Op::Rank { axis, ties }, &[x])
    }

    pub fn cumulative(&mut self, kind: Cumulative, x: NodeId, axis: Axis, reverse: bool) -> Built {
        self.apply(Op::Cumulative { kind, axis, reverse }, &[x])
    }

    pub fn contract(&mut self, a: NodeId, b: NodeId, axes: &AxisSet) -> Built {
        self.apply(Op::Contract { axes: axes.clone(), factors: None }, &[a, b])
    }

    pub fn special(&mut self, special: Special, operands: [NodeId; 3]) -> Built {
        self.apply(Op::Special(special), &operands)
    }

    /// An operation of linear algebra with the matrix first among the operands.
    pub fn matrix(
        &mut self,
        kind: Matrix,
        operands: &[NodeId],
        [rows, columns]: [Axis; 2],
        into: &[Axis],
    ) -> Built {
        self.apply(Op::Matrix { kind, rows, columns, into: into.to_vec() }, operands)
    }

    pub fn stop(&mut self, x: NodeId) -> Built {
        self.apply(Op::Stop, &[x])
    }

    /// `x`, where `condition` (a scalar) must hold.
    pub fn check(&mut self, x: NodeId, condition: NodeId, check: Check) -> Built {
        let id = self.checks.iter().position(|known| *known == check).unwrap_or_else(|| {
            self.checks.push(check);
            self.checks.len() - 1
        });
        self.apply(Op::Check(CheckId(id as u32)), &[x, condition])
    }
}
