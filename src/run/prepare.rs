//! What all trials share: the data of the file, the axes of trials, the settings.

use std::collections::BTreeMap;

use super::engine::Engine;
use super::quick::Quick;
use super::schema::{Known, schema};
use super::vary::{Over, VaryAxis};
use super::{Failure, Options};
use crate::check::program::{AxisId, Element, PRECISIONS, Program, Type};
use crate::data::{self, Files, Table};
use crate::diagnostic::{Code, Diagnostic};
use crate::graph::elaborate::{DataBinding, Scope, Stored, Weight};
use crate::graph::{Axis, Half, Precision, Slot, Store, Tensor};
use crate::source::{Span, World};
use crate::syntax::ast::{
    ArgumentKind, AxisDeclaration, Data, DataSource, Experiment, Expr, ExprKind, GeneratorStatement, Init,
    ItemKind, Statement, StatementKind, VaryOver,
};

/// The state from which every trial starts.
pub struct Base<'p> {
    pub program: &'p Program,
    pub scope: Scope<'p>,
    pub store: Store,
    /// Index scalar: the seed of the trial.
    pub seed_slot: Slot,
    pub axes: Vec<VaryAxis>,
    pub tables: BTreeMap<String, Table>,
    /// The hashes of files of weights, by path.
    pub weights: BTreeMap<String, String>,
    /// The values of the categories that data made.
    pub labels: BTreeMap<AxisId, Vec<String>>,
    pub seed: u32,
    pub precision: Precision,
    /// What the factors of contractions are rounded to in train blocks.
    pub factors: Option<Half>,
    pub allow_divergence: bool,
    pub settings: Vec<(String, f64)>,
    pub quick: Quick,
}

/// Loads the data of the file, executes its top level, and evaluates the `vary` statements.
pub fn prepare<'p>(
    program: &'p Program,
    experiment: &'p Experiment,
    world: &dyn World,
    options: &Options,
    engine: &Engine,
) -> Result<Base<'p>, Failure> {
    let mut store = Store::default();
    let seed_slot = store.add(Tensor::Index(vec![0]));
    let quick = Quick::new(program, experiment, options)?;
    let mut base = Base::empty(program, store, seed_slot, options, quick);
    base.settings.extend(base.quick.lets());
    base.set_numbers(experiment);
    let (mut problems, files) = (Vec::new(), Files::new(world));
    for file in &program.files {
        let own = program.files.last().is_some_and(|last| std::sync::Arc::ptr_eq(last, file));
        for item in &file.items {
            let outcome = match &item.kind {
                ItemKind::Axis(declarations) if own => base.sizes(declarations),
                ItemKind::Data(data) if own => base.load(data, &files),
                _ => Ok(()),
            };
            problems.extend(outcome.err().unwrap_or_default());
        }
    }
    for statement in &experiment.body {
        let outcome = match &statement.kind {
            StatementKind::Setting { name, value } => base.setting(&name.text, value, statement),
            StatementKind::Vary { .. } => base.vary(statement, options),
            StatementKind::Data(data) if matches!(data.source, DataSource::File { .. }) => {
                base.load(data, &files)
            }
            _ => Ok(()),
        };
        problems.extend(outcome.err().unwrap_or_default());
    }
    problems.extend(base.load_weights(experiment, &files).err().unwrap_or_default());
    unknown_settings(&base, experiment, &mut problems);
    if problems.is_empty() {
        base.draw(program, engine).map_err(Failure::Failed)?;
    }
    if problems.is_empty() { Ok(base) } else { Err(Failure::Wrong(problems)) }
}

