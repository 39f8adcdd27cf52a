//! The diagnostics of elaboration, one function each.

use crate::diagnostic::{Code, Diagnostic};
use crate::graph::TypeError;
use crate::source::Span;

/// All errors of one step of elaboration.
pub type Errors = Vec<Diagnostic>;

/// A loop whose rounds are parts of the program, and too many of them.
pub fn too_many_rounds(span: Span, rounds: usize, most: usize) -> Errors {
    let text =
        format!("a loop that makes models or asserts has {rounds} rounds, and at most {most} are possible");
    vec![
        Diagnostic::error(Code::A0357, span, text)
            .label("each of its rounds becomes a part of the program")
            .help("make models and assert outside of the loop: `yield` what is asserted"),
    ]
}

pub fn not_static(span: Span, what: &str) -> Errors {
    vec![
        Diagnostic::error(Code::A0350, span, format!("{what} must be known before anything runs"))
            .label("this depends on data, parameters or random numbers")
            .help("use numbers, sizes of axes, `vary` values and `let`s made of these"),
    ]
}

pub fn lifted_training(span: Span, axes: &[String]) -> Errors {
    vec![
        Diagnostic::error(
            Code::A0219,
            span,
            format!("a function that trains is not lifted over {}", axes.join(", ")),
        )
        .label("its arguments have further axes")
        .help("make the models over the axis in the function: `let nets = Linear[In, Out]() over Zoo`"),
    ]
}

pub fn pick_replaced(span: Span) -> Errors {
    vec![
        Diagnostic::error(Code::A0206, span, "a function that replaces another has this axis")
            .label("one of several models is picked here")
            .help("pick first, and replace then: `nets[Zoo = i].with(hidden = fn(x) = ...)`"),
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

/// An axis that is there already, and for which an operation makes another number of positions.
pub fn made_of_another_size(span: Span, name: &str, have: usize, made: usize) -> Errors {
    vec![
        Diagnostic::error(
            Code::A0251,
            span,
            format!("this makes {made} positions, and the axis `{name}` has {have}"),
        )
        .label(format!("{made} positions along `{name}`"))
        .help(format!("declare `axis {name} = {made}`, or give the result an axis with a name of its own")),
    ]
}

/// More positions of an axis are wanted than it has.
pub fn too_many_positions(span: Span, what: &str, wanted: usize, axis: &str, size: usize) -> Errors {
    vec![
        Diagnostic::error(
            Code::A0252,
            span,
            format!("{what} {wanted} positions, and the axis `{axis}` has {size}"),
        )
        .label(format!("{wanted} of {size}")),
    ]
}

pub fn slice(span: Span, (from, to): (usize, usize), axis: &str, size: usize) -> Errors {
    let (message, help) = match from > to {
        true => (
            format!("the slice {from}..{to} ends before it starts"),
            format!("from its first position to the one behind its last: `{axis} = {to}..{from}`"),
        ),
        false => (
            format!("the slice ends at {to}, and the axis `{axis}` has {size} positions"),
            format!("the end is the position behind the last: at most {size}"),
        ),
    };
    vec![Diagnostic::error(Code::A0252, span, message).label(format!("{from}..{to} of {size}")).help(help)]
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

pub fn other_model(span: Span) -> Errors {
    vec![
        Diagnostic::error(Code::A0332, span, "these models differ in their parameters")
            .label("a model of another make")
            .help("arithmetic and assignment go parameter by parameter: both must be of one layer with the same axes"),
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

pub fn no_derivative(span: Span, function: &str, place: Span) -> Errors {
    vec![
        Diagnostic::error(Code::A0264, span, format!("`{function}` has no derivative by its parameters"))
            .label("a derivative is wanted here")
            .related(place, "this depends on it through a parameter")
            .help("it has one by x; cut the parameters' part with `stop`"),
    ]
}

pub fn type_fault(span: Span, error: &TypeError) -> Errors {
    fault(span, format!("{error:?}"))
}

pub fn no_arm(span: Span) -> Errors {
    vec![
        Diagnostic::error(Code::A0353, span, "no arm of this `match` fits")
            .label("no arm for the value")
            .help("add `_ => ...` for all other values"),
    ]
}

pub fn not_scalar(span: Span, what: &str, axes: &[String]) -> Errors {
    let list = axes.join(", ");
    vec![
        Diagnostic::error(Code::A0253, span, format!("{what} must be a single number"))
            .label(format!("this has the axes {list}"))
            .help(format!("reduce it, for example `mean(..., {list})`")),
    ]
}

pub fn list_length(span: Span, found: usize, axis: &str, size: usize) -> Errors {
    vec![
        Diagnostic::error(
            Code::A0251,
            span,
            format!("the list has {found} elements, the axis `{axis}` has {size}"),
        )
        .label(format!("{found} elements"))
        .help(format!("write {size} elements, or declare `axis {axis} = {found}`")),
    ]
}

pub fn too_large(span: Span, name: &str, shape: &str) -> Errors {
    vec![
        Diagnostic::error(Code::A0506, span, format!("`{name}` is too large: {shape}"))
            .label("more than 2147483647 elements")
            .help("make an axis smaller, or reduce over one before the value is kept"),
    ]
}

pub fn empty(span: Span, axes: &[String]) -> Errors {
    vec![
        Diagnostic::error(Code::A0252, span, format!("the axis `{}` is empty", axes.join("`, `")))
            .label("an empty set has no such value")
            .help("give the value of an empty set: `... else 0`"),
    ]
}

pub fn made_in_step(span: Span) -> Errors {
    vec![
        Diagnostic::error(Code::A0352, span, "a model cannot be made inside a train block")
            .label("this would make a new model at every step")
            .help("make it before the block: `let net = ...`"),
    ]
}

pub fn no_length(span: Span) -> Errors {
    vec![
        Diagnostic::error(Code::A0354, span, "the train block does not say how long it runs")
            .label("no `epochs` or `steps`")
            .help("add `epochs 10` or `steps 1000`"),
    ]
}

pub fn no_optimizer(span: Span) -> Errors {
    vec![
        Diagnostic::error(Code::A0355, span, "the objective does not say how it is optimized")
            .label("no `with`")
            .help("add `with adam(lr = 1e-3)` and `use std.optim (adam)`"),
    ]
}

pub fn no_parameters(span: Span) -> Errors {
    vec![
        Diagnostic::error(Code::A0351, span, "there is no parameter to optimize")
            .label("nothing here depends on a parameter")
            .help("apply a model, or name one after `over`"),
    ]
}

pub fn unreached(span: Span, parameter: &str, objective: Span) -> Errors {
    vec![
        Diagnostic::error(
            Code::A0351,
            span,
            format!("no term of the objective depends on the parameter `{parameter}`"),
        )
        .label(format!("`{parameter}` would never change"))
        .related(objective, "the objective")
        .help("use the parameter in a term, or name only models that the terms use"),
    ]
}

pub fn not_positive(span: Span, what: &str) -> Errors {
    vec![Diagnostic::error(Code::A0250, span, format!("{what} must be at least 1")).label("this is 0")]
}

pub fn projects_several(span: Span, count: usize) -> Errors {
    vec![
        Diagnostic::error(Code::A0356, span, format!("`project` sets one parameter, and here are {count}"))
            .label("which of them is projected?")
            .help("name one parameter after `over`: `over net.weight`"),
    ]
}
