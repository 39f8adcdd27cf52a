//! Reverse-mode differentiation. In: a Float node and the nodes to differentiate by. Out: their gradients, as nodes of the
//! same graph made of primitives only, so that gradients can be differentiated again.
//!
//! The adjoint of a node has exactly the node's axes: what an operand's adjoint has besides the operand's axes is
//! summed, since the operand is constant along it; what it lacks is broadcast. Only where many items are differentiated
//! at once ([`super::items`]), adjoints may have the items' axes besides (`Graph::apart`), and rules must keep them. Each
//! operation's rule is in its family's file.

use std::collections::HashMap;

use smallvec::SmallVec;

use super::Graph;
use super::axis::AxisSet;
use super::node::{Element, NodeId};
use super::op::scan::pull_back;
use super::op::{Body, Op, TypeError};

/// The adjoint of each operand: none where it has no derivative. Axes are not fitted yet.
pub type Adjoints = SmallVec<[Option<NodeId>; 3]>;

/// In: the graph, the node, and the node's adjoint with exactly the node's axes (and some of `Graph::apart`).
pub type Derivative = fn(&mut Graph, NodeId, NodeId) -> Result<Adjoints, TypeError>;

impl Graph {
    /// The gradient of the sum of `output` by each of `wrt`, with exactly that node's axes.
    pub fn gradient(&mut self, output: NodeId, wrt: &[NodeId]) -> Result<Vec<NodeId>, TypeError> {
        let seed = self.float(1.0)?;
        self.gradient_from(output, seed, wrt)
    }

    /// The vector-Jacobian product: the gradient of `sum(output * adjoint)`, `adjoint` taken as constant.
    pub fn gradient_from(
        &mut self,
        output: NodeId,
        adjoint: NodeId,
        wrt: &[NodeId],
    ) -> Result<Vec<NodeId>, TypeError> {
        self.gradient_of(&[(output, adjoint)], wrt)
    }

    /// The gradient of the sum of all `sum(output * adjoint)`.
    pub fn gradient_of(
        &mut self,
        outputs: &[(NodeId, NodeId)],
        wrt: &[NodeId],
    ) -> Result<Vec<NodeId>, TypeError> {
        let before = self.span;
        let gradients = self.pull_back(outputs, wrt);
        self.span = before;
        gradients
    }

    fn pull_back(&mut self, outputs: &[(NodeId, NodeId)], wrt: &[NodeId]) -> Result<Vec<NodeId>, TypeError> {
        let last = outputs.iter().map(|(output, _)| *output).max().unwrap_or(NodeId(0));
        let on_path = self.differentiable_from(wrt, last);
        let mut adjoints: Vec<Option<NodeId>> = vec![None; last.0 as usize + 1];
        for (output, adjoint) in outputs {
            if on_path[output.0 as usize] {
                let adjoint = self.fit(*adjoint, *output)?;
                self.accumulate(&mut adjoints, *output, adjoint)?;
            }
        }
        let loops = self.loops_up_to(last);
        for number in (0..=last.0).rev() {
            let id = NodeId(number);
            if let Op::Scan { .. } = self.node(id).op {
                // The results of a loop go back together, when all that use any of them are done.
                if let Some(members) = loops.get(&id) {
                    self.pull_back_loop(members, &on_path, &mut adjoints)?;
                }
                continue;
            }
            let Some(adjoint) = adjoints[number as usize] else { continue };
            let node = self.node(id);
            let operands = node.operands.clone();
            let Some(rule) = node.op.rules().derivative else { continue };
            if !operands.iter().any(|operand| on_path[operand.0 as usize]) {
                continue;
            }
            self.span = node.span;
            for (operand, adjoint) in operands.iter().zip(rule(self, id, adjoint)?) {
                if let (true, Some(adjoint)) = (on_path[operand.0 as usize], adjoint) {
                    let adjoint = self.fit(adjoint, *operand)?;
                    self.accumulate(&mut adjoints, *operand, adjoint)?;
                }
            }
        }
        wrt.iter()
            .map(|id| match adjoints.get(id.0 as usize).copied().flatten() {
                Some(adjoint) => Ok(adjoint),
                None => {
                    let zero = self.float(0.0)?;
                    self.fit(zero, *id)
                }
            })
            .collect()
    }

    fn accumulate(
        &mut self,
        adjoints: &mut [Option<NodeId>],
        node: NodeId,
        adjoint: NodeId,
    ) -> Result<(), TypeError> {
        let at = node.0 as usize;
        adjoints[at] = Some(match adjoints[at] {
            Some(sum) => self.plus(sum, adjoint)?,
            None => adjoint,
        });
        Ok(())
    }

