//! Special functions of three operands. They have no derivative.

use super::signature::{FLOAT, Signature, Type, TypeError};
use super::{Op, Special};
use crate::graph::Graph;
use crate::graph::fault::Fault;
use crate::graph::node::{Element, Node};
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
    }
}

/// A continued fraction of some tens of terms.
pub fn flops(graph: &Graph, node: &Node) -> u64 {
    100 * graph.results(node)
}
