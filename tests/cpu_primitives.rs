//! Primitives at sizes around the widths of vectors, tiles and blocks, on the CPU and on the GPU against the reference evaluator.

mod support;

use ansatz::backend::{Fault, cpu};
use ansatz::graph::{
    Axis, AxisSet, Binary, Check, Cumulative, Element, NodeId, Precision, Program, Reduction, Store, Tensor,
    Ties, Unary, reference,
};
use ansatz::plan::PlanOptions;
use ansatz::source::Span;
use support::random_program::Source;

const SIZES: [usize; 11] = [0, 1, 3, 7, 8, 9, 63, 64, 65, 513, 1025];

/// Runs a program of one output both ways and compares.
fn agree(what: &str, tolerance: f64, build: impl Fn(&mut Program, &mut Store) -> (NodeId, Vec<Axis>)) {
    for precision in [Precision::Single, Precision::Double] {
        let (mut program, mut store) = (Program::new(precision), Store::default());
        let (node, layout) = build(&mut program, &mut store);
        let slot = store.add(Tensor::F64(Vec::new()));
        program.output("y", node, &layout, slot).unwrap();
        let mut expected = store.clone();
        reference::evaluate(&program, &mut expected).unwrap();
        let expected = expected.get(slot).to_f64();
        for fuse in [true, false] {
            let options = PlanOptions { fuse, ..PlanOptions::default() };
            let mut found = store.clone();
            cpu::compile(&program, &options).unwrap().run(&mut found).unwrap();
            let found = found.get(slot).to_f64();
            same(what, tolerance, &expected, &found);
            #[cfg(feature = "gpu")]
            if let (Precision::Single, Some(device)) = (precision, support::gpu::device()) {
                let options = PlanOptions { launches: true, ..options };
                let mut found = store.clone();
                device.prepare(ansatz::plan::plan(&program, &options).unwrap()).run(&mut found).unwrap();
                same(&format!("{what} on the GPU"), tolerance, &expected, &found.get(slot).to_f64());
            }
        }
    }
}

fn same(what: &str, tolerance: f64, expected: &[f64], found: &[f64]) {
    assert_eq!(expected.len(), found.len(), "{what}");
    for (at, (a, b)) in expected.iter().zip(found).enumerate() {
        let same = a == b || (a.is_nan() && b.is_nan());
        assert!(same || (a - b).abs() <= tolerance * (1.0 + a.abs()), "{what} at {at}: {a} and {b}");
    }
}

fn input(program: &mut Program, store: &mut Store, layout: &[Axis], seed: u64) -> NodeId {
    let mut source = Source::new(seed);
    let length = layout.iter().map(|axis| program.graph.axes.size(*axis)).product();
    let slot = store.add(Tensor::F32((0..length).map(|_| source.number() as f32).collect()));
    program.input("x", Element::Float, layout, slot)
}

#[test]
fn chains_over_broadcast_operands() {
    for rows in [1, 3, 65] {
        for columns in SIZES {
            agree(&format!("chain {rows} x {columns}"), 1e-5, |program, store| {
                let (r, c) = (program.graph.axes.add("R", rows), program.graph.axes.add("C", columns));
                let x = input(program, store, &[r, c], 1);
                let flipped = input(program, store, &[c, r], 2);
                let row = input(program, store, &[c], 3);
                let column = input(program, store, &[r], 4);
                let scalar = input(program, store, &[], 5);
                let g = &mut program.graph;
                let a = g.binary(Binary::Multiply, x, row).unwrap();
                let b = g.binary(Binary::Add, flipped, column).unwrap();
                let c2 = g.binary(Binary::Subtract, a, scalar).unwrap();
                let d = g.binary(Binary::Max, c2, b).unwrap();
                (g.unary(Unary::Tanh, d).unwrap(), vec![r, c])
            });
        }
    }
}

