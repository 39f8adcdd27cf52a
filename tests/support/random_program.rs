//! Random programs of well-typed nodes over a few small axes.

use ansatz::graph::{
    Axis, AxisSet, Binary, Compare, Cumulative, Element, Graph, Logic, NodeId, Op, Precision, Program,
    Reduction, Store, Tensor, Ties, Unary,
};
use ansatz::source::Span;

pub struct Generated {
    pub program: Program,
    pub store: Store,
}

/// A small generator of pseudo-random numbers (splitmix64).
pub struct Source(u64);

impl Source {
    pub fn new(seed: u64) -> Source {
        Source(seed)
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    pub fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound.max(1) as u64) as usize
    }

    pub fn pick<T: Clone>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())].clone()
    }

    pub fn number(&mut self) -> f64 {
        (self.next() >> 40) as f64 / (1u64 << 23) as f64 - 1.0
    }

    fn shuffled(&mut self, axes: &AxisSet) -> Vec<Axis> {
        let mut order: Vec<Axis> = axes.iter().collect();
        for at in (1..order.len()).rev() {
            order.swap(at, self.below(at + 1));
        }
        order
    }
}

const MOST_ELEMENTS: usize = 4000;

/// For evaluators that may round in another order.
pub fn generate(precision: Precision, seed: u64, nodes: usize) -> Generated {
    generated(precision, seed, nodes, false)
}

/// For evaluators that give the same bits: what jumps is applied to any value.
pub fn generate_for_bits(precision: Precision, seed: u64, nodes: usize) -> Generated {
    generated(precision, seed, nodes, true)
}

fn generated(precision: Precision, seed: u64, nodes: usize, same_bits: bool) -> Generated {
    let mut source = Source::new(seed);
    let mut program = Program::new(precision);
    program.graph.keep_literal = source.below(2) == 0;
    let sizes = [1, 2, 3, 3, 5, 7, 8, 4, 2, 9, 3, 5];
    let mut axes: Vec<Axis> = Vec::new();
    for at in 0..8 {
        let size = source.pick(&sizes);
        axes.push(program.graph.axes.add(format!("A{at}"), size));
    }
    if source.below(12) == 0 {
        axes.push(program.graph.axes.add("Empty", 0));
    }
    let mut store = Store::default();
    let mut values: Vec<NodeId> = Vec::new();
    for at in 0..5 {
        let count = source.below(4);
        let set: AxisSet = (0..count).map(|_| source.pick(&axes)).collect();
        let layout = source.shuffled(&set);
        let length: usize = layout.iter().map(|a| program.graph.axes.size(*a)).product();
        let element = if at == 4 { Element::Index } else { Element::Float };
        let tensor = match (element, source.below(4)) {
            (Element::Index, _) => Tensor::Index((0..length).map(|_| source.below(3) as i32).collect()),
            (_, 0) => Tensor::F64((0..length).map(|_| source.number()).collect()),
            _ => Tensor::F32((0..length).map(|_| source.number() as f32).collect()),
        };
        let slot = store.add(tensor);
        values.push(program.input(format!("x{at}"), element, &layout, slot));
    }
    while program.graph.nodes.len() < nodes + 5 {
        let before = program.graph.nodes.len();
        if let Some(id) = step(&mut source, &mut program.graph, &mut axes, &values, same_bits) {
            let node = program.graph.node(id);
            let elements: usize = node.axes.iter().map(|a| program.graph.axes.size(a)).product();
            if elements <= MOST_ELEMENTS && node.axes.len() <= 5 {
                values.push(id);
            }
        }
        // A node that is there already or ill-typed adds nothing; this ends all the same.
        if program.graph.nodes.len() == before && source.below(50) == 0 {
            break;
        }
    }
    // The last nodes, and some others.
    let mut chosen: Vec<NodeId> = values.iter().rev().take(3).copied().collect();
    chosen.push(source.pick(&values));
    chosen.dedup();
    for id in chosen {
        let layout = source.shuffled(&program.graph.node(id).axes.clone());
        // As wide as the program: rounding what is stored would make more of a last bit.
        let slot = store.add(match precision {
            Precision::Single => Tensor::F32(Vec::new()),
            Precision::Double => Tensor::F64(Vec::new()),
        });
        let _ = program.output("y", id, &layout, slot);
    }
    Generated { program, store }
}

/// What jumps where its operands are equal: to be applied to what every evaluator computes alike.
const COMPARE: usize = 7;
const JUMPS: usize = 22;