/// What is wrong with the files that a right program reads, as far as it shows without running anything. It stops at a
/// file that cannot be read: what comes after may depend on it.
pub fn data_problems(program: &Program, world: &dyn World) -> Vec<Diagnostic> {
    let mut store = Store::default();
    let seed_slot = store.add(Tensor::Index(vec![0]));
    let mut base = Base::empty(program, store, seed_slot, &Options::default(), Quick::default());
    let (mut problems, files) = (Vec::new(), Files::new(world));
    for item in program.files.last().iter().flat_map(|file| &file.items) {
        let data: Vec<&Data> = match &item.kind {
            ItemKind::Axis(declarations) => {
                // What a size is wrong in, the run says.
                let _ = base.sizes(declarations);
                continue;
            }
            ItemKind::Data(data) => vec![data],
            ItemKind::Experiment(experiment) => {
                let sets = experiment.body.iter().filter_map(|statement| match &statement.kind {
                    StatementKind::Data(data) => Some(data),
                    _ => None,
                });
                sets.collect()
            }
            _ => continue,
        };
        for data in data {
            let found = base.load(data, &files).err().unwrap_or_default();
            let unread = found.iter().any(|problem| matches!(problem.code, Code::A0401 | Code::A0403));
            problems.extend(found);
            if unread {
                return problems;
            }
        }
    }
    problems
}

impl<'p> Base<'p> {
    fn empty(program: &'p Program, store: Store, seed_slot: Slot, options: &Options, quick: Quick) -> Self {
        Base {
            program,
            scope: Scope::new(program, seed_slot),
            store,
            seed_slot,
            axes: Vec::new(),
            tables: BTreeMap::new(),
            weights: BTreeMap::new(),
            labels: BTreeMap::new(),
            seed: options.seed,
            precision: Precision::Single,
            factors: None,
            allow_divergence: false,
            settings: options.settings.clone(),
            quick,
        }
    }

    /// Numbers from outside stand where the `let`s of the experiment have theirs.
    fn set_numbers(&mut self, experiment: &Experiment) {
        for statement in &experiment.body {
            if let StatementKind::Let(l) = &statement.kind
                && let [name] = &l.names[..]
                && let Some((_, value)) = self.settings.iter().find(|(known, _)| *known == name.text)
            {
                self.scope.set(name.span, *value);
            }
        }
    }

    /// `axis Bucket = 128` at the top of the file: data columns may need the size.
    fn sizes(&mut self, declarations: &'p [AxisDeclaration]) -> Result<(), Vec<Diagnostic>> {
        for declaration in declarations {
            let size = self.scope.number(&declaration.size)?;
            if let Some(id) = self.program.axes_at.get(&declaration.name.span) {
                self.scope.bind_axis(*id, size as usize);
            }
        }
        Ok(())
    }

    /// Reads a data set and binds its columns and axes.
    fn load(&mut self, data: &'p Data, files: &Files) -> Result<(), Vec<Diagnostic>> {
        if !matches!(data.source, DataSource::File { .. }) {
            return Ok(());
        }
        let scope = &self.scope;
        let size = |id: AxisId| scope.axis(id).map(|axis| scope.axes.size(axis));
        let known = Known { size: &size, labels: &self.labels };
        let mut table = data::load(&schema(data, self.program, &known)?, files)?;
        data::text_function::compute(&mut table, &super::text::computed(data, self.program, &size)?)?;
        let (binding, labels) = bind_table(self.program, data, &table, &mut self.scope, &mut self.store);
        self.labels.extend(labels);
        self.scope.bind_data(&data.name.text, binding);
        self.tables.insert(data.name.text.clone(), table);
        Ok(())
    }

    /// Reads the files of weights that this experiment, or a layer, names.
    fn load_weights(&mut self, experiment: &Experiment, files: &Files) -> Result<(), Vec<Diagnostic>> {
        let program = self.program;
        let others: Vec<Span> = program
            .files
            .iter()
            .flat_map(|file| &file.items)
            .filter_map(|item| match &item.kind {
                ItemKind::Experiment(other) if other.span != experiment.span => Some(item.span),
                _ => None,
            })
            .collect();
        let inside = |span: Span, outer: &Span| {
            span.file == outer.file && outer.start <= span.start && span.end <= outer.end
        };
        let mut problems = Vec::new();
        for file in &program.weights {
            if others.iter().any(|other| inside(file.span, other)) || self.weights.contains_key(&file.path) {
                continue;
            }
            match data::weights(&file.path, file.span, files) {
                Ok(read) => {
                    let store = &mut self.store;
                    let arrays = read.arrays.into_iter().map(|(name, array)| {
                        (name, Weight { slot: store.add(array.tensor), shape: array.shape })
                    });
                    self.scope.bind_weights(&file.path, arrays.collect());
                    self.weights.insert(file.path.clone(), read.hash.to_string());
                }
                Err(more) => problems.extend(more),
            }
        }
        if problems.is_empty() { Ok(()) } else { Err(problems) }
    }

