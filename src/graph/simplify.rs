//! Simplifications made as nodes are added. In: a typed operation. Out: a node that says the same with less, if one
//! is obvious.
//!
//! Each holds for every value, infinities and NaN included (but for the sign of zero). Broadcasts move outwards, past
//! the element-wise operations, so that nothing is computed more often than its values differ.

use super::axis::AxisSet;
use super::node::{Element, NodeId};
use super::op::elementwise::{binary_value, index_value, unary_value};
use super::op::logic::compare_value;
use super::op::{Binary, Logic, Op, Reduction, Type, TypeError, Unary};
use super::{Graph, stable};

type Simpler = Result<Option<NodeId>, TypeError>;

/// A scalar literal.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Literal {
    Float(f64),
    Index(i32),
    Bool(bool),
}

impl Graph {
    /// The literal that a node is, not looking through anything.
    pub fn literal(&self, id: NodeId) -> Option<Literal> {
        match self.node(id).op {
            Op::Float(bits) => Some(Literal::Float(f64::from_bits(bits))),
            Op::Index(index) => Some(Literal::Index(index)),
            Op::Bool(value) => Some(Literal::Bool(value)),
            _ => None,
        }
    }

    pub fn float_literal(&self, id: NodeId) -> Option<f64> {
        match self.literal(id) {
            Some(Literal::Float(value)) => Some(value),
            _ => None,
        }
    }
}

pub fn simplify(g: &mut Graph, op: &Op, operands: &[NodeId], ty: &Type) -> Simpler {
    if op.is_elementwise()
        && let Some(id) = hoist_broadcast(g, op, operands, ty)?
    {
        return Ok(Some(id));
    }
    let first = operands.first().copied();
    let simpler = match (op, first) {
        (Op::Unary(unary), Some(x)) => unary_rule(g, *unary, x)?,
        (Op::Binary(binary), Some(a)) => binary_rule(g, *binary, a, operands[1])?,
        (Op::Compare(compare), Some(a)) => match (g.literal(a), g.literal(operands[1])) {
            (Some(a), Some(b)) => compare_literals(*compare, a, b).map(|value| g.bool(value)).transpose()?,
            _ => None,
        },
        (Op::Logic(logic), Some(a)) => logic_rule(g, *logic, a, operands[1]),
        (Op::Not, Some(x)) => match (g.literal(x), &g.node(x).op) {
            (Some(Literal::Bool(value)), _) => Some(g.bool(!value)?),
            (_, Op::Not) => Some(g.node(x).operands[0]),
            _ => None,
        },
        (Op::Select, Some(condition)) => match g.literal(condition) {
            Some(Literal::Bool(true)) => Some(operands[1]),
            Some(Literal::Bool(false)) => Some(operands[2]),
            _ if operands[1] == operands[2] => Some(operands[1]),
            _ => None,
        },
        (Op::Cast(element), Some(x)) => cast_rule(g, *element, x)?,
        (Op::Reduce(reduction, axes), Some(x)) => reduce_rule(g, *reduction, axes, x)?,
        (Op::Stop, Some(x)) if matches!(g.node(x).op, Op::Stop | Op::Float(_)) => Some(x),
        (Op::Check(_), Some(x)) if g.literal(operands[1]) == Some(Literal::Bool(true)) => Some(x),
        (_, Some(x)) => shape_rule(g, op, operands, x)?,
        (_, None) => None,
    };
    // A simpler operand may lack axes that the operation would have united.
    match simpler {
        Some(id) if g.node(id).axes != ty.axes => g.broadcast(id, &ty.axes).map(Some),
        other => Ok(other),
    }
}

