//! Functions that train: `fn fitted(...) -> Linear[In, Out] { let net = ...  train { ... }  net }`. Their statements are executed by the
//! experiment where it calls them, in a `let`.

use crate::check::program::ItemRef;
use crate::check::state::{Checker, Place};
use crate::diagnostic::{Code, Diagnostic};
use crate::source::Span;
use crate::syntax::ast::{Expr, Function, ItemKind, Statement, StatementKind};

impl Checker<'_> {
    /// Whether a function has a train block; it is written down.
    pub(super) fn trains(&mut self, function: &Function) -> bool {
        let block = |statement: &Statement| matches!(statement.kind, StatementKind::Train(_));
        let trains = self.context.place == Place::Function && function.body.statements.iter().any(block);
        if let (true, Some(item)) = (trains, self.context.item) {
            self.program.fits.insert(item);
        }
        trains
    }

    /// Besides train blocks such a function has what any function has, and states: no data, and nothing that is a result.
    pub(super) fn trains_only(&mut self, function: &Function) {
        for statement in &function.body.statements {
            let body = match &statement.kind {
                StatementKind::Axis(_)
                | StatementKind::Let(_)
                | StatementKind::Param(_)
                | StatementKind::State(_)
                | StatementKind::Assign { .. }
                | StatementKind::Expression(_) => continue,
                StatementKind::Train(train) => &train.body,
                _ => {
                    self.not_in_fitted(statement.span, "this statement");
                    continue;
                }
            };
            for inner in body {
                let what = match inner.kind {
                    StatementKind::Record { .. } => "a record",
                    StatementKind::Every { .. } => "`every`",
                    _ => continue,
                };
                self.not_in_fitted(inner.span, what);
            }
        }
    }

    fn not_in_fitted(&mut self, span: Span, what: &str) {
        self.report(
            Diagnostic::error(Code::A0321, span, format!("{what} does not belong in a function that trains"))
                .label("out of place")
                .help("it belongs in an experiment, which may measure what the function gives"),
        );
    }

    /// Such a function is called in a `let` directly in an experiment, or in a function of its kind.
    pub fn fits_here(&mut self, expr: &Expr, place: Span, item: ItemRef) {
        if self.trial.let_value != Some(expr.id) {
            self.fits_elsewhere(place, item);
        }
    }

    pub fn fits_elsewhere(&mut self, place: Span, item: ItemRef) {
        let name = self.item_name(item);
        let declared = match &self.program.item(item).kind {
            ItemKind::Function(function) => function.name.span,
            _ => self.program.item(item).span,
        };
        self.report(
            Diagnostic::error(Code::A0321, place, format!("`{name}` trains: it does not belong here"))
                .label("runs a training")
                .related(declared, "it has a train block")
                .help(format!("call it in a `let` of the experiment: `let model = {name}(...)`")),
        );
    }
}
