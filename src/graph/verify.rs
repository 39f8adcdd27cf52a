//! The invariants of programs. In: a program. Out: the first invariant that it breaks, if any.

use super::axis::AxisSet;
use super::node::{NodeId, Program, Slot};
use super::op::{Op, Type, TypeError};

/// A broken invariant: always a bug of this crate, never of the user.
#[derive(Clone, Debug, PartialEq)]
pub enum Broken {
    /// An operand does not come before its node.
    Order {
        node: NodeId,
        operand: NodeId,
    },
    TypeError {
        node: NodeId,
        error: TypeError,
    },
    /// The node's type is not what its operation gives.
    Type {
        node: NodeId,
        stored: Type,
        given: Type,
    },
    /// A round of a loop breaks an invariant.
    Loop {
        node: NodeId,
        broken: Box<Broken>,
    },
    UnknownInput {
        node: NodeId,
    },
    UnknownCheck {
        node: NodeId,
    },
    /// The output's node does not exist, or its layout is not an order of its axes.
    Output {
        name: String,
    },
    /// Two outputs write one slot.
    SlotTwice {
        slot: Slot,
    },
}

pub fn verify(program: &Program) -> Result<(), Broken> {
    let graph = &program.graph;
    for (number, node) in graph.nodes.iter().enumerate() {
        let id = NodeId(number as u32);
        if let Some(operand) = node.operands.iter().find(|operand| **operand >= id) {
            return Err(Broken::Order { node: id, operand: *operand });
        }
        let given = match &node.op {
            Op::Input(input) => match program.inputs.get(input.0 as usize) {
                Some(input) => Type::new(input.element, AxisSet::from(&input.layout[..])),
                None => return Err(Broken::UnknownInput { node: id }),
            },
            Op::Check(check) if check.0 as usize >= graph.checks.len() => {
                return Err(Broken::UnknownCheck { node: id });
            }
            op => graph.type_of(op, &node.operands).map_err(|error| Broken::TypeError { node: id, error })?,
        };
        if let Op::Scan { body, take } = &node.op {
            let every = match take {
                super::op::Take::Every { node, .. } => vec![*node],
                super::op::Take::Last(_) => vec![],
            };
            // All nodes of one loop have one body: the first stands for them.
            let known = graph.nodes[..number].iter().any(|other| match &other.op {
                Op::Scan { body: other, .. } => other == body,
                _ => false,
            });
            let l = &body.0;
            let mut carried = l.next.iter().zip(&l.inputs);
            if let Some((next, ty)) = carried.find(|(next, ty)| l.graph.type_at(**next) != **ty) {
                return Err(Broken::Type { node: id, stored: ty.clone(), given: l.graph.type_at(*next) });
            }
            if !known {
                verify(&l.program(program.precision, &every))
                    .map_err(|broken| Broken::Loop { node: id, broken: Box::new(broken) })?;
            }
        }
        let stored = graph.type_at(id);
        if stored != given {
            return Err(Broken::Type { node: id, stored, given });
        }
    }
    let mut written: Vec<Slot> = Vec::new();
    for output in &program.outputs {
        let fits = graph.nodes.get(output.node.0 as usize).is_some_and(|node| {
            node.axes == AxisSet::from(&output.layout[..]) && node.axes.len() == output.layout.len()
        });
        if !fits {
            return Err(Broken::Output { name: output.name.clone() });
        }
        if written.contains(&output.slot) {
            return Err(Broken::SlotTwice { slot: output.slot });
        }
        written.push(output.slot);
    }
    Ok(())
}
