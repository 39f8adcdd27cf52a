//! Every derivative rule against central differences of the reference meaning, first and second order.

use ansatz::graph::{
    Axis, AxisSet, Binary, Body, Check, Cumulative, Element, Graph, InputId, Loop, Matrix, NodeId, Op,
    Precision, Program, Reduction, Special, Store, Take, Tensor, Triangle, Type, TypeError, Unary, reference,
    unit,
};
use ansatz::random::philox;
use proptest::prelude::*;

type Built = Result<NodeId, TypeError>;
type Build = Box<dyn Fn(&mut Graph, NodeId, NodeId, &Axes) -> Built>;

/// A function of x (Float[A, B]) and y (Float[B, C]), with values of both in a range.
struct Case {
    name: String,
    range: (f64, f64),
    /// Whether central differences of the gradient are to be trusted: not where it jumps.
    second: bool,
    build: Build,
}

/// Sizes 3, 2, 4.
struct Axes {
    a: Axis,
    b: Axis,
    c: Axis,
}

fn case(
    name: impl Into<String>,
    range: (f64, f64),
    second: bool,
    build: impl Fn(&mut Graph, NodeId, NodeId, &Axes) -> Built + 'static,
) -> Case {
    Case { name: name.into(), range, second, build: Box::new(build) }
}

/// Those whose derivative is what differences approach. A rounding's is not: see `half_precision.rs`.
fn differentiable() -> impl Iterator<Item = Unary> {
    Unary::ALL.into_iter().filter(|unary| !matches!(unary, Unary::Round(_)))
}

fn unary_cases() -> Vec<Case> {
    differentiable()
        .map(|unary| {
            let range = match unary {
                Unary::Log | Unary::Sqrt | Unary::Reciprocal | Unary::LogGamma => (0.3, 3.0),
                Unary::Digamma => (-0.9, 3.0),
                Unary::Log1p => (-0.6, 2.0),
                Unary::NormalQuantile => (0.1, 0.9),
                _ => (-2.0, 2.0),
            };
            let second = !matches!(unary, Unary::Digamma | Unary::Abs | Unary::Sign | Unary::Floor);
            case(unary.name(), range, second, move |g, x, _, _| g.unary(unary, x))
        })
        .collect()
}

fn binary_cases() -> Vec<Case> {
    let mut cases: Vec<Case> = Binary::ALL
        .into_iter()
        .map(|binary| {
            let second = !matches!(binary, Binary::Max | Binary::Min | Binary::Remainder);
            // A remainder jumps where the quotient is whole: in this range only where both are equal, and no two values are.
            let range = if binary == Binary::Remainder { (1.1, 2.0) } else { (0.4, 2.0) };
            case(binary.name(), range, second, move |g, x, y, _| g.binary(binary, x, y))
        })
        .collect();
    for exponent in [-2.0, 0.5, 1.0, 2.0, 3.0, 4.0] {
        let range = if exponent == 0.5 || exponent < 0.0 { (0.3, 2.0) } else { (-2.0, 2.0) };
        cases.push(case(format!("power {exponent}"), range, true, move |g, x, _, _| {
            let exponent = g.float(exponent)?;
            g.pow(x, exponent)
        }));
    }
    cases
}

