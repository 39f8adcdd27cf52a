//! Uniform random numbers, addressed by (seed, site, step, item). See [`Op::Random`] for the addressing.

use super::signature::{INDEX, Signature, Type, TypeError};
use crate::graph::Graph;
use crate::graph::Op;
use crate::graph::axis::AxisSet;
use crate::graph::fault::Fault;
use crate::graph::node::{Element, Node};
use crate::graph::reference::Scope;
use crate::random::philox;

pub fn type_rule(s: &Signature) -> Result<Type, TypeError> {
    s.count(if s.operands.len() == 3 { 3 } else { 2 })?;
    for operand in 0..s.operands.len() {
        s.expect(operand, INDEX)?;
        s.scalar(operand)?;
    }
    let mut axes = AxisSet::new();
    if let Op::Random { order, .. } = s.op {
        for axis in order {
            if axes.contains(*axis) {
                return Err(TypeError::AxisTwice { op: s.name(), axis: *axis });
            }
            axes.insert(*axis);
        }
    }
    Ok(Type::new(Element::Float, axes))
}

/// A word of Philox as a Float in the open interval (0, 1), the same number at both widths.
pub fn unit(bits: u32) -> f64 {
    (f64::from(bits >> 9) + 0.5) * 2f64.powi(-23)
}

pub fn reference(scope: &Scope) -> Result<Vec<f64>, Fault> {
    let Op::Random { site, order } = &scope.node.op else { return Ok(Vec::new()) };
    let (seed, step) = (scope.operands[0].values[0] as i32 as u32, scope.operands[1].values[0] as i32 as u32);
    let round = scope.operands.get(2).map_or(0, |round| round.values[0] as i32 as u32);
    Ok(scope.map(|point| {
        let item = order.iter().fold(0, |item, axis| item * scope.size(*axis) + point[axis.0 as usize]);
        let words = philox([seed, *site], [(item / 4) as u32, 0, step, round]);
        unit(words[item % 4])
    }))
}

/// Ten rounds of Philox for every four elements, and the conversion.
pub fn flops(graph: &Graph, node: &Node) -> u64 {
    10 * graph.results(node)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unit_is_open_and_exact_in_single() {
        for bits in [0, 1, 511, 512, u32::MAX / 2, u32::MAX] {
            let x = unit(bits);
            assert!(x > 0.0 && x < 1.0);
            assert_eq!(f64::from(x as f32), x);
            assert!((x as f32) < 1.0);
        }
    }
}
