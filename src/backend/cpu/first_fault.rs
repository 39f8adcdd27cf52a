//! The fault of work that threads share.
//!
//! In: faults of numbered pieces, as they come. Out: that of the first piece, whoever was faster.

use std::sync::{Mutex, PoisonError};

use crate::backend::Fault;

#[derive(Default)]
pub struct FirstFault(Mutex<Option<(usize, Fault)>>);

impl FirstFault {
    /// The result of a piece.
    pub fn keep(&self, piece: usize, result: Result<(), Fault>) {
        let Err(found) = result else { return };
        let mut fault = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if fault.as_ref().is_none_or(|(known, _)| piece < *known) {
            *fault = Some((piece, found));
        }
    }

    pub fn result(self) -> Result<(), Fault> {
        let fault = self.0.into_inner().unwrap_or_else(PoisonError::into_inner);
        fault.map_or(Ok(()), |(_, fault)| Err(fault))
    }
}
