//! Special functions of three operands. Of these, the quantile of the gamma distribution has a derivative.

use super::signature::{FLOAT, Signature, Type, TypeError};
use super::{Op, Special, Unary, quantile};
use crate::graph::Graph;
use crate::graph::differentiate::Adjoints;
use crate::graph::fault::Fault;
use crate::graph::node::{Element, Node, NodeId};
use crate::graph::reference::Scope;
use smallvec::smallvec;

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

impl Special {
    /// How many operands it reads; a third one that it does not read is ignored.
    pub fn operands(self) -> usize {
        match self {
            Special::BetaIncomplete | Special::BinomialQuantile => 3,
            _ => 2,
        }
    }
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

/// Of the quantile x of the gamma distribution: by p, 1 / density(x); by the shape, by differences.
pub fn derivative(g: &mut Graph, id: NodeId, adjoint: NodeId) -> Result<Adjoints, TypeError> {
    let (shape, p) = (g.node(id).operands[0], g.node(id).operands[1]);
    let by_shape = g.special(Special::GammaQuantileByShape, [shape, p, p])?;
    let by_shape = g.mul(adjoint, by_shape)?;
    // log density = (shape - 1) log x - x - lgamma(shape)
    let (log, one) = (g.log(id)?, g.float(1.0)?);
    let less = g.sub(one, shape)?;
    let power = g.mul(less, log)?;
    let normaliser = g.unary(Unary::LogGamma, shape)?;
    let exponent = g.plus(power, id)?;
    let exponent = g.plus(exponent, normaliser)?;
    let slope = g.exp(exponent)?;
    let by_p = g.mul(adjoint, slope)?;
    Ok(smallvec![Some(by_shape), Some(by_p), None])
}

/// A continued fraction of some tens of terms.
pub fn flops(graph: &Graph, node: &Node) -> u64 {
    100 * graph.results(node)
}
