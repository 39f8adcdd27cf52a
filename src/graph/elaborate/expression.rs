//! Expressions. In: a tree. Out: its value; every kind of expression has its home in another file.

use super::elaborator::Elaborator;
use super::fail;
use super::value::{Closure, Frame, Value};
use crate::check::builtin::Builtin;
use crate::check::program::{AxisId, AxisKind, Definition, Type, Vary};
use crate::diagnostic::Checked;
use crate::syntax::ast::{self, Expr, ExprKind, ItemKind, Name};
use std::sync::Arc;

use super::scope::VaryBinding;

impl<'p> Elaborator<'_, 'p> {
    pub fn eval(&mut self, expr: &'p Expr) -> Checked<Value<'p>> {
        let typed = self.typed();
        let function = match (&expr.kind, typed.types.get(&expr.id)) {
            (
                ExprKind::Name(_) | ExprKind::Field { .. } | ExprKind::Index { .. },
                Some(Type::Function { .. }),
            ) => typed.calls.get(&expr.id),
            _ => None,
        };
        let value = match function {
            Some(info) => self.eval_function(expr, info)?,
            None => self.eval_kind(expr)?,
        };
        if self.watched.contains(&expr.id) {
            self.seen.push((expr.id, value.clone()));
        }
        Ok(value)
    }

    pub fn eval_kind(&mut self, expr: &'p Expr) -> Checked<Value<'p>> {
        match &expr.kind {
            ExprKind::Number { value, .. } => Ok(Value::Number(*value)),
            ExprKind::Bool(truth) => Ok(Value::Truth(*truth)),
            ExprKind::Text(text) => Ok(Value::Text(text.as_str().into())),
            ExprKind::Name(name) => self.eval_name(expr, name),
            ExprKind::Parenthesised(inner) => self.eval(inner),
            ExprKind::Tuple(parts) => Ok(Value::Tuple(Arc::new(self.eval_all(parts)?))),
            ExprKind::List(_) => {
                let list = self.raw_list(expr)?;
                self.list_value(expr, list)
            }
            ExprKind::Record(fields) => {
                let mut values = Vec::with_capacity(fields.len());
                for (name, value) in fields {
                    values.push((name.text.clone(), self.eval(value)?));
                }
                Ok(Value::Record(Arc::new(values)))
            }
            ExprKind::Unary { operator, value } => {
                let value = self.eval(value)?;
                self.unary_operator(*operator, &value, expr.span)
            }
            ExprKind::Binary { operator, left, right, .. } => {
                self.binary_expression(*operator, left, right, expr.span)
            }
            ExprKind::Approximately { left, right, within } => {
                self.approximately(left, right, within.as_deref(), expr.span)
            }
            ExprKind::Call(call) => self.eval_call(expr, call),
            ExprKind::Index { value, selectors } => self.eval_index(expr, value, selectors),
            ExprKind::Field { value, field } => self.eval_field(expr, value, field),
            ExprKind::Match { value, arms } => self.eval_match(expr, value, arms),
            ExprKind::If { condition, then, otherwise } => {
                match self.static_truth(condition, "the condition of an `if`")? {
                    true => self.block(then),
                    false => self.block(otherwise),
                }
            }
            ExprKind::Scan { item, axis, from, body } => self.eval_scan(expr, item, axis, from, body),
            ExprKind::Iterate { count, until, from, body, .. } => {
                self.eval_iterate(expr, count, until.as_deref(), from, body)
            }
            ExprKind::Lambda { parameters, result, body } => {
                self.eval_lambda(expr, parameters, result.as_ref(), body)
            }
            ExprKind::From { value, source, map } => self.pretrained(value, source, map),
        }
    }

    pub fn eval_all(&mut self, parts: &'p [Expr]) -> Checked<Vec<Value<'p>>> {
        parts.iter().map(|part| self.eval(part)).collect()
    }

    /// Statements, then the value.
    pub fn block(&mut self, block: &'p ast::Block) -> Checked<Value<'p>> {
        for statement in &block.statements {
            self.statement(statement)?;
        }
        match &block.value {
            Some(value) => self.eval(value),
            None => Ok(Value::Unit),
        }
    }

    fn eval_name(&mut self, expr: &'p Expr, name: &'p Name) -> Checked<Value<'p>> {
        let typed = self.typed();
        if let Some(Type::Rows { data, rows }) = typed.types.get(&expr.id) {
            return Ok(self.rows_value(data, *rows));
        }
        match typed.names.get(&name.span) {
            Some(definition) => self.definition(definition, name),
            None => Err(fail::fault(name.span, format!("the name `{}` is not resolved", name.text))),
        }
    }

    fn definition(&mut self, definition: &'p Definition, name: &'p Name) -> Checked<Value<'p>> {
        match definition {
            Definition::Local(span) => {
                let value = self.local(*span, name)?;
                let mut viewed = self.typed().viewed.get(&name.span).into_iter().flatten();
                viewed.try_fold(value, |value, data| self.seen_by_rows(data, value, name.span))
            }
            Definition::Column { data, column } => self.column_value(data, None, column, name.span),
            Definition::Item(item) => match &self.typed().item(*item).kind {
                ItemKind::Let(binding) => {
                    let wanted = binding.names.iter().find(|n| n.text == name.text);
                    match wanted {
                        Some(wanted) => self.local(wanted.span, name),
                        None => Err(fail::fault(name.span, "a `let` without this name")),
                    }
                }
                _ => Ok(Value::Function(Arc::new(Closure::Item { item: *item, axes: Vec::new() }))),
            },
            Definition::Builtin(builtin) => self.constant(*builtin, name),
            Definition::Axis(id) | Definition::VaryValue(id) => self.vary_value(*id, name),
            Definition::Arm(axis, arm) => Ok(Value::Choice { axis: *axis, arm: *arm }),
        }
    }

    /// What a binding's name stands for: in this frame, in the scope, or at the top of its file.
    fn local(&mut self, span: crate::source::Span, name: &Name) -> Checked<Value<'p>> {
        if let Some(value) = self.frame.values.get(&span).or_else(|| self.scope.root.values.get(&span)) {
            let value = value.clone();
            return self.thawed(value, name.span);
        }
        if let Some(binding) = self.scope.file_lets.get(&span).copied() {
            // Its draws are at one place, wherever it is used.
            let path = std::mem::take(&mut self.path);
            let ordinals = std::mem::take(&mut self.ordinals);
            let (done, frame) = self.in_frame(Frame::default(), |e| e.bind_let(binding));
            self.path = path;
            self.ordinals = ordinals;
            done?;
            if let Some(value) = frame.values.get(&span) {
                // A node belongs to this program only; anything else serves all of them.
                if !matches!(value, Value::Node(_)) {
                    self.scope.root.values.insert(span, value.clone());
                }
                return Ok(value.clone());
            }
        }
        Err(fail::fault(name.span, format!("`{}` has no value here", name.text)))
    }

    /// A frozen parameter that is read on its own is an array of this program.
    fn thawed(&mut self, value: Value<'p>, span: crate::source::Span) -> Checked<Value<'p>> {
        match value {
            Value::Frozen(_) => self.node(&value, span).map(Value::Node),
            other => Ok(other),
        }
    }

    fn constant(&mut self, builtin: Builtin, name: &Name) -> Checked<Value<'p>> {
        let outside = || fail::fault(name.span, format!("`{}` outside a train block", name.text));
        match builtin {
            Builtin::Pi => Ok(Value::Number(std::f64::consts::PI)),
            Builtin::Infinity => Ok(Value::Number(f64::INFINITY)),
            Builtin::Training => Ok(Value::Truth(self.training)),
            Builtin::Step => {
                let step = self.moment.ok_or_else(outside)?.step;
                self.as_float(step, name.span).map(Value::Node)
            }
            Builtin::Epoch => Ok(Value::Node(self.moment.ok_or_else(outside)?.epoch)),
            Builtin::Progress => Ok(Value::Node(self.moment.ok_or_else(outside)?.progress)),
            builtin => Ok(Value::Function(Arc::new(Closure::Builtin { builtin, axes: Vec::new() }))),
        }
    }

    /// The value of a `vary` axis: of this trial, or in the results phase all of them.
    fn vary_value(&mut self, id: AxisId, name: &Name) -> Checked<Value<'p>> {
        match self.scope.varies.get(&id).cloned() {
            Some(VaryBinding::Arm(arm)) => Ok(Value::Choice { axis: id, arm }),
            Some(VaryBinding::Number(number)) => Ok(Value::Number(number)),
            Some(VaryBinding::Slot { slot, .. }) => Ok(Value::Stored(super::value::Stored {
                slot,
                element: crate::graph::Element::Float,
                layout: Vec::new(),
                name: name.text.clone(),
            })),
            Some(VaryBinding::Values(values)) => {
                let axis = self.axis(id, name.span)?;
                // Of arms, their positions.
                if values.is_empty() {
                    return self.build(name.span, |g| g.iota(axis)).map(Value::Node);
                }
                let tensor = crate::graph::Tensor::F64(values);
                self.build(name.span, |g| g.tensor(tensor, &[axis])).map(Value::Node)
            }
            None => Err(fail::fault(name.span, format!("the axis `{}` has no value here", name.text))),
        }
    }

    /// The arms of a structural `vary`.
    pub fn arms(&self, id: AxisId) -> &'p [String] {
        match &self.typed().axis(id).kind {
            AxisKind::Vary(Vary::Arms(arms)) => arms,
            _ => &[],
        }
    }

    fn eval_field(&mut self, expr: &'p Expr, value: &'p Expr, field: &'p Name) -> Checked<Value<'p>> {
        if let Some(Type::Rows { data, rows }) = self.typed().types.get(&expr.id) {
            return Ok(self.rows_value(data, *rows));
        }
        match self.eval(value)? {
            Value::Record(fields) => match fields.iter().find(|(name, _)| *name == field.text) {
                Some((_, value)) => Ok(value.clone()),
                None => Err(fail::fault(field.span, "a record without this field")),
            },
            Value::Tuple(parts) => match field.text.parse::<usize>().ok().and_then(|at| parts.get(at)) {
                Some(part) => Ok(part.clone()),
                None => Err(fail::fault(field.span, "a tuple without this part")),
            },
            Value::Model(model) => {
                if let Some(parameter) = model.parameters.get(&field.text) {
                    let parameter = parameter.clone();
                    return self.thawed(parameter, field.span);
                }
                match model.members.get(&field.text) {
                    Some(member) => self.over_models(member.clone(), &model, field.span),
                    None => Err(fail::fault(field.span, "a model without this member")),
                }
            }
            Value::Rows { data, part } => {
                // In a block over the data, its columns are the block's.
                let block = part.is_none() && self.views.contains_key(&data);
                let rows = if block { None } else { Some(part.as_deref()) };
                self.column_value(&data, rows, &field.text, field.span)
            }
            other => Err(fail::fault(field.span, format!("a field of {}", other.what()))),
        }
    }

    fn eval_match(&mut self, expr: &'p Expr, value: &'p Expr, arms: &'p [ast::Arm]) -> Checked<Value<'p>> {
        let found = self.eval(value)?;
        let number = self.number(&found);
        for arm in arms {
            let fits = match (&arm.pattern, &found) {
                (ast::Pattern::Any(_), _) => true,
                (ast::Pattern::Name(name), Value::Choice { axis, arm }) => {
                    self.arms(*axis).get(*arm).is_some_and(|text| *text == name.text)
                }
                (ast::Pattern::Number(wanted, _), _) => number == Some(*wanted),
                _ => false,
            };
            if fits {
                return self.eval(&arm.value);
            }
        }
        match (found, number) {
            (Value::Choice { .. }, _) | (_, Some(_)) => Err(fail::no_arm(expr.span)),
            _ => Err(fail::not_static(value.span, "the value of a `match`")),
        }
    }
}

impl Value<'_> {
    /// What kind of value it is, for messages.
    pub fn what(&self) -> &'static str {
        match self {
            Value::Node(_) | Value::Stored(_) | Value::Frozen(_) => "an array",
            Value::Number(_) => "a number",
            Value::Truth(_) => "a truth value",
            Value::Text(_) => "a text",
            Value::Choice { .. } => "an arm",
            Value::List(_) => "a list",
            Value::Record(_) => "a record",
            Value::Tuple(_) => "a tuple",
            Value::Model(_) => "a model",
            Value::Function(_) => "a function",
            Value::Optimizer(_) => "an optimizer",
            Value::Rows { .. } => "a data set",
            Value::Texts => "a column of text",
            Value::Bundle(_) => "the parameters of an objective",
            Value::Unit => "nothing",
        }
    }
}
