//! `ansatz test PATH`

use std::path::PathBuf;

use clap::Args;

use super::Exit;
use super::open::{files, open, print};
use crate::check::program::Program;
use crate::run::{Engine, run_tests};
use crate::source::Sources;
use crate::{check, library};

#[derive(Args)]
pub struct Test {
    /// Files, folders, or `stdlib` for the embedded standard library
    #[arg(required = true)]
    paths: Vec<PathBuf>,
    /// Name every test, not only those that fail
    #[arg(long)]
    verbose: bool,
}

#[derive(Default)]
struct Tally {
    passed: usize,
    failed: usize,
    assertions: usize,
    gradients: usize,
    second: usize,
}

impl Test {
    pub fn execute(&self) -> Exit {
        let mut exit = Exit::Success;
        let mut tally = Tally::default();
        for path in files(&self.own()) {
            match open(&path, &[]) {
                Ok(opened) => {
                    self.tests(&path.display().to_string(), &opened.program, &opened.sources, &mut tally)
                }
                Err(found) => exit = exit.max(found),
            }
        }
        if self.paths.iter().any(|path| path.as_os_str() == "stdlib") {
            for (path, text) in library::FILES {
                let name = format!("std/{path}");
                let outcome = check::check(&name, text);
                print(&outcome.diagnostics, &outcome.sources);
                match &outcome.program {
                    Some(program) => self.tests(&name, program, &outcome.sources, &mut tally),
                    None => exit = Exit::Wrong,
                }
            }
        }
        println!(
            "{} passed, {} failed; {} assertions, {} functions' derivatives compared, {} to second order",
            tally.passed, tally.failed, tally.assertions, tally.gradients, tally.second
        );
        if tally.failed > 0 { exit.max(Exit::Refuted) } else { exit }
    }

    fn own(&self) -> Vec<PathBuf> {
        self.paths.iter().filter(|path| path.as_os_str() != "stdlib").cloned().collect()
    }

    fn tests(&self, name: &str, program: &Program, sources: &Sources, tally: &mut Tally) {
        for outcome in run_tests(program, program.files.len().saturating_sub(1), sources, &Engine::default())
        {
            let passed = outcome.problems.is_empty();
            if passed {
                tally.passed += 1;
            } else {
                tally.failed += 1;
            }
            tally.assertions += outcome.assertions;
            tally.gradients += outcome.gradients.len();
            tally.second += outcome.second.len();
            if self.verbose || !passed {
                println!("{} {name}: {}", if passed { "ok    " } else { "failed" }, outcome.name);
            }
            print(&outcome.problems, sources);
        }
    }
}
