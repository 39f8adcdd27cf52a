//! The state of one elaboration: the program being built, the current frame, and the ways to read values as nodes,
//! axes and static numbers.

use std::collections::{HashMap, HashSet};

use super::draw::Draw;
use super::fail;
use super::model::Shadow;
use super::pretrained::Pretrained;
use super::scope::Scope;
use super::state::Begin;
use super::train::Block;
use super::value::{Frame, Stored, Value};
use crate::check::program::{self as check, AxisId, AxisKind};
use crate::diagnostic::Checked;
use crate::graph::{
    Axis, AxisSet, Element, Graph, NodeId, Op, Precision, Program, Slot, Store, Tensor, TypeError,
};
use crate::source::Span;
use crate::syntax::ast::{self, Expr, ExprId};

/// What `step`, `epoch` and `progress` are in a train block.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    /// Index scalar.
    pub step: NodeId,
    pub epoch: NodeId,
    pub progress: NodeId,
}

/// How the columns of a data set are seen in a block.
#[derive(Clone, Copy, Debug)]
pub struct View {
    /// Row numbers of the data set over the block's rows; none: all rows.
    pub rows: Option<NodeId>,
}

pub struct Elaborator<'s, 'p> {
    pub scope: &'s mut Scope<'p>,
    pub store: &'s mut Store,
    pub output: Program,
    pub frame: Frame<'p>,
    /// Values of slots that are newer than the store's: updated parameters, models just made.
    pub current: HashMap<Slot, NodeId>,
    /// All new values that updates gave to parameters in this step, in order.
    pub versions: HashMap<Slot, Vec<NodeId>>,
    /// Parameters that are made anew at every step; so are the states of their optimizers.
    pub fresh: HashSet<Slot>,
    /// Names on the way here: lets, functions, models. The address of random numbers.
    pub path: Vec<String>,
    pub ordinals: HashMap<String, u32>,
    pub draw: Option<Draw>,
    pub training: bool,
    pub moment: Option<Moment>,
    pub views: HashMap<String, View>,
    /// Expressions whose values are wanted besides the result, and what was found.
    pub watched: HashSet<ExprId>,
    pub seen: Vec<(ExprId, Value<'p>)>,
    /// The functions being inlined, from the outermost.
    pub calls: usize,
    /// Values given to `yield` in the current scan.
    pub yields: Vec<Value<'p>>,
    /// The axes over which models are being made, one for each position.
    pub zoo: AxisSet,
    /// The file from which the parameters of the model being made are read.
    pub pretrained: Option<Pretrained>,
    pub test: Option<super::test::Record<'p>>,
    /// The number of the round of the loops around, one number for all of them together, where there are any.
    pub round: Option<NodeId>,
    /// How many holes loops have made so far: each is told apart by its number.
    pub holes: u32,
    /// In a train block: what it gathers, and the program that is run before its first step.
    pub block: Option<Block>,
    pub begin: Option<Begin>,
    pub shadows: Vec<Shadow<'p>>,
    /// States that were assigned to, in order of the first assignment.
    pub changed: Vec<Stored>,
}

impl<'s, 'p> Elaborator<'s, 'p> {
    pub fn new(scope: &'s mut Scope<'p>, store: &'s mut Store, precision: Precision) -> Self {
        let mut output = Program::new(precision);
        output.graph.axes = scope.axes.clone();
        let path = scope.prefix.clone();
        Elaborator {
            scope,
            store,
            output,
            frame: Frame::default(),
            current: HashMap::new(),
            versions: HashMap::new(),
            fresh: HashSet::new(),
            path,
            ordinals: HashMap::new(),
            draw: None,
            training: false,
            moment: None,
            views: HashMap::new(),
            watched: HashSet::new(),
            seen: Vec::new(),
            calls: 0,
            yields: Vec::new(),
            zoo: AxisSet::new(),
            pretrained: None,
            test: None,
            round: None,
            holes: 0,
            block: None,
            begin: None,
            shadows: Vec::new(),
            changed: Vec::new(),
        }
    }

    pub fn typed(&self) -> &'p check::Program {
        self.scope.program
    }

    /// The program, whose new axes the scope keeps.
    pub fn finish(self) -> Program {
        self.scope.axes = self.output.graph.axes.clone();
        finished(self.output)
    }

