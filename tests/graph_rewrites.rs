//! The structure that rewrites give to known programs, and that no rewrite changes what any program means.

use ansatz::graph::{
    Axis, AxisSet, Binary, Compare, Cumulative, Element, Graph, NodeId, Op, Precision, Program, Reduction,
    Slot, Store, Tensor, Unary, optimise, optimise_with, reference, unit, verify,
};
use ansatz::random::philox;
use proptest::prelude::*;

/// A program under construction, with random inputs in its store.
struct Bench {
    program: Program,
    store: Store,
}

impl Bench {
    fn new() -> Self {
        Bench { program: Program::new(Precision::Double), store: Store::default() }
    }

    fn axis(&mut self, name: &str, size: usize) -> Axis {
        self.program.graph.axes.add(name, size)
    }

    fn input(&mut self, name: &str, layout: &[Axis]) -> NodeId {
        let size: usize = layout.iter().map(|axis| self.program.graph.axes.size(*axis)).product();
        let stream = self.store.len() as u32;
        let values = (0..size as u32).map(|item| unit(philox([11, stream], [item, 0, 0, 0])[0]) * 2.0 - 1.0);
        let slot = self.store.add(Tensor::F64(values.collect()));
        self.program.input(name, Element::Float, layout, slot)
    }

    fn output(&mut self, name: &str, node: NodeId) {
        let axes = self.program.graph.node(node).axes.clone();
        let slot = self.store.add(Tensor::F64(vec![]));
        self.program.output(name, node, axes.as_slice(), slot).unwrap();
    }

    /// The program after all rewrites, each of which leaves every output as it was.
    fn optimised(&self) -> Program {
        let expected = outputs(&self.program, &self.store);
        verify(&self.program).unwrap();
        optimise_with(&self.program, &[], &mut |pass, program| {
            let found = outputs(program, &self.store);
            for (found, expected) in found.iter().zip(&expected) {
                assert_near(found, expected, &format!("after {pass}:\n{}\n{program}", self.program));
            }
        })
        .unwrap()
    }
}

fn outputs(program: &Program, store: &Store) -> Vec<Vec<f64>> {
    let mut store = store.clone();
    reference::evaluate(program, &mut store).unwrap();
    program.outputs.iter().map(|output| store.get(output.slot).to_f64()).collect()
}

fn assert_near(found: &[f64], expected: &[f64], context: &str) {
    assert_eq!(found.len(), expected.len(), "{context}");
    for (found, expected) in found.iter().zip(expected) {
        let same = found == expected || found.is_nan() && expected.is_nan();
        assert!(
            same || (found - expected).abs() <= 1e-9 * (1.0 + expected.abs()),
            "{found} {expected} {context}"
        );
    }
}

fn count(program: &Program, name: &str) -> usize {
    program.graph.nodes.iter().filter(|node| node.op.name() == name).count()
}

fn set(axes: &[Axis]) -> AxisSet {
    AxisSet::from(axes)
}

/// sum(x * w, over) + b.
fn linear(g: &mut Graph, x: NodeId, w: NodeId, b: NodeId, over: Axis) -> NodeId {
    let product = g.mul(x, w).unwrap();
    let sum = g.sum(product, &[over]).unwrap();
    g.plus(sum, b).unwrap()
}

/// log softmax with the largest taken off.
fn log_softmax(g: &mut Graph, x: NodeId, over: Axis) -> NodeId {
    let largest = g.reduce(Reduction::Max, x, &[over]).unwrap();
    let largest = g.stop(largest).unwrap();
    let shifted = g.sub(x, largest).unwrap();
    let exp = g.exp(shifted).unwrap();
    let sum = g.sum(exp, &[over]).unwrap();
    let log = g.log(sum).unwrap();
    g.sub(shifted, log).unwrap()
}

