//! Arithmetic, element by element: one operand ([`Unary`]) and two ([`Binary`]).

use super::signature::{FLOAT, NUMBER, Signature, Type, TypeError};
use super::{Binary, Op, Unary};
use crate::graph::Graph;
use crate::graph::differentiate::Adjoints;
use crate::graph::fault::Fault;
use crate::graph::node::{Element, Node, NodeId};
use crate::graph::reference::Scope;
use smallvec::smallvec;

pub fn type_rule(s: &Signature) -> Result<Type, TypeError> {
    match s.op {
        Op::Binary(_) => {
            s.count(2)?;
            s.expect(0, NUMBER)?;
            s.expect(1, NUMBER)?;
            let element = s.same_element(0, 1)?;
            if element == Element::Index && matches!(s.op, Op::Binary(Binary::Power)) {
                s.expect(0, FLOAT)?;
            }
            Ok(Type::new(element, s.united()))
        }
        _ => {
            s.count(1)?;
            s.expect(0, FLOAT)?;
            Ok(Type::new(Element::Float, s.axes(0).clone()))
        }
    }
}

/// The meaning of each operation of one operand, in f64.
pub fn unary_value(unary: Unary, x: f64) -> f64 {
    match unary {
        Unary::Negate => -x,
        Unary::Exp => x.exp(),
        Unary::Log => x.ln(),
        Unary::Log1p => x.ln_1p(),
        Unary::Expm1 => x.exp_m1(),
        Unary::Sqrt => x.sqrt(),
        Unary::Sin => x.sin(),
        Unary::Cos => x.cos(),
        Unary::Tanh => x.tanh(),
        Unary::Erf => statrs::function::erf::erf(x),
        Unary::Sigmoid if x >= 0.0 => 1.0 / (1.0 + (-x).exp()),
        Unary::Sigmoid => x.exp() / (1.0 + x.exp()),
        Unary::Abs => x.abs(),
        Unary::Sign if x == 0.0 || x.is_nan() => x,
        Unary::Sign => x.signum(),
        Unary::Floor => x.floor(),
        Unary::Reciprocal => 1.0 / x,
        Unary::LogGamma => log_gamma(x),
        Unary::Digamma => statrs::function::gamma::digamma(x),
        Unary::NormalQuantile => -std::f64::consts::SQRT_2 * statrs::function::erf::erfc_inv(2.0 * x),
        // Wider numbers are numbers of f32 first.
        Unary::Round(half) => f64::from(half.round(x as f32)),
    }
}

/// ln |gamma(x)|, by reflection below one half.
fn log_gamma(x: f64) -> f64 {
    use std::f64::consts::PI;
    if x < 0.5 {
        PI.ln() - (PI * x).sin().abs().ln() - statrs::function::gamma::ln_gamma(1.0 - x)
    } else {
        statrs::function::gamma::ln_gamma(x)
    }
}

/// The meaning of each operation of two Float operands, in f64.
pub fn binary_value(binary: Binary, a: f64, b: f64) -> f64 {
    match binary {
        Binary::Add => a + b,
        Binary::Subtract => a - b,
        Binary::Multiply => a * b,
        Binary::Divide => a / b,
        Binary::Remainder => a - b * (a / b).floor(),
        Binary::Power => a.powf(b),
        Binary::Max if a.is_nan() || b.is_nan() => f64::NAN,
        Binary::Max => a.max(b),
        Binary::Min if a.is_nan() || b.is_nan() => f64::NAN,
        Binary::Min => a.min(b),
    }
}

/// The meaning of each operation of two indices: division rounds down and wraps where i32 would overflow; nothing
/// where it has no meaning (division by zero, powers).
pub fn index_value(binary: Binary, a: i32, b: i32) -> Option<i32> {
    Some(match binary {
        Binary::Add => a.wrapping_add(b),
        Binary::Subtract => a.wrapping_sub(b),
        Binary::Multiply => a.wrapping_mul(b),
        Binary::Divide | Binary::Remainder if b == 0 => return None,
        Binary::Divide => {
            let quotient = a.wrapping_div(b);
            let inexact = a.wrapping_rem(b) != 0;
            if inexact && (a < 0) != (b < 0) { quotient - 1 } else { quotient }
        }
        Binary::Remainder => {
            let rest = a.wrapping_rem(b);
            if rest != 0 && (rest < 0) != (b < 0) { rest + b } else { rest }
        }
        Binary::Power => return None,
        Binary::Max => a.max(b),
        Binary::Min => a.min(b),
    })
}

