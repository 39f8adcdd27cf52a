//! Calls of functions that train: their statements are executed one after another, like those of the experiment.

use super::trial::{Running, Stopped};
use crate::source::Span;
use crate::syntax::ast::{Expr, Function, Name};

impl<'p> Running<'_, 'p> {
    /// `let model = fitted(x, y)`
    pub(super) fn fitted(
        &mut self,
        name: &'p Name,
        value: &'p Expr,
        function: &'p Function,
    ) -> Result<(), Stopped> {
        let precision = self.base.precision;
        let before = self.scope.prefix.len();
        self.enter_fitted(name, value, function)?;
        let measures = self.outcome.measures.len();
        for statement in &function.body.statements {
            self.execute(statement)?;
            if self.outcome.diverged.is_some() {
                return Ok(());
            }
        }
        self.scope.prefix.truncate(before);
        // What was recorded of its objectives has no name outside.
        self.outcome.measures.truncate(measures);
        if let Some(result) = &function.body.value {
            let program = self.scope.leave(name, result, &mut self.store, precision)?;
            self.run(program, value.span)?;
        }
        Ok(())
    }

    /// Makes the arguments of the call names of the trial, so that the function's statements can be executed.
    pub(super) fn enter_fitted(
        &mut self,
        name: &'p Name,
        value: &'p Expr,
        function: &'p Function,
    ) -> Result<(), Stopped> {
        let program = self.scope.enter(value, function, &mut self.store, self.base.precision)?;
        self.run(program, value.span)?;
        // Two calls draw different numbers: the name of the `let` comes before all others.
        self.scope.prefix.push(name.text.clone());
        Ok(())
    }

    fn run(&mut self, program: Option<crate::graph::Program>, span: Span) -> Result<(), Stopped> {
        program.map_or(Ok(()), |program| self.once(program, span))
    }
}
