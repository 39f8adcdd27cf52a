//! Reductions: over axes, by groups, with a filter, with a value for empty sets.

use super::elaborator::Elaborator;
use super::fail;
use super::value::Value;
use crate::check::builtin::Builtin;
use crate::diagnostic::Checked;
use crate::graph::{Axis, AxisSet, Check, Element, NodeId, Op, Reduction};
use crate::source::Span;
use crate::syntax::ast::{Call, Expr};

/// The sets that a reduction runs over.
pub(super) struct Sets {
    /// The axes that vanish.
    pub axes: AxisSet,
    /// Which positions count.
    pub filter: Option<NodeId>,
    pub groups: Option<Groups>,
    /// A set with fewer positions counts as empty.
    pub least: f64,
    pub span: Span,
}

/// Groups by one or several keys, which cross.
pub(super) struct Groups {
    /// The number of the group, over at least the axes that vanish.
    pub index: NodeId,
    /// One position for each group; for a single key its own axis.
    pub into: Axis,
    pub keys: Vec<Axis>,
}

impl<'p> Elaborator<'_, 'p> {
    pub fn eval_reduction(&mut self, builtin: Builtin, expr: &'p Expr, call: &'p Call) -> Checked<Value<'p>> {
        use Builtin as B;
        let span = expr.span;
        // First the operand, which may make the axes that are named after it.
        let operand = match self.first_value(call) {
            Some(value) => self.node_of(value)?,
            None => self.build(span, |g| g.bool(true))?,
        };
        let axes = self.call_axis_list(call)?;
        let sets = self.sets(&axes, call, span)?;
        let operand = self.broadcast(operand, &sets.axes, span)?;
        let otherwise = match &call.otherwise {
            Some(value) => Some(self.float_of(value)?),
            None => None,
        };
        let result = match builtin {
            B::Any | B::All => self.logical(builtin, operand, &sets)?,
            B::Sum | B::Count => {
                let x = self.as_float(operand, span)?;
                let x = self.filtered(x, 0.0, &sets)?;
                self.aggregate(Reduction::Sum, x, &sets)?
            }
            B::Product => {
                let x = self.as_float(operand, span)?;
                let x = self.filtered(x, 1.0, &sets)?;
                self.aggregate(Reduction::Product, x, &sets)?
            }
            _ => {
                let x = self.as_float(operand, span)?;
                let count = self.count(&sets)?;
                let value = self.of_some(builtin, x, count, &sets, Some(call))?;
                return self.unless_empty(value, count, otherwise, &sets).map(Value::Node);
            }
        };
        let result = match otherwise {
            Some(otherwise) => {
                let count = self.count(&sets)?;
                let result = self.as_float(result, span)?;
                self.instead(result, count, otherwise, &sets)?
            }
            None => result,
        };
        self.by_keys(result, &sets).map(Value::Node)
    }

    /// A reduction without groups, filter or options, as when it is handed over as a function.
    pub fn reduce_plainly(
        &mut self,
        builtin: Builtin,
        operand: NodeId,
        axes: &[Axis],
        span: Span,
    ) -> Checked<NodeId> {
        let sets = Sets { axes: AxisSet::from(axes), filter: None, groups: None, least: 1.0, span };
        let operand = self.broadcast(operand, &sets.axes, span)?;
        match builtin {
            Builtin::Any | Builtin::All => self.logical(builtin, operand, &sets),
            Builtin::Sum | Builtin::Product => {
                let x = self.as_float(operand, span)?;
                let product = builtin == Builtin::Product;
                self.aggregate(if product { Reduction::Product } else { Reduction::Sum }, x, &sets)
            }
            _ => {
                let x = self.as_float(operand, span)?;
                let value = self.of_some(builtin, x, None, &sets, None)?;
                self.unless_empty(value, None, None, &sets)
            }
        }
    }

    /// Reductions that have no value for an empty set.
    fn of_some(
        &mut self,
        builtin: Builtin,
        x: NodeId,
        count: Option<NodeId>,
        sets: &Sets,
        call: Option<&'p Call>,
    ) -> Checked<NodeId> {
        use Builtin as B;
        let span = sets.span;
        match builtin {
            B::Mean => self.mean(x, count, sets),
            B::Max | B::Min => {
                let (kind, identity) = match builtin {
                    B::Max => (Reduction::Max, f64::NEG_INFINITY),
                    _ => (Reduction::Min, f64::INFINITY),
                };
                let x = self.filtered(x, identity, sets)?;
                self.aggregate(kind, x, sets)
            }
            B::LogSumExp => self.log_sum_exp(x, sets),
            B::Variance | B::StandardDeviation => {
                let correction = match call {
                    Some(call) => self.static_argument(call, "correction", 0.0)?,
                    None => 0.0,
                };
                let mean = self.mean(x, count, sets)?;
                let mean = self.spread(mean, sets)?;
                let squares = self.build(span, |g| {
                    let difference = g.sub(x, mean)?;
                    g.mul(difference, difference)
                })?;
                let squares = self.filtered(squares, 0.0, sets)?;
                let sum = self.aggregate(Reduction::Sum, squares, sets)?;
                let degrees = match count {
                    Some(count) => self.build(span, |g| {
                        let less = g.float(correction)?;
                        g.sub(count, less)
                    })?,
                    None => {
                        let positions = self.positions(sets);
                        self.build(span, |g| g.float(positions - correction))?
                    }
                };
                self.build(span, |g| {
                    let variance = g.div(sum, degrees)?;
                    if builtin == B::Variance { Ok(variance) } else { g.sqrt(variance) }
                })
            }
            B::ArgMax | B::ArgMin => {
                let axis = self.only_axis(builtin, sets)?;
                let identity = if builtin == B::ArgMax { f64::NEG_INFINITY } else { f64::INFINITY };
                let x = self.filtered(x, identity, sets)?;
                if sets.groups.is_some() {
                    return self.position_in_groups(builtin, x, axis, sets);
                }
                self.build(span, |g| if builtin == B::ArgMax { g.argmax(x, axis) } else { g.argmin(x, axis) })
            }
            // Quantiles, over all axes as one.
            _ => {
                let joined;
                let (x, sets) = match sets.axes.iter().count() {
                    1 => (x, sets),
                    _ => {
                        joined = self.as_one_axis(x, sets)?;
                        (joined.0, &joined.1)
                    }
                };
                let axis = self.only_axis(builtin, sets)?;
                let q = match (builtin, call.and_then(|call| self.argument(call, 1, &["q"]))) {
                    (B::Quantile, Some(q)) => self.float_of(q)?,
                    _ => self.build(span, |g| g.float(0.5))?,
                };
                match (&sets.groups, count) {
                    (Some(groups), Some(count)) => self.group_quantile(x, axis, q, count, groups, sets),
                    _ => self.quantile(x, axis, q, count, sets),
                }
            }
        }
    }

    fn sets(&mut self, axes: &[Axis], call: &'p Call, span: Span) -> Checked<Sets> {
        let axes = AxisSet::from(axes);
        let filter = match &call.filter {
            Some(filter) => {
                let value = self.eval(filter)?;
                let node = self.truth(&value, filter.span)?;
                match self.always(node) {
                    true => None,
                    false => Some(self.broadcast(node, &axes, filter.span)?),
                }
            }
            None => None,
        };
        let groups = match call.by.is_empty() {
            true => None,
            false => Some(self.groups(&axes, &call.by, span)?),
        };
        let least = self.static_argument(call, "at_least", 1.0)?;
        Ok(Sets { axes, filter, groups, least, span })
    }

    /// Whether a condition holds everywhere, whatever the data: then it filters nothing.
    fn always(&self, condition: NodeId) -> bool {
        match self.graph().node(condition).op {
            Op::Bool(holds) => holds,
            Op::Broadcast(..) => self.always(self.graph().node(condition).operands[0]),
            _ => false,
        }
    }

    fn groups(&mut self, axes: &AxisSet, by: &'p [Expr], span: Span) -> Checked<Groups> {
        let mut keys = Vec::with_capacity(by.len());
        let mut number: Option<NodeId> = None;
        for key in by {
            let axis = match self.typed().groups.get(&key.id) {
                Some(twin) => self.axis(*twin, key.span)?,
                None => self.index_axis(key)?,
            };
            let value = self.eval(key)?;
            let index = self.index_node(&value, key.span)?;
            let size = self.size(axis);
            number = Some(match number {
                None => index,
                Some(before) => self.build(key.span, |g| {
                    let size = g.index(size as i32)?;
                    let slower = g.mul(before, size)?;
                    g.plus(slower, index)
                })?,
            });
            keys.push(axis);
        }
        let Some(index) = number else { return Err(fail::fault(span, "groups without a key")) };
        let index = self.broadcast(index, axes, span)?;
        let into = match keys[..] {
            [only] => only,
            _ => {
                let size = keys.iter().map(|axis| self.size(*axis)).product();
                self.fresh("group", size)
            }
        };
        Ok(Groups { index, into, keys })
    }

    /// The value where it counts, elsewhere the identity of the reduction.
    pub(super) fn filtered(&mut self, x: NodeId, identity: f64, sets: &Sets) -> Checked<NodeId> {
        let Some(filter) = sets.filter else { return Ok(x) };
        self.build(sets.span, |g| {
            let identity = g.float(identity)?;
            g.select(filter, x, identity)
        })
    }

    pub(super) fn aggregate(&mut self, kind: Reduction, x: NodeId, sets: &Sets) -> Checked<NodeId> {
        match &sets.groups {
            Some(groups) => {
                let axes = self.axes_of(groups.index);
                let x = self.broadcast(x, &axes, sets.span)?;
                self.build(sets.span, |g| g.scatter(kind, x, groups.index, &sets.axes, groups.into))
            }
            None => self.build(sets.span, |g| g.reduce(kind, x, sets.axes.as_slice())),
        }
    }

    fn logical(&mut self, builtin: Builtin, operand: NodeId, sets: &Sets) -> Checked<NodeId> {
        let span = sets.span;
        if self.element(operand) != Element::Bool {
            return Err(fail::fault(span, "`any` and `all` of numbers"));
        }
        let (kind, x) = match (builtin, sets.filter) {
            (Builtin::Any, None) => (Reduction::Any, operand),
            (Builtin::Any, Some(filter)) => (Reduction::Any, self.build(span, |g| g.and(operand, filter))?),
            (_, None) => (Reduction::All, operand),
            (_, Some(filter)) => {
                let x = self.build(span, |g| {
                    let outside = g.not(filter)?;
                    g.or(operand, outside)
                })?;
                (Reduction::All, x)
            }
        };
        self.aggregate(kind, x, sets)
    }

    fn positions(&self, sets: &Sets) -> f64 {
        sets.axes.iter().map(|axis| self.size(axis) as f64).product()
    }

    /// How many positions each set has; none where all are counted, which is known now.
    fn count(&mut self, sets: &Sets) -> Checked<Option<NodeId>> {
        let span = sets.span;
        let ones = match (sets.filter, &sets.groups) {
            (None, None) => return Ok(None),
            (Some(filter), _) => self.as_float(filter, span)?,
            (None, Some(_)) => self.build(span, |g| g.float(1.0))?,
        };
        let ones = self.broadcast(ones, &sets.axes, span)?;
        self.aggregate(Reduction::Sum, ones, sets).map(Some)
    }

    fn mean(&mut self, x: NodeId, count: Option<NodeId>, sets: &Sets) -> Checked<NodeId> {
        let span = sets.span;
        let x = self.filtered(x, 0.0, sets)?;
        let sum = self.aggregate(Reduction::Sum, x, sets)?;
        match count {
            Some(count) => self.build(span, |g| {
                // An empty set is dealt with later; here it must not divide by 0.
                let one = g.float(1.0)?;
                let count = g.max(count, one)?;
                g.div(sum, count)
            }),
            None => {
                let scale = 1.0 / self.positions(sets).max(1.0);
                self.build(span, |g| {
                    let scale = g.float(scale)?;
                    g.mul(sum, scale)
                })
            }
        }
    }

    /// A value of each set, at every position of the set.
    pub(super) fn spread(&mut self, value: NodeId, sets: &Sets) -> Checked<NodeId> {
        match &sets.groups {
            Some(groups) => self.build(sets.span, |g| g.gather(value, groups.into, groups.index)),
            None => Ok(value),
        }
    }

    /// log(sum(exp(x - m))) + m, where m is the largest.
    fn log_sum_exp(&mut self, x: NodeId, sets: &Sets) -> Checked<NodeId> {
        let span = sets.span;
        let bounded = self.filtered(x, f64::NEG_INFINITY, sets)?;
        let largest = self.aggregate(Reduction::Max, bounded, sets)?;
        let largest = self.build(span, |g| {
            // Of an empty set, or of nothing but -infinity: nothing to take off.
            let size = g.abs(largest)?;
            let infinity = g.float(f64::INFINITY)?;
            let finite = g.less(size, infinity)?;
            let zero = g.float(0.0)?;
            let largest = g.select(finite, largest, zero)?;
            // Outermost, so that what is taken off is seen not to need taking off again.
            g.stop(largest)
        })?;
        let taken = self.spread(largest, sets)?;
        let exponentials = self.build(span, |g| {
            let rest = g.sub(bounded, taken)?;
            g.exp(rest)
        })?;
        let sum = self.aggregate(Reduction::Sum, exponentials, sets)?;
        self.build(span, |g| {
            let log = g.log(sum)?;
            g.plus(log, largest)
        })
    }

    /// The value with the keys' axes, where a set is empty the `else` value, and without one a run-time check.
    fn unless_empty(
        &mut self,
        value: NodeId,
        count: Option<NodeId>,
        otherwise: Option<NodeId>,
        sets: &Sets,
    ) -> Checked<NodeId> {
        let span = sets.span;
        let names: Vec<String> = sets.axes.iter().map(|axis| self.axis_name(axis)).collect();
        let Some(count) = count else {
            if self.positions(sets) >= sets.least || sets.axes.is_empty() {
                return Ok(value);
            }
            return match otherwise {
                Some(otherwise) => {
                    let axes = self.axes_of(value);
                    self.broadcast(otherwise, &axes, span)
                }
                None => Err(fail::empty(span, &names)),
            };
        };
        let value = match otherwise {
            Some(otherwise) => self.instead(value, Some(count), otherwise, sets)?,
            None => {
                let some = self.build(span, |g| {
                    let zero = g.float(0.0)?;
                    g.less(zero, count)
                })?;
                let all = self.all(some, span)?;
                let of = match sets.groups {
                    Some(_) => "a group of positions",
                    None => "the set of positions that the filter leaves",
                };
                let check = Check {
                    message: format!("{of} along `{}` is empty", names.join("`, `")),
                    help: "give the value of an empty set: `... else 0`".to_owned(),
                    span,
                };
                self.build(span, |g| g.check(value, all, check))?
            }
        };
        self.by_keys(value, sets)
    }

    fn instead(
        &mut self,
        value: NodeId,
        count: Option<NodeId>,
        otherwise: NodeId,
        sets: &Sets,
    ) -> Checked<NodeId> {
        let Some(count) = count else {
            return Ok(if self.positions(sets) < sets.least { otherwise } else { value });
        };
        let (value, otherwise) = self.same_element(value, otherwise, sets.span)?;
        self.build(sets.span, |g| {
            let least = g.float(sets.least)?;
            let some = g.less_equal(least, count)?;
            g.select(some, value, otherwise)
        })
    }

    /// The axis of all groups as the axes of the keys.
    fn by_keys(&mut self, node: NodeId, sets: &Sets) -> Checked<NodeId> {
        match &sets.groups {
            Some(groups) if groups.keys.len() > 1 => {
                self.build(sets.span, |g| g.unflatten(node, groups.into, &groups.keys))
            }
            _ => Ok(node),
        }
    }

    fn only_axis(&self, builtin: Builtin, sets: &Sets) -> Checked<Axis> {
        match sets.axes.as_slice() {
            [axis] => Ok(*axis),
            _ => Err(fail::fault(sets.span, format!("`{}` works along one axis", builtin.name()))),
        }
    }
}
