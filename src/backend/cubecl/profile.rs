//! What each launch of a program takes on the device.
//!
//! In: a program. Out: for each piece of work its kernels, by their numbers in the plan, and microseconds. A piece is
//! launched several times in a row between two waits for the device, so that its time is the device's, or the host's where
//! that is longer; states go on from run to run.

use std::time::Instant;

use cubecl::prelude::*;

use super::program::Program;
use crate::backend::{Executable, Fault};
use crate::graph::Store;
use crate::plan::Plan;
use crate::plan::kernel::Kernel;
use crate::plan::launch::Level;

impl<R: Runtime> Program<R> {
    pub fn profile(&mut self, store: &mut Store, runs: usize) -> Result<Vec<(Vec<usize>, f64)>, Fault> {
        self.run(store)?;
        let pieces = pieces(self.plan());
        let mut found = Vec::with_capacity(pieces.len());
        for (number, kernels) in pieces.into_iter().enumerate() {
            self.wait();
            let start = Instant::now();
            for _ in 0..runs {
                self.piece(number)?;
            }
            self.wait();
            found.push((kernels, start.elapsed().as_secs_f64() * 1e6 / runs.max(1) as f64));
        }
        Ok(found)
    }
}

/// The kernels of each piece of work, in the order in which they run.
fn pieces(plan: &Plan) -> Vec<Vec<usize>> {
    let mut pieces = Vec::new();
    for Level { chains, alone } in &plan.levels {
        let is_tiled =
            |at: &&usize| matches!(&plan.kernels[**at], Kernel::Contract(c) if c.factors.is_none());
        let (tiled, others): (Vec<usize>, Vec<usize>) = alone.iter().partition(is_tiled);
        pieces.extend(others.into_iter().map(|at| vec![at]));
        pieces.extend((!tiled.is_empty()).then_some(tiled));
        if !chains.is_empty() {
            pieces.push(chains.iter().flat_map(|chain| &chain.kernels).copied().collect());
        }
    }
    pieces
}
