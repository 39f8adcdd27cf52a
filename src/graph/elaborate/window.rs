//! `window`: sliding windows along an axis, over places that are new or given.

use super::elaborator::{Elaborator, whole};
use super::fail;
use crate::check::program::AxisId;
use crate::diagnostic::Checked;
use crate::graph::{Axis, AxisSet, NodeId, Op};
use crate::source::Span;
use crate::syntax::ast::{ArgumentKind, Call, Expr, Name};

impl<'p> Elaborator<'_, 'p> {
    pub fn window(&mut self, expr: &'p Expr, call: &'p Call) -> Checked<NodeId> {
        let span = expr.span;
        let found = call.arguments.iter().find_map(|argument| match &argument.kind {
            ArgumentKind::As { value, name, further, size } => {
                Some((value, name, further.first(), size.as_ref()))
            }
            _ => None,
        });
        let Some((of, first, second, size)) = found else {
            return Err(fail::fault(span, "`window` without its axis"));
        };
        let x = self.first_node(call, span)?;
        let Some(axis) = self.axis_of(of)? else {
            return Err(fail::fault(of.span, "`window` without its axis"));
        };
        let derived = self.typed().derived.get(&expr.id).map_or(&[][..], Vec::as_slice);
        let kernel_name = second.unwrap_or(first);
        let kernel_id = self.made_id(kernel_name, derived)?;
        let kernel = match size {
            Some(size) => {
                let count = self.static_size(size, "the size of a window")?;
                self.new_axis(kernel_id, count, size.span)?
            }
            None => self.axis(kernel_id, kernel_name.span)?,
        };
        let given = match second {
            None => None,
            Some(_) => {
                let id = self.made_id(first, derived)?;
                Some((id, !derived.contains(&id)))
            }
        };
        let stride = self.static_argument(call, "stride", 1.0)?;
        let dilation = self.static_argument(call, "dilation", 1.0)?;
        let kept = match given {
            Some((id, true)) => self.axis(id, first.span)? == axis,
            _ => false,
        };
        let [Some(stride @ 1..), Some(dilation @ 1..)] = [stride, dilation].map(whole) else {
            return Err(fail::not_size(span, stride.min(dilation)));
        };
        let reach = (self.size(kernel).max(1) - 1) * dilation + 1;
        // An axis that is kept has a window for each position; by default its middle is there.
        let middle = if kept { (reach - 1) / 2 } else { 0 };
        let before = self.static_argument(call, "pad", middle as f64)?;
        let Some(before) = whole(before) else { return Err(fail::not_size(span, before)) };
        let x = self.broadcast(x, &AxisSet::new().with(axis), span)?;
        if kept {
            if stride != 1 {
                return Err(fail::not_size(span, stride as f64));
            }
            let name = self.axis_name(axis);
            let output = self.fresh(name, self.size(axis));
            let windows =
                self.windows(x, Op::Window { axis, output, kernel, stride, dilation, before }, span)?;
            return self.build(span, |g| g.rename(windows, output, axis));
        }
        let room = self.size(axis) + 2 * before;
        if room < reach {
            let what = match before {
                0 => "a window reaches over".to_owned(),
                pad => format!("with {pad} added at each end, a window reaches over"),
            };
            return Err(fail::too_many_positions(span, &what, reach, &self.axis_name(axis), self.size(axis)));
        }
        let places = (room - reach) / stride + 1;
        let output = self.places(given.map(|(id, _)| id), derived, kernel_id, axis, places, span)?;
        self.windows(x, Op::Window { axis, output, kernel, stride, dilation, before }, span)
    }

    fn windows(&mut self, x: NodeId, op: Op, span: Span) -> Checked<NodeId> {
        self.build(span, |g| g.window(op, x))
    }

    /// The axis of the windows' places: one that is named, or a new one with the name of the axis they slide along.
    fn places(
        &mut self,
        given: Option<AxisId>,
        derived: &[AxisId],
        kernel: AxisId,
        along: Axis,
        count: usize,
        span: Span,
    ) -> Checked<Axis> {
        match given.or_else(|| derived.iter().copied().find(|id| *id != kernel)) {
            Some(id) => self.new_axis(id, count, span),
            None => {
                let name = self.axis_name(along);
                Ok(self.fresh(name, count))
            }
        }
    }

    fn made_id(&self, name: &Name, derived: &[AxisId]) -> Checked<AxisId> {
        let known = self.typed().axes_at.get(&name.span).copied();
        known
            .or_else(|| derived.last().copied())
            .ok_or_else(|| fail::fault(name.span, "an axis without its number"))
    }
}
