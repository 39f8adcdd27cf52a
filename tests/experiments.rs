//! The experiments that ship with the language, through the program itself: every claim holds, results are the same
//! twice and with one thread, and snapshots guard verdicts and measured means.

mod support;

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
    command
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args(["run", file, "--backend", "cpu", "--runs"])
        .arg(&runs)
        .args(more);
    if threads > 0 {
        command.env("RAYON_NUM_THREADS", threads.to_string());
    }
    let output = command.output().expect("the program starts");
    let results = support::runs::results(&runs)
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

/// Verdicts and the means of tables, rounded to two decimals.
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
    let found = summary(&run.results);
    let snapshot = format!("tests/snapshots/experiments__results_{file}.snap");
    let text =
        std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(snapshot)).unwrap_or_default();
    let known = text.splitn(3, "---\n").nth(2).unwrap_or_default();
    if !alike(known, &found) {
        insta::assert_snapshot!(format!("results_{file}"), found);
    }
    run.results
}

/// Whether two summaries have the same words, and numbers that differ by no more than 0.02 and 2 %: processors with
/// other vector units add in another order, and a training carries that on.
fn alike(known: &str, found: &str) -> bool {
    let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    let (known, found) = (words(known), words(found));
    let close = |known: &str, found: &str| match (known.parse::<f64>(), found.parse::<f64>()) {
        (Ok(known), Ok(found)) => (known - found).abs() <= 0.02 + 0.02 * known.abs(),
        _ => known == found,
    };
    known.len() == found.len() && known.iter().zip(&found).all(|(known, found)| close(known, found))
}

/// An experiment that takes too long for a test of its claims: a short version of it finishes and gives results.
fn finishes(file: &str, experiments: usize, more: &[&str]) {
    let run = run(&format!("experiments/{file}.anz"), 0, more);
    assert!(matches!(run.code, Some(0 | 1)), "{file}: {}", run.errors);
    assert_eq!(run.results.len(), experiments, "{file}: {}", run.errors);
    let has = |result: &Value, what: &str| result[what].as_array().is_some_and(|found| !found.is_empty());
    // An experiment whose claims were refuted reports, and claims nothing; a file claims something.
    assert!(run.results.iter().any(|result| has(result, "claims")), "{file}");
    for result in &run.results {
        assert!(has(result, "measures"), "{file}");
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

#[test]
fn summaries_differ_by_words_and_by_numbers() {
    assert!(alike("holds: a\n  [\"x\"] 0.75 3.32\n", "holds: a\n [\"x\"] 0.74 3.33"));
    assert!(!alike("holds: a 0.75", "refuted: a 0.75"));
    assert!(!alike("a 0.75", "a 0.71"));
    assert!(!alike("a 0.75", "a"));
    assert!(!alike("a 0.75", "a -"));
}
