//! The order of rows: permutations by (seed, site, epoch), and the batches of an epoch.

use crate::diagnostic::{Code, Diagnostic};
use crate::random::{below, philox};
use crate::source::Span;

/// What a permutation is for: it stands in the counter, so that a split and an epoch never share random numbers, nor
/// either of them with the draws of a model.
#[derive(Clone, Copy, Debug)]
pub(super) enum Domain {
    Split = 0x5350_4c54,
    Epoch = 0x4f52_4452,
    Sample = 0x534d_504c,
}

/// A random permutation of `0..rows` (Fisher-Yates; two draws for each call of Philox).
pub(super) fn shuffled(key: [u32; 2], epoch: u64, rows: usize, domain: Domain) -> Vec<u32> {
    let mut order: Vec<u32> = (0..rows as u32).collect();
    shuffle(key, epoch, domain, &mut order);
    order
}

fn shuffle<T>(key: [u32; 2], epoch: u64, domain: Domain, order: &mut [T]) {
    // 24 bits of the epoch's upper half share a word with the domain's low byte: 2^56 epochs.
    let high = (domain as u32) ^ ((epoch >> 32) as u32) << 8;
    let mut words = [0u32; 4];
    for (draw, last) in (1..order.len()).rev().enumerate() {
        if draw % 2 == 0 {
            words = philox(key, [(draw / 2) as u32, epoch as u32, 0, high]);
        }
        let pair = 2 * (draw % 2);
        order.swap(last, below(last as u32 + 1, words[pair], words[pair + 1]) as usize);
    }
}

/// The order in which epoch `epoch` visits `rows` rows: a permutation that depends on the arguments only.
///
/// `key` is (seed, site).
pub fn permutation(key: [u32; 2], epoch: u64, rows: usize) -> Vec<u32> {
    shuffled(key, epoch, rows, Domain::Epoch)
}

/// The batches of a part of a data set.
///
/// Step s belongs to epoch `s / steps_per_epoch`; every epoch visits the rows in a new order, and its short last batch
/// is dropped, so that all batches have one size. A full batch keeps the part's own order.
#[derive(Clone, Debug)]
pub struct Batches {
    rows: Vec<i32>,
    size: usize,
    key: [u32; 2],
    /// The shuffled rows of the epoch in `epoch`; empty for a full batch.
    order: Vec<i32>,
    epoch: Option<u64>,
}

impl Batches {
    /// Batches of `size` of the rows of a part. `span` is the `batch` statement.
    pub fn new(rows: &[u32], size: usize, key: [u32; 2], span: Span) -> Result<Self, Diagnostic> {
        if size == 0 || size > rows.len() {
            return Err(Diagnostic::error(
                Code::A0435,
                span,
                format!("a batch of {size} cannot be drawn from {} rows", rows.len()),
            )
            .label(if size == 0 { "no rows at all" } else { "larger than the data" })
            .help(
                "make the batch smaller, or leave the `batch` statement out to use all rows in every step",
            ));
        }
        let rows: Vec<i32> = rows.iter().map(|row| *row as i32).collect();
        let order = rows.clone();
        Ok(Batches { rows, size, key, order, epoch: None })
    }

    /// All rows in every step, in the part's own order.
    pub fn full(rows: &[u32]) -> Self {
        let rows: Vec<i32> = rows.iter().map(|row| *row as i32).collect();
        Batches { size: rows.len(), rows, key: [0; 2], order: Vec::new(), epoch: None }
    }

    /// Rows in a batch.
    pub fn size(&self) -> usize {
        self.size
    }

    pub fn steps_per_epoch(&self) -> u64 {
        self.rows.len().checked_div(self.size).unwrap_or(1) as u64
    }

    /// Writes the rows of a step's batch to `out`, which has the length of a batch. Steps may be asked for in any
    /// order: nothing but the arguments of [`Batches::new`] and `step` decides the rows. Allocates nothing.
    pub fn fill(&mut self, step: u64, out: &mut [i32]) {
        debug_assert_eq!(out.len(), self.size);
        if self.order.is_empty() {
            out.copy_from_slice(&self.rows);
            return;
        }
        let (epoch, within) = (step / self.steps_per_epoch(), step % self.steps_per_epoch());
        if self.epoch != Some(epoch) {
            self.order.copy_from_slice(&self.rows);
            shuffle(self.key, epoch, Domain::Epoch, &mut self.order);
            self.epoch = Some(epoch);
        }
        let start = within as usize * self.size;
        out.copy_from_slice(&self.order[start..start + self.size]);
    }
}
