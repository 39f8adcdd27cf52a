//! The table of operations: for each, its type rule, derivative, reference meaning and cost.

use super::signature::{Signature, Type, TypeError};
use super::{
    Matrix, Op, Special, Unary, constant, contract, control, cumulative, elementwise, gather, linear_algebra,
    logic, order, own, random, reduce, scan, shape, slice, special, window,
};
use crate::graph::Graph;
use crate::graph::differentiate::Derivative;
use crate::graph::fault::Fault;
use crate::graph::node::Node;
use crate::graph::reference::Scope;

/// What an operation's family says of it.
pub struct Rules {
    pub type_rule: fn(&Signature) -> Result<Type, TypeError>,
    /// None: the derivative is zero, or the operation is declared to have none.
    pub derivative: Option<Derivative>,
    pub reference: fn(&Scope) -> Result<Vec<f64>, Fault>,
    /// Floating-point operations of a node.
    pub flops: fn(&Graph, &Node) -> u64,
}

/// The functions of a family's module.
macro_rules! rules {
    ($family:ident) => {
        Rules { derivative: Some($family::derivative), ..rules!($family, none) }
    };
    ($family:ident, none) => {
        Rules {
            type_rule: $family::type_rule,
            derivative: None,
            reference: $family::reference,
            flops: $family::flops,
        }
    };
}

impl Op {
    pub fn rules(&self) -> Rules {
        match self {
            Op::Input(_) | Op::Float(_) | Op::Index(_) | Op::Bool(_) | Op::Tensor(..) | Op::Iota(_) => {
                rules!(constant, none)
            }
            Op::Random { .. } => rules!(random, none),
            Op::Unary(Unary::Sign | Unary::Floor) => rules!(elementwise, none),
            Op::Unary(_) | Op::Binary(_) => rules!(elementwise),
            Op::Compare(_) | Op::Logic(_) | Op::Not | Op::Cast(_) => rules!(logic, none),
            Op::Select => rules!(logic),
            Op::Reduce(..) => rules!(reduce),
            Op::ArgReduce { .. } => rules!(reduce, none),
            Op::Broadcast(_) | Op::Rename { .. } | Op::Flatten { .. } | Op::Unflatten { .. } => rules!(shape),
            Op::Gather { .. } | Op::Scatter { .. } => rules!(gather),
            Op::Slice { .. } | Op::Pad { .. } | Op::Concat { .. } => rules!(slice),
            Op::Window { .. } | Op::Unwindow { .. } => rules!(window),
            Op::ArgSort { .. } | Op::Rank { .. } => rules!(order, none),
            Op::Cumulative { .. } => rules!(cumulative),
            Op::Contract { .. } => rules!(contract),
            Op::Special(
                Special::GammaQuantileByShape | Special::PoissonQuantile | Special::BinomialQuantile,
            ) => {
                rules!(special, none)
            }
            Op::Special(_) => rules!(special),
            Op::Matrix { kind: Matrix::SpanningTree | Matrix::Assignment, .. } => {
                rules!(linear_algebra, none)
            }
            Op::Matrix { .. } => rules!(linear_algebra),
            Op::Stop => rules!(control, none),
            Op::Scan { .. } => rules!(scan),
            Op::Check(_) => rules!(control),
            Op::Own(_) => rules!(own),
        }
    }
}
