//! Experiments with a `snapshot` statement against their snapshots.
//!
//! The snapshot of an experiment is the file `snapshots/FILE__EXPERIMENT.snap` beside it; what would replace it is written
//! beside that, with the ending `.snap.new`, where `cargo insta review` finds it if that is a Cargo project.

use std::io::{ErrorKind, IsTerminal};
use std::path::{Path, PathBuf};

use super::case::Outcome;
use crate::cli::Exit;
use crate::cli::devices::Computes;
use crate::cli::keeping::Keeping;
use crate::cli::open::{self, Opened};
use crate::cli::progress::Progress;
use crate::cli::run::free_memory;
use crate::diagnostic::{Code, Diagnostic, render};
use crate::report::snapshot::{self, Snapshot};
use crate::run::results::Results;
use crate::run::{self, Failure, Observer, Options, Silent};
use crate::source::{Sources, Span};
use crate::store;
use crate::syntax::ast::{Experiment, StatementKind};

pub struct Snapshots {
    pub accept: bool,
    /// A missing snapshot fails, and nothing is written.
    pub ci: bool,
    pub runs: Option<PathBuf>,
    pub backend: Computes,
}

/// The experiments of a file that mark something.
pub fn marked(opened: &Opened) -> impl Iterator<Item = &Experiment> {
    let marks =
        |experiment: &&Experiment| has(experiment, |kind| matches!(kind, StatementKind::Snapshot { .. }));
    run::experiments(&opened.program).into_iter().filter(marks)
}

fn has(experiment: &Experiment, wanted: fn(&StatementKind) -> bool) -> bool {
    experiment.body.iter().any(|statement| wanted(&statement.kind))
}

fn place(file: &Path, experiment: &str) -> PathBuf {
    let stem = file.file_stem().unwrap_or_default().to_string_lossy();
    file.with_file_name("snapshots").join(format!("{stem}__{experiment}.snap"))
}

impl Snapshots {
    pub fn experiment(&self, file: &Path, opened: &Opened, experiment: &Experiment) -> Outcome {
        let results = match self.run(opened, experiment) {
            Ok(results) => results,
            Err(outcome) => return outcome,
        };
        let target = place(file, &experiment.name.text);
        let (new, old) = (snapshot::snapshot(&results), kept(&target));
        let differences = match &old {
            Ok(Some(old)) => snapshot::compare(old, &new),
            Ok(None) => Vec::new(),
            Err(_) if self.accept => Vec::new(),
            Err(told) => {
                let (problem, sources) = (std::slice::from_ref(&told.0), &told.1);
                open::print(problem, sources);
                return Outcome::Error(render(problem, sources, false), Exit::Wrong);
            }
        };
        let pending = target.with_extension("snap.new");
        if matches!(old, Ok(Some(_))) && differences.is_empty() {
            // What was to be reviewed is no longer so.
            if !self.ci {
                let _ = std::fs::remove_file(&pending);
            }
            return Outcome::Passed;
        }
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        let text = new.file(&name, &experiment.name.text);
        let path = if self.accept { &target } else { &pending };
        if !self.ci
            && let Err(error) = store::write(path, text.as_bytes())
        {
            let message = format!("the snapshot cannot be written to `{}`: {error}", path.display());
            let problem = Diagnostic::error(Code::A0622, experiment.name.span, message)
                .label("of this experiment")
                .help("make room or change the permissions; with `--ci` nothing is written");
            return error_of(problem, opened);
        }
        if self.accept {
            let _ = std::fs::remove_file(&pending);
            return Outcome::Accepted;
        }
        match (old, self.ci) {
            (Ok(None), false) => {
                Outcome::New(format!("written to {}: {}", pending.display(), accepting(file)))
            }
            (Ok(None), true) => Outcome::Failed(format!(
                "  there is no snapshot {}\n  write it where it can be reviewed: `ansatz test --accept {}`\n",
                target.display(),
                file.display()
            )),
            (_, ci) => {
                let mut text = snapshot::render(&differences);
                if !ci {
                    text.push_str(&format!("  written to {}: {}\n", pending.display(), accepting(file)));
                }
                Outcome::Failed(text)
            }
        }
    }

