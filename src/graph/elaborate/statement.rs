//! Statements that every block may have: axes, lets, assignments, static choices.

use super::draw::Draw;
use super::elaborator::Elaborator;
use super::fail;
use super::value::Value;
use crate::check::program::AxisKind;
use crate::diagnostic::Checked;
use crate::source::Span;
use crate::syntax::ast::{self, Init, Statement, StatementKind, TypeKind};

impl<'p> Elaborator<'_, 'p> {
    pub fn statement(&mut self, statement: &'p Statement) -> Checked<()> {
        let span = statement.span;
        match &statement.kind {
            StatementKind::Axis(declarations) => self.declare_axes(declarations),
            StatementKind::Let(binding) => self.bind_let(binding),
            StatementKind::Param(param) => self.param(param, None).map(|_| ()),
            StatementKind::Assign { name, value } => self.assign(name, value),
            StatementKind::State(state) => self.state(state),
            StatementKind::Every { .. }
            | StatementKind::Record { .. }
            | StatementKind::Stop(_)
            | StatementKind::Keep { .. }
                if self.block.is_some() =>
            {
                let mut watch = self.block.as_mut().map(|block| std::mem::take(&mut block.watch));
                let done = watch.iter_mut().try_for_each(|watch| self.watch(statement, watch));
                if let (Some(block), Some(watch)) = (&mut self.block, watch) {
                    block.watch = watch;
                }
                done
            }
            StatementKind::Objective(objective) => {
                let Some(mut block) = self.block.take() else {
                    return Err(fail::fault(span, "an objective outside a train block"));
                };
                let done = self.objective(objective, &mut block);
                self.block = Some(block);
                done
            }
            StatementKind::Yield(value) => {
                let value = self.eval(value)?;
                self.yields.push(value);
                Ok(())
            }
            StatementKind::If { condition, then, otherwise } => {
                let chosen = match self.static_truth(condition, "the condition of an `if`")? {
                    true => Some(then),
                    false => otherwise.as_ref(),
                };
                chosen.into_iter().flatten().try_for_each(|statement| self.statement(statement))
            }
            StatementKind::Expression(value) => self.eval(value).map(|_| ()),
            StatementKind::Assert { condition } => self.assert(condition),
            StatementKind::Repeat { axis: None, count, body } => {
                let rounds = self.static_size(count, "the number of rounds")?;
                for _ in 0..rounds {
                    body.iter().try_for_each(|statement| self.statement(statement))?;
                }
                Ok(())
            }
            other => Err(fail::fault(span, format!("{} here", construct(other)))),
        }
    }

    pub fn declare_axes(&mut self, declarations: &'p [ast::AxisDeclaration]) -> Checked<()> {
        for declaration in declarations {
            let Some(id) = self.typed().axes_at.get(&declaration.name.span).copied() else {
                return Err(fail::fault(declaration.name.span, "an axis that the checker does not know"));
            };
            let size = match &self.typed().axis(id).kind {
                AxisKind::SameSizeAs(other) => {
                    let other = self.axis(*other, declaration.size.span)?;
                    self.size(other)
                }
                _ => self.static_size(&declaration.size, "the size of an axis")?,
            };
            self.bind_axis(id, size);
        }
        Ok(())
    }

    /// `let x: Float[A] = e`, `let (a, b) = e`, `let eps: Float[A] ~ normal(0, 1)`
    pub fn bind_let(&mut self, binding: &'p ast::Let) -> Checked<()> {
        if self.kept_model(binding)? {
            return Ok(());
        }
        let names: Vec<&str> = binding.names.iter().map(|name| name.text.as_str()).collect();
        let value = self.named(&names.join(","), |e| e.let_value(binding))?;
        match (&binding.names[..], value) {
            ([name], value) => {
                // Another name for a parameter: a derivative by it is one by the parameter.
                let parameter =
                    matches!(&value, Value::Stored(s) if self.scope.parameters.contains_key(&s.slot));
                // In a step, a name keeps the value of this moment; updates come later.
                let value = match value {
                    Value::Stored(stored) if self.moment.is_some() => Value::Node(self.read(&stored)),
                    other => other,
                };
                let value = if parameter { value } else { self.as_variable(value, name.span)? };
                let value = self.now(value);
                self.frame.values.insert(name.span, value);
            }
            (names, Value::Tuple(parts)) if parts.len() == names.len() => {
                for (name, part) in names.iter().zip(parts.iter()) {
                    let part = self.as_variable(part.clone(), name.span)?;
                    self.frame.values.insert(name.span, part);
                }
            }
            (names, other) => {
                let span = names.first().map_or(binding.span, |name| name.span);
                return Err(fail::fault(span, format!("{} for several names", other.what())));
            }
        }
        Ok(())
    }

    /// A value that a `grad` differentiates by is a node of its own: simplification must not look through it.
    pub fn as_variable(&mut self, value: Value<'p>, binding: Span) -> Checked<Value<'p>> {
        if let Value::Model(model) = &value
            && self.typed().differentiated.contains(&binding)
            && value.has_nodes()
        {
            let mut variables = Vec::new();
            for value in model.values() {
                variables.push(match value {
                    Value::Node(node) => Value::Node(self.build(binding, |g| Ok(g.variable(node)))?),
                    other => other,
                });
            }
            return Ok(self.remade(model, &mut variables.into_iter()));
        }
        let array = matches!(value, Value::Node(_) | Value::Number(_) | Value::Stored(_));
        if !array || !self.typed().differentiated.contains(&binding) {
            return Ok(value);
        }
        let node = self.float(&value, binding)?;
        self.build(binding, |g| Ok(g.variable(node))).map(Value::Node)
    }

    fn let_value(&mut self, binding: &'p ast::Let) -> Checked<Value<'p>> {
        let setting = binding.names.first().and_then(|name| self.scope.settings.get(&name.span)).copied();
        let value = match (setting, &binding.value) {
            (Some(setting), _) => Value::Number(setting),
            (None, Init::Value(value)) if !binding.over.is_empty() => self.zoo_of(&binding.over, value)?,
            (None, Init::Value(value)) => self.eval(value)?,
            (None, Init::Draw(draw)) => {
                let mut ambient = Vec::new();
                if let Some(TypeKind::Array { axes, .. }) = binding.ty.as_ref().map(|ty| &ty.kind) {
                    for name in axes {
                        ambient.push(self.named_axis(name)?);
                    }
                }
                self.drawing(Draw { ambient }, |e| e.eval(draw))?
            }
        };
        match &binding.ty {
            Some(ty) => self.conform(value, ty, binding.span),
            None => Ok(value),
        }
    }
}

/// What a statement is called in a message.
fn construct(kind: &StatementKind) -> &'static str {
    match kind {
        StatementKind::Data(_) => "`data`",
        StatementKind::Vary { .. } => "`vary`",
        StatementKind::Split(_) => "`split`",
        StatementKind::Train(_) => "a train block",
        StatementKind::On { .. } => "an `on` block",
        StatementKind::Measure { .. } => "`measure`",
        StatementKind::Claim { .. } => "`claim`",
        StatementKind::Report(_) => "`report`",
        StatementKind::Snapshot { .. } => "`snapshot`",
        StatementKind::Quick(_) => "`quick`",
        StatementKind::Repeat { .. } => "`repeat` with an axis",
        StatementKind::Setting { .. } => "a setting",
        StatementKind::Batch { .. } => "`batch`",
        StatementKind::Epochs(_) => "`epochs`",
        StatementKind::Steps(_) => "`steps`",
        StatementKind::State(_) => "`state`",
        StatementKind::Objective(_) => "`minimize`",
        StatementKind::Every { .. } => "`every`",
        StatementKind::Record { .. } => "`record`",
        StatementKind::Stop(_) => "`stop when`",
        _ => "this statement",
    }
}
