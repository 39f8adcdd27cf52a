//! The first training step of an experiment at a stage of the pipeline, as text.

use super::engine::{Engine, cannot_be_planned};
use super::trial::{FirstBlock, Stopped};
use super::{Failure, Options, prepare, trial, vary};
use crate::check::program::Program;
use crate::diagnostic::Diagnostic;
use crate::graph::elaborate::StepProgram;
use crate::plan::{PlanOptions, plan};
use crate::source::World;
use crate::syntax::ast::Experiment;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// As elaborated and differentiated.
    Elaborated,
    /// After the rewrites.
    Rewritten,
    /// Kernels and buffers.
    Plan,
    /// What a device runs in one go.
    Kernels,
}

/// The step of the first train block in the first trial, as it is elaborated; none if the experiment trains nothing. What comes
/// before the block is executed: data and parameters are drawn.
pub fn first_step(
    program: &Program,
    experiment: &Experiment,
    world: &dyn World,
    options: &Options,
) -> Result<Option<StepProgram>, Vec<Diagnostic>> {
    let engine = Engine::new(options.backend, options.without.clone(), options.memory);
    Ok(first_block(program, experiment, world, options, &engine)?.map(|block| block.step))
}

fn first_block(
    program: &Program,
    experiment: &Experiment,
    world: &dyn World,
    options: &Options,
    engine: &Engine,
) -> Result<Option<FirstBlock>, Vec<Diagnostic>> {
    let base =
        prepare::prepare(program, experiment, world, options, engine).map_err(|failure| match failure {
            Failure::Wrong(problems) | Failure::Failed(problems) => problems,
        })?;
    let trials = vary::trials(&base.axes);
    trial::first_block(&base, experiment, &trials[0], engine).map_err(|stopped| match stopped {
        Stopped::Wrong(problems) | Stopped::Failed(problems) => problems,
    })
}

/// The step of the first train block in the first trial. `dot`: in Graphviz's language.
pub fn dump(
    program: &Program,
    experiment: &Experiment,
    world: &dyn World,
    options: &Options,
    stage: Stage,
    dot: bool,
) -> Result<String, Vec<Diagnostic>> {
    let engine = Engine::new(options.backend, options.without.clone(), options.memory);
    let block = first_block(program, experiment, world, options, &engine)?;
    let Some(FirstBlock { step, span, .. }) = block else {
        return Ok(format!("the experiment `{}` trains nothing\n", experiment.name.text));
    };
    let mut program = step.program;
    if stage != Stage::Elaborated {
        program = engine.rewrite(&program, span)?;
    }
    if stage == Stage::Kernels {
        let options = PlanOptions { launches: true, ..PlanOptions::default() };
        let plan = plan(&program, &options).map_err(|error| cannot_be_planned(span, &error))?;
        return Ok(if dot { plan.dot() } else { plan.launches() });
    }
    if stage == Stage::Plan {
        let plan = plan(&program, &PlanOptions::default());
        let plan = plan.map_err(|error| cannot_be_planned(span, &error))?;
        return Ok(if dot { plan.dot() } else { plan.to_string() });
    }
    Ok(if dot { program.graph.dot() } else { program.to_string() })
}
