//! The `test` blocks of a file: assertions, and the derivative of every function called in them against differences.

use super::engine::{Compiled, Engine, read_f64, scalar};
use crate::check::program::Program as Typed;
use crate::diagnostic::{Code, Diagnostic};
use crate::graph::elaborate::{GradientCheck, Scope, TestProgram};
use crate::graph::{Slot, Store, Tensor};
use crate::source::{Sources, Span};
use crate::syntax::ast::{ItemKind, Test};

/// One test block.
pub struct TestOutcome {
    pub name: String,
    pub span: Span,
    /// What failed; none: the test passes.
    pub problems: Vec<Diagnostic>,
    pub assertions: usize,
    /// Functions whose derivative was compared with differences.
    pub gradients: Vec<String>,
    /// Those of them whose second derivatives were compared, too.
    pub second: Vec<String>,
}

/// Runs the test blocks of one file of the program whose names are wanted.
pub fn run_tests(
    program: &Typed,
    file: usize,
    sources: &Sources,
    engine: &Engine,
    wanted: &dyn Fn(&str) -> bool,
) -> Vec<TestOutcome> {
    let Some(file) = program.files.get(file) else { return Vec::new() };
    let mut outcomes = Vec::new();
    for item in &file.items {
        if let ItemKind::Test(test) = &item.kind
            && wanted(&test.name.text)
        {
            outcomes.push(run_test(program, test, sources, engine));
        }
    }
    outcomes
}

fn run_test(program: &Typed, test: &Test, sources: &Sources, engine: &Engine) -> TestOutcome {
    let mut outcome = TestOutcome {
        name: test.name.text.clone(),
        span: test.span,
        problems: Vec::new(),
        assertions: 0,
        gradients: Vec::new(),
        second: Vec::new(),
    };
    if let Err(problems) = attempt(program, test, sources, engine, &mut outcome) {
        outcome.problems.extend(problems);
    }
    outcome
}

fn attempt(
    program: &Typed,
    test: &Test,
    sources: &Sources,
    engine: &Engine,
    outcome: &mut TestOutcome,
) -> Result<(), Vec<Diagnostic>> {
    let mut store = Store::default();
    let seed = store.add(Tensor::Index(vec![0]));
    let mut scope = Scope::new(program, seed);
    let elaborated = scope.test(test, &mut store)?;
    engine.compile(elaborated.program.clone(), test.span, &store)?.run(&mut store)?;
    assertions(&elaborated, sources, &store, outcome);
    for check in &elaborated.gradients {
        let compared = gradient(check, &store, engine)?;
        outcome.problems.extend(compared.problem);
        if compared.second && !outcome.second.contains(&check.function) {
            outcome.second.push(check.function.clone());
        }
        if !outcome.gradients.contains(&check.function) {
            outcome.gradients.push(check.function.clone());
        }
    }
    Ok(())
}

fn assertions(test: &TestProgram, sources: &Sources, store: &Store, outcome: &mut TestOutcome) {
    outcome.assertions = test.assertions.len();
    for assertion in &test.assertions {
        if scalar(store, assertion.holds.slot) != 0.0 {
            continue;
        }
        let mut problem = Diagnostic::error(Code::A0511, assertion.span, "the assertion does not hold");
        for (span, side) in &assertion.sides {
            let values = read_f64(store, side.slot);
            let shown: Vec<String> = values.iter().take(12).map(|v| format!("{v:.9}")).collect();
            let dots = if values.len() > 12 { ", ..." } else { "" };
            let shown =
                if values.len() == 1 { shown.join("") } else { format!("[{}{dots}]", shown.join(", ")) };
            problem = problem.related(*span, format!("`{}` is {shown}", sources.slice(*span)));
        }
        outcome.problems.push(problem);
    }
}

/// At most this many elements of an argument are moved.
const ELEMENTS: usize = 64;
/// Relative and absolute agreement that is asked for.
const TOLERANCE: f64 = 1e-5;

/// What comparing one function says.
struct Compared {
    problem: Option<Diagnostic>,
    /// Second derivatives were compared too, and agree.
    second: bool,
}

