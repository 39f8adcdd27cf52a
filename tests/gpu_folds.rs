//! Folds that a device shares between many units: long sums into few numbers, contractions that are cut along what they contract,
//! gradients of lookups. The order of their sums is the device's own; the values are the processor's.
#![cfg(feature = "gpu")]

mod support;

use ansatz::backend::cpu;
use ansatz::graph::{Axis, Element, NodeId, Precision, Program, Slot, Store, Tensor, optimise, unit};
use ansatz::plan::{PlanOptions, plan};
use ansatz::random::philox;
use support::gpu;

struct Built {
    program: Program,
    store: Store,
    outputs: Vec<(&'static str, Slot)>,
}

impl Built {
    fn new() -> Self {
        Built { program: Program::new(Precision::Single), store: Store::default(), outputs: Vec::new() }
    }

    fn axis(&mut self, name: &str, size: usize) -> Axis {
        self.program.graph.axes.add(name, size)
    }

    fn floats(&mut self, layout: &[Axis]) -> NodeId {
        let size: usize = layout.iter().map(|axis| self.program.graph.axes.size(*axis)).product();
        let stream = self.store.len() as u32;
        let value = |item| unit(philox([5, stream], [item, 0, 0, 0])[0]) as f32 - 0.5;
        let slot = self.store.add(Tensor::F32((0..size as u32).map(value).collect()));
        self.program.input("x", Element::Float, layout, slot)
    }

    fn indices(&mut self, layout: &[Axis], below: usize) -> NodeId {
        let size: usize = layout.iter().map(|axis| self.program.graph.axes.size(*axis)).product();
        let stream = self.store.len() as u32;
        let value = |item| (philox([6, stream], [item, 0, 0, 0])[0] as usize % below) as i32;
        let slot = self.store.add(Tensor::Index((0..size as u32).map(value).collect()));
        self.program.input("i", Element::Index, layout, slot)
    }

    fn output(&mut self, name: &'static str, node: NodeId, layout: &[Axis]) {
        let slot = self.store.add(Tensor::F32(vec![]));
        self.program.output(name, node, layout, slot).unwrap();
        self.outputs.push((name, slot));
    }

    fn product(&mut self, a: NodeId, b: NodeId, over: &[Axis]) -> NodeId {
        let product = self.program.graph.mul(a, b).unwrap();
        self.program.graph.sum(product, over).unwrap()
    }

    /// Compares what the processor and the device compute, by the norms of the arrays; the device twice, to the bit.
    fn compare(self) {
        let Some(device) = gpu::device() else { return };
        let program = optimise(&self.program, &[]).unwrap();
        let run = |on_device: bool| {
            let options = PlanOptions { launches: on_device, ..PlanOptions::default() };
            let plan = plan(&program, &options).unwrap();
            let mut store = self.store.clone();
            let mut executable = if on_device { device.prepare(plan) } else { cpu::prepare(plan, &options) };
            executable.run(&mut store).unwrap();
            self.outputs.iter().map(|(_, slot)| store.get(*slot).to_f64()).collect::<Vec<_>>()
        };
        let (host, found, again) = (run(false), run(true), run(true));
        assert_eq!(found, again, "the same bits twice");
        for ((name, _), (host, found)) in self.outputs.iter().zip(host.iter().zip(&found)) {
            assert_eq!(host.len(), found.len());
            let norm = |values: &mut dyn Iterator<Item = f64>| values.map(|x| x * x).sum::<f64>().sqrt();
            let apart =
                norm(&mut host.iter().zip(found).map(|(a, b)| a - b)) / norm(&mut host.iter().copied());
            assert!(apart < 1e-5, "{name}: {apart:e} apart");
        }
    }
}

#[test]
fn long_sums_into_few_numbers() {
    let mut b = Built::new();
    let (rows, columns, few) = (b.axis("Row", 600), b.axis("Column", 96), b.axis("Few", 5));
    let x = b.floats(&[rows, few, columns]);
    let y = b.floats(&[rows, few, columns]);
    let square = b.program.graph.mul(x, x).unwrap();
    let whole = b.program.graph.sum(square, &[rows, few, columns]).unwrap();
    b.output("a sum of 288000", whole, &[]);
    let each = b.program.graph.sum(square, &[rows, columns]).unwrap();
    b.output("5 sums of 57600", each, &[few]);
    let columnwise = b.program.graph.sum(square, &[rows, few]).unwrap();
    b.output("96 sums of 3000", columnwise, &[columns]);
    let other = b.program.graph.mul(y, y).unwrap();
    let whole = b.product(square, other, &[rows, few, columns]);
    b.output("an inner product", whole, &[]);
    b.compare();
}

#[test]
fn contractions_cut_along_what_they_contract() {
    let mut b = Built::new();
    let (image, place, tap) = (b.axis("Image", 12), b.axis("Place", 180), b.axis("Tap", 3));
    let (inside, outside) = (b.axis("In", 40), b.axis("Out", 72));
    // As the gradient of a convolution: images and places cannot be one loop.
    let x = b.floats(&[image, tap, place, inside]);
    let y = b.floats(&[place, image, outside]);
    let weight = b.product(x, y, &[image, place]);
    b.output("dense", weight, &[tap, inside, outside]);
    b.output("across", weight, &[outside, tap, inside]);
    // Few results of a long contraction, and a product that fills no tile.
    let thin = b.axis("Thin", 2);
    let z = b.floats(&[place, thin, image]);
    let few = b.product(y, z, &[place, image]);
    b.output("thin", few, &[thin, outside]);
    b.compare();
}

#[test]
fn large_tiles() {
    let mut b = Built::new();
    let [m, n, k] = [("M", 200), ("N", 328), ("K", 2080)].map(|(name, size)| b.axis(name, size));
    let x = b.floats(&[m, k]);
    let y = b.floats(&[k, n]);
    let product = b.product(x, y, &[k]);
    b.output("product", product, &[m, n]);
    let z = b.floats(&[n, k]);
    let product = b.product(x, z, &[k]);
    b.output("of a factor that lies across", product, &[m, n]);
    b.compare();
}

#[test]
fn gradients_of_lookups() {
    let mut b = Built::new();
    let (word, size) = (b.axis("Word", 50), b.axis("Size", 24));
    let (text, place) = (b.axis("Text", 40), b.axis("Place", 30));
    let table = b.floats(&[word, size]);
    let index = b.indices(&[text, place], 50);
    let weight = b.floats(&[text, place, size]);
    let found = b.program.graph.gather(table, word, index).unwrap();
    let weighted = b.program.graph.mul(found, weight).unwrap();
    let total = b.program.graph.sum(weighted, &[text, place, size]).unwrap();
    let gradient = b.program.graph.gradient(total, &[table]).unwrap()[0];
    b.output("gradient", gradient, &[word, size]);
    b.compare();
}
