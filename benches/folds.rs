//! What sums and maxima of rows take on one thread, beside a loop that doubles the same numbers: a table to read, in GB/s of what is read.
//!
//! `cargo bench --bench folds`. The numbers stay in the second cache.

use std::hint::black_box;
use std::time::Instant;

use ansatz::backend::cpu;
use ansatz::graph::{Element, Precision, Program, Reduction, Store, Tensor};
use ansatz::plan::{PlanOptions, plan};

const ROUNDS: usize = 15;
const TIMES: usize = 500;
const NUMBERS: usize = 1 << 16;

fn main() {
    println!("{:>6}     sum     max doubled", "width");
    for width in [4, 10, 16, 17, 32, 64, 100, 128, 256, 1000, 1024] {
        let (mut sums, mut maxima, mut doubled) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            sums.push(fold(width, Reduction::Sum));
            maxima.push(fold(width, Reduction::Max));
            doubled.push(double(width));
        }
        println!("{width:6} {:7.1} {:7.1} {:7.1}", median(sums), median(maxima), median(doubled));
    }
}

fn fold(width: usize, reduction: Reduction) -> f64 {
    let options = PlanOptions { parallel: false, ..PlanOptions::default() };
    let (mut program, mut store) = (Program::new(Precision::Single), Store::default());
    let rows = NUMBERS / width;
    let [row, column] =
        [("Row", rows), ("Column", width)].map(|(name, size)| program.graph.axes.add(name, size));
    let slot = store.add(Tensor::F32((0..rows * width).map(|at| (at as f32 * 0.7).sin()).collect()));
    let x = program.input("x", Element::Float, &[row, column], slot);
    let folded = program.graph.reduce(reduction, x, &[column]).unwrap();
    let slot = store.add(Tensor::F32(Vec::new()));
    program.output("folded", folded, &[row], slot).unwrap();
    let plan = plan(&program, &options).unwrap();
    let bands = cpu::profile(&plan, &options, &mut store, TIMES).unwrap();
    (rows * width * size_of::<f32>()) as f64 / bands.iter().sum::<f64>() / 1e3
}

/// No copy: the system's is several times as slow where both arrays begin at the same distance from a page.
fn double(width: usize) -> f64 {
    let from = vec![0.5f32; NUMBERS / width * width];
    let mut to = from.clone();
    let start = Instant::now();
    for _ in 0..TIMES {
        let pairs = black_box(&mut to).iter_mut().zip(black_box(&from));
        pairs.for_each(|(to, from)| *to = 2.0 * from);
    }
    (TIMES * size_of_val(&from[..])) as f64 / start.elapsed().as_secs_f64() / 1e9
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