fn reduction_cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for reduction in [Reduction::Sum, Reduction::Product, Reduction::Max, Reduction::Min] {
        let smooth = matches!(reduction, Reduction::Sum | Reduction::Product);
        cases.push(case(format!("reduce {reduction:?}"), (-1.5, 1.5), smooth, move |g, x, _, axes| {
            g.reduce(reduction, x, &[axes.a, axes.b])
        }));
        cases.push(case(format!("scatter {reduction:?}"), (0.3, 1.5), smooth, move |g, x, _, axes| {
            let index = g.tensor(Tensor::Index(vec![2, 0, 2]), &[axes.a])?;
            let over = AxisSet::new().with(axes.a);
            let groups = g.scatter(reduction, x, index, &over, axes.c)?;
            // Empty groups are infinite for max and min: left out.
            let full = g.tensor(Tensor::Index(vec![2, 0]), &[axes.a].map(|_| axes.b))?;
            g.gather(groups, axes.c, full)
        }));
    }
    for kind in [Cumulative::Sum, Cumulative::Product, Cumulative::Max] {
        for reverse in [false, true] {
            let smooth = kind != Cumulative::Max;
            cases.push(case(
                format!("cumulative {kind:?} {reverse}"),
                (-1.5, 1.5),
                smooth,
                move |g, x, _, axes| g.cumulative(kind, x, axes.a, reverse),
            ));
        }
    }
    cases
}

fn shape_cases() -> Vec<Case> {
    let wide = (-2.0, 2.0);
    vec![
        case("select", wide, true, |g, x, y, _| {
            let zero = g.float(0.0)?;
            let condition = g.less(zero, x)?;
            g.select(condition, x, y)
        }),
        case("broadcast", wide, true, |g, x, _, axes| g.broadcast(x, &AxisSet::new().with(axes.c))),
        case("rename", wide, true, |g, x, y, axes| {
            let d = g.axes.add("D", 3);
            let renamed = g.rename(x, axes.a, d)?;
            let product = g.mul(x, renamed)?;
            g.mul(product, y)
        }),
        case("flatten", wide, true, |g, x, _, axes| {
            let flat = g.axes.add("Flat", 6);
            g.flatten(x, &[axes.b, axes.a], flat)
        }),
        case("unflatten", wide, true, |g, _, y, axes| {
            let (d, e) = (g.axes.add("D", 2), g.axes.add("E", 2));
            g.unflatten(y, axes.c, &[d, e])
        }),
        case("gather", wide, true, |g, x, _, axes| {
            let index = g.tensor(Tensor::Index(vec![2, 0, 2, 1]), &[axes.c])?;
            g.gather(x, axes.a, index)
        }),
        case("gather aligned", wide, true, |g, x, _, axes| {
            let index = g.tensor(Tensor::Index(vec![1, 0, 1]), &[axes.a])?;
            g.gather(x, axes.b, index)
        }),
        case("sort", wide, false, |g, x, _, axes| g.sort(x, axes.a, false)),
        case("slice", wide, true, |g, _, y, axes| {
            let short = g.axes.add("Short", 2);
            g.slice(y, axes.c, short, 3, -2)
        }),
        case("pad", wide, true, |g, x, _, axes| {
            let long = g.axes.add("Long", 7);
            g.pad(x, axes.a, long, 1, 2)
        }),
        case("concat", wide, true, |g, x, y, axes| {
            let long = g.axes.add("Long", 9);
            let mean = g.mean(x, &[axes.b])?;
            g.concat(&[(mean, axes.a), (y, axes.c), (y, axes.b)], long)
        }),
        case("scan", wide, true, |g, x, y, axes| scan(g, x, y, axes, false)),
        case("scan from the end", wide, true, |g, x, y, axes| scan(g, x, y, axes, true)),
        case("check", wide, true, |g, x, _, _| {
            let yes = g.tensor(Tensor::Bool(vec![1]), &[])?;
            g.check(x, yes, Check { message: String::new(), help: String::new(), span: Default::default() })
        }),
        case("contract", wide, true, |g, x, y, axes| g.contract(x, y, &AxisSet::new().with(axes.b))),
        case("contract of own axes", wide, true, |g, x, y, axes| {
            g.contract(x, y, &[axes.a, axes.b, axes.c][..].into())
        }),
        case("log softmax", wide, true, |g, x, _, axes| {
            let largest = g.reduce(Reduction::Max, x, &[axes.a])?;
            let largest = g.stop(largest)?;
            let x = g.sub(x, largest)?;
            let exp = g.exp(x)?;
            let sum = g.sum(exp, &[axes.a])?;
            let log = g.log(sum)?;
            g.sub(x, log)
        }),
    ]
}

