//! Trials side by side, as one program, have the bits that each has alone: of plans, and of whole experiments.

mod support;

use std::collections::BTreeMap;

use ansatz::backend::cpu;
use ansatz::check;
use ansatz::graph::{Op, Precision, Program, Slot, Store, Tensor};
use ansatz::plan::{PlanOptions, Stack, plan_stacked};
use ansatz::run::{self, Options, Silent};
use ansatz::source::Memory;
use proptest::prelude::*;
use support::random_program::{Generated, generate_for_bits};

/// The slots of a program, with whether a trial may have numbers of its own there.
fn slots(program: &Program, seed: u64) -> BTreeMap<Slot, bool> {
    let written = |slot| program.outputs.iter().any(|output| output.slot == slot);
    let inputs = program.inputs.iter().map(|input| input.slot);
    let own = |slot: Slot| written(slot) || (seed.rotate_left(slot.0)) & 3 != 0;
    inputs.chain(program.outputs.iter().map(|output| output.slot)).map(|slot| (slot, own(slot))).collect()
}

/// The store of another trial: numbers are moved where they may differ.
fn of_trial(store: &Store, slots: &BTreeMap<Slot, bool>, trial: usize) -> Store {
    let mut store = store.clone();
    for (slot, _) in slots.iter().filter(|(_, is_own)| **is_own) {
        if let Tensor::F32(values) = store.get_mut(*slot) {
            values.iter_mut().for_each(|value| *value += 0.37 * trial as f32 * (1.0 + *value));
        }
    }
    store
}

fn bits(tensor: &Tensor) -> Vec<u64> {
    tensor.to_f64().into_iter().map(|x| if x.is_nan() { u64::MAX } else { x.to_bits() }).collect()
}

/// The program of another trial: its numbers are others.
fn with_other_numbers(program: &Program, number: usize) -> Program {
    let mut program = program.clone();
    for node in &mut program.graph.nodes {
        if let Op::Float(bits) = &mut node.op {
            let value = f64::from_bits(*bits);
            *bits = (value + 0.25 * number as f64 * (1.0 + value.abs())).to_bits();
        }
    }
    program
}

/// Whether the programs could be stacked; all trials are compared. Trial i has program i, modulo their number.
fn agree(programs: &[Program], store: &Store, seed: u64, trials: usize) -> Option<bool> {
    let program = &programs[0];
    let slots = slots(program, seed);
    let stores: Vec<Store> = (0..trials).map(|trial| of_trial(store, &slots, trial)).collect();
    let own: Vec<usize> = (0..trials).map(|trial| trial % programs.len()).collect();
    let options = PlanOptions::default();
    let mut alone = stores.clone();
    for (store, own) in alone.iter_mut().zip(&own) {
        cpu::compile(&programs[*own], &options).expect("a plan").run(store).ok()?;
    }
    let is_shared = |slot| !slots.get(&slot).copied().unwrap_or(true);
    let stack = Stack { programs: &own, is_shared: &is_shared };
    let Some(plan) = plan_stacked(programs, &options, stack).expect("a plan") else { return Some(false) };
    let mut all = Store::default();
    for number in 0..store.len() as u32 {
        let parts: Vec<&Tensor> = stores.iter().map(|store| store.get(Slot(number))).collect();
        let is_own = slots.get(&Slot(number)).copied().unwrap_or(true);
        all.add(if is_own { Tensor::joined(&parts).expect("one kind") } else { parts[0].clone() });
    }
    cpu::prepare(plan, &options).run(&mut all).expect("no trial failed alone");
    for output in &program.outputs {
        let expected: Vec<u64> = alone.iter().flat_map(|store| bits(store.get(output.slot))).collect();
        assert_eq!(bits(all.get(output.slot)), expected, "{} of {trials} trials", output.name);
    }
    Some(true)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn stacked_programs_have_the_same_bits(seed in any::<u64>(), nodes in 1usize..40, trials in 2usize..7) {
        let Generated { program, store } = generate_for_bits(Precision::Single, seed, nodes);
        agree(&[program], &store, seed, trials);
    }

    #[test]
    fn programs_with_other_numbers_have_the_same_bits(
        seed in any::<u64>(), nodes in 1usize..40, trials in 2usize..7, kinds in 2usize..4,
    ) {
        let Generated { program, store } = generate_for_bits(Precision::Single, seed, nodes);
        let programs: Vec<Program> = (0..kinds).map(|number| with_other_numbers(&program, number)).collect();
        agree(&programs, &store, seed, trials);
    }
}

