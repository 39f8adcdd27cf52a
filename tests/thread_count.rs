//! The same bits with one thread and with several.

mod support;

use ansatz::backend::cpu;
use ansatz::graph::{Store, Tensor, optimise};
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

#[test]
fn a_loss_falls_and_repeats() {
    let widths = [64, 128, 128, 10];
    let (first, again) = (run(2, &widths, 64, 60), run(1, &widths, 64, 60));
    assert!(bits(&first) == bits(&again));
}
