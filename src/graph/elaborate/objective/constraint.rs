//! `subject to a <= b by penalty(20)`: the violation, and what it adds to the objective.

use super::remember::Remembering;
use crate::check::program::Target;
use crate::diagnostic::Checked;
use crate::graph::elaborate::elaborator::Elaborator;
use crate::graph::elaborate::fail;
use crate::graph::elaborate::train::Block;
use crate::graph::elaborate::value::{Delayed, Frame, Value};
use crate::graph::{AxisSet, NodeId};
use crate::source::Span;
use crate::syntax::ast::{BinaryOperator, Constraint, ExprKind, ItemKind};

/// A constraint in this step.
pub(super) struct Limit<'p> {
    /// Above 0 where it does not hold.
    pub violation: NodeId,
    step: Remembering<'p>,
    span: Span,
    /// Where the condition stands: by this it is known in results.
    pub condition: Span,
}

impl<'p> Elaborator<'_, 'p> {
    pub(super) fn limit(&mut self, constraint: &'p Constraint, block: &mut Block) -> Checked<Limit<'p>> {
        let span = constraint.condition.span;
        let (ExprKind::Binary { operator, left, right, .. }, Some(method)) =
            (&constraint.condition.kind, &constraint.method)
        else {
            return Err(fail::fault(span, "a constraint that is no comparison"));
        };
        let (small, large) = match operator {
            BinaryOperator::GreaterEqual => (right, left),
            _ => (left, right),
        };
        let violation = self.named("violation", |e| {
            let small = e.float_of(small)?;
            let large = e.float_of(large)?;
            e.build(span, |g| g.sub(small, large))
        })?;
        let violation = self.expect_scalar(violation, "a constraint", span)?;
        self.record_term("violation", violation, span, block)?;
        let Value::Optimizer(delayed) = self.eval(method)? else {
            return Err(fail::fault(method.span, "something that is no method of a constraint"));
        };
        let step = self.constraint_step(&delayed, block)?;
        Ok(Limit { violation, step, span: method.span, condition: span })
    }

    fn constraint_step(&mut self, delayed: &Delayed<'p>, block: &mut Block) -> Checked<Remembering<'p>> {
        let span = delayed.expr.span;
        let typed = self.typed();
        let (ItemKind::Constraint(declared), ExprKind::Call(call), Some(info)) =
            (&typed.item(delayed.item).kind, &delayed.expr.kind, typed.calls.get(&delayed.expr.id))
        else {
            return Err(fail::fault(span, "something that is no method of a constraint"));
        };
        if !matches!(info.target, Target::Constraint(_)) {
            return Err(fail::fault(span, "a method of a constraint that is not called"));
        }
        let arguments =
            self.in_frame(delayed.frame.clone(), |e| e.arguments(&declared.parameters, info, call)).0?;
        let (bound, frame) =
            self.in_frame(Frame::default(), |e| e.bind_parameters(&declared.parameters, arguments, span));
        bound?;
        self.remembering(declared, frame, &[AxisSet::new(), AxisSet::new()], block, span)
    }

    /// What all constraints add to what is minimized; none without any.
    pub(super) fn penalties(
        &mut self,
        limits: &mut [Limit<'p>],
        violations: &[NodeId],
        number: NodeId,
    ) -> Checked<Option<NodeId>> {
        let mut total: Option<NodeId> = None;
        for (limit, violation) in limits.iter_mut().zip(violations) {
            let arguments = [Value::Node(*violation), Value::Node(number)];
            let span: Span = limit.span;
            let value = self.remembering_step(&mut limit.step, &arguments, span)?;
            let value = self.float(&value, span)?;
            let value = self.expect_scalar(value, "what a constraint adds", span)?;
            total = Some(match total {
                Some(total) => self.build(span, |g| g.plus(total, value))?,
                None => value,
            });
        }
        Ok(total)
    }
}
