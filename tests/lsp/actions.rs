//! Fixes: what is offered for a diagnostic does away with it.

use std::fmt::Write;

use serde_json::{Value, json};

use crate::client::{Client, Text, edited, listed, shipped};

fn actions(client: &mut Client, text: &Text, diagnostic: &Value) -> Vec<Value> {
    let params = json!({
        "textDocument": { "uri": text.uri },
        "range": diagnostic["range"],
        "context": { "diagnostics": [diagnostic] },
    });
    let found = client.ask("textDocument/codeAction", params);
    let of_this = |action: &&Value| action["diagnostics"][0] == *diagnostic;
    found.as_array().expect("a list").iter().filter(of_this).cloned().collect()
}

#[test]
fn a_fix_is_applied_and_the_diagnostic_is_gone() {
    let mut client = Client::start();
    let mut text = client.open("quickstart.anz", &shipped("experiments/quickstart.anz"));
    client.diagnostics(&text);
    client.edit(&mut text, "mean(gain, Seed)", "mean(gian, Seed)");
    let wrong = client.diagnostics(&text);
    let found = actions(&mut client, &text, &wrong[0]);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0]["title"], "Replace `gian` by `gain`");
    let fixed = edited(&text.text, &found[0]["edit"]["changes"][&text.uri]);
    client.replace(&mut text, &fixed);
    assert_eq!(text.text, shipped("experiments/quickstart.anz"));
    let after = client.diagnostics(&text);
    assert!(!after.to_string().contains("A0101"), "{after}");
    client.end();
}

/// Every wrong file of the corpora, with every fix of every diagnostic: after the fix, the diagnostic is not there
/// any more. The snapshot shows which diagnostics have fixes.
#[test]
fn every_fix_of_the_corpora_does_away_with_its_diagnostic() {
    let mut client = Client::start();
    let mut log = String::new();
    let mut fixes = 0;
    for folder in ["tests/errors/syntax", "tests/errors/check"] {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
        let mut names: Vec<String> = std::fs::read_dir(path)
            .expect("a folder")
            .flatten()
            .map(|entry| entry.file_name().to_string_lossy().into_owned())
            .filter(|name| name.ends_with(".anz"))
            .collect();
        names.sort();
        for name in names {
            let text = client.open(&name, &shipped(&format!("{folder}/{name}")));
            let before = client.diagnostics(&text);
            for diagnostic in before.as_array().expect("a list") {
                for action in actions(&mut client, &text, diagnostic) {
                    fixes += 1;
                    let code = diagnostic["code"].as_str().unwrap_or("");
                    writeln!(log, "{name} {code}: {}", action["title"].as_str().unwrap_or(""))
                        .expect("a string");
                    let after = edited(&text.text, &action["edit"]["changes"][&text.uri]);
                    let fixed = client.open(&format!("fixed-{name}"), &after);
                    let left = client.diagnostics(&fixed);
                    let count = |list: &Value| {
                        list.as_array().expect("a list").iter().filter(|one| one["code"] == code).count()
                    };
                    assert!(
                        count(&left) < count(&before),
                        "{name}: `{}` does not help:\n{after}\n{}",
                        action["title"],
                        listed(&left)
                    );
                    client.tell("textDocument/didClose", json!({ "textDocument": { "uri": fixed.uri } }));
                }
            }
            client.tell("textDocument/didClose", json!({ "textDocument": { "uri": text.uri } }));
        }
    }
    assert!(fixes > 40, "only {fixes} fixes");
    insta::assert_snapshot!(log);
    client.end();
}
