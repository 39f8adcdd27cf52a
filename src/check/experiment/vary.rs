//! `vary`: the axes of trials.

use crate::check::builtin::Builtin;
use crate::check::program::{AxisIds, AxisKind, CallInfo, Definition, Element, Target, Vary};
use crate::check::state::Checker;
use crate::check::types::array;
use crate::diagnostic::{Code, Diagnostic};
use crate::syntax::ast::{ArgumentKind, Expr, ExprKind, Name, Statement, StatementKind, VaryOver};

impl Checker<'_> {
    /// All `vary` axes are in scope in the whole experiment: what depends on a seed may stand before it.
    pub fn declare_varies(&mut self, body: &[Statement]) {
        for statement in body {
            let StatementKind::Vary { name, over } = &statement.kind else { continue };
            let kind = match over {
                VaryOver::Arms(arms) => Vary::Arms(arms.iter().map(|arm| arm.text.clone()).collect()),
                VaryOver::Values(values) => Vary::Values(values.id),
            };
            let axis = self.new_axis(name.text.clone(), AxisKind::Vary(kind), name.span);
            self.declare_axis(name, axis);
            self.trial.varies.push(axis);
            if let VaryOver::Values(values) = over {
                match &values.kind {
                    ExprKind::List(list) => {
                        self.trial.sizes.insert(axis, list.len() as f64);
                    }
                    ExprKind::Number { value, .. } => {
                        self.trial.sizes.insert(axis, *value);
                        self.trial.counts.insert(axis);
                    }
                    ExprKind::Call(call) => {
                        let folds = matches!(&call.callee.kind,
                            ExprKind::Name(name) if matches!(name.text.as_str(), "kfold" | "groups"));
                        if folds {
                            self.trial.folds.insert(axis);
                        }
                    }
                    _ => {
                        self.trial.counts.insert(axis);
                    }
                }
            }
        }
    }

    pub fn vary(&mut self, name: &Name, over: &VaryOver) {
        let axis = self.find_axis(&name.text);
        match over {
            VaryOver::Arms(arms) => {
                if arms.is_empty() {
                    self.varies_nothing(name, "no arms", "{ a, b }");
                }
                for (at, arm) in arms.iter().enumerate() {
                    if let Some(first) = arms[..at].iter().find(|known| known.text == arm.text) {
                        self.defined_twice(arm, first.span);
                    }
                    if let Some(axis) = axis {
                        self.program.names.insert(arm.span, Definition::Arm(axis, at));
                    }
                }
            }
            VaryOver::Values(values) => {
                let axes: AxisIds = axis.into_iter().collect();
                match &values.kind {
                    ExprKind::List(list) => {
                        if list.is_empty() {
                            self.varies_nothing(name, "no values", "[0.1, 1]");
                        }
                        for value in list {
                            self.static_number(value, "the value of a `vary`");
                        }
                        self.program.types.insert(values.id, array(Element::Float, axes));
                    }
                    ExprKind::Call(call) if self.vary_builtin(&call.callee).is_some() => {
                        let builtin = self.vary_builtin(&call.callee);
                        if let (ExprKind::Name(callee), Some(builtin)) = (&call.callee.kind, builtin) {
                            self.program.names.insert(callee.span, Definition::Builtin(builtin));
                            self.vary_list(values, call, builtin);
                            self.empty_range(name, call, builtin);
                        }
                        self.program.types.insert(values.id, array(Element::Float, axes));
                    }
                    ExprKind::Call(call) if is_groups(&call.callee) => {
                        self.vary_groups(values, call);
                        self.program.types.insert(values.id, array(Element::Float, axes));
                    }
                    ExprKind::Number { value, .. } if *value < 1.0 || value.fract() != 0.0 => {
                        self.expression(values);
                        self.varies_nothing(name, "no whole number of values", "5");
                    }
                    _ => self.static_number(values, "the number of values of a `vary`"),
                }
            }
        }
    }

    /// `groups(d.site)`: the values of a category column.
    fn vary_groups(&mut self, expr: &Expr, call: &crate::syntax::ast::Call) {
        let column = match call.arguments.as_slice() {
            [argument] => match &argument.kind {
                ArgumentKind::Positional(value) => match &value.kind {
                    ExprKind::Field { value, field } => match &value.kind {
                        ExprKind::Name(data) => Some((data, field)),
                        _ => None,
                    },
                    _ => None,
                },
                _ => None,
            },
            _ => None,
        };
        let found = column.and_then(|(data, field)| {
            let info = self.data.get(&data.text)?.clone();
            let column = info.columns.iter().find(|column| column.name == field.text)?;
            let category = column.axes.is_empty() && matches!(column.element, Element::Index(_));
            category.then_some(())
        });
        if found.is_none() {
            self.report(
                Diagnostic::error(Code::A0346, expr.span, "these are no groups to leave out")
                    .label("not a column of a category")
                    .help("name a column of a data set of the file: `vary Held = groups(d.site)`"),
            );
        }
    }

    fn vary_builtin(&self, callee: &Expr) -> Option<Builtin> {
        let ExprKind::Name(name) = &callee.kind else { return None };
        Builtin::find(&name.text)
            .filter(|builtin| matches!(builtin, Builtin::Geometric | Builtin::Range | Builtin::KFold))
    }

    fn vary_list(&mut self, expr: &Expr, call: &crate::syntax::ast::Call, builtin: Builtin) {
        let wanted: &[&str] = match builtin {
            Builtin::Geometric => &["from", "to", "ratio"],
            Builtin::Range => &["from", "to"],
            _ => &["k"],
        };
        for argument in &call.arguments {
            match &argument.kind {
                ArgumentKind::Positional(value) => self.static_number(value, "the values of a `vary`"),
                ArgumentKind::Named { name, value } => {
                    self.static_number(value, "the values of a `vary`");
                    if !wanted.contains(&name.text.as_str()) {
                        self.unknown_argument(builtin.name(), name, wanted, None);
                    }
                }
                ArgumentKind::As { .. } => {}
            }
        }
        if call.arguments.len() != wanted.len() {
            self.report(
                Diagnostic::error(
                    Code::A0201,
                    expr.span,
                    format!("`{}` takes {} numbers", builtin.name(), wanted.len()),
                )
                .label("called with another number of arguments")
                .help(format!("it is called `{}`", builtin.signature())),
            );
        }
        let info = CallInfo { target: Target::Builtin(builtin), axes: Vec::new(), arguments: Vec::new() };
        self.program.calls.insert(expr.id, info);
    }

    /// `range(3, 1)`, `geometric(10, 1, 2)`
    fn empty_range(&mut self, name: &Name, call: &crate::syntax::ast::Call, builtin: Builtin) {
        let bound = |place: usize, wanted: &str| {
            let named = call.arguments.iter().find_map(|argument| match &argument.kind {
                ArgumentKind::Named { name, value } if name.text == wanted => Some(value),
                _ => None,
            });
            let at_place = call.arguments.get(place).and_then(|argument| match &argument.kind {
                ArgumentKind::Positional(value) => Some(value),
                _ => None,
            });
            self.constant_number(named.or(at_place)?)
        };
        let (Some(from), Some(to)) = (bound(0, "from"), bound(1, "to")) else { return };
        match builtin {
            Builtin::Range if from >= to => self.varies_nothing(name, "no values", "range(0, 3)"),
            Builtin::Geometric if from.round() > to => {
                self.varies_nothing(name, "no values", "geometric(1, 100, 10)");
            }
            _ => {}
        }
    }

    fn varies_nothing(&mut self, name: &Name, what: &str, example: &str) {
        self.report(
            Diagnostic::error(
                Code::A0315,
                name.span,
                format!("`vary {}` has {what}: there would be no trial", name.text),
            )
            .label("varies over nothing")
            .help(format!("give at least one: `vary {} = {example}`", name.text)),
        );
    }
}

fn is_groups(callee: &Expr) -> bool {
    matches!(&callee.kind, ExprKind::Name(name) if name.text == "groups")
}