pub fn reference(scope: &Scope) -> Result<Vec<f64>, Fault> {
    let is_index = scope.node.element == Element::Index;
    Ok(scope.map(|point| {
        let a = scope.operands[0].at(point);
        match scope.node.op {
            Op::Unary(unary) => unary_value(unary, a),
            // Division of indices by zero is zero on every backend.
            Op::Binary(binary) if is_index => {
                f64::from(index_value(binary, a as i32, scope.operands[1].at(point) as i32).unwrap_or(0))
            }
            Op::Binary(binary) => binary_value(binary, a, scope.operands[1].at(point)),
            _ => a,
        }
    }))
}

pub fn derivative(g: &mut Graph, id: NodeId, adjoint: NodeId) -> Result<Adjoints, TypeError> {
    let operands = g.node(id).operands.clone();
    Ok(match g.node(id).op {
        Op::Unary(unary) => smallvec![unary_derivative(g, unary, operands[0], id, adjoint)?],
        Op::Binary(binary) => {
            let (a, b) = (operands[0], operands[1]);
            let [left, right] = binary_derivative(g, binary, [a, b, id], adjoint)?;
            smallvec![left, right]
        }
        _ => Adjoints::new(),
    })
}

/// The adjoint of x where y = unary(x).
fn unary_derivative(
    g: &mut Graph,
    unary: Unary,
    x: NodeId,
    y: NodeId,
    adjoint: NodeId,
) -> Result<Option<NodeId>, TypeError> {
    let one = g.float(1.0)?;
    let slope = match unary {
        Unary::Negate => return g.neg(adjoint).map(Some),
        Unary::Sign | Unary::Floor => return Ok(None),
        Unary::Round(_) => return Ok(Some(adjoint)),
        Unary::Exp => y,
        Unary::Log => return g.div(adjoint, x).map(Some),
        Unary::Log1p => {
            let below = g.plus(one, x)?;
            return g.div(adjoint, below).map(Some);
        }
        Unary::Expm1 => g.plus(y, one)?,
        Unary::Sqrt => {
            let half = g.scale(adjoint, 0.5)?;
            return g.div(half, y).map(Some);
        }
        Unary::Sin => g.cos(x)?,
        Unary::Cos => {
            let sin = g.sin(x)?;
            g.neg(sin)?
        }
        Unary::Tanh => {
            let square = g.mul(y, y)?;
            g.sub(one, square)?
        }
        Unary::Erf => {
            let square = g.mul(x, x)?;
            let minus = g.neg(square)?;
            let bell = g.exp(minus)?;
            g.scale(bell, std::f64::consts::FRAC_2_SQRT_PI)?
        }
        Unary::Sigmoid => {
            let rest = g.sub(one, y)?;
            g.mul(y, rest)?
        }
        Unary::Abs => g.sign(x)?,
        Unary::Reciprocal => {
            let square = g.mul(y, y)?;
            g.neg(square)?
        }
        Unary::LogGamma => g.digamma(x)?,
        Unary::Digamma => trigamma(g, x)?,
        Unary::NormalQuantile => {
            let square = g.mul(y, y)?;
            let half = g.scale(square, 0.5)?;
            let bell = g.exp(half)?;
            g.scale(bell, (2.0 * std::f64::consts::PI).sqrt())?
        }
    };
    g.mul(adjoint, slope).map(Some)
}

/// The derivative of digamma, in primitives: recurrence up to x + 6, then the asymptotic series (Abramowitz and Stegun
/// 6.4.6 and 6.4.12); reflection (6.4.7) for x below zero.
fn trigamma(g: &mut Graph, x: NodeId) -> Result<NodeId, TypeError> {
    let (zero, one) = (g.float(0.0)?, g.float(1.0)?);
    let positive = g.less(zero, x)?;
    let reflected = g.sub(one, x)?;
    let z = g.select(positive, x, reflected)?;
    let mut total = zero;
    for shift in 0..6 {
        let shift = g.float(f64::from(shift))?;
        let shifted = g.plus(z, shift)?;
        let inverse = g.reciprocal(shifted)?;
        let square = g.mul(inverse, inverse)?;
        total = g.plus(total, square)?;
    }
    let six = g.float(6.0)?;
    let far = g.plus(z, six)?;
    let inverse = g.reciprocal(far)?;
    let square = g.mul(inverse, inverse)?;
    // 1/z + 1/(2 z^2) + sum B_2k / z^(2k+1), k from 1 to 7, by Horner's rule in 1/z^2.
    let bernoulli = [7.0 / 6.0, -691.0 / 2730.0, 5.0 / 66.0, -1.0 / 30.0, 1.0 / 42.0, -1.0 / 30.0, 1.0 / 6.0];
    let mut series = zero;
    for coefficient in bernoulli {
        let scaled = g.mul(series, square)?;
        let coefficient = g.float(coefficient)?;
        series = g.plus(scaled, coefficient)?;
    }
    let series = g.mul(series, square)?;
    let series = g.plus(series, one)?;
    let series = g.mul(series, inverse)?;
    let half = g.scale(square, 0.5)?;
    let tail = g.plus(series, half)?;
    let value = g.plus(total, tail)?;
    let angle = g.scale(x, std::f64::consts::PI)?;
    let sine = g.sin(angle)?;
    let square = g.mul(sine, sine)?;
    let numerator = g.float(std::f64::consts::PI.powi(2))?;
    let whole = g.div(numerator, square)?;
    let below = g.sub(whole, value)?;
    g.select(positive, value, below)
}

