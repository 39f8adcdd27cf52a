//! What can be named at one place of the user's file: recorded while checking, for completion.
//!
//! In: a place. Out: the scopes as they were when the checker came by. Without a place, nothing is recorded.

use super::program::{AxisId, Definition, Type};
use super::state::{Checker, Place};
use crate::source::{FileId, Span};

/// What can be named at a place.
#[derive(Clone, Debug)]
pub struct Visible {
    pub place: Place,
    /// Values of scopes, those of inner ones first.
    pub values: Vec<VisibleValue>,
    /// Axes by their names, those of inner scopes first.
    pub axes: Vec<(String, AxisId)>,
    /// Data sets, each with its parts.
    pub data: Vec<(String, Vec<String>)>,
}

#[derive(Clone, Debug)]
pub struct VisibleValue {
    pub name: String,
    pub ty: Type,
    pub definition: Definition,
}

/// The place of interest, and what was found there.
#[derive(Default)]
pub(super) struct Watch {
    pub at: Option<u32>,
    pub found: Option<Visible>,
}

impl Checker<'_> {
    /// Records the scopes if the place of interest lies in `span`. Inner constructs come later, and take over.
    pub fn watch(&mut self, span: Span) {
        let Some(at) = self.watch.at else { return };
        if span.file == FileId(0) && span.start <= at && at <= span.end {
            self.watch.found = Some(self.visible());
        }
    }

    fn visible(&self) -> Visible {
        let mut values: Vec<VisibleValue> = Vec::new();
        let mut axes: Vec<(String, AxisId)> = Vec::new();
        let mut add_axes = |of: &std::collections::HashMap<String, AxisId>| {
            let mut sorted: Vec<_> = of.iter().collect();
            sorted.sort();
            for (name, axis) in sorted {
                if !axes.iter().any(|(known, _)| known == name) {
                    axes.push((name.clone(), *axis));
                }
            }
        };
        for scope in self.scopes.iter().rev() {
            let mut sorted: Vec<_> = scope.values.iter().collect();
            sorted.sort_by_key(|(name, _)| *name);
            for (name, local) in sorted {
                if !values.iter().any(|known| known.name == *name) {
                    values.push(VisibleValue {
                        name: name.clone(),
                        ty: local.ty.clone(),
                        definition: local.definition.clone(),
                    });
                }
            }
            add_axes(&scope.axes);
        }
        add_axes(&self.files[self.context.file].axes);
        let parts = |data: &String| {
            let parts = self.trial.parts.get(data).into_iter().flatten();
            parts.map(|part| part.name.clone()).collect()
        };
        let mut data: Vec<_> = self.data.keys().map(|name| (name.clone(), parts(name))).collect();
        data.sort();
        Visible { place: self.context.place, values, axes, data }
    }
}
