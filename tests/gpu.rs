//! The GPU against the CPU executor: random programs, fused and not, twice in a row so that states stay on the device; and every
//! function that the library's tests call, with its derivatives.
#![cfg(feature = "gpu")]

mod support;

use ansatz::backend::cpu;
use ansatz::check::check;
use ansatz::graph::elaborate::Scope;
use ansatz::graph::{Precision, Program, Store, Tensor, optimise};
use ansatz::plan::{PlanOptions, plan};
use ansatz::syntax::ast::ItemKind;
use support::gpu;
use support::library;
use support::random_program::{Generated, generate};

fn close(a: f64, b: f64) -> bool {
    (a.is_nan() && b.is_nan()) || a == b || (a - b).abs() <= 2e-4 * (1.0 + a.abs().max(b.abs()))
}

#[test]
fn random_programs_agree() {
    let Some(device) = gpu::device() else { return };
    for seed in 0..60u64 {
        let Generated { mut program, store } =
            generate(Precision::Single, seed, 1 + (seed as usize * 7) % 40);
        // Every second program is a step: outputs with the layout of an input become its next value.
        let mut taken = Vec::new();
        for output in program.outputs.iter_mut().filter(|_| seed % 2 == 1) {
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
        for fuse in [true, false] {
            let options = PlanOptions { fuse, launches: true, ..PlanOptions::default() };
            let planned = plan(&program, &options).expect("a plan");
            let mut on_device = device.prepare(planned.clone());
            let mut on_host = cpu::compile(&program, &PlanOptions::default()).expect("a plan");
            let mut expected: Store = store.clone();
            let mut found = store.clone();
            for step in 0..2 {
                let (host, device) = (on_host.run(&mut expected), on_device.run(&mut found));
                assert_eq!(host.is_ok(), device.is_ok(), "seed {seed}: {host:?} {device:?}\n{planned}");
                if host.is_err() {
                    break;
                }
                for output in &program.outputs {
                    let (a, b) = (expected.get(output.slot).to_f64(), found.get(output.slot).to_f64());
                    assert_eq!(a.len(), b.len());
                    for (at, (a, b)) in a.iter().zip(&b).enumerate() {
                        assert!(
                            close(*a, *b),
                            "seed {seed}, fuse {fuse}, step {step}: {:?} (slot {}) at {at}: expected {a}, found {b}\n{planned}\n{:?}",
                            program.graph.node(output.node).op,
                            output.slot.0,
                            planned.levels,
                        );
                    }
                }
                // Differences of rounding must not grow over the steps.
                for output in &program.outputs {
                    *expected.get_mut(output.slot) = found.get(output.slot).clone();
                }
            }
        }
    }
}

/// Where the GPU is further from the exact values than 1e-5 and than four times what the CPU's f32 is.
fn apart(program: &Program, store: &Store, device: &ansatz::backend::cubecl::Gpu) -> Option<String> {
    let mut single = program.clone();
    single.precision = Precision::Single;
    let single = optimise(&single, &[]).expect("rewrites");
    let (mut exact, mut host, mut found) = (store.clone(), store.clone(), store.clone());
    for (program, store) in [(program, &mut exact), (&single, &mut host)] {
        let compiled = cpu::compile(program, &PlanOptions::default());
        if let Err(fault) = compiled.expect("a plan").run(store) {
            return Some(format!("on the CPU: {fault:?}"));
        }
    }
    let options = PlanOptions { launches: true, ..PlanOptions::default() };
    let planned = plan(&single, &options).expect("a plan");
    if let Err(fault) = device.prepare(planned).run(&mut found) {
        return Some(format!("{fault:?}"));
    }
    for output in &program.outputs {
        let [exact, host, found] = [&exact, &host, &found].map(|store| store.get(output.slot).to_f64());
        let size = exact.iter().fold(1.0f64, |most, x| if x.is_finite() { most.max(x.abs()) } else { most });
        let lost =
            exact.iter().zip(&host).map(|(a, b)| (a - b).abs()).filter(|x| x.is_finite()).fold(0.0, f64::max);
        for (at, (a, b)) in exact.iter().zip(&found).enumerate() {
            let same = a == b || (a.is_nan() && b.is_nan()) || (a - b).abs() <= (1e-5 * size).max(4.0 * lost);
            if !same && (host[at].is_finite() || b.is_finite()) {
                return Some(format!("{} at {at}: {a}, in f32 {}, on the GPU {b}", output.name, host[at]));
            }
        }
    }
    None
}

#[test]
fn the_library_agrees_with_its_derivatives() {
    let Some(device) = gpu::device() else { return };
    let mut wrong = Vec::new();
    let mut compared = 0;
    for path in library() {
        let text = std::fs::read_to_string(&path).expect("a file of the library");
        let outcome = check(&path.display().to_string(), &text);
        let Some(program) = &outcome.program else { panic!("{} is wrong", path.display()) };
        let Some(file) = program.files.last() else { continue };
        for item in &file.items {
            let ItemKind::Test(test) = &item.kind else { continue };
            let mut store = Store::default();
            let seed = store.add(Tensor::Index(vec![1]));
            let elaborated = Scope::new(program, seed).test(test, &mut store).expect("a test of the library");
            // The test itself writes the arguments that its functions are called with.
            let mut whole = cpu::compile(&elaborated.program, &PlanOptions::default()).expect("a plan");
            whole.run(&mut store).expect("a test of the library runs");
            let mut seen = Vec::new();
            for check in &elaborated.gradients {
                if seen.contains(&&check.function) {
                    continue;
                }
                seen.push(&check.function);
                compared += 1;
                let mut first = check.program.clone();
                let wanted = |slot| {
                    slot == check.value || check.gradients.iter().any(|(_, gradient)| *gradient == slot)
                };
                first.outputs.retain(|output| wanted(output.slot));
                if let Some(how) = apart(&first, &store, &device) {
                    wrong.push(format!("{}: {}: {how}", test.name.text, check.function));
                }
            }
        }
    }
    assert!(compared > 150, "{compared} functions");
    assert!(wrong.is_empty(), "{} of {compared}:\n{}", wrong.len(), wrong.join("\n"));
}
