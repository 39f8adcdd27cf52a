//! `ansatz test PATH`: `test` blocks, and experiments against their snapshots.

mod case;
mod junit;
mod snapshots;

use std::path::PathBuf;
use std::time::Instant;

use clap::Args;

use super::Exit;
use super::devices::Computes;
use super::open::{files, open, print};
use crate::check::program::Program;
use crate::diagnostic::render;
use crate::run::{Engine, run_tests};
use crate::source::Sources;
use crate::{check, library};
use case::{Case, Outcome};
use snapshots::Snapshots;

#[derive(Args)]
pub struct Test {
    /// Files, folders, or `stdlib` for the embedded standard library
    #[arg(required = true)]
    paths: Vec<PathBuf>,
    /// Only tests and experiments whose names contain this text
    #[arg(long, value_name = "TEXT")]
    filter: Option<String>,
    /// What is found now is what shall be found: write the snapshots that are missing or differ
    #[arg(long)]
    accept: bool,
    /// A snapshot that is missing fails, and nothing is written (also where the environment variable `CI` is set)
    #[arg(long, conflicts_with = "accept")]
    ci: bool,
    /// Write what passed and failed to this file, as JUnit XML
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// Keep the runs of experiments in this folder, and compute no trial again that is there
    #[arg(long, value_name = "FOLDER")]
    runs: Option<PathBuf>,
    /// Further folders that data may be read from
    #[arg(long = "data", value_name = "FOLDER")]
    roots: Vec<PathBuf>,
    /// What computes the experiments
    #[arg(long, value_enum, default_value = "cpu")]
    backend: Computes,
    /// Name every test, not only those that fail
    #[arg(long)]
    verbose: bool,
}

/// What was found in `test` blocks.
#[derive(Default)]
struct Tally {
    assertions: usize,
    gradients: usize,
    second: usize,
}

impl Test {
    pub fn execute(&self) -> Exit {
        let mut cases: Vec<Case> = Vec::new();
        let mut tally = Tally::default();
        let snapshots = Snapshots {
            accept: self.accept,
            ci: self.ci || (!self.accept && in_ci()),
            runs: self.runs.clone(),
            backend: self.backend,
        };
        for path in files(&self.own()) {
            let name = path.display().to_string();
            let opened = match open(&path, &self.roots) {
                Ok(opened) => opened,
                Err(exit) => {
                    let outcome = Outcome::Error("the file is wrong".to_owned(), exit);
                    cases.push(Case::new(&name, "check", Instant::now(), outcome));
                    continue;
                }
            };
            self.blocks(&name, &opened.program, &opened.sources, &mut tally, &mut cases);
            for experiment in snapshots::marked(&opened) {
                if self.wants(&experiment.name.text) {
                    let started = Instant::now();
                    let outcome = snapshots.experiment(&path, &opened, experiment);
                    let case = Case::new(&name, &experiment.name.text, started, outcome).of_snapshot();
                    self.tell(&case);
                    cases.push(case);
                }
            }
            if self.filter.is_none() {
                snapshots::tell_of_others(&path, &opened);
            }
        }
        if self.paths.iter().any(|path| path.as_os_str() == "stdlib") {
            for (path, text) in library::FILES {
                let name = format!("std/{path}");
                let outcome = check::check(&name, text);
                print(&outcome.diagnostics, &outcome.sources);
                match &outcome.program {
                    Some(program) => self.blocks(&name, program, &outcome.sources, &mut tally, &mut cases),
                    None => {
                        let outcome = Outcome::Error("the file is wrong".to_owned(), Exit::Wrong);
                        cases.push(Case::new(&name, "check", Instant::now(), outcome));
                    }
                }
            }
        }
        self.conclude(&cases, &tally)
    }

    fn own(&self) -> Vec<PathBuf> {
        self.paths.iter().filter(|path| path.as_os_str() != "stdlib").cloned().collect()
    }

    fn wants(&self, name: &str) -> bool {
        self.filter.as_ref().is_none_or(|text| name.contains(text))
    }

    fn blocks(
        &self,
        name: &str,
        program: &Program,
        sources: &Sources,
        tally: &mut Tally,
        cases: &mut Vec<Case>,
    ) {
        let mut started = Instant::now();
        let file = program.files.len().saturating_sub(1);
        let wants = |name: &str| self.wants(name);
        for outcome in run_tests(program, file, sources, &Engine::default(), &wants) {
            tally.assertions += outcome.assertions;
            tally.gradients += outcome.gradients.len();
            tally.second += outcome.second.len();
            let passed = outcome.problems.is_empty();
            let found = if passed {
                Outcome::Passed
            } else {
                Outcome::Failed(render(&outcome.problems, sources, false))
            };
            let case = Case::new(name, &outcome.name, started, found);
            self.tell(&case);
            print(&outcome.problems, sources);
            cases.push(case);
            started = Instant::now();
        }
    }

    /// A line for what is not as it should be; of a snapshot what differs, too.
    fn tell(&self, case: &Case) {
        if let Some(line) = case.line(self.verbose) {
            println!("{line}");
        }
        if let (true, Outcome::Failed(text)) = (case.snapshot, &case.outcome) {
            print!("{text}");
        }
    }

    fn conclude(&self, cases: &[Case], tally: &Tally) -> Exit {
        let (snapshots, blocks): (Vec<&Case>, Vec<&Case>) = cases.iter().partition(|case| case.snapshot);
        let failed = |cases: &[&Case]| cases.iter().filter(|case| case.exit() != Exit::Success).count();
        println!(
            "{} passed, {} failed; {} assertions, {} functions' derivatives compared, {} to second order",
            blocks.len() - failed(&blocks),
            failed(&blocks),
            tally.assertions,
            tally.gradients,
            tally.second
        );
        if !snapshots.is_empty() {
            let count = |outcome: fn(&Outcome) -> bool| {
                snapshots.iter().filter(|case| outcome(&case.outcome)).count()
            };
            let counts = [
                (count(|outcome| matches!(outcome, Outcome::Passed)), "as before"),
                (count(|outcome| matches!(outcome, Outcome::Accepted)), "accepted"),
                (count(|outcome| matches!(outcome, Outcome::New(_))), "new"),
                (failed(&snapshots), "failed"),
            ];
            let counts: Vec<String> =
                counts.iter().filter(|(n, _)| *n > 0).map(|(n, word)| format!("{n} {word}")).collect();
            println!("snapshots: {}", counts.join(", "));
        }
        if cases.is_empty()
            && let Some(text) = &self.filter
        {
            println!("no test and no marked experiment has `{text}` in its name");
        }
        let exit = cases.iter().map(Case::exit).max().unwrap_or(Exit::Success);
        match self.junit.as_ref().map(|target| junit::write(target, cases)) {
            Some(Err(message)) => {
                eprintln!("{message}");
                Exit::Failed
            }
            _ => exit,
        }
    }
}

/// Whether this is a machine of continuous integration, where nobody reviews what would be written.
fn in_ci() -> bool {
    std::env::var("CI").is_ok_and(|value| !matches!(value.as_str(), "" | "0" | "false"))
}
