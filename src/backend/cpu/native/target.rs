//! The kinds of machines that native code is written for, and what each has.

use iced_x86::Register;

/// A set of instructions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// Vectors of sixteen numbers, and masks.
    Avx512,
    /// Vectors of eight numbers, with fused multiply-add. A mask is a vector of ones and zeros.
    Avx2,
}

impl Target {
    /// The best that this machine has, `most` at most.
    pub fn of_machine(most: Target) -> Option<Target> {
        let wide = is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512vl")
            && is_x86_feature_detected!("avx512bw")
            && is_x86_feature_detected!("avx512dq")
            && is_x86_feature_detected!("bmi2");
        if wide && most == Target::Avx512 {
            return Some(Target::Avx512);
        }
        (is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma")).then_some(Target::Avx2)
    }

    /// Numbers in a vector: the elements of a group.
    pub const fn lanes(self) -> usize {
        match self {
            Target::Avx512 => 16,
            Target::Avx2 => 8,
        }
    }

    /// How many vectors hold results, the first ones; the two after them are for the moment.
    pub const fn vectors(self) -> usize {
        match self {
            Target::Avx512 => 30,
            Target::Avx2 => 14,
        }
    }

    pub fn vector(self, number: u8) -> Register {
        let first = match self {
            Target::Avx512 => Register::ZMM0,
            Target::Avx2 => Register::YMM0,
        };
        first + u32::from(number)
    }

    /// A vector that an instruction writes which needs a register for its result.
    pub const fn spare(self) -> u8 {
        self.vectors() as u8 + 1
    }

    /// A vector for an operand that has to be in a register.
    pub const fn operand(self) -> u8 {
        self.vectors() as u8
    }

    /// Masks have registers of their own, from the second on; the first is that of the last group of a row.
    pub const fn masks(self) -> usize {
        match self {
            Target::Avx512 => 6,
            Target::Avx2 => 0,
        }
    }
}
