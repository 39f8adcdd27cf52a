//! Models over an axis: `let nets = Linear[In, Out]() over Zoo`, one for each position.

use super::arguments::Matched;
use crate::check::program::{AxisId, AxisIds, Target, Type};
use crate::check::state::{Checker, Signature};
use crate::diagnostic::{Code, Diagnostic};
use crate::syntax::ast::{Expr, ExprKind, Let};

impl Checker<'_> {
    /// The type of a `let`'s value, over the axes after `over`: new models, whose layer does not have these axes itself.
    pub fn zoo(&mut self, l: &Let, value: &Expr, ty: Type) -> Type {
        let (Some(first), Some(last)) = (l.over.first(), l.over.last()) else { return ty };
        let place = first.span.to(last.span);
        let Type::Model { layer, axes, over } = ty else {
            if ty != Type::Error {
                let shown = self.show(&ty);
                self.no_new_model(value, &shown, place);
            }
            return Type::Error;
        };
        if !self.constructs(value) {
            self.no_new_model(value, "a model that is there already", place);
            return Type::Error;
        }
        let mut all: AxisIds = over;
        for name in &l.over {
            let Some(axis) = self.axis(name) else { return Type::Error };
            if axes.iter().any(|(_, own)| *own == axis) {
                let text = self.axis_name(axis);
                self.report(
                    Diagnostic::error(
                        Code::A0214,
                        name.span,
                        format!("the model has the axis `{text}` already"),
                    )
                    .label("a model for each position of its own axis")
                    .related(value.span, "the model")
                    .help(format!("make another axis of that size: `axis Zoo = {text}`")),
                );
                return Type::Error;
            }
            all.insert(axis);
        }
        Type::Model { layer, axes, over: all }
    }

    fn no_new_model(&mut self, value: &Expr, shown: &str, place: crate::source::Span) {
        self.report(
            Diagnostic::error(Code::A0206, value.span, format!("a new model is wanted, not {shown}"))
                .label("no model is made here")
                .related(place, "models would be made for each position")
                .help("make the models where their axis is named: `let nets = Linear[In, Out]() over Zoo`"),
        );
    }

    /// Whether the value makes a new model, whichever alternative is taken.
    fn constructs(&self, value: &Expr) -> bool {
        match &value.kind {
            ExprKind::Call(_) => {
                let target = self.program.calls.get(&value.id).map(|info| &info.target);
                matches!(target, Some(Target::Construct(_)))
            }
            ExprKind::From { value, .. } | ExprKind::Parenthesised(value) => self.constructs(value),
            ExprKind::Match { arms, .. } => arms.iter().all(|arm| self.constructs(&arm.value)),
            _ => false,
        }
    }

    /// A function of a model would work along an axis over which there are several models.
    pub(super) fn along_models(&mut self, signature: &Signature, axis: AxisId, matched: &Matched) {
        let name = self.axis_name(axis);
        let place = matched.values.iter().flatten().next().map_or(signature.span, |(_, span, _)| *span);
        self.report(
            Diagnostic::error(
                Code::A0219,
                place,
                format!(
                    "`{}` would work along `{name}`, over which there are several models",
                    signature.name
                ),
            )
            .label(format!("`{name}` is the axis of the models"))
            .related(signature.span, format!("`{}` is defined here", signature.name))
            .help(format!("rename the axis of the argument: `axis Other = {name}`, `x[{name} as Other]`")),
        );
    }
}
