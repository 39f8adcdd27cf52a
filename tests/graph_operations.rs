//! The table of operations is complete, and the reference meaning of each family is what its description says.

use ansatz::graph::{
    Axis, AxisSet, Check, Cost, Cumulative, Element, Fault, Graph, NodeId, Op, Precision, Program, Reduction,
    Special, Store, Tensor, Ties, TypeError, Unary, reference, unit,
};
use ansatz::random::philox;

type Built = Result<NodeId, TypeError>;

/// The values of what `build` makes of x over A (and of the axes B, C, D of sizes 2, 3, 5).
fn run(x: &[f64], build: impl Fn(&mut Graph, NodeId, [Axis; 4]) -> Built) -> Result<Vec<f64>, Fault> {
    let mut program = Program::new(Precision::Double);
    let mut store = Store::default();
    let axes =
        [("A", x.len()), ("B", 2), ("C", 3), ("D", 5)].map(|(n, size)| program.graph.axes.add(n, size));
    let slot = store.add(Tensor::F64(x.to_vec()));
    let x = program.input("x", Element::Float, &[axes[0]], slot);
    let node = build(&mut program.graph, x, axes).unwrap();
    reference::value_of(&program, &store, node)
}

fn index(g: &mut Graph, values: &[i32], axis: Axis) -> NodeId {
    g.tensor(Tensor::Index(values.to_vec()), &[axis]).unwrap()
}

const NAN: f64 = f64::NAN;
const INFINITY: f64 = f64::INFINITY;

#[test]
fn order() {
    let x = [3.0, 1.0, 2.0, 1.0];
    let rank = |ties| run(&x, |g, x, [a, ..]| g.rank(x, a, ties)).unwrap();
    assert_eq!(rank(Ties::Average), [4.0, 1.5, 3.0, 1.5]);
    assert_eq!(rank(Ties::Min), [4.0, 1.0, 3.0, 1.0]);
    assert_eq!(rank(Ties::Max), [4.0, 2.0, 3.0, 2.0]);
    assert_eq!(rank(Ties::First), [4.0, 1.0, 3.0, 2.0]);
    let sort = |descending| run(&x, |g, x, [a, ..]| g.argsort(x, a, descending)).unwrap();
    assert_eq!(sort(false), [1.0, 3.0, 2.0, 0.0]);
    assert_eq!(sort(true), [0.0, 2.0, 1.0, 3.0]);
    assert_eq!(run(&x, |g, x, [a, ..]| g.sort(x, a, true)), Ok(vec![3.0, 2.0, 1.0, 1.0]));
    assert_eq!(run(&x, |g, x, [a, ..]| g.argmax(x, a)), Ok(vec![0.0]));
    assert_eq!(run(&x, |g, x, [a, ..]| g.argmin(x, a)), Ok(vec![1.0]));
    assert_eq!(run(&[NAN, 1.0], |g, x, [a, ..]| g.argsort(x, a, true)), Ok(vec![1.0, 0.0]));
}

#[test]
fn groups() {
    let x = [1.0, 2.0, 4.0, 8.0];
    let scatter = |kind| {
        run(&x, |g, x, [a, _, c, _]| {
            let index = index(g, &[2, 0, 2, 2], a);
            g.scatter(kind, x, index, &AxisSet::new().with(a), c)
        })
        .unwrap()
    };
    assert_eq!(scatter(Reduction::Sum), [2.0, 0.0, 13.0]);
    assert_eq!(scatter(Reduction::Product), [2.0, 1.0, 32.0]);
    assert_eq!(scatter(Reduction::Max), [2.0, -INFINITY, 8.0]);
    assert_eq!(scatter(Reduction::Min), [2.0, INFINITY, 1.0]);
    // Nothing reduced: every element goes to its own place on the new axis.
    let spread = run(&x[..2], |g, x, [a, _, c, _]| {
        let index = index(g, &[2, 0], a);
        g.scatter(Reduction::Sum, x, index, &AxisSet::new(), c)
    });
    assert_eq!(spread, Ok(vec![0.0, 0.0, 1.0, 2.0, 0.0, 0.0]));
    let fault = run(&x, |g, x, [a, b, ..]| {
        let index = index(g, &[1, 4], b);
        g.gather(x, a, index)
    });
    assert!(matches!(fault, Err(Fault::IndexOutOfRange { index: 4, size: 4, .. })));
    let negative = run(&x, |g, x, [a, b, ..]| {
        let index = index(g, &[1, -1], b);
        g.gather(x, a, index)
    });
    assert!(matches!(negative, Err(Fault::IndexOutOfRange { index: -1, .. })));
}

