//! Native code on machines for which there is none: the interpreter runs all fused kernels.

use std::sync::Arc;

use crate::plan::kernel::Fused;
use crate::plan::{MachineCode, Plan};

#[derive(Default)]
pub struct Native {
    pub loops: Vec<Arc<Native>>,
}

impl Native {
    pub fn new(_: &Plan, _: MachineCode) -> Native {
        Native::default()
    }

    pub fn is_joined(&self, _at: usize) -> bool {
        false
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
