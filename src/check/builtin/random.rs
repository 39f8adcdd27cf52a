//! Distributions. They stand after `~`, or in a function that is used after `~`.

use super::Builtin;
use super::rule::BuiltinCall;
use crate::check::program::{AxisId, AxisIds, Element, Type};
use crate::check::state::Checker;
use crate::check::types::array;
use crate::source::Span;
use crate::syntax::ast::Expr;

impl Checker<'_> {
    pub fn random_call(&mut self, call: BuiltinCall) -> Type {
        let ambient = self.drawn(call.expr.span, &call.name.text);
        let Some(mut bracketed) = self.bracket_axes(call) else { return Type::Error };
        let known: &[&str] = match call.builtin {
            Builtin::Uniform => &["low", "high"],
            Builtin::Normal => &["mean", "sd"],
            Builtin::Bernoulli => &["p"],
            Builtin::Categorical => &["logits"],
            _ => &[],
        };
        // Values before axes: `normal(0, 1, Example)`.
        let mut values: Vec<&Expr> = Vec::new();
        let mut named: Vec<(&str, &Expr)> = Vec::new();
        for value in call.positional() {
            match self.axis_rather_than_value(value) {
                Some(axis) => bracketed.push(axis),
                None if self.looks_like_axis(value) => {
                    return self.unknown_axis(&self.text(value.span), value.span).unwrap_or(Type::Error);
                }
                None => {
                    named.extend(known.get(values.len()).map(|name| (*name, value)));
                    values.push(value);
                }
            }
        }
        for (name, value) in self.options(call, known) {
            named.push((name, value));
            values.push(value);
        }
        if call.builtin == Builtin::Resample {
            return self.resample(call, bracketed, ambient);
        }
        let limit = known.len();
        let least = usize::from(matches!(call.builtin, Builtin::Bernoulli | Builtin::Categorical));
        if values.len() > limit || values.len() < least {
            return self.wrong_count(
                call,
                if limit == 1 {
                    "1 value"
                } else if limit == 0 {
                    "axes only"
                } else {
                    "up to 2 values"
                },
            );
        }
        let mut places: Vec<(AxisIds, Span)> = vec![(ambient, call.expr.span)];
        for value in &values {
            let Some(axes) = self.numbers(value) else { return Type::Error };
            places.push((axes, value.span));
        }
        self.in_domain(&call.name.text, &named);
        let element = match call.builtin {
            Builtin::Uniform | Builtin::Normal => Element::Float,
            Builtin::Bernoulli => Element::Bool,
            _ => {
                let Some(of) = bracketed.first().copied() else {
                    return self.wrong_count(call, "the axis whose positions are drawn");
                };
                if call.builtin == Builtin::Categorical {
                    let (axes, span) = places[1].clone();
                    if !axes.contains(&of) {
                        return self
                            .operand_lacks(of, call.expr.span, &axes, span, "draws along")
                            .unwrap_or(Type::Error);
                    }
                    places[1].0.remove(&of);
                }
                Element::Index(of)
            }
        };
        let over: AxisIds = match call.builtin {
            Builtin::Categorical | Builtin::UniformIndex => bracketed.iter().copied().skip(1).collect(),
            _ => bracketed.iter().copied().collect(),
        };
        places.push((over, call.expr.span));
        self.builtin_done(call, &bracketed);
        let places: Vec<(&AxisIds, Span)> = places.iter().map(|(axes, span)| (axes, *span)).collect();
        array(element, self.unite(&places))
    }

    /// `resample(A as B)`
    fn resample(&mut self, call: BuiltinCall, _: Vec<AxisId>, ambient: AxisIds) -> Type {
        let [(from, name, size)] = call.renamed()[..] else {
            return self.wrong_count(call, "an axis and a new one: `A as B`");
        };
        let Some(axis) = self.wanted_axis(call, from) else { return Type::Error };
        if let Some(size) = size {
            self.static_number(size, "the number of samples");
        }
        let (made, new) = self.made_axis(name);
        self.program.derived.insert(call.expr.id, if new { vec![made] } else { Vec::new() });
        self.builtin_done(call, &[axis, made]);
        array(Element::Index(axis), ambient.into_iter().chain([axis, made]).collect())
    }
}
