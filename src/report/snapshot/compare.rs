//! A snapshot against what was kept of it.

use std::collections::{HashMap, HashSet};

use super::write::number;
use super::{Marked, Snapshot};
use crate::report::number::short;

/// One thing that is not as it was.
#[derive(Clone, Debug, PartialEq)]
pub enum Difference {
    /// The settings of the quick run.
    Quick {
        old: Option<String>,
        new: Option<String>,
    },
    Tolerance {
        name: String,
        old: f64,
        new: f64,
    },
    Value {
        name: String,
        coordinate: String,
        within: f64,
        old: f64,
        new: f64,
    },
    /// A coordinate, or a whole value, that only one of the two has.
    Missing {
        name: String,
        coordinate: Option<String>,
        new: bool,
    },
    /// The verdict of a claim; none where the claim is not there.
    Claim {
        text: String,
        old: Option<String>,
        new: Option<String>,
    },
}

/// Numbers may differ by the tolerance that is declared now; everything else is text and must be the same.
pub fn compare(old: &Snapshot, new: &Snapshot) -> Vec<Difference> {
    let mut found = Vec::new();
    if old.quick != new.quick {
        found.push(Difference::Quick { old: old.quick.clone(), new: new.quick.clone() });
    }
    for marked in &new.values {
        match old.values.iter().find(|before| before.name == marked.name) {
            Some(before) => values(before, marked, &mut found),
            None => {
                found.push(Difference::Missing { name: marked.name.clone(), coordinate: None, new: true })
            }
        }
    }
    for before in &old.values {
        if !new.values.iter().any(|marked| marked.name == before.name) {
            found.push(Difference::Missing { name: before.name.clone(), coordinate: None, new: false });
        }
    }
    let verdict = |snapshot: &Snapshot, text: &str| {
        snapshot.claims.iter().find(|claim| claim.text == text).map(|claim| claim.verdict.clone())
    };
    let gone = old.claims.iter().filter(|claim| verdict(new, &claim.text).is_none());
    for claim in new.claims.iter().chain(gone) {
        let (before, now) = (verdict(old, &claim.text), verdict(new, &claim.text));
        if before != now {
            found.push(Difference::Claim { text: claim.text.clone(), old: before, new: now });
        }
    }
    found
}

fn values(old: &Marked, new: &Marked, found: &mut Vec<Difference>) {
    let name = &new.name;
    // It is written with as many digits as its tolerance deserves.
    if old.within != new.within {
        found.push(Difference::Tolerance { name: name.clone(), old: old.within, new: new.within });
    }
    let alike = old.entries.iter().map(|(at, _)| at).eq(new.entries.iter().map(|(at, _)| at));
    let by_coordinate: HashMap<&str, f64> = old.entries.iter().map(|(at, value)| (&at[..], *value)).collect();
    for (number, (coordinate, value)) in new.entries.iter().enumerate() {
        let before = match alike {
            true => Some(old.entries[number].1),
            false => by_coordinate.get(&coordinate[..]).copied(),
        };
        let coordinate = coordinate.clone();
        match before {
            None => found.push(Difference::Missing {
                name: name.clone(),
                coordinate: Some(coordinate),
                new: true,
            }),
            Some(before) if !is_near(before, *value, new.within) => found.push(Difference::Value {
                name: name.clone(),
                coordinate,
                within: new.within,
                old: before,
                new: *value,
            }),
            Some(_) => {}
        }
    }
    if !alike {
        let now: HashSet<&str> = new.entries.iter().map(|(at, _)| &at[..]).collect();
        let gone = old.entries.iter().filter(|(at, _)| !now.contains(&at[..]));
        found.extend(gone.map(|(coordinate, _)| Difference::Missing {
            name: name.clone(),
            coordinate: Some(coordinate.clone()),
            new: false,
        }));
    }
}

/// The rule of tolerances: absolute for numbers up to 1, relative beyond.
fn is_near(old: f64, new: f64, within: f64) -> bool {
    // Everything is near infinity by the rule, which is one for finite numbers.
    let finite = old.is_finite() && new.is_finite();
    old == new || (old.is_nan() && new.is_nan()) || (finite && (new - old).abs() <= tolerance(old, within))
}

