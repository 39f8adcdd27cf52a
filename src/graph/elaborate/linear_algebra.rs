//! Linear algebra, spanning trees and assignments: nodes of the `Matrix` operations, sliced into what each builtin gives.

use std::sync::Arc;

use super::elaborator::Elaborator;
use super::fail;
use super::value::Value;
use crate::check::builtin::Builtin;
use crate::diagnostic::{Checked, Code, Diagnostic};
use crate::graph::op::linear_algebra::{parts, vectors};
use crate::graph::{Axis, AxisSet, Matrix, NodeId, Triangle};
use crate::source::Span;
use crate::syntax::ast::{Call, Expr};

impl<'p> Elaborator<'_, 'p> {
    pub fn eval_matrix(&mut self, builtin: Builtin, expr: &'p Expr, call: &'p Call) -> Checked<Value<'p>> {
        use Builtin as B;
        let span = expr.span;
        let values = self.values(call)?;
        let named: Vec<_> = match self.typed().calls.get(&expr.id) {
            Some(info) => info.axes.iter().map(|(id, _)| *id).collect(),
            None => return Err(fail::fault(span, "linear algebra that was not checked")),
        };
        let [rows, columns, made @ ..] = &named[..] else {
            return Err(fail::fault(span, "a matrix without its axes"));
        };
        let axes = [self.axis(*rows, span)?, self.axis(*columns, span)?];
        let Some(operand) = values.first() else {
            return Err(fail::fault(span, "linear algebra of nothing"));
        };
        let x = self.float(operand, span)?;
        let x = self.broadcast(x, &AxisSet::from(&axes[..]), span)?;
        self.fitting(builtin, axes, span)?;
        let kind = match builtin {
            B::Cholesky => {
                return self.build(span, |g| g.matrix(Matrix::Cholesky, &[x], axes, &[])).map(Value::Node);
            }
            B::Solve | B::SolveTriangular => {
                let upper = self.static_option(call, "upper")?;
                let triangle = match (builtin, upper) {
                    (B::Solve, _) => Triangle::Whole,
                    (_, true) => Triangle::Upper,
                    (_, false) => Triangle::Lower,
                };
                let Some(right) = values.get(1) else {
                    return Err(fail::fault(span, "a system without its right"));
                };
                let right = self.float(right, span)?;
                let right = self.broadcast(right, &AxisSet::new().with(axes[0]), span)?;
                let node = self.build(span, |g| g.matrix(Matrix::Solve(triangle), &[x, right], axes, &[]))?;
                return Ok(Value::Node(node));
            }
            B::Assignment => {
                let cost = match self.static_option(call, "largest")? {
                    true => self.build(span, |g| g.neg(x))?,
                    false => x,
                };
                let node = self.build(span, |g| g.matrix(Matrix::Assignment, &[cost], axes, &[]))?;
                return Ok(Value::Node(node));
            }
            B::SpanningTree => Matrix::SpanningTree,
            B::Eigh => Matrix::Eigen,
            B::Qr => Matrix::Orthogonal,
            _ => Matrix::Singular,
        };
        let [made] = made else { return Err(fail::fault(span, "a decomposition without its axis")) };
        let [n, m] = axes.map(|axis| self.size(axis));
        let made = self.new_axis(*made, vectors(kind, n, m), span)?;
        if kind == Matrix::SpanningTree {
            return self.tree(x, axes, made, span).map(Value::Node);
        }
        let part = self.fresh("part", parts(kind, n, m));
        let found = self.build(span, |g| g.matrix(kind, &[x], axes, &[made, part]))?;
        let vector = |e: &mut Self, start: usize, into: Axis| {
            e.build(span, |g| g.slice(found, part, into, start, 1)).map(Value::Node)
        };
        let [rows, columns] = axes;
        let fields = match kind {
            Matrix::Eigen => {
                vec![("values", self.value_part(found, part, n, span)?), ("vectors", vector(self, 0, rows)?)]
            }
            Matrix::Orthogonal => {
                vec![("orthogonal", vector(self, 0, rows)?), ("upper", vector(self, n, columns)?)]
            }
            _ => vec![
                ("left", vector(self, 0, rows)?),
                ("values", self.value_part(found, part, n, span)?),
                ("right", vector(self, n + 1, columns)?),
            ],
        };
        let fields = fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        Ok(Value::Record(Arc::new(fields)))
    }

    /// The number at a position of the parts of each vector.
    fn value_part(&mut self, found: NodeId, part: Axis, at: usize, span: Span) -> Checked<Value<'p>> {
        let one = self.fresh("one", 1);
        self.build(span, |g| {
            let value = g.slice(found, part, one, at, 1)?;
            g.sum(value, &[one])
        })
        .map(Value::Node)
    }

    /// The lengths of the tree's edges: picked among the distances, so that they have a derivative.
    fn tree(&mut self, x: NodeId, axes: [Axis; 2], edge: Axis, span: Span) -> Checked<NodeId> {
        let [n, m] = axes.map(|axis| self.size(axis));
        let flat = self.fresh("pair", n * m);
        self.build(span, |g| {
            let edges = g.matrix(Matrix::SpanningTree, &[x], axes, &[edge])?;
            let pairs = g.flatten(x, &axes, flat)?;
            g.gather(pairs, flat, edges)
        })
    }

    fn static_option(&mut self, call: &'p Call, name: &str) -> Checked<bool> {
        match self.argument(call, usize::MAX, &[name]) {
            Some(value) => self.static_truth(value, &format!("`{name}`")),
            None => Ok(false),
        }
    }

    /// Refuses matrices of the wrong shape.
    fn fitting(&self, builtin: Builtin, [rows, columns]: [Axis; 2], span: Span) -> Checked<()> {
        let [n, m] = [rows, columns].map(|axis| self.size(axis));
        let wanted = match builtin {
            Builtin::Svd => None,
            Builtin::Qr => (n < m).then_some("at least as many rows as columns"),
            Builtin::Assignment => (n > m).then_some("at most as many rows as columns"),
            _ => (n != m).then_some("as many rows as columns"),
        };
        let Some(wanted) = wanted else { return Ok(()) };
        let (first, second) = (self.axis_name(rows), self.axis_name(columns));
        Err(vec![
            Diagnostic::error(Code::A0263, span, format!("`{}` needs {wanted}", builtin.name()))
                .label(format!("`{first}` has {n} positions, `{second}` has {m}"))
                .help("the first of the two axes are the rows"),
        ])
    }
}
