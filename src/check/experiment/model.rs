//! Models made of models: `copy`, `freeze`, `ema`, and arithmetic on their parameters.

use crate::check::builtin::Builtin;
use crate::check::builtin::rule::BuiltinCall;
use crate::check::program::{CallInfo, ItemRef, Target, Type};
use crate::check::state::{Checker, ItemState, Place};
use crate::check::types::axes_of;
use crate::diagnostic::{Code, Diagnostic};
use crate::source::Span;
use crate::syntax::ast::{ArgumentKind, BinaryOperator, Call, Expr, ExprKind, ItemKind, Param, TypeKind};

impl Checker<'_> {
    /// Whether an unchecked expression is a model, as far as its form tells.
    pub fn is_model(&self, expr: &Expr) -> bool {
        match &expr.kind {
            ExprKind::Name(name) => {
                self.find_local(&name.text).is_some_and(|local| matches!(local.ty, Type::Model { .. }))
            }
            ExprKind::Parenthesised(inner) | ExprKind::Unary { value: inner, .. } => self.is_model(inner),
            ExprKind::Binary { left, right, operator, .. } => {
                arithmetic(*operator) && (self.is_model(left) || self.is_model(right))
            }
            ExprKind::Field { .. } | ExprKind::Index { .. } => self.model_inside(expr).is_some(),
            ExprKind::Call(call) => {
                if let ExprKind::Field { value, field } = &call.callee.kind {
                    return field.text == "with" && self.is_model(value);
                }
                let ExprKind::Name(name) = &call.callee.kind else { return false };
                if self.find_local(&name.text).is_some() {
                    return false;
                }
                if let Some(item) = self.find_item(&name.text) {
                    return self.gives_model(item);
                }
                let values: Vec<&Expr> = call
                    .arguments
                    .iter()
                    .filter_map(|argument| match &argument.kind {
                        ArgumentKind::Positional(value) => Some(value),
                        _ => None,
                    })
                    .collect();
                match Builtin::find(&name.text) {
                    Some(Builtin::Inner) | None => false,
                    Some(Builtin::Grad) => values.get(1).is_some_and(|value| self.is_model(value)),
                    Some(_) => values.iter().any(|value| self.is_model(value)),
                }
            }
            _ => false,
        }
    }

    /// Whether an item is a layer, or a function whose declared result is a model.
    fn gives_model(&self, item: ItemRef) -> bool {
        let ItemKind::Function(function) = &self.program.item(item).kind else {
            return matches!(self.program.item(item).kind, ItemKind::Layer(_));
        };
        let Some(TypeKind::Array { element, .. }) = function.result.as_ref().map(|ty| &ty.kind) else {
            return false;
        };
        let names = &self.files[item.file as usize];
        let imported = || names.imported.get(&element.text).map(|(item, _)| item);
        let found = names.own.get(&element.text).or_else(imported);
        found.is_some_and(|of| matches!(self.program.item(*of).kind, ItemKind::Layer(_)))
    }

    /// The type of an unchecked expression that is a model, a model inside one, or one of several.
    fn model_inside(&self, expr: &Expr) -> Option<Type> {
        match &expr.kind {
            ExprKind::Name(name) => {
                let ty = &self.find_local(&name.text)?.ty;
                matches!(ty, Type::Model { .. }).then(|| ty.clone())
            }
            ExprKind::Parenthesised(inner) => self.model_inside(inner),
            ExprKind::Index { value, .. } => self.model_inside(value),
            ExprKind::Field { value, field } => {
                let Type::Model { layer, .. } = self.model_inside(value)? else { return None };
                let Some(ItemState::Layer(info)) = self.items.get(&layer) else { return None };
                let (_, ty) = info.fields.iter().find(|(name, _)| *name == field.text)?;
                matches!(ty, Type::Model { .. }).then(|| ty.clone())
            }
            _ => None,
        }
    }

    /// `param table: Float[A] = 0` outside a layer: a model of its own, or in a train block made anew at each step.
    pub fn table(&mut self, param: &Param, span: Span) {
        if !matches!(self.context.place, Place::Train | Place::Experiment) {
            return self.out_of_place(span, "a `param`", "a layer, an experiment, or a train block");
        }
        let (_, mut trace) = self.traced(|c| c.param(param));
        trace.models.clear();
        for name in &param.names {
            let mut own = trace.clone();
            own.models.insert(name.span);
            own.flows.insert(name.span);
            self.traces.insert(name.span, own);
        }
    }

    /// `copy(m)`, `freeze(m)`, `ema(m, decay)`
    pub fn model_call(&mut self, call: BuiltinCall) -> Type {
        let values = call.positional();
        let decay = self.options(call, if call.builtin == Builtin::Ema { &["decay"] } else { &[] });
        let decay = decay.first().map(|(_, value)| *value).or_else(|| values.get(1).copied());
        let wanted = if call.builtin == Builtin::Ema { 2 } else { 1 };
        let Some(of) = values.first().copied() else { return self.wrong_count(call, "a model") };
        if usize::from(decay.is_some()) + 1 != wanted || values.len() > wanted {
            return self.wrong_count(call, if wanted == 2 { "a model and a decay" } else { "1 model" });
        }
        // No gradient flows from the new model to the old one.
        let outer = std::mem::take(&mut self.context.trace);
        let ty = self.expression(of);
        let mut trace = std::mem::replace(&mut self.context.trace, outer);
        let models = std::mem::take(&mut trace.models);
        if call.builtin == Builtin::Freeze {
            trace.behind.extend(&models);
        }
        self.trial.copied.extend(models);
        self.context.trace.merge(&trace);
        if let Some(decay) = decay {
            self.numbers(decay);
        }
        self.builtin_done(call, &[]);
        if call.builtin == Builtin::Ema && !(self.context.place == Place::Train && self.trial.named_model) {
            self.kept_out_of_place(call.expr, "`ema`");
        }
        if matches!(ty, Type::Model { .. } | Type::Error) {
            return ty;
        }
        let shown = self.show(&ty);
        self.report(
            Diagnostic::error(
                Code::A0211,
                of.span,
                format!("`{}` takes a model, not {shown}", call.name.text),
            )
            .label(format!("this is {shown}"))
            .help("a model is made by a layer: `let net = Linear[In, Out]()`"),
        );
        Type::Error
    }

    pub fn kept_out_of_place(&mut self, place: &Expr, what: &str) {
        self.report(
            Diagnostic::error(
                Code::A0333,
                place.span,
                format!("{what} belongs to a `let` directly in a train block"),
            )
            .label("moves with the steps of a train block")
            .help("write `let teacher = ema(net, 0.99)` or `let old = copy(net) every 4 steps` in the train block"),
        );
    }

    /// Whether a checked value is a `copy` or an `ema`: a model with slots of its own.
    pub fn made_of_models(&self, expr: &Expr) -> bool {
        matches!(
            self.program.calls.get(&expr.id).map(|info| &info.target),
            Some(Target::Builtin(Builtin::Copy | Builtin::Ema))
        )
    }

    pub fn is_frozen(&self, expr: &Expr) -> bool {
        matches!(
            self.program.calls.get(&expr.id).map(|info| &info.target),
            Some(Target::Builtin(Builtin::Freeze | Builtin::Stop | Builtin::Grad))
        )
    }

    /// Arithmetic on models: with models of the same layer and axes, and with single numbers.
    pub fn model_arithmetic(&mut self, values: &[&Expr]) -> Type {
        let mut model: Option<(Type, &Expr)> = None;
        let mut numbers: Vec<(crate::check::program::AxisIds, &Expr)> = Vec::new();
        for value in values.iter().copied() {
            let ty = match self.is_model(value) {
                true => self.expression(value),
                false => match self.numbers(value) {
                    Some(axes) => crate::check::types::array(crate::check::program::Element::Float, axes),
                    None => Type::Error,
                },
            };
            match (&model, ty) {
                (_, Type::Error) => return Type::Error,
                (None, ty @ Type::Model { .. }) => model = Some((ty, value)),
                (Some((first, place)), ty @ Type::Model { .. }) if *first != ty => {
                    let (one, other) = (self.show(first), self.show(&ty));
                    self.report(
                        Diagnostic::error(Code::A0332, value.span, format!("{one} and {other} do not combine"))
                            .label(format!("this is {other}"))
                            .related(place.span, format!("this is {one}"))
                            .help("arithmetic goes parameter by parameter: both must be of one layer with the same axes"),
                    );
                    return Type::Error;
                }
                (_, ty) => numbers.push((axes_of(&ty), value)),
            }
        }
        // Of several models, each may have its own number.
        let over = match &model {
            Some((Type::Model { over, .. }, _)) => over.clone(),
            _ => Default::default(),
        };
        if let Some((axes, value)) = numbers.iter().find(|(axes, _)| !axes.is_subset(&over)) {
            let has = self.axes_in_words(axes);
            self.report(
                Diagnostic::error(Code::A0332, value.span, "a model combines with single numbers")
                    .label(format!("this has {has}"))
                    .help("reduce it to one number first"),
            );
            return Type::Error;
        }
        model.map_or(Type::Error, |(ty, _)| ty)
    }

    /// `norm(m)` of a model, which the library's `norm` cannot take.
    pub fn norm_of_model(&mut self, expr: &Expr, call: &Call) -> Option<Type> {
        let (ExprKind::Name(name), [argument]) = (&call.callee.kind, &call.arguments[..]) else {
            return None;
        };
        let ArgumentKind::Positional(value) = &argument.kind else { return None };
        if name.text != "norm" || !self.is_model(value) {
            return None;
        }
        let ty = self.expression(value);
        let info =
            CallInfo { target: Target::Builtin(Builtin::Inner), axes: Vec::new(), arguments: Vec::new() };
        self.program.calls.insert(expr.id, info);
        Some(if ty == Type::Error { ty } else { Type::float() })
    }
}

fn arithmetic(operator: BinaryOperator) -> bool {
    use BinaryOperator as B;
    matches!(operator, B::Add | B::Subtract | B::Multiply | B::Divide | B::Power)
}
