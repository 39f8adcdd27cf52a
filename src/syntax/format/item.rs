//! Declarations.

use super::doc::{Doc, docs, join};
use super::expression::{quoted, type_of};
use super::statement::axis_names;
use super::{Formatter, documentation, names};
use crate::syntax::ast::{
    AxisDeclaration, Column, Data, DataSource, Expr, ExprKind, Function, GeneratorStatement, Init, Item,
    ItemKind, Layer, Let, Member, MemberKind, Name, Optimizer, Param, Use,
};

impl Formatter<'_> {
    pub(super) fn item(&mut self, item: &Item) -> Doc {
        let kind = match &item.kind {
            ItemKind::Use(used) => use_item(used),
            ItemKind::Function(function) => docs!["fn ", self.function(function)],
            ItemKind::Combiner(function) => docs!["combiner ", self.function(function)],
            ItemKind::Layer(layer) => self.layer(layer),
            ItemKind::Optimizer(optimizer) => docs!["optimizer ", self.optimizer(optimizer)],
            ItemKind::SteppingCombiner(combiner) => docs!["combiner ", self.optimizer(combiner)],
            ItemKind::Constraint(constraint) => docs!["constraint ", self.optimizer(constraint)],
            ItemKind::Data(data) => self.data(data),
            ItemKind::Experiment(experiment) => {
                let end = experiment.name.span.end as usize;
                docs!["experiment ", experiment.name.text.as_str(), " ", self.body(&experiment.body, end)]
            }
            ItemKind::Test(test) => docs!["test ", quoted(&test.name.text), " ", self.block(&test.body)],
            ItemKind::Axis(axes) => self.axes(axes),
            ItemKind::Let(value) => self.let_statement(value),
        };
        docs![documented(&item.docs), kind]
    }

    pub(super) fn axes(&mut self, axes: &[AxisDeclaration]) -> Doc {
        let parts = axes
            .iter()
            .map(|axis| docs![axis.name.text.as_str(), " = ", self.expression(&axis.size)])
            .collect();
        docs!["axis ", join(parts, &docs![",", Doc::Line]).indent()].group()
    }

    /// A function from its name on.
    fn function(&mut self, function: &Function) -> Doc {
        let from = function.axes.last().map_or(function.name.span.end, |axis| axis.span.end) as usize;
        let axes = axis_parameters(&function.axes);
        let parameters = self.parameters(&function.parameters, from);
        let result = function.result.as_ref().map_or(Doc::Many(Vec::new()), |ty| docs![" -> ", type_of(ty)]);
        let body = self.function_body(function);
        let gradient = match &function.gradient {
            Some(gradient) => {
                let (parameters, block) = gradient.as_ref();
                docs![" gradient(", names(parameters), ") ", self.block(block)]
            }
            None => Doc::Many(Vec::new()),
        };
        docs![function.name.text.as_str(), axes, parameters, result, body, gradient]
    }

    fn function_body(&mut self, function: &Function) -> Doc {
        match &function.body.value {
            Some(value) if function.short => self.after_sign(" =", value),
            _ => docs![" ", self.block(&function.body)],
        }
    }

    /// `= value`: on the next line if it does not fit, or if it is a construct with a block of its own that the
    /// writer put there.
    pub(super) fn after_sign(&mut self, sign: &'static str, value: &Expr) -> Doc {
        let before = &self.text[..value.span.start as usize];
        let own_line = before[before.trim_end().len()..].contains('\n');
        let printed = self.expression(value);
        match value.kind {
            ExprKind::Match { .. }
            | ExprKind::If { .. }
            | ExprKind::Scan { .. }
            | ExprKind::Iterate { .. }
            | ExprKind::Record(_)
            | ExprKind::Lambda { .. }
            | ExprKind::Call(_)
            | ExprKind::List(_)
            | ExprKind::From { .. } => {
                if own_line {
                    docs![sign, docs![Doc::Line, printed].indent()].broken_group()
                } else {
                    docs![sign, " ", printed]
                }
            }
            _ => docs![sign, docs![Doc::Line, printed].indent()].group(),
        }
    }

    fn layer(&mut self, layer: &Layer) -> Doc {
        let from = layer.axes.last().map_or(layer.name.span.end, |axis| axis.span.end) as usize;
        let parameters = if layer.parameters.is_empty() {
            Doc::Many(Vec::new())
        } else {
            self.parameters(&layer.parameters, from)
        };
        // The brace is the first one behind the head; types of parameters may hold braces of their own.
        let head = layer.parameters.last().map_or(from, |parameter| parameter.span.end as usize);
        let open = self.text[head..].find('{').map_or(head, |found| head + found);
        let members: Vec<_> = layer.members.iter().map(|member| (member.span, member)).collect();
        let members = self.braced(members, open, true, |formatter, member| formatter.member(member));
        docs!["layer ", layer.name.text.as_str(), axis_parameters(&layer.axes), parameters, " ", members]
    }

    fn member(&mut self, member: &Member) -> Doc {
        let kind = match &member.kind {
            MemberKind::Param(param) => self.param(param),
            MemberKind::Let(value) => self.let_statement(value),
            MemberKind::Axis(axes) => self.axes(axes),
            MemberKind::Call(function) if function.name.text.is_empty() => self.function(function),
            MemberKind::Call(function) => docs!["fn ", self.function(function)],
        };
        docs![documented(&member.docs), kind]
    }

    pub(super) fn param(&mut self, param: &Param) -> Doc {
        docs!["param ", names(&param.names), ": ", type_of(&param.ty), self.init(&param.init)]
    }

    pub(super) fn let_statement(&mut self, value: &Let) -> Doc {
        let bound = match value.names.as_slice() {
            [only] => Doc::text(&only.text),
            many => docs!["(", names(many), ")"],
        };
        let ty = value.ty.as_ref().map_or(Doc::Many(Vec::new()), |ty| docs![": ", type_of(ty)]);
        let init = match &value.value {
            Init::Value(value) => self.after_sign(" =", value),
            Init::Draw(value) => self.after_sign(" ~", value),
        };
        let refresh = match &value.refresh {
            Some(count) => docs![" every ", self.expression(count), " steps"],
            None => Doc::Many(Vec::new()),
        };
        let over = match value.over.as_slice() {
            [] => Doc::Many(Vec::new()),
            axes => docs![" over ", axis_names(axes)],
        };
        docs!["let ", bound, ty, init, over, refresh]
    }

    fn optimizer(&mut self, optimizer: &Optimizer) -> Doc {
        enum Part<'a> {
            States(&'a [(Name, Expr)]),
            Step(&'a Function),
        }
        let from = optimizer.axes.last().map_or(optimizer.name.span.end, |axis| axis.span.end) as usize;
        let parameters = self.parameters(&optimizer.parameters, from);
        let step = &optimizer.step;
        // States of one line of the source stay on one line.
        let mut parts = Vec::new();
        let mut rest = optimizer.states.as_slice();
        while let Some((first, _)) = rest.first() {
            let count = 1 + rest
                .windows(2)
                .take_while(|pair| {
                    let between = &self.text[pair[0].1.span.end as usize..pair[1].0.span.start as usize];
                    between.trim() == ","
                })
                .count();
            let (together, others) = rest.split_at(count);
            let end = together.last().map_or(first.span, |(_, value)| value.span);
            // The word `state` stands before the first name.
            let start =
                self.text[..first.span.start as usize].rfind("state").unwrap_or(first.span.start as usize);
            let mut span = first.span.to(end);
            span.start = start as u32;
            parts.push((span, Part::States(together)));
            rest = others;
        }
        parts.push((step.span, Part::Step(step)));
        let head = optimizer.parameters.last().map_or(from, |parameter| parameter.span.end as usize);
        let open = self.text[head..].find('{').map_or(head, |found| head + found);
        let body = self.braced(parts, open, true, |formatter, part| match part {
            Part::States(states) => formatter.bindings("state ", states),
            Part::Step(step) => formatter.function(step),
        });
        docs![optimizer.name.text.as_str(), axis_parameters(&optimizer.axes), parameters, " ", body]
    }

    pub(super) fn data(&mut self, data: &Data) -> Doc {
        let name = docs!["data ", data.name.text.as_str()];
        let axis = data.axis.text.as_str();
        match &data.source {
            DataSource::File { reader, arguments, key, columns } => {
                let end = arguments
                    .last()
                    .map_or(reader.span.end as usize, |argument| self.skip(argument.span.end as usize));
                let arguments = self.arguments(arguments, end);
                let mut head = docs![name, " = ", reader.text.as_str(), arguments, " over ", axis];
                if let Some(key) = key {
                    head = docs![
                        head,
                        " by ",
                        self.text[key.span.start as usize..key.span.end as usize].to_owned()
                    ];
                }
                let start = key.as_ref().map_or(data.axis.span, |key| key.span).end as usize;
                let has_braces = self.text[start..data.span.end as usize].contains('{');
                if columns.is_empty() && !has_braces {
                    return head;
                }
                let columns = columns.iter().map(|column| (column.span, column)).collect();
                let columns =
                    self.braced(columns, start, false, |formatter, column| formatter.column(column));
                docs![head, " ", columns]
            }
            DataSource::Generated { size, block } => {
                let size_end = size.span.end as usize;
                let head = docs![name, " over ", axis, " = ", self.expression(size)];
                let has_braces = self.text[size_end..data.span.end as usize].contains('{');
                if block.is_empty() && !has_braces {
                    return head;
                }
                let lines: Vec<_> = block
                    .iter()
                    .map(|line| match line {
                        GeneratorStatement::Column(column) => (column.span, line),
                        GeneratorStatement::Statement(statement) => (statement.span, line),
                    })
                    .collect();
                let block = self.braced(lines, size_end, false, |formatter, line| match line {
                    GeneratorStatement::Column(column) => formatter.column(column),
                    GeneratorStatement::Statement(statement) => formatter.statement(statement),
                });
                docs![head, " ", block]
            }
            DataSource::Sampled { size, from, .. } => {
                docs![name, " over ", axis, " = ", self.expression(size), " from ", self.expression(from)]
            }
        }
    }

    fn column(&mut self, column: &Column) -> Doc {
        let value = column.value.as_ref().map_or(Doc::Many(Vec::new()), |value| self.init(value));
        let missing = match &column.missing {
            Some(policy) => docs![" missing ", self.expression(policy)],
            None => Doc::Many(Vec::new()),
        };
        docs![documented(&column.docs), column.name.text.as_str(), ": ", type_of(&column.ty), value, missing]
    }
}

/// The `///` lines above something.
pub(super) fn documented(lines: &[String]) -> Doc {
    Doc::Many(lines.iter().flat_map(|line| [documentation("///", line), Doc::Hard]).collect())
}

fn axis_parameters(axes: &[Name]) -> Doc {
    if axes.is_empty() {
        return Doc::Many(Vec::new());
    }
    let parts = axes.iter().map(|axis| Doc::text(&axis.text)).collect();
    docs!["[", docs![Doc::Soft, join(parts, &docs![",", Doc::Line])].indent(), Doc::Soft, "]"].group()
}

fn use_item(used: &Use) -> Doc {
    let path: Vec<&str> = used.path.iter().map(|name| name.text.as_str()).collect();
    let path = docs!["use ", path.join(".")];
    if used.names.is_empty() {
        return path;
    }
    let parts = used.names.iter().map(|name| Doc::text(&name.text)).collect();
    let list = docs![Doc::Soft, join(parts, &docs![",", Doc::Line])].indent();
    docs![path, " (", list, Doc::Soft, ")"].group()
}
