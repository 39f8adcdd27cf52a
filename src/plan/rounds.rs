//! Loops: the body is planned once, as a plan of its own whose arena is one buffer of the plan around it.
//!
//! In: all nodes that are results of one loop. Out: one kernel, and the view of each result. The slots of the body's plan
//! are bound to the buffers here; what is sliced or taken in every round moves on by one position a round.

use super::PlanError;
use super::kernel::{Binding, Kernel, Place, Rounds};
use super::lower::Lowering;
use super::view::{View, count};
use crate::graph::{Axis, AxisSet, Element, Loop, Node, NodeId, Op, Slot, Take};

impl Lowering<'_> {
    /// Lowers the loop of which `id` is a result, unless that has happened for another of its results.
    pub fn scan(&mut self, id: NodeId) -> Result<View, PlanError> {
        if let Some(view) = &self.taken[id.0 as usize] {
            return Ok(view.clone());
        }
        let graph = self.graph;
        let node = graph.node(id);
        let Op::Scan { body, .. } = &node.op else { return Err(PlanError::Operands) };
        let l = &body.0;
        let results: Vec<(NodeId, Take)> = (id.0..graph.nodes.len() as u32)
            .map(NodeId)
            .filter(|other| self.live[other.0 as usize] && graph.node(*other).operands == node.operands)
            .filter_map(|other| match &graph.node(other).op {
                Op::Scan { body: same, take } if same == body => Some((other, *take)),
                _ => None,
            })
            .collect();
        let mut every: Vec<(NodeId, Vec<NodeId>)> = Vec::new();
        for (result, take) in &results {
            if let Take::Every { node, .. } = take {
                match every.iter_mut().find(|(known, _)| known == node) {
                    Some((_, same)) => same.push(*result),
                    None => every.push((*node, vec![*result])),
                }
            }
        }
        let nodes: Vec<NodeId> = every.iter().map(|(node, _)| *node).collect();
        let mut program = l.program(self.program.precision, &nodes);
        let mut bindings = Vec::new();
        let mut carried = Vec::new();
        let flow = self.flow(node, l)?;
        for number in 0..l.operands() {
            let view = self.operand(node, number)?;
            let ty = &l.inputs[number];
            let axis = number.checked_sub(l.carried()).and_then(|at| l.sliced.get(at)).copied();
            let slot = Slot(number as u32);
            let view = match number < l.carried() {
                true => {
                    let is_spread = ty.axes.iter().any(|a| view.stride(a) == 0 && self.axes.size(a) > 1);
                    let order = if is_spread { along(&flow, &ty.axes) } else { view.order(&ty.axes) };
                    let to = self.dense(ty.element, &order);
                    self.copy(&order, &view, &to, false);
                    carried.push(to.clone());
                    to
                }
                false => self.bound(&view, ty.element, &ty.axes, axis),
            };
            let layout = view.order(&ty.axes);
            program.inputs[number].layout = layout.clone();
            if number < l.carried() {
                program.outputs[number].layout = layout;
            }
            let stride = axis.map_or(0, |axis| view.stride(axis));
            bindings.push(Binding { slot, buffer: view.buffer, offset: view.offset, stride });
        }
        let mut views = Vec::new();
        for (at, (inner, same)) in every.iter().enumerate() {
            let element = l.graph.node(*inner).element;
            let order = along(&flow, &l.graph.node(*inner).axes);
            let size = count(order.iter().copied(), self.axes);
            let buffer = self.buffer(element, size * l.rounds);
            let slot = Slot((l.inputs.len() + at) as u32);
            if let Some(output) = program.outputs.iter_mut().find(|output| output.slot == slot) {
                output.layout.clone_from(&order);
            }
            bindings.push(Binding { slot, buffer, offset: 0, stride: size as isize });
            for result in same {
                let Op::Scan { take: Take::Every { axis, .. }, .. } = &graph.node(*result).op else {
                    continue;
                };
                let mut view = View::dense(buffer, &order, self.axes);
                view.insert(*axis, size as isize);
                views.push((*result, view));
            }
        }
        let round = self.buffer(Element::Index, 1);
        bindings.push(Binding { slot: Slot(l.operands() as u32), buffer: round, offset: 0, stride: 0 });
        let done = l.done.map(|_| {
            let buffer = self.buffer(Element::Bool, 1);
            let slot = Slot((l.inputs.len() + every.len()) as u32);
            bindings.push(Binding { slot, buffer, offset: 0, stride: 0 });
            buffer
        });
        let mut plan = super::planned(&program, &self.options, true)?;
        let counts = Place::Slot(Slot(l.operands() as u32));
        let mut touched = plan.kernels.iter().flat_map(Kernel::reads);
        if l.done.is_some() || touched.any(|id| plan.buffers[id.0 as usize].place == counts) {
            plan.rows = 1;
        }
        plan.belongs_to(id);
        let work = match self.options.launches {
            true => self.buffer(Element::Index, plan.arena.div_ceil(4)),
            false => self.buffer(Element::Bool, plan.arena),
        };
        self.kernels.push(Kernel::Rounds(Box::new(Rounds {
            rounds: l.rounds,
            reverse: l.reverse,
            carried: l.carried(),
            every: every.len(),
            plan,
            bindings,
            round,
            // Where every round is kept, all rounds are made.
            done: done.filter(|_| every.is_empty()),
            work,
            number: 0,
        })));
        for (result, take) in &results {
            if let Take::Last(number) = take {
                views.push((*result, carried[*number].clone()));
            }
        }
        for (result, view) in views {
            self.taken[result.0 as usize] = Some(view);
        }
        self.taken[id.0 as usize].clone().ok_or(PlanError::Order { node: id })
    }

    /// The order in which the axes of what the rounds go through lie in memory: that of the sliced operand with the most elements, or of
    /// the carried one.
    fn flow(&self, node: &Node, l: &Loop) -> Result<Vec<Axis>, PlanError> {
        let mut most: Option<(bool, usize, Vec<Axis>)> = None;
        for number in 0..l.carried() + l.sliced.len() {
            let (view, axes) = (self.operand(node, number)?, &l.inputs[number].axes);
            let moving = axes.iter().filter(|axis| view.stride(*axis) != 0);
            let (is_sliced, size) = (number >= l.carried(), count(moving, self.axes));
            if most.as_ref().is_none_or(|(sliced, best, _)| (is_sliced, size) > (*sliced, *best)) {
                most = Some((is_sliced, size, view.order(axes)));
            }
        }
        Ok(most.map(|(.., order)| order).unwrap_or_default())
    }

    /// The value with `axis` slowest and the rest dense, from some offset on.
    fn bound(&mut self, view: &View, element: Element, rest: &AxisSet, axis: Option<Axis>) -> View {
        let inner = view.order(rest);
        let start = View { offset: 0, ..view.clone() };
        if start.is_dense(&inner, self.axes) {
            return view.clone();
        }
        let whole: Vec<Axis> = axis.into_iter().chain(inner).collect();
        self.packed(view, element, &whole)
    }
}

/// The axes of a set in the order of `flow`; those that it does not have come first.
fn along(flow: &[Axis], set: &AxisSet) -> Vec<Axis> {
    let mut order: Vec<Axis> = set.iter().collect();
    order.sort_by_key(|axis| flow.iter().position(|other| other == axis).map_or(0, |at| at + 1));
    order
}
