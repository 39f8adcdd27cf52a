//! Every name of the user's file with what it stands for: the place that binds it, and its type there.
//!
//! In: a program, right or wrong, with the tables of the checker. Out: one [`Use`] a name, in the order of the text.

use std::collections::HashMap;

use super::builtin::Builtin;
use super::load::defined;
use super::program::{AxisId, AxisKind, Definition, ItemRef, Program, Target, Type};
use crate::library;
use crate::source::{FileId, Span};
use crate::syntax::ast::{
    Data, DataSource, Expr, ExprId, ExprKind, File, GeneratorStatement, ItemKind, Layer, MemberKind, Name,
    Statement, StatementKind, VaryOver,
};
use crate::syntax::names::{Binding, Kind, Role, Written, names};

/// A name in the user's file.
#[derive(Clone, Debug)]
pub struct Use<'p> {
    pub name: &'p Name,
    pub role: Role<'p>,
    pub meaning: Meaning,
    /// The type here: of a value, with the axes of the place.
    pub ty: Option<Type>,
}

/// What a name stands for.
#[derive(Clone, Debug, PartialEq)]
pub enum Meaning {
    /// What the name at this place binds, in this file or in one of the library.
    Bound(Span),
    /// What the construct at this place makes under a name that the language gives it: the axis `Step` of a record.
    Implied(Span),
    Builtin(Builtin),
    /// The option of a builtin.
    Option(Builtin),
    /// A module of the library.
    Module(String),
    /// `Float`, `Bool`, `Text`.
    Element,
    /// A field of a record, which is a part of its type.
    RecordField,
    /// A word of the language.
    Word,
    /// Nothing that is known.
    Unknown,
}

/// All names of the user's file.
pub fn uses(program: &Program) -> Vec<Use<'_>> {
    let Some(file) = program.files.last().filter(|file| file.id == FileId(0)) else { return Vec::new() };
    let written = names(file);
    let table = Table::new(program, file, &written);
    let mut uses: Vec<Use> = written
        .iter()
        .map(|written| Use {
            name: written.name,
            role: written.role.clone(),
            meaning: table.meaning(written),
            ty: table.ty(written),
        })
        .collect();
    uses.sort_by_key(|of| of.name.span);
    // A name may stand in the tree twice where a construct was rewritten.
    uses.dedup_by_key(|of| of.name.span);
    uses
}

/// The binding of a name in any file of the program.
pub fn binding(program: &Program, place: Span) -> Option<(&Name, Binding<'_>)> {
    let file = program.files.iter().find(|file| file.id == place.file)?;
    names(file).into_iter().find_map(|written| match written.role {
        Role::Binding(binding) if written.name.span == place => Some((written.name, binding)),
        _ => None,
    })
}

/// The bindings of all files of the program, by the places of their names.
pub fn bindings(program: &Program) -> HashMap<Span, Binding<'_>> {
    let all = program.files.iter().flat_map(|file| names(file));
    all.filter_map(|written| match written.role {
        Role::Binding(binding) => Some((written.name.span, binding)),
        _ => None,
    })
    .collect()
}

struct Table<'p> {
    program: &'p Program,
    /// Data sets with the span of the experiment that they are in.
    data: Vec<(&'p Data, Option<Span>)>,
    /// The arms of a `vary`, by the place of its name.
    arms: HashMap<Span, Vec<Span>>,
    /// Terms and records by name: in reports they stand without a definition.
    terms: Vec<(String, Span)>,
    /// The texts of all names, by their places.
    texts: HashMap<Span, &'p str>,
}