#[test]
fn reductions_over_rows_columns_and_all() {
    for reduction in [Reduction::Sum, Reduction::Max, Reduction::Min] {
        for size in SIZES {
            for (over, kept) in [(0, 1), (1, 0)] {
                agree(&format!("{reduction:?} {size} over {over}"), 1e-4, |program, store| {
                    let axes = [program.graph.axes.add("A", size), program.graph.axes.add("B", 70)];
                    let x = input(program, store, &axes, 1);
                    (program.graph.reduce(reduction, x, &[axes[over]]).unwrap(), vec![axes[kept]])
                });
            }
            agree(&format!("{reduction:?} of all {size}"), 1e-4, |program, store| {
                let axes = [program.graph.axes.add("A", size), program.graph.axes.add("B", 3)];
                let x = input(program, store, &axes, 1);
                (program.graph.reduce(reduction, x, &axes).unwrap(), vec![])
            });
        }
    }
}

#[test]
fn a_long_sum_loses_little() {
    agree("sum of 200000", 1e-6, |program, store| {
        let axis = program.graph.axes.add("A", 200_000);
        let x = input(program, store, &[axis], 1);
        let one = program.graph.float(1.0).unwrap();
        let x = program.graph.binary(Binary::Add, x, one).unwrap();
        (program.graph.reduce(Reduction::Sum, x, &[axis]).unwrap(), vec![])
    });
}

#[test]
fn contractions_of_every_layout() {
    for (m, n, k) in [
        (1, 1, 1),
        (3, 1, 65),
        (1, 9, 7),
        (8, 9, 63),
        (65, 7, 64),
        (5, 6, 0),
        (0, 4, 3),
        (33, 64, 129),
        (130, 70, 129),
    ] {
        for flips in 0..8 {
            agree(&format!("{m} x {n} x {k}, {flips}"), 1e-4, |program, store| {
                let axes = &mut program.graph.axes;
                let (m, n, k) = (axes.add("M", m), axes.add("N", n), axes.add("K", k));
                let order = |a: Axis, b: Axis, flip: bool| if flip { [b, a] } else { [a, b] };
                let a = input(program, store, &order(m, k, flips & 1 > 0), 1);
                let b = input(program, store, &order(k, n, flips & 2 > 0), 2);
                let c = program.graph.contract(a, b, &AxisSet::from(&[k][..])).unwrap();
                (c, order(m, n, flips & 4 > 0).to_vec())
            });
        }
    }
}

#[test]
fn contractions_in_batches_and_over_groups_that_do_not_merge() {
    let layouts = [[0, 1, 2, 3], [2, 0, 3, 1], [3, 2, 1, 0], [1, 3, 0, 2]];
    for left in layouts {
        for right in layouts {
            agree(&format!("{left:?} {right:?}"), 1e-4, |program, store| {
                let axes = &mut program.graph.axes;
                let batch = axes.add("B", 3);
                let (k1, k2) = (axes.add("K1", 5), axes.add("K2", 4));
                let (m, n) = (axes.add("M", 7), axes.add("N", 9));
                let a = input(program, store, &left.map(|at| [batch, m, k1, k2][at]), 1);
                let b = input(program, store, &right.map(|at| [batch, n, k1, k2][at]), 2);
                let c = program.graph.contract(a, b, &AxisSet::from(&[k1, k2][..])).unwrap();
                (c, vec![n, batch, m])
            });
        }
    }
}

/// Large enough for a kernel of its own on a GPU, and no plain matrices.
#[test]
fn large_contractions_over_groups_that_do_not_merge() {
    for order in [[0, 1, 2], [2, 0, 1], [1, 2, 0]] {
        agree(&format!("large {order:?}"), 1e-4, |program, store| {
            let axes = &mut program.graph.axes;
            let (k1, k2) = (axes.add("K1", 20), axes.add("K2", 13));
            let (m, n) = (axes.add("M", 70), axes.add("N", 67));
            let a = input(program, store, &order.map(|at| [m, k1, k2][at]), 1);
            let b = input(program, store, &[k2, n, k1], 2);
            let c = program.graph.contract(a, b, &AxisSet::from(&[k1, k2][..])).unwrap();
            (c, vec![n, m])
        });
    }
}

#[test]
fn strided_views_are_read_in_place() {
    for size in [1, 7, 8, 65] {
        agree(&format!("slices of {size}"), 1e-5, |program, store| {
            let long = program.graph.axes.add("L", 2 * size + 1);
            let (short, other) = (program.graph.axes.add("S", size), program.graph.axes.add("O", 5));
            let x = input(program, store, &[long, other], 1);
            let forth = program.graph.slice(x, long, short, 1, 2).unwrap();
            let back = program.graph.slice(x, long, short, 2 * size, -1).unwrap();
            (program.graph.binary(Binary::Subtract, forth, back).unwrap(), vec![other, short])
        });
    }
}

