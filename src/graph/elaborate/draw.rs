//! Random draws. In: distributions called after `~`. Out: nodes of uniform numbers, transformed.
//!
//! Every draw has a site: a hash of the names on the way to it and of its place among the draws there, never of its
//! place in the text. Arms of a structural `vary` thus share the numbers of the sites that they share.

use super::elaborator::Elaborator;
use super::fail;
use super::value::Value;
use crate::check::builtin::Builtin;
use crate::diagnostic::Checked;
use crate::graph::{Axis, AxisSet, Element, NodeId};
use crate::source::Span;
use crate::syntax::ast::{Call, Expr, Selector};

/// What a draw in progress is drawn over.
#[derive(Clone, Debug, Default)]
pub struct Draw {
    /// The declared axes, in order of declaration.
    pub ambient: Vec<Axis>,
}

impl<'p> Elaborator<'_, 'p> {
    /// Evaluates what stands after a `~`.
    pub fn drawing<T>(&mut self, draw: Draw, run: impl FnOnce(&mut Self) -> T) -> T {
        let outer = self.draw.replace(draw);
        let result = run(self);
        self.draw = outer;
        result
    }

    /// How many times this was asked for before.
    pub fn ordinal(&mut self, of: &str) -> u32 {
        let count = self.ordinals.entry(of.to_owned()).or_insert(0);
        *count += 1;
        *count - 1
    }

    /// The address of the next draw here.
    fn site(&mut self) -> u32 {
        let path = self.path.join("/");
        let ordinal = self.ordinal(&path);
        fnv1a(&format!("{path}#{ordinal}"))
    }

    /// Uniform numbers in (0, 1) over the ambient axes, the axes over which the call is lifted, and `more`.
    fn uniform(&mut self, more: &AxisSet, span: Span) -> Checked<NodeId> {
        // Items first: more of them leave the numbers of the earlier ones as they are.
        let mut order: Vec<Axis> = self.frame.extra.iter().collect();
        let ambient = self.draw.clone().unwrap_or_default().ambient;
        for axis in ambient.into_iter().chain(more.iter()) {
            if !order.contains(&axis) {
                order.push(axis);
            }
        }
        let site = self.site();
        let seed = self.scope.seed;
        let seed = self.output.input("seed", Element::Index, &[], seed);
        let step = match self.moment {
            Some(moment) => moment.step,
            None => self.build(span, |g| g.index(0))?,
        };
        match self.round {
            Some(round) => self.build(span, |g| g.random_in_round(site, [seed, step, round], &order)),
            None => self.build(span, |g| g.random_uniform(site, seed, step, &order)),
        }
    }

    /// A distribution with its arguments: `normal(0, 1)`, `uniform[A](low, high)`.
    pub fn eval_draw(&mut self, builtin: Builtin, expr: &'p Expr, call: &'p Call) -> Checked<Value<'p>> {
        let span = expr.span;
        let named = self.call_axis_list(call)?;
        // The first axis of an index's distribution is what is drawn from.
        let from = matches!(builtin, Builtin::Categorical | Builtin::UniformIndex);
        let more: AxisSet = named.iter().copied().skip(usize::from(from)).collect();
        match builtin {
            Builtin::Uniform => {
                let low = self.float_argument(call, 0, &["low"], 0.0)?;
                let high = self.float_argument(call, 1, &["high"], 1.0)?;
                self.draw_uniform(low, high, &more, span)
            }
            Builtin::Normal => {
                let mean = self.float_argument(call, 0, &["mean"], 0.0)?;
                let deviation = self.float_argument(call, 1, &["sd"], 1.0)?;
                self.draw_normal(mean, deviation, &more, span)
            }
            Builtin::Bernoulli => {
                let p = self.float_argument(call, 0, &["p"], 0.5)?;
                let axes = more.union(&self.axes_of(p));
                let u = self.uniform(&axes, span)?;
                self.build(span, |g| g.less(u, p)).map(Value::Node)
            }
            Builtin::Categorical => {
                let logits = self.float_argument(call, 0, &["logits"], 0.0)?;
                let axis = self.one_axis(call, span)?;
                let axes = more.union(&self.axes_of(logits)).with(axis);
                let u = self.uniform(&axes, span)?;
                // The Gumbel trick: the largest of logits + noise is distributed as softmax(logits).
                let noisy = self.build(span, |g| {
                    let inner = g.log(u)?;
                    let inner = g.neg(inner)?;
                    let outer = g.log(inner)?;
                    g.sub(logits, outer)
                })?;
                self.build(span, |g| g.argmax(noisy, axis)).map(Value::Node)
            }
            Builtin::UniformIndex => {
                let axis = self.one_axis(call, span)?;
                let u = self.uniform(&more, span)?;
                self.scaled_index(u, axis, span)
            }
            Builtin::Permutation => {
                let axis = self.one_axis(call, span)?;
                let u = self.uniform(&more, span)?;
                self.build(span, |g| g.argsort(u, axis, false)).map(Value::Node)
            }
            Builtin::Resample => {
                let (from, replicates) = self.resample_axes(expr, call)?;
                let u = self.uniform(&AxisSet::from(&[from, replicates][..]), span)?;
                self.scaled_index(u, from, span)
            }
            other => Err(fail::fault(span, format!("`{}` is not a distribution", other.name()))),
        }
    }

    /// `normal[Example]` without arguments.
    pub fn eval_bare_draw(
        &mut self,
        builtin: Builtin,
        selectors: &'p [Selector],
        span: Span,
    ) -> Checked<Value<'p>> {
        let mut named = Vec::new();
        for selector in selectors {
            if let Selector::Axis(name) = selector {
                named.push(self.named_axis(name)?);
            }
        }
        let zero = self.build(span, |g| g.float(0.0))?;
        let one = self.build(span, |g| g.float(1.0))?;
        let axis = named.first().copied();
        let from = builtin == Builtin::UniformIndex;
        let more: AxisSet = named.iter().copied().skip(usize::from(from)).collect();
        match (builtin, axis) {
            (Builtin::Normal, _) => self.draw_normal(zero, one, &more, span),
            (Builtin::Uniform, _) => self.draw_uniform(zero, one, &more, span),
            (Builtin::Permutation, Some(axis)) => {
                let u = self.uniform(&more, span)?;
                self.build(span, |g| g.argsort(u, axis, false)).map(Value::Node)
            }
            (Builtin::UniformIndex, Some(axis)) => {
                let u = self.uniform(&more, span)?;
                self.scaled_index(u, axis, span)
            }
            (other, _) => Err(fail::fault(span, format!("`{}` without arguments", other.name()))),
        }
    }

    fn draw_uniform(&mut self, low: NodeId, high: NodeId, more: &AxisSet, span: Span) -> Checked<Value<'p>> {
        let axes = more.union(&self.axes_of(low)).union(&self.axes_of(high));
        let u = self.uniform(&axes, span)?;
        self.build(span, |g| {
            let width = g.sub(high, low)?;
            let scaled = g.mul(u, width)?;
            g.plus(low, scaled)
        })
        .map(Value::Node)
    }

    /// Box and Muller 1958: sqrt(-2 log u) cos(2 pi v).
    fn draw_normal(
        &mut self,
        mean: NodeId,
        deviation: NodeId,
        more: &AxisSet,
        span: Span,
    ) -> Checked<Value<'p>> {
        let axes = more.union(&self.axes_of(mean)).union(&self.axes_of(deviation));
        let u = self.uniform(&axes, span)?;
        let v = self.uniform(&axes, span)?;
        self.build(span, |g| {
            let log = g.log(u)?;
            let minus_two = g.float(-2.0)?;
            let squared = g.mul(log, minus_two)?;
            let radius = g.sqrt(squared)?;
            let turn = g.float(std::f64::consts::TAU)?;
            let angle = g.mul(v, turn)?;
            let cosine = g.cos(angle)?;
            let standard = g.mul(radius, cosine)?;
            let scaled = g.mul(standard, deviation)?;
            g.plus(mean, scaled)
        })
        .map(Value::Node)
    }

    /// floor(u * size): an index of the axis, each as likely.
    fn scaled_index(&mut self, u: NodeId, axis: Axis, span: Span) -> Checked<Value<'p>> {
        let size = self.size(axis);
        if size == 0 {
            return Err(fail::outside(span, 0.0, &self.axis_name(axis), 0));
        }
        self.build(span, |g| {
            let count = g.float(size as f64)?;
            let scaled = g.mul(u, count)?;
            let position = g.cast(scaled, Element::Index)?;
            // Rounding may reach the size itself.
            let last = g.index(size as i32 - 1)?;
            g.min(position, last)
        })
        .map(Value::Node)
    }
}

/// FNV-1a, 32 bits.
pub fn fnv1a(text: &str) -> u32 {
    text.bytes().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}
