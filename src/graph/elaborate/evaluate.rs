//! Programs that are run once: statements of the experiment, `on` blocks, measures and claims.

use super::elaborator::{Elaborator, View};
use super::fail;
use super::outcome::{ClaimProgram, Measured, OnProgram, Outcome};
use super::scope::Scope;
use super::value::{Frame, Stored, Value};
use crate::diagnostic::Checked;
use crate::graph::{Element, NodeId, Precision, Program, Store};
use crate::source::Span;
use crate::syntax::ast::{self, BinaryOperator, Expr, ExprKind, StatementKind, UnaryOperator};

impl<'p> Scope<'p> {
    /// Executes an `axis`, `let`, `param`, `state` or assignment of the experiment. Values known while building (sizes, numbers,
    /// models, functions) are bound; parameters and other arrays get slots, and the program that returns computes them:
    /// run it once, before any program that follows.
    pub fn execute(
        &mut self,
        statement: &'p ast::Statement,
        store: &mut Store,
        precision: Precision,
    ) -> Checked<Option<Program>> {
        let mut e = Elaborator::new(self, store, precision);
        e.statement(statement)?;
        let mut names = Vec::new();
        bound(statement, &mut names);
        for name in names {
            let Some(value) = e.frame.values.get(&name.span).cloned() else { continue };
            let kept = e.persist(value, &name.text, name.span)?;
            e.scope.root.values.insert(name.span, kept);
        }
        e.write_changed(statement.span)?;
        let axes = std::mem::take(&mut e.frame.axes);
        e.scope.root.axes.extend(axes);
        let program = e.finish();
        Ok((!program.outputs.is_empty()).then_some(program))
    }

    /// Executes a `let` at the top of a file, as [`Scope::execute`] does for those of the experiment.
    pub fn execute_let(
        &mut self,
        binding: &'p ast::Let,
        store: &mut Store,
        precision: Precision,
    ) -> Checked<Option<Program>> {
        let mut e = Elaborator::new(self, store, precision);
        e.bind_let(binding)?;
        for name in &binding.names {
            let Some(value) = e.frame.values.get(&name.span).cloned() else { continue };
            let kept = e.persist(value, &name.text, name.span)?;
            e.scope.root.values.insert(name.span, kept);
        }
        let program = e.finish();
        Ok((!program.outputs.is_empty()).then_some(program))
    }

