//! Items: each is checked once, when it is first needed.

mod data;
mod fitted;
mod function;
pub(super) use function::hint_of;
mod layer;
mod methods;
mod optimizer;
mod stepping;
pub(super) use stepping::GIVEN;
mod own_derivative;
mod reader;
pub(super) mod text;

use std::sync::Arc;

use super::program::{ItemRef, Type};
use super::state::{Checker, Context, ItemState, Place};
use crate::diagnostic::{Code, Diagnostic};
use crate::source::Span;
use crate::syntax::ast::ItemKind;

impl Checker<'_> {
    /// What is known of an item that is used at `place`. Using one that is still in work is recursion.
    pub fn item(&mut self, item: ItemRef, place: Span) -> ItemState {
        match self.items.get(&item) {
            Some(ItemState::Open) => {
                let name = self.item_name(item);
                let declared = self.program.item(item).span;
                self.report(
                    Diagnostic::error(Code::A0314, place, format!("`{name}` calls itself"))
                        .label("leads back to where it started")
                        .related(declared, format!("`{name}` is still being defined here"))
                        .help("there is no recursion; write it over an axis, with `cumsum`, `cumprod` or a reduction"),
                );
                ItemState::Open
            }
            Some(state) => state.clone(),
            None => self.check_item(item),
        }
    }

    /// Checks an item in the scope of its own file.
    pub fn check_item(&mut self, item: ItemRef) -> ItemState {
        self.items.insert(item, ItemState::Open);
        let file = Arc::clone(&self.program.files[item.file as usize]);
        let scopes = std::mem::take(&mut self.scopes);
        let trial = std::mem::take(&mut self.trial);
        let data = std::mem::replace(&mut self.data, self.files[item.file as usize].data.clone());
        let outside = Context { file: item.file as usize, item: Some(item), ..Context::default() };
        let context = std::mem::replace(&mut self.context, outside);
        let state = self.item_kind(item, &file.items[item.item as usize].kind);
        self.scopes = scopes;
        self.trial = trial;
        self.data = data;
        self.context = context;
        self.items.insert(item, state.clone());
        state
    }

    fn item_kind(&mut self, item: ItemRef, kind: &ItemKind) -> ItemState {
        match kind {
            ItemKind::Use(_) => ItemState::Other,
            ItemKind::Function(function) => {
                let signature = self.function(function, Place::Function);
                self.program.generics.insert(item, signature.generics.clone());
                ItemState::Function(signature)
            }
            ItemKind::Layer(layer) => ItemState::Layer(self.layer(item, layer)),
            ItemKind::Optimizer(optimizer) => ItemState::Optimizer(self.optimizer(item, optimizer)),
            ItemKind::Combiner(function) => ItemState::Combiner(self.combiner(function)),
            ItemKind::SteppingCombiner(combiner) => {
                ItemState::SteppingCombiner(self.stepping_combiner(item, combiner))
            }
            ItemKind::Constraint(method) => ItemState::Constraint(self.constraint_method(item, method)),
            ItemKind::Data(data) => match self.data_set(data) {
                Some(info) => ItemState::Data(info),
                None => ItemState::Other,
            },
            ItemKind::Experiment(experiment) => {
                self.experiment(experiment);
                ItemState::Other
            }
            ItemKind::Test(test) => {
                self.context.place = Place::Test;
                self.block(&test.body);
                if let Some(value) = &test.body.value {
                    self.unused_value(value);
                }
                ItemState::Other
            }
            ItemKind::Axis(axes) => {
                self.axis_declarations(axes);
                ItemState::Other
            }
            ItemKind::Let(l) => {
                let ty = self.scoped(|c| {
                    c.let_statement(l);
                    l.names.first().and_then(|name| c.program.bindings.get(&name.span).cloned())
                });
                // A `let` at the top of a file is seen by all; only its last use is unknown here.
                self.used.extend(l.names.iter().map(|name| name.span));
                ItemState::Let(ty.unwrap_or(Type::Error))
            }
        }
    }
}
