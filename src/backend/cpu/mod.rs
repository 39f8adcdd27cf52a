//! The CPU executor: plans run on the host's arrays.
//!
//! In: a [`Program`]. Out: an [`Executable`] whose steps neither allocate nor look anything up by name: every buffer
//! has its place, every kernel its loops. Only the first step may allocate, for slots that are empty or have the other
//! float width.

mod contract;
mod copy;
mod draw;
mod executor;
mod first_fault;
mod flush;
mod fold;
mod fused;
mod index;
mod instruction;
mod line;
mod matrix;
mod memory;
#[cfg(target_arch = "x86_64")]
mod native;
#[cfg(not(target_arch = "x86_64"))]
#[path = "interpreted.rs"]
mod native;
mod product;
mod real;
mod reduce;
mod rows;
mod share;
mod single;
mod slots;
mod special;
mod symmetric;
mod team;
mod view;
mod walk;

use std::sync::Arc;

pub use memory::Spare;
pub use native::Native;

use super::{Executable, Fault};
use crate::graph::{Precision, Program, Store};
use crate::plan::{Plan, PlanError, PlanOptions, plan};

/// Plans and prepares a program.
pub fn compile(program: &Program, options: &PlanOptions) -> Result<Box<dyn Executable>, PlanError> {
    Ok(prepare(plan(program, options)?, options))
}

/// The native code of a plan.
pub fn native(plan: &Plan, options: &PlanOptions) -> Arc<Native> {
    Arc::new(Native::new(plan, options.machine_code))
}

/// Prepares a plan to run.
pub fn prepare(plan: Plan, options: &PlanOptions) -> Box<dyn Executable> {
    let native = native(&plan, options);
    prepare_with(plan, native, &Arc::default(), options)
}

/// The same, with code that was made for this plan before, and memory that executors of any plans have left behind.
pub fn prepare_with(
    plan: Plan,
    native: Arc<Native>,
    spare: &Arc<Spare>,
    options: &PlanOptions,
) -> Box<dyn Executable> {
    match plan.precision {
        Precision::Single => Box::new(executor::Executor::<f32>::new(plan, native, spare, options)),
        Precision::Double => Box::new(executor::Executor::<f64>::new(plan, native, spare, options)),
    }
}

/// Runs steps of a plan and gives, for each band, the microseconds that it takes in one step.
pub fn profile(
    plan: &Plan,
    options: &PlanOptions,
    store: &mut Store,
    steps: usize,
) -> Result<Vec<f64>, Fault> {
    let (own, native, spare) = (plan.clone(), native(plan, options), Arc::default());
    let seconds = match plan.precision {
        Precision::Single => {
            executor::Executor::<f32>::new(own, native, &spare, options).profile(store, steps)?
        }
        Precision::Double => {
            executor::Executor::<f64>::new(own, native, &spare, options).profile(store, steps)?
        }
    };
    Ok(seconds.into_iter().map(|total| total * 1e6 / steps.max(1) as f64).collect())
}
