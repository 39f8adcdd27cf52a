//! Faults that kernels note: where each is noted, and what it means.

use crate::backend::Fault;
use crate::graph::{CheckId, NodeId};

/// The places of faults: two words each, after the intermediate values.
pub struct Faults {
    begin: usize,
    all: Vec<Kind>,
}

enum Kind {
    Check(CheckId),
    Index { node: NodeId, size: usize },
}

impl Faults {
    /// `begin`: the first word of the page of intermediate values that is free.
    pub fn new(begin: usize) -> Self {
        Faults { begin, all: Vec::new() }
    }

    fn add(&mut self, kind: Kind) -> usize {
        self.all.push(kind);
        self.begin + 2 * (self.all.len() - 1)
    }

    pub fn check(&mut self, check: CheckId) -> usize {
        self.add(Kind::Check(check))
    }

    pub fn index(&mut self, node: NodeId, size: usize) -> usize {
        self.add(Kind::Index { node, size })
    }

    pub fn begin(&self) -> usize {
        self.begin
    }

    pub fn words(&self) -> usize {
        2 * self.all.len()
    }

    /// The first fault of the plan that was noted.
    pub fn found(&self, words: &[u32]) -> Option<Fault> {
        let noted = self.all.iter().zip(words.chunks_exact(2)).find(|(_, words)| words[0] != 0);
        noted.map(|(kind, words)| match kind {
            Kind::Check(check) => Fault::Check(*check),
            Kind::Index { node, size } => {
                Fault::IndexOutOfRange { node: *node, index: i64::from(words[1] as i32), size: *size }
            }
        })
    }
}
