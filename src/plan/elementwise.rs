//! Lowering of a group of element-wise nodes to one fused kernel.

use std::collections::HashMap;

use super::PlanError;
use super::group::Group;
use super::kernel::{Fused, Instruction, Kernel, Load, LoadKind, Operation, Value};
use super::lower::{Lowering, access};
use super::view::{View, count, loops};
use crate::graph::{Axis, Element, NodeId, Op};

/// How often an operand is read, at least, so that putting it together pays.
const REPEATS: usize = 8;

impl Lowering<'_> {
    pub fn elementwise(&mut self, group: &Group) -> Result<(), PlanError> {
        let graph = self.graph;
        let order = self.group_order(group)?;
        let mut fused = Fused { length: count(order.iter().copied(), self.axes), ..Fused::default() };
        // Loads first, so that the numbers of the instructions' results follow them.
        let mut values: HashMap<NodeId, Value> = HashMap::new();
        for id in &group.nodes {
            let node = graph.node(*id);
            let operands =
                if matches!(node.op, Op::Check(_)) { &node.operands[..1] } else { &node.operands[..] };
            for operand in operands {
                if group.nodes.binary_search(operand).is_ok() || values.contains_key(operand) {
                    continue;
                }
                values.insert(*operand, fused.loads.len() as Value);
                let element = graph.node(*operand).element;
                let view = self.view(*operand)?;
                let view = self.near(view, element, &order);
                let kind = self.load_kind(&order, &view);
                fused.loads.push(Load { buffer: view.buffer, offset: view.offset, element, kind });
            }
        }
        for id in &group.nodes {
            let node = graph.node(*id);
            let value = |position: usize| -> Result<Value, PlanError> {
                match node.operands.get(position) {
                    Some(operand) => values.get(operand).copied().ok_or(PlanError::Order { node: *id }),
                    None => Ok(0),
                }
            };
            let of = |position: usize| {
                node.operands.get(position).map_or(node.element, |o| graph.node(*o).element)
            };
            let operation = match &node.op {
                Op::Stop | Op::Check(_) => {
                    let same = value(0)?;
                    values.insert(*id, same);
                    continue;
                }
                Op::Unary(unary) => Operation::Unary(*unary),
                Op::Binary(binary) if node.element == Element::Index => Operation::IndexBinary(*binary),
                Op::Binary(binary) => Operation::Binary(*binary),
                Op::Compare(compare) => Operation::Compare(*compare, of(0)),
                Op::Logic(logic) => Operation::Logic(*logic),
                Op::Not => Operation::Not,
                Op::Select => Operation::Select(node.element),
                Op::Cast(to) if of(0) == *to => {
                    let same = value(0)?;
                    values.insert(*id, same);
                    continue;
                }
                Op::Cast(to) => Operation::Cast(of(0), *to),
                Op::Special(special) => Operation::Special(*special),
                _ => return Err(PlanError::Order { node: *id }),
            };
            let arguments = [value(0)?, value(1)?, value(2)?];
            values.insert(*id, (fused.loads.len() + fused.instructions.len()) as Value);
            fused.instructions.push(Instruction { operation, arguments, element: node.element });
        }
        self.store(group, &order, &mut fused, &values)?;
        if !fused.stores.is_empty() {
            self.kernels.push(Kernel::Fused(fused));
        }
        for id in &group.nodes {
            let node = graph.node(*id);
            if let Op::Check(check) = node.op {
                let condition = self.operand(node, 1)?;
                let kernel = Kernel::Check { check, condition: access(&condition, std::iter::empty()) };
                self.kernels.push(kernel);
            }
        }
        Ok(())
    }

    /// Gives every node that others use a view: a new dense buffer, or its operand's where it is the same value.
    fn store(
        &mut self,
        group: &Group,
        order: &[Axis],
        fused: &mut Fused,
        values: &HashMap<NodeId, Value>,
    ) -> Result<(), PlanError> {
        let graph = self.graph;
        let mut lies: HashMap<Value, View> = HashMap::new();
        for id in &group.nodes {
            let node = graph.node(*id);
            if !self.stored[id.0 as usize] {
                continue;
            }
            let value = *values.get(id).ok_or(PlanError::Order { node: *id })?;
            let view = if let Some(view) = lies.get(&value) {
                view.clone()
            } else if (value as usize) < fused.loads.len() {
                self.operand(node, 0)?
            } else {
                let view = self.dense(node.element, order);
                fused.stores.push((value, view.buffer));
                view
            };
            lies.insert(value, view.clone());
            self.views[id.0 as usize] = Some(view);
        }
        Ok(())
    }

    /// The order in which a group walks: a wish of what it stores, or else its biggest operand's.
    fn group_order(&self, group: &Group) -> Result<Vec<Axis>, PlanError> {
        let graph = self.graph;
        let Some(first) = group.nodes.first() else { return Ok(Vec::new()) };
        let set = &graph.node(*first).axes;
        let stored = group.nodes.iter().filter(|id| self.stored[id.0 as usize]);
        let wish = stored.filter_map(|id| self.wishes[id.0 as usize].as_ref()).next();
        if let Some(wish) =
            wish.filter(|wish| wish.len() == set.len() && wish.iter().all(|a| set.contains(*a)))
        {
            return Ok(wish.clone());
        }
        let mut best: Option<(usize, View)> = None;
        for id in &group.nodes {
            for operand in &graph.node(*id).operands {
                if group.nodes.binary_search(operand).is_ok() {
                    continue;
                }
                let view = self.view(*operand)?;
                let size = count(set.iter().filter(|a| view.stride(*a) != 0), self.axes);
                if best.as_ref().is_none_or(|(most, _)| size > *most) {
                    best = Some((size, view));
                }
            }
        }
        Ok(best.map_or_else(|| set.iter().collect(), |(_, view)| view.order(set)))
    }

    /// A small operand that is read again and again in steps is put together first.
    fn near(&mut self, view: View, element: Element, order: &[Axis]) -> View {
        let moves: Vec<Axis> = order
            .iter()
            .copied()
            .filter(|axis| view.stride(*axis) != 0 && self.axes.size(*axis) > 1)
            .collect();
        let last = order.iter().rev().find(|axis| self.axes.size(**axis) > 1);
        let in_steps = last.is_some_and(|axis| !matches!(view.stride(*axis), 0 | 1));
        let elements = count(moves.iter().copied(), self.axes);
        let is_small = elements * REPEATS <= count(order.iter().copied(), self.axes);
        if !in_steps || !is_small || self.options.launches {
            return view;
        }
        self.packed(&view, element, &moves)
    }

    fn load_kind(&self, order: &[Axis], view: &View) -> LoadKind {
        let merged = loops(order, &[view], self.axes);
        match merged.as_slice() {
            [] => LoadKind::Contiguous,
            [one] if one.strides[0] == 1 => LoadKind::Contiguous,
            [one] if one.strides[0] == 0 => LoadKind::Uniform,
            many => LoadKind::Strided(many.iter().map(|l| (l.size, l.strides[0])).collect()),
        }
    }
}
