//! From the outcomes of trials to arrays over the axes of trials.

use super::Failure;
use super::prepare::Base;
use super::results::{Curve, Divergence, Examples, Measure, ResultAxis};
use super::trial::{Found, FoundAxis, Outcome, Stopped};
use super::vary::{Trial, VaryAxis};
use crate::check::program::{AxisId, AxisKind};
use crate::graph::Element;
use crate::graph::elaborate::TermField;
use crate::source::{Sources, Span};

/// A measure with what the results phase needs to bind it.
#[derive(Clone, Debug)]
pub struct Collected {
    pub name: Span,
    /// Of a term of a combined objective: what of it.
    pub field: Option<TermField>,
    pub element: Element,
    /// For each axis of `measure`: its identity.
    pub ids: Vec<Option<AxisId>>,
    pub measure: Measure,
}

pub struct Collection {
    pub measures: Vec<Collected>,
    pub examples: Vec<Examples>,
    pub curves: Vec<Curve>,
    pub diverged: Vec<Divergence>,
}

/// Puts the trials' measures side by side. Any trial that stopped with an error makes the run fail.
pub fn collect(
    base: &Base,
    sources: &Sources,
    trials: &[Trial],
    outcomes: Vec<Result<Outcome, Stopped>>,
) -> Result<Collection, Failure> {
    let outcomes = all_or_failure(outcomes)?;
    let mut firsts: Vec<&Found> = Vec::new();
    for found in outcomes.iter().flat_map(|o| &o.measures) {
        if !firsts.iter().any(|known| known.is(found)) {
            firsts.push(found);
        }
    }
    let measures = firsts.into_iter().map(|first| array(base, sources, trials, &outcomes, first)).collect();
    let mut curves = Vec::new();
    let mut diverged = Vec::new();
    for (trial, outcome) in trials.iter().zip(&outcomes) {
        let labels = trial.labels(&base.axes);
        for course in &outcome.courses {
            curves.push(Curve {
                term: course.term.clone(),
                block: course.block,
                trial: labels.clone(),
                values: course.means.clone(),
            });
        }
        diverged.extend(divergence(sources, outcome, labels));
    }
    let examples = examples(base, trials, &outcomes);
    Ok(Collection { measures, examples, curves, diverged })
}

/// Where a trial stopped being finite, if it did.
pub fn divergence(sources: &Sources, outcome: &Outcome, trial: Vec<(String, String)>) -> Option<Divergence> {
    let (span, step, term) = outcome.diverged.as_ref()?;
    Some(Divergence { trial, term: term.clone(), step: *step, line: sources.position(*span).0 })
}

/// What one trial measured, over the measures' own axes.
pub fn of_trial(base: &Base, sources: &Sources, outcome: &Outcome) -> Vec<Measure> {
    let measure = |found: &Found| Measure {
        name: shown(sources, found),
        axes: found.axes.iter().map(|axis| result_axis(base, axis)).collect(),
        values: found.values.clone(),
        line: sources.position(found.name).0,
    };
    outcome.measures.iter().filter(|found| found.field.is_none()).map(measure).collect()
}

/// Trials with the same rows along an axis share them.
fn examples(base: &Base, trials: &[Trial], outcomes: &[Outcome]) -> Vec<Examples> {
    let mut found: Vec<(AxisId, &[i32], Vec<usize>)> = Vec::new();
    for (number, outcome) in outcomes.iter().enumerate() {
        for (axis, rows) in &outcome.rows {
            match found.iter_mut().find(|(known, of, _)| known == axis && of == rows) {
                Some((.., trials)) => trials.push(number),
                None => found.push((*axis, rows, vec![number])),
            }
        }
    }
    let named = |(axis, rows, numbers): (AxisId, &[i32], Vec<usize>)| {
        let info = base.program.axis(axis);
        let keys = match &info.kind {
            AxisKind::Part { rows, .. } => base.labels.get(rows),
            _ => None,
        };
        let name = |row: &i32| keys.and_then(|keys| keys.get(*row as usize)).cloned();
        Examples {
            axis: info.name.clone(),
            trials: numbers.into_iter().map(|number| trials[number].labels(&base.axes)).collect(),
            rows: rows.iter().map(|row| name(row).unwrap_or_else(|| row.to_string())).collect(),
        }
    };
    found.into_iter().map(named).collect()
}

