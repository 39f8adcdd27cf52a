//! Sizes, positions, constants over axes, and operations that make, join or move axes.

use super::Builtin;
use super::rule::BuiltinCall;
use crate::check::program::{AxisId, AxisIds, Element, Type};
use crate::check::state::Checker;
use crate::check::types::array;
use crate::diagnostic::{Code, Diagnostic};
use crate::source::Span;
use crate::syntax::ast::{ArgumentKind, Expr, ExprKind};

impl Checker<'_> {
    pub fn shape_call(&mut self, call: BuiltinCall) -> Type {
        use Builtin as B;
        match call.builtin {
            B::Size | B::Iota => {
                self.options(call, &[]);
                let axis = match (&call.positional()[..], call.axes) {
                    ([value], []) => self.wanted_axis(call, value),
                    ([], [axis]) => self.axis(axis),
                    _ => return self.wrong_count(call, "one axis"),
                };
                let Some(axis) = axis else { return Type::Error };
                self.builtin_done(call, &[axis]);
                if call.builtin == B::Size {
                    return Type::float();
                }
                array(Element::Index(axis), AxisIds::from([axis]))
            }
            B::Zeros | B::Ones => {
                self.options(call, &[]);
                let Some(mut axes) = self.bracket_axes(call) else { return Type::Error };
                for value in call.positional() {
                    let Some(axis) = self.wanted_axis(call, value) else { return Type::Error };
                    axes.push(axis);
                }
                self.builtin_done(call, &axes);
                array(Element::Float, axes.into_iter().collect())
            }
            B::OneHot | B::Number => {
                self.options(call, &[]);
                let [value] = call.positional()[..] else { return self.wrong_count(call, "1 value") };
                let Some((element, mut axes)) = self.array_of(value) else { return Type::Error };
                if call.builtin == B::OneHot {
                    let Element::Index(of) = element else {
                        let shown = self.show(&array(element, axes));
                        self.report(
                            Diagnostic::error(
                                Code::A0206,
                                value.span,
                                format!("an index is wanted, not {shown}"),
                            )
                            .label(format!("this is {shown}"))
                            .help("`one_hot` is of an index of an axis: `one_hot(position[A](x))`"),
                        );
                        return Type::Error;
                    };
                    axes.insert(of);
                }
                self.builtin_done(call, &[]);
                array(Element::Float, axes)
            }
            B::Position => {
                self.options(call, &[]);
                let mut values = call.positional();
                let axis = match call.axes {
                    [axis] => self.axis(axis),
                    [] if values.len() == 2 => {
                        let axis = values.remove(1);
                        self.wanted_axis(call, axis)
                    }
                    _ => return self.wrong_count(call, "an axis in brackets and a number"),
                };
                let [value] = values[..] else {
                    return self.wrong_count(call, "an axis in brackets and a number");
                };
                let axes = self.numbers(value);
                let (Some(axis), Some(axes)) = (axis, axes) else { return Type::Error };
                self.builtin_done(call, &[axis]);
                array(Element::Index(axis), axes)
            }
            B::Broadcast => {
                self.options(call, &[]);
                let mut values = call.positional();
                if values.is_empty() {
                    return self.wrong_count(call, "a value and axes");
                }
                let operand = values.remove(0);
                let Some((element, mut axes)) = self.array_of(operand) else { return Type::Error };
                let Some(mut over) = self.bracket_axes(call) else { return Type::Error };
                for value in values {
                    let Some(axis) = self.wanted_axis(call, value) else { return Type::Error };
                    over.push(axis);
                }
                self.builtin_done(call, &over);
                axes.extend(over);
                array(element, axes)
            }
            B::Window => self.window(call),
            B::Concat => self.concat(call),
            B::Flatten => self.flatten(call),
            B::Unflatten => self.unflatten(call),
            B::Split => self.split_array(call),
            B::Shift => self.shift(call),
            B::Pad => self.pad(call),
            _ => self.diagonal(call),
        }
    }

    pub fn static_options(&mut self, call: BuiltinCall, known: &[&str]) {
        for (name, value) in self.options(call, known) {
            self.static_number(value, &format!("`{name}`"));
        }
    }

    /// `concat(a, b, A as B)`: a along A, then b along A (or along its only axis of that name).
    fn concat(&mut self, call: BuiltinCall) -> Type {
        self.options(call, &[]);
        let (values, [(along, name, _)]) = (call.positional(), &call.renamed()[..]) else {
            return self.wrong_count(call, "two values and `A as B`");
        };
        let [a, b] = values[..] else { return self.wrong_count(call, "two values and `A as B`") };
        let (left, right) = (self.array_of(a), self.array_of(b));
        let Some(axis) = self.wanted_axis(call, along) else { return Type::Error };
        let (Some((first, mut left)), Some((second, mut right))) = (left, right) else { return Type::Error };
        let Some(in_left) = self.in_operand(&left, axis) else {
            return self.operand_lacks(axis, along.span, &left, a.span, "joins along").unwrap_or(Type::Error);
        };
        let in_right = match self.in_operand(&right, axis) {
            Some(found) => found,
            // The other value may run along another axis: the only one that the first does not have.
            None => {
                let own: Vec<AxisId> = right.iter().copied().filter(|axis| !left.contains(axis)).collect();
                match own[..] {
                    [only] => only,
                    _ => {
                        return self
                            .operand_lacks(axis, along.span, &right, b.span, "joins along")
                            .unwrap_or(Type::Error);
                    }
                }
            }
        };
        if first != second {
            let (one, other) = (self.show_element(first), self.show_element(second));
            self.report(
                Diagnostic::error(Code::A0221, b.span, "the two values of `concat` have different types")
                    .label(format!("this holds {other}"))
                    .related(a.span, format!("this holds {one}"))
                    .help("both must hold the same kind of element"),
            );
            return Type::Error;
        }
        let (made, new) = self.made_axis(name);
        left.remove(&in_left);
        right.remove(&in_right);
        let mut axes = self.unite(&[(&left, a.span), (&right, b.span)]);
        axes.insert(made);
        self.program.derived.insert(call.expr.id, if new { vec![made] } else { Vec::new() });
        self.builtin_done(call, &[in_left, in_right, made]);
        array(first, axes)
    }

    /// The names in `[A, B]`.
    fn axis_list(&mut self, call: BuiltinCall, list: &Expr) -> Option<Vec<AxisId>> {
        match &list.kind {
            ExprKind::List(values) => values.iter().map(|value| self.wanted_axis(call, value)).collect(),
            _ => Some(vec![self.wanted_axis(call, list)?]),
        }
    }

    /// `flatten(x, [A, B] as P)`
    fn flatten(&mut self, call: BuiltinCall) -> Type {
        self.options(call, &[]);
        let ([operand], [(list, name, _)]) = (&call.positional()[..], &call.renamed()[..]) else {
            return self.wrong_count(call, "a value and `[A, B] as P`");
        };
        let Some((element, mut axes)) = self.array_of(operand) else { return Type::Error };
        let Some(named) = self.axis_list(call, list) else { return Type::Error };
        let mut from = Vec::new();
        for axis in named {
            match self.in_operand(&axes, axis) {
                Some(found) if from.contains(&found) => {
                    return self.named_twice(found, list.span, operand.span);
                }
                Some(found) => from.push(found),
                None => {
                    return self
                        .operand_lacks(axis, list.span, &axes, operand.span, "flattens")
                        .unwrap_or(Type::Error);
                }
            }
        }
        let (made, new) = self.made_axis(name);
        axes.retain(|axis| !from.contains(axis));
        axes.insert(made);
        self.program.derived.insert(call.expr.id, if new { vec![made] } else { Vec::new() });
        from.push(made);
        self.builtin_done(call, &from);
        array(element, axes)
    }

    fn named_twice(&mut self, axis: AxisId, span: Span, operand: Span) -> Type {
        let name = self.axis_name(axis);
        self.report(
            Diagnostic::error(Code::A0214, span, format!("the axis `{name}` is named twice"))
                .label("an operand has each axis once")
                .related(operand, "the operand")
                .help(format!("name two of its axes; the second of one size is called `{name}'`, or has a name of its own")),
        );
        Type::Error
    }

    /// `unflatten(x, P as [A, B])`: all but one of the new axes must have sizes of their own.
    fn unflatten(&mut self, call: BuiltinCall) -> Type {
        self.options(call, &[]);
        let found = call.arguments.iter().find_map(|argument| match &argument.kind {
            ArgumentKind::As { value, name, further, .. } => Some((value, name, further)),
            _ => None,
        });
        let ([operand], Some((along, name, further))) = (&call.positional()[..], found) else {
            return self.wrong_count(call, "a value and `P as [A, B]`");
        };
        let Some((element, mut axes)) = self.array_of(operand) else { return Type::Error };
        let Some(from) = self.wanted_axis_of(call, along, &axes, operand.span, "unflattens") else {
            return Type::Error;
        };
        axes.remove(&from);
        let mut named = vec![from];
        let mut derived = Vec::new();
        for name in std::iter::once(name).chain(further) {
            let (made, new) = self.made_axis(name);
            if !axes.insert(made) {
                let shown = self.axis_name(made);
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
            if new {
                derived.push(made);
            }
            named.push(made);
        }
        self.program.derived.insert(call.expr.id, derived);
        self.builtin_done(call, &named);
        array(element, axes)
    }

    /// `split(x, A as [B, C])`: one of the new axes may get its size from what the others leave.
    fn split_array(&mut self, call: BuiltinCall) -> Type {
        self.options(call, &[]);
        let found = call.arguments.iter().find_map(|argument| match &argument.kind {
            ArgumentKind::As { value, name, further, .. } => Some((value, name, further)),
            _ => None,
        });
        let ([operand], Some((along, name, further))) = (&call.positional()[..], found) else {
            return self.wrong_count(call, "a value and `A as [B, C]`");
        };
        let Some((element, axes)) = self.array_of(operand) else { return Type::Error };
        let Some(from) = self.wanted_axis_of(call, along, &axes, operand.span, "splits") else {
            return Type::Error;
        };
        let rest: AxisIds = axes.into_iter().filter(|axis| *axis != from).collect();
        let mut named = vec![from];
        let mut derived = Vec::new();
        for name in std::iter::once(name).chain(further) {
            let (made, new) = self.made_axis(name);
            if new {
                derived.push(made);
            }
            if rest.contains(&made) || (new && derived.len() > 1) {
                let shown = self.axis_name(made);
                let (message, help) = match rest.contains(&made) {
                    true => (
                        format!("the operand already has an axis `{shown}`"),
                        format!("make another axis of the same size: `axis Other = {shown}`"),
                    ),
                    false => (
                        format!("nothing tells how long `{shown}` is"),
                        format!(
                            "one piece may be what the others leave: declare `axis {shown} = ...` before"
                        ),
                    ),
                };
                self.report(
                    Diagnostic::error(Code::A0214, name.span, message)
                        .label("an axis of the pieces")
                        .related(operand.span, "the operand")
                        .help(help),
                );
                return Type::Error;
            }
            named.push(made);
        }
        self.program.derived.insert(call.expr.id, derived);
        self.builtin_done(call, &named);
        let piece = |axis: &AxisId| array(element, rest.iter().chain([axis]).copied().collect());
        Type::Tuple(named[1..].iter().map(piece).collect())
    }

    /// `shift(x, A, by = 1, fill = 0)`
    fn shift(&mut self, call: BuiltinCall) -> Type {
        for (name, value) in self.options(call, &["by", "fill"]) {
            if name == "by" {
                self.static_number(value, "`by`");
            } else {
                self.numbers(value);
            }
        }
        let [operand, axis] = call.positional()[..] else {
            return self.wrong_count(call, "a value and an axis");
        };
        let Some((element, axes)) = self.array_of(operand) else { return Type::Error };
        let Some(along) = self.wanted_axis_of(call, axis, &axes, operand.span, "shifts along") else {
            return Type::Error;
        };
        self.builtin_done(call, &[along]);
        array(element, axes)
    }

    /// `pad(x, A as B, before = n, after = m)`
    fn pad(&mut self, call: BuiltinCall) -> Type {
        self.static_options(call, &["before", "after"]);
        let ([operand], [(along, name, _)]) = (&call.positional()[..], &call.renamed()[..]) else {
            return self.wrong_count(call, "a value and `A as B`");
        };
        let Some(mut axes) = self.numbers(operand) else { return Type::Error };
        let Some(along) = self.wanted_axis_of(call, along, &axes, operand.span, "pads along") else {
            return Type::Error;
        };
        let (made, new) = self.made_axis(name);
        axes.remove(&along);
        axes.insert(made);
        self.program.derived.insert(call.expr.id, if new { vec![made] } else { Vec::new() });
        self.builtin_done(call, &[along, made]);
        array(Element::Float, axes)
    }

    /// `diagonal(x, A, B)`
    fn diagonal(&mut self, call: BuiltinCall) -> Type {
        self.options(call, &[]);
        let [operand, first, second] = call.positional()[..] else {
            return self.wrong_count(call, "a value and two axes");
        };
        let Some((element, mut axes)) = self.array_of(operand) else { return Type::Error };
        let a = self.wanted_axis_of(call, first, &axes, operand.span, "takes the diagonal of");
        let b = self.wanted_axis_of(call, second, &axes, operand.span, "takes the diagonal of");
        let (Some(a), Some(b)) = (a, b) else { return Type::Error };
        if a == b {
            return self.named_twice(a, second.span, operand.span);
        }
        axes.remove(&b);
        self.builtin_done(call, &[a, b]);
        array(element, axes)
    }
}
