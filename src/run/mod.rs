//! Running an experiment: trials, training, measures, claims.
//!
//! In: a typed program, a [`World`](crate::source::World) and [`Options`]. Out: [`results::Results`], or a
//! [`Failure`] with every diagnostic.

mod block;
mod checkpoint;
mod collect;
mod conclude;
mod dump;
mod engine;
mod evidence;
mod fitted;
mod prepare;
mod provenance;
pub mod results;
mod rounds;
mod schema;
mod split;
mod table;
mod terms;
mod testing;
mod text;
mod training;
mod trial;
mod vary;

pub use block::{Block, KernelTime, block};
pub use dump::{Stage, dump};
pub use engine::{Engine, read_f64};
pub use testing::{TestOutcome, run_tests};

use std::time::Instant;

use rayon::prelude::*;

use crate::backend::Backend;
use crate::check::program::Program;
use crate::diagnostic::Diagnostic;
use crate::source::{Sources, World};
use crate::syntax::ast::{Experiment, ItemKind};
use results::{Results, Times};

/// What the command line can change.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The seed of all random numbers; a `seed n` statement of the file comes before it.
    pub seed: u32,
    /// Replaces the count of every axis of seeds.
    pub seeds: Option<usize>,
    /// `--set name=value`: replaces the number of a `let`, or the values of a `vary` by this one.
    pub settings: Vec<(String, f64)>,
    /// What computes.
    pub backend: Backend,
    /// Rewrites that are switched off, by name.
    pub without: Vec<String>,
    /// Operations are not joined into kernels, nor kernels into launches.
    pub unfused: bool,
    /// Every train block ends after this many steps at the latest.
    pub most_steps: Option<usize>,
    /// Bytes of memory that all trials running at a time may take; none: any number.
    pub memory: Option<u64>,
}

/// Why there are no results.
#[derive(Clone, Debug)]
pub enum Failure {
    /// The file or its data are wrong: exit code 2.
    Wrong(Vec<Diagnostic>),
    /// A trial stopped at run time: exit code 3.
    Failed(Vec<Diagnostic>),
}

impl From<Vec<Diagnostic>> for Failure {
    fn from(diagnostics: Vec<Diagnostic>) -> Self {
        Failure::Wrong(diagnostics)
    }
}

/// What a run tells while it goes on. Called from several threads.
pub trait Observer: Sync {
    fn trials(&self, _count: usize) {}
    /// `done` of `steps` steps of a training block of one trial.
    fn training(&self, _trial: usize, _done: usize, _steps: usize) {}
    fn trial_finished(&self, _trial: usize) {}
}

/// An observer that looks away.
pub struct Silent;

impl Observer for Silent {}

/// The experiments of the user's file, which is the last of the program.
pub fn experiments(program: &Program) -> Vec<&Experiment> {
    let Some(file) = program.files.last() else { return Vec::new() };
    file.items
        .iter()
        .filter_map(|item| match &item.kind {
            ItemKind::Experiment(e) => Some(e),
            _ => None,
        })
        .collect()
}

/// Runs one experiment: every trial, in parallel, then the claims.
pub fn run(
    program: &Program,
    experiment: &Experiment,
    sources: &Sources,
    world: &dyn World,
    options: &Options,
    observer: &dyn Observer,
) -> Result<Results, Failure> {
    let started = Instant::now();
    let together = rayon::current_num_threads() as u64;
    let engine = Engine::new(
        options.backend,
        options.without.clone(),
        options.memory.map(|bytes| bytes / together.max(1)),
    )
    .unfused(options.unfused)
    .most_steps(options.most_steps);
    let base = prepare::prepare(program, experiment, world, options, &engine)?;
    let trials = vary::trials(&base.axes);
    observer.trials(trials.len());
    let execute = |(number, trial)| {
        let outcome = trial::run(&base, experiment, trial, number, &engine, observer);
        observer.trial_finished(number);
        outcome
    };
    let outcomes: Vec<_> = match options.backend.is_sequential() {
        true => trials.iter().enumerate().map(execute).collect(),
        false => trials.par_iter().enumerate().map(execute).collect(),
    };
    let collected = collect::collect(&base, sources, &trials, outcomes)?;
    let conclusion = if collected.diverged.len() == trials.len() {
        conclude::without_results(experiment, sources)
    } else {
        conclude::conclude(&base, experiment, sources, &collected, &engine)?
    };
    let (terms, measures): (Vec<_>, Vec<_>) =
        collected.measures.into_iter().partition(|collected| collected.field.is_some());
    Ok(Results {
        experiment: experiment.name.text.clone(),
        terms: terms.into_iter().map(|term| term.measure).collect(),
        measures: measures.into_iter().map(|m| m.measure).chain(conclusion.measures).collect(),
        claims: conclusion.claims,
        tables: conclusion.tables,
        texts: conclusion.texts,
        plots: conclusion.plots,
        snapshot: conclusion.snapshot,
        training: collected.curves,
        diverged: collected.diverged,
        divergence_allowed: base.allow_divergence,
        provenance: provenance::provenance(program, sources, &base, options),
        times: Times {
            seconds: started.elapsed().as_secs_f64(),
            trials: trials.len(),
            preparing: engine.preparing(),
        },
    })
}
