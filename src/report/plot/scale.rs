//! Scales: numbers to places on a drawing, and the ticks that a reader needs.
//!
//! In: whatever was measured, with NaN, infinities and no values at all among it. Out: a scale with a domain of finite,
//! positive length.

use crate::report::number::short;

/// Further out than this, differences of f64 overflow.
const FURTHEST: f64 = 1e300;
/// Relative length below which a range is a single value: its ticks would differ in digits that f64 does not have.
const SHORTEST: f64 = 1e-11;

#[derive(Clone, Debug, PartialEq)]
pub struct Scale {
    /// Of the values, or of their decimal logarithms.
    low: f64,
    high: f64,
    logarithmic: bool,
    /// Where the domain lies on the drawing.
    from: f64,
    to: f64,
}

impl Scale {
    /// From the least to the greatest value, with some room, from zero where a length is to be shown.
    pub fn linear(values: impl IntoIterator<Item = f64>, from_zero: bool) -> Self {
        let (low, high) = range(values.into_iter().chain(from_zero.then_some(0.0)));
        let room = 0.05 * (high - low);
        // Bars stand on the axis.
        let (below, above) = match from_zero {
            true => (if low < 0.0 { room } else { 0.0 }, if high > 0.0 { room } else { 0.0 }),
            false => (room, room),
        };
        Scale { low: low - below, high: high + above, logarithmic: false, from: 0.0, to: 1.0 }
    }

    /// Exactly these ends.
    pub fn between(low: f64, high: f64) -> Self {
        Scale { low, high, logarithmic: false, from: 0.0, to: 1.0 }
    }

    /// Logarithmic where all values are positive and the greatest is at least `ratio` times the least; else linear.
    pub fn fitting(values: &[f64], ratio: f64) -> Self {
        let finite = || values.iter().copied().filter(|value| value.is_finite());
        let (low, high) = range(finite());
        if finite().next().is_some() && finite().all(|value| value > 1e-300) && high / low >= ratio {
            let (low, high) = (low.log10(), high.log10());
            let room = 0.04 * (high - low);
            return Scale { low: low - room, high: high + room, logarithmic: true, from: 0.0, to: 1.0 };
        }
        Scale::linear(finite(), false)
    }

    /// The same domain, drawn between two places.
    pub fn placed(self, from: f64, to: f64) -> Self {
        Scale { from, to, ..self }
    }

    pub fn is_logarithmic(&self) -> bool {
        self.logarithmic
    }

    /// Where a value is drawn; values outside stand at the ends. None for what has no place.
    pub fn place(&self, value: f64) -> Option<f64> {
        let value = match self.logarithmic {
            true if value > 0.0 => value.log10(),
            true => return None,
            false => value,
        };
        let value = if value.is_finite() { value } else { return None };
        let share = ((value.clamp(-FURTHEST, FURTHEST) - self.low) / (self.high - self.low)).clamp(0.0, 1.0);
        Some(self.from + share * (self.to - self.from))
    }

    /// Values with their labels: about `count` of them, at most twice as many.
    pub fn ticks(&self, count: usize) -> Vec<(f64, String)> {
        if self.logarithmic { self.powers(count) } else { self.steps(count) }
    }

    fn steps(&self, count: usize) -> Vec<(f64, String)> {
        let step = round_step((self.high - self.low) / count.max(1) as f64);
        let first = (self.low / step - 1e-9).ceil();
        (0..2 * count.max(1))
            .map(|number| (first + number as f64) * step)
            .take_while(|value| *value <= self.high + 1e-9 * step)
            .map(|value| (value, label(value, step)))
            .collect()
    }

    /// Powers of ten; within two decades, twice and five times them, too.
    fn powers(&self, count: usize) -> Vec<(f64, String)> {
        let decades = self.high - self.low;
        let every = (decades / count.max(1) as f64).ceil().max(1.0);
        let between: &[f64] = if decades < 2.5 { &[1.0, 2.0, 5.0] } else { &[1.0] };
        let mut ticks = Vec::new();
        let mut exponent = (self.low.floor() / every).floor() * every;
        while exponent <= self.high && ticks.len() < 2 * count.max(1) {
            for factor in between {
                let value = factor * 10f64.powf(exponent);
                if value.is_finite() && (self.low..=self.high).contains(&value.log10()) {
                    ticks.push((value, power_label(value)));
                }
            }
            exponent += every;
        }
        ticks
    }
}

