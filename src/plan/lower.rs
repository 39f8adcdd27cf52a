//! Lowering: groups of nodes to kernels over buffers, choosing the layout of everything that is stored.
//!
//! In: a program and its groups. Out: buffers without places, kernels in order, and the view of every node.

use super::group::Group;
use super::kernel::{Access, Buffer, BufferId, Kernel, Place};
use super::view::{View, count, loops};
use super::{PlanError, PlanOptions};
use crate::graph::{Axis, AxisSet, AxisTable, Element, Graph, Node, NodeId, Op, Program, Tensor};

pub struct Lowering<'a> {
    pub program: &'a Program,
    pub graph: &'a Graph,
    pub axes: &'a AxisTable,
    pub wishes: Vec<Option<Vec<Axis>>>,
    pub views: Vec<Option<View>>,
    pub buffers: Vec<Buffer>,
    pub kernels: Vec<Kernel>,
    pub constants: Vec<Tensor>,
    /// Is the node used outside its own group?
    pub stored: Vec<bool>,
    /// The nodes that use each node.
    pub users: Vec<Vec<NodeId>>,
    pub live: Vec<bool>,
    /// Copies that are there: of what, in which order, where.
    pub copies: Vec<(View, Vec<Axis>, View)>,
    /// Results of loops whose kernel is there.
    pub taken: Vec<Option<View>>,
    pub options: PlanOptions,
}

/// Lowers all groups in order.
pub fn lower<'a>(
    program: &'a Program,
    groups: &[Group],
    wishes: Vec<Option<Vec<Axis>>>,
    live: Vec<bool>,
    options: &PlanOptions,
) -> Result<Lowering<'a>, PlanError> {
    let graph = &program.graph;
    let mut lowering = Lowering {
        program,
        graph,
        axes: &graph.axes,
        wishes,
        views: vec![None; graph.nodes.len()],
        buffers: Vec::new(),
        kernels: Vec::new(),
        constants: Vec::new(),
        stored: stored(program, groups),
        users: users(graph, groups),
        live,
        copies: Vec::new(),
        taken: vec![None; graph.nodes.len()],
        options: *options,
    };
    for group in groups {
        if group.elementwise {
            lowering.elementwise(group)?;
        } else {
            for id in &group.nodes {
                let view = lowering.single(*id)?;
                lowering.views[id.0 as usize] = Some(view);
            }
        }
    }
    Ok(lowering)
}

fn users(graph: &Graph, groups: &[Group]) -> Vec<Vec<NodeId>> {
    let mut users = vec![Vec::new(); graph.nodes.len()];
    for id in groups.iter().flat_map(|group| &group.nodes) {
        for operand in &graph.node(*id).operands {
            users[operand.0 as usize].push(*id);
        }
    }
    users
}

fn stored(program: &Program, groups: &[Group]) -> Vec<bool> {
    let nodes = &program.graph.nodes;
    let mut group_of = vec![usize::MAX; nodes.len()];
    for (at, group) in groups.iter().enumerate() {
        for id in &group.nodes {
            group_of[id.0 as usize] = at;
        }
    }
    let mut stored = vec![false; nodes.len()];
    for output in &program.outputs {
        stored[output.node.0 as usize] = true;
    }
    for (at, group) in groups.iter().enumerate() {
        for id in &group.nodes {
            let node = program.graph.node(*id);
            for (position, operand) in node.operands.iter().enumerate() {
                let condition = matches!(node.op, Op::Check(_)) && position == 1;
                if group_of[operand.0 as usize] != at || condition {
                    stored[operand.0 as usize] = true;
                }
            }
        }
    }
    // What only names its operand again needs the operand stored.
    for group in groups {
        for id in group.nodes.iter().rev() {
            let node = program.graph.node(*id);
            if stored[id.0 as usize] && matches!(node.op, Op::Stop | Op::Check(_) | Op::Cast(_)) {
                let source = program.graph.node(node.operands[0]);
                if matches!(node.op, Op::Cast(_)) && source.element != node.element {
                    continue;
                }
                stored[node.operands[0].0 as usize] = true;
            }
        }
    }
    stored
}

