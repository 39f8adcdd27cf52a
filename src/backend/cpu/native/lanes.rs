//! Programs over lanes: what a native kernel does with a vector of neighbouring elements, before registers are chosen.
//!
//! In: steps, one after another, each of earlier results. Out: a list without repetitions. A number is a vector of f32 or i32, or a
//! mask of truth values.

use std::collections::HashMap;

/// The result of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Lane(pub u32);

/// Of one vector.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum One {
    Sqrt,
    Floor,
    /// Towards zero; `i32::MIN` for what no i32 is.
    ToIndex,
    FromIndex,
}

/// Of two vectors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Two {
    Add,
    Subtract,
    Multiply,
    Divide,
    /// The first, times two to the power of the second, a whole number.
    Scale,
    /// The first if it is smaller, else the second.
    Min,
    /// The first if it is bigger, else the second.
    Max,
    AddIndex,
    SubtractIndex,
    MultiplyIndex,
    MinIndex,
    MaxIndex,
    And,
    Or,
    Xor,
}

impl Two {
    pub fn commutes(self) -> bool {
        !matches!(self, Two::Subtract | Two::SubtractIndex | Two::Divide | Two::Scale | Two::Min | Two::Max)
    }
}

/// By a number of bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Shift {
    Left,
    /// With the sign.
    Right,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Test {
    Equal,
    /// True of NaN.
    NotEqual,
    Less,
    LessEqual,
    /// Either is NaN.
    Unordered,
    EqualIndex,
    NotEqualIndex,
    LessIndex,
    LessEqualIndex,
}

/// Of two masks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Both {
    And,
    Or,
    Xor,
    /// Not the first, and the second.
    AndNot,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Step {
    /// Bits, the same in every lane.
    Constant(u32),
    /// The next elements of a stream.
    Load(u16),
    LoadMask(u16),
    /// One element of a stream in every lane.
    Spread(u16),
    SpreadMask(u16),
    One(One, Lane),
    Two(Two, Lane, Lane),
    /// The first times the second plus the third, rounded once.
    MultiplyAdd(Lane, Lane, Lane),
    Shift(Shift, Lane, u8),
    Test(Test, Lane, Lane),
    Not(Lane),
    Both(Both, Lane, Lane),
    /// Where the mask is set the first, else the second.
    Choose(Lane, Lane, Lane),
    /// Where the mask is set the vector, else zero.
    Keep(Lane, Lane),
}

impl Step {
    pub fn arguments(&self) -> impl Iterator<Item = Lane> {
        let (count, all) = match *self {
            Step::Constant(_) | Step::Load(_) | Step::LoadMask(_) | Step::Spread(_) | Step::SpreadMask(_) => {
                (0, [Lane(0); 3])
            }
            Step::One(_, a) | Step::Shift(_, a, _) | Step::Not(a) => (1, [a, a, a]),
            Step::Two(_, a, b) | Step::Test(_, a, b) | Step::Both(_, a, b) | Step::Keep(a, b) => {
                (2, [a, b, b])
            }
            Step::MultiplyAdd(a, b, c) | Step::Choose(a, b, c) => (3, [a, b, c]),
        };
        all.into_iter().take(count)
    }

    pub fn is_mask(&self) -> bool {
        matches!(
            self,
            Step::LoadMask(_) | Step::SpreadMask(_) | Step::Test(..) | Step::Not(_) | Step::Both(..)
        )
    }

    /// The same for all lanes of a row.
    pub fn is_invariant(&self) -> bool {
        matches!(self, Step::Constant(_) | Step::Spread(_))
    }
}

/// A program, and what it stores: (result, stream).
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Lanes {
    pub steps: Vec<Step>,
    pub stores: Vec<(Lane, u16)>,
    /// The sum of every row of a result, of so many elements, goes to a stream.
    pub sum: Option<(Lane, u16, usize)>,
    /// Streams of stores that go past the caches. All begin equally far from a whole vector, in every row.
    pub streamed: Vec<u16>,
    /// Streams of what is fetched for later.
    pub fetched: Vec<u16>,
}

#[derive(Default)]
pub struct Builder {
    pub lanes: Lanes,
    known: HashMap<Step, Lane>,
}

impl Builder {
    pub fn push(&mut self, step: Step) -> Lane {
        *self.known.entry(step).or_insert_with(|| {
            self.lanes.steps.push(step);
            Lane(self.lanes.steps.len() as u32 - 1)
        })
    }

    pub fn bits(&mut self, bits: u32) -> Lane {
        self.push(Step::Constant(bits))
    }

    pub fn number(&mut self, value: f32) -> Lane {
        self.bits(value.to_bits())
    }

    pub fn one(&mut self, op: One, a: Lane) -> Lane {
        self.push(Step::One(op, a))
    }

    pub fn two(&mut self, op: Two, a: Lane, b: Lane) -> Lane {
        self.push(Step::Two(op, a, b))
    }

    pub fn add(&mut self, a: Lane, b: Lane) -> Lane {
        self.two(Two::Add, a, b)
    }

    pub fn subtract(&mut self, a: Lane, b: Lane) -> Lane {
        self.two(Two::Subtract, a, b)
    }

    pub fn multiply(&mut self, a: Lane, b: Lane) -> Lane {
        self.two(Two::Multiply, a, b)
    }

    pub fn divide(&mut self, a: Lane, b: Lane) -> Lane {
        self.two(Two::Divide, a, b)
    }

    /// `a * number`.
    pub fn scale(&mut self, a: Lane, number: f32) -> Lane {
        let number = self.number(number);
        self.multiply(a, number)
    }

    /// `a * b + c`, rounded once.
    pub fn multiply_add(&mut self, a: Lane, b: Lane, c: Lane) -> Lane {
        self.push(Step::MultiplyAdd(a, b, c))
    }

    /// `a * number + c`, rounded once.
    pub fn scale_add(&mut self, a: Lane, number: f32, c: Lane) -> Lane {
        let number = self.number(number);
        self.multiply_add(a, number, c)
    }

    pub fn shift(&mut self, op: Shift, a: Lane, bits: u8) -> Lane {
        self.push(Step::Shift(op, a, bits))
    }

    pub fn test(&mut self, test: Test, a: Lane, b: Lane) -> Lane {
        self.push(Step::Test(test, a, b))
    }

    /// Compares with a number.
    pub fn test_number(&mut self, test: Test, a: Lane, number: f32) -> Lane {
        let number = self.number(number);
        self.test(test, a, number)
    }

    pub fn not(&mut self, a: Lane) -> Lane {
        self.push(Step::Not(a))
    }

    pub fn both(&mut self, op: Both, a: Lane, b: Lane) -> Lane {
        self.push(Step::Both(op, a, b))
    }

    pub fn choose(&mut self, mask: Lane, yes: Lane, no: Lane) -> Lane {
        self.push(Step::Choose(mask, yes, no))
    }

    pub fn keep(&mut self, mask: Lane, value: Lane) -> Lane {
        self.push(Step::Keep(mask, value))
    }
}
