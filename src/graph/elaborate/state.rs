//! States: values that are kept between steps, or between statements of the experiment, and assignments to them.

use std::collections::HashMap;
use std::sync::Arc;

use super::elaborator::Elaborator;
use super::fail;
use super::value::{Closure, Stored, Value};
use crate::check::program::{Definition, Element as CheckedElement, Type};
use crate::diagnostic::Checked;
use crate::graph::{AxisSet, Element, NodeId, Op, Precision, Program, Slot};
use crate::source::Span;
use crate::syntax::ast::{Expr, Name, State};

/// The program that is run once before the first step of a train block.
pub struct Begin {
    pub program: Program,
    /// Values of slots that this program writes.
    current: HashMap<Slot, NodeId>,
}

impl Begin {
    pub fn new(precision: Precision) -> Self {
        Begin { program: Program::new(precision), current: HashMap::new() }
    }
}

impl<'p> Elaborator<'_, 'p> {
    /// Adds to the program that is run before the first step. Outside a train block that is the program at hand.
    pub fn before_first_step<T>(&mut self, run: impl FnOnce(&mut Self) -> Checked<T>) -> Checked<T> {
        let Some(mut begin) = self.begin.take() else { return run(self) };
        begin.program.graph.axes = self.output.graph.axes.clone();
        std::mem::swap(&mut self.output, &mut begin.program);
        std::mem::swap(&mut self.current, &mut begin.current);
        let moment = self.moment.take();
        // Nodes of the step mean nothing in another program.
        let values = self.frame.values.clone();
        self.frame.values.retain(|_, value| !value.has_nodes());
        let result = run(self);
        self.frame.values = values;
        self.moment = moment;
        std::mem::swap(&mut self.current, &mut begin.current);
        std::mem::swap(&mut self.output, &mut begin.program);
        self.output.graph.axes = begin.program.graph.axes.clone();
        self.begin = Some(begin);
        result
    }

    /// `state centre: Float[Class, D] = 0`: slots, which the first value is written to.
    pub fn state(&mut self, state: &'p State) -> Checked<()> {
        for name in &state.names {
            if self.frame.values.contains_key(&name.span) {
                // In a later round of a `repeat`.
                continue;
            }
            let value = self.before_first_step(|e| {
                let value = e.named(&name.text, |e| e.eval(&state.value))?;
                let value = match &state.ty {
                    Some(ty) => e.conform(value, ty, name.span)?,
                    None => value,
                };
                e.own(value, name)
            })?;
            if let Some(block) = &mut self.block {
                match &value {
                    Value::Stored(stored) => block.kept.push(stored.clone()),
                    other => other.parameters(&mut block.kept),
                }
                block.exported.push(name.span);
            }
            self.scope.states.insert(name.span);
            self.frame.values.insert(name.span, value);
        }
        Ok(())
    }

    /// The value in slots of its own.
    fn own(&mut self, value: Value<'p>, name: &Name) -> Checked<Value<'p>> {
        if let Value::Model(model) = &value {
            return self.copied(model, &name.text, name.span);
        }
        let node = self.node(&value, name.span)?;
        let float = matches!(
            self.typed().bindings.get(&name.span),
            Some(Type::Array { element: CheckedElement::Float, .. })
        );
        let node = if float { self.as_float(node, name.span)? } else { node };
        let text = self.state_name(&name.text);
        self.keep(&text, node, name.span).map(Value::Stored)
    }

    fn state_name(&self, name: &str) -> String {
        match self.path.is_empty() {
            true => name.to_owned(),
            false => format!("{}.{name}", self.path.join(".")),
        }
    }

    /// `s := value`, for states, and for the variables of loops and optimizers.
    pub fn assign(&mut self, name: &'p Name, value: &'p Expr) -> Checked<()> {
        let value = self.named(&name.text, |e| e.eval(value))?;
        let Some(Definition::Local(binding)) = self.typed().names.get(&name.span) else {
            return Err(fail::fault(name.span, "an assignment to something that is no variable"));
        };
        if !self.scope.states.contains(binding) {
            self.frame.values.insert(*binding, value);
            return Ok(());
        }
        let kept = self.frame.values.get(binding).or_else(|| self.scope.root.values.get(binding)).cloned();
        match kept {
            Some(Value::Stored(stored)) => self.set(&stored, &value, name.span),
            Some(Value::Model(kept)) => match value {
                Value::Model(new) => self.set_model(&kept, &new, name.span),
                _ => Err(fail::other_model(name.span)),
            },
            _ => Err(fail::fault(name.span, "an assignment to a state without a place")),
        }
    }

    /// Gives a slot a new value, which later statements see.
    pub fn set(&mut self, stored: &Stored, value: &Value<'p>, span: Span) -> Checked<()> {
        let axes = AxisSet::from(&stored.layout[..]);
        let node = match value {
            Value::List(_) => self.list_node(value, Some(&stored.layout), span)?,
            value => self.node(value, span)?,
        };
        let node = match (stored.element, self.element(node)) {
            (Element::Float, _) => self.as_float(node, span)?,
            (Element::Index, Element::Float) => self.build(span, |g| g.cast(node, Element::Index))?,
            _ => node,
        };
        let node = self.broadcast(node, &axes, span)?;
        if self.axes_of(node) != axes || self.element(node) != stored.element {
            return Err(fail::fault(span, format!("a value of another type for `{}`", stored.name)));
        }
        self.current.insert(stored.slot, node);
        if !self.changed.contains(stored) {
            self.changed.push(stored.clone());
        }
        Ok(())
    }

    /// The newest values of the slots that were assigned to, for the programs that follow.
    pub fn write_changed(&mut self, span: Span) -> Checked<()> {
        for stored in std::mem::take(&mut self.changed) {
            let Some(node) = self.current.get(&stored.slot).copied() else { continue };
            // The cut behind an update is for later gradients; what is stored is its value.
            let updated = self.graph().node(node);
            let node = if updated.op == Op::Stop { updated.operands[0] } else { node };
            self.write(&stored, node, span)?;
        }
        Ok(())
    }

    /// In a step, the value as it is now: what is assigned later does not change it.
    pub fn now(&mut self, value: Value<'p>) -> Value<'p> {
        if self.moment.is_none() {
            return value;
        }
        match value {
            Value::Stored(stored) if self.scope.vary_number(stored.slot).is_none() => {
                Value::Node(self.read(&stored))
            }
            other => other,
        }
    }
}

impl Value<'_> {
    /// Whether something in it belongs to the program being built.
    pub fn has_nodes(&self) -> bool {
        match self {
            Value::Node(_) => true,
            Value::List(parts) | Value::Tuple(parts) | Value::Bundle(parts) => {
                parts.iter().any(Value::has_nodes)
            }
            Value::Record(fields) => fields.iter().any(|(_, part)| part.has_nodes()),
            Value::Model(model) => {
                let own = model.parameters.values().chain(model.members.values());
                own.chain(model.replaced.values()).any(Value::has_nodes)
            }
            Value::Function(closure) => match &**closure {
                Closure::Lambda { frame, .. } => frame.values.values().any(Value::has_nodes),
                Closure::Method { model, .. } => Value::Model(Arc::clone(model)).has_nodes(),
                _ => false,
            },
            _ => false,
        }
    }
}
