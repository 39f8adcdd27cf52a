//! Whom the result of a product meets: the order of axes in which it lies like what it is combined with, element by element.
//!
//! In: a product that is about to be lowered, and the views of all that is there. Out: an order of its axes, or none.

use super::group::is_elementwise;
use super::lower::Lowering;
use crate::graph::{Axis, AxisSet, NodeId, Op};

/// How many steps from the product are looked at.
const FAR: usize = 4;

impl Lowering<'_> {
    /// The order that was wished for, or that of an array which the node will meet element by element.
    pub fn wish(&self, id: NodeId) -> Option<Vec<Axis>> {
        let set = &self.graph.node(id).axes;
        let fits = |wish: &&Vec<Axis>| wish.len() == set.len() && wish.iter().all(|a| set.contains(*a));
        self.wishes[id.0 as usize].as_ref().filter(fits).cloned().or_else(|| self.met(id, set, FAR))
    }

    /// `far`: so many steps on.
    fn met(&self, id: NodeId, set: &AxisSet, far: usize) -> Option<Vec<Axis>> {
        let next = far.checked_sub(1);
        self.users[id.0 as usize].iter().find_map(|user| {
            let node = self.graph.node(*user);
            if let Op::Rename { from, to } = node.op {
                let order = self.met(*user, &node.axes, next?)?;
                return Some(order.into_iter().map(|axis| if axis == to { from } else { axis }).collect());
            }
            if !is_elementwise(&node.op) || node.axes != *set {
                return None;
            }
            let mut others = node.operands.iter().filter(|operand| **operand != id);
            others.find_map(|other| self.lies(*other, set, far)).or_else(|| self.met(*user, set, next?))
        })
    }

    /// The order in which a node with all these axes lies, or will: what is computed element by element lies as its operands do.
    fn lies(&self, id: NodeId, set: &AxisSet, far: usize) -> Option<Vec<Axis>> {
        let node = self.graph.node(id);
        if let Some(view) = &self.views[id.0 as usize] {
            let is_whole = set.iter().all(|axis| view.stride(axis) != 0 || self.axes.size(axis) == 1);
            return is_whole.then(|| view.order(set));
        }
        let next = far.checked_sub(1)?;
        let is_like = is_elementwise(&node.op) && node.axes == *set;
        is_like.then(|| node.operands.iter().find_map(|operand| self.lies(*operand, set, next)))?
    }
}
