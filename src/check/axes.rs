//! The axis environment: declaring axes, finding them by name, and the axes of written types.

use super::program::{AxisId, AxisIds, AxisKind, Element, Type, Vary};
use super::state::{Checker, ItemState, Trace};
use crate::diagnostic::{Code, Diagnostic, Help, nearest};
use crate::source::Span;
use crate::syntax::ast::{self, AxisName, Expr, ExprKind, Name, TypeKind};

impl Checker<'_> {
    /// Binds a name to an axis in the innermost scope.
    pub fn declare_axis(&mut self, name: &Name, axis: AxisId) {
        self.program.axes_at.insert(name.span, axis);
        let scope = match self.scopes.last_mut() {
            Some(scope) => &mut scope.axes,
            None => &mut self.files[self.context.file].axes,
        };
        if let Some(first) = scope.insert(name.text.clone(), axis) {
            let first = self.program.axis(first).span;
            self.defined_twice(name, first);
        }
    }

    pub fn find_axis(&self, name: &str) -> Option<AxisId> {
        let in_scope = self.scopes.iter().rev().find_map(|scope| scope.axes.get(name).copied());
        in_scope.or_else(|| self.files.get(self.context.file)?.axes.get(name).copied())
    }

    fn known_axes(&self) -> Vec<String> {
        let scopes = self.scopes.iter().flat_map(|scope| scope.axes.keys());
        scopes.chain(self.files[self.context.file].axes.keys()).cloned().collect()
    }

    /// `Task`, or `Task'`, which comes into being where it is first named.
    fn find_or_prime(&mut self, name: &str, primed: bool, span: Span) -> Option<AxisId> {
        let (base, primed) = match name.strip_suffix('\'') {
            Some(base) => (base, true),
            None => (name, primed),
        };
        if let Some(axis) = self.find_axis(base) {
            self.meet_axis(axis);
        }
        if !primed {
            return self.find_axis(base);
        }
        let primed_name = format!("{base}'");
        if let Some(axis) = self.find_axis(&primed_name) {
            return Some(axis);
        }
        let of = self.find_axis(base)?;
        let axis = self.new_axis(primed_name.clone(), AxisKind::SameSizeAs(of), span);
        // An axis has one twin wherever it is known itself.
        match self.scopes.iter_mut().rev().find(|scope| scope.axes.contains_key(base)) {
            Some(scope) => scope.axes.insert(primed_name, axis),
            None => self.files[self.context.file].axes.insert(primed_name, axis),
        };
        Some(axis)
    }

    /// What names an axis depends on what its size depends on.
    fn meet_axis(&mut self, axis: AxisId) {
        if let Some(trace) = self.traces.get(&self.program.axis(axis).span) {
            self.context.trace.varies.extend(&trace.varies);
        }
    }

    /// Writes down what the size of an axis depends on.
    pub fn sized_by(&mut self, axis: Span, varies: AxisIds) {
        self.traces.insert(axis, Trace { varies, ..Trace::default() });
    }

    /// The axis of the same size that is called by a prime.
    pub fn prime_of(&mut self, axis: AxisId, span: Span) -> AxisId {
        let name = format!("{}'", self.axis_name(axis));
        self.find_or_prime(&name, true, span).unwrap_or(axis)
    }

    /// The primed axis, if it was named.
    pub fn known_prime(&self, axis: AxisId) -> Option<AxisId> {
        self.find_axis(&format!("{}'", self.axis_name(axis)))
    }

    /// A part by the name of its data set or of its rows: `ner.train`, `Token.train`.
    pub fn find_part(&self, of: &str, part: &str) -> Option<AxisId> {
        let data = self.data_of(of)?;
        self.trial.parts.get(&data)?.iter().find(|p| p.name == part).map(|p| p.axis)
    }

    /// The data set meant by its own name or by the name of its rows.
    pub fn data_of(&self, name: &str) -> Option<String> {
        if self.data.contains_key(name) {
            return Some(name.to_owned());
        }
        self.data
            .values()
            .find(|data| self.program.axis(data.rows).name == name)
            .map(|data| data.name.clone())
    }

    /// Resolves an axis and writes it down; unknown ones are reported.
    pub fn axis(&mut self, name: &AxisName) -> Option<AxisId> {
        self.watch(name.span);
        let found = match name.path.as_slice() {
            [only] => match self.find_or_prime(&only.text, name.primed, name.span) {
                Some(axis) => axis,
                None => return self.unknown_axis(&only.text, name.span),
            },
            [of, part] => match self.find_part(&of.text, &part.text) {
                Some(axis) => {
                    self.meet_axis(axis);
                    axis
                }
                None => return self.unknown_part(&of.text, of.span, &part.text, part.span),
            },
            _ => return self.unknown_axis(&self.text(name.span), name.span),
        };
        self.program.axes_at.insert(name.span, found);
        Some(found)
    }

    /// The axis that a name denotes, written down; unknown ones are reported.
    pub fn axis_by_name(&mut self, name: &Name) -> Option<AxisId> {
        self.watch(name.span);
        match self.find_or_prime(&name.text, false, name.span) {
            Some(axis) => {
                self.program.axes_at.insert(name.span, axis);
                Some(axis)
            }
            None => self.unknown_axis(&name.text, name.span),
        }
    }

    /// The axis that an argument names, if it names one and is no value: `Example`, `Token.train`.
    pub fn axis_argument(&mut self, expr: &Expr) -> Option<AxisId> {
        let axis = match &expr.kind {
            ExprKind::Name(name) => {
                if self.find_local(&name.text).is_some() {
                    return None;
                }
                self.find_or_prime(&name.text, false, name.span)?
            }
            ExprKind::Field { value, field } => match &value.kind {
                ExprKind::Name(of) => {
                    let axis = self.find_part(&of.text, &field.text)?;
                    self.meet_axis(axis);
                    axis
                }
                _ => return None,
            },
            _ => return None,
        };
        self.program.axes_at.insert(expr.span, axis);
        Some(axis)
    }

    /// The axis that an argument names where a value may stand too: the name of a numeric `vary` is the number of the trial there.
    pub fn axis_rather_than_value(&mut self, expr: &Expr) -> Option<AxisId> {
        match self.is_trial_number(expr) {
            true => None,
            false => self.axis_argument(expr),
        }
    }

    /// Whether an expression names a numeric `vary`: inside a trial the number that the trial has, not an axis to work along.
    pub fn is_trial_number(&self, expr: &Expr) -> bool {
        let ExprKind::Name(name) = &expr.kind else { return false };
        let number = |axis: AxisId| matches!(self.program.axis(axis).kind, AxisKind::Vary(Vary::Values(_)));
        !self.context.results
            && self.find_local(&name.text).is_none()
            && self.find_axis(&name.text).is_some_and(number)
    }

    /// Whether an expression is the name of an unknown axis: written with a capital, and nothing else, nor the number of a trial.
    pub fn looks_like_axis(&self, expr: &Expr) -> bool {
        match &expr.kind {
            ExprKind::Name(name) => {
                let number =
                    |axis: AxisId| matches!(self.program.axis(axis).kind, AxisKind::Vary(Vary::Values(_)));
                name.text.starts_with(char::is_uppercase)
                    && !self.find_axis(&name.text).is_some_and(number)
                    && self.find_local(&name.text).is_none()
                    && self.find_item(&name.text).is_none()
            }
            _ => false,
        }
    }

    pub fn unknown_axis<T>(&mut self, name: &str, span: Span) -> Option<T> {
        if self.trial.blind {
            return None;
        }
        let known = self.known_axes();
        let mut diagnostic = Diagnostic::error(Code::A0102, span, format!("there is no axis `{name}` here"))
            .label("unknown axis");
        diagnostic = match nearest(name, known.iter().map(String::as_str)) {
            Some(near) => {
                let axis = self.find_axis(near);
                let diagnostic = diagnostic.help(Help::meant(span, near));
                match axis {
                    Some(axis) => {
                        let place = self.program.axis(axis).span;
                        diagnostic.related(place, format!("`{near}` is declared here"))
                    }
                    None => diagnostic,
                }
            }
            None if known.is_empty() => diagnostic.help(format!("declare it first: `axis {name} = 16`")),
            None => {
                let mut known = known;
                known.sort();
                known.dedup();
                diagnostic.help(format!(
                    "the axes in scope are {}; a new one is declared by `axis {name} = 16`",
                    known.join(", ")
                ))
            }
        };
        self.report(diagnostic);
        None
    }

    pub fn unknown_part<T>(&mut self, of: &str, of_span: Span, part: &str, span: Span) -> Option<T> {
        let Some(data) = self.data_of(of) else {
            let known: Vec<String> = self.data.keys().cloned().collect();
            let mut diagnostic =
                Diagnostic::error(Code::A0101, of_span, format!("there is no data set `{of}`"))
                    .label("unknown data set");
            if let Some(near) = nearest(of, known.iter().map(String::as_str)) {
                diagnostic = diagnostic.help(Help::meant(of_span, near));
            } else if known.is_empty() {
                diagnostic = diagnostic
                    .help("declare one at the top of the file: `data name = csv(\"...\") over Row { ... }`");
            }
            self.report(diagnostic);
            return None;
        };
        let parts = self.trial.parts.get(&data).cloned().unwrap_or_default();
        let mut diagnostic = Diagnostic::error(Code::A0109, span, format!("`{data}` has no part `{part}`"))
            .label("unknown part");
        if parts.is_empty() {
            let place = self.data.get(&data).map(|info| info.span);
            diagnostic = diagnostic.help(format!("split it first: `split {data} into train 70%, test 30%`"));
            if let Some(place) = place {
                diagnostic = diagnostic.related(place, "it is not split in this experiment");
            }
        } else {
            let names: Vec<&str> = parts.iter().map(|part| part.name.as_str()).collect();
            diagnostic = diagnostic.related(parts[0].span, "its parts are made here").help(
                match nearest(part, names.iter().copied()) {
                    Some(near) => Help::meant(span, near).saying(format!("did you mean `{data}.{near}`?")),
                    None => format!("its parts are {}", names.join(", ")).into(),
                },
            );
        }
        self.report(diagnostic);
        None
    }

    /// A written type, and its axes in the order written.
    pub fn ty(&mut self, ty: &ast::Type) -> (Type, Vec<AxisId>) {
        self.watch(ty.span);
        match &ty.kind {
            TypeKind::Array { element, part, axes } => {
                if part.is_none()
                    && let Some(ty) = self.model_type(element, axes)
                {
                    return (ty, Vec::new());
                }
                let element = match part {
                    Some(part) => self.axis(part).map(Element::Index),
                    None => self.element(element),
                };
                let resolved: Vec<Option<AxisId>> = axes.iter().map(|axis| self.axis(axis)).collect();
                let mut order: Vec<AxisId> = Vec::new();
                for (axis, written) in resolved.iter().zip(axes) {
                    let Some(axis) = axis else { return (Type::Error, Vec::new()) };
                    if order.contains(axis) {
                        let name = self.axis_name(*axis);
                        self.report(
                            Diagnostic::error(
                                Code::A0214,
                                written.span,
                                format!("the axis `{name}` stands twice in one type"),
                            )
                            .label("the second time")
                            .help(Help::replace(
                                written.span,
                                format!("{name}'"),
                                format!(
                                    "a type has each axis once; for a second axis of the same size write `{name}'`"
                                ),
                            )),
                        );
                        return (Type::Error, Vec::new());
                    }
                    order.push(*axis);
                }
                match element {
                    Some(element) => (Type::Array { element, axes: order.iter().copied().collect() }, order),
                    None => (Type::Error, order),
                }
            }
            TypeKind::Record(fields) => {
                let fields = fields.iter().map(|(name, ty)| (name.text.clone(), self.ty(ty).0)).collect();
                (Type::Record(fields), Vec::new())
            }
            TypeKind::Tuple(types) => {
                (Type::Tuple(types.iter().map(|ty| self.ty(ty).0).collect()), Vec::new())
            }
            TypeKind::Function { parameters, result } => {
                let parameters: Vec<Type> = parameters.iter().map(|ty| self.ty(ty).0).collect();
                let result = self.ty(result).0;
                let ty = match parameters.contains(&Type::Error) || result == Type::Error {
                    true => Type::Error,
                    false => Type::Function { parameters, result: Box::new(result) },
                };
                (ty, Vec::new())
            }
        }
    }

    /// `Linear[In, Out]`: a model of a layer.
    fn model_type(&mut self, name: &Name, axes: &[AxisName]) -> Option<Type> {
        if self.find_axis(&name.text).is_some() {
            return None;
        }
        let item = self.find_item(&name.text)?;
        if !matches!(self.program.item(item).kind, ast::ItemKind::Layer(_)) {
            return None;
        }
        self.use_item(&name.text);
        let ItemState::Layer(layer) = self.item(item, name.span) else { return Some(Type::Error) };
        let generics = layer.constructor.generics.clone();
        if generics.len() != axes.len() {
            let names: Vec<String> = generics.iter().map(|axis| self.axis_name(*axis)).collect();
            self.report(
                Diagnostic::error(
                    Code::A0212,
                    name.span,
                    format!("`{}` takes {} axes, not {}", name.text, generics.len(), axes.len()),
                )
                .label("a model of this layer")
                .related(layer.constructor.span, "the layer")
                .help(format!("write `{}[{}]`", name.text, names.join(", "))),
            );
            return Some(Type::Error);
        }
        let mut bindings = Vec::new();
        for (generic, axis) in generics.into_iter().zip(axes) {
            match self.axis(axis) {
                Some(axis) => bindings.push((generic, axis)),
                None => return Some(Type::Error),
            }
        }
        Some(Type::Model { layer: item, axes: bindings, over: AxisIds::new() })
    }

    fn element(&mut self, name: &Name) -> Option<Element> {
        match name.text.as_str() {
            "Float" => return Some(Element::Float),
            "Bool" => return Some(Element::Bool),
            "Text" => return Some(Element::Text),
            _ => {}
        }
        if let Some(axis) = self.find_or_prime(&name.text, false, name.span) {
            self.program.axes_at.insert(name.span, axis);
            return Some(Element::Index(axis));
        }
        let mut known = self.known_axes();
        known.extend(["Float".to_owned(), "Bool".to_owned()]);
        let help = match name.text.as_str() {
            "float" | "Int" | "int" | "Number" | "Real" | "f32" | "f64" | "Tensor" => Help::replace(
                name.span,
                "Float",
                "numbers are `Float`; positions on an axis have the axis as their type",
            ),
            "bool" | "Boolean" => Help::replace(name.span, "Bool", "truth values are `Bool`"),
            text => match nearest(text, known.iter().map(String::as_str)) {
                Some(near) => Help::meant(name.span, near),
                None => "an element is `Float`, `Bool` or an axis (then it is an index)".into(),
            },
        };
        self.report(
            Diagnostic::error(Code::A0103, name.span, format!("there is no type `{}`", name.text))
                .label("unknown type")
                .help(help),
        );
        None
    }
}
