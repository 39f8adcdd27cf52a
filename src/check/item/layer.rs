//! Layers: constructor, parameters, sub-models, calls.

use std::rc::Rc;

use crate::check::item::function::hint_of;
use crate::check::program::{AxisIds, ItemRef, Type};
use crate::check::state::{Checker, Draw, ItemState, LayerInfo, LocalKind, Place, Signature, Trace};
use crate::syntax::ast::{Init, Layer, MemberKind, Param};

impl Checker<'_> {
    pub fn layer(&mut self, item: ItemRef, layer: &Layer) -> Rc<LayerInfo> {
        self.context.place = Place::Layer;
        let info = self.scoped(|c| {
            let generics = c.generic_axes(&layer.axes);
            let parameters = c.parameters(&layer.parameters);
            let mut fields: Vec<(String, Type)> = Vec::new();
            let mut calls = Vec::new();
            let mut learns = false;
            for member in &layer.members {
                match &member.kind {
                    MemberKind::Param(param) => {
                        learns = true;
                        let ty = c.param(param);
                        fields.extend(param.names.iter().map(|name| (name.text.clone(), ty.clone())));
                    }
                    MemberKind::Let(l) => {
                        c.let_statement(l);
                        for name in &l.names {
                            let ty = c.program.bindings.get(&name.span).cloned().unwrap_or(Type::Error);
                            if let Type::Model { layer, .. } = &ty
                                && let Some(ItemState::Layer(inner)) = c.items.get(layer)
                            {
                                learns |= inner.learns;
                            }
                            fields.push((name.text.clone(), ty));
                        }
                    }
                    MemberKind::Axis(axes) => c.axis_declarations(axes),
                    MemberKind::Call(_) => {}
                }
            }
            c.open_methods(item, layer, &generics);
            let functions = layer.members.iter().enumerate().filter_map(|(at, member)| match &member.kind {
                MemberKind::Call(function) => Some((at, function)),
                _ => None,
            });
            for (number, (at, function)) in functions.enumerate() {
                let Some(signature) = c.method_signature(number, function.span) else { continue };
                let name = (!function.name.text.is_empty()).then(|| function.name.text.clone());
                if let Some((_, _, first)) = calls
                    .iter()
                    .find(|(_, known, _): &&(usize, Option<String>, Rc<Signature>)| *known == name)
                {
                    let first = first.span;
                    let mut second = function.name.clone();
                    if name.is_none() {
                        second.text = layer.name.text.clone();
                        second.span = function.span;
                    }
                    c.defined_twice(&second, first);
                }
                calls.push((at, name, signature));
            }
            c.context.methods = None;
            let constructor = Signature {
                name: layer.name.text.clone(),
                generics: generics.clone(),
                parameters,
                result: Type::Model {
                    layer: item,
                    axes: generics.iter().map(|axis| (*axis, *axis)).collect(),
                    over: AxisIds::new(),
                },
                draws: false,
                random: false,
                span: layer.name.span,
                module: c.files[c.context.file].module.clone(),
            };
            LayerInfo { constructor: Rc::new(constructor), fields, calls, learns }
        });
        Rc::new(info)
    }

    /// `param weight: Float[In, Out] ~ uniform(-1, 1)`
    pub fn param(&mut self, param: &Param) -> Type {
        let (ty, order) = self.ty(&param.ty);
        let hint = hint_of(&ty, &order);
        let (value, actual) = match &param.init {
            Init::Value(value) => (value, self.hinted(hint, |c| c.expression(value))),
            Init::Draw(value) => (value, self.draw(value, &ty)),
        };
        self.fits_declared(&actual, value, &ty, param.ty.span, "the initial value");
        for name in &param.names {
            self.declare(name, ty.clone(), LocalKind::Weight, Trace::default());
        }
        ty
    }

    /// Checks an expression after `~`, drawn over the axes of its declared type.
    pub fn draw(&mut self, value: &crate::syntax::ast::Expr, declared: &Type) -> Type {
        let axes = crate::check::types::axes_of(declared);
        let outer = std::mem::replace(&mut self.context.draw, Draw::Over(axes));
        let ty = self.hinted(None, |c| c.expression(value));
        self.context.draw = outer;
        self.context.random = true;
        self.context.trace.varies.extend(self.trial.counts.clone());
        ty
    }
}
