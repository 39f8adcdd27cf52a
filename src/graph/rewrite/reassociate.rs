//! Literals meet: (x * 2) * 3 is x * 6, (x + 2) + 3 is x + 5, (x * 2) / 3 is x * (2 / 3), through negations too.

use super::{rebuild, uses};
use crate::graph::Graph;
use crate::graph::node::{NodeId, Program};
use crate::graph::op::{Binary, Op, TypeError, Unary};

pub fn run(program: &Program) -> Result<Program, TypeError> {
    let uses = uses(program);
    rebuild(program, false, &mut |graph, _, node, operands| {
        // Where the inner value is needed anyhow there is nothing to save.
        if node.operands.iter().any(|id| uses[id.0 as usize] > 1 && program.graph.literal(*id).is_none()) {
            return Ok(None);
        }
        match node.op {
            Op::Binary(Binary::Multiply | Binary::Divide) | Op::Unary(Unary::Negate) => {
                let (factor, rest) = factor(graph, &node.op, operands);
                let (inner, rest) = match rest {
                    Some(rest) => {
                        let inner = graph.node(rest).clone();
                        self::factor(graph, &inner.op, &inner.operands)
                    }
                    None => return Ok(None),
                };
                match (factor, inner, rest) {
                    (Some(a), Some(b), Some(rest)) => graph.scale(rest, a * b).map(Some),
                    _ => Ok(None),
                }
            }
            Op::Binary(Binary::Add | Binary::Subtract) => {
                let Some((a, rest)) = term(graph, &node.op, operands) else { return Ok(None) };
                let inner = graph.node(rest).clone();
                let Some((b, rest)) = term(graph, &inner.op, &inner.operands) else { return Ok(None) };
                let sum = graph.float(a + b)?;
                graph.plus(rest, sum).map(Some)
            }
            _ => Ok(None),
        }
    })
}

/// A product with a literal: the literal and the rest.
fn factor(g: &Graph, op: &Op, operands: &[NodeId]) -> (Option<f64>, Option<NodeId>) {
    match (op, operands) {
        (Op::Unary(Unary::Negate), [x]) => (Some(-1.0), Some(*x)),
        (Op::Binary(Binary::Multiply), [a, b]) => match (g.float_literal(*a), g.float_literal(*b)) {
            (Some(literal), _) => (Some(literal), Some(*b)),
            (_, Some(literal)) => (Some(literal), Some(*a)),
            _ => (None, None),
        },
        (Op::Binary(Binary::Divide), [a, b]) => match g.float_literal(*b) {
            Some(literal) if literal != 0.0 => (Some(1.0 / literal), Some(*a)),
            _ => (None, None),
        },
        _ => (None, None),
    }
}

/// A sum with a literal: the literal and the rest, which is added.
fn term(g: &Graph, op: &Op, operands: &[NodeId]) -> Option<(f64, NodeId)> {
    match (op, operands) {
        (Op::Binary(Binary::Add), [a, b]) => match (g.float_literal(*a), g.float_literal(*b)) {
            (Some(literal), _) => Some((literal, *b)),
            (_, Some(literal)) => Some((literal, *a)),
            _ => None,
        },
        (Op::Binary(Binary::Subtract), [a, b]) => g.float_literal(*b).map(|literal| (-literal, *a)),
        _ => None,
    }
}
