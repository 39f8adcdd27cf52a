//! Lists as arrays, and values made to fit declared types.

use std::sync::Arc;

use super::elaborator::{Elaborator, whole};
use super::fail;
use super::value::Value;
use crate::check::program::{Element as CheckedElement, Type};
use crate::diagnostic::Checked;
use crate::graph::{Axis, AxisSet, Element, NodeId, Op, Tensor};
use crate::source::Span;
use crate::syntax::ast::{self, Expr, TypeKind};

/// What elements a declared type asks for.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Wanted {
    Float,
    Bool,
    Index(Axis),
}

impl<'p> Elaborator<'_, 'p> {
    /// The elements, with lists inside lists kept as they are.
    pub fn raw_list(&mut self, expr: &'p Expr) -> Checked<Value<'p>> {
        match &expr.kind {
            ast::ExprKind::List(parts) => {
                let values = parts.iter().map(|part| self.raw_list(part)).collect::<Checked<Vec<_>>>()?;
                Ok(Value::List(Arc::new(values)))
            }
            ast::ExprKind::Parenthesised(inner) => self.raw_list(inner),
            _ => self.eval(expr),
        }
    }

    /// A list for which the checker found axes becomes an array over them; others stay lists until a type is known.
    pub fn list_value(&mut self, expr: &'p Expr, list: Value<'p>) -> Checked<Value<'p>> {
        let typed = self.typed();
        let Some(ids) = typed.derived.get(&expr.id) else { return Ok(list) };
        let mut axes = Vec::with_capacity(ids.len());
        for id in ids {
            axes.push(self.axis(*id, expr.span)?);
        }
        let wanted = match typed.types.get(&expr.id) {
            Some(Type::Array { element: CheckedElement::Bool, .. }) => Wanted::Bool,
            Some(Type::Array { element: CheckedElement::Index(index), .. }) => {
                Wanted::Index(self.axis(*index, expr.span)?)
            }
            _ => Wanted::Float,
        };
        self.list_array(&list, &axes, wanted, expr.span).map(Value::Node)
    }

    /// A list (of lists ...) as an array over `axes`, outermost first; without axes, over a new one.
    pub fn list_node(&mut self, list: &Value<'p>, axes: Option<&[Axis]>, span: Span) -> Checked<NodeId> {
        match axes {
            Some(axes) => self.list_array(list, axes, Wanted::Float, span),
            None => {
                let size = if let Value::List(parts) = list { parts.len() } else { 0 };
                let axis = self.fresh("list", size);
                self.list_array(list, &[axis], Wanted::Float, span)
            }
        }
    }

    fn list_array(&mut self, list: &Value<'p>, axes: &[Axis], wanted: Wanted, span: Span) -> Checked<NodeId> {
        let mut numbers = Vec::new();
        if self.flatten_list(list, axes, &mut numbers, span)? {
            let tensor = self.tensor_of(numbers, wanted, span)?;
            return self.build(span, |g| g.tensor(tensor, axes));
        }
        // Some elements are computed: join them one by one.
        let (Value::List(parts), Some((axis, inner))) = (list, axes.split_first()) else {
            let node = self.element_node(list, wanted, span)?;
            let set = AxisSet::from(axes);
            return self.broadcast(node, &set, span);
        };
        let mut joined = Vec::with_capacity(parts.len());
        for part in parts.iter() {
            let node = self.list_array(part, inner, wanted, span)?;
            let one = self.fresh(self.axis_name(*axis), 1);
            joined.push((self.broadcast(node, &AxisSet::from(&[one][..]), span)?, one));
        }
        self.build(span, |g| g.concat(&joined, *axis))
    }

    /// Collects the numbers of a list in order; false if some are not known now. Lengths are compared with the axes.
    fn flatten_list(
        &mut self,
        value: &Value<'p>,
        axes: &[Axis],
        numbers: &mut Vec<f64>,
        span: Span,
    ) -> Checked<bool> {
        match (value, axes.split_first()) {
            (Value::List(parts), Some((axis, inner))) => {
                let size = self.size(*axis);
                if parts.len() != size {
                    let name = self.axis_name(*axis);
                    return Err(fail::list_length(span, parts.len(), &name, size));
                }
                let mut known = true;
                for part in parts.iter() {
                    known &= self.flatten_list(part, inner, numbers, span)?;
                }
                Ok(known)
            }
            (Value::List(_), None) => {
                Err(fail::fault(span, "a list with more levels than its type has axes"))
            }
            (value, None) => match self.number(value) {
                Some(number) => {
                    numbers.push(number);
                    Ok(true)
                }
                None => Ok(false),
            },
            (value, Some(_)) => match self.number(value) {
                Some(number) => {
                    let count: usize = axes.iter().map(|axis| self.size(*axis)).product();
                    numbers.extend(std::iter::repeat_n(number, count));
                    Ok(true)
                }
                None => Ok(false),
            },
        }
    }

    fn tensor_of(&mut self, numbers: Vec<f64>, wanted: Wanted, span: Span) -> Checked<Tensor> {
        Ok(match wanted {
            Wanted::Float => Tensor::F64(numbers),
            Wanted::Bool => Tensor::Bool(numbers.iter().map(|x| u8::from(*x != 0.0)).collect()),
            Wanted::Index(axis) => {
                let size = self.size(axis);
                let mut positions = Vec::with_capacity(numbers.len());
                for number in numbers {
                    positions.push(self.known_position(number, axis, size, span)?);
                }
                Tensor::Index(positions)
            }
        })
    }

    /// A position known now, which must lie on the axis.
    pub fn known_position(&self, number: f64, axis: Axis, size: usize, span: Span) -> Checked<i32> {
        match whole(number) {
            Some(position) if position < size => Ok(position as i32),
            _ => Err(fail::outside(span, number, self.graph().axes.name(axis), size)),
        }
    }

    fn element_node(&mut self, value: &Value<'p>, wanted: Wanted, span: Span) -> Checked<NodeId> {
        if let Wanted::Index(axis) = wanted
            && let Some(number) = self.number(value)
        {
            let position = self.known_position(number, axis, self.size(axis), span)?;
            return self.build(span, |g| g.index(position));
        }
        let node = self.node(value, span)?;
        match (wanted, self.element(node)) {
            (Wanted::Float, Element::Bool | Element::Index) => self.as_float(node, span),
            (Wanted::Bool, Element::Float) if matches!(self.graph().node(node).op, Op::Float(_)) => {
                self.build(span, |g| g.cast(node, Element::Bool))
            }
            _ => Ok(node),
        }
    }

    /// The value as the declared type wants it: lists become arrays, scalars get the declared axes, truth values
    /// become 0 and 1 where Floats are declared. A scalar of a type without axes stays known now.
    pub fn conform(&mut self, value: Value<'p>, ty: &'p ast::Type, span: Span) -> Checked<Value<'p>> {
        match (&ty.kind, value) {
            (TypeKind::Array { element, axes, .. }, value) => self.conform_array(value, element, axes, span),
            (TypeKind::Record(fields), Value::Record(values)) => {
                let mut fitted = Vec::with_capacity(values.len());
                for (name, value) in values.iter() {
                    let value = match fields.iter().find(|(field, _)| field.text == *name) {
                        Some((_, ty)) => self.conform(value.clone(), ty, span)?,
                        None => value.clone(),
                    };
                    fitted.push((name.clone(), value));
                }
                Ok(Value::Record(Arc::new(fitted)))
            }
            (TypeKind::Tuple(types), Value::Tuple(values)) => {
                let mut fitted = Vec::with_capacity(values.len());
                for (ty, value) in types.iter().zip(values.iter()) {
                    fitted.push(self.conform(value.clone(), ty, span)?);
                }
                Ok(Value::Tuple(Arc::new(fitted)))
            }
            (_, value) => Ok(value),
        }
    }

    fn conform_array(
        &mut self,
        value: Value<'p>,
        element: &'p ast::Name,
        axes: &'p [ast::AxisName],
        span: Span,
    ) -> Checked<Value<'p>> {
        let array = matches!(
            value,
            Value::Node(_) | Value::Number(_) | Value::Truth(_) | Value::Stored(_) | Value::List(_)
        );
        if !array {
            return Ok(value);
        }
        let wanted = match element.text.as_str() {
            "Float" => Wanted::Float,
            "Bool" => Wanted::Bool,
            _ => match self.typed().axes_at.get(&element.span) {
                Some(id) => Wanted::Index(self.axis(*id, element.span)?),
                None => return Ok(value),
            },
        };
        let mut layout = Vec::with_capacity(axes.len());
        for name in axes {
            layout.push(self.named_axis(name)?);
        }
        if layout.is_empty() {
            match (&value, wanted) {
                (Value::Number(_), Wanted::Float) | (Value::Truth(_), Wanted::Bool) => return Ok(value),
                (Value::Truth(truth), Wanted::Float) => {
                    return Ok(Value::Number(f64::from(u8::from(*truth))));
                }
                (Value::Stored(stored), _) if stored.element != Element::Bool => return Ok(value),
                _ => {}
            }
        }
        if let Value::List(_) = &value {
            return self.list_array(&value, &layout, wanted, span).map(Value::Node);
        }
        let node = self.element_node(&value, wanted, span)?;
        let fitted = self.broadcast(node, &AxisSet::from(&layout[..]), span)?;
        match (value, fitted == node) {
            // A parameter stays known as one, so that it can be named in `grad` and `over`.
            (Value::Stored(stored), true) => Ok(Value::Stored(stored)),
            _ => Ok(Value::Node(fitted)),
        }
    }
}
