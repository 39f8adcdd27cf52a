//! Reductions with fixed trees: the same order of operations for the same sizes, whatever runs them.
//!
//! A row is cut in blocks of 1024, see [`super::fold`], which are combined in pairs. Columns are reduced 64 rows at a time, and these partial rows are combined in pairs.

use super::fold::{BLOCK, Folds, RowSet, TOGETHER};
use super::walk::{inner, walk};
use crate::plan::column_sum::{BESIDE, MOST};

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

/// Reduces one contiguous row.
unsafe fn row<T: Copy>(values: &[T], folds: &Folds<T>) -> T {
    let mut tree = Tree::new(folds.identity);
    for part in values.chunks(BLOCK) {
        tree.push(unsafe { (folds.block)(part) }, folds.fold);
    }
    tree.finish(folds.fold).unwrap_or(folds.identity)
}

/// The loops of a reduction.
pub struct Loops<'a> {
    pub kept: &'a [usize],
    pub kept_strides: &'a [isize],
    pub reduced: &'a [usize],
    pub reduced_strides: &'a [isize],
    /// Columns that lie side by side are reduced together.
    columns: bool,
}

impl<'a> Loops<'a> {
    /// Of a whole reduction.
    pub fn new(
        kept: &'a [usize],
        kept_strides: &'a [isize],
        reduced: &'a [usize],
        reduced_strides: &'a [isize],
    ) -> Loops<'a> {
        let are_beside = kept_strides.last() == Some(&1) && kept.last().is_some_and(|width| *width >= BESIDE);
        let columns = reduced_strides != [1] && are_beside;
        Loops { kept, kept_strides, reduced, reduced_strides, columns }
    }

    /// Some of its results, by the tree of the whole: what is cut narrow has the same bits.
    pub fn part<'b>(&self, kept: &'b [usize], kept_strides: &'b [isize]) -> Loops<'b>
    where
        'a: 'b,
    {
        Loops { kept, kept_strides, ..*self }
    }
}

/// Reduces into `to`, dense over the kept loops.
///
/// # Safety
/// Every position that the loops reach lies inside `from`; `to` holds the product of the kept sizes; `work` holds
/// [`WORK`] elements.
pub unsafe fn reduce<T: Copy>(loops: &Loops, from: *const T, to: *mut T, work: *mut T, folds: &Folds<T>) {
    let total: usize = loops.reduced.iter().product();
    let mut at = 0;
    unsafe {
        match (loops.reduced_strides, loops.kept.last()) {
            // Rows.
            ([1], _) if total <= BLOCK => {
                let (outer, [strides], count, [stride]) = inner(loops.kept, [loops.kept_strides]);
                walk(outer, [strides], [0], &mut |[offset]| {
                    let rows = RowSet { from: from.offset(offset), stride, count, width: total };
                    (folds.rows)(rows, to.add(at));
                    at += count;
                });
            }
            ([1], _) => walk(loops.kept, [loops.kept_strides], [0], &mut |[offset]| {
                let values = std::slice::from_raw_parts(from.offset(offset), total);
                *to.add(at) = row(values, folds);
                at += 1;
            }),
            // Columns that lie side by side.
            (_, Some(width)) if loops.columns => {
                let outer = loops.kept.len() - 1;
                walk(&loops.kept[..outer], [&loops.kept_strides[..outer]], [0], &mut |[offset]| {
                    let mut start = 0;
                    while start < *width {
                        let count = COLUMNS.min(width - start);
                        let source = from.offset(offset).add(start);
                        columns(loops, source, to.add(at + start), work, count, folds);
                        start += count;
                    }
                    at += width;
                });
            }
            // Anything: each result's elements are gathered block by block.
            _ => walk(loops.kept, [loops.kept_strides], [0], &mut |[offset]| {
                let mut tree = Tree::new(folds.identity);
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
                            tree.push((folds.block)(gathered), folds.fold);
                            filled = 0;
                        }
                    }
                });
                if filled > 0 {
                    tree.push((folds.block)(&gathered[..filled]), folds.fold);
                }
                *to.add(at) = tree.finish(folds.fold).unwrap_or(folds.identity);
                at += 1;
            }),
        }
    }
}

/// Folds neighbouring rows into a row of sums, one after another; the first ones that the sums take in begin them.
///
/// # Safety
/// The rows are there, and `sums` is as long as one of them.
pub unsafe fn grow<T: Copy>(sums: &mut [T], rows: *const T, count: usize, begins: bool, folds: &Folds<T>) {
    if begins {
        sums.fill(folds.identity);
    }
    let row = |number: usize| rows.wrapping_add(number * sums.len());
    let whole = count / TOGETHER * TOGETHER;
    let starts: [*const T; TOGETHER] = std::array::from_fn(row);
    let length = sums.len();
    unsafe {
        for first in (0..whole).step_by(TOGETHER) {
            (folds.four)(sums, starts.map(|start| start.wrapping_add(first * length)));
        }
        for number in whole..count {
            (folds.after)(sums, rows.wrapping_add(number * length));
        }
    }
}

unsafe fn columns<T: Copy>(
    loops: &Loops,
    from: *const T,
    to: *mut T,
    work: *mut T,
    width: usize,
    folds: &Folds<T>,
) {
    unsafe {
        let sum = std::slice::from_raw_parts_mut(to, width);
        sum.fill(folds.identity);
        let level_row = |level: usize| std::slice::from_raw_parts_mut(work.add(level * COLUMNS), width);
        let mut rows = 0usize;
        let mut blocks = 0usize;
        let (outer, [strides], run, [step]) = inner(loops.reduced, [loops.reduced_strides]);
        walk(outer, [strides], [0], &mut |[offset]| {
            let mut done = 0;
            while done < run {
                if rows == MOST {
                    // The finished rows enter the tree.
                    let mut level = 0;
                    while blocks >> level & 1 == 1 {
                        (folds.before)(sum, level_row(level).as_ptr());
                        level += 1;
                    }
                    level_row(level).copy_from_slice(sum);
                    blocks += 1;
                    sum.fill(folds.identity);
                    rows = 0;
                }
                let row = |number: usize| from.offset(offset + (done + number) as isize * step);
                if (run - done).min(MOST - rows) >= TOGETHER {
                    (folds.four)(sum, std::array::from_fn(row));
                    rows += TOGETHER;
                    done += TOGETHER;
                } else {
                    (folds.after)(sum, row(0));
                    rows += 1;
                    done += 1;
                }
            }
        });
        for level in 0..LEVELS {
            if blocks >> level & 1 == 1 {
                (folds.before)(sum, level_row(level).as_ptr());
            }
        }
    }
}
