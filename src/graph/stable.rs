//! Forms that neither overflow nor lose digits, put in the place of naive ones as nodes are added, so that their
//! derivatives are stable too.
//!
//! In: the operand of a logarithm or the operands of a quotient. Out: the stable form, if there is one.

use super::Graph;
use super::axis::AxisSet;
use super::node::NodeId;
use super::op::{Binary, Op, Reduction, TypeError, Unary};

type Stable = Result<Option<NodeId>, TypeError>;

/// log(x).
pub fn log(g: &mut Graph, x: NodeId) -> Stable {
    let node = g.node(x).clone();
    match &node.op {
        Op::Unary(Unary::Exp) => Ok(Some(node.operands[0])),
        // log(sigmoid(z)) = -softplus(-z).
        Op::Unary(Unary::Sigmoid) => {
            let minus = g.neg(node.operands[0])?;
            let softplus = softplus(g, minus)?;
            g.neg(softplus).map(Some)
        }
        Op::Binary(Binary::Subtract) if g.float_literal(node.operands[0]) == Some(1.0) => {
            let rest = g.node(node.operands[1]).clone();
            match rest.op {
                // log(1 - sigmoid(z)) = -softplus(z).
                Op::Unary(Unary::Sigmoid) => {
                    let softplus = softplus(g, rest.operands[0])?;
                    g.neg(softplus).map(Some)
                }
                _ => {
                    let minus = g.neg(node.operands[1])?;
                    g.log1p(minus).map(Some)
                }
            }
        }
        Op::Binary(Binary::Add) => {
            for (one, other) in [(0, 1), (1, 0)] {
                if g.float_literal(node.operands[one]) == Some(1.0) {
                    return g.log1p(node.operands[other]).map(Some);
                }
            }
            Ok(None)
        }
        // log of a softmax: both sides alone are stable.
        Op::Binary(Binary::Divide) if exponent(g, node.operands[0]).is_some() => {
            let (above, below) = (g.log(node.operands[0])?, g.log(node.operands[1])?);
            g.sub(above, below).map(Some)
        }
        Op::Reduce(Reduction::Sum, axes) => match exponent(g, node.operands[0]) {
            Some(z) if !is_shifted(g, z) => {
                let (exp, largest) = shifted_exp(g, z, axes)?;
                let sum = g.sum(exp, axes.as_slice())?;
                let log = g.log(sum)?;
                g.plus(log, largest).map(Some)
            }
            _ => Ok(None),
        },
        _ => Ok(None),
    }
}

/// log(1 + x): of exp(z), the softplus of z.
pub fn log1p(g: &mut Graph, x: NodeId) -> Stable {
    match exponent(g, x) {
        // The stable form itself: exp(-|z|) does not overflow.
        Some(z)
            if matches!(g.node(z).op, Op::Unary(Unary::Negate)) && is_absolute(g, g.node(z).operands[0]) =>
        {
            Ok(None)
        }
        Some(z) => softplus(g, z).map(Some),
        None => Ok(None),
    }
}

/// exp(z) / sum(exp(z)): softmax, with the largest taken off first.
pub fn divide(g: &mut Graph, a: NodeId, b: NodeId) -> Stable {
    let Some(z) = exponent(g, a) else { return Ok(None) };
    let Op::Reduce(Reduction::Sum, axes) = g.node(b).op.clone() else { return Ok(None) };
    if g.node(b).operands[0] != a || is_shifted(g, z) {
        return Ok(None);
    }
    let (exp, _) = shifted_exp(g, z, &axes)?;
    let sum = g.sum(exp, axes.as_slice())?;
    g.div(exp, sum).map(Some)
}

/// max(z, 0) + log1p(exp(-|z|)).
fn softplus(g: &mut Graph, z: NodeId) -> Result<NodeId, TypeError> {
    let zero = g.float(0.0)?;
    let positive = g.max(z, zero)?;
    let absolute = g.abs(z)?;
    let minus = g.neg(absolute)?;
    let small = g.exp(minus)?;
    let rest = g.log1p(small)?;
    g.plus(positive, rest)
}

/// exp(z - m) and m, the largest of z over the axes, kept finite so that a set of -inf alone has the sum zero.
fn shifted_exp(g: &mut Graph, z: NodeId, axes: &AxisSet) -> Result<(NodeId, NodeId), TypeError> {
    let largest = g.reduce(Reduction::Max, z, axes.as_slice())?;
    let (low, high) = (g.float(-1e30)?, g.float(1e30)?);
    let largest = g.max(largest, low)?;
    let largest = g.min(largest, high)?;
    let largest = g.stop(largest)?;
    let shifted = g.sub(z, largest)?;
    Ok((g.exp(shifted)?, largest))
}

/// z where the node is exp(z).
fn exponent(g: &Graph, x: NodeId) -> Option<NodeId> {
    matches!(g.node(x).op, Op::Unary(Unary::Exp)).then(|| g.node(x).operands[0])
}

/// Whether something that no derivative flows through was taken off already.
fn is_shifted(g: &Graph, z: NodeId) -> bool {
    let node = g.node(z);
    matches!(node.op, Op::Binary(Binary::Subtract))
        && matches!(g.node(node.operands[1]).op, Op::Stop | Op::Reduce(Reduction::Max, _))
}

/// Whether the operation's result is never negative, so that the builder takes no absolute value of it.
fn is_absolute(g: &Graph, x: NodeId) -> bool {
    matches!(g.node(x).op, Op::Unary(Unary::Abs | Unary::Exp | Unary::Sigmoid | Unary::Sqrt))
}
