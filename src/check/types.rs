//! Operations on types: how they are written in messages, substitution of axes, union.

use super::program::{AxisId, AxisIds, AxisKind, Element, ItemRef, Type};
use super::state::Checker;
use crate::diagnostic::{Code, Diagnostic, Edit};
use crate::source::Span;

/// Generic axes with what they stand for.
pub(super) type Bindings = Vec<(AxisId, AxisId)>;

pub(super) fn bound(bindings: &Bindings, axis: AxisId) -> AxisId {
    bindings.iter().find(|(generic, _)| *generic == axis).map_or(axis, |(_, actual)| *actual)
}

fn substitute_element(element: Element, bindings: &Bindings) -> Element {
    match element {
        Element::Index(axis) => Element::Index(bound(bindings, axis)),
        other => other,
    }
}

/// The type with generic axes replaced.
pub(super) fn substitute(ty: &Type, bindings: &Bindings) -> Type {
    match ty {
        Type::Array { element, axes } => Type::Array {
            element: substitute_element(*element, bindings),
            axes: axes.iter().map(|axis| bound(bindings, *axis)).collect(),
        },
        Type::Record(fields) => {
            Type::Record(fields.iter().map(|(name, ty)| (name.clone(), substitute(ty, bindings))).collect())
        }
        Type::Tuple(types) => Type::Tuple(types.iter().map(|ty| substitute(ty, bindings)).collect()),
        Type::Function { parameters, result } => Type::Function {
            parameters: parameters.iter().map(|ty| substitute(ty, bindings)).collect(),
            result: Box::new(substitute(result, bindings)),
        },
        Type::Model { layer, axes, over } => Type::Model {
            layer: *layer,
            axes: axes.iter().map(|(generic, actual)| (*generic, bound(bindings, *actual))).collect(),
            over: over.iter().map(|axis| bound(bindings, *axis)).collect(),
        },
        other => other.clone(),
    }
}

/// The type over further axes: what lifting makes of it.
pub(super) fn lift(ty: &Type, extra: &AxisIds) -> Type {
    match ty {
        Type::Array { element, axes } => {
            Type::Array { element: *element, axes: axes.union(extra).copied().collect() }
        }
        Type::Record(fields) => {
            Type::Record(fields.iter().map(|(name, ty)| (name.clone(), lift(ty, extra))).collect())
        }
        Type::Tuple(types) => Type::Tuple(types.iter().map(|ty| lift(ty, extra)).collect()),
        Type::Model { layer, axes, over } => {
            Type::Model { layer: *layer, axes: axes.clone(), over: over.union(extra).copied().collect() }
        }
        // What a function captured lifts its calls.
        Type::Function { parameters, result } => {
            Type::Function { parameters: parameters.clone(), result: Box::new(lift(result, extra)) }
        }
        other => other.clone(),
    }
}

pub(super) fn array(element: Element, axes: AxisIds) -> Type {
    Type::Array { element, axes }
}

pub(super) fn boolean() -> Type {
    array(Element::Bool, AxisIds::new())
}

/// Every axis in a type, as an axis or as an element.
pub(super) fn all_axes(ty: &Type, found: &mut AxisIds) {
    match ty {
        Type::Array { element, axes } => {
            found.extend(axes);
            if let Element::Index(axis) = element {
                found.insert(*axis);
            }
        }
        Type::Record(fields) => fields.iter().for_each(|(_, ty)| all_axes(ty, found)),
        Type::Tuple(types) => types.iter().for_each(|ty| all_axes(ty, found)),
        Type::Function { parameters, result } => {
            parameters.iter().for_each(|ty| all_axes(ty, found));
            all_axes(result, found);
        }
        Type::Model { axes, over, .. } => {
            found.extend(axes.iter().map(|(_, actual)| *actual));
            found.extend(over);
        }
        _ => {}
    }
}

/// The axes of an array; none for everything else.
pub(super) fn axes_of(ty: &Type) -> AxisIds {
    match ty {
        Type::Array { axes, .. } => axes.clone(),
        _ => AxisIds::new(),
    }
}

impl Checker<'_> {
    /// The change that wraps what stands at a place in a reduction over axes.
    pub fn wrapped(&self, function: &str, span: Span, axes: &[String]) -> Edit {
        Edit { span, text: format!("{function}({}, {})", self.sources.slice(span), axes.join(", ")) }
    }

    pub fn axis_name(&self, axis: AxisId) -> String {
        self.program.axis(axis).name.clone()
    }

    /// The axes in words: "the axes Example and Class", "no axes".
    pub fn axes_in_words(&self, axes: &AxisIds) -> String {
        let names: Vec<_> = axes.iter().map(|axis| format!("`{}`", self.axis_name(*axis))).collect();
        match names.as_slice() {
            [] => "no axes".into(),
            [one] => format!("the axis {one}"),
            [most @ .., last] => format!("the axes {} and {last}", most.join(", ")),
        }
    }

    pub fn show_element(&self, element: Element) -> String {
        self.program.show_element(element)
    }

    /// A type as the user would write it.
    pub fn show(&self, ty: &Type) -> String {
        self.program.show(ty)
    }

    pub fn item_name(&self, item: ItemRef) -> String {
        self.program.item_name(item)
    }

    /// The axis that another is a part of: `Token` for `Token`, `Token.train`, a batch of them, and slices of each.
    pub fn whole(&self, axis: AxisId) -> AxisId {
        match &self.program.axis(axis).kind {
            AxisKind::Part { rows, .. } | AxisKind::Batch { rows } => self.whole(*rows),
            _ => self.origins.get(&axis).map_or(axis, |from| self.whole(*from)),
        }
    }

    /// "`Token.train`", "a batch of `Token.train`", "all of `Token`".
    pub fn part_in_words(&self, axis: AxisId) -> String {
        match &self.program.axis(axis).kind {
            AxisKind::Batch { rows } => format!("a batch of `{}`", self.axis_name(*rows)),
            AxisKind::Rows { .. } => format!("all of `{}`", self.axis_name(axis)),
            AxisKind::Part { rows, part } => format!("`{}.{part}`", self.axis_name(*rows)),
            _ if self.origins.contains_key(&axis) => format!("a slice of `{}`", self.axis_name(axis)),
            _ => format!("`{}`", self.axis_name(axis)),
        }
    }

    /// The union of the axes of several values at their places. Two parts of one axis do not unite.
    pub fn unite(&mut self, values: &[(&AxisIds, Span)]) -> AxisIds {
        let mut union: Vec<(AxisId, Span)> = Vec::new();
        for (axes, span) in values {
            for axis in axes.iter() {
                if union.iter().any(|(known, _)| known == axis) {
                    continue;
                }
                let rows = self.whole(*axis);
                let met = union.iter().find(|(known, _)| self.whole(*known) == rows).copied();
                if let Some((other, place)) = met {
                    let (this, that) = (self.part_in_words(*axis), self.part_in_words(other));
                    self.report(
                        Diagnostic::error(
                            Code::A0210,
                            *span,
                            format!("two parts of `{}` meet in one expression", self.axis_name(rows)),
                        )
                        .label(format!("this is over {this}"))
                        .related(place, format!("and this over {that}"))
                        .help(format!(
                            "they are different positions and do not pair up; reduce one of them over its axis \
                             first, or rename its axis (`axis Other = ...`, `x[{} as Other]`)",
                            self.axis_name(rows)
                        )),
                    );
                    continue;
                }
                union.push((*axis, *span));
            }
        }
        union.into_iter().map(|(axis, _)| axis).collect()
    }
}