fn tolerance(old: f64, within: f64) -> f64 {
    within * old.abs().max(1.0)
}

/// So many lines of each value; of more, the number.
const SHOWN: usize = 12;

/// The differences in words, a line each, indented by two.
pub fn render(differences: &[Difference]) -> String {
    let mut out = String::new();
    let mut at = 0;
    while let Some(first) = differences.get(at) {
        let count = differences[at..].iter().take_while(|next| next.about() == first.about()).count();
        if let Some(name) = first.about() {
            out.push_str(&format!("  {name}\n"));
        }
        for difference in &differences[at..at + count.min(SHOWN)] {
            let indent = if first.about().is_some() { "    " } else { "  " };
            out.push_str(&format!("{indent}{}\n", difference.line()));
        }
        if count > SHOWN {
            out.push_str(&format!("    and {} more\n", count - SHOWN));
        }
        at += count;
    }
    out
}

impl Difference {
    /// The marked value that it is about.
    fn about(&self) -> Option<&str> {
        match self {
            Difference::Quick { .. } | Difference::Claim { .. } => None,
            Difference::Tolerance { name, .. }
            | Difference::Value { name, .. }
            | Difference::Missing { name, .. } => Some(name),
        }
    }

    fn line(&self) -> String {
        let or_none = |text: &Option<String>| text.clone().unwrap_or_else(|| "none".to_owned());
        match self {
            Difference::Quick { old, new } => {
                format!("quick settings: {} -> {}", or_none(old), or_none(new))
            }
            Difference::Tolerance { old, new, .. } => format!("tolerance: {old} -> {new}"),
            Difference::Value { coordinate, within, old, new, .. } => {
                let values = format!("{} -> {}", number(*old, *within), number(*new, *within));
                let how_far = how_far(*old, *new, *within);
                match coordinate.is_empty() {
                    true => format!("{values}{how_far}"),
                    false => format!("{coordinate}: {values}{how_far}"),
                }
            }
            Difference::Missing { coordinate: None, new: true, .. } => "was not marked before".to_owned(),
            Difference::Missing { coordinate: None, .. } => "is not marked any more".to_owned(),
            Difference::Missing { coordinate: Some(at), new, .. } => {
                let at = if at.is_empty() { "a single number" } else { at };
                format!("{at}: {}", if *new { "was not there before" } else { "is not there any more" })
            }
            Difference::Claim { text, old, new } => {
                let absent =
                    |verdict: &Option<String>| verdict.clone().unwrap_or_else(|| "no such claim".to_owned());
                format!("claim \"{text}\": {} -> {}", absent(old), absent(new))
            }
        }
    }
}

/// `, 0.0333 apart: 1.7 times the tolerance of 0.02`; nothing where one of the numbers is not finite.
fn how_far(old: f64, new: f64, within: f64) -> String {
    let (apart, tolerance) = ((new - old).abs(), tolerance(old, within));
    if !apart.is_finite() {
        return String::new();
    }
    if tolerance <= 0.0 {
        return format!(", {} apart, and nothing is tolerated", brief(apart));
    }
    let times = apart / tolerance;
    let times = if times < 10.0 { format!("{times:.2}") } else { brief(times) };
    format!(", {} apart: {times} times the tolerance of {}", brief(apart), brief(tolerance))
}

