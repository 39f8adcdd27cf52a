//! The training loop: batches in (`feed.rs`), steps run, terms recorded; what the block looks at is in `moments.rs`, how it goes on after
//! an interruption in `resume.rs`.

use super::engine::{Compiled, Engine, set_scalar};
use super::feed::{Feed, feeds};
use super::moments::{History, Watcher};
use super::resume::{BlockState, Checkpoints, Parts};
use super::shared::SharedBlocks;
use super::terms::{TermHistory, TermWatcher};
use super::trial::Stopped;
use crate::graph::elaborate::{Length, Recorded, StepProgram};
use crate::graph::{Slot, Store, Tensor};
use crate::source::Span;

/// The course of one term over a training block.
#[derive(Clone, Debug, PartialEq)]
pub struct Course {
    pub term: String,
    /// The training block, from 1.
    pub block: usize,
    /// The mean over each tenth of the steps.
    pub means: Vec<f64>,
}

/// A term that was not finite.
#[derive(Clone, Debug)]
pub struct NotFinite {
    pub term: String,
    pub step: usize,
    pub span: Span,
}

/// What a block leaves behind besides parameters.
pub struct Trained {
    pub courses: Vec<Course>,
    pub histories: Vec<History>,
    /// Of the terms of combined objectives.
    pub terms: Vec<TermHistory>,
    /// Why the block ended early.
    pub stop: Option<NotFinite>,
}

/// A course is followed over the tenths of a block.
pub const STRETCHES: usize = 10;

/// Which block it is.
#[derive(Clone, Copy)]
pub struct TrainBlock {
    pub span: Span,
    /// The address of its order of rows.
    pub key: [u32; 2],
    /// Among the train blocks that the trial executes, from 1.
    pub number: u32,
    /// The number of the trial.
    pub trial: usize,
}

/// A block that is about to begin, or to go on.
pub struct Begun {
    pub training: Training,
    /// The slots that it writes.
    pub written: Vec<Slot>,
    pub from: From,
}

/// Where a block begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum From {
    Start,
    /// After some of its steps, which were done before.
    Within,
    /// It is known how it ended.
    End,
}

/// Runs all steps of a block, or those that are left of it; none where it is known how another trial ended it. Stops at the
/// first term that is not finite.
pub fn train(
    step: StepProgram,
    block: TrainBlock,
    engine: &Engine,
    store: &mut Store,
    checkpoints: &mut Checkpoints,
    shared: &SharedBlocks,
    progress: impl Fn(usize, usize),
) -> Result<Trained, Stopped> {
    let begun = begin(step, block, engine, store, checkpoints, shared)?;
    complete(begun, block, store, checkpoints, shared, progress)
}

/// Prepares a block, and restores what is known of it.
pub fn begin(
    step: StepProgram,
    block: TrainBlock,
    engine: &Engine,
    store: &mut Store,
    checkpoints: &mut Checkpoints,
    shared: &SharedBlocks,
) -> Result<Begun, Stopped> {
    let written = written(&step);
    let mut training = Training::new(step, block.span, block.key, engine, store, None)?;
    if let Some(state) = shared.state(block.trial, block.span)
        && training.restore((*state).clone(), &written, store)
    {
        checkpoints.block_ended(block.number, || (*state).clone());
        return Ok(Begun { training, written, from: From::End });
    }
    let mut from = From::Start;
    if let Some(left) = checkpoints.state(block.number) {
        let (steps, ended) = (left.steps, left.ended);
        match training.restore(left, &written, store) {
            true => {
                checkpoints.note_resumed(block.number, steps);
                training.saved = steps;
                from = if ended { From::End } else { From::Within };
            }
            false => checkpoints.refuse(),
        }
    }
    Ok(Begun { training, written, from })
}

/// The steps that are left.
pub fn complete(
    begun: Begun,
    block: TrainBlock,
    store: &mut Store,
    checkpoints: &mut Checkpoints,
    shared: &SharedBlocks,
    progress: impl Fn(usize, usize),
) -> Result<Trained, Stopped> {
    let Begun { mut training, written, from } = begun;
    if from == From::End {
        progress(training.steps, training.steps);
        return training.finish(store);
    }
    loop {
        training.write_if_due(block.number, &written, store, checkpoints)?;
        match training.step(store)? {
            Some(done) if done % 16 == 0 => progress(done, training.steps),
            Some(_) => {}
            None => break,
        }
    }
    if training.stop.is_none() {
        progress(training.steps, training.steps);
    }
    if training.settle(store)? {
        checkpoints.block_ended(block.number, || training.state(true, &written, store));
        shared.ended(block.trial, block.span, || training.state(true, &written, store));
    }
    training.finish(store)
}