/// f(broadcast(x), y) is broadcast(f(x, y)) over the axes that the result then lacks.
fn hoist_broadcast(g: &mut Graph, op: &Op, operands: &[NodeId], ty: &Type) -> Simpler {
    let mut inner: Vec<NodeId> = operands.to_vec();
    for operand in &mut inner {
        // One along nothing is a variable, see `Graph::variable`.
        if let Op::Broadcast(added) = &g.node(*operand).op
            && !added.is_empty()
        {
            *operand = g.node(*operand).operands[0];
        }
    }
    if inner == operands {
        return Ok(None);
    }
    let span = g.span;
    let id = g.add(op.clone(), &inner, span)?;
    g.broadcast(id, &ty.axes).map(Some)
}

fn unary_rule(g: &mut Graph, unary: Unary, x: NodeId) -> Simpler {
    if let Some(value) = g.float_literal(x) {
        return g.float(unary_value(unary, value)).map(Some);
    }
    match unary {
        Unary::Log => return stable::log(g, x),
        Unary::Log1p => return stable::log1p(g, x),
        _ => {}
    }
    let node = g.node(x);
    Ok(match (unary, &node.op) {
        (Unary::Negate, Op::Unary(Unary::Negate)) => Some(node.operands[0]),
        (Unary::Negate, Op::Binary(Binary::Subtract)) if node.element == Element::Float => {
            let (a, b) = (node.operands[0], node.operands[1]);
            Some(g.sub(b, a)?)
        }
        (Unary::Abs, Op::Unary(Unary::Abs | Unary::Exp | Unary::Sigmoid | Unary::Sqrt)) => Some(x),
        (Unary::Abs, Op::Unary(Unary::Negate)) => {
            let inner = node.operands[0];
            Some(g.abs(inner)?)
        }
        (Unary::Sign | Unary::Floor | Unary::Round(_), Op::Unary(inner)) if *inner == unary => Some(x),
        _ => None,
    })
}

fn binary_rule(g: &mut Graph, binary: Binary, a: NodeId, b: NodeId) -> Simpler {
    match (g.literal(a), g.literal(b)) {
        (Some(Literal::Float(x)), Some(Literal::Float(y))) => {
            return g.float(binary_value(binary, x, y)).map(Some);
        }
        (Some(Literal::Index(x)), Some(Literal::Index(y))) => {
            return index_value(binary, x, y).map(|value| g.index(value)).transpose();
        }
        (Some(Literal::Index(0)), _) if binary == Binary::Add => return Ok(Some(b)),
        (_, Some(Literal::Index(0))) if matches!(binary, Binary::Add | Binary::Subtract) => {
            return Ok(Some(a));
        }
        (Some(Literal::Index(1)), _) if binary == Binary::Multiply => return Ok(Some(b)),
        (_, Some(Literal::Index(1))) if binary == Binary::Multiply => return Ok(Some(a)),
        _ => {}
    }
    if g.node(a).element != Element::Float {
        return Ok(None);
    }
    if let Some(literal) = g.float_literal(a)
        && let Some(id) = literal_left(g, binary, literal, b)?
    {
        return Ok(Some(id));
    }
    if let Some(literal) = g.float_literal(b)
        && let Some(id) = literal_right(g, binary, a, literal)?
    {
        return Ok(Some(id));
    }
    if binary == Binary::Divide
        && let Some(id) = stable::divide(g, a, b)?
    {
        return Ok(Some(id));
    }
    negations(g, binary, a, b)
}

/// `literal op x`.
fn literal_left(g: &mut Graph, binary: Binary, literal: f64, x: NodeId) -> Simpler {
    match binary {
        Binary::Add | Binary::Multiply => literal_right(g, binary, x, literal),
        Binary::Subtract if literal == 0.0 => g.neg(x).map(Some),
        Binary::Divide if literal == 1.0 => g.reciprocal(x).map(Some),
        _ => Ok(None),
    }
}

