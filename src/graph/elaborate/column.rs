//! Data in expressions: columns as the current block sees them.

use std::sync::Arc;

use super::elaborator::Elaborator;
use super::fail;
use super::value::Value;
use crate::check::program::{AxisId, AxisKind};
use crate::diagnostic::Checked;
use crate::graph::{Axis, NodeId};
use crate::source::Span;

impl<'p> Elaborator<'_, 'p> {
    /// A data set or the part whose axis this is.
    pub fn rows_value(&self, data: &str, rows: AxisId) -> Value<'p> {
        let mut id = rows;
        let part = loop {
            match &self.typed().axis(id).kind {
                AxisKind::Batch { rows } => id = *rows,
                AxisKind::Part { part, .. } => break Some(part.clone()),
                _ => break None,
            }
        };
        Value::Rows { data: data.to_owned(), part }
    }

    /// The axis over all rows of a data set.
    pub fn rows_id(&self, data: &str) -> Option<AxisId> {
        self.scope.rows_id(data)
    }

    /// The axis over the rows of one part.
    pub fn part_id(&self, data: &str, part: &str) -> Option<AxisId> {
        let of = self.rows_id(data)?;
        // Each experiment of a file that splits the data has such an axis; this one's is bound.
        let mut found = self.typed().axes.iter().enumerate().filter_map(|(at, info)| match &info.kind {
            AxisKind::Part { rows, part: found } if *rows == of && found == part => Some(AxisId(at as u32)),
            _ => None,
        });
        found.find(|id| self.scope.axis(*id).is_some())
    }

    /// A column of numbers or of strings. `part`: none in a block on the data (the rows are the block's), else the
    /// part named, or all rows.
    pub fn column_value(
        &mut self,
        data: &str,
        part: Option<Option<&str>>,
        column: &str,
        span: Span,
    ) -> Checked<Value<'p>> {
        let is_text = self.scope.data.get(data).is_some_and(|data| data.texts.contains(column));
        if is_text {
            return Ok(Value::Texts);
        }
        self.column(data, part, column, span).map(Value::Node)
    }

    /// A column of numbers, truth values or indexes.
    pub fn column(
        &mut self,
        data: &str,
        part: Option<Option<&str>>,
        column: &str,
        span: Span,
    ) -> Checked<NodeId> {
        let rows = match part {
            None => match self.views.get(data) {
                Some(view) => view.rows,
                None => return Err(fail::fault(span, format!("the columns of `{data}` outside its blocks"))),
            },
            Some(None) => None,
            Some(Some(part)) => Some(self.part_rows(data, part, span)?),
        };
        let bound = self.scope.data.get(data);
        let Some(stored) = bound.and_then(|data| data.columns.get(column)).cloned() else {
            return Err(fail::fault(
                span,
                format!("the data `{data}` has no column `{column}` in the store"),
            ));
        };
        let all = self.read(&stored);
        match rows {
            None => Ok(all),
            Some(rows) => {
                let axis = self.rows_axis(data, span)?;
                self.build(span, |g| g.gather(all, axis, rows))
            }
        }
    }

    /// A value over all rows of a data set, or a record or tuple with such parts, as the block sees these rows.
    pub fn seen_by_rows(&mut self, data: &str, value: Value<'p>, span: Span) -> Checked<Value<'p>> {
        let Some(rows) = self.views.get(data).and_then(|view| view.rows) else { return Ok(value) };
        let axis = self.rows_axis(data, span)?;
        self.at_rows(value, axis, rows, span)
    }

    fn at_rows(&mut self, value: Value<'p>, axis: Axis, rows: NodeId, span: Span) -> Checked<Value<'p>> {
        match &value {
            Value::Record(fields) => {
                let mut seen = Vec::with_capacity(fields.len());
                for (name, part) in fields.iter() {
                    seen.push((name.clone(), self.at_rows(part.clone(), axis, rows, span)?));
                }
                Ok(Value::Record(Arc::new(seen)))
            }
            Value::Tuple(parts) => {
                let seen: Checked<Vec<_>> =
                    parts.iter().map(|part| self.at_rows(part.clone(), axis, rows, span)).collect();
                Ok(Value::Tuple(Arc::new(seen?)))
            }
            Value::Node(_) | Value::Stored(_) | Value::Frozen(_) => {
                let node = self.node(&value, span)?;
                match self.axes_of(node).contains(axis) {
                    true => self.build(span, |g| g.gather(node, axis, rows)).map(Value::Node),
                    false => Ok(value),
                }
            }
            _ => Ok(value),
        }
    }

    pub fn rows_axis(&mut self, data: &str, span: Span) -> Checked<Axis> {
        match self.rows_id(data) {
            Some(id) => self.axis(id, span),
            None => Err(fail::fault(span, format!("the data `{data}` has no axis"))),
        }
    }

    /// The row numbers of a part, over the part's axis.
    pub fn part_rows(&mut self, data: &str, part: &str, span: Span) -> Checked<NodeId> {
        let bound = self.scope.data.get(data);
        match bound.and_then(|data| data.parts.get(part)).cloned() {
            Some(stored) => Ok(self.read(&stored)),
            None => Err(fail::fault(span, format!("the part `{data}.{part}` is not in the store"))),
        }
    }
}
