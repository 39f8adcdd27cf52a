//! Where a run is kept: the options of `ansatz run`, and what they lead to.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;

use super::Exit;
use super::open::{self, Opened};
use crate::diagnostic::{Code, Diagnostic};
use crate::report;
use crate::run::results::{Results, Verdict};
use crate::run::{Cadence, Keeper, Trouble};
use crate::source::Span;
use crate::store::{Condition, RunStore};

#[derive(Args)]
pub struct Keeping {
    /// Folder in which runs are kept
    #[arg(long, default_value = "runs", value_name = "FOLDER")]
    runs: PathBuf,
    /// Keep nothing, and use nothing that was kept
    #[arg(long)]
    no_store: bool,
    /// Compute every trial anew, whatever was kept
    #[arg(long)]
    fresh: bool,
    /// Seconds between checkpoints of a trial (0: none)
    #[arg(long, default_value_t = 30.0, value_name = "SECONDS", value_parser = seconds)]
    checkpoint: f64,
    /// Write a checkpoint after so many steps, too
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    checkpoint_steps: Option<u64>,
}

fn seconds(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(seconds) if (0.0..1e9).contains(&seconds) => Ok(seconds),
        _ => Err(format!("`{text}` is no number of seconds")),
    }
}

impl Keeping {
    /// What is kept in a folder, with the defaults of the options.
    pub fn in_folder(runs: PathBuf) -> Self {
        Keeping { runs, no_store: false, fresh: false, checkpoint: 30.0, checkpoint_steps: None }
    }

    /// What keeps the next experiment; none with `--no-store`. Fails before anything is computed that could not be kept.
    pub fn keeper(&self, opened: &Opened) -> Result<Option<Keeper>, Exit> {
        if self.no_store {
            return Ok(None);
        }
        let store = RunStore::create(&self.runs).map_err(|error| {
            open::print(&[cannot_be_kept(opened, &self.runs, &error)], &opened.sources);
            Exit::Failed
        })?;
        let cadence = Cadence {
            every: (self.checkpoint > 0.0).then(|| Duration::from_secs_f64(self.checkpoint)),
            steps: self.checkpoint_steps.map(|steps| steps as usize),
        };
        Ok(Some(Keeper::new(store, self.fresh, cadence)))
    }

    /// The results are written to the folder of the run, which is given. Says where they are, unless `silent`.
    pub fn finish(
        &self,
        keeper: &Keeper,
        opened: &Opened,
        results: &Results,
        silent: bool,
    ) -> Result<PathBuf, Exit> {
        let held = results.claims.iter().filter(|claim| claim.verdict == Verdict::Holds).count();
        let (json, text) = (report::json(results), report::terminal(results, false));
        let files = [("results.json", json.as_str()), ("report.txt", text.as_str())];
        let ended = keeper.end(Condition::Finished, (held, results.claims.len()), &files);
        warn(keeper, opened);
        match ended {
            Ok(Some(folder)) => {
                if !silent {
                    println!("kept in {}", folder.display());
                }
                Ok(folder)
            }
            // That it could not be begun is among the warnings.
            Ok(None) => Err(Exit::Failed),
            Err(error) => {
                open::print(&[cannot_be_kept(opened, &self.runs, &error)], &opened.sources);
                Err(Exit::Failed)
            }
        }
    }

    /// Some trials failed: the others are kept.
    pub fn failed(&self, keeper: &Keeper, opened: &Opened) {
        let _ = keeper.end(Condition::Failed, (0, 0), &[]);
        warn(keeper, opened);
        let (failed, trials) = (keeper.failed(), keeper.trials_of_run());
        if failed > 0 && trials > failed {
            eprintln!(
                "{failed} of {trials} trials failed; the others are kept, and a next run tries only these"
            );
        }
    }
}

fn warn(keeper: &Keeper, opened: &Opened) {
    let warning = |trouble: Trouble| match trouble {
        Trouble::Damaged(what) => Diagnostic::warning(Code::A0607, start(opened), what)
            .help("nothing has to be done; the results are the same"),
        Trouble::NotKept(what) => Diagnostic::warning(Code::A0606, start(opened), what).help(
            "the run goes on without it; `ansatz runs gc` makes room, `--runs FOLDER` keeps runs elsewhere",
        ),
    };
    let warnings: Vec<Diagnostic> = keeper.troubles().into_iter().map(warning).collect();
    open::print(&warnings, &opened.sources);
}

fn cannot_be_kept(opened: &Opened, runs: &Path, error: &std::io::Error) -> Diagnostic {
    let message = format!("the run cannot be kept in `{}`: {error}", runs.display());
    Diagnostic::error(Code::A0606, start(opened), message)
        .help("keep runs elsewhere with `--runs FOLDER`, make room with `ansatz runs gc`, or keep nothing: `--no-store`")
}

/// The user's file: there is no narrower place.
fn start(opened: &Opened) -> Span {
    let id = opened.program.files.last().map(|file| file.id).unwrap_or_default();
    Span::new(id, 0, 0)
}
