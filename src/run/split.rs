//! `split` in a trial: rows where a condition holds, the rows of a fold, and shares of the rest.

use std::collections::BTreeMap;

use super::trial::{Running, Stopped};
use super::vary::Over;
use crate::check::program::AxisId;
use crate::data::{Amount, PartSpec, SplitSpec, kfold, split};
use crate::diagnostic::{Code, Diagnostic};
use crate::graph::elaborate::{DataBinding, Stored};
use crate::graph::{Element, Tensor};
use crate::source::Span;
use crate::syntax::ast::{Name, PartSize, Split};

impl<'p> Running<'_, 'p> {
    pub(super) fn split(&mut self, statement: &'p Split, span: Span) -> Result<(), Stopped> {
        let program = self.base.program;
        let name = &statement.data.text;
        self.splits += 1;
        let (Some(rows_id), Some(mut binding)) = (self.scope.rows_id(name), self.scope.data(name).cloned())
        else {
            return Ok(());
        };
        let rows = self.scope.axis(rows_id).map_or(0, |axis| self.scope.axes.size(axis));
        let groups = self.index_columns(&binding, &statement.by)?;
        let strata = self.index_columns(&binding, &statement.stratified)?;
        let seed = match &statement.seed {
            Some(e) => self.scope.number(e)? as u32,
            None => self.seed,
        };
        let key = [seed, self.splits];
        let spec = Whole { rows, groups: &groups, strata: &strata, key, span };
        // Conditions and folds choose their rows; the other parts share what these leave.
        let mut parts: Vec<(String, Vec<u32>)> = Vec::new();
        let mut shares = Vec::new();
        let mut free = vec![true; rows];
        for part in &statement.parts {
            let name = part.name.text.clone();
            let amount = match &part.size {
                None => Amount::Rest,
                Some(PartSize::Percent(e)) => Amount::Fraction(self.scope.number(e)? / 100.0),
                Some(PartSize::Count(e)) => Amount::Count(self.scope.number(e)?.max(0.0) as usize),
                Some(PartSize::Where(mask)) => {
                    let (program, outcome) = self.scope.mask(&statement.data.text, mask, &mut self.store)?;
                    self.once(program, mask.span)?;
                    let holds = self.store.get(outcome.slot).to_f64();
                    let chosen = (0..rows).filter(|row| holds[*row] != 0.0).collect();
                    parts.push((name, take(chosen, &mut free, part.name.span)?));
                    continue;
                }
                Some(PartSize::Fold(fold)) => {
                    let chosen = self.fold(fold, &statement.data.text, &binding, spec)?;
                    parts.push((name, take(chosen, &mut free, part.name.span)?));
                    continue;
                }
            };
            shares.push(PartSpec { name, amount, span: part.name.span });
        }
        if !shares.is_empty() {
            let left: Vec<usize> = (0..rows).filter(|row| free[*row]).collect();
            let of_left = |columns: &[Vec<i32>]| -> Vec<Vec<i32>> {
                columns.iter().map(|column| left.iter().map(|row| column[*row]).collect()).collect()
            };
            let (groups, strata) = (of_left(&groups), of_left(&strata));
            let done = split::split(SplitSpec {
                rows: left.len(),
                parts: &shares,
                groups: &slices(&groups),
                strata: &slices(&strata),
                key,
                span,
            })?;
            let in_data = |rows: Vec<u32>| rows.into_iter().map(|row| left[row as usize] as u32).collect();
            parts.extend(done.parts.into_iter().map(|(name, rows)| (name, in_data(rows))));
        }
        let named: BTreeMap<String, AxisId> = statement
            .parts
            .iter()
            .filter_map(|part| Some((part.name.text.clone(), *program.axes_at.get(&part.name.span)?)))
            .collect();
        for (part, rows) in parts {
            let Some(id) = named.get(&part).copied() else { continue };
            let axis = self.scope.bind_axis(id, rows.len());
            let slot = self.store.add(Tensor::Index(rows.iter().map(|row| *row as i32).collect()));
            let name = format!("{name}.{part}");
            binding.parts.insert(part, Stored { slot, element: Element::Index, layout: vec![axis], name });
        }
        self.scope.bind_data(name, binding);
        Ok(())
    }

    /// The rows of this trial's fold.
    fn fold(
        &self,
        fold: &Name,
        data: &str,
        binding: &DataBinding,
        whole: Whole,
    ) -> Result<Vec<usize>, Stopped> {
        let id = self.base.program.axes_at.get(&fold.span);
        let axes = self.base.axes.iter().zip(&self.positions);
        let Some((axis, at)) = axes.into_iter().find(|(axis, _)| Some(&axis.id) == id) else {
            return Ok(Vec::new());
        };
        let wanted = axis.value(*at) as usize;
        match &axis.over {
            Over::Folds { count, .. } => {
                let spec = SplitSpec {
                    rows: whole.rows,
                    parts: &[],
                    groups: &slices(whole.groups),
                    strata: &slices(whole.strata),
                    key: whole.key,
                    span: whole.span,
                };
                let folds = kfold(*count, spec)?;
                Ok((0..whole.rows).filter(|row| folds.fold_of[*row] as usize == wanted).collect())
            }
            Over::Groups { column: (of, column), .. } if of == data => {
                let values = binding.columns.get(column).map(|stored| self.store.get(stored.slot).to_f64());
                let values = values.unwrap_or_default();
                Ok((0..whole.rows).filter(|row| values.get(*row) == Some(&(wanted as f64))).collect())
            }
            _ => Err(Stopped::Wrong(vec![
                Diagnostic::error(Code::A0346, fold.span, format!("`{}` is no fold of `{data}`", fold.text))
                    .label("of other data")
                    .help(format!(
                        "vary over groups of this data set: `vary {} = groups({data}.column)`",
                        fold.text
                    )),
            ])),
        }
    }

    fn index_columns(&self, binding: &DataBinding, names: &[Name]) -> Result<Vec<Vec<i32>>, Stopped> {
        let mut columns = Vec::new();
        for name in names {
            let tensor = binding.columns.get(&name.text).map(|stored| self.store.get(stored.slot));
            columns.push(match tensor {
                Some(Tensor::Index(values)) => values.clone(),
                Some(Tensor::Bool(values)) => values.iter().map(|v| i32::from(*v)).collect(),
                _ => {
                    return Err(Stopped::Wrong(vec![
                        Diagnostic::error(
                            Code::A0505,
                            name.span,
                            format!("`{}` is not a category, so rows cannot be grouped by it", name.text),
                        )
                        .help("group by a category or a Bool column"),
                    ]));
                }
            });
        }
        Ok(columns)
    }
}

/// All rows, with what holds them together.
#[derive(Clone, Copy)]
struct Whole<'a> {
    rows: usize,
    groups: &'a [Vec<i32>],
    strata: &'a [Vec<i32>],
    key: [u32; 2],
    span: Span,
}

fn slices(columns: &[Vec<i32>]) -> Vec<&[i32]> {
    columns.iter().map(Vec::as_slice).collect()
}

/// The chosen rows that no part before has.
fn take(chosen: Vec<usize>, free: &mut [bool], part: Span) -> Result<Vec<u32>, Stopped> {
    let rows: Vec<u32> = chosen.into_iter().filter(|row| free[*row]).map(|row| row as u32).collect();
    for row in &rows {
        free[*row as usize] = false;
    }
    match rows.is_empty() {
        false => Ok(rows),
        true => Err(Stopped::Wrong(vec![
            Diagnostic::error(Code::A0431, part, format!("no row of {} comes into this part", free.len()))
                .label("empty")
                .help("its condition holds nowhere, or its fold is empty"),
        ])),
    }
}