#[test]
fn lines_of_many_sizes() {
    for size in SIZES.into_iter().filter(|size| *size > 0) {
        for kind in [Cumulative::Sum, Cumulative::Max] {
            agree(&format!("{kind:?} {size}"), 1e-4, |program, store| {
                let (a, b) = (program.graph.axes.add("A", size), program.graph.axes.add("B", 3));
                let x = input(program, store, &[a, b], 1);
                (program.graph.cumulative(kind, x, a, size % 2 == 0).unwrap(), vec![a, b])
            });
        }
        agree(&format!("rank {size}"), 0.0, |program, store| {
            let (a, b) = (program.graph.axes.add("A", size), program.graph.axes.add("B", 3));
            let x = input(program, store, &[a, b], 1);
            (program.graph.rank(x, a, Ties::Average).unwrap(), vec![b, a])
        });
        agree(&format!("argsort {size}"), 0.0, |program, store| {
            let (a, b) = (program.graph.axes.add("A", size), program.graph.axes.add("B", 3));
            let x = input(program, store, &[a, b], 1);
            (program.graph.argsort(x, a, true).unwrap(), vec![b, a])
        });
    }
}

#[test]
fn an_index_outside_its_axis_is_a_fault() {
    let (mut program, mut store) = (Program::new(Precision::Single), Store::default());
    let (a, b) = (program.graph.axes.add("A", 4), program.graph.axes.add("B", 2));
    let x = input(&mut program, &mut store, &[a], 1);
    let slot = store.add(Tensor::Index(vec![3, 4]));
    let index = program.input("index", Element::Index, &[b], slot);
    let y = program.graph.gather(x, a, index).unwrap();
    let slot = store.add(Tensor::F32(Vec::new()));
    program.output("y", y, &[b], slot).unwrap();
    let outcome = cpu::compile(&program, &PlanOptions::default()).unwrap().run(&mut store);
    assert_eq!(outcome, Err(Fault::IndexOutOfRange { node: y, index: 4, size: 4 }));
}

#[test]
fn a_false_check_is_a_fault() {
    for (holds, expected) in [(1, true), (0, false)] {
        let (mut program, mut store) = (Program::new(Precision::Single), Store::default());
        let a = program.graph.axes.add("A", 4);
        let x = input(&mut program, &mut store, &[a], 1);
        let slot = store.add(Tensor::Bool(vec![holds]));
        let condition = program.input("condition", Element::Bool, &[], slot);
        let check = Check { message: String::new(), help: String::new(), span: Span::default() };
        let checked = program.graph.check(x, condition, check).unwrap();
        let y = program.graph.unary(Unary::Exp, checked).unwrap();
        let slot = store.add(Tensor::F32(Vec::new()));
        program.output("y", y, &[a], slot).unwrap();
        let outcome = cpu::compile(&program, &PlanOptions::default()).unwrap().run(&mut store);
        assert_eq!(outcome.is_ok(), expected);
    }
}

/// x and y change places: neither may be written before the other is read.
#[test]
fn two_states_swap() {
    let (mut program, mut store) = (Program::new(Precision::Single), Store::default());
    let a = program.graph.axes.add("A", 3);
    let (p, q) = (store.add(Tensor::F32(vec![1.0, 2.0, 3.0])), store.add(Tensor::F64(vec![4.0, 5.0, 6.0])));
    let x = program.input("x", Element::Float, &[a], p);
    let y = program.input("y", Element::Float, &[a], q);
    program.output("x", y, &[a], p).unwrap();
    program.output("y", x, &[a], q).unwrap();
    let mut compiled = cpu::compile(&program, &PlanOptions::default()).unwrap();
    compiled.run(&mut store).unwrap();
    assert_eq!(store.get(p), &Tensor::F32(vec![4.0, 5.0, 6.0]));
    assert_eq!(store.get(q), &Tensor::F64(vec![1.0, 2.0, 3.0]));
}
