//! The table of operations: the family of each.

use super::signature::{Signature, Type, TypeError};
use super::{
    Op, constant, contract, control, cumulative, elementwise, gather, logic, order, random, reduce, shape,
    slice, special, window,
};

/// What a family of operations says of its members.
pub struct Rules {
    pub type_rule: fn(&Signature) -> Result<Type, TypeError>,
}

impl Op {
    /// The rules of the operation's family.
    pub fn rules(&self) -> Rules {
        match self {
            Op::Input(_) | Op::Float(_) | Op::Index(_) | Op::Bool(_) | Op::Tensor(..) | Op::Iota(_) => {
                Rules { type_rule: constant::type_rule }
            }
            Op::Random { .. } => Rules { type_rule: random::type_rule },
            Op::Unary(_) | Op::Binary(_) => Rules { type_rule: elementwise::type_rule },
            Op::Compare(_) | Op::Logic(_) | Op::Not | Op::Select | Op::Cast(_) => {
                Rules { type_rule: logic::type_rule }
            }
            Op::Reduce(..) | Op::ArgReduce { .. } => Rules { type_rule: reduce::type_rule },
            Op::Broadcast(_) | Op::Rename { .. } | Op::Flatten { .. } | Op::Unflatten { .. } => {
                Rules { type_rule: shape::type_rule }
            }
            Op::Gather { .. } | Op::Scatter { .. } => Rules { type_rule: gather::type_rule },
            Op::Slice { .. } | Op::Pad { .. } | Op::Concat { .. } => Rules { type_rule: slice::type_rule },
            Op::Window { .. } | Op::Unwindow { .. } => Rules { type_rule: window::type_rule },
            Op::ArgSort { .. } | Op::Rank { .. } => Rules { type_rule: order::type_rule },
            Op::Cumulative { .. } => Rules { type_rule: cumulative::type_rule },
            Op::Contract { .. } => Rules { type_rule: contract::type_rule },
            Op::Special(_) => Rules { type_rule: special::type_rule },
            Op::Stop | Op::Check(_) => Rules { type_rule: control::type_rule },
        }
    }
}
