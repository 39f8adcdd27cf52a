//! The experiments that ship with the language, through the program itself: every claim holds, results are the same
//! twice and with one thread, and snapshots guard verdicts and measured means.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

struct Run {
    code: Option<i32>,
    results: Vec<Value>,
    errors: String,
}

/// Runs a file; `threads`: 0 for the default.
fn run(file: &str, threads: usize, more: &[&str]) -> Run {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let runs = folder.path().join("runs");
    let mut command = Command::new(env!("CARGO_BIN_EXE_ansatz"));
    command.current_dir(env!("CARGO_MANIFEST_DIR")).args(["run", file, "--runs"]).arg(&runs).args(more);
    if threads > 0 {
        command.env("RAYON_NUM_THREADS", threads.to_string());
    }
    let output = command.output().expect("the program starts");
    let mut paths: Vec<_> = std::fs::read_dir(&runs)
        .map(|entries| entries.map(|e| e.expect("an entry").path()).collect())
        .unwrap_or_default();
    paths.sort();
    let results = paths
        .iter()
        .map(|path| {
            let text = std::fs::read_to_string(path).expect("results can be read");
            let mut value: Value = serde_json::from_str(&text).expect("results are JSON");
            value.as_object_mut().expect("an object").remove("times").expect("times");
            value
        })
        .collect();
    Run { code: output.status.code(), results, errors: String::from_utf8_lossy(&output.stderr).into_owned() }
}

/// Verdicts and the means of tables, rounded to two decimals: below that, processors with other vector units differ.
fn summary(results: &[Value]) -> String {
    let mut out = String::new();
    for result in results {
        out.push_str(&format!("experiment {}\n", result["experiment"].as_str().unwrap_or("?")));
        for claim in result["claims"].as_array().into_iter().flatten() {
            let text = |key: &str| claim[key].as_str().unwrap_or("?").to_string();
            out.push_str(&format!("  {}: {}\n", text("verdict"), text("text")));
        }
        for table in result["tables"].as_array().into_iter().flatten() {
            out.push_str(&format!("  table {} by {}\n", table["columns"], table["by"]));
            for row in table["rows"].as_array().into_iter().flatten() {
                let means: Vec<String> = row["cells"]
                    .as_array()
                    .into_iter()
                    .flatten()
                    .map(|cell| cell["mean"].as_f64().map_or("-".into(), |mean| format!("{mean:.2}")))
                    .collect();
                out.push_str(&format!("    {} {}\n", row["labels"], means.join(" ")));
            }
        }
    }
    out
}

fn holds(file: &str) -> Vec<Value> {
    let path = format!("experiments/{file}.anz");
    let run = run(&path, 0, &[]);
    assert_eq!(run.code, Some(0), "{file}: {}", run.errors);
    assert!(!run.results.is_empty());
    insta::assert_snapshot!(format!("results_{file}"), summary(&run.results));
    run.results
}

/// An experiment that takes too long for a test of its claims: a short version of it finishes and gives results.
fn finishes(file: &str, experiments: usize, more: &[&str]) {
    let run = run(&format!("experiments/{file}.anz"), 0, more);
    assert!(matches!(run.code, Some(0 | 1)), "{file}: {}", run.errors);
    assert_eq!(run.results.len(), experiments, "{file}: {}", run.errors);
    for result in &run.results {
        assert!(result["claims"].as_array().is_some_and(|claims| !claims.is_empty()), "{file}");
    }
}

#[test]
fn quickstart() {
    let first = holds("quickstart");
    for threads in [0, 1] {
        let again = run("experiments/quickstart.anz", threads, &[]);
        assert_eq!(again.results, first, "with RAYON_NUM_THREADS={threads}");
    }
}

#[test]
fn paper_05_aranyani() {
    finishes("05-aranyani", 1, &["--seeds", "1"]);
}

#[test]
fn paper_11_dice_loss() {
    let first = holds("11-dice-loss");
    let again = run("experiments/11-dice-loss.anz", 1, &[]);
    assert_eq!(again.results, first);
}

#[test]
fn paper_13_multi_objective_gflownets() {
    // Short trainings: the claims are not of these.
    let short =
        ["--seeds", "2", "--set", "balanced_steps=20", "--set", "gradient_steps=20", "--set", "repeats=1"];
    finishes("13-multi-objective-gflownets", 1, &short);
}

#[test]
fn paper_18_distance_covariance() {
    finishes("18-distance-covariance", 2, &["--seeds", "2", "--set", "passes=1"]);
}

#[test]
fn paper_19_fair_gptq() {
    holds("19-fair-gptq");
}

#[test]
fn paper_24_contrastive_behaviour() {
    holds("24-contrastive-behaviour");
}

#[test]
fn paper_25_equiangular_basis() {
    finishes("25-equiangular-basis", 2, &["--seeds", "1", "--set", "passes=4"]);
}

#[test]
fn paper_37_discriminative_generative() {
    holds("37-discriminative-generative");
}

#[test]
fn paper_12_class_separability() {
    finishes("12-class-separability", 2, &["--seeds", "1"]);
}

#[test]
fn paper_48_dictionary_learning() {
    finishes("48-dictionary-learning", 3, &["--seeds", "1"]);
}

#[test]
fn paper_45_input_gradients() {
    finishes("45-input-gradients", 2, &["--seeds", "2", "--set", "length=20"]);
}

#[test]
fn paper_47_latent_label_shift() {
    holds("47-latent-label-shift");
}

#[test]
fn results_do_not_depend_on_rewrites_beyond_rounding() {
    let file = "experiments/quickstart.anz";
    let all = run(file, 0, &["--seeds", "2"]);
    let without = run(file, 0, &["--seeds", "2", "--without", "contraction", "--without", "reassociate"]);
    let values = |run: &Run| -> Vec<f64> {
        let measures = run.results[0]["measures"].as_array().expect("measures").clone();
        measures
            .iter()
            .flat_map(|m| m["values"].as_array().expect("values").clone())
            .filter_map(|v| v.as_f64())
            .collect()
    };
    let (all, without) = (values(&all), values(&without));
    assert_eq!(all.len(), without.len());
    assert!(all.len() >= 12);
    for (a, b) in all.iter().zip(&without) {
        assert!((a - b).abs() < 0.02, "{a} against {b}");
    }
}

#[test]
fn a_refuted_claim_and_a_divergence_have_their_exit_codes() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let source = std::fs::read_to_string(
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/wrong/00-nothing-wrong.anz"),
    )
    .expect("the file without errors");
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/wrong");
    let data = data.to_string_lossy();
    let refuted = folder.path().join("refuted.anz");
    std::fs::write(&refuted, source.replace("> 0.2", "> 1.2")).expect("the file is written");
    let outcome = run(&refuted.to_string_lossy(), 0, &["--data", &data]);
    assert_eq!(outcome.code, Some(1), "{}", outcome.errors);
    assert_eq!(outcome.results[0]["claims"][0]["verdict"], "refuted");

    let diverging = folder.path().join("diverging.anz");
    std::fs::write(&diverging, source.replace("lr = 0.01", "lr = infinity")).expect("the file is written");
    let outcome = run(&diverging.to_string_lossy(), 0, &["--data", &data]);
    assert_eq!(outcome.code, Some(3), "{}", outcome.errors);
    assert_eq!(outcome.results[0]["diverged"].as_array().map(Vec::len), Some(2));
    assert_eq!(outcome.results[0]["claims"][0]["verdict"], "refuted");
}
