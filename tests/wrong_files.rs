//! Wrong files of many kinds through the program itself: each ends with exit code 2 and coded errors, quickly,
//! whatever is in it.

use std::io::{Read, Seek};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

fn ansatz(arguments: &[&str]) -> Output {
    // Files rather than pipes: a full pipe would look like a hang.
    let (out, errors) = (tempfile::tempfile().expect("a file"), tempfile::tempfile().expect("a file"));
    let copy = |file: &std::fs::File| Stdio::from(file.try_clone().expect("a handle"));
    let mut child = Command::new(env!("CARGO_BIN_EXE_ansatz"))
        .args(arguments)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .stdout(copy(&out))
        .stderr(copy(&errors))
        .spawn()
        .expect("the program starts");
    let started = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().expect("the program can be waited for") {
            break status;
        }
        if started.elapsed() > Duration::from_secs(60) {
            child.kill().expect("a hanging program can be stopped");
            panic!("{arguments:?} hangs");
        }
        std::thread::sleep(Duration::from_millis(2));
    };
    Output { status, stdout: content(out), stderr: content(errors) }
}

fn content(mut file: std::fs::File) -> Vec<u8> {
    let mut bytes = Vec::new();
    file.rewind().expect("a file can be read from its start");
    file.read_to_end(&mut bytes).expect("the output can be read");
    bytes
}

fn wrong_files() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/wrong");
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .expect("tests/wrong exists")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|e| e == "anz"))
        .collect();
    files.sort();
    files
}

#[test]
fn every_wrong_file_gives_coded_errors_and_exit_code_2() {
    let files = wrong_files();
    assert!(files.len() > 20);
    for file in files {
        let name = file.file_stem().expect("a name").to_string_lossy().into_owned();
        let path = format!("tests/wrong/{name}.anz");
        let output = ansatz(&["run", &path, "--no-store"]);
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!errors.contains("panicked"), "{name}: {errors}");
        if name.starts_with("00") {
            assert_eq!(output.status.code(), Some(0), "{name}: {errors}");
            continue;
        }
        assert_eq!(output.status.code(), Some(2), "{name}: {errors}");
        assert!(errors.contains("[A0") && errors.contains("] Error: "), "{name}: {errors}");
        insta::assert_snapshot!(format!("wrong_{name}"), errors);
    }
}

/// Matrices without a result end their trial with a code and the line, never with NaN.
#[test]
fn faults_of_matrices_end_the_trial() {
    for (name, code) in [("not-positive-definite", "A0513"), ("singular", "A0514")] {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let runs = folder.path().to_string_lossy().into_owned();
        let output = ansatz(&["run", &format!("tests/wrong/faults/{name}.anz"), "--runs", &runs]);
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(3), "{name}: {errors}");
        assert!(errors.contains(code) && errors.contains(":10:"), "{name}: {errors}");
    }
}

#[test]
fn a_megabyte_of_parentheses_is_refused_quickly() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for (name, text) in [("open", "(".repeat(1 << 20)), ("pairs", "(".repeat(1 << 19) + &")".repeat(1 << 19))]
    {
        let path = folder.path().join(format!("{name}.anz"));
        std::fs::write(&path, format!("let a = {text}")).expect("the file is written");
        let started = Instant::now();
        let output = ansatz(&["check", &path.to_string_lossy()]);
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{errors}");
        assert!(errors.contains("A0003"), "{errors}");
        assert!(started.elapsed() < Duration::from_secs(20), "{name} took {:?}", started.elapsed());
    }
}

#[test]
fn a_missing_experiment_file_is_an_error_with_a_code() {
    let output = ansatz(&["run", "tests/wrong/no-such-file.anz"]);
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{errors}");
    assert!(errors.contains("A06"), "{errors}");
}
