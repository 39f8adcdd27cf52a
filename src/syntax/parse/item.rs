//! Declarations: what stands at the top of a file.

use super::{Lower, Pair, Rule, children, inner};
use crate::source::Span;
use crate::syntax::ast::{
    ArgumentKind, AxisDeclaration, Block, Call, Column, Data, DataSource, Experiment, Expr, ExprKind,
    Function, GeneratorStatement, Item, ItemKind, Layer, Member, MemberKind, Name, Optimizer, Parameter,
    Test, Type, Use,
};

/// The parts that functions, layers, optimizers and combiners are made of.
struct Signature {
    name: Name,
    axes: Vec<Name>,
    parameters: Vec<Parameter>,
    result: Option<Type>,
    body: Option<(Block, bool)>,
    gradient: Option<Box<(Vec<Name>, Block)>>,
    span: Span,
}

impl Signature {
    fn into_function(self) -> Function {
        let empty = Block { statements: Vec::new(), value: None, span: self.span };
        let (body, short) = self.body.unwrap_or((empty, false));
        Function {
            name: self.name,
            axes: self.axes,
            parameters: self.parameters,
            result: self.result,
            body,
            short,
            gradient: self.gradient,
            span: self.span,
        }
    }
}

impl Lower<'_> {
    pub(super) fn item(&mut self, pair: Pair) -> Item {
        let span = self.span(&pair);
        let (docs, parts) = children(pair);
        let kind = match parts.into_iter().next() {
            Some(part) => self.item_kind(part),
            None => ItemKind::Axis(Vec::new()),
        };
        Item { docs, kind, span }
    }

    fn item_kind(&mut self, pair: Pair) -> ItemKind {
        match pair.as_rule() {
            Rule::use_item => ItemKind::Use(self.use_item(pair)),
            Rule::function => ItemKind::Function(self.function(pair)),
            Rule::combiner => ItemKind::Combiner(self.function(pair)),
            Rule::layer => ItemKind::Layer(self.layer(pair)),
            Rule::optimizer => ItemKind::Optimizer(self.optimizer(pair)),
            Rule::stepping_combiner => ItemKind::SteppingCombiner(self.optimizer(pair)),
            Rule::stepping_constraint => ItemKind::Constraint(self.optimizer(pair)),
            Rule::data => ItemKind::Data(self.data(pair)),
            Rule::experiment => ItemKind::Experiment(self.experiment(pair)),
            Rule::test => ItemKind::Test(self.test(pair)),
            Rule::let_statement => ItemKind::Let(self.let_statement(pair)),
            _ => ItemKind::Axis(self.axes(pair)),
        }
    }

    fn use_item(&mut self, pair: Pair) -> Use {
        let (mut path, mut names) = (Vec::new(), Vec::new());
        for part in inner(pair) {
            match part.as_rule() {
                Rule::use_path => path = self.names(part),
                _ => names = self.names(part),
            }
        }
        Use { path, names }
    }

    fn signature(&mut self, pair: Pair) -> Signature {
        let span = self.span(&pair);
        let mut signature = Signature {
            name: Name {
                text: String::new(),
                span: Span::new(span.file, span.start as usize, span.start as usize),
            },
            axes: Vec::new(),
            parameters: Vec::new(),
            result: None,
            body: None,
            gradient: None,
            span,
        };
        for part in inner(pair) {
            match part.as_rule() {
                Rule::name => signature.name = self.name(&part),
                Rule::axis_parameters => signature.axes = self.names(part),
                Rule::parameters => signature.parameters = self.parameters(part),
                Rule::result => signature.result = inner(part).next().map(|ty| self.ty(ty)),
                Rule::body => signature.body = Some(self.body(part)),
                Rule::block => signature.body = Some((self.block(part), false)),
                Rule::gradient => signature.gradient = self.gradient(part),
                _ => {}
            }
        }
        signature
    }

    fn gradient(&mut self, pair: Pair) -> Option<Box<(Vec<Name>, Block)>> {
        let (mut names, mut block) = (Vec::new(), None);
        for part in inner(pair) {
            match part.as_rule() {
                Rule::gradient_names => names = self.names(part),
                _ => block = Some(self.block(part)),
            }
        }
        block.map(|block| Box::new((names, block)))
    }

    pub(super) fn function(&mut self, pair: Pair) -> Function {
        self.signature(pair).into_function()
    }

    fn layer(&mut self, pair: Pair) -> Layer {
        let mut members: Vec<Member> = Vec::new();
        for part in inner(pair.clone()).filter(|part| part.as_rule() == Rule::member) {
            let member = self.member(part);
            if let Some(before) = members.last() {
                self.require_newline(before.span, member.span, "member");
            }
            members.push(member);
        }
        let Signature { name, axes, parameters, span, .. } = self.signature(pair);
        Layer { name, axes, parameters, members, span }
    }

    fn member(&mut self, pair: Pair) -> Member {
        let span = self.span(&pair);
        let (docs, parts) = children(pair);
        let kind = match parts.into_iter().next() {
            Some(part) => match part.as_rule() {
                Rule::param => MemberKind::Param(self.param(part)),
                Rule::let_statement => MemberKind::Let(self.let_statement(part)),
                Rule::function => MemberKind::Call(self.function(part)),
                Rule::call_method => MemberKind::Call(self.signature(part).into_function()),
                _ => MemberKind::Axis(self.axes(part)),
            },
            None => MemberKind::Axis(Vec::new()),
        };
        Member { docs, kind, span }
    }

    fn optimizer(&mut self, pair: Pair) -> Optimizer {
        let mut states = Vec::new();
        let mut step = None;
        for part in inner(pair.clone()) {
            match part.as_rule() {
                Rule::optimizer_state => states.extend(inner(part).map(|binding| self.binding(binding))),
                Rule::optimizer_step => {
                    let mut function = self.signature(part).into_function();
                    let start = function.span.start as usize;
                    function.name =
                        Name { text: "step".to_owned(), span: Span::new(self.file, start, start + 4) };
                    step = Some(function);
                }
                _ => {}
            }
        }
        let signature = self.signature(pair);
        let (name, axes) = (signature.name.clone(), signature.axes.clone());
        let (parameters, span) = (signature.parameters.clone(), signature.span);
        Optimizer {
            name,
            axes,
            parameters,
            states,
            step: step.unwrap_or_else(|| signature.into_function()),
            span,
        }
    }

    /// `name = expression`
    pub(super) fn binding(&mut self, pair: Pair) -> (Name, Expr) {
        let span = self.span(&pair);
        let mut name = self.name(&pair);
        let mut value = None;
        for part in inner(pair) {
            match part.as_rule() {
                Rule::name => name = self.name(&part),
                _ => value = Some(self.expression(part)),
            }
        }
        (name, value.unwrap_or_else(|| self.nothing(span)))
    }

    pub(super) fn axes(&mut self, pair: Pair) -> Vec<AxisDeclaration> {
        inner(pair)
            .map(|binding| {
                let (name, size) = self.binding(binding);
                AxisDeclaration { name, size }
            })
            .collect()
    }

    pub(super) fn data(&mut self, pair: Pair) -> Data {
        let span = self.span(&pair);
        let mut names = Vec::new();
        let mut source = None;
        for part in inner(pair) {
            match part.as_rule() {
                Rule::name => names.push(self.name(&part)),
                Rule::file_data => source = Some(self.file_data(part)),
                _ => source = Some(self.made_data(part, span)),
            }
        }
        let nowhere = Name { text: String::new(), span };
        let (source, axis) = source.unwrap_or_else(|| {
            let size = self.nothing(span);
            (DataSource::Generated { size, block: Vec::new() }, nowhere.clone())
        });
        Data { name: names.into_iter().next().unwrap_or(nowhere), source, axis, span }
    }

    fn file_data(&mut self, pair: Pair) -> (DataSource, Name) {
        let mut names = Vec::new();
        let (mut arguments, mut columns) = (Vec::new(), Vec::new());
        let mut key = None;
        for part in inner(pair.clone()) {
            match part.as_rule() {
                Rule::table_key => {
                    key = inner(part).find_map(|word| match word.as_rule() {
                        Rule::name => Some(self.name(&word)),
                        Rule::text => {
                            let text = self.text(&word);
                            Some(Name { text: text.text, span: text.span })
                        }
                        _ => None,
                    });
                }
                Rule::name => names.push(self.name(&part)),
                Rule::arguments => arguments = self.arguments(part).arguments,
                Rule::columns => {
                    for column in inner(part) {
                        let column = self.column(column);
                        if let Some(before) = columns.last() {
                            let before: &Column = before;
                            self.require_separator(before.span, column.span, "column");
                        }
                        columns.push(column);
                    }
                }
                _ => {}
            }
        }
        let axis = names.pop().unwrap_or_else(|| self.name(&pair));
        let reader = names.pop().unwrap_or_else(|| axis.clone());
        (DataSource::File { reader, arguments, key, columns }, axis)
    }

    fn made_data(&mut self, pair: Pair, span: Span) -> (DataSource, Name) {
        let mut axis = None;
        let mut values = Vec::new();
        let mut block = Vec::new();
        for part in inner(pair) {
            match part.as_rule() {
                Rule::name => axis = Some(self.name(&part)),
                Rule::generator => block = self.generator(part),
                _ => values.push(self.expression(part)),
            }
        }
        let axis = axis.unwrap_or(Name { text: String::new(), span });
        let mut values = values.into_iter();
        let size = values.next().unwrap_or_else(|| self.nothing(span));
        let source = match (size, values.next()) {
            (size, Some(from)) => self.sampled(size, from),
            // `2 * size() from sample(g)` reads as an expression; here the `from` belongs to the data.
            (size, None) => match without_from(size) {
                (size, Some(from)) => self.sampled(size, from),
                (size, None) => DataSource::Generated { size, block },
            },
        };
        (source, axis)
    }

    fn sampled(&mut self, size: Expr, from: Expr) -> DataSource {
        let of = match &from.kind {
            ExprKind::Call(call) => match (&call.callee.kind, call.arguments.as_slice()) {
                (ExprKind::Name(name), [argument]) if name.text == "sample" => match &argument.kind {
                    ArgumentKind::Positional(of) => Some(of.clone()),
                    _ => None,
                },
                _ => None,
            },
            _ => None,
        };
        let span = from.span;
        let draw = of.map(|callee| {
            let (axes, arguments, by) = (Vec::new(), Vec::new(), Vec::new());
            let call = Call { callee, axes, arguments, by, filter: None, otherwise: None };
            Box::new(self.expr(ExprKind::Call(Box::new(call)), span))
        });
        DataSource::Sampled { size, from, draw }
    }

    fn generator(&mut self, pair: Pair) -> Vec<GeneratorStatement> {
        let mut block = Vec::new();
        let mut before: Option<Span> = None;
        for part in inner(pair) {
            let statement = match part.as_rule() {
                Rule::column => GeneratorStatement::Column(self.column(part)),
                _ => GeneratorStatement::Statement(self.statement(part)),
            };
            let span = match &statement {
                GeneratorStatement::Column(column) => column.span,
                GeneratorStatement::Statement(statement) => statement.span,
            };
            if let Some(before) = before.replace(span) {
                self.require_separator(before, span, "statement");
            }
            block.push(statement);
        }
        block
    }

    fn column(&mut self, pair: Pair) -> Column {
        let span = self.span(&pair);
        let mut name = self.name(&pair);
        let (docs, parts) = children(pair);
        let (mut ty, mut value, mut missing) = (None, None, None);
        for part in parts {
            match part.as_rule() {
                Rule::name => name = self.name(&part),
                Rule::type_ => ty = Some(self.ty(part)),
                Rule::init => value = Some(self.init(part)),
                Rule::missing => missing = inner(part).next().map(|value| self.expression(value)),
                _ => {}
            }
        }
        let ty = ty.unwrap_or(Type { kind: crate::syntax::ast::TypeKind::Tuple(Vec::new()), span });
        Column { docs, name, ty, value, missing, span }
    }

    fn experiment(&mut self, pair: Pair) -> Experiment {
        let span = self.span(&pair);
        let mut name = self.name(&pair);
        let mut body = Vec::new();
        for part in inner(pair) {
            match part.as_rule() {
                Rule::name => name = self.name(&part),
                _ => body = self.statements(part),
            }
        }
        Experiment { name, body, span }
    }

    fn test(&mut self, pair: Pair) -> Test {
        let span = self.span(&pair);
        let mut name = crate::syntax::ast::Text { text: String::new(), span };
        let mut body = Block { statements: Vec::new(), value: None, span };
        for part in inner(pair) {
            match part.as_rule() {
                Rule::text => name = self.text(&part),
                _ => body = self.block(part),
            }
        }
        Test { name, body, span }
    }
}

/// The expression without the `from` at its end, and what stands after that.
fn without_from(mut size: Expr) -> (Expr, Option<Expr>) {
    let last = match &mut size.kind {
        ExprKind::From { map, .. } if !map.is_empty() => return (size, None),
        ExprKind::From { .. } => {
            let ExprKind::From { value, source, .. } = size.kind else { return (size, None) };
            return (*value, Some(*source));
        }
        ExprKind::Binary { right: last, .. } | ExprKind::Unary { value: last, .. } => last,
        _ => return (size, None),
    };
    let nothing = Expr { id: last.id, span: last.span, kind: ExprKind::Bool(false) };
    let (rest, source) = without_from(std::mem::replace(&mut **last, nothing));
    let end = rest.span.end;
    **last = rest;
    if source.is_some() {
        size.span.end = end;
    }
    (size, source)
}
