//! `window`: sliding windows along an axis.

use super::rule::BuiltinCall;
use crate::check::program::{AxisKind, Type};
use crate::check::state::Checker;
use crate::check::types::array;
use crate::diagnostic::{Code, Diagnostic};
use crate::syntax::ast::ArgumentKind;

impl Checker<'_> {
    /// `window(x, H as K = 3)`: the places are a new axis called H. `window(x, H as [P, K])`: the places are P, an axis
    /// that exists or a new one; `H as [H, K]` keeps H, padded so that every position has a window.
    pub fn window(&mut self, call: BuiltinCall) -> Type {
        self.static_options(call, &["stride", "pad", "dilation"]);
        let found = call.arguments.iter().find_map(|argument| match &argument.kind {
            ArgumentKind::As { value, name, further, size } => Some((value, name, further, size.as_ref())),
            _ => None,
        });
        let ([operand], Some((along, first, further, size))) = (&call.positional()[..], found) else {
            return self.wrong_count(call, "a value and an axis with a new one: `H as K = 3`");
        };
        let (places, kernel) = match further.as_slice() {
            [] => (None, first),
            [kernel] => (Some(first), kernel),
            [_, third, ..] => {
                self.report(
                    Diagnostic::error(
                        Code::A0201,
                        third.span,
                        "a window has two axes: its places and its size",
                    )
                    .label("a third axis")
                    .help("write `H as [Place, K]`"),
                );
                return Type::Error;
            }
        };
        let Some((element, mut axes)) = self.array_of(operand) else { return Type::Error };
        let Some(along) = self.wanted_axis_of(call, along, &axes, operand.span, "slides along") else {
            return Type::Error;
        };
        if let Some(size) = size {
            self.static_number(size, "the size of a window");
        }
        axes.remove(&along);
        let mut derived = Vec::new();
        let places = match places {
            None => {
                let named = self.program.axis(along).name.clone();
                let axis = self.new_axis(named, AxisKind::Derived, call.expr.span);
                derived.push(axis);
                self.origins.insert(axis, along);
                axis
            }
            Some(name) => {
                let (axis, new) = self.made_axis(name);
                if new {
                    derived.push(axis);
                }
                if axes.contains(&axis) {
                    let shown = self.axis_name(axis);
                    self.report(
                        Diagnostic::error(
                            Code::A0214,
                            name.span,
                            format!("the operand already has an axis `{shown}`"),
                        )
                        .label("cannot be made again")
                        .related(operand.span, "the operand")
                        .help(format!("make another axis of the same size: `axis Other = {shown}`")),
                    );
                    return Type::Error;
                }
                axis
            }
        };
        let (inner, new) = self.made_axis(kernel);
        if size.is_none() && new {
            self.report(
                Diagnostic::error(Code::A0202, kernel.span, "the window needs a size")
                    .label("how many positions?")
                    .help(format!("write `{} = 3`", kernel.text)),
            );
        }
        if new {
            derived.push(inner);
        }
        axes.extend([places, inner]);
        self.program.derived.insert(call.expr.id, derived);
        self.builtin_done(call, &[along, places, inner]);
        array(element, axes)
    }
}
