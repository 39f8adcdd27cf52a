//! `minimize`: terms, the models they train, the optimizer.

use std::collections::BTreeSet;

use super::terms::VIOLATION;

use crate::check::program::{AxisIds, Definition, Type};
use crate::check::state::{Checker, LocalKind};
use crate::diagnostic::{Code, Diagnostic, Help};
use crate::source::Span;
use crate::syntax::ast::{Expr, ExprKind, Objective};

impl Checker<'_> {
    pub fn objective(&mut self, objective: &Objective) {
        let mut reached_by_constraints: BTreeSet<Span> = BTreeSet::new();
        if let Some(combiner) = &objective.combiner {
            self.combined_by(combiner);
        }
        for constraint in &objective.constraints {
            reached_by_constraints.extend(self.constraint(constraint));
            self.trial.terms.push(VIOLATION.to_owned());
        }
        if let Some(steps) = &objective.steps {
            self.static_number(steps, "the number of inner steps");
        }
        if let Some(project) = &objective.project {
            self.project(project, objective);
        }
        let mut reached: BTreeSet<Span> = BTreeSet::new();
        let mut sound = true;
        let mut seen: Vec<&crate::syntax::ast::Name> = Vec::new();
        for term in &objective.terms {
            if let Some(name) = &term.name {
                if let Some(first) = seen.iter().find(|known| known.text == name.text) {
                    self.defined_twice(name, first.span);
                }
                seen.push(name);
                self.trial.terms.push(name.text.clone());
            } else {
                self.trial.terms.push("loss".to_owned());
            }
            let (axes, trace) = self.traced(|c| c.numbers(&term.value));
            let axes_known = axes.is_some();
            match axes {
                Some(axes) if !axes.is_empty() => {
                    self.not_scalar(&term.value, &axes, objective.span);
                    sound = false;
                }
                Some(_) => {
                    if trace.models.is_empty() {
                        let what = term
                            .name
                            .as_ref()
                            .map_or("the objective".to_owned(), |n| format!("the term `{}`", n.text));
                        self.report(
                            Diagnostic::error(
                                Code::A0312,
                                term.value.span,
                                format!("{what} depends on no parameter"),
                            )
                            .label("nothing here can be trained")
                            .help("a term is computed by a model: `mean(loss(net(x), y), Row)`"),
                        );
                        sound = false;
                    } else if trace.flows.is_empty() {
                        self.cut_off(&term.value);
                    }
                }
                None => sound = false,
            }
            reached.extend(&trace.models);
            for over in &term.over {
                self.over(over, &trace.models, axes_known, objective);
            }
        }
        self.combined_terms(objective);
        reached.extend(reached_by_constraints);
        if objective.over.is_empty() {
            self.trial.updated.extend(&reached);
        }
        for over in &objective.over {
            self.over(over, &reached, sound, objective);
        }
        match &objective.with {
            None => {
                let text = self.text(objective.span);
                let short: String = if text.chars().count() > 48 { "minimize ...".to_owned() } else { text };
                self.report(
                    Diagnostic::error(Code::A0310, objective.span, "this objective has no optimizer")
                        .label("minimized how?")
                        .help(
                            Help::insert_after(
                                objective.span,
                                " with adam(lr = 1e-3)",
                                format!("add one: `{short} with adam(lr = 1e-3)` and `use std.optim (adam)`"),
                            )
                            .and(self.find_item("adam").is_none().then(|| self.import_of("optim", "adam"))),
                        ),
                );
            }
            Some(with) => self.with(with),
        }
    }

    fn cut_off(&mut self, value: &Expr) {
        self.report(
            Diagnostic::error(Code::A0330, value.span, "no gradient flows from this to a parameter")
                .label("every way passes through something without a derivative")
                .help("`stop`, comparisons, `argmax` and other positions have none; use a smooth loss in their place"),
        );
    }

    fn not_scalar(&mut self, value: &Expr, axes: &AxisIds, place: Span) {
        let has = self.axes_in_words(axes);
        let names: Vec<String> = axes.iter().map(|axis| self.axis_name(*axis)).collect();
        let text = self.text(value.span);
        let text = if text.chars().count() > 40 { "...".to_owned() } else { text };
        self.report(
            Diagnostic::error(Code::A0301, value.span, "an objective is a single number")
                .label(format!("this has {has}"))
                .related(Span { end: place.start + 8, ..place }, "minimized here")
                .help(Help::replace(
                    value.span,
                    format!("mean({}, {})", self.sources.slice(value.span), names.join(", ")),
                    format!("reduce it: `mean({text}, {})`", names.join(", ")),
                )),
        );
    }

    /// `project e`: the value after an update, for the one parameter of the objective.
    fn project(&mut self, project: &Expr, objective: &Objective) {
        let ty = self.expression(project);
        let [over] = objective.over.as_slice() else {
            return self.projects_several(project, objective);
        };
        let before = self.diagnostics.len();
        let wanted = self.expression(over);
        self.diagnostics.truncate(before);
        match wanted {
            Type::Error => {}
            Type::Array { .. } => {
                self.fits_declared(&ty, project, &wanted, over.span, "the projected value");
            }
            _ => self.projects_several(project, objective),
        }
    }

    fn projects_several(&mut self, project: &Expr, objective: &Objective) {
        let place = objective.over.first().map_or(objective.span, |over| over.span);
        self.report(
            Diagnostic::error(Code::A0356, project.span, "`project` sets one parameter")
                .label("which parameter is projected?")
                .related(place, "trained by this objective")
                .help("name one parameter after `over`: `over net.weight`"),
        );
    }

    /// One model or parameter after `over`.
    fn over(&mut self, over: &Expr, reached: &BTreeSet<Span>, sound: bool, objective: &Objective) {
        let (ty, trace) = self.traced(|c| c.expression(over));
        if ty == Type::Error {
            return;
        }
        let is_part = matches!(&over.kind, ExprKind::Field { .. })
            || matches!(&over.kind, ExprKind::Name(name)
                if self.find_local(&name.text).is_some_and(|local| local.kind == LocalKind::Weight));
        if !matches!(ty, Type::Model { .. }) && !is_part {
            let shown = self.show(&ty);
            self.report(
                Diagnostic::error(Code::A0211, over.span, format!("{shown} cannot be trained"))
                    .label(format!("this is {shown}"))
                    .related(Span { end: objective.span.start + 8, ..objective.span }, "minimized here")
                    .help("after `over` stand models and their parameters: `over net`, `over net.weight`"),
            );
            return;
        }
        // The model itself; what it is made of does not count.
        let model = self.root_of(over);
        let spans: BTreeSet<Span> = model.into_iter().collect();
        self.trial.updated.extend(&spans);
        let _ = trace;
        if sound && !spans.is_empty() && spans.is_disjoint(reached) {
            let text = self.text(over.span);
            let place = objective.terms.first().map_or(objective.span, |term| term.value.span);
            let mut diagnostic =
                Diagnostic::error(Code::A0312, over.span, format!("no term depends on `{text}`"))
                    .label("cannot be trained by this objective")
                    .related(place, "no path from here to its parameters");
            diagnostic = diagnostic.help(format!("use `{text}` in a term, or remove it from `over`"));
            self.report(diagnostic);
        }
    }

    /// The `let` of the model that an expression names.
    fn root_of(&self, expr: &Expr) -> Option<Span> {
        match &expr.kind {
            ExprKind::Name(name) => match self.program.names.get(&name.span) {
                Some(Definition::Local(span)) => Some(*span),
                _ => None,
            },
            ExprKind::Field { value, .. } | ExprKind::Parenthesised(value) => self.root_of(value),
            _ => None,
        }
    }

    fn with(&mut self, with: &Expr) {
        if let ExprKind::Name(name) = &with.kind
            && self.find_local(&name.text).is_none()
        {
            // `with adam`: an optimizer without its arguments.
            if let Some(item) = self.use_item(&name.text) {
                self.program.names.insert(name.span, Definition::Item(item));
            }
            let known = self.find_item(&name.text).is_some();
            if !known {
                return self.unknown_optimizer(&name.text, name.span);
            }
            self.report(
                Diagnostic::error(Code::A0202, with.span, format!("`{}` needs its arguments", name.text))
                    .label("called without parentheses")
                    .help(Help::insert_after(
                        name.span,
                        "(lr = 1e-3)",
                        format!("write `with {}(lr = 1e-3)`", name.text),
                    )),
            );
            return;
        }
        if let ExprKind::Call(call) = &with.kind
            && let ExprKind::Name(name) = &call.callee.kind
            && self.find_item(&name.text).is_none()
            && self.find_local(&name.text).is_none()
        {
            self.check_loose(&call.arguments);
            return self.unknown_optimizer(&name.text, name.span);
        }
        let ty = self.expression(with);
        if !matches!(ty, Type::Optimizer(_) | Type::Error) {
            let shown = self.show(&ty);
            self.report(
                Diagnostic::error(Code::A0115, with.span, format!("{shown} is no optimizer"))
                    .label(format!("this is {shown}"))
                    .help("after `with` stands an optimizer: `with adam(lr = 1e-3)`"),
            );
        }
    }

    fn unknown_optimizer(&mut self, name: &str, span: Span) {
        let known = crate::library::of_kind("optimizer");
        let help = match crate::diagnostic::nearest(name, known.iter().copied()) {
            Some(near) if near == name => {
                Help::from(format!("add `use std.optim ({name})` at the top of the file"))
                    .or(vec![self.import_of("optim", name)])
            }
            Some(near) => Help::meant(span, near)
                .and(self.find_item(near).is_none().then(|| self.import_of("optim", near)))
                .saying(format!("did you mean `{near}`? It comes by `use std.optim ({near})`")),
            None => format!("the library's are {}: `use std.optim (adam)`", known.join(", ")).into(),
        };
        self.report(
            Diagnostic::error(Code::A0115, span, format!("there is no optimizer `{name}` here"))
                .label("unknown optimizer")
                .help(help),
        );
    }
}
