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
    products(64, 128, 128);
    products(128, 128, 64);
}

/// The time of one product for every layout of its operands.
fn products(m: usize, n: usize, k: usize) {
    let (a, b) = (vec![0.5f32; m * k], vec![0.5f32; k * n]);
    let mut c = vec![0f32; m * n];
    for layout in 0..8 {
        let strides = |flip: bool, rows: usize, columns: usize| {
            if flip { (1, rows as isize) } else { (columns as isize, 1) }
        };
        let (ar, ac) = strides(layout & 1 > 0, m, k);
        let (br, bc) = strides(layout & 2 > 0, k, n);
        let (cr, cc) = strides(layout & 4 > 0, m, n);
        let mut best = f64::INFINITY;
        for _ in 0..20 {
            let start = std::time::Instant::now();
            for _ in 0..50 {
                unsafe {
                    gemm::gemm(
                        m,
                        n,
                        k,
                        c.as_mut_ptr(),
                        cc,
                        cr,
                        false,
                        a.as_ptr(),
                        ac,
                        ar,
                        b.as_ptr(),
                        bc,
                        br,
                        1.0,
                        1.0,
                        false,
                        false,
                        false,
                        gemm::Parallelism::None,
                    );
                }
            }
            best = best.min(start.elapsed().as_secs_f64() / 50.0 * 1e6);
        }
        println!("{best:8.2} us  {m} x {n} x {k} a {:?} b {:?} c {:?}", (ar, ac), (br, bc), (cr, cc));
    }
}
