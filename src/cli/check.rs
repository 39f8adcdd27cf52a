//! `ansatz check FILE`

use std::path::PathBuf;

use clap::Args;

use super::Exit;
use super::open::{files, open, print};
use crate::{check, library};

#[derive(Args)]
pub struct Check {
    /// Files, folders, or `stdlib` for the embedded standard library
    #[arg(required = true)]
    paths: Vec<PathBuf>,
}

impl Check {
    pub fn execute(&self) -> Exit {
        let mut exit = Exit::Success;
        let (library, own): (Vec<_>, Vec<_>) =
            self.paths.iter().cloned().partition(|path| path.as_os_str() == "stdlib");
        if !library.is_empty() {
            for (path, text) in library::FILES {
                let outcome = check::check(&format!("std/{path}"), text);
                print(&outcome.diagnostics, &outcome.sources);
                if outcome.failed() {
                    exit = Exit::Wrong;
                }
            }
        }
        for path in files(&own) {
            if let Err(found) = open(&path, &[]) {
                exit = exit.max(found);
            }
        }
        exit
    }
}
