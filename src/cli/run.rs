//! `ansatz run FILE`

use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};

use clap::Args;

use super::Exit;
use super::devices::Computes;
use super::open::{self, Opened, open};
use super::progress::Progress;
use crate::report;
use crate::run::results::{Results, Verdict};
use crate::run::{self, Failure, Observer, Options, Silent};

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
    /// Folder for the results
    #[arg(long, default_value = "runs", value_name = "FOLDER")]
    runs: PathBuf,
    /// Write the results as JSON to this file instead (`-`: standard output)
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
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
        let several = experiments.len() > 1;
        let mut exit = Exit::Success;
        for experiment in experiments {
            let bars = (!self.quiet && std::io::stderr().is_terminal())
                .then(|| Progress::new(&experiment.name.text));
            let observer: &dyn Observer = bars.as_ref().map_or(&Silent, |bars| bars);
            let outcome =
                run::run(&opened.program, experiment, &opened.sources, &opened.world, &options, observer);
            if let Some(bars) = &bars {
                bars.finish();
            }
            exit = exit.max(self.conclude(path, &opened, outcome, several));
        }
        exit
    }

    fn conclude(
        &self,
        path: &Path,
        opened: &Opened,
        outcome: Result<Results, Failure>,
        several: bool,
    ) -> Exit {
        let results = match outcome {
            Ok(results) => results,
            Err(Failure::Wrong(problems)) => {
                open::print(&problems, &opened.sources);
                return Exit::Wrong;
            }
            Err(Failure::Failed(problems)) => {
                open::print(&problems, &opened.sources);
                return Exit::Failed;
            }
        };
        let to_stdout = self.json.as_deref() == Some(Path::new("-"));
        if to_stdout {
            print!("{}", report::json(&results));
        } else {
            print!("{}", report::terminal(&results, std::io::stdout().is_terminal()));
            let target = self.json.clone().unwrap_or_else(|| self.target(path, &results.experiment, several));
            if let Err(error) = write_atomically(&target, &report::json(&results)) {
                eprintln!("the results cannot be written to {}: {error}", target.display());
                return Exit::Failed;
            }
        }
        if !results.diverged.is_empty() && !results.divergence_allowed {
            Exit::Failed
        } else if results.claims.iter().any(|claim| claim.verdict == Verdict::Refuted) {
            Exit::Refuted
        } else {
            Exit::Success
        }
    }

    /// `runs/quickstart.json`; with the experiment's name where a file holds several.
    fn target(&self, path: &Path, experiment: &str, several: bool) -> PathBuf {
        let stem = path.file_stem().map(|s| s.to_string_lossy().into_owned()).unwrap_or_default();
        let name = if several { format!("{stem}.{experiment}.json") } else { format!("{stem}.json") };
        self.runs.join(name)
    }
}

/// Nine tenths of the memory that is free, where the system tells (Linux).
pub fn free_memory() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kibibytes: u64 = line.trim().trim_end_matches("kB").trim().parse().ok()?;
    Some(kibibytes * 1024 / 10 * 9)
}

/// The file has either its old or its new content, whatever happens.
fn write_atomically(path: &Path, text: &str) -> std::io::Result<()> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    std::fs::create_dir_all(folder)?;
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(text.as_bytes())?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    Ok(())
}
