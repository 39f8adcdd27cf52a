//! What a type rule sees and says. In: an operation with its operands. Out: a [`Type`] or a [`TypeError`].

use crate::graph::axis::{Axis, AxisSet};
use crate::graph::node::{Element, NodeId};
use crate::graph::{Graph, Op};

/// The element and the axes of a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Type {
    pub element: Element,
    pub axes: AxisSet,
}

impl Type {
    pub fn new(element: Element, axes: AxisSet) -> Self {
        Type { element, axes }
    }
}

/// Why an operation cannot be applied to its operands. Operands are counted from 0.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TypeError {
    OperandCount {
        op: &'static str,
        expected: usize,
        found: usize,
    },
    Element {
        op: &'static str,
        operand: usize,
        expected: &'static [Element],
        found: Element,
    },
    ElementsDiffer {
        op: &'static str,
        left: Element,
        right: Element,
    },
    /// The operand lacks an axis that the operation names.
    MissingAxis {
        op: &'static str,
        operand: usize,
        axis: Axis,
    },
    /// The operand already has an axis that the operation would make.
    AxisAlreadyThere {
        op: &'static str,
        operand: usize,
        axis: Axis,
    },
    /// Two sizes that must be equal are not.
    SizesDiffer {
        op: &'static str,
        axis: Axis,
        size: usize,
        other: Axis,
        other_size: usize,
    },
    /// The operation would read or write outside an axis.
    OutOfRange {
        op: &'static str,
        axis: Axis,
        position: isize,
        size: usize,
    },
    /// The operand must be a scalar.
    NotScalar {
        op: &'static str,
        operand: usize,
        axes: AxisSet,
    },
    /// An axis that the operation names twice.
    AxisTwice {
        op: &'static str,
        axis: Axis,
    },
    /// A stride, step or dilation of zero.
    ZeroStep {
        op: &'static str,
        axis: Axis,
    },
    /// The elements or the layout given do not fit the axes.
    Layout {
        op: &'static str,
        expected: usize,
        found: usize,
    },
    /// This reduction is not defined for this operation.
    Reduction {
        op: &'static str,
    },
}

impl TypeError {
    /// What is wrong, in words, for a message.
    pub fn describe(&self, graph: &Graph) -> String {
        let name = |axis: &Axis| graph.axes.name(*axis).to_string();
        match self {
            TypeError::OperandCount { op, expected, found } => {
                format!("`{op}` takes {expected} operands, and was given {found}")
            }
            TypeError::Element { op, operand, expected, found } => {
                let expected: Vec<String> = expected.iter().map(|element| format!("{element:?}")).collect();
                format!("operand {} of `{op}` is {found:?}, not {}", operand + 1, expected.join(" or "))
            }
            TypeError::ElementsDiffer { op, left, right } => {
                format!("`{op}` takes values of one kind, and was given {left:?} and {right:?}")
            }
            TypeError::MissingAxis { op, operand, axis } => {
                format!("operand {} of `{op}` has no axis `{}`", operand + 1, name(axis))
            }
            TypeError::AxisAlreadyThere { op, operand, axis } => {
                format!("operand {} of `{op}` already has the axis `{}`", operand + 1, name(axis))
            }
            TypeError::SizesDiffer { op, axis, size, other, other_size } => format!(
                "`{op}` needs axes of one size, and `{}` has {size} where `{}` has {other_size}",
                name(axis),
                name(other)
            ),
            TypeError::OutOfRange { op, axis, position, size } => {
                format!("`{op}` reads position {position} of the axis `{}`, which has {size}", name(axis))
            }
            TypeError::NotScalar { op, operand, axes } => {
                let axes: Vec<String> = axes.iter().map(|axis| name(&axis)).collect();
                format!(
                    "operand {} of `{op}` must be one number, and has the axes {}",
                    operand + 1,
                    axes.join(", ")
                )
            }
            TypeError::AxisTwice { op, axis } => format!("`{op}` names the axis `{}` twice", name(axis)),
            TypeError::ZeroStep { op, axis } => {
                format!("`{op}` steps by zero along the axis `{}`", name(axis))
            }
            TypeError::Layout { op, expected, found } => {
                format!("`{op}` needs {expected} elements or axes, and was given {found}")
            }
            TypeError::Reduction { op } => format!("`{op}` is not defined for this operation"),
        }
    }
}

