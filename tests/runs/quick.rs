//! `ansatz run --quick`: the settings of the file, and what they decide.

use serde_json::Value;

use super::cache::{FILE, bench};

/// The experiment with quick settings; of its claims, none holds after so few steps.
fn quick(settings: &str) -> String {
    let text = FILE.replace("steps 40", "steps rounds").replace("loss < limit", "loss < 0");
    text.replace("  let rate = 0.05\n", &format!("  let rate = 0.05\n  let rounds = 40\n{settings}"))
}

const SETTINGS: &str = "  quick Seed = 1, rounds = 3\n";

fn settings(results: &str) -> Value {
    serde_json::from_str::<Value>(results).expect("results are JSON")["provenance"]["settings"].clone()
}

#[test]
fn a_quick_run_has_the_settings_of_the_file_and_says_so() {
    let bench = bench();
    bench.write("e.anz", quick(SETTINGS));
    let ran = bench.run(&["--quick"]);
    assert_eq!(ran.computed(), ["square 0", "absolute 0"]);
    assert!(ran.out.starts_with("quick: Seed = 1, rounds = 3\n"), "{}", ran.out);
    assert!(ran.out.contains("refuted: it learns"), "{}", ran.out);
    assert!(ran.out.contains("0 of 1 claims hold with quick settings, which decide nothing"), "{}", ran.out);
    assert_eq!(ran.code, Some(0), "{}", ran.errors);
    assert_eq!(settings(&ran.results()), serde_json::json!([["quick", "Seed = 1, rounds = 3"]]));
    let full = bench.run(&[]);
    assert_eq!((full.computed().len(), full.code), (4, Some(1)));
    assert!(!full.out.contains("quick"), "{}", full.out);
}

#[test]
fn the_command_line_comes_before_quick_settings() {
    let bench = bench();
    bench.write("e.anz", quick(SETTINGS));
    let ran = bench.run(&["--quick", "--seeds", "3", "--set", "rounds=2"]);
    assert_eq!(ran.computed().len(), 6);
    let expected = serde_json::json!([["quick", ""], ["rounds", "2"], ["seeds", "3"]]);
    assert_eq!(settings(&ran.results()), expected);
    assert_eq!(bench.run(&["--quick", "--set", "rounds=2"]).trials().1, ["square 0", "absolute 0"]);
}

/// Without `--quick` the statement is not there.
#[test]
fn quick_settings_and_snapshots_are_no_part_of_a_trial() {
    let bench = bench();
    bench.write("e.anz", quick(""));
    let before = bench.run(&[]);
    let claim = "  claim \"it learns\"";
    let snapshot = format!("{SETTINGS}  snapshot loss, gain within 0.02\n{claim}");
    bench.write("e.anz", quick("").replace(claim, &snapshot));
    let after = bench.run(&[]);
    assert_eq!(after.computed(), Vec::<String>::new());
    let measures = |results: &str| serde_json::from_str::<Value>(results).expect("JSON")["measures"].clone();
    assert_eq!(measures(&after.results()), measures(&before.results()));
    let results: Value = serde_json::from_str(&after.results()).expect("JSON");
    let marked: Vec<&str> = results["snapshot"]
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|one| one["name"].as_str())
        .collect();
    assert_eq!(marked, ["loss", "gain"]);
    assert_eq!(results["snapshot"][1]["axes"][0]["name"], "Seed");
    assert_eq!(results["snapshot"][1]["values"].as_array().map(Vec::len), Some(2));
}

#[test]
fn values_and_folds_can_be_quick() {
    let bench = bench();
    let text = FILE
        .replace(
            "vary Seed = 2",
            "vary Rate = [0.01, 0.02, 0.05]\n  vary Fold = kfold(4)\n  quick Rate = [0.01, 0.05], Fold = 2",
        )
        .replace("train 60%, test", "test fold Fold, train")
        .replace("lr = rate", "lr = Rate")
        .replace("  let rate = 0.05\n", "")
        .replace("Objective, Seed", "Objective, Rate, Fold");
    bench.write("e.anz", text);
    let ran = bench.run(&["--quick"]);
    assert_eq!(ran.computed(), ["square 0.01 2", "square 0.05 2", "absolute 0.01 2", "absolute 0.05 2"]);
    assert_eq!(settings(&ran.results()), serde_json::json!([["quick", "Rate = [0.01, 0.05], Fold = 2"]]));
}

#[test]
fn without_a_statement_nothing_is_quick() {
    let bench = bench();
    let ran = bench.run(&["--quick"]);
    assert_eq!(ran.code, Some(2));
    assert!(
        ran.errors.contains("A0620") && ran.errors.contains("`line` does not say what is quick"),
        "{}",
        ran.errors
    );
}

/// A number from outside stands where the file has its own: what is derived by it, is.
#[test]
fn a_number_that_is_set_can_be_differentiated_by() {
    let bench = bench();
    bench.write(
        "e.anz",
        "/// How a square grows.\nexperiment Slope {\n  vary Seed = 1\n  let heat: Float = 1\n  \
         let slope = grad(heat^2, heat)\n  measure found = slope\n  \
         claim \"twice the heat\": found ~= 2 * heat\n}\n",
    );
    for (settings, slope) in [(&[][..], 2.0), (&["--set", "heat=3"][..], 6.0)] {
        let ran = bench.run(settings);
        assert_eq!(ran.code, Some(0), "{}{}", ran.out, ran.errors);
        let results: Value = serde_json::from_str(&ran.results()).expect("JSON");
        assert_eq!(results["measures"][0]["values"], serde_json::json!([slope]), "{results}");
    }
}
