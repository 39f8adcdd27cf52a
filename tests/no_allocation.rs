//! What a step allocates once the first has run: nothing.

mod support;

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};

use ansatz::backend::{Executable, cpu};
use ansatz::graph::{Precision, Store, optimise};
use ansatz::plan::kernel::Kernel;
use ansatz::plan::{PlanOptions, plan};
use support::random_program::{Generated, generate};

/// Counts allocations.
struct Counting;

static COUNT: AtomicUsize = AtomicUsize::new(0);

unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        COUNT.fetch_add(1, Ordering::Relaxed);
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Allocations of ten steps after the first.
fn allocations(compiled: &mut dyn Executable, store: &mut Store) -> usize {
    compiled.run(store).unwrap();
    let before = COUNT.load(Ordering::Relaxed);
    for _ in 0..10 {
        compiled.run(store).unwrap();
    }
    COUNT.load(Ordering::Relaxed) - before
}

/// The executor itself allocates nothing; each matrix product may take its packing space and its list of packed
/// panels, inside the `gemm` crate. One test, since the count is of the whole process.
#[test]
fn a_step_allocates_nothing_but_the_packing_space_of_matrix_products() {
    let options = PlanOptions { parallel: false, ..PlanOptions::default() };

    let mut mlp = support::mlp::mlp(64, &[64, 128, 128, 10]).unwrap();
    let program = optimise(&mlp.program, &[]).unwrap();
    let kernels = plan(&program, &options).unwrap().kernels;
    let products = kernels.iter().filter(|kernel| matches!(kernel, Kernel::Contract(_))).count();
    let mut compiled = cpu::compile(&program, &options).unwrap();
    assert!(allocations(compiled.as_mut(), &mut mlp.store) <= 10 * 2 * products);
    assert!(compiled.memory() > 0);

    // Without products there is none at all: random programs, every other operation.
    for seed in 0..200 {
        let Generated { program, mut store } = generate(Precision::Single, seed, 30);
        let plan = plan(&program, &options).unwrap();
        if plan.kernels.iter().any(|kernel| matches!(kernel, Kernel::Contract(_))) {
            continue;
        }
        let mut compiled = cpu::compile(&program, &options).unwrap();
        if compiled.run(&mut store).is_ok() {
            assert_eq!(allocations(compiled.as_mut(), &mut store), 0, "seed {seed}\n{plan}");
        }
    }
}
