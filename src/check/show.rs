//! Types as the user would write them.

use super::program::{AxisId, AxisIds, Callable, Element, ItemRef, Program, Type};
use crate::syntax::ast::ItemKind;

impl Program {
    /// `[Example, Class]`, or nothing for a scalar.
    pub fn show_axes(&self, axes: &AxisIds) -> String {
        if axes.is_empty() {
            return String::new();
        }
        format!("[{}]", self.axis_names(axes.iter()).join(", "))
    }

    fn axis_names<'a>(&self, axes: impl Iterator<Item = &'a AxisId>) -> Vec<String> {
        axes.map(|axis| self.axis(*axis).name.clone()).collect()
    }

    pub fn show_element(&self, element: Element) -> String {
        match element {
            Element::Float => "Float".into(),
            Element::Bool => "Bool".into(),
            Element::Index(axis) => self.axis(axis).name.clone(),
            Element::Text => "Text".into(),
        }
    }

    /// A type as the user would write it.
    pub fn show(&self, ty: &Type) -> String {
        let all = |types: &[Type]| types.iter().map(|ty| self.show(ty)).collect::<Vec<_>>().join(", ");
        match ty {
            Type::Array { element, axes } => {
                format!("{}{}", self.show_element(*element), self.show_axes(axes))
            }
            Type::Record(fields) => {
                let fields: Vec<_> = fields.iter().map(|(n, ty)| format!("{n}: {}", self.show(ty))).collect();
                format!("{{ {} }}", fields.join(", "))
            }
            Type::Tuple(types) => format!("({})", all(types)),
            Type::Function { parameters, result } => {
                format!("fn({}) -> {}", all(parameters), self.show(result))
            }
            Type::Callable(Callable::Item(item)) => format!("the function {}", self.item_name(*item)),
            Type::Callable(Callable::Builtin(builtin)) => format!("the function {}", builtin.name()),
            Type::Model { layer, axes, over } => {
                let axes = self.axis_names(axes.iter().map(|(_, axis)| axis));
                let over = self.axis_names(over.iter());
                let mut name = self.item_name(*layer);
                if !axes.is_empty() {
                    name += &format!("[{}]", axes.join(", "));
                }
                if over.is_empty() { name } else { format!("{name} over {}", over.join(", ")) }
            }
            Type::Optimizer(item) => format!("the optimizer {}", self.item_name(*item)),
            Type::Combiner(item) => format!("the combiner {}", self.item_name(*item)),
            Type::Constraint(item) => format!("the method for constraints {}", self.item_name(*item)),
            Type::Rows { data, .. } => format!("the data set {data}"),
            Type::Text => "Text".into(),
            Type::Choice(axis) => format!("an arm of {}", self.axis(*axis).name),
            Type::Axis(axis) => format!("the axis {}", self.axis(*axis).name),
            Type::Unit => "nothing".into(),
            Type::Error => "an erroneous value".into(),
        }
    }

    pub fn item_name(&self, item: ItemRef) -> String {
        match &self.item(item).kind {
            ItemKind::Function(f) | ItemKind::Combiner(f) => f.name.text.clone(),
            ItemKind::Layer(layer) => layer.name.text.clone(),
            ItemKind::Optimizer(o) | ItemKind::SteppingCombiner(o) | ItemKind::Constraint(o) => {
                o.name.text.clone()
            }
            ItemKind::Data(data) => data.name.text.clone(),
            ItemKind::Experiment(experiment) => experiment.name.text.clone(),
            ItemKind::Test(test) => test.name.text.clone(),
            ItemKind::Let(l) => l.names.first().map(|n| n.text.clone()).unwrap_or_default(),
            ItemKind::Use(_) | ItemKind::Axis(_) => String::new(),
        }
    }
}
