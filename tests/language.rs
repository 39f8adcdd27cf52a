//! `ansatz test`: the language's own cases in tests/language, and the embedded standard library.

use std::process::Command;

fn test(path: &str) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ansatz"));
    let output =
        command.current_dir(env!("CARGO_MANIFEST_DIR")).args(["test", path]).output().expect("it starts");
    let text =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{text}");
    text
}

/// The number before a word of the closing line.
fn count(text: &str, word: &str) -> usize {
    let words: Vec<&str> = text.split([' ', ',', ';', '\n']).filter(|w| !w.is_empty()).collect();
    let at = words.iter().position(|w| *w == word).expect("the closing line");
    words[at - 1].parse().expect("a number")
}

#[test]
fn language() {
    let text = test("tests/language");
    assert!(count(&text, "passed") >= 1, "{text}");
    assert_eq!(count(&text, "failed"), 0, "{text}");
}

#[test]
fn stdlib() {
    let text = test("stdlib");
    assert!(count(&text, "passed") >= 30, "{text}");
    assert_eq!(count(&text, "failed"), 0, "{text}");
    assert!(count(&text, "functions'") >= 60, "{text}");
}
