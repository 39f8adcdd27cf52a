//! Opening files: from a path to a checked program, with every complaint printed.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};

use super::Exit;
use crate::check;
use crate::check::program::Program;
use crate::diagnostic::{Code, Diagnostic, render};
use crate::run;
use crate::source::{Disk, Sources, Span};
use crate::syntax::ast::Experiment;

/// A checked file.
pub struct Opened {
    pub sources: Sources,
    pub program: Program,
    pub world: Disk,
}

impl Opened {
    /// Where the file begins: for what is wrong with the whole of it.
    pub fn start(&self) -> Span {
        Span::new(self.program.files.last().map(|file| file.id).unwrap_or_default(), 0, 0)
    }

    /// The experiments of the file, of which there must be one.
    pub fn experiments(&self) -> Result<Vec<&Experiment>, Exit> {
        let experiments = run::experiments(&self.program);
        if experiments.is_empty() {
            let problem = Diagnostic::error(Code::A0603, self.start(), "there is no experiment to run here")
                .help("write `experiment name { ... }`; `ansatz test` runs the `test` blocks of a file");
            print(&[problem], &self.sources);
            return Err(Exit::Wrong);
        }
        Ok(experiments)
    }
}

/// Reads and checks a file. Diagnostics go to standard error.
pub fn open(path: &Path, roots: &[PathBuf]) -> Result<Opened, Exit> {
    let (name, text) = read(path)?;
    let outcome = check::check(&name, &text);
    print(&outcome.diagnostics, &outcome.sources);
    let program = outcome.program.ok_or(Exit::Wrong)?;
    let folder = path.parent().unwrap_or(Path::new("")).to_path_buf();
    let roots = std::iter::once(folder).chain(roots.iter().cloned()).collect();
    Ok(Opened { sources: outcome.sources, program, world: Disk { roots } })
}

/// The name and text of a source file.
pub fn read(path: &Path) -> Result<(String, String), Exit> {
    let name = path.display().to_string();
    let bytes = std::fs::read(path).map_err(|error| {
        let mut sources = Sources::default();
        let id = sources.add(&name, "");
        let message = format!("`{name}` cannot be read: {error}");
        print(&[Diagnostic::error(Code::A0601, Span::new(id, 0, 0), message)], &sources);
        Exit::Wrong
    })?;
    // The text of a broken file is not shown: it may be anything.
    let mut sources = Sources::default();
    let id = sources.add(&name, "");
    let text = crate::syntax::decode(id, bytes).map_err(|problem| {
        print(&[*problem], &sources);
        Exit::Wrong
    })?;
    Ok((name, text))
}

/// Prints diagnostics to standard error, coloured if that is a terminal.
pub fn print(diagnostics: &[Diagnostic], sources: &Sources) {
    eprint!("{}", render(diagnostics, sources, std::io::stderr().is_terminal()));
}

/// All `.anz` files of paths; folders are searched, in order of names, but for those of kept runs: what stands there is a copy.
pub fn files(paths: &[PathBuf]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for path in paths {
        if path.is_dir() {
            let Ok(entries) = std::fs::read_dir(path) else { continue };
            let mut inner: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
            inner.retain(|p| {
                (p.is_dir() && !p.join("run.json").is_file()) || p.extension().is_some_and(|e| e == "anz")
            });
            inner.sort();
            found.extend(files(&inner));
        } else {
            found.push(path.clone());
        }
    }
    found
}
