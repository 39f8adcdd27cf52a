//! One training step of a perceptron 64-128-128-10 with Adam, batches of 64.

#[path = "../tests/support/mod.rs"]
mod support;

use ansatz::backend::cpu;
use ansatz::graph::passes::optimise;
use ansatz::plan::PlanOptions;
use divan::Bencher;

fn main() {
    divan::main();
}

fn step(bencher: Bencher, options: PlanOptions) {
    let support::mlp::Mlp { program, mut store, .. } = support::mlp::mlp(64, &[64, 128, 128, 10]).unwrap();
    let program = optimise(&program, &[]).unwrap();
    let mut compiled = cpu::compile(&program, &options).unwrap();
    bencher.bench_local(|| compiled.run(&mut store).unwrap());
}

#[divan::bench(sample_count = 50, sample_size = 200)]
fn fused(bencher: Bencher) {
    step(bencher, PlanOptions { parallel: false, ..PlanOptions::default() });
}

#[divan::bench(sample_count = 50, sample_size = 200)]
fn not_fused(bencher: Bencher) {
    step(bencher, PlanOptions { parallel: false, fuse: false, ..PlanOptions::default() });
}
