//! The training loop: batches in, steps run, terms recorded; what the block looks at is in `moments.rs`, how it goes on after
//! an interruption in `resume.rs`.

use super::engine::{Compiled, Engine, read_f64, set_scalar};
use super::moments::{History, Watcher};
use super::resume::{BlockState, Checkpoints, Parts};
use super::shared::SharedBlocks;
use super::terms::{TermHistory, TermWatcher};
use super::trial::Stopped;
use crate::data::{Batches, Sampler};
use crate::diagnostic::Diagnostic;
use crate::graph::elaborate::{BatchInput, Length, Recorded, SamplerKind, StepProgram};
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
    let written = written(&step);
    let mut training = Training::new(step, block.span, block.key, engine, store, None)?;
    if let Some(state) = shared.state(block.trial, block.span)
        && training.restore((*state).clone(), &written, store)
    {
        progress(training.steps, training.steps);
        checkpoints.block_ended(block.number, || (*state).clone());
        return training.finish(store);
    }
    let (mut saved, mut ended) = (0, false);
    if let Some(left) = checkpoints.state(block.number) {
        let (steps, has_ended) = (left.steps, left.ended);
        match training.restore(left, &written, store) {
            true => {
                checkpoints.note_resumed(block.number, steps);
                (saved, ended) = (steps, has_ended);
            }
            false => checkpoints.refuse(),
        }
    }
    if ended {
        progress(training.steps, training.steps);
        return training.finish(store);
    }
    loop {
        if checkpoints.is_due(training.done - saved) && training.settle(store)? {
            checkpoints.write(block.number, training.state(false, &written, store));
            saved = training.done;
        }
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
            moments,
            watcher,
            combined,
            terms,
            stop: None,
        })
    }

    /// One step; the number of steps done, or none if it was not to be done any more.
    pub fn step(&mut self, store: &mut Store) -> Result<Option<usize>, Stopped> {
        let (number, steps) = (self.done, self.steps);
        if self.stop.is_some() {
            return Ok(None);
        }
        set_scalar(store, self.moments[0], number as f64);
        set_scalar(store, self.moments[1], (number / self.per_epoch) as f64);
        set_scalar(store, self.moments[2], number as f64 / steps.max(1) as f64);
        // Before the first step its batch can be seen already; later, that of the step just done.
        if number == 0 && steps > 0 {
            self.feeds.iter_mut().for_each(|feed| feed.fill(number, store));
        }
        let last = number >= steps;
        if self.watcher.look(number, self.per_epoch, last, store)? || last {
            return Ok(None);
        }
        if number > 0 {
            self.feeds.iter_mut().for_each(|feed| feed.fill(number, store));
        }
        self.combined.before_step(number, store)?;
        self.program.run(store).map_err(Stopped::Failed)?;
        self.watcher.step_done(store);
        self.program.seen(store, number + 1 == steps, &mut self.terms.rows).map_err(Stopped::Failed)?;
        self.stop = self.terms.add(steps);
        self.done += 1;
        Ok(self.stop.is_none().then_some(self.done))
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

/// The rows of one data set in each step, and the slot that they go to.
struct Feed {
    source: Source,
    rows: usize,
    slot: Option<Slot>,
}

enum Source {
    /// Every row once an epoch, in random order.
    Batches(Batches),
    Sampled(Sampler),
}

impl Feed {
    fn fill(&mut self, step: usize, store: &mut Store) {
        let Some(slot) = self.slot else { return };
        if let Tensor::Index(rows) = store.get_mut(slot) {
            match &mut self.source {
                Source::Batches(batches) => batches.fill(step as u64, rows),
                Source::Sampled(sampler) => sampler.fill(step as u64, rows),
            }
        }
    }

    /// Of sampled rows, an epoch is as many steps as would visit every row once.
    fn steps_per_epoch(&self) -> usize {
        match &self.source {
            Source::Batches(batches) => batches.steps_per_epoch() as usize,
            Source::Sampled(sampler) => (self.rows / sampler.size()).max(1),
        }
    }
}

fn feeds(inputs: &[BatchInput], key: [u32; 2], store: &Store, span: Span) -> Result<Vec<Feed>, Stopped> {
    let mut feeds = Vec::new();
    for (number, input) in inputs.iter().enumerate() {
        let key = [key[0], key[1] ^ (number as u32) << 16];
        let source = source(input, key, store, span).map_err(|problem| Stopped::Wrong(vec![problem]))?;
        feeds.push(Feed { source, rows: input.rows, slot: input.slot });
    }
    Ok(feeds)
}

fn source(input: &BatchInput, key: [u32; 2], store: &Store, span: Span) -> Result<Source, Diagnostic> {
    if let Some(sampler) = &input.sampler {
        let values = read_f64(store, sampler.values);
        let categories = || values.iter().map(|value| *value as i32).collect::<Vec<i32>>();
        let (size, span) = (input.size, sampler.span);
        let sampler = match sampler.kind {
            SamplerKind::Balanced { each } => Sampler::balanced(&categories(), size, each, key, span),
            SamplerKind::Weights => Sampler::weighted(&values, size, key, span),
            SamplerKind::Pairs => Sampler::pairs(&categories(), size, key, span),
            SamplerKind::Ordered => Sampler::ordered(categories(), size, key, span),
        };
        return sampler.map(Source::Sampled);
    }
    let rows: Vec<u32> = (0..input.rows as u32).collect();
    Ok(Source::Batches(match input.slot {
        None => Batches::full(&rows),
        Some(_) => Batches::new(&rows, input.size, key, span)?,
    }))
}
