//! `ansatz bench FILE`: how long a training step takes.
//!
//! A step is timed as `ansatz run` does it, with the choice of its rows: one step, then an untimed block of steps, then seven
//! timed ones. The median of seven lies between their least and their largest with a probability of 98 %.

mod machine;
mod workload;

use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::Args;
use serde_json::{Value, json};

use super::Exit;
use super::devices::Computes;
use super::open::{self, Opened, open};
use super::run::free_memory;
use crate::backend::Backend;
use crate::diagnostic::{Code, Diagnostic};
use crate::report;
use crate::run::{self, Block, Failure, KernelTime, Options, Silent};
use crate::syntax::ast::Experiment;
use machine::Moment;
use workload::Workload;

/// Blocks of steps that are timed.
const BLOCKS: usize = 7;

/// How long a block takes at least, in seconds, if nothing says how many steps it has.
const SHORTEST: f64 = 0.1;

/// Losses that `--check` prints.
const LOSSES: usize = 20;

#[derive(Args)]
pub struct Bench {
    /// Experiment files
    #[arg(required_unless_present = "workload")]
    files: Vec<PathBuf>,
    /// A file of the benchmark by its name, such as W1; prints JSON
    #[arg(long, value_name = "NAME", conflicts_with = "files")]
    workload: Option<String>,
    /// Where the files of the benchmark are
    #[arg(long, value_name = "FOLDER", default_value = "experiments/bench")]
    folder: PathBuf,
    /// What computes
    #[arg(long, value_enum, default_value = "auto")]
    backend: Computes,
    /// Threads; by default as many as the machine has
    #[arg(long, visible_alias = "jobs", value_name = "N")]
    threads: Option<usize>,
    /// Steps in a block; by default as many as take a tenth of a second
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    steps: Option<u32>,
    /// Print the losses of the first 20 steps, and time nothing
    #[arg(long)]
    check: bool,
    /// Time the whole experiment, from the start of the program to its results
    #[arg(long, conflicts_with_all = ["check", "steps"])]
    whole: bool,
    /// What each kernel of the processor takes in a step, and how fast that is
    #[arg(long, conflicts_with_all = ["check", "whole"])]
    kernels: bool,
    /// One line of JSON for each experiment
    #[arg(long)]
    json: bool,
    /// Further folders that data may be read from
    #[arg(long = "data", value_name = "FOLDER")]
    roots: Vec<PathBuf>,
    /// Seed of all random numbers
    #[arg(long, default_value_t = 0)]
    seed: u32,
    /// Leave out a rewrite of the graph, by name (see `ansatz graph`)
    #[arg(long, value_name = "REWRITE")]
    without: Vec<String>,
    /// Do not join operations into kernels, nor kernels into launches
    #[arg(long)]
    no_fuse: bool,
}

/// One experiment to time, and how.
struct Task<'a> {
    opened: &'a Opened,
    experiment: &'a Experiment,
    name: &'a str,
    known: &'a Workload,
    options: Options,
    started: Instant,
}

impl Bench {
    /// Threads asked for; 0: as many as the machine has.
    pub fn threads(&self) -> usize {
        self.threads.unwrap_or(0)
    }

    /// `started`: when the program did.
    pub fn execute(&self, started: Instant) -> Exit {
        let Some(name) = &self.workload else {
            let time = |path: &PathBuf| self.file(path, None, &Workload::default(), started);
            return self.files.iter().map(time).max().unwrap_or(Exit::Success);
        };
        match workload::find(&self.folder, name) {
            Ok((path, known)) => self.file(&path, Some(name), &known, started),
            Err(message) => {
                eprintln!("{message}");
                Exit::Wrong
            }
        }
    }

