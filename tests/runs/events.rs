//! `ansatz run --json`: the events, and nothing else.

use serde_json::Value;

use super::cache::{FILE, bench};
use crate::support::runs::Bench;

/// The events of a run on one thread, so that they come in one order, and the exit code.
fn events(bench: &Bench, more: &[&str]) -> (Vec<Value>, Option<i32>) {
    let ran = bench.run(&[&["--json", "--jobs", "1"], more].concat());
    let event = |line: &str| serde_json::from_str(line).unwrap_or_else(|_| panic!("{line}"));
    (ran.out.lines().map(event).collect(), ran.code)
}

/// Without times and names of folders, and with numbers of four digits, an event a line.
fn shown(events: &[Value]) -> String {
    let line = |event: &Value| {
        let mut event = event.clone();
        redact(&mut event);
        event.to_string()
    };
    events.iter().map(line).collect::<Vec<_>>().join("\n")
}

fn redact(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                match key.as_str() {
                    "seconds" if value.is_number() => *value = "[seconds]".into(),
                    "folder" if value.is_string() => *value = "[folder]".into(),
                    _ => redact(value),
                }
            }
        }
        Value::Array(values) => values.iter_mut().for_each(redact),
        Value::Number(number) if number.is_f64() => {
            let exact = number.as_f64().unwrap_or(f64::NAN);
            *value = format!("{exact:.3e}").into();
        }
        _ => {}
    }
}

#[test]
fn a_run_is_told_as_it_happens() {
    let bench = bench();
    // The measure of every row would be long.
    bench.write("e.anz", FILE.replace("    measure off = abs(net(broadcast(x, In))[Out = 0] - y)\n", ""));
    let (first, code) = events(&bench, &["--seeds", "1"]);
    assert_eq!(code, Some(0));
    insta::assert_snapshot!("events", shown(&first));
    // What was kept is told so, and its numbers are the same.
    let (second, _) = events(&bench, &["--seeds", "1"]);
    let of = |events: &[Value], name: &str| -> Vec<Value> {
        events.iter().filter(|event| event["event"] == name).cloned().collect()
    };
    assert!(of(&second, "trial_started").is_empty());
    for (before, now) in of(&first, "trial_finished").iter().zip(of(&second, "trial_finished")) {
        assert_eq!((&now["cached"], &now["seconds"]), (&Value::Bool(true), &Value::Null));
        assert_eq!((&now["measures"], &now["coordinates"]), (&before["measures"], &before["coordinates"]));
    }
    let folder = of(&second, "run_finished")[0]["folder"].as_str().map(|folder| bench.path(folder));
    assert!(folder.is_some_and(|folder| folder.join("results.json").is_file()));
}

#[test]
fn what_goes_wrong_is_told_too() {
    let bench = bench();
    let last = |events: &[Value]| (events[events.len() - 2].clone(), events[events.len() - 1].clone());
    // A claim that is refuted.
    bench.write("e.anz", FILE.replace("loss < limit", "loss < 0"));
    let (refuted, code) = events(&bench, &[]);
    assert_eq!(code, Some(1));
    assert_eq!((&last(&refuted).0["exit_code"], &last(&refuted).1["exit_code"]), (&1.into(), &1.into()));
    assert!(refuted.iter().any(|event| event["event"] == "claim" && event["verdict"] == "refuted"));
    // A trial that fails while it runs.
    bench.write("e.anz", FILE.replace("measure off = ", "measure off = mean(y, Row where y > 99) + "));
    let (failed, code) = events(&bench, &["--no-store"]);
    assert_eq!(code, Some(3), "{}", shown(&failed));
    let trial = failed.iter().find(|event| event["event"] == "trial_failed").expect("a trial that failed");
    assert_eq!(
        (&trial["coordinates"]["Objective"], &trial["problems"][0]["file"]),
        (&"square".into(), &"e.anz".into())
    );
    assert!(trial["problems"][0]["code"].as_str().is_some_and(|code| code.starts_with("A05")), "{trial}");
    assert_eq!(last(&failed).0["problems"][0]["code"], trial["problems"][0]["code"]);
    // One that diverges.
    bench.write("e.anz", FILE.replace("rate = 0.05", "rate = 1e30"));
    let (diverged, code) = events(&bench, &[]);
    let trial = diverged.iter().find(|event| event["event"] == "trial_finished").expect("a trial");
    assert_eq!((code, trial["diverged"]["step"].is_u64()), (Some(3), true), "{trial}");
    // A file that is wrong.
    bench.write("e.anz", "experiment e {");
    let (wrong, code) = events(&bench, &[]);
    assert_eq!((code, shown(&wrong)), (Some(2), r#"{"event":"finished","exit_code":2}"#.to_owned()));
}

#[test]
fn without_a_terminal_there_is_no_progress() {
    let bench = bench();
    let output = bench.ansatz(&["run", "e.anz", "--backend", "cpu", "--no-store"]);
    // Warnings of the file are there as ever.
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!errors.contains("trials") && !errors.contains(['\r', '\u{1b}']), "{errors}");
    assert!(!String::from_utf8_lossy(&output.stdout).contains('\u{1b}'));
}
