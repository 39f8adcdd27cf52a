//! One small experiment for each construct of the language that only experiments have: every file in
//! tests/conformance runs, and a snapshot guards what it found. docs/conformance.md says which file shows what.

mod support;

use std::fmt::Write;
use std::process::Command;

use serde_json::Value;

/// The results without times, with numbers rounded to four digits: below that, processors with other vector units differ.
fn results(file: &str) -> String {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let output = Command::new(env!("CARGO_BIN_EXE_ansatz"))
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args(["run", file, "--backend", "cpu", "--data", "experiments/data", "--quiet", "--runs"])
        .arg(folder.path())
        .output()
        .expect("the program starts");
    let mut out = format!("exit code {}\n", output.status.code().unwrap_or(-1));
    let errors = String::from_utf8_lossy(&output.stderr);
    if !errors.trim().is_empty() {
        let _ = writeln!(out, "{}", errors.trim_end());
    }
    for path in support::runs::results(folder.path()) {
        let text = std::fs::read_to_string(path).expect("results can be read");
        let mut value: Value = serde_json::from_str(&text).expect("results are JSON");
        let found = value.as_object_mut().expect("an object");
        for key in ["times", "source", "data", "version", "machine", "provenance"] {
            found.remove(key);
        }
        // One file shows them; elsewhere gradients that almost cancel would differ with the processor.
        if !file.ends_with("/terms.anz") {
            found.shift_remove("terms");
        }
        // A sum in another order may round a factor of 16 bits the other way.
        let digits = if file.ends_with("/half-precision.anz") { 2 } else { 4 };
        round(&mut value, digits);
        let _ = writeln!(out, "{}", serde_json::to_string_pretty(&value).expect("JSON"));
    }
    out
}

fn round(value: &mut Value, digits: usize) {
    match value {
        Value::Number(number) => {
            let exact = number.as_f64().unwrap_or(f64::NAN);
            if exact != 0.0 && exact.abs() < 1e-6 {
                // What rounding left of a difference.
                *value = Value::String("below 1e-6".to_string());
            } else if exact.fract() != 0.0 {
                *value = Value::String(format!("{exact:.*e}", digits - 1));
            }
        }
        Value::Array(values) => values.iter_mut().for_each(|value| round(value, digits)),
        Value::Object(fields) => fields.values_mut().for_each(|value| round(value, digits)),
        _ => {}
    }
}

#[test]
fn every_file() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/conformance");
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .expect("the folder")
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        .filter(|name| name.ends_with(".anz"))
        .collect();
    names.sort();
    for name in names {
        let found = results(&format!("tests/conformance/{name}"));
        assert!(found.starts_with("exit code 0"), "{name}: {found}");
        insta::assert_snapshot!(format!("conformance_{}", name.trim_end_matches(".anz")), found);
    }
}

/// The table in the book names every file, and no file that is not there.
#[test]
fn the_table_is_complete() {
    let root = env!("CARGO_MANIFEST_DIR");
    let table = std::fs::read_to_string(format!("{root}/docs/conformance.md")).expect("the table");
    for folder in ["tests/conformance", "tests/language"] {
        for entry in std::fs::read_dir(format!("{root}/{folder}")).expect("a folder") {
            let name = entry.expect("an entry").file_name().to_string_lossy().into_owned();
            if name.ends_with(".anz") {
                assert!(
                    table.contains(&format!("{folder}/{name}")),
                    "docs/conformance.md lacks {folder}/{name}"
                );
            }
        }
    }
    for path in table.split('`').filter(|word| word.starts_with("tests/") && word.ends_with(".anz")) {
        assert!(std::path::Path::new(&format!("{root}/{path}")).exists(), "docs/conformance.md names {path}");
    }
}
