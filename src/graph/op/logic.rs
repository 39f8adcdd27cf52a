//! Comparisons, logic, selection and conversion, element by element.

use super::signature::{BOOL, NUMBER, Signature, Type, TypeError};
use super::{Compare, Logic, Op};
use crate::graph::Graph;
use crate::graph::differentiate::Adjoints;
use crate::graph::fault::Fault;
use crate::graph::node::{Element, Node, NodeId};
use crate::graph::reference::Scope;
use smallvec::smallvec;

pub fn type_rule(s: &Signature) -> Result<Type, TypeError> {
    let element = match s.op {
        Op::Compare(compare) => {
            s.count(2)?;
            let element = s.same_element(0, 1)?;
            if element == Element::Bool && !compare.is_commutative() {
                s.expect(0, NUMBER)?;
            }
            Element::Bool
        }
        Op::Logic(_) => {
            s.count(2)?;
            s.expect(0, BOOL)?;
            s.expect(1, BOOL)?
        }
        Op::Not => {
            s.count(1)?;
            s.expect(0, BOOL)?
        }
        Op::Select => {
            s.count(3)?;
            s.expect(0, BOOL)?;
            s.same_element(1, 2)?
        }
        Op::Cast(element) => {
            s.count(1)?;
            *element
        }
        _ => s.expect(0, BOOL)?,
    };
    Ok(Type::new(element, s.united()))
}

/// The meaning of a comparison; indices and truth values are compared as their numbers.
pub fn compare_value(compare: Compare, a: f64, b: f64) -> bool {
    match compare {
        Compare::Equal => a == b,
        Compare::NotEqual => a != b,
        Compare::Less => a < b,
        Compare::LessEqual => a <= b,
    }
}

pub fn reference(scope: &Scope) -> Result<Vec<f64>, Fault> {
    let truth = |value: bool| f64::from(u8::from(value));
    let from = scope.graph.node(scope.node.operands[0]).element;
    Ok(scope.map(|point| {
        let value = |operand: usize| scope.operands[operand].at(point);
        match scope.node.op {
            Op::Compare(compare) => truth(compare_value(compare, value(0), value(1))),
            Op::Logic(Logic::And) => truth(value(0) != 0.0 && value(1) != 0.0),
            Op::Logic(Logic::Or) => truth(value(0) != 0.0 || value(1) != 0.0),
            Op::Not => truth(value(0) == 0.0),
            Op::Select => value(if value(0) != 0.0 { 1 } else { 2 }),
            Op::Cast(Element::Index) if from == Element::Float => f64::from(value(0) as i32),
            Op::Cast(Element::Bool) => truth(value(0) != 0.0),
            _ => value(0),
        }
    }))
}

/// Only a selection of Floats has a derivative.
pub fn derivative(g: &mut Graph, id: NodeId, adjoint: NodeId) -> Result<Adjoints, TypeError> {
    if !matches!(g.node(id).op, Op::Select) {
        return Ok(Adjoints::new());
    }
    let condition = g.node(id).operands[0];
    let zero = g.float(0.0)?;
    let yes = g.select(condition, adjoint, zero)?;
    let no = g.select(condition, zero, adjoint)?;
    Ok(smallvec![None, Some(yes), Some(no)])
}

pub fn flops(graph: &Graph, node: &Node) -> u64 {
    graph.results(node)
}
