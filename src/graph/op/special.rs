//! Special functions of three operands: distribution functions, whose derivative by x is a density (by their parameters they
//! have none), and their inverses, of which that of the gamma distribution has derivatives.

use super::signature::{FLOAT, Signature, Type, TypeError};
use super::{Op, Special, quantile};
use smallvec::smallvec;

use crate::graph::Graph;
use crate::graph::differentiate::Adjoints;
use crate::graph::fault::Fault;
use crate::graph::node::{Element, Node, NodeId};
use crate::graph::reference::Scope;

pub fn type_rule(s: &Signature) -> Result<Type, TypeError> {
    s.count(3)?;
    for operand in 0..3 {
        s.expect(operand, FLOAT)?;
    }
    Ok(Type::new(Element::Float, s.united()))
}

pub fn reference(scope: &Scope) -> Result<Vec<f64>, Fault> {
    Ok(scope.map(|point| {
        let [a, b, c] = [0, 1, 2].map(|operand| scope.operands[operand].at(point));
        match scope.node.op {
            Op::Special(special) => special_value(special, a, b, c),
            _ => a,
        }
    }))
}

/// The meaning of each special function; NaN outside its domain.
pub fn special_value(special: Special, a: f64, b: f64, x: f64) -> f64 {
    match special {
        Special::BetaIncomplete => statrs::function::beta::checked_beta_reg(a, b, x).unwrap_or(f64::NAN),
        Special::GammaIncomplete if b == 0.0 => 0.0,
        Special::GammaIncomplete => statrs::function::gamma::checked_gamma_lr(a, b).unwrap_or(f64::NAN),
        Special::GammaQuantile => quantile::gamma(a, b),
        Special::GammaQuantileByShape => quantile::gamma_by_shape(a, b),
        Special::PoissonQuantile => quantile::poisson(a, b),
        Special::BinomialQuantile => quantile::binomial(a, b, x),
    }
}

impl Special {
    /// How many operands it reads; a third one that it does not read is ignored.
    pub fn operands(self) -> usize {
        match self {
            Special::BetaIncomplete | Special::BinomialQuantile => 3,
            _ => 2,
        }
    }

    /// The places of the operands by which there is a derivative.
    pub fn differentiable(self) -> &'static [usize] {
        match self {
            Special::BetaIncomplete => &[2],
            Special::GammaIncomplete => &[1],
            Special::GammaQuantile => &[0, 1],
            Special::GammaQuantileByShape | Special::PoissonQuantile | Special::BinomialQuantile => &[],
        }
    }
}

pub fn derivative(g: &mut Graph, id: NodeId, adjoint: NodeId) -> Result<Adjoints, TypeError> {
    let Op::Special(special) = g.node(id).op else { return Ok(Adjoints::new()) };
    let operands = g.node(id).operands.clone();
    let (a, one) = (operands[0], g.float(1.0)?);
    let (less, log_a) = (g.sub(a, one)?, g.log_gamma(a)?);
    Ok(match special {
        // x^(a - 1) (1 - x)^(b - 1) / B(a, b)
        Special::BetaIncomplete => {
            let (b, x) = (operands[1], operands[2]);
            let (other, rest) = (g.sub(b, one)?, g.sub(one, x)?);
            let (log_b, both) = (g.log_gamma(b)?, g.plus(a, b)?);
            let log_both = g.log_gamma(both)?;
            let (left, right) = (times_log(g, less, x)?, times_log(g, other, rest)?);
            let sum = g.plus(left, right)?;
            let sum = g.plus(sum, log_both)?;
            let sum = g.sub(sum, log_a)?;
            let sum = g.sub(sum, log_b)?;
            let density = g.exp(sum)?;
            smallvec![None, None, Some(g.mul(adjoint, density)?)]
        }
        // x^(a - 1) e^-x / gamma(a)
        Special::GammaIncomplete => {
            let x = operands[1];
            let power = times_log(g, less, x)?;
            let sum = g.sub(power, x)?;
            let sum = g.sub(sum, log_a)?;
            let density = g.exp(sum)?;
            smallvec![None, Some(g.mul(adjoint, density)?), None]
        }
        // By the share, 1 / density; by the shape, by differences.
        Special::GammaQuantile => {
            let p = operands[1];
            let by_shape = g.special(Special::GammaQuantileByShape, [a, p, p])?;
            let power = times_log(g, less, id)?;
            let sum = g.sub(power, id)?;
            let sum = g.sub(sum, log_a)?;
            let sum = g.neg(sum)?;
            let slope = g.exp(sum)?;
            smallvec![Some(g.mul(adjoint, by_shape)?), Some(g.mul(adjoint, slope)?), None]
        }
        _ => Adjoints::new(),
    })
}

/// a log(x), and 0 where a is 0.
fn times_log(g: &mut Graph, a: NodeId, x: NodeId) -> Result<NodeId, TypeError> {
    let (zero, one) = (g.float(0.0)?, g.float(1.0)?);
    let none = g.equal(a, zero)?;
    let x = g.select(none, one, x)?;
    let log = g.log(x)?;
    g.mul(a, log)
}

/// A continued fraction of some tens of terms.
pub fn flops(graph: &Graph, node: &Node) -> u64 {
    100 * graph.results(node)
}
