//! The same bits with one thread and with several.

mod support;

use ansatz::backend::{Fault, cpu};
use ansatz::graph::{AxisSet, Element, Precision, Program, Reduction, Store, Tensor, optimise};
use ansatz::plan::PlanOptions;

fn run(threads: usize, widths: &[usize], batch: usize, steps: usize) -> Store {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    pool.install(|| {
        let mut mlp = support::mlp::mlp(batch, widths).unwrap();
        let program = optimise(&mlp.program, &[]).unwrap();
        let mut compiled = cpu::compile(&program, &PlanOptions::default()).unwrap();
        for _ in 0..steps {
            compiled.run(&mut mlp.store).unwrap();
        }
        mlp.store
    })
}

fn bits(store: &Store) -> Vec<Vec<u32>> {
    let of = |tensor: &Tensor| match tensor {
        Tensor::F32(values) => values.iter().map(|x| x.to_bits()).collect(),
        _ => Vec::new(),
    };
    store.tensors().map(of).collect()
}

/// Large enough that products and element-wise kernels are split.
#[test]
fn big_layers_give_the_same_bits_with_any_number_of_threads() {
    let widths = [64, 700, 500, 10];
    let one = bits(&run(1, &widths, 256, 3));
    for threads in [2, 3] {
        assert!(one == bits(&run(threads, &widths, 256, 3)), "{threads} threads");
    }
}

/// Columns are cut in sixteens: what is left over is narrow, and is summed as the whole is.
#[test]
fn sums_of_some_columns_more_than_pieces_have_give_the_same_bits() {
    let sums = |threads: usize, columns: usize| {
        let (mut program, mut store) = (Program::new(Precision::Single), Store::default());
        let (row, column) = (program.graph.axes.add("R", 8192), program.graph.axes.add("C", columns));
        let values = (0..8192 * columns).map(|at| (at as f32 * 0.7).sin()).collect();
        let slot = store.add(Tensor::F32(values));
        let x = program.input("x", Element::Float, &[row, column], slot);
        let sum = program.graph.reduce(Reduction::Sum, x, &[row]).unwrap();
        let slot = store.add(Tensor::F32(Vec::new()));
        program.output("sum", sum, &[column], slot).unwrap();
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| cpu::compile(&program, &PlanOptions::default()).unwrap().run(&mut store).unwrap());
        bits(&store)
    };
    for columns in [17, 18, 19, 20] {
        assert!(sums(1, columns) == sums(3, columns), "{columns} columns");
    }
}

/// Large products are cut in as many pieces as there are threads, along their longer side; small and thin ones are not.
#[test]
fn products_have_the_same_bits_with_any_number_of_threads() {
    let product = |threads: usize, precision: Precision, [m, n, k]: [usize; 3], flips: usize| {
        let (mut program, mut store) = (Program::new(precision), Store::default());
        let axes = &mut program.graph.axes;
        let [m, n, k] = [("M", m), ("N", n), ("K", k)].map(|(name, size)| axes.add(name, size));
        let order = |a, b, flip: bool| if flip { [b, a] } else { [a, b] };
        let mut input = |layout: [ansatz::graph::Axis; 2], seed: f32| {
            let length = layout.iter().map(|axis| program.graph.axes.size(*axis)).product::<usize>();
            let slot =
                store.add(Tensor::F32((0..length).map(|at| (at as f32 * 0.37 + seed).sin()).collect()));
            program.input("x", Element::Float, &layout, slot)
        };
        let (a, b) = (input(order(m, k, flips & 1 > 0), 1.0), input(order(k, n, flips & 2 > 0), 2.0));
        let c = program.graph.contract(a, b, &AxisSet::from(&[k][..])).unwrap();
        let slot = store.add(Tensor::F64(Vec::new()));
        program.output("c", c, &order(m, n, flips & 4 > 0), slot).unwrap();
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| cpu::compile(&program, &PlanOptions::default()).unwrap().run(&mut store).unwrap());
        store.get(slot).to_f64().into_iter().map(f64::to_bits).collect::<Vec<_>>()
    };
    let sizes = [
        [256, 2, 3000],
        [400, 17, 1100],
        [130, 70, 600],
        [64, 64, 1500],
        [257, 270, 1025],
        [513, 40, 700],
        [1030, 100, 520],
    ];
    for size in sizes {
        for precision in [Precision::Single, Precision::Double] {
            for flips in [0, 1, 2, 6] {
                let one = product(1, precision, size, flips);
                for threads in [2, 3, 5] {
                    let several = product(threads, precision, size, flips);
                    assert!(one == several, "{size:?} {flips}, {precision:?}, {threads} threads");
                }
            }
        }
    }
}

/// Each thread picks some of the rows; of several indices that are wrong, the first is told.
#[test]
fn gathered_rows_are_the_same_with_any_number_of_threads() {
    let (count, rows, width) = (4096, 1000, 96);
    let gathered = |threads: usize, wrong: &[usize]| {
        let (mut program, mut store) = (Program::new(Precision::Single), Store::default());
        let axes = &mut program.graph.axes;
        let [from, column, to] =
            [("From", rows), ("C", width), ("To", count)].map(|(name, size)| axes.add(name, size));
        let slot = store.add(Tensor::F32((0..rows * width).map(|at| at as f32).collect()));
        let x = program.input("x", Element::Float, &[from, column], slot);
        let index = |at: usize| if wrong.contains(&at) { (rows + at) as i32 } else { (at * 7 % rows) as i32 };
        let slot = store.add(Tensor::Index((0..count).map(index).collect()));
        let index = program.input("index", Element::Index, &[to], slot);
        let picked = program.graph.gather(x, from, index).unwrap();
        let slot = store.add(Tensor::F32(Vec::new()));
        program.output("picked", picked, &[to, column], slot).unwrap();
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let outcome = pool
            .install(|| cpu::compile(&program, &PlanOptions::default()).unwrap().run(&mut store).map(|_| ()));
        (outcome, bits(&store))
    };
    let (_, one) = gathered(1, &[]);
    for threads in [2, 3] {
        let (outcome, several) = gathered(threads, &[]);
        assert!(outcome.is_ok() && several == one, "{threads} threads");
        for _ in 0..20 {
            let fault = gathered(threads, &[4000, 1500, 2500]).0.unwrap_err();
            assert!(
                matches!(fault, Fault::IndexOutOfRange { index, .. } if index == 1500 + rows as i64),
                "{fault:?}"
            );
        }
    }
}

#[test]
fn a_loss_falls_and_repeats() {
    let widths = [64, 128, 128, 10];
    let (first, again) = (run(2, &widths, 64, 60), run(1, &widths, 64, 60));
    assert!(bits(&first) == bits(&again));
}
