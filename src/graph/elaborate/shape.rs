//! Operations that move elements: windows, joins, flattening, shifts, padding, diagonals.

use super::elaborator::Elaborator;
use super::fail;
use super::value::Value;
use crate::check::builtin::Builtin;
use crate::check::program::AxisId;
use crate::diagnostic::Checked;
use crate::graph::{Axis, AxisSet, Element, NodeId};
use crate::source::Span;
use crate::syntax::ast::{ArgumentKind, Call, Expr, ExprKind};

impl<'p> Elaborator<'_, 'p> {
    pub fn eval_shape(&mut self, builtin: Builtin, expr: &'p Expr, call: &'p Call) -> Checked<Value<'p>> {
        if builtin == Builtin::Split {
            return self.split_array(expr, call);
        }
        let node = match builtin {
            Builtin::Window => self.window(expr, call)?,
            Builtin::Concat => self.concat(expr, call)?,
            Builtin::Flatten => self.flatten(expr, call)?,
            Builtin::Unflatten => self.unflatten(expr, call)?,
            Builtin::Shift => self.shift(expr, call)?,
            Builtin::Pad => self.pad(expr, call)?,
            _ => {
                let x = self.first_node(call, expr.span)?;
                let axes = self.call_axis_list(call)?;
                let [a, b] = axes[..] else {
                    return Err(fail::fault(expr.span, "`diagonal` takes two axes"));
                };
                self.same_size(a, b, expr.span)?;
                let x = self.broadcast(x, &AxisSet::from(&[a, b][..]), expr.span)?;
                self.build(expr.span, |g| {
                    let positions = g.iota(a)?;
                    g.gather(x, b, positions)
                })?
            }
        };
        Ok(Value::Node(node))
    }

    fn same_size(&self, a: Axis, b: Axis, span: Span) -> Checked<()> {
        match self.size(a) == self.size(b) {
            true => Ok(()),
            false => {
                let (first, second) = (self.axis_name(a), self.axis_name(b));
                Err(fail::sizes_differ(span, (&first, self.size(a)), (&second, self.size(b))))
            }
        }
    }

    /// The axes that an expression before `as` names: one, or a list.
    fn listed_axes(&mut self, value: &'p Expr) -> Checked<Vec<Axis>> {
        match &value.kind {
            ExprKind::List(parts) => {
                let mut axes = Vec::with_capacity(parts.len());
                for part in parts {
                    axes.extend(self.axis_of(part)?);
                }
                Ok(axes)
            }
            _ => Ok(self.axis_of(value)?.into_iter().collect()),
        }
    }

    /// `concat(a, b, A as B)`: each value has A, or the axis at its place in a list `[A, C] as B`.
    fn concat(&mut self, expr: &'p Expr, call: &'p Call) -> Checked<NodeId> {
        let span = expr.span;
        let (of, into) = self.made_axis(expr, call)?;
        let values = self.values(call)?;
        // The checker found each value's own axis; the last that it notes is the new one.
        let mut axes = self.listed_axes(of)?;
        if let Some(info) = self.typed().calls.get(&expr.id)
            && info.axes.len() > 1
        {
            axes.clear();
            for (id, _) in &info.axes[..info.axes.len() - 1] {
                axes.push(self.axis(*id, span)?);
            }
        }
        let mut nodes = Vec::with_capacity(values.len());
        for value in &values {
            nodes.push(self.node(value, span)?);
        }
        let mut parts: Vec<(NodeId, Axis)> = Vec::with_capacity(nodes.len());
        for (k, node) in nodes.into_iter().enumerate() {
            let Some(axis) = axes.get(k).or(axes.last()).copied() else {
                return Err(fail::fault(span, "`concat` without its axis"));
            };
            let node = match parts.first() {
                Some((first, _)) => {
                    let first = *first;
                    self.same_element(node, first, span)?.0
                }
                None => node,
            };
            parts.push((self.broadcast(node, &AxisSet::new().with(axis), span)?, axis));
        }
        if parts.iter().any(|(node, _)| self.element(*node) != self.element(parts[0].0)) {
            for part in &mut parts {
                part.0 = self.as_float(part.0, span)?;
            }
        }
        let size = parts.iter().map(|(_, axis)| self.size(*axis)).sum();
        let into = self.new_axis(into, size, span)?;
        self.build(span, |g| g.concat(&parts, into))
    }

    /// Binds the axis that an operation makes; one that exists already must have the size.
    pub fn new_axis(&mut self, id: AxisId, size: usize, span: Span) -> Checked<Axis> {
        use crate::check::program::AxisKind;
        if matches!(self.typed().axis(id).kind, AxisKind::Derived) {
            return Ok(self.bind_axis(id, size));
        }
        let axis = self.axis(id, span)?;
        let have = self.size(axis);
        match have == size {
            true => Ok(axis),
            false => {
                let name = self.axis_name(axis);
                Err(fail::made_of_another_size(span, &name, have, size))
            }
        }
    }

    /// `flatten(x, [A, B] as P)`
    fn flatten(&mut self, expr: &'p Expr, call: &'p Call) -> Checked<NodeId> {
        let span = expr.span;
        let (of, into) = self.made_axis(expr, call)?;
        let x = self.first_node(call, span)?;
        let axes = self.listed_axes(of)?;
        let size = axes.iter().map(|axis| self.size(*axis)).product();
        let x = self.broadcast(x, &AxisSet::from(&axes[..]), span)?;
        let into = self.new_axis(into, size, span)?;
        self.build(span, |g| g.flatten(x, &axes, into))
    }

    /// `unflatten(x, P as [A, B])`
    fn unflatten(&mut self, expr: &'p Expr, call: &'p Call) -> Checked<NodeId> {
        let span = expr.span;
        let x = self.first_node(call, span)?;
        let axes = self.unflatten_axes(call)?;
        let Some((axis, into)) = axes.split_first() else {
            return Err(fail::fault(span, "`unflatten` without its axis"));
        };
        let (size, product) = (self.size(*axis), into.iter().map(|axis| self.size(*axis)).product::<usize>());
        if size != product {
            let names: Vec<String> = into.iter().map(|axis| self.axis_name(*axis)).collect();
            let name = self.axis_name(*axis);
            return Err(fail::sizes_differ(span, (&name, size), (&names.join(" x "), product)));
        }
        let x = self.broadcast(x, &AxisSet::new().with(*axis), span)?;
        self.build(span, |g| g.unflatten(x, *axis, into))
    }

    /// `split(x, A as [B, C])`
    fn split_array(&mut self, expr: &'p Expr, call: &'p Call) -> Checked<Value<'p>> {
        let span = expr.span;
        let x = self.first_node(call, span)?;
        let ids = match self.typed().calls.get(&expr.id) {
            Some(info) => info.axes.iter().map(|(id, _)| *id).collect::<Vec<_>>(),
            None => Vec::new(),
        };
        let Some((from, into)) = ids.split_first() else {
            return Err(fail::fault(span, "`split` without its axis"));
        };
        let axis = self.axis(*from, span)?;
        let size = self.size(axis);
        let open = self.typed().derived.get(&expr.id).and_then(|ids| ids.first()).copied();
        let mut known = 0;
        for id in into.iter().filter(|id| Some(**id) != open) {
            let piece = self.axis(*id, span)?;
            known += self.size(piece);
        }
        if known > size || (open.is_none() && known != size) {
            let mut names = Vec::new();
            for id in into {
                names.push(self.typed().axis(*id).name.clone());
            }
            let name = self.axis_name(axis);
            return Err(fail::sizes_differ(span, (&name, size), (&names.join(" + "), known)));
        }
        let x = self.broadcast(x, &AxisSet::new().with(axis), span)?;
        let mut start = 0;
        let mut pieces = Vec::with_capacity(into.len());
        for id in into {
            let piece = match Some(*id) == open {
                true => self.bind_axis(*id, size - known),
                false => self.axis(*id, span)?,
            };
            pieces.push(Value::Node(self.build(span, |g| g.slice(x, axis, piece, start, 1))?));
            start += self.size(piece);
        }
        Ok(Value::Tuple(std::sync::Arc::new(pieces)))
    }

    /// The axis that is taken apart, then those that it becomes.
    fn unflatten_axes(&mut self, call: &'p Call) -> Checked<Vec<Axis>> {
        let mut axes = Vec::new();
        for name in &call.axes {
            axes.push(self.named_axis(name)?);
        }
        for argument in &call.arguments {
            match &argument.kind {
                ArgumentKind::Positional(value) => axes.extend(self.listed_axes(value)?),
                ArgumentKind::As { value, name, further, .. } => {
                    axes.extend(self.axis_of(value)?);
                    for name in std::iter::once(name).chain(further) {
                        match self.typed().axes_at.get(&name.span).copied() {
                            Some(id) => axes.push(self.axis(id, name.span)?),
                            None => {
                                return Err(fail::fault(name.span, "an axis that the checker does not know"));
                            }
                        }
                    }
                }
                ArgumentKind::Named { .. } => {}
            }
        }
        Ok(axes)
    }

    /// `shift(x, A, by = 1, fill = 0)`: position i holds what was at i - by.
    fn shift(&mut self, expr: &'p Expr, call: &'p Call) -> Checked<NodeId> {
        let span = expr.span;
        let node = self.first_node(call, span)?;
        let axis = self.one_axis(call, span)?;
        let by = match self.argument(call, 1, &["by"]) {
            Some(by) => self.static_integer(by, "`by`")?,
            None => 1,
        };
        let x = self.broadcast(node, &AxisSet::new().with(axis), span)?;
        let size = self.size(axis);
        let fill = match self.argument(call, 2, &["fill"]) {
            Some(fill) => Some(self.node_of(fill)?),
            None => None,
        };
        let moved = (by.unsigned_abs() as usize).min(size);
        let (start, before) = if by >= 0 { (0, moved) } else { (moved, 0) };
        let shifted = match size - moved {
            0 => {
                let element = self.element(x);
                let axes = self.axes_of(x);
                let zero = self.build(span, |g| {
                    let zero = g.float(0.0)?;
                    if element == Element::Float { Ok(zero) } else { g.cast(zero, element) }
                })?;
                self.broadcast(zero, &axes, span)?
            }
            kept => {
                let name = self.axis_name(axis);
                let rest = self.fresh(name, kept);
                self.build(span, |g| {
                    let rest_of_x = g.slice(x, axis, rest, start, 1)?;
                    g.pad(rest_of_x, rest, axis, before as isize, 1)
                })?
            }
        };
        let Some(fill) = fill else { return Ok(shifted) };
        let (shifted, fill) = self.same_element(shifted, fill, span)?;
        self.build(span, |g| {
            let positions = g.iota(axis)?;
            let inside = if by >= 0 {
                let first = g.index(moved as i32)?;
                g.less_equal(first, positions)?
            } else {
                let end = g.index((size - moved) as i32)?;
                g.less(positions, end)?
            };
            g.select(inside, shifted, fill)
        })
    }

    /// `pad(x, A as B, before = n, after = m)`
    fn pad(&mut self, expr: &'p Expr, call: &'p Call) -> Checked<NodeId> {
        let span = expr.span;
        let (of, into) = self.made_axis(expr, call)?;
        let x = self.first_node(call, span)?;
        let Some(axis) = self.axis_of(of)? else {
            return Err(fail::fault(of.span, "`pad` without its axis"));
        };
        let before = self.static_argument(call, "before", 0.0)?;
        let after = self.static_argument(call, "after", 0.0)?;
        let counts = [before, after].map(super::elaborator::whole);
        let [Some(before), Some(after)] = counts else {
            return Err(fail::not_size(span, before.min(after)));
        };
        let size = before + self.size(axis) + after;
        let into = self.new_axis(into, size, span)?;
        let x = self.broadcast(x, &AxisSet::new().with(axis), span)?;
        self.build(span, |g| g.pad(x, axis, into, before as isize, 1))
    }

    /// `resample(A as B)`: A, and the axis of replicates.
    pub fn resample_axes(&mut self, expr: &'p Expr, call: &'p Call) -> Checked<(Axis, Axis)> {
        for argument in &call.arguments {
            if let ArgumentKind::As { value, name, size, .. } = &argument.kind {
                let Some(from) = self.axis_of(value)? else { break };
                let Some(id) = self.typed().axes_at.get(&name.span).copied() else { break };
                let into = match size {
                    Some(size) => {
                        let count = self.static_size(size, "the number of replicates")?;
                        self.new_axis(id, count, size.span)?
                    }
                    None => self.axis(id, name.span)?,
                };
                return Ok((from, into));
            }
        }
        Err(fail::fault(expr.span, "`resample` without its axes"))
    }
}
