//! From the outcomes of trials to arrays over the axes of trials.

use super::Failure;
use super::prepare::Base;
use super::results::{Curve, Divergence, Measure, ResultAxis};
use super::trial::{Found, FoundAxis, Outcome, Stopped};
use super::vary::{Trial, VaryAxis};
use crate::check::program::AxisId;
use crate::graph::Element;
use crate::source::{Sources, Span};

/// A measure with what the results phase needs to bind it.
#[derive(Clone, Debug)]
pub struct Collected {
    pub name: Span,
    pub element: Element,
    /// For each axis of `measure`: its identity.
    pub ids: Vec<Option<AxisId>>,
    pub measure: Measure,
}

pub struct Collection {
    pub measures: Vec<Collected>,
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
    let mut names: Vec<Span> = Vec::new();
    for found in outcomes.iter().flat_map(|o| &o.measures) {
        if !names.contains(&found.name) {
            names.push(found.name);
        }
    }
    let measures = names.into_iter().map(|name| array(base, sources, trials, &outcomes, name)).collect();
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
        if let Some((span, step, term)) = &outcome.diverged {
            let line = sources.position(*span).0;
            diverged.push(Divergence { trial: labels, term: term.clone(), step: *step, line });
        }
    }
    Ok(Collection { measures, curves, diverged })
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
fn array(base: &Base, sources: &Sources, trials: &[Trial], outcomes: &[Outcome], name: Span) -> Collected {
    let find = |outcome: &'_ Outcome| outcome.measures.iter().position(|found| found.name == name);
    let first: Option<&Found> = outcomes.iter().find_map(|o| find(o).map(|at| &o.measures[at]));
    let own: Vec<FoundAxis> = first.map(|found| found.axes.clone()).unwrap_or_default();
    let element = first.map_or(Element::Float, |found| found.element);
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
            Some(found) if found.values.len() == inner && outcome.diverged.is_none() => {
                values.extend_from_slice(&found.values);
            }
            _ => values.extend(std::iter::repeat_n(f64::NAN, inner)),
        }
    }
    let vary = |axis: &VaryAxis| ResultAxis { name: axis.name.clone(), labels: axis.labels() };
    let axes =
        depends.iter().map(|at| vary(&base.axes[*at])).chain(own.iter().map(|axis| result_axis(base, axis)));
    Collected {
        name,
        element,
        ids: depends.iter().map(|at| Some(base.axes[*at].id)).chain(own.iter().map(|axis| axis.id)).collect(),
        measure: Measure {
            name: sources.slice(name).to_string(),
            axes: axes.collect(),
            values,
            line: sources.position(name).0,
        },
    }
}

/// An axis of a measured array: categories by their values, others by position.
fn result_axis(base: &Base, axis: &FoundAxis) -> ResultAxis {
    let labels = match axis.id.and_then(|id| base.labels.get(&id)) {
        Some(values) if values.len() == axis.size => values.clone(),
        _ => (0..axis.size).map(|i| i.to_string()).collect(),
    };
    ResultAxis { name: axis.name.clone(), labels }
}