/// h := tanh(h s + sum(x_t y)), s := s + h's sum / 4, along A: the product of both in every round, and s at the end.
fn scan(g: &mut Graph, x: NodeId, y: NodeId, axes: &Axes, reverse: bool) -> Built {
    let float = |axes: &[Axis]| Type::new(Element::Float, axes.into());
    let inputs = vec![
        float(&[axes.c]),
        float(&[]),
        float(&[axes.b]),
        float(&[axes.b, axes.c]),
        Type::new(Element::Index, AxisSet::new()),
    ];
    let mut b = Graph::new();
    b.axes = g.axes.clone();
    let nodes: Vec<NodeId> =
        (0..).zip(&inputs).map(|(k, ty)| b.input(InputId(k), ty.element, ty.axes.clone())).collect();
    let [h, s, x_t, all, round] = nodes[..] else { panic!("five inputs") };
    let kept = b.mul(h, s)?;
    let seen = b.mul(x_t, all)?;
    let seen = b.sum(seen, &[axes.b])?;
    let mixed = b.plus(kept, seen)?;
    let next = b.tanh(mixed)?;
    let total = b.mean(next, &[axes.c])?;
    let number = b.cast(round, Element::Float)?;
    let total = b.mul(total, number)?;
    let after = b.plus(s, total)?;
    let made = b.mul(next, after)?;
    let body = Loop {
        graph: b,
        rounds: 3,
        reverse,
        next: vec![next, after],
        sliced: vec![axes.a],
        inputs,
        done: None,
    };
    let body = Body(std::sync::Arc::new(body));
    let start = g.reduce(Reduction::Sum, y, &[axes.b])?;
    let one = g.float(0.5)?;
    let operands = [start, one, x, y];
    let every = Op::Scan { body: body.clone(), take: Take::Every { node: made, axis: axes.a } };
    let every = g.add(every, &operands, Default::default())?;
    let last = g.add(Op::Scan { body, take: Take::Last(1) }, &operands, Default::default())?;
    g.mul(every, last)
}

fn window_cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for (stride, dilation, before) in [(1, 1, 0), (1, 1, 1), (2, 1, 1), (1, 2, 2)] {
        let name = format!("window {stride} {dilation} {before}");
        cases.push(case(name.clone(), (-2.0, 2.0), true, move |g, _, y, axes| {
            let (output, kernel) = (g.axes.add("O", 3), g.axes.add("K", 2));
            g.window(Op::Window { axis: axes.c, output, kernel, stride, dilation, before }, y)
        }));
        cases.push(case(format!("un{name}"), (-2.0, 2.0), true, move |g, x, _, axes| {
            let axis = g.axes.add("X", 5);
            let (output, kernel) = (axes.a, axes.b);
            g.window(Op::Unwindow { axis, output, kernel, stride, dilation, before }, x)
        }));
    }
    cases
}

/// x x' + diag(1, 2, 3) over A and the returned axis.
fn symmetric(g: &mut Graph, x: NodeId, axes: &Axes) -> Result<(NodeId, Axis), TypeError> {
    let d = g.axes.add("D", 3);
    let mirrored = g.rename(x, axes.a, d)?;
    let product = g.mul(x, mirrored)?;
    let gram = g.sum(product, &[axes.b])?;
    let (row, column) = (g.iota(axes.a)?, g.iota(d)?);
    let here = g.equal(row, column)?;
    let (size, one, zero) = (g.cast(row, Element::Float)?, g.float(1.0)?, g.float(0.0)?);
    let size = g.plus(size, one)?;
    let diagonal = g.select(here, size, zero)?;
    Ok((g.plus(gram, diagonal)?, d))
}

