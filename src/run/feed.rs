//! Which rows a training step sees.
//!
//! In: what a train block takes its batches from. Out: in every step the numbers of the rows, in the slots that the step reads them from.

use super::engine::read_f64;
use super::trial::Stopped;
use crate::data::{Batches, Sampler};
use crate::diagnostic::Diagnostic;
use crate::graph::elaborate::{BatchInput, SamplerKind};
use crate::graph::{Slot, Store, Tensor};
use crate::source::Span;

/// The rows of one data set in each step, and the slot that they go to.
pub struct Feed {
    source: Source,
    rows: usize,
    pub slot: Option<Slot>,
}

enum Source {
    /// Every row once an epoch, in random order.
    Batches(Batches),
    Sampled(Sampler),
}

impl Feed {
    /// The rows of a step.
    pub fn fill(&mut self, step: usize, store: &mut Store) {
        let Some(slot) = self.slot else { return };
        if let Tensor::Index(rows) = store.get_mut(slot) {
            self.rows_of(step, rows);
        }
    }

    /// Where a slot has a part for each of several trials: that of trial `at`.
    pub fn fill_part(&mut self, step: usize, at: usize, store: &mut Store) {
        let Some(slot) = self.slot else { return };
        if let Tensor::Index(rows) = store.get_mut(slot) {
            let size = match &self.source {
                Source::Batches(batches) => batches.size(),
                Source::Sampled(sampler) => sampler.size(),
            };
            self.rows_of(step, &mut rows[at * size..(at + 1) * size]);
        }
    }

    fn rows_of(&mut self, step: usize, rows: &mut [i32]) {
        match &mut self.source {
            Source::Batches(batches) => batches.fill(step as u64, rows),
            Source::Sampled(sampler) => sampler.fill(step as u64, rows),
        }
    }

    /// Of sampled rows, an epoch is as many steps as would visit every row once.
    pub fn steps_per_epoch(&self) -> usize {
        match &self.source {
            Source::Batches(batches) => batches.steps_per_epoch() as usize,
            Source::Sampled(sampler) => (self.rows / sampler.size()).max(1),
        }
    }
}

/// Those of a train block, whose address in the run is `key`.
pub fn feeds(inputs: &[BatchInput], key: [u32; 2], store: &Store, span: Span) -> Result<Vec<Feed>, Stopped> {
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
