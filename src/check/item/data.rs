//! Data sets: readers and their options, columns, and the axes that they make.

use std::rc::Rc;

use crate::check::item::function::hint_of;
use crate::check::item::text::text_call;
use crate::check::program::{AxisId, AxisKind, Definition, Type};
use crate::check::state::{Checker, ColumnInfo, DataInfo, Local, LocalKind, Place, Trace};
use crate::check::types::{array, axes_of};
use crate::diagnostic::{Code, Diagnostic, nearest};
use crate::syntax::ast::{
    Column, Data, DataSource, Expr, ExprKind, GeneratorStatement, Init, Name, TypeKind,
};

impl Checker<'_> {
    /// Declares a data set with its axes in the scope at hand.
    pub fn data_set(&mut self, data: &Data) -> Option<Rc<DataInfo>> {
        if let Some(first) = self.data.get(&data.name.text) {
            let first = first.span;
            self.defined_twice(&data.name, first);
        }
        let taken = self.find_axis(&data.axis.text);
        let kind = AxisKind::Rows { data: data.name.text.clone() };
        let rows = self.new_axis(data.axis.text.clone(), kind, data.axis.span);
        self.declare_axis(&data.axis, rows);
        let (columns, trace) = self.traced(|c| match &data.source {
            DataSource::File { reader, arguments, key, columns } => {
                c.reader(reader, arguments);
                if let Some(key) = key {
                    c.table_key(data, reader, key, taken);
                }
                Some(c.file_columns(data, rows, columns))
            }
            DataSource::Generated { size, block } => {
                c.number_of_rows(data, size);
                Some(c.generated(rows, block))
            }
            DataSource::Sampled { size, from, draw } => {
                c.number_of_rows(data, size);
                c.sampled(data, from, draw.as_deref())
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

    fn number_of_rows(&mut self, data: &Data, size: &Expr) {
        let (_, trace) = self.traced(|c| c.static_number(size, "the number of rows"));
        self.sized_by(data.axis.span, trace.varies);
    }

    /// A column is read, or computed from those before it: written for one row, as a function is for one item.
    fn file_columns(&mut self, data: &Data, rows: AxisId, columns: &[Column]) -> Vec<ColumnInfo> {
        let (infos, axes) = self.scoped(|c| {
            let infos =
                columns.iter().filter_map(|column| c.read_or_computed(data, rows, column, columns)).collect();
            (infos, c.scopes.last_mut().map(|scope| std::mem::take(&mut scope.axes)).unwrap_or_default())
        });
        // The columns are hidden again; the axes that they make are not.
        match self.scopes.last_mut() {
            Some(scope) => scope.axes.extend(axes),
            None => self.files[self.context.file].axes.extend(axes),
        }
        infos
    }

    fn read_or_computed(
        &mut self,
        data: &Data,
        rows: AxisId,
        column: &Column,
        columns: &[Column],
    ) -> Option<ColumnInfo> {
        if let Some(call) = text_call(column) {
            self.computed_column(column, call, columns);
        } else if is_computed(column) {
            if let Some(missing) = &column.missing {
                self.report(
                    Diagnostic::error(Code::A0321, missing.span, "a computed column has no missing values")
                        .label("nothing can be missing")
                        .related(column.name.span, "this column is computed")
                        .help("state the policy at the columns that it is computed from"),
                );
            }
            return self.generated_column(rows, column);
        }
        if super::text::is_text(column) {
            self.text_column(column);
        }
        if let Some(Init::Value(value)) = &column.value
            && matches!(value.kind, ExprKind::Text(_))
        {
            self.expression(value);
        }
        if let Some(missing) = &column.missing {
            self.missing_policy(missing);
        }
        let info = self.file_column(data, column)?;
        let local = Local {
            span: column.name.span,
            ty: array(info.element, info.axes.clone()),
            kind: LocalKind::Column,
            definition: Definition::Local(column.name.span),
        };
        if self.scopes.last().is_some_and(|scope| !scope.values.contains_key(&column.name.text)) {
            self.declare_local(&column.name, local, Trace::default());
        }
        Some(info)
    }

    /// Unknown elements are categories, unknown axes are groups sized by the data.
    fn file_column(&mut self, data: &Data, column: &Column) -> Option<ColumnInfo> {
        let TypeKind::Array { element, part, axes } = &column.ty.kind else {
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
        let known = part.is_some()
            || matches!(element.text.as_str(), "Float" | "Bool" | "Text")
            || self.find_axis(&element.text).is_some();
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

    /// `data d over A = n from sample(model)`: what the model gives without data is one row.
    fn sampled(&mut self, data: &Data, from: &Expr, draw: Option<&Expr>) -> Option<Vec<ColumnInfo>> {
        let Some(draw) = draw else {
            self.report(
                Diagnostic::error(Code::A0112, from.span, "data are sampled with `sample(model)`")
                    .label("nothing to sample from")
                    .help("name a model or a function that is called without data and gives a record: `from sample(generator)`"),
            );
            return None;
        };
        let outer = std::mem::replace(&mut self.context.place, Place::Experiment);
        let ty = self.scoped(|c| c.expression(draw));
        self.context.place = outer;
        let fields = match ty {
            Type::Record(fields) => fields,
            Type::Error => return None,
            other => {
                let shown = self.show(&other);
                self.report(
                    Diagnostic::error(Code::A0206, from.span, format!("a row is a record, not {shown}"))
                        .label("its fields would be the columns")
                        .help("give the values names: `{ x: .., y: .. }`"),
                );
                return None;
            }
        };
        let mut columns = Vec::new();
        for (name, ty) in fields.iter() {
            match ty {
                Type::Array { element, axes } => columns.push(ColumnInfo {
                    name: name.clone(),
                    element: *element,
                    axes: axes.clone(),
                    span: data.name.span,
                }),
                other => {
                    let shown = self.show(other);
                    self.report(
                        Diagnostic::error(
                            Code::A0206,
                            from.span,
                            format!("the column `{name}` would be {shown}"),
                        )
                        .label("sampled here")
                        .help("a column is a number, a truth value, an index, or an array of them"),
                    );
                }
            }
        }
        Some(columns)
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

/// Whether a column of a file has an expression for its value, and not a name in the file or nothing.
fn is_computed(column: &Column) -> bool {
    match &column.value {
        Some(Init::Value(value)) => !matches!(value.kind, ExprKind::Text(_)),
        Some(Init::Draw(_)) => true,
        None => false,
    }
}
