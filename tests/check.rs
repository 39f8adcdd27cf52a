//! The checker: what it says about wrong files, and that the library and the experiments pass.

use std::path::Path;

use ansatz::check::program::{AxisKind, Phase};
use ansatz::check::{Outcome, check};
use ansatz::diagnostic::{Code, Severity, explain, render};

fn checked(path: &Path) -> (String, Outcome) {
    let text = std::fs::read_to_string(path).expect("a file of the corpus");
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let outcome = check(&name, &text);
    (text, outcome)
}

/// All files below a folder that end in `.anz`.
fn programs(folder: &str) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)];
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(&folder).expect("a folder of the repository").flatten() {
            let path = entry.path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|extension| extension == "anz") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

fn is_ours(code: Code) -> bool {
    let name = code.to_string();
    let number: u32 = name[1..].parse().unwrap_or(0);
    (101..250).contains(&number) || (301..350).contains(&number)
}

#[test]
fn errors() {
    insta::glob!("errors/check/*.anz", |path| {
        let (text, outcome) = checked(path);
        let rendered = render(&outcome.diagnostics, &outcome.sources, false);
        insta::assert_snapshot!(format!("{text}\n----\n\n{rendered}"));
    });
}

#[test]
fn every_code_has_a_file_that_gives_it_and_a_page() {
    let files = programs("tests/errors/check");
    for code in Code::ALL.iter().copied().filter(|code| is_ours(*code)) {
        let prefix = format!("{code}-");
        let file = files
            .iter()
            .find(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(&prefix)));
        let file = file.unwrap_or_else(|| panic!("no file of the corpus gives {code}"));
        let (_, outcome) = checked(file);
        let codes: Vec<Code> = outcome.diagnostics.iter().map(|diagnostic| diagnostic.code).collect();
        assert!(codes.contains(&code), "{} gives {codes:?}", file.display());
        let page = explain(code);
        assert!(
            page.starts_with(&format!("# {code}: {}", code.title())),
            "the page of {code} has another title"
        );
        assert!(
            page.contains("## Example") && page.contains("## The way out"),
            "the page of {code} is not complete"
        );
    }
}

#[test]
fn every_diagnostic_points_into_the_file_and_helps() {
    for file in programs("tests/errors/check") {
        let (text, outcome) = checked(&file);
        for diagnostic in &outcome.diagnostics {
            let at = diagnostic.primary.span;
            assert_eq!(at.file.0, 0, "{}: {} points into the library", file.display(), diagnostic.code);
            assert!((at.end as usize) <= text.len() && at.start < at.end, "{}: {at:?}", file.display());
            assert!(
                !diagnostic.primary.text.is_empty(),
                "{}: {} has no label",
                file.display(),
                diagnostic.code
            );
            assert!(diagnostic.help.is_some(), "{}: {} has no help", file.display(), diagnostic.code);
        }
    }
}

#[test]
fn the_library_and_the_experiments_pass() {
    let mut wrong = String::new();
    for path in programs("stdlib").into_iter().chain(programs("experiments")) {
        let (_, outcome) = checked(&path);
        let errors: Vec<_> =
            outcome.diagnostics.iter().filter(|d| d.severity == Severity::Error).cloned().collect();
        if !errors.is_empty() {
            wrong += &format!("{}\n{}", path.display(), render(&errors, &outcome.sources, false));
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn measures_know_the_trials_that_they_depend_on() {
    let text = r#"
use std.nn (Linear)
use std.optim (adam)
data d = csv("d.csv") over Row { x: Float[Feature], label: Class }
experiment e {
  vary Rate = [0.01, 0.1]
  vary Kind = { plain, squared }
  vary Seed = 5
  split d into train 70%, test 30% seed 1
  let net = Linear[Feature, Class]()
  train on d.train {
    batch 8 over Row
    epochs 1
    minimize mean((net(x) - one_hot(label))^2, Row, Class) over net with adam(lr = Rate)
  }
  on d.test {
    measure share = mean(label == label, Row)
    measure right = mean(argmax(net(x), Class) == label, Row)
    measure either = match Kind { plain => right, squared => right^2 }
  }
  let gain = either[Kind = squared] - either[Kind = plain]
  claim "gain": mean(gain, Seed, Rate) > share
}
"#;
    let outcome = check("e.anz", text);
    let said = render(&outcome.diagnostics, &outcome.sources, false);
    let program = outcome.program.unwrap_or_else(|| panic!("{said}"));
    let axes = |name: &str| {
        let (_, axes) = program
            .varies
            .iter()
            .find(|(span, _)| outcome.sources.slice(**span) == name)
            .unwrap_or_else(|| panic!("no measure {name}"));
        axes.iter().map(|axis| program.axis(*axis).name.as_str()).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(axes("share"), "");
    assert_eq!(axes("right"), "Rate Seed");
    assert_eq!(axes("either"), "Rate Kind Seed");
    let phase = |start: &str| {
        let found = program.phases.iter().find(|(span, _)| outcome.sources.slice(**span).starts_with(start));
        *found.unwrap_or_else(|| panic!("no statement {start}")).1
    };
    assert_eq!(phase("let net"), Phase::Trial);
    assert_eq!(phase("let gain"), Phase::Results);
    assert_eq!(phase("claim"), Phase::Results);
    let rows = |start: &str| {
        let found = program.blocks.iter().find(|(span, _)| outcome.sources.slice(**span).starts_with(start));
        let axes = found.unwrap_or_else(|| panic!("no block {start}")).1;
        axes.iter().map(|axis| program.axis(*axis).kind.clone()).collect::<Vec<_>>()
    };
    assert!(matches!(rows("train on")[..], [AxisKind::Batch { .. }]));
    assert!(matches!(rows("on d.test")[..], [AxisKind::Part { .. }]));
}

/// Checking a file twice as long takes about twice as long: an editor checks on every key. The work is compared with itself, not with a clock.
#[test]
fn checking_grows_with_the_length_of_a_file() {
    let function =
        |k: usize| format!("fn f{k}[A](x: Float[A]) -> Float[A] = exp(x - logsumexp(x, A)) * {k}\n");
    let time = |functions: usize| {
        let text: String = (0..functions).map(function).collect();
        let best = (0..3).map(|_| {
            let start = std::time::Instant::now();
            check("speed.anz", &text);
            start.elapsed()
        });
        best.min().unwrap_or_default().as_secs_f64()
    };
    let (short, long) = (time(100), time(400));
    assert!(long < 16.0 * short, "100 functions take {short} s, 400 take {long} s");
}

/// Cuts and garbled files must give diagnostics, never a panic.
#[test]
fn pieces_of_files_are_refused_without_a_panic() {
    for path in programs("tests/errors/check").into_iter().chain(programs("experiments")) {
        let text = std::fs::read_to_string(&path).expect("a file of the corpus");
        let lines: Vec<&str> = text.lines().collect();
        // Every line of the small files, some of the large ones.
        for skip in (0..lines.len()).step_by(1 + lines.len() / 25) {
            let rest: Vec<&str> =
                lines.iter().enumerate().filter(|(at, _)| *at != skip).map(|(_, line)| *line).collect();
            check("cut.anz", &rest.join("\n"));
        }
    }
}
