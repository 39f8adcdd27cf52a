//! `ansatz run FILE`

use std::io::IsTerminal;
use std::path::{Path, PathBuf};

use clap::Args;

use super::Exit;
use super::devices::Computes;
use super::events::{self, Events};
use super::keeping::Keeping;
use super::open::{self, Opened, open};
use super::progress::Progress;
use super::report::own_name;
use crate::report;
use crate::run::results::{Results, Verdict};
use crate::run::{self, Failure, Keeper, Observer, Options, Silent};
use crate::store;

#[derive(Args)]
pub struct Run {
    /// Experiment files
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// Seed of all random numbers (a `seed` statement of the file comes before it)
    #[arg(long, default_value_t = 0)]
    seed: u32,
    /// Number of seeds, in place of the file's `vary Seed = n`
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    seeds: Option<u32>,
    /// Replace the number of a `let`, or the values of a `vary`
    #[arg(long, value_name = "NAME=VALUE", value_parser = setting)]
    set: Vec<(String, f64)>,
    /// The settings of the file's `quick` statements: to see in short time whether it runs (claims then decide no exit code)
    #[arg(long)]
    quick: bool,
    /// Further folders that data may be read from
    #[arg(long = "data", value_name = "FOLDER")]
    roots: Vec<PathBuf>,
    #[command(flatten)]
    keeping: Keeping,
    /// Tell what happens as it happens, one line of JSON for each event, and nothing else on standard output
    #[arg(long)]
    json: bool,
    /// Write the results as JSON to this file (`-`: standard output, in place of the report)
    #[arg(long, value_name = "FILE")]
    results: Option<PathBuf>,
    /// Write the report as an HTML page, too (`PAGE-EXPERIMENT` where the file has several experiments)
    #[arg(long, value_name = "PAGE")]
    html: Option<PathBuf>,
    /// What computes: a GPU, the processor, or the slow reference interpreter on dfdx; `ansatz devices` shows what there is
    #[arg(long, value_enum, default_value = "auto")]
    backend: Computes,
    /// Leave out a rewrite of the graph, by name (see `ansatz graph`)
    #[arg(long, value_name = "REWRITE")]
    without: Vec<String>,
    /// End every train block after so many steps: to see whether it runs at all
    #[arg(long, value_name = "N")]
    most_steps: Option<usize>,
    /// Do not join operations into kernels, nor kernels into launches: slow, for comparison
    #[arg(long)]
    no_fuse: bool,

    /// Run every trial alone, also where several would be faster as one program; for finding faults of Ansatz
    #[arg(long, hide = true)]
    no_stack: bool,
    /// Threads; by default as many as the machine has
    #[arg(long, value_name = "N")]
    jobs: Option<usize>,
    /// Memory that the run may take, in MiB; by default nine tenths of what is free
    #[arg(long, value_name = "MIB")]
    memory: Option<u64>,
    /// No progress bars
    #[arg(long)]
    quiet: bool,
}

fn setting(text: &str) -> Result<(String, f64), String> {
    let (name, value) = text.split_once('=').ok_or("write NAME=VALUE")?;
    let value = value.trim().parse().map_err(|_| format!("`{value}` is not a number"))?;
    Ok((name.trim().to_string(), value))
}

impl Run {
    /// Threads asked for; 0: as many as the machine has.
    pub fn jobs(&self) -> usize {
        self.jobs.unwrap_or(0)
    }

    pub fn execute(&self) -> Exit {
        if self.json && self.results.as_deref() == Some(Path::new("-")) {
            eprintln!(
                "the results and the events cannot both go to standard output: name a file for `--results`"
            );
            return Exit::Wrong;
        }
        let exit = self.files.iter().map(|file| self.file(file)).max().unwrap_or(Exit::Success);
        if self.json {
            events::finished(exit);
        }
        exit
    }

