//! Names, axes, types and effects. Nothing is executed.
//!
//! In: the text of a file. Out: the typed [`program::Program`], or all that is wrong; warnings in both cases.

mod axes;
pub mod builtin;
mod constant;
mod dependence;
mod experiment;
mod expression;
pub mod import;
mod infer;
mod item;
mod leak;
mod lint;
mod load;
pub mod program;
mod resolve;
mod show;
mod state;
mod statement;
mod types;
pub mod uses;
mod visible;

use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::source::{FileId, Sources};
use crate::syntax::ast::ItemKind;
pub use item::text::text_call;
use program::{ItemRef, Program};
use state::Checker;
pub use state::Place;
pub use visible::{Visible, VisibleValue};

/// What checking a file gives.
#[derive(Debug)]
pub struct Outcome {
    /// All texts that diagnostics may point to: the user's file is the first.
    pub sources: Sources,
    /// None if there is an error.
    pub program: Option<Program>,
    /// Errors and warnings, in the order of their places.
    pub diagnostics: Vec<Diagnostic>,
}

impl Outcome {
    pub fn failed(&self) -> bool {
        self.program.is_none()
    }
}

/// What an editor learns of a file, right or wrong.
#[derive(Debug)]
pub struct Analysis {
    pub sources: Sources,
    /// Everything that was found out, whatever is wrong.
    pub program: Program,
    /// Errors and warnings, in the order of their places.
    pub diagnostics: Vec<Diagnostic>,
    pub failed: bool,
    /// The text has errors of syntax: the tree is that of the rest, or is missing.
    pub broken: bool,
    /// What can be named at the place that was asked for.
    pub visible: Option<Visible>,
}

impl Analysis {
    /// The tree of the user's file, if there is one.
    pub fn file(&self) -> Option<&crate::syntax::ast::File> {
        self.program.files.last().map(|file| &**file).filter(|file| file.id == FileId(0))
    }
}

/// Deep expressions and long chains of calls need a deep stack, whatever thread the caller is on.
const STACK: usize = 256 << 20;

/// Checks a file, called `name` in messages, with the parts of the library that it uses.
pub fn check(name: &str, text: &str) -> Outcome {
    let Analysis { sources, program, diagnostics, failed, .. } =
        with_stack(|| analyse_on_this_stack(name, text, false, None));
    Outcome { sources, program: (!failed).then_some(program), diagnostics }
}

/// Checks a file for an editor: of a text that is half written, what can be read of it. `at`: the place of which the
/// names in scope are wanted.
pub fn analyse(name: &str, text: &str, at: Option<usize>) -> Analysis {
    with_stack(|| analyse_on_this_stack(name, text, true, at))
}

fn with_stack<T: Send>(work: impl Fn() -> T + Sync) -> T {
    std::thread::scope(|scope| {
        let worker = std::thread::Builder::new().stack_size(STACK).spawn_scoped(scope, &work);
        match worker.map(|worker| worker.join()) {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(panic)) => std::panic::resume_unwind(panic),
            // No thread to be had: the stack at hand does for all but the deepest files.
            Err(_) => work(),
        }
    })
}

fn analyse_on_this_stack(name: &str, text: &str, partly: bool, at: Option<usize>) -> Analysis {
    let mut sources = Sources::default();
    let loaded = load::load(&mut sources, name, text, partly);
    let mut checker = Checker::new(&sources);
    checker.diagnostics = loaded.diagnostics;
    checker.program.files = loaded.files;
    checker.files = loaded.names;
    checker.watch.at = at.map(|at| at as u32);
    // What is said about the rest of a broken text may come from what is missing.
    let of_syntax = loaded.broken.then(|| checker.diagnostics.clone());
    if loaded.complete {
        checker.check_all();
    }
    let visible = checker.watch.found;
    let mut diagnostics = of_syntax.unwrap_or(checker.diagnostics);
    let program = checker.program;
    let failed = diagnostics.iter().any(|diagnostic| diagnostic.severity == Severity::Error);
    if failed {
        // What is unused because of an error is no news.
        diagnostics.retain(|d| !matches!(d.code, Code::A0116 | Code::A0117 | Code::A0313));
    }
    diagnostics.sort_by_key(|diagnostic| diagnostic.primary.span);
    Analysis { sources, program, diagnostics, failed, broken: loaded.broken, visible }
}

impl Checker<'_> {
    /// Axes and data of all files first: items anywhere may speak of them. Then every item of the user's file;
    /// those of the library are checked when they are used.
    fn check_all(&mut self) {
        let Some(last) = self.program.files.len().checked_sub(1) else { return };
        for file in 0..=last {
            let tree = std::sync::Arc::clone(&self.program.files[file]);
            for (at, item) in tree.items.iter().enumerate() {
                if matches!(item.kind, ItemKind::Axis(_) | ItemKind::Data(_)) {
                    self.item_once(ItemRef { file: file as u32, item: at as u32 });
                }
            }
        }
        for item in 0..self.program.files[last].items.len() {
            self.item_once(ItemRef { file: last as u32, item: item as u32 });
        }
        self.unused(FileId(0));
    }

    fn item_once(&mut self, item: ItemRef) {
        if !self.items.contains_key(&item) {
            self.check_item(item);
        }
    }
}
