//! `ansatz check FILE`

use std::path::PathBuf;

use clap::Args;
use rayon::prelude::*;

use super::Exit;
use super::open::{files, print, read};
use crate::{check, library};

#[derive(Args)]
pub struct Check {
    /// Files, folders, or `stdlib` for the embedded standard library
    #[arg(required = true)]
    paths: Vec<PathBuf>,
}

impl Check {
    pub fn execute(&self) -> Exit {
        let (library, own): (Vec<_>, Vec<_>) =
            self.paths.iter().cloned().partition(|path| path.as_os_str() == "stdlib");
        let mut work: Vec<Work> = files(&own).into_iter().map(Work::File).collect();
        if !library.is_empty() {
            work.extend(library::FILES.iter().map(|(path, text)| Work::Library(path, text)));
        }
        // Checked in parallel, reported in order.
        let outcomes: Vec<_> = work.par_iter().map(Work::check).collect();
        let mut exit = Exit::Success;
        for outcome in outcomes {
            match outcome {
                Ok(outcome) => {
                    print(&outcome.diagnostics, &outcome.sources);
                    if outcome.failed() {
                        exit = exit.max(Exit::Wrong);
                    }
                }
                Err(found) => exit = exit.max(found),
            }
        }
        exit
    }
}

enum Work {
    File(PathBuf),
    Library(&'static str, &'static str),
}

impl Work {
    fn check(&self) -> Result<check::Outcome, Exit> {
        match self {
            Work::File(path) => read(path).map(|(name, text)| check::check(&name, &text)),
            Work::Library(path, text) => Ok(check::check(&format!("std/{path}"), text)),
        }
    }
}
