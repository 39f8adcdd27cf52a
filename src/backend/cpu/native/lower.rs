//! Fused kernels as programs over lanes.
//!
//! In: a fused kernel of single precision, and what is known of its constants. Out: a program whose stream i is the kernel's load i, or
//! its store i minus the number of loads, or, last, the sums of rows. None where an operation has no lanes: the interpreter runs such a kernel.

use super::lanes::{Both, Builder, Lane, Lanes, One, Step, Test, Two};
use crate::graph::{Binary, Compare, Element, Logic, Unary};
use crate::plan::kernel::{BufferId, Fused, Instruction, LoadKind, Operation};

/// Whether a load gives the same element to a whole row.
pub type IsUniform<'a> = &'a dyn Fn(usize) -> bool;

/// The value of a buffer of one number that never changes.
pub type Known<'a> = &'a dyn Fn(BufferId) -> Option<f32>;

/// What is done with the rows of one of the stores.
#[derive(Clone, Copy)]
pub struct Summed {
    pub store: usize,
    pub width: usize,
    /// Nothing else wants it.
    pub is_only_summed: bool,
}

pub fn lower(fused: &Fused, is_uniform: IsUniform, known: Known, summed: Option<Summed>) -> Option<Lanes> {
    let mut lowering =
        Lowering { fused, is_uniform, known, builder: Builder::default(), results: Vec::new() };
    for instruction in &fused.instructions {
        let result = lowering.instruction(instruction)?;
        lowering.results.push(result);
    }
    for (at, (value, _)) in fused.stores.iter().enumerate() {
        let value = lowering.value(*value);
        let sum = summed.filter(|sum| sum.store == at);
        let lanes = &mut lowering.builder.lanes;
        if let Some(sum) = sum {
            lanes.sum = Some((value, (fused.loads.len() + fused.stores.len()) as u16, sum.width));
        }
        if !sum.is_some_and(|sum| sum.is_only_summed) {
            lanes.stores.push((value, (fused.loads.len() + at) as u16));
        }
    }
    Some(lowering.builder.lanes)
}

struct Lowering<'a> {
    fused: &'a Fused,
    is_uniform: IsUniform<'a>,
    known: Known<'a>,
    builder: Builder,
    results: Vec<Lane>,
}

