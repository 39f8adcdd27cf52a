//! Element-wise stages: every unit takes every so-manieth element through all steps.

use cubecl::prelude::*;

use super::super::ir::{Step, Walk};
use super::walk::{address, read, write};
use super::{Memory, Range, Rounds, Table};
use super::{half, single};
use crate::graph::{Binary, Compare, Element, Logic, Unary};

/// The values of one element so far.
#[derive(CubeType)]
struct Registers {
    floats: Sequence<f32>,
    indices: Sequence<i32>,
    bools: Sequence<bool>,
}

#[cube]
pub fn map(
    memory: &mut Memory,
    table: &Table,
    words: u32,
    part: Range,
    rounds: Rounds,
    #[comptime] steps: Vec<Step>,
    #[comptime] depth: u8,
) {
    let mut i = part.from + UNIT_POS;
    while i < part.to {
        let mut registers =
            Registers { floats: Sequence::new(), indices: Sequence::new(), bools: Sequence::new() };
        let count = comptime!(steps.len());
        #[unroll]
        for number in 0..count {
            step(memory, table, words, i, rounds, &mut registers, comptime!(steps[number]), depth);
        }
        i += CUBE_DIM;
    }
}

#[cube]
fn float(registers: &Registers, #[comptime] number: u16) -> f32 {
    *registers.floats.index(comptime!(number as usize))
}

#[cube]
fn index(registers: &Registers, #[comptime] number: u16) -> i32 {
    *registers.indices.index(comptime!(number as usize))
}

#[cube]
fn truth(registers: &Registers, #[comptime] number: u16) -> bool {
    *registers.bools.index(comptime!(number as usize))
}

#[cube]
fn keep(registers: &mut Registers, bits: u32, #[comptime] element: Element) {
    match element {
        Element::Float => registers.floats.push(f32::reinterpret(bits)),
        Element::Index => registers.indices.push(i32::reinterpret(bits)),
        Element::Bool => registers.bools.push(bits != 0u32),
    }
}

#[cube]
fn bits(registers: &Registers, #[comptime] element: Element, #[comptime] number: u16) -> u32 {
    match element {
        Element::Float => u32::reinterpret(float(registers, number)),
        Element::Index => u32::reinterpret(index(registers, number)),
        Element::Bool => select(truth(registers, number), 1u32, 0u32),
    }
}

#[cube]
#[allow(clippy::too_many_arguments)]
fn step(
    memory: &mut Memory,
    table: &Table,
    words: u32,
    i: u32,
    rounds: Rounds,
    registers: &mut Registers,
    #[comptime] step: Step,
    #[comptime] depth: u8,
) {
    match step {
        Step::Load(walk, element) => {
            let at = address(table, words, i, rounds, walk, depth);
            let found = read(memory, at, rounds, comptime!(walk.page));
            keep(registers, found, element);
        }
        Step::Constant { element, at } => {
            let found = table[(words + comptime!(at as u32)) as usize];
            keep(registers, found, element);
        }
        Step::Pick { walk, element, index: number, at } => {
            let position = index(registers, number);
            let found = pick(memory, table, words, i, rounds, position, walk, at, depth);
            keep(registers, found, element);
        }
        Step::Uniform { seed, step: number, round, at } => {
            let key = u32::reinterpret(index(registers, seed));
            let moment = u32::reinterpret(index(registers, number));
            let turn = match comptime!(round) {
                Some(round) => u32::reinterpret(index(registers, round)),
                None => 0u32.runtime(),
            };
            let site = table[(words + comptime!(at as u32)) as usize];
            let word = philox(key, site, i / 4u32, moment, turn, i % 4u32);
            registers.floats.push((f32::cast_from(word >> 9u32) + 0.5f32) / 8_388_608.0f32);
        }
        Step::Unary(op, a) => {
            let x = float(registers, a);
            registers.floats.push(unary(x, op));
        }
        Step::Binary(op, a, b) => {
            let (x, y) = (float(registers, a), float(registers, b));
            registers.floats.push(binary(x, y, op));
        }
        Step::IndexBinary(op, a, b) => {
            let (x, y) = (index(registers, a), index(registers, b));
            registers.indices.push(index_binary(x, y, op));
        }
        Step::Compare(op, element, a, b) => {
            let found = match element {
                Element::Float => compare::<f32>(float(registers, a), float(registers, b), op),
                Element::Index => compare::<i32>(index(registers, a), index(registers, b), op),
                Element::Bool => compare::<u32>(bits(registers, element, a), bits(registers, element, b), op),
            };
            registers.bools.push(found);
        }
        Step::Logic(op, a, b) => {
            let (x, y) = (truth(registers, a), truth(registers, b));
            match op {
                Logic::And => registers.bools.push(x && y),
                Logic::Or => registers.bools.push(x || y),
            }
        }
        Step::Not(a) => {
            let x = truth(registers, a);
            registers.bools.push(!x);
        }
        Step::Select(element, condition, a, b) => {
            let chosen = truth(registers, condition);
            let found = select(chosen, bits(registers, element, a), bits(registers, element, b));
            keep(registers, found, element);
        }
        Step::Cast(from, into, a) => cast(registers, from, into, a),
        Step::Store(walk, element, value) => {
            let at = address(table, words, i, rounds, walk, depth);
            let found = bits(registers, element, value);
            write(memory, at, found, comptime!(walk.page));
        }
        Step::Check { condition, at } => {
            if !truth(registers, condition) {
                fault(memory, table, words + comptime!(at as u32), 1u32);
            }
        }
    }
}

