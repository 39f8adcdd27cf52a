//! The editor's server: the language server protocol over standard input and output, as a thin layer over `check`.
//!
//! In: messages of an editor. Out: answers and diagnostics. This thread only keeps the texts, and so takes changes at
//! any time; [`worker`] checks and answers.

mod actions;
mod answer;
mod catalogue;
mod completion;
mod context;
mod data;
mod diagnostics;
mod document;
mod format;
mod hints;
mod hover;
mod navigate;
mod place;
mod rename;
mod signature;
mod symbols;
mod tokens;
mod worker;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};

use lsp_server::{Connection, ErrorCode, Message, Notification, RequestId, Response};
use lsp_types::notification::{self as note, Notification as _};
use lsp_types::{
    CancelParams, CodeActionKind, CodeActionOptions, CodeActionProviderCapability, CompletionOptions,
    DidChangeTextDocumentParams, DidCloseTextDocumentParams, DidOpenTextDocumentParams,
    DidSaveTextDocumentParams, HoverProviderCapability, InitializeParams, NumberOrString, OneOf,
    PositionEncodingKind, RenameOptions, SemanticTokensFullOptions, SemanticTokensOptions,
    ServerCapabilities, SignatureHelpOptions, TextDocumentSyncCapability, TextDocumentSyncKind,
    TextDocumentSyncOptions, Uri, WorkDoneProgressOptions,
};
use serde_json::{Value, json};

use document::{Columns, Document};
use worker::{Cancelled, Job, Worker};

/// Trees are as deep as the longest expression, and answers walk them.
const STACK: usize = 256 << 20;

/// Speaks with an editor until it says goodbye. What is wrong with the conversation is the error.
pub fn serve() -> Result<(), String> {
    let (connection, threads) = Connection::stdio();
    converse(&connection)?;
    drop(connection);
    threads.join().map_err(|error| error.to_string())
}

fn converse(connection: &Connection) -> Result<(), String> {
    let (id, params) = connection.initialize_start().map_err(|error| error.to_string())?;
    let params: InitializeParams = serde_json::from_value(params).map_err(|error| error.to_string())?;
    let columns = columns(&params);
    let answer = json!({
        "capabilities": capabilities(columns),
        "serverInfo": { "name": "ansatz", "version": env!("CARGO_PKG_VERSION") },
    });
    connection.initialize_finish(id, answer).map_err(|error| error.to_string())?;

    let (jobs, received) = channel();
    let cancelled = Cancelled::default();
    let sender = connection.sender.clone();
    // An editor that no longer listens is noticed by the reader of its messages.
    let out: worker::Out = Box::new(move |message| drop(sender.send(message)));
    let worker = Worker::new(out, Arc::clone(&cancelled), roots(&params));
    let thread = std::thread::Builder::new()
        .stack_size(STACK)
        .spawn(move || worker.run(received))
        .map_err(|error| error.to_string())?;
    let mut server = Server { columns, jobs, cancelled, texts: HashMap::new() };
    let outcome = server.listen(connection);
    drop(server);
    // The last answers are on their way before the conversation ends.
    let _ = thread.join();
    outcome
}

/// The option `data`: folders of data, like `--data` of `ansatz run`.
fn roots(params: &InitializeParams) -> Vec<PathBuf> {
    let named = params.initialization_options.as_ref().and_then(|options| options.get("data")?.as_array());
    named.into_iter().flatten().filter_map(|folder| folder.as_str().map(PathBuf::from)).collect()
}

fn columns(params: &InitializeParams) -> Columns {
    let known = params.capabilities.general.as_ref().and_then(|general| general.position_encodings.as_ref());
    match known.is_some_and(|known| known.contains(&PositionEncodingKind::UTF8)) {
        true => Columns::Bytes,
        false => Columns::Utf16,
    }
}