impl Lowering<'_> {
    fn value(&mut self, value: u32) -> Lane {
        let at = value as usize;
        let Some(load) = self.fused.loads.get(at) else { return self.results[at - self.fused.loads.len()] };
        let (stream, is_uniform) = (at as u16, (self.is_uniform)(at));
        self.builder.push(match (load.element, is_uniform) {
            (Element::Bool, true) => Step::SpreadMask(stream),
            (Element::Bool, false) => Step::LoadMask(stream),
            (_, true) => Step::Spread(stream),
            (_, false) => Step::Load(stream),
        })
    }

    /// A load's number, if it never changes, and stands for all elements: the interpreter looks at nothing else.
    fn number(&self, value: u32) -> Option<f32> {
        let load = self.fused.loads.get(value as usize)?;
        if load.element != Element::Float || load.offset != 0 || load.kind != LoadKind::Uniform {
            return None;
        }
        (self.known)(load.buffer)
    }

    fn instruction(&mut self, instruction: &Instruction) -> Option<Lane> {
        let count = instruction.operation.operands();
        let mut lanes = [Lane(0); 3];
        for (lane, argument) in lanes.iter_mut().zip(instruction.arguments).take(count) {
            *lane = self.value(argument);
        }
        let [a, b, c] = lanes;
        let build = &mut self.builder;
        Some(match instruction.operation {
            Operation::Unary(unary) => return self.unary(unary, a),
            Operation::Binary(Binary::Power) => {
                return self.power(a, self.number(instruction.arguments[1])?);
            }
            Operation::Binary(binary) => match binary {
                Binary::Add => build.add(a, b),
                Binary::Subtract => build.subtract(a, b),
                Binary::Multiply => build.multiply(a, b),
                Binary::Divide => build.divide(a, b),
                Binary::Max => build.bigger(a, b),
                Binary::Min => build.smaller(a, b),
                Binary::Remainder => {
                    let quotient = build.divide(a, b);
                    let whole = build.one(One::Floor, quotient);
                    let product = build.multiply(b, whole);
                    build.subtract(a, product)
                }
                Binary::Power => return None,
            },
            Operation::IndexBinary(binary) => {
                let op = match binary {
                    Binary::Add => Two::AddIndex,
                    Binary::Subtract => Two::SubtractIndex,
                    Binary::Multiply => Two::MultiplyIndex,
                    Binary::Max => Two::MaxIndex,
                    Binary::Min => Two::MinIndex,
                    Binary::Divide | Binary::Remainder | Binary::Power => return None,
                };
                build.two(op, a, b)
            }
            Operation::Compare(compare, Element::Float) => {
                let test = match compare {
                    Compare::Equal => Test::Equal,
                    Compare::NotEqual => Test::NotEqual,
                    Compare::Less => Test::Less,
                    Compare::LessEqual => Test::LessEqual,
                };
                build.test(test, a, b)
            }
            Operation::Compare(compare, Element::Index) => {
                let test = match compare {
                    Compare::Equal => Test::EqualIndex,
                    Compare::NotEqual => Test::NotEqualIndex,
                    Compare::Less => Test::LessIndex,
                    Compare::LessEqual => Test::LessEqualIndex,
                };
                build.test(test, a, b)
            }
            Operation::Compare(compare, Element::Bool) => match compare {
                Compare::NotEqual => build.both(Both::Xor, a, b),
                Compare::Equal => {
                    let differ = build.both(Both::Xor, a, b);
                    build.not(differ)
                }
                Compare::Less => build.both(Both::AndNot, a, b),
                Compare::LessEqual => {
                    let greater = build.both(Both::AndNot, b, a);
                    build.not(greater)
                }
            },
            Operation::Logic(Logic::And) => build.both(Both::And, a, b),
            Operation::Logic(Logic::Or) => build.both(Both::Or, a, b),
            Operation::Not => build.not(a),
            Operation::Select(Element::Bool) => {
                let yes = build.both(Both::And, a, b);
                let no = build.both(Both::AndNot, a, c);
                build.both(Both::Or, yes, no)
            }
            Operation::Select(_) => build.choose(a, b, c),
            Operation::Cast(from, into) => self.cast(from, into, a),
            Operation::Special(_) => return None,
        })
    }

    fn unary(&mut self, unary: Unary, x: Lane) -> Option<Lane> {
        let build = &mut self.builder;
        Some(match unary {
            Unary::Negate => build.negate(x),
            Unary::Exp => build.exp(x),
            Unary::Log => build.log(x),
            Unary::Log1p => build.log1p(x),
            Unary::Expm1 => build.expm1(x),
            Unary::Sqrt => build.one(One::Sqrt, x),
            Unary::Tanh => build.tanh(x),
            Unary::Erf => build.erf(x),
            Unary::Sigmoid => build.sigmoid(x),
            Unary::Abs => build.abs(x),
            Unary::Sign => build.sign(x),
            Unary::Floor => build.one(One::Floor, x),
            Unary::Reciprocal => self.reciprocal(x),
            Unary::Sin
            | Unary::Cos
            | Unary::LogGamma
            | Unary::Digamma
            | Unary::NormalQuantile
            | Unary::Round(_) => return None,
        })
    }

    fn reciprocal(&mut self, x: Lane) -> Lane {
        let one = self.builder.number(1.0);
        self.builder.divide(one, x)
    }

    /// The exponents that the interpreter treats as products and quotients.
    fn power(&mut self, x: Lane, exponent: f32) -> Option<Lane> {
        if exponent == 1.0 {
            return Some(x);
        }
        if exponent == -1.0 {
            return Some(self.reciprocal(x));
        }
        let square = self.builder.multiply(x, x);
        if exponent == 2.0 {
            return Some(square);
        }
        (exponent == 3.0).then(|| self.builder.multiply(square, x))
    }

    fn cast(&mut self, from: Element, into: Element, x: Lane) -> Lane {
        use Element::{Bool, Float, Index};
        let build = &mut self.builder;
        match (from, into) {
            (Float, Index) => build.cut_to_index(x),
            (Float, Bool) => build.test_number(Test::NotEqual, x, 0.0),
            (Index, Float) => build.one(One::FromIndex, x),
            (Index, Bool) => {
                let zero = build.bits(0);
                build.test(Test::NotEqualIndex, x, zero)
            }
            (Bool, Float) => {
                let one = build.number(1.0);
                build.keep(x, one)
            }
            (Bool, Index) => {
                let one = build.bits(1);
                build.keep(x, one)
            }
            (Float, Float) | (Index, Index) | (Bool, Bool) => x,
        }
    }
}
