//! What a run keeps in its store: finished trials, which are not computed again, and the record of the run itself.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};

use super::identity::Places;
use super::kept_outcome;
use super::resume::{Cadence, Checkpoints, Trouble};
use super::trial::{Outcome, Stopped};
use crate::store::{Claim, Condition, RunFolder, RunRecord, RunStore, TrialCondition, Unreadable, now};

/// The store of a run, and what became of its trials.
pub struct Keeper {
    store: RunStore,
    /// Nothing that was kept before is used.
    fresh: bool,
    cadence: Cadence,
    run: Mutex<Option<(RunFolder, RunRecord)>>,
    troubles: Mutex<Vec<Trouble>>,
    kept: AtomicUsize,
    failed: AtomicUsize,
}

/// Where a trial is computed elsewhere, this long until it is looked at again.
const PATIENCE: Duration = Duration::from_millis(100);

impl Keeper {
    pub fn new(store: RunStore, fresh: bool, cadence: Cadence) -> Self {
        Keeper {
            store,
            fresh,
            cadence,
            run: Mutex::default(),
            troubles: Mutex::default(),
            kept: AtomicUsize::new(0),
            failed: AtomicUsize::new(0),
        }
    }

    /// How many trials were there already.
    pub fn kept(&self) -> usize {
        self.kept.load(Ordering::Relaxed)
    }

    pub fn failed(&self) -> usize {
        self.failed.load(Ordering::Relaxed)
    }

    /// How many trials the run has.
    pub fn trials_of_run(&self) -> usize {
        let run = self.run.lock();
        run.ok().and_then(|run| run.as_ref().map(|(_, record)| record.trials.len())).unwrap_or(0)
    }

    /// What went wrong without ending anything, each once.
    pub fn troubles(&self) -> Vec<Trouble> {
        let mut all = self.troubles.lock().map(|all| all.clone()).unwrap_or_default();
        all.sort();
        all.dedup();
        all
    }

    fn trouble(&self, trouble: Trouble) {
        if let Ok(mut all) = self.troubles.lock() {
            all.push(trouble);
        }
    }

    /// The data are read and the trials known: the run has its folder now.
    pub fn begin(&self, mut record: RunRecord, source: &str) {
        record.started = now();
        match RunFolder::begin(&self.store, &record, source) {
            Ok(folder) => {
                let _ = folder.log("started", json!({ "trials": record.trials.len() }));
                if let Ok(mut run) = self.run.lock() {
                    *run = Some((folder, record));
                }
            }
            Err(error) => self.trouble(Trouble::NotKept(format!("the run cannot be recorded: {error}"))),
        }
    }

    /// Every trial's outcome, from the store or by computing it. `each` applies a function to groups of the numbers of trials, in
    /// parallel or not.
    pub fn trials(
        &self,
        work: &impl Work,
        each: impl Fn(&[usize], &(dyn Fn(&[usize]) -> Vec<Attempt> + Sync)) -> Vec<Attempt>,
    ) -> Vec<Computed> {
        let mut done: Vec<Attempt> = work.identities().iter().map(|_| None).collect();
        loop {
            let open: Vec<usize> = (0..done.len()).filter(|number| done[*number].is_none()).collect();
            if open.is_empty() {
                return done.into_iter().flatten().collect();
            }
            let attempts = each(&open, &|numbers| {
                work.compute(numbers, &Kept { keeper: self, work, claims: Mutex::default() })
            });
            // Others compute what is still open. Nobody waits for a lock while holding one, so this ends.
            if attempts.iter().all(Option::is_none) {
                std::thread::sleep(PATIENCE);
            }
            for (number, attempt) in open.into_iter().zip(attempts) {
                done[number] = attempt;
            }
        }
    }

    fn known(&self, number: usize, identity: &str, work: &impl Work) -> Option<Computed> {
        let outcome = self.find(number, identity, work)?;
        // Whoever kept it may have ended before its checkpoints were deleted.
        let _ = self.store.forget_checkpoints(identity);
        Some(Ok(outcome))
    }

    fn computed(&self, number: usize, outcome: &Computed, checkpoints: &mut Checkpoints, work: &impl Work) {
        let identity = &work.identities()[number];
        for (block, steps) in checkpoints.resumed() {
            self.log("resumed", json!({ "block": block, "steps": steps }), number);
        }
        checkpoints.take_troubles().into_iter().for_each(|trouble| self.trouble(trouble));
        match outcome {
            Ok(outcome) => {
                self.keep(identity, outcome, &work.places(number));
                self.note(number, TrialCondition::Computed);
            }
            Err(Stopped::Wrong(problems) | Stopped::Failed(problems)) => {
                self.failed.fetch_add(1, Ordering::Relaxed);
                let _ = self.store.forget_checkpoints(identity);
                self.log(
                    "failed",
                    json!({ "why": problems.first().map(|problem| &problem.message) }),
                    number,
                );
                self.note(number, TrialCondition::Failed);
            }
        }
    }