/// The least and the greatest finite value, apart by a length that can be divided.
fn range(values: impl IntoIterator<Item = f64>) -> (f64, f64) {
    let mut low = f64::INFINITY;
    let mut high = f64::NEG_INFINITY;
    for value in values.into_iter().filter(|value| value.is_finite()) {
        let value = value.clamp(-FURTHEST, FURTHEST);
        low = low.min(value);
        high = high.max(value);
    }
    if low > high {
        return (0.0, 1.0);
    }
    let size = low.abs().max(high.abs());
    if high - low > SHORTEST * size && high - low > 1e-300 {
        return (low, high);
    }
    let half = if size > 1e-290 { 0.1 * size } else { 0.5 };
    (low - half, high + half)
}

/// The least of 1, 2, 5 times a power of ten that is not below `least`.
fn round_step(least: f64) -> f64 {
    let power = 10f64.powf(least.log10().floor());
    let factor = [1.0, 2.0, 5.0].into_iter().find(|factor| factor * power >= least * (1.0 - 1e-9));
    factor.unwrap_or(10.0) * power
}

/// As many decimals as the step has.
fn label(value: f64, step: f64) -> String {
    if value.abs() < 1e-9 * step {
        return "0".to_owned();
    }
    let exponent = step.log10().floor();
    if value.abs() >= 1e6 || exponent < -5.0 {
        let digits = (value.abs().log10().floor() - exponent).clamp(0.0, 6.0) as usize;
        return format!("{value:.digits$e}");
    }
    format!("{value:.*}", (-exponent).max(0.0) as usize)
}

fn power_label(value: f64) -> String {
    match value.log10().round() {
        exponent if (-4.0..6.0).contains(&exponent) => {
            let text = format!("{value:.5}");
            text.trim_end_matches('0').trim_end_matches('.').to_owned()
        }
        _ => short(value).replace(".00e", "e"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(scale: &Scale) -> Vec<String> {
        scale.ticks(5).into_iter().map(|(_, label)| label).collect()
    }

    #[test]
    fn ticks_are_round() {
        assert_eq!(labels(&Scale::linear([0.0, 1.0], true)), ["0", "0.5", "1.0"]);
        assert_eq!(labels(&Scale::linear([0.912, 0.968], false)), ["0.92", "0.94", "0.96"]);
        assert_eq!(labels(&Scale::linear([-3.0, 5.0], false)), ["-2", "0", "2", "4"]);
        assert_eq!(labels(&Scale::fitting(&[0.001, 10.0], 50.0)), ["0.001", "0.01", "0.1", "1", "10"]);
        assert_eq!(labels(&Scale::fitting(&[1.0, 80.0], 50.0)), ["1", "2", "5", "10", "20", "50"]);
    }

    /// Whatever was measured, a scale has places and few ticks, all of them numbers.
    #[test]
    fn no_range_is_too_odd() {
        let odd: [&[f64]; 14] = [
            &[],
            &[f64::NAN],
            &[f64::INFINITY, f64::NEG_INFINITY],
            &[0.0],
            &[-0.0, 0.0],
            &[7.0, 7.0, 7.0],
            &[1.0, 1.0 + f64::EPSILON],
            &[f64::MAX, f64::MIN],
            &[f64::MAX],
            &[f64::MIN_POSITIVE, 5e-324],
            &[5e-324, f64::MAX],
            &[1e-300, 1e300],
            &[f64::NAN, 3.0, f64::INFINITY],
            &[1e15, 1e15 + 1.0],
        ];
        for values in odd {
            let scales = [
                Scale::linear(values.iter().copied(), false),
                Scale::linear(values.iter().copied(), true),
                Scale::fitting(values, 50.0),
            ];
            for scale in scales.map(|scale| scale.placed(300.0, 20.0)) {
                assert!(
                    scale.high > scale.low && (scale.high - scale.low).is_finite(),
                    "{values:?}: {scale:?}"
                );
                let ticks = scale.ticks(5);
                assert!((1..=12).contains(&ticks.len()), "{values:?}: {ticks:?}");
                for (value, label) in ticks {
                    let place = scale.place(value);
                    assert!(
                        place.is_some_and(|at| (20.0..=300.0).contains(&at)),
                        "{values:?}: {label} at {place:?}"
                    );
                    assert!(label.len() < 14, "{values:?}: {label}");
                }
                for value in values {
                    assert!(scale.place(*value).is_none_or(|at| (20.0..=300.0).contains(&at)), "{values:?}");
                }
            }
        }
    }
}
