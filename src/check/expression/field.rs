//! Fields: of records, of models, parts and columns of data.

use crate::check::program::{AxisKind, Definition, Element, Type};
use crate::check::state::{Checker, ItemState, Place, Trace};
use crate::check::types::{array, lift, substitute};
use crate::diagnostic::{Code, Diagnostic, Help, nearest};
use crate::source::Span;
use crate::syntax::ast::{Expr, ExprKind, Name};

impl Checker<'_> {
    pub fn field(&mut self, expr: &Expr, value: &Expr, field: &Name) -> Type {
        // `Token.train` is an axis, which is no value.
        if let ExprKind::Name(of) = &value.kind
            && self.find_local(&of.text).is_none()
            && self.find_item(&of.text).is_none()
            && !self.data.contains_key(&of.text)
            && let Some(axis) = self.find_part(&of.text, &field.text)
        {
            self.program.axes_at.insert(expr.span, axis);
            return Type::Axis(axis);
        }
        if self.context.results && self.is_term_field(value, field) {
            let ty = self.term_value(value);
            return self.field_of(&ty, expr.span, field);
        }
        let ty = self.expression(value);
        self.field_of(&ty, expr.span, field)
    }

    pub fn field_of(&mut self, ty: &Type, span: Span, field: &Name) -> Type {
        match ty {
            Type::Error => Type::Error,
            Type::Record(fields) => match fields.iter().find(|(name, _)| *name == field.text) {
                Some((_, ty)) => ty.clone(),
                None => {
                    let known: Vec<String> = fields.iter().map(|(name, _)| name.clone()).collect();
                    self.unknown_field("this record", field, &known, None)
                }
            },
            Type::Tuple(types) => match field.text.parse::<usize>().ok().and_then(|at| types.get(at)) {
                Some(ty) => ty.clone(),
                None => {
                    let known: Vec<String> = (0..types.len()).map(|at| at.to_string()).collect();
                    self.unknown_field("this tuple", field, &known, None)
                }
            },
            Type::Model { layer, axes, over } => {
                let ItemState::Layer(info) = self.item(*layer, field.span) else { return Type::Error };
                if let Some((_, ty)) = info.fields.iter().find(|(name, _)| *name == field.text) {
                    return lift(&substitute(ty, axes), over);
                }
                let name = self.item_name(*layer);
                if info.calls.iter().any(|(_, method, _)| method.as_deref() == Some(field.text.as_str())) {
                    self.report(
                        Diagnostic::error(
                            Code::A0118,
                            field.span,
                            format!("`{}` is a method, not a value", field.text),
                        )
                        .label("a method")
                        .related(info.constructor.span, format!("of the layer `{name}`"))
                        .help(format!("call it: `{}(x)`", self.text(span))),
                    );
                    return Type::Error;
                }
                let known: Vec<String> = info.fields.iter().map(|(name, _)| name.clone()).collect();
                self.unknown_field(&format!("the layer `{name}`"), field, &known, Some(info.constructor.span))
            }
            Type::Rows { data, rows } => self.data_field(data, *rows, field),
            other => {
                let shown = self.show(other);
                self.report(
                    Diagnostic::error(Code::A0104, field.span, format!("{shown} has no fields"))
                        .label("no such field")
                        .help("records, models and data sets have fields"),
                );
                Type::Error
            }
        }
    }

    fn data_field(&mut self, data: &str, rows: crate::check::program::AxisId, field: &Name) -> Type {
        let Some(info) = self.data.get(data).cloned() else { return Type::Error };
        let whole = matches!(self.program.axis(rows).kind, AxisKind::Rows { .. });
        if whole && let Some(part) = self.find_part(data, &field.text) {
            let place = self.program.axis(part).span;
            if let Some(trace) = self.traces.get(&place).cloned() {
                self.context.trace.merge(&trace);
            }
            return Type::Rows { data: data.to_owned(), rows: part };
        }
        let Some(column) = info.columns.iter().find(|column| column.name == field.text) else {
            let parts = self.trial.parts.get(data).cloned().unwrap_or_default();
            let names: Vec<&str> = info.columns.iter().map(|column| column.name.as_str()).collect();
            let parts: Vec<&str> =
                if whole { parts.iter().map(|part| part.name.as_str()).collect() } else { Vec::new() };
            if whole && let Some(near) = nearest(&field.text, parts.iter().copied()) {
                let near = near.to_owned();
                let _: Option<()> = self.unknown_part(data, field.span, &field.text, field.span);
                let _ = near;
                return Type::Error;
            }
            let help = match nearest(&field.text, names.iter().copied()) {
                Some(near) => Help::meant(field.span, near),
                None => {
                    let mut help = format!("its columns are {}", names.join(", "));
                    if !parts.is_empty() {
                        help += &format!("; its parts are {}", parts.join(", "));
                    }
                    help.into()
                }
            };
            self.report(
                Diagnostic::error(
                    Code::A0105,
                    field.span,
                    format!("`{data}` has no column `{}`", field.text),
                )
                .label("unknown column")
                .related(info.span, format!("`{data}` is declared here"))
                .help(help),
            );
            return Type::Error;
        };
        self.context.trace.merge(&info.trace.clone());
        // Inside a block over this data set, its column is the block's own.
        let rows = match self.trial.rows.iter().find(|(name, _)| name == data && whole) {
            Some((_, rows)) if matches!(self.context.place, Place::Train | Place::On) => *rows,
            _ => rows,
        };
        if !whole {
            let mut trace = Trace::default();
            trace.parts.insert(rows, field.span);
            self.check_leak(field.span, &field.text, &mut trace);
            self.context.trace.merge(&trace);
        }
        // Categories and truth values are counted; what they are is known of all rows.
        if matches!(self.program.axis(rows).kind, AxisKind::Rows { .. }) && column.element == Element::Float {
            self.context.trace.whole.insert(rows, field.span);
        }
        let column_axes = column.axes.clone();
        let element = column.element;
        self.program
            .names
            .insert(field.span, Definition::Column { data: data.to_owned(), column: field.text.clone() });
        array(element, column_axes.into_iter().chain([rows]).collect())
    }

    pub fn unknown_field(&mut self, of: &str, field: &Name, known: &[String], place: Option<Span>) -> Type {
        let help = match nearest(&field.text, known.iter().map(String::as_str)) {
            Some(near) => Help::meant(field.span, near),
            None if known.is_empty() => "it has none".into(),
            None => format!("its fields are {}", known.join(", ")).into(),
        };
        let mut diagnostic =
            Diagnostic::error(Code::A0104, field.span, format!("{of} has no field `{}`", field.text))
                .label("unknown field")
                .help(help);
        if let Some(place) = place {
            diagnostic = diagnostic.related(place, "declared here");
        }
        self.report(diagnostic);
        Type::Error
    }
}