impl<'p> Table<'p> {
    fn new(program: &'p Program, file: &'p File, written: &[Written<'p>]) -> Self {
        let mut data = Vec::new();
        let mut arms = HashMap::new();
        for item in &file.items {
            match &item.kind {
                ItemKind::Data(of) => data.push((of, None)),
                ItemKind::Experiment(experiment) => {
                    let mut open: Vec<&Statement> = experiment.body.iter().rev().collect();
                    while let Some(statement) = open.pop() {
                        match &statement.kind {
                            StatementKind::Data(of) => data.push((of, Some(experiment.span))),
                            StatementKind::Vary { name, over: VaryOver::Arms(names) } => {
                                arms.insert(name.span, names.iter().map(|arm| arm.span).collect());
                            }
                            StatementKind::Repeat { body, .. } => open.extend(body.iter().rev()),
                            StatementKind::If { then, otherwise, .. } => {
                                open.extend(then.iter().chain(otherwise.iter().flatten()).rev());
                            }
                            _ => {}
                        }
                    }
                }
                _ => {}
            }
        }
        let terms = written.iter().filter_map(|written| match &written.role {
            Role::Binding(Binding { kind: Kind::Term | Kind::Record, .. }) => {
                Some((written.name.text.clone(), written.name.span))
            }
            _ => None,
        });
        let texts = written.iter().map(|written| (written.name.span, written.name.text.as_str()));
        Table { program, data, arms, terms: terms.collect(), texts: texts.collect() }
    }

    fn meaning(&self, written: &Written<'p>) -> Meaning {
        match self.found(written) {
            // In the user's file, what is bound is called by the name that binds it.
            Meaning::Bound(place) if place.file == FileId(0) && !self.texts.contains_key(&place) => {
                Meaning::Implied(place)
            }
            Meaning::Bound(place)
                if self.texts.get(&place).is_some_and(|text| {
                    text.trim_end_matches('\'') != written.name.text.trim_end_matches('\'')
                }) =>
            {
                Meaning::Implied(place)
            }
            found => found,
        }
    }

    fn found(&self, written: &Written<'p>) -> Meaning {
        let name = written.name;
        match &written.role {
            Role::Binding(Binding { kind: Kind::Term, .. }) => {
                Meaning::Bound(self.program.term_of.get(&name.span).copied().unwrap_or(name.span))
            }
            Role::Binding(_) => Meaning::Bound(name.span),
            Role::Value(id) => self.value(name, *id),
            Role::Field { value, expr } => self.field(name, value, expr),
            Role::Argument { call, callee } => match self.argument(name, *call) {
                Meaning::Unknown => self.replaced(name, callee),
                known => known,
            },
            Role::Axis { whole, at } => {
                let axis = self.program.axes_at.get(&whole.span).copied();
                match (axis, whole.path.len(), *at) {
                    (Some(axis), 1, _) if self.called(axis, &name.text) => self.axis(axis),
                    (Some(axis), 2, 1) => Meaning::Bound(self.program.axis(axis).span),
                    _ => match self.data_or_rows(name) {
                        Meaning::Unknown => self.axis_called(name),
                        known => known,
                    },
                }
            }
            Role::PlainAxis | Role::MadeAxis { .. } => match self.axis_at(name) {
                // `plot loss over Step`: an axis of the plot.
                Meaning::Unknown if matches!(name.text.as_str(), "Step" | "Epoch") => Meaning::Word,
                found => found,
            },
            Role::Element => match name.text.as_str() {
                "Float" | "Bool" | "Text" => Meaning::Element,
                _ => match self.axis_at(name) {
                    Meaning::Unknown => self.layer(name),
                    known => known,
                },
            },
            Role::Module { at: 0 } => Meaning::Module("std".to_owned()),
            Role::Module { .. } => match library::modules().contains(&name.text.as_str()) {
                true => Meaning::Module(name.text.clone()),
                false => Meaning::Unknown,
            },
            Role::Import { import } => import
                .path
                .get(1)
                .and_then(|module| library::find(&module.text, &name.text))
                .and_then(|entry| self.library_item(entry.name, library::FILES[entry.file].1))
                .map_or(Meaning::Unknown, Meaning::Bound),
            Role::DataSet => match self.program.names.get(&name.span) {
                Some(definition) => self.definition(name, definition),
                None => self.data_or_rows(name),
            },
            Role::SplitKey { data } => self.column(&data.text, &name.text, name.span),
            // A field of the file need not be declared.
            Role::TableKey { data } => match self.column(&data.name.text, &name.text, name.span) {
                Meaning::Unknown => Meaning::Word,
                known => known,
            },
            Role::Assigned | Role::Result => match self.program.names.get(&name.span) {
                Some(definition) => self.definition(name, definition),
                None => self.term(name),
            },
            Role::Pattern { arm } => match self.program.arms.get(arm) {
                Some((axis, at)) => self.arm(*axis, *at),
                None => Meaning::Unknown,
            },
            Role::Word => Meaning::Word,
            Role::RecordField => Meaning::RecordField,
        }
    }

    fn ty(&self, written: &Written<'p>) -> Option<Type> {
        let ty = match &written.role {
            Role::Value(id) => self.program.types.get(id),
            Role::Field { expr, .. } => self.program.types.get(&expr.id),
            _ => None,
        };
        let ty = ty.or_else(|| self.program.bindings.get(&written.name.span)).cloned();
        ty.or_else(|| match self.program.names.get(&written.name.span)? {
            Definition::Local(place) => self.program.bindings.get(place).cloned(),
            _ => None,
        })
    }

    fn value(&self, name: &Name, id: ExprId) -> Meaning {
        if let Some(definition) = self.program.names.get(&name.span) {
            return self.definition(name, definition);
        }
        if let Some(axis) = self.program.axes_at.get(&name.span) {
            return self.axis(*axis);
        }
        if let Some(Type::Choice(axis)) = self.program.types.get(&id) {
            return self.arm_called(*axis, &name.text);
        }
        [self.term(name), self.data_or_rows(name), self.unchecked(name)]
            .into_iter()
            .find(|found| *found != Meaning::Unknown)
            .unwrap_or(Meaning::Unknown)
    }

    /// What is not checked as a value: calls in columns of files, functions of the layer around, functions of the
    /// prelude and builtins where they work on models.
    fn unchecked(&self, name: &Name) -> Meaning {
        let inside = |of: Span| of.start <= name.span.start && name.span.end <= of.end;
        if let Some((data, _)) = self.data.iter().find(|(data, _)| inside(data.span)) {
            let column = self.column(&data.name.text, &name.text, name.span);
            if column != Meaning::Unknown {
                return column;
            }
            if super::item::text::TEXT_FUNCTIONS.iter().any(|(known, ..)| *known == name.text) {
                return Meaning::Word;
            }
        }
        let items = self.program.files.last().into_iter().flat_map(|file| &file.items);
        let layer = items.filter(|item| inside(item.span)).find_map(|item| match &item.kind {
            ItemKind::Layer(layer) => Some(layer),
            _ => None,
        });
        let method = layer.and_then(|layer| member_of(layer, &name.text));
        if let Some(method) = method {
            return Meaning::Bound(method);
        }
        if let Some(builtin) = Builtin::find(&name.text) {
            return Meaning::Builtin(builtin);
        }
        let prelude = library::find("prelude", &name.text);
        let found = prelude.and_then(|entry| self.library_item(entry.name, library::FILES[entry.file].1));
        match (found, name.text.as_str()) {
            (Some(place), _) => Meaning::Bound(place),
            // `vary Held = groups(d.site)`, and what is recorded of a constraint.
            (None, "groups" | "violation") => Meaning::Word,
            _ => Meaning::Unknown,
        }
    }

    /// `net.with(hidden = ..)`: the name of a part of the layer.
    fn replaced(&self, name: &Name, callee: &Expr) -> Meaning {
        let ExprKind::Field { value, field } = &callee.kind else { return Meaning::Unknown };
        match self.program.types.get(&value.id) {
            Some(Type::Model { layer, .. }) if field.text == "with" => self.member(*layer, &name.text),
            _ => Meaning::Unknown,
        }
    }

    /// The axis of that name that was declared last before its use, in the same item or at the top of the file.
    fn axis_called(&self, name: &Name) -> Meaning {
        let items = self.program.files.last().into_iter().flat_map(|file| &file.items);
        let around =
            items.map(|item| item.span).find(|of| of.start <= name.span.start && name.span.end <= of.end);
        let reachable = |place: Span| {
            place.file == FileId(0)
                && place.start <= name.span.start
                && around.is_none_or(|around| {
                    let inside = around.start <= place.start && place.end <= around.end;
                    inside || !self.inside_an_item_with_scope(place)
                })
        };
        let axes = self.program.axes.iter().enumerate();
        let named = axes.filter(|(_, axis)| axis.name == name.text && reachable(axis.span));
        let last = named.max_by_key(|(_, axis)| axis.span);
        last.map_or(Meaning::Unknown, |(at, _)| self.axis(AxisId(at as u32)))
    }

    /// Data and axes at the top of a file are seen by all of it.
    fn inside_an_item_with_scope(&self, place: Span) -> bool {
        let items = self.program.files.last().into_iter().flat_map(|file| &file.items);
        items
            .filter(|item| !matches!(item.kind, ItemKind::Data(_) | ItemKind::Axis(_)))
            .any(|item| item.span.start <= place.start && place.end <= item.span.end)
    }

    fn definition(&self, name: &Name, definition: &Definition) -> Meaning {
        match definition {
            Definition::Local(span) => Meaning::Bound(*span),
            Definition::Column { data, column } => self.column(data, column, name.span),
            Definition::Item(item) => self.item(*item, &name.text).map_or(Meaning::Unknown, Meaning::Bound),
            Definition::Builtin(builtin) => Meaning::Builtin(*builtin),
            Definition::Axis(axis) | Definition::VaryValue(axis) => self.axis(*axis),
            Definition::Arm(axis, at) => self.arm(*axis, *at),
        }
    }

    /// The place of an item's name.
    fn item(&self, item: ItemRef, name: &str) -> Option<Span> {
        let names = defined(&self.program.item(item).kind);
        let found = names.iter().find(|known| known.text == name).or(names.first());
        found.map(|name| name.span)
    }

    /// The place of the name of a library's item, in the file with that text.
    fn library_item(&self, name: &str, text: &'static str) -> Option<Span> {
        let own = |file: &&std::sync::Arc<File>| {
            let spot = |span: Span| text.get(span.start as usize..span.end as usize);
            let mut items = file.items.iter().flat_map(|item| defined(&item.kind));
            items.any(|known| known.text == name && spot(known.span) == Some(name))
        };
        let file = self.program.files.iter().filter(|file| file.id != FileId(0)).find(own)?;
        let mut known = file.items.iter().flat_map(|item| defined(&item.kind));
        known.find(|known| known.text == name).map(|known| known.span)
    }

    fn layer(&self, name: &Name) -> Meaning {
        let own = names_of_layers(self.program.files.last().map(|file| &**file));
        if let Some(layer) = own.into_iter().find(|layer| layer.text == name.text) {
            return Meaning::Bound(layer.span);
        }
        let library = self.program.files.iter().filter(|file| file.id != FileId(0));
        let found = library.flat_map(|file| names_of_layers(Some(file))).find(|l| l.text == name.text);
        found.map_or(Meaning::Unknown, |layer| Meaning::Bound(layer.span))
    }

    fn called(&self, axis: AxisId, name: &str) -> bool {
        self.program.axis(axis).name.trim_end_matches('\'') == name
    }

    fn axis_at(&self, name: &Name) -> Meaning {
        self.program.axes_at.get(&name.span).map_or(Meaning::Unknown, |axis| self.axis(*axis))
    }

    /// Where an axis has its name from: batches and slices have it from the axis that they were taken from.
    fn axis(&self, axis: AxisId) -> Meaning {
        let info = self.program.axis(axis);
        match &info.kind {
            AxisKind::Batch { rows } | AxisKind::Part { rows, .. } => self.axis(*rows),
            AxisKind::SameSizeAs(of) if info.name.ends_with('\'') => self.axis(*of),
            // A slice is made where the axis of the whole is named.
            AxisKind::Derived => match self.program.axes_at.get(&info.span) {
                Some(of) if *of != axis && self.program.axis(*of).name == info.name => self.axis(*of),
                _ => Meaning::Bound(info.span),
            },
            _ => Meaning::Bound(info.span),
        }
    }

    fn arm(&self, axis: AxisId, at: usize) -> Meaning {
        let arms = self.arms.get(&self.program.axis(axis).span);
        arms.and_then(|arms| arms.get(at)).map_or(Meaning::Unknown, |arm| Meaning::Bound(*arm))
    }

    fn arm_called(&self, axis: AxisId, name: &str) -> Meaning {
        match &self.program.axis(axis).kind {
            AxisKind::Vary(super::program::Vary::Arms(arms)) => {
                arms.iter().position(|arm| arm == name).map_or(Meaning::Unknown, |at| self.arm(axis, at))
            }
            _ => Meaning::Unknown,
        }
    }

    fn term(&self, name: &Name) -> Meaning {
        let before = self.terms.iter().find(|(known, _)| *known == name.text);
        before.map_or(Meaning::Unknown, |(_, place)| {
            Meaning::Bound(self.program.term_of.get(place).copied().unwrap_or(*place))
        })
    }

    /// The data set of that name: of the experiment around the use, or of the file.
    fn data(&self, name: &str, used: Span) -> Option<&'p Data> {
        let mut called = self.data.iter().rev().filter(|(data, _)| data.name.text == name);
        let inside = |of: &Option<Span>| of.is_none_or(|of| of.start <= used.start && used.end <= of.end);
        called.find(|(_, of)| inside(of)).map(|(data, _)| *data)
    }

