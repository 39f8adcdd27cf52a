//! The functions of a layer, which may call each other: each is checked once, when it is first needed.

use std::cell::RefCell;
use std::rc::Rc;

use crate::check::expression::Callee;
use crate::check::program::{AxisId, AxisIds, ItemRef, Target};
use crate::check::state::{Checker, Context, LayerMethods, MethodState, Place, Signature};
use crate::diagnostic::{Code, Diagnostic};
use crate::source::Span;
use crate::syntax::ast::{Layer, MemberKind};

impl Checker<'_> {
    /// Makes the functions of a layer known. The scope at hand is that of the layer.
    pub(super) fn open_methods(&mut self, item: ItemRef, layer: &Layer, axes: &[AxisId]) {
        let functions: Vec<_> = layer
            .members
            .iter()
            .enumerate()
            .filter_map(|(at, member)| match &member.kind {
                MemberKind::Call(function) => Some((at, Rc::new(function.clone()))),
                _ => None,
            })
            .collect();
        let states = functions.iter().map(|_| MethodState::Todo).collect();
        let methods =
            LayerMethods { layer: item, axes: axes.to_vec(), depth: self.scopes.len(), functions, states };
        self.context.methods = Some(Rc::new(RefCell::new(methods)));
    }

    /// The signature of a function of the layer, by its number among them; none if it is in work.
    pub(super) fn method_signature(&mut self, number: usize, place: Span) -> Option<Rc<Signature>> {
        let methods = Rc::clone(self.context.methods.as_ref()?);
        let (function, depth) = {
            let mut methods = methods.borrow_mut();
            let function = Rc::clone(&methods.functions.get(number)?.1);
            match &methods.states[number] {
                MethodState::Done(signature) => return Some(Rc::clone(signature)),
                MethodState::Open => {
                    let name = function.name.text.clone();
                    self.report(
                        Diagnostic::error(Code::A0314, place, format!("`{name}` calls itself"))
                            .label("leads back to where it started")
                            .related(function.name.span, format!("`{name}` is still being defined here"))
                            .help("there is no recursion; write it over an axis, with a loop or a reduction"),
                    );
                    return None;
                }
                MethodState::Todo => methods.states[number] = MethodState::Open,
            }
            (function, methods.depth)
        };
        let inner = self.scopes.split_off(depth);
        let own = Context {
            file: self.context.file,
            item: self.context.item,
            methods: self.context.methods.clone(),
            ..Context::default()
        };
        let outer = std::mem::replace(&mut self.context, own);
        let signature = self.function(&function, Place::Layer);
        self.context = outer;
        self.scopes.extend(inner);
        methods.borrow_mut().states[number] = MethodState::Done(Rc::clone(&signature));
        Some(signature)
    }

    /// A function of the layer that is being checked, by the name under which another function of it calls it.
    pub fn own_method(&mut self, name: &str, place: Span) -> Option<Option<Callee>> {
        let (number, member, layer, fixed) = {
            let methods = self.context.methods.as_ref()?.borrow();
            let named =
                |(_, function): &(usize, Rc<crate::syntax::ast::Function>)| function.name.text == name;
            let number = methods.functions.iter().position(named)?;
            let fixed = methods.axes.iter().map(|axis| (*axis, *axis)).collect();
            (number, methods.functions[number].0, methods.layer, fixed)
        };
        let signature = self.method_signature(number, place);
        Some(signature.map(|signature| Callee {
            signature,
            fixed,
            over: AxisIds::new(),
            target: Target::Apply { layer, member },
        }))
    }
}
