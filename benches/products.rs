//! What products take on one thread, in the executor and in the `gemm` crate, by turns: a table to read, in GFLOP/s.
//!
//! `cargo bench --bench products [M,N,K ...]`. Layouts say which operand lies across: `-`, `a`, `b` or `ab`.

use std::time::Instant;

use ansatz::backend::cpu;
use ansatz::graph::{Axis, AxisSet, Element, Precision, Program, Store, Tensor};
use ansatz::plan::{Plan, PlanOptions, plan};
use gemm::Parallelism;

const ROUNDS: usize = 15;
/// Operations of a measurement.
const OPERATIONS: f64 = 2e8;
const SIZES: &[[usize; 3]] = &[
    [64, 128, 64],
    [128, 128, 128],
    [64, 64, 1024],
    [256, 256, 256],
    [512, 128, 512],
    [256, 1024, 1024],
    [1024, 1024, 256],
    [1024, 1024, 1024],
];
const LAYOUTS: [(&str, bool, bool); 4] =
    [("-", false, false), ("a", true, false), ("b", false, true), ("ab", true, true)];

fn main() {
    let numbers = |text: String| -> Option<[usize; 3]> {
        let numbers: Vec<usize> = text.split(',').filter_map(|number| number.parse().ok()).collect();
        numbers.try_into().ok()
    };
    let chosen: Vec<[usize; 3]> = std::env::args().skip(1).filter_map(numbers).collect();
    println!("{:>5} {:>5} {:>5}        ours    gemm   ratio", "m", "n", "k");
    for size in if chosen.is_empty() { SIZES } else { &chosen } {
        for (name, a, b) in LAYOUTS {
            let (ours, theirs) = both(*size, a, b);
            let [m, n, k] = size;
            println!("{m:5} {n:5} {k:5}  {name:2}  {ours:7.1} {theirs:7.1} {:7.2}", ours / theirs);
        }
    }
}

/// The medians of interleaved rounds.
fn both([m, n, k]: [usize; 3], a_across: bool, b_across: bool) -> (f64, f64) {
    let operations = 2.0 * (m * n * k) as f64;
    let times = (OPERATIONS / operations) as usize + 1;
    let options = PlanOptions { parallel: false, ..PlanOptions::default() };
    let (plan, mut store) = product([m, n, k], a_across, b_across, &options);
    let (a, b, mut c) = (vec![0.5f32; m * k], vec![0.5f32; k * n], vec![0f32; m * n]);
    let strides = |across: bool, rows: usize, columns: usize| {
        if across { (1, rows as isize) } else { (columns as isize, 1) }
    };
    let (a_strides, b_strides) = (strides(a_across, m, k), strides(b_across, k, n));
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let bands = cpu::profile(&plan, &options, &mut store, times).unwrap();
        ours.push(operations / bands.iter().sum::<f64>() / 1e3);
        let start = Instant::now();
        for _ in 0..times {
            multiply([m, n, k], (&a, a_strides), (&b, b_strides), &mut c);
        }
        theirs.push(operations * times as f64 / start.elapsed().as_secs_f64() / 1e9);
    }
    (median(ours), median(theirs))
}

fn product([m, n, k]: [usize; 3], a_across: bool, b_across: bool, options: &PlanOptions) -> (Plan, Store) {
    let (mut program, mut store) = (Program::new(Precision::Single), Store::default());
    let [m, n, k] = [("M", m), ("N", n), ("K", k)].map(|(name, size)| program.graph.axes.add(name, size));
    let mut input = |[row, column]: [Axis; 2], across: bool| {
        let layout = if across { [column, row] } else { [row, column] };
        let length = layout.iter().map(|axis| program.graph.axes.size(*axis)).product();
        let slot = store.add(Tensor::F32(vec![0.5; length]));
        program.input("x", Element::Float, &layout, slot)
    };
    let (a, b) = (input([m, k], a_across), input([k, n], b_across));
    let c = program.graph.contract(a, b, &AxisSet::from(&[k][..])).unwrap();
    let slot = store.add(Tensor::F32(Vec::new()));
    program.output("c", c, &[m, n], slot).unwrap();
    (plan(&program, options).unwrap(), store)
}

fn multiply(
    [m, n, k]: [usize; 3],
    (a, a_strides): (&[f32], (isize, isize)),
    (b, b_strides): (&[f32], (isize, isize)),
    c: &mut [f32],
) {
    let (a, b, c) = (a.as_ptr(), b.as_ptr(), c.as_mut_ptr());
    let none = Parallelism::None;
    // The operands are as long as their sizes and strides say.
    unsafe {
        gemm::gemm(
            m,
            n,
            k,
            c,
            1,
            n as isize,
            false,
            a,
            a_strides.1,
            a_strides.0,
            b,
            b_strides.1,
            b_strides.0,
            1.0,
            1.0,
            false,
            false,
            false,
            none,
        );
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