fn gradient(check: &GradientCheck, store: &Store, engine: &Engine) -> Result<Compared, Vec<Diagnostic>> {
    let mut store = store.clone();
    let mut compiled = engine.compile(check.program.clone(), check.span, &store)?;
    compiled.run(&mut store)?;
    let first = compare(&mut compiled, &mut store, check.value, &check.gradients, 1e-6);
    if let Comparison::Differs(found) = first {
        let problem = (!check.declared).then(|| differs(check, &found, "derivative"));
        return Ok(Compared { problem, second: false });
    }
    let Some((value, slots)) = &check.second else { return Ok(Compared { problem: None, second: false }) };
    Ok(match compare(&mut compiled, &mut store, *value, slots, 1e-5) {
        Comparison::Agrees => Compared { problem: None, second: true },
        Comparison::Nothing => Compared { problem: None, second: false },
        Comparison::Differs(_) if check.kinks || check.declared => Compared { problem: None, second: false },
        Comparison::Differs(found) => {
            Compared { problem: Some(differs(check, &found, "second derivative")), second: false }
        }
    })
}

enum Comparison {
    /// At every place there is a kink, an edge or a jump.
    Nothing,
    Agrees,
    Differs(Difference),
}

struct Difference {
    argument: usize,
    at: usize,
    found: f64,
    differences: f64,
}

/// Compares derivatives of a value with differences to both sides. Where the two one-sided differences disagree there is a
/// kink, where they are not finite there is an edge, and where they grow as the step shrinks there is a jump: all are passed
/// over.
fn compare(
    compiled: &mut Compiled,
    store: &mut Store,
    value: Slot,
    slots: &[(Slot, Slot)],
    step: f64,
) -> Comparison {
    let analytic: Vec<Vec<f64>> = slots.iter().map(|(_, by)| read_f64(store, *by)).collect();
    let mut compared = false;
    for (argument, (slot, _)) in slots.iter().enumerate() {
        let base = read_f64(store, *slot);
        for at in 0..base.len().min(ELEMENTS) {
            let width = step * base[at].abs().max(1.0);
            let mut value_at = |x: f64| {
                put(store, *slot, at, x);
                let outcome = compiled.run(store);
                outcome.map(|()| scalar(store, value))
            };
            let (above, below) = (value_at(base[at] + width), value_at(base[at] - width));
            let (Ok(above), Ok(below), Ok(here)) = (above, below, value_at(base[at])) else { continue };
            let (right, left) = ((above - here) / width, (here - below) / width);
            let central = (above - below) / (2.0 * width);
            let found = analytic[argument][at];
            let scale = 1.0 + central.abs() + if found.is_finite() { found.abs() } else { 0.0 };
            if !right.is_finite() || !left.is_finite() || (right - left).abs() > 1e-3 * scale {
                continue;
            }
            // `not close` rather than `far`, so that NaN is caught.
            let close = (found - central).abs() < TOLERANCE * scale;
            if !close {
                // A jump (tied ranks) looks steeper the nearer one looks.
                let (Ok(above), Ok(below)) =
                    (value_at(base[at] + 8.0 * width), value_at(base[at] - 8.0 * width))
                else {
                    continue;
                };
                // Leaves everything as it was.
                let _ = value_at(base[at]);
                let wider = (above - below) / (16.0 * width);
                if (wider - central).abs() > 0.5 * central.abs() {
                    continue;
                }
                return Comparison::Differs(Difference { argument, at, found, differences: central });
            }
            compared = true;
        }
    }
    if compared { Comparison::Agrees } else { Comparison::Nothing }
}

fn differs(check: &GradientCheck, difference: &Difference, what: &str) -> Diagnostic {
    let Difference { argument, at, found, differences } = difference;
    let message = format!(
        "the {what} of `{}` by its argument {} (element {at}) is {found:.8}, but differences give {differences:.8}",
        check.function,
        argument + 1
    );
    Diagnostic::error(Code::A0512, check.span, message)
        .label("differentiated here")
        .help("this is a fault of the compiler, or the function is too steep here for differences; call it elsewhere")
}

fn put(store: &mut Store, slot: Slot, at: usize, value: f64) {
    if let Tensor::F64(values) = store.get_mut(slot) {
        values[at] = value;
    }
}
