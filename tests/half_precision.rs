//! Rounding to bf16 and f16: every backend gives the same bits, contractions of a training step are rounded forward and backward,
//! nothing is rounded twice.

mod support;

use std::sync::Arc;

use ansatz::backend::{cpu, dfdx};
use ansatz::graph::{
    Axis, AxisSet, Body, Element, Graph, Half, InputId, Loop, NodeId, Op, Precision, Program, Slot, Store,
    Take, Tensor, Type, Unary, optimise, reference, unit,
};
use ansatz::plan::kernel::{Contract, Kernel, Operation};
use ansatz::plan::{Plan, PlanOptions, plan};
use ansatz::random::philox;
use proptest::prelude::*;

/// The nearest number of a format with so many bits of precision, whose smallest normal number is 2^least: by division and
/// rounding in f64, which is exact here.
fn nearest(x: f32, bits: i32, least: i32, largest: f64) -> f32 {
    let x = f64::from(x);
    if x == 0.0 || !x.is_finite() {
        return x as f32;
    }
    let exponent = ((x.abs().to_bits() >> 52) as i32 - 1023).max(least);
    let unit = 2f64.powi(exponent - (bits - 1));
    let rounded = (x / unit).round_ties_even() * unit;
    if rounded.abs() > largest { (f64::INFINITY * x.signum()) as f32 } else { rounded as f32 }
}

fn expected(half: Half, x: f32) -> f32 {
    match half {
        Half::Bf16 => nearest(x, 8, -126, f64::from(f32::from_bits(0x7f7f_0000))),
        Half::F16 => nearest(x, 11, -14, 65504.0),
    }
}

/// Both sides of every tie, the ties, and the numbers of the format: for bf16 all there are, for f16 those in and around its
/// range; zeros, infinities, NaN and subnormals of f32 are among them.
fn numbers(half: Half) -> Vec<f32> {
    let (gone, heads): (u32, Vec<u32>) = match half {
        Half::Bf16 => (16, (0..1 << 16).collect()),
        Half::F16 => {
            let exponents = [0, 1, 254, 255].into_iter().chain(98..146);
            let heads = exponents.flat_map(|exponent: u32| (0..1 << 10).map(move |m| exponent << 10 | m));
            (13, heads.flat_map(|head| [head, head | 1 << 18]).collect())
        }
    };
    let middle = 1 << (gone - 1);
    let tails = [0, 1, middle - 1, middle, middle + 1, 2 * middle - 1];
    heads.iter().flat_map(|head| tails.map(|tail| f32::from_bits(head << gone | tail))).collect()
}

fn same(found: f32, expected: f32) -> bool {
    found.to_bits() == expected.to_bits() || (found.is_nan() && expected.is_nan())
}

fn assert_rounded(what: &str, half: Half, from: &[f32], found: &[f32]) {
    assert_eq!(from.len(), found.len(), "{what}");
    for (x, found) in from.iter().zip(found) {
        let expected = expected(half, *x);
        assert!(
            same(*found, expected),
            "{what}, {half:?}: {x:e} ({:08x}) gives {found:e} ({:08x}), not {expected:e} ({:08x})",
            x.to_bits(),
            found.to_bits(),
            expected.to_bits()
        );
    }
}

proptest! {
    #[test]
    fn any_number_is_rounded_to_the_nearest(bits in any::<u32>()) {
        let x = f32::from_bits(bits);
        for half in Half::ALL {
            let found = half.round(x);
            prop_assert!(same(found, expected(half, x)), "{:?} of {:e}: {:e}", half, x, found);
            // What is rounded stays as it is.
            prop_assert!(same(half.round(found), found));
        }
    }
}

