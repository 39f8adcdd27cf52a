//! Identities with a side: `Stop` cuts the derivative, `Check` faults when its condition is false.

use super::Op;
use super::signature::{BOOL, FLOAT, Signature, Type, TypeError};

pub fn type_rule(s: &Signature) -> Result<Type, TypeError> {
    if let Op::Check(_) = s.op {
        s.count(2)?;
        s.expect(1, BOOL)?;
        s.scalar(1)?;
    } else {
        s.count(1)?;
        s.expect(0, FLOAT)?;
    }
    Ok(Type::new(s.element(0), s.axes(0).clone()))
}