#[test]
fn movement() {
    let x = [1.0, 2.0, 3.0, 4.0];
    assert_eq!(run(&x, |g, x, [a, _, c, _]| g.slice(x, a, c, 3, -1)), Ok(vec![4.0, 3.0, 2.0]));
    let padded = run(&x[..2], |g, x, [a, _, _, d]| g.pad(x, a, d, 1, 2));
    assert_eq!(padded, Ok(vec![0.0, 1.0, 0.0, 2.0, 0.0]));
    let joined = run(&x[..2], |g, x, [a, _, c, d]| {
        let positions = g.iota(c)?;
        let positions = g.cast(positions, Element::Float)?;
        g.concat(&[(x, a), (positions, c)], d)
    });
    assert_eq!(joined, Ok(vec![1.0, 2.0, 0.0, 1.0, 2.0]));
    let six = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
    // The first of the axes is the slowest, whatever the order of their identities.
    let grid = run(&six, |g, x, [a, b, c, _]| g.unflatten(x, a, &[c, b]));
    assert_eq!(grid, Ok(vec![1.0, 3.0, 5.0, 2.0, 4.0, 6.0]));
    let window = |stride, dilation, before| {
        run(&x, move |g, x, [axis, output, kernel, _]| {
            g.window(Op::Window { axis, output, kernel, stride, dilation, before }, x)
        })
        .unwrap()
    };
    assert_eq!(window(1, 1, 0), [1.0, 2.0, 3.0, 2.0, 3.0, 4.0]);
    assert_eq!(window(2, 1, 1), [0.0, 1.0, 2.0, 2.0, 3.0, 4.0]);
    assert_eq!(window(1, 2, 0), [1.0, 3.0, 0.0, 2.0, 4.0, 0.0]);
}

#[test]
fn running_reductions() {
    let x = [1.0, 3.0, 2.0];
    let cumulative = |kind, reverse| run(&x, move |g, x, [a, ..]| g.cumulative(kind, x, a, reverse)).unwrap();
    assert_eq!(cumulative(Cumulative::Sum, false), [1.0, 4.0, 6.0]);
    assert_eq!(cumulative(Cumulative::Sum, true), [6.0, 5.0, 2.0]);
    assert_eq!(cumulative(Cumulative::Product, false), [1.0, 3.0, 6.0]);
    assert_eq!(cumulative(Cumulative::Max, false), [1.0, 3.0, 3.0]);
    assert_eq!(cumulative(Cumulative::Max, true), [3.0, 3.0, 2.0]);
}

#[test]
fn random_numbers_are_addressed() {
    let random = |site, order: fn([Axis; 4]) -> Vec<Axis>| {
        run(&[0.0], move |g, _, axes| {
            let (seed, step) = (g.index(5)?, g.index(9)?);
            g.random_uniform(site, seed, step, &order(axes))
        })
        .unwrap()
    };
    let found = random(3, |[_, b, c, _]| vec![b, c]);
    let expected: Vec<f64> =
        (0..6).map(|item| unit(philox([5, 3], [item / 4, 0, 9, 0])[item as usize % 4])).collect();
    assert_eq!(found, expected);
    // In the other order the same numbers stand at other places.
    let turned = random(3, |[_, b, c, _]| vec![c, b]);
    assert_eq!(turned[1], expected[2]);
    assert_ne!(random(4, |[_, b, c, _]| vec![b, c]), expected);
}

#[test]
fn special_functions() {
    let values = |unary, x: f64| run(&[x], move |g, x, _| g.unary(unary, x)).unwrap()[0];
    let near = |found: f64, expected: f64| assert!((found - expected).abs() < 1e-9, "{found} {expected}");
    near(values(Unary::LogGamma, 10.0), 362880f64.ln());
    near(values(Unary::LogGamma, -0.5), (2.0 * std::f64::consts::PI.sqrt()).ln());
    near(values(Unary::Digamma, 1.0), -0.577_215_664_901_532_9);
    near(values(Unary::NormalQuantile, 0.975), 1.959_963_984_540_054);
    near(values(Unary::Erf, 1.0), 0.842_700_792_949_714_9);
    near(values(Unary::Sigmoid, -800.0), 0.0);
    let special = |special, a: f64, b: f64, x: f64| {
        run(&[0.0], move |g, _, _| {
            let operands = [g.float(a)?, g.float(b)?, g.float(x)?];
            g.special(special, operands)
        })
        .unwrap()[0]
    };
    near(special(Special::BetaIncomplete, 2.0, 3.0, 0.4), 0.5248);
    near(special(Special::GammaIncomplete, 1.0, 2.0, 0.0), 1.0 - (-2f64).exp());
    assert!(special(Special::BetaIncomplete, -1.0, 3.0, 0.4).is_nan());
}

#[test]
fn checks_fault_and_literals_are_checked_at_once() {
    let check = |limit: f64| {
        run(&[1.0, 2.0], move |g, x, [a, ..]| {
            let total = g.sum(x, &[a])?;
            let limit = g.float(limit)?;
            let condition = g.less(total, limit)?;
            let check = Check { message: "too much".into(), help: String::new(), span: Default::default() };
            g.check(x, condition, check)
        })
    };
    assert_eq!(check(4.0), Ok(vec![1.0, 2.0]));
    assert!(matches!(check(3.0), Err(Fault::Check(_))));
}

