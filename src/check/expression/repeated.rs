//! Loops as values: `scan` along an axis and `iterate`. Their variables, and what they yield.
//!
//! The type of a variable is found by checking the body until nothing changes, quietly, and once more aloud: a variable
//! may start as a single number, or without axes that the values assigned to it have, and is then constant along them.

use crate::check::program::{AxisIds, AxisKind, Element, Type};
use crate::check::state::{Checker, LocalKind, LoopState, Trace};
use crate::check::types::{array, axes_of, lift};
use crate::diagnostic::{Code, Diagnostic};
use crate::source::Span;
use crate::syntax::ast::{AxisName, Block, Expr, Init, Name, Statement, StatementKind};

/// A loop as it is written.
struct Loop<'t> {
    /// The index of a `scan` with its type.
    item: Option<(&'t Name, Type)>,
    from: &'t [(Name, Expr)],
    until: Option<&'t Expr>,
    body: &'t Block,
}

impl Checker<'_> {
    pub fn scan(
        &mut self,
        expr: &Expr,
        item: &Name,
        axis: &AxisName,
        from: &[(Name, Expr)],
        body: &Block,
    ) -> Type {
        let along = self.axis(axis);
        if let Some(along) = along
            && matches!(self.program.axis(along).kind, AxisKind::Vary(_))
            && !self.context.results
        {
            return self
                .operand_lacks(along, axis.span, &AxisIds::new(), expr.span, "goes along")
                .unwrap_or(Type::Error);
        }
        let index = along.map_or(Type::Error, |along| array(Element::Index(along), AxisIds::new()));
        let (variables, state) = self.repeated(&Loop { item: Some((item, index)), from, until: None, body });
        let Some(along) = along else { return Type::Error };
        let mut yields = state.yields.into_iter();
        let Some((mut yielded, place)) = yields.next() else {
            return self.variables_at_end(expr, from, variables);
        };
        for (ty, span) in yields {
            yielded = self.join(&yielded, place, &ty, span);
        }
        self.stacked(&yielded, along, place)
    }

    pub fn iterate(
        &mut self,
        expr: &Expr,
        count: &Expr,
        until: Option<&Expr>,
        from: &[(Name, Expr)],
        body: &Block,
    ) -> Type {
        self.static_number(count, "the number of rounds");
        let (variables, state) = self.repeated(&Loop { item: None, from, until, body });
        for (_, span) in state.yields {
            self.report(
                Diagnostic::error(Code::A0243, span, "`yield` belongs in a `scan`")
                    .label("this loop has no axis to yield along")
                    .help(
                        "the value of `iterate` is that of its variables at the end: assign to one of them",
                    ),
            );
        }
        if self.is_static(expr) {
            self.program.static_loops.insert(expr.id);
        }
        self.variables_at_end(expr, from, variables)
    }

    /// The types of the variables, and what happened in the last look at the body.
    fn repeated(&mut self, written: &Loop) -> (Vec<Type>, LoopState) {
        let mut variables = Vec::with_capacity(written.from.len());
        for (_, start) in written.from {
            let (ty, trace) = self.hinted(None, |c| c.traced(|c| c.expression(start)));
            variables.push((self.loop_variable(start, ty), trace));
        }
        // Each look may only add axes or turn Bool into Float.
        for _ in 0..64 {
            let before = self.diagnostics.len();
            let axes = self.program.axes.len() as u32;
            let state = self.look(written, &variables);
            self.diagnostics.truncate(before);
            let mut changed = false;
            for ((ty, _), (name, _)) in variables.iter_mut().zip(written.from) {
                for (span, found, _) in &state.assigned {
                    let inside = axes_of(found).iter().any(|axis| axis.0 >= axes);
                    if *span != name.span || inside {
                        continue;
                    }
                    if let Some(grown) = grown(ty, found).filter(|grown| grown != ty) {
                        *ty = grown;
                        changed = true;
                    }
                }
            }
            if !changed {
                break;
            }
        }
        let state = self.look(written, &variables);
        for (name, _) in written.from {
            if !state.assigned.iter().any(|(span, _, _)| *span == name.span) {
                self.report(
                    Diagnostic::warning(
                        Code::A0117,
                        name.span,
                        format!("the loop variable `{}` never changes", name.text),
                    )
                    .label("nothing is assigned to it")
                    .help(format!("assign to it in the loop: `{} := ...`", name.text)),
                );
            }
        }
        self.yields_agree(&written.body.statements);
        if let Some(value) = &written.body.value {
            self.report(
                Diagnostic::error(Code::A0323, value.span, "this value is computed and dropped")
                    .label("the body of a loop has no value")
                    .help("assign it to a variable of the loop (`h := ...`), or `yield` it in a `scan`"),
            );
        }
        (variables.into_iter().map(|(ty, _)| ty).collect(), state)
    }

    /// Checks the body once, with the variables as they are believed to be.
    fn look(&mut self, written: &Loop, variables: &[(Type, Trace)]) -> LoopState {
        self.context.loops.push(LoopState { scope: self.scopes.len(), ..LoopState::default() });
        self.scoped(|c| {
            for ((name, _), (ty, trace)) in written.from.iter().zip(variables) {
                c.declare(name, ty.clone(), LocalKind::Loop, trace.clone());
                c.used.insert(name.span);
            }
            if let Some((item, ty)) = &written.item {
                c.declare(item, ty.clone(), LocalKind::Parameter, Trace::default());
            }
            c.block(written.body);
            if let Some(until) = written.until
                && let Some(axes) = c.truths(until)
            {
                // Items that are done keep their values while others go on.
                for ((name, _), (ty, _)) in written.from.iter().zip(variables) {
                    if !axes.is_subset(&axes_of(ty)) {
                        let lifted = lift(ty, &axes);
                        c.note_assigned(name.span, lifted, until.span);
                    }
                }
            }
        });
        self.context.loops.pop().unwrap_or_default()
    }

    fn note_assigned(&mut self, variable: Span, ty: Type, place: Span) {
        if let Some(state) = self.context.loops.last_mut() {
            state.assigned.push((variable, ty, place));
        }
    }

    /// What may be a loop variable: arrays, and records and tuples of them.
    fn loop_variable(&mut self, start: &Expr, ty: Type) -> Type {
        if ty == Type::Error || holds_arrays(&ty) {
            return ty;
        }
        match ty {
            Type::Record(_) | Type::Tuple(_) => {
                let shown = self.show(&ty);
                self.report(
                    Diagnostic::error(Code::A0241, start.span, format!("a loop variable cannot be {shown}"))
                        .label(format!("this is {shown}"))
                        .help("loop variables are arrays, or records and tuples of arrays"),
                );
            }
            other => {
                self.as_array(start, &other);
            }
        }
        Type::Error
    }

    /// `h := value` inside a loop, where `h` is a variable of some loop around.
    pub fn assign_in_loop(&mut self, name: &Name, value: &Expr, actual: &Type, declared: &Type, place: Span) {
        self.note_assigned(place, actual.clone(), value.span);
        if *actual == Type::Error || *declared == Type::Error {
            return;
        }
        // An axis that the loop makes anew in each round cannot outlive the round.
        if grown(declared, actual).as_ref() == Some(declared) {
            return;
        }
        let (have, want) = (self.show(actual), self.show(declared));
        let help = match (declared, actual) {
            (Type::Array { axes: wanted, .. }, Type::Array { axes, .. }) => {
                let surplus: AxisIds = axes.difference(wanted).copied().collect();
                let lacking: AxisIds = wanted.difference(axes).copied().collect();
                let names = |c: &Self, axes: &AxisIds| {
                    axes.iter().map(|axis| c.axis_name(*axis)).collect::<Vec<_>>().join(", ")
                };
                match (surplus.is_empty(), lacking.is_empty()) {
                    (false, true) => format!(
                        "the axis {0} is made inside the loop, and each round makes another: make it before the loop, \
                         or reduce over {0}",
                        names(self, &surplus)
                    ),
                    (true, false) => format!(
                        "the value lacks {0}: was it reduced away? A constant along it is `broadcast({1}, {0})`",
                        names(self, &lacking),
                        self.text(value.span)
                    ),
                    (false, false) => format!(
                        "it has {} where the variable has {}; rename with `x[A as B]` if they are the same",
                        names(self, &surplus),
                        names(self, &lacking)
                    ),
                    (true, true) => "a loop variable keeps its kind of element in all rounds".to_owned(),
                }
            }
            _ => "a loop variable has one type in all rounds".to_owned(),
        };
        self.report(
            Diagnostic::error(
                Code::A0241,
                value.span,
                format!("the loop variable `{}` is {want}, but becomes {have} here", name.text),
            )
            .label(format!("this is {have}"))
            .related(place, format!("`{}` is {want} from here on", name.text))
            .help(help),
        );
    }

    /// An assignment to something that does not belong to the loop around.
    pub fn assigned_across_loop(&mut self, name: &Name, place: Span) {
        self.report(
            Diagnostic::error(
                Code::A0242,
                name.span,
                format!("`{}` does not belong to this loop", name.text),
            )
            .label("assigned inside a loop that is a value")
            .related(place, format!("`{}` is made here, outside the loop", name.text))
            .help(format!(
                "a loop changes only its own variables: carry it (`from {0} = {0}`) and use the loop's value",
                name.text
            )),
        );
    }

    pub fn yield_statement(&mut self, statement: Span, value: &Expr) {
        let ty = self.hinted(None, |c| c.expression(value));
        let inside = self.context.loops.last().is_some();
        if !inside {
            self.report(
                Diagnostic::error(Code::A0243, statement, "`yield` belongs in a `scan`")
                    .label(format!("this is in {}", self.context.place.words()))
                    .help("give the value of a block as its last line, without `yield`"),
            );
            return;
        }
        let ty = self.loop_variable(value, ty);
        if let Some(state) = self.context.loops.last_mut() {
            state.yields.push((ty, value.span));
        }
    }

    /// Every round yields once, or no round does. None: already reported.
    fn yields_agree(&mut self, statements: &[Statement]) -> Option<usize> {
        let mut first: Option<Span> = None;
        for statement in statements {
            let yields = match &statement.kind {
                StatementKind::Yield(_) => 1,
                StatementKind::If { then, otherwise, .. } => {
                    let one = self.yields_agree(then)?;
                    let other = self.yields_agree(otherwise.as_deref().unwrap_or_default())?;
                    if one != other {
                        self.report(
                            Diagnostic::error(
                                Code::A0243,
                                statement.span,
                                "only one branch of this `if` yields",
                            )
                            .label("a round would yield, or not")
                            .help("yield once in every round: in both branches, or after the `if`"),
                        );
                        return None;
                    }
                    one
                }
                _ => 0,
            };
            if let (true, Some(first)) = (yields > 0, first) {
                self.report(
                    Diagnostic::error(Code::A0243, statement.span, "a round yields twice")
                        .label("the second `yield`")
                        .related(first, "the first one")
                        .help("yield several values together: `yield (a, b)` or `yield { a: a, b: b }`"),
                );
                return None;
            }
            if yields > 0 {
                first = Some(statement.span);
            }
        }
        Some(usize::from(first.is_some()))
    }

    /// What all rounds yield, along the axis of the `scan`.
    fn stacked(&mut self, ty: &Type, along: crate::check::program::AxisId, place: Span) -> Type {
        let mut parts = Vec::new();
        arrays(ty, &mut parts);
        if parts.iter().any(|axes| axes.contains(&along)) {
            let name = self.axis_name(along);
            self.report(
                Diagnostic::error(
                    Code::A0214,
                    place,
                    format!("what is yielded has the axis `{name}` already"),
                )
                .label(format!("`scan` adds `{name}` to this"))
                .help(format!("pick the position of this round, `x[{name} = t]`, or reduce over `{name}`")),
            );
            return Type::Error;
        }
        lift(ty, &AxisIds::from([along]))
    }

    /// The value of a loop that yields nothing: its one variable, or a record of all.
    fn variables_at_end(&mut self, expr: &Expr, from: &[(Name, Expr)], mut types: Vec<Type>) -> Type {
        if types.contains(&Type::Error) {
            return Type::Error;
        }
        match types.len() {
            0 => {
                self.report(
                    Diagnostic::error(Code::A0319, expr.span, "this loop gives no value")
                        .label("it has no variables and yields nothing")
                        .help("give it a variable, `from a = 0 { a := ... }`, or `yield` in a `scan`"),
                );
                Type::Error
            }
            1 => types.remove(0),
            _ => Type::Record(from.iter().map(|(name, _)| name.text.clone()).zip(types).collect()),
        }
    }

    /// Whether a checked loop is known when the graph is built: its starts and every assignment are.
    pub fn static_loop(&self, from: &[(Name, Expr)], until: Option<&Expr>, body: &Block) -> bool {
        let own: Vec<Span> = from.iter().map(|(name, _)| name.span).collect();
        from.iter().all(|(_, start)| self.is_static(start))
            && until.is_none()
            && body.value.is_none()
            && body.statements.iter().all(|statement| match &statement.kind {
                StatementKind::Assign { value, .. } => self.is_static_with(value, &own),
                StatementKind::Let(binding) => match &binding.value {
                    Init::Value(value) => self.is_static(value),
                    Init::Draw(_) => false,
                },
                _ => false,
            })
    }
}