/// An operation about to be applied, with helpers for its type rule.
pub struct Signature<'a> {
    pub graph: &'a Graph,
    pub op: &'a Op,
    pub operands: &'a [NodeId],
}

pub const FLOAT: &[Element] = &[Element::Float];
pub const INDEX: &[Element] = &[Element::Index];
pub const BOOL: &[Element] = &[Element::Bool];
pub const NUMBER: &[Element] = &[Element::Float, Element::Index];

impl Signature<'_> {
    pub fn name(&self) -> &'static str {
        self.op.name()
    }

    pub fn element(&self, operand: usize) -> Element {
        self.graph.node(self.operands[operand]).element
    }

    pub fn axes(&self, operand: usize) -> &AxisSet {
        &self.graph.node(self.operands[operand]).axes
    }

    pub fn size(&self, axis: Axis) -> usize {
        self.graph.axes.size(axis)
    }

    pub fn count(&self, expected: usize) -> Result<(), TypeError> {
        let found = self.operands.len();
        if found == expected {
            Ok(())
        } else {
            Err(TypeError::OperandCount { op: self.name(), expected, found })
        }
    }

    pub fn expect(&self, operand: usize, expected: &'static [Element]) -> Result<Element, TypeError> {
        let found = self.element(operand);
        if expected.contains(&found) {
            Ok(found)
        } else {
            Err(TypeError::Element { op: self.name(), operand, expected, found })
        }
    }

    pub fn same_element(&self, left: usize, right: usize) -> Result<Element, TypeError> {
        let (left, right) = (self.element(left), self.element(right));
        if left == right { Ok(left) } else { Err(TypeError::ElementsDiffer { op: self.name(), left, right }) }
    }

    pub fn has(&self, operand: usize, axis: Axis) -> Result<(), TypeError> {
        if self.axes(operand).contains(axis) {
            Ok(())
        } else {
            Err(TypeError::MissingAxis { op: self.name(), operand, axis })
        }
    }

    /// The operand's axes with those in `gone` replaced by those in `new`, which it must not have besides.
    pub fn replace(&self, operand: usize, gone: &[Axis], new: &[Axis]) -> Result<AxisSet, TypeError> {
        let mut axes = self.axes(operand).clone();
        for axis in gone {
            self.has(operand, *axis)?;
            if !axes.contains(*axis) {
                return Err(TypeError::AxisTwice { op: self.name(), axis: *axis });
            }
            axes.remove(*axis);
        }
        let kept = axes.clone();
        for axis in new {
            if kept.contains(*axis) {
                return Err(TypeError::AxisAlreadyThere { op: self.name(), operand, axis: *axis });
            }
            if axes.contains(*axis) {
                return Err(TypeError::AxisTwice { op: self.name(), axis: *axis });
            }
            axes.insert(*axis);
        }
        Ok(axes)
    }

    pub fn same_size(&self, axis: Axis, other: Axis) -> Result<(), TypeError> {
        let (size, other_size) = (self.size(axis), self.size(other));
        if size == other_size {
            Ok(())
        } else {
            Err(TypeError::SizesDiffer { op: self.name(), axis, size, other, other_size })
        }
    }

    pub fn scalar(&self, operand: usize) -> Result<(), TypeError> {
        let axes = self.axes(operand);
        if axes.is_empty() {
            Ok(())
        } else {
            Err(TypeError::NotScalar { op: self.name(), operand, axes: axes.clone() })
        }
    }

    pub fn position(&self, axis: Axis, position: isize) -> Result<(), TypeError> {
        let size = self.size(axis);
        if position >= 0 && (position as usize) < size {
            Ok(())
        } else {
            Err(TypeError::OutOfRange { op: self.name(), axis, position, size })
        }
    }

    /// The axes of all operands united.
    pub fn united(&self) -> AxisSet {
        (0..self.operands.len()).flat_map(|k| self.axes(k).iter()).collect()
    }
}