    fn data_or_rows(&self, name: &Name) -> Meaning {
        if let Some(data) = self.data(&name.text, name.span) {
            return Meaning::Bound(data.name.span);
        }
        let rows = self.data.iter().find(|(data, _)| data.axis.text == name.text);
        rows.map_or(Meaning::Unknown, |(data, _)| Meaning::Bound(data.axis.span))
    }

    fn column(&self, data: &str, column: &str, used: Span) -> Meaning {
        let Some(data) = self.data(data, used) else { return Meaning::Unknown };
        let columns: Vec<&Name> = match &data.source {
            DataSource::File { columns, .. } => columns.iter().map(|column| &column.name).collect(),
            DataSource::Generated { block, .. } => {
                let columns = block.iter().filter_map(|statement| match statement {
                    GeneratorStatement::Column(column) => Some(&column.name),
                    GeneratorStatement::Statement(_) => None,
                });
                columns.collect()
            }
            // The columns are the fields of what is sampled.
            DataSource::Sampled { .. } => return Meaning::RecordField,
        };
        let found = columns.into_iter().find(|known| known.text == column);
        found.map_or(Meaning::Unknown, |name| Meaning::Bound(name.span))
    }

    fn field(&self, name: &Name, value: &Expr, expr: &Expr) -> Meaning {
        if let Some(definition) = self.program.names.get(&name.span) {
            return self.definition(name, definition);
        }
        if let Some(axis) = self.program.axes_at.get(&expr.span) {
            return Meaning::Bound(self.program.axis(*axis).span);
        }
        match (self.program.types.get(&value.id), self.program.types.get(&expr.id)) {
            (Some(Type::Model { .. }), _) if name.text == "with" => Meaning::Word,
            (Some(Type::Model { layer, .. }), _) => self.member(*layer, &name.text),
            (Some(Type::Rows { .. }), Some(Type::Rows { rows, .. })) => {
                Meaning::Bound(self.program.axis(*rows).span)
            }
            (Some(Type::Record(_) | Type::Tuple(_)), _) => Meaning::RecordField,
            _ if self.of_a_term(value) => Meaning::RecordField,
            _ => match &value.kind {
                ExprKind::Name(data) => self.column(&data.text, &name.text, name.span),
                _ => Meaning::Unknown,
            },
        }
    }

