//! Which trials are computed again after a change: those that the change matters for, and no others.

use crate::support::runs::Bench;

pub const FILE: &str = r#"use std.nn (Linear)
use std.optim (adam, sgd)

/// Not used by the experiment.
data other = csv("other.csv") over Thing {
  size: Float
}

data points = csv("points.csv") over Row {
  x: Float
  y: Float
}

layer Line[In, Out] {
  let inner = Linear[In, Out]()
  (x: Float[In]) -> Float[Out] = inner(x)
}

layer Unused[In] {
  param w: Float[In] = 0
  (x: Float[In]) -> Float[In] = x + w
}

fn squared(x: Float) -> Float = x^2

experiment line {
  vary Objective = { square, absolute }
  vary Seed = 2
  axis In = 1, Out = 1
  let limit = 9
  let rate = 0.05
  split points into train 60%, test
  let net = Line[In, Out]()
  train on points.train {
    batch 8 over Row
    steps 40
    let error = net(broadcast(x, In))[Out = 0] - y
    minimize match Objective {
      square   => mean(squared(error), Row)
      absolute => mean(abs(error), Row)
    } over net with sgd(lr = rate)
  }
  on points.test {
    measure loss = mean((net(broadcast(x, In))[Out = 0] - y)^2, Row)
    measure off = abs(net(broadcast(x, In))[Out = 0] - y)
  }
  let gain = loss[Objective = absolute] - loss[Objective = square]
  claim "it learns": all(loss < limit, Objective, Seed)
  report { table loss by Objective }
}
"#;

/// 40 points near a line.
pub fn points(slope: f64) -> String {
    let row = |i: i32| {
        let x = f64::from(i) / 20.0 - 1.0;
        format!("{x},{}\n", slope * x + 0.1 * (f64::from(i * 7 % 11) / 11.0 - 0.5))
    };
    format!("x,y\n{}", (0..40).map(row).collect::<String>())
}

pub fn bench() -> Bench {
    let bench = Bench::new(FILE);
    bench.write("points.csv", points(2.0));
    bench.write("other.csv", "size\n1\n2\n");
    bench
}

const ALL: [&str; 4] = ["square 0", "square 1", "absolute 0", "absolute 1"];

/// What is computed after a change of the text, having run it as it was.
fn after(from: &str, to: &str) -> Vec<String> {
    assert!(FILE.contains(from), "{from}");
    let bench = bench();
    assert_eq!(bench.run(&[]).computed(), ALL);
    bench.write("e.anz", FILE.replacen(from, to, 1));
    let ran = bench.run(&[]);
    assert!(matches!(ran.code, Some(0 | 1)), "{from} -> {to}: {}", ran.errors);
    let (computed, results) = (ran.computed(), ran.results());
    // What was not computed is what would have been.
    assert_eq!(results, bench.run(&["--fresh"]).results(), "{from} -> {to}");
    computed
}

#[test]
fn what_says_nothing_about_trials_runs_nothing_again() {
    for (from, to) in [
        ("  let net =", "  // why\n  let net ="),
        ("  split", "\n\n\n  split"),
        ("all(loss < limit", "all(loss < 2 * limit"),
        ("claim \"it learns\"", "claim \"it does learn\""),
        ("  report {", "  claim \"more\": mean(gain, Seed) < 1e3\n  report {"),
        ("  let limit = 9", "  let limit = 8"),
        ("  let gain", "  let further = mean(loss, Seed)\n  let gain"),
        ("table loss by Objective", "table loss, gain by Seed"),
        ("  claim", "  measure best = min(loss, Seed)\n  claim"),
        ("fn squared", "fn unused(x: Float) -> Float = x + 1\n\nfn squared"),
        ("layer Unused[In] {\n", "layer Unused[In] {\n  param v: Float[In] = 1\n"),
        ("experiment line", "test \"t\" { assert 1 < 2 }\n\nexperiment line"),
        ("/// Not used", "/// Not yet used"),
        ("use std.optim (adam, sgd)", "use std.optim (sgd)"),
        ("vary Objective = { square, absolute }", "vary Objective = { absolute, square }"),
        (
            "minimize match Objective {\n      square ",
            "minimize match Objective {\n\n      // first\n      square ",
        ),
    ] {
        assert!(after(from, to).is_empty(), "{from} -> {to}");
    }
}

#[test]
fn what_matters_for_some_trials_runs_these_again() {
    let absolute = ["absolute 0", "absolute 1"];
    assert_eq!(after("mean(abs(error), Row)", "2 * mean(abs(error), Row)"), absolute);
    assert_eq!(
        after("fn squared(x: Float) -> Float = x^2", "fn squared(x: Float) -> Float = x * x"),
        &ALL[..2]
    );
    assert_eq!(after("vary Seed = 2", "vary Seed = 3"), ["square 2", "absolute 2"]);
    let third = "absolute => mean(abs(error), Row)\n      third => mean(error^4, Row)";
    let bench = bench();
    bench.run(&[]);
    let text = FILE.replace("{ square, absolute }", "{ third, square, absolute }");
    bench.write("e.anz", text.replace("absolute => mean(abs(error), Row)", third));
    assert_eq!(bench.run(&[]).computed(), ["third 0", "third 1"]);
}

