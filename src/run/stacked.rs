//! Train blocks of several trials as one program: the same steps, side by side.
//!
//! In: trials that are about to begin the same block, each with its own store. Out: the steps that they can do together; each trial then
//! goes on alone, with the bits that it would have had alone. What looks at a trial between steps sees its own store.

use super::engine::{Compiled, Engine, set_scalar};
use super::resume::Checkpoints;
use super::training::{Begun, TrainBlock};
use super::trial::Stopped;
use crate::diagnostic::Diagnostic;
use crate::graph::{Program, Slot, Store, Tensor};
use crate::plan::Stack;

/// A trial in a block.
pub struct Member<'m> {
    /// Which of the programs of the block is its own.
    pub program: usize,
    pub begun: Begun,
    pub block: TrainBlock,
    pub store: &'m mut Store,
    pub checkpoints: &'m mut Checkpoints,
}

/// The program of all members, and the arrays that it reads and writes.
pub struct Stacked {
    program: Compiled,
    store: Store,
    /// Slots that are read and have a part for each trial.
    read: Vec<Slot>,
    /// Slots whose parts go back to the trials: what is written, and the rows of the last step.
    back: Vec<Slot>,
    trials: usize,
}

/// What ended the steps together.
#[derive(Debug, PartialEq)]
pub enum Ended {
    /// All steps are done, or a trial does not go on. All members can go on alone.
    Apart,
    /// Something failed, and it is not known in which trial: all have to begin again.
    Failed,
}

impl Stacked {
    /// None where the programs cannot be stacked, or where it does not pay.
    pub fn new(
        programs: &[Program],
        engine: &Engine,
        members: &[Member],
    ) -> Result<Option<Stacked>, Vec<Diagnostic>> {
        let Some((first, others)) = members.split_first() else { return Ok(None) };
        let program = &programs[first.program];
        let fed = first.begun.training.fed();
        let is_alike =
            |other: &Member| other.store.len() == first.store.len() && other.begun.training.fed() == fed;
        let length = |member: &Member| member.begun.training.length();
        if others.is_empty()
            || members.iter().any(|member| !member.begun.training.can_be_stacked())
            || others.iter().any(|member| length(member) != length(first) || !is_alike(member))
        {
            return Ok(None);
        }
        let written: Vec<Slot> = program.outputs.iter().map(|output| output.slot).collect();
        let moments = first.begun.training.moments().map(|(slot, _)| slot);
        let mut inputs: Vec<Slot> = program.inputs.iter().map(|input| input.slot).collect();
        inputs.sort_unstable();
        inputs.dedup();
        // Rows that the step does not read have no place here.
        if fed.iter().any(|slot| inputs.binary_search(slot).is_err()) {
            return Ok(None);
        }
        let is_shared = |slot: Slot| {
            let is_apart = written.contains(&slot) || fed.contains(&slot);
            let is_same = || others.iter().all(|other| first.store.is_same(other.store, slot));
            !is_apart && (moments.contains(&slot) || is_same())
        };
        let mut store = Store::default();
        let mut read = Vec::new();
        for number in 0..first.store.len() as u32 {
            let slot = Slot(number);
            let added = store.add(first.store.get(slot).none_of());
            debug_assert_eq!(added, slot);
            if inputs.binary_search(&slot).is_err() {
                continue;
            }
            if is_shared(slot) {
                store.share(first.store, slot);
                continue;
            }
            let parts: Vec<&Tensor> = members.iter().map(|member| member.store.get(slot)).collect();
            let Some(joined) =
                Tensor::joined(&parts).filter(|all| all.len() == members.len() * parts[0].len())
            else {
                return Ok(None);
            };
            *store.get_mut(slot) = joined;
            read.push(slot);
        }
        let mut back: Vec<Slot> = written.iter().chain(&fed).copied().collect();
        back.sort_unstable();
        back.dedup();
        let mut used: Vec<usize> = members.iter().map(|member| member.program).collect();
        used.dedup();
        let own: Option<Vec<usize>> =
            members.iter().map(|member| used.iter().position(|program| *program == member.program)).collect();
        let Some(own) = own else { return Ok(None) };
        let used: Vec<&Program> = used.into_iter().map(|program| &programs[program]).collect();
        let stack = Stack { programs: &own, is_shared: &is_shared };
        let compiled = engine.compile_stacked(&used, first.block.span, stack, &store)?;
        if compiled.is_some() {
            engine.note_together(members.len());
        }
        Ok(compiled.map(|program| Stacked { program, store, read, back, trials: members.len() }))
    }

