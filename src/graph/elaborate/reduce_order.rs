//! Reductions that rest on an order: quantiles, and the positions of the largest and smallest in each group.

use super::elaborator::Elaborator;
use super::reduce::{Groups, Sets};
use crate::check::builtin::Builtin;
use crate::diagnostic::Checked;
use crate::graph::{Axis, AxisSet, Cumulative, Element, Graph, NodeId, Reduction, TypeError};

impl Elaborator<'_, '_> {
    /// Linear interpolation between the two nearest of the sorted values.
    pub(super) fn quantile(
        &mut self,
        x: NodeId,
        axis: Axis,
        q: NodeId,
        count: Option<NodeId>,
        sets: &Sets,
    ) -> Checked<NodeId> {
        let x = self.filtered(x, f64::INFINITY, sets)?;
        let size = self.size(axis) as f64;
        self.build(sets.span, |g| {
            let sorted = g.sort(x, axis, false)?;
            let count = match count {
                Some(count) => count,
                None => g.float(size)?,
            };
            let first = g.float(0.0)?;
            interpolate(g, sorted, axis, [q, first, count])
        })
    }

    /// The axes that vanish, as one.
    pub(super) fn as_one_axis(&mut self, x: NodeId, sets: &Sets) -> Checked<(NodeId, Sets)> {
        let axes: Vec<Axis> = sets.axes.iter().collect();
        let names: Vec<String> = axes.iter().map(|axis| self.axis_name(*axis)).collect();
        let size = axes.iter().map(|axis| self.size(*axis)).product();
        let into = self.fresh(names.join(", "), size);
        let flat = |e: &mut Self, node: NodeId| {
            let node = e.broadcast(node, &sets.axes, sets.span)?;
            e.build(sets.span, |g| g.flatten(node, &axes, into))
        };
        let x = flat(self, x)?;
        let filter = sets.filter.map(|filter| flat(self, filter)).transpose()?;
        let groups = match &sets.groups {
            Some(groups) => {
                let index = flat(self, groups.index)?;
                Some(Groups { index, into: groups.into, keys: groups.keys.clone() })
            }
            None => None,
        };
        Ok((x, Sets { axes: [into][..].into(), filter, groups, least: sets.least, span: sets.span }))
    }

    /// The same within each group: the values sorted by group and then by size, the groups one after another.
    pub(super) fn group_quantile(
        &mut self,
        x: NodeId,
        axis: Axis,
        q: NodeId,
        count: NodeId,
        groups: &Groups,
        sets: &Sets,
    ) -> Checked<NodeId> {
        let size = self.size(groups.into);
        let x = self.broadcast(x, &AxisSet::new().with(axis), sets.span)?;
        self.build(sets.span, |g| {
            let number = g.cast(groups.index, Element::Float)?;
            // What the filter leaves out stands behind all groups.
            let number = match sets.filter {
                Some(filter) => {
                    let behind = g.float(size as f64)?;
                    g.select(filter, number, behind)?
                }
                None => number,
            };
            let by_value = g.argsort(x, axis, false)?;
            let number = g.gather(number, axis, by_value)?;
            let by_group = g.argsort(number, axis, false)?;
            let ascending = g.gather(x, axis, by_value)?;
            let sorted = g.gather(ascending, axis, by_group)?;
            let ends = g.cumulative(Cumulative::Sum, count, groups.into, false)?;
            let first = g.sub(ends, count)?;
            interpolate(g, sorted, axis, [q, first, count])
        })
    }

    /// The first position at which a group has its largest or smallest value.
    pub(super) fn position_in_groups(
        &mut self,
        builtin: Builtin,
        x: NodeId,
        axis: Axis,
        sets: &Sets,
    ) -> Checked<NodeId> {
        let kind = if builtin == Builtin::ArgMax { Reduction::Max } else { Reduction::Min };
        let extreme = self.aggregate(kind, x, sets)?;
        let extreme = self.spread(extreme, sets)?;
        let size = self.size(axis);
        let candidates = self.build(sets.span, |g| {
            let position = g.iota(axis)?;
            let position = g.cast(position, Element::Float)?;
            let reached = g.equal(x, extreme)?;
            let none = g.float(size as f64)?;
            g.select(reached, position, none)
        })?;
        let candidates = self.filtered(candidates, size as f64, sets)?;
        let first = self.aggregate(Reduction::Min, candidates, sets)?;
        self.build(sets.span, |g| {
            // An empty group has none: what it gives is decided later.
            let last = g.float(size as f64 - 1.0)?;
            let first = g.min(first, last)?;
            g.cast(first, Element::Index)
        })
    }
}

/// Of sorted values, those from `first` on, `count` many: the value at the share `q`.
fn interpolate(
    g: &mut Graph,
    sorted: NodeId,
    axis: Axis,
    [q, first, count]: [NodeId; 3],
) -> Result<NodeId, TypeError> {
    let one = g.float(1.0)?;
    let zero = g.float(0.0)?;
    let size = g.float(g.axes.size(axis) as f64 - 1.0)?;
    let last = g.sub(count, one)?;
    let last = g.max(last, zero)?;
    let place = g.mul(q, last)?;
    let place = g.max(place, zero)?;
    let place = g.min(place, last)?;
    let below = g.floor(place)?;
    let above = g.plus(below, one)?;
    let above = g.min(above, last)?;
    let at = |g: &mut Graph, place: NodeId| {
        let place = g.plus(first, place)?;
        // An empty group at the end begins behind the last position.
        let place = g.min(place, size)?;
        let place = g.cast(place, Element::Index)?;
        g.gather(sorted, axis, place)
    };
    let low = at(g, below)?;
    let high = at(g, above)?;
    let share = g.sub(place, below)?;
    let width = g.sub(high, low)?;
    let step = g.mul(share, width)?;
    // Where both are the same place nothing is added: infinities have no difference.
    let same = g.equal(low, high)?;
    let step = g.select(same, zero, step)?;
    g.plus(low, step)
}
