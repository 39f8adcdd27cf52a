//! Primitives at sizes around the widths of vectors, tiles and blocks, on the CPU and on the GPU against the reference evaluator.

mod support;

use ansatz::backend::{Fault, cpu};
use ansatz::graph::{
    Axis, AxisSet, Binary, Check, Cumulative, Element, NodeId, Op, Precision, Program, Reduction, Store,
    Tensor, Ties, Unary, reference,
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

/// An axis is padded again after another one was: what is between cannot be left out.
#[test]
fn zeros_around_an_axis_that_has_zeros() {
    agree("rows, columns, rows", 1e-5, |program, store| {
        let axes = &mut program.graph.axes;
        let (rows, columns) = (axes.add("R", 5), axes.add("C", 3));
        let (wide, high, wider) = (axes.add("W", 11), axes.add("H", 7), axes.add("W2", 14));
        let x = input(program, store, &[rows, columns], 1);
        let g = &mut program.graph;
        let first = g.pad(x, rows, wide, 0, 2).unwrap();
        let second = g.pad(first, columns, high, 1, 2).unwrap();
        (g.pad(second, wide, wider, 2, 1).unwrap(), vec![wider, high])
    });
}

/// Zeros around two axes are one array; of what pads an axis that is padded already, of every second place, and of a node that others use
/// too, they are not.
#[test]
fn zeros_around_several_axes() {
    for (size, step, is_output) in [(1, 1, false), (6, 1, false), (6, 2, false), (40, 1, false), (6, 1, true)]
    {
        agree(&format!("zeros around {size}, {step}, {is_output}"), 1e-5, |program, store| {
            let axes = &mut program.graph.axes;
            let (rows, columns, channels) = (axes.add("R", size), axes.add("C", size + 1), axes.add("D", 3));
            let (wide, high) = (axes.add("W", step * size + 5), axes.add("H", size + 4));
            let higher = axes.add("H2", size + 7);
            let x = input(program, store, &[rows, columns, channels], 1);
            let g = &mut program.graph;
            let first = g.pad(x, rows, wide, 2, step as isize).unwrap();
            let second = g.pad(first, columns, high, 1, 1).unwrap();
            let third = g.pad(second, high, higher, 3, 1).unwrap();
            if is_output {
                let slot = store.add(Tensor::F64(Vec::new()));
                program.output("first", first, &[wide, columns, channels], slot).unwrap();
            }
            (third, vec![wide, higher, channels])
        });
    }
}

/// A convolution, and what makes its derivatives: the terms that lie near each other are many short pieces of both operands.
#[test]
fn windows_of_pictures_in_products() {
    for (size, batch) in [(5, 3), (18, 9)] {
        for by_kernel in [false, true] {
            agree(&format!("windows {size} x {batch}, {by_kernel}"), 1e-4, |program, store| {
                let axes = &mut program.graph.axes;
                let (item, row, column) = (axes.add("B", batch), axes.add("R", size), axes.add("C", size));
                let (down, across) = (axes.add("K", 3), axes.add("L", 3));
                let (high, wide) = (axes.add("Q", size - 2), axes.add("P", size - 2));
                let (from, into) = (axes.add("I", 4), axes.add("O", 20));
                let x = input(program, store, &[item, row, column, from], 1);
                let (order, other): (Vec<Axis>, Vec<Axis>) = match by_kernel {
                    true => (vec![item, high, wide, into], vec![down, across, from, into]),
                    // The kernel lies across: its own axis is not the last.
                    false => (vec![into, down, across, from], vec![item, high, wide, into]),
                };
                let b = input(program, store, &order, 2);
                let g = &mut program.graph;
                let window = |axis, output, kernel| Op::Window {
                    axis,
                    output,
                    kernel,
                    stride: 1,
                    dilation: 1,
                    before: 0,
                };
                let windows = g.window(window(row, high, down), x).unwrap();
                let windows = g.window(window(column, wide, across), windows).unwrap();
                let over = if by_kernel { [item, high, wide] } else { [down, across, from] };
                (g.contract(windows, b, &AxisSet::from(&over[..])).unwrap(), other)
            });
        }
    }
}

/// Long sums are made of parts, also inside other axes that are kept.
#[test]
fn long_sums_of_columns() {
    agree("sum of the middle axis", 1e-4, |program, store| {
        let axes = ["A", "B", "C"].into_iter().zip([5, 2048, 64]);
        let axes: Vec<Axis> = axes.map(|(name, size)| program.graph.axes.add(name, size)).collect();
        let x = input(program, store, &axes, 1);
        let x = program.graph.unary(Unary::Tanh, x).unwrap();
        (program.graph.reduce(Reduction::Sum, x, &[axes[1]]).unwrap(), vec![axes[0], axes[2]])
    });
}

/// Left operands whose rows are a page apart.
#[test]
fn contractions_of_rows_that_collide() {
    agree("rows of 2048", 1e-4, |program, store| {
        let axes = &mut program.graph.axes;
        let (m, n, k) = (axes.add("M", 70), axes.add("N", 130), axes.add("K", 2048));
        let (a, b) = (input(program, store, &[m, k], 1), input(program, store, &[k, n], 2));
        (program.graph.contract(a, b, &AxisSet::from(&[k][..])).unwrap(), vec![m, n])
    });
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
