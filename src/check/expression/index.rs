//! Selectors: `x[A as B]`, `x[A = i]`, `x[A = 2..5]`, and `zeros[A]`.

use crate::check::program::{AxisId, AxisIds, AxisKind, Element, Type, Vary};
use crate::check::state::Checker;
use crate::check::types::array;
use crate::diagnostic::{Code, Diagnostic, Help};
use crate::source::Span;
use crate::syntax::ast::{AxisName, Expr, ExprKind, Selector};

impl Checker<'_> {
    pub fn index(&mut self, expr: &Expr, value: &Expr, selectors: &[Selector]) -> Type {
        let bare: Option<Vec<AxisName>> = selectors
            .iter()
            .map(|selector| match selector {
                Selector::Axis(axis) => Some(axis.clone()),
                _ => None,
            })
            .collect();
        if let (Some(axes), ExprKind::Name(name)) = (&bare, &value.kind)
            && let Some(ty) = self.call_without_arguments(expr, name, axes)
        {
            return ty;
        }
        let (ty, read) = self.reading(|c| c.expression(value));
        // Of models over an axis, one is picked like an element.
        let shape = match &ty {
            Type::Model { over, .. } if !over.is_empty() => Some((Element::Float, over.clone())),
            _ => self.as_array(value, &ty),
        };
        let Some((element, axes)) = shape else { return Type::Error };
        let mut result = axes.clone();
        let mut derived = Vec::new();
        for selector in selectors {
            let done = match selector {
                Selector::Axis(axis) => {
                    self.report(
                        Diagnostic::error(Code::A0208, axis.span, "an axis alone selects nothing")
                            .label("select how?")
                            .help(format!(
                                "pick a position (`[{0} = 0]`), rename (`[{0} as Other]`) or slice (`[{0} = 2..5]`)",
                                self.text(axis.span)
                            )),
                    );
                    None
                }
                Selector::Rename { axis, to } => self.rename(&axes, &mut result, value.span, axis, to),
                Selector::Pick { axis, index } => self.pick(&axes, &mut result, value.span, axis, index),
                Selector::Slice { axis, start, end } => {
                    for bound in [start, end].into_iter().flatten() {
                        self.static_number(bound, "the bounds of a slice");
                    }
                    self.selected_axis(&axes, value.span, axis).map(|from| {
                        let new = self.slice_axis(from, start.as_ref(), end.as_ref(), axis.span);
                        result.remove(&from);
                        result.insert(new);
                        derived.push(new);
                    })
                }
            };
            if done.is_none() {
                return Type::Error;
            }
            if let Selector::Rename { axis, .. }
            | Selector::Pick { axis, .. }
            | Selector::Slice { axis, .. } = selector
            {
                let along = self.program.axes_at.get(&axis.span).copied();
                self.works_along(along, &read);
            }
        }
        if !derived.is_empty() {
            self.program.derived.insert(expr.id, derived);
        }
        match ty {
            Type::Model { layer, axes, .. } => Type::Model { layer, axes, over: result },
            _ => array(element, result),
        }
    }

    /// The axis of a slice. Equal slices of one axis are one axis, where the bounds are plain numbers.
    fn slice_axis(&mut self, from: AxisId, start: Option<&Expr>, end: Option<&Expr>, span: Span) -> AxisId {
        let plain =
            |bound: Option<&Expr>| bound.is_none_or(|bound| matches!(bound.kind, ExprKind::Number { .. }));
        let text = |bound: Option<&Expr>| bound.map(|bound| self.text(bound.span)).unwrap_or_default();
        let key = (from, format!("{}..{}", text(start), text(end)));
        if let Some(axis) = self.slices.get(&key) {
            return *axis;
        }
        let name = self.program.axis(from).name.clone();
        let axis = self.new_axis(name, AxisKind::Derived, span);
        self.origins.insert(axis, from);
        if plain(start) && plain(end) {
            self.slices.insert(key, axis);
        }
        axis
    }

    /// The axis that a selector or reduction names, which the operand must have.
    fn selected_axis(&mut self, axes: &AxisIds, operand: Span, name: &AxisName) -> Option<AxisId> {
        let axis = self.axis(name)?;
        let found = self.in_operand(axes, axis);
        match found {
            Some(found) => {
                self.program.axes_at.insert(name.span, found);
                Some(found)
            }
            None => self.operand_lacks(axis, name.span, axes, operand, "selects along"),
        }
    }

    /// The axis itself, or the operand's own axis of that name (made by a slice or a window, or the rows of a batch of what
    /// the axis has all rows of).
    pub fn in_operand(&self, axes: &AxisIds, axis: AxisId) -> Option<AxisId> {
        if axes.contains(&axis) {
            return Some(axis);
        }
        let wanted = self.program.axis(axis);
        axes.iter().copied().find(|known| {
            let info = self.program.axis(*known);
            match info.kind {
                AxisKind::Derived => info.name == wanted.name,
                AxisKind::Batch { .. } => {
                    matches!(wanted.kind, AxisKind::Rows { .. }) && self.whole(*known) == axis
                }
                _ => false,
            }
        })
    }

    pub fn operand_lacks<T>(
        &mut self,
        axis: AxisId,
        span: Span,
        axes: &AxisIds,
        operand: Span,
        verb: &str,
    ) -> Option<T> {
        let name = self.axis_name(axis);
        let has = self.axes_in_words(axes);
        let help: Help = match axes.len() {
            0 => "it is a single value already".into(),
            _ if axes.iter().any(|own| self.axis_name(*own) == name) => {
                let own = axes.iter().find(|own| self.axis_name(**own) == name).copied().unwrap_or(axis);
                let (own, other) = (self.part_in_words(own), self.part_in_words(axis));
                format!("its axis of that name is another one: it is over {own}, and this names {other}")
                    .into()
            }
            1 => {
                let only = axes.iter().next().map(|axis| self.axis_name(*axis)).unwrap_or_default();
                Help::meant(span, &only)
            }
            _ => "name one of the axes that it has".into(),
        };
        let mut diagnostic =
            Diagnostic::error(Code::A0208, span, format!("this {verb} `{name}`, which the operand lacks"))
                .label(format!("no axis `{name}` to work along"))
                .related(operand, format!("this has {has}"))
                .help(help);
        if matches!(self.program.axis(axis).kind, AxisKind::Vary(_)) && !self.context.results {
            diagnostic = diagnostic.help(format!(
                "inside a trial there is one {name} at a time; measure the value and work along `{name}` in a \
                 `let` or `claim` after the blocks"
            ));
        }
        self.report(diagnostic);
        None
    }

    fn rename(
        &mut self,
        axes: &AxisIds,
        result: &mut AxisIds,
        operand: Span,
        axis: &AxisName,
        to: &AxisName,
    ) -> Option<()> {
        let from = self.selected_axis(axes, operand, axis)?;
        let new = match to.path.as_slice() {
            [only] if !to.primed && self.find_axis(&only.text).is_none() => {
                let name = self.axis_name(from);
                self.report(
                    Diagnostic::error(Code::A0102, to.span, format!("there is no axis `{}` here", only.text))
                        .label("unknown axis")
                        .help(format!("declare it with the same size first: `axis {} = {name}`", only.text)),
                );
                return None;
            }
            _ => self.axis(to)?,
        };
        result.remove(&from);
        if !result.insert(new) {
            let name = self.axis_name(new);
            self.report(
                Diagnostic::error(Code::A0214, to.span, format!("the operand already has an axis `{name}`"))
                    .label("renamed onto an axis that is there")
                    .related(operand, format!("this has {}", self.axes_in_words(axes)))
                    .help(format!("rename to another axis of the same size: `axis Other = {name}`")),
            );
            return None;
        }
        Some(())
    }

    fn pick(
        &mut self,
        axes: &AxisIds,
        result: &mut AxisIds,
        operand: Span,
        axis: &AxisName,
        index: &Expr,
    ) -> Option<()> {
        let resolved = self.axis(axis)?;
        if let AxisKind::Vary(vary) = self.program.axis(resolved).kind.clone()
            && !self.is_position(resolved, index)
        {
            return self.pick_trial(axes, result, operand, axis, resolved, &vary, index);
        }
        let from = self.selected_axis(axes, operand, axis)?;
        let (element, picked) = self.hinted(None, |c| c.array_of(index))?;
        let name = self.axis_name(from);
        match element {
            Element::Index(of) if of == from || self.index_fits(of, from) => {}
            Element::Index(of) => {
                let other = self.axis_name(of);
                self.report(
                    Diagnostic::error(
                        Code::A0209,
                        index.span,
                        format!("an index of `{other}` cannot pick along `{name}`"),
                    )
                    .label(format!("this is an index of `{other}`"))
                    .related(axis.span, format!("picks along `{name}`"))
                    .related(self.program.axis(of).span, format!("`{other}` is declared here"))
                    .help(format!(
                        "pick along `{other}`, or make an index of `{name}`: `position[{name}](...)`"
                    )),
                );
                return None;
            }
            _ if picked.is_empty() && self.is_static(index) => {}
            _ => {
                let shown = self.show(&array(element, picked));
                self.report(
                    Diagnostic::error(
                        Code::A0206,
                        index.span,
                        format!("an index of `{name}` is wanted, not {shown}"),
                    )
                    .label(format!("this is {shown}"))
                    .related(axis.span, format!("picks along `{name}`"))
                    .help(Help::replace(
                        index.span,
                        format!("position[{name}]({})", self.sources.slice(index.span)),
                        format!("make an index of it: `position[{name}]({})`", self.text(index.span)),
                    )),
                );
                return None;
            }
        }
        result.remove(&from);
        let rest = result.clone();
        *result = self.unite(&[(&rest, operand), (&picked, index.span)]);
        Some(())
    }

    /// Whether what picks a trial is computed, as an index of that axis: `argmin(loss, Rate)`.
    fn is_position(&mut self, axis: AxisId, index: &Expr) -> bool {
        let computed = match &index.kind {
            ExprKind::Call(_) => true,
            ExprKind::Name(name) => self.find_local(&name.text).is_some(),
            _ => false,
        };
        computed
            && self
                .hinted(None, |c| c.array_of(index))
                .is_some_and(|(element, _)| element == Element::Index(axis))
    }

    /// An index into an axis also picks along a part of it made by a slice or window of the same name.
    fn index_fits(&self, of: AxisId, along: AxisId) -> bool {
        let (of, along) = (self.program.axis(of), self.program.axis(along));
        along.kind == AxisKind::Derived && of.name == along.name
    }

    #[allow(clippy::too_many_arguments)]
    fn pick_trial(
        &mut self,
        axes: &AxisIds,
        result: &mut AxisIds,
        operand: Span,
        name: &AxisName,
        axis: AxisId,
        vary: &Vary,
        index: &Expr,
    ) -> Option<()> {
        let mut known = true;
        match (vary, &index.kind) {
            (Vary::Arms(_), ExprKind::Name(arm)) => {
                self.program.types.insert(index.id, Type::Choice(axis));
                known = self.arm(axis, arm).is_some();
            }
            (Vary::Arms(arms), _) => {
                self.report(
                    Diagnostic::error(
                        Code::A0110,
                        index.span,
                        format!("`{}` is picked by one of its arms", self.axis_name(axis)),
                    )
                    .label("not the name of an arm")
                    .related(self.program.axis(axis).span, "declared here")
                    .help(format!("its arms are {}", arms.join(", "))),
                );
                known = false;
            }
            (Vary::Values(_), _) => {
                self.static_number(index, "the value of a trial axis");
            }
        }
        if !axes.contains(&axis) {
            return self.operand_lacks(axis, name.span, axes, operand, "picks along");
        }
        result.remove(&axis);
        known.then_some(())
    }
}
