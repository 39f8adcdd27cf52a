//! What a combined objective records of its terms, as results: `fit.norm`, `fit.cosine.align`.

use crate::check::program::{AxisId, AxisKind, Type};
use crate::check::state::{Checker, Local, LocalKind, Trace};
use crate::check::types::{array, axes_of, lift};
use crate::diagnostic::{Code, Diagnostic};
use crate::source::Span;
use crate::syntax::ast::{Expr, ExprKind, Name, Objective};

/// The fields of a term.
const FIELDS: [&str; 4] = ["value", "weight", "norm", "cosine"];

/// What is known of a constraint as if it were a term of this name.
pub const VIOLATION: &str = "violation";

/// The terms of one objective of the train block at hand.
pub struct Terms {
    /// Where there are several.
    names: Vec<Name>,
    /// The places of its constraints.
    constraints: Vec<Span>,
    /// It stands in an `if`.
    conditional: bool,
}

/// A term as a result of its name.
pub struct TermResult {
    local: Local,
    name: String,
    conditional: bool,
    /// At one round, until the rounds are over.
    trace: Trace,
}

impl Checker<'_> {
    /// Remembers the terms of an objective with several, and its constraints.
    pub(super) fn combined_terms(&mut self, objective: &Objective) {
        let mut names: Vec<Name> = objective.terms.iter().filter_map(|term| term.name.clone()).collect();
        if names.len() < 2 {
            names.clear();
        }
        let constraints: Vec<Span> = objective.constraints.iter().map(|c| c.condition.span).collect();
        if !names.is_empty() || !constraints.is_empty() {
            let conditional = !self.trial.conditions.is_empty();
            self.trial.block_terms.push(Terms { names, constraints, conditional });
        }
    }

    /// After the block its terms are results over the tenths of the training.
    pub(super) fn declare_terms(&mut self, blocks: Vec<Terms>, block: &Trace) {
        for Terms { names, constraints, conditional } in blocks {
            let places = names.iter().map(|name| name.span).chain(constraints.iter().copied());
            let Some(first) = places.min_by_key(|span| span.start) else { continue };
            let tenth = self.tenth(first);
            let each = array(crate::check::program::Element::Float, [tenth].into());
            for place in constraints {
                let ty = Type::Record(vec![("value".to_owned(), each.clone())]);
                self.term_result(VIOLATION, place, ty, conditional, tenth, block);
            }
            for name in &names {
                let others = names.iter().filter(|other| other.text != name.text);
                let cosines = others.map(|other| (other.text.clone(), each.clone())).collect();
                let field = |field: &str| match field {
                    "cosine" => Type::Record(Vec::clone(&cosines)),
                    _ => each.clone(),
                };
                let ty = Type::Record(FIELDS.map(|name| (name.to_owned(), field(name))).into());
                self.term_result(&name.text, name.span, ty, conditional, tenth, block);
            }
        }
    }

    /// What is recorded of one term, which stands at `place`.
    fn term_result(
        &mut self,
        name: &str,
        place: Span,
        ty: Type,
        conditional: bool,
        tenth: AxisId,
        block: &Trace,
    ) {
        let mut trace = block.clone();
        self.trial.conditions.iter().for_each(|condition| trace.merge(condition));
        trace.parts.clear();
        trace.models.clear();
        self.program.axes_at.insert(place, tenth);
        let definition = crate::check::program::Definition::Local(place);
        let local = Local { span: place, ty, kind: LocalKind::Result, definition };
        let result = TermResult { local, name: name.to_owned(), conditional, trace };
        match self.trial.round {
            Some(_) => self.trial.round_terms.push(result),
            None => self.declare_term(result),
        }
    }

    /// The axis of what is recorded of terms, one for all train blocks.
    fn tenth(&mut self, first: Span) -> AxisId {
        match self.trial.tenth {
            Some(tenth) => tenth,
            None => {
                let tenth = self.new_axis("Tenth", AxisKind::Recorded, first);
                self.trial.tenth = Some(tenth);
                tenth
            }
        }
    }

    /// After the rounds of a `repeat`, the terms of its train blocks have its axis.
    pub(super) fn declare_round_terms(&mut self, terms: Vec<TermResult>, round: AxisId) {
        for mut term in terms {
            term.local.ty = lift(&term.local.ty, &[round].into());
            self.declare_term(term);
        }
    }

    fn declare_term(&mut self, mut term: TermResult) {
        if let (Some(tenth), Some(scope)) = (self.trial.tenth, self.scopes.last_mut()) {
            scope.axes.entry("Tenth".to_owned()).or_insert(tenth);
        }
        term.trace.results = true;
        // Objectives in the branches of an `if` are alternatives: their terms of one name are one result.
        let alternative = (self.trial.term_results.iter())
            .position(|known| known.name == term.name && (known.conditional || term.conditional));
        let mut span = term.local.span;
        if let Some(at) = alternative {
            let known = self.trial.term_results.remove(at);
            self.program.term_of.insert(span, known.local.span);
            term.trace.merge(&known.trace);
            term.local = Local { ty: united(&known.local.ty, &term.local.ty), ..known.local };
            span = term.local.span;
        }
        let trace = &term.trace;
        let varies: Vec<AxisId> =
            self.trial.varies.iter().copied().filter(|axis| trace.varies.contains(axis)).collect();
        term.local.ty = lift(&term.local.ty, &varies.iter().copied().collect());
        self.program.varies.insert(span, varies.clone());
        self.program.varies.insert(term.local.span, varies);
        self.traces.insert(span, term.trace.clone());
        self.trial.term_results.push(term);
    }

    /// Whether `value.field` reads what is recorded of a term. Other names hide terms.
    pub fn is_term_field(&self, value: &Expr, field: &Name) -> bool {
        matches!(&value.kind, ExprKind::Name(of)
            if FIELDS.contains(&field.text.as_str()) && self.find_local(&of.text).is_none() && self.is_term(&of.text))
    }

    pub fn is_term(&self, name: &str) -> bool {
        self.trial.term_results.iter().any(|term| term.name == name)
    }

    /// What is recorded of a term, as it is read: "`fit.value`, `fit.weight` ...".
    pub fn fields_of_term(&self, name: &str) -> String {
        let found = self.trial.term_results.iter().find(|term| term.name == name);
        let Some(Type::Record(fields)) = found.map(|term| &term.local.ty) else { return String::new() };
        fields.iter().map(|(field, _)| format!("`{name}.{field}`")).collect::<Vec<_>>().join(", ")
    }

    /// The term that a name stands for in results.
    pub fn term_value(&mut self, value: &Expr) -> Type {
        let ExprKind::Name(name) = &value.kind else { return Type::Error };
        let found = self.trial.term_results.iter().filter(|term| term.name == name.text);
        let found: Vec<Local> = found.map(|term| term.local.clone()).collect();
        let ty = match found.as_slice() {
            [local] => {
                self.use_local(name, local);
                local.ty.clone()
            }
            [first, second, ..] => self.several_terms(name, first.span, second.span),
            [] => Type::Error,
        };
        self.program.types.insert(value.id, ty.clone());
        ty
    }

    fn several_terms(&mut self, name: &Name, first: Span, second: Span) -> Type {
        let (message, help) = match name.text == VIOLATION {
            true => (
                "there are several constraints".to_owned(),
                "record what one of them compares: `every 100 { record size = ... }`",
            ),
            false => (
                format!("several objectives have a term `{}`", name.text),
                "give the terms names of their own",
            ),
        };
        self.report(
            Diagnostic::error(Code::A0296, name.span, message)
                .label("which of them?")
                .related(first, "the first one")
                .related(second, "the second one")
                .help(help),
        );
        Type::Error
    }
}

/// The axes and the cosines of both.
fn united(a: &Type, b: &Type) -> Type {
    match (a, b) {
        (Type::Record(a), Type::Record(b)) => {
            let mut fields = a.clone();
            for (name, ty) in b {
                match fields.iter_mut().find(|(known, _)| known == name) {
                    Some((_, known)) => *known = united(known, ty),
                    None => fields.push((name.clone(), ty.clone())),
                }
            }
            Type::Record(fields)
        }
        (a, b) => lift(a, &axes_of(b)),
    }
}
