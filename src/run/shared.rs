//! Train blocks that several trials share: they are trained once.
//!
//! In: the trials of a run and what identifies them. Out: for a block of a trial, the state in which the same block of another
//! trial ended. A block is the same where all that is executed up to its end is, what is mentioned there, the data and the
//! seed: pre-training that does not depend on the arm, before fine-tuning that does.
//!
//! Nobody waits for a block: two trials that come to it at one time both train it, to the same bits.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex};

use super::identity::Identifier;
use super::resume::BlockState;
use super::vary::Trial;
use crate::source::Span;

/// A trial and the beginning of one of its blocks.
type Place = (usize, u32);

/// Which blocks trials share, and how they ended.
#[derive(Default)]
pub struct SharedBlocks {
    keys: BTreeMap<Place, String>,
    blocks: Mutex<HashMap<String, Shared>>,
}

#[derive(Default)]
struct Shared {
    /// The trials that may still come to the block.
    waiting: BTreeSet<usize>,
    state: Option<Arc<BlockState>>,
}

impl SharedBlocks {
    /// `blocks`: the train blocks that every trial executes.
    pub fn new(identifier: &Identifier, trials: &[Trial], blocks: &[Span]) -> Self {
        let mut found = SharedBlocks::default();
        if trials.len() < 2 {
            return found;
        }
        let mut by_key: HashMap<String, Shared> = HashMap::new();
        for block in blocks {
            for (number, trial) in trials.iter().enumerate() {
                let key = identifier.identify_until(trial, *block);
                by_key.entry(key.clone()).or_default().waiting.insert(number);
                found.keys.insert((number, block.start), key);
            }
        }
        by_key.retain(|_, block| block.waiting.len() > 1);
        found.keys.retain(|_, key| by_key.contains_key(key));
        found.blocks = Mutex::new(by_key);
        found
    }

    /// Whether this block of both trials is the same.
    pub fn is_shared(&self, trial: usize, other: usize, block: Span) -> bool {
        let key = |trial| self.keys.get(&(trial, block.start));
        key(trial).is_some_and(|own| key(other) == Some(own))
    }

    /// How a block of a trial ended in another trial.
    pub fn state(&self, trial: usize, block: Span) -> Option<Arc<BlockState>> {
        let key = self.keys.get(&(trial, block.start))?;
        self.blocks.lock().ok()?.get(key)?.state.clone()
    }

    /// A block of a trial has ended. Its state is asked for only where another trial may need it.
    pub fn ended(&self, trial: usize, block: Span, state: impl FnOnce() -> BlockState) {
        let Some(key) = self.keys.get(&(trial, block.start)) else { return };
        let Ok(mut blocks) = self.blocks.lock() else { return };
        if let Some(shared) = blocks.get_mut(key)
            && shared.state.is_none()
            && shared.waiting.iter().any(|other| *other != trial)
        {
            shared.state = Some(Arc::new(state()));
        }
    }

    /// A trial is done, or is not computed at all. States that nobody waits for are let go.
    pub fn leave(&self, trial: usize) {
        let Ok(mut blocks) = self.blocks.lock() else { return };
        for (_, key) in self.keys.range((trial, 0)..=(trial, u32::MAX)) {
            if let Some(shared) = blocks.get_mut(key) {
                shared.waiting.remove(&trial);
                if shared.waiting.is_empty() {
                    blocks.remove(key);
                }
            }
        }
    }
}
