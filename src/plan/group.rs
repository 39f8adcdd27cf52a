//! Grouping: which nodes one kernel computes, and in which order the groups run.
//!
//! In: a graph and the nodes that live. Out: groups in an order where each comes after what it needs. Element-wise
//! nodes over the same axes join where no path leaves their group and returns to it; every other node stands alone.

use crate::graph::{Graph, NodeId, Op, Program};

/// Nodes that are lowered together, ascending.
pub struct Group {
    pub nodes: Vec<NodeId>,
    pub elementwise: bool,
}

/// Which nodes the outputs need.
pub fn live(program: &Program) -> Vec<bool> {
    let nodes = &program.graph.nodes;
    let mut live = vec![false; nodes.len()];
    for output in &program.outputs {
        live[output.node.0 as usize] = true;
    }
    for at in (0..nodes.len()).rev() {
        if live[at] {
            for operand in &nodes[at].operands {
                live[operand.0 as usize] = true;
            }
        }
    }
    live
}

/// Is the operation computed element by element, or does it only name its operand again?
pub fn is_elementwise(op: &Op) -> bool {
    matches!(
        op,
        Op::Unary(_)
            | Op::Binary(_)
            | Op::Compare(_)
            | Op::Logic(_)
            | Op::Not
            | Op::Select
            | Op::Cast(_)
            | Op::Special(_)
            | Op::Stop
            | Op::Check(_)
    )
}

const NONE: usize = usize::MAX;

struct Grouping<'a> {
    graph: &'a Graph,
    /// The group of each node.
    group: Vec<usize>,
    members: Vec<Vec<NodeId>>,
    /// Stamp of the last search that met the group.
    seen: Vec<usize>,
    stamp: usize,
}

impl Grouping<'_> {
    /// Can these groups and one node more be one group? Not if a path leaves them and comes back.
    fn can_join(&mut self, groups: &[usize], node: NodeId) -> bool {
        self.stamp += 1;
        let mut stack: Vec<usize> = Vec::new();
        let members = groups.iter().flat_map(|g| self.members[*g].iter().copied()).chain([node]);
        for member in members {
            for operand in &self.graph.node(member).operands {
                let other = self.group[operand.0 as usize];
                if !groups.contains(&other) && self.seen[other] != self.stamp {
                    self.seen[other] = self.stamp;
                    stack.push(other);
                }
            }
        }
        while let Some(group) = stack.pop() {
            for member in &self.members[group] {
                for operand in &self.graph.node(*member).operands {
                    let other = self.group[operand.0 as usize];
                    if groups.contains(&other) {
                        return false;
                    }
                    if self.seen[other] != self.stamp {
                        self.seen[other] = self.stamp;
                        stack.push(other);
                    }
                }
            }
        }
        true
    }

    fn join(&mut self, groups: &[usize], node: NodeId) {
        let Some((into, rest)) = groups.split_first() else { return };
        for other in rest {
            let moved = std::mem::take(&mut self.members[*other]);
            for member in &moved {
                self.group[member.0 as usize] = *into;
            }
            self.members[*into].extend(moved);
        }
        self.group[node.0 as usize] = *into;
        self.members[*into].push(node);
        self.members[*into].sort_unstable();
    }
}

/// Groups in running order.
pub fn group(program: &Program, live: &[bool], fuse: bool) -> Vec<Group> {
    let graph = &program.graph;
    let count = graph.nodes.len();
    let mut grouping =
        Grouping { graph, group: vec![NONE; count], members: Vec::new(), seen: Vec::new(), stamp: 0 };
    for (at, _) in live.iter().enumerate().filter(|(_, live)| **live) {
        let id = NodeId(at as u32);
        let node = graph.node(id);
        if is_elementwise(&node.op) && fuse {
            let mut candidates: Vec<usize> = Vec::new();
            for operand in &node.operands {
                let other = graph.node(*operand);
                let group = grouping.group[operand.0 as usize];
                if is_elementwise(&other.op) && other.axes == node.axes && !candidates.contains(&group) {
                    candidates.push(group);
                }
            }
            // All of them together, or else one after another as far as it goes.
            let mut joined: Vec<usize> = Vec::new();
            if grouping.can_join(&candidates, id) {
                joined = candidates;
            } else {
                for candidate in candidates {
                    joined.push(candidate);
                    if !grouping.can_join(&joined, id) {
                        joined.pop();
                    }
                }
            }
            if !joined.is_empty() {
                grouping.join(&joined, id);
                continue;
            }
        }
        grouping.group[at] = grouping.members.len();
        grouping.members.push(vec![id]);
        grouping.seen.push(0);
    }
    order(&grouping)
}

/// Topological order; among those ready, the group whose last node is the oldest.
fn order(grouping: &Grouping) -> Vec<Group> {
    use std::cmp::Reverse;
    use std::collections::BinaryHeap;
    let count = grouping.members.len();
    let mut waits = vec![0usize; count];
    let mut users: Vec<Vec<usize>> = vec![Vec::new(); count];
    for (at, members) in grouping.members.iter().enumerate() {
        let mut needed: Vec<usize> = members
            .iter()
            .flat_map(|member| grouping.graph.node(*member).operands.iter())
            .map(|operand| grouping.group[operand.0 as usize])
            .filter(|other| *other != at)
            .collect();
        needed.sort_unstable();
        needed.dedup();
        waits[at] = needed.len();
        for other in needed {
            users[other].push(at);
        }
    }
    let mut ready: BinaryHeap<Reverse<(NodeId, usize)>> = BinaryHeap::new();
    let key = |at: usize| grouping.members[at].last().map(|last| Reverse((*last, at)));
    ready.extend((0..count).filter(|at| waits[*at] == 0).filter_map(key));
    let mut groups = Vec::new();
    while let Some(Reverse((_, at))) = ready.pop() {
        let nodes = grouping.members[at].clone();
        let elementwise = nodes.first().is_some_and(|id| is_elementwise(&grouping.graph.node(*id).op));
        groups.push(Group { nodes, elementwise });
        for user in &users[at] {
            waits[*user] -= 1;
            if waits[*user] == 0 {
                ready.extend(key(*user));
            }
        }
    }
    groups
}