    fn file(&self, path: &Path) -> Exit {
        let opened = match open(path, &self.roots) {
            Ok(opened) => opened,
            Err(exit) => return exit,
        };
        let experiments = match opened.experiments() {
            Ok(experiments) => experiments,
            Err(exit) => return exit,
        };
        let backend = match self.backend.backend(&opened) {
            Ok(backend) => backend,
            Err(exit) => return exit,
        };
        let options = Options {
            seed: self.seed,
            seeds: self.seeds.map(|n| n as usize),
            settings: self.set.clone(),
            quick: self.quick,
            backend,
            without: self.without.clone(),
            unfused: self.no_fuse,
            unstacked: self.no_stack,
            most_steps: self.most_steps,
            memory: self.memory.map(|mib| mib << 20).or_else(free_memory),
        };
        let mut exit = Exit::Success;
        let several = experiments.len() > 1;
        for experiment in experiments {
            let keeper = match self.keeping.keeper(&opened) {
                Ok(keeper) => keeper,
                Err(exit) => return exit,
            };
            let bars = (!self.quiet && !self.json && std::io::stderr().is_terminal())
                .then(|| Progress::new(&experiment.name.text));
            let events = self.json.then(|| Events::new(&experiment.name.text, &opened.sources));
            let observer: &dyn Observer = match (&bars, &events) {
                (Some(bars), _) => bars,
                (None, Some(events)) => events,
                (None, None) => &Silent,
            };
            let outcome = run::run(
                &opened.program,
                experiment,
                &opened.sources,
                &opened.world,
                &options,
                keeper.as_ref(),
                observer,
            );
            if let Some(bars) = &bars {
                bars.finish();
            }
            exit = exit.max(self.conclude(&opened, outcome, keeper.as_ref(), several, events.as_ref()));
        }
        exit
    }

    fn conclude(
        &self,
        opened: &Opened,
        outcome: Result<Results, Failure>,
        keeper: Option<&Keeper>,
        several: bool,
        events: Option<&Events>,
    ) -> Exit {
        let results = match outcome {
            Ok(results) => results,
            Err(failure) => {
                let (problems, exit) = match failure {
                    Failure::Wrong(problems) => (problems, Exit::Wrong),
                    Failure::Failed(problems) => (problems, Exit::Failed),
                };
                open::print(&problems, &opened.sources);
                if let Some(keeper) = keeper {
                    self.keeping.failed(keeper, opened);
                }
                if let Some(events) = events {
                    events.failed(&problems, exit);
                }
                return exit;
            }
        };
        let to_stdout = self.results.as_deref() == Some(Path::new("-"));
        if to_stdout {
            print!("{}", report::json(&results));
        } else if events.is_none() {
            print!("{}", report::terminal(&results, std::io::stdout().is_terminal()));
        }
        let written = self.written(opened, &results, several, keeper, to_stdout || events.is_some());
        let (folder, exit) = match written {
            Ok(folder) => (folder, decided(&results)),
            Err(exit) => (None, exit),
        };
        if let Some(events) = events {
            events.concluded(
                &results,
                folder.as_ref().map(|folder| folder.display().to_string()).as_deref(),
                exit,
            );
        }
        exit
    }

    /// Puts the results where they are asked for. The folder of the run, where it is kept.
    fn written(
        &self,
        opened: &Opened,
        results: &Results,
        several: bool,
        keeper: Option<&Keeper>,
        silent: bool,
    ) -> Result<Option<PathBuf>, Exit> {
        if let Some(target) = self.results.as_ref().filter(|target| target.as_path() != Path::new("-"))
            && let Err(error) = store::write(target, report::json(results).as_bytes())
        {
            eprintln!("the results cannot be written to {}: {error}", target.display());
            return Err(Exit::Failed);
        }
        self.page(opened, results, several)?;
        keeper.map(|keeper| self.keeping.finish(keeper, opened, results, silent)).transpose()
    }
}

/// What the results make the exit code.
fn decided(results: &Results) -> Exit {
    if !results.diverged.is_empty() && !results.divergence_allowed {
        Exit::Failed
    } else if results.quick().is_none()
        && results.claims.iter().any(|claim| claim.verdict == Verdict::Refuted)
    {
        Exit::Refuted
    } else {
        Exit::Success
    }
}

impl Run {
    /// The page of `--html`.
    fn page(&self, opened: &Opened, results: &Results, several: bool) -> Result<(), Exit> {
        let Some(page) = &self.html else { return Ok(()) };
        let target = own_name(page, several.then_some(results.experiment.as_str()));
        // The page is made from what is kept, so that it is the same page later.
        let Some(stored) = report::stored(&report::json(results)) else {
            eprintln!("no page can be made of these results, which is a fault of Ansatz");
            return Err(Exit::Failed);
        };
        let source = opened.program.files.last().map(|file| opened.sources.get(file.id).text.as_str());
        let text = report::page(&report::Report { results: &stored, source, record: None });
        store::write(&target, text.as_bytes()).map_err(|error| {
            eprintln!("the page cannot be written to {}: {error}", target.display());
            Exit::Failed
        })
    }
}

/// Nine tenths of the memory that is free, where the system tells (Linux).
pub fn free_memory() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kibibytes: u64 = line.trim().trim_end_matches("kB").trim().parse().ok()?;
    Some(kibibytes * 1024 / 10 * 9)
}
