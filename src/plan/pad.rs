//! Lowering of zeros around an array: what lies inside is copied, what lies outside is set to zero.
//!
//! In: a node that pads along an axis, maybe of one that pads along another. Out: one array for all of them.

use smallvec::smallvec;

use super::PlanError;
use super::kernel::Kernel;
use super::lower::{Lowering, access};
use super::view::{Loop, View, merge};
use crate::graph::{Axis, Element, Node, NodeId, Op, Tensor};

/// Element i of `axis` goes to place `before + i * step` of `into`, if there is such a place.
struct Padding {
    axis: Axis,
    into: Axis,
    before: isize,
    step: isize,
    /// The first element that has a place, and how many do.
    first: isize,
    count: isize,
}

impl Lowering<'_> {
    pub fn pad(&mut self, id: NodeId) -> Result<View, PlanError> {
        let graph = self.graph;
        if self.is_padded_again(id) {
            return self.operand(graph.node(id), 0);
        }
        let mut paddings = Vec::new();
        let (mut element, mut below) = (graph.node(id).element, id);
        while let Some(padding) = self.padding(graph.node(below)) {
            paddings.push(padding);
            below = *graph.node(below).operands.first().ok_or(PlanError::Operands)?;
            element = graph.node(below).element;
            if !self.is_padded_again(below) {
                break;
            }
        }
        let from = self.view(below)?;
        let whole =
            |axis: Axis| paddings.iter().rev().fold(axis, |a, p| if a == p.axis { p.into } else { a });
        let order = match &self.wishes[id.0 as usize] {
            Some(wish) if wish.len() == graph.node(id).axes.len() => wish.clone(),
            _ => from.order(&graph.node(below).axes).into_iter().map(whole).collect(),
        };
        let result = self.dense(element, &order);
        self.zeros(element, &paddings, &order, &result);
        if paddings.iter().all(|padding| padding.count > 0) {
            self.inside(&paddings, &order, &from, &result);
        }
        Ok(result)
    }

    /// Is the node only there to be padded along other axes? Then the last node that does so does it, too. An axis that is padded twice
    /// needs an array in between.
    fn is_padded_again(&self, id: NodeId) -> bool {
        let graph = self.graph;
        let Op::Pad { into, .. } = graph.node(id).op else { return false };
        let next = |id: NodeId| match self.users[id.0 as usize][..] {
            [user] if !self.program.outputs.iter().any(|output| output.node == id) => {
                let Op::Pad { axis, .. } = graph.node(user).op else { return None };
                Some((user, axis))
            }
            _ => None,
        };
        let mut last = id;
        while let Some((user, axis)) = next(last) {
            if axis == into {
                return false;
            }
            last = user;
        }
        last != id
    }

    fn padding(&self, node: &Node) -> Option<Padding> {
        let Op::Pad { axis, into, before, step } = node.op else { return None };
        let (size, target) = (self.axes.size(axis) as isize, self.axes.size(into) as isize);
        let is_inside = |i: &isize| (0..target).contains(&(before + i * step));
        let first = (0..size).find(is_inside).unwrap_or(0);
        let count = (0..size).filter(is_inside).count() as isize;
        Some(Padding { axis, into, before, step, first, count })
    }

    /// Zeros where nothing is copied to: strips along the edges, or everywhere where that is simpler.
    fn zeros(&mut self, element: Element, paddings: &[Padding], order: &[Axis], to: &View) {
        let target = |padding: &Padding| self.axes.size(padding.into) as isize;
        let is_thin = |padding: &Padding| padding.step == 1 && 2 * padding.count > target(padding);
        if element != Element::Float || self.options.launches || !paddings.iter().all(is_thin) {
            self.kernels.push(Kernel::Fill { buffer: to.buffer, value: 0.0 });
            return;
        }
        let strips: Vec<(Axis, isize, isize)> = paddings
            .iter()
            .flat_map(|padding| {
                let start = padding.before + padding.first;
                let end = start + padding.count;
                [(padding.into, 0, start), (padding.into, end, target(padding) - end)]
            })
            .filter(|(.., size)| *size > 0)
            .collect();
        let zero = View::dense(self.constant(Tensor::F64(vec![0.0])), &[], self.axes);
        for (axis, start, size) in strips {
            let size = |other: Axis| if other == axis { size as usize } else { self.axes.size(other) };
            let all = order
                .iter()
                .map(|other| Loop { size: size(*other), strides: smallvec![0, to.stride(*other)] });
            let mut place = to.clone();
            place.offset += start * to.stride(axis);
            self.copy_loops(all.collect(), &zero, &place);
        }
    }

    fn inside(&mut self, paddings: &[Padding], order: &[Axis], from: &View, to: &View) {
        let (mut source, mut target) = (from.clone(), to.clone());
        let mut all = Vec::new();
        for axis in order {
            let (mut size, mut strides) = (self.axes.size(*axis), [from.stride(*axis), to.stride(*axis)]);
            if let Some(padding) = paddings.iter().find(|padding| padding.into == *axis) {
                let [given, taken] = [from.stride(padding.axis), to.stride(*axis)];
                size = padding.count as usize;
                strides = [given, padding.step * taken];
                source.offset += padding.first * given;
                target.offset += (padding.before + padding.first * padding.step) * taken;
            }
            all.push(Loop { size, strides: smallvec![strides[0], strides[1]] });
        }
        self.copy_loops(all, &source, &target);
    }

    /// Copies by loops with the strides of both.
    fn copy_loops(&mut self, all: Vec<Loop>, from: &View, to: &View) {
        let merged = merge(all.into_iter());
        self.kernels.push(Kernel::Copy {
            sizes: merged.iter().map(|l| l.size).collect(),
            from: access(from, merged.iter().map(|l| l.strides[0])),
            to: access(to, merged.iter().map(|l| l.strides[1])),
            add: false,
        });
    }
}