/// Four digits at most.
fn brief(value: f64) -> String {
    let text = short(value);
    match text.contains('.') && !text.contains('e') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::snapshot::{Claim, read};

    fn snapshot() -> Snapshot {
        let entries = [
            ("Arm = a: b, Seed = 0", 0.91234),
            ("Arm = a: b, Seed = 1", f64::NAN),
            ("Arm = c, Seed = 0", -3e5),
        ];
        let claim = |verdict: &str, text: &str| Claim { verdict: verdict.to_owned(), text: text.to_owned() };
        Snapshot {
            quick: Some("Seed = 2".to_owned()),
            values: vec![
                Marked {
                    name: "score".to_owned(),
                    within: 0.02,
                    entries: entries.map(|(at, value)| (at.to_owned(), value)).into(),
                },
                Marked { name: "best".to_owned(), within: 0.0, entries: vec![(String::new(), 0.1 + 0.2)] },
            ],
            claims: vec![claim("holds", "it: is so"), claim("refuted", "it is not")],
        }
    }

    #[test]
    fn what_is_written_is_read_and_near() {
        let written = snapshot().file("a \"b\".anz", "e");
        insta::assert_snapshot!(written, @r#"
        ---
        source: "a \"b\".anz"
        expression: e
        ---
        quick: Seed = 2

        score (within 0.02)
          Arm = a: b, Seed = 0: 0.91234
          Arm = a: b, Seed = 1: NaN
          Arm = c, Seed = 0: -300000

        best (within 0): 0.30000000000000004

        claims
          holds: it: is so
          refuted: it is not
        "#);
        let back = read(&written).expect("a snapshot");
        assert_eq!(compare(&back, &snapshot()), []);
        assert_eq!(back.file("a \"b\".anz", "e"), written);
    }

    #[test]
    fn the_tolerance_is_absolute_up_to_one_and_relative_beyond() {
        assert!(is_near(0.5, 0.52, 0.021) && !is_near(0.5, 0.52, 0.019));
        assert!(is_near(100.0, 102.0, 0.021) && !is_near(100.0, 102.0, 0.019));
        assert!(is_near(f64::INFINITY, f64::INFINITY, 0.0) && !is_near(f64::INFINITY, 1.0, 10.0));
        assert!(
            is_near(f64::NAN, f64::NAN, 0.0)
                && !is_near(f64::NAN, 1.0, 10.0)
                && !is_near(1.0, f64::NAN, 10.0)
        );
    }

    #[test]
    fn differences_name_the_place_and_how_far() {
        let mut new = snapshot();
        new.quick = None;
        new.values[0].within = 0.01;
        new.values[0].entries[0].1 = 0.9;
        new.values[0].entries[1] = ("Arm = d, Seed = 1".to_owned(), 1.0);
        new.values[0].entries[2].1 = -2e5;
        new.values[1].name = "worst".to_owned();
        new.claims[0].verdict = "refuted".to_owned();
        new.claims[1].text = "it is another".to_owned();
        insta::assert_snapshot!(render(&compare(&snapshot(), &new)), @r#"
        quick settings: Seed = 2 -> none
        score
          tolerance: 0.02 -> 0.01
          Arm = a: b, Seed = 0: 0.91234 -> 0.9, 0.01234 apart: 1.23 times the tolerance of 0.01
          Arm = d, Seed = 1: was not there before
          Arm = c, Seed = 0: -300000 -> -200000, 100000 apart: 33.33 times the tolerance of 3000
          Arm = a: b, Seed = 1: is not there any more
        worst
          was not marked before
        best
          is not marked any more
        claim "it: is so": holds -> refuted
        claim "it is another": no such claim -> refuted
        claim "it is not": refuted -> no such claim
        "#);
    }

    #[test]
    fn damaged_files_are_refused_with_the_place() {
        let whole = snapshot().file("e.anz", "e");
        let told = |text: &str| {
            read(text).map_err(|damage| (text[damage.place.0..damage.place.1].to_owned(), damage.what))
        };
        assert_eq!(told("").unwrap_err().0, "");
        assert_eq!(told(&whole[4..]).unwrap_err().0, "source: \"e.anz\"");
        assert_eq!(
            told(&whole.replace("-300000", "-3oo")).unwrap_err(),
            ("  Arm = c, Seed = 0: -3oo".to_owned(), "this is no number")
        );
        assert_eq!(told(&whole.replace("best", "<<<<<<< ours\nbest")).unwrap_err().0, "<<<<<<< ours");
        assert_eq!(
            told(&whole.replace("score (within 0.02)\n", "")).unwrap_err().1,
            "this stands under no heading"
        );
        // As an editor on Windows leaves it.
        assert!(compare(&read(&whole.replace('\n', "\r\n")).expect("a snapshot"), &snapshot()).is_empty());
    }
}
