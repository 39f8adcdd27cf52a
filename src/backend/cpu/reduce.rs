//! Reductions with fixed trees: the same order of operations for the same sizes, whatever runs them.
//!
//! A row is cut in blocks of 1024; in a block 32 lanes each reduce every 32nd element; lanes, and then blocks, are
//! combined in pairs. Columns are reduced 64 rows at a time, and these partial rows are combined in pairs.

use super::walk::{inner, walk};

const LANES: usize = 32;
const BLOCK: usize = 1024;
/// Rows that are reduced one after another before they enter the tree.
const ROWS: usize = 64;
/// Columns at a time.
pub const COLUMNS: usize = 1024;
/// Levels of the tree: enough for any size.
const LEVELS: usize = 48;

/// Elements of work space that [`reduce`] needs.
pub const WORK: usize = COLUMNS * LEVELS;

/// Partial results waiting for a partner, as the binary digits of their number.
struct Tree<T> {
    levels: [T; LEVELS],
    count: usize,
}

impl<T: Copy> Tree<T> {
    fn new(identity: T) -> Self {
        Tree { levels: [identity; LEVELS], count: 0 }
    }

    #[inline(always)]
    fn push(&mut self, mut value: T, f: impl Fn(T, T) -> T) {
        let mut level = 0;
        while self.count >> level & 1 == 1 {
            value = f(self.levels[level], value);
            level += 1;
        }
        self.levels[level] = value;
        self.count += 1;
    }

    #[inline(always)]
    fn finish(&self, f: impl Fn(T, T) -> T) -> Option<T> {
        let mut result = None;
        for level in 0..LEVELS {
            if self.count >> level & 1 == 1 {
                result = Some(match result {
                    None => self.levels[level],
                    Some(value) => f(self.levels[level], value),
                });
            }
        }
        result
    }
}

/// Neighbours in halves: element i with element i + N.
#[inline(always)]
fn halve<T: Copy, const N: usize, const M: usize>(values: [T; M], f: &impl Fn(T, T) -> T) -> [T; N] {
    std::array::from_fn(|at| f(values[at], values[at + N]))
}

#[inline(always)]
fn block<T: Copy>(values: &[T], identity: T, f: &impl Fn(T, T) -> T) -> T {
    let mut lanes = [identity; LANES];
    let (whole, rest) = values.as_chunks::<LANES>();
    for chunk in whole {
        lanes = std::array::from_fn(|at| f(lanes[at], chunk[at]));
    }
    for (lane, value) in lanes.iter_mut().zip(rest) {
        *lane = f(*lane, *value);
    }
    let half: [T; 16] = halve(lanes, f);
    let half: [T; 8] = halve(half, f);
    let half: [T; 4] = halve(half, f);
    let half: [T; 2] = halve(half, f);
    f(half[0], half[1])
}

/// Reduces one contiguous row.
#[inline(always)]
fn row<T: Copy>(values: &[T], identity: T, f: &impl Fn(T, T) -> T) -> T {
    if values.len() <= BLOCK {
        return block(values, identity, f);
    }
    let mut tree = Tree::new(identity);
    for part in values.chunks(BLOCK) {
        tree.push(block(part, identity, f), f);
    }
    tree.finish(f).unwrap_or(identity)
}

/// The loops of a reduction.
pub struct Loops<'a> {
    pub kept: &'a [usize],
    pub kept_strides: &'a [isize],
    pub reduced: &'a [usize],
    pub reduced_strides: &'a [isize],
}