/// Else the test above would compare nothing.
#[test]
fn enough_random_programs_can_be_stacked() {
    let stacked = (0..100u64).filter(|seed| {
        let Generated { program, store } = generate_for_bits(Precision::Single, *seed, 20);
        agree(&[program], &store, *seed, 3) == Some(true)
    });
    let count = stacked.count();
    assert!(count >= 20, "{count} of 100");
    let others = (0..100u64).filter(|seed| {
        let Generated { program, store } = generate_for_bits(Precision::Single, *seed, 20);
        let other = with_other_numbers(&program, 1);
        !other.is_same_as(&program) && agree(&[program, other], &store, *seed, 3) == Some(true)
    });
    let count = others.count();
    assert!(count >= 5, "{count} of 100 with other numbers");
}

const LEARNS: &str = "use std.optim (adam)

axis In = 4

data made over Row = 48 {
  x: Float[In] ~ normal(0, 1)
  target: Float ~ normal(0, 1)
}

experiment learns {
  vary Scale = [0.5, 2]
  vary Seed = 5
  split made into train 50%, test 50%
  axis Hidden = 4
  param inner: Float[In, Hidden] ~ normal(0, 1)
  param outer: Float[Hidden] ~ normal(0, 1)
  train on made.train {
    batch 8 over Row
    steps 50
    let y = sum(tanh(sum(x * inner, In)) * outer, Hidden)
    minimize mean((y - target * Scale)^2, Row) over inner, outer with adam(lr = RATE)
    EVERY
  }
  train on made.train {
    steps 16
    let y = sum(tanh(sum(x * inner, In)) * outer, Hidden)
    minimize mean(abs(y - target), Row) over inner, outer with adam(lr = 1e-2)
  }
  on made.test {
    measure error = mean((sum(tanh(sum(x * inner, In)) * outer, Hidden) - target)^2, Row)
  }
  allow divergence
  claim \"it runs\": all(mean(error, Seed) < 1000, Scale)
}
";

/// What a run found.
#[derive(Debug, PartialEq)]
struct Found {
    /// Every measure, by bits.
    measures: Vec<(String, Vec<u64>)>,
    courses: String,
    diverged: usize,
}

/// What a run finds, and how many train blocks went side by side.
fn outcome(text: &str, unstacked: bool, threads: usize) -> (usize, Found) {
    let checked = check::check("e.anz", text);
    let program = checked.program.unwrap_or_else(|| panic!("{:?}", checked.diagnostics));
    let world = Memory { files: BTreeMap::new() };
    let experiment = run::experiments(&program)[0];
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    let options = Options { unstacked, ..Options::default() };
    let results = pool
        .install(|| run::run(&program, experiment, &checked.sources, &world, &options, None, &Silent))
        .unwrap();
    let bits = |values: &[f64]| values.iter().map(|value| value.to_bits()).collect();
    let measures = results.measures.iter().map(|m| (m.name.clone(), bits(&m.values))).collect();
    let courses = format!("{:?}", results.training);
    (results.times.together, Found { measures, courses, diverged: results.diverged.len() })
}

/// Alone and side by side, with one thread and with two.
fn same(text: &str) -> usize {
    compared(text).0
}

