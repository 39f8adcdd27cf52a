//! Derivatives of many items at once, each by itself: of a value with axes, along which a function was lifted, by what all
//! items may share.
//!
//! Where nothing on the way from a shared value to the result brings items together, the adjoint of the result is that of
//! every item, and is just not summed along the items' axes. Otherwise the items get axes of their own: the adjoint of item
//! i is 1 at position i and 0 elsewhere.

use super::Graph;
use super::axis::{Axis, AxisSet};
use super::node::{Element, NodeId};
use super::op::{Op, TypeError};

impl Graph {
    /// For each position along `items`, axes of `output`: the gradient of the value there by each of `wrt`. The gradients have
    /// these axes besides those of their nodes; along an axis that both have, item i has its own position i.
    pub fn gradient_of_items(
        &mut self,
        output: NodeId,
        wrt: &[NodeId],
        items: &AxisSet,
    ) -> Result<Vec<NodeId>, TypeError> {
        if items.is_empty() {
            return self.gradient(output, wrt);
        }
        let found = match self.brings_together(output, wrt, items) {
            false => self.kept_apart(items, |g| g.gradient(output, wrt))?,
            true => self.gradient_item_by_item(output, wrt, items)?,
        };
        found.into_iter().map(|gradient| self.broadcast(gradient, items)).collect()
    }

    /// Differentiates without summing adjoints along `axes`.
    fn kept_apart<T>(&mut self, axes: &AxisSet, run: impl FnOnce(&mut Graph) -> T) -> T {
        let before = std::mem::replace(&mut self.apart, axes.clone());
        let result = run(self);
        self.apart = before;
        result
    }

    /// Whether something on the way from one of `wrt` to `output` mixes positions along `items`.
    fn brings_together(&self, output: NodeId, wrt: &[NodeId], items: &AxisSet) -> bool {
        let from = self.differentiable_from(wrt, output);
        let reached = self.reached_by_gradients(&[output]);
        (0..=output.0).map(NodeId).any(|id| {
            let number = id.0 as usize;
            let on_the_way = from[number] && reached[number] && !wrt.contains(&id);
            on_the_way && self.mixes(id, items)
        })
    }

    fn gradient_item_by_item(
        &mut self,
        output: NodeId,
        wrt: &[NodeId],
        items: &AxisSet,
    ) -> Result<Vec<NodeId>, TypeError> {
        let mut seed = self.float(1.0)?;
        let mut pairs: Vec<(Axis, Axis)> = Vec::new();
        for axis in items.iter() {
            let own = self.beyond_all_loops(axis);
            let (here, there) = (self.iota(axis)?, self.iota(own)?);
            let same = self.equal(here, there)?;
            let same = self.add(Op::Cast(Element::Float), &[same], self.span)?;
            seed = self.mul(seed, same)?;
            pairs.push((axis, own));
        }
        let axes: AxisSet = pairs.iter().map(|(_, own)| *own).collect();
        let mut found = self.kept_apart(&axes, |g| g.gradient_from(output, seed, wrt))?;
        for gradient in &mut found {
            for (axis, own) in &pairs {
                let has = &self.node(*gradient).axes;
                *gradient = match (has.contains(*own), has.contains(*axis)) {
                    (false, _) => *gradient,
                    (true, false) => self.rename(*gradient, *own, *axis)?,
                    (true, true) => {
                        let here = self.iota(*axis)?;
                        self.gather(*gradient, *own, here)?
                    }
                };
            }
        }
        Ok(found)
    }

    /// An axis of the same size, with a number that no loop uses for an axis of its own.
    fn beyond_all_loops(&mut self, axis: Axis) -> Axis {
        let (name, size) = (self.axes.name(axis).to_owned(), self.axes.size(axis));
        let known = self.largest_table();
        while self.axes.len() < known {
            self.axes.add("", 1);
        }
        self.axes.add(name, size)
    }

    /// How many axes this graph or a loop in it knows.
    fn largest_table(&self) -> usize {
        let of_loops = self.nodes.iter().map(|node| match &node.op {
            Op::Scan { body, .. } => body.0.graph.largest_table(),
            _ => 0,
        });
        of_loops.fold(self.axes.len(), usize::max)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::InputId;

    fn setting() -> (Graph, Axis, NodeId, NodeId) {
        let mut g = Graph::new();
        let row = g.axes.add("Row", 3);
        let x = g.input(InputId(0), Element::Float, AxisSet::from(&[row][..]));
        let w = g.input(InputId(1), Element::Float, AxisSet::new());
        (g, row, x, w)
    }

    #[test]
    fn items_that_never_meet_cost_one_pass() -> Result<(), TypeError> {
        let (mut g, row, x, w) = setting();
        let y = g.mul(x, w)?;
        let found = g.gradient_of_items(y, &[w], &AxisSet::from(&[row][..]))?;
        assert_eq!(found, vec![x]);
        Ok(())
    }

    #[test]
    fn items_that_met_before_are_taken_apart() -> Result<(), TypeError> {
        let (mut g, row, x, w) = setting();
        let product = g.mul(x, w)?;
        let sum = g.sum(product, &[row])?;
        let y = g.mul(sum, x)?;
        let items = AxisSet::from(&[row][..]);
        let found = g.gradient_of_items(y, &[w, x], &items)?;
        assert!(found.iter().all(|id| g.node(*id).axes == items));
        assert!(g.brings_together(y, &[w], &items));
        Ok(())
    }
}