    pub fn graph(&self) -> &Graph {
        &self.output.graph
    }

    /// Adds nodes that stand for what the user wrote at `span`.
    pub fn build(
        &mut self,
        span: Span,
        add: impl FnOnce(&mut Graph) -> Result<NodeId, TypeError>,
    ) -> Checked<NodeId> {
        self.output.graph.span = span;
        add(&mut self.output.graph).map_err(|error| fail::type_fault(span, &error))
    }

    pub fn element(&self, node: NodeId) -> Element {
        self.graph().node(node).element
    }

    pub fn axes_of(&self, node: NodeId) -> AxisSet {
        self.graph().node(node).axes.clone()
    }

    pub fn size(&self, axis: Axis) -> usize {
        self.graph().axes.size(axis)
    }

    pub fn axis_name(&self, axis: Axis) -> String {
        self.graph().axes.name(axis).to_owned()
    }

    pub fn fresh(&mut self, name: impl Into<String>, size: usize) -> Axis {
        self.output.graph.axes.add(name, size)
    }

    // Stored arrays.

    pub fn read(&mut self, stored: &Stored) -> NodeId {
        match self.current.get(&stored.slot) {
            Some(node) => *node,
            None => self.output.input(stored.name.clone(), stored.element, &stored.layout, stored.slot),
        }
    }

    /// A new slot for values over `layout`.
    pub fn allocate(&mut self, name: &str, element: Element, layout: &[Axis]) -> Checked<Stored> {
        let mut sizes = layout.iter().map(|axis| self.size(*axis));
        let count = sizes.try_fold(1usize, |count, size| count.checked_mul(size));
        let Some(count) = count.filter(|count| *count <= i32::MAX as usize) else {
            let shape: Vec<String> = layout
                .iter()
                .map(|axis| format!("{} = {}", self.axis_name(*axis), self.size(*axis)))
                .collect();
            return Err(fail::too_large(self.output.graph.span, name, &shape.join(", ")));
        };
        let tensor = match (element, self.output.precision) {
            (Element::Float, Precision::Single) => Tensor::F32(vec![0.0; count]),
            (Element::Float, Precision::Double) => Tensor::F64(vec![0.0; count]),
            (Element::Index, _) => Tensor::Index(vec![0; count]),
            (Element::Bool, _) => Tensor::Bool(vec![0; count]),
        };
        let slot = self.store.add(tensor);
        Ok(Stored { slot, element, layout: layout.to_vec(), name: name.to_owned() })
    }

    /// Writes a node to a new slot; later reads in this program are the node itself.
    pub fn keep(&mut self, name: &str, node: NodeId, span: Span) -> Checked<Stored> {
        let layout = self.kept_layout(&self.axes_of(node));
        let stored = self.allocate(name, self.element(node), &layout)?;
        self.write(&stored, node, span)?;
        self.current.insert(stored.slot, node);
        Ok(stored)
    }

    /// The rows of data outermost: they are gathered one by one.
    fn kept_layout(&self, axes: &AxisSet) -> Vec<Axis> {
        let is_rows = |axis: &Axis| {
            self.scope.root.axes.iter().any(|(id, bound)| {
                let kind = &self.typed().axis(*id).kind;
                bound == axis && matches!(kind, AxisKind::Rows { .. } | AxisKind::Part { .. })
            })
        };
        let (rows, others): (Vec<Axis>, Vec<Axis>) = axes.iter().partition(is_rows);
        rows.into_iter().chain(others).collect()
    }

    pub fn write(&mut self, stored: &Stored, node: NodeId, span: Span) -> Checked<()> {
        self.output
            .output(stored.name.clone(), node, &stored.layout, stored.slot)
            .map_err(|error| fail::type_fault(span, &error))
    }

    // Values as nodes.

    pub fn node(&mut self, value: &Value<'p>, span: Span) -> Checked<NodeId> {
        match value {
            Value::Node(node) => Ok(*node),
            Value::Number(number) => self.build(span, |g| g.float(*number)),
            Value::Truth(truth) => self.build(span, |g| g.bool(*truth)),
            Value::Stored(stored) => Ok(self.read(stored)),
            Value::Frozen(stored) => {
                let node = self.read(stored);
                self.build(span, |g| g.stop(node))
            }
            Value::List(_) => self.list_node(value, None, span),
            other => Err(fail::fault(span, format!("{} where an array is wanted", other.what()))),
        }
    }

