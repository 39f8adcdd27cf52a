//! The words of the language in the places that list them: the grammar, the table for editors, the colours of VS Code.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use ansatz::syntax::keywords::KEYWORDS;
use serde_json::Value;

fn root(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn read(path: &str) -> String {
    std::fs::read_to_string(root(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Every word in quotes in the rules of the grammar.
fn words_of_the_grammar() -> BTreeSet<String> {
    let grammar = read("grammar/ansatz.pest");
    let rules: String = grammar.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
    let quoted = regex::Regex::new("\"([a-z]{2,})\"").expect("a pattern");
    quoted.captures_iter(&rules).map(|found| found[1].to_owned()).collect()
}

fn colours() -> Value {
    serde_json::from_str(&read("editors/vscode/syntaxes/ansatz.tmLanguage.json")).expect("JSON")
}

/// All regular expressions of a grammar.
fn patterns(of: &Value, found: &mut Vec<String>) {
    match of {
        Value::Object(fields) => {
            for (name, value) in fields {
                match value {
                    Value::String(pattern)
                        if matches!(name.as_str(), "match" | "begin" | "end" | "while") =>
                    {
                        found.push(pattern.clone());
                    }
                    other => patterns(other, found),
                }
            }
        }
        Value::Array(values) => values.iter().for_each(|value| patterns(value, found)),
        _ => {}
    }
}

#[test]
fn the_table_of_words_is_that_of_the_grammar() {
    let table: BTreeSet<String> = KEYWORDS.iter().map(|keyword| keyword.word.to_owned()).collect();
    assert_eq!(table.len(), KEYWORDS.len(), "a word stands twice in the table");
    let grammar = words_of_the_grammar();
    assert!(grammar.len() > 60, "the words are no longer found: {grammar:?}");
    assert_eq!(table, grammar);
    for keyword in KEYWORDS {
        assert!(keyword.doc.ends_with('.'), "`{}` is described by no sentence", keyword.word);
    }
}

#[test]
fn every_word_has_a_colour() {
    let mut all = Vec::new();
    patterns(&colours(), &mut all);
    let coloured: BTreeSet<String> = all
        .iter()
        .flat_map(|pattern| pattern.split(|c: char| !c.is_ascii_lowercase()).map(str::to_owned))
        .collect();
    let grey: Vec<_> = words_of_the_grammar().into_iter().filter(|word| !coloured.contains(word)).collect();
    assert!(grey.is_empty(), "words without a colour in the TextMate grammar: {grey:?}");
}

#[test]
fn the_patterns_of_the_colours_can_be_read_and_the_includes_lead_somewhere() {
    let mut all = Vec::new();
    patterns(&colours(), &mut all);
    assert!(all.len() > 30, "the patterns are no longer found");
    for pattern in &all {
        if let Err(error) = fancy_regex::Regex::new(pattern) {
            panic!("`{pattern}`: {error}");
        }
    }
    let text = colours().to_string();
    let include = regex::Regex::new("\"include\":\"#([a-z]+)\"").expect("a pattern");
    let repository = &colours()["repository"];
    let includes: Vec<String> = include.captures_iter(&text).map(|found| found[1].to_owned()).collect();
    assert!(includes.len() > 5, "{includes:?}");
    for name in includes {
        assert!(repository.get(&name).is_some(), "`#{name}` leads nowhere");
    }
}

#[test]
fn the_extension_names_files_that_exist() {
    let package: Value = serde_json::from_str(&read("editors/vscode/package.json")).expect("JSON");
    let language = &package["contributes"]["languages"][0];
    assert_eq!(language["extensions"][0], ".anz");
    let mut files = vec![package["main"].clone(), language["configuration"].clone()];
    files.extend(
        package["contributes"]["grammars"]
            .as_array()
            .expect("grammars")
            .iter()
            .map(|one| one["path"].clone()),
    );
    for file in files {
        let path = root("editors/vscode").join(file.as_str().expect("a path"));
        assert!(path.is_file(), "{} is missing", path.display());
    }
}

/// The engine of VS Code itself, where there is Node and the packages are installed (`npm ci` in `editors/vscode`).
/// On a machine that must check it, `CI` is set, and nothing is skipped.
#[test]
fn shipped_files_are_coloured_without_a_fault() {
    let folder = root("editors/vscode");
    let installed = folder.join("node_modules/vscode-textmate").is_dir();
    let node = Command::new("node").arg("--version").output().is_ok_and(|out| out.status.success());
    if !(installed && node) {
        let what = if node { "`npm ci` was not run in editors/vscode" } else { "there is no `node`" };
        assert!(std::env::var_os("CI").is_none(), "the colours are not checked: {what}");
        eprintln!("SKIPPED: the colours of the shipped files are not checked: {what}");
        return;
    }
    let paths = ["experiments", "stdlib", "tests/conformance", "tests/language"].map(root);
    let out =
        Command::new("node").arg(folder.join("test/grammar.mjs")).args(paths).output().expect("node runs");
    let said = String::from_utf8_lossy(&out.stdout).into_owned() + &String::from_utf8_lossy(&out.stderr);
    assert!(out.status.success(), "{said}");
    assert!(said.contains("0 wrong places"), "{said}");
}