    /// What is random at the top of the file is drawn by the experiment's seed, once for all trials: data that are
    /// generated, and `let`s. Computed columns of files are made here too.
    fn draw(&mut self, program: &'p Program, engine: &Engine) -> Result<(), Vec<Diagnostic>> {
        *self.store.get_mut(self.seed_slot) = Tensor::Index(vec![self.seed as i32]);
        for item in program.files.last().iter().flat_map(|file| &file.items) {
            let drawn = match &item.kind {
                ItemKind::Let(binding) if matches!(binding.value, Init::Draw(_)) => {
                    self.scope.execute_let(binding, &mut self.store, self.precision)?
                }
                ItemKind::Data(data) if !matches!(data.source, DataSource::File { .. }) => {
                    let rows = self.program.axes_at.get(&data.axis.span).copied();
                    if let (Some(id), Some(count)) = (rows, self.scope.generated_rows(data)?) {
                        self.scope.bind_axis(id, count);
                    }
                    Some(self.scope.generate(data, &mut self.store, self.precision)?)
                }
                ItemKind::Data(data) => self.scope.computed_columns(data, &mut self.store, self.precision)?,
                _ => None,
            };
            if let Some(program) = drawn {
                engine.once(program, item.span, &mut self.store)?;
            }
        }
        Ok(())
    }

    fn setting(
        &mut self,
        name: &str,
        value: &'p crate::syntax::ast::Expr,
        statement: &Statement,
    ) -> Result<(), Vec<Diagnostic>> {
        match (name, &value.kind) {
            ("seed", _) => {
                let seed = self.scope.number(value)?;
                if seed < 0.0 || seed > f64::from(u32::MAX) || seed.fract() != 0.0 {
                    return Err(vec![
                        Diagnostic::error(Code::A0504, value.span, format!("{seed} cannot be a seed"))
                            .help("a seed is a whole number from 0 to 4294967295"),
                    ]);
                }
                self.seed = seed as u32;
            }
            ("precision", ExprKind::Name(name)) if PRECISIONS.contains(&name.text.as_str()) => {
                self.precision = if name.text == "f64" { Precision::Double } else { Precision::Single };
                self.factors = Half::of_name(&name.text);
            }
            ("allow", ExprKind::Name(name)) if name.text == "divergence" => self.allow_divergence = true,
            _ => {
                return Err(vec![
                    Diagnostic::error(Code::A0504, statement.span, "there is no such setting").help(format!(
                        "settings are `seed 7`, `precision {}` and `allow divergence`",
                        PRECISIONS.join("|")
                    )),
                ]);
            }
        }
        Ok(())
    }

    /// `groups(d.site)`
    fn groups(&self, value: &Expr) -> Result<Over, Vec<Diagnostic>> {
        let column = called(value, "groups").and_then(|argument| match &argument.kind {
            ExprKind::Field { value, field } => match &value.kind {
                ExprKind::Name(data) => Some((data.text.clone(), field.text.clone())),
                _ => None,
            },
            _ => None,
        });
        let labels = column.as_ref().and_then(|(data, column)| {
            let table = self.tables.get(data)?;
            let category = table.category(table.column(column)?.category.as_deref()?)?;
            Some((0..category.size).map(|at| category.label(at)).collect::<Vec<_>>())
        });
        let labels =
            labels.or_else(|| column.as_ref().and_then(|(data, column)| self.positions(data, column)));
        match (column, labels) {
            (Some(column), Some(labels)) => Ok(Over::Groups { column, labels }),
            _ => Err(vec![
                Diagnostic::error(Code::A0346, value.span, "these groups are not known before the trials")
                    .label("not a category of data at the top of the file")
                    .help("each trial makes the data of an experiment anew: move them to the top of the file, or use `vary Held = range(0, n)` and `test where site == position[Site](Held)`"),
            ]),
        }
    }

