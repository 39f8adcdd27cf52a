//! The `test` blocks of a file: assertions, and the derivative of every function called in them against differences.

use super::engine::{Engine, read_f64, scalar};
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
}

/// Runs every test block of one file of the program.
pub fn run_tests(program: &Typed, file: usize, sources: &Sources, engine: &Engine) -> Vec<TestOutcome> {
    let Some(file) = program.files.get(file) else { return Vec::new() };
    let mut outcomes = Vec::new();
    for item in &file.items {
        if let ItemKind::Test(test) = &item.kind {
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
        if let Some(problem) = gradient(check, &store, engine)? {
            outcome.problems.push(problem);
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

/// Compares the derivatives of a weighted sum of the result with differences to both sides. Where the two one-sided
/// differences disagree there is a kink, where they are not finite there is an edge, and where they grow as the step
/// shrinks there is a jump: all are passed over.
fn gradient(
    check: &GradientCheck,
    store: &Store,
    engine: &Engine,
) -> Result<Option<Diagnostic>, Vec<Diagnostic>> {
    let mut store = store.clone();
    let mut compiled = engine.compile(check.program.clone(), check.span, &store)?;
    compiled.run(&mut store)?;
    let analytic: Vec<Vec<f64>> = check.gradients.iter().map(|(_, by)| read_f64(&store, *by)).collect();
    for (argument, (slot, _)) in check.gradients.iter().enumerate() {
        let base = read_f64(&store, *slot);
        for at in 0..base.len().min(ELEMENTS) {
            let width = 1e-6 * base[at].abs().max(1.0);
            let mut value_at = |x: f64| {
                put(&mut store, *slot, at, x);
                let outcome = compiled.run(&mut store);
                outcome.map(|()| scalar(&store, check.value))
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
                let wider = (above - below) / (16.0 * width);
                if (wider - central).abs() > 0.5 * central.abs() {
                    continue;
                }
                return Ok(Some(differs(check, argument, at, found, central)));
            }
        }
    }
    Ok(None)
}

fn differs(check: &GradientCheck, argument: usize, at: usize, found: f64, differences: f64) -> Diagnostic {
    let message = format!(
        "the derivative of `{}` by its argument {} (element {at}) is {found:.8}, but differences give {differences:.8}",
        check.function,
        argument + 1
    );
    Diagnostic::error(Code::A0512, check.span, message)
        .label("differentiated here")
        .help("a `stop` inside the function cuts its gradient; call it in a test only where its derivative is the true one")
}

fn put(store: &mut Store, slot: Slot, at: usize, value: f64) {
    if let Tensor::F64(values) = store.get_mut(slot) {
        values[at] = value;
    }
}
