//! `ansatz runs`: what earlier runs have left.

mod table;

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand, ValueEnum};

use super::{Exit, open};
use crate::diagnostic::{Code, Diagnostic, nearest};
use crate::report::{self, Long, StoredResults};
use crate::source::{Sources, Span};
use crate::store::{self, Keep, RunRecord, RunStore, TrialCondition};

#[derive(Args)]
pub struct Runs {
    /// Folder in which runs are kept
    #[arg(long, default_value = "runs", value_name = "FOLDER", global = true)]
    runs: PathBuf,
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// All runs, the newest first
    List,
    /// A run with its report
    Show {
        /// Its name, or the beginning of it: the newest such run
        run: String,
    },
    /// How two runs differ
    Diff { first: String, second: String },
    /// The values of all measures as a table: a row for each, with its labels and its example
    Export {
        run: String,
        #[arg(long, value_enum, default_value = "csv")]
        format: Format,
        /// Without it, csv and json go to standard output, and the others to the folder of the run; of tensorboard a folder
        #[arg(long, short, value_name = "FILE")]
        output: Option<PathBuf>,
    },
    /// A page with what experiments claim and found, from the newest full run of each
    Table {
        /// Files of experiments, in this order
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
        /// Where the page is written; without it, to standard output
        #[arg(long, short, value_name = "PAGE")]
        output: Option<PathBuf>,
        /// Write nothing; the exit code is 1 if the page differs by more than last digits and seconds
        #[arg(long, requires = "output")]
        check: bool,
    },
    /// Delete kept trials and checkpoints that no run needs
    Gc {
        /// Delete runs first, but for so many of each experiment: the newest
        #[arg(long, value_name = "N")]
        keep: Option<usize>,
        /// Only tell what would be deleted
        #[arg(long)]
        dry_run: bool,
    },
}

#[derive(Clone, Copy, ValueEnum)]
enum Format {
    Csv,
    Json,
    Parquet,
    /// Event files with a curve for each term, record and measure of each trial
    Tensorboard,
}

impl Runs {
    pub fn execute(&self) -> Exit {
        let store = RunStore::open(&self.runs);
        let done = match &self.action {
            Action::List => self.list(&store),
            Action::Show { run } => self.show(&store, run),
            Action::Diff { first, second } => self.diff(&store, first, second),
            Action::Export { run, format, output } => self.export(&store, run, *format, output.as_ref()),
            Action::Table { files, output, check } => {
                return self.table(&store, files, output.as_deref(), *check);
            }
            Action::Gc { keep, dry_run } => self.garbage(&store, *keep, *dry_run),
        };
        exit(done, &self.runs)
    }

    fn list(&self, store: &RunStore) -> Outcome {
        match store.runs().as_slice() {
            [] => print(&format!("there are no runs in {}\n", self.runs.display())),
            runs => print(&report::list(runs, store::now())),
        }
    }

    fn show(&self, store: &RunStore, name: &str) -> Outcome {
        let mut run = find(store, name)?;
        // An interrupted run has no time to write down which of its trials were finished.
        for trial in &mut run.trials {
            if trial.condition == TrialCondition::Waiting && store.has_trial(&trial.identity) {
                trial.condition = TrialCondition::Kept;
            }
        }
        let report = store.file(&run, "report.txt").unwrap_or_default();
        print(&format!("{}\n{report}", report::heading(&run, store::now())))
    }

    fn diff(&self, store: &RunStore, first: &str, second: &str) -> Outcome {
        let (first, second) = (find(store, first)?, find(store, second)?);
        let (a, b) = (results(store, &first)?, results(store, &second)?);
        print(&report::compare((&first.id, &second.id), &a, &b))
    }

    fn export(&self, store: &RunStore, name: &str, format: Format, output: Option<&PathBuf>) -> Outcome {
        let run = find(store, name)?;
        let found = results(store, &run)?;
        let table = || Long::new(&found);
        let bytes = match format {
            Format::Tensorboard => return self.tensorboard(&run, &found, output),
            Format::Csv => table().csv().map_err(|error| unwritten(&error.to_string()))?,
            Format::Json => table().json(),
            Format::Parquet => table().parquet().map_err(|error| unwritten(&error.to_string()))?,
        };
        let own = matches!(format, Format::Parquet).then(|| self.runs.join(&run.id).join("results.parquet"));
        let Some(target) = output.cloned().or(own) else {
            return std::io::stdout().write_all(&bytes).or_else(closed);
        };
        store::write(&target, &bytes)
            .map_err(|error| unwritten(&format!("`{}` cannot be written: {error}", target.display())))?;
        eprintln!("written to {}", target.display());
        Ok(())
    }

    /// A folder of event files for each trial.
    fn tensorboard(&self, run: &RunRecord, results: &StoredResults, output: Option<&PathBuf>) -> Outcome {
        let target = output.cloned().unwrap_or_else(|| self.runs.join(&run.id).join("tensorboard"));
        let trials: Vec<_> = run.trials.iter().map(|trial| trial.trial.clone()).collect();
        let export = report::tensorboard(results, &trials, run.started as f64 / 1000.0);
        for (path, bytes) in &export.files {
            let path = target.join(path);
            store::write(&path, bytes)
                .map_err(|error| unwritten(&format!("`{}` cannot be written: {error}", path.display())))?;
        }
        if !export.left_out.is_empty() {
            eprintln!("left out, along examples or too many for curves: {}", export.left_out.join(", "));
        }
        eprintln!("written to {}: tensorboard --logdir {}", target.display(), target.display());
        Ok(())
    }

