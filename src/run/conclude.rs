//! The results phase: lets over measures, claims with their evidence, tables.

use std::collections::BTreeMap;

use super::Failure;
use super::collect::Collection;
use super::engine::{Engine, read_f64, scalar};
use super::evidence::evidence;
use super::prepare::{Base, axis_name};
use super::results::{Claim, Curve, Marked, Measure, Plot, ResultAxis, Side, Table, Verdict};
use super::table::{self, Column};
use super::terms;
use super::vary::Over;
use crate::check::program::{AxisId, AxisKind, Phase};
use crate::diagnostic::Diagnostic;
use crate::graph::elaborate::{Outcome, Scope, Stored, Value, VaryBinding};
use crate::graph::{Element, Precision, Store, Tensor};
use crate::source::{Sources, Span};
use crate::syntax::ast::{
    Experiment, Expr, ExprKind, ReportKind, ReportLine, Statement, StatementKind, UnaryOperator,
};

/// The tolerance of a `snapshot` without `within`.
const WITHIN: f64 = 1e-6;

#[derive(Default)]
pub struct Conclusion {
    pub measures: Vec<Measure>,
    pub claims: Vec<Claim>,
    pub tables: Vec<Table>,
    pub texts: Vec<String>,
    pub plots: Vec<Plot>,
    pub snapshot: Vec<Marked>,
}

/// Evaluates every statement of the results phase in double precision.
pub fn conclude<'p>(
    base: &Base<'p>,
    experiment: &'p Experiment,
    sources: &Sources,
    collection: &Collection,
    engine: &Engine,
) -> Result<Conclusion, Failure> {
    let mut phase = Results {
        base,
        sources,
        engine,
        scope: base.scope.clone(),
        store: base.store.clone(),
        conclusion: Conclusion::default(),
        curves: &collection.curves,
        labels: BTreeMap::new(),
    };
    phase.share(experiment);
    phase.bind(collection);
    let (mut wrong, mut failed) = (Vec::new(), Vec::new());
    for statement in &experiment.body {
        if base.program.phases.get(&statement.span) != Some(&Phase::Results) {
            continue;
        }
        match phase.execute(statement) {
            Ok(()) => {}
            Err(Stop::Wrong(problems)) => wrong.extend(problems),
            Err(Stop::Failed(problems)) => failed.extend(problems),
        }
    }
    match (wrong.is_empty(), failed.is_empty()) {
        (true, true) => Ok(phase.conclusion),
        (false, _) => Err(Failure::Wrong(wrong)),
        (true, false) => Err(Failure::Failed(failed)),
    }
}

enum Stop {
    Wrong(Vec<Diagnostic>),
    Failed(Vec<Diagnostic>),
}

impl From<Vec<Diagnostic>> for Stop {
    fn from(problems: Vec<Diagnostic>) -> Self {
        Stop::Wrong(problems)
    }
}

struct Results<'a, 'p> {
    base: &'a Base<'p>,
    sources: &'a Sources,
    engine: &'a Engine,
    scope: Scope<'p>,
    store: Store,
    conclusion: Conclusion,
    /// The courses of the terms.
    curves: &'a [Curve],
    /// What stands at the positions of the measures' own axes.
    labels: BTreeMap<AxisId, Vec<String>>,
}