/// The adjoints of a and b where y = binary(a, b).
fn binary_derivative(
    g: &mut Graph,
    binary: Binary,
    [a, b, y]: [NodeId; 3],
    adjoint: NodeId,
) -> Result<[Option<NodeId>; 2], TypeError> {
    let zero = g.float(0.0)?;
    let (left, right) = match binary {
        Binary::Add => (adjoint, adjoint),
        Binary::Subtract => (adjoint, g.neg(adjoint)?),
        // A square: both adjoints at once.
        Binary::Multiply if a == b => {
            let half = g.mul(adjoint, a)?;
            return Ok([Some(g.scale(half, 2.0)?), None]);
        }
        Binary::Multiply => (g.mul(adjoint, b)?, g.mul(adjoint, a)?),
        Binary::Divide => {
            let left = g.div(adjoint, b)?;
            let product = g.mul(left, y)?;
            (left, g.neg(product)?)
        }
        Binary::Remainder => {
            let quotient = g.div(a, b)?;
            let floor = g.floor(quotient)?;
            let product = g.mul(adjoint, floor)?;
            (adjoint, g.neg(product)?)
        }
        Binary::Power => return power_derivative(g, [a, b, y], adjoint),
        Binary::Max | Binary::Min => {
            // Equal values share the adjoint.
            let (above, below) = if binary == Binary::Max { (b, a) } else { (a, b) };
            let wins = g.less(above, below)?;
            let ties = g.equal(a, b)?;
            let half = g.scale(adjoint, 0.5)?;
            let if_not = g.select(ties, half, zero)?;
            let left = g.select(wins, adjoint, if_not)?;
            (left, g.sub(adjoint, left)?)
        }
    };
    Ok([Some(left), Some(right)])
}

/// d a^b: b a^(b-1) by a, and a^b log(a) by b. Finite at a = 0 wherever the derivative is: a constant exponent c uses
/// c a^(c-1), an exponent of zero gives zero, and the derivative by the exponent is zero where a is not positive.
fn power_derivative(
    g: &mut Graph,
    [a, b, y]: [NodeId; 3],
    adjoint: NodeId,
) -> Result<[Option<NodeId>; 2], TypeError> {
    let (zero, one) = (g.float(0.0)?, g.float(1.0)?);
    if let Some(exponent) = g.float_literal(b) {
        let lower = g.float(exponent - 1.0)?;
        let power = g.pow(a, lower)?;
        let slope = g.scale(power, exponent)?;
        return Ok([Some(g.mul(adjoint, slope)?), None]);
    }
    let lower = g.sub(b, one)?;
    let power = g.pow(a, lower)?;
    let slope = g.mul(b, power)?;
    let flat = g.equal(b, zero)?;
    let slope = g.select(flat, zero, slope)?;
    let left = g.mul(adjoint, slope)?;
    let positive = g.less(zero, a)?;
    let safe = g.select(positive, a, one)?;
    let log = g.log(safe)?;
    let slope = g.mul(y, log)?;
    // Where a is zero and b negative, y is infinite and log(safe) zero: the select keeps their NaN out.
    let slope = g.select(positive, slope, zero)?;
    Ok([Some(left), Some(g.mul(adjoint, slope)?)])
}

/// One for arithmetic, eight for a function that takes a polynomial.
pub fn flops(graph: &Graph, node: &Node) -> u64 {
    let each = match node.op {
        Op::Unary(
            Unary::Negate
            | Unary::Abs
            | Unary::Sign
            | Unary::Floor
            | Unary::Reciprocal
            | Unary::Sqrt
            | Unary::Round(_),
        ) => 1,
        Op::Unary(_) | Op::Binary(Binary::Power) => 8,
        _ => 1,
    };
    each * graph.results(node)
}
