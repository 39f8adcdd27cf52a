//! The syntax: trees and formatted text of a corpus, properties of the formatter, errors, and hostile text.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use ansatz::diagnostic::{Code, Diagnostic, render};
use ansatz::source::{FileId, Sources};
use ansatz::syntax::{self, ExprIds, ast};
use proptest::prelude::*;

fn parse(text: &str) -> Result<ast::File, Vec<Diagnostic>> {
    syntax::parse(FileId(0), text, &mut ExprIds::default())
}

/// The tree and the formatted text, after the properties that hold for every text that parses: the formatted text
/// has the same tree and the same comments, and is formatted to itself.
fn round(text: &str) -> (String, String) {
    let shown = |errors: Vec<Diagnostic>, text: &str| {
        let mut sources = Sources::default();
        sources.add("text", text);
        panic!("{}\n{text}", render(&errors, &sources, false))
    };
    let file = parse(text).unwrap_or_else(|errors| shown(errors, text));
    let formatted = syntax::format(&file, text);
    let again = parse(&formatted).unwrap_or_else(|errors| shown(errors, &formatted));
    let (tree, tree_again) = (syntax::dump(&file), syntax::dump(&again));
    assert_eq!(tree, tree_again, "formatting changed the meaning:\n{formatted}");
    let comments = |file: &ast::File| {
        let mut texts: Vec<String> = file.comments.iter().map(|comment| comment.text.clone()).collect();
        texts.sort();
        texts
    };
    assert_eq!(comments(&file), comments(&again), "formatting lost a comment:\n{formatted}");
    assert_eq!(syntax::format(&again, &formatted), formatted, "formatting is not idempotent");
    (tree, formatted)
}

#[test]
fn corpus() {
    insta::glob!("syntax/*.anz", |path| {
        let text = std::fs::read_to_string(path).unwrap();
        let (tree, formatted) = round(&text);
        insta::assert_snapshot!(format!("{tree}\n==== formatted ====\n{formatted}"));
    });
}

#[test]
fn library_and_experiments_keep_their_meaning_when_formatted() {
    let mut folders = vec![std::path::PathBuf::from("stdlib"), std::path::PathBuf::from("experiments")];
    let mut count = 0;
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "anz") {
                round(&std::fs::read_to_string(&path).unwrap());
                count += 1;
            }
        }
    }
    assert!(count > 10, "only {count} files found");
}

#[test]
fn errors() {
    insta::glob!("errors/syntax/*.anz", |path| {
        let text = std::fs::read_to_string(path).unwrap();
        let mut sources = Sources::default();
        let file = sources.add(path.file_name().unwrap().to_string_lossy(), text.clone());
        let errors = syntax::parse(file, &text, &mut ExprIds::default()).expect_err("an error");
        let mut shown = text.clone();
        write!(shown, "\n----\n{}", render(&errors, &sources, false)).unwrap();
        let shown: Vec<&str> = shown.lines().map(str::trim_end).collect();
        insta::assert_snapshot!(shown.join("\n"));
    });
}

/// The codes of a text that must be refused, quickly.
fn refused(text: &str) -> Vec<Code> {
    let start = Instant::now();
    let errors = parse(text).expect_err("an error");
    assert!(start.elapsed() < Duration::from_secs(5), "took {:?}", start.elapsed());
    errors.iter().map(|error| error.code).collect()
}

#[test]
fn deep_nesting_is_refused_at_once() {
    let million = 1 << 20;
    for text in [
        "(".repeat(million),
        format!("let a = {}1", "(".repeat(million)),
        format!("let a = {}", "[".repeat(million)),
        format!("let a = {}x", "not ".repeat(million / 4)),
        format!("let a = {}1", "- ".repeat(million / 2)),
        format!("let a = {}1", "2^".repeat(million / 2)),
        format!("let a = {}x", "if ".repeat(million / 3)),
        format!("let a = {}x", "match\n".repeat(million / 6)),
        format!("let a = {}x", "fn(a) = ".repeat(million / 8)),
        format!("let a = {}", "f(x) else ".repeat(million / 10)),
        format!("let a = 1{}", " + 1".repeat(million / 4)),
        "{[(".repeat(million / 3),
    ] {
        assert_eq!(refused(&text), [Code::A0003], "{}", &text[..40]);
    }
    assert_eq!(refused(&")".repeat(million)), [Code::A0005]);
    assert_eq!(refused(&"\"".repeat(million + 1)).last(), Some(&Code::A0004));
}