/// y = round(x), z = round(x) * 1: a rounding that is stored, and one among other operations.
fn rounding(half: Half, values: Vec<f32>) -> (Program, Store, [Slot; 2]) {
    let (mut program, mut store) = (Program::new(Precision::Single), Store::default());
    let axis = program.graph.axes.add("Number", values.len());
    let from = store.add(Tensor::F32(values));
    let x = program.input("x", Element::Float, &[axis], from);
    let slots = [store.add(Tensor::F32(vec![])), store.add(Tensor::F32(vec![]))];
    let g = &mut program.graph;
    let y = g.unary(Unary::Round(half), x).unwrap();
    let z = g.neg(y).unwrap();
    program.output("y", y, &[axis], slots[0]).unwrap();
    program.output("z", z, &[axis], slots[1]).unwrap();
    (program, store, slots)
}

fn read(store: &Store, slot: Slot) -> Vec<f32> {
    store.get(slot).to_f64().into_iter().map(|x| x as f32).collect()
}

#[test]
fn every_backend_gives_the_same_bits() {
    for half in Half::ALL {
        let values = numbers(half);
        let (program, store, [y, z]) = rounding(half, values.clone());
        let check = |what: &str, store: &Store| {
            assert_rounded(what, half, &values, &read(store, y));
            let negated: Vec<f32> = read(store, z).into_iter().map(|x| -x).collect();
            assert_rounded(what, half, &values, &negated);
        };
        let mut found = store.clone();
        reference::evaluate(&program, &mut found).unwrap();
        check("reference", &found);
        for fuse in [true, false] {
            let mut found = store.clone();
            let options = PlanOptions { fuse, ..PlanOptions::default() };
            cpu::compile(&program, &options).unwrap().run(&mut found).unwrap();
            check("cpu", &found);
        }
        let mut found = store.clone();
        dfdx::prepare(&program).run(&mut found).unwrap();
        check("dfdx", &found);
        #[cfg(feature = "gpu")]
        if let Some(device) = support::gpu::device() {
            let mut found = store.clone();
            let options = PlanOptions { launches: true, ..PlanOptions::default() };
            device.prepare(plan(&program, &options).unwrap()).run(&mut found).unwrap();
            check("gpu", &found);
        }
    }
}

/// The derivative of the rounding itself is one, and that of what follows is taken at the rounded value.
#[test]
fn the_derivative_passes_through() {
    let mut g = Graph::new();
    let axis = g.axes.add("A", 4);
    let mut program = Program::new(Precision::Single);
    program.graph = g;
    let mut store = Store::default();
    let values = vec![1.003, -0.3, 7.77, 0.0];
    let from = store.add(Tensor::F32(values.clone()));
    let x = program.input("x", Element::Float, &[axis], from);
    let g = &mut program.graph;
    let rounded = g.unary(Unary::Round(Half::Bf16), x).unwrap();
    let square = g.mul(rounded, rounded).unwrap();
    let total = g.sum(square, &[axis]).unwrap();
    let gradient = g.gradient(total, &[x]).unwrap()[0];
    let slot = store.add(Tensor::F32(vec![]));
    program.output("gradient", gradient, &[axis], slot).unwrap();
    reference::evaluate(&program, &mut store).unwrap();
    let twice: Vec<f32> = values.iter().map(|x| 2.0 * Half::Bf16.round(*x)).collect();
    assert_eq!(read(&store, slot), twice);
}

/// A step of two layers: logits, their squares' mean, and the gradients by both weights.
struct Step {
    program: Program,
    store: Store,
}

