//! Making models: a layer's parameters get slots and initial values, its members are evaluated.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::draw::Draw;
use super::elaborator::Elaborator;
use super::fail;
use super::value::{Frame, Model, Stored, Value};
use crate::check::program::{CallInfo, ItemRef};
use crate::diagnostic::Checked;
use crate::graph::{AxisSet, Element};
use crate::source::Span;
use crate::syntax::ast::{self, Call, Expr, Init, ItemKind, MemberKind, TypeKind};

impl<'p> Elaborator<'_, 'p> {
    /// `Linear[In, Out](rate = 0.2)`
    pub fn construct(
        &mut self,
        expr: &'p Expr,
        item: ItemRef,
        info: &CallInfo,
        call: &'p Call,
    ) -> Checked<Value<'p>> {
        if self.moment.is_some() {
            return Err(fail::made_in_step(expr.span));
        }
        let ItemKind::Layer(layer) = &self.typed().item(item).kind else {
            return Err(fail::fault(expr.span, "a model of something that is no layer"));
        };
        let axes = self.call_axes(info, expr.span)?;
        // Models among the arguments are not those of the file.
        let reading = self.pretrained.take_if(|reading| reading.root.is_none());
        let zoo = std::mem::take(&mut self.zoo);
        let arguments = self.arguments(&layer.parameters, info, call);
        self.pretrained = reading.or(self.pretrained.take());
        self.zoo = zoo;
        let arguments = arguments?;
        let path = self.model_path(&layer.name.text);
        let extra = self.zoo.clone();
        let frame = Frame { axes: axes.into_iter().collect(), extra, ..Frame::default() };
        if let Some(reading) = &mut self.pretrained {
            reading.root.get_or_insert_with(|| path.clone());
        }
        let outer_path = std::mem::replace(&mut self.path, vec![path.clone()]);
        let outer_draw = self.draw.take();
        let (made, frame) = self.in_frame(frame, |e| {
            e.bind_parameters(&layer.parameters, arguments, expr.span)?;
            e.keep_arguments(&layer.parameters, &path, expr.span)?;
            e.members(layer, &path)
        });
        self.draw = outer_draw;
        self.path = outer_path;
        let (parameters, members) = made?;
        Ok(Value::Model(Arc::new(Model {
            layer: item,
            path,
            frame,
            parameters,
            members,
            replaced: BTreeMap::new(),
        })))
    }

    /// The names of the `let`s on the way, with a number where one `let` makes several models.
    fn model_path(&mut self, layer: &str) -> String {
        let base = match self.path.is_empty() {
            true => layer.to_owned(),
            false => self.path.join("."),
        };
        match self.ordinal(&format!("model {base}")) {
            0 => base,
            n => format!("{base}.{n}"),
        }
    }

    /// Arguments that are computed are stored: the model outlives this program.
    fn keep_arguments(&mut self, parameters: &'p [ast::Parameter], path: &str, span: Span) -> Checked<()> {
        for parameter in parameters {
            let key = parameter.name.span;
            if let Some(value) = self.frame.values.get(&key).cloned() {
                let name = format!("{path}.{}", parameter.name.text);
                let kept = self.persist(value, &name, span)?;
                self.frame.values.insert(key, kept);
            }
        }
        Ok(())
    }

    fn members(
        &mut self,
        layer: &'p ast::Layer,
        path: &str,
    ) -> Checked<(BTreeMap<String, Value<'p>>, BTreeMap<String, Value<'p>>)> {
        let mut parameters: BTreeMap<String, Stored> = BTreeMap::new();
        let mut members = BTreeMap::new();
        for member in &layer.members {
            match &member.kind {
                MemberKind::Param(param) => {
                    for (name, stored) in self.param(param, Some(path))? {
                        parameters.insert(name, stored);
                    }
                }
                MemberKind::Let(binding) => {
                    self.bind_let(binding)?;
                    for name in &binding.names {
                        let Some(value) = self.frame.values.get(&name.span).cloned() else { continue };
                        let kept = self.persist(value, &format!("{path}.{}", name.text), name.span)?;
                        self.frame.values.insert(name.span, kept.clone());
                        members.insert(name.text.clone(), kept);
                    }
                }
                MemberKind::Axis(declarations) => self.declare_axes(declarations)?,
                MemberKind::Call(_) => {}
            }
        }
        let parameters = parameters.into_iter().map(|(name, stored)| (name, Value::Stored(stored))).collect();
        Ok((parameters, members))
    }

    /// `param query, key: Float[D, Key] ~ glorot(D, Key)`: a slot and an initial value for each name.
    pub fn param(&mut self, param: &'p ast::Param, path: Option<&str>) -> Checked<Vec<(String, Stored)>> {
        let mut layout = Vec::new();
        if let TypeKind::Array { axes, .. } = &param.ty.kind {
            for name in axes {
                layout.push(self.named_axis(name)?);
            }
        }
        // Of several models, each has its own.
        let declared = layout.clone();
        layout.splice(0..0, self.zoo.iter());
        let wanted = AxisSet::from(&layout[..]);
        let mut made = Vec::with_capacity(param.names.len());
        for name in &param.names {
            let full = match path {
                Some(path) => format!("{path}.{}", name.text),
                None => name.text.clone(),
            };
            let in_step = self.moment.is_some();
            let outer_path = self.path.clone();
            match in_step {
                true => self.path.push(name.text.clone()),
                false => self.path = vec![full.clone()],
            }
            let value = match &param.init {
                Init::Value(value) => self.eval(value),
                Init::Draw(draw) => self.drawing(Draw { ambient: layout.clone() }, |e| e.eval(draw)),
            };
            self.path = outer_path;
            let value = self.conform(value?, &param.ty, name.span)?;
            let node = self.float(&value, name.span)?;
            let node = self.pretrained_value(param, &full, &declared)?.unwrap_or(node);
            let node = self.broadcast(node, &wanted, name.span)?;
            let stored = self.allocate(&full, Element::Float, &layout)?;
            if in_step {
                // Made anew at every step: nothing reads what the last one left.
                let node = self.build(name.span, |g| Ok(g.variable(node)))?;
                self.current.insert(stored.slot, node);
                self.versions.entry(stored.slot).or_default().push(node);
                self.fresh.insert(stored.slot);
            } else {
                self.write(&stored, node, name.span)?;
                // A test may differentiate by it in this very program.
                let node = match self.test.is_some() {
                    true => self.build(name.span, |g| Ok(g.variable(node)))?,
                    false => node,
                };
                self.current.insert(stored.slot, node);
                self.scope.parameters.insert(stored.slot, stored.clone());
            }
            self.frame.values.insert(name.span, Value::Stored(stored.clone()));
            made.push((name.text.clone(), stored));
        }
        Ok(made)
    }

    /// The value in a form that later programs can use: computed arrays are written to slots.
    pub fn persist(&mut self, value: Value<'p>, name: &str, span: Span) -> Checked<Value<'p>> {
        Ok(match value {
            Value::Node(node) => match self.number(&value) {
                Some(number) if self.axes_of(node).is_empty() => Value::Number(number),
                _ => Value::Stored(self.keep(name, node, span)?),
            },
            Value::Model(model) if Value::Model(Arc::clone(&model)).has_nodes() => {
                let mut at = 0;
                self.mapped(&model, &mut |e, value| {
                    at += 1;
                    e.persist(value, &format!("{name}.{}", at - 1), span)
                })?
            }
            Value::Record(fields) => {
                let mut kept = Vec::with_capacity(fields.len());
                for (field, value) in fields.iter() {
                    let value = self.persist(value.clone(), &format!("{name}.{field}"), span)?;
                    kept.push((field.clone(), value));
                }
                Value::Record(Arc::new(kept))
            }
            Value::Tuple(parts) => Value::Tuple(Arc::new(self.persist_all(&parts, name, span)?)),
            Value::List(parts) => Value::List(Arc::new(self.persist_all(&parts, name, span)?)),
            Value::Function(closure) => {
                let kept = self.recapture(&closure, &mut |e, part, value| {
                    e.persist(value, &format!("{name}.{part}"), span)
                })?;
                Value::Function(Arc::new(kept))
            }
            other => other,
        })
    }

    fn persist_all(&mut self, parts: &[Value<'p>], name: &str, span: Span) -> Checked<Vec<Value<'p>>> {
        let named = |k: usize| format!("{name}.{k}");
        parts.iter().enumerate().map(|(k, part)| self.persist(part.clone(), &named(k), span)).collect()
    }
}
