//! Functions, and the calls of layers: the signature, then the body, once, with symbolic axes.

use std::rc::Rc;

use crate::check::program::{AxisId, AxisIds, AxisKind, Element, Type};
use crate::check::state::{Checker, Draw, Hint, LocalKind, ParameterInfo, Place, Signature, Trace};
use crate::diagnostic::{Code, Diagnostic, Help};
use crate::source::Span;
use crate::syntax::ast::{Expr, ExprKind, Function, Name, Parameter};

impl Checker<'_> {
    pub fn function(&mut self, function: &Function, place: Place) -> Rc<Signature> {
        let outer_place = std::mem::replace(&mut self.context.place, place);
        let draw = if place == Place::Function { Draw::Function } else { Draw::Forbidden };
        let outer_draw = std::mem::replace(&mut self.context.draw, draw);
        let outer_draws = std::mem::replace(&mut self.context.draws, false);
        let outer_random = std::mem::replace(&mut self.context.random, false);
        let mut signature = self.scoped(|c| c.signature_and_body(function));
        signature.draws = self.context.draws;
        signature.random = self.context.random;
        self.context.place = outer_place;
        self.context.draw = outer_draw;
        self.context.draws = outer_draws;
        self.context.random |= outer_random;
        Rc::new(signature)
    }

    fn signature_and_body(&mut self, function: &Function) -> Signature {
        let mut generics = self.generic_axes(&function.axes);
        let parameters = self.parameters(&function.parameters);
        let declared = function.result.as_ref().map(|ty| self.ty(ty));
        // Primed axes of the signature are generic too.
        let mut primed: Vec<AxisId> = self.scopes.last().map_or(Vec::new(), |scope| {
            let all = scope.axes.values().copied();
            all.filter(|axis| matches!(self.program.axis(*axis).kind, AxisKind::SameSizeAs(_))).collect()
        });
        primed.sort();
        generics.extend(primed);
        let trains = self.trains(function);
        if trains {
            self.context.place = Place::Experiment;
            self.context.draw = Draw::Forbidden;
            self.trains_only(function);
        }
        let hint = declared.as_ref().and_then(|(ty, order)| hint_of(ty, order));
        let actual = self.hinted(hint, |c| match &declared {
            Some((ty, _)) => c.block_expecting(&function.body, ty),
            None => c.block_in_scope(&function.body),
        });
        let body = function.body.value.as_ref();
        let result = match (declared, body) {
            (Some((ty, _)), Some(value)) => {
                let place = function.result.as_ref().map_or(function.span, |ty| ty.span);
                self.fits_declared(&actual, value, &ty, place, "the result");
                ty
            }
            (declared, None) => {
                if self.diagnostics_in(function.body.span) == 0 {
                    let mut diagnostic = Diagnostic::error(
                        Code::A0319,
                        function.body.span,
                        format!("`{}` gives no value", self.named(function)),
                    )
                    .label("ends without a value")
                    .help("the last line of the braces is the value: write an expression there");
                    if let Some(ty) = &function.result {
                        diagnostic = diagnostic.related(ty.span, "a value of this type is declared");
                    }
                    self.report(diagnostic);
                }
                declared.map_or(Type::Error, |(ty, _)| ty)
            }
            (None, Some(_)) => actual,
        };
        if trains {
            self.context.random = true;
            self.untrained_models();
        }
        if let Some(gradient) = &function.gradient {
            self.own_derivative(function, gradient, &parameters, &result);
        }
        Signature {
            name: self.named(function),
            generics,
            parameters,
            result,
            draws: false,
            random: false,
            span: if function.name.text.is_empty() { function.span } else { function.name.span },
            module: self.files[self.context.file].module.clone(),
        }
    }

    fn named(&self, function: &Function) -> String {
        if !function.name.text.is_empty() {
            return function.name.text.clone();
        }
        self.context.item.map(|item| self.item_name(item)).unwrap_or_default()
    }

    /// How many errors point into a span.
    fn diagnostics_in(&self, span: Span) -> usize {
        let inside = |at: Span| at.file == span.file && at.start >= span.start && at.end <= span.end;
        self.diagnostics.iter().filter(|d| inside(d.primary.span)).count()
    }

    pub fn generic_axes(&mut self, names: &[Name]) -> Vec<AxisId> {
        names
            .iter()
            .map(|name| {
                let axis = self.new_axis(name.text.clone(), AxisKind::Parameter, name.span);
                self.declare_axis(name, axis);
                axis
            })
            .collect()
    }

    /// Declares parameters as names; their defaults must fit their types.
    pub fn parameters(&mut self, parameters: &[Parameter]) -> Vec<ParameterInfo> {
        let mut infos = Vec::new();
        for parameter in parameters {
            let (ty, order) = match &parameter.ty {
                Some(ty) => self.ty(ty),
                None => {
                    self.report(
                        Diagnostic::error(
                            Code::A0103,
                            parameter.name.span,
                            format!("the parameter `{}` needs a type", parameter.name.text),
                        )
                        .label("no type")
                        .help(Help::insert_after(
                            parameter.name.span,
                            ": Float",
                            format!("write `{}: Float`", parameter.name.text),
                        )),
                    );
                    (Type::Error, Vec::new())
                }
            };
            if let Some(default) = &parameter.default {
                let hint = hint_of(&ty, &order);
                let actual = self.hinted(hint, |c| c.expecting(default, &ty));
                let place = parameter.ty.as_ref().map_or(parameter.span, |ty| ty.span);
                self.fits_declared(&actual, default, &ty, place, "the default");
            }
            if let Type::Array { axes, .. } = &ty
                && axes.is_empty()
            {
                self.statics.insert(parameter.name.span);
            }
            self.declare(&parameter.name, ty.clone(), LocalKind::Parameter, Trace::default());
            infos.push(ParameterInfo {
                name: parameter.name.text.clone(),
                ty,
                optional: parameter.default.is_some(),
                span: parameter.span,
            });
        }
        infos
    }

    /// Whether a value fits a declared type: the same element and axes, or a single number for all.
    pub fn fits_declared(
        &mut self,
        actual: &Type,
        value: &Expr,
        declared: &Type,
        place: Span,
        what: &str,
    ) -> bool {
        match (declared, actual) {
            (Type::Error, _) | (_, Type::Error) => true,
            (Type::Array { element: want, axes: wanted }, Type::Array { element: have, axes }) => {
                let literal =
                    matches!(want, Element::Index(_)) && *have == Element::Float && is_literal(value);
                let fits = want == have || (*want == Element::Float && *have == Element::Bool) || literal;
                if !fits {
                    self.wrong_declared_element(value, *want, *have, place, what);
                    return false;
                }
                if axes.is_empty() || axes == wanted {
                    return true;
                }
                self.axes_differ(value, axes, wanted, place, what);
                false
            }
            (Type::Record(wanted), Type::Record(have)) => {
                let names = |fields: &[(String, Type)]| {
                    let mut names: Vec<String> = fields.iter().map(|(name, _)| name.clone()).collect();
                    names.sort();
                    names
                };
                if names(wanted) != names(have) {
                    self.differ(value, actual, declared, place, what);
                    return false;
                }
                let mut good = true;
                for (name, ty) in wanted {
                    let Some((_, actual)) = have.iter().find(|(known, _)| known == name) else { continue };
                    let part = match &value.kind {
                        ExprKind::Record(fields) => fields
                            .iter()
                            .find(|(known, _)| known.text == *name)
                            .map_or(value, |(_, value)| value),
                        _ => value,
                    };
                    good &= self.fits_declared(actual, part, ty, place, &format!("the field `{name}`"));
                }
                good
            }
            (declared, actual) if declared == actual => true,
            (declared, actual) => {
                self.differ(value, actual, declared, place, what);
                false
            }
        }
    }

    fn differ(&mut self, value: &Expr, actual: &Type, declared: &Type, place: Span, what: &str) {
        let (have, want) = (self.show(actual), self.show(declared));
        self.report(
            Diagnostic::error(Code::A0206, value.span, format!("{what} is {have}, but {want} is declared"))
                .label(format!("this is {have}"))
                .related(place, format!("declared as {want} here"))
                .help("change the value or the declared type"),
        );
    }

    fn wrong_declared_element(
        &mut self,
        value: &Expr,
        want: Element,
        have: Element,
        place: Span,
        what: &str,
    ) {
        let (wanted, found) = (self.show_element(want), self.show_element(have));
        let text = self.text(value.span);
        let help = match (want, have) {
            (Element::Float, Element::Index(_)) => format!("make a number of the index: `number({text})`"),
            (Element::Index(_), Element::Float) => {
                format!("make an index of the number: `position[{wanted}]({text})`")
            }
            (Element::Bool, Element::Float) => format!("compare it: `{text} > 0`"),
            _ => "change the value or the declared type".to_owned(),
        };
        let code = match (want, have) {
            (Element::Index(_), Element::Index(_)) => Code::A0209,
            _ => Code::A0206,
        };
        self.report(
            Diagnostic::error(code, value.span, format!("{what} holds {found}, but {wanted} is declared"))
                .label(format!("this holds {found}"))
                .related(place, format!("declared as {wanted} here"))
                .help(help),
        );
    }

    fn axes_differ(&mut self, value: &Expr, axes: &AxisIds, wanted: &AxisIds, place: Span, what: &str) {
        let surplus: AxisIds = axes.difference(wanted).copied().collect();
        let lacking: AxisIds = wanted.difference(axes).copied().collect();
        let names = |c: &Self, axes: &AxisIds| {
            axes.iter().map(|axis| c.axis_name(*axis)).collect::<Vec<_>>().join(", ")
        };
        let text = self.text(value.span);
        let help = match (surplus.is_empty(), lacking.is_empty()) {
            (false, true) => {
                format!(
                    "reduce over {0}, for example `mean({text}, {0})`, or declare the axis",
                    names(self, &surplus)
                )
            }
            (true, false) => format!(
                "the value lacks {0}: was it reduced away? A constant along it is `broadcast({text}, {0})`",
                names(self, &lacking)
            ),
            _ => format!(
                "it has {} where {} is declared; rename with `x[A as B]` if they are the same",
                names(self, &surplus),
                names(self, &lacking)
            ),
        };
        let (have, want) = (self.axes_in_words(axes), self.axes_in_words(wanted));
        self.report(
            Diagnostic::error(
                Code::A0207,
                value.span,
                format!("{what} has {have}; its declared type has {want}"),
            )
            .label(format!("this has {have}"))
            .related(place, format!("this type has {want}"))
            .help(help),
        );
    }
}

/// The hint that a declared type gives to list literals.
pub(in crate::check) fn hint_of(ty: &Type, order: &[AxisId]) -> Option<Hint> {
    match ty {
        Type::Array { element, axes } if !axes.is_empty() => {
            Some(Hint { element: *element, axes: order.to_vec() })
        }
        _ => None,
    }
}

/// A number as written, which may stand for a position.
fn is_literal(value: &Expr) -> bool {
    match &value.kind {
        ExprKind::Number { .. } => true,
        ExprKind::Parenthesised(inner) => is_literal(inner),
        _ => false,
    }
}