fn step(factors: Option<Half>) -> Step {
    let (mut program, mut store) = (Program::new(Precision::Single), Store::default());
    program.factors = factors;
    let [row, from, hidden, out] = [("Row", 24), ("In", 20), ("Hidden", 16), ("Out", 5)]
        .map(|(name, size)| program.graph.axes.add(name, size));
    let mut input = |program: &mut Program, name: &str, layout: &[Axis]| {
        let size: usize = layout.iter().map(|axis| program.graph.axes.size(*axis)).product();
        let stream = store.len() as u32;
        let values =
            (0..size as u32).map(|item| unit(philox([5, stream], [item, 0, 0, 0])[0]) as f32 * 2.0 - 1.0);
        let slot = store.add(Tensor::F32(values.collect()));
        program.input(name, Element::Float, layout, slot)
    };
    let x = input(&mut program, "x", &[row, from]);
    let first = input(&mut program, "first", &[from, hidden]);
    let second = input(&mut program, "second", &[hidden, out]);
    let g = &mut program.graph;
    let layer = |g: &mut Graph, x: NodeId, w: NodeId, over: Axis| {
        let product = g.mul(x, w).unwrap();
        g.sum(product, &[over]).unwrap()
    };
    let before = layer(g, x, first, from);
    let zero = g.float(0.0).unwrap();
    let inner = g.max(before, zero).unwrap();
    let logits = layer(g, inner, second, hidden);
    let square = g.mul(logits, logits).unwrap();
    let loss = g.mean(square, &[row, out]).unwrap();
    let gradients = g.gradient(loss, &[first, second]).unwrap();
    for (name, node) in [("loss", loss), ("first", gradients[0]), ("second", gradients[1])] {
        let layout = program.graph.node(node).axes.as_slice().to_vec();
        let slot = store.add(Tensor::F32(vec![]));
        program.output(name, node, &layout, slot).unwrap();
    }
    Step { program, store }
}

/// Roundings of a rewritten program.
fn roundings(program: &Program) -> Vec<NodeId> {
    let ids = (0..program.graph.nodes.len() as u32).map(NodeId);
    ids.filter(|id| matches!(program.graph.node(*id).op, Op::Unary(Unary::Round(_)))).collect()
}

#[test]
fn every_contraction_is_rounded_and_no_value_twice() {
    let Step { program, .. } = step(Some(Half::Bf16));
    let program = optimise(&program, &[]).unwrap();
    let contractions: Vec<_> =
        program.graph.nodes.iter().filter(|node| matches!(node.op, Op::Contract { .. })).collect();
    // Two forward; backward one by each weight and one by the hidden layer.
    assert_eq!(contractions.len(), 5, "{program}");
    for node in contractions {
        assert!(matches!(node.op, Op::Contract { factors: Some(Half::Bf16), .. }), "{program}");
        for operand in &node.operands {
            assert!(
                matches!(program.graph.node(*operand).op, Op::Unary(Unary::Round(Half::Bf16))),
                "{program}"
            );
        }
    }
    // x, both weights, the hidden layer, and the adjoints of both layers: six values for ten factors.
    assert_eq!(roundings(&program).len(), 6, "{program}");
    // Again changes nothing.
    assert_eq!(optimise(&program, &[]).unwrap().graph.nodes, program.graph.nodes);
    let plain = optimise(&step(None).program, &[]).unwrap();
    assert!(roundings(&plain).is_empty());
    let mut double = step(Some(Half::Bf16)).program;
    double.precision = Precision::Double;
    assert!(roundings(&optimise(&double, &[]).unwrap()).is_empty());
}

/// 0 or 1, signs, and what is moved of them: nothing to round.
#[test]
fn what_is_exact_is_not_rounded() {
    let (mut program, mut store) = (Program::new(Precision::Single), Store::default());
    program.factors = Some(Half::F16);
    let [a, b, c] = [("A", 6), ("B", 7), ("C", 5)].map(|(name, size)| program.graph.axes.add(name, size));
    let slot = store.add(Tensor::F32((0..42).map(|i| i as f32 - 20.0).collect()));
    let x = program.input("x", Element::Float, &[a, b], slot);
    let slot = store.add(Tensor::F32((0..35).map(|i| 0.1 * i as f32).collect()));
    let w = program.input("w", Element::Float, &[b, c], slot);
    let g = &mut program.graph;
    let zero = g.float(0.0).unwrap();
    let positive = g.less(zero, x).unwrap();
    let mask = g.cast(positive, Element::Float).unwrap();
    let product = g.contract(mask, w, &AxisSet::from(&[b][..])).unwrap();
    let slot = store.add(Tensor::F32(vec![]));
    program.output("y", product, &[a, c], slot).unwrap();
    let program = optimise(&program, &[]).unwrap();
    assert_eq!(roundings(&program).len(), 1, "{program}");
}