#[test]
fn a_perceptron_with_its_gradients_is_five_contractions() {
    let mut bench = Bench::new();
    let [n, i, h, c] =
        [("Example", 6), ("In", 5), ("Hidden", 4), ("Class", 3)].map(|(a, s)| bench.axis(a, s));
    let x = bench.input("x", &[n, i]);
    let (w1, b1) = (bench.input("w1", &[i, h]), bench.input("b1", &[h]));
    let (w2, b2) = (bench.input("w2", &[h, c]), bench.input("b2", &[c]));
    let slot = bench.store.add(Tensor::Index(vec![0, 2, 1, 1, 0, 2]));
    let label = bench.program.input("label", Element::Index, &[n], slot);
    let g = &mut bench.program.graph;
    let hidden = linear(g, x, w1, b1, i);
    let zero = g.float(0.0).unwrap();
    let hidden = g.max(hidden, zero).unwrap();
    let logits = linear(g, hidden, w2, b2, h);
    let log_probability = log_softmax(g, logits, c);
    let picked = g.gather(log_probability, c, label).unwrap();
    let loss = g.neg(picked).unwrap();
    let loss = g.mean(loss, &[n]).unwrap();
    let gradients = g.gradient(loss, &[w1, b1, w2, b2]).unwrap();
    bench.output("loss", loss);
    for (name, gradient) in ["w1", "b1", "w2", "b2"].into_iter().zip(gradients) {
        bench.output(name, gradient);
    }
    let optimised = bench.optimised();
    insta::assert_snapshot!("perceptron_before", bench.program.to_string());
    insta::assert_snapshot!("perceptron_after", optimised.to_string());
    // Two forward, three backward: both weights' gradients and the hidden layer's adjoint.
    assert_eq!(count(&optimised, "contract"), 5);
    // Nothing of three axes, and no scatter of the labels.
    assert_eq!(count(&optimised, "broadcast"), 0);
    let without = optimise(&bench.program, &["contraction"]).unwrap();
    assert_eq!(count(&without, "contract"), 0);
}

/// Clips at 1 from below or above, uses the result in a product, and the condition once more.
fn clipped(compare: Compare, bound_first: bool, clipped_if: bool, values: &[f64]) -> Bench {
    let mut bench = Bench::new();
    let (n, i, h) = (bench.axis("Example", 2), bench.axis("In", values.len()), bench.axis("Hidden", 3));
    let (x, weight) = (bench.input("x", &[n, i]), bench.input("weight", &[i, h]));
    *bench.store.get_mut(bench.program.inputs[0].slot) = Tensor::F64(values.repeat(2));
    let g = &mut bench.program.graph;
    let one = g.float(1.0).unwrap();
    let condition = match bound_first {
        true => g.compare(compare, one, x).unwrap(),
        false => g.compare(compare, x, one).unwrap(),
    };
    let result = match clipped_if {
        true => g.select(condition, one, x).unwrap(),
        false => g.select(condition, x, one).unwrap(),
    };
    let product = g.mul(result, weight).unwrap();
    let product = g.sum(product, &[i]).unwrap();
    let two = g.float(2.0).unwrap();
    let adjoint = g.select(condition, two, one).unwrap();
    bench.output("product", product);
    bench.output("adjoint", adjoint);
    bench
}

/// NaN and numbers at the bound too. Where what was clipped cannot be seen in the result, the condition stays.
#[test]
fn where_a_value_was_clipped_is_read_from_the_result() {
    let values = [-1.0, 0.5, 1.0, 1.5, f64::NAN, f64::INFINITY, f64::NEG_INFINITY];
    for (compare, clipped_if) in [(Compare::LessEqual, true), (Compare::Less, false)] {
        for bound_first in [false, true] {
            let bench = clipped(compare, bound_first, clipped_if, &values);
            // A product that is not a number says nothing about the condition, which is an output of its own.
            let optimised = bench.optimised();
            let select = NodeId(
                optimised.graph.nodes.iter().position(|node| node.op.name() == "select").unwrap() as u32,
            );
            let again: Vec<_> =
                optimised.graph.nodes.iter().filter(|node| node.operands.contains(&select)).collect();
            assert!(again.iter().any(|node| node.op == Op::Compare(compare)), "{optimised}");
        }
    }
    for (compare, clipped_if) in [(Compare::Less, true), (Compare::LessEqual, false), (Compare::Equal, true)]
    {
        let bench = clipped(compare, false, clipped_if, &values);
        let compares =
            bench.optimised().graph.nodes.iter().filter(|node| node.op == Op::Compare(compare)).count();
        assert_eq!(compares, 1);
    }
}

