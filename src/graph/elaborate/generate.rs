//! Generated data: `data mixture over Example = 200 { ... }`. Its statements are written for one row and run for all:
//! every draw is independent along the rows' axis.

use super::draw::Draw;
use super::elaborator::{Elaborator, View};
use super::fail;
use super::scope::{DataBinding, Scope};
use super::value::{Stored, Value};
use crate::diagnostic::Checked;
use crate::graph::{Axis, AxisSet, Precision, Program, Store};
use crate::syntax::ast::{self, Column, DataSource, GeneratorStatement, Init, TypeKind};

impl<'p> Scope<'p> {
    /// The program that computes the columns, and where it leaves them. Binds the rows' axis.
    pub fn generate(
        &mut self,
        data: &'p ast::Data,
        store: &mut Store,
        precision: Precision,
    ) -> Checked<(Program, DataBinding)> {
        let DataSource::Generated { size, block } = &data.source else {
            return Err(fail::unavailable(data.span, "data sampled from a model"));
        };
        let name = &data.name.text;
        let Some(id) = self.program.axes_at.get(&data.axis.span).copied() else {
            return Err(fail::fault(data.axis.span, "rows that the checker does not know"));
        };
        let mut e = Elaborator::new(self, store, precision);
        let count = e.static_size(size, "the number of rows")?;
        let rows = e.fresh(data.axis.text.clone(), count);
        e.scope.root.axes.insert(id, rows);
        e.path.push(format!("data.{name}"));
        e.frame.extra = AxisSet::new().with(rows);
        e.scope.data.insert(name.clone(), DataBinding::default());
        e.views.insert(name.clone(), View { rows: None });
        for statement in block {
            match statement {
                GeneratorStatement::Statement(statement) => e.statement(statement)?,
                GeneratorStatement::Column(column) => {
                    let stored = e.generated_column(name, column, rows)?;
                    if let Some(binding) = e.scope.data.get_mut(name) {
                        binding.columns.insert(column.name.text.clone(), stored);
                    }
                }
            }
        }
        let axes = std::mem::take(&mut e.frame.axes);
        e.scope.root.axes.extend(axes);
        let program = e.finish();
        Ok((program, self.data.get(name).cloned().unwrap_or_default()))
    }
}

impl<'p> Elaborator<'_, 'p> {
    fn generated_column(&mut self, data: &str, column: &'p Column, rows: Axis) -> Checked<Stored> {
        let span = column.span;
        let mut ambient = Vec::new();
        if let TypeKind::Array { axes, .. } = &column.ty.kind {
            for axis in axes {
                ambient.push(self.named_axis(axis)?);
            }
        }
        let all: AxisSet = ambient.iter().copied().chain([rows]).collect();
        let value = match &column.value {
            Some(Init::Value(value)) => self.named(&column.name.text, |e| e.eval(value))?,
            Some(Init::Draw(draw)) => {
                self.named(&column.name.text, |e| e.drawing(Draw { ambient }, |e| e.eval(draw)))?
            }
            None => return Err(fail::fault(span, "a generated column without a value")),
        };
        let value = self.conform(value, &column.ty, span)?;
        let node = self.node(&value, span)?;
        let node = self.broadcast(node, &all, span)?;
        self.frame.values.insert(column.name.span, Value::Node(node));
        self.keep(&format!("{data}.{}", column.name.text), node, span)
    }
}
