//! Running an experiment: trials, training, measures, claims.
//!
//! In: a typed program, a [`World`](crate::source::World) and [`Options`]. Out: [`results::Results`], or a
//! [`Failure`] with every diagnostic.

mod block;
mod collect;
mod conclude;
mod dump;
mod engine;
mod evidence;
mod feed;
mod fitted;
mod identity;
mod keep;
mod kept_outcome;
mod moments;
mod observe;
mod plans;
mod prepare;
mod provenance;
mod quick;
pub mod results;
mod resume;
mod rounds;
mod schema;
mod shared;
mod split;
mod stacked;
pub mod table;
mod terms;
mod testing;
mod text;
mod together;
mod training;
mod trial;
mod vary;

pub use block::{Block, KernelTime, block};
pub use dump::{Stage, dump, first_step};
pub use engine::{Engine, read_f64};
pub use keep::Keeper;
pub use observe::{Ended, How, Labels, Observer, Silent};
pub use prepare::data_problems;
pub use resume::{Cadence, Trouble};
pub use table::summarise;
pub use testing::{TestOutcome, run_tests};

use std::sync::Arc;
use std::time::Instant;

use rayon::prelude::*;

use crate::backend::Backend;
use crate::check::program::Program;
use crate::diagnostic::Diagnostic;
use crate::source::{Sources, World};
use crate::store::{Condition, RunRecord, TrialCondition, TrialRecord};
use crate::syntax::ast::{Experiment, ItemKind};
use identity::{Identifier, Places};
use keep::{Attempt, Computed, Desk, NothingKept, Work};
use prepare::Base;
use results::{Provenance, Results, Times};
use shared::SharedBlocks;
use trial::{Around, Outcome, Stopped};
use vary::Trial;

/// What the command line can change.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The seed of all random numbers; a `seed n` statement of the file comes before it.
    pub seed: u32,
    /// Replaces the count of every axis of seeds.
    pub seeds: Option<usize>,
    /// `--set name=value`: replaces the number of a `let`, or the values of a `vary` by this one.
    pub settings: Vec<(String, f64)>,
    /// `--quick`: the settings of the experiment's `quick` statement, as far as the two above do not say otherwise.
    pub quick: bool,
    /// What computes.
    pub backend: Backend,
    /// Rewrites that are switched off, by name.
    pub without: Vec<String>,
    /// Operations are not joined into kernels, nor kernels into launches.
    pub unfused: bool,
    /// Every trial runs alone, also where several would be faster as one program. No result depends on it.
    pub unstacked: bool,
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

/// Runs one experiment: every trial, in parallel, then the claims. With a `keeper`, what an earlier run has found is not
/// computed again.
pub fn run(
    program: &Program,
    experiment: &Experiment,
    sources: &Sources,
    world: &dyn World,
    options: &Options,
    keeper: Option<&Keeper>,
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
    .unstacked(options.unstacked)
    .most_steps(options.most_steps);
    let base = prepare::prepare(program, experiment, world, options, &engine)?;
    let trials = vary::trials(&base.axes);
    let provenance = provenance::provenance(program, sources, &base, options);
    let labels: Vec<Labels> = trials.iter().map(|trial| trial.labels(&base.axes)).collect();
    observer.started(&provenance, &labels);
    let identifier = Identifier::new(&base, experiment, sources, options, &engine);
    let shared = SharedBlocks::new(&identifier, &trials, &trial::train_blocks(&base, experiment));
    let all = Trials { base: &base, experiment, sources, trials: &trials, engine: &engine, observer, shared };
    let outcomes = match keeper {
        Some(keeper) => {
            let identities = trials.iter().map(|trial| identifier.identify(trial)).collect();
            let work = Identified { all, identifier, identities };
            let record = record(experiment, &provenance, &base, &trials, &work.identities);
            let source = program.files.last().map_or("", |file| &sources.get(file.id).text);
            keeper.begin(record, source);
            keeper.trials(&work, |numbers, attempt| {
                each(options.backend, together::groups(&engine, &base.axes, &trials, numbers), attempt)
            })
        }
        None => {
            let numbers: Vec<usize> = (0..trials.len()).collect();
            let attempt = |numbers: &[usize]| all.compute(numbers, &NothingKept);
            let groups = together::groups(&engine, &base.axes, &trials, &numbers);
            each(options.backend, groups, &attempt).into_iter().flatten().collect()
        }
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
        examples: collected.examples,
        training: collected.curves,
        diverged: collected.diverged,
        divergence_allowed: base.allow_divergence,
        provenance,
        times: Times {
            seconds: started.elapsed().as_secs_f64(),
            trials: trials.len(),
            kept: keeper.map_or(0, Keeper::kept),
            preparing: engine.preparing(),
            together: engine.together(),
        },
    })
}

