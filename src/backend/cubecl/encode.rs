//! Plan to device: the chains of a level become forms and words.
//!
//! In: a frame and the kernels of a chain. Out: a [`Form`], the words of one member of it, and its rows.

use super::fault::Faults;
use super::ir::{
    Along, Fold, Form, HEAD, Lanes, Lines, Page, Part, Rank, Register, Scatter, Stage, Step, Walk,
};
use super::kernel::tile::Tiling;
use super::place::{ARENA, Frame, Located};
use crate::graph::{Binary, Element, Reduction};
use crate::plan::kernel::{Access, BufferId, Contract, Fused, Indexed, Kernel, Line, LoadKind, Operation};
use crate::plan::launch::{Chain, MOST_CUBES, UNITS, lanes, tile};

/// A chain or a contraction as the device runs it.
pub struct Member<F> {
    pub form: F,
    pub words: Vec<u32>,
    pub cubes: usize,
}

pub fn member(frame: &Frame, chain: &Chain, faults: &mut Faults) -> Member<Form> {
    let mut encoder = Encoder { frame, faults, words: vec![0; HEAD as usize], begin: 0, busiest: 1 };
    let mut stages = Vec::new();
    for (at, wait) in chain.kernels.iter().zip(&chain.waits) {
        encoder.begin = encoder.words.len();
        let stage = encoder.stage(&frame.plan.kernels[*at], chain.rows);
        stages.push(Part { stage, wait: *wait, end: encoder.words.len() as u32 });
    }
    let share = UNITS.div_ceil(encoder.busiest).max(chain.rows.div_ceil(2 * MOST_CUBES)).max(1);
    let cubes = chain.rows.div_ceil(share);
    let mut words = encoder.words;
    words[2] = chain.rows as u32;
    words[3] = share as u32;
    Member { form: Form { stages, depth: frame.depth as u8 }, words, cubes }
}

/// Copies single numbers to a ring, a row of them every run; the number of the row is that of the outermost loop.
pub fn keep(numbers: &[(Located, Element)], ring: usize) -> Member<Form> {
    let mut words = vec![0; HEAD as usize];
    let mut stages = Vec::new();
    for (at, (place, element)) in numbers.iter().enumerate() {
        let begin = words.len();
        let row = (ring + at) as u32;
        words.extend([1, place.offset as u32, 0, row, numbers.len() as u32]);
        let walk = |page: Page, at: u16| Walk { page, rank: Rank::Uniform, at };
        let steps = vec![Step::Load(walk(place.page, 1), *element), Step::Store(walk(ARENA, 3), *element, 0)];
        debug_assert_eq!(words.len() - begin, 5);
        stages.push(Part { stage: Stage::Map(steps), wait: false, end: words.len() as u32 });
    }
    (words[2], words[3]) = (1, 1);
    Member { form: Form { stages, depth: 1 }, words, cubes: 1 }
}

/// A large contraction: a cube for each tile of the result.
pub fn tiles(frame: &Frame, c: &Contract, faults: &mut Faults) -> Member<Tiling> {
    let mut encoder = Encoder { frame, faults, words: vec![0; HEAD as usize], begin: 0, busiest: 1 };
    let inner: Vec<usize> = c.outer.iter().copied().chain([c.k]).collect();
    let count: usize = inner.iter().product();
    let strides = [c.a_strides.0, c.b_strides.1, c.c_strides.0, c.c_strides.1];
    encoder.words.extend([c.m, c.n, count].map(|size| size as u32));
    encoder.words.extend(strides.map(|stride| stride as u32));
    let mut side = |access: &Access, outer: &[isize], k: isize| {
        let walk = encoder.access(access, &c.batch);
        let loops: Vec<(usize, isize)> =
            inner.iter().copied().zip(outer.iter().copied().chain([k])).collect();
        (walk, encoder.inner(walk.page, &loops))
    };
    let a = side(&c.a, &c.a_outer, c.a_strides.1);
    let b = side(&c.b, &c.b_outer, c.b_strides.0);
    let to = encoder.access(&c.c, &c.batch);
    let shape = Tiling {
        a,
        b,
        c: to,
        a_strips: c.a_strides.1 == 1,
        b_strips: c.b_strides.0 == 1,
        reach: tile(c) as u32 / 16,
        words: encoder.words.len() as u32,
        depth: frame.depth as u8,
    };
    let batch: usize = c.batch.iter().product();
    let (columns, rows) = (c.n.div_ceil(tile(c)), c.m.div_ceil(tile(c)));
    let mut words = encoder.words;
    (words[2], words[3]) = (columns as u32, rows as u32);
    Member { form: shape, words, cubes: columns * rows * batch }
}

struct Encoder<'a> {
    frame: &'a Frame<'a>,
    faults: &'a mut Faults,
    words: Vec<u32>,
    /// Where the words of the stage begin.
    begin: usize,
    /// Units that a row keeps busy.
    busiest: usize,
}

