//! An editor, as far as the server can tell.

use std::io::{BufReader, BufWriter};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use lsp_server::{Message, Notification, Request, ResponseError};
use serde_json::{Value, json};

/// A server with which one speaks, and a folder for the texts of the conversation.
pub struct Client {
    child: Child,
    input: BufWriter<ChildStdin>,
    output: BufReader<ChildStdout>,
    pub folder: tempfile::TempDir,
    next: i32,
    /// Notifications that came while something else was waited for.
    notes: Vec<Notification>,
    pub capabilities: Value,
}

/// What a request is answered with.
pub type Answer = Result<Value, ResponseError>;

/// An open text, as the editor has it.
pub struct Text {
    pub uri: String,
    pub text: String,
    pub version: i32,
}

impl Text {
    /// The position of the first `needle` behind `after`; `|` in the needle is the place in it, or its start.
    pub fn at(&self, after: &str, needle: &str) -> Value {
        let from = self.text.find(after).unwrap_or_else(|| panic!("no `{after}` in the text")) + after.len();
        let inside = needle.find('|').unwrap_or(0);
        let plain = needle.replacen('|', "", 1);
        let found = self.text[from..].find(&plain).unwrap_or_else(|| panic!("no `{plain}` behind `{after}`"));
        position(&self.text, from + found + inside)
    }
}

/// A position in units of UTF-16, which is what the client of these tests speaks.
pub fn position(text: &str, offset: usize) -> Value {
    let before = &text[..offset];
    let line = before.matches('\n').count();
    let column = before.rsplit('\n').next().unwrap_or("").encode_utf16().count();
    json!({ "line": line, "character": column })
}

pub fn offset(text: &str, position: &Value) -> usize {
    let (line, column) = (position["line"].as_u64(), position["character"].as_u64());
    let mut at = 0;
    for _ in 0..line.unwrap_or(0) {
        at += text[at..].find('\n').expect("a line of the text") + 1;
    }
    let mut units = 0;
    for (inside, c) in text[at..].char_indices() {
        if units >= column.unwrap_or(0) {
            return at + inside;
        }
        units += c.len_utf16() as u64;
    }
    text.len()
}

/// The text after edits of the protocol, none of which overlap.
pub fn edited(text: &str, edits: &Value) -> String {
    let mut edits: Vec<&Value> = edits.as_array().expect("edits").iter().collect();
    edits.sort_by_key(|edit| offset(text, &edit["range"]["start"]));
    let mut out = text.to_owned();
    for edit in edits.iter().rev() {
        let range = offset(text, &edit["range"]["start"])..offset(text, &edit["range"]["end"]);
        out.replace_range(range, edit["newText"].as_str().expect("a text"));
    }
    out
}

