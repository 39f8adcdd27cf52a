//! What each kernel of the perceptron's training step takes. Not a statistic: a table to read.

#[path = "../tests/support/mod.rs"]
mod support;

use ansatz::backend::cpu;
use ansatz::graph::optimise;
use ansatz::plan::{PlanOptions, plan};

fn main() {
    let mut mlp = support::mlp::mlp(64, &[64, 128, 128, 10]).unwrap();
    let options = PlanOptions { parallel: false, ..PlanOptions::default() };
    let plan = plan(&optimise(&mlp.program, &[]).unwrap(), &options).unwrap();
    let mut best: Vec<f64> = vec![f64::INFINITY; plan.kernels.len()];
    for _ in 0..20 {
        let times = cpu::profile(&plan, &options, &mut mlp.store, 200).unwrap();
        best.iter_mut().zip(times).for_each(|(best, time)| *best = best.min(time));
    }
    for (kernel, time) in plan.kernels.iter().zip(&best) {
        println!("{time:8.2} us  {}", plan.line(kernel));
    }
    println!("{:8.2} us in all", best.iter().sum::<f64>());
}
