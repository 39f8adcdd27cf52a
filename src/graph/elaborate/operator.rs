//! Operators: numbers known now are calculated, everything else becomes nodes.

use std::sync::Arc;

use super::elaborator::Elaborator;
use super::fail;
use super::value::Value;
use crate::diagnostic::Checked;
use crate::graph::{Element, NodeId, Reduction};
use crate::source::Span;
use crate::syntax::ast::{BinaryOperator, Expr, UnaryOperator};

/// How far the sides of `a ~= b` may be apart without `within`.
pub const USUAL_TOLERANCE: f64 = 1e-6;

impl<'p> Elaborator<'_, 'p> {
    /// Applies to the values, or, where some of them hold one value for each parameter (in an optimizer's step), to
    /// each parameter's.
    pub fn each(
        &mut self,
        values: &[Value<'p>],
        apply: &mut dyn FnMut(&mut Self, &[Value<'p>]) -> Checked<Value<'p>>,
    ) -> Checked<Value<'p>> {
        let template = values.iter().find_map(|value| match value {
            Value::Model(model) => Some(Arc::clone(model)),
            _ => None,
        });
        if let Some(template) = template {
            let bundles: Vec<Value<'p>> = values.iter().map(|value| self.as_bundle(value)).collect();
            let Value::Bundle(results) = self.each(&bundles, apply)? else {
                return Ok(Value::Model(template));
            };
            return Ok(self.remade(&template, &mut results.iter().cloned()));
        }
        let count = values.iter().find_map(|value| match value {
            Value::Bundle(parts) => Some(parts.len()),
            _ => None,
        });
        let Some(count) = count else { return apply(self, values) };
        let mut results = Vec::with_capacity(count);
        for k in 0..count {
            let of_one: Vec<Value<'p>> = values
                .iter()
                .map(|value| match value {
                    Value::Bundle(parts) => parts.get(k).cloned().unwrap_or(Value::Unit),
                    other => other.clone(),
                })
                .collect();
            results.push(self.each(&of_one, apply)?);
        }
        Ok(Value::Bundle(Arc::new(results)))
    }

    /// The parameters of a model, one by one.
    pub fn as_bundle(&self, value: &Value<'p>) -> Value<'p> {
        match value {
            Value::Model(model) => Value::Bundle(Arc::new(model.values())),
            other => other.clone(),
        }
    }

    pub fn unary_operator(
        &mut self,
        operator: UnaryOperator,
        value: &Value<'p>,
        span: Span,
    ) -> Checked<Value<'p>> {
        self.each(std::slice::from_ref(value), &mut |e, values| match (operator, &values[0]) {
            (UnaryOperator::Negate, Value::Number(number)) => Ok(Value::Number(-number)),
            (UnaryOperator::Not, Value::Truth(truth)) => Ok(Value::Truth(!truth)),
            (UnaryOperator::Negate, value) => {
                let x = e.float(value, span)?;
                e.build(span, |g| g.neg(x)).map(Value::Node)
            }
            (UnaryOperator::Not, value) => {
                let x = e.truth(value, span)?;
                e.build(span, |g| g.not(x)).map(Value::Node)
            }
        })
    }

    pub fn binary_expression(
        &mut self,
        operator: BinaryOperator,
        left: &'p Expr,
        right: &'p Expr,
        span: Span,
    ) -> Checked<Value<'p>> {
        let left = self.eval(left)?;
        let right = self.eval(right)?;
        self.binary_operator(operator, &left, &right, span)
    }

    pub fn binary_operator(
        &mut self,
        operator: BinaryOperator,
        left: &Value<'p>,
        right: &Value<'p>,
        span: Span,
    ) -> Checked<Value<'p>> {
        if let Some(known) = statically(operator, left, right) {
            return Ok(known);
        }
        // In the results, an arm is compared with all of its axis.
        if let Value::Choice { axis, arm } = right {
            let axis = self.axis(*axis, span)?;
            let arm = Value::Node(self.position_node(*arm as f64, axis, span)?);
            return self.binary_operator(operator, left, &arm, span);
        }
        self.each(&[left.clone(), right.clone()], &mut |e, values| {
            e.binary_node(operator, &values[0], &values[1], span).map(Value::Node)
        })
    }

    fn binary_node(
        &mut self,
        operator: BinaryOperator,
        left: &Value<'p>,
        right: &Value<'p>,
        span: Span,
    ) -> Checked<NodeId> {
        use BinaryOperator as B;
        match operator {
            B::Add | B::Subtract | B::Multiply | B::Divide | B::Remainder | B::Power => {
                let a = self.float(left, span)?;
                if operator == B::Power
                    && let Some(node) = self.small_power(a, right, span)?
                {
                    return Ok(node);
                }
                let b = self.float(right, span)?;
                self.build(span, |g| match operator {
                    B::Add => g.plus(a, b),
                    B::Subtract => g.sub(a, b),
                    B::Multiply => g.mul(a, b),
                    B::Divide => g.div(a, b),
                    B::Remainder => g.rem(a, b),
                    _ => g.pow(a, b),
                })
            }
            B::And | B::Or => {
                let (a, b) = (self.truth(left, span)?, self.truth(right, span)?);
                self.build(span, |g| if operator == B::And { g.and(a, b) } else { g.or(a, b) })
            }
            _ => {
                let (a, b) = self.comparable(left, right, span)?;
                self.build(span, |g| match operator {
                    B::Equal => g.equal(a, b),
                    B::NotEqual => g.not_equal(a, b),
                    B::Less => g.less(a, b),
                    B::LessEqual => g.less_equal(a, b),
                    B::Greater => g.less(b, a),
                    _ => g.less_equal(b, a),
                })
            }
        }
    }

    /// x^2 and x^3 as products and x^0.5 as a root: exact and cheap, and right for negative bases.
    fn small_power(&mut self, a: NodeId, right: &Value<'p>, span: Span) -> Checked<Option<NodeId>> {
        let Some(exponent) = self.number(right) else { return Ok(None) };
        let node = match exponent {
            1.0 => a,
            2.0 => self.build(span, |g| g.mul(a, a))?,
            3.0 => self.build(span, |g| {
                let square = g.mul(a, a)?;
                g.mul(square, a)
            })?,
            0.5 => self.build(span, |g| g.sqrt(a))?,
            -1.0 => self.build(span, |g| g.reciprocal(a))?,
            _ => return Ok(None),
        };
        Ok(Some(node))
    }

    /// Two nodes of one element.
    pub fn comparable(
        &mut self,
        left: &Value<'p>,
        right: &Value<'p>,
        span: Span,
    ) -> Checked<(NodeId, NodeId)> {
        let a = self.node(left, span)?;
        let b = self.node(right, span)?;
        self.same_element(a, b, span)
    }

    /// Where the elements differ, both become Floats; a whole number beside an index becomes an index.
    pub fn same_element(&mut self, a: NodeId, b: NodeId, span: Span) -> Checked<(NodeId, NodeId)> {
        let (left, right) = (self.element(a), self.element(b));
        if left == right {
            return Ok((a, b));
        }
        if left == Element::Index && right == Element::Float {
            return Ok((a, self.build(span, |g| g.cast(b, Element::Index))?));
        }
        if left == Element::Float && right == Element::Index {
            return Ok((self.build(span, |g| g.cast(a, Element::Index))?, b));
        }
        Ok((self.as_float(a, span)?, self.as_float(b, span)?))
    }

    /// `a ~= b within t`: equal or nearer than t, at every position.
    pub fn approximately(
        &mut self,
        left: &'p Expr,
        right: &'p Expr,
        within: Option<&'p Expr>,
        span: Span,
    ) -> Checked<Value<'p>> {
        let a = self.eval(left)?;
        let b = self.eval(right)?;
        let (a, b) = self.matching_lists(a, b, left.span)?;
        let tolerance = match within {
            Some(within) => self.float_of(within)?,
            None => self.build(span, |g| g.float(USUAL_TOLERANCE))?,
        };
        let (a, b) = (self.float(&a, left.span)?, self.float(&b, right.span)?);
        let near = self.build(span, |g| {
            let difference = g.sub(a, b)?;
            let distance = g.abs(difference)?;
            let near = g.less_equal(distance, tolerance)?;
            // Equal infinities have no difference.
            let same = g.equal(a, b)?;
            g.or(near, same)
        })?;
        self.all(near, span).map(Value::Node)
    }

    /// A list beside an array of one axis lies along that axis.
    fn matching_lists(&mut self, a: Value<'p>, b: Value<'p>, span: Span) -> Checked<(Value<'p>, Value<'p>)> {
        let (list, array, swapped) = match (&a, &b) {
            (Value::List(_), Value::List(_)) => return Ok((a, b)),
            (Value::List(_), _) => (&a, &b, true),
            (_, Value::List(_)) => (&b, &a, false),
            _ => return Ok((a, b)),
        };
        let array = self.node(array, span)?;
        let axes = self.axes_of(array);
        let list = Value::Node(self.list_node(list, Some(axes.as_slice()), span)?);
        Ok(if swapped { (list, Value::Node(array)) } else { (Value::Node(array), list) })
    }

    /// Whether it holds at every position.
    pub fn all(&mut self, node: NodeId, span: Span) -> Checked<NodeId> {
        let axes = self.axes_of(node);
        if axes.is_empty() {
            return Ok(node);
        }
        self.build(span, |g| g.reduce(Reduction::All, node, axes.as_slice()))
    }
}

