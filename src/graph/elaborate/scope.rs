//! The persistent environment of one trial, or of the results phase: what every program of it shares.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use super::pretrained::Weight;
use super::value::{Frame, Stored, Value};
use crate::check::program::{self, AxisId, AxisInfo, AxisKind};
use crate::graph::{Axis, AxisTable, Slot};
use crate::source::Span;
use crate::syntax::ast::{self, ExprId};

/// A data set in the store: every column over its rows (and inner axes), and the row numbers of each part.
#[derive(Clone, Debug, Default)]
pub struct DataBinding {
    pub columns: BTreeMap<String, Stored>,
    /// Index, over the part's axis: row numbers of the data set.
    pub parts: BTreeMap<String, Stored>,
    /// Columns of strings, which are not in the store.
    pub texts: BTreeSet<String>,
}

/// What a `vary` axis is in this scope.
#[derive(Clone, Debug)]
pub enum VaryBinding {
    /// The arm of this trial.
    Arm(usize),
    /// The value of this trial, known while the graph is built.
    Number(f64),
    /// The value of this trial in a scalar slot: one program serves all values. Where a static number is needed, `at`
    /// is used (and the program serves this value only).
    Slot { slot: Slot, at: f64 },
    /// In the results phase: all values, in order (for arms: empty).
    Values(Vec<f64>),
}

/// The environment. Clone it to start a trial from what all trials share.
#[derive(Clone, Debug)]
pub struct Scope<'p> {
    pub program: &'p program::Program,
    /// Each program's graph starts with these axes, so an axis is the same number in all of them.
    pub axes: AxisTable,
    pub(super) root: Frame<'p>,
    pub(super) data: BTreeMap<String, DataBinding>,
    pub(super) varies: BTreeMap<AxisId, VaryBinding>,
    /// Index scalar: the trial's seed.
    pub(super) seed: Slot,
    /// Every parameter made so far.
    pub(super) parameters: BTreeMap<Slot, Stored>,
    /// The names of the states declared so far.
    pub(super) states: BTreeSet<Span>,
    /// Numbers that stand in the place of what a `let` says, by the span of its name.
    pub(super) settings: HashMap<Span, f64>,
    /// `let`s at the top of files by the span of each name, and sizes of axes there.
    pub(super) file_lets: HashMap<Span, &'p ast::Let>,
    pub(super) file_axes: HashMap<ExprId, &'p ast::Expr>,
    /// Names that come before all others in the address of random numbers: the round.
    pub prefix: Vec<String>,
    /// The arrays of files of weights, by path.
    pub(super) weights: BTreeMap<String, Arc<BTreeMap<String, Weight>>>,
    /// How many blocks of each kind were elaborated: part of the address of random numbers.
    pub(super) blocks: HashMap<&'static str, u32>,
}

impl<'p> Scope<'p> {
    /// `seed` is a slot with an Index scalar, which the runtime sets.
    pub fn new(program: &'p program::Program, seed: Slot) -> Self {
        let (file_lets, file_axes) = top_level(program);
        Scope {
            program,
            axes: AxisTable::default(),
            root: Frame::default(),
            data: BTreeMap::new(),
            varies: BTreeMap::new(),
            seed,
            parameters: BTreeMap::new(),
            prefix: Vec::new(),
            states: BTreeSet::new(),
            settings: HashMap::new(),
            weights: BTreeMap::new(),
            blocks: HashMap::new(),
            file_lets,
            file_axes,
        }
    }

    /// Gives an axis of the checker its size here: rows, parts, categories, groups, and `vary` axes of the results.
    /// Batch axes are bound by [`Scope::train`].
    pub fn bind_axis(&mut self, id: AxisId, size: usize) -> Axis {
        let axis = self.axes.add(self.program.axis(id).name.clone(), size);
        self.root.axes.insert(id, axis);
        axis
    }

    pub fn axis(&self, id: AxisId) -> Option<Axis> {
        self.root.axes.get(&id).copied()
    }

    /// The axis over all rows of a data set.
    pub fn rows_id(&self, data: &str) -> Option<AxisId> {
        // Several experiments of a file may have data of one name; this one's axis is bound.
        let of_data = |info: &AxisInfo| matches!(&info.kind, AxisKind::Rows { data: of } if of == data);
        let found = self.program.axes.iter().enumerate().filter(|(_, info)| of_data(info));
        found.map(|(at, _)| AxisId(at as u32)).find(|id| self.axis(*id).is_some())
    }

    /// Gives the name bound at `name` a value: a measure in the results phase, for example.
    pub fn bind(&mut self, name: Span, value: Value<'p>) {
        self.root.values.insert(name, value);
    }

    /// The `let` of this name has this number for its value, whatever the file says.
    pub fn set(&mut self, name: Span, value: f64) {
        self.settings.insert(name, value);
    }

    pub fn value(&self, name: Span) -> Option<&Value<'p>> {
        self.root.values.get(&name)
    }

    pub fn bind_vary(&mut self, axis: AxisId, value: VaryBinding) {
        self.varies.insert(axis, value);
    }

    pub fn data(&self, name: &str) -> Option<&DataBinding> {
        self.data.get(name)
    }

    pub fn bind_data(&mut self, name: &str, data: DataBinding) {
        self.data.insert(name.to_owned(), data);
    }

    /// The number of a trial's `vary` value that is held in a slot.
    pub(super) fn vary_number(&self, slot: Slot) -> Option<f64> {
        self.varies.values().find_map(|vary| match vary {
            VaryBinding::Slot { slot: held, at } if *held == slot => Some(*at),
            _ => None,
        })
    }
}

/// The `let`s and the sizes of axes at the top of files.
fn top_level(program: &program::Program) -> (HashMap<Span, &ast::Let>, HashMap<ExprId, &ast::Expr>) {
    let mut lets = HashMap::new();
    let mut sizes = HashMap::new();
    for item in program.files.iter().flat_map(|file| &file.items) {
        match &item.kind {
            ast::ItemKind::Let(binding) => {
                lets.extend(binding.names.iter().map(|name| (name.span, binding)));
            }
            ast::ItemKind::Axis(declarations) => {
                sizes.extend(declarations.iter().map(|declaration| (declaration.size.id, &declaration.size)));
            }
            _ => {}
        }
    }
    (lets, sizes)
}