/// A convolution's windows show the rounded values: they are not rounded one by one, nor copied for it.
#[test]
fn windows_show_rounded_values() {
    let (mut program, mut store) = (Program::new(Precision::Single), Store::default());
    program.factors = Some(Half::Bf16);
    let [t, o, k, from, to] = [("T", 16), ("O", 16), ("K", 3), ("In", 4), ("Out", 6)]
        .map(|(name, size)| program.graph.axes.add(name, size));
    let slot = store.add(Tensor::F32((0..64).map(|i| (i as f32).sin()).collect()));
    let x = program.input("x", Element::Float, &[t, from], slot);
    let slot = store.add(Tensor::F32((0..72).map(|i| (i as f32).cos()).collect()));
    let w = program.input("w", Element::Float, &[k, from, to], slot);
    let g = &mut program.graph;
    let window = Op::Window { axis: t, output: o, kernel: k, stride: 1, dilation: 1, before: 1 };
    let windows = g.window(window, x).unwrap();
    let y = g.contract(windows, w, &AxisSet::from(&[k, from][..])).unwrap();
    let slot = store.add(Tensor::F32(vec![]));
    program.output("y", y, &[o, to], slot).unwrap();
    let program = optimise(&program, &[]).unwrap();
    let rounded = roundings(&program);
    assert_eq!(rounded.len(), 2, "{program}");
    for id in rounded {
        assert!(
            matches!(program.graph.node(program.graph.node(id).operands[0]).op, Op::Input(_)),
            "{program}"
        );
    }
}

/// A recurrent layer: its weights are rounded before the loop, what is carried in every round.
#[test]
fn shared_weights_are_rounded_before_a_loop() {
    let (mut program, mut store) = (Program::new(Precision::Single), Store::default());
    program.factors = Some(Half::Bf16);
    let [b, h, k] = [("B", 3), ("H", 4), ("K", 4)].map(|(name, size)| program.graph.axes.add(name, size));
    let float = |axes: &[Axis]| Type::new(Element::Float, AxisSet::from(axes));
    let mut body = Graph::new();
    body.axes = program.graph.axes.clone();
    let carried = body.input(InputId(0), Element::Float, AxisSet::from(&[b, h][..]));
    let shared = body.input(InputId(1), Element::Float, AxisSet::from(&[h, k][..]));
    let product = body.mul(carried, shared).unwrap();
    let sum = body.sum(product, &[h]).unwrap();
    let there = body.rename(sum, k, h).unwrap();
    let next = body.tanh(there).unwrap();
    let body = Body(Arc::new(Loop {
        graph: body,
        rounds: 6,
        reverse: false,
        next: vec![next],
        sliced: vec![],
        inputs: vec![float(&[b, h]), float(&[h, k]), Type::new(Element::Index, AxisSet::new())],
        done: None,
    }));
    let start: Vec<f32> = (0..12).map(|i| (i as f32).sin()).collect();
    let weights: Vec<f32> = (0..16).map(|i| (1.7 * i as f32).cos()).collect();
    let slots = [store.add(Tensor::F32(start.clone())), store.add(Tensor::F32(weights.clone()))];
    let first = program.input("start", Element::Float, &[b, h], slots[0]);
    let matrix = program.input("weights", Element::Float, &[h, k], slots[1]);
    let op = Op::Scan { body, take: Take::Last(0) };
    let last = program.graph.add(op, &[first, matrix], Default::default()).unwrap();
    let slot = store.add(Tensor::F32(vec![]));
    program.output("last", last, &[b, h], slot).unwrap();

    let program = optimise(&program, &[]).unwrap();
    assert_eq!(roundings(&program).len(), 1, "{program}");
    let inner = program.graph.nodes.iter().find_map(|node| match &node.op {
        Op::Scan { body, .. } => Some(body.0.graph.clone()),
        _ => None,
    });
    let inner = inner.expect("the loop");
    let rounded: Vec<_> =
        inner.nodes.iter().filter(|node| matches!(node.op, Op::Unary(Unary::Round(_)))).collect();
    assert_eq!(rounded.len(), 1, "{program}");
    assert_eq!(inner.node(rounded[0].operands[0]).op, Op::Input(InputId(0)), "{program}");

    let mut expected = start;
    for _ in 0..6 {
        let sum = |at: usize| -> f32 {
            let (row, column) = (at / 4, at % 4);
            let round = |x: f32| Half::Bf16.round(x);
            (0..4).map(|i| round(expected[4 * row + i]) * round(weights[4 * i + column])).sum()
        };
        expected = (0..12).map(|at| sum(at).tanh()).collect();
    }
    let wanted: Vec<f64> = expected.iter().map(|x| f64::from(*x)).collect();
    let mut on_host = store.clone();
    cpu::compile(&program, &PlanOptions::default()).unwrap().run(&mut on_host).unwrap();
    reference::evaluate(&program, &mut store).unwrap();
    for found in [store.get(slot).to_f64(), on_host.get(slot).to_f64()] {
        assert!(apart(&wanted, &found) < 1e-3, "{wanted:?} {found:?}");
    }
}