    /// The value as Floats: truth values are 0 or 1.
    pub fn float(&mut self, value: &Value<'p>, span: Span) -> Checked<NodeId> {
        let node = self.node(value, span)?;
        self.as_float(node, span)
    }

    pub fn as_float(&mut self, node: NodeId, span: Span) -> Checked<NodeId> {
        match self.element(node) {
            Element::Float => Ok(node),
            _ => self.build(span, |g| g.cast(node, Element::Float)),
        }
    }

    pub fn truth(&mut self, value: &Value<'p>, span: Span) -> Checked<NodeId> {
        let node = self.node(value, span)?;
        match self.element(node) {
            Element::Bool => Ok(node),
            _ => Err(fail::fault(span, "a number where a condition is wanted")),
        }
    }

    pub fn broadcast(&mut self, node: NodeId, axes: &AxisSet, span: Span) -> Checked<NodeId> {
        if axes.is_subset(&self.axes_of(node)) {
            return Ok(node);
        }
        self.build(span, |g| g.broadcast(node, axes))
    }

    /// A node of the expression's value.
    pub fn node_of(&mut self, expr: &'p Expr) -> Checked<NodeId> {
        let value = self.eval(expr)?;
        self.node(&value, expr.span)
    }

    pub fn float_of(&mut self, expr: &'p Expr) -> Checked<NodeId> {
        let value = self.eval(expr)?;
        self.float(&value, expr.span)
    }

    // Static values.

    pub fn static_number(&mut self, expr: &'p Expr, what: &str) -> Checked<f64> {
        let value = self.eval(expr)?;
        self.number(&value).ok_or_else(|| fail::not_static(expr.span, what))
    }

    /// The number, if it is known now.
    pub fn number(&self, value: &Value<'p>) -> Option<f64> {
        match value {
            Value::Number(number) => Some(*number),
            Value::Truth(truth) => Some(f64::from(u8::from(*truth))),
            Value::Stored(stored) => self.scope.vary_number(stored.slot),
            Value::Node(node) => match self.graph().node(*node).op {
                crate::graph::Op::Float(bits) => Some(f64::from_bits(bits)),
                _ => None,
            },
            _ => None,
        }
    }

    pub fn static_truth(&mut self, expr: &'p Expr, what: &str) -> Checked<bool> {
        match self.eval(expr)? {
            Value::Truth(truth) => Ok(truth),
            Value::Node(node) => match self.graph().node(node).op {
                crate::graph::Op::Bool(truth) => Ok(truth),
                _ => Err(fail::not_static(expr.span, what)),
            },
            _ => Err(fail::not_static(expr.span, what)),
        }
    }

    /// A count of positions: a whole number from 0.
    pub fn static_size(&mut self, expr: &'p Expr, what: &str) -> Checked<usize> {
        let number = self.static_number(expr, what)?;
        whole(number).ok_or_else(|| fail::not_size(expr.span, number))
    }

    /// A whole number, which may be negative.
    pub fn static_integer(&mut self, expr: &'p Expr, what: &str) -> Checked<i64> {
        let number = self.static_number(expr, what)?;
        match number.fract() == 0.0 && number.abs() < 1e9 {
            true => Ok(number as i64),
            false => Err(fail::not_size(expr.span, number)),
        }
    }

    // Axes.

    /// The graph's axis for an axis of the checker, as the current frame binds it.
    pub fn axis(&mut self, id: AxisId, span: Span) -> Checked<Axis> {
        if let Some(axis) = self.frame.axes.get(&id).or_else(|| self.scope.root.axes.get(&id)) {
            return Ok(*axis);
        }
        let typed = self.typed();
        let info = typed.axis(id);
        match &info.kind {
            AxisKind::SameSizeAs(other) => {
                let size = self.axis(*other, span).map(|axis| self.size(axis))?;
                // The twin of an axis that all frames know is known to all of them.
                if self.scope.root.axes.contains_key(other) && !self.frame.axes.contains_key(other) {
                    let axis = self.fresh(info.name.clone(), size);
                    self.scope.root.axes.insert(id, axis);
                    return Ok(axis);
                }
                Ok(self.bind_axis(id, size))
            }
            // Of a block without a batch, the rows of a step are all rows.
            AxisKind::Batch { rows } => self.axis(*rows, span),
            AxisKind::Sized(size) => match self.scope.file_axes.get(size).copied() {
                Some(expr) => {
                    let size = self.at_root(|e| e.static_size(expr, "the size of an axis"))?;
                    let axis = self.fresh(info.name.clone(), size);
                    self.scope.root.axes.insert(id, axis);
                    Ok(axis)
                }
                None => Err(fail::fault(span, format!("the axis `{}` has no size here", info.name))),
            },
            _ => Err(fail::fault(span, format!("the axis `{}` is not bound here", info.name))),
        }
    }