#[test]
fn outputs_are_written_in_their_layout_and_precision() {
    let mut program = Program::new(Precision::Single);
    let mut store = Store::default();
    let [a, b] = [("A", 2), ("B", 3)].map(|(name, size)| program.graph.axes.add(name, size));
    let slot = store.add(Tensor::F64((0..6).map(|x| f64::from(x) / 10.0).collect()));
    let x = program.input("x", Element::Float, &[a, b], slot);
    let out = store.add(Tensor::F64(vec![]));
    program.output("turned", x, &[b, a], out).unwrap();
    // State: read and written in one slot.
    program.output("x", x, &[b, a], slot).unwrap();
    reference::evaluate(&program, &mut store).unwrap();
    let expected = [0.0f32, 0.3, 0.1, 0.4, 0.2, 0.5].map(f64::from);
    assert_eq!(store.get(out).to_f64(), expected);
    assert_eq!(store.get(slot).to_f64(), expected);
}

/// One of every operation: each has a type, a meaning and a cost. (That each has its rules at all, and a declared
/// derivative or none, is what the match in the table says; the derivatives have tests of their own.)
#[test]
fn every_operation_has_a_type_a_meaning_and_a_cost() {
    let mut program = Program::new(Precision::Single);
    let mut store = Store::default();
    let g = &mut program.graph;
    g.keep_literal = true;
    let [a, b, c, d] = [("A", 4), ("B", 2), ("C", 2), ("D", 3)].map(|(name, size)| g.axes.add(name, size));
    let slot = store.add(Tensor::F32(vec![0.1, 0.4, 0.3, 0.2]));
    let x = program.input("x", Element::Float, &[a], slot);
    let g = &mut program.graph;
    let check = Check { message: "no".into(), help: "never".into(), span: Default::default() };
    let (one, two, yes) = (g.index(1).unwrap(), g.index(2).unwrap(), g.bool(true).unwrap());
    let index = index(g, &[0, 1, 1, 0], a);
    let grid = g.unflatten(x, a, &[b, c]).unwrap();
    let over = AxisSet::new().with(a);
    for unary in Unary::ALL {
        g.unary(unary, x).unwrap();
    }
    for binary in ansatz::graph::Binary::ALL {
        g.binary(binary, x, x).unwrap();
    }
    for reduction in [Reduction::Sum, Reduction::Product, Reduction::Max, Reduction::Min] {
        g.reduce(reduction, x, &[a]).unwrap();
        g.scatter(reduction, x, index, &over, b).unwrap();
    }
    for kind in [Cumulative::Sum, Cumulative::Product, Cumulative::Max] {
        g.cumulative(kind, x, a, false).unwrap();
    }
    let truth = g.less(x, x).unwrap();
    let window = Op::Window { axis: a, output: b, kernel: d, stride: 1, dilation: 1, before: 0 };
    let windows = g.window(window, x).unwrap();
    let unwindow = Op::Unwindow { axis: a, output: b, kernel: d, stride: 1, dilation: 1, before: 0 };
    let rest = [
        g.float(1.0),
        g.iota(a),
        g.random_uniform(1, one, two, &[a]),
        g.and(truth, truth),
        g.or(truth, truth),
        g.not(truth),
        g.select(truth, x, x),
        g.cast(truth, Element::Float),
        g.reduce(Reduction::All, truth, &[a]),
        g.reduce(Reduction::Any, truth, &[a]),
        g.argmax(x, a),
        g.argmin(x, a),
        g.broadcast(x, &AxisSet::new().with(b)),
        g.rename(grid, b, b),
        g.gather(grid, b, index),
        g.slice(x, a, b, 0, 1),
        g.pad(grid, b, a, 0, 1),
        g.concat(&[(grid, b), (grid, c)], a),
        g.window(unwindow, windows),
        g.flatten(grid, &[b, c], a),
        g.argsort(x, a, false),
        g.rank(x, a, Ties::Average),
        g.contract(x, x, &over),
        g.special(Special::BetaIncomplete, [x, x, x]),
        g.special(Special::GammaIncomplete, [x, x, x]),
        g.stop(x),
        g.check(x, yes, check),
    ];
    for built in rest {
        built.unwrap();
    }
    let values = reference::values(&program, &store).unwrap();
    let mut names = std::collections::BTreeSet::new();
    for (number, node) in program.graph.nodes.iter().enumerate() {
        let id = NodeId(number as u32);
        let size = program.graph.elements(&node.axes);
        names.insert(node.op.name());
        assert_eq!(values[number].values.len(), size, "{}", node.op.name());
        let Cost { flops, bytes } = program.graph.cost(id, Precision::Single);
        assert!(bytes >= size as u64, "{}", node.op.name());
        let moves = matches!(node.element, Element::Index) || node.operands.is_empty() || flops > 0;
        let is_movement = node.op.is_movement() || matches!(node.op, Op::Stop | Op::Check(_));
        assert!(moves || is_movement, "{} is arithmetic without a cost", node.op.name());
    }
    assert_eq!(names.len(), 70, "{names:?}");
    let contract = program.graph.nodes.iter().position(|node| node.op.name() == "contract").unwrap();
    let cost = program.graph.cost(NodeId(contract as u32), Precision::Single);
    assert_eq!(cost, Cost { flops: 8, bytes: 36 });
}
