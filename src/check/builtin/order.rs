//! Sorting, ranks, running sums and the largest values.

use super::Builtin;
use super::rule::BuiltinCall;
use crate::check::program::{Element, Type};
use crate::check::state::Checker;
use crate::check::types::array;
use crate::diagnostic::{Code, Diagnostic, Help, nearest};
use crate::syntax::ast::ExprKind;

const TIES: [&str; 4] = ["average", "min", "max", "first"];

impl Checker<'_> {
    pub fn order_call(&mut self, call: BuiltinCall) -> Type {
        let known: &[&str] = match call.builtin {
            Builtin::Sort | Builtin::ArgSort => &["descending"],
            Builtin::Rank => &["ties"],
            _ => &[],
        };
        for (name, value) in self.options(call, known) {
            if name == "descending" {
                self.static_condition(value);
                continue;
            }
            // The name of a rule, not a value.
            self.program.types.insert(value.id, Type::Text);
            let written = match &value.kind {
                ExprKind::Name(name) => name.text.clone(),
                _ => String::new(),
            };
            if !TIES.contains(&written.as_str()) {
                let help = match nearest(&written, TIES) {
                    Some(near) => Help::meant(value.span, near),
                    None => format!("ties are ranked by {}", TIES.join(", ")).into(),
                };
                self.report(
                    Diagnostic::error(Code::A0110, value.span, "there is no such rule for ties")
                        .label("unknown rule")
                        .help(help),
                );
            }
        }
        let [operand, axis] = call.positional()[..] else {
            return self.wrong_count(call, "a value and an axis");
        };
        let Some(axes) = self.numbers(operand) else { return Type::Error };
        let Some(along) = self.wanted_axis_of(call, axis, &axes, operand.span, "works along") else {
            return Type::Error;
        };
        self.builtin_done(call, &[along]);
        let element = if call.builtin == Builtin::ArgSort { Element::Index(along) } else { Element::Float };
        array(element, axes)
    }

    /// `top(x, A, k as K)`
    pub fn top_call(&mut self, call: BuiltinCall) -> Type {
        self.options(call, &[]);
        let ([operand, axis], [(count, name, size)]) = (&call.positional()[..], &call.renamed()[..]) else {
            return self.wrong_count(call, "a value, an axis and `k as K`");
        };
        let Some(mut axes) = self.numbers(operand) else { return Type::Error };
        let Some(along) = self.wanted_axis_of(call, axis, &axes, operand.span, "works along") else {
            return Type::Error;
        };
        self.static_number(count, "the number of the largest");
        if let Some(size) = size {
            self.static_number(size, "the size");
        }
        let (made, new) = self.made_axis(name);
        axes.remove(&along);
        axes.insert(made);
        self.program.derived.insert(call.expr.id, if new { vec![made] } else { Vec::new() });
        self.builtin_done(call, &[along, made]);
        array(Element::Float, axes)
    }
}
