//! Expressions: the flat chain of operands and operators gets its tree by precedence.

use std::iter::Peekable;
use std::vec::IntoIter;

use super::{Lower, Pair, Rule, error, inner};
use crate::source::Span;
use crate::syntax::ast::{
    Argument, ArgumentKind, Arm, AxisName, BinaryOperator, Block, Call, Expr, ExprKind, Name, Pattern,
    Selector, Text, UnaryOperator,
};

/// What stands between the parentheses of a call.
#[derive(Default)]
pub(super) struct Arguments {
    pub arguments: Vec<Argument>,
    by: Vec<Expr>,
    filter: Option<Expr>,
}

/// How tightly the operators bind.
mod binding {
    pub const OR: u8 = 1;
    pub const AND: u8 = 2;
    pub const NOT: u8 = 3;
    pub const COMPARISON: u8 = 4;
    pub const SUM: u8 = 5;
    pub const PRODUCT: u8 = 6;
    pub const NEGATION: u8 = 7;
    pub const POWER: u8 = 8;
}

type Parts<'p> = Peekable<IntoIter<Pair<'p>>>;

impl Lower<'_> {
    pub(super) fn expr(&mut self, kind: ExprKind, span: Span) -> Expr {
        Expr { id: self.ids.fresh(), kind, span }
    }

    /// A stand-in where the grammar promises an expression: an empty tuple, which has no type.
    pub(super) fn nothing(&mut self, span: Span) -> Expr {
        self.expr(ExprKind::Tuple(Vec::new()), span)
    }

    pub(super) fn expression_or_nothing(&mut self, pair: Option<Pair>, span: Span) -> Expr {
        match pair {
            Some(pair) => self.expression(pair),
            None => self.nothing(span),
        }
    }

    pub(super) fn expression(&mut self, pair: Pair) -> Expr {
        let span = self.span(&pair);
        let parts: Vec<Pair> = pair.into_inner().collect();
        self.climb(&mut parts.into_iter().peekable(), binding::OR, span)
    }

    /// Reads operands and operators that bind at least as tightly as `least`.
    fn climb(&mut self, parts: &mut Parts, least: u8, whole: Span) -> Expr {
        let mut left = match parts.next() {
            Some(part) if part.as_rule() == Rule::negate => {
                self.prefix(parts, UnaryOperator::Negate, binding::NEGATION, self.span(&part), whole)
            }
            Some(part) if part.as_rule() == Rule::not => {
                self.prefix(parts, UnaryOperator::Not, binding::NOT, self.span(&part), whole)
            }
            Some(part) => self.operand(part),
            None => self.nothing(whole),
        };
        while let Some(part) = parts.peek() {
            let strength = strength(part.as_rule());
            if strength < least {
                break;
            }
            let rule = part.as_rule();
            let place = self.span(part);
            parts.next();
            // The right operand of `^` may itself be a power or a negation; all others take tighter operators only.
            let right =
                self.climb(parts, if rule == Rule::power { binding::NEGATION } else { strength + 1 }, whole);
            left = self.combine(left, rule, right, place);
        }
        left
    }

    fn prefix(
        &mut self,
        parts: &mut Parts,
        operator: UnaryOperator,
        strength: u8,
        place: Span,
        whole: Span,
    ) -> Expr {
        let value = self.climb(parts, strength, whole);
        let span = place.to(value.span);
        self.expr(ExprKind::Unary { operator, value: Box::new(value) }, span)
    }

    fn combine(&mut self, left: Expr, rule: Rule, right: Expr, place: Span) -> Expr {
        let span = left.span.to(right.span);
        if strength(rule) == binding::COMPARISON && rule != Rule::within && compares(&left) {
            self.errors.push(error::chained_comparison(self.text, &left, place, &right));
        }
        let kind = match rule {
            Rule::approximately => {
                ExprKind::Approximately { left: Box::new(left), right: Box::new(right), within: None }
            }
            Rule::within => match left.kind {
                ExprKind::Approximately { left, right: middle, within: None } => {
                    ExprKind::Approximately { left, right: middle, within: Some(Box::new(right)) }
                }
                kind => {
                    self.errors.push(error::within_alone(place));
                    kind
                }
            },
            _ => ExprKind::Binary {
                operator: operator(rule),
                left: Box::new(left),
                right: Box::new(right),
                operator_span: place,
            },
        };
        self.expr(kind, span)
    }

    /// A value with its postfix operators and, perhaps, `from ...`.
    fn operand(&mut self, pair: Pair) -> Expr {
        let span = self.span(&pair);
        let mut value = None;
        for part in inner(pair) {
            match part.as_rule() {
                Rule::chain => value = Some(self.chain(part)),
                _ => {
                    let (mut source, mut map) = (None, Vec::new());
                    for part in inner(part) {
                        match part.as_rule() {
                            Rule::chain => source = Some(self.chain(part)),
                            _ => map = self.map(part),
                        }
                    }
                    let value_before = value.take().unwrap_or_else(|| self.nothing(span));
                    let source = source.unwrap_or_else(|| self.nothing(span));
                    let kind =
                        ExprKind::From { value: Box::new(value_before), source: Box::new(source), map };
                    value = Some(self.expr(kind, span));
                }
            }
        }
        value.unwrap_or_else(|| self.nothing(span))
    }

    fn map(&mut self, pair: Pair) -> Vec<(Text, Text)> {
        let mut entries = Vec::new();
        let mut before: Option<Span> = None;
        for entry in inner(pair) {
            let span = self.span(&entry);
            if let Some(before) = before.replace(span) {
                self.require_separator(before, span, "entry");
            }
            let mut texts = inner(entry);
            if let (Some(from), Some(to)) = (texts.next(), texts.next()) {
                entries.push((self.text(&from), self.text(&to)));
            }
        }
        entries
    }

    fn chain(&mut self, pair: Pair) -> Expr {
        let span = self.span(&pair);
        let mut parts = inner(pair).peekable();
        let mut value = match parts.next() {
            Some(primary) => self.primary(primary),
            None => self.nothing(span),
        };
        while let Some(part) = parts.next() {
            let mut span = value.span.to(self.span(&part));
            let picked = span;
            let kind = match part.as_rule() {
                Rule::field => match inner(part).next() {
                    Some(word) => ExprKind::Field { value: Box::new(value), field: self.name(&word) },
                    None => value.kind,
                },
                Rule::brackets => {
                    let selectors = self.selectors(part);
                    match parts.next_if(|next| next.as_rule() == Rule::arguments) {
                        Some(arguments) => {
                            span = span.to(self.span(&arguments));
                            // `nets[Zoo = i](x)` picks first, and calls then.
                            let bare = selectors.iter().any(|s| matches!(s, Selector::Axis(_)));
                            let axes = match bare || selectors.is_empty() {
                                true => self.axis_arguments(selectors),
                                false => {
                                    let kind = ExprKind::Index { value: Box::new(value), selectors };
                                    value = self.expr(kind, picked);
                                    Vec::new()
                                }
                            };
                            self.call(value, axes, arguments)
                        }
                        None => ExprKind::Index { value: Box::new(value), selectors },
                    }
                }
                Rule::arguments => self.call(value, Vec::new(), part),
                // `else` after the call that was just made.
                _ => {
                    let otherwise = self.otherwise(part);
                    match value.kind {
                        ExprKind::Call(mut call) => {
                            call.otherwise = Some(otherwise);
                            ExprKind::Call(call)
                        }
                        kind => kind,
                    }
                }
            };
            value = self.expr(kind, span);
        }
        value
    }

    fn otherwise(&mut self, pair: Pair) -> Expr {
        let span = self.span(&pair);
        let mut negated = None;
        let mut value = None;
        for part in inner(pair) {
            match part.as_rule() {
                Rule::negate => negated = Some(self.span(&part)),
                _ => value = Some(self.chain(part)),
            }
        }
        let value = value.unwrap_or_else(|| self.nothing(span));
        match negated {
            Some(place) => {
                let span = place.to(value.span);
                self.expr(ExprKind::Unary { operator: UnaryOperator::Negate, value: Box::new(value) }, span)
            }
            None => value,
        }
    }

    fn call(&mut self, callee: Expr, axes: Vec<AxisName>, pair: Pair) -> ExprKind {
        let Arguments { arguments, by, filter } = self.arguments(pair);
        ExprKind::Call(Box::new(Call { callee, axes, arguments, by, filter, otherwise: None }))
    }

    pub(super) fn arguments(&mut self, pair: Pair) -> Arguments {
        let mut found = Arguments::default();
        for part in inner(pair) {
            let span = self.span(&part);
            match part.as_rule() {
                Rule::call_by => {
                    found.by.extend(inner(part).map(|key| self.expression(key)).collect::<Vec<_>>())
                }
                Rule::call_where => {
                    let value = inner(part).next();
                    if found.filter.replace(self.expression_or_nothing(value, span)).is_some() {
                        self.errors.push(error::repeated_clause(span));
                    }
                }
                _ => {
                    let kind = self.argument(part);
                    found.arguments.push(Argument { kind, span });
                }
            }
        }
        found
    }

    fn argument(&mut self, pair: Pair) -> ArgumentKind {
        let span = self.span(&pair);
        let mut parts = inner(pair);
        let (first, second) = (parts.next(), parts.next());
        match (first, second) {
            (Some(named), None) if named.as_rule() == Rule::named_argument => {
                let (name, value) = self.binding(named);
                ArgumentKind::Named { name, value }
            }
            (value, Some(clause)) => {
                let value = self.expression_or_nothing(value, span);
                let mut name = self.name(&clause);
                let (mut further, mut size) = (Vec::new(), None);
                for part in inner(clause) {
                    match part.as_rule() {
                        Rule::name => name = self.name(&part),
                        Rule::as_names => {
                            let mut names = self.names(part).into_iter();
                            name = names.next().unwrap_or(name);
                            further = names.collect();
                        }
                        _ => size = Some(self.expression(part)),
                    }
                }
                ArgumentKind::As { value, name, further, size }
            }
            (value, None) => ArgumentKind::Positional(self.expression_or_nothing(value, span)),
        }
    }

    fn selectors(&mut self, pair: Pair) -> Vec<Selector> {
        inner(pair).map(|selector| self.selector(selector)).collect()
    }

    fn selector(&mut self, pair: Pair) -> Selector {
        let span = self.span(&pair);
        let mut axis = AxisName { path: Vec::new(), primed: false, span };
        let (mut index, mut slice) = (None, None);
        for part in inner(pair) {
            match part.as_rule() {
                Rule::axis => axis = self.axis(part),
                Rule::rename => {
                    let to = inner(part).next().map(|to| self.axis(to)).unwrap_or_else(|| axis.clone());
                    return Selector::Rename { axis, to };
                }
                Rule::index => {
                    let value = inner(part).next();
                    index = Some(self.expression_or_nothing(value, span));
                }
                _ => slice = Some(inner(part).flat_map(inner).next().map(|end| self.expression(end))),
            }
        }
        match (index, slice) {
            (start, Some(end)) => Selector::Slice { axis, start, end },
            (Some(index), None) => Selector::Pick { axis, index },
            (None, None) => Selector::Axis(axis),
        }
    }

    /// Selectors of a call: only bare axes are its axis arguments.
    fn axis_arguments(&mut self, selectors: Vec<Selector>) -> Vec<AxisName> {
        let mut axes = Vec::new();
        for selector in selectors {
            match selector {
                Selector::Axis(axis) => axes.push(axis),
                Selector::Rename { axis, .. }
                | Selector::Pick { axis, .. }
                | Selector::Slice { axis, .. } => {
                    self.errors.push(error::selector_in_call(axis.span));
                }
            }
        }
        axes
    }

    fn primary(&mut self, pair: Pair) -> Expr {
        let Some(pair) = inner(pair.clone()).next() else {
            let span = self.span(&pair);
            return self.nothing(span);
        };
        let span = self.span(&pair);
        let kind = match pair.as_rule() {
            Rule::number => return self.number(&pair),
            Rule::text => ExprKind::Text(self.text(&pair).text),
            Rule::boolean => ExprKind::Bool(pair.as_str() == "true"),
            Rule::lambda => self.lambda(pair),
            Rule::if_expression => return self.if_expression(pair),
            Rule::match_expression => self.match_expression(pair),
            Rule::scan => self.scan_expression(pair),
            Rule::iterate => self.iterate(pair),
            Rule::parenthesised => {
                let mut values: Vec<Expr> = inner(pair).map(|value| self.expression(value)).collect();
                match values.pop() {
                    Some(only) if values.is_empty() => ExprKind::Parenthesised(Box::new(only)),
                    last => {
                        values.extend(last);
                        ExprKind::Tuple(values)
                    }
                }
            }
            Rule::list => {
                let mut values: Vec<Expr> = Vec::new();
                for part in inner(pair) {
                    let value = self.expression(part);
                    if let Some(before) = values.last() {
                        self.require_separator(before.span, value.span, "value");
                    }
                    values.push(value);
                }
                ExprKind::List(values)
            }
            Rule::record => {
                let mut entries = Vec::new();
                let mut before: Option<Span> = None;
                for entry in inner(pair) {
                    let span = self.span(&entry);
                    if let Some(before) = before.replace(span) {
                        self.require_separator(before, span, "entry");
                    }
                    entries.push(self.binding(entry));
                }
                ExprKind::Record(entries)
            }
            _ => ExprKind::Name(self.name(&pair)),
        };
        self.expr(kind, span)
    }

    pub(super) fn number(&mut self, pair: &Pair) -> Expr {
        let span = self.span(pair);
        let text = pair.as_str().to_owned();
        let value = text.replace('_', "").parse::<f64>().unwrap_or(f64::INFINITY);
        if !value.is_finite() {
            self.errors.push(error::number_too_large(span));
        }
        self.expr(ExprKind::Number { value, text }, span)
    }

    /// The text of a string, its escapes resolved.
    pub(super) fn text(&mut self, pair: &Pair) -> Text {
        let span = self.span(pair);
        let source = pair.as_str();
        let source = source.get(1..source.len().saturating_sub(1)).unwrap_or("");
        let mut text = String::with_capacity(source.len());
        let mut characters = source.char_indices();
        while let Some((at, character)) = characters.next() {
            if character != '\\' {
                text.push(character);
                continue;
            }
            match characters.next() {
                Some((_, 'n')) => text.push('\n'),
                Some((_, 't')) => text.push('\t'),
                Some((_, 'r')) => text.push('\r'),
                Some((_, escaped @ ('"' | '\\'))) => text.push(escaped),
                Some((_, escaped)) => {
                    let start = span.start as usize + 1 + at;
                    let place = Span::new(self.file, start, start + 1 + escaped.len_utf8());
                    self.errors.push(error::unknown_escape(place, escaped));
                }
                None => {}
            }
        }
        Text { text, span }
    }

    fn lambda(&mut self, pair: Pair) -> ExprKind {
        let span = self.span(&pair);
        let (mut parameters, mut result, mut body) = (Vec::new(), None, None);
        for part in inner(pair) {
            match part.as_rule() {
                Rule::parameters => parameters = self.parameters(part),
                Rule::result => result = inner(part).next().map(|ty| self.ty(ty)),
                _ => body = Some(self.body(part).0),
            }
        }
        ExprKind::Lambda {
            parameters,
            result,
            body: body.unwrap_or(Block { statements: Vec::new(), value: None, span }),
        }
    }

    fn if_expression(&mut self, pair: Pair) -> Expr {
        let span = self.span(&pair);
        let mut branches = Vec::new();
        let (mut condition, mut otherwise) = (None, None);
        for part in inner(pair) {
            match part.as_rule() {
                Rule::expression => condition = Some(self.expression(part)),
                Rule::block => {
                    let then = self.block(part);
                    branches.push((condition.take(), then, span));
                }
                Rule::else_if => {
                    let place = self.span(&part);
                    let (mut condition, mut then) = (None, None);
                    for part in inner(part) {
                        match part.as_rule() {
                            Rule::block => then = Some(self.block(part)),
                            _ => condition = Some(self.expression(part)),
                        }
                    }
                    branches.extend(then.map(|then| (condition, then, place)));
                }
                _ => {
                    otherwise =
                        inner(part).find(|part| part.as_rule() == Rule::block).map(|block| self.block(block))
                }
            }
        }
        let mut otherwise = otherwise.unwrap_or_else(|| {
            self.errors.push(error::if_without_else(span));
            Block { statements: Vec::new(), value: None, span }
        });
        // From the last branch to the first: `else if` is an `if` alone in the `else`.
        let mut whole = None;
        for (condition, then, place) in branches.into_iter().rev() {
            let place = place.to(otherwise.span);
            let condition = condition.unwrap_or_else(|| self.nothing(place));
            let chosen = self.expr(ExprKind::If { condition: Box::new(condition), then, otherwise }, place);
            otherwise = Block { statements: Vec::new(), value: Some(Box::new(chosen)), span: place };
            whole = Some(());
        }
        match (whole, otherwise.value) {
            (Some(()), Some(chosen)) => *chosen,
            _ => self.nothing(span),
        }
    }

    fn match_expression(&mut self, pair: Pair) -> ExprKind {
        let span = self.span(&pair);
        let mut value = None;
        let mut arms: Vec<Arm> = Vec::new();
        for part in inner(pair) {
            match part.as_rule() {
                Rule::expression => value = Some(self.expression(part)),
                _ => {
                    let span = self.span(&part);
                    let mut parts = inner(part);
                    let pattern =
                        parts.next().map(|pattern| self.pattern(pattern)).unwrap_or(Pattern::Any(span));
                    let value = parts.next();
                    let value = self.expression_or_nothing(value, span);
                    if let Some(before) = arms.last() {
                        self.require_separator(before.span, span, "arm");
                    }
                    arms.push(Arm { pattern, value, span });
                }
            }
        }
        ExprKind::Match { value: Box::new(value.unwrap_or_else(|| self.nothing(span))), arms }
    }

    fn pattern(&mut self, pair: Pair) -> Pattern {
        let span = self.span(&pair);
        let negative = pair.as_str().starts_with('-');
        match inner(pair).next() {
            Some(part) if part.as_rule() == Rule::number => {
                let value = part.as_str().replace('_', "").parse::<f64>().unwrap_or(f64::INFINITY);
                Pattern::Number(if negative { -value } else { value }, span)
            }
            Some(part) if part.as_rule() == Rule::name => Pattern::Name(self.name(&part)),
            _ => Pattern::Any(span),
        }
    }

    fn scan_expression(&mut self, pair: Pair) -> ExprKind {
        let span = self.span(&pair);
        let mut item = Name { text: String::new(), span };
        let mut axis = AxisName { path: Vec::new(), primed: false, span };
        let (mut from, mut body) = (Vec::new(), None);
        for part in inner(pair) {
            match part.as_rule() {
                Rule::name => item = self.name(&part),
                Rule::axis => axis = self.axis(part),
                Rule::from_states => from = inner(part).map(|binding| self.binding(binding)).collect(),
                _ => body = Some(self.block(part)),
            }
        }
        let body = body.unwrap_or(Block { statements: Vec::new(), value: None, span });
        ExprKind::Scan { item, axis, from, body }
    }

    fn iterate(&mut self, pair: Pair) -> ExprKind {
        let span = self.span(&pair);
        let (mut count, mut bounded, mut until) = (None, false, None);
        let (mut from, mut body) = (Vec::new(), None);
        for part in inner(pair) {
            match part.as_rule() {
                Rule::up_to => bounded = true,
                Rule::expression => count = Some(self.expression(part)),
                Rule::until => until = inner(part).next().map(|value| Box::new(self.expression(value))),
                Rule::from_states => from = inner(part).map(|binding| self.binding(binding)).collect(),
                _ => body = Some(self.block(part)),
            }
        }
        let count = Box::new(count.unwrap_or_else(|| self.nothing(span)));
        let body = body.unwrap_or(Block { statements: Vec::new(), value: None, span });
        ExprKind::Iterate { count, bounded, until, from, body }
    }
}