    /// The groups of generated data that all trials share: the positions on the axis that the column indexes.
    fn positions(&self, data: &str, column: &str) -> Option<Vec<String>> {
        let items = &self.program.files.last()?.items;
        let block = items.iter().find_map(|item| match &item.kind {
            ItemKind::Data(known) if known.name.text == data => match &known.source {
                DataSource::Generated { block, .. } => Some(block),
                _ => None,
            },
            _ => None,
        })?;
        let name = block.iter().find_map(|statement| match statement {
            GeneratorStatement::Column(known) if known.name.text == column => Some(known.name.span),
            _ => None,
        })?;
        let Some(Type::Array { element: Element::Index(category), .. }) = self.program.bindings.get(&name)
        else {
            return None;
        };
        let size = self.scope.axes.size(self.scope.axis(*category)?);
        Some((0..size).map(|at| at.to_string()).collect())
    }

    fn vary(&mut self, statement: &'p Statement, options: &Options) -> Result<(), Vec<Diagnostic>> {
        let StatementKind::Vary { name, over } = &statement.kind else { return Ok(()) };
        let Some(id) = self.program.axes_at.get(&name.span).copied() else { return Ok(()) };
        let set = options.settings.iter().find(|(known, _)| *known == name.text).map(|(_, value)| *value);
        let over = match over {
            VaryOver::Arms(arms) => Over::Arms(arms.iter().map(|arm| arm.text.clone()).collect()),
            VaryOver::Values(value) if called(value, "kfold").is_some() => {
                let count = match called(value, "kfold") {
                    Some(count) => self.scope.number(count)?,
                    None => 0.0,
                };
                if count < 2.0 || count.fract() != 0.0 || count > 1e6 {
                    return Err(vec![
                        Diagnostic::error(
                            Code::A0504,
                            value.span,
                            format!("`{}` cannot have {count} folds", name.text),
                        )
                        .help("write a whole number from 2: `kfold(5)`"),
                    ]);
                }
                let set = set.or(self.quick.number(&name.text));
                let only = set.map(|fold| fold.max(0.0) as usize).filter(|fold| *fold < count as usize);
                Over::Folds { count: count as usize, only }
            }
            VaryOver::Values(value) if called(value, "groups").is_some() => self.groups(value)?,
            VaryOver::Values(_) if set.is_some() => Over::Values(set.into_iter().collect()),
            VaryOver::Values(value) if matches!(value.kind, ExprKind::List(_) | ExprKind::Call(_)) => {
                if let Some(values) = self.quick.values(&name.text) {
                    self.axes.push(VaryAxis {
                        id,
                        name: name.text.clone(),
                        over: Over::Values(values.to_vec()),
                    });
                    return Ok(());
                }
                let values = self.scope.numbers(value)?;
                if values.is_empty() {
                    let name = &name.text;
                    return Err(vec![
                        Diagnostic::error(
                            Code::A0315,
                            value.span,
                            format!("`vary {name}` has no values: there would be no trial"),
                        )
                        .label("an empty list")
                        .help(format!("give at least one: `vary {name} = [0.1, 1]`")),
                    ]);
                }
                Over::Values(values)
            }
            VaryOver::Values(value) => {
                let count = self.scope.number(value)?;
                if count < 1.0 || count.fract() != 0.0 || count > 1e6 {
                    return Err(vec![
                        Diagnostic::error(
                            Code::A0504,
                            value.span,
                            format!("`{}` cannot have {count} seeds", name.text),
                        )
                        .help("write a whole number from 1, or a list of values: `[0, 0.1, 1]`"),
                    ]);
                }
                let quick = self.quick.number(&name.text);
                Over::Seeds(options.seeds.unwrap_or(quick.unwrap_or(count) as usize))
            }
        };
        self.axes.push(VaryAxis { id, name: name.text.clone(), over });
        Ok(())
    }
}

/// The one argument of a call of this name.
fn called<'e>(value: &'e Expr, name: &str) -> Option<&'e Expr> {
    let ExprKind::Call(call) = &value.kind else { return None };
    match (&call.callee.kind, call.arguments.as_slice()) {
        (ExprKind::Name(callee), [argument]) if callee.text == name => match &argument.kind {
            ArgumentKind::Positional(value) | ArgumentKind::Named { value, .. } => Some(value),
            ArgumentKind::As { .. } => None,
        },
        _ => None,
    }
}

