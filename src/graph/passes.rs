//! Every rewrite, in order. In: a program as elaborated. Out: the same program for the planner.
//!
//! Each pass can be switched off by its name; in debug and test builds the program is verified after each.

use super::node::Program;
use super::op::TypeError;
use super::rewrite::{
    accumulate, clipped, contraction, factors, fold, join, reassociate, rounds, shorten, spread, unwindow,
};
use super::verify::{Broken, verify};

/// A rewrite: the program it gives has the same outputs.
pub struct Pass {
    pub name: &'static str,
    pub run: fn(&Program) -> Result<Program, TypeError>,
}

/// All passes, in order. Every pass drops what no output needs, and shares equal nodes as it rebuilds.
pub const PASSES: &[Pass] = &[
    Pass { name: "fold", run: fold::run },
    Pass { name: "shorten", run: shorten::run },
    Pass { name: "join", run: join::run },
    Pass { name: "spread", run: spread::run },
    Pass { name: "reassociate", run: reassociate::run },
    Pass { name: "contraction", run: contraction::run },
    Pass { name: "unwindow", run: unwindow::run },
    Pass { name: "clipped", run: clipped::run },
    Pass { name: "factors", run: factors::run },
];

/// The names of all passes, of those on loops too.
pub fn names() -> impl Iterator<Item = &'static str> {
    PASSES.iter().map(|pass| pass.name).chain([rounds::NAME, accumulate::NAME])
}

/// A bug of a pass.
#[derive(Clone, Debug, PartialEq)]
pub enum PassError {
    Type { pass: &'static str, error: TypeError },
    Broken { pass: &'static str, broken: Broken },
}

/// Runs all passes but those named in `off`, on the program and then on the bodies of its loops.
pub fn optimise(program: &Program, off: &[&str]) -> Result<Program, PassError> {
    optimise_with(program, off, &mut |_, _| {})
}

/// As [`optimise`], showing the program after each pass under the pass's name.
pub fn optimise_with(
    program: &Program,
    off: &[&str],
    observe: &mut dyn FnMut(&'static str, &Program),
) -> Result<Program, PassError> {
    let mut program = program.clone();
    for pass in PASSES.iter().filter(|pass| !off.contains(&pass.name)) {
        program = (pass.run)(&program).map_err(|error| PassError::Type { pass: pass.name, error })?;
        if cfg!(debug_assertions) {
            verify(&program).map_err(|broken| PassError::Broken { pass: pass.name, broken })?;
        }
        observe(pass.name, &program);
    }
    if !off.contains(&rounds::NAME) {
        program = rounds::run(&program, off)?;
        observe(rounds::NAME, &program);
    }
    if !off.contains(&accumulate::NAME) {
        let pass = accumulate::NAME;
        program = accumulate::run(&program).map_err(|error| PassError::Type { pass, error })?;
        observe(pass, &program);
    }
    Ok(program)
}
