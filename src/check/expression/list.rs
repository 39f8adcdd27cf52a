//! List literals. A list gets its axes from the type that is declared for it: `let x: Float[Item] = [1, 2]`.

use crate::check::program::{AxisIds, Element, Type};
use crate::check::state::{Checker, Hint};
use crate::check::types::array;
use crate::diagnostic::{Code, Diagnostic};
use crate::syntax::ast::{Expr, ExprKind};

impl Checker<'_> {
    pub fn list(&mut self, expr: &Expr, values: &[Expr]) -> Type {
        let Some(hint) = self.context.hint.clone().filter(|hint| !hint.axes.is_empty()) else {
            for value in values {
                self.expression(value);
            }
            self.report(
                Diagnostic::error(Code::A0217, expr.span, "this list has no axis")
                    .label("along which axis?")
                    .help("give the list a name with a type: `let x: Float[Item] = [1, 2, 3]`"),
            );
            return Type::Error;
        };
        let inner = Hint { element: hint.element, axes: hint.axes[1..].to_vec() };
        let mut element = None;
        let mut axes = AxisIds::from([hint.axes[0]]);
        for value in values {
            let ty = self.hinted(Some(inner.clone()), |c| c.expression(value));
            let nested = matches!(value.kind, ExprKind::List(_));
            if nested == inner.axes.is_empty() && ty != Type::Error {
                let name: Vec<String> = hint.axes.iter().map(|axis| self.axis_name(*axis)).collect();
                self.report(
                    Diagnostic::error(Code::A0217, value.span, "this list is not as deep as its type")
                        .label(if nested {
                            "a list where a value is wanted"
                        } else {
                            "a value where a list is wanted"
                        })
                        .help(format!("a list over {} is nested {} deep", name.join(", "), name.len())),
                );
                return Type::Error;
            }
            match ty {
                Type::Array { element: found, axes: more } => {
                    element = Some(match (element, found) {
                        (Some(Element::Float), Element::Bool) | (Some(Element::Bool), Element::Float) => {
                            Element::Float
                        }
                        (Some(known), _) => known,
                        // Whole numbers in a list of indices are positions.
                        (None, Element::Float) if matches!(hint.element, Element::Index(_)) => hint.element,
                        (None, found) => found,
                    });
                    axes.extend(more);
                }
                Type::Error => return Type::Error,
                other => {
                    self.as_array(value, &other);
                    return Type::Error;
                }
            }
        }
        self.program.derived.insert(expr.id, hint.axes.clone());
        array(element.unwrap_or(hint.element), axes)
    }
}