/// `x op literal`.
fn literal_right(g: &mut Graph, binary: Binary, x: NodeId, literal: f64) -> Simpler {
    match binary {
        Binary::Add | Binary::Subtract if literal == 0.0 => Ok(Some(x)),
        Binary::Multiply | Binary::Divide if literal == 1.0 => Ok(Some(x)),
        Binary::Multiply | Binary::Divide if literal == -1.0 => g.neg(x).map(Some),
        // The reciprocal of a power of two is exact, and so is multiplying by it.
        Binary::Divide
            if literal.is_normal()
                && literal.to_bits() << 12 == 0
                && literal.abs() < 1e30
                && literal.abs() > 1e-30 =>
        {
            let factor = g.float(1.0 / literal)?;
            g.mul(x, factor).map(Some)
        }
        Binary::Power if literal == 0.0 => g.float(1.0).map(Some),
        Binary::Power if literal == 1.0 => Ok(Some(x)),
        Binary::Power if literal == 2.0 => g.mul(x, x).map(Some),
        Binary::Power if literal == 3.0 => {
            let square = g.mul(x, x)?;
            g.mul(square, x).map(Some)
        }
        Binary::Power if literal == 0.5 => g.sqrt(x).map(Some),
        Binary::Power if literal == -1.0 => g.reciprocal(x).map(Some),
        _ => Ok(None),
    }
}

/// Negated operands: the negation moves outwards or is absorbed.
fn negations(g: &mut Graph, binary: Binary, a: NodeId, b: NodeId) -> Simpler {
    let negated = |g: &Graph, id: NodeId| match g.node(id).op {
        Op::Unary(Unary::Negate) => Some(g.node(id).operands[0]),
        _ => None,
    };
    let (minus_a, minus_b) = (negated(g, a), negated(g, b));
    match (binary, minus_a, minus_b) {
        (Binary::Add, _, Some(b)) => g.sub(a, b).map(Some),
        (Binary::Add, Some(a), None) => g.sub(b, a).map(Some),
        (Binary::Subtract, _, Some(b)) => g.plus(a, b).map(Some),
        (Binary::Multiply | Binary::Divide, Some(a), Some(b)) => g.binary(binary, a, b).map(Some),
        (Binary::Multiply | Binary::Divide, Some(a), None) => {
            let product = g.binary(binary, a, b)?;
            g.neg(product).map(Some)
        }
        (Binary::Multiply | Binary::Divide, None, Some(b)) => {
            let product = g.binary(binary, a, b)?;
            g.neg(product).map(Some)
        }
        (Binary::Max | Binary::Min, ..) if a == b => Ok(Some(a)),
        _ => Ok(None),
    }
}

fn compare_literals(compare: super::Compare, a: Literal, b: Literal) -> Option<bool> {
    let number = |literal| match literal {
        Literal::Float(value) => value,
        Literal::Index(value) => f64::from(value),
        Literal::Bool(value) => f64::from(u8::from(value)),
    };
    Some(compare_value(compare, number(a), number(b)))
}

fn logic_rule(g: &Graph, logic: Logic, a: NodeId, b: NodeId) -> Option<NodeId> {
    // The literal that leaves the other operand as it is.
    let neutral = Literal::Bool(logic == Logic::And);
    match (g.literal(a), g.literal(b)) {
        (Some(literal), _) => Some(if literal == neutral { b } else { a }),
        (_, Some(literal)) => Some(if literal == neutral { a } else { b }),
        _ if a == b => Some(a),
        _ => None,
    }
}

fn cast_rule(g: &mut Graph, element: Element, x: NodeId) -> Simpler {
    if g.node(x).element == element {
        return Ok(Some(x));
    }
    match (element, g.literal(x)) {
        (Element::Float, Some(Literal::Index(value))) => g.float(f64::from(value)).map(Some),
        (Element::Float, Some(Literal::Bool(value))) => g.float(f64::from(u8::from(value))).map(Some),
        (Element::Index, Some(Literal::Float(value))) => g.index(value as i32).map(Some),
        (Element::Index, Some(Literal::Bool(value))) => g.index(i32::from(value)).map(Some),
        _ => Ok(None),
    }
}