    /// Binds an axis in the current frame. An axis that is bound again with the same size stays the same axis.
    pub fn bind_axis(&mut self, id: AxisId, size: usize) -> Axis {
        if let Some(axis) = self.frame.axes.get(&id).copied()
            && self.size(axis) == size
        {
            return axis;
        }
        let axis = self.fresh(self.typed().axis(id).name.clone(), size);
        self.frame.axes.insert(id, axis);
        axis
    }

    pub fn named_axis_id(&self, name: &ast::AxisName) -> Checked<AxisId> {
        let typed = self.typed();
        let found = typed
            .axes_at
            .get(&name.span)
            .or_else(|| name.path.last().and_then(|last| typed.axes_at.get(&last.span)));
        found.copied().ok_or_else(|| fail::fault(name.span, "an axis name without an axis"))
    }

    pub fn named_axis(&mut self, name: &ast::AxisName) -> Checked<Axis> {
        let id = self.named_axis_id(name)?;
        self.axis(id, name.span)
    }

    /// The axis that an expression names, where it stands for an axis and not for a value.
    pub fn axis_id_of(&self, expr: &Expr) -> Option<AxisId> {
        let typed = self.typed();
        if let Some(check::Type::Axis(id)) = typed.types.get(&expr.id) {
            return Some(*id);
        }
        match &expr.kind {
            ast::ExprKind::Name(name) => match typed.names.get(&name.span) {
                Some(check::Definition::Axis(id)) => Some(*id),
                Some(_) => None,
                None => typed.axes_at.get(&name.span).copied(),
            },
            ast::ExprKind::Field { .. } => typed.axes_at.get(&expr.span).copied(),
            ast::ExprKind::Parenthesised(inner) => self.axis_id_of(inner),
            _ => None,
        }
    }

    pub fn axis_of(&mut self, expr: &Expr) -> Checked<Option<Axis>> {
        match self.axis_id_of(expr) {
            Some(id) => self.axis(id, expr.span).map(Some),
            None => Ok(None),
        }
    }

    // Frames.

    /// Evaluates with only the scope's own names: for what stands at the top of a file.
    pub fn at_root<T>(&mut self, run: impl FnOnce(&mut Self) -> T) -> T {
        self.in_frame(Frame::default(), run).0
    }

    /// Evaluates in another frame, and hands that frame back.
    pub fn in_frame<T>(&mut self, frame: Frame<'p>, run: impl FnOnce(&mut Self) -> T) -> (T, Frame<'p>) {
        let outer = std::mem::replace(&mut self.frame, frame);
        let result = run(self);
        let inner = std::mem::replace(&mut self.frame, outer);
        (result, inner)
    }

    /// Evaluates with one more name in the address of random numbers.
    pub fn named<T>(&mut self, name: &str, run: impl FnOnce(&mut Self) -> T) -> T {
        self.path.push(name.to_owned());
        let result = run(self);
        self.path.pop();
        result
    }
}

/// The program without what only differentiation needs.
pub fn finished(mut program: Program) -> Program {
    let graph = &mut program.graph;
    graph.own_rules.clear();
    for node in &mut graph.nodes {
        if let Op::Own(_) = node.op {
            node.op = Op::Broadcast(AxisSet::new());
            node.operands.truncate(1);
        }
    }
    program
}

/// The number as a count, if it is one.
pub fn whole(number: f64) -> Option<usize> {
    (number >= 0.0 && number.fract() == 0.0 && number < 2_147_483_648.0).then_some(number as usize)
}