    /// The experiment with its quick settings, where it has some.
    fn run(&self, opened: &Opened, experiment: &Experiment) -> Result<Results, Outcome> {
        let told = |exit| Outcome::Error("the reason is on standard error".to_owned(), exit);
        let options = Options {
            quick: has(experiment, |kind| matches!(kind, StatementKind::Quick(_))),
            backend: self.backend.backend(opened).map_err(told)?,
            memory: free_memory(),
            ..Options::default()
        };
        let keeping = self.runs.clone().map(Keeping::in_folder);
        let keeper = match &keeping {
            Some(keeping) => keeping.keeper(opened).map_err(told)?,
            None => None,
        };
        let bars = std::io::stderr().is_terminal().then(|| Progress::new(&experiment.name.text));
        let observer: &dyn Observer = bars.as_ref().map_or(&Silent, |bars| bars);
        let (program, sources, world) = (&opened.program, &opened.sources, &opened.world);
        let outcome = run::run(program, experiment, sources, world, &options, keeper.as_ref(), observer);
        bars.iter().for_each(Progress::finish);
        let kept = keeping.as_ref().zip(keeper.as_ref());
        let results = outcome.map_err(|failure| {
            let (problems, exit) = match failure {
                Failure::Wrong(problems) => (problems, Exit::Wrong),
                Failure::Failed(problems) => (problems, Exit::Failed),
            };
            open::print(&problems, sources);
            if let Some((keeping, keeper)) = kept {
                keeping.failed(keeper, opened);
            }
            Outcome::Error(render(&problems, sources, false), exit)
        })?;
        if let Some((keeping, keeper)) = kept {
            keeping.finish(keeper, opened, &results, true).map_err(told)?;
        }
        if !results.diverged.is_empty() && !results.divergence_allowed {
            let told: Vec<String> = crate::report::diverged(&results).collect();
            eprint!("{}", told.concat());
            return Err(Outcome::Error(told.concat(), Exit::Failed));
        }
        Ok(results)
    }
}

/// How what was found becomes what is expected. `cargo insta` works inside a Cargo project only.
fn accepting(file: &Path) -> String {
    let accept = format!("accept it with `ansatz test --accept {}`", file.display());
    let whole = std::path::absolute(file).unwrap_or_else(|_| file.to_owned());
    match whole.ancestors().any(|folder| folder.join("Cargo.toml").is_file()) {
        true => accept + " or `cargo insta review`",
        false => accept,
    }
}

fn error_of(problem: Diagnostic, opened: &Opened) -> Outcome {
    let problems = [problem];
    open::print(&problems, &opened.sources);
    Outcome::Error(render(&problems, &opened.sources, false), Exit::Failed)
}

/// What the file holds; none where there is no file.
fn kept(path: &Path) -> Result<Option<Snapshot>, Box<(Diagnostic, Sources)>> {
    let mut sources = Sources::default();
    let name = path.display().to_string();
    let wrong = |sources: Sources, span, message| {
        let problem = Diagnostic::error(Code::A0621, span, message)
            .help("take the file as it was committed, or write it anew: `ansatz test --accept FILE`");
        Box::new((problem, sources))
    };
    let bytes = match std::fs::read(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        found => found
            .map_err(|error| error.to_string())
            .and_then(|bytes| String::from_utf8(bytes).map_err(|_| "this is no text in UTF-8".to_owned())),
    };
    let text = match bytes {
        Ok(text) => text,
        Err(error) => {
            let id = sources.add(&name, "");
            let message = format!("the snapshot `{name}` cannot be read: {error}");
            return Err(wrong(sources, Span::new(id, 0, 0), message));
        }
    };
    snapshot::read(&text).map(Some).map_err(|damage| {
        let id = sources.add(&name, &text);
        let span = Span::new(id, damage.place.0, damage.place.1);
        wrong(sources, span, format!("this snapshot is damaged: {}", damage.what))
    })
}

/// Snapshots of this file whose experiment is gone, or marks nothing any more.
pub fn tell_of_others(file: &Path, opened: &Opened) {
    let folder = file.with_file_name("snapshots");
    let mine = format!("{}__", file.file_stem().unwrap_or_default().to_string_lossy());
    let known: Vec<PathBuf> = marked(opened).map(|experiment| place(file, &experiment.name.text)).collect();
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    let mut others: Vec<PathBuf> = entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "snap"))
        .filter(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(&mine)))
        .filter(|path| !known.contains(path))
        .collect();
    others.sort();
    for path in others {
        println!("unused   {}: no experiment of {} marks this", path.display(), file.display());
    }
}
