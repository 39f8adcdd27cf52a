//! Batches that are sampled: balanced by a category, by weights, in pairs, or in a given order.
//!
//! The rows of a step are a function of (key, step) alone: every draw has its own address.

use super::order::Domain;
use crate::diagnostic::{Code, Diagnostic};
use crate::random::{below, philox};
use crate::source::Span;

/// Draws the rows of a batch.
#[derive(Clone, Debug)]
pub struct Sampler {
    key: [u32; 2],
    size: usize,
    how: How,
    /// Rows or categories of the draw at hand.
    scratch: Vec<i32>,
}

#[derive(Clone, Debug)]
enum How {
    /// The rows of each category that has some.
    Balanced { members: Vec<Vec<i32>>, each: usize },
    /// Running sums of the weights.
    Weights(Vec<f64>),
    /// The rows of categories that have at least two, with the category of each.
    Pairs { members: Vec<Vec<i32>>, rows: Vec<(usize, usize)> },
    /// The rows, one after the other.
    Ordered(Vec<i32>),
}

impl Sampler {
    /// `each` rows of each of `size / each` categories; without `each`, of all categories.
    pub fn balanced(
        categories: &[i32],
        size: usize,
        each: Option<usize>,
        key: [u32; 2],
        span: Span,
    ) -> Result<Self, Diagnostic> {
        let members = members(categories, 1);
        let count = members.len();
        let each = match each {
            Some(each) if each > 0 && size.is_multiple_of(each) && size / each <= count && size > 0 => each,
            None if count > 0 && size > 0 && size.is_multiple_of(count) => size / count,
            Some(each) => {
                let wanted = format!("a batch of {size} cannot have {each} rows of each category drawn");
                let help = format!("make the batch a multiple of {each}, of at most {count} categories");
                return Err(refused(span, wanted, &help));
            }
            None => {
                let wanted = format!("a batch of {size} cannot be shared evenly by {count} categories");
                return Err(refused(
                    span,
                    wanted,
                    "make it a multiple of them, or draw some: `balanced by label, 4 each`",
                ));
            }
        };
        let longest = members.iter().map(Vec::len).max().unwrap_or(0).max(count);
        Ok(Sampler { key, size, how: How::Balanced { members, each }, scratch: Vec::with_capacity(longest) })
    }

    /// Each row with a probability proportional to its weight, with replacement.
    pub fn weighted(weights: &[f64], size: usize, key: [u32; 2], span: Span) -> Result<Self, Diagnostic> {
        if let Some(row) = weights.iter().position(|weight| !weight.is_finite() || *weight < 0.0) {
            let what = format!("the weight of row {} is {}", row + 1, weights[row]);
            return Err(refused(span, what, "a weight is a number from 0"));
        }
        let mut sum = 0.0;
        let sums: Vec<f64> = weights
            .iter()
            .map(|weight| {
                sum += weight;
                sum
            })
            .collect();
        if sum <= 0.0 || size == 0 {
            return Err(refused(
                span,
                "no row has a weight above 0".to_string(),
                "some row must be possible",
            ));
        }
        Ok(Sampler { key, size, how: How::Weights(sums), scratch: Vec::new() })
    }

    /// Positions 2i and 2i + 1 are two different rows of one category: a row, each as likely, and a partner of it.
    pub fn pairs(categories: &[i32], size: usize, key: [u32; 2], span: Span) -> Result<Self, Diagnostic> {
        let members = members(categories, 2);
        if size == 0 || !size.is_multiple_of(2) {
            return Err(refused(span, format!("a batch of {size} is no number of pairs"), "make it even"));
        }
        if members.is_empty() {
            let what = "no category has two rows to make a pair of".to_string();
            return Err(refused(span, what, "pair by a category with several rows"));
        }
        let rows = members
            .iter()
            .enumerate()
            .flat_map(|(category, rows)| (0..rows.len()).map(move |at| (category, at)))
            .collect();
        Ok(Sampler { key, size, how: How::Pairs { members, rows }, scratch: Vec::new() })
    }

    /// These rows one after the other, from the start again after the last.
    pub fn ordered(rows: Vec<i32>, size: usize, key: [u32; 2], span: Span) -> Result<Self, Diagnostic> {
        if rows.is_empty() || size == 0 {
            return Err(refused(span, "an order without rows".to_string(), "some row must be visited"));
        }
        Ok(Sampler { key, size, how: How::Ordered(rows), scratch: Vec::new() })
    }

    pub fn size(&self) -> usize {
        self.size
    }

