//! The derivative of a convolution by its input is a convolution too: of the derivative by its output, with zeros around it, and the
//! kernel back to front. So nothing is added up at places that overlap, and no array as large as all windows is made.
//!
//! In: windows of stride 1 put back along an axis, each of them a product in which one factor has the positions of the windows and the
//! other one those inside a window. Out: a product with windows of the first factor.

use super::{rebuild, uses};
use crate::graph::Graph;
use crate::graph::axis::Axis;
use crate::graph::node::{NodeId, Program};
use crate::graph::op::{Op, TypeError};

pub fn run(program: &Program) -> Result<Program, TypeError> {
    let uses = uses(program);
    rebuild(program, false, &mut |graph, _, node, operands| {
        let Op::Unwindow { axis, output, kernel, stride: 1, dilation, before } = node.op else {
            return Ok(None);
        };
        if uses[node.operands[0].0 as usize] != 1 {
            return Ok(None);
        }
        let product = graph.node(operands[0]);
        let Op::Contract { axes, factors: None } = &product.op else { return Ok(None) };
        let mut axes = axes.clone();
        let [a, b] = product.operands[..] else { return Ok(None) };
        let has = |id: NodeId, axis: Axis| graph.node(id).axes.contains(axis);
        let has_only = |id, inside, outside| has(id, inside) && !has(id, outside) && !has(id, axis);
        let (moving, fixed) = if has_only(a, output, kernel) && has_only(b, kernel, output) {
            (a, b)
        } else if has_only(b, output, kernel) && has_only(a, kernel, output) {
            (b, a)
        } else {
            return Ok(None);
        };
        let size = |axis: Axis| graph.axes.size(axis);
        let reach = dilation * size(kernel).saturating_sub(1);
        let (padded, Some(zeros)) = (size(axis) + reach, reach.checked_sub(before)) else { return Ok(None) };
        if size(kernel) == 0 || zeros + size(output) > padded {
            return Ok(None);
        }
        let (windows, inside) = windows(graph, moving, (output, axis), kernel, (padded, zeros, dilation))?;
        let last = graph.axes.size(kernel) - 1;
        let back_to_front = graph.slice(fixed, kernel, inside, last, -1)?;
        axes.insert(inside);
        graph.contract(windows, back_to_front, &axes).map(Some)
    })
}

/// Windows of a value with zeros around it along `from`, for each position of `into`; and their new axis, as long as `like`.
fn windows(
    graph: &mut Graph,
    value: NodeId,
    (from, into): (Axis, Axis),
    like: Axis,
    (padded, zeros, dilation): (usize, usize, usize),
) -> Result<(NodeId, Axis), TypeError> {
    let wide = graph.axes.add(graph.axes.name(from).to_string(), padded);
    let inside = graph.axes.add(graph.axes.name(like).to_string(), graph.axes.size(like));
    let value = pad(graph, value, (from, wide), zeros as isize)?;
    let window = Op::Window { axis: wide, output: into, kernel: inside, stride: 1, dilation, before: 0 };
    Ok((graph.window(window, value)?, inside))
}

/// Zeros around a value, put there before windows along other axes are made of it: windows are ways to look at an array, and zeros around
/// them would make them one.
fn pad(
    graph: &mut Graph,
    value: NodeId,
    (from, wide): (Axis, Axis),
    zeros: isize,
) -> Result<NodeId, TypeError> {
    let node = graph.node(value);
    match node.op {
        Op::Window { output, kernel, .. } if from != output && from != kernel => {
            let (op, below) = (node.op.clone(), node.operands[0]);
            let below = pad(graph, below, (from, wide), zeros)?;
            graph.window(op, below)
        }
        _ => graph.pad(value, from, wide, zeros, 1),
    }
}
