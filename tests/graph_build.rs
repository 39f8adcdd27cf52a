//! Adding nodes: type rules, sharing of equal nodes, simplification.

use ansatz::graph::{AxisSet, Element, Graph, Op, Precision, Program, Slot, Tensor, TypeError};

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
