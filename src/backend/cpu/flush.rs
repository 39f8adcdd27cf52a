//! Results too small for a normal number become zero while a step of single precision runs: arithmetic with subnormal numbers takes
//! a hundred times as long, and moments of an optimizer that decay would end there and stay.
//!
//! In: a thread that is about to run a step. Out: the same, with its earlier mode when the guard goes.

/// Keeps the mode; gives the earlier one back at the end.
pub struct Flush {
    earlier: Option<Mode>,
}

impl Flush {
    pub fn new(wanted: bool) -> Flush {
        Flush { earlier: wanted.then(|| mode::swap(mode::FLUSH)) }
    }
}

impl Drop for Flush {
    fn drop(&mut self) {
        if let Some(earlier) = self.earlier {
            mode::set(earlier);
        }
    }
}

type Mode = u64;

#[cfg(target_arch = "x86_64")]
mod mode {
    use std::arch::asm;

    /// The bit of MXCSR that flushes results.
    pub const FLUSH: u64 = 1 << 15;

    pub fn swap(bits: u64) -> u64 {
        let mut word = 0u32;
        unsafe { asm!("stmxcsr [{0}]", in(reg) &raw mut word, options(nostack, preserves_flags)) };
        let earlier = u64::from(word);
        set(earlier | bits);
        earlier
    }

    pub fn set(mode: u64) {
        let word = mode as u32;
        unsafe { asm!("ldmxcsr [{0}]", in(reg) &raw const word, options(nostack, preserves_flags)) };
    }
}

#[cfg(target_arch = "aarch64")]
mod mode {
    use std::arch::asm;

    /// The bit of FPCR that flushes results, and operands with them.
    pub const FLUSH: u64 = 1 << 24;

    pub fn swap(bits: u64) -> u64 {
        let earlier: u64;
        unsafe { asm!("mrs {0}, fpcr", out(reg) earlier, options(nomem, nostack, preserves_flags)) };
        set(earlier | bits);
        earlier
    }

    pub fn set(mode: u64) {
        unsafe { asm!("msr fpcr, {0}", in(reg) mode, options(nomem, nostack, preserves_flags)) };
    }
}

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
mod mode {
    pub const FLUSH: u64 = 0;

    pub fn swap(_: u64) -> u64 {
        0
    }

    pub fn set(_: u64) {}
}

#[cfg(all(test, any(target_arch = "x86_64", target_arch = "aarch64")))]
mod tests {
    use std::hint::black_box;

    use super::*;

    #[test]
    fn small_results_are_zero_inside_only() {
        let product = || black_box(black_box(1e-30f32) * black_box(1e-10f32));
        assert!(product() > 0.0);
        let flush = Flush::new(true);
        assert_eq!(product(), 0.0);
        drop(flush);
        assert!(product() > 0.0);
        let _none = Flush::new(false);
        assert!(product() > 0.0);
    }
}
