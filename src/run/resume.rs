//! Checkpoints of a trial: the state of its train blocks, so that a killed run goes on where it was.
//!
//! A trial is a function of its identity; what it does before and between its train blocks is done again. Of a block that
//! was finished, and of the one that was interrupted, the state is read: every slot that the block writes, and what was
//! recorded so far. What follows has the same bits as if nothing had happened.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::graph::{Slot, Store, Tensor};
use crate::store::{Bundle, Unreadable};

/// How often the state is written.
#[derive(Clone, Copy, Debug)]
pub struct Cadence {
    /// Whenever so much time has passed; none: never.
    pub every: Option<Duration>,
    /// After so many steps.
    pub steps: Option<usize>,
}

impl Default for Cadence {
    fn default() -> Self {
        Cadence { every: Some(Duration::from_secs(30)), steps: None }
    }
}

/// Writing takes at most this part of the time, however large the state.
const SHARE: u32 = 20;

/// The state of a train block after some steps.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct BlockState {
    /// Steps done.
    pub steps: usize,
    /// The block has ended.
    pub ended: bool,
    pub arrays: BTreeMap<String, Tensor>,
}

/// The checkpoints of one trial.
#[derive(Default)]
pub struct Checkpoints {
    /// None: nothing is kept.
    folder: Option<PathBuf>,
    cadence: Cadence,
    fresh: bool,
    /// When the last one was written, and how long writing took.
    last: Option<(Instant, Duration)>,
    /// Blocks that ended since then.
    ended: Vec<(u32, BlockState)>,
    /// Blocks that went on, and from which step.
    resumed: Vec<(u32, usize)>,
    /// What went wrong.
    troubles: Vec<Trouble>,
}

/// What went wrong with the store, and did not end the run.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Trouble {
    /// Something that was kept cannot be used.
    Damaged(String),
    /// Something cannot be kept.
    NotKept(String),
}

impl Checkpoints {
    /// `fresh`: what is there is not looked at.
    pub fn new(folder: PathBuf, cadence: Cadence, fresh: bool) -> Self {
        let last = Some((Instant::now(), Duration::ZERO));
        Checkpoints { folder: Some(folder), cadence, fresh, last, ..Checkpoints::default() }
    }

    /// The state in which a block was left; none if it was not begun, or is not known.
    pub fn state(&mut self, block: u32) -> Option<BlockState> {
        let folder = self.folder.as_ref().filter(|_| !self.fresh)?;
        for name in [format!("block-{block}"), "step".to_owned()] {
            match Bundle::read(folder, &name) {
                Ok(bundle) => {
                    let number = |key: &str| bundle.content[key].as_u64();
                    if number("block") == Some(u64::from(block))
                        && let Some(steps) = number("steps")
                    {
                        let ended = bundle.content["ended"].as_bool() == Some(true);
                        return Some(BlockState { steps: steps as usize, ended, arrays: bundle.arrays });
                    }
                }
                Err(Unreadable::Missing) => {}
                Err(Unreadable::Damaged(why)) => {
                    let what = format!("a checkpoint is damaged ({why}); its steps are done again");
                    self.troubles.push(Trouble::Damaged(what));
                }
            }
        }
        None
    }

    /// A block goes on after so many steps.
    pub fn note_resumed(&mut self, block: u32, steps: usize) {
        self.resumed.push((block, steps));
    }

    pub fn resumed(&self) -> &[(u32, usize)] {
        &self.resumed
    }

    /// A state did not fit its block.
    pub fn refuse(&mut self) {
        let what = "a checkpoint does not fit its program; its steps are done again";
        self.troubles.push(Trouble::Damaged(what.to_owned()));
    }

    /// Whether a checkpoint is due after a step. `since`: steps since the last one, or since the block began.
    pub fn is_due(&self, since: usize) -> bool {
        if self.folder.is_none() || since == 0 {
            return false;
        }
        if self.cadence.steps.is_some_and(|steps| since >= steps) {
            return true;
        }
        self.time_has_come()
    }

    fn time_has_come(&self) -> bool {
        let (Some(every), Some((last, took))) = (self.cadence.every, self.last) else { return false };
        last.elapsed() >= every.max(took * SHARE)
    }

    /// Writes the state of a block that goes on, and before it those of blocks that ended: it rests on them.
    pub fn write(&mut self, block: u32, state: BlockState) {
        let started = Instant::now();
        for (block, state) in std::mem::take(&mut self.ended) {
            self.put(&format!("block-{block}"), block, state);
        }
        self.put("step", block, state);
        self.last = Some((Instant::now(), started.elapsed()));
    }

    /// A block has ended. It is written with the next checkpoint, or now if that is due.
    pub fn block_ended(&mut self, block: u32, state: impl FnOnce() -> BlockState) {
        if self.folder.is_none() || (self.cadence.every.is_none() && self.cadence.steps.is_none()) {
            return;
        }
        self.ended.push((block, state()));
        if self.cadence.steps.is_some() || self.time_has_come() {
            let started = Instant::now();
            for (block, state) in std::mem::take(&mut self.ended) {
                self.put(&format!("block-{block}"), block, state);
            }
            self.last = Some((Instant::now(), started.elapsed()));
        }
    }

    fn put(&mut self, name: &str, block: u32, state: BlockState) {
        let Some(folder) = &self.folder else { return };
        let content = json!({ "block": block, "steps": state.steps, "ended": state.ended });
        if let Err(error) = (Bundle { content, arrays: state.arrays }).write(folder, name) {
            self.troubles.push(Trouble::NotKept(format!("a checkpoint cannot be written: {error}")));
            // The disk is full, or gone: it is not tried again at every step.
            self.folder = None;
        }
    }

    pub fn take_troubles(&mut self) -> Vec<Trouble> {
        std::mem::take(&mut self.troubles)
    }
}

/// Gathers the parts of a state, or gives them back.
#[derive(Default)]
pub struct Parts {
    pub arrays: BTreeMap<String, Tensor>,
}

impl Parts {
    pub fn put(&mut self, name: String, values: Vec<f64>) {
        self.arrays.insert(name, Tensor::F64(values));
    }

    /// The numbers of this name.
    pub fn take(&mut self, name: &str) -> Option<Vec<f64>> {
        match self.arrays.remove(name)? {
            Tensor::F64(values) => Some(values),
            _ => None,
        }
    }

    /// The arrays in slots, under a name and their numbers.
    pub fn put_slots(&mut self, name: &str, slots: &[Slot], store: &Store) {
        for (number, slot) in slots.iter().enumerate() {
            self.arrays.insert(format!("{name}.{number}"), store.get(*slot).clone());
        }
    }

    /// Gives the arrays back to the slots. Whether all of them are there, as large and of the same element as what they replace.
    pub fn take_slots(&mut self, name: &str, slots: &[Slot], store: &mut Store) -> bool {
        let named = |number: usize| format!("{name}.{number}");
        let fits = |(number, slot): (usize, &Slot)| {
            let (old, new) = (store.get(*slot), self.arrays.get(&named(number)));
            new.is_some_and(|new| {
                std::mem::discriminant(old) == std::mem::discriminant(new) && old.len() == new.len()
            })
        };
        if !slots.iter().enumerate().all(fits) {
            return false;
        }
        for (number, slot) in slots.iter().enumerate() {
            if let Some(array) = self.arrays.remove(&named(number)) {
                *store.get_mut(*slot) = array;
            }
        }
        true
    }
}