impl<'p> Results<'_, 'p> {
    /// Sizes and numbers of the trial phase that are the same in every trial are known here too.
    fn share(&mut self, experiment: &'p Experiment) {
        for statement in &experiment.body {
            if !matches!(statement.kind, StatementKind::Axis(_) | StatementKind::Let(_)) {
                continue;
            }
            if self.base.program.phases.get(&statement.span) == Some(&Phase::Results) {
                continue;
            }
            // One that depends on a trial cannot be executed here; a statement that uses it was refused by the checker.
            let mut attempt = (self.scope.clone(), self.store.clone());
            let done = match attempt.0.execute(statement, &mut attempt.1, Precision::Double) {
                Ok(None) => true,
                // A number that is differentiated by has a slot: it is not known before.
                Ok(Some(program)) if self.differentiated(statement) => {
                    let compiled = self.engine.compile(program, statement.span, &attempt.1);
                    compiled.is_ok_and(|mut compiled| compiled.run(&mut attempt.1).is_ok())
                }
                _ => false,
            };
            if done {
                (self.scope, self.store) = attempt;
            }
        }
    }

    /// Whether some `grad` is taken by what this `let` names.
    fn differentiated(&self, statement: &Statement) -> bool {
        let StatementKind::Let(l) = &statement.kind else { return false };
        l.names.iter().any(|name| self.base.program.differentiated.contains(&name.span))
    }

    fn bind(&mut self, collection: &Collection) {
        for axis in &self.base.axes {
            self.scope.bind_axis(axis.id, axis.count());
            let values = match &axis.over {
                Over::Arms(_) => Vec::new(),
                Over::Values(values) => values.clone(),
                Over::Seeds(_) | Over::Folds { .. } | Over::Groups { .. } => {
                    (0..axis.count()).map(|i| axis.value(i)).collect()
                }
            };
            self.scope.bind_vary(axis.id, VaryBinding::Values(values));
        }
        for collected in &collection.measures {
            let mut layout = Vec::new();
            for (id, axis) in collected.ids.iter().zip(&collected.measure.axes) {
                if let Some(id) = id {
                    if self.base.program.axis(*id).kind == AxisKind::Round {
                        let rounds = (0..axis.labels.len()).map(|round| round as f64).collect();
                        self.scope.bind_vary(*id, VaryBinding::Values(rounds));
                    }
                    self.labels.insert(*id, axis.labels.clone());
                }
                layout.push(match id.and_then(|id| self.scope.axis(id)) {
                    Some(known) => known,
                    None => match id {
                        Some(id) => self.scope.bind_axis(*id, axis.labels.len()),
                        None => self.scope.axes.add(axis.name.clone(), axis.labels.len()),
                    },
                });
            }
            let values = &collected.measure.values;
            let tensor = match collected.element {
                Element::Float => Tensor::F64(values.clone()),
                Element::Index => Tensor::Index(values.iter().map(|v| *v as i32).collect()),
                Element::Bool => Tensor::Bool(values.iter().map(|v| u8::from(*v != 0.0)).collect()),
            };
            let slot = self.store.add(tensor);
            let name = collected.measure.name.clone();
            let value = Value::Stored(Stored { slot, element: collected.element, layout, name });
            match collected.field {
                None => self.scope.bind(collected.name, value),
                Some(field) => terms::bind(&mut self.scope, self.sources, collected.name, field, value),
            }
        }
    }

    fn execute(&mut self, statement: &'p Statement) -> Result<(), Stop> {
        match &statement.kind {
            StatementKind::Let(_) | StatementKind::Axis(_) => {
                if let Some(program) = self.scope.execute(statement, &mut self.store, Precision::Double)? {
                    self.once(program, statement.span)?;
                }
            }
            StatementKind::Measure { name, value } => {
                let side = self.side(value)?;
                self.conclusion.measures.push(Measure {
                    name: name.text.clone(),
                    axes: side.axes,
                    values: side.values,
                    line: self.sources.position(name.span).0,
                });
            }
            StatementKind::Claim { text, condition } => {
                let claim = self.claim(&text.text, condition, statement.span)?;
                self.conclusion.claims.push(claim);
            }
            StatementKind::Report(lines) => {
                for line in lines {
                    self.report(line)?;
                }
            }
            StatementKind::Snapshot { values, within } => {
                let within = match within {
                    Some(within) => self.scope.number(within)?,
                    None => WITHIN,
                };
                for value in values {
                    let side = self.side(value)?;
                    let Side { source: name, axes, values } = side;
                    self.conclusion.snapshot.push(Marked { name, within, axes, values });
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn once(&mut self, program: crate::graph::Program, span: Span) -> Result<(), Stop> {
        self.engine.compile(program, span, &self.store)?.run(&mut self.store).map_err(Stop::Failed)
    }

    fn claim(&mut self, text: &str, condition: &'p Expr, span: Span) -> Result<Claim, Stop> {
        let claim = self.scope.claim(condition, &mut self.store)?;
        self.once(claim.program, span)?;
        let holds = scalar(&self.store, claim.verdict.slot) != 0.0;
        let side = |expr: &Expr| {
            let outcome =
                claim.evidence.iter().find(|(span, _)| *span == expr.span).map(|(_, outcome)| outcome);
            outcome.map(|outcome| self.read(expr.span, outcome)).or_else(|| self.literal(expr))
        };
        let source = |expr: &Expr| one_line(self.sources.slice(expr.span));
        let evidence = evidence(condition, &side, &source);
        Ok(Claim {
            text: text.to_string(),
            verdict: if holds { Verdict::Holds } else { Verdict::Refuted },
            evidence,
            line: self.sources.position(span).0,
        })
    }

    /// A number that the user wrote, which no program needs to compute.
    fn literal(&self, expr: &Expr) -> Option<Side> {
        let source = self.sources.slice(expr.span).to_string();
        let value = match &expr.kind {
            ExprKind::Number { value, .. } => *value,
            ExprKind::Unary { operator: UnaryOperator::Negate, value } => -self.literal(value)?.values[0],
            ExprKind::Parenthesised(inner) => self.literal(inner)?.values[0],
            _ => return None,
        };
        Some(Side { source, axes: Vec::new(), values: vec![value] })
    }

    fn report(&mut self, line: &'p ReportLine) -> Result<(), Stop> {
        match &line.kind {
            ReportKind::Table { values, by } => {
                let mut columns = Vec::new();
                for value in values {
                    let side = self.side(value)?;
                    columns.push(Column { name: side.source, axes: side.axes, values: side.values });
                }
                let by: Vec<String> = by.iter().map(|name| name.text.clone()).collect();
                self.conclusion.tables.push(table::table(&columns, &by));
            }
            ReportKind::Plot { values, over, by } => {
                let mut series = Vec::new();
                for value in values {
                    match &value.kind {
                        // A term of an objective is no value of the results.
                        ExprKind::Name(name) if !self.base.program.names.contains_key(&name.span) => {
                            series.extend(self.courses(&name.text));
                        }
                        _ => series.push(self.side(value)?),
                    }
                }
                let names: Vec<String> =
                    values.iter().map(|value| one_line(self.sources.slice(value.span))).collect();
                self.conclusion.plots.push(Plot {
                    name: names.join(", "),
                    over: over.as_ref().map(|name| name.text.clone()),
                    by: by.iter().map(|name| name.text.clone()).collect(),
                    series,
                });
            }
            ReportKind::Text(text) => self.conclusion.texts.push(text.text.clone()),
        }
        Ok(())
    }

    /// The course of a term in each trial, over the tenths of its block. Later terms of one name in a block have a number.
    fn courses(&self, term: &str) -> Vec<Side> {
        let curves = self.curves.iter().filter(|curve| curve.term.split('.').next() == Some(term));
        let side = |curve: &Curve| {
            let trial: Vec<String> =
                curve.trial.iter().map(|(axis, value)| format!("{axis} = {value}")).collect();
            let labels = (1..=curve.values.len()).map(|tenth| tenth.to_string()).collect();
            Side {
                source: match trial.is_empty() {
                    true => curve.term.clone(),
                    false => format!("{} ({})", curve.term, trial.join(", ")),
                },
                axes: vec![ResultAxis { name: "Tenth".to_owned(), labels }],
                values: curve.values.clone(),
            }
        };
        curves.map(side).collect()
    }

    /// The value of an expression.
    fn side(&mut self, expr: &'p Expr) -> Result<Side, Stop> {
        let (program, outcomes) =
            self.scope.evaluate(&[("value", expr)], &mut self.store, Precision::Double)?;
        self.once(program, expr.span)?;
        let empty = || Side { source: String::new(), axes: Vec::new(), values: Vec::new() };
        Ok(outcomes.first().map_or_else(empty, |outcome| self.read(expr.span, outcome)))
    }

    fn read(&self, span: Span, outcome: &Outcome) -> Side {
        let axes = outcome.layout.iter().zip(&outcome.ids).map(|(axis, id)| {
            let size = self.scope.axes.size(*axis);
            let vary = self.base.axes.iter().find(|v| Some(v.id) == *id);
            ResultAxis {
                name: axis_name(self.base.program, &self.scope, *axis, *id),
                labels: match (vary, id.and_then(|id| self.labels.get(&id))) {
                    (Some(vary), _) => vary.labels(),
                    (None, Some(labels)) if labels.len() == size => labels.clone(),
                    _ => (0..size).map(|i| i.to_string()).collect(),
                },
            }
        });
        let source = one_line(self.sources.slice(span));
        Side { source, axes: axes.collect(), values: read_f64(&self.store, outcome.slot) }
    }
}

/// Nothing is known: every trial diverged. No claim holds then.
pub fn without_results(experiment: &Experiment, sources: &Sources) -> Conclusion {
    let claim = |statement: &Statement| match &statement.kind {
        StatementKind::Claim { text, .. } => Some(Claim {
            text: text.text.clone(),
            verdict: Verdict::Refuted,
            evidence: Vec::new(),
            line: sources.position(statement.span).0,
        }),
        _ => None,
    };
    let claims = experiment.body.iter().filter_map(claim).collect();
    Conclusion { claims, ..Conclusion::default() }
}

/// Source text that may be broken over lines, as one line.
fn one_line(text: &str) -> String {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    text.replace("( ", "(").replace(", )", ")").replace(" )", ")")
}
