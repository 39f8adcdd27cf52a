//! Every `test` of the standard library, elaborated and run by the reference evaluator. (`tests/language.rs` runs them on the CPU, with
//! their gradients against differences.)

use ansatz::check::{check, program};
use ansatz::graph::elaborate::{Outcome, Scope, TestProgram};
use ansatz::graph::reference::evaluate;
use ansatz::graph::{Store, Tensor};
use ansatz::source::Sources;
use ansatz::syntax::ast::ItemKind;

fn library() -> Vec<(String, String)> {
    let mut files = Vec::new();
    let mut folders = vec![std::path::PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/stdlib"))];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("the library's folder").flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "anz") {
                let text = std::fs::read_to_string(&path).expect("a file of the library");
                files.push((path.display().to_string(), text));
            }
        }
    }
    files.sort();
    files
}

fn number(store: &Store, outcome: &Outcome) -> Vec<f64> {
    store.get(outcome.slot).to_f64()
}

/// What is wrong with one test.
fn failures(test: &TestProgram, store: &mut Store, sources: &Sources) -> Vec<String> {
    if let Err(fault) = evaluate(&test.program, store) {
        return vec![format!("{}: {fault:?}", test.name)];
    }
    let mut wrong = Vec::new();
    for assertion in &test.assertions {
        if number(store, &assertion.holds) != [1.0] {
            let mut text = format!("{}: `{}`", test.name, sources.slice(assertion.span));
            for (span, side) in &assertion.sides {
                text += &format!("\n    {} = {:?}", sources.slice(*span), number(store, side));
            }
            wrong.push(text);
        }
    }
    for check in &test.gradients {
        if let Err(fault) = evaluate(&check.program, store) {
            wrong.push(format!("{}: gradient of {}: {fault:?}", test.name, check.function));
        }
    }
    wrong
}

fn run(program: &program::Program, sources: &Sources, wrong: &mut Vec<String>) -> (usize, usize) {
    let (mut tests, mut gradients) = (0, 0);
    let Some(file) = program.files.last() else { return (0, 0) };
    for item in &file.items {
        let ItemKind::Test(test) = &item.kind else { continue };
        let mut store = Store::default();
        let seed = store.add(Tensor::Index(vec![1]));
        let mut scope = Scope::new(program, seed);
        match scope.test(test, &mut store) {
            Ok(elaborated) => {
                tests += 1;
                gradients += elaborated.gradients.len();
                wrong.extend(failures(&elaborated, &mut store, sources));
            }
            Err(errors) => wrong.push(ansatz::diagnostic::render(&errors, sources, false)),
        }
    }
    (tests, gradients)
}

#[test]
fn the_library_tests_hold_by_the_reference() {
    let mut wrong = Vec::new();
    let (mut tests, mut gradients) = (0, 0);
    for (name, text) in library() {
        let outcome = check(&name, &text);
        match &outcome.program {
            Some(program) => {
                let (more, checked) = run(program, &outcome.sources, &mut wrong);
                tests += more;
                gradients += checked;
            }
            None => {
                wrong.push(ansatz::diagnostic::render(&outcome.diagnostics, &outcome.sources, false));
            }
        }
    }
    assert!(wrong.is_empty(), "{} failures:\n{}", wrong.len(), wrong.join("\n"));
    assert!(tests >= 30, "only {tests} tests were found");
    assert!(gradients >= 40, "only {gradients} gradients were checked");
}

/// Every function of the library is used somewhere in the library besides its definition: by a test, or by what a test calls.
#[test]
fn every_function_is_used() {
    let files = library();
    let all: String = files.iter().map(|(_, text)| text.as_str()).collect();
    let mut uses = std::collections::HashMap::new();
    for word in all.split(|c: char| !c.is_alphanumeric() && c != '_') {
        *uses.entry(word).or_insert(0) += 1;
    }
    let mut untested = Vec::new();
    for (name, text) in &files {
        let functions = text.lines().filter_map(|line| line.strip_prefix("fn "));
        for function in functions.filter_map(|rest| rest.split(['[', '(']).next()) {
            if uses.get(function).is_none_or(|count| *count < 2) {
                untested.push(format!("{name}: {function}"));
            }
        }
    }
    assert!(untested.is_empty(), "{}", untested.join("\n"));
}
