//! A snapshot as text: a line for each value, and around it insta's header.

use std::fmt;

use super::Snapshot;

impl Snapshot {
    /// The file. `source` is the name of the experiment's file.
    pub fn file(&self, source: &str, experiment: &str) -> String {
        // A string of JSON is one of YAML, too.
        let source = serde_json::Value::from(source);
        format!("---\nsource: {source}\nexpression: {experiment}\n---\n{self}")
    }
}

impl fmt::Display for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut blocks: Vec<String> = Vec::new();
        blocks.extend(self.quick.as_ref().map(|settings| format!("quick: {settings}\n")));
        for marked in &self.values {
            let heading = format!("{} (within {})", marked.name, marked.within);
            blocks.push(match marked.entries.as_slice() {
                [(coordinate, value)] if coordinate.is_empty() => {
                    format!("{heading}: {}\n", number(*value, marked.within))
                }
                entries => {
                    let line = |(coordinate, value): &(String, f64)| {
                        format!("  {coordinate}: {}\n", number(*value, marked.within))
                    };
                    format!("{heading}\n{}", entries.iter().map(line).collect::<String>())
                }
            });
        }
        if !self.claims.is_empty() {
            let line = |claim: &super::Claim| format!("  {}: {}\n", claim.verdict, claim.text);
            blocks.push(format!("claims\n{}", self.claims.iter().map(line).collect::<String>()));
        }
        f.write_str(&blocks.join("\n"))
    }
}

/// With so many decimals that less than a thousandth of the tolerance is rounded away; without a tolerance all of them.
pub fn number(value: f64, within: f64) -> String {
    let tolerance = within * value.abs().max(1.0);
    if !value.is_finite() || tolerance <= 0.0 || value.abs() >= 1e15 {
        return match value {
            v if v.is_nan() => "NaN".to_owned(),
            v if v.is_infinite() => if v > 0.0 { "infinity" } else { "-infinity" }.to_owned(),
            v if v != 0.0 && !(1e-5..1e15).contains(&v.abs()) => format!("{v:e}"),
            v => format!("{}", v + 0.0),
        };
    }
    let decimals = (3 - tolerance.log10().floor() as i32).clamp(0, 17) as usize;
    let text = format!("{value:.decimals$}");
    let text = match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.'),
        false => &text,
    };
    if text == "-0" { "0".to_owned() } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::number;

    #[test]
    fn the_tolerance_sets_the_decimals() {
        let shown =
            [(0.943270303, 0.02), (12345.678, 0.02), (0.943270303, 1e-6), (-0.00001, 0.1), (2.0, 0.5)]
                .map(|(value, within)| number(value, within));
        assert_eq!(shown, ["0.94327", "12345.7", "0.943270303", "0", "2"]);
        let exact = [0.1 + 0.2, -0.0, 1e-12, f64::NAN, f64::NEG_INFINITY].map(|value| number(value, 0.0));
        assert_eq!(exact, ["0.30000000000000004", "0", "1e-12", "NaN", "-infinity"]);
    }

    #[test]
    fn less_than_a_thousandth_of_the_tolerance_is_rounded_away() {
        for within in [1e-9, 3e-4, 0.02, 0.5, 7.0] {
            for value in [0.123456789123, 987.654321987, -31234.56789, 5e14, 1e-20] {
                let written: f64 = number(value, within).parse().expect("a number");
                let tolerance = within * f64::max(1.0, f64::abs(value));
                assert!((written - value).abs() <= 1e-3 * tolerance, "{value} within {within}: {written}");
            }
        }
    }
}