    /// The rows of a step. Allocates nothing.
    pub fn fill(&mut self, step: u64, out: &mut [i32]) {
        let words = |draw: usize| {
            let high = (Domain::Sample as u32) ^ ((step >> 32) as u32) << 8;
            philox(self.key, [draw as u32, step as u32, 1, high])
        };
        let scratch = &mut self.scratch;
        match &self.how {
            How::Balanced { members, each } => {
                let chosen = out.len() / each;
                // Categories first: their numbers stand where their rows will begin.
                scratch.clear();
                scratch.extend(0..members.len() as i32);
                for place in 0..chosen {
                    let [high, low, ..] = words(place);
                    let left = (members.len() - place) as u32;
                    scratch.swap(place, place + below(left, high, low) as usize);
                    out[place * each] = scratch[place];
                }
                for place in 0..chosen {
                    let rows = &members[out[place * each] as usize];
                    let target = &mut out[place * each..(place + 1) * each];
                    let replaced = rows.len() < *each;
                    scratch.clear();
                    scratch.extend_from_slice(rows);
                    for (at, row) in target.iter_mut().enumerate() {
                        let [high, low, ..] = words(chosen + place * each + at);
                        let start = if replaced { 0 } else { at };
                        let pick = start + below((rows.len() - start) as u32, high, low) as usize;
                        if !replaced {
                            scratch.swap(at, pick);
                        }
                        *row = scratch[if replaced { pick } else { at }];
                    }
                }
            }
            How::Weights(sums) => {
                let total = sums.last().copied().unwrap_or(0.0);
                for (draw, row) in out.iter_mut().enumerate() {
                    let [high, low, ..] = words(draw);
                    let bits = (u64::from(high) << 32 | u64::from(low)) >> 11;
                    let at = bits as f64 / (1u64 << 53) as f64 * total;
                    *row = sums.partition_point(|sum| *sum <= at).min(sums.len() - 1) as i32;
                }
            }
            How::Ordered(rows) => {
                let start = (step % rows.len() as u64 * out.len() as u64) % rows.len() as u64;
                let mut from = start as usize;
                let mut filled = 0;
                while filled < out.len() {
                    let count = (rows.len() - from).min(out.len() - filled);
                    out[filled..filled + count].copy_from_slice(&rows[from..from + count]);
                    (from, filled) = (0, filled + count);
                }
            }
            How::Pairs { members, rows } => {
                for (draw, pair) in out.chunks_mut(2).enumerate() {
                    let [a, b, c, d] = words(draw);
                    let (category, first) = rows[below(rows.len() as u32, a, b) as usize];
                    let members = &members[category];
                    let second = below(members.len() as u32 - 1, c, d) as usize;
                    pair[0] = members[first];
                    if let Some(partner) = pair.get_mut(1) {
                        *partner = members[second + usize::from(second >= first)];
                    }
                }
            }
        }
    }
}

/// The rows of each category that has at least `least`.
fn members(categories: &[i32], least: usize) -> Vec<Vec<i32>> {
    let mut found = std::collections::BTreeMap::<i32, Vec<i32>>::new();
    for (row, category) in categories.iter().enumerate() {
        found.entry(*category).or_default().push(row as i32);
    }
    found.into_values().filter(|rows| rows.len() >= least).collect()
}

fn refused(span: Span, message: String, help: &str) -> Diagnostic {
    Diagnostic::error(Code::A0437, span, message).label("cannot be sampled").help(help)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Sources;

    fn place() -> Span {
        Span::new(Sources::default().add("x.anz", "batch"), 0, 5)
    }

    #[test]
    fn balanced_batches_have_each_rows_of_each_category_drawn() {
        let categories: Vec<i32> = (0..40).map(|row| row % 5).chain([7]).collect();
        let mut sampler = Sampler::balanced(&categories, 12, Some(4), [3, 1], place()).unwrap();
        for step in 0..50 {
            let mut rows = [0; 12];
            sampler.fill(step, &mut rows);
            for group in rows.chunks(4) {
                let category = categories[group[0] as usize];
                assert!(group.iter().all(|row| categories[*row as usize] == category));
                let distinct: std::collections::BTreeSet<_> = group.iter().collect();
                assert!(distinct.len() == 4 || category == 7, "{group:?}");
            }
        }
        assert!(Sampler::balanced(&categories, 10, Some(4), [3, 1], place()).is_err());
        assert!(Sampler::balanced(&categories, 28, Some(4), [3, 1], place()).is_err());
        assert!(Sampler::balanced(&categories, 13, None, [3, 1], place()).is_err());
    }

    #[test]
    fn weighted_rows_come_as_often_as_their_weights_say() {
        let mut sampler = Sampler::weighted(&[1.0, 0.0, 3.0], 1000, [3, 1], place()).unwrap();
        let mut rows = vec![0; 1000];
        sampler.fill(7, &mut rows);
        let count = |wanted: i32| rows.iter().filter(|row| **row == wanted).count();
        assert_eq!(count(1), 0);
        assert!((200..300).contains(&count(0)), "{}", count(0));
        assert!(Sampler::weighted(&[1.0, -1.0], 4, [3, 1], place()).is_err());
        assert!(Sampler::weighted(&[0.0], 4, [3, 1], place()).is_err());
    }

    #[test]
    fn a_given_order_goes_round() {
        let mut sampler = Sampler::ordered(vec![4, 2, 7], 2, [3, 1], place()).unwrap();
        let mut steps = [[0; 2]; 4];
        for (step, rows) in steps.iter_mut().enumerate() {
            sampler.fill(step as u64, rows);
        }
        assert_eq!(steps, [[4, 2], [7, 4], [2, 7], [4, 2]]);
        let mut sampler = Sampler::ordered(vec![4, 2, 7], 7, [3, 1], place()).unwrap();
        let mut rows = [0; 7];
        sampler.fill(1, &mut rows);
        assert_eq!(rows, [2, 7, 4, 2, 7, 4, 2]);
        assert!(Sampler::ordered(Vec::new(), 2, [3, 1], place()).is_err());
    }

    #[test]
    fn pairs_are_two_rows_of_one_category() {
        let categories = [0, 1, 0, 1, 2, 0];
        let mut sampler = Sampler::pairs(&categories, 8, [3, 1], place()).unwrap();
        let mut rows = [0; 8];
        for step in 0..50 {
            sampler.fill(step, &mut rows);
            for pair in rows.chunks(2) {
                assert_ne!(pair[0], pair[1]);
                assert_eq!(categories[pair[0] as usize], categories[pair[1] as usize]);
            }
        }
        assert!(Sampler::pairs(&[0, 1, 2], 4, [3, 1], place()).is_err());
    }
}