    /// The call of a function that trains: its parameters and axes become names of the trial, as if its statements stood in the
    /// experiment. Run the program before them.
    pub fn enter(
        &mut self,
        value: &'p Expr,
        function: &'p ast::Function,
        store: &mut Store,
        precision: Precision,
    ) -> Checked<Option<Program>> {
        let span = value.span;
        let (ExprKind::Call(call), Some(info)) = (&value.kind, self.program.calls.get(&value.id)) else {
            return Err(fail::fault(span, "a call that is not resolved"));
        };
        let inside = |at: &Span| {
            at.file == function.span.file && function.span.start <= at.start && at.end <= function.span.end
        };
        let mut e = Elaborator::new(self, store, precision);
        let axes = e.call_axes(info, span)?;
        let arguments = e.arguments(&function.parameters, info, call)?;
        let frame = Frame { axes: axes.into_iter().collect(), ..Frame::default() };
        let (bound, frame) = e.in_frame(frame, |e| e.bind_parameters(&function.parameters, arguments, span));
        bound?;
        if !frame.extra.is_empty() {
            let axes: Vec<String> = frame.extra.iter().map(|axis| e.axis_name(axis)).collect();
            return Err(fail::lifted_training(span, &axes));
        }
        // What an earlier call left.
        e.scope.root.values.retain(|at, _| !inside(at));
        e.scope.states.retain(|at| !inside(at));
        let mut values: Vec<(Span, Value<'p>)> = frame.values.into_iter().collect();
        values.sort_by_key(|(span, _)| *span);
        for (at, (name, value)) in values.into_iter().enumerate() {
            let kept = e.persist(value, &format!("{}.{at}", function.name.text), span)?;
            e.scope.root.values.insert(name, kept);
        }
        e.scope.root.axes.extend(frame.axes);
        let program = e.finish();
        Ok((!program.outputs.is_empty()).then_some(program))
    }

    /// What a function that trained gives, under the name of a `let`.
    pub fn leave(
        &mut self,
        name: &'p ast::Name,
        value: &'p Expr,
        store: &mut Store,
        precision: Precision,
    ) -> Checked<Option<Program>> {
        let mut e = Elaborator::new(self, store, precision);
        let found = e.named(&name.text, |e| e.eval(value))?;
        let kept = e.persist(found, &name.text, name.span)?;
        e.scope.root.values.insert(name.span, kept);
        let program = e.finish();
        Ok((!program.outputs.is_empty()).then_some(program))
    }

    /// A number that must be known before anything runs: a count, a percentage, a seed.
    pub fn number(&mut self, expr: &'p Expr) -> Checked<f64> {
        let mut store = Store::default();
        let mut e = Elaborator::new(self, &mut store, Precision::Double);
        e.static_number(expr, "this number")
    }

    /// The condition of an `if` between statements of the experiment.
    pub fn truth(&mut self, expr: &'p Expr) -> Checked<bool> {
        let mut store = Store::default();
        let mut e = Elaborator::new(self, &mut store, Precision::Double);
        e.static_truth(expr, "the condition of an `if`")
    }

    /// A list of such numbers: `[0, 0.1, 1]`, `geometric(1, 100, 10)`, `range(0, 5)`.
    pub fn numbers(&mut self, expr: &'p Expr) -> Checked<Vec<f64>> {
        let mut store = Store::default();
        let mut e = Elaborator::new(self, &mut store, Precision::Double);
        let value = e.raw_list(expr)?;
        let Value::List(parts) = &value else {
            return match e.number(&value) {
                Some(number) => Ok(vec![number]),
                None => Err(fail::not_static(expr.span, "these numbers")),
            };
        };
        parts
            .iter()
            .map(|part| e.number(part).ok_or_else(|| fail::not_static(expr.span, "these numbers")))
            .collect()
    }

    /// The values of expressions of the experiment, each by a name of the caller's choice.
    pub fn evaluate(
        &mut self,
        values: &[(&str, &'p Expr)],
        store: &mut Store,
        precision: Precision,
    ) -> Checked<(Program, Vec<Outcome>)> {
        let mut e = Elaborator::new(self, store, precision);
        let mut outcomes = Vec::with_capacity(values.len());
        for (name, expr) in values {
            let value = e.named(name, |e| e.eval(expr))?;
            outcomes.push(e.outcome(name, &value, expr.span)?);
        }
        Ok((e.finish(), outcomes))
    }

    /// An `on` block: its statements, and all its measures.
    pub fn on(
        &mut self,
        data: &'p [ast::AxisName],
        body: &'p [ast::Statement],
        span: Span,
        store: &mut Store,
        precision: Precision,
    ) -> Checked<OnProgram> {
        let block = self.block_name("on");
        let mut e = Elaborator::new(self, store, precision);
        e.path.push(block);
        for name in data {
            e.view_part(name, span)?;
        }
        let mut measures = Vec::new();
        for statement in body {
            match &statement.kind {
                StatementKind::Measure { name, value } => {
                    let value = e.named(&name.text, |e| e.eval(value))?;
                    e.frame.values.insert(name.span, value.clone());
                    let outcome = e.outcome(&name.text, &value, name.span)?;
                    measures.push(Measured { name: name.span, outcome });
                }
                _ => e.statement(statement)?,
            }
        }
        Ok(OnProgram { program: e.finish(), measures })
    }

    /// A claim, in double precision.
    pub fn claim(&mut self, condition: &'p Expr, store: &mut Store) -> Checked<ClaimProgram> {
        let block = self.block_name("claim");
        let mut e = Elaborator::new(self, store, Precision::Double);
        e.path.push(block);
        let mut shown = Vec::new();
        evidence(condition, &mut shown);
        e.watched = shown.iter().map(|expr| expr.id).collect();
        let verdict = e.eval(condition)?;
        let verdict = e.truth(&verdict, condition.span)?;
        let verdict = e.expect_scalar(verdict, "a claim", condition.span)?;
        let verdict = e.outcome("verdict", &Value::Node(verdict), condition.span)?;
        let seen = std::mem::take(&mut e.seen);
        let mut found = Vec::with_capacity(shown.len());
        for expr in shown {
            // Sides that were not reached or are no arrays (arms, texts) have nothing to show.
            let Some((_, value)) = seen.iter().find(|(id, _)| *id == expr.id) else { continue };
            if value.is_array() {
                found.push((expr.span, e.outcome("evidence", value, expr.span)?));
            }
        }
        Ok(ClaimProgram { program: e.finish(), verdict, evidence: found })
    }

    /// The name of the next block of a kind: blocks of one kind draw different random numbers.
    pub(super) fn block_name(&mut self, kind: &'static str) -> String {
        let count = self.blocks.entry(kind).or_insert(0);
        *count += 1;
        format!("{kind}.{}", *count - 1)
    }
}

/// The names that a statement of the experiment binds, in order.
fn bound<'p>(statement: &'p ast::Statement, names: &mut Vec<&'p ast::Name>) {
    match &statement.kind {
        StatementKind::Let(binding) => names.extend(&binding.names),
        StatementKind::Param(param) => names.extend(&param.names),
        StatementKind::State(state) => names.extend(&state.names),
        StatementKind::If { then, otherwise, .. } => {
            let inner = then.iter().chain(otherwise.iter().flatten());
            inner.for_each(|statement| bound(statement, names));
        }
        _ => {}
    }
}

/// What a verdict rests on: the sides of comparisons, and the conditions that are no comparisons.
pub fn evidence<'p>(condition: &'p Expr, found: &mut Vec<&'p Expr>) {
    match &condition.kind {
        ExprKind::Parenthesised(inner) => evidence(inner, found),
        ExprKind::Unary { operator: UnaryOperator::Not, value } => evidence(value, found),
        ExprKind::Binary { operator: BinaryOperator::And | BinaryOperator::Or, left, right, .. } => {
            evidence(left, found);
            evidence(right, found);
        }
        ExprKind::Binary {
            operator:
                BinaryOperator::Equal
                | BinaryOperator::NotEqual
                | BinaryOperator::Less
                | BinaryOperator::LessEqual
                | BinaryOperator::Greater
                | BinaryOperator::GreaterEqual,
            left,
            right,
            ..
        } => found.extend([&**left, &**right].into_iter().filter(|side| !is_literal(side))),
        ExprKind::Approximately { left, right, within } => {
            let sides = [Some(&**left), Some(&**right), within.as_deref()];
            found.extend(sides.into_iter().flatten().filter(|side| !is_literal(side)));
        }
        ExprKind::Bool(_) => {}
        ExprKind::Call(call) => match quantified(call) {
            Some(inner) => evidence(inner, found),
            None => found.push(condition),
        },
        _ => found.push(condition),
    }
}

/// The comparison inside `all(a < b, A)`: its sides say more than one truth value.
pub fn quantified(call: &ast::Call) -> Option<&Expr> {
    let ExprKind::Name(callee) = &call.callee.kind else { return None };
    let Some(ast::ArgumentKind::Positional(inner)) = call.arguments.first().map(|argument| &argument.kind)
    else {
        return None;
    };
    let compares = matches!(
        &inner.kind,
        ExprKind::Binary { .. } | ExprKind::Approximately { .. } | ExprKind::Parenthesised(_)
    );
    (callee.text == "all" && compares && call.by.is_empty() && call.filter.is_none()).then_some(inner)
}

fn is_literal(expr: &Expr) -> bool {
    match &expr.kind {
        ExprKind::Number { .. } | ExprKind::Bool(_) | ExprKind::Text(_) => true,
        ExprKind::Parenthesised(inner) | ExprKind::Unary { value: inner, .. } => is_literal(inner),
        _ => false,
    }
}

impl Value<'_> {
    pub fn is_array(&self) -> bool {
        matches!(self, Value::Node(_) | Value::Number(_) | Value::Truth(_) | Value::Stored(_))
    }
}

