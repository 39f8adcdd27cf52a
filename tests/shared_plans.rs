//! Trials that differ only in what their slots hold have one program, and share its plan; that changes nothing of their results.

use std::collections::BTreeMap;

use ansatz::check;
use ansatz::graph::{Precision, Program, Slot, Tensor};
use ansatz::run::{self, Options, Silent};
use ansatz::source::Memory;

/// With a loop, whose body is made anew for every trial.
const RECURRENT: &str = "use std.nn (Gru)
use std.optim (adam)

data made over Row = 48 {
  y: Float ~ normal(0, 1)
}

experiment recurrent {
  vary Scale = [0.5, 2]
  vary Seed = 3
  split made into train 50%, test 50%
  axis T = 8, In = 2, H = 4
  let net = Gru[T, In, H]()
  train on made.train {
    batch 8 over Row
    steps 6
    let x: Float[Row, T, In] ~ normal(0, 1)
    minimize mean((mean(net.last(x), H) - Scale * y)^2, Row) over net with adam(lr = 1e-2)
  }
  on made.test {
    measure error = mean(abs(y - mean(net.last(zeros[T, In]), H)), Row)
  }
  claim \"it runs\": all(mean(error, Seed) < 100, Scale)
}
";

fn step(options: &Options) -> Program {
    let checked = check::check("e.anz", RECURRENT);
    let program = checked.program.expect("the file is right");
    let world = Memory { files: BTreeMap::new() };
    let experiment = run::experiments(&program)[0];
    let step = run::first_step(&program, experiment, &world, options).unwrap();
    step.expect("it trains").program
}

/// The errors of all trials, by bits.
fn errors(threads: usize, options: &Options) -> Vec<u64> {
    let checked = check::check("e.anz", RECURRENT);
    let program = checked.program.expect("the file is right");
    let world = Memory { files: BTreeMap::new() };
    let experiment = run::experiments(&program)[0];
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    let results = pool
        .install(|| run::run(&program, experiment, &checked.sources, &world, options, None, &Silent))
        .unwrap();
    let error = results.measures.iter().find(|measure| measure.name == "error").expect("the measure");
    error.values.iter().map(|value| value.to_bits()).collect()
}

#[test]
fn a_seed_is_a_value_of_a_slot() {
    let programs: Vec<Program> = (0..2).map(|seed| step(&Options { seed, ..Options::default() })).collect();
    assert!(programs[0].is_same_as(&programs[1]));
    assert_eq!(programs[0].fingerprint(), programs[1].fingerprint());
}

#[test]
fn a_number_of_the_text_is_part_of_the_program() {
    let of = |scale| Options { settings: vec![("Scale".to_owned(), scale)], ..Options::default() };
    assert!(!step(&of(0.5)).is_same_as(&step(&of(2.0))));
    assert!(step(&of(2.0)).is_same_as(&step(&of(2.0))));
}

/// 0 and -0 are equal, and no reciprocals of them are.
#[test]
fn arrays_are_compared_by_their_bits() {
    let of = |zero: f32| {
        let mut program = Program::new(Precision::Single);
        let axis = program.graph.axes.add("A", 2);
        let node = program.graph.tensor(Tensor::F32(vec![zero, 1.0]), &[axis]).unwrap();
        program.output("y", node, &[axis], Slot(0)).unwrap();
        program
    };
    assert!(of(0.0).is_same_as(&of(0.0)));
    assert!(!of(0.0).is_same_as(&of(-0.0)));
}

#[test]
fn sharing_changes_no_bit() {
    let options = Options::default();
    let all = errors(1, &options);
    assert_eq!(all.len(), 6);
    assert_eq!(all, errors(3, &options), "three threads");
    // Alone, a trial plans its own programs.
    for (at, scale) in [0.5, 2.0].into_iter().enumerate() {
        let alone =
            Options { seeds: Some(1), settings: vec![("Scale".to_owned(), scale)], ..Options::default() };
        assert_eq!(errors(1, &alone), [all[3 * at]], "{scale}");
    }
    assert_ne!(all[0], all[1]);
}
