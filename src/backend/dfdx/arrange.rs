//! Moving elements: every operation that only moves, repeats or drops elements is a gather by a list of positions.

use dfdx::prelude::*;

use super::{Floats, Machine};
use crate::graph::reference::points;
use crate::graph::{Axis, Graph};

impl Machine<'_> {
    /// Elements by their positions in x; positions equal to the length of x give 0.
    pub fn gather(&mut self, x: Floats, positions: Vec<usize>) -> Floats {
        let length = x.shape().0;
        let identity =
            positions.len() == length && positions.iter().enumerate().all(|(at, from)| at == *from);
        if identity {
            return x;
        }
        let shape = (positions.len(),);
        let outside = positions.iter().any(|from| *from >= length);
        // Chosen, not multiplied: an infinite element times 0 would not be 0.
        let mask = outside.then(|| {
            let inside: Vec<bool> = positions.iter().map(|from| *from < length).collect();
            (self.device.tensor_from_vec(inside, shape), self.tensor(vec![0.0; positions.len()]))
        });
        let safe: Vec<usize> = positions.into_iter().map(|from| from.min(length - 1)).collect();
        let index: Tensor<(usize,), usize, Cpu> = self.device.tensor_from_vec(safe, shape);
        let moved = self.record(x, |x| x.gather(index));
        match mask {
            Some((inside, zeros)) => self.record(moved, |moved| inside.choose(moved, zeros)),
            None => moved,
        }
    }

    /// Elements of a node over `axes` (slowest first), as positions in its own row-major order.
    pub fn positions(graph: &Graph, own: &[Axis], axes: &[Axis]) -> Vec<usize> {
        let mut found = Vec::new();
        points(&graph.axes, axes, &mut vec![0; graph.axes.len()], &mut |point| {
            found.push(offset(graph, own, point));
        });
        found
    }

    /// x, over `own`, spread and ordered over `axes`.
    pub fn over(&mut self, x: Floats, own: &[Axis], axes: &[Axis]) -> Floats {
        if own == axes {
            return x;
        }
        let positions = Self::positions(&self.program.graph, own, axes);
        self.gather(x, positions)
    }
}

/// The row-major position of a point over axes.
pub fn offset(graph: &Graph, axes: &[Axis], point: &[usize]) -> usize {
    axes.iter().fold(0, |at, axis| at * graph.axes.size(*axis) + point[axis.0 as usize])
}