#[test]
fn attention_is_contractions() {
    let mut bench = Bench::new();
    let [n, t, s, d, head, key] = [("Example", 3), ("T", 6), ("S", 6), ("D", 8), ("Head", 2), ("Key", 4)]
        .map(|(name, size)| bench.axis(name, size));
    let x = bench.input("x", &[n, t, d]);
    let [query, key_weight, value, out] =
        ["query", "key", "value", "out"].map(|name| bench.input(name, &[d, head, key]));
    let g = &mut bench.program.graph;
    let attended = g.rename(x, t, s).unwrap();
    let mut project = |x: NodeId, w: NodeId| {
        let product = g.mul(x, w).unwrap();
        g.sum(product, &[d]).unwrap()
    };
    let (q, k, v) = (project(x, query), project(attended, key_weight), project(attended, value));
    let scores = g.mul(q, k).unwrap();
    let scores = g.sum(scores, &[key]).unwrap();
    let scores = g.scale(scores, 0.5).unwrap();
    let log = log_softmax(g, scores, s);
    let weights = g.exp(log).unwrap();
    let mixed = g.mul(weights, v).unwrap();
    let mixed = g.sum(mixed, &[s]).unwrap();
    let result = g.mul(mixed, out).unwrap();
    let result = g.sum(result, &[head, key]).unwrap();
    let square = g.mul(result, result).unwrap();
    let loss = g.mean(square, &[n, t, d]).unwrap();
    let gradients = g.gradient(loss, &[query, key_weight, value, out, x]).unwrap();
    bench.output("result", result);
    assert_eq!(count(&bench.optimised(), "contract"), 6);
    for (name, gradient) in ["query", "key", "value", "out", "x"].into_iter().zip(gradients) {
        bench.output(name, gradient);
    }
    let optimised = bench.optimised();
    assert_eq!(count(&optimised, "contract"), 18, "{optimised}");
    let cells = [n, t, s, head, key].iter().map(|axis| optimised.graph.axes.size(*axis)).product::<usize>();
    let largest = optimised.graph.nodes.iter().map(|node| optimised.graph.elements(&node.axes)).max();
    assert!(largest < Some(cells), "no product is stored");
}

#[test]
fn gram_matrices_chains_and_scales() {
    let mut bench = Bench::new();
    let [n, m, d, k] = [("N", 5), ("M", 5), ("D", 4), ("K", 3)].map(|(name, size)| bench.axis(name, size));
    let x = bench.input("x", &[n, d]);
    let (w, u) = (bench.input("w", &[d, k]), bench.input("u", &[m]));
    let g = &mut bench.program.graph;
    let renamed = g.rename(x, n, m).unwrap();
    let gram = g.mul(x, renamed).unwrap();
    let gram = g.sum(gram, &[d]).unwrap();
    // sum(x * w * 3 * u, [D, M]): u is summed alone, 3 goes outside, one contraction remains.
    let chain = g.mul(x, w).unwrap();
    let chain = g.scale(chain, 3.0).unwrap();
    let chain = g.mul(chain, u).unwrap();
    let chain = g.sum(chain, &[d, m]).unwrap();
    // A dot product and a norm are fused reductions, not contractions.
    let norm = g.mul(x, x).unwrap();
    let norm = g.sum(norm, &[d]).unwrap();
    bench.output("gram", gram);
    bench.output("chain", chain);
    bench.output("norm", norm);
    let optimised = bench.optimised();
    insta::assert_snapshot!("gram_chain_norm", optimised.to_string());
    assert_eq!(count(&optimised, "contract"), 2);
}

