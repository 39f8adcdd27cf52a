//! Philox4x32-10, the counter-based generator of Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3".

const MULTIPLIER: [u32; 2] = [0xD251_1F53, 0xCD9E_8D57];
const WEYL: [u32; 2] = [0x9E37_79B9, 0xBB67_AE85];

/// Four random words: a function of key and counter alone.
pub fn philox(key: [u32; 2], counter: [u32; 4]) -> [u32; 4] {
    let (mut key, mut c) = (key, counter);
    for _ in 0..10 {
        let low = u64::from(MULTIPLIER[0]) * u64::from(c[0]);
        let high = u64::from(MULTIPLIER[1]) * u64::from(c[2]);
        c = [
            (high >> 32) as u32 ^ c[1] ^ key[0],
            high as u32,
            (low >> 32) as u32 ^ c[3] ^ key[1],
            low as u32,
        ];
        key = [key[0].wrapping_add(WEYL[0]), key[1].wrapping_add(WEYL[1])];
    }
    c
}

/// A word as a Float in the open interval (0, 1), the same number at both widths.
pub fn unit(bits: u32) -> f64 {
    (f64::from(bits >> 9) + 0.5) * 2f64.powi(-23)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The known answers that the authors publish with their library (kat_vectors, philox4x32 10).
    #[test]
    fn known_answers() {
        assert_eq!(philox([0; 2], [0; 4]), [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8]);
        assert_eq!(philox([u32::MAX; 2], [u32::MAX; 4]), [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd]);
        assert_eq!(
            philox([0xa4093822, 0x299f31d0], [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344]),
            [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1]
        );
    }

    #[test]
    fn unit_is_open_and_exact_in_single() {
        for bits in [0, 1, 511, 512, u32::MAX / 2, u32::MAX] {
            let x = unit(bits);
            assert!(x > 0.0 && x < 1.0);
            assert_eq!(f64::from(x as f32), x);
            assert!((x as f32) < 1.0);
        }
    }
}
