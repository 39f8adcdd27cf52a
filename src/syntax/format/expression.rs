//! Expressions, types, axes and parameters.

use super::doc::{Doc, docs, join};
use super::{Formatter, names};
use crate::source::Span;
use crate::syntax::ast::{
    Argument, ArgumentKind, Arm, AxisName, BinaryOperator, Block, Call, Expr, ExprKind, Init, Name,
    Parameter, Pattern, Selector, Statement, Type, TypeKind, UnaryOperator,
};

/// What a block holds: statements, then perhaps a value.
pub(super) enum Line<'a> {
    Statement(&'a Statement),
    Value(&'a Expr),
}

impl Formatter<'_> {
    pub(super) fn expression(&mut self, expression: &Expr) -> Doc {
        match &expression.kind {
            ExprKind::Number { text, .. } => Doc::text(text),
            ExprKind::Bool(value) => Doc::text(value.to_string()),
            ExprKind::Text(text) => quoted(text),
            ExprKind::Name(name) => Doc::text(&name.text),
            ExprKind::Parenthesised(value) => {
                let value = self.expression(value);
                docs!["(", docs![Doc::Soft, value].indent(), Doc::Soft, ")"].group()
            }
            ExprKind::Tuple(values) => self.values("(", ")", values, expression.span),
            ExprKind::List(values) => self.values("[", "]", values, expression.span),
            ExprKind::Record(entries) => {
                let width = entries.iter().map(|(name, _)| name.text.chars().count()).max().unwrap_or(0);
                let entries =
                    entries.iter().map(|(name, value)| (name.span.to(value.span), (name, value))).collect();
                self.braced(entries, expression.span.start as usize, false, |formatter, (name, value)| {
                    let pad = " ".repeat(width - name.text.chars().count());
                    docs![name.text.as_str(), ": ", Doc::Broken(pad), formatter.expression(value)]
                })
            }
            ExprKind::Unary { operator, value } => {
                let value = self.expression(value);
                match operator {
                    UnaryOperator::Negate => docs!["-", value],
                    UnaryOperator::Not => docs!["not ", value],
                }
            }
            ExprKind::Binary { .. } => self.chain_of_operators(expression),
            ExprKind::Approximately { left, right, within } => {
                let left = self.expression(left);
                let right = self.expression(right);
                let within = match within {
                    Some(within) => docs![Doc::Line, "within ", self.expression(within)],
                    None => Doc::Many(Vec::new()),
                };
                docs![left, docs![" ~=", Doc::Line, right, within].indent()].group()
            }
            ExprKind::Call(call) => self.call(call, expression.span),
            ExprKind::Index { value, selectors } => {
                let value = self.expression(value);
                let parts = selectors.iter().map(|selector| self.selector(selector)).collect();
                let content = join(parts, &docs![",", Doc::Line]);
                docs![value, docs!["[", docs![Doc::Soft, content].indent(), Doc::Soft, "]"].group()]
            }
            ExprKind::Field { value, field } => docs![self.expression(value), ".", field.text.as_str()],
            ExprKind::Match { value, arms } => self.match_expression(value, arms),
            ExprKind::If { condition, then, otherwise } => self.if_expression(condition, then, otherwise),
            ExprKind::Scan { item, axis, from, body } => {
                let from = self.bindings(" from ", from);
                docs!["scan ", item.text.as_str(), " in ", axis_name(axis), from, " ", self.block(body)]
            }
            ExprKind::Iterate { count, bounded, until, from, body } => {
                let count = docs!["iterate ", if *bounded { "up to " } else { "" }, self.expression(count)];
                let until = match until {
                    Some(until) => docs![" until ", self.expression(until)],
                    None => Doc::Many(Vec::new()),
                };
                let from = self.bindings(" from ", from);
                docs![count, until, from, " ", self.block(body)]
            }
            ExprKind::Lambda { parameters, result, body } => {
                let parameters = self.parameters(parameters, expression.span.start as usize);
                let result = result.as_ref().map_or(Doc::Many(Vec::new()), |ty| docs![" -> ", type_of(ty)]);
                let short =
                    body.statements.is_empty() && !self.text[body.span.start as usize..].starts_with('{');
                let body = match &body.value {
                    Some(value) if short => docs![" = ", self.expression(value)],
                    _ => docs![" ", self.block(body)],
                };
                docs!["fn", parameters, result, body]
            }
            ExprKind::From { value, source, map } => {
                let value = docs![self.expression(value), " from ", self.expression(source)];
                if map.is_empty() {
                    return value;
                }
                let entries = map.iter().map(|(from, to)| (from.span.to(to.span), (from, to))).collect();
                let end = source.span.end as usize;
                // Between the source and the first entry stand `map` and the brace.
                let open = self.text[end..].find('{').map_or(end, |found| end + found);
                let map = self.braced(entries, open, false, |_, (from, to)| {
                    docs![quoted(&from.text), " => ", quoted(&to.text)]
                });
                docs![value, " map ", map]
            }
        }
    }

    fn values(&mut self, open: &'static str, close: &'static str, values: &[Expr], span: Span) -> Doc {
        let end = (span.end as usize).saturating_sub(1);
        let values = values.iter().map(|value| (value.span, value)).collect();
        self.listed(open, close, values, end, Doc::Many(Vec::new()), |formatter, value| {
            formatter.expression(value)
        })
    }

    /// `a + b - c`: operators of one strength break together, each at the end of its line.
    fn chain_of_operators(&mut self, expression: &Expr) -> Doc {
        let mut operands: Vec<(&BinaryOperator, &Expr)> = Vec::new();
        let mut first = expression;
        let mut strength = None;
        while let ExprKind::Binary { operator, left, right, .. } = &first.kind {
            if *strength.get_or_insert(class(*operator)) != class(*operator) {
                break;
            }
            operands.push((operator, right));
            first = left;
        }
        let first = self.expression(first);
        let mut rest = Vec::with_capacity(operands.len() * 3);
        for (operator, right) in operands.into_iter().rev() {
            let right = self.expression(right);
            if *operator == BinaryOperator::Power {
                rest.extend([Doc::text("^"), right]);
            } else {
                rest.extend([Doc::text(format!(" {}", sign(*operator))), Doc::Line, right]);
            }
        }
        docs![first, Doc::Many(rest).indent()].group()
    }

    fn call(&mut self, call: &Call, span: Span) -> Doc {
        let callee = self.expression(&call.callee);
        let axes = if call.axes.is_empty() { Doc::Many(Vec::new()) } else { axes(&call.axes) };
        let last = call.by.iter().chain(&call.filter).map(|value| value.span.end).max();
        let inside = last.into_iter().chain(call.arguments.last().map(|argument| argument.span.end)).max();
        let end = inside.map_or(span.end as usize, |end| self.skip(end as usize));
        let by = call.by.iter().map(|key| plain(key, self.text)).collect::<Vec<_>>();
        let mut after = Vec::new();
        if !by.is_empty() {
            after.extend([Doc::Line, docs!["by ", join(by, &Doc::text(", "))]]);
        }
        if let Some(filter) = &call.filter {
            // Printed before the arguments are, so its comments would come too early: it has none of its own.
            after.extend([Doc::Line, docs!["where ", plain(filter, self.text)]]);
        }
        if call.arguments.is_empty() && !after.is_empty() {
            after.remove(0);
        }
        let arguments = call.arguments.iter().map(|argument| (argument.span, argument)).collect();
        let arguments = self.listed("(", ")", arguments, end, Doc::Many(after), |formatter, argument| {
            formatter.argument(argument)
        });
        let otherwise = match &call.otherwise {
            Some(otherwise) => docs![" else ", self.expression(otherwise)],
            None => Doc::Many(Vec::new()),
        };
        docs![callee, axes, arguments, otherwise]
    }

    pub(super) fn arguments(&mut self, arguments: &[Argument], end: usize) -> Doc {
        let arguments = arguments.iter().map(|argument| (argument.span, argument)).collect();
        self.listed("(", ")", arguments, end, Doc::Many(Vec::new()), |formatter, argument| {
            formatter.argument(argument)
        })
    }

    fn argument(&mut self, argument: &Argument) -> Doc {
        match &argument.kind {
            ArgumentKind::Positional(value) => self.expression(value),
            ArgumentKind::Named { name, value } => docs![name.text.as_str(), " = ", self.expression(value)],
            ArgumentKind::As { value, name, further, size } => {
                let value = self.expression(value);
                let name = if further.is_empty() {
                    Doc::text(&name.text)
                } else {
                    docs!["[", name.text.as_str(), ", ", names(further), "]"]
                };
                match size {
                    Some(size) => docs![value, " as ", name, " = ", self.expression(size)],
                    None => docs![value, " as ", name],
                }
            }
        }
    }

    fn selector(&mut self, selector: &Selector) -> Doc {
        match selector {
            Selector::Axis(axis) => axis_name(axis),
            Selector::Rename { axis, to } => docs![axis_name(axis), " as ", axis_name(to)],
            Selector::Pick { axis, index } => docs![axis_name(axis), " = ", self.expression(index)],
            Selector::Slice { axis, start, end } => {
                let start = start.as_ref().map_or(Doc::Many(Vec::new()), |start| self.expression(start));
                let end = end.as_ref().map_or(Doc::Many(Vec::new()), |end| self.expression(end));
                docs![axis_name(axis), " = ", start, "..", end]
            }
        }
    }

    fn match_expression(&mut self, value: &Expr, arms: &[Arm]) -> Doc {
        let head = docs!["match ", self.expression(value), " "];
        let text = |pattern: &Pattern| match pattern {
            Pattern::Name(name) => name.text.clone(),
            Pattern::Number(_, span) => self.text[span.start as usize..span.end as usize].to_owned(),
            Pattern::Any(_) => "_".to_owned(),
        };
        let patterns: Vec<String> = arms.iter().map(|arm| text(&arm.pattern)).collect();
        let width = patterns.iter().map(|pattern| pattern.chars().count()).max().unwrap_or(0);
        let arms = arms.iter().zip(patterns).map(|(arm, pattern)| (arm.span, (arm, pattern))).collect();
        let arms = self.braced(arms, value.span.end as usize, false, |formatter, (arm, pattern)| {
            let pad = " ".repeat(width - pattern.chars().count());
            docs![pattern, Doc::Broken(pad), " => ", formatter.expression(&arm.value)]
        });
        docs![head, arms]
    }

    fn if_expression(&mut self, condition: &Expr, then: &Block, otherwise: &Block) -> Doc {
        let mut parts = vec![docs!["if ", self.expression(condition), " ", self.block(then)]];
        let mut otherwise = otherwise;
        // `else if` is an `if` alone in an `else` without braces of its own.
        while let Some(Expr { kind: ExprKind::If { condition, then, otherwise: last }, .. }) =
            otherwise.value.as_deref()
            && otherwise.statements.is_empty()
            && !self.text[otherwise.span.start as usize..].starts_with('{')
        {
            parts.push(docs![" else if ", self.expression(condition), " ", self.block(then)]);
            otherwise = last;
        }
        parts.push(docs![" else ", self.block(otherwise)]);
        Doc::Many(parts)
    }

    pub(super) fn block(&mut self, block: &Block) -> Doc {
        let statements =
            block.statements.iter().map(|statement| (statement.span, Line::Statement(statement)));
        let value = block.value.iter().map(|value| (value.span, Line::Value(value)));
        let lines = statements.chain(value).collect();
        self.braced(lines, block.span.start as usize, true, |formatter, line| match line {
            Line::Statement(statement) => formatter.statement(statement),
            Line::Value(value) => formatter.expression(value),
        })
    }

    pub(super) fn bindings(&mut self, word: &'static str, bindings: &[(Name, Expr)]) -> Doc {
        if bindings.is_empty() {
            return Doc::Many(Vec::new());
        }
        let parts = bindings
            .iter()
            .map(|(name, value)| docs![name.text.as_str(), " = ", self.expression(value)])
            .collect();
        docs![word, join(parts, &Doc::text(", "))]
    }

    pub(super) fn init(&mut self, init: &Init) -> Doc {
        match init {
            Init::Value(value) => docs![" = ", self.expression(value)],
            Init::Draw(value) => docs![" ~ ", self.expression(value)],
        }
    }

    /// `from` is a place before the parenthesis, behind everything that stands before it.
    pub(super) fn parameters(&mut self, parameters: &[Parameter], from: usize) -> Doc {
        let end = parameters.last().map_or(from, |parameter| parameter.span.end as usize);
        let end = if parameters.is_empty() { end } else { self.skip(end) };
        let parameters = parameters.iter().map(|parameter| (parameter.span, parameter)).collect();
        self.listed("(", ")", parameters, end, Doc::Many(Vec::new()), |formatter, parameter| {
            let ty = parameter.ty.as_ref().map_or(Doc::Many(Vec::new()), |ty| docs![": ", type_of(ty)]);
            let default = match &parameter.default {
                Some(default) => docs![" = ", formatter.expression(default)],
                None => Doc::Many(Vec::new()),
            };
            docs![parameter.name.text.as_str(), ty, default]
        })
    }
}

