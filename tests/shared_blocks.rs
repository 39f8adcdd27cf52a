//! A train block that does not depend on an arm is trained once for all arms; that changes nothing of the results.

use std::collections::BTreeMap;
use std::sync::Mutex;

use ansatz::check;
use ansatz::run::{self, Observer, Options};
use ansatz::source::Memory;

/// A network is trained to be `target`, then to be what the arm and the number say.
const FINE_TUNED: &str = "use std.optim (adam)

axis In = 4

data made over Row = 48 {
  x: Float[In] ~ normal(0, 1)
  target: Float ~ normal(0, 1)
}

experiment fine_tuned {
  vary Method = { up, down }
  vary Scale = [0.5, 2]
  vary Seed = 2
  let unused = match Method { up => 1, down => -1 }
  axis Hidden = 4
  param inner: Float[In, Hidden] ~ normal(0, 1)
  param outer: Float[Hidden] ~ normal(0, 1)
  train on made {
    batch 8 over Row
    steps 48
    let y = sum(tanh(sum(x * inner, In)) * outer, Hidden)
    minimize mean((y - target TWICE)^2, Row) over inner, outer with adam(lr = 1e-2)
    record course = mean(abs(y), Row)
  }
  train on made {
    steps 16
    let y = sum(tanh(sum(x * inner, In)) * outer, Hidden)
    minimize mean((y - unused * Scale)^2, Row) over inner, outer with adam(lr = 1e-2)
  }
  on made {
    measure mean_of = mean(sum(tanh(sum(x * inner, In)) * outer, Hidden), Row)
  }
  claim \"it runs\": all(mean(mean_of, Seed) < 100, Method, Scale)
}
";

/// How often each trial told of the steps of its first block.
#[derive(Default)]
struct Counting(Mutex<BTreeMap<usize, usize>>);

impl Observer for Counting {
    fn training(&self, trial: usize, block: usize, _: usize, _: usize) {
        if block == 1 {
            *self.0.lock().unwrap().entry(trial).or_default() += 1;
        }
    }
}

/// The trials that trained their first block themselves, and all measures, by bits.
fn outcome(text: &str, threads: usize) -> (usize, Vec<(String, Vec<u64>)>) {
    let checked = check::check("e.anz", text);
    let program = checked.program.unwrap_or_else(|| panic!("{:?}", checked.diagnostics));
    let world = Memory { files: BTreeMap::new() };
    let experiment = run::experiments(&program)[0];
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    let counting = Counting::default();
    let options = Options::default();
    let results = pool
        .install(|| run::run(&program, experiment, &checked.sources, &world, &options, None, &counting))
        .unwrap();
    let bits = |values: &[f64]| values.iter().map(|value| value.to_bits()).collect();
    let measures = results.measures.iter().map(|m| (m.name.clone(), bits(&m.values)));
    let told = counting.0.into_inner().unwrap();
    (told.values().filter(|times| **times > 1).count(), measures.collect())
}

#[test]
fn pre_training_is_shared_by_all_arms_and_values() {
    let (trained, shared) = outcome(&FINE_TUNED.replace("TWICE", ""), 1);
    assert_eq!(trained, 2, "once for each seed");
    // The same numbers, but the block mentions the axes.
    let mention = " + 0 * Scale + 0 * unused";
    let (trained, apart) = outcome(&FINE_TUNED.replace("TWICE", mention), 1);
    assert_eq!(trained, 8);
    for ((name, one), (_, other)) in shared.iter().zip(&apart) {
        // What is recorded there has the axes that it depends on: the same for each of their positions.
        assert!(!one.is_empty() && other.len() % one.len() == 0, "{name}");
        assert!(other.chunks(one.len()).all(|other| other == one), "{name}");
    }
}

#[test]
fn threads_that_meet_at_a_block_find_the_same() {
    let text = FINE_TUNED.replace("TWICE", "");
    let (trained, several) = outcome(&text, 4);
    assert!((2..=8).contains(&trained));
    assert_eq!(several, outcome(&text, 1).1);
}