impl Client {
    pub fn start() -> Client {
        let folder = tempfile::tempdir().expect("a folder");
        let mut child = Command::new(env!("CARGO_BIN_EXE_ansatz"))
            .arg("lsp")
            .env("XDG_CACHE_HOME", folder.path().join("cache"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let input = BufWriter::new(child.stdin.take().expect("its input"));
        let output = BufReader::new(child.stdout.take().expect("its output"));
        let mut client =
            Client { child, input, output, folder, next: 0, notes: Vec::new(), capabilities: Value::Null };
        let answer = client.ask("initialize", json!({ "capabilities": {} }));
        client.capabilities = answer["capabilities"].clone();
        client.tell("initialized", json!({}));
        client
    }

    pub fn tell(&mut self, method: &str, params: Value) {
        self.send(Message::Notification(Notification::new(method.into(), params)));
    }

    fn send(&mut self, message: Message) {
        message.write(&mut self.input).expect("the server listens");
    }

    fn receive(&mut self) -> Message {
        Message::read(&mut self.output).expect("a message").expect("the server still speaks")
    }

    /// The answer to a request; what is wrong with it fails the test.
    pub fn ask(&mut self, method: &str, params: Value) -> Value {
        self.answer(method, params).unwrap_or_else(|error| panic!("{method}: {error:?}"))
    }

    pub fn answer(&mut self, method: &str, params: Value) -> Answer {
        let id = self.request(method, params);
        self.answer_to(id)
    }

    /// Sends a request without waiting for its answer.
    pub fn request(&mut self, method: &str, params: Value) -> i32 {
        self.next += 1;
        self.send(Message::Request(Request::new(self.next.into(), method.into(), params)));
        self.next
    }

    pub fn answer_to(&mut self, id: i32) -> Answer {
        loop {
            match self.receive() {
                Message::Response(response) if response.id == id.into() => return response.response_result,
                Message::Response(response) => panic!("an answer that nobody waits for: {response:?}"),
                Message::Notification(note) => self.notes.push(note),
                Message::Request(request) => panic!("the server asks {request:?}"),
            }
        }
    }

    /// Asks about a place of a text.
    pub fn ask_at(&mut self, method: &str, text: &Text, at: &Value) -> Value {
        self.ask(method, json!({ "textDocument": { "uri": text.uri }, "position": at }))
    }

    pub fn open(&mut self, name: &str, text: &str) -> Text {
        let path = self.folder.path().join(name);
        let uri = url::Url::from_file_path(path).expect("an address").to_string();
        let document = json!({ "uri": uri, "languageId": "ansatz", "version": 1, "text": text });
        self.tell("textDocument/didOpen", json!({ "textDocument": document }));
        Text { uri, text: text.to_owned(), version: 1 }
    }

    /// Replaces the first `old` by `new`, as an edit of a range.
    pub fn edit(&mut self, text: &mut Text, old: &str, new: &str) {
        let start = text.text.find(old).unwrap_or_else(|| panic!("no `{old}` in the text"));
        let range = json!({
            "start": position(&text.text, start),
            "end": position(&text.text, start + old.len()),
        });
        text.version += 1;
        text.text.replace_range(start..start + old.len(), new);
        let document = json!({ "uri": text.uri, "version": text.version });
        let change = json!({ "range": range, "text": new });
        self.tell("textDocument/didChange", json!({ "textDocument": document, "contentChanges": [change] }));
    }

    pub fn replace(&mut self, text: &mut Text, new: &str) {
        text.version += 1;
        text.text = new.to_owned();
        let document = json!({ "uri": text.uri, "version": text.version });
        let change = json!({ "text": new });
        self.tell("textDocument/didChange", json!({ "textDocument": document, "contentChanges": [change] }));
    }

    /// What is published about the version of the text at hand.
    pub fn diagnostics(&mut self, text: &Text) -> Value {
        let wanted = |note: &Notification| {
            note.method == "textDocument/publishDiagnostics"
                && note.params["uri"] == text.uri.as_str()
                && note.params["version"] == text.version
        };
        loop {
            if let Some(at) = self.notes.iter().position(wanted) {
                return self.notes.remove(at).params["diagnostics"].clone();
            }
            match self.receive() {
                Message::Notification(note) => self.notes.push(note),
                other => panic!("not waited for: {other:?}"),
            }
        }
    }

    /// How often something was published until the version at hand was.
    pub fn published(&mut self, text: &Text) -> usize {
        let method = "textDocument/publishDiagnostics";
        loop {
            let of = self
                .notes
                .iter()
                .filter(|note| note.method == method && note.params["uri"] == text.uri.as_str());
            if of.clone().any(|note| note.params["version"] == text.version) {
                return of.count();
            }
            match self.receive() {
                Message::Notification(note) => self.notes.push(note),
                other => panic!("not waited for: {other:?}"),
            }
        }
    }

    /// The paths of this conversation under names that are the same in every one.
    pub fn redacted(&self, text: &str) -> String {
        let folder = url::Url::from_file_path(self.folder.path()).expect("an address").to_string();
        let text = text.replace(&folder, "FOLDER");
        let library = regex::Regex::new("cache/ansatz/library/[0-9a-f]{12}").expect("a pattern");
        library.replace_all(&text, "LIBRARY").into_owned()
    }

    pub fn path_of(&self, uri: &str) -> PathBuf {
        url::Url::parse(uri).expect("an address").to_file_path().expect("a path")
    }

    /// Says goodbye; the program must end by itself, and well.
    pub fn end(mut self) {
        self.ask("shutdown", Value::Null);
        self.tell("exit", Value::Null);
        let status = self.child.wait().expect("the program ends");
        assert!(status.success(), "the program ended with {status}");
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        // After a failed test the server must not stay.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A file of the repository.
pub fn shipped(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// `line:column` from 1, as in messages.
pub fn place(position: &Value) -> String {
    let from_one = |value: &Value| value.as_u64().unwrap_or(0) + 1;
    format!("{}:{}", from_one(&position["line"]), from_one(&position["character"]))
}

pub fn span(range: &Value) -> String {
    format!("{}-{}", place(&range["start"]), place(&range["end"]))
}

/// Diagnostics as lines.
pub fn listed(diagnostics: &Value) -> String {
    let mut out = String::new();
    for diagnostic in diagnostics.as_array().expect("a list") {
        let code = diagnostic["code"].as_str().unwrap_or("");
        let message = diagnostic["message"].as_str().unwrap_or("").replace('\n', "\n    ");
        out += &format!("{} {code} {message}\n", span(&diagnostic["range"]));
        for related in diagnostic["relatedInformation"].as_array().into_iter().flatten() {
            let location = &related["location"];
            let uri = location["uri"].as_str().unwrap_or("");
            let message = related["message"].as_str().unwrap_or("");
            out += &format!("    {} {uri}: {message}\n", span(&location["range"]));
        }
        let page = diagnostic["codeDescription"]["href"].as_str().unwrap_or("no page");
        out += &format!("    see {page}\n");
    }
    if out.is_empty() { "nothing wrong\n".to_owned() } else { out }
}