#[test]
fn what_matters_for_all_trials_runs_all_again() {
    for (from, to) in [
        ("steps 40", "steps 41"),
        ("batch 8", "batch 4"),
        ("let rate = 0.05", "let rate = 0.06"),
        ("sgd(lr = rate)", "adam(lr = rate)"),
        ("= inner(x)", "= 2 * inner(x)"),
        ("train 60%", "train 50%"),
        ("measure off = abs", "measure away = abs"),
        ("  axis In", "  precision f64\n  axis In"),
        ("  axis In", "  seed 5\n  axis In"),
        ("  y: Float\n", "  y: Float\n  z: Float = \"x\"\n"),
    ] {
        assert_eq!(after(from, to), ALL, "{from} -> {to}");
    }
}

#[test]
fn data_settings_seed_and_backend_matter_and_what_is_not_used_does_not() {
    let bench = bench();
    bench.run(&[]);
    bench.write("other.csv", "size\n1\n3\n");
    assert!(bench.run(&[]).computed().is_empty(), "data that the experiment does not mention");
    bench.write("points.csv", points(2.5));
    assert_eq!(bench.run(&[]).computed(), ALL);
    bench.write("points.csv", points(2.0));
    assert!(bench.run(&[]).computed().is_empty(), "the first data again");
    for more in [
        &["--seed", "1"][..],
        &["--set", "rate=0.07"],
        &["--backend", "dfdx"],
        &["--most-steps", "3"],
        &["--no-fuse"],
        &["--without", "reassociate"],
    ] {
        assert_eq!(bench.run(more).computed(), ALL, "{more:?}");
        assert!(bench.run(more).computed().is_empty(), "{more:?}");
    }
    assert_eq!(bench.run(&["--seeds", "3"]).computed(), ["square 2", "absolute 2"]);
    for more in [&["--set", "limit=7"][..], &["--seeds", "1"], &["--jobs", "1"]] {
        assert!(bench.run(more).computed().is_empty(), "{more:?}");
    }
    assert_eq!(bench.run(&["--fresh"]).computed(), ALL);
}

/// An arm that does not mention a value is the same trial for every value.
#[test]
fn equal_trials_are_computed_once() {
    let text = FILE.replace("  vary Seed", "  vary Factor = [1, 2]\n  vary Seed");
    let text = text.replace("=> mean(abs(error), Row)", "=> Factor * mean(abs(error), Row)");
    let bench = bench();
    bench.write("e.anz", text.replace("Objective, Seed)", "Objective, Seed, Factor)"));
    let ran = bench.run(&[]);
    assert_eq!(ran.code, Some(0), "{}", ran.errors);
    let (mut computed, kept) = ran.trials();
    // Which of two equal ones is first is not said.
    computed.retain(|trial| trial.starts_with("absolute"));
    assert_eq!(computed, ["absolute 1 0", "absolute 1 1", "absolute 2 0", "absolute 2 1"]);
    assert_eq!(kept.len(), 2, "{kept:?}");
    bench.run(&["--no-store", "--results", "out.json"]);
    let json = std::fs::read_to_string(bench.path("out.json")).expect("results");
    assert_eq!(ran.results(), crate::support::runs::untimed(&json));
}

#[test]
fn without_a_store_nothing_is_left() {
    let bench = bench();
    let ran = bench.run(&["--no-store", "--results", "out.json"]);
    assert_eq!(ran.code, Some(0), "{}", ran.errors);
    assert!(!bench.runs().exists() && bench.path("out.json").exists());
    // And with one, the results are the same.
    let kept = bench.run(&[]);
    let json = std::fs::read_to_string(bench.path("out.json")).expect("results");
    assert_eq!(kept.results(), crate::support::runs::untimed(&json));
}

/// One arm has no result: the others are kept, and only it is tried again.
#[test]
fn a_failed_trial_is_tried_again_and_the_others_are_not() {
    let failing =
        FILE.replace("absolute => mean(abs(error), Row)", "absolute => mean(abs(error), Row) + 0 * bad");
    let bad = "let m: Float[Out, Out'] = [[0]]\n    let bad = sum(solve(m, ones[Out]), Out')\n    minimize";
    let failing = failing.replace("minimize", bad);
    let failing =
        failing.replace("square   =>", "square   => 0 *").replace("0 * mean(squared", "mean(squared");
    let bench = bench();
    bench.write("e.anz", &failing);
    let ran = bench.run(&[]);
    assert_eq!(ran.code, Some(3), "{}{}", ran.out, ran.errors);
    assert!(ran.errors.contains("A0514"), "{}", ran.errors);
    assert!(ran.errors.contains("2 of 4 trials failed"), "{}", ran.errors);
    let list = String::from_utf8(bench.ansatz(&["runs", "list"]).stdout).expect("text");
    assert!(list.contains("failed"), "{list}");
    let again = bench.newest_record();
    assert_eq!(again["condition"], "failed");
    // Still failing, it is tried again; the others are not.
    bench.run(&[]);
    let record = bench.newest_record();
    let with = |condition: &str| {
        record["trials"]
            .as_array()
            .expect("trials")
            .iter()
            .filter(|trial| trial["condition"] == condition)
            .count()
    };
    assert_eq!((with("kept"), with("failed")), (2, 2));
}
