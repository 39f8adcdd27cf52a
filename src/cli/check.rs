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
            for path in library::paths() {
                let analysis = check::check_library(path);
                print(&analysis.warnings, &analysis.sources);
                if let Err(problems) = &analysis.program {
                    print(problems, &analysis.sources);
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
