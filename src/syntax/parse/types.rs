//! Types, axes, and parameters.

use super::{Lower, Pair, Rule, inner};
use crate::syntax::ast::{AxisName, Block, Init, Param, Parameter, Type, TypeKind};

impl Lower<'_> {
    pub(super) fn ty(&mut self, pair: Pair) -> Type {
        let span = self.span(&pair);
        let kind = match inner(pair).next() {
            Some(kind) => self.type_kind(kind),
            // The grammar gives a type one child.
            None => TypeKind::Tuple(Vec::new()),
        };
        Type { kind, span }
    }

    fn type_kind(&mut self, pair: Pair) -> TypeKind {
        match pair.as_rule() {
            Rule::record_type => {
                let mut entries = Vec::new();
                let mut before = None;
                for entry in inner(pair) {
                    let span = self.span(&entry);
                    if let Some(before) = before.replace(span) {
                        self.require_separator(before, span, "entry");
                    }
                    let mut parts = inner(entry);
                    if let (Some(name), Some(ty)) = (parts.next(), parts.next()) {
                        entries.push((self.name(&name), self.ty(ty)));
                    }
                }
                TypeKind::Record(entries)
            }
            Rule::tuple_type => TypeKind::Tuple(inner(pair).map(|ty| self.ty(ty)).collect()),
            Rule::function_type => {
                let mut types: Vec<Type> = inner(pair).map(|ty| self.ty(ty)).collect();
                match types.pop() {
                    Some(result) => TypeKind::Function { parameters: types, result: Box::new(result) },
                    None => TypeKind::Tuple(types),
                }
            }
            _ => {
                let mut element = self.name(&pair);
                let (mut part, mut axes) = (None, Vec::new());
                for inside in inner(pair) {
                    match inside.as_rule() {
                        Rule::element => {
                            element = self.name(&inside);
                            part = Some(self.axis(inside)).filter(|axis| axis.path.len() > 1).map(Box::new);
                        }
                        _ => axes = inner(inside).map(|axis| self.axis(axis)).collect(),
                    }
                }
                TypeKind::Array { element, part, axes }
            }
        }
    }

    pub(super) fn axis(&mut self, pair: Pair) -> AxisName {
        let span = self.span(&pair);
        let mut path = Vec::new();
        let mut primed = false;
        for part in inner(pair) {
            match part.as_rule() {
                Rule::prime => primed = true,
                _ => path.push(self.name(&part)),
            }
        }
        AxisName { path, primed, span }
    }

    pub(super) fn parameters(&mut self, pair: Pair) -> Vec<Parameter> {
        inner(pair).map(|parameter| self.parameter(parameter)).collect()
    }

    fn parameter(&mut self, pair: Pair) -> Parameter {
        let span = self.span(&pair);
        let mut name = self.name(&pair);
        let (mut ty, mut default) = (None, None);
        for part in inner(pair) {
            match part.as_rule() {
                Rule::name => name = self.name(&part),
                Rule::type_ => ty = Some(self.ty(part)),
                Rule::default => default = inner(part).next().map(|value| self.expression(value)),
                _ => {}
            }
        }
        Parameter { name, ty, default, span }
    }

    pub(super) fn param(&mut self, pair: Pair) -> Param {
        let span = self.span(&pair);
        let (mut names, mut ty, mut init) = (Vec::new(), None, None);
        for part in inner(pair) {
            match part.as_rule() {
                Rule::names => names = self.names(part),
                Rule::type_ => ty = Some(self.ty(part)),
                Rule::init => init = Some(self.init(part)),
                _ => {}
            }
        }
        Param {
            names,
            ty: ty.unwrap_or(Type { kind: TypeKind::Tuple(Vec::new()), span }),
            init: init.unwrap_or_else(|| Init::Value(self.nothing(span))),
            span,
        }
    }

    pub(super) fn init(&mut self, pair: Pair) -> Init {
        let span = self.span(&pair);
        match inner(pair).find(|part| matches!(part.as_rule(), Rule::draw | Rule::expression)) {
            Some(draw) if draw.as_rule() == Rule::draw => {
                let value = inner(draw).next();
                Init::Draw(self.expression_or_nothing(value, span))
            }
            value => Init::Value(self.expression_or_nothing(value, span)),
        }
    }

    /// `= expression` or a block; says whether it was the short form.
    pub(super) fn body(&mut self, pair: Pair) -> (Block, bool) {
        let span = self.span(&pair);
        match inner(pair).find(|part| matches!(part.as_rule(), Rule::block | Rule::expression)) {
            Some(block) if block.as_rule() == Rule::block => (self.block(block), false),
            value => {
                let value = self.expression_or_nothing(value, span);
                (Block { statements: Vec::new(), span: value.span, value: Some(Box::new(value)) }, true)
            }
        }
    }
}
