//! Lowering of contractions: the axes of two operands sorted into batch, rows (m), columns (n) and contracted (k).
//!
//! No operand is moved where its strides allow a matrix product as it lies. Where a group of axes does not merge into
//! one stride, the rest become loops around the product, or, if the product would be small, the operand is packed.

use super::PlanError;
use super::kernel::{Contract, Kernel};
use super::lower::{Lowering, access};
use super::view::{Loop, View, count, loops};
use crate::graph::{Axis, AxisSet, Element, Half, NodeId};

/// A product inside loops should do at least this many multiplications; otherwise operands are packed.
const SMALL_PRODUCT: usize = 1 << 15;

struct Roles {
    batch: Vec<Axis>,
    rows: Vec<Axis>,
    columns: Vec<Axis>,
    contracted: Vec<Axis>,
}

impl Lowering<'_> {
    pub fn contract(
        &mut self,
        id: NodeId,
        contracted: &AxisSet,
        factors: Option<Half>,
    ) -> Result<View, PlanError> {
        let graph = self.graph;
        let node = graph.node(id);
        let (mut a, mut b) = (self.operand(node, 0)?, self.operand(node, 1)?);
        let (mut a_set, mut b_set) = (&graph.node(node.operands[0]).axes, &graph.node(node.operands[1]).axes);
        let wish = self.wish(id);
        // The operand whose own axes come first in the result is the left one.
        let first_in = |set: &AxisSet, other: &AxisSet| {
            wish.as_ref().and_then(|wish| wish.iter().position(|x| set.contains(*x) && !other.contains(*x)))
        };
        let swap = match (first_in(a_set, b_set), first_in(b_set, a_set)) {
            (Some(left), Some(right)) => right < left,
            // Free to choose: products are fastest where the right operand lies along its own axes.
            _ => {
                let lies_along_its_own = |view: &View, set: &AxisSet, other: &AxisSet| {
                    set.iter().any(|x| !other.contains(x) && view.stride(x) == 1)
                };
                lies_along_its_own(&a, a_set, b_set) && !lies_along_its_own(&b, b_set, a_set)
            }
        };
        if swap {
            std::mem::swap(&mut a, &mut b);
            std::mem::swap(&mut a_set, &mut b_set);
        }
        let shared = a_set.intersection(b_set).minus(contracted);
        let rows = a_set.minus(b_set).minus(contracted);
        let columns = b_set.minus(a_set).minus(contracted);
        let mut roles = Roles {
            batch: a.order(&shared),
            rows: a.order(&rows),
            columns: b.order(&columns),
            contracted: if count(a_set.iter(), self.axes) >= count(b_set.iter(), self.axes) {
                a.order(contracted)
            } else {
                b.order(contracted)
            },
        };
        let order = match wish {
            Some(wish) => {
                let inside = |set: &AxisSet| wish.iter().copied().filter(|x| set.contains(*x)).collect();
                roles.batch = inside(&shared);
                roles.rows = inside(&rows);
                roles.columns = inside(&columns);
                wish
            }
            None => roles.batch.iter().chain(&roles.rows).chain(&roles.columns).copied().collect(),
        };
        let c = self.dense(Element::Float, &order);
        let mut contract = self.product(&roles, &a, &b, &c);
        let pieces = contract.batch.iter().chain(&contract.outer).product::<usize>();
        let batches = count(roles.batch.iter().copied(), self.axes);
        if pieces > batches && contract.m * contract.n * contract.k < SMALL_PRODUCT {
            a = self.gathered(&a, &roles.batch, &roles.rows, &roles.contracted);
            b = self.gathered(&b, &roles.batch, &roles.contracted, &roles.columns);
            contract = self.product(&roles, &a, &b, &c);
        }
        contract.factors = factors;
        self.kernels.push(Kernel::Contract(contract));
        Ok(c)
    }

    /// The operand itself if each of its groups is one stride, or a packed copy.
    fn gathered(&mut self, view: &View, batch: &[Axis], left: &[Axis], right: &[Axis]) -> View {
        let merges = |group: &[Axis]| view.flattened(group, self.axes).is_some();
        if merges(left) && merges(right) {
            return view.clone();
        }
        // Axes along which the operand is constant stay so.
        let order: Vec<Axis> =
            batch.iter().chain(left).chain(right).copied().filter(|axis| view.stride(*axis) != 0).collect();
        self.packed(view, Element::Float, &order)
    }

    fn product(&self, roles: &Roles, a: &View, b: &View, c: &View) -> Contract {
        let (m, row_loops) = biggest(loops(&roles.rows, &[a, b, c], self.axes));
        let (n, column_loops) = biggest(loops(&roles.columns, &[a, b, c], self.axes));
        let (k, outer) = biggest(loops(&roles.contracted, &[a, b, c], self.axes));
        let mut batch = loops(&roles.batch, &[a, b, c], self.axes);
        batch.extend(row_loops);
        batch.extend(column_loops);
        let strides =
            |all: &[Loop], operand: usize| -> Vec<isize> { all.iter().map(|l| l.strides[operand]).collect() };
        Contract {
            factors: None,
            m: m.size,
            n: n.size,
            k: k.size,
            a: access(a, strides(&batch, 0).into_iter()),
            b: access(b, strides(&batch, 1).into_iter()),
            c: access(c, strides(&batch, 2).into_iter()),
            a_outer: strides(&outer, 0),
            b_outer: strides(&outer, 1),
            a_strides: (m.strides[0], k.strides[0]),
            b_strides: (k.strides[1], n.strides[1]),
            c_strides: (m.strides[2], n.strides[2]),
            batch: batch.iter().map(|l| l.size).collect(),
            outer: outer.iter().map(|l| l.size).collect(),
        }
    }
}

/// Takes out the biggest loop (the last of equals).
fn biggest(mut all: Vec<Loop>) -> (Loop, Vec<Loop>) {
    let at = (0..all.len()).max_by_key(|at| all[*at].size);
    match at {
        Some(at) => {
            let one = all.remove(at);
            (one, all)
        }
        None => (Loop { size: 1, strides: smallvec::smallvec![0, 0, 0] }, all),
    }
}
