//! Lowering of linear algebra: every operand is packed to dense matrices, the batch outermost.

use super::PlanError;
use super::kernel::Kernel;
use super::lower::Lowering;
use super::view::{View, count};
use crate::graph::{Axis, Matrix, NodeId};

impl Lowering<'_> {
    pub fn matrix(
        &mut self,
        id: NodeId,
        kind: Matrix,
        [rows, columns]: [Axis; 2],
        into: &[Axis],
    ) -> Result<View, PlanError> {
        let graph = self.graph;
        let node = graph.node(id);
        let from = self.operand(node, 0)?;
        let batch = from.order(&graph.node(node.operands[0]).axes.without(rows).without(columns));
        let ordered = |last: &[Axis]| -> Vec<Axis> { batch.iter().chain(last).copied().collect() };
        let from = self.packed(&from, graph.node(node.operands[0]).element, &ordered(&[rows, columns]));
        let mut width = 1;
        let (right, last) = match kind {
            Matrix::Solve(_) => {
                let view = self.operand(node, 1)?;
                let operand = graph.node(node.operands[1]);
                let sides: Vec<Axis> = view
                    .order(&operand.axes.without(rows))
                    .into_iter()
                    .filter(|axis| !batch.contains(axis))
                    .collect();
                width = count(sides.iter().copied(), self.axes);
                let with =
                    |first: Axis| -> Vec<Axis> { std::iter::once(first).chain(sides.clone()).collect() };
                let right = self.packed(&view, operand.element, &ordered(&with(rows)));
                (Some(right.buffer), with(columns))
            }
            Matrix::Cholesky => (None, vec![rows, columns]),
            Matrix::Assignment => (None, vec![rows]),
            _ => (None, into.to_vec()),
        };
        let to = self.dense(node.element, &ordered(&last));
        self.kernels.push(Kernel::Matrix {
            node: id,
            kind,
            batch: count(batch.iter().copied(), self.axes),
            rows: self.axes.size(rows),
            columns: self.axes.size(columns),
            width,
            from: from.buffer,
            right,
            to: to.buffer,
        });
        Ok(to)
    }
}
