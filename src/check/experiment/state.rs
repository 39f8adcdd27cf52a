//! States of train blocks and of experiments: their first values, and who may read them later.

use crate::check::builtin::Builtin;
use crate::check::item::hint_of;
use crate::check::program::{Definition, Type};
use crate::check::state::{Checker, Local, LocalKind, Place, Trace};
use crate::diagnostic::{Code, Diagnostic};
use crate::source::Span;
use crate::syntax::ast::{Expr, ExprKind, State, StatementKind, Train};

impl Checker<'_> {
    /// `state centre: Float[Class, D] = 0`
    pub fn state(&mut self, state: &State, span: Span) {
        if !matches!(self.context.place, Place::Train | Place::Experiment) {
            return self.out_of_place(span, "a state", "a train block, or an experiment");
        }
        let declared = state.ty.as_ref().map(|ty| (self.ty(ty), ty.span));
        let hint = declared.as_ref().and_then(|((ty, order), _)| hint_of(ty, order));
        let (actual, trace) = self.traced(|c| c.hinted(hint, |c| c.expression(&state.value)));
        let ty = match declared {
            Some(((ty, _), place)) => {
                self.fits_declared(&actual, &state.value, &ty, place, "the first value");
                ty
            }
            None => actual,
        };
        let ty = match ty {
            Type::Array { .. } | Type::Model { .. } | Type::Error => ty,
            other => {
                self.as_array(&state.value, &other);
                Type::Error
            }
        };
        if self.context.place == Place::Train {
            self.starts_before(&state.value, "a state");
        }
        for name in &state.names {
            self.declare(name, ty.clone(), LocalKind::State, trace.clone());
            if self.context.place == Place::Train {
                self.trial.exported.push(name.clone());
            }
        }
    }

    /// What is computed before the first step knows neither rows nor the step.
    pub fn starts_before(&mut self, value: &Expr, what: &str) {
        let mut found = None;
        crate::check::dependence::walk(value, &mut |expr| {
            let ExprKind::Name(name) = &expr.kind else { return };
            let of_step = match self.program.names.get(&name.span) {
                Some(Definition::Column { .. }) => Some("the rows of a step"),
                Some(Definition::Builtin(Builtin::Step | Builtin::Epoch | Builtin::Progress)) => {
                    Some("the number of the step")
                }
                Some(Definition::Local(span)) => {
                    let inside = self.trial.block.is_some_and(|block| {
                        block.file == span.file && block.start <= span.start && span.end <= block.end
                    });
                    let kept = self.trial.exported.iter().any(|name| name.span == *span);
                    (inside && !kept && !self.statics.contains(span)).then_some("a value of the step")
                }
                _ => None,
            };
            if let Some(of_step) = of_step {
                found.get_or_insert((name.span, of_step));
            }
        });
        let Some((span, of_step)) = found else { return };
        self.report(
            Diagnostic::error(
                Code::A0331,
                span,
                format!("the first value of {what} is computed before the first step"),
            )
            .label(format!("this is {of_step}"))
            .related(value.span, "the first value")
            .help(
                "start from a constant or from values of the experiment, and assign in the step: `s := ...`",
            ),
        );
    }

    /// After a train block its states belong to the experiment.
    pub fn export_states(&mut self, train: &Train, trace: &Trace) {
        let in_block: Vec<Span> = train.body.iter().flat_map(|statement| names(&statement.kind)).collect();
        for name in std::mem::take(&mut self.trial.exported) {
            // Those of an `if` or `repeat` inside the block stay there.
            if !in_block.contains(&name.span) {
                continue;
            }
            let Some(ty) = self.program.bindings.get(&name.span).cloned() else { continue };
            let mut trace = Trace { models: Default::default(), ..trace.clone() };
            if let Some(own) = self.traces.get(&name.span) {
                trace.merge(&own.clone());
            }
            let taken = self.scopes.last().and_then(|scope| scope.values.get(&name.text));
            // A later block may have a state of the same name; a `let` of the experiment keeps its name.
            if taken.is_some_and(|local| local.kind != LocalKind::State) {
                continue;
            }
            let local = Local {
                span: name.span,
                ty,
                kind: LocalKind::State,
                definition: Definition::Local(name.span),
            };
            self.traces.insert(name.span, trace);
            if let Some(scope) = self.scopes.last_mut() {
                scope.values.insert(name.text.clone(), local);
            }
        }
    }
}

fn names(kind: &StatementKind) -> Vec<Span> {
    match kind {
        StatementKind::State(state) => state.names.iter().map(|name| name.span).collect(),
        StatementKind::Let(binding) => binding.names.iter().map(|name| name.span).collect(),
        _ => Vec::new(),
    }
}