/// The result, if both sides are known now.
fn statically<'p>(operator: BinaryOperator, left: &Value<'p>, right: &Value<'p>) -> Option<Value<'p>> {
    use BinaryOperator as B;
    let known = match (left, right) {
        (Value::Truth(a), Value::Truth(b)) => match operator {
            B::And => Value::Truth(*a && *b),
            B::Or => Value::Truth(*a || *b),
            B::Equal => Value::Truth(a == b),
            B::NotEqual => Value::Truth(a != b),
            _ => return None,
        },
        (Value::Truth(false), _) | (_, Value::Truth(false)) if operator == B::And => Value::Truth(false),
        (Value::Truth(true), _) | (_, Value::Truth(true)) if operator == B::Or => Value::Truth(true),
        (Value::Truth(true), other) | (other, Value::Truth(true)) if operator == B::And => other.clone(),
        (Value::Truth(false), other) | (other, Value::Truth(false)) if operator == B::Or => other.clone(),
        (Value::Choice { axis: a, arm: i }, Value::Choice { axis: b, arm: j }) => match operator {
            B::Equal => Value::Truth(a == b && i == j),
            B::NotEqual => Value::Truth(a != b || i != j),
            _ => return None,
        },
        (Value::Text(a), Value::Text(b)) => match operator {
            B::Equal => Value::Truth(a == b),
            B::NotEqual => Value::Truth(a != b),
            _ => return None,
        },
        (Value::Number(a), Value::Number(b)) => match operator {
            B::Add => Value::Number(a + b),
            B::Subtract => Value::Number(a - b),
            B::Multiply => Value::Number(a * b),
            B::Divide => Value::Number(a / b),
            B::Remainder => Value::Number(a - b * (a / b).floor()),
            B::Power => Value::Number(a.powf(*b)),
            B::Equal => Value::Truth(a == b),
            B::NotEqual => Value::Truth(a != b),
            B::Less => Value::Truth(a < b),
            B::LessEqual => Value::Truth(a <= b),
            B::Greater => Value::Truth(a > b),
            B::GreaterEqual => Value::Truth(a >= b),
            B::And | B::Or => return None,
        },
        _ => return None,
    };
    Some(known)
}

/// Elements must agree where one of several nodes is chosen.
impl<'p> Elaborator<'_, 'p> {
    /// `where(condition, a, b)`.
    pub fn choose(
        &mut self,
        condition: &Value<'p>,
        yes: &Value<'p>,
        no: &Value<'p>,
        span: Span,
    ) -> Checked<Value<'p>> {
        self.each(&[condition.clone(), yes.clone(), no.clone()], &mut |e, values| {
            let condition = e.truth(&values[0], span)?;
            let (yes, no) = e.comparable(&values[1], &values[2], span)?;
            e.build(span, |g| g.select(condition, yes, no)).map(Value::Node)
        })
    }

    pub fn expect_scalar(&mut self, node: NodeId, what: &str, span: Span) -> Checked<NodeId> {
        match self.axes_of(node).is_empty() {
            true => Ok(node),
            false => {
                let names: Vec<String> = self.axes_of(node).iter().map(|axis| self.axis_name(axis)).collect();
                Err(fail::not_scalar(span, what, &names))
            }
        }
    }
}
