//! Statements that may stand in any block: axes, lets, assignments, assertions, `if`. The others go to the
//! experiment's own rules, if the place allows them.

use super::item::hint_of;
use super::program::{AxisIds, AxisKind, Element, Type};
use super::state::{Checker, LocalKind, Place};
use super::types::{array, axes_of};
use crate::diagnostic::{Code, Diagnostic, Help, nearest};
use crate::source::Span;
use crate::syntax::ast::{
    AxisDeclaration, BinaryOperator, Expr, ExprKind, Init, Let, Name, Statement, StatementKind,
};

impl Checker<'_> {
    pub fn statement(&mut self, statement: &Statement) {
        self.watch(statement.span);
        match &statement.kind {
            StatementKind::Axis(axes) => self.axis_declarations(axes),
            StatementKind::Let(l) => self.let_statement(l),
            StatementKind::Assign { name, value } => self.assign(name, value),
            StatementKind::Assert { condition } => {
                if self.context.place != Place::Test {
                    let belongs = "a test: `test \"name\" { assert .. }`";
                    return self.out_of_place(statement.span, "an assertion", belongs);
                }
                self.truths(condition);
            }
            StatementKind::Yield(value) => self.yield_statement(statement.span, value),
            StatementKind::If { condition, then, otherwise } => {
                let (_, trace) = self.traced(|c| c.static_condition(condition));
                self.trial.conditions.push(trace);
                self.scoped(|c| then.iter().for_each(|statement| c.statement(statement)));
                if let Some(otherwise) = otherwise {
                    self.scoped(|c| otherwise.iter().for_each(|statement| c.statement(statement)));
                }
                self.trial.conditions.pop();
            }
            StatementKind::Expression(value) if self.negative_length(value).is_some() => {
                let Some((name, amount)) = self.negative_length(value) else { return };
                self.report(
                    Diagnostic::error(Code::A0250, value.span, format!("`{name}` is a whole number from 1"))
                        .label(format!("this is -{}", self.text(amount)))
                        .help(Help::replace(
                            value.span,
                            format!("{name} {}", self.text(amount)),
                            format!("write `{name} {}`", self.text(amount)),
                        )),
                );
            }
            StatementKind::Expression(value) => {
                self.expression(value);
                self.unused_value(value);
            }
            _ => self.experiment_statement(statement),
        }
    }

    /// `steps -2` in a train block reads as a difference.
    pub fn negative_length(&self, value: &Expr) -> Option<(&'static str, Span)> {
        let ExprKind::Binary { operator: BinaryOperator::Subtract, left, right, .. } = &value.kind else {
            return None;
        };
        let ExprKind::Name(name) = &left.kind else { return None };
        let name = ["steps", "epochs"].into_iter().find(|word| *word == name.text)?;
        (self.context.place == Place::Train && self.find_local(name).is_none()).then_some((name, right.span))
    }

    pub fn unused_value(&mut self, value: &Expr) {
        self.report(
            Diagnostic::error(Code::A0323, value.span, "this value is computed and dropped")
                .label("nothing is done with it")
                .help(format!(
                    "give it a name (`let x = {}`), measure it, or assert something about it",
                    self.text(value.span)
                )),
        );
    }

    pub fn axis_declarations(&mut self, axes: &[AxisDeclaration]) {
        for declaration in axes {
            let name = &declaration.name;
            let (kind, trace) = self.traced(|c| c.size_of_axis(declaration));
            self.sized_by(name.span, trace.varies);
            let axis = self.new_axis(name.text.clone(), kind, name.span);
            self.declare_axis(name, axis);
        }
    }

    fn size_of_axis(&mut self, declaration: &AxisDeclaration) -> AxisKind {
        match self.axis_argument(&declaration.size) {
            // `axis S = T`: the same size as another axis.
            Some(of) if !matches!(self.program.axis(of).kind, AxisKind::Vary(_)) => {
                self.program.types.insert(declaration.size.id, Type::Axis(of));
                AxisKind::SameSizeAs(of)
            }
            found => {
                if self.looks_like_axis(&declaration.size) && found.is_none() {
                    let text = self.text(declaration.size.span);
                    let _: Option<()> = self.unknown_axis(&text, declaration.size.span);
                } else {
                    self.static_number(&declaration.size, "the size of an axis");
                }
                AxisKind::Sized(declaration.size.id)
            }
        }
    }

    pub fn let_statement(&mut self, l: &Let) {
        if let Some(refresh) = &l.refresh {
            self.static_number(refresh, "the number of steps");
        }
        self.trial.named_model = l.names.len() == 1;
        let declared = l.ty.as_ref().map(|ty| (self.ty(ty), ty.span));
        // At the level of an experiment, a `let` made from measures works on results.
        let value_expr = match &l.value {
            Init::Value(value) | Init::Draw(value) => value,
        };
        let results = self.context.place == Place::Experiment && self.mentions_results(value_expr);
        let inside = results || self.context.results;
        let outer = std::mem::replace(&mut self.context.results, inside);
        let directly = self.context.place == Place::Experiment && !results && l.names.len() == 1;
        self.trial.let_value = directly.then_some(value_expr.id);
        let (actual, mut trace) = self.traced(|c| match &l.value {
            Init::Value(value) => {
                let hint = declared.as_ref().and_then(|((ty, order), _)| hint_of(ty, order));
                c.hinted(hint, |c| match &declared {
                    Some(((ty, _), _)) => c.expecting(value, ty),
                    None => c.expression(value),
                })
            }
            Init::Draw(value) => {
                let scalar = Type::float();
                let over = declared.as_ref().map_or(&scalar, |((ty, _), _)| ty).clone();
                c.draw(value, &over)
            }
        });
        self.trial.let_value = None;
        self.context.results = outer;
        let actual = self.zoo(l, value_expr, actual);
        let ty = match declared {
            Some(((ty, _), place)) => {
                self.fits_declared(&actual, value_expr, &ty, place, "the value");
                ty
            }
            None => match actual {
                Type::Unit | Type::Axis(_) | Type::Choice(_) | Type::Text => {
                    self.as_array(value_expr, &actual);
                    Type::Error
                }
                other => other,
            },
        };
        let is_static = matches!(l.value, Init::Value(_)) && self.is_static(value_expr);
        let kind = if results { LocalKind::Result } else { LocalKind::Let };
        match l.names.as_slice() {
            [name] => {
                let copied = self.made_of_models(value_expr);
                if let Some(refresh) = &l.refresh
                    && !(self.context.place == Place::Train && copied)
                {
                    self.kept_out_of_place(refresh, "`every ... steps`");
                }
                if copied && self.context.place == Place::Train {
                    if let ExprKind::Call(call) = &value_expr.kind
                        && let Some(of) = call.arguments.first()
                        && let crate::syntax::ast::ArgumentKind::Positional(of) = &of.kind
                    {
                        self.starts_before(of, "a model kept in a train block");
                    }
                    self.trial.exported.push(name.clone());
                }
                if matches!(ty, Type::Function { .. }) || (matches!(ty, Type::Model { .. }) && !copied) {
                    self.views.insert(name.span);
                }
                if let Type::Model { .. } = ty {
                    trace.models.insert(name.span);
                    trace.flows.insert(name.span);
                    // Its parameters have values already, so it need not be trained.
                    let made = matches!(
                        value_expr.kind,
                        ExprKind::Unary { .. }
                            | ExprKind::Binary { .. }
                            | ExprKind::From { .. }
                            | ExprKind::Index { .. }
                    ) || self.replaces(value_expr);
                    if self.context.place == Place::Experiment
                        && !copied
                        && !made
                        && !self.is_frozen(value_expr)
                    {
                        self.trial.models.push((name.text.clone(), name.span));
                    }
                }
                if is_static && axes_of(&ty).is_empty() {
                    self.statics.insert(name.span);
                    let number = self.constant_number(value_expr);
                    self.constants.extend(number.map(|number| (name.span, number)));
                }
                trace.results |= results;
                self.declare(name, ty, kind, trace);
                self.lets.push((name.text.clone(), name.span));
            }
            names => self.let_tuple(names, &ty, value_expr, kind, trace),
        }
    }

    fn let_tuple(
        &mut self,
        names: &[Name],
        ty: &Type,
        value: &Expr,
        kind: LocalKind,
        trace: super::state::Trace,
    ) {
        let types: Vec<Type> = match ty {
            Type::Tuple(types) if types.len() == names.len() => types.clone(),
            Type::Error => vec![Type::Error; names.len()],
            other => {
                let shown = self.show(other);
                let place = names.first().map_or(value.span, |name| name.span);
                self.report(
                    Diagnostic::error(
                        Code::A0206,
                        value.span,
                        format!("{} names cannot take {shown} apart", names.len()),
                    )
                    .label(format!("this is {shown}"))
                    .related(place, "the names")
                    .help("give it one name, or as many names as it has parts"),
                );
                vec![Type::Error; names.len()]
            }
        };
        for (name, ty) in names.iter().zip(types) {
            self.declare(name, ty, kind, trace.clone());
            self.lets.push((name.text.clone(), name.span));
        }
    }

    fn assign(&mut self, name: &Name, value: &Expr) {
        let (actual, mut trace) = self.traced(|c| c.expression(value));
        let Some(local) = self.find_local(&name.text).cloned() else {
            let states: Vec<String> = self.state_names();
            let help = match nearest(&name.text, states.iter().map(String::as_str)) {
                Some(near) => Help::meant(name.span, near),
                None => format!("a new value is named by `let {} = ...`", name.text).into(),
            };
            self.report(
                Diagnostic::error(
                    Code::A0305,
                    name.span,
                    format!("there is no state `{}` to assign to", name.text),
                )
                .label("unknown state")
                .help(help),
            );
            return;
        };
        self.program.names.insert(name.span, local.definition.clone());
        let outside = self.context.loops.last().is_some_and(|around| {
            self.scopes[..around.scope]
                .iter()
                .any(|scope| scope.values.get(&name.text).is_some_and(|known| known.span == local.span))
        });
        if outside && matches!(local.kind, LocalKind::State | LocalKind::Loop) {
            return self.assigned_across_loop(name, local.span);
        }
        if local.kind == LocalKind::Loop {
            return self.assign_in_loop(name, value, &actual, &local.ty, local.span);
        }
        if local.kind != LocalKind::State {
            self.report(
                Diagnostic::error(
                    Code::A0305,
                    name.span,
                    format!("`{}` is no state: it cannot be assigned to", name.text),
                )
                .label("assigned here")
                .related(local.span, "it is given its one value here")
                .help("`:=` changes a `state`; for another value use another name: `let next = ...`"),
            );
            return;
        }
        if self.context.place == Place::On {
            return self.out_of_place(name.span, "an assignment", "a train block, or the experiment itself");
        }
        if self.context.place == Place::Experiment && self.mentions_results(value) {
            self.report(
                Diagnostic::error(
                    Code::A0322,
                    value.span,
                    format!("`{}` changes in every trial, but this is computed after all trials", name.text),
                )
                .label("mentions a measure")
                .related(local.span, "the state")
                .help("compute the value from what the trial has, and measure that too"),
            );
        }
        if self.context.place == Place::Train {
            trace.varies.extend(self.trial.counts.clone());
        }
        self.trial.conditions.iter().for_each(|condition| trace.merge(condition));
        self.traces.entry(local.span).or_default().merge(&trace);
        self.used.insert(local.span);
        let shape = array(Element::Float, AxisIds::new());
        // In an optimizer, a state grows to the shape of what is assigned; the optimizer's rule sees to it.
        let quiet = self.context.place == Place::Optimizer && local.ty == shape;
        if !quiet {
            self.fits_declared(&actual, value, &local.ty, local.span, "the new value");
        }
    }

    fn state_names(&self) -> Vec<String> {
        let all = self.scopes.iter().flat_map(|scope| scope.values.iter());
        all.filter(|(_, local)| matches!(local.kind, LocalKind::State | LocalKind::Loop))
            .map(|(name, _)| name.clone())
            .collect()
    }

    /// A number that must be known when the graph is built.
    pub fn static_number(&mut self, value: &Expr, what: &str) {
        let before = self.diagnostics.len();
        let axes = self.hinted(None, |c| c.numbers(value));
        if axes.is_none() || self.diagnostics.len() > before {
            return;
        }
        if axes.is_some_and(|axes| !axes.is_empty()) || !self.is_static(value) {
            self.report(
                Diagnostic::error(Code::A0213, value.span, format!("{what} must be known before the run"))
                    .label("this depends on data, parameters or the step")
                    .help("use a number, `size(A)`, the number of a `vary`, or a `let` of those"),
            );
        }
    }

    /// A number that the text alone gives; whatever else is refused.
    pub fn fixed_number(&mut self, value: &Expr, what: &str) -> Option<f64> {
        let before = self.diagnostics.len();
        self.static_number(value, what);
        if self.diagnostics.len() > before {
            return None;
        }
        let number = self.constant_number(value);
        if number.is_none() {
            self.report(
                Diagnostic::error(Code::A0213, value.span, format!("{what} must be known before the run"))
                    .label("the text alone does not give this number")
                    .help("write a number"),
            );
        }
        number
    }

    /// "x must be among the names of the experiment": for statements at the wrong place.
    /// Results need a value in every trial, and parts and axes of trials are the same for all.
    pub fn not_in_if(&mut self, span: Span) {
        self.report(
            Diagnostic::error(
                Code::A0321,
                span,
                "this statement does not belong in an `if` of an experiment",
            )
            .label("not in every trial")
            .help("put it outside, and choose between values: `measure x = if a { .. } else { .. }`"),
        );
    }

    pub fn out_of_place(&mut self, span: Span, what: &str, belongs: &str) {
        self.report(
            Diagnostic::error(
                Code::A0321,
                span,
                format!("{what} does not belong in {}", self.context.place.words()),
            )
            .label("out of place")
            .help(format!("it belongs in {belongs}")),
        );
    }
}
