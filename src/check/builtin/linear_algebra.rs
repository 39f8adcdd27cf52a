//! Linear algebra and algorithms on the matrix that two axes make.
//!
//! The two axes are named after the values, the rows first; they may be left out where the value has one axis and its
//! twin (`A`, `A'`) and no other such pair.

use super::Builtin;
use super::rule::BuiltinCall;
use crate::check::program::{AxisId, AxisIds, AxisKind, Element, Type};
use crate::check::state::Checker;
use crate::check::types::array;
use crate::diagnostic::{Code, Diagnostic};
use crate::source::Span;
use crate::syntax::ast::Expr;

impl Checker<'_> {
    pub fn matrix_call(&mut self, call: BuiltinCall) -> Type {
        use Builtin as B;
        let known: &[&str] = match call.builtin {
            B::SolveTriangular => &["upper"],
            B::Assignment => &["largest"],
            _ => &[],
        };
        for (_, value) in self.options(call, known) {
            self.static_condition(value);
        }
        match call.builtin {
            B::Solve | B::SolveTriangular => self.solve_call(call),
            B::Eigh | B::Svd | B::Qr | B::SpanningTree => self.decomposition_call(call),
            _ => {
                let values = call.positional();
                let Some((operand, named)) = values.split_first() else {
                    return self.wrong_count(call, "a matrix and its two axes");
                };
                let Some(mut axes) = self.numbers(operand) else { return Type::Error };
                let Some([rows, columns]) = self.matrix_axes(call, named, &axes, operand.span) else {
                    return Type::Error;
                };
                self.builtin_done(call, &[rows, columns]);
                if call.builtin == B::Assignment {
                    axes.remove(&columns);
                    return array(Element::Index(columns), axes);
                }
                array(Element::Float, axes)
            }
        }
    }

    /// `solve(a, b, A, B)`: b has A and not B; the result has B instead of A.
    fn solve_call(&mut self, call: BuiltinCall) -> Type {
        let values = call.positional();
        let [a, b, named @ ..] = &values[..] else {
            return self.wrong_count(call, "a matrix, the right-hand side and the two axes of the matrix");
        };
        let (left, right) = (self.numbers(a), self.numbers(b));
        let (Some(mut left), Some(mut right)) = (left, right) else { return Type::Error };
        let Some([rows, columns]) = self.matrix_axes(call, named, &left, a.span) else { return Type::Error };
        if !right.remove(&rows) {
            return self.operand_lacks(rows, b.span, &right, b.span, "solves along").unwrap_or(Type::Error);
        }
        if right.contains(&columns) {
            let shown = self.axis_name(columns);
            self.report(
                Diagnostic::error(Code::A0214, b.span, format!("the operand already has an axis `{shown}`"))
                    .label("the solution would have it twice")
                    .related(a.span, format!("`{shown}` is the axis of the unknowns"))
                    .help(format!("give it another name: `[{shown} as Other]`")),
            );
            return Type::Error;
        }
        left.remove(&rows);
        right.insert(columns);
        self.builtin_done(call, &[rows, columns]);
        array(Element::Float, self.unite(&[(&left, a.span), (&right, b.span)]))
    }

    /// `svd(x, A, B as K)` and its kin: what is made along K.
    fn decomposition_call(&mut self, call: BuiltinCall) -> Type {
        let ([operand, first], [(second, name, None)]) = (&call.positional()[..], &call.renamed()[..]) else {
            return self
                .wrong_count(call, "a matrix, its rows, and its columns with a new axis: `A, B as K`");
        };
        let Some(axes) = self.numbers(operand) else { return Type::Error };
        let Some([rows, columns]) = self.matrix_axes(call, &[first, second], &axes, operand.span) else {
            return Type::Error;
        };
        let (made, new) = self.made_axis(name);
        let mut rest = axes;
        rest.remove(&rows);
        rest.remove(&columns);
        if rest.contains(&made) || made == rows || made == columns {
            let shown = self.axis_name(made);
            self.report(
                Diagnostic::error(
                    Code::A0214,
                    name.span,
                    format!("the operand already has an axis `{shown}`"),
                )
                .label("cannot be made again")
                .related(operand.span, "the operand")
                .help("give the new axis a name of its own"),
            );
            return Type::Error;
        }
        self.program.derived.insert(call.expr.id, if new { vec![made] } else { Vec::new() });
        self.builtin_done(call, &[rows, columns, made]);
        let over = |more: &[AxisId]| {
            let mut axes: AxisIds = rest.clone();
            axes.extend(more);
            array(Element::Float, axes)
        };
        let field = |name: &str, ty: Type| (name.to_owned(), ty);
        match call.builtin {
            Builtin::SpanningTree => over(&[made]),
            Builtin::Eigh => {
                Type::Record(vec![field("values", over(&[made])), field("vectors", over(&[rows, made]))])
            }
            Builtin::Qr => Type::Record(vec![
                field("orthogonal", over(&[rows, made])),
                field("upper", over(&[made, columns])),
            ]),
            _ => Type::Record(vec![
                field("left", over(&[rows, made])),
                field("values", over(&[made])),
                field("right", over(&[columns, made])),
            ]),
        }
    }

    /// The rows and the columns, as named or as the only axis with its twin.
    fn matrix_axes(
        &mut self,
        call: BuiltinCall,
        named: &[&Expr],
        axes: &AxisIds,
        operand: Span,
    ) -> Option<[AxisId; 2]> {
        match named {
            [] => {
                let pairs: Vec<[AxisId; 2]> = axes
                    .iter()
                    .filter_map(|axis| match self.program.axis(*axis).kind {
                        AxisKind::SameSizeAs(of) if axes.contains(&of) => Some([of, *axis]),
                        _ => None,
                    })
                    .collect();
                if let [pair] = pairs[..] {
                    return Some(pair);
                }
                let has = self.axes_in_words(axes);
                self.report(
                    Diagnostic::error(
                        Code::A0201,
                        call.expr.span,
                        format!("`{}` does not say which axes make its matrix", call.name.text),
                    )
                    .label("no axes named")
                    .related(operand, format!("this has {has}"))
                    .help(format!("it is called `{}`", call.builtin.signature())),
                );
                None
            }
            [rows, columns] => {
                let rows = self.wanted_axis_of(call, rows, axes, operand, "has no rows");
                let columns = self.wanted_axis_of(call, columns, axes, operand, "has no columns");
                let (rows, columns) = (rows?, columns?);
                if rows == columns {
                    self.wrong_count(call, "two different axes");
                    return None;
                }
                Some([rows, columns])
            }
            _ => {
                self.wrong_count(call, "the two axes of the matrix after its values");
                None
            }
        }
    }
}
