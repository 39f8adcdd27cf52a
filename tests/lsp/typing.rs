//! Texts as they are while someone types: cut off anywhere, changed faster than they can be checked.

use ansatz::random::philox;
use serde_json::{Value, json};

use crate::client::{Client, position, shipped};

/// Numbers that are the same in every run of the test.
struct Numbers(u32);

impl Numbers {
    fn below(&mut self, limit: usize) -> usize {
        self.0 += 1;
        let words = philox([self.0, 7], [0, 0, 0, 0]);
        words[0] as usize % limit.max(1)
    }
}

/// The shipped experiments, and the files of the conformance tests, which have every construct.
fn corpus() -> Vec<(String, String)> {
    let mut found = Vec::new();
    for folder in ["experiments", "tests/conformance"] {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
        for entry in std::fs::read_dir(path).expect("a folder").flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            if name.ends_with(".anz") {
                found.push((name.clone(), shipped(&format!("{folder}/{name}"))));
            }
        }
    }
    found.sort();
    found
}

fn boundary(text: &str, mut at: usize) -> usize {
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// Every request that an editor may make at a place; each must be answered, and none by a fault.
fn ask_everything(client: &mut Client, text: &crate::client::Text, at: Value) {
    let place = json!({ "textDocument": { "uri": text.uri }, "position": at });
    let range = json!({ "start": at, "end": at });
    let with = |key: &str, value: Value| {
        let mut params = place.clone();
        params[key] = value;
        params
    };
    let document = json!({ "uri": text.uri });
    for (method, params) in [
        ("textDocument/hover", place.clone()),
        ("textDocument/definition", place.clone()),
        ("textDocument/completion", place.clone()),
        ("textDocument/signatureHelp", place.clone()),
        ("textDocument/documentHighlight", place.clone()),
        ("textDocument/rename", with("newName", json!("renamed"))),
        ("textDocument/references", with("context", json!({ "includeDeclaration": true }))),
        ("textDocument/documentSymbol", json!({ "textDocument": document })),
        ("textDocument/semanticTokens/full", json!({ "textDocument": document })),
        ("textDocument/inlayHint", json!({ "textDocument": document, "range": range })),
        (
            "textDocument/codeAction",
            json!({ "textDocument": document, "range": range, "context": { "diagnostics": [] } }),
        ),
        (
            "textDocument/formatting",
            json!({ "textDocument": document, "options": { "tabSize": 2, "insertSpaces": true } }),
        ),
    ] {
        let answer = client.answer(method, params);
        if let Err(error) = answer {
            // A rename may be refused; no request may fail.
            assert!(method.ends_with("rename"), "{method}: {error:?}\nin\n{}", text.text);
            assert_ne!(error.code, lsp_server::ErrorCode::InternalError as i32, "{method}: {error:?}");
        }
    }
}

#[test]
fn a_text_that_is_cut_off_anywhere_has_answers() {
    let mut client = Client::start();
    let mut numbers = Numbers(0);
    for (name, whole) in corpus() {
        let mut text = client.open(&name, &whole);
        client.diagnostics(&text);
        let cut = boundary(&whole, numbers.below(whole.len()));
        client.replace(&mut text, &whole[..cut]);
        assert_ne!(text.version, 1);
        client.diagnostics(&text);
        let end = position(&text.text, text.text.len());
        ask_everything(&mut client, &text, end);
        client.tell("textDocument/didClose", json!({ "textDocument": { "uri": text.uri } }));
    }
    client.end();
}

#[test]
fn a_text_with_a_hole_or_a_slip_has_answers() {
    let mut client = Client::start();
    let mut numbers = Numbers(5000);
    for (name, whole) in corpus() {
        let start = boundary(&whole, numbers.below(whole.len()));
        let end = boundary(&whole, (start + numbers.below(40)).min(whole.len()));
        let slips = ["", ".", "(", "{", "let ", "\"", "é", "x[", "with ", "}", "= ", "// ", "match "];
        let slip = slips[numbers.below(slips.len())];
        let wrong = format!("{}{slip}{}", &whole[..start], &whole[end.max(start)..]);
        let text = client.open(&name, &wrong);
        client.diagnostics(&text);
        let at = position(&text.text, start + slip.len());
        ask_everything(&mut client, &text, at);
        client.tell("textDocument/didClose", json!({ "textDocument": { "uri": text.uri } }));
    }
    client.end();
}

#[test]
fn fast_typing_is_not_followed_letter_by_letter() {
    let mut client = Client::start();
    let whole = shipped("experiments/quickstart.anz");
    let mut text = client.open("typed.anz", "");
    client.diagnostics(&text);
    // Three hundred letters at once: an editor never waits for the checker.
    let from = boundary(&whole, whole.len() - 300);
    client.replace(&mut text, &whole[..from]);
    for (at, letter) in whole[from..].char_indices() {
        let end = position(&text.text, from + at);
        text.version += 1;
        text.text.push(letter);
        let document = json!({ "uri": text.uri, "version": text.version });
        let change = json!({ "range": { "start": end, "end": end }, "text": letter.to_string() });
        client
            .tell("textDocument/didChange", json!({ "textDocument": document, "contentChanges": [change] }));
    }
    assert_eq!(text.text, whole);
    let known = client.published(&text);
    assert!(known < 250, "each of the 300 letters was checked: {known}");
    client.end();
}

#[test]
fn what_is_taken_back_is_not_answered() {
    let mut client = Client::start();
    let text = client.open("quickstart.anz", &shipped("experiments/quickstart.anz"));
    let place = json!({ "textDocument": { "uri": text.uri }, "position": { "line": 0, "character": 0 } });
    // The server is busy with the first while the second is taken back.
    let first = client.request("textDocument/completion", place.clone());
    let second = client.request("textDocument/completion", place);
    client.tell("$/cancelRequest", json!({ "id": second }));
    assert!(client.answer_to(first).is_ok());
    let answer = client.answer_to(second);
    let taken_back = answer.err().map(|error| error.code);
    // Whether it came in time is a matter of speed; that there is one answer is not.
    assert!(matches!(taken_back, None | Some(-32800)), "{taken_back:?}");
    client.end();
}
