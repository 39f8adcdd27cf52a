//! How a native kernel walks through its elements.
//!
//! In: a fused kernel. Out: rows that every load goes through evenly, standing still or one element at a time; or tiles, where some
//! load has to be gathered first.

use smallvec::SmallVec;

use crate::plan::kernel::{Fused, Load, LoadKind};

/// Rows shorter than this are not worth a loop of their own.
const SHORT: usize = 16;

#[derive(Clone, Debug, PartialEq)]
pub enum Shape {
    /// All elements are one row.
    Flat,
    /// Rows of `width` elements, `rows` of them in a block, `blocks` of those at a time, for each position of the outer loops.
    Rows { outer: Vec<usize>, blocks: usize, rows: usize, width: usize },
    /// Strided loads are gathered, a tile at a time.
    Tiles,
}

/// Strides of a stream, in elements.
#[derive(Clone, Debug, PartialEq)]
pub struct Strides {
    pub outer: SmallVec<[isize; 4]>,
    pub block: isize,
    pub row: isize,
    pub is_uniform: bool,
}

/// Rows of exactly this width, if every load goes evenly through them.
pub fn shape_in_rows(fused: &Fused, width: usize) -> Option<(Shape, Vec<Strides>)> {
    let strided: Vec<&[(usize, isize)]> = fused.loads.iter().filter_map(loops).collect();
    rows(fused, &strided, Some(width))
        .filter(|(shape, _)| matches!(shape, Shape::Rows { width: found, .. } if *found == width))
}

/// The shape, and the strides of each load; stores are dense.
pub fn shape(fused: &Fused) -> (Shape, Vec<Strides>) {
    let strided: Vec<&[(usize, isize)]> = fused.loads.iter().filter_map(loops).collect();
    let still = |load: &Load| Strides {
        outer: SmallVec::new(),
        block: 0,
        row: 0,
        is_uniform: load.kind == LoadKind::Uniform,
    };
    let simple = || fused.loads.iter().map(still).collect();
    if strided.is_empty() {
        return (Shape::Flat, simple());
    }
    rows(fused, &strided, None).unwrap_or_else(|| (Shape::Tiles, simple()))
}

fn loops(load: &Load) -> Option<&[(usize, isize)]> {
    match &load.kind {
        LoadKind::Strided(loops) => Some(loops),
        _ => None,
    }
}

fn rows(
    fused: &Fused,
    strided: &[&[(usize, isize)]],
    wanted: Option<usize>,
) -> Option<(Shape, Vec<Strides>)> {
    // Elements inside each place where some load's loop begins.
    let mut cuts = vec![1, fused.length];
    cuts.extend(wanted);
    for loops in strided {
        let mut inside = 1;
        for (size, _) in loops.iter().rev() {
            inside *= size;
            cuts.push(inside);
        }
    }
    cuts.sort_unstable();
    cuts.dedup();
    let sizes: Option<Vec<usize>> = cuts
        .windows(2)
        .map(|pair| if pair[0] > 0 && pair[1] % pair[0] == 0 { Some(pair[1] / pair[0]) } else { None })
        .collect();
    // The innermost first.
    let sizes = sizes?;
    let width = *sizes.first()?;
    if width < SHORT {
        return None;
    }
    let all: Option<Vec<Vec<isize>>> = fused.loads.iter().map(|load| strides(load, &cuts)).collect();
    let all = all?;
    if all.iter().any(|strides| !matches!(strides.first(), Some(0 | 1))) {
        return None;
    }
    let outer: Vec<usize> = sizes.iter().skip(3).rev().copied().collect();
    let [rows, blocks] = [1, 2].map(|level| sizes.get(level).copied().unwrap_or(1));
    let shape = Shape::Rows { outer, blocks, rows, width };
    let found = all.into_iter().map(|strides| Strides {
        is_uniform: strides[0] == 0,
        row: strides.get(1).copied().unwrap_or(0),
        block: strides.get(2).copied().unwrap_or(0),
        outer: strides.iter().skip(3).rev().copied().collect(),
    });
    Some((shape, found.collect()))
}

/// A load's stride in each of the loops between cuts, innermost first.
fn strides(load: &Load, cuts: &[usize]) -> Option<Vec<isize>> {
    let starts = &cuts[..cuts.len() - 1];
    Some(match &load.kind {
        LoadKind::Contiguous => starts.iter().map(|inside| *inside as isize).collect(),
        LoadKind::Uniform => vec![0; starts.len()],
        LoadKind::Strided(loops) => {
            let mut found = Vec::with_capacity(starts.len());
            let mut own = loops.iter().rev();
            let (mut begin, mut end, mut stride) = (1, 1, 0);
            for start in starts {
                while *start >= end {
                    let (size, next) = own.next()?;
                    begin = end;
                    end *= size;
                    stride = *next;
                }
                found.push((start / begin) as isize * stride);
            }
            found
        }
    })
}
