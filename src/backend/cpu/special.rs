//! Functions that are computed one number at a time, in f64.

use crate::graph::{Binary, Special, Unary};

/// Those unary functions that have no vector form.
pub fn unary(op: Unary, x: f64) -> f64 {
    use statrs::function::{erf, gamma};
    match op {
        Unary::LogGamma if x < 0.5 => {
            let pi = std::f64::consts::PI;
            pi.ln() - (pi * x).sin().abs().ln() - gamma::ln_gamma(1.0 - x)
        }
        Unary::LogGamma => gamma::ln_gamma(x),
        Unary::Digamma => gamma::digamma(x),
        Unary::NormalQuantile => -std::f64::consts::SQRT_2 * erf::erfc_inv(2.0 * x),
        _ => x,
    }
}

/// NaN outside the domain.
pub fn value(special: Special, a: f64, b: f64, x: f64) -> f64 {
    match special {
        Special::BetaIncomplete => statrs::function::beta::checked_beta_reg(a, b, x).unwrap_or(f64::NAN),
        Special::GammaIncomplete if b == 0.0 => 0.0,
        Special::GammaIncomplete => statrs::function::gamma::checked_gamma_lr(a, b).unwrap_or(f64::NAN),
    }
}

/// Division rounds down and wraps; by zero, which has no meaning, it gives 0.
#[inline(always)]
pub fn index_binary(op: Binary, a: i32, b: i32) -> i32 {
    match op {
        Binary::Add => a.wrapping_add(b),
        Binary::Subtract => a.wrapping_sub(b),
        Binary::Multiply => a.wrapping_mul(b),
        Binary::Max => a.max(b),
        Binary::Min => a.min(b),
        Binary::Divide | Binary::Remainder | Binary::Power if b == 0 => 0,
        Binary::Divide => {
            let inexact = a.wrapping_rem(b) != 0;
            a.wrapping_div(b) - i32::from(inexact && (a < 0) != (b < 0))
        }
        Binary::Remainder | Binary::Power => {
            let rest = a.wrapping_rem(b);
            if rest != 0 && (rest < 0) != (b < 0) { rest + b } else { rest }
        }
    }
}
