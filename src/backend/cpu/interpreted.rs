//! Native code on machines for which there is none: the interpreter runs all fused kernels.

use std::sync::Arc;

use crate::plan::Plan;
use crate::plan::kernel::Fused;

#[derive(Default)]
pub struct Native {
    pub loops: Vec<Arc<Native>>,
}

impl Native {
    pub fn new(plan: &Plan) -> Native {
        let loops = plan.kernels.iter().filter_map(|kernel| match kernel {
            crate::plan::kernel::Kernel::Rounds(rounds) => Some(Arc::new(Native::new(&rounds.plan))),
            _ => None,
        });
        Native { loops: loops.collect() }
    }

    pub fn kernel(&self, _at: usize) -> Option<Code> {
        None
    }
}

#[derive(Clone, Copy)]
pub enum Code {}

impl Code {
    /// # Safety
    /// There is no code to run.
    pub unsafe fn run(&self, _: &Fused, _: &[*mut u8], _: usize, _: usize, _: *mut u8) {
        match *self {}
    }
}
