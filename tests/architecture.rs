//! The shape of the source: modules use only modules before them in the pipeline, and files stay small.

use std::path::{Path, PathBuf};

/// The pipeline, in order. A module may use itself and what stands before it.
const ORDER: [&str; 16] = [
    "source",
    "diagnostic",
    "random",
    "syntax",
    "library",
    "check",
    "doc",
    "graph",
    "plan",
    "backend",
    "data",
    "store",
    "run",
    "report",
    "lsp",
    "cli",
];

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    let mut entries: Vec<_> =
        std::fs::read_dir(folder).expect("src can be read").map(|e| e.expect("an entry").path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push(path);
        }
    }
}

fn all() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    sources(&root, &mut found);
    let relative = |path: &PathBuf| path.strip_prefix(&root).expect("below src").display().to_string();
    found.iter().map(|path| (relative(path), std::fs::read_to_string(path).expect("a source file"))).collect()
}

fn position(module: &str) -> Option<usize> {
    ORDER.iter().position(|known| *known == module)
}

#[test]
fn modules_use_only_earlier_modules() {
    let mut wrong = Vec::new();
    let mut uses = 0;
    for (path, text) in all() {
        let own = path.split(['/', '.']).next().unwrap_or_default().to_string();
        if own == "lib" || own == "main" {
            continue;
        }
        let Some(at) = position(&own) else {
            wrong.push(format!("{path}: `{own}` has no place in the pipeline"));
            continue;
        };
        for (number, line) in text.lines().enumerate() {
            if line.trim_start().starts_with("//") {
                continue;
            }
            for rest in line.split("crate::").skip(1) {
                let used: Vec<&str> = match rest.strip_prefix('{') {
                    Some(group) => group
                        .split([',', '}'])
                        .map(|name| name.trim().split("::").next().unwrap_or(""))
                        .collect(),
                    None => vec![rest.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or("")],
                };
                for module in used {
                    uses += 1;
                    if position(module).is_some_and(|of| of > at) {
                        wrong.push(format!("{path}:{}: `{own}` uses the later `{module}`", number + 1));
                    }
                }
            }
        }
    }
    assert!(uses > 100, "the test no longer finds the uses");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn files_fit_in_a_head() {
    let long: Vec<String> = all()
        .iter()
        .map(|(path, text)| (path, text.lines().count()))
        .filter(|(_, lines)| *lines > 1000)
        .map(|(path, lines)| format!("{path}: {lines} lines"))
        .collect();
    assert!(long.is_empty(), "split by concept: {}", long.join(", "));
}

#[test]
fn every_file_says_what_it_is_for() {
    let silent: Vec<String> = all()
        .into_iter()
        .filter(|(path, text)| path != "main.rs" && !text.starts_with("//!"))
        .map(|(p, _)| p)
        .collect();
    assert!(silent.is_empty(), "no `//!` line at the top of {}", silent.join(", "));
}
