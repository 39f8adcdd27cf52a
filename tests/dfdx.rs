//! The graph against dfdx: every operation that dfdx has on random programs, and every function that the library's tests call, with
//! its derivative by dfdx's own tape.

mod support;

use std::collections::BTreeSet;
use std::path::Path;

use ansatz::backend::dfdx;
use ansatz::check::check;
use ansatz::graph::elaborate::{GradientCheck, Scope};
use ansatz::graph::{NodeId, Op, Precision, Program, Slot, Store, Tensor, reference};
use ansatz::syntax::ast::ItemKind;
use proptest::prelude::*;
use rayon::prelude::*;
use support::library;
use support::random_program::{Generated, generate};

fn close(a: f64, b: f64, tolerance: f64) -> bool {
    (a.is_nan() && b.is_nan()) || a == b || (a - b).abs() <= tolerance * (1.0 + a.abs().max(b.abs()))
}

/// The first output that differs.
fn difference(program: &Program, store: &Store) -> Option<String> {
    let (mut expected, mut found) = (store.clone(), store.clone());
    let fault = reference::evaluate(program, &mut expected);
    let outcome = dfdx::prepare(program).run(&mut found);
    if fault.is_err() || outcome.is_err() {
        return (fault.is_ok() != outcome.is_ok()).then(|| format!("{fault:?} and {outcome:?}"));
    }
    for output in &program.outputs {
        let (a, b) = (expected.get(output.slot).to_f64(), found.get(output.slot).to_f64());
        let apart = a.iter().zip(&b).position(|(a, b)| !close(*a, *b, 1e-8));
        if let Some(at) = apart.or((a.len() != b.len()).then_some(0)) {
            let op = &program.graph.node(output.node).op;
            return Some(format!(
                "{}: {op:?} at {at}: expected {:?}, found {:?}",
                output.name,
                a.get(at),
                b.get(at)
            ));
        }
    }
    None
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_programs_agree(seed in any::<u64>(), nodes in 1usize..30) {
        let Generated { program, store } = generate(Precision::Double, seed, nodes);
        let apart = difference(&program, &store);
        prop_assert!(apart.is_none(), "seed {}: {}", seed, apart.unwrap_or_default());
    }
}

/// The node by which a slot is read.
fn input(program: &Program, slot: Slot) -> Option<NodeId> {
    let number = program.inputs.iter().position(|input| input.slot == slot)?;
    let is_it = |op: &Op| matches!(op, Op::Input(id) if id.0 as usize == number);
    program.graph.nodes.iter().position(|node| is_it(&node.op)).map(|at| NodeId(at as u32))
}

/// The arguments moved a little, each number by its own share: where two numbers tie, the greatest of them has no derivative, and the
/// tape gives each of the two the whole of it while our rules share it out.
fn away_from_ties(check: &GradientCheck, store: &mut Store) {
    for (number, (argument, _)) in check.gradients.iter().enumerate() {
        let Tensor::F64(values) = store.get_mut(*argument) else { continue };
        for (place, value) in values.iter_mut().enumerate() {
            // Steps of the golden ratio: no two shares are equal.
            let share = ((place + 1 + 1000 * number) as f64 * 0.618_033_988_749_895).fract();
            *value *= 1.0 + 1e-4 * share;
        }
    }
}

/// The greatest entry of a symmetric matrix stands there twice, wherever the arguments are: the tape counts it twice.
const TIED: [&str; 1] = ["coherence"];

/// Whether the tape of dfdx could follow; if so, where its derivative differs.
fn derivative(check: &GradientCheck, store: &Store) -> Option<Vec<String>> {
    let mut store = store.clone();
    away_from_ties(check, &mut store);
    reference::evaluate(&check.program, &mut store).ok()?;
    let of = check.program.outputs.iter().find(|output| output.slot == check.value)?.node;
    let mut by = Vec::new();
    let mut slots = Vec::new();
    for (argument, gradient) in &check.gradients {
        if let Some(node) = input(&check.program, *argument) {
            by.push(node);
            slots.push((*argument, *gradient));
        }
    }
    let found = dfdx::gradients(&check.program, &store, of, &by).ok()??;
    let mut wrong = Vec::new();
    for (found, (argument, gradient)) in found.iter().zip(&slots) {
        let layout = |slot: Slot| {
            let input = check.program.inputs.iter().find(|input| input.slot == slot);
            input.map(|input| input.layout.clone()).unwrap_or_default()
        };
        // The tape's gradient is in the order of the node's axes, the slot's in its layout: of one array they are the same or the
        // comparison is made on sorted values.
        let mut ours = store.get(*gradient).to_f64();
        let mut theirs = found.clone();
        if layout(*argument).windows(2).any(|pair| pair[0] > pair[1]) {
            ours.sort_by(f64::total_cmp);
            theirs.sort_by(f64::total_cmp);
        }
        if let Some(at) = ours.iter().zip(&theirs).position(|(a, b)| !close(*a, *b, 1e-7)) {
            wrong.push(format!(
                "{} at {at}: {} by our rules, {} by dfdx",
                check.function, ours[at], theirs[at]
            ));
        }
    }
    Some(wrong)
}

/// What was found in the tests of one file of the library, or of all.
#[derive(Default)]
struct Found {
    wrong: Vec<String>,
    compared: BTreeSet<String>,
    passed_over: BTreeSet<String>,
}

impl Found {
    fn and(mut self, other: Found) -> Found {
        self.wrong.extend(other.wrong);
        self.compared.extend(other.compared);
        self.passed_over.extend(other.passed_over);
        self
    }
}

/// The tape takes long for graphs that are larger.
const MOST_ELEMENTS: usize = 1_000_000;

/// The tests of one file of the library.
fn compare(path: &Path) -> Found {
    let mut found = Found::default();
    let text = std::fs::read_to_string(path).expect("a file of the library");
    let outcome = check(&path.display().to_string(), &text);
    let Some(program) = &outcome.program else { panic!("{} is wrong", path.display()) };
    let Some(file) = program.files.last() else { return found };
    for item in &file.items {
        let ItemKind::Test(test) = &item.kind else { continue };
        let name = &test.name.text;
        let mut store = Store::default();
        let seed = store.add(Tensor::Index(vec![1]));
        let elaborated = Scope::new(program, seed).test(test, &mut store).expect("a test of the library");
        let graph = &elaborated.program.graph;
        if graph.nodes.iter().map(|node| graph.elements(&node.axes)).sum::<usize>() > MOST_ELEMENTS {
            continue;
        }
        found.wrong.extend(difference(&elaborated.program, &store).map(|text| format!("{name}: {text}")));
        reference::evaluate(&elaborated.program, &mut store).expect("a test of the library");
        for check in &elaborated.gradients {
            // A derivative that is declared is not what a tape finds.
            let skipped = check.declared || TIED.contains(&check.function.as_str());
            match if skipped { None } else { derivative(check, &store) } {
                Some(apart) => {
                    found.compared.insert(check.function.clone());
                    found.wrong.extend(apart.into_iter().map(|text| format!("{name}: {text}")));
                }
                None => {
                    found.passed_over.insert(check.function.clone());
                }
            }
        }
    }
    found
}

#[test]
fn the_library_agrees_with_its_derivatives() {
    let found = library().par_iter().map(|path| compare(path)).reduce(Found::default, Found::and);
    let Found { wrong, compared, passed_over } = found;
    let rest: Vec<&String> = passed_over.difference(&compared).collect();
    println!("{} derivatives compared; dfdx has no operation for a part of {rest:?}", compared.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(compared.len() >= 60, "{compared:?}");
}