impl<'p> Elaborator<'_, 'p> {
    /// Leaves the value in a slot of its own.
    pub fn outcome(&mut self, name: &str, value: &Value<'p>, span: Span) -> Checked<Outcome> {
        let node = self.node(value, span)?;
        self.node_outcome(name, node, span)
    }

    pub fn node_outcome(&mut self, name: &str, node: NodeId, span: Span) -> Checked<Outcome> {
        let layout = self.axes_of(node).as_slice().to_vec();
        let element: Element = self.element(node);
        let stored: Stored = self.allocate(name, element, &layout)?;
        self.write(&stored, node, span)?;
        let ids = layout
            .iter()
            .map(|axis| {
                let known = self.scope.root.axes.iter().chain(self.frame.axes.iter());
                known.filter(|(_, bound)| *bound == axis).map(|(id, _)| *id).min()
            })
            .collect();
        Ok(Outcome { name: name.to_owned(), slot: stored.slot, element, layout, ids })
    }

    /// Makes the columns of a data set or part visible: `on ner.test`.
    pub fn view_part(&mut self, name: &'p ast::AxisName, span: Span) -> Checked<()> {
        let Some(data) = name.path.first() else { return Err(fail::fault(span, "a block without data")) };
        let rows = match name.path.get(1) {
            Some(part) => Some(self.part_rows(&data.text, &part.text, name.span)?),
            None => None,
        };
        self.views.insert(data.text.clone(), View { rows });
        Ok(())
    }
}
