//! Numbers that stand in the text: literals, arithmetic of them, and the lets that name them. What they are wrong for is said
//! before anything runs.

use super::state::Checker;
use crate::check::program::Definition;
use crate::diagnostic::{Code, Diagnostic};
use crate::source::Span;
use crate::syntax::ast::{BinaryOperator, Expr, ExprKind, ItemKind, UnaryOperator};

/// Where the parameter of a distribution may lie.
#[derive(Clone, Copy)]
enum Domain {
    Positive,
    FromZero,
    Count,
    Share,
}

impl Domain {
    fn contains(self, number: f64) -> bool {
        match self {
            Domain::Positive => number > 0.0,
            Domain::FromZero => number >= 0.0,
            Domain::Count => number >= 0.0 && number.fract() == 0.0,
            Domain::Share => (0.0..=1.0).contains(&number),
        }
    }

    fn in_words(self) -> &'static str {
        match self {
            Domain::Positive => "above 0",
            Domain::FromZero => "at least 0",
            Domain::Count => "a whole number from 0",
            Domain::Share => "from 0 to 1",
        }
    }
}

/// The parameters of distributions, of the language and of its prelude, that not every number can be.
const DOMAINS: &[(&str, &[(&str, Domain)])] = &[
    ("normal", &[("sd", Domain::FromZero)]),
    ("bernoulli", &[("p", Domain::Share)]),
    ("exponential", &[("rate", Domain::Positive)]),
    ("laplace", &[("scale", Domain::FromZero)]),
    ("gumbel", &[("scale", Domain::FromZero)]),
    ("logistic", &[("scale", Domain::FromZero)]),
    ("weibull", &[("shape", Domain::Positive), ("scale", Domain::Positive)]),
    ("lognormal", &[("sd", Domain::FromZero)]),
    ("truncated_normal", &[("sd", Domain::Positive)]),
    ("gamma", &[("shape", Domain::Positive), ("scale", Domain::Positive)]),
    ("beta", &[("a", Domain::Positive), ("b", Domain::Positive)]),
    ("dirichlet", &[("concentration", Domain::Positive)]),
    ("student_t", &[("df", Domain::Positive), ("scale", Domain::FromZero)]),
    ("chi_square", &[("df", Domain::Positive)]),
    ("poisson", &[("mean", Domain::FromZero)]),
    ("binomial", &[("n", Domain::Count), ("p", Domain::Share)]),
    ("quantile", &[("q", Domain::Share)]),
];

/// Distributions between two bounds, `low` and `high`.
const BOUNDED: &[&str] = &["uniform", "truncated_normal"];

impl Checker<'_> {
    /// The number that an expression stands for, where the text alone says so.
    pub fn constant_number(&self, expr: &Expr) -> Option<f64> {
        match &expr.kind {
            ExprKind::Number { value, .. } => Some(*value),
            ExprKind::Parenthesised(inner) => self.constant_number(inner),
            ExprKind::Unary { operator: UnaryOperator::Negate, value } => Some(-self.constant_number(value)?),
            ExprKind::Binary { operator, left, right, .. } => {
                let (left, right) = (self.constant_number(left)?, self.constant_number(right)?);
                match operator {
                    BinaryOperator::Add => Some(left + right),
                    BinaryOperator::Subtract => Some(left - right),
                    BinaryOperator::Multiply => Some(left * right),
                    BinaryOperator::Divide => Some(left / right),
                    BinaryOperator::Power => Some(left.powf(right)),
                    _ => None,
                }
            }
            ExprKind::Name(name) => match self.program.names.get(&name.span)? {
                Definition::Local(binding) => self.constants.get(binding).copied(),
                Definition::Item(item) => match &self.program.item(*item).kind {
                    ItemKind::Let(binding) => {
                        let binding = binding.names.iter().find(|known| known.text == name.text)?;
                        self.constants.get(&binding.span).copied()
                    }
                    _ => None,
                },
                _ => None,
            },
            _ => None,
        }
    }

    /// Refuses arguments of a distribution, or of `quantile`, that it cannot have; each with the name of its parameter.
    pub fn in_domain(&mut self, function: &str, arguments: &[(&str, &Expr)]) {
        let domains =
            DOMAINS.iter().find(|(name, _)| *name == function).map_or(&[][..], |(_, domains)| domains);
        let mut wrong: Vec<(Span, String, String)> = Vec::new();
        for (parameter, value) in arguments {
            let domain = domains.iter().find(|(name, _)| name == parameter).map(|(_, domain)| *domain);
            if let (Some(domain), Some(number)) = (domain, self.constant_number(value))
                && !domain.contains(number)
            {
                let words = domain.in_words();
                wrong.push((
                    value.span,
                    format!("`{parameter}` of `{function}` is {words}, not {number}"),
                    format!("this is {number}"),
                ));
            }
        }
        let bound = |wanted: &str| {
            let (_, value) = arguments.iter().find(|(parameter, _)| *parameter == wanted)?;
            Some((value.span, self.constant_number(value)?))
        };
        if BOUNDED.contains(&function)
            && let (Some((from, low)), Some((to, high))) = (bound("low"), bound("high"))
            && low > high
        {
            wrong.push((
                from.to(to),
                format!("`low` of `{function}` is at most `high`, and {low} is above {high}"),
                "the wrong way round".to_owned(),
            ));
        }
        for (span, message, label) in wrong {
            self.report(
                Diagnostic::error(Code::A0227, span, message)
                    .label(label)
                    .help(format!("`{function}` is defined for no other numbers")),
            );
        }
    }
}
