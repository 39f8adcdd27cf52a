//! Selectors: `x[A = i]`, `x[A = 2..5]`, `x[A as B]`, and the bare axes of `zeros[H]`.

use super::elaborator::Elaborator;
use super::fail;
use super::scope::VaryBinding;
use super::value::Value;
use crate::check::builtin::Builtin;
use crate::check::program::{AxisId, AxisKind, CallInfo, Definition, Target};
use crate::diagnostic::Checked;
use crate::graph::{Axis, AxisSet, Element, NodeId};
use crate::source::Span;
use crate::syntax::ast::{AxisName, Expr, ExprKind, Selector};

impl<'p> Elaborator<'_, 'p> {
    pub fn eval_index(
        &mut self,
        expr: &'p Expr,
        value: &'p Expr,
        selectors: &'p [Selector],
    ) -> Checked<Value<'p>> {
        // `f[A]`: a function of axes only.
        if let Some(CallInfo { target: Target::Function(item), .. }) = self.typed().calls.get(&expr.id)
            && let Some(info) = self.typed().calls.get(&expr.id)
        {
            let axes = self.call_axes(info, expr.span)?;
            let none = vec![None; info.arguments.len()];
            return self.apply_item(*item, axes, none, expr.span);
        }
        if let ExprKind::Name(name) = &value.kind
            && let Some(Definition::Builtin(builtin)) = self.typed().names.get(&name.span)
            && selectors.iter().all(|selector| matches!(selector, Selector::Axis(_)))
        {
            return self.bare_axes(*builtin, selectors, expr.span);
        }
        let found = self.eval(value)?;
        if let Value::Model(model) = &found {
            return self.picked_models(expr, model, selectors);
        }
        let node = self.node(&found, value.span)?;
        self.selected(expr, node, selectors).map(Value::Node)
    }

    /// The value with all selectors applied.
    pub fn selected(
        &mut self,
        expr: &'p Expr,
        mut node: NodeId,
        selectors: &'p [Selector],
    ) -> Checked<NodeId> {
        let mut derived = self.typed().derived.get(&expr.id).map_or(&[][..], Vec::as_slice).iter().copied();
        for selector in selectors {
            node = match selector {
                Selector::Axis(name) => {
                    return Err(fail::fault(name.span, "an axis alone selects nothing"));
                }
                Selector::Rename { axis, to } => self.rename(node, axis, to)?,
                Selector::Pick { axis, index } => self.pick(node, axis, index)?,
                Selector::Slice { axis, start, end } => {
                    let into = derived.next();
                    self.slice(node, axis, start.as_ref(), end.as_ref(), into)?
                }
            };
        }
        Ok(node)
    }

    /// `zeros[H]`, `ones[A, B]`, `normal[Example]`
    fn bare_axes(&mut self, builtin: Builtin, selectors: &'p [Selector], span: Span) -> Checked<Value<'p>> {
        let constant = match builtin {
            Builtin::Zeros => 0.0,
            Builtin::Ones => 1.0,
            other => return self.eval_bare_draw(other, selectors, span),
        };
        let mut axes = AxisSet::new();
        for selector in selectors {
            if let Selector::Axis(name) = selector {
                axes.insert(self.named_axis(name)?);
            }
        }
        let scalar = self.build(span, |g| g.float(constant))?;
        self.broadcast(scalar, &axes, span).map(Value::Node)
    }

    fn rename(&mut self, node: NodeId, from: &AxisName, to: &AxisName) -> Checked<NodeId> {
        let axis = self.named_axis(from)?;
        let size = self.size(axis);
        let to_id = self.named_axis_id(to)?;
        let into = match self.typed().axis(to_id).kind {
            AxisKind::Derived => self.bind_axis(to_id, size),
            _ => self.axis(to_id, to.span)?,
        };
        if self.size(into) != size {
            let (from_name, to_name) = (self.axis_name(axis), self.axis_name(into));
            return Err(fail::sizes_differ(to.span, (&from_name, size), (&to_name, self.size(into))));
        }
        if axis == into || !self.axes_of(node).contains(axis) {
            return Ok(node);
        }
        self.build(to.span, |g| g.rename(node, axis, into))
    }

    fn pick(&mut self, node: NodeId, name: &AxisName, index: &'p Expr) -> Checked<NodeId> {
        let id = self.named_axis_id(name)?;
        let axis = self.axis(id, name.span)?;
        let found = self.eval(index)?;
        let position = match &found {
            Value::Choice { arm, .. } => self.position_node(*arm as f64, axis, index.span)?,
            other => match self.number(other) {
                Some(number) => {
                    let number = self.vary_position(id, number, index.span)?;
                    self.position_node(number, axis, index.span)?
                }
                None => self.index_node(other, index.span)?,
            },
        };
        let value = self.broadcast(node, &AxisSet::new().with(axis), name.span)?;
        self.build(index.span, |g| g.gather(value, axis, position))
    }

    /// On a numeric `vary` axis the number is one of its values; elsewhere it is the position itself.
    fn vary_position(&self, id: AxisId, number: f64, span: Span) -> Checked<f64> {
        match self.scope.varies.get(&id) {
            Some(VaryBinding::Values(values)) if !values.is_empty() => {
                let name = &self.typed().axis(id).name;
                match values.iter().position(|value| *value == number) {
                    Some(at) => Ok(at as f64),
                    None => Err(fail::not_a_value(span, number, name, values)),
                }
            }
            _ => Ok(number),
        }
    }

    /// A position known now.
    pub fn position_node(&mut self, number: f64, axis: Axis, span: Span) -> Checked<NodeId> {
        let position = self.known_position(number, axis, self.size(axis), span)?;
        self.build(span, |g| g.index(position))
    }

    pub fn index_node(&mut self, value: &Value<'p>, span: Span) -> Checked<NodeId> {
        let node = self.node(value, span)?;
        match self.element(node) {
            Element::Index => Ok(node),
            _ => self.build(span, |g| g.cast(node, Element::Index)),
        }
    }

    fn slice(
        &mut self,
        node: NodeId,
        name: &AxisName,
        start: Option<&'p Expr>,
        end: Option<&'p Expr>,
        into: Option<AxisId>,
    ) -> Checked<NodeId> {
        let axis = self.named_axis(name)?;
        let size = self.size(axis);
        let from = match start {
            Some(start) => self.static_size(start, "the start of a slice")?,
            None => 0,
        };
        let to = match end {
            Some(end) => self.static_size(end, "the end of a slice")?,
            None => size,
        };
        if from > to || to > size {
            let span = end.or(start).map_or(name.span, |expr| expr.span);
            return Err(fail::slice(span, (from, to), &self.axis_name(axis), size));
        }
        let into = match into {
            Some(id) => self.bind_axis(id, to - from),
            None => {
                let text = self.axis_name(axis);
                self.fresh(text, to - from)
            }
        };
        let value = self.broadcast(node, &AxisSet::new().with(axis), name.span)?;
        self.build(name.span, |g| g.slice(value, axis, into, from, 1))
    }
}
