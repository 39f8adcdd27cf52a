//! The diagnostics of elaboration, one function each.

use crate::diagnostic::{Code, Diagnostic};
use crate::graph::TypeError;
use crate::source::Span;

/// All errors of one step of elaboration.
pub type Errors = Vec<Diagnostic>;

/// A construct that the language has and this version does not execute.
pub fn unavailable(span: Span, construct: &str) -> Errors {
    vec![Diagnostic::error(Code::A0090, span, format!("{construct} is not available yet"))]
}

pub fn not_static(span: Span, what: &str) -> Errors {
    vec![
        Diagnostic::error(Code::A0350, span, format!("{what} must be known before anything runs"))
            .label("this depends on data, parameters or random numbers")
            .help("use numbers, sizes of axes, `vary` values and `let`s made of these"),
    ]
}

pub fn not_size(span: Span, value: f64) -> Errors {
    vec![
        Diagnostic::error(Code::A0250, span, format!("{value} is not a size"))
            .label("this must be a whole number from 0"),
    ]
}

pub fn sizes_differ(span: Span, (name, size): (&str, usize), (other, other_size): (&str, usize)) -> Errors {
    vec![
        Diagnostic::error(Code::A0251, span, format!("the axes `{name}` and `{other}` have different sizes"))
            .label(format!("`{name}` has {size} positions, `{other}` has {other_size}")),
    ]
}

pub fn outside(span: Span, position: f64, axis: &str, size: usize) -> Errors {
    let help = match size {
        0 => format!("`{axis}` is empty"),
        size => format!("`{axis}` has the positions 0 to {}", size - 1),
    };
    vec![
        Diagnostic::error(Code::A0252, span, format!("{position} is not a position of the axis `{axis}`"))
            .label(format!("outside `{axis}`"))
            .help(help),
    ]
}

pub fn not_a_value(span: Span, position: f64, axis: &str, values: &[f64]) -> Errors {
    let values: Vec<String> = values.iter().map(f64::to_string).collect();
    vec![
        Diagnostic::error(Code::A0252, span, format!("{position} is not one of the values of `{axis}`"))
            .label("not a value of this axis")
            .help(format!("its values are {}", values.join(", "))),
    ]
}

/// The checker let something through that elaboration cannot read.
pub fn fault(span: Span, what: impl std::fmt::Display) -> Errors {
    vec![
        Diagnostic::error(Code::A0359, span, format!("fault in the compiler: {what}"))
            .label("while elaborating this")
            .help("please report it with the file that shows it"),
    ]
}

pub fn type_fault(span: Span, error: &TypeError) -> Errors {
    fault(span, format!("{error:?}"))
}