fn linear_algebra_cases() -> Vec<Case> {
    let wide = (-1.0, 1.0);
    let mut cases = vec![
        case("cholesky", wide, true, |g, x, _, axes| {
            let (s, d) = symmetric(g, x, axes)?;
            g.matrix(Matrix::Cholesky, &[s], [axes.a, d], &[])
        }),
        case("eigh", wide, true, |g, x, _, axes| {
            let (s, d) = symmetric(g, x, axes)?;
            let (k, part) = (g.axes.add("K", 3), g.axes.add("P", 4));
            g.matrix(Matrix::Eigen, &[s], [axes.a, d], &[k, part])
        }),
        case("svd", wide, true, |g, x, _, axes| {
            let (k, part) = (g.axes.add("K", 2), g.axes.add("P", 6));
            g.matrix(Matrix::Singular, &[x], [axes.a, axes.b], &[k, part])
        }),
        case("svd of a wide matrix", wide, true, |g, _, y, axes| {
            let (k, part) = (g.axes.add("K", 2), g.axes.add("P", 7));
            g.matrix(Matrix::Singular, &[y], [axes.b, axes.c], &[k, part])
        }),
        case("qr", wide, true, |g, x, _, axes| {
            let (k, part) = (g.axes.add("K", 2), g.axes.add("P", 5));
            g.matrix(Matrix::Orthogonal, &[x], [axes.a, axes.b], &[k, part])
        }),
    ];
    for triangle in [Triangle::Whole, Triangle::Lower, Triangle::Upper] {
        cases.push(case(Matrix::Solve(triangle).name(), wide, true, move |g, x, _, axes| {
            let (s, d) = symmetric(g, x, axes)?;
            let slope = g.mean(x, &[axes.b])?;
            let a = g.plus(s, slope)?;
            g.matrix(Matrix::Solve(triangle), &[a, x], [axes.a, d], &[])
        }));
    }
    // Densities: the derivatives of distribution functions by x.
    cases.push(case("beta_incomplete", (0.1, 0.9), true, |g, x, _, _| {
        let (a, b) = (g.float(2.5)?, g.float(1.5)?);
        g.special(Special::BetaIncomplete, [a, b, x])
    }));
    cases.push(case("gamma_incomplete", (0.3, 3.0), true, |g, x, _, _| {
        let a = g.float(1.7)?;
        g.special(Special::GammaIncomplete, [a, x, x])
    }));
    cases
}

fn cases() -> Vec<Case> {
    [unary_cases(), binary_cases(), reduction_cases(), shape_cases(), window_cases(), linear_algebra_cases()]
        .into_iter()
        .flatten()
        .collect()
}

/// Values in the range, in random order and no two near each other, so that no kink lies between differences.
fn values(seed: u32, (low, high): (f64, f64)) -> (Vec<f64>, Vec<f64>) {
    const COUNT: usize = 14;
    let random = |stream: u32, item: usize| unit(philox([seed, stream], [item as u32, 0, 0, 0])[0]);
    let mut strata: Vec<usize> = (0..COUNT).collect();
    strata.sort_by(|a, b| random(0, *a).total_cmp(&random(0, *b)));
    let value = |at: &usize| low + (high - low) * (*at as f64 + 0.3 + 0.4 * random(1, *at)) / COUNT as f64;
    let all: Vec<f64> = strata.iter().map(value).collect();
    (all[..6].to_vec(), all[6..].to_vec())
}

/// A scalar with a random weight for every element of `x`.
fn weighted_sum(g: &mut Graph, x: NodeId, stream: u32) -> Built {
    let axes = g.node(x).axes.clone();
    let weights =
        (0..g.elements(&axes) as u32).map(|item| unit(philox([7, stream], [item, 0, 0, 0])[0]) - 0.3);
    let weights = g.tensor(Tensor::F64(weights.collect()), axes.as_slice())?;
    let product = g.mul(x, weights)?;
    g.sum(product, axes.as_slice())
}

