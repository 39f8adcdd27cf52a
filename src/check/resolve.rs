//! Names and scopes: what a name stands for, and what to say when it stands for nothing.

use super::builtin::Builtin;
use super::program::{Definition, ItemRef, Type};
use super::state::{Checker, Local, LocalKind, Trace};
use crate::diagnostic::{Code, Diagnostic, Help, nearest};
use crate::source::Span;
use crate::syntax::ast::Name;

impl Checker<'_> {
    /// Binds a name in the innermost scope.
    pub fn declare(&mut self, name: &Name, ty: Type, kind: LocalKind, trace: Trace) {
        if matches!(kind, LocalKind::Let | LocalKind::State | LocalKind::Loop)
            && let Some(builtin) = Builtin::find(&name.text)
            && is_constant(builtin)
        {
            self.shadows_builtin(name, builtin);
        }
        let local = Local { span: name.span, ty: ty.clone(), kind, definition: Definition::Local(name.span) };
        self.declare_local(name, local, trace);
        self.program.bindings.insert(name.span, ty);
    }

    /// Binds a name to something that is already known, such as a column.
    pub fn declare_local(&mut self, name: &Name, local: Local, trace: Trace) {
        self.traces.insert(local.span, trace);
        let Some(scope) = self.scopes.last_mut() else { return };
        if let Some(first) = scope.values.insert(name.text.clone(), local) {
            // The same column can come into scope twice only from two data sets.
            self.defined_twice(name, first.span);
        }
    }

    pub fn defined_twice(&mut self, name: &Name, first: Span) {
        self.report(
            Diagnostic::error(Code::A0113, name.span, format!("`{}` is defined twice", name.text))
                .label("the second definition")
                .related(first, "the first one")
                .help("give one of them another name"),
        );
    }

    pub fn shadows_builtin(&mut self, name: &Name, builtin: Builtin) {
        self.report(
            Diagnostic::error(Code::A0114, name.span, format!("`{}` is a builtin", name.text))
                .label("hides the builtin")
                .help(format!(
                    "choose another name; `{}` is: {}",
                    builtin.signature(),
                    builtin.doc().trim_end_matches('.')
                )),
        );
    }

    pub fn find_local(&self, name: &str) -> Option<&Local> {
        self.scopes.iter().rev().find_map(|scope| scope.values.get(name))
    }

    pub fn find_item(&self, name: &str) -> Option<ItemRef> {
        let file = self.files.get(self.context.file)?;
        (file.own.get(name).copied())
            .or_else(|| file.imported.get(name).map(|(item, _)| *item))
            .or_else(|| file.prelude.get(name).copied())
    }

    /// Finds an item and remembers that its import is used.
    pub fn use_item(&mut self, name: &str) -> Option<ItemRef> {
        let item = self.find_item(name)?;
        if let Some((_, span)) = self.files[self.context.file].imported.get(name) {
            self.used.insert(*span);
        }
        Some(item)
    }

    /// Uses a local: it counts as used, and what is computed from it inherits where it comes from.
    pub fn use_local(&mut self, name: &Name, local: &Local) {
        self.used.insert(local.span);
        self.program.names.insert(name.span, local.definition.clone());
        if let Some(mut trace) = self.traces.get(&local.span).cloned() {
            if self.views.contains(&local.span) {
                let models: Vec<Span> = trace.models.union(&trace.behind).copied().collect();
                for model in models {
                    if let Some(now) = self.traces.get(&model) {
                        trace.merge(now);
                    }
                }
            }
            if !matches!(local.ty, Type::Model { .. }) {
                self.check_leak(name.span, &name.text, &mut trace);
            }
            self.context.trace.merge(&trace);
        }
    }

    /// All names that could stand where a value or function is wanted.
    fn known_names(&self) -> Vec<String> {
        let file = &self.files[self.context.file];
        let mut known: Vec<String> =
            self.scopes.iter().flat_map(|scope| scope.values.keys()).cloned().collect();
        known.extend(file.own.keys().cloned());
        known.extend(file.imported.keys().cloned());
        let prelude = crate::library::entries().iter().filter(|entry| entry.module == "prelude");
        known.extend(prelude.map(|entry| entry.name.to_owned()));
        known.extend(Builtin::ALL.iter().map(|builtin| builtin.name().to_owned()));
        known.retain(|name| !name.is_empty());
        known.sort();
        known
    }

    pub fn unknown_name(&mut self, name: &str, span: Span) -> Type {
        if self.trial.blind {
            return Type::Error;
        }
        if self.misplaced_text_function(name, span) {
            return Type::Error;
        }
        let known = self.known_names();
        let near = nearest(name, known.iter().map(String::as_str));
        let mut diagnostic =
            Diagnostic::error(Code::A0101, span, format!("there is no `{name}` here")).label("unknown name");
        let module = crate::library::module_of(name);
        diagnostic = match (near, module) {
            (Some(near), _) if near == name => diagnostic.help(format!("`{near}` cannot be used here")),
            (_, Some(module)) => {
                let text =
                    format!("`{name}` is in the standard library: add `use std.{module} ({name})` at the top");
                diagnostic.help(Help::from(text).or(vec![self.import_of(module, name)]))
            }
            (Some(near), None) => {
                let diagnostic = diagnostic.help(Help::meant(span, near));
                match self.find_local(near).map(|local| local.span) {
                    Some(place) => diagnostic.related(place, format!("`{near}` is defined here")),
                    None => diagnostic,
                }
            }
            (None, None) if self.is_term(name) => diagnostic
                .help(format!("what is recorded of `{name}` is {}", self.fields_of_term(name))),
            (None, None) if name.starts_with(char::is_uppercase) => diagnostic
                .help(format!("define it (`layer {name}[In, Out] {{ ... }}`, `axis {name} = 16`) or import it with `use`")),
            (None, None) => diagnostic.help(format!(
                "define it before this line: `let {name} = ...`; or, if it comes from the library, `use std.module ({name})`"
            )),
        };
        self.report(diagnostic);
        Type::Error
    }
}

/// Builtins that are values and not functions.
pub(super) fn is_constant(builtin: Builtin) -> bool {
    matches!(
        builtin,
        Builtin::Step
            | Builtin::Epoch
            | Builtin::Progress
            | Builtin::Training
            | Builtin::Pi
            | Builtin::Infinity
    )
}