/// An expression printed without a look at comments.
fn plain(expression: &Expr, text: &str) -> Doc {
    Formatter { text, comments: &[], next: 0 }.expression(expression)
}

pub(super) fn quoted(text: &str) -> Doc {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for character in text.chars() {
        match character {
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            _ => out.push(character),
        }
    }
    out.push('"');
    Doc::Text(out)
}

pub(super) fn axis_name(axis: &AxisName) -> Doc {
    let path: Vec<&str> = axis.path.iter().map(|name| name.text.as_str()).collect();
    Doc::Text(format!("{}{}", path.join("."), if axis.primed { "'" } else { "" }))
}

pub(super) fn axes(axes: &[AxisName]) -> Doc {
    let parts = axes.iter().map(axis_name).collect();
    docs!["[", docs![Doc::Soft, join(parts, &docs![",", Doc::Line])].indent(), Doc::Soft, "]"].group()
}

pub(super) fn type_of(ty: &Type) -> Doc {
    let separator = docs![",", Doc::Line];
    match &ty.kind {
        TypeKind::Array { element, axes: named, .. } => {
            docs![element.text.as_str(), if named.is_empty() { Doc::Many(Vec::new()) } else { axes(named) }]
        }
        TypeKind::Record(entries) => {
            let parts =
                entries.iter().map(|(name, ty)| docs![name.text.as_str(), ": ", type_of(ty)]).collect();
            docs!["{", docs![Doc::Line, join(parts, &separator)].indent(), Doc::Line, "}"].group()
        }
        TypeKind::Tuple(types) => {
            let parts = types.iter().map(type_of).collect();
            docs!["(", docs![Doc::Soft, join(parts, &separator)].indent(), Doc::Soft, ")"].group()
        }
        TypeKind::Function { parameters, result } => {
            let parts = parameters.iter().map(type_of).collect();
            let parameters =
                docs!["(", docs![Doc::Soft, join(parts, &separator)].indent(), Doc::Soft, ")"].group();
            docs!["fn", parameters, " -> ", type_of(result)]
        }
    }
}

/// Operators that break together. A comparison or a power stands alone.
fn class(operator: BinaryOperator) -> u8 {
    match operator {
        BinaryOperator::Or => 0,
        BinaryOperator::And => 1,
        BinaryOperator::Add | BinaryOperator::Subtract => 3,
        BinaryOperator::Multiply | BinaryOperator::Divide | BinaryOperator::Remainder => 4,
        BinaryOperator::Power => 5,
        _ => 2,
    }
}

pub(in crate::syntax) fn sign(operator: BinaryOperator) -> &'static str {
    match operator {
        BinaryOperator::Add => "+",
        BinaryOperator::Subtract => "-",
        BinaryOperator::Multiply => "*",
        BinaryOperator::Divide => "/",
        BinaryOperator::Remainder => "%",
        BinaryOperator::Power => "^",
        BinaryOperator::Equal => "==",
        BinaryOperator::NotEqual => "!=",
        BinaryOperator::Less => "<",
        BinaryOperator::LessEqual => "<=",
        BinaryOperator::Greater => ">",
        BinaryOperator::GreaterEqual => ">=",
        BinaryOperator::And => "and",
        BinaryOperator::Or => "or",
    }
}