    /// As many steps as all members can do side by side. `progress`: of each.
    pub fn run(self, members: &mut [Member], progress: &dyn Fn(TrainBlock, usize, usize)) -> Ended {
        self.steps(members, progress).unwrap_or(Ended::Failed)
    }

    fn steps(
        mut self,
        members: &mut [Member],
        progress: &dyn Fn(TrainBlock, usize, usize),
    ) -> Result<Ended, Stopped> {
        loop {
            let Some(first) = members.first() else { return Ok(Ended::Apart) };
            let [number, steps, _] = first.begun.training.length();
            if number >= steps {
                break;
            }
            // Most steps change nothing that a trial looks at.
            let looks = number == 0 || members.iter().any(Member::looks);
            if looks {
                self.unstack(members);
                let mut go_on = Vec::with_capacity(members.len());
                for member in members.iter_mut() {
                    member.write_checkpoint()?;
                    go_on.push(member.begun.training.begin_step(member.store)?);
                }
                if go_on.contains(&false) {
                    for (member, _) in members.iter_mut().zip(go_on).filter(|(_, goes_on)| *goes_on) {
                        member.begun.training.do_step(member.store)?;
                    }
                    return Ok(Ended::Apart);
                }
                self.restack(members);
            } else {
                for (at, member) in members.iter_mut().enumerate() {
                    member.begun.training.feed_part(at, &mut self.store);
                }
            }
            for (slot, value) in members[0].begun.training.moments() {
                set_scalar(&mut self.store, slot, value);
            }
            if self.program.run(&mut self.store).is_err() {
                return Ok(Ended::Failed);
            }
            let mut all_go_on = true;
            for (at, member) in members.iter_mut().enumerate() {
                all_go_on &= member.begun.training.end_step(at, &self.store);
                if (number + 1).is_multiple_of(16) {
                    progress(member.block, number + 1, steps);
                }
            }
            if !all_go_on {
                break;
            }
        }
        self.unstack(members);
        Ok(Ended::Apart)
    }

    /// Each trial's parts go to its own store.
    fn unstack(&self, members: &mut [Member]) {
        for slot in &self.back {
            let all = self.store.get(*slot);
            let length = all.len() / self.trials;
            // Before the first step nothing was written to what is not read.
            if length == 0 {
                continue;
            }
            for (at, member) in members.iter_mut().enumerate() {
                *member.store.get_mut(*slot) = all.part(at * length..(at + 1) * length);
            }
        }
    }

    fn restack(&mut self, members: &[Member]) {
        for slot in &self.read {
            let all = self.store.get_mut(*slot);
            for (at, member) in members.iter().enumerate() {
                let part = member.store.get(*slot);
                let is_put = all.put(at * part.len(), part);
                debug_assert!(is_put);
            }
        }
    }
}

impl Member<'_> {
    /// Whether something looks at the trial's own store before the next step.
    fn looks(&self) -> bool {
        let training = &self.begun.training;
        training.is_due() || self.checkpoints.is_due(training.since_saved())
    }

    fn write_checkpoint(&mut self) -> Result<(), Stopped> {
        let Begun { training, written, .. } = &mut self.begun;
        training.write_if_due(self.block.number, written, self.store, self.checkpoints)
    }
}
