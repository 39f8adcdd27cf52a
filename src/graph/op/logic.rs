//! Comparisons, logic, selection and conversion, element by element.

use super::signature::{BOOL, NUMBER, Signature, Type, TypeError};
use super::{Compare, Op};
use crate::graph::node::Element;

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
