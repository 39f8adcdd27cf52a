//! Builtins: which file makes the nodes of which, and how their arguments are read.

use super::elaborator::Elaborator;
use super::fail;
use super::value::Value;
use crate::check::builtin::Builtin;
use crate::check::program::{Element as CheckedElement, Type};
use crate::diagnostic::Checked;
use crate::graph::{Axis, AxisSet, Check, Element, NodeId, Special, Unary};
use crate::source::Span;
use crate::syntax::ast::{self, ArgumentKind, Call, Expr};

impl<'p> Elaborator<'_, 'p> {
    pub fn eval_builtin(&mut self, builtin: Builtin, expr: &'p Expr, call: &'p Call) -> Checked<Value<'p>> {
        use Builtin as B;
        let span = expr.span;
        match builtin {
            B::Max | B::Min if !self.names_axes(call) => {
                let values = self.values(call)?;
                self.element_wise(builtin, &values, span)
            }
            B::Sum
            | B::Product
            | B::Mean
            | B::Max
            | B::Min
            | B::Any
            | B::All
            | B::Count
            | B::LogSumExp
            | B::Variance
            | B::StandardDeviation
            | B::ArgMax
            | B::ArgMin
            | B::Median
            | B::Quantile => self.eval_reduction(builtin, expr, call),
            B::Sort
            | B::ArgSort
            | B::Rank
            | B::Top
            | B::CumulativeSum
            | B::CumulativeProduct
            | B::CumulativeMax
            | B::CumulativeMin => self.eval_order(builtin, expr, call),
            B::Window
            | B::Concat
            | B::Flatten
            | B::Unflatten
            | B::Split
            | B::Shift
            | B::Pad
            | B::Diagonal => self.eval_shape(builtin, expr, call),
            B::Cholesky
            | B::Solve
            | B::SolveTriangular
            | B::Eigh
            | B::Svd
            | B::Qr
            | B::SpanningTree
            | B::Assignment => self.eval_matrix(builtin, expr, call),
            B::Uniform
            | B::Normal
            | B::Bernoulli
            | B::Categorical
            | B::UniformIndex
            | B::Permutation
            | B::Resample => self.eval_draw(builtin, expr, call),
            B::Size => {
                let axes = self.call_axis_list(call)?;
                Ok(Value::Number(axes.iter().map(|axis| self.size(*axis) as f64).product()))
            }
            B::Iota => {
                let axis = self.one_axis(call, span)?;
                self.build(span, |g| g.iota(axis)).map(Value::Node)
            }
            B::Zeros | B::Ones => {
                let axes = AxisSet::from(&self.call_axis_list(call)?[..]);
                let scalar = self.build(span, |g| g.float(if builtin == B::Ones { 1.0 } else { 0.0 }))?;
                self.broadcast(scalar, &axes, span).map(Value::Node)
            }
            B::Broadcast => {
                let node = self.first_node(call, span)?;
                let axes = AxisSet::from(&self.call_axis_list(call)?[..]);
                self.broadcast(node, &axes, span).map(Value::Node)
            }
            B::OneHot => self.one_hot(call, span),
            B::Position => self.position(call, span),
            B::Copy | B::Freeze | B::Ema => self.model_builtin(builtin, call, span),
            B::Grad => {
                let values = self.values(call)?;
                let [y, x] = &values[..] else { return Err(fail::fault(span, "`grad` takes two values")) };
                let y = self.float(y, span)?;
                // In a lifted call every item has its own gradient.
                if !self.axes_of(y).is_subset(&self.frame.extra) {
                    self.expect_scalar(y, "the first argument of `grad`", span)?;
                }
                match x {
                    Value::Model(model) => self.model_gradient(y, model, span),
                    x => {
                        let versions = self.versions_of(x, span)?;
                        let found = self.gradients_by_versions(y, &[versions], span)?;
                        Ok(Value::Node(found[0]))
                    }
                }
            }
            B::Plateau => self.plateau(call, span),
            B::Inner => {
                let values = self.values(call)?;
                self.inner(&values, span)
            }
            B::Geometric | B::Range | B::KFold => {
                let values = self.values(call)?;
                self.static_list(builtin, &values, span)
            }
            _ => {
                let values = self.values(call)?;
                self.element_wise(builtin, &values, span)
            }
        }
    }

    /// One gradient for each of `by`, with its axes. Where y has axes, every position is an item with a gradient of its own.
    pub fn gradients(&mut self, y: NodeId, by: &[NodeId], span: Span) -> Checked<Vec<NodeId>> {
        self.output.graph.span = span;
        if let Some(node) = self.graph().lost_derivative(y, by) {
            let node = self.graph().node(node);
            return Err(fail::no_derivative(span, node.op.name(), node.span));
        }
        let items = self.axes_of(y);
        self.output.graph.gradient_of_items(y, by, &items).map_err(|error| fail::type_fault(span, &error))
    }

    // Arguments.

    /// The values of all arguments that are not axes, in order.
    pub fn values(&mut self, call: &'p Call) -> Checked<Vec<Value<'p>>> {
        let mut values = Vec::new();
        for argument in &call.arguments {
            if let ArgumentKind::Positional(value) = &argument.kind
                && self.axis_id_of(value).is_none()
            {
                values.push(self.eval(value)?);
            }
        }
        Ok(values)
    }

    /// The first argument that is not an axis.
    pub fn first_value(&mut self, call: &'p Call) -> Option<&'p Expr> {
        call.arguments.iter().find_map(|argument| match &argument.kind {
            ArgumentKind::Positional(value) if self.axis_id_of(value).is_none() => Some(value),
            _ => None,
        })
    }

    pub fn first_node(&mut self, call: &'p Call, span: Span) -> Checked<NodeId> {
        match self.first_value(call) {
            Some(value) => self.node_of(value),
            None => Err(fail::fault(span, "a builtin without its value")),
        }
    }

    fn names_axes(&self, call: &Call) -> bool {
        let is_axis = |argument: &ast::Argument| match &argument.kind {
            ArgumentKind::Positional(value) => self.axis_id_of(value).is_some(),
            _ => false,
        };
        !call.axes.is_empty() || call.arguments.iter().any(is_axis)
    }

    /// The axes of the call, in brackets and among the arguments, in order. Evaluate the call's values first: they may
    /// make the axes that are named.
    pub fn call_axis_list(&mut self, call: &'p Call) -> Checked<Vec<Axis>> {
        let mut axes = Vec::new();
        for name in &call.axes {
            axes.push(self.named_axis(name)?);
        }
        for argument in &call.arguments {
            if let ArgumentKind::Positional(value) = &argument.kind
                && let Some(axis) = self.axis_of(value)?
            {
                axes.push(axis);
            }
        }
        Ok(axes)
    }

    pub fn one_axis(&mut self, call: &'p Call, span: Span) -> Checked<Axis> {
        match self.call_axis_list(call)?.first() {
            Some(axis) => Ok(*axis),
            None => Err(fail::fault(span, "a builtin without its axis")),
        }
    }

    /// An argument by place among the values, or by name.
    pub fn argument(&self, call: &'p Call, place: usize, names: &[&str]) -> Option<&'p Expr> {
        let named = call.arguments.iter().find_map(|argument| match &argument.kind {
            ArgumentKind::Named { name, value } if names.contains(&name.text.as_str()) => Some(value),
            _ => None,
        });
        let mut positional = call.arguments.iter().filter_map(|argument| match &argument.kind {
            ArgumentKind::Positional(value) if self.axis_id_of(value).is_none() => Some(value),
            _ => None,
        });
        named.or_else(|| positional.nth(place))
    }

    pub fn float_argument(
        &mut self,
        call: &'p Call,
        place: usize,
        names: &[&str],
        default: f64,
    ) -> Checked<NodeId> {
        match self.argument(call, place, names) {
            Some(value) => self.float_of(value),
            None => {
                let span = call.callee.span;
                self.build(span, |g| g.float(default))
            }
        }
    }

    /// A named argument that must be known now.
    pub fn static_argument(&mut self, call: &'p Call, name: &str, default: f64) -> Checked<f64> {
        match self.argument(call, usize::MAX, &[name]) {
            Some(value) => self.static_number(value, &format!("`{name}`")),
            None => Ok(default),
        }
    }

    // Element by element.

    pub fn element_wise(&mut self, builtin: Builtin, values: &[Value<'p>], span: Span) -> Checked<Value<'p>> {
        if let Some(known) = calculate(builtin, values) {
            return Ok(Value::Number(known));
        }
        if builtin == Builtin::Where {
            return match values {
                [condition, yes, no] => self.choose(condition, yes, no, span),
                _ => Err(fail::fault(span, "`where` takes three values")),
            };
        }
        self.each(values, &mut |e, values| e.element_wise_node(builtin, values, span).map(Value::Node))
    }

    fn element_wise_node(&mut self, builtin: Builtin, values: &[Value<'p>], span: Span) -> Checked<NodeId> {
        // Truth values and indices have no gradient to stop.
        if let (Builtin::Stop, [value]) = (builtin, values) {
            let node = self.node(value, span)?;
            if self.element(node) != Element::Float {
                return Ok(node);
            }
        }
        let mut operands = Vec::with_capacity(values.len());
        for value in values {
            operands.push(self.float(value, span)?);
        }
        match (builtin, &operands[..]) {
            (Builtin::Number, [x]) => Ok(*x),
            (Builtin::Stop, [x]) => self.build(span, |g| g.stop(*x)),
            (Builtin::Max, [a, b]) => self.build(span, |g| g.max(*a, *b)),
            (Builtin::Min, [a, b]) => self.build(span, |g| g.min(*a, *b)),
            (Builtin::BetaIncomplete, [a, b, x]) => {
                self.build(span, |g| g.special(Special::BetaIncomplete, [*a, *b, *x]))
            }
            (Builtin::GammaIncomplete, [a, x]) => {
                self.build(span, |g| g.special(Special::GammaIncomplete, [*a, *x, *x]))
            }
            (Builtin::GammaQuantile, [a, p]) => {
                self.build(span, |g| g.special(Special::GammaQuantile, [*a, *p, *p]))
            }
            (Builtin::PoissonQuantile, [mean, p]) => {
                self.build(span, |g| g.special(Special::PoissonQuantile, [*mean, *p, *p]))
            }
            (Builtin::BinomialQuantile, [n, chance, p]) => {
                self.build(span, |g| g.special(Special::BinomialQuantile, [*n, *chance, *p]))
            }
            (builtin, [x]) => match unary(builtin) {
                Some(operation) => self.build(span, |g| g.unary(operation, *x)),
                None => Err(fail::fault(span, format!("`{}` of one value", builtin.name()))),
            },
            (builtin, _) => {
                let count = operands.len();
                Err(fail::fault(span, format!("`{}` of {count} values", builtin.name())))
            }
        }
    }

    /// 1 at the position of its axis, 0 elsewhere.
    fn one_hot(&mut self, call: &'p Call, span: Span) -> Checked<Value<'p>> {
        let Some(value) = self.first_value(call) else {
            return Err(fail::fault(span, "`one_hot` without a value"));
        };
        let axis = self.index_axis(value)?;
        let index = self.node_of(value)?;
        self.build(span, |g| {
            let positions = g.iota(axis)?;
            let here = g.equal(index, positions)?;
            g.cast(here, Element::Float)
        })
        .map(Value::Node)
    }

    /// The axis that the values of an expression index.
    pub fn index_axis(&mut self, value: &'p Expr) -> Checked<Axis> {
        match self.typed().types.get(&value.id) {
            Some(Type::Array { element: CheckedElement::Index(id), .. }) => self.axis(*id, value.span),
            _ => Err(fail::fault(value.span, "an index whose axis is not known")),
        }
    }

    /// `position[A](x)`: x truncated, as an index of A.
    fn position(&mut self, call: &'p Call, span: Span) -> Checked<Value<'p>> {
        let axis = self.one_axis(call, span)?;
        let Some(value) = self.first_value(call) else {
            return Err(fail::fault(span, "`position` without a value"));
        };
        let found = self.eval(value)?;
        if let Some(number) = self.number(&found) {
            return self.position_node(number.trunc(), axis, value.span).map(Value::Node);
        }
        let x = self.float(&found, value.span)?;
        let (size, name) = (self.size(axis), self.axis_name(axis));
        let (index, inside) = {
            let index = self.build(span, |g| g.cast(x, Element::Index))?;
            let inside = self.build(span, |g| {
                let bottom = g.float(-1.0)?;
                let top = g.float(size as f64)?;
                let above = g.less(bottom, x)?;
                let below = g.less(x, top)?;
                g.and(above, below)
            })?;
            (index, self.all(inside, span)?)
        };
        let check = Check {
            message: format!("a number is not a position of the axis `{name}`"),
            help: format!("`{name}` has the positions 0 to {}", size.saturating_sub(1)),
            span,
        };
        self.build(span, |g| g.check(index, inside, check)).map(Value::Node)
    }

    /// `inner(a, b)`: the sum of a * b over all elements of all parameters.
    fn inner(&mut self, values: &[Value<'p>], span: Span) -> Checked<Value<'p>> {
        if let [a] = values {
            // `norm` of a model.
            let square = self.inner(&[a.clone(), a.clone()], span)?;
            return self.element_wise(Builtin::Sqrt, &[square], span);
        }
        let [a, b] = values else { return Err(fail::fault(span, "`inner` takes two values")) };
        let (a, b) = (&self.as_bundle(a), &self.as_bundle(b));
        let products = self.each(&[a.clone(), b.clone()], &mut |e, values| {
            let (a, b) = (e.float(&values[0], span)?, e.float(&values[1], span)?);
            let product = e.build(span, |g| g.mul(a, b))?;
            // The items of a lifted call stay apart.
            let axes = e.axes_of(product).minus(&e.frame.extra);
            e.build(span, |g| g.sum(product, axes.as_slice())).map(Value::Node)
        })?;
        let Value::Bundle(parts) = products else { return Ok(products) };
        let mut total: Option<NodeId> = None;
        for part in parts.iter() {
            let part = self.node(part, span)?;
            total = Some(match total {
                Some(total) => self.build(span, |g| g.plus(total, part))?,
                None => part,
            });
        }
        Ok(total.map_or(Value::Number(0.0), Value::Node))
    }

    fn static_list(&mut self, builtin: Builtin, values: &[Value<'p>], span: Span) -> Checked<Value<'p>> {
        let mut numbers = Vec::with_capacity(values.len());
        for value in values {
            match self.number(value) {
                Some(number) if number.is_finite() => numbers.push(number),
                _ => return Err(fail::not_static(span, "the bounds of a list")),
            }
        }
        let list = match (builtin, &numbers[..]) {
            (Builtin::Geometric, [from, to, ratio]) if *from > 0.0 && *ratio > 1.0 => {
                let mut list: Vec<f64> = Vec::new();
                let mut exact = *from;
                while exact.round() <= *to && list.len() < 100_000 {
                    if list.last() != Some(&exact.round()) {
                        list.push(exact.round());
                    }
                    exact *= ratio;
                }
                list
            }
            (Builtin::Range, [from, to]) => {
                let count = (to - from).ceil().clamp(0.0, 1e6) as usize;
                (0..count).map(|k| from + k as f64).collect()
            }
            (Builtin::KFold, [k]) => (0..k.clamp(0.0, 1e6) as usize).map(|fold| fold as f64).collect(),
            _ => return Err(fail::not_size(span, numbers.first().copied().unwrap_or(f64::NAN))),
        };
        Ok(Value::List(std::sync::Arc::new(list.into_iter().map(Value::Number).collect())))
    }
}

fn unary(builtin: Builtin) -> Option<Unary> {
    Some(match builtin {
        Builtin::Exp => Unary::Exp,
        Builtin::Log => Unary::Log,
        Builtin::Log1p => Unary::Log1p,
        Builtin::Expm1 => Unary::Expm1,
        Builtin::Sqrt => Unary::Sqrt,
        Builtin::Sin => Unary::Sin,
        Builtin::Cos => Unary::Cos,
        Builtin::Tanh => Unary::Tanh,
        Builtin::Erf => Unary::Erf,
        Builtin::Sigmoid => Unary::Sigmoid,
        Builtin::Abs => Unary::Abs,
        Builtin::Sign => Unary::Sign,
        Builtin::Floor => Unary::Floor,
        Builtin::LogGamma => Unary::LogGamma,
        Builtin::Digamma => Unary::Digamma,
        Builtin::NormalQuantile => Unary::NormalQuantile,
        _ => return None,
    })
}

/// The number, if the arguments are known now and it can be a size or a count.
fn calculate(builtin: Builtin, values: &[Value<'_>]) -> Option<f64> {
    let number = |k: usize| match values.get(k) {
        Some(Value::Number(number)) => Some(*number),
        _ => None,
    };
    let x = number(0)?;
    Some(match builtin {
        Builtin::Exp => x.exp(),
        Builtin::Log => x.ln(),
        Builtin::Log1p => x.ln_1p(),
        Builtin::Expm1 => x.exp_m1(),
        Builtin::Sqrt => x.sqrt(),
        Builtin::Sin => x.sin(),
        Builtin::Cos => x.cos(),
        Builtin::Tanh => x.tanh(),
        Builtin::Abs => x.abs(),
        Builtin::Floor => x.floor(),
        Builtin::Number | Builtin::Stop => x,
        Builtin::Max => x.max(number(1)?),
        Builtin::Min => x.min(number(1)?),
        _ => return None,
    })
}
