//! Functions that are computed one number at a time: the reference's own, in f64.

pub use crate::graph::op::elementwise::unary_value as unary;
pub use crate::graph::op::special::special_value as value;

use crate::graph::Binary;
use crate::graph::op::elementwise::index_value;

/// Division by zero, which has no meaning, gives 0.
#[inline(always)]
pub fn index_binary(op: Binary, a: i32, b: i32) -> i32 {
    match op {
        Binary::Add => a.wrapping_add(b),
        Binary::Subtract => a.wrapping_sub(b),
        Binary::Multiply => a.wrapping_mul(b),
        _ => index_value(op, a, b).unwrap_or(0),
    }
}
