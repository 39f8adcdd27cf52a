//! Cross-validation: folds, and leaving one group out.

use super::order::{self, Domain};
use super::split::{Split, SplitSpec, check_columns, classes, shuffled_members};
use crate::diagnostic::{Checked, Code, Diagnostic};

/// A fold for every row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Folds {
    pub count: usize,
    pub fold_of: Vec<u32>,
    /// The rows in shuffled order: the order of each part.
    order: Vec<u32>,
}

impl Folds {
    /// The parts `train` (every other fold) and `test` (this fold).
    pub fn split(&self, fold: usize) -> Split {
        let (test, train): (Vec<u32>, Vec<u32>) =
            self.order.iter().partition(|row| self.fold_of[**row as usize] as usize == fold);
        Split { parts: vec![("train".to_string(), train), ("test".to_string(), test)] }
    }
}

/// Puts the rows into `count` folds; `spec.parts` is not used.
///
/// Fold sizes differ by at most one row. Stratified: each stratum's rows differ by at most one between folds. By
/// group: the largest group first, each to the fold with the fewest rows.
pub fn kfold(count: usize, spec: SplitSpec) -> Checked<Folds> {
    check_columns(&spec, spec.rows)?;
    let groups = if spec.groups.is_empty() { None } else { Some(classes(spec.groups, spec.rows)) };
    let available =
        groups.as_ref().map_or(spec.rows, |groups| groups.iter().max().map_or(0, |max| *max as usize + 1));
    let what = if groups.is_some() { "groups" } else { "rows" };
    if count < 2 || count > available {
        return Err(vec![
            Diagnostic::error(
                Code::A0434,
                spec.span,
                format!("{available} {what} cannot make {count} folds"),
            )
            .label("a fold takes at least one, and there must be two folds"),
        ]);
    }
    let mut fold_of = vec![0u32; spec.rows];
    match groups {
        None => {
            let members = if spec.strata.is_empty() {
                vec![order::shuffled(spec.key, 0, spec.rows, Domain::Split)]
            } else {
                shuffled_members(&classes(spec.strata, spec.rows), spec.key)
            };
            for (at, row) in members.iter().flatten().enumerate() {
                fold_of[*row as usize] = (at % count) as u32;
            }
        }
        Some(_) if !spec.strata.is_empty() => {
            return Err(vec![
                Diagnostic::error(Code::A0434, spec.span, "folds cannot be both by group and stratified")
                    .label("choose one of them"),
            ]);
        }
        Some(groups) => {
            let mut members = shuffled_groups(&groups, available, spec.key);
            // Stable: groups of equal size stay in random order.
            members.sort_by_key(|rows| std::cmp::Reverse(rows.len()));
            let mut sizes = vec![0usize; count];
            for rows in members {
                let fold = (0..count).min_by_key(|fold| sizes[*fold]).unwrap_or(0);
                sizes[fold] += rows.len();
                for row in rows {
                    fold_of[row as usize] = fold as u32;
                }
            }
        }
    }
    Ok(Folds { count, fold_of, order: order::shuffled(spec.key, 0, spec.rows, Domain::Split) })
}

fn shuffled_groups(groups: &[u32], count: usize, key: [u32; 2]) -> Vec<Vec<u32>> {
    let mut members = vec![Vec::new(); count];
    for (row, group) in groups.iter().enumerate() {
        members[*group as usize].push(row as u32);
    }
    order::shuffled(key, 0, count, Domain::Split)
        .into_iter()
        .map(|group| std::mem::take(&mut members[group as usize]))
        .collect()
}

/// One fold for each group, in the order of the groups' index; `spec.parts` and `spec.strata` are not used.
pub fn leave_one_group_out(spec: SplitSpec) -> Checked<Folds> {
    check_columns(&spec, spec.rows)?;
    let fold_of = classes(spec.groups, spec.rows);
    let count = fold_of.iter().max().map_or(0, |max| *max as usize + 1);
    if count < 2 {
        return Err(vec![
            Diagnostic::error(Code::A0434, spec.span, format!("{count} group cannot be left out of itself"))
                .label("needs at least two groups"),
        ]);
    }
    Ok(Folds { count, fold_of, order: order::shuffled(spec.key, 0, spec.rows, Domain::Split) })
}
