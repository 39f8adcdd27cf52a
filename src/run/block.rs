//! The first train block of an experiment, step by step: for measuring it.
//!
//! In: what `run` takes. Out: a [`Block`] that does as many steps as it is asked for, each exactly as in a run.

use super::engine::Engine;
use super::training::Training;
use super::trial::{self, FirstBlock, Stopped};
use super::{Failure, Options, prepare, vary};
use crate::check::program::Program;
use crate::diagnostic::{Code, Diagnostic};
use crate::graph::Store;
use crate::source::{Span, World};
use crate::syntax::ast::Experiment;

/// A train block without an end is this long: more steps than anyone waits for.
const ENDLESS: usize = 1 << 40;

/// A train block on its way.
pub struct Block {
    training: Training,
    store: Store,
    span: Span,
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
    let training = Training::new(step, span, key, &engine, &mut store, length)?;
    Ok(Some(Block { training, store, span }))
}

impl Block {
    /// Does so many steps, fewer if the block ends, and waits for them. The loss of the last one: the sum of its terms;
    /// none if nothing is minimized.
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

    /// The losses of the next steps, at most so many.
    pub fn losses(&mut self, steps: usize) -> Result<Vec<f64>, Failure> {
        let mut losses = Vec::with_capacity(steps);
        while losses.len() < steps && !self.training.ended() {
            losses.extend(self.run(1)?);
        }
        Ok(losses)
    }
}

impl From<Stopped> for Failure {
    fn from(stopped: Stopped) -> Self {
        match stopped {
            Stopped::Wrong(problems) => Failure::Wrong(problems),
            Stopped::Failed(problems) => Failure::Failed(problems),
        }
    }
}