/// The slots that a block writes, in their order: what its programs put out, and what the loop sets.
fn written(step: &StepProgram) -> Vec<Slot> {
    let every = step.every.iter().map(|every| &every.program);
    let combined = step.combined.iter().map(|combined| &combined.program);
    let programs = [&step.program, &step.initialise, &step.sampling].into_iter().chain(every).chain(combined);
    let fed = step.batches.iter().filter_map(|batch| batch.slot);
    let mut slots: Vec<Slot> =
        programs.flat_map(|program| program.outputs.iter().map(|out| out.slot)).collect();
    slots.extend(fed.chain([step.step, step.epoch, step.progress]));
    slots.sort();
    slots.dedup();
    slots
}

/// A block on its way. Nothing is done in a step but what the block says.
pub struct Training {
    program: Compiled,
    feeds: Vec<Feed>,
    per_epoch: usize,
    pub steps: usize,
    /// Steps done.
    done: usize,
    /// Steps done when the state was last written.
    saved: usize,
    /// Where the number of the step, of the epoch and the progress are told.
    moments: [Slot; 3],
    watcher: Watcher,
    combined: TermWatcher,
    terms: Terms,
    stop: Option<NotFinite>,
}

impl Training {
    /// Ready for the first step. `steps`: in place of the length that the block has.
    pub fn new(
        step: StepProgram,
        span: Span,
        key: [u32; 2],
        engine: &Engine,
        store: &mut Store,
        steps: Option<usize>,
    ) -> Result<Self, Stopped> {
        engine.once(step.initialise, span, store).map_err(Stopped::Failed)?;
        if !step.sampling.outputs.is_empty() {
            engine.once(step.sampling, span, store).map_err(Stopped::Failed)?;
        }
        let feeds = feeds(&step.batches, key, store, span)?;
        let per_epoch = feeds.iter().map(|feed| feed.steps_per_epoch()).min().unwrap_or(1).max(1);
        let length = match step.length {
            Length::Epochs(epochs) => epochs * per_epoch,
            Length::Steps(steps) => steps,
        };
        let steps = steps.unwrap_or(length);
        let steps = engine.most_steps.map_or(steps, |most| steps.min(most));
        let mut program = engine.compile(step.program, span, store)?;
        let moments = [step.step, step.epoch, step.progress];
        let fed: Vec<Slot> = feeds.iter().filter_map(|feed| feed.slot).chain(moments).collect();
        program.feed(&fed);
        let kept = step.parameters.iter().chain(&step.states).map(|stored| stored.slot).collect();
        let watcher = Watcher::new(step.every, step.records, step.stops, step.keep, kept, engine, store)?;
        let combined = TermWatcher::new(step.combined, steps, engine, store)?;
        let slots: Vec<Slot> = step.terms.iter().map(|term| term.slot).collect();
        program.follow(&slots);
        let terms = Terms::new(step.terms, step.of_first);
        Ok(Training {
            program,
            feeds,
            per_epoch,
            steps,
            done: 0,
            saved: 0,
            moments,
            watcher,
            combined,
            terms,
            stop: None,
        })
    }

    /// One step; the number of steps done, or none if it was not to be done any more.
    pub fn step(&mut self, store: &mut Store) -> Result<Option<usize>, Stopped> {
        match self.begin_step(store)? {
            true => self.do_step(store),
            false => Ok(None),
        }
    }

    /// What [`begin_step`](Self::begin_step) has begun.
    pub fn do_step(&mut self, store: &mut Store) -> Result<Option<usize>, Stopped> {
        let number = self.done;
        self.program.run(store).map_err(Stopped::Failed)?;
        self.watcher.step_done(store);
        self.program.seen(store, number + 1 == self.steps, &mut self.terms.rows).map_err(Stopped::Failed)?;
        self.stop = self.terms.add(self.steps);
        self.done += 1;
        Ok(self.stop.is_none().then_some(self.done))
    }