    fn file(&self, path: &Path, name: Option<&str>, known: &Workload, started: Instant) -> Exit {
        let opened = match open(path, &self.roots) {
            Ok(opened) => opened,
            Err(exit) => return exit,
        };
        let (experiments, backend) = match (opened.experiments(), self.backend.backend(&opened)) {
            (Ok(experiments), Ok(backend)) => (experiments, backend),
            (Err(exit), _) | (_, Err(exit)) => return exit,
        };
        let mut exit = Exit::Success;
        for experiment in experiments {
            let options = Options {
                seed: self.seed,
                backend,
                without: self.without.clone(),
                unfused: self.no_fuse,
                memory: free_memory(),
                ..Options::default()
            };
            let name = name.unwrap_or(&experiment.name.text);
            let task = Task { opened: &opened, experiment, name, known, options, started };
            exit = exit.max(match self.measure(&task) {
                Ok(facts) => {
                    self.tell(&facts);
                    Exit::Success
                }
                Err(Failure::Wrong(problems)) => {
                    open::print(&problems, &opened.sources);
                    if self.workload.is_some() && !self.folder.join("data").is_dir() {
                        eprintln!("`prepare.py` in {} writes what its files read", self.folder.display());
                    }
                    Exit::Wrong
                }
                Err(Failure::Failed(problems)) => {
                    open::print(&problems, &opened.sources);
                    Exit::Failed
                }
            });
        }
        exit
    }

    fn measure(&self, task: &Task) -> Result<Value, Failure> {
        if self.check {
            let losses = task.block(false)?.losses(LOSSES)?;
            return Ok(json!({ "workload": task.name, "impl": "ansatz", "losses": losses }));
        }
        if self.whole || task.known.whole.is_some() { task.whole() } else { self.steps(task) }
    }

    fn steps(&self, task: &Task) -> Result<Value, Failure> {
        let mut block = task.block(true)?;
        block.run(1)?;
        let first = task.started.elapsed().as_secs_f64();
        let mut done = 1;
        let steps = match self.steps.map(|steps| steps as usize).or(task.known.steps) {
            Some(steps) => steps,
            None => calibrated(&mut block, &mut done)?,
        };
        let mut loss = block.run(steps)?;
        let before = Moment::now();
        let mut blocks = Vec::with_capacity(BLOCKS);
        for _ in 0..BLOCKS {
            let start = Instant::now();
            loss = block.run(steps)?;
            blocks.push(start.elapsed().as_secs_f64() * 1e6 / steps as f64);
        }
        let used = before.used();
        let microseconds = median(&blocks);
        let mut facts = task.facts();
        add(
            &mut facts,
            json!({
                "us_per_step": rounded(microseconds, 2),
                "first_step_s": rounded(first, 3),
                "final_loss": loss,
                "steps": done + steps * (BLOCKS + 1),
                "us_blocks": blocks.iter().map(|block| rounded(*block, 2)).collect::<Vec<_>>(),
                "cpus_used": used.own.map(|cpus| rounded(cpus, 2)),
                "cpus_used_by_others": used.others.map(|cpus| rounded(cpus, 2)),
            }),
        );
        let rate = |floor: Option<f64>| floor.map(|floor| rounded(floor / microseconds / 1e3, 2));
        if task.known.flops.is_some() || task.known.bytes.is_some() {
            let floors = json!({ "gflop_s": rate(task.known.flops), "floor_gb_s": rate(task.known.bytes) });
            add(&mut facts, floors);
        }
        if self.kernels && task.options.backend != Backend::Dfdx {
            let kernels = block.kernels(steps.div_ceil(4), BLOCKS)?;
            add(&mut facts, json!({ "kernels": kernels.iter().map(kernel_facts).collect::<Vec<_>>() }));
        }
        add(&mut facts, task.ending());
        Ok(facts)
    }

    fn tell(&self, facts: &Value) {
        if self.json || self.workload.is_some() {
            println!("{facts}");
            return;
        }
        let number = |key: &str| facts[key].as_f64();
        let text = |key: &str| facts[key].as_str().unwrap_or("?").to_owned();
        if let Some(losses) = facts["losses"].as_array() {
            println!("{}: the first losses", text("workload"));
            losses.iter().for_each(|loss| println!("  {loss}"));
            return;
        }
        let threads = facts["threads"].as_u64().unwrap_or(1);
        println!("{} on {}, {threads} threads", text("workload"), text("backend"));
        if let (Some(step), Some(blocks)) = (number("us_per_step"), facts["us_blocks"].as_array()) {
            let values = || blocks.iter().filter_map(Value::as_f64);
            let (low, high) = (values().fold(f64::INFINITY, f64::min), values().fold(0.0, f64::max));
            println!("  a step            {step:.1} us, median of {BLOCKS} blocks, {low:.1} .. {high:.1}");
        }
        let line = |key: &str, what: &str, unit: &str| {
            if let Some(value) = number(key) {
                println!("  {what:17} {value} {unit}");
            }
        };
        facts["kernels"].as_array().into_iter().flatten().for_each(print_kernel);
        line("first_step_s", "first step after", "s");
        line("total_s", "in all", "s");
        line("peak_rss_mb", "peak memory", "MB");
        line("cpus_used_by_others", "used by others", "processors");
    }
}

