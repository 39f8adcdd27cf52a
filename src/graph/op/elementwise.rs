//! Arithmetic, element by element: one operand ([`Unary`]) and two ([`Binary`]).

use super::signature::{FLOAT, NUMBER, Signature, Type, TypeError};
use super::{Binary, Op, Unary};
use crate::graph::node::Element;

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