/// The gradient of a scalar by the elements of both inputs is what central differences say, of two steps: what is left of a step's square
/// cancels. Where singular values are near each other, it would count.
fn check(program: &Program, store: &Store, scalar: NodeId, gradients: &[NodeId], name: &str) {
    let step = 1e-5;
    let found = reference::values(program, store).unwrap();
    for (input, gradient) in program.inputs.iter().zip(gradients) {
        let found = &found[gradient.0 as usize].values;
        for (at, found) in found.iter().enumerate() {
            let moved = |by: f64| {
                let mut store = store.clone();
                if let Tensor::F64(values) = store.get_mut(input.slot) {
                    values[at] += by;
                }
                reference::value_of(program, &store, scalar).unwrap()[0]
            };
            let difference = |step: f64| (moved(step) - moved(-step)) / (2.0 * step);
            let expected = (4.0 * difference(step / 2.0) - difference(step)) / 3.0;
            let error = (found - expected).abs();
            assert!(
                error <= 2e-5 * (1.0 + expected.abs()),
                "{name}: {} at {at}: the rule gives {found}, differences give {expected}",
                input.name
            );
        }
    }
}

fn run(case: &Case, seed: u32, keep_literal: bool) {
    let mut program = Program::new(Precision::Double);
    program.graph.keep_literal = keep_literal;
    let mut store = Store::default();
    let axes = Axes {
        a: program.graph.axes.add("A", 3),
        b: program.graph.axes.add("B", 2),
        c: program.graph.axes.add("C", 4),
    };
    let (x, y) = values(seed, case.range);
    let slots = (store.add(Tensor::F64(x)), store.add(Tensor::F64(y)));
    let x = program.input("x", Element::Float, &[axes.a, axes.b], slots.0);
    let y = program.input("y", Element::Float, &[axes.b, axes.c], slots.1);
    let g = &mut program.graph;
    let output = (case.build)(g, x, y, &axes).unwrap();
    let loss = weighted_sum(g, output, 1).unwrap();
    let first = g.gradient(loss, &[x, y]).unwrap();
    let moment = weighted_sum(g, first[0], 2).unwrap();
    let other = weighted_sum(g, first[1], 3).unwrap();
    let moment = g.plus(moment, other).unwrap();
    let second = g.gradient(moment, &[x, y]).unwrap();
    for (gradient, wrt) in first.iter().chain(&second).zip([x, y, x, y]) {
        assert_eq!(program.graph.node(*gradient).axes, program.graph.node(wrt).axes, "{}", case.name);
    }
    check(&program, &store, loss, &first, &case.name);
    if case.second {
        check(&program, &store, moment, &second, &format!("second order of {}", case.name));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 6, ..ProptestConfig::default() })]

    #[test]
    fn every_rule_agrees_with_differences(seed: u32) {
        for case in cases() {
            run(&case, seed, false);
        }
    }

    #[test]
    fn and_so_it_does_without_simplifications(seed: u32) {
        for case in cases() {
            run(&case, seed, true);
        }
    }
}