/// A reduction over nothing, or over an axis along which the value is constant.
fn reduce_rule(g: &mut Graph, reduction: Reduction, axes: &AxisSet, x: NodeId) -> Simpler {
    if axes.is_empty() {
        return Ok(Some(x));
    }
    let Op::Broadcast(added) = g.node(x).op.clone() else { return Ok(None) };
    let inner = g.node(x).operands[0];
    let constant = axes.intersection(&added);
    let count = g.elements(&constant);
    if constant.is_empty() || count == 0 {
        return Ok(None);
    }
    let reduced = g.reduce(reduction, inner, axes.minus(&added).as_slice())?;
    let repeated = match reduction {
        Reduction::Sum => {
            let count = g.float(count as f64)?;
            g.mul(reduced, count)?
        }
        Reduction::Product => {
            let count = g.float(count as f64)?;
            g.pow(reduced, count)?
        }
        _ => reduced,
    };
    Ok(Some(repeated))
}

/// Operations that move values and here move nothing, or that combine with the operand's.
fn shape_rule(g: &mut Graph, op: &Op, operands: &[NodeId], x: NodeId) -> Simpler {
    let node = g.node(x).clone();
    Ok(match op {
        Op::Broadcast(axes) if axes.is_empty() => Some(x),
        Op::Broadcast(axes) => match &node.op {
            Op::Broadcast(inner) if !inner.is_empty() => {
                let all = axes.union(inner).union(&g.node(node.operands[0]).axes);
                Some(g.broadcast(node.operands[0], &all)?)
            }
            _ => None,
        },
        Op::Rename { from, to } if from == to => Some(x),
        Op::Rename { from, to } => match &node.op {
            Op::Iota(_) => Some(g.iota(*to)?),
            Op::Rename { from: first, to: between } if between == from => {
                Some(g.rename(node.operands[0], *first, *to)?)
            }
            Op::Broadcast(added) if !added.is_empty() => {
                let inner = node.operands[0];
                let inner = if added.contains(*from) { inner } else { g.rename(inner, *from, *to)? };
                let all = node.axes.without(*from).with(*to);
                Some(g.broadcast(inner, &all)?)
            }
            _ => None,
        },
        Op::Slice { axis, into, start: 0, step: 1 } if g.axes.size(*axis) == g.axes.size(*into) => {
            Some(g.rename(x, *axis, *into)?)
        }
        Op::Pad { axis, into, before: 0, step: 1 } if g.axes.size(*axis) == g.axes.size(*into) => {
            Some(g.rename(x, *axis, *into)?)
        }
        Op::Concat { axes, into } if operands.len() == 1 => Some(g.rename(x, axes[0], *into)?),
        Op::Flatten { axes, into } if axes.len() == 1 => Some(g.rename(x, axes[0], *into)?),
        Op::Unflatten { axis, into } if into.len() == 1 => Some(g.rename(x, *axis, into[0])?),
        Op::Flatten { axes, into } => match &node.op {
            Op::Unflatten { axis, into: parts } if parts == axes => {
                Some(g.rename(node.operands[0], *axis, *into)?)
            }
            _ => None,
        },
        Op::Gather { axis } => gather_rule(g, *axis, x, operands[1])?,
        _ => None,
    })
}

/// A gather by the positions themselves is a renaming; a literal index must lie on the axis.
fn gather_rule(g: &mut Graph, axis: super::Axis, x: NodeId, index: NodeId) -> Simpler {
    match g.node(index).op {
        Op::Iota(other) if g.axes.size(other) == g.axes.size(axis) => {
            if other == axis || !g.node(x).axes.contains(other) {
                return g.rename(x, axis, other).map(Some);
            }
            Ok(None)
        }
        Op::Index(position) if position < 0 || position as usize >= g.axes.size(axis) => {
            Err(TypeError::OutOfRange {
                op: "gather",
                axis,
                position: position as isize,
                size: g.axes.size(axis),
            })
        }
        _ => Ok(None),
    }
}
