//! Half precision. In: a program whose contractions are recognised, backward ones too. Out: their factors are rounded to
//! the program's format; products are still summed in f32, and everything else is as it was.
//!
//! A value is rounded once, whatever the number of contractions that use it, and before it is repeated or windowed:
//! what a window shows nine times is rounded once. What is a number of the format anyhow is not rounded at all.

use super::rebuild;
use crate::graph::Graph;
use crate::graph::node::{Element, NodeId, Precision, Program};
use crate::graph::op::{Binary, Half, Op, TypeError, Unary};

pub fn run(program: &Program) -> Result<Program, TypeError> {
    let Some(half) = program.factors.filter(|_| program.precision == Precision::Single) else {
        return Ok(program.clone());
    };
    rebuild(program, false, &mut |graph, _, node, operands| {
        let Op::Contract { axes, factors: None } = &node.op else { return Ok(None) };
        let (a, b) = (rounded(graph, half, operands[0])?, rounded(graph, half, operands[1])?);
        graph.add(Op::Contract { axes: axes.clone(), factors: Some(half) }, &[a, b], node.span).map(Some)
    })
}

/// The value, rounded.
pub(super) fn rounded(g: &mut Graph, half: Half, id: NodeId) -> Result<NodeId, TypeError> {
    if is_exact(g, half, id, DEEPEST) {
        return Ok(id);
    }
    let (op, first, span) = (g.node(id).op.clone(), g.node(id).operands.first().copied(), g.node(id).span);
    match (&op, first) {
        // The others may leave out most of their operand.
        (
            Op::Broadcast(_)
            | Op::Rename { .. }
            | Op::Pad { .. }
            | Op::Window { .. }
            | Op::Flatten { .. }
            | Op::Unflatten { .. },
            Some(x),
        ) => {
            let x = rounded(g, half, x)?;
            g.add(op, &[x], span)
        }
        // Derivatives are there already.
        (Op::Stop, Some(x)) => rounded(g, half, x),
        _ => g.unary(Unary::Round(half), id),
    }
}

/// How far back to look for what makes a value exact.
const DEEPEST: usize = 8;

/// Whether the value is a number of the format by what it is computed from.
fn is_exact(g: &Graph, half: Half, id: NodeId, depth: usize) -> bool {
    let node = g.node(id);
    let operand = |at: usize| depth > 0 && is_exact(g, half, node.operands[at], depth - 1);
    if let Some(value) = g.float_literal(id) {
        return f64::from(half.round(value as f32)) == value;
    }
    match &node.op {
        // 0 or 1.
        Op::Cast(Element::Float) => g.node(node.operands[0]).element == Element::Bool,
        Op::Unary(Unary::Sign) => true,
        Op::Unary(Unary::Round(known)) => *known == half,
        Op::Unary(Unary::Negate | Unary::Abs) | Op::Stop | Op::Check(_) => operand(0),
        Op::Binary(Binary::Max | Binary::Min) => operand(0) && operand(1),
        Op::Select => operand(1) && operand(2),
        Op::Concat { .. } => (0..node.operands.len()).all(operand),
        op if op.is_movement() => operand(0),
        _ => false,
    }
}
