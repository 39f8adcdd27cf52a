//! Graphs as text and as DOT. In: a graph or a program. Out: one line a node, such as
//! `%3 = multiply %1 %2 : Float[Example, Hidden]`, fit for a snapshot.

use std::fmt;

use petgraph::dot::Dot;
use petgraph::graph::DiGraph;

use super::axis::{Axis, AxisSet};
use super::node::{NodeId, Program};
use super::op::{Body, Op, Take, Ties};
use super::{Check, Graph};

impl Graph {
    /// The name of an axis; where another axis has the same name, with its number.
    pub fn axis_label(&self, axis: Axis) -> String {
        let name = self.axes.name(axis);
        let twin = (0..self.axes.len() as u32).map(Axis).any(|o| o != axis && self.axes.name(o) == name);
        if twin { format!("{name}#{}", axis.0) } else { name.to_string() }
    }

    fn labels(&self, axes: impl IntoIterator<Item = Axis>) -> String {
        axes.into_iter().map(|axis| self.axis_label(axis)).collect::<Vec<_>>().join(", ")
    }

    /// The type as the language writes it: `Float[Example, Class]`.
    pub fn type_label(&self, id: NodeId) -> String {
        let node = self.node(id);
        if node.axes.is_empty() {
            format!("{:?}", node.element)
        } else {
            format!("{:?}[{}]", node.element, self.labels(node.axes.iter()))
        }
    }

    /// The operation with its attributes, without its operands.
    pub fn op_label(&self, op: &Op) -> String {
        let name = op.name();
        let set = |axes: &AxisSet| self.labels(axes.iter());
        let label = |axis: &Axis| self.axis_label(*axis);
        let attributes = match op {
            Op::Input(input) => format!("{}", input.0),
            Op::Float(bits) => format!("{:?}", f64::from_bits(*bits)),
            Op::Index(index) => format!("{index}"),
            Op::Bool(value) => format!("{value}"),
            Op::Tensor(tensor, layout) => {
                format!("{}: {} elements", self.labels(layout.iter().copied()), tensor.len())
            }
            Op::Iota(axis) => label(axis),
            Op::Random { site, order } => format!("site {site}: {}", self.labels(order.iter().copied())),
            Op::Cast(element) => format!("{element:?}"),
            Op::Reduce(_, axes) | Op::Broadcast(axes) | Op::Contract { axes, factors: None } => set(axes),
            Op::Contract { axes, factors: Some(half) } => format!("{}: {}", half.name(), set(axes)),
            Op::ArgReduce { axis, .. } | Op::Gather { axis } => label(axis),
            Op::Rename { from, to } => format!("{} as {}", label(from), label(to)),
            Op::Scatter { over, into, reduction } => {
                format!("{} over {} into {}", reduction.name(), set(over), label(into))
            }
            Op::Slice { axis, into, start, step } => {
                format!("{} as {}: from {start} by {step}", label(axis), label(into))
            }
            Op::Pad { axis, into, before, step } => {
                format!("{} as {}: from {before} by {step}", label(axis), label(into))
            }
            Op::Concat { axes, into } => {
                format!("{} as {}", self.labels(axes.iter().copied()), label(into))
            }
            Op::Window { axis, output, kernel, stride, dilation, before }
            | Op::Unwindow { axis, output, kernel, stride, dilation, before } => format!(
                "{} as {}, {}: stride {stride}, dilation {dilation}, before {before}",
                label(axis),
                label(output),
                label(kernel)
            ),
            Op::Flatten { axes, into } => {
                format!("{} as {}", self.labels(axes.iter().copied()), label(into))
            }
            Op::Unflatten { axis, into } => {
                format!("{} as {}", label(axis), self.labels(into.iter().copied()))
            }
            Op::ArgSort { axis, descending } => {
                format!("{}{}", label(axis), if *descending { ", descending" } else { "" })
            }
            Op::Rank { axis, ties } => format!("{}, ties {}", label(axis), ties_label(*ties)),
            Op::Cumulative { axis, reverse, .. } => {
                format!("{}{}", label(axis), if *reverse { ", reverse" } else { "" })
            }
            Op::Scan { body, take } => {
                let number = self.bodies().iter().position(|known| known == body).unwrap_or(0);
                match take {
                    Take::Last(carried) => format!("loop {number}, last {carried}"),
                    Take::Every { node, axis } => {
                        format!("loop {number}, every %{} along {}", node.0, label(axis))
                    }
                }
            }
            Op::Matrix { rows, columns, into, .. } => {
                let made = match into.is_empty() {
                    true => String::new(),
                    false => format!(" as {}", self.labels(into.iter().copied())),
                };
                format!("{}, {}{made}", label(rows), label(columns))
            }
            Op::Check(check) => {
                let text = self.checks.get(check.0 as usize).map_or("", |check: &Check| &check.message);
                format!("{text:?}")
            }
            Op::Unary(_)
            | Op::Binary(_)
            | Op::Compare(_)
            | Op::Logic(_)
            | Op::Not
            | Op::Select
            | Op::Special(_)
            | Op::Stop
            | Op::Own(_) => return name.to_string(),
        };
        format!("{name}({attributes})")
    }