impl Task<'_> {
    fn block(&self, endless: bool) -> Result<Block, Failure> {
        let opened = self.opened;
        let block = run::block(&opened.program, self.experiment, &opened.world, &self.options, endless)?;
        block.ok_or_else(|| {
            let span = self.experiment.name.span;
            let name = &self.experiment.name.text;
            let problem = Diagnostic::error(Code::A0605, span, format!("`{name}` trains nothing"))
                .label("no train block")
                .help("`--whole` times all that an experiment does");
            Failure::Wrong(vec![problem])
        })
    }

    /// From the start of the program to the results, which are printed.
    fn whole(&self) -> Result<Value, Failure> {
        let before = Moment::now();
        let opened = self.opened;
        let results = run::run(
            &opened.program,
            self.experiment,
            &opened.sources,
            &opened.world,
            &self.options,
            None,
            &Silent,
        )?;
        print!("{}", report::terminal(&results, false));
        let seconds = self.started.elapsed().as_secs_f64();
        let used = before.used();
        let mut facts = self.facts();
        add(
            &mut facts,
            json!({
                "us_per_step": self.known.whole.map(|steps| rounded(seconds * 1e6 / steps as f64, 2)),
                "first_step_s": null,
                "final_loss": null,
                "cpus_used": used.own.map(|cpus| rounded(cpus, 2)),
                "cpus_used_by_others": used.others.map(|cpus| rounded(cpus, 2)),
            }),
        );
        add(&mut facts, self.ending());
        Ok(facts)
    }

    fn facts(&self) -> Value {
        json!({
            "workload": self.name,
            "impl": "ansatz",
            "backend": self.options.backend.name(),
            "threads": rayon::current_num_threads(),
        })
    }

    fn ending(&self) -> Value {
        json!({
            "total_s": rounded(self.started.elapsed().as_secs_f64(), 3),
            "peak_rss_mb": machine::peak_mb().map(|mb| rounded(mb, 1)),
            "version": env!("CARGO_PKG_VERSION"),
        })
    }
}

fn kernel_facts(kernel: &KernelTime) -> Value {
    let rate = |work: f64| (work > 0.0).then(|| rounded(work / kernel.microseconds / 1e3, 2));
    json!({
        "kernel": kernel.line,
        "us": rounded(kernel.microseconds, 2),
        "gflop_s": rate(kernel.work.flops),
        "gb_s": rate(kernel.work.bytes),
    })
}

fn print_kernel(kernel: &Value) {
    let rate = |key: &str| kernel[key].as_f64().map_or_else(String::new, |rate| format!("{rate:.1}"));
    println!(
        "  {:10.2} us {:>8} GFLOP/s {:>8} GB/s  {}",
        kernel["us"].as_f64().unwrap_or(f64::NAN),
        rate("gflop_s"),
        rate("gb_s"),
        kernel["kernel"].as_str().unwrap_or("?")
    );
}

/// So many steps that a block of them takes long enough for the clock.
fn calibrated(block: &mut Block, done: &mut usize) -> Result<usize, Failure> {
    let mut steps = 1;
    loop {
        let start = Instant::now();
        block.run(steps)?;
        *done += steps;
        let seconds = start.elapsed().as_secs_f64();
        if seconds >= SHORTEST / 2.0 {
            return Ok(((steps as f64 * SHORTEST / seconds).ceil() as usize).max(1));
        }
        steps *= 2;
    }
}

fn median(values: &[f64]) -> f64 {
    let mut ordered = values.to_vec();
    ordered.sort_by(f64::total_cmp);
    ordered.get(ordered.len() / 2).copied().unwrap_or(f64::NAN)
}

fn rounded(value: f64, digits: i32) -> f64 {
    let scale = 10f64.powi(digits);
    (value * scale).round() / scale
}

/// Adds the members of an object to another.
fn add(facts: &mut Value, more: Value) {
    if let (Value::Object(facts), Value::Object(more)) = (facts, more) {
        facts.extend(more);
    }
}