    /// The results of each loop up to a node, by the first of them.
    fn loops_up_to(&self, last: NodeId) -> HashMap<NodeId, Vec<NodeId>> {
        let mut by_body: HashMap<(Body, &[NodeId]), Vec<NodeId>> = HashMap::new();
        for (number, node) in self.nodes.iter().enumerate().take(last.0 as usize + 1) {
            if let Op::Scan { body, .. } = &node.op {
                by_body.entry((body.clone(), &node.operands[..])).or_default().push(NodeId(number as u32));
            }
        }
        by_body.into_values().map(|members| (members[0], members)).collect()
    }

    fn pull_back_loop(
        &mut self,
        members: &[NodeId],
        on_path: &[bool],
        adjoints: &mut [Option<NodeId>],
    ) -> Result<(), TypeError> {
        let results: Vec<(NodeId, NodeId)> =
            members.iter().filter_map(|id| Some((*id, adjoints[id.0 as usize]?))).collect();
        let operands = self.node(members[0]).operands.clone();
        let wanted: Vec<bool> = operands.iter().map(|operand| on_path[operand.0 as usize]).collect();
        if results.is_empty() || !wanted.contains(&true) {
            return Ok(());
        }
        for (operand, adjoint) in operands.iter().zip(pull_back(self, &results, &wanted)?) {
            if let (true, Some(adjoint)) = (on_path[operand.0 as usize], adjoint) {
                let adjoint = self.fit(adjoint, *operand)?;
                self.accumulate(adjoints, *operand, adjoint)?;
            }
        }
        Ok(())
    }

    /// For every node up to `output`: whether a derivative by one of `wrt` can flow into it.
    pub(super) fn differentiable_from(&self, wrt: &[NodeId], output: NodeId) -> Vec<bool> {
        let mut from = vec![false; output.0 as usize + 1];
        for id in wrt.iter().filter(|id| id.0 <= output.0) {
            from[id.0 as usize] = self.node(*id).element == Element::Float;
        }
        for number in 0..from.len() {
            let node = &self.nodes[number];
            if node.element == Element::Float && node.op.rules().derivative.is_some() {
                from[number] |= match &node.op {
                    Op::Special(special) => {
                        special.differentiable().iter().any(|at| from[node.operands[*at].0 as usize])
                    }
                    _ => node.operands.iter().any(|operand| from[operand.0 as usize]),
                };
            }
        }
        from
    }

    /// A special function on the way from one of `wrt` to `output` that depends on it through a parameter, by which it has
    /// no derivative.
    pub fn lost_derivative(&self, output: NodeId, wrt: &[NodeId]) -> Option<NodeId> {
        let is_special = |id: &NodeId| matches!(self.node(*id).op, Op::Special(_));
        let specials: Vec<NodeId> = (0..=output.0).map(NodeId).filter(is_special).collect();
        if specials.is_empty() {
            return None;
        }
        let from = self.differentiable_from(wrt, output);
        specials.into_iter().find(|id| {
            let node = self.node(*id);
            let Op::Special(special) = node.op else { return false };
            let by = special.differentiable();
            let lost = |at: &usize| !by.contains(at) && from[node.operands[*at].0 as usize];
            // Counts are steps, like `floor`: there is nothing to lose.
            !by.is_empty()
                && (0..special.operands()).any(|at| lost(&at))
                && self.differentiably_depends_on(output, *id)
        })
    }

    /// Whether a derivative can flow from `input` to `output`.
    pub fn differentiably_depends_on(&self, output: NodeId, input: NodeId) -> bool {
        self.differentiable_from(&[input], output)[output.0 as usize]
    }

    /// Whether the value of `output` is computed from `input`, in any way.
    pub fn depends_on(&self, output: NodeId, input: NodeId) -> bool {
        let mut seen = vec![false; output.0 as usize + 1];
        let mut open = vec![output];
        while let Some(id) = open.pop() {
            if id == input {
                return true;
            }
            if id > input && !std::mem::replace(&mut seen[id.0 as usize], true) {
                open.extend(self.node(id).operands.iter().copied());
            }
        }
        false
    }

    /// An adjoint summed over the axes that `node` lacks and broadcast along those that it has besides.
    fn fit(&mut self, adjoint: NodeId, node: NodeId) -> Result<NodeId, TypeError> {
        let axes: AxisSet = self.node(node).axes.clone();
        let extra = self.node(adjoint).axes.minus(&axes).minus(&self.apart);
        let summed = self.sum(adjoint, extra.as_slice())?;
        self.broadcast(summed, &axes)
    }

    /// `x * factor`.
    pub fn scale(&mut self, x: NodeId, factor: f64) -> Result<NodeId, TypeError> {
        let factor = self.float(factor)?;
        self.mul(x, factor)
    }

    /// 1 where the condition holds, 0 elsewhere.
    pub fn indicator(&mut self, condition: NodeId) -> Result<NodeId, TypeError> {
        self.add(Op::Cast(Element::Float), &[condition], self.span)
    }
}