#[test]
fn literals_meet_and_constants_fold() {
    let mut bench = Bench::new();
    let n = bench.axis("N", 4);
    let x = bench.input("x", &[n]);
    let g = &mut bench.program.graph;
    let doubled = g.scale(x, 2.0).unwrap();
    let minus = g.neg(doubled).unwrap();
    let tripled = g.scale(minus, 3.0).unwrap();
    let one = g.float(1.0).unwrap();
    let more = g.plus(tripled, one).unwrap();
    let more = g.plus(more, one).unwrap();
    let more = g.plus(more, one).unwrap();
    let positions = g.iota(n).unwrap();
    let positions = g.cast(positions, Element::Float).unwrap();
    let powers = g.pow(x, positions).unwrap();
    let squares = g.mul(positions, positions).unwrap();
    let total = g.cumulative(Cumulative::Sum, squares, n, false).unwrap();
    let total = g.mul(total, x).unwrap();
    for (name, node) in [("more", more), ("powers", powers), ("total", total)] {
        bench.output(name, node);
    }
    let optimised = bench.optimised();
    insta::assert_snapshot!("literals", optimised.to_string());
    assert_eq!(count(&optimised, "cumulative_sum"), 0);
}

#[test]
fn a_convolution_with_its_gradients_is_three_contractions() {
    let mut bench = Bench::new();
    let sizes = [("N", 2), ("H", 6), ("W", 6), ("In", 2), ("Out", 3), ("P", 3), ("Q", 3), ("Y", 6), ("X", 6)];
    let [n, h, w, i, o, p, q, y, x] = sizes.map(|(name, size)| bench.axis(name, size));
    let image = bench.input("image", &[n, h, w, i]);
    let weight = bench.input("weight", &[p, q, i, o]);
    let g = &mut bench.program.graph;
    let window =
        |axis, output, kernel| Op::Window { axis, output, kernel, stride: 1, dilation: 1, before: 1 };
    let rows = g.window(window(h, y, p), image).unwrap();
    let windows = g.window(window(w, x, q), rows).unwrap();
    let product = g.mul(windows, weight).unwrap();
    let result = g.sum(product, &[p, q, i]).unwrap();
    let result = g.tanh(result).unwrap();
    let gradients = g.gradient(result, &[image, weight]).unwrap();
    for (name, node) in [("result", result), ("image", gradients[0]), ("weight", gradients[1])] {
        bench.output(name, node);
    }
    let optimised = bench.optimised();
    // The derivative by the image is a convolution: nothing is put back at places that overlap.
    assert_eq!((count(&optimised, "contract"), count(&optimised, "unwindow")), (3, 0));
}

/// Unrolled loops are long programs: every stage is linear, and none recurses along them.
#[test]
fn an_unrolled_recurrence_of_a_thousand_steps() {
    const STEPS: usize = 1000;
    let mut bench = Bench::new();
    let [t, h, k] = [("T", STEPS), ("H", 3), ("K", 3)].map(|(name, size)| bench.axis(name, size));
    let (x, w) = (bench.input("x", &[t, h]), bench.input("w", &[h, k]));
    let n = bench.axis("N", 2);
    let mut state = bench.input("state", &[n, h]);
    let g = &mut bench.program.graph;
    for step in 0..STEPS {
        let position = g.index(step as i32).unwrap();
        let here = g.gather(x, t, position).unwrap();
        let product = g.mul(state, w).unwrap();
        let next = g.sum(product, &[h]).unwrap();
        let next = g.rename(next, k, h).unwrap();
        let next = g.plus(next, here).unwrap();
        state = g.tanh(next).unwrap();
    }
    let gradients = g.gradient(state, &[w, x]).unwrap();
    bench.output("state", state);
    bench.output("gradient of w", gradients[0]);
    bench.output("gradient of x", gradients[1]);
    let optimised = optimise(&bench.program, &[]).unwrap();
    // The adjoint of the sequence is its steps' adjoints, joined.
    assert_eq!((count(&optimised, "scatter"), count(&optimised, "concat")), (0, 1));
    assert_eq!(count(&optimised, "contract"), 3 * STEPS - 1);
}