fn contractions(plan: &Plan) -> Vec<&Contract> {
    let mut found = Vec::new();
    for kernel in &plan.kernels {
        if let Kernel::Contract(contract) = kernel {
            found.push(contract);
        }
    }
    found
}

/// The kernels that do nothing but round read what is given: activations and adjoints are rounded where they are computed.
#[test]
fn rounding_joins_the_kernels_beside_it() {
    let Step { program, .. } = step(Some(Half::Bf16));
    let plan = plan(&optimise(&program, &[]).unwrap(), &PlanOptions::default()).unwrap();
    assert!(contractions(&plan).iter().all(|contract| contract.factors == Some(Half::Bf16)));
    let rounds = |operation: &Operation| matches!(operation, Operation::Unary(Unary::Round(_)));
    let mut joined = 0;
    for kernel in &plan.kernels {
        let Kernel::Fused(fused) = kernel else { continue };
        let count = fused.instructions.iter().filter(|instruction| rounds(&instruction.operation)).count();
        let given = |id: ansatz::plan::kernel::BufferId| {
            matches!(plan.buffers[id.0 as usize].place, ansatz::plan::kernel::Place::Slot(_))
        };
        match count == fused.instructions.len() {
            true => assert!(fused.loads.iter().all(|load| given(load.buffer)), "{plan}"),
            false => joined += count,
        }
    }
    // The hidden layer and the adjoints of both layers.
    assert_eq!(joined, 3, "{plan}");
    insta::assert_snapshot!(plan);
}