    /// The bodies of loops, each once.
    fn bodies(&self) -> Vec<Body> {
        let mut bodies: Vec<Body> = Vec::new();
        for node in &self.nodes {
            if let Op::Scan { body, .. } = &node.op
                && !bodies.contains(body)
            {
                bodies.push(body.clone());
            }
        }
        bodies
    }

    /// The graph for petgraph's algorithms: the weight of a node is its number, of an edge the operand's place.
    pub fn to_petgraph(&self) -> DiGraph<NodeId, usize> {
        let mut graph = DiGraph::with_capacity(self.nodes.len(), self.nodes.len());
        for (number, node) in self.nodes.iter().enumerate() {
            let at = graph.add_node(NodeId(number as u32));
            for (place, operand) in node.operands.iter().enumerate() {
                graph.add_edge(petgraph::graph::NodeIndex::new(operand.0 as usize), at, place);
            }
        }
        graph
    }

    /// The graph in Graphviz's language.
    pub fn dot(&self) -> String {
        let labelled = self.to_petgraph().map(
            |_, id| format!("%{} {}\n{}", id.0, self.op_label(&self.node(*id).op), self.type_label(*id)),
            |_, place| *place,
        );
        // Display, not Debug: the labels keep their line breaks and quotes are escaped once.
        Dot::new(&labelled).to_string()
    }
}

fn ties_label(ties: Ties) -> &'static str {
    match ties {
        Ties::Average => "average",
        Ties::Min => "min",
        Ties::Max => "max",
        Ties::First => "first",
    }
}

impl fmt::Display for Graph {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, node) in self.nodes.iter().enumerate() {
            write!(f, "%{number} = {}", self.op_label(&node.op))?;
            for operand in &node.operands {
                write!(f, " %{}", operand.0)?;
            }
            writeln!(f, " : {}", self.type_label(NodeId(number as u32)))?;
        }
        for (number, body) in self.bodies().iter().enumerate() {
            let (l, next) = (&body.0, body.0.next.iter().map(|id| format!("%{}", id.0)));
            let next: Vec<String> = next.collect();
            let order = if l.reverse { ", last to first" } else { "" };
            writeln!(f, "loop {number}: {} rounds{order}, next {} {{", l.rounds, next.join(" "))?;
            for line in l.graph.to_string().lines() {
                writeln!(f, "  {line}")?;
            }
            writeln!(f, "}}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, input) in self.inputs.iter().enumerate() {
            let axes = self.graph.labels(input.layout.iter().copied());
            writeln!(f, "input {number} {} : {:?}[{axes}]", input.name, input.element)?;
        }
        write!(f, "{}", self.graph)?;
        for output in &self.outputs {
            writeln!(f, "output {} = %{}", output.name, output.node.0)?;
        }
        Ok(())
    }
}
