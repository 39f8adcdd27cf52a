//! Uniform random numbers, many at a time.
//!
//! In: a key, and the counter of the first block of four numbers. Out: the numbers that [`philox`] gives block by block.

use super::real::Real;
use super::share::{Pointers, pieces};
use super::team::{Team, part};
use crate::random::{philox, philox_together};

/// Blocks whose words are computed side by side.
const TOGETHER: usize = 16;
/// Numbers of a block.
const WORDS: usize = 4;
/// Numbers of a piece from which another thread pays.
const PIECE: usize = 1 << 12;

/// Which numbers: all words of the counter but the first, which counts blocks.
#[derive(Clone, Copy)]
pub struct Draw {
    pub key: [u32; 2],
    pub rest: [u32; 3],
}

/// Fills `to`, in pieces for the threads of a team.
pub fn draw<R: Real>(draw: Draw, to: &mut [R], team: &Team) {
    let (length, blocks) = (to.len(), to.len().div_ceil(WORDS));
    let pieces = pieces(length, PIECE, blocks, team);
    let all = Pointers((std::ptr::null(), to.as_mut_ptr()));
    team.share(pieces, |piece, _| {
        let (first, count) = part(blocks, TOGETHER, piece, pieces);
        let (start, end) = ((first * WORDS).min(length), ((first + count) * WORDS).min(length));
        let (_, to): (*const R, *mut R) = all.both();
        // Pieces are disjoint parts of `to`.
        let to = unsafe { std::slice::from_raw_parts_mut(to.add(start), end - start) };
        some(draw, first as u32, to);
    });
}

/// The numbers from block `first` on, with the best instructions of the machine.
fn some<R: Real>(draw: Draw, first: u32, to: &mut [R]) {
    #[cfg(target_arch = "x86_64")]
    {
        if is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512dq") {
            return unsafe { some_v4(draw, first, to) };
        }
        if is_x86_feature_detected!("avx2") {
            return unsafe { some_v3(draw, first, to) };
        }
    }
    some_any(draw, first, to);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512dq,avx2")]
unsafe fn some_v4<R: Real>(draw: Draw, first: u32, to: &mut [R]) {
    some_any(draw, first, to);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
unsafe fn some_v3<R: Real>(draw: Draw, first: u32, to: &mut [R]) {
    some_any(draw, first, to);
}

#[inline(always)]
fn some_any<R: Real>(draw: Draw, first: u32, to: &mut [R]) {
    let mut block = first;
    let mut chunks = to.chunks_exact_mut(TOGETHER * WORDS);
    for chunk in &mut chunks {
        let words = philox_together::<TOGETHER>(draw.key, block, draw.rest);
        for (at, numbers) in chunk.chunks_exact_mut(WORDS).enumerate() {
            for (number, words) in numbers.iter_mut().zip(&words) {
                *number = uniform(words[at]);
            }
        }
        block = block.wrapping_add(TOGETHER as u32);
    }
    for numbers in chunks.into_remainder().chunks_mut(WORDS) {
        let [one, two, three] = draw.rest;
        let words = philox(draw.key, [block, one, two, three]);
        for (number, word) in numbers.iter_mut().zip(words) {
            *number = uniform(word);
        }
        block = block.wrapping_add(1);
    }
}

/// In the open interval (0, 1); exact in both widths.
#[inline(always)]
fn uniform<R: Real>(word: u32) -> R {
    R::from_f64((f64::from(word >> 9) + 0.5) / 8_388_608.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_those_of_their_blocks_however_many_are_drawn() {
        let which = Draw { key: [7, 11], rest: [0, 3, 5] };
        for length in [0, 1, 4, 63, 64, 65, 1000, 70_000] {
            for threads in [1, 3] {
                let mut found = vec![0f32; length];
                let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
                let team = Team::new(threads, false);
                pool.install(|| team.work(|team| draw(which, &mut found, team)));
                for (at, number) in found.iter().enumerate() {
                    let words = philox(which.key, [(at / 4) as u32, 0, 3, 5]);
                    let expected = ((words[at % 4] >> 9) as f32 + 0.5) / 8_388_608.0;
                    assert_eq!(number.to_bits(), expected.to_bits(), "number {at} of {length}");
                }
            }
        }
    }
}
