//! Operators. Both sides unite their axes.

use crate::check::program::{AxisKind, Definition, Element, Type, Vary};
use crate::check::state::Checker;
use crate::check::types::{array, boolean};
use crate::diagnostic::{Code, Diagnostic, Help, nearest};
use crate::source::Span;
use crate::syntax::ast::{BinaryOperator, Expr, ExprKind, Name, UnaryOperator};

impl Checker<'_> {
    pub fn unary(&mut self, operator: UnaryOperator, value: &Expr) -> Type {
        if operator == UnaryOperator::Negate && self.is_model(value) {
            return self.expression(value);
        }
        let (element, axes) = match operator {
            UnaryOperator::Negate => (Element::Float, self.numbers(value)),
            UnaryOperator::Not => (Element::Bool, self.truths(value)),
        };
        axes.map_or(Type::Error, |axes| array(element, axes))
    }

    pub fn binary(&mut self, operator: BinaryOperator, left: &Expr, right: &Expr, place: Span) -> Type {
        use BinaryOperator as B;
        if matches!(operator, B::Add | B::Subtract | B::Multiply | B::Divide | B::Power)
            && (self.is_model(left) || self.is_model(right))
        {
            return self.model_arithmetic(&[left, right]);
        }
        match operator {
            B::Add | B::Subtract | B::Multiply | B::Divide | B::Remainder | B::Power => {
                self.joined(left, right, Element::Float, Self::numbers)
            }
            B::And | B::Or => self.joined(left, right, Element::Bool, Self::truths),
            B::Less | B::LessEqual | B::Greater | B::GreaterEqual => {
                self.joined(left, right, Element::Bool, Self::numbers)
            }
            B::Equal | B::NotEqual => self.equality(left, right, place),
        }
    }

    fn joined(
        &mut self,
        left: &Expr,
        right: &Expr,
        element: Element,
        side: fn(&mut Self, &Expr) -> Option<crate::check::program::AxisIds>,
    ) -> Type {
        let (a, b) = (side(self, left), side(self, right));
        match (a, b) {
            (Some(a), Some(b)) => array(element, self.unite(&[(&a, left.span), (&b, right.span)])),
            _ => Type::Error,
        }
    }

    fn equality(&mut self, left: &Expr, right: &Expr, place: Span) -> Type {
        if let Some(ty) = self.arm_equality(left, right).or_else(|| self.arm_equality(right, left)) {
            return ty;
        }
        let (a, b) = (self.expression(left), self.expression(right));
        let (Some((first, a)), Some((second, b))) = (self.as_array(left, &a), self.as_array(right, &b))
        else {
            return Type::Error;
        };
        if !self.comparable(first, second) {
            let (one, other) = (self.show_element(first), self.show_element(second));
            let help = match (first, second) {
                (Element::Index(_), Element::Index(_)) => {
                    "indices compare only within one axis; `number(i)` makes a number of an index".to_owned()
                }
                (Element::Index(axis), _) | (_, Element::Index(axis)) => format!(
                    "an index compares with an index: write `position[{}](k)` for the k-th position",
                    self.axis_name(axis)
                ),
                _ => "compare values of one type".to_owned(),
            };
            self.report(
                Diagnostic::error(Code::A0209, place, format!("`{one}` and `{other}` do not compare"))
                    .label("this comparison")
                    .related(left.span, format!("this has type {}", self.show(&array(first, a.clone()))))
                    .related(right.span, format!("this has type {}", self.show(&array(second, b.clone()))))
                    .help(help),
            );
            return Type::Error;
        }
        array(Element::Bool, self.unite(&[(&a, left.span), (&b, right.span)]))
    }

    fn comparable(&self, a: Element, b: Element) -> bool {
        match (a, b) {
            (Element::Index(a), Element::Index(b)) => a == b || self.same_size(a, b),
            (Element::Index(_), _) | (_, Element::Index(_)) => false,
            _ => true,
        }
    }

    /// Whether one axis is declared as another of the size of the other (`axis S = T`, `T'`).
    pub fn same_size(&self, a: crate::check::program::AxisId, b: crate::check::program::AxisId) -> bool {
        let root = |mut axis| {
            while let AxisKind::SameSizeAs(of) = self.program.axis(axis).kind {
                axis = of;
            }
            axis
        };
        root(a) == root(b)
    }

    /// `Objective == dice`: the name is an arm of the axis on the other side.
    fn arm_equality(&mut self, choice: &Expr, arm: &Expr) -> Option<Type> {
        let (ExprKind::Name(axis_name), ExprKind::Name(arm_name)) = (&choice.kind, &arm.kind) else {
            return None;
        };
        if self.find_local(&axis_name.text).is_some() {
            return None;
        }
        let axis = self.find_axis(&axis_name.text)?;
        if !matches!(self.program.axis(axis).kind, AxisKind::Vary(Vary::Arms(_))) {
            return None;
        }
        self.expression(choice);
        let found = self.arm(axis, arm_name);
        self.program.types.insert(arm.id, Type::Choice(axis));
        Some(match found {
            Some(_) if self.context.results => array(Element::Bool, [axis].into_iter().collect()),
            Some(_) => boolean(),
            None => Type::Error,
        })
    }

    /// The position of an arm, written down; unknown ones are reported.
    pub fn arm(&mut self, axis: crate::check::program::AxisId, name: &Name) -> Option<usize> {
        let info = self.program.axis(axis).clone();
        let AxisKind::Vary(Vary::Arms(arms)) = &info.kind else { return None };
        if let Some(position) = arms.iter().position(|arm| *arm == name.text) {
            self.program.names.insert(name.span, Definition::Arm(axis, position));
            return Some(position);
        }
        let help = match nearest(&name.text, arms.iter().map(String::as_str)) {
            Some(near) => Help::meant(name.span, near),
            None => format!("its arms are {}", arms.join(", ")).into(),
        };
        self.report(
            Diagnostic::error(Code::A0110, name.span, format!("`{}` has no arm `{}`", info.name, name.text))
                .label("unknown arm")
                .related(info.span, format!("`{}` is declared here", info.name))
                .help(help),
        );
        None
    }

    pub fn approximately(&mut self, left: &Expr, right: &Expr, within: Option<&Expr>) -> Type {
        // A list on one side takes the axes of the other.
        let (a, b) = (self.numbers(left), self.numbers(right));
        if let Some(within) = within {
            self.numbers(within);
        }
        match (a, b) {
            (Some(a), Some(b)) => array(Element::Bool, self.unite(&[(&a, left.span), (&b, right.span)])),
            _ => Type::Error,
        }
    }
}
