//! How long it takes from the text of an experiment to the plan of its training step, stage by stage.
//!
//! `elaborate` holds all that comes before the step is a graph: the data, and drawing the parameters, whose programs are compiled
//! and run. The step is differentiated there, too; `differentiate` is this part alone.

use std::path::Path;

use ansatz::check;
use ansatz::check::program::Program;
use ansatz::graph::elaborate::StepProgram;
use ansatz::graph::passes::optimise;
use ansatz::graph::{self, Graph, NodeId, Op, Slot};
use ansatz::plan::{Plan, PlanOptions, plan};
use ansatz::run::{self, Options};
use ansatz::source::Disk;
use divan::{Bencher, black_box};

/// What is compiled, relative to the package.
const FILES: [&str; 2] = ["experiments/quickstart.anz", "benches/transformer.anz"];

fn main() {
    divan::main();
}

fn text(file: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).unwrap()
}

fn checked(file: &str, text: &str) -> Program {
    check::check(file, text).program.expect("the file is right")
}

fn elaborated(file: &str, program: &Program) -> StepProgram {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(file).parent().unwrap().to_path_buf();
    let world = Disk { roots: vec![folder] };
    let experiment = run::experiments(program)[0];
    run::first_step(program, experiment, &world, &Options::default()).unwrap().expect("it trains something")
}

fn step(file: &str) -> StepProgram {
    elaborated(file, &checked(file, &text(file)))
}

fn planned(program: &graph::Program) -> Plan {
    plan(program, &PlanOptions::default()).unwrap()
}

#[divan::bench(args = FILES)]
fn check(bencher: Bencher, file: &str) {
    let text = text(file);
    bencher.bench_local(|| checked(file, black_box(&text)));
}

#[divan::bench(args = FILES)]
fn elaborate(bencher: Bencher, file: &str) {
    let program = checked(file, &text(file));
    bencher.bench_local(|| elaborated(file, black_box(&program)));
}

#[divan::bench(args = FILES)]
fn differentiate(bencher: Bencher, file: &str) {
    let (graph, loss, parameters) = loss(&step(file));
    bencher
        .with_inputs(|| graph.clone())
        .bench_local_refs(|graph| graph.gradient(loss, &parameters).unwrap());
}

#[divan::bench(args = FILES)]
fn rewrite(bencher: Bencher, file: &str) {
    let step = step(file);
    bencher.bench_local(|| optimise(black_box(&step.program), &[]).unwrap());
}

#[divan::bench(args = FILES)]
fn plan_kernels(bencher: Bencher, file: &str) {
    let program = optimise(&step(file).program, &[]).unwrap();
    bencher.bench_local(|| planned(black_box(&program)));
}

#[divan::bench(args = FILES)]
fn all(bencher: Bencher, file: &str) {
    let text = text(file);
    bencher.bench_local(|| {
        let program = checked(file, black_box(&text));
        let step = elaborated(file, &program);
        planned(&optimise(&step.program, &[]).unwrap())
    });
}

/// The forward part of a step, its first term, and the parameters that the block trains.
fn loss(step: &StepProgram) -> (Graph, NodeId, Vec<NodeId>) {
    let program = &step.program;
    let written = |slot: Slot| program.outputs.iter().find(|output| output.slot == slot).unwrap().node;
    let loss = written(step.terms[0].slot);
    let mut graph = program.graph.clone();
    graph.truncate(loss.0 as usize + 1);
    let is_parameter = |node: &graph::Node| match node.op {
        Op::Input(input) => {
            let slot = program.inputs[input.0 as usize].slot;
            step.parameters.iter().any(|parameter| parameter.slot == slot)
        }
        _ => false,
    };
    let numbered = graph.nodes.iter().enumerate();
    let parameters =
        numbered.filter(|(_, node)| is_parameter(node)).map(|(at, _)| NodeId(at as u32)).collect();
    (graph, loss, parameters)
}
