//! What a `data` declaration says of its files: the reader and its options, the key of a table, missing values.

use crate::check::program::{AxisId, Type};
use crate::check::state::Checker;
use crate::diagnostic::{Code, Diagnostic, Help, nearest};
use crate::syntax::ast::{Argument, ArgumentKind, Data, Expr, ExprKind, Name};

const READERS: [&str; 9] = ["csv", "tsv", "jsonl", "parquet", "text", "idx", "npy", "npz", "safetensors"];

impl Checker<'_> {
    pub(super) fn reader(&mut self, reader: &Name, arguments: &[Argument]) {
        if !READERS.contains(&reader.text.as_str()) {
            let help = match nearest(&reader.text, READERS) {
                Some(near) => Help::meant(reader.span, near),
                None => format!("the readers are {}", READERS.join(", ")).into(),
            };
            self.report(
                Diagnostic::error(Code::A0112, reader.span, format!("there is no reader `{}`", reader.text))
                    .label("unknown reader")
                    .help(help),
            );
        }
        let mut paths = 0;
        for argument in arguments {
            match &argument.kind {
                ArgumentKind::Positional(value) => {
                    let ty = self.expression(value);
                    paths += 1;
                    if !matches!(ty, Type::Text | Type::Error) {
                        let shown = self.show(&ty);
                        self.report(
                            Diagnostic::error(
                                Code::A0206,
                                value.span,
                                format!("the path of a file is wanted, not {shown}"),
                            )
                            .label("not a path")
                            .related(reader.span, "for this reader")
                            .help("write the path in quotes: `csv(\"data/file.csv\")`"),
                        );
                    }
                }
                ArgumentKind::Named { name, value } => self.reader_option(reader, name, value),
                ArgumentKind::As { .. } => {
                    self.report(
                        Diagnostic::error(
                            Code::A0218,
                            argument.span,
                            "`as` names an axis that a builtin makes",
                        )
                        .label("not possible here")
                        .help("a reader takes paths in quotes"),
                    );
                }
            }
        }
        if paths == 0 {
            self.report(
                Diagnostic::error(
                    Code::A0202,
                    reader.span,
                    format!("`{}` needs the path of a file", reader.text),
                )
                .label("no path")
                .help(format!("write `{}(\"data/file.{0}\")`", reader.text)),
            );
        }
    }

    /// `delimiter = ";"`, `each = "tokens"`, `rows = words`
    fn reader_option(&mut self, reader: &Name, name: &Name, value: &Expr) {
        let known: &[&str] = match reader.text.as_str() {
            "csv" => &["delimiter", "each"],
            "tsv" => &["each"],
            "jsonl" | "parquet" => &["each"],
            "text" => &["rows", "cells"],
            _ => &[],
        };
        if !known.contains(&name.text.as_str()) {
            self.unknown_argument(&reader.text, name, known, None);
            return;
        }
        self.program.types.insert(value.id, Type::Text);
        let (fits, help) = match (name.text.as_str(), &value.kind) {
            ("delimiter", ExprKind::Text(text)) => {
                (text.len() == 1 && text.is_ascii(), "one character in quotes: `delimiter = \";\"`")
            }
            ("delimiter", _) => (false, "one character in quotes: `delimiter = \";\"`"),
            ("each", kind) => (
                matches!(kind, ExprKind::Text(_)),
                "the name of a list of the file, in quotes: `each = \"words\"`",
            ),
            ("rows", ExprKind::Name(word)) => (
                ["lines", "words", "characters"].contains(&word.text.as_str()),
                "`rows = lines`, `rows = words` or `rows = characters`",
            ),
            ("rows", _) => (false, "`rows = lines`, `rows = words` or `rows = characters`"),
            (_, ExprKind::Name(word)) => (
                ["words", "characters"].contains(&word.text.as_str()),
                "`cells = words` or `cells = characters`",
            ),
            _ => (false, "`cells = words` or `cells = characters`"),
        };
        if !fits {
            self.report(
                Diagnostic::error(
                    Code::A0444,
                    value.span,
                    format!("`{}` is no value of the option `{}`", self.text(value.span), name.text),
                )
                .label("not possible here")
                .related(reader.span, "for this reader")
                .help(format!("write {help}")),
            );
        }
    }

    /// `over Shop by name`: the rows make the category, so no column may have made it before.
    pub(super) fn table_key(&mut self, data: &Data, reader: &Name, key: &Name, taken: Option<AxisId>) {
        if ["idx", "npy", "npz", "safetensors"].contains(&reader.text.as_str()) {
            self.report(
                Diagnostic::error(
                    Code::A0444,
                    key.span,
                    format!("`{}` has no fields that could name rows", reader.text),
                )
                .label("not possible here")
                .related(reader.span, "for this reader")
                .help("tables with a key are read with `csv`, `tsv`, `jsonl` or `parquet`"),
            );
        }
        if let Some(axis) = taken {
            let name = self.axis_name(axis);
            self.report(
                Diagnostic::error(
                    Code::A0446,
                    data.axis.span,
                    format!("the rows of `{}` cannot make the axis `{name}`: there is one already", data.name.text),
                )
                .label("made by the rows of this table")
                .related(self.program.axis(axis).span, format!("`{name}` is made here"))
                .help("declare the table before the data whose columns refer to it: then their values must be keys of the table"),
            );
        }
    }

    /// `missing error`, `missing drop`, or the value that stands for what is missing.
    pub(super) fn missing_policy(&mut self, missing: &Expr) {
        self.program.types.insert(missing.id, Type::Text);
        let fits = match &missing.kind {
            ExprKind::Name(name) => matches!(name.text.as_str(), "drop" | "refuse" | "error"),
            ExprKind::Number { .. } | ExprKind::Text(_) | ExprKind::Bool(_) => true,
            ExprKind::Unary { value, .. } => matches!(value.kind, ExprKind::Number { .. }),
            _ => false,
        };
        if !fits {
            let text = self.text(missing.span);
            self.report(
                Diagnostic::error(Code::A0444, missing.span, format!("`{text}` is no policy for missing values"))
                    .label("not possible here")
                    .help(
                        "write `missing error`, `missing drop`, or a value: `missing 0`, `missing \"none\"`; a mean or a \
                         median is fitted, so it belongs to the training part: read `missing 0`, say where with a column \
                         `unknown: Bool = \"age.missing\"`, and replace in the experiment",
                    ),
            );
        }
    }
}
