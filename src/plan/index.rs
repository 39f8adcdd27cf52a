//! Lowering of operations that move elements: gather, scatter, pad, concat; and of reductions and lines.

use super::PlanError;
use super::kernel::{Indexed, Kernel, Line};
use super::lower::{Lowering, access};
use super::view::{Loop, View, loops};
use crate::graph::{Axis, AxisSet, Cumulative, Element, NodeId, Op, Reduction, Tensor};

/// Elements from which a reduction of several axes is worth two kernels.
const LARGE: usize = 1 << 14;

/// Positions `first`, `first + step`, .. along an axis; one position without an axis.
struct Steps {
    first: isize,
    step: isize,
    along: Option<Axis>,
}

impl Lowering<'_> {
    /// The positions of an index, if they are known, evenly spaced, and inside the axis.
    fn even_steps(&self, index: NodeId, axis: Axis) -> Option<Steps> {
        let mut node = self.graph.node(index);
        while matches!(node.op, Op::Check(_) | Op::Stop) {
            node = self.graph.node(*node.operands.first()?);
        }
        let size = self.axes.size(axis) as isize;
        let steps = match &node.op {
            Op::Index(at) => Steps { first: *at as isize, step: 0, along: None },
            Op::Iota(along) => Steps { first: 0, step: 1, along: Some(*along) },
            Op::Tensor(tensor, order) => {
                let (Tensor::Index(at), [along]) = (tensor.as_ref(), &order[..]) else { return None };
                let first = *at.first()? as isize;
                let step = at.get(1).map_or(0, |second| *second as isize - first);
                let is_even = at.windows(2).all(|pair| pair[1] as isize - pair[0] as isize == step);
                if !is_even {
                    return None;
                }
                Steps { first, step, along: Some(*along) }
            }
            _ => return None,
        };
        let count = steps.along.map_or(1, |along| self.axes.size(along) as isize);
        let last = steps.first + (count - 1).max(0) * steps.step;
        let inside = |at| (0..size).contains(&at);
        (inside(steps.first) && inside(last)).then_some(steps)
    }

    pub fn reduce(&mut self, id: NodeId, reduction: Reduction, reduced: &AxisSet) -> Result<View, PlanError> {
        let graph = self.graph;
        let node = graph.node(id);
        let from = self.operand(node, 0)?;
        let order = self.order(id, &from, &node.axes);
        let Some(slowest) = self.slowest(&from, &order, reduced) else {
            return Ok(self.fold(reduction, &from, &order, reduced, node.element));
        };
        // First what lies together, then over what lies farthest apart.
        let mut rest = reduced.clone();
        rest.remove(slowest);
        let between: Vec<Axis> = std::iter::once(slowest).chain(order.iter().copied()).collect();
        let partial = self.fold(reduction, &from, &between, &rest, node.element);
        Ok(self.fold(reduction, &partial, &order, &[slowest][..].into(), node.element))
    }

    /// One kernel that reduces axes; the result is dense in `order`.
    fn fold(
        &mut self,
        reduction: Reduction,
        from: &View,
        order: &[Axis],
        reduced: &AxisSet,
        element: Element,
    ) -> View {
        let to = self.dense(element, order);
        let kept = loops(order, &[from], self.axes);
        let inner = loops(&from.order(reduced), &[from], self.axes);
        let kernel = Kernel::Reduce {
            reduction,
            kept: sizes(&kept),
            reduced: sizes(&inner),
            from: access(from, strides(&kept, 0).into_iter()),
            inner: strides(&inner, 0),
            to: to.buffer,
        };
        self.kernels.push(kernel);
        to
    }

    /// Of several reduced axes the one that lies farthest apart, farther than all that is kept, if a kernel for it alone pays: rows of
    /// the other one can then run with the kernels that make them.
    fn slowest(&self, from: &View, kept: &[Axis], reduced: &AxisSet) -> Option<Axis> {
        if self.options.launches {
            return None;
        }
        let all: usize =
            kept.iter().copied().chain(reduced.iter()).map(|axis| self.axes.size(axis)).product();
        let axes: Vec<Axis> =
            from.order(reduced).into_iter().filter(|axis| self.axes.size(*axis) > 1).collect();
        let slowest = *axes.first().filter(|_| axes.len() > 1 && all >= LARGE)?;
        let stride = |axis: Axis| from.stride(axis).unsigned_abs();
        kept.iter().all(|axis| stride(*axis) < stride(slowest)).then_some(slowest)
    }

    pub fn gather(&mut self, id: NodeId, axis: Axis) -> Result<View, PlanError> {
        let graph = self.graph;
        let node = graph.node(id);
        let (mut from, index) = (self.operand(node, 0)?, self.operand(node, 1)?);
        let index_set = &graph.node(node.operands[1]).axes;
        let stride = from.remove(axis);
        if let Some(steps) = self.even_steps(node.operands[1], axis) {
            // Positions that are known and evenly spaced are picked by looking elsewhere.
            from.offset += steps.first * stride;
            if let Some(along) = steps.along {
                let before = from.remove(along);
                from.insert(along, before + stride * steps.step);
            }
            return Ok(from);
        }
        let rest = node.axes.minus(index_set);
        let outer_order = index.order(index_set);
        let inner_order = from.order(&rest);
        let order: Vec<Axis> = match &self.wishes[id.0 as usize] {
            Some(wish) if wish.len() == node.axes.len() => wish.clone(),
            _ => outer_order.iter().chain(&inner_order).copied().collect(),
        };
        let to = self.dense(node.element, &order);
        let outer = loops(&outer_order, &[&index, &from, &to], self.axes);
        let inner = loops(&inner_order, &[&from, &to], self.axes);
        let kernel = Kernel::Gather(Indexed {
            node: id,
            size: self.axes.size(axis),
            stride,
            index: access(&index, strides(&outer, 0).into_iter()),
            from: access(&from, strides(&outer, 1).into_iter()),
            to: access(&to, strides(&outer, 2).into_iter()),
            from_inner: strides(&inner, 0),
            to_inner: strides(&inner, 1),
            outer: sizes(&outer),
            inner: sizes(&inner),
        });
        self.kernels.push(kernel);
        Ok(to)
    }

    pub fn scatter(
        &mut self,
        id: NodeId,
        over: &AxisSet,
        into: Axis,
        reduction: Reduction,
    ) -> Result<View, PlanError> {
        let graph = self.graph;
        let node = graph.node(id);
        let (from, index) = (self.operand(node, 0)?, self.operand(node, 1)?);
        let index_set = &graph.node(node.operands[1]).axes;
        let value_set = &graph.node(node.operands[0]).axes;
        // What has an index of its own comes first, and what is scattered lies as an index picks it from rows.
        let kept = value_set.minus(over);
        let rows = index.order(&kept.intersection(index_set));
        let rest = from.order(&kept.minus(index_set));
        let order: Vec<Axis> = match &self.wishes[id.0 as usize] {
            Some(wish) if wish.len() == node.axes.len() => wish.clone(),
            _ => rows.into_iter().chain([into]).chain(rest).collect(),
        };
        let mut to = self.dense(node.element, &order);
        let result = to.clone();
        let stride = to.remove(into);
        self.kernels.push(Kernel::Fill { buffer: to.buffer, value: identity(reduction) });
        // Ascending axes: the order of the sums depends on the program only, not on layouts.
        let outer_order: Vec<Axis> = index_set.iter().collect();
        let outer = loops(&outer_order, &[&index, &from, &to], self.axes);
        let inner = loops(&from.order(&value_set.minus(index_set)), &[&from, &to], self.axes);
        let loops = Indexed {
            node: id,
            size: self.axes.size(into),
            stride,
            index: access(&index, strides(&outer, 0).into_iter()),
            from: access(&from, strides(&outer, 1).into_iter()),
            to: access(&to, strides(&outer, 2).into_iter()),
            from_inner: strides(&inner, 0),
            to_inner: strides(&inner, 1),
            outer: sizes(&outer),
            inner: sizes(&inner),
        };
        self.kernels.push(Kernel::Scatter(reduction, loops));
        Ok(result)
    }

    /// Copies over one loop that is no axis of its own, and all axes of `order` but `skip`.
    #[allow(clippy::too_many_arguments)]
    pub fn copy_part(
        &mut self,
        size: usize,
        to_stride: isize,
        from_stride: isize,
        order: &[Axis],
        skip: Axis,
        from: &View,
        to: &View,
        add: bool,
    ) {
        let all = order.iter().map(|axis| match *axis == skip {
            true => Loop { size, strides: smallvec::smallvec![from_stride, to_stride] },
            false => {
                let strides = smallvec::smallvec![from.stride(*axis), to.stride(*axis)];
                Loop { size: self.axes.size(*axis), strides }
            }
        });
        let merged = super::view::merge(all);
        let kernel = Kernel::Copy {
            sizes: sizes(&merged),
            from: access(from, strides(&merged, 0).into_iter()),
            to: access(to, strides(&merged, 1).into_iter()),
            add,
        };
        self.kernels.push(kernel);
    }

    pub fn concat(&mut self, id: NodeId, parts: &[Axis], into: Axis) -> Result<View, PlanError> {
        let graph = self.graph;
        let node = graph.node(id);
        let order = match &self.wishes[id.0 as usize] {
            Some(wish) if wish.len() == node.axes.len() => wish.clone(),
            _ => {
                let mut first = self.operand(node, 0)?;
                let axis = *parts.first().ok_or(PlanError::Operands)?;
                let stride = first.remove(axis);
                first.insert(into, stride);
                first.order(&node.axes)
            }
        };
        let result = self.dense(node.element, &order);
        let mut start = 0;
        for (position, axis) in parts.iter().enumerate() {
            let mut from = self.operand(node, position)?;
            let from_stride = from.remove(*axis);
            let mut to = result.clone();
            let to_stride = to.remove(into);
            to.offset += start * to_stride;
            self.copy_part(self.axes.size(*axis), to_stride, from_stride, &order, into, &from, &to, false);
            start += self.axes.size(*axis) as isize;
        }
        Ok(result)
    }

    pub fn line(&mut self, id: NodeId, axis: Axis) -> Result<View, PlanError> {
        let graph = self.graph;
        let node = graph.node(id);
        let mut from = self.operand(node, 0)?;
        let order = self.order(id, &from, &node.axes);
        let result = self.dense(node.element, &order);
        let mut to = result.clone();
        let size = self.axes.size(axis);
        let from_stride = from.remove(axis);
        let to_stride = to.remove(axis);
        let line = match &node.op {
            Op::ArgReduce { smallest, .. } => Line::ArgReduce { smallest: *smallest },
            Op::ArgSort { descending, .. } => Line::ArgSort { descending: *descending },
            Op::Rank { ties, .. } => Line::Rank(*ties),
            Op::Cumulative { kind, reverse, .. } => Line::Cumulative { kind: *kind, reverse: *reverse },
            _ => Line::Cumulative { kind: Cumulative::Sum, reverse: false },
        };
        let work =
            matches!(line, Line::ArgSort { .. } | Line::Rank(_)).then(|| self.buffer(Element::Index, size));
        let kept: Vec<Axis> = order.into_iter().filter(|a| *a != axis).collect();
        let outer = loops(&kept, &[&from, &to], self.axes);
        let kernel = Kernel::Line {
            line,
            size,
            from: access(&from, strides(&outer, 0).into_iter()),
            from_stride,
            to: access(&to, strides(&outer, 1).into_iter()),
            to_stride,
            outer: sizes(&outer),
            work,
        };
        self.kernels.push(kernel);
        Ok(result)
    }
}

/// What a reduction gives for nothing.
pub fn identity(reduction: Reduction) -> f64 {
    match reduction {
        Reduction::Sum | Reduction::Any => 0.0,
        Reduction::Product | Reduction::All => 1.0,
        Reduction::Max => f64::NEG_INFINITY,
        Reduction::Min => f64::INFINITY,
    }
}

fn sizes(all: &[Loop]) -> Vec<usize> {
    all.iter().map(|l| l.size).collect()
}

fn strides(all: &[Loop], operand: usize) -> Vec<isize> {
    all.iter().map(|l| l.strides[operand]).collect()
}
