//! Data sets: readers and their options, columns, and the axes that they make.

use std::rc::Rc;

use crate::check::item::function::hint_of;
use crate::check::program::{AxisId, AxisKind, Definition, Type};
use crate::check::state::{Checker, ColumnInfo, DataInfo, Local, LocalKind, Place, Trace};
use crate::check::types::{array, axes_of};
use crate::diagnostic::{Code, Diagnostic, nearest};
use crate::syntax::ast::{
    Argument, ArgumentKind, Column, Data, DataSource, Expr, ExprKind, GeneratorStatement, Init, Name,
    TypeKind,
};

const READERS: [&str; 8] = ["csv", "tsv", "jsonl", "text", "idx", "npy", "npz", "safetensors"];

impl Checker<'_> {
    /// Declares a data set with its axes in the scope at hand.
    pub fn data_set(&mut self, data: &Data) -> Option<Rc<DataInfo>> {
        if let Some(first) = self.data.get(&data.name.text) {
            let first = first.span;
            self.defined_twice(&data.name, first);
        }
        let kind = AxisKind::Rows { data: data.name.text.clone() };
        let rows = self.new_axis(data.axis.text.clone(), kind, data.axis.span);
        self.declare_axis(&data.axis, rows);
        let (columns, trace) = self.traced(|c| match &data.source {
            DataSource::File { reader, arguments, columns } => {
                c.reader(reader, arguments);
                Some(c.file_columns(data, columns))
            }
            DataSource::Generated { size, block } => {
                // Each trial draws its own rows, so the data belong to an experiment.
                if c.context.place != Place::Experiment {
                    c.unavailable(data.name.span, "generated data outside an experiment");
                }
                c.static_number(size, "the number of rows");
                Some(c.generated(rows, block))
            }
            DataSource::Sampled { .. } => {
                c.unavailable(data.span, "data sampled from a model");
                None
            }
        });
        let mut seen: Vec<ColumnInfo> = Vec::new();
        for column in columns? {
            match seen.iter().find(|known| known.name == column.name) {
                Some(first) => {
                    let name = Name { text: column.name.clone(), span: column.span };
                    let first = first.span;
                    self.defined_twice(&name, first);
                }
                None => seen.push(column),
            }
        }
        let info = Rc::new(DataInfo {
            name: data.name.text.clone(),
            rows,
            columns: seen,
            span: data.name.span,
            trace,
        });
        let ty = Type::Rows { data: info.name.clone(), rows };
        self.program.bindings.insert(data.name.span, ty);
        self.data.insert(info.name.clone(), Rc::clone(&info));
        if self.scopes.is_empty() {
            let file = self.context.file;
            self.files[file].data.insert(info.name.clone(), Rc::clone(&info));
        }
        Some(info)
    }

    fn reader(&mut self, reader: &Name, arguments: &[Argument]) {
        if !READERS.contains(&reader.text.as_str()) {
            let help = match nearest(&reader.text, READERS) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("the readers are {}", READERS.join(", ")),
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
            "csv" => &["delimiter"],
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

    fn file_columns(&mut self, data: &Data, columns: &[Column]) -> Vec<ColumnInfo> {
        let mut infos = Vec::new();
        for column in columns {
            // Texts stay outside the graph: only computed columns know them.
            if super::text::is_text(column) {
                self.text_column(column);
            } else if let Some(info) = self.file_column(data, column) {
                infos.push(info);
            }
            match &column.value {
                Some(Init::Value(crate::syntax::ast::Expr { kind: ExprKind::Call(call), .. })) => {
                    self.computed_column(column, call, columns);
                }
                Some(Init::Value(value)) if matches!(value.kind, ExprKind::Text(_)) => {
                    self.expression(value);
                }
                Some(Init::Value(value) | Init::Draw(value)) => {
                    self.report(
                        Diagnostic::error(Code::A0321, value.span, "the columns of a file are read, not computed")
                            .label("an expression")
                            .related(data.name.span, "this data set is read from a file")
                            .help("after `=` may stand the name of the column in the file, in quotes; compute with a `let` in the blocks"),
                    );
                }
                None => {}
            }
            // `missing drop`, or the value that stands for what is missing.
            if let Some(missing) = &column.missing {
                match &missing.kind {
                    ExprKind::Name(name) if matches!(name.text.as_str(), "drop" | "refuse") => {}
                    ExprKind::Number { .. } | ExprKind::Text(_) => {}
                    _ => {
                        self.unavailable(missing.span, "this policy for missing values");
                    }
                }
            }
        }
        infos
    }

    /// Unknown elements are categories, unknown axes are groups sized by the data.
    fn file_column(&mut self, data: &Data, column: &Column) -> Option<ColumnInfo> {
        let TypeKind::Array { element, axes } = &column.ty.kind else {
            self.report(
                Diagnostic::error(Code::A0103, column.ty.span, "a column has an element type and axes")
                    .label("not the type of a column")
                    .help("write `Float`, `Bool`, or the name of a category, with axes if it is a group of columns: `Float[Slot]`"),
            );
            return None;
        };
        for axis in axes {
            if let [name] = axis.path.as_slice()
                && !axis.primed
                && self.find_axis(&name.text).is_none()
            {
                let kind = AxisKind::Group { data: data.name.text.clone() };
                let id = self.new_axis(name.text.clone(), kind, name.span);
                self.declare_axis(name, id);
            }
        }
        let known =
            matches!(element.text.as_str(), "Float" | "Bool") || self.find_axis(&element.text).is_some();
        if !known && self.looks_like_type(&element.text) {
            let kind = AxisKind::Category { data: data.name.text.clone() };
            let id = self.new_axis(element.text.clone(), kind, element.span);
            self.declare_axis(element, id);
        }
        let (ty, _) = self.ty(&column.ty);
        self.program.bindings.insert(column.name.span, ty.clone());
        match ty {
            Type::Array { element, axes } => {
                Some(ColumnInfo { name: column.name.text.clone(), element, axes, span: column.name.span })
            }
            _ => None,
        }
    }

    /// A new category is a name with a capital that is no slip for a builtin type.
    fn looks_like_type(&self, name: &str) -> bool {
        let slips = ["Int", "Number", "Real", "Boolean", "String", "Tensor", "Text", "Integer", "Double"];
        name.starts_with(char::is_uppercase)
            && !slips.contains(&name)
            && nearest(name, ["Float", "Bool"]).is_none()
    }

    /// `data d over Example = n { ... }`: written for one row, as a function is written for one item, and lifted
    /// over the rows. What names the rows' axis itself (`iota(Example)`) is over it. `let`s are hidden.
    fn generated(&mut self, rows: AxisId, block: &[GeneratorStatement]) -> Vec<ColumnInfo> {
        let outer = std::mem::replace(&mut self.context.place, Place::Experiment);
        let columns = self.scoped(|c| {
            let mut infos = Vec::new();
            for statement in block {
                match statement {
                    GeneratorStatement::Statement(statement) => c.statement(statement),
                    GeneratorStatement::Column(column) => infos.extend(c.generated_column(rows, column)),
                }
            }
            infos
        });
        self.context.place = outer;
        columns
    }

    fn generated_column(&mut self, rows: AxisId, column: &Column) -> Option<ColumnInfo> {
        let (ty, order) = self.ty(&column.ty);
        let Type::Array { element, axes } = &ty else { return None };
        let whole = array(*element, axes.iter().copied().chain([rows]).collect());
        let value = match &column.value {
            Some(Init::Value(value)) => {
                let hint = hint_of(&ty, &order);
                let actual = self.hinted(hint, |c| c.expression(value));
                Some((value, actual))
            }
            Some(Init::Draw(value)) => {
                let actual = self.draw(value, &ty);
                Some((value, actual))
            }
            None => {
                self.report(
                    Diagnostic::error(
                        Code::A0319,
                        column.span,
                        format!("the column `{}` has no value", column.name.text),
                    )
                    .label("nothing to generate it from")
                    .help(format!("write `{}: ... = expression` or `~ normal(0, 1)`", column.name.text)),
                );
                None
            }
        };
        if let Some((value, actual)) = value {
            // A value for one row, or one that names the rows itself.
            let declared = if axes_of(&actual).contains(&rows) { &whole } else { &ty };
            self.fits_declared(&actual, value, declared, column.ty.span, "the column");
        }
        self.program.bindings.insert(column.name.span, ty.clone());
        let local = Local {
            span: column.name.span,
            ty: ty.clone(),
            kind: LocalKind::Column,
            definition: Definition::Local(column.name.span),
        };
        self.declare_local(&column.name, local, Trace::default());
        Some(ColumnInfo {
            name: column.name.text.clone(),
            element: *element,
            axes: axes.clone(),
            span: column.name.span,
        })
    }
}
