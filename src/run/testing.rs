//! The `test` blocks of a file: assertions, and the derivative of every function called in them against differences.

use super::engine::{Engine, read_f64, scalar};
use super::prepare::top_level_scope;
use crate::check::program::Program as Typed;
use crate::diagnostic::{Code, Diagnostic};
use crate::graph::elaborate::{GradientCheck, TestProgram};
use crate::graph::{Element, InputId, NodeId, Program, Slot, Store, Tensor};
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
    let (mut scope, mut store) = top_level_scope(program, engine)?;
    let elaborated = scope.test(test, &mut store)?;
    engine.compile(elaborated.program.clone(), test.span)?.run(&mut store)?;
    assertions(&elaborated, sources, &store, outcome);
    for check in &elaborated.gradients {
        if let Some(problem) = gradient(&elaborated, check, &store, engine)? {
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
            let shown = if values.len() == 1 { shown.join("") } else { format!("[{}{dots}]", shown.join(", ")) };
            problem = problem.related(*span, format!("`{}` is {shown}", sources.slice(*span)));
        }
        outcome.problems.push(problem);
    }
}

/// At most this many elements of an argument are moved.
const ELEMENTS: usize = 64;
/// Relative and absolute agreement that is asked for.
const TOLERANCE: f64 = 1e-5;

/// Compares the derivative of sum(weights * result) by each argument with differences of both sides. Where the two
/// one-sided differences disagree there is a kink, and where they are not finite there is an edge: both are passed over.
fn gradient(
    test: &TestProgram,
    check: &GradientCheck,
    store: &Store,
    engine: &Engine,
) -> Result<Option<Diagnostic>, Vec<Diagnostic>> {
    let mut store = store.clone();
    let Ok(moved) = Moved::new(test, check, &mut store, engine) else { return Ok(None) };
    let mut compiled = engine.compile(moved.program.clone(), check.span)?;
    compiled.run(&mut store)?;
    let analytic: Vec<Vec<f64>> = moved.gradients.iter().map(|slot| read_f64(&store, *slot)).collect();
    for (argument, slot) in moved.arguments.iter().enumerate() {
        let base = read_f64(&store, *slot);
        for at in 0..base.len().min(ELEMENTS) {
            let width = 1e-6 * base[at].abs().max(1.0);
            let mut value_at = |x: f64| -> Result<f64, Vec<Diagnostic>> {
                put(&mut store, *slot, at, x);
                compiled.run(&mut store)?;
                Ok(scalar(&store, moved.value))
            };
            let outcome = (value_at(base[at] + width), value_at(base[at] - width), value_at(base[at]));
            let (Ok(above), Ok(below), Ok(here)) = outcome else { continue };
            let (right, left) = ((above - here) / width, (here - below) / width);
            let central = (above - below) / (2.0 * width);
            let scale = 1.0 + central.abs() + analytic[argument][at].abs();
            if !right.is_finite() || !left.is_finite() || (right - left).abs() > 1e-3 * scale {
                continue;
            }
            let found = analytic[argument][at];
            // `not less` rather than `more`, so that NaN is caught.
            let close = (found - central).abs() < TOLERANCE * scale;
            if !close {
                return Ok(Some(
                    Diagnostic::error(
                        Code::A0512,
                        check.span,
                        format!(
                            "the derivative of `{}` by its argument {} (element {at}) is {found:.8}, but differences give {central:.8}",
                            check.function,
                            argument + 1
                        ),
                    )
                    .help("a `stop` inside the function cuts its gradient; where that is meant, say so with `custom_grad`"),
                ));
            }
        }
    }
    Ok(None)
}

fn put(store: &mut Store, slot: Slot, at: usize, value: f64) {
    if let Tensor::F64(values) = store.get_mut(slot) {
        values[at] = value;
    }
}

/// The test's graph with the arguments as inputs, so that they can be moved.
struct Moved {
    program: Program,
    arguments: Vec<Slot>,
    gradients: Vec<Slot>,
    value: Slot,
}

impl Moved {
    fn new(
        test: &TestProgram,
        check: &GradientCheck,
        store: &mut Store,
        engine: &Engine,
    ) -> Result<Moved, Vec<Diagnostic>> {
        let span = check.span;
        let failed = |error| vec![Diagnostic::error(Code::A0503, span, format!("{error}"))];
        let mut arguments: Vec<NodeId> = check.arguments.clone();
        arguments.sort_unstable();
        arguments.dedup();
        arguments.retain(|id| test.program.graph.node(*id).element == Element::Float);
        // First the values that the arguments have, then the graph with them replaced.
        let mut reading = test.program.clone();
        reading.outputs.clear();
        let mut slots = Vec::new();
        for (number, id) in arguments.iter().enumerate() {
            let layout: Vec<_> = reading.graph.node(*id).axes.iter().collect();
            let count = reading.graph.elements(&reading.graph.node(*id).axes);
            let slot = store.add(Tensor::F64(vec![0.0; count]));
            reading.output(format!("argument {number}"), *id, &layout, slot).map_err(failed)?;
            slots.push(slot);
        }
        engine.compile(reading, span)?.run(store)?;
        let mut program = test.program.clone();
        program.outputs.clear();
        for (id, slot) in arguments.iter().zip(&slots) {
            let node = program.graph.node(*id);
            let layout: Vec<_> = node.axes.iter().collect();
            let input = InputId(program.inputs.len() as u32);
            program.inputs.push(crate::graph::Input {
                name: "argument".into(),
                element: Element::Float,
                layout,
                slot: *slot,
            });
            program.graph.replace_by_input(*id, input);
        }
        let graph = &mut program.graph;
        let axes: Vec<_> = graph.node(check.result).axes.iter().collect();
        let count = graph.elements(&graph.node(check.result).axes);
        // Unequal weights, so that errors of different elements cannot cancel.
        let weights: Vec<f64> = (0..count).map(|i| 1.0 + 0.37 * ((i * 7919 + 13) % 11) as f64 / 11.0).collect();
        let weights = graph.tensor(Tensor::F64(weights), &axes).map_err(failed)?;
        let weighted = graph.mul(check.result, weights).map_err(failed)?;
        let value = graph.sum(weighted, &axes).map_err(failed)?;
        let found = graph.gradient(value, &arguments).map_err(failed)?;
        let value_slot = store.add(Tensor::F64(vec![0.0]));
        program.output("value", value, &[], value_slot).map_err(failed)?;
        let mut gradients = Vec::new();
        for node in found {
            let layout: Vec<_> = program.graph.node(node).axes.iter().collect();
            let count = program.graph.elements(&program.graph.node(node).axes);
            let slot = store.add(Tensor::F64(vec![0.0; count]));
            program.output("gradient", node, &layout, slot).map_err(failed)?;
            gradients.push(slot);
        }
        Ok(Moved { program, arguments: slots, gradients, value: value_slot })
    }
}
