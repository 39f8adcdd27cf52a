//! Random programs, run by the CPU executor and by the reference evaluator.

mod support;

use ansatz::backend::cpu;
use ansatz::graph::{Precision, Store, Tensor, reference};
use ansatz::plan::PlanOptions;
use proptest::prelude::*;
use support::random_program::{Generated, generate};

fn options() -> [PlanOptions; 3] {
    let all = PlanOptions::default();
    [all, PlanOptions { fuse: false, ..all }, PlanOptions { in_place: false, parallel: false, ..all }]
}

fn close(a: f64, b: f64, precision: Precision) -> bool {
    let tolerance = if precision == Precision::Single { 2e-4 } else { 1e-10 };
    (a.is_nan() && b.is_nan()) || a == b || (a - b).abs() <= tolerance * (1.0 + a.abs().max(b.abs()))
}

fn compare(precision: Precision, seed: u64, nodes: usize) -> Result<(), TestCaseError> {
    let Generated { program, store } = generate(precision, seed, nodes);
    let mut expected = store.clone();
    let fault = reference::evaluate(&program, &mut expected);
    for options in options() {
        let mut compiled = cpu::compile(&program, &options)
            .map_err(|error| TestCaseError::fail(format!("seed {seed}: {error}")))?;
        let mut found = store.clone();
        let outcome = compiled.run(&mut found);
        if fault.is_err() || outcome.is_err() {
            // The reference also computes what no output needs.
            prop_assert!(fault.is_err(), "seed {}: {:?}", seed, &outcome);
            continue;
        }
        for output in &program.outputs {
            let (a, b) = (expected.get(output.slot).to_f64(), found.get(output.slot).to_f64());
            prop_assert_eq!(a.len(), b.len());
            let node = program.graph.node(output.node);
            for (at, (a, b)) in a.iter().zip(&b).enumerate() {
                prop_assert!(
                    close(*a, *b, precision),
                    "seed {seed}: {:?} at {at}: expected {a}, found {b} ({options:?})\n{}",
                    node.op,
                    ansatz::plan::plan(&program, &options).map(|p| p.to_string()).unwrap_or_default()
                );
            }
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn single_precision_agrees(seed in any::<u64>(), nodes in 1usize..40) {
        compare(Precision::Single, seed, nodes)?;
    }

    #[test]
    fn double_precision_agrees(seed in any::<u64>(), nodes in 1usize..40) {
        compare(Precision::Double, seed, nodes)?;
    }
}

/// A second step on the store that the first one wrote: state in place gives what the reference gives.
#[test]
fn state_advances_as_in_the_reference() {
    for seed in 0..60 {
        let Generated { mut program, store } = generate(Precision::Single, seed, 25);
        // Every Float output with the layout of an input becomes that input's next value.
        let mut taken = Vec::new();
        for output in &mut program.outputs {
            let input = program.inputs.iter().find(|input| {
                input.layout == output.layout
                    && !taken.contains(&input.slot)
                    && matches!(store.get(input.slot), Tensor::F32(_))
                    && program.graph.node(output.node).element == ansatz::graph::Element::Float
            });
            if let Some(input) = input {
                output.slot = input.slot;
                taken.push(input.slot);
            }
        }
        let mut expected: Store = store.clone();
        let mut found = store.clone();
        let Ok(mut compiled) = cpu::compile(&program, &PlanOptions::default()) else {
            panic!("seed {seed} does not compile")
        };
        for _ in 0..2 {
            if reference::evaluate(&program, &mut expected).is_err() || compiled.run(&mut found).is_err() {
                break;
            }
            for output in &program.outputs {
                let (a, b) = (expected.get(output.slot).to_f64(), found.get(output.slot).to_f64());
                for (a, b) in a.iter().zip(&b) {
                    assert!(
                        close(*a, *b, Precision::Single),
                        "seed {seed}: {:?} expected {a}, found {b}\n{}",
                        program.graph.node(output.node),
                        ansatz::plan::plan(&program, &PlanOptions::default())
                            .map(|p| p.to_string())
                            .unwrap_or_default()
                    );
                }
                // Differences of rounding must not grow over the steps.
                *expected.get_mut(output.slot) = found.get(output.slot).clone();
            }
        }
    }
}