    /// `fit.value`, `fit.cosine.align`: what is recorded of a term.
    fn of_a_term(&self, value: &Expr) -> bool {
        match &value.kind {
            ExprKind::Name(name) => self.term(name) != Meaning::Unknown || name.text == "violation",
            ExprKind::Field { value, .. } => self.of_a_term(value),
            _ => false,
        }
    }

    /// A parameter, part or method of a layer.
    fn member(&self, layer: ItemRef, name: &str) -> Meaning {
        let ItemKind::Layer(layer) = &self.program.item(layer).kind else { return Meaning::Unknown };
        member_of(layer, name).map_or(Meaning::Unknown, Meaning::Bound)
    }

    fn argument(&self, name: &Name, call: ExprId) -> Meaning {
        let Some(info) = self.program.calls.get(&call) else { return Meaning::Unknown };
        match &info.target {
            Target::Builtin(builtin) => Meaning::Option(*builtin),
            target => {
                let parameters = parameters(self.program, target);
                let found = parameters.into_iter().find(|parameter| parameter.name.text == name.text);
                found.map_or(Meaning::Unknown, |parameter| Meaning::Bound(parameter.name.span))
            }
        }
    }
}

/// The place of the name of a parameter, part or method.
fn member_of(layer: &Layer, name: &str) -> Option<Span> {
    let mut names = layer.members.iter().flat_map(|member| match &member.kind {
        MemberKind::Param(param) => param.names.iter().collect::<Vec<_>>(),
        MemberKind::Let(l) => l.names.iter().collect(),
        MemberKind::Call(function) => vec![&function.name],
        MemberKind::Axis(_) => Vec::new(),
    });
    names.find(|known| known.text == name).map(|name| name.span)
}

