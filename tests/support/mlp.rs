//! One training step of a perceptron, as a program: 64-128-128-10, ReLU, softmax cross-entropy, Adam, batches of 64
//! gathered inside the step.

use ansatz::graph::{
    Axis, AxisSet, Binary, Element, Graph, NodeId, Precision, Program, Slot, Store, Tensor, TypeError, Unary,
};

use super::random_program::Source;

pub struct Mlp {
    pub program: Program,
    pub store: Store,
    pub loss: Slot,
    pub parameters: Vec<Slot>,
}

/// Rows of the data, and batches that are drawn beforehand.
const ROWS: usize = 1437;
const BATCHES: usize = 22;

pub fn mlp(batch: usize, widths: &[usize]) -> Result<Mlp, TypeError> {
    let mut source = Source::new(1);
    let mut store = Store::default();
    let mut program = Program::new(Precision::Single);
    let axes = &mut program.graph.axes;
    let row = axes.add("Row", ROWS);
    let step_axis = axes.add("Step", BATCHES);
    let example = axes.add("Example", batch);
    let layers: Vec<Axis> = widths.iter().enumerate().map(|(at, n)| axes.add(format!("L{at}"), *n)).collect();
    let (first, class) = (layers[0], layers[layers.len() - 1]);
    let (features, classes) = (widths[0], widths[widths.len() - 1]);

    let data = store.add(Tensor::F32((0..ROWS * features).map(|_| source.number() as f32).collect()));
    let labels = store.add(Tensor::Index((0..ROWS).map(|_| source.below(classes) as i32).collect()));
    let order = store.add(Tensor::Index((0..BATCHES * batch).map(|_| source.below(ROWS) as i32).collect()));
    let counter = store.add(Tensor::Index(vec![0]));
    let x = program.input("x", Element::Float, &[row, first], data);
    let y = program.input("y", Element::Index, &[row], labels);
    let order = program.input("order", Element::Index, &[step_axis, example], order);
    let t = program.input("t", Element::Index, &[], counter);

    let mut parameters: Vec<(NodeId, Vec<Axis>, Slot)> = Vec::new();
    for pair in layers.windows(2).zip(widths.windows(2)) {
        let (axes, sizes) = pair;
        let scale = (1.0 / sizes[0] as f64).sqrt();
        let weight = (0..sizes[0] * sizes[1]).map(|_| (source.number() * scale) as f32).collect();
        for (name, layout, values) in
            [("weight", axes.to_vec(), weight), ("bias", vec![axes[1]], vec![0.0; sizes[1]])]
        {
            let slot = store.add(Tensor::F32(values));
            parameters.push((program.input(name, Element::Float, &layout, slot), layout, slot));
        }
    }
    let mut moments = Vec::new();
    for (_, layout, slot) in &parameters {
        let zeros = Tensor::F32(vec![0.0; store.get(*slot).len()]);
        let (m, v) = (store.add(zeros.clone()), store.add(zeros));
        let inputs = [m, v].map(|slot| program.input("moment", Element::Float, layout, slot));
        moments.push((inputs, [m, v]));
    }

    let g = &mut program.graph;
    let modulus = g.index(BATCHES as i32)?;
    let now = g.binary(Binary::Remainder, t, modulus)?;
    let rows = g.gather(order, step_axis, now)?;
    let (x, y) = (g.gather(x, row, rows)?, g.gather(y, row, rows)?);
    let mut h = x;
    for at in 0..widths.len() - 1 {
        let (weight, bias) = (parameters[2 * at].0, parameters[2 * at + 1].0);
        let product = g.contract(h, weight, &AxisSet::from(&layers[at..=at]))?;
        h = g.binary(Binary::Add, product, bias)?;
        if at + 2 < widths.len() {
            let zero = g.float(0.0)?;
            h = g.binary(Binary::Max, h, zero)?;
        }
    }
    let loss = cross_entropy(g, h, y, class, example)?;
    let nodes: Vec<NodeId> = parameters.iter().map(|(node, ..)| *node).collect();
    let gradients = g.gradient(loss, &nodes)?;

    let one = g.index(1)?;
    let next = g.binary(Binary::Add, t, one)?;
    let time = g.cast(next, Element::Float)?;
    let corrections = [0.9, 0.999].map(|beta| -> Result<NodeId, TypeError> {
        let (beta, one) = (g.float(beta)?, g.float(1.0)?);
        let power = g.binary(Binary::Power, beta, time)?;
        g.binary(Binary::Subtract, one, power)
    });
    let [first_correction, second_correction] = corrections;
    let (first_correction, second_correction) = (first_correction?, second_correction?);
    for (((node, layout, slot), gradient), (inputs, slots)) in parameters.iter().zip(&gradients).zip(&moments)
    {
        let g = &mut program.graph;
        let square = g.binary(Binary::Multiply, *gradient, *gradient)?;
        let m = average(g, inputs[0], *gradient, 0.9)?;
        let v = average(g, inputs[1], square, 0.999)?;
        let (mean, variance) =
            (g.binary(Binary::Divide, m, first_correction)?, g.binary(Binary::Divide, v, second_correction)?);
        let (rate, small) = (g.float(1e-3)?, g.float(1e-8)?);
        let root = g.unary(Unary::Sqrt, variance)?;
        let below = g.binary(Binary::Add, root, small)?;
        let change = g.binary(Binary::Multiply, rate, mean)?;
        let change = g.binary(Binary::Divide, change, below)?;
        let moved = g.binary(Binary::Subtract, *node, change)?;
        program.output("parameter", moved, layout, *slot)?;
        program.output("m", m, layout, slots[0])?;
        program.output("v", v, layout, slots[1])?;
    }
    let loss_slot = store.add(Tensor::F32(vec![0.0]));
    program.output("loss", loss, &[], loss_slot)?;
    program.output("t", next, &[], counter)?;
    let parameters = parameters.into_iter().map(|(.., slot)| slot).collect();
    Ok(Mlp { program, store, loss: loss_slot, parameters })
}

fn average(g: &mut Graph, old: NodeId, new: NodeId, beta: f64) -> Result<NodeId, TypeError> {
    let (keep, take) = (g.float(beta)?, g.float(1.0 - beta)?);
    let (kept, taken) = (g.binary(Binary::Multiply, keep, old)?, g.binary(Binary::Multiply, take, new)?);
    g.binary(Binary::Add, kept, taken)
}

fn cross_entropy(
    g: &mut Graph,
    logits: NodeId,
    label: NodeId,
    class: Axis,
    example: Axis,
) -> Result<NodeId, TypeError> {
    let largest = g.reduce(ansatz::graph::Reduction::Max, logits, &[class])?;
    let largest = g.stop(largest)?;
    let shifted = g.binary(Binary::Subtract, logits, largest)?;
    let exponentials = g.unary(Unary::Exp, shifted)?;
    let total = g.sum(exponentials, &[class])?;
    let logarithm = g.unary(Unary::Log, total)?;
    let said = g.gather(shifted, class, label)?;
    let loss = g.binary(Binary::Subtract, logarithm, said)?;
    g.mean(loss, &[example])
}
