//! Numbered column groups: `feature_0 .. feature_8` become one array.
//!
//! Common numberings are read: `p0`, `p_0`, `p.0`, `p-0`, `p 0`, `p[0]`, from 0 or from 1, with or without leading zeros.

use std::collections::BTreeMap;

use super::bind::listed;
use super::schema::ColumnSpec;
use crate::diagnostic::{Code, Diagnostic, nearest};

/// (number, (file, field))
type Member = (usize, (usize, usize));

const SEPARATORS: [&str; 6] = ["_", "", ".", "-", " ", "["];

/// The number of a header in the group of a prefix and a separator.
fn number(header: &str, prefix: &str, separator: &str) -> Option<usize> {
    let rest = header.strip_prefix(prefix)?.strip_prefix(separator)?;
    let digits = if separator == "[" { rest.strip_suffix(']')? } else { rest };
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    digits.parse().ok()
}

/// The members in the most frequent numbering, in the order of their numbers.
fn members(prefix: &str, headers: &[(usize, usize, &str)]) -> Vec<Member> {
    let mut best: Vec<Member> = Vec::new();
    for separator in SEPARATORS {
        let mut found: Vec<Member> = headers
            .iter()
            .filter_map(|(file, field, h)| Some((number(h, prefix, separator)?, (*file, *field))))
            .collect();
        if found.len() > best.len() {
            found.sort_unstable();
            best = found;
        }
    }
    best
}

pub fn exists(prefix: &str, headers: &[(usize, usize, &str)]) -> bool {
    !members(prefix, headers).is_empty()
}

/// The group that was probably meant: of a similar name, or else the largest there is.
fn likely<'a>(prefix: &str, headers: &[(usize, usize, &'a str)]) -> Option<&'a str> {
    let mut stems: BTreeMap<&'a str, usize> = BTreeMap::new();
    for (_, _, header) in headers {
        let stem = header.trim_end_matches(|c: char| c.is_ascii_digit() || "_.-[] ".contains(c));
        if !stem.is_empty() && stem != *header {
            *stems.entry(stem).or_default() += 1;
        }
    }
    let largest = stems.iter().filter(|(_, count)| **count > 1).max_by_key(|(_, count)| **count);
    nearest(prefix, stems.keys().copied()).or(largest.map(|(stem, _)| *stem))
}

/// The fields of a group in the order of their numbers.
pub fn bind(
    column: &ColumnSpec,
    headers: &[(usize, usize, &str)],
) -> Result<Vec<(usize, usize)>, Diagnostic> {
    let prefix = column.header();
    let found = members(prefix, headers);
    let problem = |message: String| Diagnostic::error(Code::A0414, column.span, message);
    let Some((first, _)) = found.first() else {
        let problem = problem(format!("the file has no numbered columns `{prefix}_0`, `{prefix}_1`, ..."))
            .label("gathers numbered columns into an array");
        let names = headers.iter().map(|(_, _, h)| *h);
        return Err(if names.clone().any(|h| h == prefix) {
            problem.help(format!("there is one column `{prefix}`: declare it without an axis in brackets"))
        } else if let Some(near) = likely(prefix, headers) {
            problem.help(format!(
                "did you mean the columns `{near}...`? Name them: `{}: ... = \"{near}\"`",
                column.name
            ))
        } else {
            problem.help(format!("the columns are {}", listed(names)))
        });
    };
    if *first > 1 {
        return Err(problem(format!("the columns `{prefix}...` start at number {first}, not at 0 or 1"))
            .label("the first columns of the group are missing"));
    }
    for pair in found.windows(2) {
        let (before, after) = (pair[0].0, pair[1].0);
        if before == after {
            return Err(problem(format!("two columns `{prefix}...` have the number {after}"))
                .label("which of the two is meant cannot be told")
                .help("rename one of them in the header line"));
        }
        if after != before + 1 {
            return Err(problem(format!(
                "the columns `{prefix}...` have a gap: {before} is followed by {after}"
            ))
            .label("numbered columns must follow each other")
            .help("add the missing columns, or rename the others in the header line"));
        }
    }
    Ok(found.into_iter().map(|(_, at)| at).collect())
}
