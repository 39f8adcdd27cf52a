//! Inverse distribution functions, in f64: what gamma, Poisson and binomial draws are made from. One uniform number gives
//! one draw, so draws are addressed like uniform numbers, and no loop of rejections has an unknown length.

use statrs::function::beta::checked_beta_reg;
use statrs::function::gamma::{checked_gamma_lr, ln_gamma};

/// The x with P(a, x) = p: the quantile of the gamma distribution of shape `a` and scale 1.
///
/// Newton's iteration in log(x), kept inside a bracket that shrinks; NaN outside the domain.
pub fn gamma(a: f64, p: f64) -> f64 {
    if !(a > 0.0 && a.is_finite() && (0.0..=1.0).contains(&p)) {
        return f64::NAN;
    }
    if p == 0.0 {
        return 0.0;
    }
    if p == 1.0 {
        return f64::INFINITY;
    }
    // For small x, P(a, x) is nearly x^a / Gamma(a + 1), and always below it.
    let low_tail = (p.ln() + ln_gamma(a + 1.0)) / a;
    // Wilson and Hilferty 1931: the cube root is nearly normal.
    let z = -std::f64::consts::SQRT_2 * statrs::function::erf::erfc_inv(2.0 * p);
    let cube = 1.0 - 1.0 / (9.0 * a) + z / (3.0 * a.sqrt());
    let (mut low, mut high) = (low_tail - 1.0, (a + 40.0 * a.sqrt() + 800.0).ln());
    if low < -690.0 {
        // The first term of the series is the whole function here.
        return low_tail.exp();
    }
    let mut t = if cube > 0.2 { (a * cube.powi(3)).ln() } else { low_tail };
    for _ in 0..200 {
        if t.is_nan() || t <= low || t >= high {
            t = 0.5 * (low + high);
        }
        let x = t.exp();
        let excess = checked_gamma_lr(a, x).unwrap_or(f64::NAN) - p;
        if excess > 0.0 {
            high = t
        } else {
            low = t
        }
        // d P(a, e^t) / dt
        let slope = (a * t - x - ln_gamma(a)).exp();
        let step = excess / slope;
        if excess == 0.0 || high - low < 1e-15 * t.abs().max(1.0) {
            break;
        }
        if step.abs() < 1e-14 {
            return (t - step).exp();
        }
        t -= step;
    }
    t.exp()
}

/// The derivative of [`gamma`] by the shape, by central differences of relative size 1e-4: right to about 1e-7.
pub fn gamma_by_shape(a: f64, p: f64) -> f64 {
    let step = 1e-4 * a;
    (gamma(a + step, p) - gamma(a - step, p)) / (2.0 * step)
}

/// The smallest k with P(K <= k) >= p, where K is a Poisson count with this mean.
pub fn poisson(mean: f64, p: f64) -> f64 {
    if !((0.0..1e15).contains(&mean) && (0.0..1.0).contains(&p)) {
        return f64::NAN;
    }
    if mean == 0.0 {
        return 0.0;
    }
    let far = mean + 10.0 * mean.sqrt() + 60.0;
    // P(K <= k) = 1 - P(k + 1, mean).
    smallest(0.0, far, |k| 1.0 - checked_gamma_lr(k + 1.0, mean).unwrap_or(f64::NAN) >= p)
}

/// The smallest k with P(K <= k) >= p, where K counts successes of probability `chance` among `count` trials.
pub fn binomial(count: f64, chance: f64, p: f64) -> f64 {
    let valid = (0.0..1e15).contains(&count) && count.fract() == 0.0;
    if !(valid && (0.0..=1.0).contains(&chance) && (0.0..1.0).contains(&p)) {
        return f64::NAN;
    }
    if chance == 0.0 || count == 0.0 {
        return 0.0;
    }
    if chance == 1.0 {
        return count;
    }
    // P(K <= k) = I_{1 - chance}(count - k, k + 1).
    let reaches = |k: f64| checked_beta_reg(count - k, k + 1.0, 1.0 - chance).unwrap_or(f64::NAN) >= p;
    smallest(0.0, count, |k| k >= count || reaches(k))
}

/// The smallest whole number from `low` to `high` at which the condition holds, which holds from there on.
fn smallest(low: f64, high: f64, holds: impl Fn(f64) -> bool) -> f64 {
    let (mut low, mut high) = (low.floor(), high.ceil());
    while low < high {
        let middle = ((low + high) / 2.0).floor();
        if holds(middle) { high = middle } else { low = middle + 1.0 }
    }
    low
}

#[cfg(test)]
mod tests {
    use super::*;
    use statrs::distribution::{Binomial, ContinuousCDF, DiscreteCDF, Gamma, Poisson};

    const SHARES: [f64; 7] = [6e-8, 1e-3, 0.1, 0.5, 0.9, 0.999, 1.0 - 6e-8];

    #[test]
    fn gamma_inverts_its_distribution_function() {
        for a in [0.3, 0.9, 1.0, 2.5, 40.0, 3000.0] {
            let distribution = Gamma::new(a, 1.0).expect("a shape");
            for p in SHARES {
                let back = distribution.cdf(gamma(a, p));
                assert!((back - p).abs() < 1e-11 + 1e-9 * p, "{a} {p} {back}");
            }
        }
        assert!((gamma(1.0, 0.5) - 2f64.ln()).abs() < 1e-13);
        assert!(gamma(-1.0, 0.5).is_nan() && gamma(1.0, 2.0).is_nan());
    }

    #[test]
    fn counts_are_the_first_that_reach_the_share() {
        for p in SHARES {
            for mean in [0.01, 1.0, 3.7, 80.0, 1e4] {
                let found = poisson(mean, p) as u64;
                let distribution = Poisson::new(mean).expect("a mean");
                assert!(distribution.cdf(found) >= p - 1e-12);
                assert!(found == 0 || distribution.cdf(found - 1) < p + 1e-12);
            }
            for (count, chance) in [(1, 0.3), (10, 0.5), (1000, 0.01)] {
                let found = binomial(f64::from(count), chance, p) as u64;
                let distribution = Binomial::new(chance, count as u64).expect("trials");
                assert!(distribution.cdf(found) >= p - 1e-12);
                assert!(found == 0 || distribution.cdf(found - 1) < p + 1e-12);
            }
        }
        assert!(binomial(2.5, 0.5, 0.5).is_nan() && poisson(-1.0, 0.5).is_nan());
    }
}