/// Puts a table's columns into the store and gives its axes their sizes.
fn bind_table<'p>(
    program: &Program,
    data: &Data,
    table: &Table,
    scope: &mut Scope<'p>,
    store: &mut Store,
) -> (DataBinding, Vec<(AxisId, Vec<String>)>) {
    let mut ids: BTreeMap<&str, AxisId> = BTreeMap::new();
    if let DataSource::File { columns, .. } = &data.source {
        for column in columns {
            if let crate::syntax::ast::TypeKind::Array { element, axes, .. } = &column.ty.kind {
                let spans = axes.iter().map(|axis| axis.span).chain([element.span]);
                for id in spans.filter_map(|span| program.axes_at.get(&span)) {
                    ids.insert(&program.axis(*id).name, *id);
                }
            }
        }
    }
    let sizes = table.categories.iter().map(|c| (c.name.as_str(), c.values.len()));
    let sizes = sizes.chain(table.groups.iter().map(|g| (g.name.as_str(), g.size)));
    for (name, size) in sizes {
        if let Some(id) = ids.get(name)
            && scope.axis(*id).is_none()
        {
            scope.bind_axis(*id, size);
        }
    }
    let mut binding = DataBinding::default();
    let mut labels: Vec<(AxisId, Vec<String>)> = table
        .categories
        .iter()
        .filter(|category| !category.values.is_empty())
        .filter_map(|category| Some((*ids.get(category.name.as_str())?, category.values.clone())))
        .collect();
    let Some(rows) = program.axes_at.get(&data.axis.span).copied() else { return (binding, labels) };
    labels.extend(table.keys.iter().map(|keys| (rows, keys.clone())));
    let row_axis = scope.bind_axis(rows, table.rows);
    for column in &table.columns {
        let inner =
            column.inner.iter().filter_map(|name| ids.get(name.as_str())).filter_map(|id| scope.axis(*id));
        let layout = std::iter::once(row_axis).chain(inner).collect();
        let slot = store.add(column.tensor.clone());
        let name = format!("{}.{}", data.name.text, column.name);
        binding.columns.insert(column.name.clone(), Stored { slot, element: column.element, layout, name });
    }
    binding.texts.extend(table.texts.iter().map(|text| text.name.clone()));
    (binding, labels)
}

/// What the user calls an axis.
pub fn axis_name(program: &Program, scope: &Scope, axis: Axis, id: Option<AxisId>) -> String {
    id.map_or_else(|| scope.axes.name(axis).to_string(), |id| program.axis(id).name.clone())
}

/// `--set` must name something of this experiment, or of another one in its file: a run of a file sets what each of them has.
fn unknown_settings(base: &Base, experiment: &Experiment, problems: &mut Vec<Diagnostic>) {
    let names = |statement: &Statement| -> Vec<String> {
        match &statement.kind {
            // One of several names of a tuple has no number of its own in the file.
            StatementKind::Let(l) if l.names.len() == 1 => vec![l.names[0].text.clone()],
            StatementKind::Vary { name, .. } => vec![name.text.clone()],
            _ => Vec::new(),
        }
    };
    let known: Vec<String> = experiment.body.iter().flat_map(names).collect();
    let siblings = base.program.files.last().map(|file| &file.items[..]).unwrap_or_default();
    let elsewhere: Vec<String> = siblings
        .iter()
        .filter_map(|item| match &item.kind {
            ItemKind::Experiment(sibling) => Some(sibling),
            _ => None,
        })
        .flat_map(|sibling| sibling.body.iter().flat_map(names))
        .collect();
    for (name, _) in &base.settings {
        if !known.contains(name) && !elsewhere.contains(name) {
            let mut problem = Diagnostic::error(
                Code::A0602,
                experiment.name.span,
                format!("`--set {name}=...` names nothing of this experiment"),
            );
            if let Some(near) = crate::diagnostic::nearest(name, known.iter().map(String::as_str)) {
                problem = problem.help(format!("there is `{near}`"));
            }
            problems.push(problem);
        }
    }
}