    fn find(&self, number: usize, identity: &str, work: &impl Work) -> Option<Outcome> {
        if self.fresh {
            return None;
        }
        let outcome = match self.store.trial(identity) {
            Ok(bundle) => kept_outcome::from_bundle(bundle, &work.places(number)),
            Err(Unreadable::Missing) => return None,
            Err(Unreadable::Damaged(why)) => {
                let what = format!("a kept trial is damaged ({why}); it is computed again");
                self.trouble(Trouble::Damaged(what));
                return None;
            }
        };
        match outcome {
            Some(outcome) => {
                self.kept.fetch_add(1, Ordering::Relaxed);
                self.note(number, TrialCondition::Kept);
                work.found(number, &outcome);
                Some(outcome)
            }
            None => {
                let what = "a kept trial does not fit its program; it is computed again";
                self.trouble(Trouble::Damaged(what.to_owned()));
                None
            }
        }
    }

    fn keep(&self, identity: &str, outcome: &Outcome, places: &Places) {
        let Some(bundle) = kept_outcome::to_bundle(outcome, places) else {
            self.trouble(Trouble::NotKept("a trial cannot be kept: something in it has no place".to_owned()));
            return;
        };
        match self.store.keep_trial(identity, &bundle) {
            Ok(()) => {
                let _ = self.store.forget_checkpoints(identity);
            }
            Err(error) => self.trouble(Trouble::NotKept(format!("a trial cannot be kept: {error}"))),
        }
    }

    fn note(&self, number: usize, condition: TrialCondition) {
        if condition == TrialCondition::Computed {
            self.log("computed", json!({}), number);
        }
        if let Ok(mut run) = self.run.lock()
            && let Some(trial) = run.as_mut().and_then(|(_, record)| record.trials.get_mut(number))
        {
            trial.condition = condition;
        }
    }

    fn log(&self, event: &str, mut more: Value, number: usize) {
        let Ok(run) = self.run.lock() else { return };
        let Some((folder, record)) = run.as_ref() else { return };
        let trial = record.trials.get(number).map(|trial| &trial.trial);
        more["trial"] =
            json!(trial.into_iter().flatten().map(|(a, v)| format!("{a} = {v}")).collect::<Vec<_>>());
        let _ = folder.log(event, more);
    }

    /// The run has ended. `files` are its results: name and text. Tells where they are.
    pub fn end(
        &self,
        condition: Condition,
        claims: (usize, usize),
        files: &[(&str, &str)],
    ) -> std::io::Result<Option<std::path::PathBuf>> {
        let Ok(mut run) = self.run.lock() else { return Ok(None) };
        let Some((folder, record)) = run.as_mut() else { return Ok(None) };
        for (name, text) in files {
            folder.write(name, text)?;
        }
        record.condition = condition;
        record.claims = claims;
        record.ended = Some(now());
        folder.record(record)?;
        folder.log(condition.name(), json!({ "kept": self.kept(), "failed": self.failed() }))?;
        Ok(Some(folder.path().to_path_buf()))
    }
}

/// The trials of an experiment.
pub trait Work: Sync {
    fn identities(&self) -> &[String];
    fn places(&self, number: usize) -> Arc<Places>;
    /// The outcome of a trial was there already.
    fn found(&self, number: usize, outcome: &Outcome);
    /// Trials that differ in no arm and no number. Each is taken from the desk when it begins.
    fn compute(&self, numbers: &[usize], desk: &dyn Desk) -> Vec<Attempt>;
}

/// What a trial found, or why it did not.
pub type Computed = Result<Outcome, Stopped>;

/// None: another process, or another trial of the same identity, computes it.
pub type Attempt = Option<Computed>;

/// Gives out trials, and is told what became of them.
pub trait Desk: Sync {
    fn take(&self, number: usize) -> Begin;
    fn ended(&self, number: usize, outcome: &Computed, checkpoints: &mut Checkpoints);
}

/// How a trial begins.
pub enum Begin {
    /// Not at all: it is known how it ended, or it is computed elsewhere.
    Known(Attempt),
    Ours(Checkpoints),
}

/// Where nothing is kept.
pub struct NothingKept;

impl Desk for NothingKept {
    fn take(&self, _: usize) -> Begin {
        Begin::Ours(Checkpoints::default())
    }

    fn ended(&self, _: usize, _: &Computed, _: &mut Checkpoints) {}
}

/// Trials of a store; what was taken is claimed until it has ended.
struct Kept<'a, W> {
    keeper: &'a Keeper,
    work: &'a W,
    claims: Mutex<HashMap<usize, Claim>>,
}

impl<W: Work> Desk for Kept<'_, W> {
    fn take(&self, number: usize) -> Begin {
        let Kept { keeper, work, .. } = self;
        let identity = &work.identities()[number];
        if let Some(known) = keeper.known(number, identity, *work) {
            return Begin::Known(Some(known));
        }
        let claim = keeper.store.claim(identity);
        let Claim::Ours(_) = claim else { return Begin::Known(None) };
        // It may have been finished between the two looks.
        if let Some(known) = keeper.known(number, identity, *work) {
            return Begin::Known(Some(known));
        }
        if let Ok(mut claims) = self.claims.lock() {
            claims.insert(number, claim);
        }
        Begin::Ours(Checkpoints::new(keeper.store.checkpoints(identity), keeper.cadence, keeper.fresh))
    }

    fn ended(&self, number: usize, outcome: &Computed, checkpoints: &mut Checkpoints) {
        self.keeper.computed(number, outcome, checkpoints, self.work);
        if let Ok(mut claims) = self.claims.lock() {
            claims.remove(&number);
        }
    }
}
