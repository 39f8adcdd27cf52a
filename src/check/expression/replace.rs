//! `net.with(hidden = fn(x) = ...)`: a model of which functions, models inside it or parameters are replaced. What else the layer
//! computes by them sees the replacement.

use std::rc::Rc;

use super::function_value::{Wanted, beyond};
use crate::check::program::{AxisId, AxisIds, ItemRef, Target, Type};
use crate::check::state::{Checker, Hint, ItemState, LayerInfo, Signature};
use crate::check::types::{axes_of, lift, substitute};
use crate::diagnostic::{Code, Diagnostic};
use crate::syntax::ast::{ArgumentKind, Call, Expr, ExprKind, Name};

impl Checker<'_> {
    /// The model has the further axes of what replaces its parts: its calls are lifted over them.
    pub(super) fn replaced(
        &mut self,
        call: &Call,
        layer: ItemRef,
        axes: &[(AxisId, AxisId)],
        over: &AxisIds,
    ) -> Type {
        let ItemState::Layer(info) = self.item(layer, call.callee.span) else { return Type::Error };
        let mut all = over.clone();
        let mut good = true;
        if call.arguments.is_empty() {
            self.report(
                Diagnostic::error(Code::A0201, call.callee.span, "`with` replaces nothing here")
                    .label("no arguments")
                    .help("name what is replaced: `net.with(hidden = fn(x) = ...)`"),
            );
            return Type::Error;
        }
        for argument in &call.arguments {
            let ArgumentKind::Named { name, value } = &argument.kind else {
                self.report(
                    Diagnostic::error(Code::A0201, argument.span, "what is replaced has a name")
                        .label("replaces what?")
                        .help("write the name of a function, a model or a parameter of the layer: `net.with(hidden = ...)`"),
                );
                return Type::Error;
            };
            match self.replacement(&info, layer, axes, over, name, value) {
                Some(further) => all.extend(further),
                None => good = false,
            }
        }
        let axes = axes.to_vec();
        if good { Type::Model { layer, axes, over: all } } else { Type::Error }
    }

    /// The further axes that one replacement brings.
    fn replacement(
        &mut self,
        info: &Rc<LayerInfo>,
        layer: ItemRef,
        axes: &[(AxisId, AxisId)],
        over: &AxisIds,
        name: &Name,
        value: &Expr,
    ) -> Option<AxisIds> {
        let bindings = axes.to_vec();
        let function = info.calls.iter().find(|(_, known, _)| known.as_deref() == Some(name.text.as_str()));
        if let Some((_, _, signature)) = function {
            let signature = Rc::clone(signature);
            return self.replaces_function(name, value, &signature, &bindings, over);
        }
        let Some((_, ty)) = info.fields.iter().find(|(known, _)| *known == name.text) else {
            let mut known: Vec<String> = info.fields.iter().map(|(name, _)| name.clone()).collect();
            known.extend(info.calls.iter().filter_map(|(_, name, _)| name.clone()));
            let of = format!("the layer `{}`", self.item_name(layer));
            self.unknown_field(&of, name, &known, Some(info.constructor.span));
            return None;
        };
        let wanted = lift(&substitute(ty, &bindings), over);
        match &wanted {
            Type::Model { layer: inner, axes: inner_axes, over: inner_over } => {
                let have = match is_lambda(value) {
                    true => Type::Unit,
                    false => self.expression(value),
                };
                match have {
                    Type::Error => None,
                    Type::Model { layer, axes, over } if layer == *inner && axes == *inner_axes => {
                        Some(over.difference(inner_over).copied().collect())
                    }
                    Type::Model { .. } => self.no_replacement(name, value, &wanted, &have),
                    _ => {
                        let ItemState::Layer(inner) = self.item(*inner, value.span) else { return None };
                        let Some((_, _, signature)) =
                            inner.calls.iter().find(|(_, known, _)| known.is_none())
                        else {
                            return self.no_replacement(name, value, &wanted, &have);
                        };
                        let signature = Rc::clone(signature);
                        self.replaces_function(name, value, &signature, inner_axes, over)
                    }
                }
            }
            _ => self.replaces_value(name, value, &wanted),
        }
    }

    /// A function, or a value that stands for its result whatever it is called with.
    fn replaces_function(
        &mut self,
        name: &Name,
        value: &Expr,
        signature: &Signature,
        axes: &[(AxisId, AxisId)],
        over: &AxisIds,
    ) -> Option<AxisIds> {
        let bindings = axes.to_vec();
        let result = substitute(&signature.result, &bindings);
        if !is_lambda(value) && self.is_value(value, &result) {
            return self.replaces_value(name, value, &lift(&result, over));
        }
        let required = signature.parameters.iter().filter(|parameter| !parameter.optional);
        let parameters = required.map(|parameter| substitute(&parameter.ty, &bindings)).collect();
        let wanted = Type::Function { parameters, result: Box::new(result.clone()) };
        let mut wanted = Wanted::new(&wanted, Vec::new())?;
        match self.hinted(None, |c| c.function_value(value, &mut wanted)) {
            Type::Function { result: have, .. } => {
                let further = beyond(&result, &have)?;
                Some(further.difference(over).copied().collect())
            }
            _ => None,
        }
    }

    /// Whether an array, or a record of arrays, is given.
    fn is_value(&mut self, value: &Expr, wanted: &Type) -> bool {
        let axes: Vec<AxisId> = axes_of(wanted).into_iter().collect();
        let hint = match wanted {
            Type::Array { element, .. } if axes.len() == 1 => Some(Hint { element: *element, axes }),
            _ => None,
        };
        let ty = self.hinted(hint, |c| c.expression(value));
        matches!(ty, Type::Array { .. } | Type::Record(_) | Type::Tuple(_) | Type::Error)
    }

    fn replaces_value(&mut self, name: &Name, value: &Expr, wanted: &Type) -> Option<AxisIds> {
        let axes: Vec<AxisId> = axes_of(wanted).into_iter().collect();
        let hint = match wanted {
            Type::Array { element, .. } if axes.len() == 1 => Some(Hint { element: *element, axes }),
            _ => None,
        };
        let have = self.hinted(hint, |c| c.expecting(value, wanted));
        if have == Type::Error {
            return None;
        }
        match beyond(wanted, &have) {
            Some(further) => {
                // It is given the axes that it lacks.
                self.program.types.insert(value.id, lift(wanted, &further));
                Some(further)
            }
            None => self.no_replacement(name, value, wanted, &have),
        }
    }

    fn no_replacement<T>(&mut self, name: &Name, value: &Expr, wanted: &Type, have: &Type) -> Option<T> {
        let (want, have) = (self.show(wanted), self.show(have));
        self.report(
            Diagnostic::error(
                Code::A0206,
                value.span,
                format!("`{}` cannot be replaced by {have}", name.text),
            )
            .label(format!("this is {have}"))
            .related(name.span, format!("`{}` is {want}", name.text))
            .help("what stands in its place must be called alike, and give what it gives"),
        );
        None
    }

    /// Whether an expression gives a model whose parameters have values already: `net.with(...)`, or what a function gives.
    pub fn replaces(&self, expr: &Expr) -> bool {
        if let Some(info) = self.program.calls.get(&expr.id)
            && matches!(info.target, Target::Function(_))
        {
            return true;
        }
        match &expr.kind {
            ExprKind::Parenthesised(inner) => self.replaces(inner),
            ExprKind::Call(call) => {
                matches!(&call.callee.kind, ExprKind::Field { field, .. } if field.text == "with")
            }
            _ => false,
        }
    }
}

fn is_lambda(value: &Expr) -> bool {
    match &value.kind {
        ExprKind::Parenthesised(inner) => is_lambda(inner),
        ExprKind::Lambda { .. } => true,
        _ => false,
    }
}