impl Encoder<'_> {
    fn here(&self) -> u16 {
        (self.words.len() - self.begin) as u16
    }

    fn word(&mut self, word: usize) -> u16 {
        let at = self.here();
        self.words.push(word as u32);
        at
    }

    fn element(&self, buffer: BufferId) -> Element {
        self.frame.plan.buffers[buffer.0 as usize].element
    }

    fn length(&self, buffer: BufferId) -> usize {
        self.frame.plan.buffers[buffer.0 as usize].length
    }

    /// An access from a place on; loops are (size, stride), outer first.
    fn walk(&mut self, place: Located, offset: isize, loops: &[(usize, isize)]) -> Walk {
        let at = self.here();
        self.words.push((place.offset + offset as i64) as u32);
        self.words.extend(place.strides[..self.frame.depth].iter().map(|stride| *stride as u32));
        let loops = merged(loops);
        let rank = match loops.as_slice() {
            [] => Rank::Uniform,
            [(_, 1)] => Rank::Flat,
            loops => {
                self.words.extend(loops.iter().flat_map(|(size, stride)| [*size as u32, *stride as u32]));
                Rank::Strided(loops.len() as u8)
            }
        };
        Walk { page: place.page, rank, at }
    }

    /// How a loop inside an iteration goes on from where the iteration starts.
    fn inner(&mut self, page: Page, loops: &[(usize, isize)]) -> Walk {
        self.walk(Located::new(page, 0), 0, loops)
    }

    fn access(&mut self, access: &Access, sizes: &[usize]) -> Walk {
        let loops: Vec<(usize, isize)> = sizes.iter().copied().zip(access.strides.iter().copied()).collect();
        self.walk(self.frame.place(access.buffer), access.offset, &loops)
    }

    fn flat(&mut self, buffer: BufferId, length: usize) -> Walk {
        self.walk(self.frame.place(buffer), 0, &[(length, 1)])
    }

    fn single(&mut self, access: &Access) -> Walk {
        self.walk(self.frame.place(access.buffer), access.offset, &[])
    }

    fn busy(&mut self, iterations: usize, rows: usize) -> usize {
        let each = iterations / rows;
        self.busiest = self.busiest.max(each);
        each
    }

    fn stage(&mut self, kernel: &Kernel, rows: usize) -> Stage {
        match kernel {
            Kernel::Fused(fused) => self.fused(fused, rows),
            Kernel::Fill { buffer, value } => {
                let n = self.length(*buffer);
                self.start(n, rows);
                let element = self.element(*buffer);
                let bits = match element {
                    Element::Float => (*value as f32).to_bits(),
                    Element::Index => *value as i32 as u32,
                    Element::Bool => u32::from(*value != 0.0),
                };
                let constant = self.constant(bits);
                let to = self.flat(*buffer, n);
                Stage::Map(vec![Step::Constant { element, at: constant }, Step::Store(to, element, 0)])
            }
            Kernel::Copy { sizes, from, to, add } => {
                let n: usize = sizes.iter().product();
                self.start(n, rows);
                let element = self.element(from.buffer);
                let (read, write) = (self.access(from, sizes), self.access(to, sizes));
                if *add {
                    return Stage::Map(vec![
                        Step::Load(write, element),
                        Step::Load(read, element),
                        Step::Binary(Binary::Add, 0, 1),
                        Step::Store(write, element, 2),
                    ]);
                }
                Stage::Map(vec![Step::Load(read, element), Step::Store(write, element, 0)])
            }
            Kernel::Reduce { reduction, kept, reduced, from, inner, to } => {
                let n: usize = kept.iter().product();
                let count: usize = reduced.iter().product();
                let last = kept.iter().zip(&from.strides).rev().find(|(size, _)| **size != 1);
                let lanes = self.fold(n, count, rows, last.is_some_and(|(_, stride)| *stride == 1));
                let first = self.access(from, kept);
                let loops: Vec<(usize, isize)> = reduced.iter().copied().zip(inner.iter().copied()).collect();
                let more = self.inner(first.page, &loops);
                let element = self.element(from.buffer);
                let to = self.flat(*to, n);
                Stage::Fold(Fold {
                    reduction: *reduction,
                    element,
                    first: (first, more),
                    second: None,
                    to,
                    lanes,
                })
            }
            Kernel::Contract(contract) => self.contract(contract, rows),
            Kernel::Gather(loops) => {
                let Indexed { node, size, stride, outer, inner, index, from, to, from_inner, to_inner } =
                    loops;
                let sizes: Vec<usize> = outer.iter().chain(inner).copied().collect();
                self.start(sizes.iter().product(), rows);
                let all = |access: &Access, inner: &[isize]| {
                    let strides = access.strides.iter().chain(inner).copied().collect();
                    Access { strides, ..access.clone() }
                };
                let element = self.element(from.buffer);
                let index = self.access(&all(index, &vec![0; inner.len()]), &sizes);
                let walk = self.access(&all(from, from_inner), &sizes);
                let to = self.access(&all(to, to_inner), &sizes);
                let at = self.word(*stride as usize);
                self.word(*size);
                let fault = self.faults.index(*node, *size);
                self.word(fault);
                // An index is the first register of its element, and so is what it picks unless it is an index too.
                let value = Register::from(element == Element::Index);
                Stage::Map(vec![
                    Step::Load(index, Element::Index),
                    Step::Pick { walk, element, index: 0, at },
                    Step::Store(to, element, value),
                ])
            }
            Kernel::Scatter(reduction, loops) => self.scatter(*reduction, loops, rows),
            Kernel::Line { line, outer, size, from, from_stride, to, to_stride, .. } => {
                let n: usize = outer.iter().product();
                self.start(n, rows);
                let along = match line {
                    Line::ArgReduce { smallest } => Along::Extreme { smallest: *smallest },
                    Line::ArgSort { descending } => Along::Sort { descending: *descending },
                    Line::Rank(ties) => Along::Rank(*ties),
                    Line::Cumulative { kind, reverse } => {
                        Along::Cumulative { kind: *kind, reverse: *reverse }
                    }
                };
                if matches!(along, Along::Sort { .. } | Along::Rank(_)) {
                    self.busy(n * size, rows);
                }
                let (from, to) = (self.access(from, outer), self.access(to, outer));
                let at = self.word(*size);
                self.word(*from_stride as usize);
                self.word(*to_stride as usize);
                Stage::Lines(Lines { along, from, to, at })
            }
            Kernel::Random { site, seed, step, round, to } => {
                let n = self.length(*to);
                self.start(n, rows);
                let mut steps = vec![
                    Step::Load(self.single(seed), Element::Index),
                    Step::Load(self.single(step), Element::Index),
                ];
                if let Some(round) = round {
                    steps.push(Step::Load(self.single(round), Element::Index));
                }
                let at = self.constant(*site);
                let to = self.flat(*to, n);
                steps.push(Step::Uniform { seed: 0, step: 1, round: round.as_ref().map(|_| 2), at });
                steps.push(Step::Store(to, Element::Float, 0));
                Stage::Map(steps)
            }
            Kernel::Check { check, condition } => {
                self.start(1, rows);
                let load = self.single(condition);
                let fault = self.faults.check(*check);
                let at = self.word(fault);
                Stage::Map(vec![Step::Load(load, Element::Bool), Step::Check { condition: 0, at }])
            }
            // The scheduler makes no stages of these.
            Kernel::Matrix { .. } | Kernel::Rounds(_) => Stage::Map(Vec::new()),
        }
    }

    /// The first word of a stage: its iterations in a row.
    fn start(&mut self, iterations: usize, rows: usize) {
        let each = self.busy(iterations, rows);
        self.words.push(each as u32);
    }

    fn constant(&mut self, bits: u32) -> u16 {
        self.word(bits as usize)
    }

    /// The first words of a fold. `beside`: the elements of neighbouring iterations lie side by side.
    fn fold(&mut self, iterations: usize, count: usize, rows: usize, beside: bool) -> Lanes {
        let lanes = lanes(iterations, count, rows);
        self.start(iterations, rows);
        self.busy(iterations * lanes, rows);
        self.words.extend([count as u32, lanes as u32]);
        match lanes {
            1 => Lanes::One,
            _ if beside => Lanes::Apart,
            _ => Lanes::Neighbours,
        }
    }

    fn fused(&mut self, fused: &Fused, rows: usize) -> Stage {
        self.start(fused.length, rows);
        let mut steps = Vec::new();
        let mut registers: Vec<(Element, Register)> = Vec::new();
        let mut counts = [0 as Register; 3];
        let mut next = |element: Element| {
            let count = &mut counts[element as usize];
            *count += 1;
            (element, *count - 1)
        };
        for load in &fused.loads {
            let place = self.frame.place(load.buffer);
            let walk = match &load.kind {
                LoadKind::Contiguous => self.walk(place, load.offset, &[(fused.length, 1)]),
                LoadKind::Uniform => self.walk(place, load.offset, &[]),
                LoadKind::Strided(loops) => self.walk(place, load.offset, loops),
            };
            steps.push(Step::Load(walk, load.element));
            registers.push(next(load.element));
        }
        for instruction in &fused.instructions {
            let [a, b, c] =
                instruction.arguments.map(|value| registers.get(value as usize).map_or(0, |r| r.1));
            steps.push(match instruction.operation {
                Operation::Unary(op) => Step::Unary(op, a),
                Operation::Binary(op) => Step::Binary(op, a, b),
                Operation::IndexBinary(op) => Step::IndexBinary(op, a, b),
                Operation::Compare(op, element) => Step::Compare(op, element, a, b),
                Operation::Logic(op) => Step::Logic(op, a, b),
                Operation::Not => Step::Not(a),
                Operation::Select(element) => Step::Select(element, a, b, c),
                Operation::Cast(from, into) => Step::Cast(from, into, a),
                // Only the host computes special functions.
                Operation::Special(_) => Step::Unary(crate::graph::Unary::Abs, a),
            });
            registers.push(next(instruction.element));
        }
        for (value, buffer) in &fused.stores {
            let (element, register) = registers[*value as usize];
            let to = self.flat(*buffer, fused.length);
            steps.push(Step::Store(to, element, register));
        }
        Stage::Map(steps)
    }

    fn contract(&mut self, c: &Contract, rows: usize) -> Stage {
        let sizes: Vec<usize> = c.batch.iter().copied().chain([c.m, c.n]).collect();
        let inner: Vec<usize> = c.outer.iter().copied().chain([c.k]).collect();
        let beside = if c.n > 1 { c.b_strides.1 == 1 } else { c.m > 1 && c.a_strides.0 == 1 };
        let lanes = self.fold(sizes.iter().product(), inner.iter().product(), rows, beside);
        let mut side = |access: &Access, row: isize, column: isize, outer: &[isize], k: isize| {
            let strides = access.strides.iter().copied().chain([row, column]).collect();
            let walk = self.access(&Access { strides, ..access.clone() }, &sizes);
            let loops = inner.iter().copied().zip(outer.iter().copied().chain([k]));
            let loops: Vec<(usize, isize)> = loops.collect();
            (walk, self.inner(walk.page, &loops))
        };
        let first = side(&c.a, c.a_strides.0, 0, &c.a_outer, c.a_strides.1);
        let second = side(&c.b, 0, c.b_strides.1, &c.b_outer, c.b_strides.0);
        let strides = c.c.strides.iter().copied().chain([c.c_strides.0, c.c_strides.1]).collect();
        let to = self.access(&Access { strides, ..c.c.clone() }, &sizes);
        let reduction = Reduction::Sum;
        Stage::Fold(Fold { reduction, element: Element::Float, first, second: Some(second), to, lanes })
    }

    fn scatter(&mut self, reduction: Reduction, loops: &Indexed, rows: usize) -> Stage {
        let Indexed { node, size, stride, outer, inner, index, from, to, from_inner, to_inner } = loops;
        let (kept, over): (Vec<usize>, Vec<usize>) = (0..outer.len()).partition(|at| to.strides[*at] != 0);
        let sizes: Vec<usize> =
            kept.iter().map(|at| outer[*at]).chain([*size]).chain(inner.iter().copied()).collect();
        let count: usize = over.iter().map(|at| outer[*at]).product();
        let lanes = self.fold(sizes.iter().product(), count, rows, true);
        let whole = |access: &Access, picked: isize, inner: &[isize]| {
            let strides =
                kept.iter().map(|at| access.strides[*at]).chain([picked]).chain(inner.iter().copied());
            Access { strides: strides.collect(), ..access.clone() }
        };
        let rest = |access: &Access| -> Vec<(usize, isize)> {
            over.iter().map(|at| (outer[*at], access.strides[*at])).collect()
        };
        let index_walk = self.access(&whole(index, 0, &vec![0; inner.len()]), &sizes);
        let index_more = self.inner(index_walk.page, &rest(index));
        let from_walk = self.access(&whole(from, 0, from_inner), &sizes);
        let from_more = self.inner(from_walk.page, &rest(from));
        let to_walk = self.access(&whole(to, *stride, to_inner), &sizes);
        let at = self.word(*size);
        self.word(inner.iter().product());
        self.word(*size);
        let fault = self.faults.index(*node, *size);
        self.word(fault);
        Stage::Scatter(Scatter {
            reduction,
            element: self.element(from.buffer),
            lanes,
            index: (index_walk, index_more),
            from: (from_walk, from_more),
            to: to_walk,
            at,
        })
    }
}

/// Loops without those of one round, and with neighbours that are one loop joined.
pub fn merged(loops: &[(usize, isize)]) -> Vec<(usize, isize)> {
    let mut merged: Vec<(usize, isize)> = Vec::new();
    for (size, stride) in loops.iter().filter(|(size, _)| *size != 1) {
        match merged.last_mut() {
            Some((outer, outer_stride)) if *outer_stride == stride * *size as isize => {
                *outer *= size;
                *outer_stride = *stride;
            }
            _ => merged.push((*size, *stride)),
        }
    }
    if merged.iter().all(|(_, stride)| *stride == 0) {
        merged.clear();
    }
    merged
}