#[test]
fn pieces_are_joined() {
    let mut bench = Bench::new();
    let [t, two, n] = [("T", 7), ("Two", 2), ("N", 3)].map(|(name, size)| bench.axis(name, size));
    let x = bench.input("x", &[t, n]);
    let g = &mut bench.program.graph;
    // Positions 0 (twice), 2 and 3 (as a slice, twice) and 5; and all of them once.
    let mut loss = g.sin(x).and_then(|y| g.sum(y, &[t, n])).unwrap();
    for (at, weight) in [(0, 2.0), (5, 3.0), (0, 5.0)] {
        let position = g.index(at).unwrap();
        let here = g.gather(x, t, position).unwrap();
        let square = g.mul(here, here).unwrap();
        let square = g.scale(square, weight).unwrap();
        let sum = g.sum(square, &[n]).unwrap();
        loss = g.plus(loss, sum).unwrap();
    }
    let slice = g.slice(x, t, two, 2, 1).unwrap();
    for unary in [Unary::Exp, Unary::Tanh] {
        let y = g.unary(unary, slice).and_then(|y| g.sum(y, &[two, n])).unwrap();
        loss = g.plus(loss, y).unwrap();
    }
    let gradient = g.gradient(loss, &[x]).unwrap()[0];
    bench.output("gradient", gradient);
    let optimised = bench.optimised();
    assert_eq!((count(&optimised, "scatter"), count(&optimised, "pad")), (0, 0), "{optimised}");
    assert_eq!(count(&optimised, "concat"), 1);
}

#[test]
fn sums_of_moved_values_are_sums_of_the_values() {
    let mut bench = Bench::new();
    let sizes = [("A", 6), ("B", 2), ("C", 3), ("Long", 13), ("Short", 2), ("R", 6), ("Group", 4)];
    let [a, b, c, long, short, r, group] = sizes.map(|(name, size)| bench.axis(name, size));
    let x = bench.input("x", &[a, group]);
    let g = &mut bench.program.graph;
    let index = g.tensor(Tensor::Index(vec![0, 3, 1, 1, 0, 2]), &[a]).unwrap();
    let y = g.sum(x, &[group]).unwrap();
    let grid = g.unflatten(y, a, &[b, c]).unwrap();
    let padded = g.pad(y, a, long, 1, 2).unwrap();
    let groups = g.scatter(Reduction::Sum, y, index, &set(&[a]), group).unwrap();
    let renamed = g.rename(y, a, r).unwrap();
    let sums = [(grid, set(&[b, c])), (padded, set(&[long])), (groups, set(&[group])), (renamed, set(&[r]))];
    let sums = sums.map(|(x, axes)| g.sum(x, axes.as_slice()).unwrap());
    let slice = g.slice(y, a, c, 5, -2).unwrap();
    let slice = g.slice(slice, c, short, 2, -1).unwrap();
    bench.output("slice", slice);
    for sum in sums {
        bench.output("sum", sum);
    }
    let optimised = bench.optimised();
    // One sum over both axes, for all of them, and the one that the slices are taken of.
    assert_eq!((count(&optimised, "sum"), count(&optimised, "slice")), (2, 1), "{optimised}");
    for name in ["unflatten", "pad", "scatter", "rename"] {
        assert_eq!(count(&optimised, name), 0);
    }
}

#[test]
fn dead_inputs_keep_their_numbers() {
    let mut bench = Bench::new();
    let n = bench.axis("N", 4);
    let (unused, x) = (bench.input("unused", &[n]), bench.input("x", &[n]));
    bench.program.graph.exp(unused).unwrap();
    bench.output("x", x);
    let optimised = bench.optimised();
    assert_eq!(optimised.graph.nodes.len(), 1);
    assert_eq!(optimised.inputs.len(), 2);
}