fn compared(text: &str) -> (usize, Found) {
    let (none, alone) = outcome(text, true, 1);
    assert_eq!(none, 0);
    let (together, found) = outcome(text, false, 1);
    assert_eq!(found, alone);
    let (_, found) = outcome(text, false, 2);
    assert_eq!(found, alone, "with two threads");
    (together, alone)
}

fn learns(rate: &str, every: &str) -> String {
    LEARNS.replace("RATE", rate).replace("EVERY", every)
}

#[test]
fn seeds_go_side_by_side() {
    assert_eq!(same(&learns("1e-2", "")), 20, "ten trials, two blocks each");
}

#[test]
fn numbers_go_side_by_side() {
    let text = learns("1e-2", "")
        .replace("[0.5, 2]", "[0.5, 2, 3]")
        .replace("  vary Seed = 5\n", "")
        .replace("mean(error, Seed)", "error");
    assert_eq!(same(&text), 6, "three trials, two blocks each");
}

#[test]
fn numbers_that_make_other_programs_go_apart() {
    // An axis of another size, and a number that leaves something out.
    let text = learns("1e-2", "")
        .replace("axis Hidden = 4", "axis Hidden = 4 * Scale")
        .replace("[0.5, 2]", "[1, 2]");
    assert_eq!(same(&text), 20, "five trials at a time");
    let text = learns("1e-2", "").replace("[0.5, 2]", "[0, 2, 3]");
    assert_eq!(same(&text), 30, "five trials, and ten");
}

#[test]
fn what_looks_at_a_trial_sees_its_own_numbers() {
    let every = "every 7 { on made.test { record course = mean((sum(tanh(sum(x * inner, In)) * outer, Hidden) - target)^2, Row) } }";
    assert_eq!(same(&learns("1e-2", every)), 20);
}

#[test]
fn what_looks_at_the_last_batch_sees_that_of_its_trial() {
    let every = "every 7 { record course = mean(abs(y), Row)\n    record wanted = sum(target, Row) }";
    assert_eq!(same(&learns("1e-2", every)), 20);
}

#[test]
fn rows_that_no_step_reads_do_no_harm() {
    let (before, after) =
        ("mean((y - target * Scale)^2, Row) over inner, ", "sum((outer - Scale)^2, Hidden) over ");
    let text = learns("1e-2", "").replace(before, after);
    assert!(text.contains(after));
    assert!(same(&text) >= 10);
}

#[test]
fn a_trial_that_stops_leaves_the_others() {
    let every = "every 5 { on made.test { record course = mean((sum(tanh(sum(x * inner, In)) * outer, Hidden) - target)^2, Row) } }";
    let (together, found) = compared(&learns("3e-2", &format!("{every}\n    stop when course < 1.4")));
    assert_eq!(together, 20);
    let (_, to_the_end) = compared(&learns("3e-2", every));
    let error = |found: &Found| found.measures.iter().find(|(name, _)| name == "error").unwrap().1.clone();
    let stopped = error(&found).iter().zip(error(&to_the_end)).filter(|(a, b)| **a != *b).count();
    assert!((1..10).contains(&stopped), "{stopped} of 10 stopped before the end");
}

#[test]
fn a_trial_that_diverges_leaves_the_others() {
    // Some draws have no logarithm.
    let (before, after) = (
        "minimize mean((y - target * Scale)^2, Row)",
        "minimize mean((y - target * Scale)^2, Row) - log(mean(outer, Hidden) + 0.3)",
    );
    let text = learns("1e-2", "").replace(before, after);
    assert!(text.contains(after));
    let (together, found) = compared(&text);
    assert!(together > 0);
    assert!((1..10).contains(&found.diverged), "{} of 10 diverged", found.diverged);
}

#[test]
fn what_follows_every_step_goes_alone() {
    assert_eq!(same(&learns("1e-2", "record course = mean(abs(y), Row)")), 10, "the second block");
}
