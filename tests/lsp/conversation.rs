//! One conversation from the greeting to the goodbye: reading a file with the editor's help.

use std::fmt::Write;

use serde_json::{Value, json};

use crate::client::{Client, listed, place, shipped, span};

fn quickstart(client: &mut Client) -> crate::client::Text {
    let data = client.folder.path().join("data");
    std::fs::create_dir(&data).expect("a folder");
    std::fs::write(data.join("digits.csv"), shipped("experiments/data/digits.csv")).expect("the data");
    client.open("quickstart.anz", &shipped("experiments/quickstart.anz"))
}

#[test]
fn a_right_file_has_no_diagnostics() {
    let mut client = Client::start();
    let text = quickstart(&mut client);
    assert_eq!(client.diagnostics(&text), json!([]));
    client.end();
}

#[test]
fn a_wrong_edit_is_told_with_its_places_and_a_right_one_takes_it_back() {
    let mut client = Client::start();
    let mut text = quickstart(&mut client);
    let mut log = String::new();
    for (old, new) in [
        ("mean(gain, Seed)", "mean(gian, Seed)"),
        ("mean(gian, Seed)", "mean(gain, Hidden)"),
        ("mean(gain, Hidden)", "mean(gain, Seed"),
        ("mean(gain, Seed", "mean(gain, Seed)"),
        ("label: Class ", "lable: Class "),
    ] {
        client.edit(&mut text, old, new);
        let diagnostics = listed(&client.diagnostics(&text));
        writeln!(log, "{old} -> {new}\n{diagnostics}").expect("a string");
    }
    insta::assert_snapshot!(client.redacted(&log));
    client.end();
}

#[test]
fn data_are_looked_for_beside_the_file() {
    let mut client = Client::start();
    let mut text = quickstart(&mut client);
    client.diagnostics(&text);
    client.edit(&mut text, "data/digits.csv", "data/digit.csv");
    let mut log = listed(&client.diagnostics(&text));
    client.edit(&mut text, "data/digit.csv", "data/digits.csv");
    client.edit(&mut text, "= \"p\"", "= \"q\"");
    log += &listed(&client.diagnostics(&text));
    insta::assert_snapshot!(client.redacted(&log));
    client.end();
}

#[test]
fn hovering_tells_types_axes_and_documentation() {
    let mut client = Client::start();
    let text = quickstart(&mut client);
    let mut log = String::new();
    for (after, needle) in [
        ("let logits", "net(pixel"),
        ("let logits = net(", "pixel"),
        ("train on digits.train {", "logits"),
        ("plain    => mean(", "cross_entropy"),
        ("logits, label), ", "Example"),
        ("minimize match ", "Objective"),
        ("minimize match Objective {\n      ", "plain"),
        ("batch 64 ", "over"),
        ("let said = ", "argmax"),
        ("smoothing", " = 0.1)"),
        ("let net = ", "Mlp"),
        ("use std.", "loss"),
        ("pixel: ", "Float"),
        ("label: ", "Class"),
        ("measure ", "accuracy"),
        ("let gain = ", "accuracy"),
        ("all(mean(", "accuracy"),
        ("paired_t(harm, Seed).", "p "),
        ("on digits.", "test"),
        ("axis Hidden = 64, ", "Bin"),
        ("split ", "digits"),
        ("with ", "adam"),
        ("adam(", "lr"),
    ] {
        let hover = client.ask_at("textDocument/hover", &text, &text.at(after, needle));
        let said = hover["contents"]["value"].as_str().unwrap_or("nothing");
        writeln!(log, "## {} at {}\n{said}\n", needle.trim(), span(&hover["range"])).expect("a string");
    }
    insta::assert_snapshot!(log);
    client.end();
}

#[test]
fn definitions_are_in_the_file_or_in_the_text_of_the_library() {
    let mut client = Client::start();
    let text = quickstart(&mut client);
    let mut log = String::new();
    for (after, needle) in [
        ("let logits = net(", "pixel"),
        ("let p = softmax(", "net"),
        ("plain    => mean(", "cross_entropy"),
        ("let net = ", "Mlp"),
        ("smoothed, ", "smoothing ="),
        ("batch 64 over ", "Example"),
        ("on digits.", "test"),
        ("accuracy[Objective = ", "smoothed"),
        ("use std.", "loss"),
        ("let p = ", "softmax"),
    ] {
        let at = if needle == "smoothing =" {
            text.at("cross_entropy(logits, label, ", needle)
        } else {
            text.at(after, needle)
        };
        let found = client.ask_at("textDocument/definition", &text, &at);
        let uri = found["uri"].as_str().unwrap_or("nowhere").to_owned();
        let mut line = format!("{needle}: {uri} {}", span(&found["range"]));
        if uri.contains("/std/") {
            let path = client.path_of(&uri);
            let library = std::fs::read_to_string(&path).expect("the text of the library is there");
            let number = found["range"]["start"]["line"].as_u64().expect("a line") as usize;
            write!(line, "\n    {}", library.lines().nth(number).unwrap_or("")).expect("a string");
            let permissions = std::fs::metadata(&path).expect("the file").permissions();
            assert!(permissions.readonly(), "{} can be changed", path.display());
            // It is a file that the server understands as well.
            let opened = client.open(
                path.strip_prefix(client.folder.path()).expect("inside").to_str().expect("a path"),
                &library,
            );
            assert_eq!(client.diagnostics(&opened), json!([]), "{uri}");
        }
        writeln!(log, "{line}").expect("a string");
    }
    insta::assert_snapshot!(client.redacted(&log));
    client.end();
}

