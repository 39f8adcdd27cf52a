//! The first train block of an experiment, step by step: for measuring it.
//!
//! In: what `run` takes. Out: a [`Block`] that does as many steps as it is asked for, each exactly as in a run.

use super::engine::{Engine, cannot_be_planned};
use super::training::Training;
use super::trial::{self, FirstBlock, Stopped};
use super::{Failure, Options, prepare, vary};
use crate::backend::{Fault, cpu};
use crate::check::program::Program;
use crate::diagnostic::{Code, Diagnostic};
use crate::graph;
use crate::graph::Store;
use crate::plan::{Plan, PlanOptions, Work, plan};
use crate::source::{Span, World};
use crate::syntax::ast::Experiment;

/// A train block without an end is this long: more steps than anyone waits for.
const ENDLESS: usize = 1 << 40;

/// A train block on its way.
pub struct Block {
    training: Training,
    store: Store,
    span: Span,
    engine: Engine,
    /// The step as it was elaborated.
    program: graph::Program,
}

/// A kernel of the processor's plan, and what it takes in a step.
#[derive(Clone, Debug)]
pub struct KernelTime {
    pub line: String,
    pub microseconds: f64,
    pub work: Work,
}

/// The first train block of the first trial, before its first step; none if the experiment trains nothing. `endless`: it
/// never ends, whatever its length is; else it ends where it says.
pub fn block(
    program: &Program,
    experiment: &Experiment,
    world: &dyn World,
    options: &Options,
    endless: bool,
) -> Result<Option<Block>, Failure> {
    let engine =
        Engine::new(options.backend, options.without.clone(), options.memory).unfused(options.unfused);
    let base = prepare::prepare(program, experiment, world, options, &engine)?;
    let trials = vary::trials(&base.axes);
    let found = trial::first_block(&base, experiment, &trials[0], &engine)?;
    let Some(FirstBlock { step, span, key, mut store }) = found else { return Ok(None) };
    let length = endless.then_some(ENDLESS);
    let program = step.program.clone();
    let training = Training::new(step, span, key, &engine, &mut store, length)?;
    Ok(Some(Block { training, store, span, engine, program }))
}

impl Block {
    /// Does so many steps, fewer if the block ends, and waits for them. The loss of the last one: the sum of the terms of its
    /// first objective; none if there is none.
    pub fn run(&mut self, steps: usize) -> Result<Option<f64>, Failure> {
        for _ in 0..steps {
            if self.training.step(&mut self.store)?.is_none() {
                break;
            }
        }
        if !self.training.settle(&self.store)? {
            let problem =
                Diagnostic::error(Code::A0605, self.span, "a term of this block is not finite any more")
                    .help(
                        "what is timed must be a training that goes on: take a smaller step, or fewer steps",
                    );
            return Err(Failure::Failed(vec![problem]));
        }
        Ok(self.training.loss())
    }

    /// What each kernel of a step takes on the processor, the least of several blocks of so many steps, which see the rows at hand; on a
    /// device, what each launch takes.
    pub fn kernels(&mut self, steps: usize, blocks: usize) -> Result<Vec<KernelTime>, Failure> {
        let program = self.engine.rewrite(&self.program, self.span)?;
        let failed = |fault: Fault| Failure::Failed(vec![super::engine::explain(&fault, &program.graph)]);
        let planned =
            |options| plan(&program, &options).map_err(|error| cannot_be_planned(self.span, &error));
        let options = self.engine.plan_options();
        #[cfg(feature = "gpu")]
        if let Some(device) = self.engine.device() {
            let plan = planned(PlanOptions { launches: true, ..options })?;
            let found = device.profile(plan.clone(), &mut self.store, steps).map_err(failed)?;
            return Ok(found.into_iter().map(|(kernels, time)| timed(&plan, &kernels, time)).collect());
        }
        let plan = planned(options)?;
        let mut least = vec![f64::INFINITY; plan.bands.len()];
        for _ in 0..blocks {
            let times = cpu::profile(&plan, &options, &mut self.store, steps).map_err(failed)?;
            least.iter_mut().zip(times).for_each(|(least, time)| *least = least.min(time));
        }
        let bands = plan.bands.iter().map(|band| band.kernels.clone().collect::<Vec<_>>());
        Ok(bands.zip(least).map(|(kernels, time)| timed(&plan, &kernels, time)).collect())
    }

    /// The losses of the next steps, at most so many.
    pub fn losses(&mut self, steps: usize) -> Result<Vec<f64>, Failure> {
        let mut losses = Vec::with_capacity(steps);
        while losses.len() < steps && !self.training.ended() {
            losses.extend(self.run(1)?);
        }
        Ok(losses)
    }
}

/// Kernels that ran together.
fn timed(plan: &Plan, kernels: &[usize], microseconds: f64) -> KernelTime {
    let all = || kernels.iter().map(|at| &plan.kernels[*at]);
    let lines: Vec<String> = all().map(|kernel| plan.line(kernel)).collect();
    let work = all().map(|kernel| plan.work(kernel)).fold(Work::default(), |sum, work| Work {
        flops: sum.flops + work.flops,
        bytes: sum.bytes + work.bytes,
    });
    KernelTime { line: lines.join("; "), microseconds, work }
}

impl From<Stopped> for Failure {
    fn from(stopped: Stopped) -> Self {
        match stopped {
            Stopped::Wrong(problems) => Failure::Wrong(problems),
            Stopped::Failed(problems) => Failure::Failed(problems),
        }
    }
}
