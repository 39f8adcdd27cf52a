//! The clause `gradient(x, g) { ... }` of a function: names of parameters, then the gradient by the result.

use crate::check::program::{Element, Type};
use crate::check::state::{Checker, LocalKind, ParameterInfo, Trace};
use crate::diagnostic::{Code, Diagnostic};
use crate::syntax::ast::{Block, ExprKind, Function, Name};

impl Checker<'_> {
    pub(super) fn own_derivative(
        &mut self,
        function: &Function,
        (names, block): &(Vec<Name>, Block),
        parameters: &[ParameterInfo],
        result: &Type,
    ) {
        let Some((upstream, names)) = names.split_last() else { return };
        if *result != Type::Error && !is_float(result) {
            let shown = self.show(result);
            self.report(
                Diagnostic::error(Code::A0225, upstream.span, format!("{shown} has no derivative"))
                    .label("a gradient of one's own")
                    .related(function.span, format!("the result of `{}` is {shown}", function.name.text))
                    .help("a function with its own derivative gives a Float or an array of Floats"),
            );
            return;
        }
        let mut by: Vec<(&Name, Type)> = Vec::new();
        self.scoped(|c| {
            for name in names {
                match parameters.iter().find(|parameter| parameter.name == name.text) {
                    Some(parameter) => {
                        by.push((name, parameter.ty.clone()));
                        c.declare(name, parameter.ty.clone(), LocalKind::Parameter, Trace::default());
                    }
                    None => {
                        let known: Vec<&str> = parameters.iter().map(|p| p.name.as_str()).collect();
                        c.unknown_argument(&function.name.text, name, &known, Some(function.name.span));
                        c.declare(name, Type::Error, LocalKind::Parameter, Trace::default());
                    }
                }
            }
            c.declare(upstream, result.clone(), LocalKind::Parameter, Trace::default());
            let given = c.hinted(None, |c| c.block_in_scope(block));
            let Some(value) = &block.value else {
                c.report(
                    Diagnostic::error(Code::A0319, block.span, "the gradient has no value")
                        .label("ends without a value")
                        .help("the last line of the braces is the gradient by the first name"),
                );
                return;
            };
            let parts: Vec<(String, Type)> = match given {
                Type::Error => return,
                Type::Record(fields) => fields,
                single => match by.first() {
                    Some((first, _)) => vec![(first.text.clone(), single)],
                    None => return c.no_gradient_by(upstream),
                },
            };
            for (field, ty) in parts {
                let Some((name, wanted)) = by.iter().find(|(name, _)| name.text == field) else {
                    let known: Vec<&str> = by.iter().map(|(name, _)| name.text.as_str()).collect();
                    let place = Name { text: field, span: value.span };
                    c.unknown_argument("gradient", &place, &known, Some(upstream.span));
                    continue;
                };
                if !is_float(wanted) {
                    if *wanted != Type::Error {
                        c.no_gradient_by(name);
                    }
                    continue;
                }
                let part = match &value.kind {
                    ExprKind::Record(fields) => {
                        fields.iter().find(|(known, _)| known.text == name.text).map_or(&**value, |(_, v)| v)
                    }
                    _ => value,
                };
                let what = format!("the gradient by `{}`", name.text);
                c.fits_declared(&ty, part, wanted, name.span, &what);
            }
        });
    }

    fn no_gradient_by(&mut self, name: &Name) {
        self.report(
            Diagnostic::error(Code::A0225, name.span, format!("there is no gradient by `{}`", name.text))
                .label("not a parameter of Floats")
                .help("name the parameters, then the gradient by the result: `gradient(x, g) { 2 * x * g }`"),
        );
    }
}

fn is_float(ty: &Type) -> bool {
    matches!(ty, Type::Array { element: Element::Float, .. })
}