fn capabilities(columns: Columns) -> ServerCapabilities {
    let words = |words: &[&str]| Some(words.iter().map(|word| (*word).to_owned()).collect());
    ServerCapabilities {
        position_encoding: Some(match columns {
            Columns::Bytes => PositionEncodingKind::UTF8,
            Columns::Utf16 => PositionEncodingKind::UTF16,
        }),
        text_document_sync: Some(TextDocumentSyncCapability::Options(TextDocumentSyncOptions {
            open_close: Some(true),
            change: Some(TextDocumentSyncKind::INCREMENTAL),
            save: Some(true.into()),
            ..TextDocumentSyncOptions::default()
        })),
        hover_provider: Some(HoverProviderCapability::Simple(true)),
        definition_provider: Some(OneOf::Left(true)),
        references_provider: Some(OneOf::Left(true)),
        document_highlight_provider: Some(OneOf::Left(true)),
        document_symbol_provider: Some(OneOf::Left(true)),
        document_formatting_provider: Some(OneOf::Left(true)),
        inlay_hint_provider: Some(OneOf::Left(true)),
        completion_provider: Some(CompletionOptions {
            trigger_characters: words(&[".", "[", "("]),
            resolve_provider: Some(true),
            ..CompletionOptions::default()
        }),
        signature_help_provider: Some(SignatureHelpOptions {
            trigger_characters: words(&["(", ","]),
            ..SignatureHelpOptions::default()
        }),
        rename_provider: Some(OneOf::Right(RenameOptions {
            prepare_provider: Some(true),
            work_done_progress_options: WorkDoneProgressOptions::default(),
        })),
        code_action_provider: Some(CodeActionProviderCapability::Options(CodeActionOptions {
            code_action_kinds: Some(vec![CodeActionKind::QUICKFIX]),
            ..CodeActionOptions::default()
        })),
        semantic_tokens_provider: Some(
            SemanticTokensOptions {
                legend: tokens::legend(),
                full: Some(SemanticTokensFullOptions::Bool(true)),
                ..SemanticTokensOptions::default()
            }
            .into(),
        ),
        ..ServerCapabilities::default()
    }
}

struct Server {
    columns: Columns,
    jobs: Sender<Job>,
    cancelled: Cancelled,
    /// The open texts by their addresses.
    texts: HashMap<String, Arc<Document>>,
}

impl Server {
    fn listen(&mut self, connection: &Connection) -> Result<(), String> {
        for message in &connection.receiver {
            match message {
                Message::Request(request) => {
                    if connection.handle_shutdown(&request).map_err(|error| error.to_string())? {
                        return Ok(());
                    }
                    let uri = request.params.pointer("/textDocument/uri").and_then(Value::as_str);
                    let document = uri.and_then(|uri| self.texts.get(uri)).cloned();
                    let id = request.id.clone();
                    if self.jobs.send(Job::Answer(request, document)).is_err() {
                        let code = ErrorCode::InternalError as i32;
                        let response = Response::new_err(id, code, "the checker has ended".into());
                        let _ = connection.sender.send(Message::Response(response));
                    }
                }
                Message::Notification(notification) => self.note(notification),
                Message::Response(_) => {}
            }
        }
        Ok(())
    }

    /// What cannot be read is passed over: a notification has no answer.
    fn note(&mut self, notification: Notification) {
        let params = notification.params;
        match notification.method.as_str() {
            note::DidOpenTextDocument::METHOD => {
                let Ok(params) = serde_json::from_value::<DidOpenTextDocumentParams>(params) else { return };
                let text = params.text_document;
                self.take(Document::new(text.uri, text.version, text.text, self.columns));
            }
            note::DidChangeTextDocument::METHOD => {
                let Ok(params) = serde_json::from_value::<DidChangeTextDocumentParams>(params) else {
                    return;
                };
                let Some(before) = self.texts.get(params.text_document.uri.as_str()) else { return };
                self.take(before.changed(params.text_document.version, params.content_changes));
            }
            note::DidSaveTextDocument::METHOD => {
                let Ok(params) = serde_json::from_value::<DidSaveTextDocumentParams>(params) else { return };
                if let Some(document) = self.texts.get(params.text_document.uri.as_str()) {
                    let _ = self.jobs.send(Job::Check(Arc::clone(document)));
                }
            }
            note::DidCloseTextDocument::METHOD => {
                let Ok(params) = serde_json::from_value::<DidCloseTextDocumentParams>(params) else { return };
                let uri: Uri = params.text_document.uri;
                self.texts.remove(uri.as_str());
                let _ = self.jobs.send(Job::Forget(uri));
            }
            note::Cancel::METHOD => {
                let Ok(params) = serde_json::from_value::<CancelParams>(params) else { return };
                let id: RequestId = match params.id {
                    NumberOrString::Number(number) => number.into(),
                    NumberOrString::String(text) => text.into(),
                };
                if let Ok(mut cancelled) = self.cancelled.lock() {
                    cancelled.insert(id);
                }
            }
            _ => {}
        }
    }

    fn take(&mut self, document: Document) {
        let document = Arc::new(document);
        self.texts.insert(document.uri.as_str().to_owned(), Arc::clone(&document));
        let _ = self.jobs.send(Job::Check(document));
    }
}
