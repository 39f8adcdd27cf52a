//! Lowering of sliding windows: a view where no window reaches outside, a few strided copies where one does.

use super::PlanError;
use super::kernel::Kernel;
use super::lower::Lowering;
use super::view::View;
use crate::graph::{Axis, NodeId};

/// The window of result position (o, k) is position o * stride + k * dilation - before.
pub struct Windows {
    pub axis: Axis,
    pub output: Axis,
    pub kernel: Axis,
    pub stride: isize,
    pub dilation: isize,
    pub before: isize,
}

impl Windows {
    /// The range of output positions whose element k lies inside an axis of this size: (first, count).
    fn inside(&self, k: isize, outputs: isize, size: isize) -> Option<(isize, isize)> {
        let position = |o: isize| o * self.stride + k * self.dilation - self.before;
        let inside = |o: &isize| (0..size).contains(&position(*o));
        let first = (0..outputs).find(inside)?;
        let last = (0..outputs).rev().find(inside)?;
        Some((first, last - first + 1))
    }
}

impl Lowering<'_> {
    pub fn window(&mut self, id: NodeId, w: &Windows) -> Result<View, PlanError> {
        let graph = self.graph;
        let node = graph.node(id);
        let mut from = self.operand(node, 0)?;
        let stride = from.remove(w.axis);
        let (size, outputs, width) = self.window_sizes(w);
        let reach = (outputs - 1) * w.stride + (width - 1) * w.dilation;
        if w.before == 0 && (reach < size || outputs == 0 || width == 0) {
            from.insert(w.output, stride * w.stride);
            from.insert(w.kernel, stride * w.dilation);
            return Ok(from);
        }
        let mut like = from.clone();
        like.insert(w.output, stride * w.stride);
        like.insert(w.kernel, stride * w.dilation);
        let order = self.order(id, &like, &node.axes);
        let result = self.dense(node.element, &order);
        self.kernels.push(Kernel::Fill { buffer: result.buffer, value: 0.0 });
        let order: Vec<Axis> = order.into_iter().filter(|a| *a != w.kernel).collect();
        for k in 0..width {
            let Some((first, count)) = w.inside(k, outputs, size) else { continue };
            let mut to = result.clone();
            let (to_stride, to_kernel) = (to.remove(w.output), to.remove(w.kernel));
            to.offset += k * to_kernel + first * to_stride;
            let mut source = from.clone();
            source.offset += (first * w.stride + k * w.dilation - w.before) * stride;
            self.copy_part(
                count as usize,
                to_stride,
                stride * w.stride,
                &order,
                w.output,
                &source,
                &to,
                false,
            );
        }
        Ok(result)
    }

    /// The adjoint: every window element is added where it came from, kernel positions in ascending order.
    pub fn unwindow(&mut self, id: NodeId, w: &Windows) -> Result<View, PlanError> {
        let graph = self.graph;
        let node = graph.node(id);
        let from = self.operand(node, 0)?;
        let (size, outputs, width) = self.window_sizes(w);
        // Windows side by side: every element lies in one of them, so they are the axis, cut.
        let is_cut = w.before == 0 && w.dilation == 1 && w.stride == width && outputs * width == size;
        if is_cut && let Some(stride) = from.flattened(&[w.output, w.kernel], self.axes) {
            let mut result = from;
            result.remove(w.output);
            result.remove(w.kernel);
            result.insert(w.axis, stride);
            return Ok(result);
        }
        let mut like = from.clone();
        let output_stride = like.remove(w.output);
        like.remove(w.kernel);
        like.insert(w.axis, output_stride);
        let order = self.order(id, &like, &node.axes);
        let result = self.dense(node.element, &order);
        self.kernels.push(Kernel::Fill { buffer: result.buffer, value: 0.0 });
        for k in 0..width {
            let Some((first, count)) = w.inside(k, outputs, size) else { continue };
            let mut source = from.clone();
            let (from_stride, from_kernel) = (source.remove(w.output), source.remove(w.kernel));
            source.offset += first * from_stride + k * from_kernel;
            let mut to = result.clone();
            let to_stride = to.remove(w.axis);
            to.offset += (first * w.stride + k * w.dilation - w.before) * to_stride;
            self.copy_part(
                count as usize,
                to_stride * w.stride,
                from_stride,
                &order,
                w.axis,
                &source,
                &to,
                true,
            );
        }
        Ok(result)
    }

    fn window_sizes(&self, w: &Windows) -> (isize, isize, isize) {
        let size = |axis| self.axes.size(axis) as isize;
        (size(w.axis), size(w.output), size(w.kernel))
    }
}