/// The type of a variable that held `known` once `found` is assigned; none: it cannot hold both.
fn grown(known: &Type, found: &Type) -> Option<Type> {
    match (known, found) {
        (Type::Error, _) | (_, Type::Error) => Some(known.clone()),
        (Type::Array { element: a, axes: left }, Type::Array { element: b, axes: right }) => {
            let element = match (a, b) {
                _ if a == b => *a,
                (Element::Index(_), _) | (_, Element::Index(_)) => return None,
                _ => Element::Float,
            };
            let axes = match () {
                () if right.is_empty() || left == right => left,
                () if left.is_subset(right) => right,
                () => return None,
            };
            Some(array(element, axes.clone()))
        }
        (Type::Tuple(a), Type::Tuple(b)) if a.len() == b.len() => {
            let parts: Option<Vec<Type>> = a.iter().zip(b).map(|(a, b)| grown(a, b)).collect();
            parts.map(Type::Tuple)
        }
        (Type::Record(a), Type::Record(b)) if a.len() == b.len() => {
            let parts: Option<Vec<(String, Type)>> = a
                .iter()
                .map(|(name, a)| {
                    let (_, b) = b.iter().find(|(other, _)| other == name)?;
                    Some((name.clone(), grown(a, b)?))
                })
                .collect();
            parts.map(Type::Record)
        }
        _ => None,
    }
}

fn holds_arrays(ty: &Type) -> bool {
    match ty {
        Type::Array { .. } => true,
        Type::Tuple(types) => types.iter().all(holds_arrays),
        Type::Record(fields) => fields.iter().all(|(_, ty)| holds_arrays(ty)),
        _ => false,
    }
}

fn arrays(ty: &Type, found: &mut Vec<AxisIds>) {
    match ty {
        Type::Array { axes, .. } => found.push(axes.clone()),
        Type::Tuple(types) => types.iter().for_each(|ty| arrays(ty, found)),
        Type::Record(fields) => fields.iter().for_each(|(_, ty)| arrays(ty, found)),
        _ => {}
    }
}
