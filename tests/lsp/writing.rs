//! Help while writing: completion, signatures, renaming, formatting.

use std::fmt::Write;

use serde_json::{Value, json};

use crate::client::{Client, Text, edited, listed, position, shipped, span};

/// A text with `|` for the cursor: the text without it, opened, and the place.
fn with_cursor(client: &mut Client, name: &str, text: &str) -> (Text, Value) {
    let at = text.find('|').expect("a cursor");
    let plain = text.replacen('|', "", 1);
    let place = position(&plain, at);
    (client.open(name, &plain), place)
}

/// The quickstart with something in the place of its first `old`.
fn quickstart_with(old: &str, new: &str) -> String {
    let text = shipped("experiments/quickstart.anz");
    assert!(text.contains(old), "no `{old}` in the quickstart");
    text.replacen(old, new, 1)
}

#[test]
fn completions() {
    let mut client = Client::start();
    let mut log = String::new();
    let cases = [
        (
            "names of a train block",
            quickstart_with("let logits = net(pixel / 16)\n    minimize", "let logits = l|\n    minimize"),
        ),
        ("a statement of a train block", quickstart_with("epochs 30", "epochs 30\n    e|")),
        ("a statement of an experiment", quickstart_with("report {", "c|\n  report {")),
        ("named arguments", quickstart_with("label, smoothing = 0.1)", "label, s|)")),
        (
            "named arguments of an open call",
            quickstart_with(
                "let p = softmax(net(pixel / 16), Class)",
                "let q = smoothed_cross_entropy(logits, |",
            ),
        ),
        ("options of a builtin", quickstart_with("argmax(p, Class)", "sort(p, Class, d|)")),
        (
            "fields of a record",
            quickstart_with("paired_t(harm, Seed).p < 0.01", "paired_t(harm, Seed).| < 0.01"),
        ),
        ("parts and columns", quickstart_with("on digits.test {", "on digits.| {")),
        (
            "columns of a data set",
            quickstart_with("let p = softmax", "let q = digits.l|\n    let p = softmax"),
        ),
        ("fields of a model", quickstart_with("let p = softmax", "let q = net.|\n    let p = softmax")),
        ("axes of a selector", quickstart_with("accuracy[Objective = smoothed]", "accuracy[O|]")),
        ("arms", quickstart_with("accuracy[Objective = smoothed]", "accuracy[Objective = s|]")),
        ("axes of a type", quickstart_with("let said = argmax", "let said: Class[E|] = argmax")),
        ("modules", quickstart_with("use std.loss", "use std.l|")),
        (
            "items of a module",
            quickstart_with(
                "use std.loss (cross_entropy, smoothed_cross_entropy)",
                "use std.loss (cross_entropy, smoothed_cross_entropy, fo|)",
            ),
        ),
        ("optimizers", quickstart_with("with adam(lr = 3e-3)", "with |")),
        ("keys of a split", quickstart_with("stratified by label", "stratified by |")),
        ("data sets", quickstart_with("on digits.test {", "on d| {")),
        (
            "the top of a file",
            quickstart_with("experiment label_smoothing", "te|\nexperiment label_smoothing"),
        ),
        ("a report", quickstart_with("table accuracy, brier", "table a|, brier")),
        ("an item that is not imported", quickstart_with("let said = argmax", "let said = foc|")),
        ("in a comment", quickstart_with("// a category", "// a cat| category")),
        ("in a string", quickstart_with("data/digits.csv", "data/dig|its.csv")),
    ];
    for (number, (what, text)) in cases.iter().enumerate() {
        let (text, at) = with_cursor(&mut client, &format!("case{number}.anz"), text);
        let items = client.ask_at("textDocument/completion", &text, &at);
        let items = items.as_array().expect("a list");
        let line = |item: &Value| {
            let detail = item["detail"].as_str().map(|detail| format!(": {detail}")).unwrap_or_default();
            let docs = item["documentation"]["value"].as_str().map_or("", |_| " (documented)");
            let import = item["additionalTextEdits"][0]["newText"].as_str();
            let import = import.map(|text| format!(" + {text:?}")).unwrap_or_default();
            format!("    {}{detail}{docs}{import}", item["label"].as_str().unwrap_or(""))
        };
        // Of long lists, what begins with the letters that are written.
        let all = text.text.lines().nth(at["line"].as_u64().expect("a line") as usize).expect("a line");
        let before = &all[..at["character"].as_u64().expect("a column") as usize];
        let prefix = before.rsplit(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or("");
        let mut matching: Vec<&Value> = items
            .iter()
            .filter(|item| item["label"].as_str().is_some_and(|label| label.starts_with(prefix)))
            .collect();
        matching.sort_by_key(|item| item["sortText"].as_str());
        writeln!(log, "{what} ({} items)", items.len()).expect("a string");
        for item in matching.iter().take(20) {
            writeln!(log, "{}", line(item)).expect("a string");
        }
    }
    insta::assert_snapshot!(log);
    client.end();
}

#[test]
fn an_item_of_the_library_is_documented_when_it_is_asked_for_and_imports_itself() {
    let mut client = Client::start();
    let written = quickstart_with("let said = argmax", "let loss = foc|");
    let (text, at) = with_cursor(&mut client, "import.anz", &written);
    let items = client.ask_at("textDocument/completion", &text, &at);
    let focal = items.as_array().expect("a list").iter().find(|item| item["label"] == "focal");
    let focal = client.ask("completionItem/resolve", focal.expect("an item").clone());
    let after = edited(&text.text, &focal["additionalTextEdits"]);
    let import = after.lines().find(|line| line.starts_with("use std.loss")).unwrap_or("");
    let docs = focal["documentation"]["value"].as_str().unwrap_or("");
    insta::assert_snapshot!(format!("{}\n\n{docs}\n\n{import}\n", focal["detail"].as_str().unwrap_or("")));
    client.end();
}

#[test]
fn signatures_of_calls() {
    let mut client = Client::start();
    let mut log = String::new();
    for (number, (old, new)) in [
        ("label, smoothing = 0.1)", "label, |)"),
        ("label, smoothing = 0.1)", "label, smoothing = |)"),
        ("argmax(p, Class)", "argmax(|)"),
        ("let p = softmax(net(pixel / 16), Class)", "let q = net(|"),
        ("adam(lr = 3e-3)", "adam(|)"),
    ]
    .into_iter()
    .enumerate()
    {
        let (text, at) = with_cursor(&mut client, &format!("case{number}.anz"), &quickstart_with(old, new));
        let help = client.ask_at("textDocument/signatureHelp", &text, &at);
        let signature = &help["signatures"][0];
        let active = help["activeParameter"].as_u64().and_then(|at| signature["parameters"].get(at as usize));
        let active = active.and_then(|parameter| parameter["label"].as_str()).unwrap_or("none");
        writeln!(log, "{new}\n    {}\n    now: {active}", signature["label"].as_str().unwrap_or("nothing"))
            .expect("a string");
    }
    insta::assert_snapshot!(log);
    client.end();
}

/// Renames, applies, checks; the lines that differ.
fn renamed(client: &mut Client, text: &Text, at: Value, new: &str) -> Result<String, String> {
    let params = json!({ "textDocument": { "uri": text.uri }, "position": at, "newName": new });
    let answer = client.answer("textDocument/rename", params).map_err(|error| error.message)?;
    let edits = answer["changes"][&text.uri].clone();
    let after = edited(&text.text, &edits);
    let mut log = String::new();
    for (old, new) in text.text.lines().zip(after.lines()).filter(|(old, new)| old != new) {
        writeln!(log, "-{old}\n+{new}").expect("a string");
    }
    let opened = client.open("renamed.anz", &after);
    writeln!(log, "{}", listed(&client.diagnostics(&opened))).expect("a string");
    client.tell("textDocument/didClose", json!({ "textDocument": { "uri": opened.uri } }));
    Ok(log)
}

#[test]
fn renaming_changes_all_uses_and_the_file_stays_right() {
    let mut client = Client::start();
    let data = client.folder.path().join("data");
    std::fs::create_dir(&data).expect("a folder");
    std::fs::write(data.join("digits.csv"), shipped("experiments/data/digits.csv")).expect("the data");
    let text = client.open("quickstart.anz", &shipped("experiments/quickstart.anz"));
    let mut log = String::new();
    for (after, needle, new) in [
        ("measure ", "accuracy", "share_right"),
        ("vary ", "Objective", "Loss"),
        ("vary Objective = { plain, ", "smoothed", "soft"),
        ("data ", "digits", "numerals"),
        ("over ", "Example", "Digit"),
        ("  ", "label: Class", "digit"),
        ("label: ", "Class", "Digit"),
        ("into ", "train", "learn"),
        ("let ", "net", "reader"),
        ("experiment ", "label_smoothing", "smoothing_of_labels"),
    ] {
        let at = text.at(after, needle);
        let prepared = client.ask_at("textDocument/prepareRename", &text, &at);
        let outcome = renamed(&mut client, &text, at, new).expect(needle);
        writeln!(log, "## {} to {new}\n{outcome}", prepared["placeholder"].as_str().unwrap_or(""))
            .expect("a string");
    }
    insta::assert_snapshot!(client.redacted(&log));
    client.end();
}

#[test]
fn renaming_is_refused_with_a_reason() {
    let mut client = Client::start();
    let text = client.open("quickstart.anz", &shipped("experiments/quickstart.anz"));
    let mut log = String::new();
    for (after, needle, new) in [
        ("plain    => mean(", "cross_entropy", "ce"),
        ("let said = ", "argmax", "best"),
        ("use std.", "loss", "losses"),
        ("paired_t(harm, Seed).", "p <", "q"),
        ("batch 64 ", "over", "along"),
        ("label: ", "Class  ", "Objective"),
        ("measure ", "accuracy", "let"),
        ("measure ", "accuracy", "2nd"),
        ("measure ", "accuracy", "brier"),
        ("measure ", "accuracy", "two words"),
        ("    let ", "said", "p"),
        ("pixel: ", "Float", "Number"),
    ] {
        let at = text.at(after, needle);
        let refused = renamed(&mut client, &text, at, new).expect_err(needle);
        writeln!(log, "{} to {new}: {refused}", needle.trim()).expect("a string");
    }
    insta::assert_snapshot!(client.redacted(&log));
    client.end();
}

#[test]
fn formatting_gives_what_the_command_gives() {
    let mut client = Client::start();
    let right = shipped("experiments/quickstart.anz");
    let messy =
        right.replace("  epochs 30", "      epochs   30").replace("net(pixel / 16)", "net( pixel/16 )");
    assert_ne!(messy, right);
    let text = client.open("messy.anz", &messy);
    let options = json!({ "tabSize": 2, "insertSpaces": true });
    let params = json!({ "textDocument": { "uri": text.uri }, "options": options });
    let edits = client.ask("textDocument/formatting", params.clone());
    assert_eq!(edited(&messy, &edits), right);
    // Only what changes is touched.
    let start = edits[0]["range"]["start"]["line"].as_u64().expect("a line");
    assert!(start > 10, "{}", span(&edits[0]["range"]));
    let formatted = client.open("right.anz", &right);
    let params = json!({ "textDocument": { "uri": formatted.uri }, "options": options });
    assert_eq!(client.ask("textDocument/formatting", params), json!([]));
    let wrong = client.open("wrong.anz", "fn f(x: Float -> Float = x\n");
    let params = json!({ "textDocument": { "uri": wrong.uri }, "options": options });
    assert_eq!(client.ask("textDocument/formatting", params), json!([]));
    client.end();
}
