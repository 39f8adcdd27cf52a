//! `ansatz test` on experiments: a snapshot is written, accepted, kept, changed, told apart, and reported.

use std::path::Path;
use std::process::{Command, Output};

use quick_xml::events::Event;
use quick_xml::{Reader, XmlVersion};

use super::cache::{FILE, bench};
use crate::support::runs::Bench;

const SNAPSHOT: &str = "snapshots/e__line.snap";

fn marked() -> Bench {
    let bench = bench();
    let marks = "  quick Seed = 1\n  snapshot loss within 0.01\n  snapshot best within 0.001\n";
    let text = FILE
        .replace("  claim \"it", &format!("  let best = min(loss, Objective, Seed)\n{marks}  claim \"it"));
    bench.write("e.anz", format!("{text}\ntest \"squares\" {{\n  assert squared(3) ~= 9\n}}\n"));
    bench
}

/// Where `CI` is set, tests are run there, too.
fn ansatz(bench: &Bench, arguments: &[&str]) -> Output {
    bench.command(arguments).env_remove("CI").output().expect("the program starts")
}

fn test(bench: &Bench, more: &[&str]) -> (Option<i32>, String, String) {
    let output = ansatz(bench, &[&["test", "e.anz"], more].concat());
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

fn read(bench: &Bench, name: &str) -> Option<String> {
    std::fs::read_to_string(bench.path(name)).ok()
}

#[test]
fn a_snapshot_is_written_accepted_kept_and_told_apart() {
    let bench = marked();
    let pending = format!("{SNAPSHOT}.new");

    // There is none: on a machine of continuous integration a failure, else to be reviewed.
    let (code, out, _) = test(&bench, &["--ci"]);
    assert_eq!((code, out.contains("there is no snapshot")), (Some(1), true), "{out}");
    assert!(!bench.path("snapshots").exists());
    let (code, out, errors) = test(&bench, &[]);
    assert_eq!(code, Some(0), "{out}{errors}");
    assert!(out.contains("new      e.anz: snapshot of line, written to snapshots/e__line.snap.new"), "{out}");
    assert!(out.contains("1 passed, 0 failed; 1 assertions") && out.contains("snapshots: 1 new"), "{out}");
    assert_eq!(read(&bench, SNAPSHOT), None);
    let proposed = read(&bench, &pending).expect("it is to be reviewed");

    let (code, out, _) = test(&bench, &["--accept"]);
    assert_eq!((code, out.contains("snapshots: 1 accepted")), (Some(0), true), "{out}");
    let accepted = read(&bench, SNAPSHOT).expect("it is written");
    assert_eq!(accepted, proposed);
    assert_eq!(read(&bench, &pending), None);
    insta::assert_snapshot!("accepted", accepted);

    // Within the tolerance nothing happens to the file, whatever it says exactly.
    let (first, second) = (accepted.find("square, Seed = 0: ").expect("a line"), "square, Seed = 0: ".len());
    let number = &accepted[first + second..].lines().next().expect("a number");
    let value: f64 = number.parse().expect("a number");
    let moved = |by: f64| {
        accepted.replace(&format!("square, Seed = 0: {number}"), &format!("square, Seed = 0: {}", value + by))
    };
    bench.write(SNAPSHOT, moved(0.0099));
    let (code, out, _) = test(&bench, &[]);
    assert_eq!((code, out.contains("snapshots: 1 as before")), (Some(0), true), "{out}");
    assert_eq!(read(&bench, SNAPSHOT), Some(moved(0.0099)));

    // Beyond it the place and the distance are told.
    bench.write(SNAPSHOT, moved(0.0201));
    let (code, out, _) = test(&bench, &["--ci"]);
    assert_eq!((code, read(&bench, &pending)), (Some(1), None));
    assert!(out.contains("0.0201 apart: 2.01 times the tolerance of 0.01"), "{out}");
    let (code, out, _) = test(&bench, &[]);
    assert_eq!((code, read(&bench, &pending)), (Some(1), Some(accepted.clone())), "{out}");
    assert_eq!(read(&bench, SNAPSHOT), Some(moved(0.0201)));

    // As before again: nothing is to be reviewed any more.
    bench.write(SNAPSHOT, &accepted);
    assert_eq!(test(&bench, &[]).0, Some(0));
    assert_eq!(read(&bench, &pending), None);
    assert!(!bench.runs().exists());
}

#[test]
fn a_changed_experiment_differs_where_it_changed() {
    let bench = marked();
    assert_eq!(test(&bench, &["--accept"]).0, Some(0));
    let text = read(&bench, "e.anz").expect("the experiment");
    let text = text.replace("steps 40", "steps 20").replace("{ square, absolute }", "{ square, cubic }");
    let text = text.replace("absolute => mean(abs(error), Row)", "cubic    => mean(abs(error)^3, Row)");
    let text = text
        .replace("absolute", "cubic")
        .replace("within 0.01\n  snapshot best within 0.001", "within 0.005");
    bench.write("e.anz", text);
    let (code, out, _) = test(&bench, &[]);
    assert_eq!(code, Some(1));
    let differences = out.split("passed").next().expect("a text").rsplit_once('\n').expect("lines").0;
    insta::assert_snapshot!("differences", differences);
}

/// What is compared and how is insta's own: it finds its text in our file.
#[test]
fn insta_reads_what_is_written() {
    let bench = marked();
    assert_eq!(test(&bench, &["--accept"]).0, Some(0));
    let file = read(&bench, SNAPSHOT).expect("a snapshot");
    let (_, contents) = file.split_once("expression: line\n---\n").expect("a header");
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(bench.path("snapshots"));
    settings.set_prepend_module_to_snapshot(false);
    settings.bind(|| insta::assert_snapshot!("e__line", contents));
}

/// The elements of a document with their attributes (but times), and the texts, in order.
fn elements(document: &str) -> Vec<String> {
    let mut reader = Reader::from_str(document);
    let mut found = Vec::new();
    loop {
        match reader.read_event().expect("well-formed XML") {
            Event::Start(element) | Event::Empty(element) => {
                let attribute = |attribute: Result<quick_xml::events::attributes::Attribute, _>| {
                    let attribute = attribute.expect("an attribute");
                    let value = attribute
                        .decoded_and_normalized_value(XmlVersion::Explicit1_0, reader.decoder())
                        .expect("a text");
                    let key = String::from_utf8_lossy(attribute.key.as_ref()).into_owned();
                    if key == "time" {
                        value.parse::<f64>().expect("seconds");
                        return String::new();
                    }
                    format!(" {key}={value}")
                };
                let attributes: String = element.attributes().map(attribute).collect();
                found.push(format!("{}{attributes}", String::from_utf8_lossy(element.name().as_ref())));
            }
            Event::Text(text) => {
                let text = text.decode().expect("a text").trim().to_owned();
                found.extend((!text.is_empty()).then_some(text));
            }
            Event::Eof => return found,
            _ => {}
        }
    }
}

#[test]
fn what_was_tested_is_reported_as_junit() {
    let bench = marked();
    let report = |more: &[&str]| -> (Option<i32>, Vec<String>) {
        let (code, _, errors) = test(&bench, &[&["--junit", "out/report.xml"], more].concat());
        let document = read(&bench, "out/report.xml").unwrap_or_else(|| panic!("no report: {errors}"));
        (code, elements(&document))
    };
    let (code, missing) = report(&["--ci"]);
    assert_eq!(code, Some(1));
    let expected = [
        "testsuites name=ansatz test tests=2 failures=1 errors=0 skipped=0",
        "testsuite name=e.anz tests=2 failures=1 errors=0 skipped=0",
        "testcase name=squares classname=e.anz",
        "testcase name=snapshot of line classname=e.anz",
        "failure message=the results are not those of the snapshot",
    ];
    assert_eq!(missing[..5], expected);
    assert_eq!(report(&[]).1[4], "skipped message=there is no snapshot yet");
    assert_eq!(report(&["--accept"]).1.len(), 4);

    let text = read(&bench, "e.anz").expect("the experiment");
    bench.write("e.anz", text.replace("steps 40", "steps 20").replace("\"squares\"", "\"squares < &\""));
    let (_, changed) = report(&[]);
    assert_eq!(changed[2], "testcase name=squares < & classname=e.anz");
    let told = changed[5..].concat();
    assert!(
        told.contains("Objective = square, Seed = 0: ") && told.contains("times the tolerance"),
        "{told}"
    );

    bench.write("e.anz", "experiment {");
    let (code, wrong) = report(&[]);
    assert_eq!(
        (code, &wrong[0][..]),
        (Some(2), "testsuites name=ansatz test tests=1 failures=0 errors=1 skipped=0")
    );
}

#[test]
fn tests_are_taken_by_their_names() {
    let bench = marked();
    let (code, out, _) = test(&bench, &["--filter", "squar", "--ci", "--verbose"]);
    assert_eq!(code, Some(0), "{out}");
    assert!(out.contains("ok       e.anz: squares") && !out.contains("snapshot"), "{out}");
    let (code, out, _) = test(&bench, &["--filter", "lin", "--ci"]);
    assert!(
        code == Some(1) && out.contains("0 passed, 0 failed") && out.contains("snapshots: 1 failed"),
        "{out}"
    );
    assert!(
        test(&bench, &["--filter", "nowhere"]).1.contains("no test and no marked experiment has `nowhere`")
    );
}

#[test]
fn a_damaged_snapshot_is_refused_and_can_be_written_anew() {
    let bench = marked();
    test(&bench, &["--accept"]);
    let whole = read(&bench, SNAPSHOT).expect("a snapshot");
    for damaged in [
        String::new(),
        whole.replace("loss (", "<<<<<<< ours\nloss ("),
        whole.replace("Seed = 0: ", "Seed = 0: x"),
    ] {
        bench.write(SNAPSHOT, &damaged);
        let (code, _, errors) = test(&bench, &[]);
        assert_eq!((code, errors.contains("A0621")), (Some(2), true), "{errors}");
        assert_eq!(read(&bench, SNAPSHOT), Some(damaged));
    }
    bench.write(SNAPSHOT, b"---\n---\n\xff");
    assert!(test(&bench, &[]).2.contains("A0621"));
    insta::assert_snapshot!("damaged", {
        bench.write(SNAPSHOT, whole.replace("loss (", "<<<<<<< ours\nloss ("));
        test(&bench, &[]).2
    });
    assert_eq!(test(&bench, &["--accept"]).0, Some(0));
    assert_eq!(read(&bench, SNAPSHOT), Some(whole));
}

#[test]
fn a_snapshot_that_cannot_be_written_is_told() {
    let bench = marked();
    bench.write("snapshots", "no folder");
    let (code, _, errors) = test(&bench, &["--accept"]);
    assert_eq!((code, errors.contains("A0622")), (Some(3), true), "{errors}");
}

#[test]
fn runs_are_kept_where_that_is_asked_for() {
    let bench = marked();
    assert_eq!(test(&bench, &["--runs", "kept", "--accept"]).0, Some(0));
    assert_eq!(test(&bench, &["--runs", "kept"]).0, Some(0));
    let record = std::fs::read_dir(bench.path("kept"))
        .expect("runs")
        .flatten()
        .find(|entry| entry.path().join("run.json").is_file());
    let record = std::fs::read_to_string(record.expect("a run").path().join("run.json")).expect("a record");
    assert!(record.contains("\"kept\"") && !record.contains("\"computed\""), "{record}");
    bench.write("e.anz", FILE);
    assert!(test(&bench, &[]).1.contains("unused   snapshots/e__line.snap"));
}

/// The snapshot of the quickstart, on any processor.
#[test]
fn the_quickstart_is_as_before() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let output = Command::new(env!("CARGO_BIN_EXE_ansatz"))
        .current_dir(root)
        .args(["test", "experiments/quickstart.anz", "--ci"])
        .output()
        .expect("the program starts");
    let out = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && out.contains("snapshots: 1 as before"), "{out}");
}
