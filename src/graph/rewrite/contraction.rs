//! Contraction recognition. In: sums of products. Out: `Contract` where the product would be larger than its operands,
//! with everything that does not depend on the summed axes outside the sum.
//!
//! A sum of a product is a list of factors and a set of summed axes. Factors without summed axes go outside; axes of
//! one factor alone are summed in it; then the factors are joined two by two, the pair with the smallest product
//! first, each join summing the axes that no other factor has.

use super::{rebuild, uses};
use crate::graph::Graph;
use crate::graph::axis::AxisSet;
use crate::graph::node::{Element, NodeId, Program};
use crate::graph::op::{Binary, Op, Reduction, TypeError, Unary};

/// Longer products (of unrolled loops) stay as they are: the search for the pairs is cubic.
const MOST_FACTORS: usize = 24;

pub fn run(program: &Program) -> Result<Program, TypeError> {
    let old = &program.graph;
    let uses = uses(program);
    let mut new: Vec<NodeId> = Vec::new();
    rebuild(program, false, &mut |graph, id, node, operands| {
        // The rule keeps its own map from old to new nodes, to look through old operands.
        new.resize(id.0 as usize + 1, NodeId(u32::MAX));
        for (old, now) in node.operands.iter().zip(operands) {
            new[old.0 as usize] = *now;
        }
        let Op::Reduce(Reduction::Sum, axes) = &node.op else { return Ok(None) };
        let mut product = Product { factors: Vec::new(), scale: 1.0 };
        let collect = Collect { old, uses: &uses };
        collect.factors(node.operands[0], &mut product);
        let count = product.factors.len();
        if (count < 2 && product.scale == 1.0) || count > MOST_FACTORS {
            return Ok(None);
        }
        let factors = product.factors.iter().map(|id| new[id.0 as usize]).collect();
        let sum = sum_of_product(graph, factors, axes)?;
        graph.scale(sum, product.scale).map(Some)
    })
}

/// A product of factors and a literal.
struct Product {
    factors: Vec<NodeId>,
    scale: f64,
}

struct Collect<'a> {
    old: &'a Graph,
    uses: &'a [usize],
}

impl Collect<'_> {
    /// Takes the product apart where that saves work: where the product is used for nothing else, or is larger
    /// than both its factors.
    fn factors(&self, id: NodeId, product: &mut Product) {
        let node = self.old.node(id);
        if let Some(literal) = self.old.float_literal(id) {
            // An infinite factor stays inside: inf * x - inf * y is not inf * (x - y).
            if literal.is_finite() {
                product.scale *= literal;
            } else {
                product.factors.push(id);
            }
            return;
        }
        let size = self.old.elements(&node.axes);
        let grows =
            node.operands.iter().all(|operand| self.old.elements(&self.old.node(*operand).axes) < size);
        let open = self.uses[id.0 as usize] == 1 || grows;
        let is_float = node.element == Element::Float;
        match &node.op {
            Op::Binary(Binary::Multiply) if open && is_float => {
                self.factors(node.operands[0], product);
                self.factors(node.operands[1], product);
            }
            Op::Binary(Binary::Divide) if open => match self.old.float_literal(node.operands[1]) {
                Some(literal) if literal != 0.0 => {
                    product.scale /= literal;
                    self.factors(node.operands[0], product);
                }
                _ => product.factors.push(id),
            },
            Op::Unary(Unary::Negate) if open => {
                product.scale = -product.scale;
                self.factors(node.operands[0], product);
            }
            _ => product.factors.push(id),
        }
    }
}

/// sum(product of factors, axes).
fn sum_of_product(g: &mut Graph, factors: Vec<NodeId>, axes: &AxisSet) -> Result<NodeId, TypeError> {
    let (mut inside, outside): (Vec<NodeId>, Vec<NodeId>) =
        factors.into_iter().partition(|id| !g.node(*id).axes.intersection(axes).is_empty());
    if inside.is_empty() {
        let one = g.float(1.0)?;
        inside.push(one);
    }
    // Axes of one factor alone are summed in it.
    if inside.len() > 1 {
        for at in 0..inside.len() {
            let own = own_axes(g, &inside, at, axes);
            inside[at] = g.sum(inside[at], own.as_slice())?;
        }
    }
    while inside.len() > 1 {
        let (left, right) = cheapest_pair(g, &inside);
        let b = inside.remove(right);
        let a = inside.remove(left);
        let others: AxisSet = inside.iter().flat_map(|id| g.node(*id).axes.iter()).collect();
        let shared = g.node(a).axes.union(&g.node(b).axes).intersection(axes).minus(&others);
        let joined = join(g, a, b, &shared)?;
        inside.push(joined);
    }
    let mut total = inside[0];
    let rest = g.node(total).axes.intersection(axes);
    total = g.sum(total, rest.as_slice())?;
    for factor in outside {
        total = g.mul(total, factor)?;
    }
    Ok(total)
}

/// The summed axes that only the factor at `at` has.
fn own_axes(g: &Graph, factors: &[NodeId], at: usize, axes: &AxisSet) -> AxisSet {
    let others: AxisSet = factors
        .iter()
        .enumerate()
        .filter(|(other, _)| *other != at)
        .flat_map(|(_, id)| g.node(*id).axes.iter())
        .collect();
    g.node(factors[at]).axes.intersection(axes).minus(&others)
}

/// The places of the two factors with the smallest product; among equals the first.
fn cheapest_pair(g: &Graph, factors: &[NodeId]) -> (usize, usize) {
    let mut best = (0, 1);
    let mut least = usize::MAX;
    for left in 0..factors.len() {
        for right in left + 1..factors.len() {
            let size = g.elements(&g.node(factors[left]).axes.union(&g.node(factors[right]).axes));
            if size < least {
                least = size;
                best = (left, right);
            }
        }
    }
    best
}

/// sum(a * b, axes): a contraction if the product is larger than both.
fn join(g: &mut Graph, a: NodeId, b: NodeId, axes: &AxisSet) -> Result<NodeId, TypeError> {
    let (first, second) = (&g.node(a).axes, &g.node(b).axes);
    let whole = g.elements(&first.union(second));
    let is_larger = whole > g.elements(first) && whole > g.elements(second);
    if is_larger && !axes.is_empty() {
        return g.contract(a, b, axes);
    }
    let product = g.mul(a, b)?;
    g.sum(product, axes.as_slice())
}
