//! Measures, claims, reports and snapshots.

use crate::check::program::{AxisKind, Definition, Element, Type};
use crate::check::state::{Checker, LocalKind, Place};
use crate::check::types::axes_of;
use crate::diagnostic::{Code, Diagnostic, Help, nearest};
use crate::source::Span;
use crate::syntax::ast::{Expr, ExprKind, Name, ReportKind, ReportLine, Statement, StatementKind};

impl Checker<'_> {
    pub fn measure(&mut self, name: &Name, value: &Expr, span: Span) {
        match self.context.place {
            Place::On => {
                let (value_type, trace) = self.traced(|c| c.array_of(value));
                let ty = match value_type {
                    Some((element, axes)) => crate::check::types::array(element, axes),
                    None => Type::Error,
                };
                // Inside the block it is a value of the trial; outside, a result.
                self.declare(name, ty.clone(), LocalKind::Let, trace.clone());
                self.trial.measured.push((name.clone(), ty, trace));
            }
            Place::Experiment => {
                let results = self.mentions_results(value);
                let outer = std::mem::replace(&mut self.context.results, results);
                let (value_type, trace) = self.traced(|c| c.array_of(value));
                self.context.results = outer;
                let ty = value_type
                    .map_or(Type::Error, |(element, axes)| crate::check::types::array(element, axes));
                if results {
                    self.program.varies.insert(name.span, Vec::new());
                    self.declare(name, ty, LocalKind::Result, trace);
                } else {
                    self.declare_result(name, ty, trace);
                }
            }
            _ => self.out_of_place(span, "a measure", "an on block: `on data.test { measure score = ... }`"),
        }
    }

    pub fn claim(&mut self, condition: &Expr) {
        let outer = std::mem::replace(&mut self.context.results, true);
        let (value, trace) = self.traced(|c| c.array_of(condition));
        self.context.results = outer;
        let Some((element, axes)) = value else { return };
        if element != Element::Bool {
            let shown = self.show(&crate::check::types::array(element, axes));
            self.report(
                Diagnostic::error(
                    Code::A0308,
                    condition.span,
                    format!("a claim holds or not; this is {shown}"),
                )
                .label(format!("this is {shown}"))
                .help(format!("compare it: `{} > 0`", self.text(condition.span))),
            );
            return;
        }
        if !axes.is_empty() {
            let has = self.axes_in_words(&axes);
            let names: Vec<String> = axes.iter().map(|axis| self.axis_name(*axis)).collect();
            let text = self.text(condition.span);
            let text = if text.chars().count() > 40 { "...".to_owned() } else { text };
            let mut diagnostic = Diagnostic::error(Code::A0309, condition.span, "a claim is decided once, by one truth value")
                .label(format!("this has {has}"))
                .help(Help::replace(
                    condition.span,
                    format!("all({}, {})", self.sources.slice(condition.span), names.join(", ")),
                    format!(
                        "say for which of them it must hold: `all({text}, {0})`, or compare means: `mean(..., {0}) > ...`",
                        names.join(", ")
                    ),
                ));
            if let Some(axis) = axes.iter().next() {
                let info = self.program.axis(*axis);
                diagnostic = diagnostic.related(info.span, format!("`{}` is declared here", info.name));
            }
            self.report(diagnostic);
            return;
        }
        if !trace.results {
            self.report(
                Diagnostic::warning(Code::A0317, condition.span, "this claim does not depend on any measure")
                    .label("the same in every run")
                    .help("claim something about what is measured: `measure score = ...` in an on block"),
            );
        }
    }

    pub fn report_lines(&mut self, lines: &[ReportLine]) {
        let outer = std::mem::replace(&mut self.context.results, true);
        for line in lines {
            match &line.kind {
                ReportKind::Table { values, by } => {
                    let mut known = crate::check::program::AxisIds::new();
                    let mut sound = true;
                    for value in values {
                        match self.reported(value, &[]) {
                            Some(ty) => known.extend(axes_of(&ty)),
                            None => sound = false,
                        }
                    }
                    for name in by {
                        self.reported_by(name, sound.then_some(&known), line.span);
                    }
                }
                ReportKind::Plot { values, over, by } => {
                    let terms = self.trial.terms.clone();
                    for value in values {
                        self.reported(value, &terms);
                    }
                    // A curve runs over the steps or epochs of training, or over an axis of its values.
                    if let Some(over) = over
                        && !matches!(over.text.as_str(), "Step" | "Epoch")
                    {
                        self.axis_by_name(over);
                    }
                    for name in by {
                        self.reported_by(name, None, line.span);
                    }
                }
                ReportKind::Text(_) => {}
            }
        }
        self.context.results = outer;
    }

    /// A value of a report: a measure or an expression of measures; in a plot, a term of an objective.
    fn reported(&mut self, value: &Expr, terms: &[String]) -> Option<Type> {
        if let ExprKind::Name(name) = &value.kind
            && self.find_local(&name.text).is_none()
        {
            if terms.contains(&name.text) {
                self.program.types.insert(value.id, Type::float());
                return None;
            }
            self.unmeasured(name, terms);
            return None;
        }
        let ty = self.expression(value);
        self.as_array(value, &ty).map(|_| ty)
    }

    fn unmeasured(&mut self, name: &Name, more: &[String]) {
        let mut known: Vec<String> = self
            .scopes
            .iter()
            .flat_map(|scope| scope.values.iter())
            .filter(|(_, local)| local.kind == LocalKind::Result)
            .map(|(name, _)| name.clone())
            .collect();
        known.extend(more.iter().cloned());
        known.sort();
        known.dedup();
        let help = match nearest(&name.text, known.iter().map(String::as_str)) {
            Some(near) => Help::meant(name.span, near),
            None if known.is_empty() => {
                "measure something first: `on data.test { measure score = ... }`".into()
            }
            None => format!("there are {}", known.join(", ")).into(),
        };
        self.report(
            Diagnostic::error(Code::A0119, name.span, format!("nothing called `{}` is measured", name.text))
                .label("unknown measure")
                .help(help),
        );
    }

    /// An axis after `by`, which some value of the line must have.
    fn reported_by(&mut self, name: &Name, known: Option<&crate::check::program::AxisIds>, line: Span) {
        let Some(axis) = self.axis_by_name(name) else { return };
        self.program.names.insert(name.span, Definition::Axis(axis));
        if let Some(known) = known
            && self.in_operand(known, axis).is_none()
        {
            let has = self.axes_in_words(known);
            let what =
                if matches!(self.program.axis(axis).kind, AxisKind::Vary(_)) { "depends on" } else { "has" };
            self.report(
                Diagnostic::error(
                    Code::A0208,
                    name.span,
                    format!("no value of this line {what} `{}`", name.text),
                )
                .label("cannot be broken down by it")
                .related(line, format!("its values have {has}"))
                .help("break down by an axis that the values have"),
            );
        }
    }

    /// What `ansatz test` compares: results that are arrays, and the tolerance, a number in the text.
    pub fn snapshot(&mut self, values: &[Expr], within: Option<&Expr>) {
        let outer = std::mem::replace(&mut self.context.results, true);
        for value in values {
            let ExprKind::Name(name) = &value.kind else { continue };
            match self.find_local(&name.text) {
                Some(local) if local.kind == LocalKind::Result => {
                    let ty = self.expression(value);
                    self.as_array(value, &ty);
                }
                _ => self.unmeasured(name, &[]),
            }
        }
        self.context.results = outer;
        if let Some(within) = within
            && let Some(tolerance) = self.fixed_number(within, "the tolerance of a snapshot")
            && !(tolerance >= 0.0 && tolerance.is_finite())
        {
            self.report(
                Diagnostic::error(
                    Code::A0227,
                    within.span,
                    format!("the tolerance of a snapshot is at least 0, not {tolerance}"),
                )
                .label(format!("this is {tolerance}"))
                .help("write how far a value may be from before: `within 0.02`"),
            );
        }
    }

    /// One value has one tolerance.
    pub fn marked_once(&mut self, body: &[Statement]) {
        let mut before: Vec<&Name> = Vec::new();
        for statement in body {
            let StatementKind::Snapshot { values, .. } = &statement.kind else { continue };
            for value in values {
                let ExprKind::Name(name) = &value.kind else { continue };
                match before.iter().find(|known| known.text == name.text) {
                    Some(first) => self.report(
                        Diagnostic::error(
                            Code::A0339,
                            name.span,
                            format!("`{}` is in a snapshot twice", name.text),
                        )
                        .label("the second time")
                        .related(first.span, "the first time")
                        .help("keep one of them, with the tolerance that holds"),
                    ),
                    None => before.push(name),
                }
            }
        }
    }
}
