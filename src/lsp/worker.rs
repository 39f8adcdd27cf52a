//! The thread that thinks: it checks texts and answers requests, one after the other.
//!
//! In: jobs, each with the text that it is about. Out: messages to the editor. Checks of a text that has changed again
//! are left out, so that fast typing is never behind; a fault in one job is told to the editor and ends nothing else.

use std::collections::{HashMap, HashSet, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::mpsc::Receiver;
use std::sync::{Arc, Mutex};

use lsp_server::{ErrorCode, Message, Notification, Request, RequestId, Response};
use lsp_types::PublishDiagnosticsParams;
use lsp_types::notification::{Notification as _, PublishDiagnostics};

use super::context::Context;
use super::document::Document;
use super::{answer, data, diagnostics};

/// What there is to do.
pub enum Job {
    /// Publish what is wrong with a text.
    Check(Arc<Document>),
    /// Answer about a text, or about none.
    Answer(Request, Option<Arc<Document>>),
    /// The text was closed.
    Forget(lsp_types::Uri),
}

/// Requests that the editor has taken back.
pub type Cancelled = Arc<Mutex<HashSet<RequestId>>>;

/// Where messages to the editor go.
pub type Out = Box<dyn Fn(Message) + Send>;

pub struct Worker {
    out: Out,
    cancelled: Cancelled,
    queue: VecDeque<Job>,
    /// The last analysis of each text.
    known: HashMap<String, Arc<Context>>,
    /// Folders of data beside those of the texts.
    roots: Vec<PathBuf>,
}

impl Worker {
    pub fn new(out: Out, cancelled: Cancelled, roots: Vec<PathBuf>) -> Self {
        Worker { out, cancelled, queue: VecDeque::new(), known: HashMap::new(), roots }
    }

    /// Works until no more jobs can come.
    pub fn run(mut self, jobs: Receiver<Job>) {
        loop {
            if self.queue.is_empty() {
                match jobs.recv() {
                    Ok(job) => self.queue.push_back(job),
                    Err(_) => return,
                }
            }
            self.queue.extend(jobs.try_iter());
            self.drop_old_checks();
            // Someone waits for answers; checks can wait for them.
            let next = self.queue.iter().position(|job| matches!(job, Job::Answer(..))).unwrap_or(0);
            match self.queue.remove(next) {
                Some(Job::Check(document)) => self.check(document),
                Some(Job::Answer(request, document)) => self.answer(request, document),
                Some(Job::Forget(uri)) => {
                    self.known.remove(uri.as_str());
                    self.publish(PublishDiagnosticsParams { uri, diagnostics: Vec::new(), version: None });
                }
                None => {}
            }
        }
    }

    fn drop_old_checks(&mut self) {
        let mut newest: HashMap<String, i32> = HashMap::new();
        for job in &self.queue {
            if let Job::Check(document) = job {
                let version = newest.entry(document.uri.as_str().to_owned()).or_insert(document.version);
                *version = document.version.max(*version);
            }
        }
        self.queue.retain(|job| match job {
            Job::Check(document) => newest.get(document.uri.as_str()) == Some(&document.version),
            _ => true,
        });
    }

    /// Whether the text has changed again since.
    fn outdated(&self, document: &Document) -> bool {
        self.queue.iter().any(|job| match job {
            Job::Check(newer) => newer.uri == document.uri && newer.version > document.version,
            _ => false,
        })
    }

    fn check(&mut self, document: Arc<Document>) {
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            let context = self.context(&document);
            diagnostics::published(&context, &data::problems(&context, &self.roots))
        }));
        // After a fault, what was said of the text before stays.
        if let Ok(published) = outcome {
            self.publish(published);
        }
    }

    fn answer(&mut self, request: Request, document: Option<Arc<Document>>) {
        let id = request.id.clone();
        let taken_back = self.cancelled.lock().is_ok_and(|mut cancelled| cancelled.remove(&id));
        if taken_back {
            let error = ErrorCode::RequestCanceled as i32;
            return self.respond(Response::new_err(id, error, "taken back".into()));
        }
        let is_old = document.as_ref().is_some_and(|document| self.outdated(document));
        if is_old && answer::is_asked_again(&request.method) {
            let error = ErrorCode::ContentModified as i32;
            return self.respond(Response::new_err(id, error, "the text has changed".into()));
        }
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            let context = document.as_ref().map(|document| self.context(document));
            answer::answer(&request, context.as_deref())
        }));
        self.respond(match outcome {
            Ok(Ok(result)) => Response::new_ok(id, result),
            Ok(Err(refused)) => Response::new_err(id, refused.code as i32, refused.message),
            Err(_) => {
                let message = format!("a fault in the answer to `{}`: please report it", request.method);
                Response::new_err(id, ErrorCode::InternalError as i32, message)
            }
        });
    }

    fn context(&mut self, document: &Arc<Document>) -> Arc<Context> {
        let key = document.uri.as_str();
        match self.known.get(key) {
            Some(known) if Arc::ptr_eq(&known.document, document) => Arc::clone(known),
            _ => {
                let context = Arc::new(Context::new(Arc::clone(document)));
                self.known.insert(key.to_owned(), Arc::clone(&context));
                context
            }
        }
    }

    fn publish(&self, params: PublishDiagnosticsParams) {
        let method = PublishDiagnostics::METHOD.to_owned();
        (self.out)(Message::Notification(Notification::new(method, params)));
    }

    fn respond(&self, response: Response) {
        (self.out)(Message::Response(response));
    }
}
