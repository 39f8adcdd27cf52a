//! Combiners, and the methods of constraints: what the language gives them, by name, and the steps of those that remember.

use std::rc::Rc;

use crate::check::program::{AxisId, AxisIds, AxisKind, Element, ItemRef, Type};
use crate::check::state::{Checker, LocalKind, Place, Signature, Trace};
use crate::check::types::{array, axes_of};
use crate::diagnostic::{Code, Diagnostic};
use crate::source::Span;
use crate::syntax::ast::{Function, Name, Optimizer, Parameter, Statement, StatementKind};

/// What `by` gives a combiner.
pub(in crate::check) const GIVEN: [&str; 4] = ["gram", "g", "losses", "t"];

impl Checker<'_> {
    /// `combiner mgda[Task](gram: Float[Task, Task']) -> Float[Task] { ... }`
    pub fn combiner(&mut self, function: &Function) -> Rc<Signature> {
        let signature = self.function(function, Place::Function);
        let mut generics = signature.generics.iter().copied();
        let task = generics.next();
        let span = function.name.span;
        for parameter in signature.parameters.iter().filter(|p| GIVEN.contains(&p.name.as_str())) {
            let Type::Array { element: Element::Float, axes } = &parameter.ty else {
                self.combiner_form(parameter.span, span, "this is no array of numbers");
                continue;
            };
            let others = axes.iter().filter(|axis| Some(**axis) != task).count();
            let has_task = task.is_some_and(|task| axes.contains(&task));
            let right = match parameter.name.as_str() {
                "gram" => has_task && others == 1 && self.primes_only(axes, task),
                "g" => has_task && others == 1 && !self.primes_only(axes, task),
                "losses" => has_task && others == 0,
                _ => axes.is_empty(),
            };
            if !right {
                self.combiner_form(parameter.span, span, "has other axes");
            }
        }
        let place = function.result.as_ref().map_or(span, |ty| ty.span);
        let p = signature.generics.iter().copied().nth(1);
        self.combiner_result(&signature.result.clone(), task, p, place, span);
        signature
    }

    fn primes_only(&self, axes: &AxisIds, task: Option<AxisId>) -> bool {
        axes.iter().all(|axis| {
            Some(*axis) == task
                || matches!(self.program.axis(*axis).kind, AxisKind::SameSizeAs(of) if Some(of) == task)
        })
    }

    /// A weight for each objective, or a direction.
    fn combiner_result(&mut self, ty: &Type, task: Option<AxisId>, p: Option<AxisId>, at: Span, item: Span) {
        let fits = match ty {
            Type::Array { element: Element::Float, axes } => {
                axes.len() == 1 && axes.iter().all(|axis| Some(*axis) == task || Some(*axis) == p)
            }
            Type::Error => true,
            _ => false,
        };
        if !fits {
            let shown = self.show(ty);
            self.combiner_form(at, item, &format!("gives {shown}"));
        }
    }

    fn combiner_form(&mut self, place: Span, item: Span, label: &str) {
        self.report(
            Diagnostic::error(Code::A0328, place, "a combiner has another form")
                .label(label)
                .related(item, "the combiner")
                .help(
                    "write `combiner name[Task](gram: Float[Task, Task']) -> Float[Task]` for weights, or \
                     `combiner name[Task, P](g: Float[Task, P]) -> Float[P]` for a direction; `losses: Float[Task]` and \
                     `t: Float` may be taken too",
                ),
        );
    }

    /// `combiner gradnorm[Task](lr: Float) { state w = 1  step(gram, losses) { ... } }`
    pub fn stepping_combiner(&mut self, item: ItemRef, combiner: &Optimizer) -> Rc<Signature> {
        self.context.place = Place::Optimizer;
        let (generics, parameters) = self.scoped(|c| {
            let mut generics = c.generic_axes(&combiner.axes);
            let task = generics.first().copied();
            let p = generics.get(1).copied();
            let parameters = c.parameters(&combiner.parameters);
            let given = |c: &mut Self, parameter: &Parameter| match (parameter.name.text.as_str(), task, p) {
                ("gram", Some(task), _) => {
                    let prime = c.prime_of(task, parameter.name.span);
                    Some(AxisIds::from([task, prime]))
                }
                ("g", Some(task), Some(p)) => Some(AxisIds::from([task, p])),
                ("losses", Some(task), _) => Some(AxisIds::from([task])),
                ("t", ..) => Some(AxisIds::new()),
                _ => None,
            };
            let mut types = Vec::new();
            for parameter in &combiner.step.parameters {
                let axes = given(c, parameter).unwrap_or_else(|| {
                    c.combiner_form(parameter.name.span, combiner.name.span, "not given to a combiner");
                    AxisIds::new()
                });
                types.push(array(Element::Float, axes));
            }
            let result = c.remembering_step(combiner, &types);
            let at = combiner.step.body.value.as_ref().map_or(combiner.step.body.span, |value| value.span);
            c.combiner_result(&result, task, p, at, combiner.name.span);
            let primes: Vec<AxisId> = task.into_iter().flat_map(|task| c.known_prime(task)).collect();
            generics.extend(primes);
            (generics, parameters)
        });
        self.stepping_signature(combiner, generics, parameters, Type::Combiner(item))
    }

    /// `constraint penalty(weight: Float) { step(violation, t) { ... } }`
    pub fn constraint_method(&mut self, item: ItemRef, method: &Optimizer) -> Rc<Signature> {
        self.context.place = Place::Optimizer;
        let parameters = self.scoped(|c| {
            let parameters = c.parameters(&method.parameters);
            let given = &method.step.parameters;
            if given.is_empty() || given.len() > 2 {
                c.report(
                    Diagnostic::error(
                        Code::A0201,
                        method.step.span,
                        "a step takes the violation and the time",
                    )
                    .label("other parameters")
                    .help("write `step(violation, t) { ... }`"),
                );
            }
            let types = vec![Type::float(); given.len()];
            let result = c.remembering_step(method, &types);
            if let Some(value) = &method.step.body.value {
                let at = method.name.span;
                c.fits_declared(&result, value, &Type::float(), at, "what is added to the objective");
            }
            parameters
        });
        self.stepping_signature(method, Vec::new(), parameters, Type::Constraint(item))
    }

    fn stepping_signature(
        &mut self,
        item: &Optimizer,
        generics: Vec<AxisId>,
        parameters: Vec<crate::check::state::ParameterInfo>,
        result: Type,
    ) -> Rc<Signature> {
        Rc::new(Signature {
            name: item.name.text.clone(),
            generics,
            parameters,
            result,
            draws: false,
            random: false,
            span: item.name.span,
            module: self.files[self.context.file].module.clone(),
        })
    }

    /// Checks a step until its states have the axes of what is assigned to them; quietly, and once more aloud.
    fn remembering_step(&mut self, item: &Optimizer, types: &[Type]) -> Type {
        for (_, value) in &item.states {
            self.numbers(value);
        }
        let mut shapes = vec![AxisIds::new(); item.states.len()];
        for _ in 0..=2 * item.states.len() {
            let before = self.diagnostics.len();
            let (_, found) = self.step_once(item, types, &shapes);
            self.diagnostics.truncate(before);
            if found == shapes {
                break;
            }
            shapes = found;
        }
        self.step_once(item, types, &shapes).0
    }

    fn step_once(&mut self, item: &Optimizer, types: &[Type], shapes: &[AxisIds]) -> (Type, Vec<AxisIds>) {
        self.scoped(|c| {
            for ((name, _), axes) in item.states.iter().zip(shapes) {
                let ty = array(Element::Float, axes.clone());
                c.declare(name, ty, LocalKind::State, Trace::default());
            }
            let result = c.scoped(|c| {
                for (parameter, ty) in item.step.parameters.iter().zip(types) {
                    c.declare(&parameter.name, ty.clone(), LocalKind::Parameter, Trace::default());
                    c.used.insert(parameter.name.span);
                }
                let result = c.block_in_scope(&item.step.body);
                if item.step.body.value.is_none() {
                    c.report(
                        Diagnostic::error(Code::A0319, item.step.body.span, "the step gives no value")
                            .label("ends without a value")
                            .help("the last line of the step is its value"),
                    );
                    return Type::Error;
                }
                result
            });
            let mut found = shapes.to_vec();
            assigned_axes(c, &item.step.body.statements, &item.states, &mut found);
            (result, found)
        })
    }
}

/// Adds to each state the axes of what is assigned to it.
fn assigned_axes(
    c: &Checker,
    statements: &[Statement],
    states: &[(Name, crate::syntax::ast::Expr)],
    found: &mut [AxisIds],
) {
    for statement in statements {
        match &statement.kind {
            StatementKind::Assign { name, value } => {
                let at = states.iter().position(|(state, _)| state.text == name.text);
                if let (Some(at), Some(ty)) = (at, c.program.types.get(&value.id)) {
                    found[at].extend(axes_of(ty));
                }
            }
            StatementKind::If { then, otherwise, .. } => {
                assigned_axes(c, then, states, found);
                assigned_axes(c, otherwise.as_deref().unwrap_or_default(), states, found);
            }
            _ => {}
        }
    }
}