/// The element at a walk, further on by `position` times a stride. A position outside is noted and read as 0.
#[cube]
#[allow(clippy::too_many_arguments)]
pub fn pick(
    memory: &mut Memory,
    table: &Table,
    words: u32,
    i: u32,
    rounds: Rounds,
    position: i32,
    #[comptime] walk: Walk,
    #[comptime] at: u16,
    #[comptime] depth: u8,
) -> u32 {
    let more = words + comptime!(at as u32);
    let inside = within(memory, table, more + 1u32, position);
    let start = address(table, words, i, rounds, walk, depth);
    read(memory, start + inside * table[more as usize], rounds, comptime!(walk.page))
}

/// Table words: size, place of a fault. The position if it is one, else 0 and a fault.
#[cube]
pub fn within(memory: &mut Memory, table: &Table, words: u32, position: i32) -> u32 {
    let found = u32::reinterpret(position);
    let inside = found < table[words as usize];
    if !inside {
        fault(memory, table, words + 1u32, found);
    }
    select(inside, found, 0u32)
}

/// A fault is two words of the first page: that there is one, and what was wrong.
#[cube]
pub fn fault(memory: &mut Memory, table: &Table, word: u32, what: u32) {
    let at = table[word as usize];
    let array = memory.index_mut(0usize);
    array[at as usize] = 1u32;
    array[(at + 1u32) as usize] = what;
}

/// One of the four words of Philox4x32-10. Source: Salmon et al. 2011.
#[cube]
fn philox(seed: u32, site: u32, block: u32, moment: u32, turn: u32, lane: u32) -> u32 {
    let (mut k0, mut k1) = (seed, site);
    let (mut c0, mut c1, mut c2, mut c3) = (block, 0u32, moment, turn);
    #[unroll]
    for _ in 0..10 {
        let low0 = 0xD251_1F53u32 * c0;
        let low2 = 0xCD9E_8D57u32 * c2;
        let high0 = u32::mul_hi(0xD251_1F53u32, c0);
        let high2 = u32::mul_hi(0xCD9E_8D57u32, c2);
        c0 = high2 ^ c1 ^ k0;
        c2 = high0 ^ c3 ^ k1;
        c1 = low2;
        c3 = low0;
        k0 += 0x9E37_79B9u32;
        k1 += 0xBB67_AE85u32;
    }
    let first = select(lane == 0u32, c0, c1);
    let second = select(lane == 2u32, c2, c3);
    select(lane < 2u32, first, second)
}