/// Rounded, a loss and gradients are near those of f32, and not the same; all backends agree on them.
#[test]
fn a_step_is_near_that_of_f32() {
    let outputs = |step: &Step| -> Vec<Vec<f64>> {
        let mut store = step.store.clone();
        let program = optimise(&step.program, &[]).unwrap();
        cpu::compile(&program, &PlanOptions::default()).unwrap().run(&mut store).unwrap();
        let mut again = step.store.clone();
        reference::evaluate(&program, &mut again).unwrap();
        let mut third = step.store.clone();
        dfdx::prepare(&program).run(&mut third).unwrap();
        let read =
            |store: &Store| program.outputs.iter().map(|output| store.get(output.slot).to_f64()).collect();
        let found: Vec<Vec<f64>> = read(&store);
        // A sum in another order may move a value to the other side of a tie: one unit of bf16 of one factor.
        for (other, most) in [(read(&again), 1e-3), (read(&third), 1e-3)] {
            let other: Vec<Vec<f64>> = other;
            found.iter().zip(&other).for_each(|(a, b)| assert!(apart(a, b) < most, "{}", apart(a, b)));
        }
        found
    };
    let single = outputs(&step(None));
    for (half, least, most) in [(Half::Bf16, 1e-4, 2e-2), (Half::F16, 1e-5, 2e-3)] {
        for (a, b) in single.iter().zip(outputs(&step(Some(half)))) {
            let apart = apart(a, &b);
            assert!(apart < most, "{half:?}: {apart}");
            assert!(a.len() == 1 || apart > least, "{half:?}: {apart}");
        }
    }
}

/// The norm of the difference, in norms of the first.
fn apart(a: &[f64], b: &[f64]) -> f64 {
    let norm = |values: &mut dyn Iterator<Item = f64>| values.map(|x| x * x).sum::<f64>().sqrt();
    norm(&mut a.iter().zip(b).map(|(a, b)| a - b)) / norm(&mut a.iter().copied())
}

/// Large products of a device, by matrix units where it has them: only the order of the sums differs from the processor's. Sizes
/// that fill tiles and sizes that do not; factors that lie along their own axis, as backward.
#[cfg(feature = "gpu")]
#[test]
fn large_products_agree_on_the_gpu() {
    let Some(device) = support::gpu::device() else { return };
    for (sizes, across) in [([512, 512, 512], false), ([200, 136, 304], true), ([130, 70, 257], false)] {
        for half in Half::ALL {
            let (mut program, mut store) = (Program::new(Precision::Single), Store::default());
            program.factors = Some(half);
            let [m, n, k] = [0, 1, 2].map(|at| program.graph.axes.add(["M", "N", "K"][at], sizes[at]));
            let mut input = |program: &mut Program, layout: [Axis; 2]| {
                let size: usize = layout.iter().map(|axis| program.graph.axes.size(*axis)).product();
                let stream = store.len() as u32;
                let value = |item| unit(philox([9, stream], [item, 0, 0, 0])[0]) as f32 - 0.5;
                let slot = store.add(Tensor::F32((0..size as u32).map(value).collect()));
                program.input("factor", Element::Float, &layout, slot)
            };
            let a = input(&mut program, if across { [k, m] } else { [m, k] });
            let b = input(&mut program, [k, n]);
            let product = program.graph.mul(a, b).unwrap();
            let sum = program.graph.sum(product, &[k]).unwrap();
            let slot = store.add(Tensor::F32(vec![]));
            program.output("c", sum, &[m, n], slot).unwrap();
            let run = |program: &Program, on_device: bool| {
                let program = optimise(program, &[]).unwrap();
                let options = PlanOptions { launches: on_device, ..PlanOptions::default() };
                let plan = plan(&program, &options).unwrap();
                assert_eq!(contractions(&plan).len(), 1, "{plan}");
                assert_eq!(contractions(&plan)[0].factors, program.factors);
                let mut found = store.clone();
                let mut executable = match on_device {
                    true => device.prepare(plan),
                    false => cpu::prepare(plan, &PlanOptions::default()),
                };
                executable.run(&mut found).unwrap();
                found.get(slot).to_f64()
            };
            let (on_host, on_device) = (run(&program, false), run(&program, true));
            let difference = apart(&on_host, &on_device);
            eprintln!("{half:?} {sizes:?} on {}: {difference:e}", device.name);
            assert!(difference < 1e-5, "{half:?} {sizes:?}: {difference}");
            // And what is compared is rounded at all.
            program.factors = None;
            assert!(apart(&run(&program, false), &on_device) > 1e-5);
        }
    }
}
