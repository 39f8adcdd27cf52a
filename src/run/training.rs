//! The training loop: batches in, steps run, terms recorded; what the block looks at is in `checkpoint.rs`.

use super::checkpoint::{History, Watcher};
use super::engine::{Engine, read_f64, set_scalar};
use super::terms::{TermHistory, TermWatcher};
use super::trial::Stopped;
use crate::data::{Batches, Sampler};
use crate::diagnostic::Diagnostic;
use crate::graph::elaborate::{BatchInput, Length, Recorded, SamplerKind, StepProgram};
use crate::graph::{Slot, Store, Tensor};
use crate::source::Span;

/// The course of one term over a training block.
#[derive(Clone, Debug)]
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

/// Runs all steps of a block. `key` addresses the order of rows. Stops at the first term that is not finite.
pub fn train(
    step: StepProgram,
    span: Span,
    key: [u32; 2],
    engine: &Engine,
    store: &mut Store,
    progress: impl Fn(usize, usize),
) -> Result<Trained, Stopped> {
    engine.once(step.initialise, span, store).map_err(Stopped::Failed)?;
    if !step.sampling.outputs.is_empty() {
        engine.once(step.sampling, span, store).map_err(Stopped::Failed)?;
    }
    let mut feeds = feeds(&step.batches, key, store, span)?;
    let per_epoch = feeds.iter().map(|feed| feed.steps_per_epoch()).min().unwrap_or(1).max(1);
    let steps = match step.length {
        Length::Epochs(epochs) => epochs * per_epoch,
        Length::Steps(steps) => steps,
    };
    let steps = engine.most_steps.map_or(steps, |most| steps.min(most));
    let mut program = engine.compile(step.program, span, store)?;
    let moments = [step.step, step.epoch, step.progress];
    let fed: Vec<Slot> = feeds.iter().filter_map(|feed| feed.slot).chain(moments).collect();
    program.feed(&fed);
    let kept = step.parameters.iter().chain(&step.states).map(|stored| stored.slot).collect();
    let mut watcher = Watcher::new(step.every, step.records, step.stops, step.keep, kept, engine, store)?;
    let mut combined = TermWatcher::new(step.combined, steps, engine, store)?;
    let slots: Vec<Slot> = step.terms.iter().map(|term| term.slot).collect();
    program.follow(&slots);
    let mut terms = Terms::new(step.terms);
    let mut stop = None;
    for number in 0..=steps {
        set_scalar(store, step.step, number as f64);
        set_scalar(store, step.epoch, (number / per_epoch) as f64);
        set_scalar(store, step.progress, number as f64 / steps.max(1) as f64);
        // Before the first step its batch can be seen already; later, that of the step just done.
        if number == 0 && steps > 0 {
            feeds.iter_mut().for_each(|feed| feed.fill(number, store));
        }
        let last = number == steps;
        if watcher.look(number, per_epoch, last, store)? || last {
            progress(steps, steps);
            break;
        }
        if number > 0 {
            feeds.iter_mut().for_each(|feed| feed.fill(number, store));
        }
        combined.before_step(number, store)?;
        program.run(store).map_err(Stopped::Failed)?;
        watcher.step_done(store);
        program.seen(store, number + 1 == steps, &mut terms.rows).map_err(Stopped::Failed)?;
        stop = terms.add(steps);
        if stop.is_some() {
            break;
        }
        if number % 16 == 15 {
            progress(number + 1, steps);
        }
    }
    if stop.is_none() {
        program.seen(store, true, &mut terms.rows).map_err(Stopped::Failed)?;
        stop = terms.add(steps);
    }
    let courses = terms.courses();
    let histories = watcher.finish(steps, per_epoch, store);
    Ok(Trained { courses, histories, terms: combined.finish(), stop })
}

/// The terms of the objectives over the steps so far. A device tells of several steps at a time.
struct Terms {
    terms: Vec<Recorded>,
    sums: Vec<[f64; STRETCHES]>,
    counts: [usize; STRETCHES],
    step: usize,
    /// Their values after steps that were not added yet.
    rows: Vec<f64>,
}

impl Terms {
    fn new(terms: Vec<Recorded>) -> Self {
        let sums = vec![[0.0; STRETCHES]; terms.len()];
        Terms { sums, terms, counts: [0; STRETCHES], step: 0, rows: Vec::new() }
    }

    /// Adds their values after further steps of `steps`; the first that is not finite.
    fn add(&mut self, steps: usize) -> Option<NotFinite> {
        for row in self.rows.chunks_exact(self.terms.len().max(1)) {
            let stretch = self.step * STRETCHES / steps;
            self.counts[stretch] += 1;
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
        };
        return sampler.map(Source::Sampled);
    }
    let rows: Vec<u32> = (0..input.rows as u32).collect();
    Ok(Source::Batches(match input.slot {
        None => Batches::full(&rows),
        Some(_) => Batches::new(&rows, input.size, key, span)?,
    }))
}