fn names_of_layers(file: Option<&File>) -> Vec<&Name> {
    let items = file.into_iter().flat_map(|file| &file.items);
    items
        .filter_map(|item| match &item.kind {
            ItemKind::Layer(layer) => Some(&layer.name),
            _ => None,
        })
        .collect()
}

/// The value parameters of what a call calls.
pub fn parameters<'p>(program: &'p Program, target: &Target) -> Vec<&'p crate::syntax::ast::Parameter> {
    let of_item = |item: &ItemRef| -> &'p [crate::syntax::ast::Parameter] {
        match &program.item(*item).kind {
            ItemKind::Function(function) | ItemKind::Combiner(function) => &function.parameters,
            ItemKind::Layer(layer) => &layer.parameters,
            ItemKind::Optimizer(o) | ItemKind::SteppingCombiner(o) | ItemKind::Constraint(o) => &o.parameters,
            _ => &[],
        }
    };
    let found = match target {
        Target::Function(item)
        | Target::Construct(item)
        | Target::Optimizer(item)
        | Target::Combiner(item)
        | Target::Constraint(item) => of_item(item),
        Target::Apply { layer, member } => match &program.item(*layer).kind {
            ItemKind::Layer(layer) => match layer.members.get(*member).map(|member| &member.kind) {
                Some(MemberKind::Call(function)) => function.parameters.as_slice(),
                _ => &[],
            },
            _ => &[],
        },
        Target::Builtin(_) | Target::Value => &[],
    };
    found.iter().collect()
}
