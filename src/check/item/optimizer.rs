//! Optimizers: `p`, `g` and the states of a step hold every parameter at once.

use std::rc::Rc;

use crate::check::program::{AxisIds, AxisKind, Element, ItemRef, Type};
use crate::check::state::{Checker, LocalKind, Place, Signature, Trace};
use crate::check::types::{array, axes_of};
use crate::diagnostic::{Code, Diagnostic};
use crate::syntax::ast::{Name, Optimizer, Statement, StatementKind};

impl Checker<'_> {
    pub fn optimizer(&mut self, item: ItemRef, optimizer: &Optimizer) -> Rc<Signature> {
        self.context.place = Place::Optimizer;
        let parameters = self.scoped(|c| {
            let parameters = c.parameters(&optimizer.parameters);
            // All elements of all parameters of the objective, as one axis without a name in the language.
            let bundle = c.new_axis("all parameters", AxisKind::Parameter, optimizer.name.span);
            let shaped = array(Element::Float, AxisIds::from([bundle]));
            for (_, value) in &optimizer.states {
                c.numbers(value);
            }
            let assigned = assigned_names(&optimizer.step.body.statements);
            // A state is a single number unless a value shaped like the parameters is assigned to it: found by
            // checking the step until nothing changes, quietly, and once more aloud.
            let mut is_shaped = vec![false; optimizer.states.len()];
            for _ in 0..=optimizer.states.len() {
                let before = c.diagnostics.len();
                let found = c.step(optimizer, &shaped, &is_shaped);
                c.diagnostics.truncate(before);
                if found == is_shaped {
                    break;
                }
                is_shaped = found;
            }
            c.step(optimizer, &shaped, &is_shaped);
            for (name, _) in &optimizer.states {
                if !assigned.contains(&name.text) {
                    c.report(
                        Diagnostic::warning(
                            Code::A0117,
                            name.span,
                            format!("the state `{}` never changes", name.text),
                        )
                        .label("nothing is assigned to it")
                        .help(format!("assign to it in the step: `{} := ...`", name.text)),
                    );
                }
            }
            parameters
        });
        Rc::new(Signature {
            name: optimizer.name.text.clone(),
            generics: Vec::new(),
            parameters,
            result: Type::Optimizer(item),
            draws: false,
            random: false,
            span: optimizer.name.span,
            module: self.files[self.context.file].module.clone(),
        })
    }

    /// Checks the step; which states have values shaped like the parameters assigned.
    fn step(&mut self, optimizer: &Optimizer, shaped: &Type, is_shaped: &[bool]) -> Vec<bool> {
        let step = &optimizer.step;
        self.scoped(|c| {
            for ((name, _), shape) in optimizer.states.iter().zip(is_shaped) {
                let ty = if *shape { shaped.clone() } else { Type::float() };
                c.declare(name, ty, LocalKind::State, Trace::default());
            }
            c.scoped(|c| {
                if step.parameters.is_empty() || step.parameters.len() > 3 {
                    c.report(
                        Diagnostic::error(
                            Code::A0201,
                            step.span,
                            "a step takes the parameter, its gradient and the time",
                        )
                        .label("other parameters")
                        .help("write `step(p, g, t) { ... }`"),
                    );
                }
                for (at, parameter) in step.parameters.iter().enumerate() {
                    let ty = if at < 2 { shaped.clone() } else { Type::float() };
                    c.declare(&parameter.name, ty, LocalKind::Parameter, Trace::default());
                    c.used.insert(parameter.name.span);
                }
                let result = c.block_in_scope(&step.body);
                match &step.body.value {
                    Some(value) => {
                        c.fits_declared(&result, value, shaped, optimizer.name.span, "the new parameter");
                    }
                    None => c.report(
                        Diagnostic::error(Code::A0319, step.body.span, "the step gives no value")
                            .label("ends without a value")
                            .help("the last line of the step is the new parameter: `p - lr * g`"),
                    ),
                }
            });
            let assigned = assignments(&step.body.statements);
            let gives = |c: &Self, name: &Name| {
                assigned.iter().any(|(to, value)| {
                    to.text == name.text
                        && c.program.types.get(value).is_some_and(|ty| !axes_of(ty).is_empty())
                })
            };
            optimizer.states.iter().zip(is_shaped).map(|((name, _), was)| *was || gives(c, name)).collect()
        })
    }
}

/// All assignments in statements and the statements inside them.
fn assignments(statements: &[Statement]) -> Vec<(&Name, crate::syntax::ast::ExprId)> {
    let mut found = Vec::new();
    for statement in statements {
        match &statement.kind {
            StatementKind::Assign { name, value } => found.push((name, value.id)),
            StatementKind::If { then, otherwise, .. } => {
                found.extend(assignments(then));
                found.extend(assignments(otherwise.as_deref().unwrap_or_default()));
            }
            _ => {}
        }
    }
    found
}

fn assigned_names(statements: &[Statement]) -> Vec<String> {
    assignments(statements).into_iter().map(|(name, _)| name.text.clone()).collect()
}