impl<'a> Lowering<'a> {
    pub fn buffer(&mut self, element: Element, length: usize) -> BufferId {
        self.buffers.push(Buffer { element, length, place: Place::Arena(0) });
        BufferId(self.buffers.len() as u32 - 1)
    }

    /// A new buffer, dense in the order.
    pub fn dense(&mut self, element: Element, order: &[Axis]) -> View {
        let buffer = self.buffer(element, count(order.iter().copied(), self.axes));
        View::dense(buffer, order, self.axes)
    }

    pub fn constant(&mut self, tensor: Tensor) -> BufferId {
        let buffer = self.buffer(tensor.element(), tensor.len());
        self.buffers[buffer.0 as usize].place = Place::Constant(self.constants.len());
        self.constants.push(tensor);
        buffer
    }

    pub fn view(&self, id: NodeId) -> Result<View, PlanError> {
        self.views[id.0 as usize].clone().ok_or(PlanError::Order { node: id })
    }

    pub fn operand(&self, node: &Node, position: usize) -> Result<View, PlanError> {
        let id = node.operands.get(position).ok_or(PlanError::Operands)?;
        self.view(*id)
    }

    /// The order to store a node in: what was wished for, or else the order of a view that it comes from.
    pub fn order(&self, id: NodeId, like: &View, set: &AxisSet) -> Vec<Axis> {
        match &self.wishes[id.0 as usize] {
            Some(wish) if wish.len() == set.len() && wish.iter().all(|a| set.contains(*a)) => wish.clone(),
            _ => like.order(set),
        }
    }

    /// Copies (or adds) `from` to `to`, over the axes in `order`.
    pub fn copy(&mut self, order: &[Axis], from: &View, to: &View, add: bool) {
        let merged = loops(order, &[from, to], self.axes);
        let kernel = Kernel::Copy {
            sizes: merged.iter().map(|l| l.size).collect(),
            from: access(from, merged.iter().map(|l| l.strides[0])),
            to: access(to, merged.iter().map(|l| l.strides[1])),
            add,
        };
        self.kernels.push(kernel);
    }

    /// The same values, dense in `order`; a copy only where they do not lie so.
    pub fn packed(&mut self, view: &View, element: Element, order: &[Axis]) -> View {
        if view.is_dense(order, self.axes) {
            return view.clone();
        }
        // A value does not change, so one copy does for all who want it.
        let known = self.copies.iter().find(|(from, by, _)| from == view && by == order);
        if let Some((.., copy)) = known {
            return copy.clone();
        }
        let to = self.dense(element, order);
        self.copy(order, view, &to, false);
        self.copies.push((view.clone(), order.to_vec(), to.clone()));
        to
    }

