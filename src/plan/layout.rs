//! Layout wishes: the order of axes in which a node had better lie in memory, if it is stored at all.
//!
//! In: a program. Out: for each node the order of the slot that it ends in, or of the operand that it meets
//! element by element there.

use super::group::is_elementwise;
use crate::graph::{Axis, AxisSet, Op, Program};

pub fn wishes(program: &Program, live: &[bool]) -> Vec<Option<Vec<Axis>>> {
    let graph = &program.graph;
    let mut wishes: Vec<Option<Vec<Axis>>> = vec![None; graph.nodes.len()];
    for output in &program.outputs {
        wishes[output.node.0 as usize].get_or_insert_with(|| output.layout.clone());
    }
    for at in (0..graph.nodes.len()).rev() {
        let node = &graph.nodes[at];
        if !live[at] {
            continue;
        }
        if is_elementwise(&node.op) {
            let given = node.operands.iter().find_map(|operand| match &graph.node(*operand).op {
                Op::Input(input) if graph.node(*operand).axes == node.axes => {
                    program.inputs.get(input.0 as usize).map(|input| input.layout.clone())
                }
                Op::Tensor(_, layout) if graph.node(*operand).axes == node.axes => Some(layout.clone()),
                _ => None,
            });
            let Some(wish) = wishes[at].clone().or(given) else { continue };
            wishes[at].get_or_insert_with(|| wish.clone());
            for operand in &node.operands {
                if graph.node(*operand).axes == node.axes {
                    wishes[operand.0 as usize].get_or_insert_with(|| wish.clone());
                }
            }
            continue;
        }
        let below: Option<Vec<Axis>> = match (&node.op, &wishes[at]) {
            (Op::Flatten { axes, into }, wish) => {
                // Without a wish, what is flattened lies together, innermost, as features of items do.
                let order = wish
                    .clone()
                    .unwrap_or_else(|| node.axes.iter().filter(|axis| axis != into).chain([*into]).collect());
                Some(order.iter().flat_map(|a| if a == into { axes.clone() } else { vec![*a] }).collect())
            }
            (Op::Rename { from, to }, Some(wish)) => {
                Some(wish.iter().map(|a| if a == to { *from } else { *a }).collect())
            }
            (Op::Unflatten { axis, into }, Some(wish)) => {
                let parts: AxisSet = into.iter().copied().collect();
                let first = wish.iter().position(|a| into.first() == Some(a));
                let whole = first.is_some_and(|p| wish.get(p..p + into.len()) == Some(into.as_slice()));
                whole.then(|| {
                    wish.iter()
                        .filter_map(|a| match parts.contains(*a) {
                            false => Some(*a),
                            true => (into.first() == Some(a)).then_some(*axis),
                        })
                        .collect()
                })
            }
            _ => None,
        };
        if let (Some(order), Some(operand)) = (below, node.operands.first()) {
            wishes[operand.0 as usize].get_or_insert(order);
        }
    }
    wishes
}