#[test]
fn uses_are_found_and_highlighted() {
    let mut client = Client::start();
    let text = quickstart(&mut client);
    let mut log = String::new();
    for (after, needle) in [
        ("measure ", "accuracy"),
        ("vary ", "Objective"),
        ("over ", "Example"),
        ("vary Objective = { ", "plain"),
        ("let ", "net"),
        ("pixel: ", "Float"),
        ("data ", "digits"),
        ("use std.loss (", "cross_entropy"),
    ] {
        let at = text.at(after, needle);
        let places = |list: &Value, of: fn(&Value) -> &Value| -> Vec<String> {
            list.as_array().into_iter().flatten().map(|one| place(&of(one)["start"])).collect()
        };
        let context = json!({ "includeDeclaration": true });
        let params = json!({ "textDocument": { "uri": text.uri }, "position": at, "context": context });
        let references = client.ask("textDocument/references", params);
        let highlights = client.ask_at("textDocument/documentHighlight", &text, &at);
        let own: Vec<Value> = references
            .as_array()
            .into_iter()
            .flatten()
            .filter(|one| one["uri"] == text.uri.as_str())
            .cloned()
            .collect();
        let (found, lit) =
            (places(&json!(own), |one| &one["range"]), places(&highlights, |one| &one["range"]));
        assert_eq!(found, lit, "{needle}");
        writeln!(log, "{needle}: {}", found.join(" ")).expect("a string");
    }
    insta::assert_snapshot!(log);
    client.end();
}

#[test]
fn the_outline_and_the_hints() {
    let mut client = Client::start();
    let text = quickstart(&mut client);
    fn outline(symbols: &Value, depth: usize, log: &mut String) {
        for symbol in symbols.as_array().into_iter().flatten() {
            let name = symbol["name"].as_str().unwrap_or("");
            writeln!(log, "{}{name} {}", "  ".repeat(depth), span(&symbol["range"])).expect("a string");
            outline(&symbol["children"], depth + 1, log);
        }
    }
    let mut log = String::new();
    let document = json!({ "textDocument": { "uri": text.uri } });
    outline(&client.ask("textDocument/documentSymbol", document), 0, &mut log);
    let everything =
        json!({ "start": { "line": 0, "character": 0 }, "end": { "line": 999, "character": 0 } });
    let params = json!({ "textDocument": { "uri": text.uri }, "range": everything });
    writeln!(log).expect("a string");
    for hint in client.ask("textDocument/inlayHint", params).as_array().expect("hints") {
        writeln!(log, "{} {}", place(&hint["position"]), hint["label"].as_str().unwrap_or(""))
            .expect("a string");
    }
    insta::assert_snapshot!(log);
    client.end();
}

#[test]
fn colours_follow_meaning() {
    let mut client = Client::start();
    let text = quickstart(&mut client);
    let types = client.capabilities["semanticTokensProvider"]["legend"]["tokenTypes"].clone();
    let document = json!({ "textDocument": { "uri": text.uri } });
    let tokens = client.ask("textDocument/semanticTokens/full", document);
    let data: Vec<u64> =
        tokens["data"].as_array().expect("tokens").iter().filter_map(Value::as_u64).collect();
    let (mut line, mut column) = (0, 0);
    let mut log = String::new();
    for token in data.chunks(5) {
        column = if token[0] == 0 { column + token[1] } else { token[1] };
        line += token[0];
        if token[0] > 0 {
            log.push('\n');
        }
        let of_line = text.text.lines().nth(line as usize).expect("a line");
        let word = &of_line[column as usize..(column + token[2]) as usize];
        write!(log, "{word}:{} ", types[token[3] as usize].as_str().unwrap_or("")).expect("a string");
    }
    insta::assert_snapshot!(log);
    client.end();
}

#[test]
fn an_unknown_text_or_request_is_refused_and_nothing_else_happens() {
    let mut client = Client::start();
    let text = quickstart(&mut client);
    let elsewhere = json!({ "textDocument": { "uri": "file:///nowhere.anz" }, "position": { "line": 0, "character": 0 } });
    assert!(client.answer("textDocument/hover", elsewhere).is_err());
    assert!(client.answer("textDocument/dance", json!({ "textDocument": { "uri": text.uri } })).is_err());
    assert!(client.answer("textDocument/hover", json!({ "textDocument": { "uri": text.uri } })).is_err());
    client.tell("textDocument/didChange", json!({ "nonsense": 1 }));
    client.tell("$/unknown", Value::Null);
    let far = json!({ "line": 4000, "character": 4000 });
    assert_eq!(client.ask_at("textDocument/hover", &text, &far), Value::Null);
    client.end();
}

#[test]
fn closing_takes_the_diagnostics_away() {
    let mut client = Client::start();
    let mut text = client.open("wrong.anz", "test \"a\" {\n  assert one\n}\n");
    assert_ne!(client.diagnostics(&text), json!([]));
    client.tell("textDocument/didClose", json!({ "textDocument": { "uri": text.uri } }));
    // The last word on a text that is closed has no version.
    text.version = 0;
    let id = client.request(
        "textDocument/hover",
        json!({ "textDocument": { "uri": text.uri }, "position": { "line": 0, "character": 0 } }),
    );
    assert!(client.answer_to(id).is_err());
    client.end();
}
