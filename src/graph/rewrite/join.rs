//! Sums of padded pieces. In: a sum whose terms are each zero but for a piece along one axis, as the adjoints of slices and
//! of picks at literal positions are. Out: the pieces joined end to end.
//!
//! The adjoint of a sequence that an unrolled loop reads step by step is such a sum: joined, it takes time linear in the
//! length, not quadratic.

use super::{rebuild, uses};
use crate::graph::axis::Axis;
use crate::graph::node::{Element, Node, NodeId, Program};
use crate::graph::op::{Binary, Op, Reduction, TypeError};
use crate::graph::{Graph, Literal};

/// Sums with fewer pieces stay: adding two is as cheap as joining them.
const FEWEST: usize = 3;

pub fn run(program: &Program) -> Result<Program, TypeError> {
    let old = &program.graph;
    let uses = uses(program);
    let is_inner = inner_sums(old, &uses);
    let mut new: Vec<NodeId> = vec![NodeId(u32::MAX); old.nodes.len()];
    rebuild(program, false, &mut |graph, id, node, operands| {
        for (old, now) in node.operands.iter().zip(operands) {
            new[old.0 as usize] = *now;
        }
        if !is_sum(node) || is_inner[id.0 as usize] {
            return Ok(None);
        }
        let mut terms = terms(old, id, &is_inner);
        let mut total: Option<NodeId> = None;
        while let Some(into) = most_pieces(old, &terms) {
            let along = |term: &NodeId| piece(old, *term).filter(|piece| piece.into == into);
            let pieces = terms.iter().filter_map(along).collect();
            terms.retain(|term| along(term).is_none());
            let Some(joined) = join(graph, old, pieces, into, &new)? else { return Ok(None) };
            let joined = graph.broadcast(joined, &node.axes)?;
            total = Some(match total {
                Some(total) => graph.plus(total, joined)?,
                None => joined,
            });
        }
        let Some(mut total) = total else { return Ok(None) };
        for term in terms {
            total = graph.plus(total, new[term.0 as usize])?;
        }
        Ok(Some(total))
    })
}

fn is_sum(node: &Node) -> bool {
    node.op == Op::Binary(Binary::Add) && node.element == Element::Float
}

/// Sums that are only a term of another sum over the same axes.
fn inner_sums(graph: &Graph, uses: &[usize]) -> Vec<bool> {
    let mut inner = vec![false; graph.nodes.len()];
    for node in graph.nodes.iter().filter(|node| is_sum(node)) {
        for operand in &node.operands {
            let term = graph.node(*operand);
            inner[operand.0 as usize] |=
                is_sum(term) && uses[operand.0 as usize] == 1 && term.axes == node.axes;
        }
    }
    inner
}

/// The terms of a sum, its inner sums opened, in order of their numbers.
fn terms(graph: &Graph, root: NodeId, is_inner: &[bool]) -> Vec<NodeId> {
    let mut open: Vec<NodeId> = graph.node(root).operands.to_vec();
    let mut terms = Vec::new();
    while let Some(id) = open.pop() {
        if is_inner[id.0 as usize] {
            open.extend(graph.node(id).operands.iter().copied());
        } else {
            terms.push(id);
        }
    }
    terms.sort_unstable();
    terms
}

/// A value at the positions from `start` of the axis `into`, and zero elsewhere.
struct Piece {
    into: Axis,
    start: usize,
    length: usize,
    value: NodeId,
    /// The value's axis that lies along `into`; none where its length is one and the axis is yet to be made.
    axis: Option<Axis>,
}

fn piece(graph: &Graph, id: NodeId) -> Option<Piece> {
    let node = graph.node(id);
    match &node.op {
        Op::Scatter { over, into, reduction: Reduction::Sum } if over.is_empty() => {
            let Some(Literal::Index(position)) = graph.literal(node.operands[1]) else { return None };
            let start = usize::try_from(position).ok().filter(|start| *start < graph.axes.size(*into))?;
            Some(Piece { into: *into, start, length: 1, value: node.operands[0], axis: None })
        }
        Op::Pad { axis, into, before, step } => {
            let length = graph.axes.size(*axis);
            let start = usize::try_from(*before).ok()?;
            let whole = (*step == 1 || length == 1) && length > 0 && node.element == Element::Float;
            whole.then_some(Piece { into: *into, start, length, value: node.operands[0], axis: Some(*axis) })
        }
        _ => None,
    }
}

/// The axis along which the most terms are pieces, if there are enough.
fn most_pieces(graph: &Graph, terms: &[NodeId]) -> Option<Axis> {
    let mut axes: Vec<Axis> =
        terms.iter().filter_map(|id| piece(graph, *id)).map(|piece| piece.into).collect();
    axes.sort_unstable();
    let longest = axes.chunk_by(|a, b| a == b).max_by_key(|same| same.len())?;
    (longest.len() >= FEWEST).then(|| longest[0])
}

/// The pieces end to end, with zeros between; none where two overlap without being at the same positions.
fn join(
    g: &mut Graph,
    old: &Graph,
    mut pieces: Vec<Piece>,
    into: Axis,
    new: &[NodeId],
) -> Result<Option<NodeId>, TypeError> {
    pieces.sort_by_key(|piece| piece.start);
    let size = old.axes.size(into);
    let unit = g.axes.add(old.axes.name(into).to_string(), 1);
    let mut parts: Vec<(NodeId, Axis)> = Vec::new();
    // The start and the end of the last part.
    let (mut last, mut end) = (usize::MAX, 0);
    for piece in pieces {
        let value = new[piece.value.0 as usize];
        let (value, axis) = match piece.axis {
            Some(axis) => (value, axis),
            None => (g.broadcast(value, &[unit][..].into())?, unit),
        };
        if piece.start == last && piece.start + piece.length == end {
            if let Some((sum, along)) = parts.last_mut() {
                let value = g.rename(value, axis, *along)?;
                *sum = g.plus(*sum, value)?;
            }
            continue;
        }
        if piece.start < end {
            return Ok(None);
        }
        gap(g, &mut parts, into, piece.start - end)?;
        parts.push((value, axis));
        (last, end) = (piece.start, piece.start + piece.length);
    }
    gap(g, &mut parts, into, size - end)?;
    g.concat(&parts, into).map(Some)
}

/// Zeros of a length.
fn gap(g: &mut Graph, parts: &mut Vec<(NodeId, Axis)>, like: Axis, length: usize) -> Result<(), TypeError> {
    if length > 0 {
        let axis = g.axes.add(g.axes.name(like).to_string(), length);
        let zero = g.float(0.0)?;
        parts.push((g.broadcast(zero, &[axis][..].into())?, axis));
    }
    Ok(())
}