/// Reduces into `to`, dense over the kept loops.
///
/// # Safety
/// Every position that the loops reach lies inside `from`; `to` holds the product of the kept sizes; `work` holds
/// [`WORK`] elements.
#[inline(always)]
pub unsafe fn reduce<T: Copy>(
    loops: &Loops,
    from: *const T,
    to: *mut T,
    work: *mut T,
    identity: T,
    f: impl Fn(T, T) -> T,
) {
    let total: usize = loops.reduced.iter().product();
    let mut at = 0;
    unsafe {
        match (loops.reduced_strides, loops.kept_strides.last(), loops.kept.last()) {
            // Rows.
            ([1], _, _) => walk(loops.kept, [loops.kept_strides], [0], &mut |[offset]| {
                let values = std::slice::from_raw_parts(from.offset(offset), total);
                *to.add(at) = row(values, identity, &f);
                at += 1;
            }),
            // Columns that lie side by side.
            (_, Some(1), Some(width)) if *width >= 4 => {
                let outer = loops.kept.len() - 1;
                walk(&loops.kept[..outer], [&loops.kept_strides[..outer]], [0], &mut |[offset]| {
                    let mut start = 0;
                    while start < *width {
                        let count = COLUMNS.min(width - start);
                        let source = from.offset(offset).add(start);
                        columns(loops, source, to.add(at + start), work, count, identity, &f);
                        start += count;
                    }
                    at += width;
                });
            }
            // Anything: each result's elements are gathered block by block.
            _ => walk(loops.kept, [loops.kept_strides], [0], &mut |[offset]| {
                let mut tree = Tree::new(identity);
                let mut filled = 0;
                let gathered = std::slice::from_raw_parts_mut(work, BLOCK);
                let (outer, [strides], run, [step]) = inner(loops.reduced, [loops.reduced_strides]);
                walk(outer, [strides], [offset], &mut |[source]| {
                    let mut done = 0;
                    while done < run {
                        let count = (run - done).min(BLOCK - filled);
                        let first = from.offset(source + done as isize * step);
                        let to = &mut gathered[filled..filled + count];
                        if step == 1 {
                            to.copy_from_slice(std::slice::from_raw_parts(first, count));
                        } else {
                            for (i, to) in to.iter_mut().enumerate() {
                                *to = *first.offset(i as isize * step);
                            }
                        }
                        done += count;
                        filled += count;
                        if filled == BLOCK {
                            tree.push(block(gathered, identity, &f), &f);
                            filled = 0;
                        }
                    }
                });
                if filled > 0 {
                    tree.push(block(&gathered[..filled], identity, &f), &f);
                }
                *to.add(at) = tree.finish(&f).unwrap_or(identity);
                at += 1;
            }),
        }
    }
}

/// Rows that enter the sums in one go.
const TOGETHER: usize = 4;

#[inline(always)]
unsafe fn columns<T: Copy>(
    loops: &Loops,
    from: *const T,
    to: *mut T,
    work: *mut T,
    width: usize,
    identity: T,
    f: &impl Fn(T, T) -> T,
) {
    unsafe {
        let sum = std::slice::from_raw_parts_mut(to, width);
        sum.fill(identity);
        let level_row = |level: usize| std::slice::from_raw_parts_mut(work.add(level * COLUMNS), width);
        let mut rows = 0usize;
        let mut blocks = 0usize;
        let (outer, [strides], run, [step]) = inner(loops.reduced, [loops.reduced_strides]);
        walk(outer, [strides], [0], &mut |[offset]| {
            let mut done = 0;
            while done < run {
                if rows == ROWS {
                    // The finished rows enter the tree.
                    let mut level = 0;
                    while blocks >> level & 1 == 1 {
                        for (sum, value) in sum.iter_mut().zip(&*level_row(level)) {
                            *sum = f(*value, *sum);
                        }
                        level += 1;
                    }
                    level_row(level).copy_from_slice(sum);
                    blocks += 1;
                    sum.fill(identity);
                    rows = 0;
                }
                let row = |number: usize| {
                    let start = from.offset(offset + (done + number) as isize * step);
                    std::slice::from_raw_parts(start, width)
                };
                if (run - done).min(ROWS - rows) >= TOGETHER {
                    let others = row(0).iter().zip(row(1)).zip(row(2)).zip(row(3));
                    for (sum, (((a, b), c), d)) in sum.iter_mut().zip(others) {
                        *sum = f(f(f(f(*sum, *a), *b), *c), *d);
                    }
                    rows += TOGETHER;
                    done += TOGETHER;
                } else {
                    for (sum, value) in sum.iter_mut().zip(row(0)) {
                        *sum = f(*sum, *value);
                    }
                    rows += 1;
                    done += 1;
                }
            }
        });
        for level in 0..LEVELS {
            if blocks >> level & 1 == 1 {
                for (sum, value) in sum.iter_mut().zip(&*level_row(level)) {
                    *sum = f(*value, *sum);
                }
            }
        }
    }
}
