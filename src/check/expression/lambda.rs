//! Functions without a name: `fn(a, b) = ...`. Their parameters have the types that are declared, or wanted where they stand.

use std::rc::Rc;

use super::apply::Callee;
use super::function_value::Wanted;
use crate::check::item::hint_of;
use crate::check::program::{AxisIds, Target, Type};
use crate::check::state::{Checker, Draw, LocalKind, LoopState, Trace};
use crate::diagnostic::{Code, Diagnostic};
use crate::syntax::ast::{self, Block, Expr, Parameter};

/// A function without a name, as it is written.
#[derive(Clone, Copy)]
pub(super) struct Lambda<'e> {
    pub parameters: &'e [Parameter],
    pub result: Option<&'e ast::Type>,
    pub body: &'e Block,
}

impl Checker<'_> {
    pub(super) fn lambda(&mut self, expr: &Expr, lambda: Lambda, wanted: Option<&mut Wanted>) -> Type {
        let parameters = lambda.parameters;
        for parameter in parameters {
            if let Some(default) = &parameter.default {
                self.report(
                    Diagnostic::error(Code::A0218, default.span, "a function without a name has no defaults")
                        .label("a default")
                        .help("write the value into the function, or give the function a name with `fn`"),
                );
            }
        }
        let declared = parameters.iter().all(|parameter| parameter.ty.is_some());
        match wanted {
            Some(wanted) if !declared => {
                if wanted.parameters.len() != parameters.len() {
                    let want = wanted.parameters.len();
                    self.report(
                        Diagnostic::error(
                            Code::A0223,
                            expr.span,
                            format!("a function of {want} arguments is wanted, not of {}", parameters.len()),
                        )
                        .label(format!("takes {}", parameters.len()))
                        .help("give it as many parameters as it is called with"),
                    );
                    return Type::Error;
                }
                let types = wanted.parameters.clone();
                let result = self.lambda_body(expr, lambda, &types);
                self.wanted_result(expr, "fn", &result, wanted)
            }
            Some(wanted) => {
                let own = self.own_type(expr, lambda);
                match self.callee_of_type(expr, &own) {
                    Some(Callee { signature, .. }) => {
                        let mut named = (*signature).clone();
                        named.name = "fn".into();
                        let callee = Callee {
                            signature: Rc::new(named),
                            fixed: Vec::new(),
                            over: AxisIds::new(),
                            target: Target::Value,
                        };
                        self.stands_for(expr, &[], callee, wanted)
                    }
                    None => Type::Error,
                }
            }
            None => self.own_type(expr, lambda),
        }
    }

    /// The type of a function that declares the types of its parameters.
    fn own_type(&mut self, expr: &Expr, lambda: Lambda) -> Type {
        let mut types = Vec::with_capacity(lambda.parameters.len());
        for parameter in lambda.parameters {
            match &parameter.ty {
                Some(ty) => types.push(self.ty(ty).0),
                None => {
                    let name = &parameter.name.text;
                    self.report(
                        Diagnostic::error(
                            Code::A0224,
                            parameter.name.span,
                            format!("nothing tells what the parameter `{name}` is"),
                        )
                        .label("no type")
                        .help(format!("declare it: `{name}: Float`")),
                    );
                    types.push(Type::Error);
                }
            }
        }
        match self.lambda_body(expr, lambda, &types) {
            Type::Error => Type::Error,
            _ if types.contains(&Type::Error) => Type::Error,
            result => Type::Function { parameters: types, result: Box::new(result) },
        }
    }

    /// The type of the body; what it touches is written down.
    fn lambda_body(&mut self, expr: &Expr, lambda: Lambda, types: &[Type]) -> Type {
        let Lambda { parameters, result: declared, body } = lambda;
        let outer = self.context.touched.replace(AxisIds::new());
        let draw = std::mem::replace(&mut self.context.draw, Draw::Forbidden);
        // Nothing outside can be assigned to from within, as in a loop.
        let scope = self.scopes.len();
        self.context.loops.push(LoopState { scope, assigned: Vec::new(), yields: Vec::new() });
        let result = self.scoped(|c| {
            for (parameter, ty) in parameters.iter().zip(types) {
                if let Some(declared) = &parameter.ty {
                    let (declared, place) = (c.ty(declared).0, declared.span);
                    if declared != *ty && declared != Type::Error && *ty != Type::Error {
                        let (have, want) = (c.show(&declared), c.show(ty));
                        c.report(
                            Diagnostic::error(
                                Code::A0223,
                                place,
                                format!(
                                    "`{}` is {have} here, but the function is called with {want}",
                                    parameter.name.text
                                ),
                            )
                            .label(format!("this is {have}"))
                            .help("leave the type out, or declare the types of all parameters"),
                        );
                    }
                }
                if matches!(ty, Type::Array { axes, .. } if axes.is_empty()) {
                    c.statics.insert(parameter.name.span);
                }
                c.declare(&parameter.name, ty.clone(), LocalKind::Parameter, Trace::default());
            }
            let declared = declared.map(|ty| (c.ty(ty), ty.span));
            let hint = declared.as_ref().and_then(|((ty, order), _)| hint_of(ty, order));
            let actual = c.hinted(hint, |c| match &declared {
                Some(((ty, _), _)) => c.block_expecting(body, ty),
                None => c.block_in_scope(body),
            });
            match (declared, &body.value) {
                (Some(((ty, _), place)), Some(value)) => {
                    c.fits_declared(&actual, value, &ty, place, "the result");
                    ty
                }
                _ => actual,
            }
        });
        self.context.draw = draw;
        if let Some((_, place)) = self.context.loops.pop().and_then(|within| within.yields.first().cloned()) {
            self.report(
                Diagnostic::error(Code::A0243, place, "`yield` belongs to the body of a `scan`")
                    .label("in a function")
                    .help("the value of a function is the last line of its braces"),
            );
        }
        let touched = std::mem::replace(&mut self.context.touched, outer).unwrap_or_default();
        if let Some(outer) = &mut self.context.touched {
            outer.extend(&touched);
        }
        self.program.touched.insert(expr.id, touched);
        if result == Type::Unit {
            self.report(
                Diagnostic::error(Code::A0319, body.span, "the function gives no value")
                    .label("ends without a value")
                    .help("the last line of the braces is the value: write an expression there"),
            );
            return Type::Error;
        }
        result
    }
}
