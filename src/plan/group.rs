//! Grouping: which nodes one kernel computes, and in which order the groups run.
//!
//! In: a graph and the nodes that live. Out: groups in an order where each comes after what it needs. Element-wise
//! nodes over the same axes join where no path leaves their group and returns to it; every other node stands alone. A comparison
//! of what is stored anyhow joins those that use it, not what it looks at: it is computed where it is wanted, and stays in registers.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::sequence::Sequence;
use crate::graph::rewrite::in_memory;
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
    /// Every group comes after those that it needs.
    sequence: Sequence,
    /// Stamp of the last search that met the group.
    seen: Vec<usize>,
    stamp: usize,
}

impl Grouping<'_> {
    /// Can these groups and one node more be one group? Not if a path leaves them and comes back. If they can, which groups
    /// they need that do not come before the first of them.
    ///
    /// What comes before the first of them does not need any of them, so the search ends there; it goes on with what comes
    /// earliest, as a way back is found soonest so.
    fn can_join(&mut self, groups: &[usize], node: NodeId) -> Option<Vec<usize>> {
        let first = self.first(groups)?;
        let limit = self.sequence.label(first);
        self.stamp += 1;
        let mut needed: Vec<usize> = Vec::new();
        let mut open: BinaryHeap<Reverse<(u64, usize)>> = BinaryHeap::new();
        let rest = groups.iter().filter(|group| **group != first);
        let members = rest.flat_map(|group| self.members[*group].iter()).chain([&node]);
        let graph = self.graph;
        let operands = |member: &NodeId| graph.node(*member).operands.iter();
        let mut meet = |seen: &mut [usize], open: &mut BinaryHeap<_>, other: usize| {
            let label = self.sequence.label(other);
            if label > limit && seen[other] != self.stamp {
                seen[other] = self.stamp;
                needed.push(other);
                open.push(Reverse((label, other)));
            }
        };
        for operand in members.flat_map(operands) {
            let other = self.group[operand.0 as usize];
            if !groups.contains(&other) {
                meet(&mut self.seen, &mut open, other);
            }
        }
        while let Some(Reverse((_, group))) = open.pop() {
            for operand in self.members[group].iter().flat_map(operands) {
                let other = self.group[operand.0 as usize];
                if groups.contains(&other) {
                    return None;
                }
                meet(&mut self.seen, &mut open, other);
            }
        }
        Some(needed)
    }

    fn first(&self, groups: &[usize]) -> Option<usize> {
        groups.iter().copied().min_by_key(|group| self.sequence.label(*group))
    }

    /// Makes groups and a node one group; `needed` is what [`Grouping::can_join`] found.
    fn join(&mut self, groups: &[usize], node: NodeId, mut needed: Vec<usize>) {
        let Some(first) = self.first(groups) else { return };
        needed.sort_unstable_by_key(|group| self.sequence.label(*group));
        self.sequence.move_before(&needed, first);
        // The largest group takes the others in, so that a node changes its group seldom.
        let Some(into) = groups.iter().copied().max_by_key(|group| self.members[*group].len()) else {
            return;
        };
        for other in groups.iter().copied().filter(|other| *other != into) {
            let moved = std::mem::take(&mut self.members[other]);
            for member in &moved {
                self.group[member.0 as usize] = into;
            }
            self.members[into].extend(moved);
            match other == first {
                true => self.sequence.replace(first, into),
                false => self.sequence.remove(other),
            }
        }
        self.group[node.0 as usize] = into;
        self.members[into].push(node);
    }

    fn add(&mut self, node: NodeId) {
        self.group[node.0 as usize] = self.members.len();
        self.members.push(vec![node]);
        self.seen.push(0);
        self.sequence.push();
    }
}

/// Groups in running order.
pub fn group(program: &Program, live: &[bool], fuse: bool) -> Vec<Group> {
    let graph = &program.graph;
    let mut grouping = Grouping {
        graph,
        group: vec![NONE; graph.nodes.len()],
        members: Vec::new(),
        sequence: Sequence::default(),
        seen: Vec::new(),
        stamp: 0,
    };
    let in_memory = in_memory(program, live, is_elementwise);
    for (at, _) in live.iter().enumerate().filter(|(_, live)| **live) {
        let id = NodeId(at as u32);
        let node = graph.node(id);
        let is_read = |operand: &NodeId| {
            in_memory[operand.0 as usize] || matches!(graph.node(*operand).op, Op::Float(_) | Op::Index(_))
        };
        if matches!(node.op, Op::Compare(_)) && !in_memory[at] && node.operands.iter().all(is_read) {
            grouping.add(id);
            continue;
        }
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
            let mut needed = grouping.can_join(&candidates, id);
            if needed.is_some() {
                joined = candidates;
            } else {
                for candidate in candidates {
                    joined.push(candidate);
                    match grouping.can_join(&joined, id) {
                        Some(found) => needed = Some(found),
                        None => {
                            joined.pop();
                        }
                    }
                }
            }
            if let Some(needed) = needed {
                grouping.join(&joined, id, needed);
                continue;
            }
        }
        grouping.add(id);
    }
    grouping.members.iter_mut().for_each(|members| members.sort_unstable());
    order(&grouping)
}

/// Topological order; among those ready, the group whose last node is the oldest.
fn order(grouping: &Grouping) -> Vec<Group> {
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
