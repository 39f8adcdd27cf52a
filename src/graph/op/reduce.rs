//! Reductions over axes, and the position of the extreme value along one.

use super::signature::{BOOL, FLOAT, Signature, Type, TypeError};
use super::{Op, Reduction};
use crate::graph::node::Element;

pub fn type_rule(s: &Signature) -> Result<Type, TypeError> {
    s.count(1)?;
    match s.op {
        Op::ArgReduce { axis, .. } => {
            s.expect(0, FLOAT)?;
            s.position(*axis, 0)?;
            Ok(Type::new(Element::Index, s.replace(0, &[*axis], &[])?))
        }
        Op::Reduce(reduction, axes) => {
            let wanted = if matches!(reduction, Reduction::All | Reduction::Any) { BOOL } else { FLOAT };
            let element = s.expect(0, wanted)?;
            Ok(Type::new(element, s.replace(0, axes.as_slice(), &[])?))
        }
        _ => Err(TypeError::Reduction { op: s.name() }),
    }
}
