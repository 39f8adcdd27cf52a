//! The rows of a step where they are not a plain batch: sampled by a column or an expression, or one at a time.

use super::elaborator::{Elaborator, View};
use super::fail;
use super::outcome::{BatchInput, Outcome, SamplerInput, SamplerKind};
use super::scope::Scope;
use super::value::Value;
use crate::check::program::{AxisId, AxisKind, Element as CheckedElement, Type};
use crate::diagnostic::{Checked, Code, Diagnostic};
use crate::graph::{Element, NodeId, Precision, Program, Store};
use crate::source::Span;
use crate::syntax::ast::{self, AxisName, Clause, Expr, StatementKind};

impl<'p> Scope<'p> {
    /// A condition over all rows of a data set, whose columns it sees: a Bool for each row.
    pub fn mask(
        &mut self,
        data: &str,
        condition: &'p ast::Expr,
        store: &mut Store,
    ) -> Checked<(Program, Outcome)> {
        let mut e = Elaborator::new(self, store, Precision::Double);
        e.views.insert(data.to_owned(), View { rows: None });
        let value = e.eval(condition)?;
        let node = e.truth(&value, condition.span)?;
        let axis = e.rows_axis(data, condition.span)?;
        let node = e.broadcast(node, &[axis][..].into(), condition.span)?;
        let outcome = e.node_outcome("rows of a part", node, condition.span)?;
        Ok((e.finish(), outcome))
    }

    /// The program that computes, over all rows of each part, what its rows are sampled by.
    pub(super) fn samplers(
        &mut self,
        train: &'p ast::Train,
        batches: &mut [BatchInput],
        store: &mut Store,
    ) -> Checked<Program> {
        let mut e = Elaborator::new(self, store, Precision::Double);
        for batch in batches.iter_mut() {
            let Some((clause, span)) = e.sampler_of(train, &batch.data)? else { continue };
            batch.sampler = Some(e.sampler(clause, span, batch)?);
        }
        Ok(e.finish())
    }
}

impl<'p> Elaborator<'_, 'p> {
    /// How the rows of a data set are sampled, with the place of the `batch`.
    pub(super) fn sampler_of(
        &mut self,
        train: &'p ast::Train,
        data: &str,
    ) -> Checked<Option<(&'p Clause, Span)>> {
        for statement in &train.body {
            let StatementKind::Batch { axis: Some(axis), sampling, .. } = &statement.kind else { continue };
            if let Some(clause) = sampling.first()
                && self.batch_is_of(axis, data)?
            {
                return Ok(Some((clause, statement.span)));
            }
        }
        Ok(None)
    }

    fn sampler(&mut self, clause: &'p Clause, span: Span, batch: &BatchInput) -> Checked<SamplerInput> {
        let Some(value) = &clause.value else { return Err(fail::fault(span, "sampling by nothing")) };
        let known = |binding: &Span| self.scope.value(*binding).is_some();
        let values = || std::iter::once(value).chain(&clause.further);
        let computed = |value: &&Expr| self.mentioned(value.span).iter().any(|binding| !known(binding));
        if let Some(value) = values().find(computed) {
            return Err(vec![
                Diagnostic::error(
                    Code::A0344,
                    value.span,
                    "rows are sampled by what is known before the training",
                )
                .label("this is computed in every step")
                .help("use columns, and `let`s made before the train block"),
            ]);
        }
        let id = match &batch.part {
            Some(part) => self.part_id(&batch.data, part),
            None => self.rows_id(&batch.data),
        };
        let Some(id) = id else { return Err(fail::fault(span, "a batch of unknown rows")) };
        let axis = self.axis(id, span)?;
        for (k, info) in self.typed().axes.iter().enumerate() {
            if info.kind == (AxisKind::Batch { rows: id }) {
                self.frame.axes.insert(AxisId(k as u32), axis);
            }
        }
        let rows = match &batch.part {
            Some(part) => Some(self.part_rows(&batch.data, part, span)?),
            None => None,
        };
        self.views.insert(batch.data.clone(), View { rows });
        let kind = match clause.words.first().map(|word| word.text.as_str()) {
            Some("balanced") => {
                let each = match &clause.each {
                    Some(each) => Some(self.static_size(each, "the number of rows of each category")?),
                    None => None,
                };
                SamplerKind::Balanced { each }
            }
            Some("weights") => SamplerKind::Weights,
            Some("in") => SamplerKind::Ordered,
            _ => SamplerKind::Pairs,
        };
        let mut node = self.node_of(value)?;
        for key in &clause.further {
            node = self.crossed(node, key)?;
        }
        if kind == SamplerKind::Weights {
            node = self.as_float(node, value.span)?;
        }
        // An order has as many positions as it likes.
        if kind != SamplerKind::Ordered {
            node = self.broadcast(node, &[axis][..].into(), value.span)?;
        }
        let values = self.node_outcome("sampled by", node, value.span)?.slot;
        Ok(SamplerInput { kind, values, span })
    }

    /// The number of a pair of keys.
    fn crossed(&mut self, before: NodeId, key: &'p Expr) -> Checked<NodeId> {
        let size = match self.typed().types.get(&key.id) {
            Some(Type::Array { element: CheckedElement::Bool, .. }) => 2,
            _ => {
                let axis = self.index_axis(key)?;
                self.size(axis)
            }
        };
        let value = self.eval(key)?;
        let index = self.index_node(&value, key.span)?;
        let before = self.index_node(&Value::Node(before), key.span)?;
        self.build(key.span, |g| {
            let size = g.index(size as i32)?;
            let slower = g.mul(before, size)?;
            g.plus(slower, index)
        })
    }

    /// The one row that a step of a stream sees.
    pub(super) fn stream_row(
        &mut self,
        name: &AxisName,
        data: &str,
        part: Option<String>,
    ) -> Checked<BatchInput> {
        let span = name.span;
        let id = match &part {
            Some(part) => self.part_id(data, part),
            None => self.rows_id(data),
        };
        let Some(id) = id else { return Err(fail::fault(span, "a stream of unknown rows")) };
        let axis = self.axis(id, span)?;
        let rows = self.size(axis);
        let stored = self.allocate(&format!("row of {data}"), Element::Index, &[])?;
        let number = self.read(&stored);
        let row = match &part {
            Some(part) => {
                let all = self.part_rows(data, part, span)?;
                self.build(span, |g| g.gather(all, axis, number))?
            }
            None => number,
        };
        self.views.insert(data.to_owned(), View { rows: Some(row) });
        let slot = Some(stored.slot);
        Ok(BatchInput { data: data.to_owned(), part, rows, size: 1, axis: None, sampler: None, slot })
    }
}
