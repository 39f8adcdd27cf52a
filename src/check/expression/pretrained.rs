//! `Encoder[In, Out]() from safetensors("w.safetensors") map { "fc.weight" => "weight[Out, In]" }`: a model that starts from a file.

use crate::check::program::{Target, Type, WeightFile};
use crate::check::state::Checker;
use crate::diagnostic::{Code, Diagnostic};
use crate::syntax::ast::{ArgumentKind, Expr, ExprKind};

impl Checker<'_> {
    /// The type of the model. Which arrays the file has shows when it is read.
    pub(super) fn pretrained(&mut self, value: &Expr, source: &Expr) -> Type {
        let ty = self.expression(value);
        let made = self.program.calls.get(&value.id).map(|info| &info.target);
        if !matches!(made, Some(Target::Construct(_))) && ty != Type::Error {
            let shown = self.show(&ty);
            self.report(
                Diagnostic::error(Code::A0206, value.span, format!("a new model is wanted, not {shown}"))
                    .label("no model is made here")
                    .related(source.span, "the file would give its parameters their values")
                    .help("make the model where its weights are read: `Linear[In, Out]() from safetensors(\"w.safetensors\")`"),
            );
            return Type::Error;
        }
        match weight_path(source) {
            Some(path) => {
                self.program.weights.push(WeightFile { path: path.to_owned(), span: source.span });
            }
            None => self.report(
                Diagnostic::error(Code::A0112, source.span, "weights are read from a safetensors file")
                    .label("no file of weights")
                    .help(
                        "write `from safetensors(\"path\")`; pickled weights (`.pt`, `.bin`) cannot be read",
                    ),
            ),
        }
        ty
    }
}

/// The path in `safetensors("path")`.
fn weight_path(source: &Expr) -> Option<&str> {
    let ExprKind::Call(call) = &source.kind else { return None };
    match (&call.callee.kind, call.arguments.as_slice()) {
        (ExprKind::Name(name), [argument]) if name.text == "safetensors" => match &argument.kind {
            ArgumentKind::Positional(Expr { kind: ExprKind::Text(path), .. }) => Some(path),
            _ => None,
        },
        _ => None,
    }
}
