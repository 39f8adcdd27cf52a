//! Adding nodes: type rules, sharing of equal nodes, simplification.

use ansatz::graph::{AxisSet, Element, Graph, Op, Precision, Program, Slot, Tensor, TypeError, Unary};

fn example() -> (Program, ansatz::graph::NodeId, ansatz::graph::NodeId, [ansatz::graph::Axis; 3]) {
    let mut p = Program::new(Precision::Double);
    let axes = [("Example", 4), ("In", 3), ("Out", 2)].map(|(name, size)| p.graph.axes.add(name, size));
    let x = p.input("x", Element::Float, &[axes[0], axes[1]], Slot(0));
    let w = p.input("w", Element::Float, &[axes[1], axes[2]], Slot(1));
    (p, x, w, axes)
}

#[test]
fn axes_are_united_and_reduced() {
    let (mut p, x, w, [n, i, o]) = example();
    let g = &mut p.graph;
    let product = g.mul(x, w).unwrap();
    assert_eq!(g.node(product).axes, AxisSet::from(&[n, i, o][..]));
    let y = g.sum(product, &[i]).unwrap();
    assert_eq!(g.node(y).axes, AxisSet::from(&[n, o][..]));
    assert!(matches!(g.sum(y, &[i]), Err(TypeError::MissingAxis { axis, .. }) if axis == i));
    assert!(matches!(g.rename(x, n, i), Err(TypeError::SizesDiffer { .. })));
    let truth = g.less(x, y).unwrap();
    assert!(matches!(g.mul(truth, x), Err(TypeError::Element { .. })));
}

#[test]
fn equal_nodes_are_one_node() {
    let (mut p, x, w, _) = example();
    let g = &mut p.graph;
    assert_eq!(g.mul(x, w).unwrap(), g.mul(w, x).unwrap());
    assert_ne!(g.sub(x, w).unwrap(), g.sub(w, x).unwrap());
}

#[test]
fn identities_are_simplified() {
    let (mut p, x, w, [n, i, o]) = example();
    let g = &mut p.graph;
    let (zero, one, two) = (g.float(0.0).unwrap(), g.float(1.0).unwrap(), g.float(2.0).unwrap());
    assert_eq!(g.plus(x, zero).unwrap(), x);
    assert_eq!(g.mul(one, x).unwrap(), x);
    assert_eq!(g.pow(x, two).unwrap(), g.mul(x, x).unwrap());
    let minus = g.neg(x).unwrap();
    assert_eq!(g.neg(minus).unwrap(), x);
    assert_eq!(g.div(two, two).unwrap(), one);
    // A sum over an axis along which the value is constant is a multiple.
    let wide = g.broadcast(x, &AxisSet::new().with(o)).unwrap();
    assert_eq!(g.sum(wide, &[o]).unwrap(), g.mul(x, two).unwrap());
    // Where another operand has the axes of a broadcast, the broadcast goes.
    assert_eq!(g.mul(wide, w).unwrap(), g.mul(x, w).unwrap());
    let positions = g.iota(i).unwrap();
    assert_eq!(g.gather(x, i, positions).unwrap(), x);
    let outside = g.index(4).unwrap();
    assert!(matches!(g.gather(x, n, outside), Err(TypeError::OutOfRange { position: 4, size: 4, .. })));
}

#[test]
fn sizes_are_checked() {
    let (mut p, x, _, [n, i, _]) = example();
    let g = &mut p.graph;
    let flat = g.axes.add("Flat", 12);
    let short = g.axes.add("Short", 2);
    let y = g.flatten(x, &[n, i], flat).unwrap();
    assert_eq!(g.unflatten(y, flat, &[n, i]).map(|id| g.node(id).axes.clone()), Ok(g.node(x).axes.clone()));
    assert!(matches!(g.flatten(x, &[n, i], short), Err(TypeError::Layout { expected: 12, found: 2, .. })));
    assert!(g.slice(x, n, short, 2, 1).is_ok());
    assert!(g.slice(x, n, short, 3, -1).is_ok());
    assert!(matches!(g.slice(x, n, short, 3, 1), Err(TypeError::OutOfRange { position: 4, .. })));
    assert!(matches!(g.tensor(Tensor::F64(vec![0.0; 3]), &[n]), Err(TypeError::Layout { .. })));
    assert!(matches!(p.output("x", x, &[n], Slot(2)), Err(TypeError::Layout { .. })));
    assert!(matches!(
        Graph::new().add(Op::Not, &[], Default::default()),
        Err(TypeError::OperandCount { .. })
    ));
}

/// Naive formulas far outside what their steps can hold.
#[test]
fn naive_logarithms_are_stable() {
    let mut p = Program::new(Precision::Single);
    let mut store = ansatz::graph::Store::default();
    let a = p.graph.axes.add("A", 3);
    let slot = store.add(Tensor::F32(vec![1000.0, -1000.0, 998.0]));
    let x = p.input("x", Element::Float, &[a], slot);
    let g = &mut p.graph;
    let (exp, one) = (g.exp(x).unwrap(), g.float(1.0).unwrap());
    let sum = g.sum(exp, &[a]).unwrap();
    let softmax = g.div(exp, sum).unwrap();
    let sigmoid = g.sigmoid(x).unwrap();
    let rest = g.sub(one, sigmoid).unwrap();
    let more = g.plus(one, exp).unwrap();
    // Softplus of what is never negative ends.
    for unary in [Unary::Exp, Unary::Sigmoid, Unary::Sqrt, Unary::Abs, Unary::Negate] {
        let inner = g.unary(unary, x).unwrap();
        let minus = g.neg(inner).unwrap();
        for z in [inner, minus] {
            let exp = g.exp(z).unwrap();
            g.log1p(exp).unwrap();
        }
    }
    let logs = [sum, sigmoid, rest, more, softmax].map(|x| g.log(x).unwrap());
    let gradients = logs.map(|y| g.gradient(y, &[x]).unwrap()[0]);
    let values = ansatz::graph::reference::values(&p, &store).unwrap();
    let near = |id: ansatz::graph::NodeId, expected: &[f64]| {
        let found = &values[id.0 as usize].values;
        assert_eq!(found.len(), expected.len());
        assert!(found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-4), "{found:?} {expected:?}");
    };
    near(logs[0], &[1000.126928]);
    near(softmax, &[0.880797, 0.0, 0.119203]);
    near(logs[1], &[0.0, -1000.0, 0.0]);
    near(logs[2], &[-1000.0, 0.0, -998.0]);
    near(logs[3], &[1000.0, 0.0, 998.0]);
    near(logs[4], &[-0.126928, -2000.126928, -2.126928]);
    near(gradients[0], &[0.880797, 0.0, 0.119203]);
    near(gradients[1], &[0.0, 1.0, 0.0]);
    near(gradients[2], &[-1.0, 0.0, -1.0]);
    near(gradients[3], &[1.0, 0.0, 1.0]);
    near(gradients[4], &[1.0 - 3.0 * 0.880797, 1.0, 1.0 - 3.0 * 0.119203]);
}
