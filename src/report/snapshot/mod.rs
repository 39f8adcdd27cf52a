//! Snapshots of results: what `snapshot` statements name, as text, and how it differs from what it was before.
//!
//! In: [`Results`], and the text of a snapshot file. Out: the text of such a file, in insta's format, and differences in words.

mod compare;
mod read;
mod write;

pub use compare::{Difference, compare, render};
pub use read::{Damage, read};

use crate::run::results::{Results, Verdict};

/// What is compared.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Snapshot {
    /// The settings of a quick run, as text.
    pub quick: Option<String>,
    pub values: Vec<Marked>,
    /// Of a run whose verdicts mean something: the claims, in their order.
    pub claims: Vec<Claim>,
}

/// A value of `snapshot`, with its tolerance.
#[derive(Clone, Debug, PartialEq)]
pub struct Marked {
    pub name: String,
    pub within: f64,
    /// `Objective = plain, Seed = 0` and the number there; of a single number one entry without coordinates.
    pub entries: Vec<(String, f64)>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Claim {
    /// `holds` or `refuted`.
    pub verdict: String,
    pub text: String,
}

/// What the `snapshot` statements of an experiment mark in its results.
pub fn snapshot(results: &Results) -> Snapshot {
    let marked = |marked: &crate::run::results::Marked| {
        let mut coordinates = vec![String::new()];
        for axis in &marked.axes {
            let extended = |before: &String| -> Vec<String> {
                let comma = if before.is_empty() { "" } else { ", " };
                let label = |label: &String| format!("{before}{comma}{} = {}", axis.name, one_line(label));
                axis.labels.iter().map(label).collect()
            };
            coordinates = coordinates.iter().flat_map(extended).collect();
        }
        Marked {
            name: marked.name.clone(),
            within: marked.within,
            entries: coordinates.into_iter().zip(marked.values.iter().copied()).collect(),
        }
    };
    let claim = |claim: &crate::run::results::Claim| Claim {
        verdict: match claim.verdict {
            Verdict::Holds => "holds".to_owned(),
            Verdict::Refuted => "refuted".to_owned(),
        },
        text: one_line(&claim.text),
    };
    let quick = results.quick().map(str::to_owned);
    Snapshot {
        values: results.snapshot.iter().map(marked).collect(),
        // After few steps and seeds a verdict turns with the last digits.
        claims: if quick.is_some() { Vec::new() } else { results.claims.iter().map(claim).collect() },
        quick,
    }
}

/// Text of the user's that may hold anything, on one line.
fn one_line(text: &str) -> String {
    let escape = |c: char| -> String {
        if c.is_control() || c == '\\' { c.escape_default().collect() } else { c.to_string() }
    };
    text.chars().map(escape).collect()
}