#[test]
fn long_texts_parse_in_linear_time() {
    // The tree of a long sum is as deep as the sum is long: whoever walks it needs the stack that `ansatz` runs on.
    let worker = std::thread::Builder::new().stack_size(256 << 20).spawn(long_texts);
    worker.unwrap().join().unwrap();
}

fn long_texts() {
    let start = Instant::now();
    round(&format!("let a = 1{}", " + x".repeat(10_000)));
    round(&format!("let a = {}1{}", "(".repeat(150), ")".repeat(150)));
    round(&format!("let a = {}x{}", "f[A](".repeat(150), ")".repeat(150)));
    round(&format!("let a = {}x{}", "x[A = ".repeat(150), "]".repeat(150)));
    let deep = format!("{}1{}", "if c { ".repeat(150), " } else { 2 }".repeat(150));
    round(&format!("fn f(c: Bool) -> Float {{ {deep} }}"));
    round(&format!("fn f(c: Bool) -> Float {{ {}{{ 1 }} }}", "if c { 2 } else ".repeat(500)));
    round(&"fn f(x: Float) -> Float { 2 * sum(x * y[A = i], A) }\n".repeat(5_000));
    assert!(start.elapsed() < Duration::from_secs(60), "took {:?}", start.elapsed());
}

#[test]
fn bytes_that_are_not_text() {
    let code = |bytes: &[u8]| syntax::decode(FileId(0), bytes.to_vec()).map_err(|error| error.code);
    assert_eq!(code(b"let a = 1"), Ok("let a = 1".to_owned()));
    assert_eq!(code(&[0xff, 0xfe, 0x00]), Err(Code::A0002));
    assert_eq!(code(b"let a\0 = 1"), Err(Code::A0002));
}

#[test]
fn words_of_statements_may_name_values() {
    let names = [
        "data", "batch", "steps", "on", "over", "with", "by", "where", "table", "param", "measure", "test",
        "use", "snapshot", "quick",
    ];
    for name in names {
        let text = format!(
            "fn f({name}: Float) -> Float {{\n  let y = {name} + {name}[A = 1] - g({name}, k = {name})\n  {name} * y\n}}\n"
        );
        let (_, formatted) = round(&text);
        assert_eq!(formatted, text);
    }
}

/// Expressions as text.
fn expression() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("x".to_owned()),
        Just("label".to_owned()),
        Just("Task'".to_owned()),
        Just("true".to_owned()),
        (0u32..1000).prop_map(|n| n.to_string()),
        (0.0f64..10.0).prop_map(|n| format!("{n:.3}")),
        Just("\"a \\\"b\\\" \\\\ c\"".to_owned()),
        Just("1e-6".to_owned()),
    ];
    leaf.prop_recursive(5, 40, 4, |inner| {
        let operator = prop::sample::select(vec!["+", "-", "*", "/", "%", "^", "and", "or", "+ // why\n", "*\n"]);
        let comparison = prop::sample::select(vec!["==", "!=", "<", "<=", ">", ">=", "~="]);
        prop_oneof![
            3 => (inner.clone(), operator, inner.clone()).prop_map(|(a, o, b)| format!("{a} {o} {b}")),
            1 => (inner.clone(), comparison, inner.clone()).prop_map(|(a, o, b)| format!("(({a}) {o} ({b}))")),
            1 => inner.clone().prop_map(|a| format!("({a})")),
            1 => inner.clone().prop_map(|a| format!("-({a})")),
            1 => inner.clone().prop_map(|a| format!("(not {a})")),
            1 => prop::collection::vec(inner.clone(), 1..4).prop_map(|all| format!("[{}]", all.join(", "))),
            1 => prop::collection::vec(inner.clone(), 2..4).prop_map(|all| format!("({})", all.join(",\n"))),
            2 => prop::collection::vec(inner.clone(), 0..4).prop_map(|all| format!("f({})", all.join(", "))),
            1 => (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("mean({a}, Example by sex where {b}) else 0")),
            1 => (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("g[A, B']({a}, // first\n k = {b})")),
            1 => (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("window({a}, H as K = ({b})).y[A = ({b}), B = 2.., C as D]")),
            1 => (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("if ({a}) {{ {b} }} else {{ let z = {a}\n z }}")),
            1 => (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("match Task {{ a => {a}, // arm\n bcd => {b} }}")),
            1 => (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("{{ p: {a}, statistic: {b} }}")),
            1 => (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("scan t in T from h = {a} {{\n h := {b}\n\n yield h }}")),
            1 => (inner.clone(), inner).prop_map(|(a, b)| format!("iterate up to 5 until ({a}) from w = {b} {{ w := {b} }}")),
        ]
    })
}

