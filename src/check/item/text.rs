//! Columns computed from text columns: `said: Float = last_integer(answer) else -1`. They are evaluated when the data is read.

use crate::check::state::Checker;
use crate::diagnostic::{Code, Diagnostic, Help, nearest};
use crate::syntax::ast::{Argument, ArgumentKind, Call, Column, Expr, ExprKind, Init, TypeKind};

/// The functions of texts: name, how it is called, the element that it gives.
pub const TEXT_FUNCTIONS: [(&str, &str, &str); 8] = [
    ("last_integer", "last_integer(text) else -1", "Float"),
    ("matches", "matches(text, \"pattern\")", "Bool"),
    ("count_matches", "count_matches(text, \"pattern\")", "Float"),
    ("script_share", "script_share(text, \"Latin\")", "Float"),
    ("length", "length(text)", "Float"),
    ("words", "words(text)", "Float"),
    ("tokens", "tokens(text)", "Float"),
    ("grams", "grams(text, 3)", "Float"),
];

/// The call of a function of texts that computes a column, if one does.
pub fn text_call(column: &Column) -> Option<&Call> {
    let Some(Init::Value(Expr { kind: ExprKind::Call(call), .. })) = &column.value else { return None };
    let ExprKind::Name(name) = &call.callee.kind else { return None };
    TEXT_FUNCTIONS.iter().any(|(known, ..)| *known == name.text).then_some(call)
}

/// Whether a column holds texts.
pub(super) fn is_text(column: &Column) -> bool {
    matches!(&column.ty.kind, TypeKind::Array { element, .. } if element.text == "Text")
}

/// The value as a positional argument.
fn positional(argument: &Argument) -> Option<&Expr> {
    match &argument.kind {
        ArgumentKind::Positional(value) => Some(value),
        _ => None,
    }
}

impl Checker<'_> {
    /// `answer: Text`
    pub(super) fn text_column(&mut self, column: &Column) {
        if let TypeKind::Array { axes, .. } = &column.ty.kind
            && !axes.is_empty()
        {
            self.report(
                Diagnostic::error(Code::A0266, column.ty.span, "a column of texts has one text in each row")
                    .label("has axes")
                    .help(Help::replace(
                        column.ty.span,
                        "Text",
                        format!("write `{}: Text`", column.name.text),
                    )),
            );
        }
    }

    /// The call after `=` of a column of a file.
    pub(super) fn computed_column(&mut self, column: &Column, call: &Call, columns: &[Column]) {
        let name = match &call.callee.kind {
            ExprKind::Name(name) => name.text.as_str(),
            _ => "",
        };
        let Some((_, signature, gives)) = TEXT_FUNCTIONS.iter().find(|(known, ..)| *known == name) else {
            let names = TEXT_FUNCTIONS.map(|(name, ..)| name);
            let help = match nearest(name, names) {
                Some(near) => Help::meant(call.callee.span, near),
                None => format!("the functions of texts are {}", names.join(", ")).into(),
            };
            self.report(
                Diagnostic::error(
                    Code::A0265,
                    call.callee.span,
                    "a column of a file is computed from a text only",
                )
                .label("no function of texts")
                .help(help),
            );
            return;
        };
        let arguments: Vec<Option<&Expr>> = call.arguments.iter().map(positional).collect();
        let fits = match (name, &arguments[..]) {
            ("last_integer" | "length" | "words" | "tokens", [Some(_)]) => true,
            ("matches" | "count_matches" | "script_share", [Some(_), Some(second)]) => {
                matches!(second.kind, ExprKind::Text(_))
            }
            ("grams", [Some(_), Some(second)]) => matches!(second.kind, ExprKind::Number { .. }),
            _ => false,
        };
        let otherwise = name == "last_integer" || call.otherwise.is_none();
        if !fits || !otherwise {
            self.report(
                Diagnostic::error(
                    Code::A0266,
                    call.callee.span,
                    format!("`{name}` is called in another way"),
                )
                .label("wrong arguments")
                .help(format!("write `{signature}`")),
            );
            return;
        }
        if let Some(of) = arguments[0] {
            let found = match &of.kind {
                ExprKind::Name(name) => columns.iter().find(|c| is_text(c) && c.name.text == name.text),
                _ => None,
            };
            if found.is_none() {
                self.report(
                    Diagnostic::error(Code::A0266, of.span, "a column of texts is wanted here")
                        .label("not the name of a text column")
                        .help("declare it in the same data set: `answer: Text`"),
                );
            }
        }
        if let Some(Some(Expr { kind: ExprKind::Text(text), span, .. })) = arguments.get(1) {
            let wrong = match name {
                "script_share" => {
                    let known = unicode_script::Script::from_full_name(text)
                        .or_else(|| unicode_script::Script::from_short_name(text));
                    known
                        .is_none()
                        .then(|| "write a script's name in Unicode: `Latin`, `Cyrillic`, `Han`".to_owned())
                }
                _ => regex::Regex::new(text).err().map(|error| {
                    let text = error.to_string();
                    text.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned()
                }),
            };
            if let Some(help) = wrong {
                let what =
                    if name == "script_share" { "an unknown script" } else { "not a regular expression" };
                self.report(
                    Diagnostic::error(Code::A0267, *span, format!("`{text}` is {what}"))
                        .label(what)
                        .help(help),
                );
            }
        }
        let TypeKind::Array { element, axes, .. } = &column.ty.kind else { return };
        // With an axis, the tokens themselves, padded: a category.
        if name == "tokens" && !axes.is_empty() {
            if axes.len() > 1 || ["Float", "Bool", "Text"].contains(&element.text.as_str()) {
                self.report(
                    Diagnostic::error(
                        Code::A0266,
                        column.ty.span,
                        "tokens are of a category, along one axis",
                    )
                    .label("another type")
                    .related(call.callee.span, "of this function")
                    .help(format!("write `{}: Word[Place] = tokens(text) missing \"-\"`", column.name.text)),
                );
            }
            return;
        }
        let wants_axis = name == "grams";
        if element.text != *gives || axes.len() != usize::from(wants_axis) {
            let wanted = if wants_axis { "Float[Bucket]" } else { gives };
            self.report(
                Diagnostic::error(Code::A0266, column.ty.span, format!("`{name}` gives {wanted}"))
                    .label("another type")
                    .related(call.callee.span, "of this function")
                    .help(format!("write `{}: {wanted} = ...`", column.name.text)),
            );
        }
    }

    /// The name of a text function where no column is computed.
    pub fn misplaced_text_function(&mut self, name: &str, span: crate::source::Span) -> bool {
        let Some((_, signature, gives)) = TEXT_FUNCTIONS.iter().find(|(known, ..)| *known == name) else {
            return false;
        };
        self.report(
            Diagnostic::error(Code::A0265, span, format!("`{name}` is a function of texts"))
                .label("texts are known only where data is read")
                .help(format!("compute a column in the `data` block: `value: {gives} = {signature}`")),
        );
        true
    }
}