/// Applies a function to groups of trials: on a device one after another, else in parallel. What it gives for each trial, in the order of
/// their numbers.
fn each(
    backend: Backend,
    groups: Vec<Vec<usize>>,
    attempt: &(dyn Fn(&[usize]) -> Vec<Attempt> + Sync),
) -> Vec<Attempt> {
    let attempts: Vec<Vec<Attempt>> = match backend.is_sequential() {
        true => groups.iter().map(|group| attempt(group)).collect(),
        false => groups.par_iter().map(|group| attempt(group)).collect(),
    };
    let mut all: Vec<(usize, Attempt)> =
        groups.into_iter().flatten().zip(attempts.into_iter().flatten()).collect();
    all.sort_by_key(|(number, _)| *number);
    all.into_iter().map(|(_, attempt)| attempt).collect()
}

/// The trials of an experiment.
struct Trials<'a> {
    base: &'a Base<'a>,
    experiment: &'a Experiment,
    sources: &'a Sources,
    trials: &'a [Trial],
    engine: &'a Engine,
    observer: &'a dyn Observer,
    shared: SharedBlocks,
}

impl Trials<'_> {
    fn compute(&self, numbers: &[usize], desk: &dyn Desk) -> Vec<Attempt> {
        let around = Around { engine: self.engine, observer: self.observer, shared: &self.shared };
        let ended = |number: usize, seconds: f64, outcome: &Computed| {
            self.shared.leave(number);
            match outcome {
                Ok(outcome) => self.tell(number, How::Computed { seconds }, outcome),
                Err(Stopped::Wrong(problems) | Stopped::Failed(problems)) => {
                    let ended = Ended { how: How::Failed(problems), measures: &Vec::new, diverged: None };
                    self.observer.trial_ended(number, &ended);
                }
            }
        };
        let group = together::Group {
            base: self.base,
            experiment: self.experiment,
            trials: self.trials,
            around,
            desk,
            ended: &ended,
        };
        group.run(numbers)
    }

    fn tell(&self, number: usize, how: How, outcome: &Outcome) {
        let labels = self.trials[number].labels(&self.base.axes);
        let ended = Ended {
            how,
            measures: &|| collect::of_trial(self.base, self.sources, outcome),
            diverged: collect::divergence(self.sources, outcome, labels),
        };
        self.observer.trial_ended(number, &ended);
    }
}

/// Trials that can be kept.
struct Identified<'a> {
    all: Trials<'a>,
    identifier: Identifier<'a>,
    identities: Vec<String>,
}

impl Work for Identified<'_> {
    fn identities(&self) -> &[String] {
        &self.identities
    }

    fn places(&self, number: usize) -> Arc<Places> {
        self.identifier.places(&self.all.trials[number])
    }

    fn compute(&self, numbers: &[usize], desk: &dyn Desk) -> Vec<Attempt> {
        self.all.compute(numbers, desk)
    }

    fn found(&self, number: usize, outcome: &Outcome) {
        self.all.shared.leave(number);
        self.all.tell(number, How::Kept, outcome);
    }
}

/// What is written down about a run before it begins. Its name says what it computes: the same file, data, seed, backend and
/// settings are the same run.
fn record(
    experiment: &Experiment,
    provenance: &Provenance,
    base: &Base,
    trials: &[Trial],
    identities: &[String],
) -> RunRecord {
    let stem = std::path::Path::new(&provenance.file).file_stem().map(|stem| stem.to_string_lossy());
    let stem = stem.map_or_else(|| experiment.name.text.clone(), |stem| stem.into_owned());
    let several = experiments(base.program).len() > 1;
    let name = if several { format!("{stem}.{}", experiment.name.text) } else { stem };
    let mut hasher = blake3::Hasher::new();
    hasher.update(provenance.source.as_bytes());
    hasher.update(format!("{:?}", provenance.settings).as_bytes());
    identities.iter().for_each(|identity| {
        hasher.update(identity.as_bytes());
    });
    let trial = |(trial, identity): (&Trial, &String)| TrialRecord {
        trial: trial.labels(&base.axes),
        identity: identity.clone(),
        condition: TrialCondition::Waiting,
    };
    RunRecord {
        id: format!("{name}-{}", &hasher.finalize().to_hex()[..8]),
        experiment: experiment.name.text.clone(),
        file: provenance.file.clone(),
        condition: Condition::Running,
        started: 0,
        ended: None,
        seed: provenance.seed,
        backend: provenance.backend.clone(),
        settings: provenance.settings.clone(),
        claims: (0, 0),
        trials: trials.iter().zip(identities).map(trial).collect(),
    }
}