/// A random program: each step applies an operation to earlier nodes.
fn random_bench(steps: &[(u8, u8, u8, u8)], keep_literal: bool) -> Bench {
    let mut bench = Bench::new();
    bench.program.graph.keep_literal = keep_literal;
    let axes = [("A", 2), ("B", 3), ("C", 2), ("D", 3)].map(|(name, size)| bench.axis(name, size));
    let mut nodes = vec![
        bench.input("x", &[axes[0], axes[1]]),
        bench.input("y", &[axes[1], axes[2]]),
        bench.input("z", &[axes[0], axes[3]]),
    ];
    let g = &mut bench.program.graph;
    for literal in [0.0, 1.0, -1.0, 2.0, 3.0] {
        nodes.push(g.float(literal).unwrap());
    }
    for (kind, left, right, axis) in steps {
        let pick = |at: &u8| nodes[*at as usize % nodes.len()];
        let (a, b) = (pick(left), pick(right));
        let axis = axes[*axis as usize % 4];
        let built = match kind % 20 {
            0..=2 => g.mul(a, b),
            3 => g.plus(a, b),
            4 => g.sub(a, b),
            5..=7 => {
                let some = g.node(a).axes.without(axis);
                g.sum(a, some.as_slice())
            }
            8 => g.sum(a, &[axis]),
            9 => g.neg(a),
            10 => g.unary([Unary::Tanh, Unary::Sin, Unary::Sigmoid][*right as usize % 3], a),
            11 => {
                let condition = g.less(a, b).unwrap();
                g.select(condition, a, b)
            }
            12 => g.broadcast(a, &set(&[axis])),
            13 => g.rename(a, axes[1], axes[3]),
            14 => g.binary([Binary::Max, Binary::Min, Binary::Multiply][*right as usize % 3], a, b),
            15 => g.reduce([Reduction::Max, Reduction::Min][*right as usize % 2], a, &[axis]),
            16 => g.div(a, b),
            17 => {
                let sum = g.exp(a).and_then(|exp| g.sum(exp, &[axis]));
                sum.and_then(|sum| g.log(sum))
            }
            18 => g.unary([Unary::Exp, Unary::Log, Unary::Log1p, Unary::Abs][*right as usize % 4], a),
            _ => g.reduce([Reduction::Max, Reduction::Min][*right as usize % 2], a, &[axis]),
        };
        // An axis that is not there: not a program.
        if let Ok(id) = built {
            nodes.push(id);
        }
    }
    let last = nodes[nodes.len() - 1];
    let gradients = bench.program.graph.gradient(last, &nodes[..3]).unwrap();
    bench.output("last", last);
    for (at, gradient) in gradients.into_iter().enumerate() {
        bench.output(&format!("gradient {at}"), gradient);
    }
    bench
}

/// Whether no value on the way is infinite, NaN or so large that the order of a sum shows.
fn is_moderate(bench: &Bench) -> bool {
    let values = reference::values(&bench.program, &bench.store).unwrap();
    values.iter().flat_map(|array| &array.values).all(|x| x.abs() < 1e4 && (x.abs() > 1e-6 || *x == 0.0))
}

proptest! {
    #[test]
    fn rewrites_keep_the_meaning(steps in prop::collection::vec(any::<(u8, u8, u8, u8)>(), 1..14)) {
        for keep_literal in [false, true] {
            let bench = random_bench(&steps, keep_literal);
            if is_moderate(&bench) {
                bench.optimised();
            }
        };
    }

    /// Simplifying as nodes are added does not change a value either.
    #[test]
    fn simplifications_keep_the_meaning(steps in prop::collection::vec(any::<(u8, u8, u8, u8)>(), 1..14)) {
        let (bench, literal) = (random_bench(&steps, false), random_bench(&steps, true));
        if !is_moderate(&literal) {
            return Ok(());
        }
        let context = format!("{}\n{}", bench.program, literal.program);
        let expected = outputs(&literal.program, &literal.store);
        for (found, expected) in outputs(&bench.program, &bench.store).iter().zip(expected) {
            assert_near(found, &expected, &context);
        }
    }
}

#[test]
fn verification_finds_what_is_broken() {
    let mut bench = Bench::new();
    let n = bench.axis("N", 4);
    let x = bench.input("x", &[n]);
    let y = bench.program.graph.exp(x).unwrap();
    bench.output("y", y);
    assert_eq!(verify(&bench.program), Ok(()));
    let mut wrong = bench.program.clone();
    wrong.graph.nodes[1].axes = AxisSet::new();
    assert!(verify(&wrong).is_err());
    let mut wrong = bench.program.clone();
    wrong.graph.nodes[1].operands[0] = y;
    assert!(verify(&wrong).is_err());
    let mut wrong = bench.program.clone();
    wrong.outputs.push(wrong.outputs[0].clone());
    assert!(verify(&wrong).is_err());
    let mut wrong = bench.program.clone();
    wrong.inputs[0].slot = Slot(9);
    wrong.inputs[0].layout.clear();
    assert!(verify(&wrong).is_err());
    let dot = bench.program.graph.dot();
    assert!(dot.starts_with("digraph") && dot.contains("exp"), "{dot}");
}
