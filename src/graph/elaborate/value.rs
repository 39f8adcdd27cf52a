//! Values of the partial evaluator: what a name can stand for while a graph is built.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use crate::check::builtin::Builtin;
use crate::check::program::{AxisId, ItemRef};
use crate::graph::{Axis, AxisSet, Element, NodeId, Slot};
use crate::source::Span;
use crate::syntax::ast;

/// An array in the store, which every program of the trial can read.
#[derive(Clone, Debug, PartialEq)]
pub struct Stored {
    pub slot: Slot,
    pub element: Element,
    /// Row-major order of the elements.
    pub layout: Vec<Axis>,
    /// For messages and dumps: `tagger.first.weight`, `ner.entity`.
    pub name: String,
}

/// A value. `'p` is the life of the typed program.
#[derive(Clone, Debug)]
pub enum Value<'p> {
    /// An array computed by the program being built.
    Node(NodeId),
    /// A number, truth value or text known while the graph is built.
    Number(f64),
    Truth(bool),
    Text(Arc<str>),
    /// An arm of a structural `vary`.
    Choice {
        axis: AxisId,
        arm: usize,
    },
    List(Arc<Vec<Value<'p>>>),
    Record(Arc<Vec<(String, Value<'p>)>>),
    Tuple(Arc<Vec<Value<'p>>>),
    Model(Arc<Model<'p>>),
    Function(Arc<Closure<'p>>),
    /// An optimizer with its arguments, evaluated where it is used: they may depend on `step`.
    Optimizer(Arc<Delayed<'p>>),
    /// A data set, or one of its parts.
    Rows {
        data: String,
        part: Option<String>,
    },
    /// A column of strings, with which nothing can be computed here.
    Texts,
    /// In an optimizer's step: one value for each parameter.
    Bundle(Arc<Vec<Value<'p>>>),
    Stored(Stored),
    /// A parameter of a frozen model: read as it is, without a gradient.
    Frozen(Stored),
    Unit,
}

/// A function as a value.
#[derive(Clone, Debug)]
pub enum Closure<'p> {
    Item {
        item: ItemRef,
        axes: Vec<(AxisId, Axis)>,
    },
    /// Element by element, or with axes a reduction over them.
    Builtin {
        builtin: Builtin,
        axes: Vec<Axis>,
    },
    Lambda {
        parameters: &'p [ast::Parameter],
        /// The type of the result, where it is declared.
        declared: Option<&'p ast::Type>,
        body: &'p ast::Block,
        frame: Frame<'p>,
        /// The axes of every value in it.
        touched: AxisSet,
        /// The axes of its result.
        result: AxisSet,
    },
    /// A model as a function, or one of its other functions.
    Method {
        model: Arc<Model<'p>>,
        function: &'p ast::Function,
        axes: Vec<(AxisId, Axis)>,
    },
}

/// A call kept for later, with the names it sees.
#[derive(Clone, Debug)]
pub struct Delayed<'p> {
    pub item: ItemRef,
    pub expr: &'p ast::Expr,
    pub frame: Frame<'p>,
}

/// A model: a layer with its axes bound and its parameters allocated.
#[derive(Clone, Debug)]
pub struct Model<'p> {
    pub layer: ItemRef,
    /// Names from the experiment's binding on: `tagger`, `tagger.first`. Parameters and random numbers are known by it.
    pub path: String,
    /// What its calls see: axes, constructor arguments, parameters, sub-layers.
    pub frame: Frame<'p>,
    /// Its own parameters by name.
    pub parameters: BTreeMap<String, Value<'p>>,
    /// Its other members (sub-layers, values) by name.
    pub members: BTreeMap<String, Value<'p>>,
    /// What stands in the place of its functions, by name; the call itself has the empty name.
    pub replaced: BTreeMap<String, Value<'p>>,
}

impl<'p> Model<'p> {
    /// The values of all parameters, its own first, then those of the models inside it.
    pub fn values(&self) -> Vec<Value<'p>> {
        let mut all: Vec<Value<'p>> = self.parameters.values().cloned().collect();
        self.members.values().for_each(|member| member.model_values(&mut all));
        all
    }

    /// Every parameter of this model and the models inside it, in order of declaration of the sub-models' names.
    pub fn all_parameters(&self) -> Vec<Stored> {
        let stored = |value| match value {
            Value::Stored(stored) => Some(stored),
            _ => None,
        };
        self.values().into_iter().filter_map(stored).collect()
    }
}

impl<'p> Value<'p> {
    fn model_values(&self, all: &mut Vec<Value<'p>>) {
        match self {
            Value::Model(model) => all.extend(model.values()),
            Value::List(values) | Value::Tuple(values) => values.iter().for_each(|v| v.model_values(all)),
            Value::Record(fields) => fields.iter().for_each(|(_, v)| v.model_values(all)),
            _ => {}
        }
    }

    /// Adds the parameters of every model in the value.
    pub fn parameters(&self, all: &mut Vec<Stored>) {
        match self {
            Value::Model(model) => all.extend(model.all_parameters()),
            Value::List(values) | Value::Tuple(values) => values.iter().for_each(|v| v.parameters(all)),
            Value::Record(fields) => fields.iter().for_each(|(_, v)| v.parameters(all)),
            _ => {}
        }
    }
}

/// The names and axes that one activation of a function, layer or block sees.
#[derive(Clone, Debug, Default)]
pub struct Frame<'p> {
    pub values: HashMap<Span, Value<'p>>,
    pub axes: HashMap<AxisId, Axis>,
    /// The further axes over which the call is lifted: draws inside are independent along them.
    pub extra: AxisSet,
    /// In a function of a layer: the model that it is applied to.
    pub model: Option<Arc<Model<'p>>>,
}