    /// Every operation that is not element-wise.
    fn single(&mut self, id: NodeId) -> Result<View, PlanError> {
        let graph = self.graph;
        let node = graph.node(id);
        match &node.op {
            Op::Input(input) => {
                let input = self.program.inputs.get(input.0 as usize).ok_or(PlanError::Input { node: id })?;
                let view = self.dense(input.element, &input.layout);
                self.buffers[view.buffer.0 as usize].place = Place::Slot(input.slot);
                Ok(view)
            }
            Op::Float(bits) => {
                let value = f64::from_bits(*bits);
                Ok(View::dense(self.constant(Tensor::F64(vec![value])), &[], self.axes))
            }
            Op::Index(value) => Ok(View::dense(self.constant(Tensor::Index(vec![*value])), &[], self.axes)),
            Op::Bool(value) => {
                Ok(View::dense(self.constant(Tensor::Bool(vec![u8::from(*value)])), &[], self.axes))
            }
            Op::Tensor(tensor, order) => {
                let buffer = self.constant(tensor.as_ref().clone());
                Ok(View::dense(buffer, order, self.axes))
            }
            Op::Iota(axis) => {
                let positions = (0..self.axes.size(*axis) as i32).collect();
                Ok(View::dense(self.constant(Tensor::Index(positions)), &[*axis], self.axes))
            }
            Op::Broadcast(_) | Op::Own(_) => self.operand(node, 0),
            Op::Rename { from, to } => {
                let mut view = self.operand(node, 0)?;
                let stride = view.remove(*from);
                view.insert(*to, stride);
                Ok(view)
            }
            Op::Slice { axis, into, start, step } => {
                let mut view = self.operand(node, 0)?;
                let stride = view.remove(*axis);
                view.offset += *start as isize * stride;
                view.insert(*into, stride * step);
                Ok(view)
            }
            Op::Flatten { axes: group, into } => {
                let mut view = self.operand(node, 0)?;
                if view.flattened(group, self.axes).is_none() {
                    let set = &graph.node(node.operands[0]).axes;
                    let rest = view.order(&set.minus(&group.iter().copied().collect()));
                    let order: Vec<Axis> = rest.into_iter().chain(group.iter().copied()).collect();
                    view = self.packed(&view, node.element, &order);
                }
                let stride = view.flattened(group, self.axes).unwrap_or(1);
                for axis in group {
                    view.remove(*axis);
                }
                view.insert(*into, stride);
                Ok(view)
            }
            Op::Unflatten { axis, into } => {
                let mut view = self.operand(node, 0)?;
                let mut stride = view.remove(*axis);
                for axis in into.iter().rev() {
                    view.insert(*axis, stride);
                    stride *= self.axes.size(*axis) as isize;
                }
                Ok(view)
            }
            Op::Reduce(reduction, axes) => self.reduce(id, *reduction, axes),
            Op::Contract { axes, factors } => self.contract(id, axes, *factors),
            Op::Gather { axis } => self.gather(id, *axis),
            Op::Scatter { over, into, reduction } => self.scatter(id, over, *into, *reduction),
            Op::Pad { .. } => self.pad(id),
            Op::Concat { axes, into } => self.concat(id, axes, *into),
            Op::Window { axis, output, kernel, stride, dilation, before } => {
                let shape = super::window::Windows {
                    axis: *axis,
                    output: *output,
                    kernel: *kernel,
                    stride: *stride as isize,
                    dilation: *dilation as isize,
                    before: *before as isize,
                };
                self.window(id, &shape)
            }
            Op::Unwindow { axis, output, kernel, stride, dilation, before } => {
                let shape = super::window::Windows {
                    axis: *axis,
                    output: *output,
                    kernel: *kernel,
                    stride: *stride as isize,
                    dilation: *dilation as isize,
                    before: *before as isize,
                };
                self.unwindow(id, &shape)
            }
            Op::ArgReduce { axis, .. }
            | Op::ArgSort { axis, .. }
            | Op::Rank { axis, .. }
            | Op::Cumulative { axis, .. } => self.line(id, *axis),
            Op::Matrix { kind, rows, columns, into } => self.matrix(id, *kind, [*rows, *columns], into),
            Op::Random { site, order } => {
                let (seed, step) = (self.operand(node, 0)?, self.operand(node, 1)?);
                let to = self.dense(Element::Float, order);
                let kernel = Kernel::Random {
                    site: *site,
                    seed: access(&seed, std::iter::empty()),
                    step: access(&step, std::iter::empty()),
                    round: match node.operands.len() {
                        3 => Some(access(&self.operand(node, 2)?, std::iter::empty())),
                        _ => None,
                    },
                    to: to.buffer,
                };
                self.kernels.push(kernel);
                Ok(to)
            }
            Op::Scan { .. } => self.scan(id),
            Op::Unary(_)
            | Op::Binary(_)
            | Op::Compare(_)
            | Op::Logic(_)
            | Op::Not
            | Op::Select
            | Op::Cast(_)
            | Op::Special(_)
            | Op::Stop
            | Op::Check(_) => Err(PlanError::Order { node: id }),
        }
    }
}

/// How a kernel walks through a view.
pub fn access(view: &View, strides: impl Iterator<Item = isize>) -> Access {
    Access { buffer: view.buffer, offset: view.offset, strides: strides.collect() }
}