    /// What comes before a step; whether the step is to be done.
    pub fn begin_step(&mut self, store: &mut Store) -> Result<bool, Stopped> {
        let (number, steps) = (self.done, self.steps);
        if self.stop.is_some() {
            return Ok(false);
        }
        for (slot, value) in self.moments() {
            set_scalar(store, slot, value);
        }
        // Before the first step its batch can be seen already; later, that of the step just done.
        if number == 0 && steps > 0 {
            self.feeds.iter_mut().for_each(|feed| feed.fill(number, store));
        }
        let last = number >= steps;
        if self.watcher.look(number, self.per_epoch, last, store)? || last {
            return Ok(false);
        }
        if number > 0 {
            self.feeds.iter_mut().for_each(|feed| feed.fill(number, store));
        }
        self.combined.before_step(number, store)?;
        Ok(true)
    }

    /// The number of the step, of the epoch and the progress, and where they are told.
    pub fn moments(&self) -> [(Slot, f64); 3] {
        let (number, steps) = (self.done as f64, self.steps.max(1) as f64);
        let values = [number, (self.done / self.per_epoch) as f64, number / steps];
        std::array::from_fn(|at| (self.moments[at], values[at]))
    }

    /// Whether nothing looks at the trial after every step.
    pub fn can_be_stacked(&self) -> bool {
        !self.watcher.follows_steps()
    }

    /// Steps done, steps, and steps of an epoch.
    pub fn length(&self) -> [usize; 3] {
        [self.done, self.steps, self.per_epoch]
    }

    /// Whether something looks at the trial before the next step.
    pub fn is_due(&self) -> bool {
        self.watcher.is_due(self.done, self.per_epoch) || self.combined.is_due(self.done)
    }

    /// Slots to which the rows of a step go.
    pub fn fed(&self) -> Vec<Slot> {
        self.feeds.iter().filter_map(|feed| feed.slot).collect()
    }

    /// The rows of the next step, as those of trial `at` of several.
    pub fn feed_part(&mut self, at: usize, store: &mut Store) {
        for feed in &mut self.feeds {
            feed.fill_part(self.done, at, store);
        }
    }

    /// The step was done with others, this trial being number `at` of them. Whether it goes on.
    pub fn end_step(&mut self, at: usize, store: &Store) -> bool {
        let terms = &mut self.terms;
        terms.rows.extend(terms.terms.iter().map(|term| element(store.get(term.slot), at)));
        self.stop = terms.add(self.steps);
        self.done += 1;
        self.stop.is_none()
    }

    /// Steps since the state was last written.
    pub fn since_saved(&self) -> usize {
        self.done - self.saved
    }

    /// Writes the state of a block that goes on, if that is due.
    pub fn write_if_due(
        &mut self,
        block: u32,
        written: &[Slot],
        store: &Store,
        checkpoints: &mut Checkpoints,
    ) -> Result<(), Stopped> {
        if checkpoints.is_due(self.since_saved()) && self.settle(store)? {
            checkpoints.write(block, self.state(false, written, store));
            self.saved = self.done;
        }
        Ok(())
    }

    /// Waits until all steps are computed and told of: a device may be behind. Whether all terms were finite.
    pub fn settle(&mut self, store: &Store) -> Result<bool, Stopped> {
        if self.stop.is_none() {
            self.program.seen(store, true, &mut self.terms.rows).map_err(Stopped::Failed)?;
            self.stop = self.terms.add(self.steps);
        }
        Ok(self.stop.is_none())
    }

    /// Whether no step is left.
    pub fn ended(&self) -> bool {
        self.done >= self.steps || self.stop.is_some()
    }

    /// The loss in the last step that was told of, which is the sum of the terms of the first objective; none before it, or
    /// without an objective.
    pub fn loss(&self) -> Option<f64> {
        self.terms.latest
    }

    /// All that the steps so far have changed: the slots that are written, and what was seen. Every step was told of.
    fn state(&self, ended: bool, written: &[Slot], store: &Store) -> BlockState {
        let mut parts = Parts::default();
        parts.put_slots("slot", written, store);
        self.watcher.save(&mut parts);
        self.combined.save(&mut parts);
        self.terms.save(&mut parts);
        BlockState { steps: self.done, ended, arrays: parts.arrays }
    }

    /// Whether the state was one of this block; if not, nothing has changed.
    fn restore(&mut self, state: BlockState, written: &[Slot], store: &mut Store) -> bool {
        if state.steps > self.steps {
            return false;
        }
        let before = self.state(false, written, store);
        let restored = self.put_back(state, written, store);
        if !restored {
            self.put_back(before, written, store);
        }
        restored
    }

