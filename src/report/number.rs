//! How numbers are shown to a person.

/// A number with at most four significant digits: `0.9142`, `12`, `3.1e-7`.
pub fn short(value: f64) -> String {
    if value.is_nan() {
        return "-".into();
    }
    if value.is_infinite() {
        return if value > 0.0 { "infinity" } else { "-infinity" }.into();
    }
    if value == value.trunc() && value.abs() < 1e6 {
        // Adding zero turns -0 into 0.
        return format!("{:.0}", value + 0.0);
    }
    let magnitude = value.abs().log10().floor() as i32;
    if !(-4..6).contains(&magnitude) {
        return format!("{value:.2e}");
    }
    format!("{value:.*}", (3 - magnitude).clamp(0, 6) as usize)
}

/// `12.50` for an estimate whose half width tells how many decimals mean something.
pub fn with_interval(mean: f64, half_width: Option<f64>) -> String {
    match half_width {
        Some(h) if h.is_finite() && mean.is_finite() && h > 0.0 => {
            let decimals = (1 - h.log10().floor() as i32).clamp(0, 6) as usize;
            format!("{mean:.decimals$} ± {h:.decimals$}")
        }
        Some(0.0) => format!("{} ± 0", short(mean)),
        _ => short(mean),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        let shown: Vec<String> =
            [0.0, -0.0, 12.0, 0.91423, -3.01593, 123.456, 3.1e-7, f64::NAN, f64::INFINITY].map(short).into();
        assert_eq!(shown, ["0", "0", "12", "0.9142", "-3.016", "123.5", "3.10e-7", "-", "infinity"]);
    }

    #[test]
    fn the_half_width_sets_the_decimals() {
        assert_eq!(with_interval(0.912345, Some(0.0123)), "0.912 ± 0.012");
        assert_eq!(with_interval(12.3456, Some(3.2)), "12.3 ± 3.2");
        assert_eq!(with_interval(12.3456, None), "12.35");
    }
}