fn statement() -> impl Strategy<Value = String> {
    let value = expression;
    prop_oneof![
        value().prop_map(|a| format!("let a = {a}")),
        value().prop_map(|a| format!("let (a, b): Float[A, B] ~ {a}  // drawn")),
        value().prop_map(|a| format!("// above\nw := {a}")),
        value().prop_map(|a| format!("assert {a}")),
        (value(), value()).prop_map(|(a, b)| format!("minimize {{ fit: {a}, // term\n other: {b} }} by mgda() // combined\n over net\n with adam(lr = ({b}))")),
        value().prop_map(|a| format!("maximize ({a}) over delta with pgd(lr = 1) steps 5 project {a}")),
        (value(), value()).prop_map(|(a, b)| format!("if ({a}) {{\n w := {b}\n // end\n}} else if ({b}) {{ w := {a} }} else {{ }}")),
        value().prop_map(|a| format!("every 100 {{ record held = {a} }}")),
        value().prop_map(|a| format!("claim \"it holds\": {a}")),
        value().prop_map(|a| format!("train on a.train {{\n\n\n batch 64 over E balanced by ({a})\n\n steps 5\n}}")),
        value().prop_map(|a| format!("state m, n: Float[A] = {a}")),
        value().prop_map(|a| format!("report {{ table {a} by Objective }}")),
        value().prop_map(|a| format!("snapshot score, acc\n  within {a}  // tolerance")),
        (value(), value()).prop_map(|(a, b)| format!("quick Seed = {a}, // fewer\n b = {b}")),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn generated_programs_survive_formatting(statements in prop::collection::vec(statement(), 1..6)) {
        round(&format!("experiment e {{\n{}\n}}\n", statements.join("\n")));
    }

    #[test]
    fn garbage_never_panics(text in "[a-z(){}\\[\\]=:,.+*/\"'\\\\\n -]{0,200}") {
        if let Ok(file) = parse(&text) {
            syntax::format(&file, &text);
        }
    }

    #[test]
    fn unicode_garbage_never_panics(text in ".{0,80}") {
        let _ = parse(&text);
        let _ = parse(&format!("fn f(x: Float) -> Float {{ {text} }}"));
    }

    #[test]
    fn damaged_programs_never_panic(cut in 0usize..3000, insert in "[(){}\\[\\]\"=\n,-]{0,3}", which in 0usize..2) {
        let text = [include_str!("syntax/2_6_steps.anz"), include_str!("syntax/2_7_vocabulary.anz")][which];
        let cut = (0..=cut.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        let rest = text[cut..].chars().skip(1).collect::<String>();
        let damaged = format!("{}{insert}{rest}", &text[..cut]);
        if let Ok(file) = parse(&damaged) {
            syntax::format(&file, &damaged);
        }
    }
}
