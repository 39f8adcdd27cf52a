//! What PyTorch computed of five papers, kept as files of tests (see tests/oracles/README.md): Ansatz computes the same.

use std::process::Command;

#[test]
fn the_library_agrees_with_pytorch() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/oracles");
    let ran =
        Command::new(env!("CARGO_BIN_EXE_ansatz")).args(["test", folder]).output().expect("ansatz runs");
    let out = String::from_utf8_lossy(&ran.stdout);
    assert!(ran.status.success(), "{out}{}", String::from_utf8_lossy(&ran.stderr));
    let passed =
        out.lines().find_map(|line| line.split_once(" passed").map(|(count, _)| count.trim().to_owned()));
    let passed: usize = passed.and_then(|count| count.parse().ok()).expect("a count of tests");
    assert!(passed >= 5, "only {passed} tests were found: {out}");
}
