//! Names as values, and records.

use crate::check::builtin::Builtin;
use crate::check::program::{AxisId, AxisIds, AxisKind, Callable, Definition, Element, ItemRef, Type, Vary};
use crate::check::resolve::is_constant;
use crate::check::state::{Checker, ItemState, LocalKind, Place, Trace};
use crate::check::types::array;
use crate::diagnostic::{Code, Diagnostic};
use crate::source::Span;
use crate::syntax::ast::{Expr, ItemKind, Name};

impl Checker<'_> {
    pub fn name_value(&mut self, expr: &Expr, name: &Name) -> Type {
        if let Some(local) = self.find_local(&name.text).cloned() {
            self.use_local(name, &local);
            if self.context.results && !self.usable_in_results(&local.span, local.kind, &local.ty) {
                return self.trial_value_in_results(name, local.span);
            }
            return self.seen_by_rows(name, local.kind, local.ty);
        }
        if let Some(item) = self.use_item(&name.text) {
            self.program.names.insert(name.span, Definition::Item(item));
            return match self.item(item, name.span) {
                ItemState::Let(ty) => {
                    if let Some(mut trace) = self.trace_of_item(item, &name.text) {
                        self.check_leak(name.span, &name.text, &mut trace);
                        self.context.trace.merge(&trace);
                    }
                    ty
                }
                ItemState::Data(data) => {
                    self.context.trace.merge(&data.trace.clone());
                    Type::Rows { data: data.name.clone(), rows: data.rows }
                }
                ItemState::Open | ItemState::Other => Type::Error,
                ItemState::Function(_) => {
                    if self.program.fits.contains(&item) {
                        self.fits_elsewhere(name.span, item);
                        return Type::Error;
                    }
                    Type::Callable(Callable::Item(item))
                }
                state => self.item_is_no_value(name, &state),
            };
        }
        if let Some(builtin) = Builtin::find(&name.text) {
            self.program.names.insert(name.span, Definition::Builtin(builtin));
            return self.constant(name, builtin);
        }
        if let Some(axis) = self.find_axis(&name.text) {
            return self.axis_as_value(expr, name, axis);
        }
        if let Some(data) = self.data.get(&name.text).cloned() {
            return Type::Rows { data: data.name.clone(), rows: data.rows };
        }
        if let Some((axis, position)) = self.find_arm(&name.text) {
            let of = self.axis_name(axis);
            self.program.names.insert(name.span, Definition::Arm(axis, position));
            self.report(
                Diagnostic::error(Code::A0118, name.span, format!("`{}` is an arm of `{of}`, not a value", name.text))
                    .label("an arm")
                    .related(self.program.axis(axis).span, format!("`{of}` is declared here"))
                    .help(format!("compare with it (`{of} == {0}`), choose by it (`match {of} {{ {0} => ... }}`), or pick it in results (`score[{of} = {0}]`)", name.text)),
            );
            return Type::Error;
        }
        self.unknown_name(&name.text, name.span)
    }

    /// Where a `let` at the top of a file comes from.
    fn trace_of_item(&self, item: ItemRef, name: &str) -> Option<Trace> {
        let ItemKind::Let(binding) = &self.program.item(item).kind else { return None };
        let name = binding.names.iter().find(|known| known.text == name)?;
        self.traces.get(&name.span).cloned()
    }

    /// A value over all rows of a data set, used in a block over some of these rows, is seen for these alone; so are the parts of a
    /// record or a tuple.
    fn seen_by_rows(&mut self, name: &Name, kind: LocalKind, ty: Type) -> Type {
        if !matches!(kind, LocalKind::Let | LocalKind::State) {
            return ty;
        }
        let mut seen = ty;
        for (data, rows) in self.trial.rows.iter().rev() {
            let Some(all) = self.data.get(data).map(|info| info.rows).filter(|all| all != rows) else {
                continue;
            };
            if let Some(narrowed) = narrowed(&seen, all, *rows) {
                self.program.viewed.entry(name.span).or_default().push(data.clone());
                seen = narrowed;
            }
        }
        seen
    }

    fn find_arm(&self, name: &str) -> Option<(AxisId, usize)> {
        self.trial.varies.iter().find_map(|axis| match &self.program.axis(*axis).kind {
            AxisKind::Vary(Vary::Arms(arms)) => Some((*axis, arms.iter().position(|arm| arm == name)?)),
            _ => None,
        })
    }

    fn usable_in_results(&self, span: &Span, kind: LocalKind, ty: &Type) -> bool {
        // What is known before the run may still be another number in other trials.
        let by_trial = || {
            let varies = self.traces.get(span).map(|trace| &trace.varies);
            varies.is_some_and(|varies| varies.iter().any(|axis| !self.trial.counts.contains(axis)))
        };
        kind == LocalKind::Result || *ty == Type::Error || (self.statics.contains(span) && !by_trial())
    }

    fn trial_value_in_results(&mut self, name: &Name, place: Span) -> Type {
        self.report(
            Diagnostic::error(
                Code::A0322,
                name.span,
                format!("`{}` belongs to each trial, but this is computed after all trials", name.text),
            )
            .label("a value of one trial")
            .related(place, "it is made here, once in every trial")
            .help(format!(
                "measure it in an `on` block (`measure name = {}`) and use the measure here",
                name.text
            )),
        );
        Type::Error
    }

    fn item_is_no_value(&mut self, name: &Name, state: &ItemState) -> Type {
        let (what, help) = match state {
            ItemState::Layer(layer) => {
                let axes: Vec<String> =
                    layer.constructor.generics.iter().map(|axis| self.axis_name(*axis)).collect();
                let axes = if axes.is_empty() { String::new() } else { format!("[{}]", axes.join(", ")) };
                ("a layer", format!("make a model of it: `let net = {}{axes}()`", name.text))
            }
            _ => ("an optimizer", format!("it belongs after `with`: `with {}(lr = 1e-3)`", name.text)),
        };
        self.report(
            Diagnostic::error(Code::A0118, name.span, format!("`{}` is {what}, not a value", name.text))
                .label(what)
                .help(help),
        );
        Type::Error
    }

    fn constant(&mut self, name: &Name, builtin: Builtin) -> Type {
        match builtin {
            Builtin::Pi | Builtin::Infinity => Type::float(),
            Builtin::Training => crate::check::types::boolean(),
            Builtin::Step | Builtin::Epoch | Builtin::Progress => {
                if !matches!(self.context.place, Place::Train | Place::Every) && self.trial.every.is_none() {
                    self.report(
                        Diagnostic::error(
                            Code::A0316,
                            name.span,
                            format!("there is no `{}` outside a train block", name.text),
                        )
                        .label(format!("this is in {}", self.context.place.words()))
                        .help("give it to the function as an argument: `f(x, at = step)` in the train block"),
                    );
                    return Type::Error;
                }
                Type::float()
            }
            _ if is_constant(builtin) => Type::float(),
            _ => Type::Callable(Callable::Builtin(builtin)),
        }
    }

    /// A `vary` axis is a value too: the trial's choice or number, or all its numbers in results.
    fn axis_as_value(&mut self, _expr: &Expr, name: &Name, axis: AxisId) -> Type {
        match &self.program.axis(axis).kind {
            AxisKind::Vary(Vary::Arms(_)) => {
                self.program.axes_at.insert(name.span, axis);
                self.program.names.insert(name.span, Definition::Axis(axis));
                self.context.trace.varies.insert(axis);
                Type::Choice(axis)
            }
            AxisKind::Vary(Vary::Values(_)) | AxisKind::Round
                if self.context.results
                    || self.trial.round == Some(axis)
                    || self.program.axis(axis).kind != AxisKind::Round =>
            {
                self.program.names.insert(name.span, Definition::VaryValue(axis));
                if self.program.axis(axis).kind != AxisKind::Round {
                    self.context.trace.varies.insert(axis);
                }
                let axes = if self.context.results { AxisIds::from([axis]) } else { AxisIds::new() };
                array(Element::Float, axes)
            }
            _ => {
                self.program.axes_at.insert(name.span, axis);
                self.program.names.insert(name.span, Definition::Axis(axis));
                Type::Axis(axis)
            }
        }
    }

    /// A record; a field that is wanted as a function is checked as one.
    pub fn record(&mut self, fields: &[(Name, Expr)], wanted: &[(String, Type)]) -> Type {
        let mut types: Vec<(String, Type)> = Vec::new();
        let mut places: Vec<&Name> = Vec::new();
        for (name, value) in fields {
            let ty = match wanted.iter().find(|(known, _)| *known == name.text) {
                Some((_, ty)) => self.expecting(value, ty),
                None => self.expression(value),
            };
            match places.iter().find(|known| known.text == name.text) {
                Some(first) => self.defined_twice(name, first.span),
                None => types.push((name.text.clone(), ty)),
            }
            places.push(name);
        }
        Type::Record(types)
    }
}

/// The type of a value over all rows, as it is over some of them; none where it is not over all.
fn narrowed(ty: &Type, all: AxisId, rows: AxisId) -> Option<Type> {
    match ty {
        Type::Array { element, axes } if axes.contains(&all) && !axes.contains(&rows) => {
            let axes = axes.iter().map(|axis| if *axis == all { rows } else { *axis }).collect();
            Some(array(*element, axes))
        }
        Type::Record(fields) => {
            let parts: Vec<_> = fields.iter().map(|(_, part)| narrowed(part, all, rows)).collect();
            parts.iter().any(Option::is_some).then(|| {
                let fields = fields.iter().zip(parts);
                let field = |((name, ty), part): (&(String, Type), Option<Type>)| {
                    (name.clone(), part.unwrap_or_else(|| ty.clone()))
                };
                Type::Record(fields.map(field).collect())
            })
        }
        Type::Tuple(types) => {
            let parts: Vec<_> = types.iter().map(|part| narrowed(part, all, rows)).collect();
            parts.iter().any(Option::is_some).then(|| {
                let types = types.iter().zip(parts);
                Type::Tuple(types.map(|(ty, part)| part.unwrap_or_else(|| ty.clone())).collect())
            })
        }
        _ => None,
    }
}
