//! Warnings about what is not wrong but hardly meant.

use super::expression::plural;
use super::import::remove;
use super::program::{AxisKind, Type, Vary};
use super::state::{Checker, ItemState, Signature};
use super::types::Bindings;
use crate::diagnostic::{Code, Diagnostic, Help};
use crate::source::{FileId, Span};

impl Checker<'_> {
    /// A statistic over one seed says nothing.
    pub fn few_seeds(&mut self, span: Span, signature: &Signature, bindings: &Bindings) {
        if signature.module.as_deref() != Some("std.stat") {
            return;
        }
        for (_, axis) in bindings {
            let info = self.program.axis(*axis).clone();
            if !matches!(info.kind, AxisKind::Vary(Vary::Values(_))) {
                continue;
            }
            if let Some(count) = self.trial.sizes.get(axis).copied().filter(|count| *count < 2.0) {
                self.report(
                    Diagnostic::warning(
                        Code::A0320,
                        span,
                        format!(
                            "`{}` over {count} value{} of `{}` decides nothing",
                            signature.name,
                            plural(count as usize),
                            info.name
                        ),
                    )
                    .label("statistics need at least 2 values")
                    .related(info.span, format!("`{}` has {count}", info.name))
                    .help(format!("vary more: `vary {} = 5`", info.name)),
                );
            }
        }
    }

    /// Models that no objective of the experiment updates.
    pub fn untrained_models(&mut self) {
        for (name, span) in self.trial.models.clone() {
            if self.trial.updated.contains(&span)
                || self.trial.copied.contains(&span)
                || !self.used.contains(&span)
            {
                continue;
            }
            let learns = match self.program.bindings.get(&span) {
                Some(Type::Model { layer, .. }) => match self.items.get(layer) {
                    Some(ItemState::Layer(info)) => info.learns,
                    _ => false,
                },
                _ => false,
            };
            if learns {
                self.report(
                    Diagnostic::warning(Code::A0313, span, format!("nothing trains the model `{name}`"))
                        .label("keeps its initial parameters")
                        .help(format!("train it: `minimize ... over {name} with adam(lr = 1e-3)`")),
                );
            }
        }
    }

    /// `let`s and imports of the user's file that nothing uses.
    pub fn unused(&mut self, file: FileId) {
        for (name, span) in std::mem::take(&mut self.lets) {
            if span.file == file && !self.used.contains(&span) && !name.starts_with('_') {
                self.report(
                    Diagnostic::warning(Code::A0117, span, format!("`{name}` is never used"))
                        .label("defined here")
                        .help(Help::replace(
                            span,
                            format!("_{name}"),
                            format!("remove it, or call it `_{name}` to keep it"),
                        )),
                );
            }
        }
        let Some(names) = self.files.last() else { return };
        let mut unused: Vec<(String, Span)> = names
            .imported
            .iter()
            .filter(|(_, (_, span))| span.file == file && !self.used.contains(span))
            .map(|(name, (_, span))| (name.clone(), *span))
            .collect();
        unused.sort_by_key(|(_, span)| *span);
        for (name, span) in unused {
            let mut help = Help::from("remove it from the `use`");
            if let Some(file) = self.program.files.last()
                && let Some(edit) = remove(file, &self.sources.get(FileId(0)).text, span)
            {
                help = help.or(vec![edit]);
            }
            self.report(
                Diagnostic::warning(Code::A0116, span, format!("`{name}` is imported but never used"))
                    .label("imported here")
                    .help(help),
            );
        }
    }
}