/// Whether an expression is a comparison that is not in parentheses.
fn compares(expression: &Expr) -> bool {
    match &expression.kind {
        ExprKind::Approximately { .. } => true,
        ExprKind::Binary { operator, .. } => matches!(
            operator,
            BinaryOperator::Equal
                | BinaryOperator::NotEqual
                | BinaryOperator::Less
                | BinaryOperator::LessEqual
                | BinaryOperator::Greater
                | BinaryOperator::GreaterEqual
        ),
        _ => false,
    }
}

fn strength(rule: Rule) -> u8 {
    match rule {
        Rule::or => binding::OR,
        Rule::and => binding::AND,
        Rule::add | Rule::subtract => binding::SUM,
        Rule::multiply | Rule::divide | Rule::remainder => binding::PRODUCT,
        Rule::power => binding::POWER,
        _ => binding::COMPARISON,
    }
}

fn operator(rule: Rule) -> BinaryOperator {
    match rule {
        Rule::add => BinaryOperator::Add,
        Rule::subtract => BinaryOperator::Subtract,
        Rule::multiply => BinaryOperator::Multiply,
        Rule::divide => BinaryOperator::Divide,
        Rule::remainder => BinaryOperator::Remainder,
        Rule::power => BinaryOperator::Power,
        Rule::equal => BinaryOperator::Equal,
        Rule::not_equal => BinaryOperator::NotEqual,
        Rule::less => BinaryOperator::Less,
        Rule::less_equal => BinaryOperator::LessEqual,
        Rule::greater => BinaryOperator::Greater,
        Rule::greater_equal => BinaryOperator::GreaterEqual,
        Rule::and => BinaryOperator::And,
        _ => BinaryOperator::Or,
    }
}
