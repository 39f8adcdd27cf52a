//! Element-wise functions, `where`, `stop`, `grad` and `inner`.

use super::Builtin;
use super::rule::BuiltinCall;
use crate::check::program::{AxisIds, Definition, Element, Type};
use crate::check::state::{Checker, Place};
use crate::check::types::array;
use crate::diagnostic::{Code, Diagnostic, Help};
use crate::source::Span;
use crate::syntax::ast::ExprKind;

/// How many values an element-wise function takes; None for everything else.
pub(in crate::check) fn arity(builtin: Builtin) -> Option<usize> {
    use Builtin as B;
    match builtin {
        B::Exp
        | B::Log
        | B::Log1p
        | B::Expm1
        | B::Sqrt
        | B::Sin
        | B::Cos
        | B::Tanh
        | B::Erf
        | B::Sigmoid
        | B::Abs
        | B::Sign
        | B::Floor
        | B::LogGamma
        | B::Digamma
        | B::NormalQuantile => Some(1),
        B::GammaIncomplete | B::GammaQuantile | B::PoissonQuantile => Some(2),
        B::BetaIncomplete | B::BinomialQuantile => Some(3),
        _ => None,
    }
}

impl Checker<'_> {
    pub fn elementwise_call(&mut self, call: BuiltinCall, arity: usize) -> Type {
        self.options(call, &[]);
        let values = call.positional();
        if values.len() != arity || !call.axes.is_empty() || !call.renamed().is_empty() {
            let plural = if arity == 1 { "value" } else { "values" };
            return self.wrong_count(call, &format!("{arity} {plural}"));
        }
        if values.iter().any(|value| self.is_model(value)) {
            let ty = self.model_arithmetic(&values);
            self.builtin_done(call, &[]);
            return ty;
        }
        let axes: Vec<Option<AxisIds>> = values.iter().map(|value| self.numbers(value)).collect();
        self.builtin_done(call, &[]);
        let mut places: Vec<(&AxisIds, Span)> = Vec::new();
        for (axes, value) in axes.iter().zip(&values) {
            let Some(axes) = axes else { return Type::Error };
            places.push((axes, value.span));
        }
        array(Element::Float, self.unite(&places))
    }

    pub fn where_call(&mut self, call: BuiltinCall) -> Type {
        self.options(call, &[]);
        let [condition, a, b] = call.positional()[..] else {
            return self.wrong_count(call, "a condition and two values");
        };
        let holds = self.truths(condition);
        if let (true, Some(axes)) = (self.is_model(a) || self.is_model(b), &holds) {
            let ty = self.model_arithmetic(&[a, b]);
            self.builtin_done(call, &[]);
            let fits = match &ty {
                Type::Model { over, .. } => axes.is_subset(over),
                _ => axes.is_empty(),
            };
            if fits {
                return ty;
            }
            let has = self.axes_in_words(axes);
            self.report(
                Diagnostic::error(Code::A0332, condition.span, "a model is chosen by one truth value")
                    .label(format!("this has {has}"))
                    .help("reduce it first: `all(..., A)` or `any(..., A)`"),
            );
            return Type::Error;
        }
        let (first, second) = (self.array_of(a), self.array_of(b));
        self.builtin_done(call, &[]);
        let (Some(holds), Some((first, left)), Some((second, right))) = (holds, first, second) else {
            return Type::Error;
        };
        let element = match (first, second) {
            (one, other) if one == other => one,
            (Element::Index(_), _) | (_, Element::Index(_)) => {
                let (one, other) = (self.show_element(first), self.show_element(second));
                self.report(
                    Diagnostic::error(Code::A0221, b.span, "the two values of `where` have different types")
                        .label(format!("this holds {other}"))
                        .related(a.span, format!("this holds {one}"))
                        .help("both must be numbers, or indices of one axis; `number(i)` makes a number of an index"),
                );
                return Type::Error;
            }
            _ => Element::Float,
        };
        array(element, self.unite(&[(&holds, condition.span), (&left, a.span), (&right, b.span)]))
    }

    pub fn stop_call(&mut self, call: BuiltinCall) -> Type {
        self.options(call, &[]);
        let [value] = call.positional()[..] else { return self.wrong_count(call, "1 value") };
        let ty = self.expression(value);
        self.builtin_done(call, &[]);
        if matches!(ty, Type::Model { .. }) {
            return ty;
        }
        match self.as_array(value, &ty) {
            Some(_) => ty,
            None => Type::Error,
        }
    }

    pub fn grad_call(&mut self, call: BuiltinCall) -> Type {
        self.options(call, &[]);
        let [y, x] = call.positional()[..] else { return self.wrong_count(call, "2 values") };
        let model = self.is_model(x).then(|| self.expression(x));
        let by = if model.is_some() { Some(AxisIds::new()) } else { None };
        let of = self.numbers(y);
        let by = by.or_else(|| self.numbers(x));
        self.builtin_done(call, &[]);
        let (Some(of), Some(by)) = (of, by) else { return Type::Error };
        if let ExprKind::Name(name) = &x.kind
            && let Some(Definition::Local(binding)) = self.program.names.get(&name.span)
        {
            let binding = *binding;
            self.program.differentiated.insert(binding);
        }
        if let ExprKind::Name(name) = &x.kind
            && let Some(Definition::Item(_)) = self.program.names.get(&name.span)
        {
            let text = &name.text;
            self.report(
                Diagnostic::error(Code::A0225, name.span, format!("there is no gradient by `{text}`"))
                    .label("a `let` of the file, which is worked out anew wherever it is named")
                    .help(format!("bind it here and compute with that: `let {text}_here = {text}`")),
            );
            return Type::Error;
        }
        if !of.is_empty() {
            let has = self.axes_in_words(&of);
            let names: Vec<String> = of.iter().map(|axis| self.axis_name(*axis)).collect();
            self.report(
                Diagnostic::error(Code::A0301, y.span, "the gradient is taken of a single number")
                    .label(format!("this has {has}"))
                    .related(call.name.span, "for this gradient")
                    .help(
                        Help::from(format!(
                            "reduce it first: `sum({}, {})`",
                            self.text(y.span),
                            names.join(", ")
                        ))
                        .or(vec![self.wrapped("sum", y.span, &names)]),
                    ),
            );
            return Type::Error;
        }
        model.unwrap_or_else(|| array(Element::Float, by))
    }

    pub fn plateau_call(&mut self, call: BuiltinCall) -> Type {
        for (name, value) in self.options(call, &["patience", "margin"]) {
            self.static_number(value, &format!("the {name} of `plateau`"));
        }
        let values = call.positional();
        if values.is_empty() || values.len() > 3 {
            return self.wrong_count(call, "a number, a patience and a margin");
        }
        let axes = self.numbers(values[0]);
        values[1..].iter().for_each(|value| self.static_number(value, "an argument of `plateau`"));
        self.builtin_done(call, &[]);
        if self.context.place != Place::Every {
            self.report(
                Diagnostic::error(Code::A0348, call.name.span, "`plateau` belongs to a condition to stop")
                    .label(format!("this is in {}", self.context.place.words()))
                    .help("in a train block: `stop when plateau(score, patience = 5)`"),
            );
            return Type::Error;
        }
        match axes {
            Some(axes) if axes.is_empty() => crate::check::types::boolean(),
            Some(axes) => {
                let has = self.axes_in_words(&axes);
                self.report(
                    Diagnostic::error(Code::A0342, values[0].span, "`plateau` watches a single number")
                        .label(format!("this has {has}"))
                        .help("reduce it, for example with `mean`"),
                );
                Type::Error
            }
            None => Type::Error,
        }
    }

    pub fn inner_call(&mut self, call: BuiltinCall) -> Type {
        self.options(call, &[]);
        let [a, b] = call.positional()[..] else { return self.wrong_count(call, "2 values") };
        if self.is_model(a) || self.is_model(b) {
            let ty = self.model_arithmetic(&[a, b]);
            self.builtin_done(call, &[]);
            return if ty == Type::Error { ty } else { Type::float() };
        }
        let (left, right) = (self.numbers(a), self.numbers(b));
        self.builtin_done(call, &[]);
        if self.context.place != Place::Optimizer {
            self.report(
                Diagnostic::error(Code::A0316, call.name.span, "`inner` belongs to the step of an optimizer")
                    .label(format!("this is in {}", self.context.place.words()))
                    .help("elsewhere write the sum and its axes: `sum(a * b, A)`"),
            );
            return Type::Error;
        }
        if left.is_none() || right.is_none() {
            return Type::Error;
        }
        Type::float()
    }
}