fn all_or_failure(outcomes: Vec<Result<Outcome, Stopped>>) -> Result<Vec<Outcome>, Failure> {
    let mut done = Vec::with_capacity(outcomes.len());
    let (mut wrong, mut failed) = (Vec::new(), Vec::new());
    for outcome in outcomes {
        let (list, problems) = match outcome {
            Ok(outcome) => {
                done.push(outcome);
                continue;
            }
            Err(Stopped::Wrong(problems)) => (&mut wrong, problems),
            Err(Stopped::Failed(problems)) => (&mut failed, problems),
        };
        // Many trials stop for one reason: say it once.
        for problem in problems {
            if !list.contains(&problem) {
                list.push(problem);
            }
        }
    }
    match (wrong.is_empty(), failed.is_empty()) {
        (true, true) => Ok(done),
        (false, _) => Err(Failure::Wrong(wrong)),
        (true, false) => Err(Failure::Failed(failed)),
    }
}

/// One measure over the `vary` axes that it depends on, then its own.
fn array(base: &Base, sources: &Sources, trials: &[Trial], outcomes: &[Outcome], first: &Found) -> Collected {
    let name = first.name;
    let find = |outcome: &'_ Outcome| outcome.measures.iter().position(|found| found.is(first));
    let mut own: Vec<FoundAxis> = first.axes.clone();
    // Trials may differ in how many moments they record: the longest course has the axis.
    let longest =
        outcomes.iter().filter_map(|o| find(o).map(|at| &o.measures[at])).max_by_key(|f| moments(f));
    if let (Some(axis), Some(longest)) = (own.first_mut().filter(|axis| axis.labels.is_some()), longest) {
        *axis = longest.axes[0].clone();
    }
    let inner: usize = own.iter().map(|axis| axis.size).product();
    let depends: Vec<usize> = match base.program.varies.get(&name) {
        Some(ids) => (0..base.axes.len()).filter(|at| ids.contains(&base.axes[*at].id)).collect(),
        None => (0..base.axes.len()).collect(),
    };
    let mut values = Vec::new();
    for (trial, outcome) in trials.iter().zip(outcomes) {
        // Along the axes that it does not depend on, the first position stands for all.
        let skipped = |at: usize| !depends.contains(&at) && trial.positions[at] != 0;
        if (0..trial.positions.len()).any(skipped) {
            continue;
        }
        match find(outcome).map(|at| &outcome.measures[at]) {
            Some(found) if outcome.diverged.is_none() && padded(found, &own).len() == inner => {
                values.extend(padded(found, &own));
            }
            _ => values.extend(std::iter::repeat_n(f64::NAN, inner)),
        }
    }
    let vary = |axis: &VaryAxis| ResultAxis { name: axis.name.clone(), labels: axis.labels() };
    let axes =
        depends.iter().map(|at| vary(&base.axes[*at])).chain(own.iter().map(|axis| result_axis(base, axis)));
    Collected {
        name,
        field: first.field,
        element: first.element,
        ids: depends.iter().map(|at| Some(base.axes[*at].id)).chain(own.iter().map(|axis| axis.id)).collect(),
        measure: Measure {
            name: shown(sources, first),
            axes: axes.collect(),
            values,
            line: sources.position(name).0,
        },
    }
}

/// `score`, or of a term `fit.norm`.
fn shown(sources: &Sources, found: &Found) -> String {
    let name = sources.slice(found.name);
    match found.field {
        None => name.to_owned(),
        Some(TermField::Violation) => "violation.value".to_owned(),
        Some(TermField::Value) => format!("{name}.value"),
        Some(TermField::Weight) => format!("{name}.weight"),
        Some(TermField::Norm) => format!("{name}.norm"),
        Some(TermField::Cosine(other)) => format!("{name}.cosine.{}", sources.slice(other)),
    }
}

/// How many moments a record has.
fn moments(found: &Found) -> usize {
    found.axes.first().map_or(0, |axis| axis.size)
}

/// The values of a record with its last moment repeated for those that only other trials reached.
fn padded(found: &Found, own: &[FoundAxis]) -> Vec<f64> {
    let mut values = found.values.clone();
    let recorded = own.first().is_some_and(|axis| axis.labels.is_some());
    let (have, want) = (moments(found), own.first().map_or(0, |axis| axis.size));
    if recorded && have > 0 && have < want && values.len().is_multiple_of(have) {
        let width = values.len() / have;
        for _ in have..want {
            values.extend_from_within(values.len() - width..);
        }
    }
    values
}

/// An axis of a measured array: categories by their values, others by position.
fn result_axis(base: &Base, axis: &FoundAxis) -> ResultAxis {
    let labels = match axis.id.and_then(|id| base.labels.get(&id)) {
        _ if axis.labels.is_some() => axis.labels.clone().unwrap_or_default(),
        Some(values) if values.len() == axis.size => values.clone(),
        _ => (0..axis.size).map(|i| i.to_string()).collect(),
    };
    ResultAxis { name: axis.name.clone(), labels }
}