/// The cases cover every operation that declares a derivative.
#[test]
fn every_differentiable_operation_has_a_case() {
    let mut covered = std::collections::BTreeSet::new();
    for case in cases() {
        let mut g = Graph::new();
        g.keep_literal = true;
        let axes = Axes { a: g.axes.add("A", 3), b: g.axes.add("B", 2), c: g.axes.add("C", 4) };
        let x = g.input(ansatz::graph::InputId(0), Element::Float, [axes.a, axes.b][..].into());
        let y = g.input(ansatz::graph::InputId(1), Element::Float, [axes.b, axes.c][..].into());
        (case.build)(&mut g, x, y, &axes).unwrap();
        covered.extend(g.nodes.iter().filter(|n| n.element == Element::Float).map(|node| node.op.name()));
    }
    let unary: Vec<Op> = differentiable().map(Op::Unary).collect();
    let binary = Binary::ALL.map(Op::Binary);
    let named = [
        "reduce_max",
        "reduce_min",
        "product",
        "sum",
        "select",
        "broadcast",
        "rename",
        "gather",
        "scatter",
        "slice",
        "pad",
        "concat",
        "window",
        "unwindow",
        "flatten",
        "unflatten",
        "cumulative_sum",
        "cumulative_product",
        "cumulative_max",
        "contract",
        "check",
        "cholesky",
        "solve",
        "solve_lower",
        "solve_upper",
        "eigh",
        "svd",
        "qr",
        "beta_incomplete",
        "gamma_incomplete",
    ];
    for name in unary.iter().chain(&binary).map(Op::name).chain(named) {
        assert!(covered.contains(name), "no case for {name}");
    }
}

/// Where values are equal the extreme's adjoint is shared, and products are right at zero.
#[test]
fn ties_and_zeros() {
    let mut program = Program::new(Precision::Double);
    let mut store = Store::default();
    let a = program.graph.axes.add("A", 4);
    let slot = store.add(Tensor::F64(vec![2.0, 0.0, 2.0, 0.0]));
    let x = program.input("x", Element::Float, &[a], slot);
    let g = &mut program.graph;
    let largest = g.reduce(Reduction::Max, x, &[a]).unwrap();
    let zero = g.float(0.0).unwrap();
    let relu = g.max(x, zero).unwrap();
    let square = g.float(2.0).unwrap();
    let square = g.pow(x, square).unwrap();
    let power = g.pow(x, relu).unwrap();
    let gradients = [largest, relu, square, power].map(|y| g.gradient(y, &[x]).unwrap()[0]);
    let shifted = g.index(1).unwrap();
    let picked = g.gather(x, a, shifted).unwrap();
    let rest = g.exp(picked).unwrap();
    assert!(g.depends_on(rest, x) && g.differentiably_depends_on(rest, x));
    let found = reference::values(&program, &store).unwrap();
    let found = gradients.map(|id| found[id.0 as usize].values.clone());
    assert_eq!(found[0], [0.5, 0.0, 0.5, 0.0]);
    assert_eq!(found[1], [1.0, 0.5, 1.0, 0.5]);
    assert_eq!(found[2], [4.0, 0.0, 4.0, 0.0]);
    assert!(found[3].iter().all(|x| x.is_finite()), "{:?}", found[3]);
}

/// The slope by the divisor is the quotient without its fraction, of either sign.
#[test]
fn remainders_of_larger_quotients() {
    let mut program = Program::new(Precision::Double);
    let mut store = Store::default();
    let a = program.graph.axes.add("A", 4);
    let dividends = store.add(Tensor::F64(vec![7.5, -7.5, 0.5, 7.5]));
    let divisors = store.add(Tensor::F64(vec![2.0, 2.0, 2.0, -2.0]));
    let x = program.input("x", Element::Float, &[a], dividends);
    let y = program.input("y", Element::Float, &[a], divisors);
    let rest = program.graph.binary(Binary::Remainder, x, y).unwrap();
    let gradients = program.graph.gradient(rest, &[x, y]).unwrap();
    let found = reference::values(&program, &store).unwrap();
    let found = |id: NodeId| found[id.0 as usize].values.clone();
    assert_eq!(found(rest), [1.5, 0.5, 0.5, -0.5]);
    assert_eq!(found(gradients[0]), [1.0; 4]);
    assert_eq!(found(gradients[1]), [-3.0, 4.0, 0.0, 4.0]);
}

