//! Views: where the elements of a node lie in a buffer.
//!
//! In: axes. Out: strides by axis; loops merged where every operand allows it.

use smallvec::SmallVec;

use super::kernel::BufferId;
use crate::graph::{Axis, AxisSet, AxisTable};

/// The elements of a node: `offset + sum over axes of position * stride`. An axis that is not listed has stride 0.
#[derive(Clone, Debug, PartialEq)]
pub struct View {
    pub buffer: BufferId,
    pub offset: isize,
    pub strides: SmallVec<[(Axis, isize); 4]>,
}

impl View {
    /// Row-major in `order`, filling the buffer.
    pub fn dense(buffer: BufferId, order: &[Axis], axes: &AxisTable) -> View {
        let mut stride = 1;
        let mut strides = SmallVec::new();
        for axis in order.iter().rev() {
            strides.push((*axis, stride));
            stride *= axes.size(*axis) as isize;
        }
        View { buffer, offset: 0, strides }
    }

    pub fn stride(&self, axis: Axis) -> isize {
        self.strides.iter().find(|(a, _)| *a == axis).map_or(0, |(_, stride)| *stride)
    }

    /// The same view without one axis; gives the stride that it had.
    pub fn remove(&mut self, axis: Axis) -> isize {
        let stride = self.stride(axis);
        self.strides.retain(|(a, _)| *a != axis);
        stride
    }

    pub fn insert(&mut self, axis: Axis, stride: isize) {
        self.strides.push((axis, stride));
    }

    /// The axes from slowest to fastest as they lie in memory; constant axes come first.
    pub fn order(&self, set: &AxisSet) -> Vec<Axis> {
        let mut order: Vec<Axis> = set.iter().collect();
        order.sort_by_key(|axis| match self.stride(*axis).unsigned_abs() {
            0 => std::cmp::Reverse(usize::MAX),
            stride => std::cmp::Reverse(stride),
        });
        order
    }

    /// Is this exactly the row-major array in `order`, from the start of its buffer?
    pub fn is_dense(&self, order: &[Axis], axes: &AxisTable) -> bool {
        let mut stride = 1;
        self.offset == 0
            && order.iter().rev().all(|axis| {
                let size = axes.size(*axis) as isize;
                let fits = size == 1 || self.stride(*axis) == stride;
                stride *= size;
                fits
            })
    }

    /// The stride of `group` (first axis slowest) taken as one axis, if it has one.
    pub fn flattened(&self, group: &[Axis], axes: &AxisTable) -> Option<isize> {
        let mut inner: Option<(isize, isize)> = None;
        for axis in group.iter().rev() {
            let (size, stride) = (axes.size(*axis) as isize, self.stride(*axis));
            if size == 1 {
                continue;
            }
            inner = match inner {
                None => Some((stride, stride * size)),
                Some((first, next)) if next == stride => Some((first, stride * size)),
                Some(_) => return None,
            };
        }
        Some(inner.map_or(0, |(first, _)| first))
    }
}

/// One loop with the stride of every operand.
#[derive(Clone, Debug, PartialEq)]
pub struct Loop {
    pub size: usize,
    pub strides: SmallVec<[isize; 3]>,
}

/// The loops over `order` for several views, neighbours merged where all views allow it, loops of size 1 dropped.
pub fn loops(order: &[Axis], views: &[&View], axes: &AxisTable) -> Vec<Loop> {
    let all = order.iter().map(|axis| Loop {
        size: axes.size(*axis),
        strides: views.iter().map(|view| view.stride(*axis)).collect(),
    });
    merge(all)
}

/// Merges neighbouring loops (outer first) that all operands run through evenly.
pub fn merge(all: impl Iterator<Item = Loop>) -> Vec<Loop> {
    let mut merged: Vec<Loop> = Vec::new();
    for inner in all {
        if inner.size == 1 {
            continue;
        }
        if let Some(outer) = merged.last_mut() {
            let even = outer
                .strides
                .iter()
                .zip(&inner.strides)
                .all(|(outer, stride)| *outer == stride * inner.size as isize);
            if even {
                outer.size *= inner.size;
                outer.strides = inner.strides;
                continue;
            }
        }
        merged.push(inner);
    }
    merged
}

/// Number of elements of a set of axes.
pub fn count(order: impl Iterator<Item = Axis>, axes: &AxisTable) -> usize {
    order.map(|axis| axes.size(axis)).product()
}
