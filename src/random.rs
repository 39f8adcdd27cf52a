//! The counter-based random generator behind every random number of a run.
//!
//! In: a key and a counter. Out: four words that depend on nothing else, so that a number's address
//! (seed, site, step, item) decides it, whatever the thread count or the order of work.

const ROUNDS: usize = 10;
const MULTIPLIERS: [u32; 2] = [0xD251_1F53, 0xCD9E_8D57];
const WEYL: [u32; 2] = [0x9E37_79B9, 0xBB67_AE85];

/// Philox4x32 with 10 rounds: four random words for a key and a counter.
///
/// Source: Salmon, Moraes, Dror and Shaw 2011, "Parallel random numbers: as easy as 1, 2, 3", SC'11.
#[inline]
pub fn philox(key: [u32; 2], counter: [u32; 4]) -> [u32; 4] {
    let [mut k0, mut k1] = key;
    let mut c = counter;
    for _ in 0..ROUNDS {
        let low = u64::from(MULTIPLIERS[0]) * u64::from(c[0]);
        let high = u64::from(MULTIPLIERS[1]) * u64::from(c[2]);
        c = [(high >> 32) as u32 ^ c[1] ^ k0, high as u32, (low >> 32) as u32 ^ c[3] ^ k1, low as u32];
        k0 = k0.wrapping_add(WEYL[0]);
        k1 = k1.wrapping_add(WEYL[1]);
    }
    c
}

/// [`philox`] for the counters `[first + i, rest..]`: word w of counter i is `[w][i]`.
#[inline(always)]
pub fn philox_together<const N: usize>(key: [u32; 2], first: u32, rest: [u32; 3]) -> [[u32; N]; 4] {
    let [mut k0, mut k1] = key;
    let mut c =
        [std::array::from_fn(|i| first.wrapping_add(i as u32)), [rest[0]; N], [rest[1]; N], [rest[2]; N]];
    for _ in 0..ROUNDS {
        let product = |multiplier: u32, words: &[u32; N]| -> [u64; N] {
            std::array::from_fn(|i| u64::from(multiplier) * u64::from(words[i]))
        };
        let (low, high) = (product(MULTIPLIERS[0], &c[0]), product(MULTIPLIERS[1], &c[2]));
        c = [
            std::array::from_fn(|i| (high[i] >> 32) as u32 ^ c[1][i] ^ k0),
            std::array::from_fn(|i| high[i] as u32),
            std::array::from_fn(|i| (low[i] >> 32) as u32 ^ c[3][i] ^ k1),
            std::array::from_fn(|i| low[i] as u32),
        ];
        k0 = k0.wrapping_add(WEYL[0]);
        k1 = k1.wrapping_add(WEYL[1]);
    }
    c
}

/// A whole number below `bound` from 64 random bits. The bias is below `bound / 2^64`, which no sample shows.
#[inline]
pub fn below(bound: u32, high: u32, low: u32) -> u32 {
    let bits = u64::from(high) << 32 | u64::from(low);
    ((u128::from(bits) * u128::from(bound)) >> 64) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The vectors of the Random123 distribution (`kat_vectors`, philox4x32 10).
    #[test]
    fn known_answers_of_random123() {
        assert_eq!(philox([0; 2], [0; 4]), [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]);
        assert_eq!(
            philox([u32::MAX; 2], [u32::MAX; 4]),
            [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd]
        );
        assert_eq!(
            philox([0xa409_3822, 0x299f_31d0], [0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344]),
            [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1]
        );
    }

    #[test]
    fn below_stays_below() {
        assert_eq!(below(7, u32::MAX, u32::MAX), 6);
        assert_eq!(below(7, 0, 0), 0);
        assert_eq!(below(1, 12345, 678), 0);
    }
}
