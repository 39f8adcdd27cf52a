//! Generated data: `data ring over Example = 500 { ... }`.

use std::collections::BTreeMap;

use super::draw::Draw;
use super::elaborator::Elaborator;
use super::fail;
use super::scope::{DataBinding, Scope};
use super::value::{Stored, Value};
use crate::diagnostic::Checked;
use crate::graph::{Axis, AxisSet, Element, Precision, Program, Store};
use crate::syntax::ast::{self, DataSource, GeneratorStatement, Init, TypeKind};

impl<'p> Scope<'p> {
    /// How many rows a generated data set has: bind its axis to them, then call [`Scope::generate`].
    pub fn generated_rows(&mut self, data: &'p ast::Data) -> Checked<Option<usize>> {
        let (DataSource::Generated { size, .. } | DataSource::Sampled { size, .. }) = &data.source else {
            return Ok(None);
        };
        let mut store = Store::default();
        let mut e = Elaborator::new(self, &mut store, Precision::Double);
        e.static_size(size, "the number of rows").map(Some)
    }

    /// The program that computes the columns of a generated data set, which are bound here: run it before any other.
    pub fn generate(
        &mut self,
        data: &'p ast::Data,
        store: &mut Store,
        precision: Precision,
    ) -> Checked<Program> {
        let block = match &data.source {
            DataSource::Generated { block, .. } => block.as_slice(),
            _ => &[],
        };
        let mut e = Elaborator::new(self, store, precision);
        e.path.push(format!("data.{}", data.name.text));
        let rows = e.rows_axis(&data.name.text, data.span)?;
        // The block is written for one row: whatever it draws is drawn for each row.
        e.frame.extra.insert(rows);
        let mut columns = BTreeMap::new();
        for statement in block {
            match statement {
                GeneratorStatement::Statement(statement) => e.statement(statement)?,
                GeneratorStatement::Column(column) => {
                    let stored = e.generated_column(column, rows, &data.name.text)?;
                    columns.insert(column.name.text.clone(), stored);
                }
            }
        }
        if let DataSource::Sampled { draw: Some(draw), .. } = &data.source {
            columns = e.sampled_columns(draw, rows, &data.name.text)?;
        }
        // Axes of the generator's own stay bound: columns may lie over them.
        let axes = std::mem::take(&mut e.frame.axes);
        e.scope.root.axes.extend(axes);
        let program = e.finish();
        self.bind_data(&data.name.text, DataBinding { columns, ..DataBinding::default() });
        Ok(program)
    }

    /// The program that makes the computed columns of data read from a file; none if it has none. The columns that
    /// are read are bound already, the computed ones are bound here: run the program before any other.
    pub fn computed_columns(
        &mut self,
        data: &'p ast::Data,
        store: &mut Store,
        precision: Precision,
    ) -> Checked<Option<Program>> {
        let DataSource::File { columns, .. } = &data.source else { return Ok(None) };
        let name = &data.name.text;
        let Some(mut binding) = self.data(name).cloned() else { return Ok(None) };
        let is_read = |column: &ast::Column| {
            binding.columns.contains_key(&column.name.text) || binding.texts.contains(&column.name.text)
        };
        let computed: Vec<&'p ast::Column> = columns.iter().filter(|column| !is_read(column)).collect();
        if computed.is_empty() {
            return Ok(None);
        }
        let mut e = Elaborator::new(self, store, precision);
        e.path.push(format!("data.{name}"));
        let rows = e.rows_axis(name, data.span)?;
        e.frame.extra.insert(rows);
        for column in columns {
            if let Some(stored) = binding.columns.get(&column.name.text) {
                e.frame.values.insert(column.name.span, Value::Stored(stored.clone()));
            } else if binding.texts.contains(&column.name.text) {
                e.frame.values.insert(column.name.span, Value::Texts);
            }
        }
        for column in computed {
            let stored = e.generated_column(column, rows, name)?;
            binding.columns.insert(column.name.text.clone(), stored);
        }
        let program = e.finish();
        self.bind_data(name, binding);
        Ok(Some(program))
    }
}

impl<'p> Elaborator<'_, 'p> {
    /// The fields of what the model draws, each over the rows.
    fn sampled_columns(
        &mut self,
        draw: &'p ast::Expr,
        rows: Axis,
        data: &str,
    ) -> Checked<BTreeMap<String, Stored>> {
        let Value::Record(fields) = self.eval(draw)? else {
            return Err(fail::fault(draw.span, "a row that is no record"));
        };
        let mut columns = BTreeMap::new();
        for (name, value) in fields.iter() {
            let node = self.node(value, draw.span)?;
            let inner = self.axes_of(node).without(rows);
            let layout: Vec<Axis> = std::iter::once(rows).chain(inner.iter()).collect();
            let node = self.broadcast(node, &AxisSet::from(&layout[..]), draw.span)?;
            let stored = self.allocate(&format!("{data}.{name}"), self.element(node), &layout)?;
            self.write(&stored, node, draw.span)?;
            columns.insert(name.clone(), stored);
        }
        Ok(columns)
    }

    fn generated_column(&mut self, column: &'p ast::Column, rows: Axis, data: &str) -> Checked<Stored> {
        let span = column.name.span;
        let mut layout = vec![rows];
        let mut float = false;
        if let TypeKind::Array { element, axes, .. } = &column.ty.kind {
            float = element.text == "Float";
            for name in axes {
                layout.push(self.named_axis(name)?);
            }
        }
        let value = self.named(&column.name.text, |e| match &column.value {
            Some(Init::Draw(draw)) => e.drawing(Draw { ambient: layout.clone() }, |e| e.eval(draw)),
            Some(Init::Value(value)) => e.eval(value),
            None => Err(fail::fault(span, "a generated column without a value")),
        })?;
        let value = self.conform(value, &column.ty, span)?;
        let mut node = self.node(&value, span)?;
        if float && self.element(node) != Element::Float {
            node = self.as_float(node, span)?;
        }
        let node = self.broadcast(node, &AxisSet::from(&layout[..]), span)?;
        let stored = self.allocate(&format!("{data}.{}", column.name.text), self.element(node), &layout)?;
        self.write(&stored, node, span)?;
        self.frame.values.insert(span, Value::Node(node));
        Ok(stored)
    }
}
