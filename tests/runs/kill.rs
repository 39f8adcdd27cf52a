//! Killed at random moments, and run by two at a time.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use ansatz::random::philox;

use crate::support::runs::Bench;

/// Two blocks with everything that a block remembers: states of an optimizer and of its own, the best parameters, records at
/// moments and at every step, terms of a combined objective.
const FILE: &str = r#"use std.nn (Linear)
use std.optim (adam, sgd)

experiment long {
  vary Objective = { plain, combined }
  vary Seed = 2
  axis In = 16, Out = 1
  data line over Row = 256 {
    x: Float[In] ~ normal()
    let noise ~ normal(0, 0.1)
    y: Float = mean(x, In) + noise
  }
  split line into train 192, test
  let net = Linear[In, Out]()
  let wide = Objective == combined
  train on line.train {
    batch 64 over Row
    steps 6000
    let error = net(x)[Out = 0] - y
    record seen = mean(error^2, Row)
    if wide {
      minimize { fit: mean(error^2, Row), size: 1e-3 * sum(net.weight^2, In, Out) }
        over net
        with adam(lr = 1e-3)
    } else {
      minimize mean(error^2, Row) over net with adam(lr = 1e-3)
    }
    every 100 {
      on line.test { record held_out = mean((net(x)[Out = 0] - y)^2, Row) }
    }
    keep lowest held_out
  }
  on line.test { measure between = mean((net(x)[Out = 0] - y)^2, Row) }
  train on line.train {
    batch 32 over Row
    steps 4000
    state last: Float = 1
    let loss = mean((net(x)[Out = 0] - y)^2, Row)
    minimize loss / (1 + 0 * last) over net with sgd(lr = 1e-2 * (1 - progress))
    last := loss
  }
  on line.test { measure end = mean((net(x)[Out = 0] - y)^2, Row) }
  claim "it learns": all(end < 1, Objective, Seed)
}
"#;

const CHECKPOINTS: [&str; 2] = ["--checkpoint-steps", "400"];

/// Kills, in all, at moments that a counter-based generator chooses: half of them after the start, half after the first
/// checkpoint has appeared. Every store is run until it is finished, and has then the results of a run without kills.
#[test]
fn twenty_kills_change_nothing() {
    let whole = Bench::new(FILE);
    let expected = whole.run(&CHECKPOINTS);
    assert_eq!(expected.code, Some(0), "{}", expected.errors);
    let expected = expected.results();
    let (mut kills, mut resumed, mut number) = (0, 0, 0u32);
    while kills < 20 {
        let bench = Bench::new(FILE);
        for _ in 0..4 {
            number += 1;
            let words = philox([7, 11], [number, 0, 0, 0]);
            let mut child = bench
                .command(&["run", "e.anz", "--quiet", "--backend", "cpu"])
                .args(CHECKPOINTS)
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .expect("the program starts");
            if words[0].is_multiple_of(2) {
                // It may end before there is one.
                while !has_checkpoint(&bench.path("runs/checkpoints")) {
                    if child.try_wait().expect("a child").is_some() {
                        break;
                    }
                    std::thread::sleep(Duration::from_millis(1));
                }
            }
            std::thread::sleep(Duration::from_millis(u64::from(words[1] % 500)));
            // SIGKILL.
            child.kill().expect("it can be killed");
            let ended = child.wait().expect("a child");
            kills += usize::from(ended.code().is_none());
        }
        let ran = bench.run(&CHECKPOINTS);
        assert_eq!(ran.code, Some(0), "{}", ran.errors);
        assert!(!ran.errors.contains("A06"), "{}", ran.errors);
        assert!(ran.results() == expected, "other results after {kills} kills");
        let log = std::fs::read_to_string(ran.folder.expect("a run").join("log.jsonl")).expect("a log");
        resumed += log.matches("\"resumed\"").count();
        // Nothing is left of the checkpoints of finished trials.
        assert!(!has_checkpoint(&bench.path("runs/checkpoints")));
        assert!(number < 2000, "nothing is ever killed");
    }
    assert!(resumed > 0, "no trial went on from a checkpoint");
}

pub fn has_checkpoint(folder: &Path) -> bool {
    let trials = std::fs::read_dir(folder).into_iter().flatten().flatten();
    trials
        .map(|trial| trial.path())
        .any(|trial| trial.join("step.json").exists() || trial.join("block-1.json").exists())
}

/// The first process ends with the work of both: each trial is computed by one of them.
#[test]
fn three_at_a_time_share_the_work() {
    let bench = Bench::new(FILE);
    let expected = bench.run(&["--no-store", "--results", "expected.json"]);
    assert_eq!(expected.code, Some(0), "{}", expected.errors);
    let expected = std::fs::read_to_string(bench.path("expected.json")).expect("results");
    let start = || {
        let mut command: Command = bench.command(&["run", "e.anz", "--quiet", "--backend", "cpu"]);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program starts")
    };
    let children = [start(), start(), start()];
    let mut folders = Vec::new();
    for child in children {
        let ran = bench.ran(child.wait_with_output().expect("its output"));
        assert_eq!(ran.code, Some(0), "{}", ran.errors);
        assert!(!ran.errors.contains("A06"), "{}", ran.errors);
        assert_eq!(ran.results(), crate::support::runs::untimed(&expected));
        folders.push(ran.folder.expect("a run"));
    }
    folders.dedup();
    let [folder] = &folders[..] else { panic!("one run has several folders: {folders:?}") };
    let log = std::fs::read_to_string(folder.join("log.jsonl")).expect("a log");
    assert!(log.lines().all(|line| serde_json::from_str::<serde_json::Value>(line).is_ok()), "{log}");
    assert_eq!(log.matches("\"computed\"").count(), 4, "{log}");
}