    fn put_back(&mut self, state: BlockState, written: &[Slot], store: &mut Store) -> bool {
        let mut parts = Parts { arrays: state.arrays };
        self.done = state.steps;
        parts.take_slots("slot", written, store)
            && self.watcher.restore(&mut parts)
            && self.combined.restore(&mut parts)
            && self.terms.restore(&mut parts)
            && parts.arrays.is_empty()
    }

    pub fn finish(mut self, store: &mut Store) -> Result<Trained, Stopped> {
        self.settle(store)?;
        let courses = self.terms.courses();
        let histories = self.watcher.finish(self.steps, self.per_epoch, store);
        Ok(Trained { courses, histories, terms: self.combined.finish(), stop: self.stop })
    }
}

/// The terms of the objectives over the steps so far. A device tells of several steps at a time.
struct Terms {
    terms: Vec<Recorded>,
    sums: Vec<[f64; STRETCHES]>,
    counts: [usize; STRETCHES],
    step: usize,
    of_first: usize,
    /// The sum of those of the first objective, in the last step.
    latest: Option<f64>,
    /// Their values after steps that were not added yet.
    rows: Vec<f64>,
}

impl Terms {
    fn new(terms: Vec<Recorded>, of_first: usize) -> Self {
        let sums = vec![[0.0; STRETCHES]; terms.len()];
        let counts = [0; STRETCHES];
        Terms { sums, terms, counts, step: 0, of_first, latest: None, rows: Vec::new() }
    }

    fn save(&self, parts: &mut Parts) {
        parts.put("terms.sums".to_owned(), self.sums.concat());
        parts.put("terms.counts".to_owned(), self.counts.map(|count| count as f64).to_vec());
        parts.put("terms.step".to_owned(), vec![self.step as f64]);
    }

    fn restore(&mut self, parts: &mut Parts) -> bool {
        let (sums, counts) = (parts.take("terms.sums"), parts.take("terms.counts"));
        let (Some(sums), Some(counts), Some(step)) = (sums, counts, parts.take("terms.step")) else {
            return false;
        };
        if sums.len() != self.sums.len() * STRETCHES || counts.len() != STRETCHES || step.len() != 1 {
            return false;
        }
        for (own, sums) in self.sums.iter_mut().zip(sums.chunks(STRETCHES)) {
            own.copy_from_slice(sums);
        }
        for (own, count) in self.counts.iter_mut().zip(counts) {
            *own = count as usize;
        }
        self.step = step[0] as usize;
        true
    }

    /// Adds their values after further steps of `steps`; the first that is not finite.
    fn add(&mut self, steps: usize) -> Option<NotFinite> {
        for row in self.rows.chunks_exact(self.terms.len().max(1)) {
            let stretch = self.step * STRETCHES / steps;
            self.counts[stretch] += 1;
            self.latest = (self.of_first > 0).then(|| row.iter().take(self.of_first).sum());
            for ((term, value), sum) in self.terms.iter().zip(row).zip(&mut self.sums) {
                sum[stretch] += value;
                if !value.is_finite() {
                    return Some(NotFinite { term: term.name.clone(), step: self.step, span: term.span });
                }
            }
            self.step += 1;
        }
        self.rows.clear();
        None
    }

    fn courses(self) -> Vec<Course> {
        let counts = self.counts;
        let means = |sums: [f64; STRETCHES]| {
            sums.iter().zip(counts).filter(|(_, n)| *n > 0).map(|(sum, n)| sum / n as f64).collect()
        };
        let courses = self.terms.into_iter().zip(self.sums);
        courses.map(|(term, sums)| Course { term: term.name, block: 0, means: means(sums) }).collect()
    }
}

fn element(tensor: &Tensor, at: usize) -> f64 {
    match tensor {
        Tensor::F32(v) => v.get(at).map_or(f64::NAN, |x| f64::from(*x)),
        Tensor::F64(v) => v.get(at).copied().unwrap_or(f64::NAN),
        Tensor::Index(v) => v.get(at).map_or(f64::NAN, |x| f64::from(*x)),
        Tensor::Bool(v) => v.get(at).map_or(f64::NAN, |x| f64::from(*x)),
    }
}