/// For each node, whether its value is rounded nowhere, so that numbers which are equal for one evaluator are so for all.
fn exact(graph: &Graph) -> Vec<bool> {
    let mut exact: Vec<bool> = Vec::new();
    for node in &graph.nodes {
        let keeps = match &node.op {
            Op::Unary(unary) => matches!(unary, Unary::Negate | Unary::Abs | Unary::Sign),
            Op::Binary(binary) => matches!(binary, Binary::Max | Binary::Min),
            Op::Reduce(reduction, _) => !matches!(reduction, Reduction::Sum | Reduction::Product),
            Op::Cumulative { kind, .. } => *kind == Cumulative::Max,
            Op::Contract { .. } | Op::Scatter { .. } | Op::Unwindow { .. } => false,
            _ => true,
        };
        exact.push(keeps && node.operands.iter().all(|id| exact[id.0 as usize]));
    }
    exact
}

fn step(
    source: &mut Source,
    graph: &mut Graph,
    axes: &mut Vec<Axis>,
    values: &[NodeId],
    same_bits: bool,
) -> Option<NodeId> {
    let of = |graph: &Graph, element: Element| -> Vec<NodeId> {
        values.iter().copied().filter(|id| graph.node(*id).element == element).collect()
    };
    let floats = of(graph, Element::Float);
    let indices = of(graph, Element::Index);
    let bools = of(graph, Element::Bool);
    let exact: Vec<NodeId> = {
        let is_exact = exact(graph);
        floats.iter().copied().filter(|id| same_bits || is_exact[id.0 as usize]).collect()
    };
    let kind = source.below(28);
    let jumps = matches!(kind, JUMPS | COMPARE);
    let x = source.pick(if jumps { &exact } else { &floats });
    let y = source.pick(if jumps { &exact } else { &floats });
    let set = graph.node(x).axes.clone();
    let own: Vec<Axis> = set.iter().collect();
    let axis = if own.is_empty() { axes[0] } else { source.pick(&own) };
    let some: AxisSet = own.iter().copied().filter(|_| source.below(2) == 0).collect();
    let size = graph.axes.size(axis);
    let new_axis = |graph: &mut Graph, axes: &mut Vec<Axis>, size: usize| {
        let axis = graph.axes.add("N", size);
        axes.push(axis);
        axis
    };
    let span = Span::default();
    let (op, operands): (Op, Vec<NodeId>) = match kind {
        0..=2 => {
            let unary = source.pick(&[
                Unary::Negate,
                Unary::Exp,
                Unary::Sin,
                Unary::Cos,
                Unary::Tanh,
                Unary::Erf,
                Unary::Sigmoid,
                Unary::Abs,
                Unary::Sign,
                Unary::Floor,
                Unary::Expm1,
            ]);
            // What could grow without bound is applied to what cannot.
            let x = if matches!(unary, Unary::Exp | Unary::Expm1 | Unary::Sin | Unary::Cos) {
                graph.add(Op::Unary(Unary::Tanh), &[x], span).ok()?
            } else if unary == Unary::Floor {
                return graph.add(Op::Stop, &[x], span).ok();
            } else if unary == Unary::Sign {
                source.pick(&exact)
            } else {
                x
            };
            (Op::Unary(unary), vec![x])
        }
        3..=5 => {
            let binary =
                source.pick(&[Binary::Add, Binary::Subtract, Binary::Multiply, Binary::Max, Binary::Min]);
            (Op::Binary(binary), vec![x, y])
        }
        6 => {
            let two = graph.float(2.0).ok()?;
            (Op::Binary(Binary::Power), vec![x, two])
        }
        COMPARE => (Op::Compare(source.pick(&[Compare::Less, Compare::LessEqual])), vec![x, y]),
        8 if !bools.is_empty() => {
            let (a, b) = (source.pick(&bools), source.pick(&bools));
            (Op::Logic(source.pick(&[Logic::And, Logic::Or])), vec![a, b])
        }
        9 if !bools.is_empty() => (Op::Select, vec![source.pick(&bools), x, y]),
        10 if !bools.is_empty() => (Op::Cast(Element::Float), vec![source.pick(&bools)]),
        11 if !bools.is_empty() => {
            let b = source.pick(&bools);
            let some = graph.node(b).axes.iter().filter(|_| source.below(2) == 0).collect();
            (Op::Reduce(source.pick(&[Reduction::All, Reduction::Any]), some), vec![b])
        }
        12 | 13 => {
            (Op::Reduce(source.pick(&[Reduction::Sum, Reduction::Max, Reduction::Min]), some), vec![x])
        }
        14 | 15 => {
            let shared = set.intersection(&graph.node(y).axes);
            let over = shared.iter().filter(|_| source.below(3) > 0).collect();
            (Op::Contract { axes: over, factors: None }, vec![x, y])
        }
        16 => (Op::Rename { from: axis, to: new_axis(graph, axes, size) }, vec![x]),
        17 if size > 0 => {
            let start = source.below(size);
            let (step, most) = if source.below(3) == 0 { (-1, start + 1) } else { (1, size - start) };
            let into = new_axis(graph, axes, 1 + source.below(most));
            (Op::Slice { axis, into, start, step }, vec![x])
        }
        18 => {
            let step = 1 + source.below(2) as isize;
            let before = source.below(3) as isize;
            let needed = (before + (size as isize - 1).max(0) * step + 1) as usize + source.below(3);
            let into = new_axis(graph, axes, needed);
            (Op::Pad { axis, into, before, step }, vec![x])
        }
        19 => {
            let theirs: Vec<Axis> = graph.node(y).axes.iter().collect();
            let other = if theirs.is_empty() { axis } else { source.pick(&theirs) };
            let total = size + graph.axes.size(other);
            let into = new_axis(graph, axes, total);
            (Op::Concat { axes: vec![axis, other], into }, vec![x, y])
        }
        20 if size > 1 => {
            let (stride, dilation, before) = (1 + source.below(2), 1 + source.below(2), source.below(2));
            let (outputs, width) = (1 + source.below(size), 1 + source.below(3));
            let output = new_axis(graph, axes, outputs);
            let kernel = new_axis(graph, axes, width);
            let windows = Op::Window { axis, output, kernel, stride, dilation, before };
            let id = graph.add(windows, &[x], span).ok()?;
            if source.below(2) == 0 {
                return Some(id);
            }
            let back = new_axis(graph, axes, size);
            (Op::Unwindow { axis: back, output, kernel, stride, dilation, before }, vec![id])
        }
        21 if own.len() > 1 => {
            let group: Vec<Axis> = source.shuffled(&set).into_iter().take(2).collect();
            let total = group.iter().map(|a| graph.axes.size(*a)).product();
            let into = new_axis(graph, axes, total);
            let id = graph.add(Op::Flatten { axes: group.clone(), into }, &[x], span).ok()?;
            if source.below(2) == 0 {
                return Some(id);
            }
            let parts: Vec<Axis> = group
                .iter()
                .map(|a| graph.axes.size(*a))
                .collect::<Vec<_>>()
                .into_iter()
                .map(|s| new_axis(graph, axes, s))
                .collect();
            (Op::Unflatten { axis: into, into: parts }, vec![id])
        }
        JUMPS => match source.below(3) {
            0 => (Op::ArgReduce { axis, smallest: source.below(2) == 0 }, vec![x]),
            1 => (Op::ArgSort { axis, descending: source.below(2) == 0 }, vec![x]),
            _ => (
                Op::Rank { axis, ties: source.pick(&[Ties::Average, Ties::Min, Ties::Max, Ties::First]) },
                vec![x],
            ),
        },
        26 => {
            let kind = source.pick(&[Cumulative::Sum, Cumulative::Max]);
            (Op::Cumulative { kind, axis, reverse: source.below(2) == 0 }, vec![x])
        }
        23 | 24 if !indices.is_empty() => (Op::Gather { axis }, vec![x, source.pick(&indices)]),
        25 if !indices.is_empty() => {
            let index = source.pick(&indices);
            let reduction =
                source.pick(&[Reduction::Sum, Reduction::Max, Reduction::Min, Reduction::Product]);
            let other = source.pick(&floats);
            let x = match reduction {
                // Infinity times what has become zero would depend on the order.
                Reduction::Product => graph.add(Op::Unary(Unary::Sigmoid), &[x], span).ok()?,
                _ => graph.add(Op::Binary(Binary::Multiply), &[x, other], span).ok()?,
            };
            let both = graph.node(index).axes.clone();
            let missing = both.minus(&graph.node(x).axes);
            let x = graph.add(Op::Broadcast(missing), &[x], span).ok()?;
            let over = both.iter().filter(|_| source.below(2) == 0).collect();
            let into = new_axis(graph, axes, 3);
            (Op::Scatter { over, into, reduction }, vec![x, index])
        }
        _ => {
            let (seed, step) = (graph.index(source.below(100) as i32).ok()?, graph.index(7).ok()?);
            (Op::Random { site: source.below(9) as u32, order: own }, vec![seed, step])
        }
    };
    graph.add(op, &operands, span).ok()
}
