//! Rows into named parts.
//!
//! The rows are put into one order that depends only on the key and the rows, and the parts take consecutive stretches
//! of it. Hence, with the same key, a smaller first part is a prefix of a larger one; and growing one part never
//! reshuffles. Each part lists its rows in that order.
//!
//! - Plain: the order is a random permutation.
//! - Stratified: the order is dealt so that every prefix holds each stratum's share to within one row. The first
//!   and the last part are therefore exact to within one row a stratum, a part between them to within two.
//! - By group: groups in random order, each with its rows together; a boundary moves to the nearest end of a group.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

use super::order::{self, Domain};
use crate::diagnostic::{Checked, Code, Diagnostic};
use crate::source::Span;

/// How large a part is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Amount {
    /// Of all rows; `0.7` for `70%`.
    Fraction(f64),
    /// A number of rows.
    Count(usize),
    /// What the others leave.
    Rest,
}

#[derive(Clone, Debug, PartialEq)]
pub struct PartSpec {
    pub name: String,
    pub amount: Amount,
    pub span: Span,
}

/// What to split and how.
#[derive(Clone, Copy, Debug)]
pub struct SplitSpec<'a> {
    pub rows: usize,
    pub parts: &'a [PartSpec],
    /// Index columns; rows that agree in all of them stay together. Empty: every row by itself.
    pub groups: &'a [&'a [i32]],
    /// Index columns; each part gets the same mixture of their values. Empty: as it comes.
    pub strata: &'a [&'a [i32]],
    /// (seed, site)
    pub key: [u32; 2],
    /// The statement.
    pub span: Span,
}

/// Parts of a data set: names with rows. No row is in two parts; rows that no part takes are left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Split {
    pub parts: Vec<(String, Vec<u32>)>,
}

impl Split {
    pub fn part(&self, name: &str) -> Option<&[u32]> {
        self.parts.iter().find(|(known, _)| known == name).map(|(_, rows)| rows.as_slice())
    }
}

/// Splits rows into parts.
pub fn split(spec: SplitSpec) -> Checked<Split> {
    check_columns(&spec, spec.rows)?;
    let ends = boundaries(&spec)?;
    let (order, ends) = if spec.groups.is_empty() {
        let order = if spec.strata.is_empty() {
            order::shuffled(spec.key, 0, spec.rows, Domain::Split)
        } else {
            stratified(&classes(spec.strata, spec.rows), spec.key)
        };
        (order, ends)
    } else {
        grouped(&spec, &ends)?
    };
    let mut parts = Vec::with_capacity(spec.parts.len());
    let mut problems = Vec::new();
    let mut start = 0;
    for (part, end) in spec.parts.iter().zip(ends) {
        if end == start {
            let what = if spec.groups.is_empty() { "rows" } else { "whole groups" };
            problems.push(
                Diagnostic::error(
                    Code::A0431,
                    part.span,
                    format!("the part `{}` gets no rows of {}", part.name, spec.rows),
                )
                .label("empty")
                .help(format!("give it more, or the others less: a part takes {what}")),
            );
        }
        parts.push((part.name.clone(), order[start..end].to_vec()));
        start = end;
    }
    if problems.is_empty() { Ok(Split { parts }) } else { Err(problems) }
}

