//! Every name of a tree, with what it is there for: what editors and renaming need, and no stage of a run.
//!
//! In: the tree of a file. Out: its names in the order of the tree, each with its [`Role`].

use super::ast::*;
use crate::source::{Sources, Span};

/// A name as it stands in the text.
#[derive(Clone, Debug)]
pub struct Written<'t> {
    pub name: &'t Name,
    pub role: Role<'t>,
}

/// What a name is there for.
#[derive(Clone, Debug)]
pub enum Role<'t> {
    /// It gives something this name.
    Binding(Binding<'t>),
    /// A value, a function or an axis: an expression of its own.
    Value(ExprId),
    /// Behind a dot.
    Field { value: &'t Expr, expr: &'t Expr },
    /// The name of an argument of a call.
    Argument { call: ExprId, callee: &'t Expr },
    /// The name at a position of an axis as written (`ner.train` has two).
    Axis { whole: &'t AxisName, at: usize },
    /// An axis, written as a name alone.
    PlainAxis,
    /// An axis that the call of a builtin makes, or finds: the `K` of `H as K`.
    MadeAxis { call: ExprId },
    /// The element of a type.
    Element,
    /// A word of the path of a `use`, and its position.
    Module { at: usize },
    /// What a `use` imports.
    Import { import: &'t Use },
    /// The data set of a `split`.
    DataSet,
    /// A column of the data set of a `split`.
    SplitKey { data: &'t Name },
    /// The column by which the rows of a table are called.
    TableKey { data: &'t Data },
    /// The left side of `:=`.
    Assigned,
    /// The record of a `keep`, or what a `quick` sets.
    Result,
    /// The pattern of an arm.
    Pattern { arm: Span },
    /// A word of the language in a place where names stand: a setting, a reader, a word of a sampler.
    Word,
    /// A field of a record, or of the type of one.
    RecordField,
}

/// What kind of thing a name is given to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Function,
    Layer,
    Method,
    Optimizer,
    Combiner,
    Constraint,
    Data,
    Column,
    Experiment,
    Axis,
    /// A generic axis of a function or layer.
    AxisParameter,
    Vary,
    Arm,
    Let,
    Weight,
    State,
    Parameter,
    /// A variable of a `scan` or `iterate`.
    Loop,
    Measure,
    Record,
    Term,
    Part,
}

#[derive(Clone, Copy, Debug)]
pub struct Binding<'t> {
    pub kind: Kind,
    /// The `///` lines of it.
    pub docs: &'t [String],
    /// All of the construct that binds it.
    pub whole: Span,
    /// The part of it to show for the whole: a signature without its body.
    pub head: Span,
    /// The type that is written for it.
    pub ty: Option<&'t Type>,
}

/// A declaration without its body.
pub fn head(sources: &Sources, binding: &Binding) -> String {
    let text = sources.slice(binding.head).trim_end();
    // Of what has members or states, their block is no part of the signature.
    let text = match binding.kind {
        Kind::Layer | Kind::Optimizer | Kind::Combiner | Kind::Constraint => {
            text.split_once(" {\n").map_or(text, |(before, _)| before)
        }
        _ => text,
    };
    let text = text.strip_suffix(['=', '{']).unwrap_or(text).trim_end();
    // A long signature stands on several lines already; comments in it are left out.
    text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

/// All names of a file.
pub fn names(file: &File) -> Vec<Written<'_>> {
    let mut walk = Walk::over(file);
    walk.found.retain(|written| !written.name.text.is_empty());
    walk.found
}

/// All calls of a file.
pub fn calls(file: &File) -> Vec<(&Expr, &Call)> {
    Walk::over(file).calls
}

#[derive(Default)]
struct Walk<'t> {
    found: Vec<Written<'t>>,
    calls: Vec<(&'t Expr, &'t Call)>,
}

impl<'t> Walk<'t> {
    fn over(file: &'t File) -> Self {
        let mut walk = Walk::default();
        file.items.iter().for_each(|item| walk.item(item));
        walk
    }

    fn name(&mut self, name: &'t Name, role: Role<'t>) {
        self.found.push(Written { name, role });
    }

    fn bind(&mut self, name: &'t Name, kind: Kind, docs: &'t [String], whole: Span) {
        self.bind_typed(name, kind, docs, whole, None);
    }

    fn bind_typed(
        &mut self,
        name: &'t Name,
        kind: Kind,
        docs: &'t [String],
        whole: Span,
        ty: Option<&'t Type>,
    ) {
        self.name(name, Role::Binding(Binding { kind, docs, whole, head: whole, ty }));
    }

    fn item(&mut self, item: &'t Item) {
        let docs = item.docs.as_slice();
        match &item.kind {
            ItemKind::Use(import) => {
                for (at, name) in import.path.iter().enumerate() {
                    self.name(name, Role::Module { at });
                }
                import.names.iter().for_each(|name| self.name(name, Role::Import { import }));
            }
            ItemKind::Function(function) => self.function(function, Kind::Function, docs),
            ItemKind::Combiner(function) => self.function(function, Kind::Combiner, docs),
            ItemKind::Layer(layer) => self.layer(layer, docs),
            ItemKind::Optimizer(optimizer) => self.optimizer(optimizer, Kind::Optimizer, docs),
            ItemKind::SteppingCombiner(combiner) => self.optimizer(combiner, Kind::Combiner, docs),
            ItemKind::Constraint(constraint) => self.optimizer(constraint, Kind::Constraint, docs),
            ItemKind::Data(data) => self.data(data, docs),
            ItemKind::Experiment(experiment) => {
                self.bind(&experiment.name, Kind::Experiment, docs, experiment.span);
                self.statements(&experiment.body);
            }
            ItemKind::Test(test) => self.block(&test.body),
            ItemKind::Axis(axes) => self.axes(axes, docs),
            ItemKind::Let(l) => self.binding_let(l, docs),
        }
    }

    fn function(&mut self, function: &'t Function, kind: Kind, docs: &'t [String]) {
        let head = Span { end: function.body.span.start.max(function.span.start), ..function.span };
        let binding = Binding { kind, docs, whole: function.span, head, ty: function.result.as_ref() };
        self.name(&function.name, Role::Binding(binding));
        self.signature(&function.axes, &function.parameters);
        function.result.iter().for_each(|ty| self.ty(ty));
        self.block(&function.body);
        if let Some(gradient) = &function.gradient {
            gradient.0.iter().for_each(|name| self.bind(name, Kind::Parameter, &[], name.span));
            self.block(&gradient.1);
        }
    }

    fn signature(&mut self, axes: &'t [Name], parameters: &'t [Parameter]) {
        axes.iter().for_each(|axis| self.bind(axis, Kind::AxisParameter, &[], axis.span));
        for parameter in parameters {
            self.bind_typed(&parameter.name, Kind::Parameter, &[], parameter.span, parameter.ty.as_ref());
            parameter.ty.iter().for_each(|ty| self.ty(ty));
            parameter.default.iter().for_each(|value| self.expr(value));
        }
    }

    fn layer(&mut self, layer: &'t Layer, docs: &'t [String]) {
        let first = layer.members.first().map_or(layer.span.end, |member| member.span.start);
        let head = Span { end: first, ..layer.span };
        let binding = Binding { kind: Kind::Layer, docs, whole: layer.span, head, ty: None };
        self.name(&layer.name, Role::Binding(binding));
        self.signature(&layer.axes, &layer.parameters);
        for member in &layer.members {
            match &member.kind {
                MemberKind::Param(param) => self.param(param, &member.docs),
                MemberKind::Let(l) => self.binding_let(l, &member.docs),
                MemberKind::Axis(axes) => self.axes(axes, &member.docs),
                MemberKind::Call(function) => self.function(function, Kind::Method, &member.docs),
            }
        }
    }

    fn param(&mut self, param: &'t Param, docs: &'t [String]) {
        for name in &param.names {
            self.bind_typed(name, Kind::Weight, docs, param.span, Some(&param.ty));
        }
        self.ty(&param.ty);
        self.init(&param.init);
    }

    fn init(&mut self, init: &'t Init) {
        let (Init::Value(value) | Init::Draw(value)) = init;
        self.expr(value);
    }

    fn optimizer(&mut self, optimizer: &'t Optimizer, kind: Kind, docs: &'t [String]) {
        let first = optimizer.states.first().map_or(optimizer.step.span, |(name, _)| name.span);
        let head = Span { end: first.start, ..optimizer.span };
        let binding = Binding { kind, docs, whole: optimizer.span, head, ty: None };
        self.name(&optimizer.name, Role::Binding(binding));
        self.signature(&optimizer.axes, &optimizer.parameters);
        for (name, value) in &optimizer.states {
            self.bind(name, Kind::State, &[], name.span.to(value.span));
            self.expr(value);
        }
        self.signature(&[], &optimizer.step.parameters);
        self.block(&optimizer.step.body);
    }

    fn data(&mut self, data: &'t Data, docs: &'t [String]) {
        let head = Span { end: data.axis.span.end, ..data.span };
        let binding = Binding { kind: Kind::Data, docs, whole: data.span, head, ty: None };
        self.name(&data.name, Role::Binding(binding));
        match &data.source {
            DataSource::File { reader, arguments, key, columns } => {
                self.name(reader, Role::Word);
                for argument in arguments {
                    match &argument.kind {
                        ArgumentKind::Positional(value) => self.expr(value),
                        ArgumentKind::Named { name, value } => {
                            self.name(name, Role::Word);
                            // The values of options are words of the reader, numbers and texts.
                            if !matches!(value.kind, ExprKind::Name(_)) {
                                self.expr(value);
                            }
                        }
                        ArgumentKind::As { value, .. } => self.expr(value),
                    }
                }
                self.bind(&data.axis, Kind::Axis, &[], head);
                key.iter().for_each(|key| self.name(key, Role::TableKey { data }));
                columns.iter().for_each(|column| self.column(column));
            }
            DataSource::Generated { size, block } => {
                self.bind(&data.axis, Kind::Axis, &[], head);
                self.expr(size);
                for statement in block {
                    match statement {
                        GeneratorStatement::Column(column) => self.column(column),
                        GeneratorStatement::Statement(statement) => self.statement(statement),
                    }
                }
            }
            DataSource::Sampled { size, from, draw } => {
                self.bind(&data.axis, Kind::Axis, &[], head);
                self.expr(size);
                // `draw` is what was checked of `from`.
                match draw.as_deref() {
                    Some(Expr { kind: ExprKind::Call(call), .. }) => self.expr(&call.callee),
                    _ => self.expr(from),
                }
            }
        }
    }

    fn column(&mut self, column: &'t Column) {
        self.bind_typed(&column.name, Kind::Column, &column.docs, column.span, Some(&column.ty));
        self.ty(&column.ty);
        column.value.iter().for_each(|value| self.init(value));
        column.missing.iter().for_each(|value| {
            if !matches!(value.kind, ExprKind::Name(_)) {
                self.expr(value);
            }
        });
    }

    fn axes(&mut self, axes: &'t [AxisDeclaration], docs: &'t [String]) {
        for axis in axes {
            self.bind(&axis.name, Kind::Axis, docs, axis.name.span.to(axis.size.span));
            self.expr(&axis.size);
        }
    }

    fn binding_let(&mut self, l: &'t Let, docs: &'t [String]) {
        for name in &l.names {
            self.bind_typed(name, Kind::Let, docs, l.span, l.ty.as_ref());
        }
        l.ty.iter().for_each(|ty| self.ty(ty));
        self.init(&l.value);
        l.over.iter().for_each(|axis| self.axis(axis));
        l.refresh.iter().for_each(|count| self.expr(count));
    }

    fn block(&mut self, block: &'t Block) {
        self.statements(&block.statements);
        block.value.iter().for_each(|value| self.expr(value));
    }

    fn statements(&mut self, statements: &'t [Statement]) {
        statements.iter().for_each(|statement| self.statement(statement));
    }

    fn statement(&mut self, statement: &'t Statement) {
        let docs = statement.docs.as_slice();
        let span = statement.span;
        match &statement.kind {
            StatementKind::Axis(axes) => self.axes(axes, docs),
            StatementKind::Let(l) => self.binding_let(l, docs),
            StatementKind::Assign { name, value } => {
                self.name(name, Role::Assigned);
                self.expr(value);
            }
            StatementKind::Assert { condition: value }
            | StatementKind::Yield(value)
            | StatementKind::Expression(value)
            | StatementKind::Claim { condition: value, .. }
            | StatementKind::Epochs(value)
            | StatementKind::Steps(value)
            | StatementKind::Stop(value) => self.expr(value),
            StatementKind::If { condition, then, otherwise } => {
                self.expr(condition);
                self.statements(then);
                self.statements(otherwise.as_deref().unwrap_or_default());
            }
            StatementKind::Data(data) => self.data(data, docs),
            StatementKind::Param(param) => self.param(param, docs),
            StatementKind::Vary { name, over } => {
                self.bind(name, Kind::Vary, docs, span);
                match over {
                    VaryOver::Arms(arms) => {
                        arms.iter().for_each(|arm| self.bind(arm, Kind::Arm, &[], arm.span));
                    }
                    VaryOver::Values(values) => self.expr(values),
                }
            }
            StatementKind::Split(split) => self.split(split),
            StatementKind::Train(train) => {
                train.data.iter().for_each(|axis| self.axis(axis));
                self.statements(&train.body);
            }
            StatementKind::On { data, body } => {
                data.iter().for_each(|axis| self.axis(axis));
                self.statements(body);
            }
            StatementKind::Measure { name, value } => {
                self.bind(name, Kind::Measure, docs, span);
                self.expr(value);
            }
            StatementKind::Record { name, value } => {
                self.bind(name, Kind::Record, docs, span);
                self.expr(value);
            }
            StatementKind::Report(lines) => lines.iter().for_each(|line| self.report_line(line)),
            StatementKind::Snapshot { values, within } => {
                values.iter().chain(within).for_each(|value| self.expr(value));
            }
            StatementKind::Quick(settings) => {
                for setting in settings {
                    self.name(&setting.name, Role::Result);
                    self.expr(&setting.value);
                }
            }
            StatementKind::Repeat { axis, count, body } => {
                axis.iter().for_each(|axis| self.bind(axis, Kind::Axis, docs, axis.span.to(count.span)));
                self.expr(count);
                self.statements(body);
            }
            StatementKind::Setting { name, value } => {
                self.name(name, Role::Word);
                match &value.kind {
                    ExprKind::Name(word) if name.text != "seed" => self.name(word, Role::Word),
                    _ => self.expr(value),
                }
            }
            StatementKind::Batch { size, axis, sampling } => {
                self.expr(size);
                axis.iter().for_each(|axis| self.axis(axis));
                for clause in sampling {
                    clause.words.iter().for_each(|word| self.name(word, Role::Word));
                    clause.value.iter().chain(&clause.further).for_each(|value| self.expr(value));
                    clause.each.iter().for_each(|value| self.expr(value));
                }
            }
            StatementKind::State(state) => {
                for name in &state.names {
                    self.bind_typed(name, Kind::State, docs, span, state.ty.as_ref());
                }
                state.ty.iter().for_each(|ty| self.ty(ty));
                self.expr(&state.value);
            }
            StatementKind::Objective(objective) => self.objective(objective),
            StatementKind::Every { count, axis, body } => {
                self.expr(count);
                axis.iter().for_each(|axis| self.bind(axis, Kind::Axis, docs, axis.span));
                self.statements(body);
            }
            StatementKind::Keep { name, .. } => self.name(name, Role::Result),
        }
    }

    fn split(&mut self, split: &'t Split) {
        self.name(&split.data, Role::DataSet);
        for key in split.by.iter().chain(&split.stratified) {
            self.name(key, Role::SplitKey { data: &split.data });
        }
        split.seed.iter().for_each(|seed| self.expr(seed));
        for part in &split.parts {
            self.bind(&part.name, Kind::Part, &[], part.name.span);
            match &part.size {
                Some(PartSize::Percent(size) | PartSize::Count(size) | PartSize::Where(size)) => {
                    self.expr(size)
                }
                Some(PartSize::Fold(fold)) => self.name(fold, Role::PlainAxis),
                None => {}
            }
        }
    }

    fn objective(&mut self, objective: &'t Objective) {
        for term in &objective.terms {
            term.name.iter().for_each(|name| self.bind(name, Kind::Term, &[], term.span));
            self.expr(&term.value);
            term.over.iter().for_each(|over| self.expr(over));
        }
        objective.combiner.iter().for_each(|combiner| self.expr(combiner));
        for constraint in &objective.constraints {
            self.expr(&constraint.condition);
            constraint.method.iter().for_each(|method| self.expr(method));
        }
        objective.over.iter().for_each(|over| self.expr(over));
        for value in [&objective.with, &objective.steps, &objective.project].into_iter().flatten() {
            self.expr(value);
        }
    }

    fn report_line(&mut self, line: &'t ReportLine) {
        match &line.kind {
            ReportKind::Table { values, by } => {
                values.iter().for_each(|value| self.expr(value));
                by.iter().for_each(|name| self.name(name, Role::PlainAxis));
            }
            ReportKind::Plot { values, over, by } => {
                values.iter().for_each(|value| self.expr(value));
                over.iter().chain(by).for_each(|name| self.name(name, Role::PlainAxis));
            }
            ReportKind::Text(_) => {}
        }
    }

    fn ty(&mut self, ty: &'t Type) {
        match &ty.kind {
            TypeKind::Array { element, part, axes } => {
                match part {
                    Some(part) => self.axis(part),
                    None => self.name(element, Role::Element),
                }
                axes.iter().for_each(|axis| self.axis(axis));
            }
            TypeKind::Record(fields) => {
                for (name, ty) in fields {
                    self.name(name, Role::RecordField);
                    self.ty(ty);
                }
            }
            TypeKind::Tuple(types) => types.iter().for_each(|ty| self.ty(ty)),
            TypeKind::Function { parameters, result } => {
                parameters.iter().for_each(|ty| self.ty(ty));
                self.ty(result);
            }
        }
    }

    fn axis(&mut self, axis: &'t AxisName) {
        for (at, name) in axis.path.iter().enumerate() {
            self.name(name, Role::Axis { whole: axis, at });
        }
    }

    fn expr(&mut self, expr: &'t Expr) {
        match &expr.kind {
            ExprKind::Number { .. } | ExprKind::Bool(_) | ExprKind::Text(_) => {}
            ExprKind::Name(name) => self.name(name, Role::Value(expr.id)),
            ExprKind::Parenthesised(value) | ExprKind::Unary { value, .. } => self.expr(value),
            ExprKind::Tuple(values) | ExprKind::List(values) => {
                values.iter().for_each(|value| self.expr(value));
            }
            ExprKind::Record(fields) => {
                for (name, value) in fields {
                    self.name(name, Role::RecordField);
                    self.expr(value);
                }
            }
            ExprKind::Binary { left, right, .. } => {
                self.expr(left);
                self.expr(right);
            }
            ExprKind::Approximately { left, right, within } => {
                self.expr(left);
                self.expr(right);
                within.iter().for_each(|value| self.expr(value));
            }
            ExprKind::Call(call) => self.call(expr, call),
            ExprKind::Index { value, selectors } => {
                self.expr(value);
                selectors.iter().for_each(|selector| self.selector(selector));
            }
            ExprKind::Field { value, field } => {
                self.expr(value);
                self.name(field, Role::Field { value, expr });
            }
            ExprKind::Match { value, arms } => {
                self.expr(value);
                for arm in arms {
                    if let Pattern::Name(name) = &arm.pattern {
                        self.name(name, Role::Pattern { arm: arm.span });
                    }
                    self.expr(&arm.value);
                }
            }
            ExprKind::If { condition, then, otherwise } => {
                self.expr(condition);
                self.block(then);
                self.block(otherwise);
            }
            ExprKind::Scan { item, axis, from, body } => {
                self.bind(item, Kind::Loop, &[], item.span);
                self.axis(axis);
                self.starts(from);
                self.block(body);
            }
            ExprKind::Iterate { count, until, from, body, .. } => {
                self.expr(count);
                until.iter().for_each(|until| self.expr(until));
                self.starts(from);
                self.block(body);
            }
            ExprKind::Lambda { parameters, result, body } => {
                self.signature(&[], parameters);
                result.iter().for_each(|ty| self.ty(ty));
                self.block(body);
            }
            ExprKind::From { value, .. } => self.expr(value),
        }
    }

    fn starts(&mut self, from: &'t [(Name, Expr)]) {
        for (name, value) in from {
            self.bind(name, Kind::Loop, &[], name.span.to(value.span));
            self.expr(value);
        }
    }

    fn call(&mut self, expr: &'t Expr, call: &'t Call) {
        self.calls.push((expr, call));
        self.expr(&call.callee);
        call.axes.iter().for_each(|axis| self.axis(axis));
        for argument in &call.arguments {
            match &argument.kind {
                ArgumentKind::Positional(value) => self.expr(value),
                ArgumentKind::Named { name, value } => {
                    self.name(name, Role::Argument { call: expr.id, callee: &call.callee });
                    match &value.kind {
                        // `rank(x, A, ties = first)`
                        ExprKind::Name(rule) if name.text == "ties" => self.name(rule, Role::Word),
                        _ => self.expr(value),
                    }
                }
                ArgumentKind::As { value, name, further, size } => {
                    self.expr(value);
                    for name in std::iter::once(name).chain(further) {
                        self.name(name, Role::MadeAxis { call: expr.id });
                    }
                    size.iter().for_each(|size| self.expr(size));
                }
            }
        }
        call.by.iter().chain(&call.filter).chain(&call.otherwise).for_each(|value| self.expr(value));
    }

    fn selector(&mut self, selector: &'t Selector) {
        match selector {
            Selector::Axis(axis) => self.axis(axis),
            Selector::Rename { axis, to } => {
                self.axis(axis);
                self.axis(to);
            }
            Selector::Pick { axis, index } => {
                self.axis(axis);
                self.expr(index);
            }
            Selector::Slice { axis, start, end } => {
                self.axis(axis);
                start.iter().chain(end).for_each(|value| self.expr(value));
            }
        }
    }
}