/// Products of several zeros have the derivative that differences give, to second order.
#[test]
fn products_with_zeros() {
    for (values, kind) in [
        (vec![0.0, 0.7, 0.0, -1.2], true),
        (vec![0.0, 0.7, 0.5, -1.2], true),
        (vec![0.0, 0.7, 0.0, 2.0], false),
    ] {
        let mut program = Program::new(Precision::Double);
        let mut store = Store::default();
        let (a, b) = (program.graph.axes.add("A", 2), program.graph.axes.add("B", 2));
        let slot = store.add(Tensor::F64(values));
        let x = program.input("x", Element::Float, &[a, b], slot);
        let g = &mut program.graph;
        let y = if kind {
            g.reduce(Reduction::Product, x, &[a, b]).unwrap()
        } else {
            let c = g.axes.add("C", 4);
            let flat = g.flatten(x, &[a, b], c).unwrap();
            g.cumulative(Cumulative::Product, flat, c, false).unwrap()
        };
        let loss = weighted_sum(g, y, 1).unwrap();
        let first = g.gradient(loss, &[x]).unwrap();
        let moment = weighted_sum(g, first[0], 2).unwrap();
        let second = g.gradient(moment, &[x]).unwrap();
        check(&program, &store, loss, &first, "product");
        check(&program, &store, moment, &second, "second order of product");
    }
}

#[test]
fn nothing_flows_through_stop_and_indices() {
    let mut program = Program::new(Precision::Double);
    let a = program.graph.axes.add("A", 4);
    let x = program.input("x", Element::Float, &[a], ansatz::graph::Slot(0));
    let g = &mut program.graph;
    let stopped = g.stop(x).unwrap();
    let order = g.argsort(x, a, true).unwrap();
    let order = g.cast(order, Element::Float).unwrap();
    let floor = g.floor(x).unwrap();
    for y in [stopped, order, floor] {
        assert!(g.depends_on(y, x) && !g.differentiably_depends_on(y, x));
        let gradient = g.gradient(y, &[x]).unwrap()[0];
        assert_eq!(g.node(gradient).op, Op::Broadcast(AxisSet::new().with(a)));
    }
}

/// Values in the middle of a graph, literals and broadcasts are differentiated by as variables.
#[test]
fn variables_are_not_simplified_away() {
    let mut program = Program::new(Precision::Double);
    let mut store = Store::default();
    let a = program.graph.axes.add("A", 2);
    let slot = store.add(Tensor::F64(vec![3.0, 5.0]));
    let x = program.input("x", Element::Float, &[a], slot);
    let g = &mut program.graph;
    let minus = g.neg(x).unwrap();
    let minus = g.variable(minus);
    let two = g.float(2.0).unwrap();
    let (two, other) = (g.variable(two), g.variable(two));
    let wide = g.broadcast(two, &AxisSet::new().with(a)).unwrap();
    let wide = g.variable(wide);
    let first = g.mul(wide, minus).unwrap();
    let first = g.neg(first).unwrap();
    let square = g.mul(two, other).unwrap();
    let y = g.plus(first, square).unwrap();
    let gradients = g.gradient(y, &[x, minus, two, other, wide]).unwrap();
    for (at, gradient) in gradients.iter().enumerate() {
        let axes: Vec<Axis> = program.graph.node(*gradient).axes.iter().collect();
        let slot = store.add(Tensor::F64(vec![]));
        program.output(format!("{at}"), *gradient, &axes, slot).unwrap();
    }
    // y = sum(wide * x + two * other), where wide is two along A.
    let expected = [vec![2.0, 2.0], vec![-2.0, -2.0], vec![12.0], vec![4.0], vec![3.0, 5.0]];
    let optimised = ansatz::graph::optimise(&program, &[]).unwrap();
    for program in [&program, &optimised] {
        let mut store = store.clone();
        reference::evaluate(program, &mut store).unwrap();
        for (output, expected) in program.outputs.iter().zip(&expected) {
            assert_eq!(&store.get(output.slot).to_f64(), expected, "{}", output.name);
        }
    }
    assert!(optimised.graph.nodes.iter().all(|node| node.op != Op::Broadcast(AxisSet::new())));
}