    fn table(&self, store: &RunStore, files: &[PathBuf], output: Option<&Path>, check: bool) -> Exit {
        let page = match table::page(store, files, output) {
            Ok(page) => page,
            Err(problem) => return exit(Err(problem), &self.runs),
        };
        let Some(target) = output else { return exit(print(&page), &self.runs) };
        if !check {
            let written = store::write(target, page.as_bytes())
                .map_err(|error| unwritten(&format!("`{}` cannot be written: {error}", target.display())));
            return exit(written, &self.runs);
        }
        let before = std::fs::read_to_string(target).unwrap_or_default();
        match report::differing(&before, &page) {
            None => Exit::Success,
            Some((old, new)) => {
                eprintln!("{} is not what the runs say:\n- {old}\n+ {new}", target.display());
                Exit::Refuted
            }
        }
    }

    fn garbage(&self, store: &RunStore, keep: Option<usize>, dry_run: bool) -> Outcome {
        let keep = keep.map_or(Keep::All, Keep::Newest);
        let garbage = match dry_run {
            true => store.garbage(keep),
            false => store.collect_garbage(keep).map_err(|error| {
                unwritten(&format!("nothing can be deleted in `{}`: {error}", self.runs.display()))
            })?,
        };
        let mut text = String::new();
        garbage.runs.iter().for_each(|run| text.push_str(&format!("run {run}\n")));
        text.push_str(&format!(
            "{} {} runs, {} trials, checkpoints of {} trials: {} KiB\n",
            if dry_run { "to delete:" } else { "deleted" },
            garbage.runs.len(),
            garbage.trials.len(),
            garbage.checkpoints.len(),
            garbage.bytes.div_ceil(1024)
        ));
        print(&text)
    }
}

pub type Outcome<T = ()> = Result<T, (Box<Diagnostic>, Exit)>;

/// Says what went wrong.
pub fn exit(done: Outcome, runs: &Path) -> Exit {
    match done {
        Ok(()) => Exit::Success,
        Err((problem, exit)) => {
            let mut sources = Sources::default();
            sources.add(runs.display().to_string(), "");
            open::print(&[*problem], &sources);
            exit
        }
    }
}

fn print(text: &str) -> Outcome {
    std::io::stdout().write_all(text.as_bytes()).or_else(closed)
}

/// Whoever read the output has enough of it (`ansatz runs list | head`).
fn closed(error: std::io::Error) -> Outcome {
    match error.kind() {
        std::io::ErrorKind::BrokenPipe => Ok(()),
        _ => Err(unwritten(&error.to_string())),
    }
}

/// A run by its name or the beginning of it.
pub fn find(store: &RunStore, name: &str) -> Outcome<RunRecord> {
    store.find(name).ok_or_else(|| missing(store, name))
}

/// The newest run of each experiment of a file, of those that are wanted.
pub fn newest_of(store: &RunStore, file: &str, wanted: impl Fn(&RunRecord) -> bool) -> Vec<RunRecord> {
    let same = |run: &&RunRecord| match (Path::new(file).canonicalize(), Path::new(&run.file).canonicalize())
    {
        (Ok(own), Ok(other)) => own == other,
        _ => *file == run.file,
    };
    let mut newest: Vec<RunRecord> = Vec::new();
    // The newest come first.
    for run in store.runs().iter().filter(same).filter(|run| wanted(run)) {
        if !newest.iter().any(|known| known.experiment == run.experiment) {
            newest.push(run.clone());
        }
    }
    newest
}

pub fn missing(store: &RunStore, name: &str) -> (Box<Diagnostic>, Exit) {
    let runs = store.runs();
    let root = store.root().display();
    let message = match name {
        "" => format!("there are no runs in `{root}`"),
        name => format!("there is no run `{name}` in `{root}`"),
    };
    // Names are compared without their hashes, too.
    let stems = runs.iter().filter_map(|run| run.id.rsplit_once('-')).map(|(stem, _)| stem);
    let near = nearest(name, runs.iter().map(|run| run.id.as_str()).chain(stems));
    let problem = problem(Code::A0608, message);
    let problem = match near {
        Some(near) => problem.help(format!("there is `{near}`")),
        None if runs.is_empty() => {
            problem.help("`ansatz run FILE` makes one; `--runs FOLDER` looks elsewhere")
        }
        None => problem.help("`ansatz runs list` shows all runs"),
    };
    (Box::new(problem), Exit::Wrong)
}

/// What a run has found.
pub fn results(store: &RunStore, run: &RunRecord) -> Outcome<StoredResults> {
    let refuse = |why: String| {
        let problem = problem(Code::A0609, format!("the run `{}` has no results: {why}", run.id));
        (Box::new(problem.help("run its file again: what was finished is not computed again")), Exit::Wrong)
    };
    match store.file(run, "results.json") {
        Ok(text) => report::stored(&text).ok_or_else(|| refuse("they are damaged".to_owned())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            Err(refuse(format!("it is {}", run.condition.name())))
        }
        Err(error) => Err(refuse(format!("they cannot be read: {error}"))),
    }
}

fn problem(code: Code, message: String) -> Diagnostic {
    Diagnostic::error(code, Span::default(), message)
}

/// A file cannot be written, for this reason.
pub fn unwritten(message: &str) -> (Box<Diagnostic>, Exit) {
    (Box::new(problem(Code::A0606, message.to_owned())), Exit::Failed)
}