/// The end of each part in the order of rows, from the amounts.
fn boundaries(spec: &SplitSpec) -> Checked<Vec<usize>> {
    let rows = spec.rows as f64;
    let mut problems = Vec::new();
    let (mut fractions, mut wanted) = (0.0, 0.0);
    for (at, part) in spec.parts.iter().enumerate() {
        match part.amount {
            Amount::Fraction(f) if !f.is_finite() || f <= 0.0 => problems.push(
                Diagnostic::error(
                    Code::A0431,
                    part.span,
                    format!("the part `{}` takes {}%", part.name, 100.0 * f),
                )
                .label("a share is more than 0%"),
            ),
            Amount::Fraction(f) => {
                fractions += f;
                wanted += f * rows;
            }
            Amount::Count(count) => wanted += count as f64,
            Amount::Rest => {}
        }
        let clash = spec.parts[..at].iter().find(|other| {
            other.name == part.name || (other.amount == Amount::Rest && part.amount == Amount::Rest)
        });
        if let Some(other) = clash {
            let what = if other.name == part.name { "the same name" } else { "no size: both are the rest" };
            problems.push(
                Diagnostic::error(Code::A0436, part.span, format!("two parts have {what}"))
                    .label("the second")
                    .related(other.span, "the first"),
            );
        }
    }
    if fractions > 1.0 + 1e-9 {
        problems.push(
            Diagnostic::error(
                Code::A0432,
                spec.span,
                format!("the parts take {}% together", percent(fractions)),
            )
            .label("more than 100%")
            .help("a part without a size takes the rest"),
        );
    } else if wanted > rows * (1.0 + 1e-12) + 1e-6 {
        problems.push(
            Diagnostic::error(
                Code::A0430,
                spec.span,
                format!("the parts take {wanted} rows of {}", spec.rows),
            )
            .label("more rows than there are")
            .help("a part without a size takes the rest"),
        );
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    let mut ends = Vec::with_capacity(spec.parts.len());
    let mut at = 0.0;
    for part in spec.parts {
        at += match part.amount {
            Amount::Fraction(f) => f * rows,
            Amount::Count(count) => count as f64,
            Amount::Rest => rows - wanted,
        };
        // A share such as 0.7 has no exact binary form: whole rows may miss by a hair.
        let end = (at + 1e-9 * rows.max(1.0)).round().clamp(0.0, rows);
        ends.push(end as usize);
    }
    Ok(ends)
}

fn percent(fraction: f64) -> f64 {
    (fraction * 1e6).round() / 1e4
}

/// Columns must be as long as the data.
pub(super) fn check_columns(spec: &SplitSpec, rows: usize) -> Checked<()> {
    match spec.groups.iter().chain(spec.strata).find(|column| column.len() != rows) {
        None => Ok(()),
        Some(column) => Err(vec![
            Diagnostic::error(
                Code::A0433,
                spec.span,
                format!("a column of {} values cannot divide {rows} rows", column.len()),
            )
            .label("takes columns of one category a row"),
        ]),
    }
}

/// The class of each row under several columns: numbered in the order of the columns' values, so that the number does
/// not depend on the order of rows.
pub(super) fn classes(columns: &[&[i32]], rows: usize) -> Vec<u32> {
    let key = |row: usize| columns.iter().map(|column| column[row]).collect::<Vec<i32>>();
    let mut distinct: Vec<Vec<i32>> = (0..rows).map(key).collect();
    distinct.sort_unstable();
    distinct.dedup();
    let number: HashMap<Vec<i32>, u32> = distinct.into_iter().zip(0..).collect();
    (0..rows).map(|row| number[&key(row)]).collect()
}

/// The rows of each class, in shuffled order.
pub(super) fn shuffled_members(classes: &[u32], key: [u32; 2]) -> Vec<Vec<u32>> {
    let count = classes.iter().max().map_or(0, |max| *max as usize + 1);
    let mut members = vec![Vec::new(); count];
    for row in order::shuffled(key, 0, classes.len(), Domain::Split) {
        members[classes[row as usize] as usize].push(row);
    }
    members
}

/// An order of the rows in which every prefix of m rows holds m * n_c / n rows of class c, to within one.
///
/// The j-th row of a class may come at position `floor((j-1) n / n_c) + 1` and must have come by `ceil(j n / n_c)`;
/// earliest deadline first always meets this (Baruah, Cohen, Plaxton and Varvel 1996, "Proportionate progress";
/// Tijdeman 1980, "The chairman assignment problem"). Equal deadlines are ordered at random.
pub(super) fn stratified(classes: &[u32], key: [u32; 2]) -> Vec<u32> {
    let members = shuffled_members(classes, key);
    let total = classes.len() as u64;
    let mut luck = vec![0u32; classes.len()];
    for (at, row) in order::shuffled(key, 1, classes.len(), Domain::Split).into_iter().enumerate() {
        luck[row as usize] = at as u32;
    }
    // (release, class) and (deadline, luck, class), earliest first.
    let mut waiting = BinaryHeap::new();
    let mut ready = BinaryHeap::new();
    for class in (0..members.len()).filter(|class| !members[*class].is_empty()) {
        waiting.push(Reverse((1u64, class)));
    }
    let mut taken = vec![0usize; members.len()];
    let mut order = Vec::with_capacity(classes.len());
    for position in 1..=total {
        while let Some(Reverse((release, class))) = waiting.peek().copied() {
            if release > position {
                break;
            }
            waiting.pop();
            let share = members[class].len() as u64;
            let deadline = ((taken[class] as u64 + 1) * total).div_ceil(share);
            ready.push(Reverse((deadline, luck[members[class][taken[class]] as usize], class)));
        }
        let Some(Reverse((_, _, class))) = ready.pop() else { continue };
        order.push(members[class][taken[class]]);
        taken[class] += 1;
        if taken[class] < members[class].len() {
            let release = taken[class] as u64 * total / members[class].len() as u64 + 1;
            waiting.push(Reverse((release, class)));
        }
    }
    order
}

/// The order of rows by whole groups, and the ends moved to the nearest end of a group.
fn grouped(spec: &SplitSpec, ends: &[usize]) -> Checked<(Vec<u32>, Vec<usize>)> {
    let groups = classes(spec.groups, spec.rows);
    let count = groups.iter().max().map_or(0, |max| *max as usize + 1);
    let mut members = vec![Vec::new(); count];
    for (row, group) in groups.iter().enumerate() {
        members[*group as usize].push(row as u32);
    }
    let group_order = if spec.strata.is_empty() {
        order::shuffled(spec.key, 0, count, Domain::Split)
    } else {
        let strata = classes(spec.strata, spec.rows);
        let of_group: Vec<u32> = members.iter().map(|rows| strata[rows[0] as usize]).collect();
        if let Some(row) = (0..spec.rows).find(|row| of_group[groups[*row] as usize] != strata[*row]) {
            return Err(vec![
                Diagnostic::error(
                    Code::A0433,
                    spec.span,
                    format!(
                        "a group has rows of several strata: row {} and row {}",
                        members[groups[row] as usize][0] + 1,
                        row + 1
                    ),
                )
                .label("split by whole groups and stratified")
                .help("stratify by a column that is the same in all rows of a group"),
            ]);
        }
        stratified(&of_group, spec.key)
    };
    let mut order = Vec::with_capacity(spec.rows);
    let mut group_ends = vec![0];
    for group in group_order {
        order.extend_from_slice(&members[group as usize]);
        group_ends.push(order.len());
    }
    let ends = ends
        .iter()
        .map(|end| {
            let after = group_ends.partition_point(|e| e < end).min(group_ends.len() - 1);
            let (earlier, later) = (group_ends[after.saturating_sub(1)], group_ends[after]);
            // The nearer one; of two equally near ones the later, which is the whole when the end is the end of all.
            if later.abs_diff(*end) <= end.abs_diff(earlier) { later } else { earlier }
        })
        .collect();
    Ok((order, ends))
}