#[cube]
fn unary(x: f32, #[comptime] op: Unary) -> f32 {
    match op {
        Unary::Negate => -x,
        Unary::Exp => single::exp(x),
        Unary::Log => single::log(x),
        Unary::Log1p => single::log1p(x),
        Unary::Expm1 => single::expm1(x),
        Unary::Sqrt => f32::sqrt(x),
        Unary::Sin => single::sine(x, 0i32),
        Unary::Cos => single::sine(x, 1i32),
        Unary::Tanh => single::tanh(x),
        Unary::Erf => single::erf(x),
        Unary::Sigmoid => single::sigmoid(x),
        Unary::Abs => single::magnitude(x),
        Unary::Sign => {
            let below = select(x < 0.0f32, -1.0f32, x);
            select(x > 0.0f32, 1.0f32, below)
        }
        Unary::Floor => f32::floor(x),
        Unary::Reciprocal => 1.0f32 / x,
        Unary::NormalQuantile => single::normal_quantile(x),
        Unary::Round(format) => half::round(x, format),
        // Only the host computes these.
        Unary::LogGamma | Unary::Digamma => x,
    }
}

#[cube]
pub fn bigger(a: f32, b: f32) -> f32 {
    select(single::not_a_number(a), a, select(a > b, a, b))
}

#[cube]
pub fn smaller(a: f32, b: f32) -> f32 {
    select(single::not_a_number(a), a, select(a < b, a, b))
}

#[cube]
fn binary(x: f32, y: f32, #[comptime] op: Binary) -> f32 {
    match op {
        Binary::Add => x + y,
        Binary::Subtract => x - y,
        Binary::Multiply => x * y,
        Binary::Divide => x / y,
        Binary::Remainder => x - y * f32::floor(x / y),
        Binary::Power => single::power(x, y),
        Binary::Max => bigger(x, y),
        Binary::Min => smaller(x, y),
    }
}

/// Division rounds down; by zero it gives 0.
#[cube]
fn index_binary(x: i32, y: i32, #[comptime] op: Binary) -> i32 {
    match op {
        Binary::Add => x + y,
        Binary::Subtract => x - y,
        Binary::Multiply => x * y,
        Binary::Max => select(x > y, x, y),
        Binary::Min => select(x < y, x, y),
        Binary::Divide => {
            let by = select(y == 0i32, 1i32, y);
            let towards = x / by;
            let rest = x - towards * by;
            let down = select(rest != 0i32 && ((rest < 0i32) != (by < 0i32)), towards - 1i32, towards);
            select(y == 0i32, 0i32, down)
        }
        Binary::Remainder => {
            let by = select(y == 0i32, 1i32, y);
            let rest = x - (x / by) * by;
            let up = select(rest != 0i32 && ((rest < 0i32) != (by < 0i32)), rest + by, rest);
            select(y == 0i32, 0i32, up)
        }
        Binary::Power => 0i32.runtime(),
    }
}

#[cube]
fn compare<T: Numeric>(x: T, y: T, #[comptime] op: Compare) -> bool {
    match op {
        Compare::Equal => x == y,
        Compare::NotEqual => x != y,
        Compare::Less => x < y,
        Compare::LessEqual => x <= y,
    }
}

#[cube]
fn cast(registers: &mut Registers, #[comptime] from: Element, #[comptime] into: Element, #[comptime] a: u16) {
    match from {
        Element::Float => {
            let x = float(registers, a);
            match into {
                Element::Float => registers.floats.push(x),
                Element::Index => {
                    // Beyond what fits, the nearest that fits; NaN is 0: as on the host.
                    let bounded = select(x < -2_147_483_648.0f32, -2_147_483_648.0f32, x);
                    let fits = select(bounded < 2_147_483_520.0f32, bounded, 2_147_483_520.0f32);
                    let whole = i32::cast_from(select(single::not_a_number(x), 0.0f32, fits));
                    registers.indices.push(select(x >= 2_147_483_648.0f32, 2_147_483_647i32, whole));
                }
                Element::Bool => registers.bools.push(x != 0.0f32),
            }
        }
        Element::Index => {
            let x = index(registers, a);
            match into {
                Element::Float => registers.floats.push(f32::cast_from(x)),
                Element::Index => registers.indices.push(x),
                Element::Bool => registers.bools.push(x != 0i32),
            }
        }
        Element::Bool => {
            let x = truth(registers, a);
            match into {
                Element::Float => registers.floats.push(select(x, 1.0f32, 0.0f32)),
                Element::Index => registers.indices.push(select(x, 1i32, 0i32)),
                Element::Bool => registers.bools.push(x),
            }
        }
    }
}
