//! `ansatz run FILE`

use std::io::IsTerminal;
use std::path::{Path, PathBuf};

use clap::Args;

use super::Exit;
use super::devices::Computes;
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
    /// Further folders that data may be read from
    #[arg(long = "data", value_name = "FOLDER")]
    roots: Vec<PathBuf>,
    #[command(flatten)]
    keeping: Keeping,
    /// Write the results as JSON to this file (`-`: standard output, in place of the report)
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
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
        self.files.iter().map(|file| self.file(file)).max().unwrap_or(Exit::Success)
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
            backend,
            without: self.without.clone(),
            unfused: self.no_fuse,
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
            let bars = (!self.quiet && std::io::stderr().is_terminal())
                .then(|| Progress::new(&experiment.name.text));
            let observer: &dyn Observer = bars.as_ref().map_or(&Silent, |bars| bars);
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
            exit = exit.max(self.conclude(&opened, outcome, keeper.as_ref(), several));
        }
        exit
    }

    fn conclude(
        &self,
        opened: &Opened,
        outcome: Result<Results, Failure>,
        keeper: Option<&Keeper>,
        several: bool,
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
                return exit;
            }
        };
        let to_stdout = self.json.as_deref() == Some(Path::new("-"));
        match to_stdout {
            true => print!("{}", report::json(&results)),
            false => print!("{}", report::terminal(&results, std::io::stdout().is_terminal())),
        }
        if let Some(target) = self.json.as_ref().filter(|_| !to_stdout)
            && let Err(error) = store::write(target, report::json(&results).as_bytes())
        {
            eprintln!("the results cannot be written to {}: {error}", target.display());
            return Exit::Failed;
        }
        if let Err(exit) = self.page(opened, &results, several) {
            return exit;
        }
        if let Some(keeper) = keeper
            && let Err(exit) = self.keeping.finish(keeper, opened, &results, to_stdout)
        {
            return exit;
        }
        if !results.diverged.is_empty() && !results.divergence_allowed {
            Exit::Failed
        } else if results.claims.iter().any(|claim| claim.verdict == Verdict::Refuted) {
            Exit::Refuted
        } else {
            Exit::Success
        }
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
