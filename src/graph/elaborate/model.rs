//! Models made of models: copies, shadows, frozen ones, and arithmetic parameter by parameter.

use std::sync::Arc;

use super::elaborator::Elaborator;
use super::fail;
use super::value::{Model, Stored, Value};
use crate::check::builtin::Builtin;
use crate::check::program::Target;
use crate::diagnostic::Checked;
use crate::graph::NodeId;
use crate::source::Span;
use crate::syntax::ast::{ArgumentKind, Call, Expr, ExprKind, Init, ItemKind, Let, MemberKind, Name};

/// An `ema` of a train block, which moves after every step.
#[derive(Clone)]
pub struct Shadow<'p> {
    model: Arc<Model<'p>>,
    of: &'p Expr,
    decay: &'p Expr,
}

impl<'p> Elaborator<'_, 'p> {
    pub fn model(&mut self, expr: &'p Expr) -> Checked<Arc<Model<'p>>> {
        match self.eval(expr)? {
            Value::Model(model) => Ok(model),
            other => Err(fail::fault(expr.span, format!("{} where a model is wanted", other.what()))),
        }
    }

    /// The same model with other values for its parameters, in the order of [`Model::values`].
    pub fn remade(&self, model: &Model<'p>, values: &mut dyn Iterator<Item = Value<'p>>) -> Value<'p> {
        let mut made = model.clone();
        made.parameters.values_mut().for_each(|parameter| {
            if let Some(value) = values.next() {
                *parameter = value;
            }
        });
        for member in made.members.values_mut() {
            *member = self.remade_member(member, values);
        }
        self.see_members(&mut made);
        Value::Model(Arc::new(made))
    }

    /// The functions of the model see its parameters and members as they are now.
    pub fn see_members(&self, made: &mut Model<'p>) {
        if let ItemKind::Layer(layer) = &self.typed().item(made.layer).kind {
            for member in &layer.members {
                let names: &[Name] = match &member.kind {
                    MemberKind::Param(param) => &param.names,
                    MemberKind::Let(binding) => &binding.names,
                    _ => &[],
                };
                for name in names {
                    let value = made.parameters.get(&name.text).or_else(|| made.members.get(&name.text));
                    if let Some(value) = value.cloned() {
                        made.frame.values.insert(name.span, value);
                    }
                }
            }
        }
    }

    fn remade_member(&self, member: &Value<'p>, values: &mut dyn Iterator<Item = Value<'p>>) -> Value<'p> {
        let mut all = |parts: &[Value<'p>]| -> Arc<Vec<Value<'p>>> {
            Arc::new(parts.iter().map(|part| self.remade_member(part, values)).collect())
        };
        match member {
            Value::Model(model) => self.remade(model, values),
            Value::List(parts) => Value::List(all(parts)),
            Value::Tuple(parts) => Value::Tuple(all(parts)),
            Value::Record(fields) => {
                let parts: Vec<Value<'p>> = fields.iter().map(|(_, part)| part.clone()).collect();
                let names = fields.iter().map(|(name, _)| name.clone());
                Value::Record(Arc::new(names.zip(all(&parts).iter().cloned()).collect()))
            }
            other => other.clone(),
        }
    }

    /// `copy(m)`, `freeze(m)` as values: of a copy in a step, the parameters as they are now.
    pub fn model_builtin(&mut self, builtin: Builtin, call: &'p Call, span: Span) -> Checked<Value<'p>> {
        let Some(of) = self.first_value(call) else { return Err(fail::fault(span, "no model is named")) };
        let model = self.model(of)?;
        match builtin {
            Builtin::Freeze => self.frozen(&model, span),
            _ if self.moment.is_some() => {
                let nodes = self.model_nodes(&model, span)?;
                Ok(self.remade(&model, &mut nodes.into_iter().map(Value::Node)))
            }
            _ => self.copied(&model, "copy", span),
        }
    }

    fn frozen(&mut self, model: &Model<'p>, span: Span) -> Checked<Value<'p>> {
        let mut values = Vec::new();
        for value in model.values() {
            values.push(match value {
                Value::Stored(stored) => Value::Frozen(stored),
                Value::Frozen(stored) => Value::Frozen(stored),
                other => {
                    let node = self.node(&other, span)?;
                    Value::Node(self.build(span, |g| g.stop(node))?)
                }
            });
        }
        Ok(self.remade(model, &mut values.into_iter()))
    }

    /// The newest value of every parameter.
    pub fn model_nodes(&mut self, model: &Model<'p>, span: Span) -> Checked<Vec<NodeId>> {
        model.values().iter().map(|value| self.node(value, span)).collect()
    }

    /// The same values in slots of their own.
    pub fn copied(&mut self, model: &Model<'p>, name: &str, span: Span) -> Checked<Value<'p>> {
        let nodes = self.model_nodes(model, span)?;
        let mut kept = Vec::with_capacity(nodes.len());
        for (k, node) in nodes.into_iter().enumerate() {
            kept.push(Value::Stored(self.keep(&format!("{name}.{k}"), node, span)?));
        }
        Ok(self.remade(model, &mut kept.into_iter()))
    }

    /// Gives every parameter of a model with slots of its own a new value.
    pub fn set_model(&mut self, kept: &Model<'p>, new: &Model<'p>, span: Span) -> Checked<()> {
        let values = self.model_nodes(new, span)?;
        let slots = kept.values();
        if slots.len() != values.len() {
            return Err(fail::other_model(span));
        }
        for (slot, value) in slots.iter().zip(values) {
            let Value::Stored(stored) = slot else {
                return Err(fail::fault(span, "an assignment to a model without slots"));
            };
            self.set(stored, &Value::Node(value), span)?;
        }
        Ok(())
    }

    /// In a train block: `let t = copy(net)`, `let t = ema(net, 0.99)`, `let t = copy(net) every 4 steps`. Whether it was one.
    pub fn kept_model(&mut self, binding: &'p Let) -> Checked<bool> {
        let Init::Value(value) = &binding.value else { return Ok(false) };
        let ([name], ExprKind::Call(call)) = (&binding.names[..], &value.kind) else { return Ok(false) };
        let builtin = match self.typed().calls.get(&value.id).map(|info| &info.target) {
            Some(Target::Builtin(builtin @ (Builtin::Copy | Builtin::Ema))) => *builtin,
            _ => return Ok(false),
        };
        if self.block.is_none() || self.frame.values.contains_key(&name.span) {
            return Ok(self.frame.values.contains_key(&name.span));
        }
        let Some(of) = self.first_value(call) else {
            return Err(fail::fault(value.span, "no model is named"));
        };
        let made = self.before_first_step(|e| {
            let model = e.model(of)?;
            e.copied(&model, &name.text, value.span)
        })?;
        let Value::Model(model) = &made else { return Ok(false) };
        let slots: Vec<Stored> = model.all_parameters();
        let decay = call.arguments.get(1).map(|argument| match &argument.kind {
            ArgumentKind::Positional(value)
            | ArgumentKind::Named { value, .. }
            | ArgumentKind::As { value, .. } => value,
        });
        if let Some(block) = &mut self.block {
            block.kept.extend(slots);
            block.exported.push(name.span);
        }
        if let (Builtin::Ema, Some(decay)) = (builtin, decay) {
            self.shadows.push(Shadow { model: Arc::clone(model), of, decay });
        }
        if let Some(every) = &binding.refresh {
            self.refresh(model, of, every)?;
        }
        self.frame.values.insert(name.span, made);
        Ok(true)
    }

    /// Before the steps n, 2n, ... the copy is taken anew.
    fn refresh(&mut self, kept: &Model<'p>, of: &'p Expr, every: &'p Expr) -> Checked<()> {
        let span = every.span;
        let n = self.static_size(every, "the number of steps")?;
        let (Some(moment), true) = (self.moment, n > 0) else { return Err(fail::not_size(span, 0.0)) };
        let step = self.as_float(moment.step, span)?;
        let due = self.build(span, |g| {
            let n = g.float(n as f64)?;
            let rest = g.rem(step, n)?;
            let zero = g.float(0.0)?;
            g.equal(rest, zero)
        })?;
        let of = self.model(of)?;
        let (new, old) = (self.model_nodes(&of, span)?, self.model_nodes(kept, span)?);
        let mut chosen = Vec::with_capacity(new.len());
        for (new, old) in new.into_iter().zip(old) {
            chosen.push(Value::Node(self.build(span, |g| {
                let new = g.stop(new)?;
                let chosen = g.select(due, new, old)?;
                Ok(g.variable(chosen))
            })?));
        }
        if let Value::Model(chosen) = self.remade(kept, &mut chosen.into_iter()) {
            self.set_model(kept, &chosen, span)?;
        }
        // What was taken stays as it is while an objective makes several updates within the step.
        for stored in kept.all_parameters() {
            if let Some(node) = self.current.get(&stored.slot).copied() {
                self.versions.entry(stored.slot).or_default().push(node);
            }
        }
        Ok(())
    }

    /// At the end of a step: s := decay s + (1 - decay) m.
    pub fn move_shadows(&mut self) -> Checked<()> {
        for Shadow { model, of, decay } in std::mem::take(&mut self.shadows) {
            let span = decay.span;
            let of = self.model(of)?;
            let keep = self.float_of(decay)?;
            let (new, old) = (self.model_nodes(&of, span)?, self.model_nodes(&model, span)?);
            let mut moved = Vec::with_capacity(new.len());
            for (new, old) in new.into_iter().zip(old) {
                moved.push(Value::Node(self.build(span, |g| {
                    let one = g.float(1.0)?;
                    let rest = g.sub(one, keep)?;
                    let (a, b) = (g.mul(keep, old)?, g.mul(rest, new)?);
                    g.plus(a, b)
                })?));
            }
            if let Value::Model(moved) = self.remade(&model, &mut moved.into_iter()) {
                self.set_model(&model, &moved, span)?;
            }
        }
        Ok(())
    }

    /// The nodes that have been read as this value: of a parameter there is one for each of its values in this program.
    pub fn versions_of(&mut self, value: &Value<'p>, span: Span) -> Checked<Vec<NodeId>> {
        let known = match value {
            Value::Stored(stored) => self.all_versions(stored),
            _ => Vec::new(),
        };
        Ok(if known.is_empty() { vec![self.node(value, span)?] } else { known })
    }

    /// `grad(y, net)`: a model whose parameters are the derivatives.
    pub fn model_gradient(&mut self, y: NodeId, model: &Model<'p>, span: Span) -> Checked<Value<'p>> {
        let mut versions = Vec::new();
        for value in model.values() {
            versions.push(self.versions_of(&value, span)?);
        }
        let found = self.gradients_by_versions(y, &versions, span)?;
        Ok(self.remade(model, &mut found.into_iter().map(Value::Node)))
    }
}
