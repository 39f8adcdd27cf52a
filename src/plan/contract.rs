//! Lowering of contractions: the axes of two operands sorted into batch, rows (m), columns (n) and contracted (k).
//!
//! No operand is moved where its strides allow a matrix product as it lies. Where a group of axes does not merge into
//! one stride, the rest become loops around the product, or, if the product would be small, the operand is packed.

use super::PlanError;
use super::kernel::{Contract, Kernel};
use super::lower::{Lowering, access};
use super::view::{Loop, View, count, loops};
use crate::graph::{Axis, AxisSet, Element, Half, NodeId, Op};

/// A product inside loops should do at least this many multiplications; otherwise operands are packed.
const SMALL_PRODUCT: usize = 1 << 15;
/// Loops from this size on make rows or terms of a product.
const LONG: usize = 16;
/// Elements of a right operand that stay in the cache of a core from one product to the next.
const NEAR: usize = 1 << 16;
/// Products that read the same right operand, from which it pays to turn it once before them all.
const REPEATED: usize = 8;

/// Takes one loop out of all, knowing in which operands it moves.
type Choice = fn(Vec<Loop>, &[usize]) -> (Loop, Vec<Loop>);

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
            // Free to choose: products are fastest where the right operand lies along its own axes; else rows of data stay rows.
            _ => {
                let lies_along_its_own = |view: &View, set: &AxisSet, other: &AxisSet| {
                    set.iter().any(|x| !other.contains(x) && view.stride(x) == 1)
                };
                match (lies_along_its_own(&a, a_set, b_set), lies_along_its_own(&b, b_set, a_set)) {
                    (false, false) => self.is_given(node.operands[0]) && !self.is_given(node.operands[1]),
                    (left, right) => left && !right,
                }
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
        let pieces = |contract: &Contract| contract.batch.iter().chain(&contract.outer).product::<usize>();
        let mut contract = self.product(&roles, &a, &b, &c);
        let batches = count(roles.batch.iter().copied(), self.axes);
        if pieces(&contract) > batches && contract.m * contract.n * contract.k < SMALL_PRODUCT {
            a = self.gathered(&a, &roles.batch, &roles.rows, &roles.contracted);
            b = self.gathered(&b, &roles.batch, &roles.contracted, &roles.columns);
            contract = self.product(&roles, &a, &b, &c);
        } else if !self.options.launches
            && contract.b_strides.1 != 1
            && repeats(&contract.batch, &contract.b.strides) >= REPEATED
        {
            let order: Vec<Axis> = [&roles.batch[..], &roles.contracted, &roles.columns]
                .into_iter()
                .flatten()
                .copied()
                .collect();
            let order: Vec<Axis> = order.into_iter().filter(|axis| b.stride(*axis) != 0).collect();
            b = self.packed(&b, Element::Float, &order);
            contract = self.product(&roles, &a, &b, &c);
        }
        contract.factors = factors;
        self.kernels.push(Kernel::Contract(contract));
        Ok(c)
    }

    /// Is the node a way to look at an array that the step is given, as parameters are?
    fn is_given(&self, id: NodeId) -> bool {
        let node = self.graph.node(id);
        match node.op {
            Op::Input(_) => true,
            Op::Rename { .. } | Op::Slice { .. } | Op::Flatten { .. } | Op::Unflatten { .. } => {
                self.is_given(node.operands[0])
            }
            _ => false,
        }
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
        let size = |axes: &[Axis]| count(axes.iter().copied(), self.axes);
        let is_near = size(&roles.contracted) * size(&roles.columns) <= NEAR;
        if !self.options.launches {
            let near = self.product_by(roles, [a, b, c], if is_near { nearest } else { biggest }, nearest);
            if near.m * near.n * near.k >= SMALL_PRODUCT {
                return near;
            }
        }
        self.product_by(roles, [a, b, c], biggest, biggest)
    }

    /// The choices take the loop of rows and that of terms out of all, knowing which operands they move in.
    fn product_by(&self, roles: &Roles, [a, b, c]: [&View; 3], row: Choice, term: Choice) -> Contract {
        let (m, row_loops) = row(loops(&roles.rows, &[a, b, c], self.axes), &[0]);
        let (n, column_loops) = biggest(loops(&roles.columns, &[a, b, c], self.axes), &[]);
        let (k, outer) = term(loops(&roles.contracted, &[a, b, c], self.axes), &[0, 1]);
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

/// How often an operand with these strides is read again in the loops.
fn repeats(sizes: &[usize], strides: &[isize]) -> usize {
    sizes.iter().zip(strides).filter(|(_, stride)| **stride == 0).map(|(size, _)| size).product()
}

/// Takes out the loop, among those that are long enough, whose steps in these operands are shortest; the biggest if none is.
fn nearest(mut all: Vec<Loop>, operands: &[usize]) -> (Loop, Vec<Loop>) {
    let step = |l: &Loop| operands.iter().map(|operand| l.strides[*operand].unsigned_abs()).sum::<usize>();
    let long = (0..all.len()).filter(|at| all[*at].size >= LONG).min_by_key(|at| step(&all[*at]));
    match long {
        Some(at) => {
            let one = all.remove(at);
            (one, all)
        }
        None => biggest(all, operands),
    }
}

/// Takes out the biggest loop (the last of equals).
fn biggest(mut all: Vec<Loop>, _: &[usize]) -> (Loop, Vec<Loop>) {
    let at = (0..all.len()).max_by_key(|at| all[*at].size);
    match at {
        Some(at) => {
            let one = all.remove(at);
            (one, all)
        }
        None => (Loop { size: 1, strides: smallvec::smallvec![0, 0, 0] }, all),
    }
}
