//! The GPU against the CPU executor: random programs, fused and not, twice in a row so that states stay on the device.
#![cfg(feature = "gpu")]

mod support;

use ansatz::backend::cpu;
use ansatz::graph::{Precision, Store, Tensor};
use ansatz::plan::{PlanOptions, plan};
use support::gpu;
use support::random_program::{Generated, generate};

fn close(a: f64, b: f64) -> bool {
    (a.is_nan() && b.is_nan()) || a == b || (a - b).abs() <= 2e-4 * (1.0 + a.abs().max(b.abs()))
}

#[test]
fn random_programs_agree() {
    let Some(device) = gpu::device() else { return };
    for seed in 0..150u64 {
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
