//! A value put at one position of an axis, and zero elsewhere, is a choice element by element: it needs no array of zeros that is
//! written to at places, and it joins the element-wise operations around it.
//!
//! In: `scatter` of sums where every row has one index. Out: `select(index = position, value, 0)`. Only where a `gather` of the program
//! takes the same index along the same axis: that one reports an index outside. The sum over these positions is the value itself.

use std::collections::{HashMap, HashSet};

use super::rebuild;
use crate::graph::{Axis, Compare, Element, NodeId, Op, Program, Reduction, TypeError};

/// Positions of the axis, at most: an array of zeros is cheaper for a few values among very many.
const MOST: usize = 1 << 14;

pub fn run(program: &Program) -> Result<Program, TypeError> {
    let live = super::live(program);
    let mut taken: HashSet<(NodeId, Axis)> = HashSet::new();
    for (node, live) in program.graph.nodes.iter().zip(live) {
        if let (Op::Gather { axis }, true) = (&node.op, live) {
            taken.insert((node.operands[1], *axis));
        }
    }
    let old = &program.graph;
    // The values that were put at places, and the axis of these.
    let mut spread: HashMap<NodeId, (NodeId, Axis)> = HashMap::new();
    rebuild(program, false, &mut |graph, _, node, operands| {
        if let Op::Reduce(Reduction::Sum, over) = &node.op {
            let value = spread.get(&operands[0]).filter(|(_, axis)| over.as_slice() == [*axis]);
            return value.map(|(value, _)| graph.broadcast(*value, &node.axes)).transpose();
        }
        let Op::Scatter { over, into, reduction: Reduction::Sum } = &node.op else { return Ok(None) };
        let known = taken.contains(&(node.operands[1], *into));
        let fits = node.element == Element::Float && old.axes.size(*into) <= MOST;
        if !over.is_empty() || !known || !fits {
            return Ok(None);
        }
        let position = graph.iota(*into)?;
        let index = graph.broadcast(operands[1], &node.axes)?;
        let position = graph.broadcast(position, &node.axes)?;
        let is_here = graph.compare(Compare::Equal, index, position)?;
        let value = graph.broadcast(operands[0], &node.axes)?;
        let zero = graph.float(0.0)?;
        let zero = graph.broadcast(zero, &node.axes)?;
        let choice = graph.select(is_here, value, zero)?;
        spread.insert(choice, (operands[0], *into));
        Ok(Some(choice))
    })
}
