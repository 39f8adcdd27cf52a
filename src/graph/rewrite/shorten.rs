//! Shorter ways to the same value: chains of the same movement or reduction become one operation, and movements of
//! values that are constant along an axis go.

use super::{rebuild, uses};
use crate::graph::Graph;
use crate::graph::node::{Node, NodeId, Program};
use crate::graph::op::{Op, Reduction, TypeError};

pub fn run(program: &Program) -> Result<Program, TypeError> {
    let uses = uses(program);
    rebuild(program, false, &mut |graph, _, node, operands| {
        let single = node.operands.first().is_some_and(|id| uses[id.0 as usize] == 1);
        shorten(graph, node, operands, single)
    })
}

/// `single`: this node is the only use of its first operand.
fn shorten(
    g: &mut Graph,
    node: &Node,
    operands: &[NodeId],
    single: bool,
) -> Result<Option<NodeId>, TypeError> {
    let Some(x) = operands.first() else { return Ok(None) };
    let inner = g.node(*x).clone();
    Ok(match (&node.op, &inner.op) {
        // A reduction of a reduction; not where the inner one is needed anyhow.
        (Op::Reduce(outer, axes), Op::Reduce(kind, first)) if outer == kind && single => {
            Some(g.reduce(*outer, inner.operands[0], axes.union(first).as_slice())?)
        }
        // Sums over one axis of a renamed value: sum first, then nothing is left to rename.
        (Op::Reduce(kind, axes), Op::Rename { from, to }) if axes.contains(*to) => {
            Some(g.reduce(*kind, inner.operands[0], axes.without(*to).with(*from).as_slice())?)
        }
        // A slice of a slice along the same axis.
        (
            Op::Slice { axis: of, into, start, step },
            Op::Slice { axis, into: cut, start: first, step: stride },
        ) if of == cut => {
            let start = *first as isize + *start as isize * stride;
            Some(g.slice(inner.operands[0], *axis, *into, start.max(0) as usize, stride * step)?)
        }
        // The sum over all groups is the sum over all; a group's axis alone, as what one index picked spreads over.
        (Op::Reduce(Reduction::Sum, axes), Op::Scatter { over, into, reduction: Reduction::Sum })
            if axes.contains(*into) =>
        {
            Some(g.sum(inner.operands[0], axes.without(*into).union(over).as_slice())?)
        }
        // The sum of what was padded or taken apart along the summed axis is the sum of the whole.
        (Op::Reduce(Reduction::Sum, axes), Op::Pad { axis, into, .. }) if axes.contains(*into) => {
            Some(g.sum(inner.operands[0], axes.without(*into).with(*axis).as_slice())?)
        }
        (Op::Reduce(kind, axes), Op::Unflatten { axis, into })
            if into.iter().all(|part| axes.contains(*part)) =>
        {
            let mut whole = axes.with(*axis);
            into.iter().for_each(|part| whole.remove(*part));
            Some(g.reduce(*kind, inner.operands[0], whole.as_slice())?)
        }
        _ => None,
    })
}
