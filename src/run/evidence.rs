//! What a claim rests on: its comparisons with the values of both sides, and which of them are at fault where it is refuted.

use super::results::{Evidence, ResultAxis, Side};
use super::table;
use crate::graph::elaborate::{USUAL_TOLERANCE, quantified};
use crate::syntax::ast::{BinaryOperator, Expr, ExprKind, UnaryOperator};

/// How the parts of a condition are read.
struct Readings<'r> {
    side: &'r dyn Fn(&Expr) -> Option<Side>,
    source: &'r dyn Fn(&Expr) -> String,
}

/// The comparisons of a condition, in the order written. `side` gives the values of an expression, `source` its text.
pub fn evidence(
    condition: &Expr,
    side: &dyn Fn(&Expr) -> Option<Side>,
    source: &dyn Fn(&Expr) -> String,
) -> Vec<Evidence> {
    let mut evidence = Vec::new();
    weigh(condition, true, &Readings { side, source }, &mut evidence);
    evidence
}

/// Adds the comparisons of a condition. Whether the condition is what is wanted of it; if not, what is at fault is marked.
fn weigh(condition: &Expr, wanted: bool, read: &Readings, out: &mut Vec<Evidence>) -> bool {
    let side = read.side;
    let (left, relation, right, within, holds) = match &condition.kind {
        ExprKind::Parenthesised(inner) => return weigh(inner, wanted, read, out),
        ExprKind::Unary { operator: UnaryOperator::Not, value } => {
            return weigh(value, !wanted, read, out);
        }
        ExprKind::Binary {
            operator: operator @ (BinaryOperator::And | BinaryOperator::Or),
            left,
            right,
            ..
        } => {
            let before = out.len();
            let (left, right) = (weigh(left, wanted, read, out), weigh(right, wanted, read, out));
            // Of `a or b` one is enough, and so it is of `not (a and b)`.
            let one_is_enough = (*operator == BinaryOperator::Or) == wanted;
            if one_is_enough && (left || right) {
                out[before..].iter_mut().for_each(|evidence| evidence.at_fault = false);
                return true;
            }
            return left && right;
        }
        ExprKind::Call(call) if quantified(call).is_some() => {
            return quantified(call).is_none_or(|inner| weigh(inner, wanted, read, out));
        }
        ExprKind::Binary { operator, left, right, .. } if relation(*operator).is_some() => {
            let (Some(left), Some(right)) = (side(left), side(right)) else { return true };
            let holds = relation_holds(*operator, &left, &right);
            (left, relation(*operator).unwrap_or_default(), Some(right), None, holds)
        }
        ExprKind::Approximately { left, right, within } => {
            let (Some(left), Some(right)) = (side(left), side(right)) else { return true };
            let within = within.as_deref().and_then(side);
            let holds = nearly_equal(&left, &right, within.as_ref());
            (left, "~=", Some(right), within, holds)
        }
        _ => {
            let Some(left) = side(condition) else { return true };
            let holds = left.values.iter().all(|v| *v != 0.0);
            (left, "", None, None, holds)
        }
    };
    let at_fault = holds != wanted;
    out.push(Evidence { source: (read.source)(condition), left, relation, right, within, holds, at_fault });
    !at_fault
}

fn relation(operator: BinaryOperator) -> Option<&'static str> {
    Some(match operator {
        BinaryOperator::Equal => "==",
        BinaryOperator::NotEqual => "!=",
        BinaryOperator::Less => "<",
        BinaryOperator::LessEqual => "<=",
        BinaryOperator::Greater => ">",
        BinaryOperator::GreaterEqual => ">=",
        _ => return None,
    })
}

fn relation_holds(operator: BinaryOperator, left: &Side, right: &Side) -> bool {
    holds_everywhere(&[left, right], |values| {
        let (l, r) = (values[0], values[1]);
        match operator {
            BinaryOperator::Equal => l == r,
            BinaryOperator::NotEqual => l != r,
            BinaryOperator::Less => l < r,
            BinaryOperator::LessEqual => l <= r,
            BinaryOperator::Greater => l > r,
            _ => l >= r,
        }
    })
}

fn nearly_equal(left: &Side, right: &Side, within: Option<&Side>) -> bool {
    match within {
        Some(within) => holds_everywhere(&[left, right, within], |v| near(v[0], v[1], v[2])),
        None => holds_everywhere(&[left, right], |v| near(v[0], v[1], USUAL_TOLERANCE)),
    }
}

/// Equal infinities have no difference.
fn near(left: f64, right: f64, tolerance: f64) -> bool {
    left == right || (left - right).abs() <= tolerance
}

/// Whether something holds of the values at every point, the sides aligned by the names of their axes.
fn holds_everywhere(sides: &[&Side], holds: impl Fn(&[f64]) -> bool) -> bool {
    let mut axes: Vec<ResultAxis> = Vec::new();
    for side in sides {
        let new: Vec<ResultAxis> = side.axes.iter().filter(|axis| !axes.contains(axis)).cloned().collect();
        axes.extend(new);
    }
    let count: usize = axes.iter().map(|axis| axis.labels.len()).product();
    (0..count).all(|number| {
        let positions = table::unravel(number, &axes);
        let values: Vec<f64> = sides.iter().map(|side| at(side, &axes, &positions)).collect();
        holds(&values)
    })
}

/// The value of a side at a point of `axes`, which include its own.
fn at(side: &Side, axes: &[ResultAxis], positions: &[usize]) -> f64 {
    let mut offset = 0;
    for own in &side.axes {
        let place = axes.iter().zip(positions).find(|(axis, _)| *axis == own).map_or(0, |(_, at)| *at);
        offset = offset * own.labels.len() + place;
    }
    side.values.get(offset).copied().unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Sources;
    use crate::syntax::ExprIds;
    use crate::syntax::ast::{ItemKind, StatementKind};

    /// The comparisons of a condition in which `a` is 1 and `b` is 2: the text of each, and whether it is at fault.
    fn weighed(condition: &str) -> Vec<(String, bool, bool)> {
        let text = format!("test \"t\" {{ assert {condition} }}");
        let mut sources = Sources::default();
        let file = sources.add("t.anz", text.clone());
        let tree = crate::syntax::parse(file, &text, &mut ExprIds::default()).expect("it parses");
        let ItemKind::Test(test) = &tree.items[0].kind else { panic!("no test") };
        let StatementKind::Assert { condition } = &test.body.statements[0].kind else { panic!("no assert") };
        let source = |expr: &Expr| sources.slice(expr.span).to_owned();
        let side = |expr: &Expr| {
            let value = match &expr.kind {
                ExprKind::Number { value, .. } => *value,
                ExprKind::Name(name) => f64::from(u8::from(name.text == "b")) + 1.0,
                _ => return None,
            };
            Some(Side { source: source(expr), axes: Vec::new(), values: vec![value] })
        };
        let found = evidence(condition, &side, &source);
        found.into_iter().map(|e| (e.source, e.holds, e.at_fault)).collect()
    }

    fn at_fault(condition: &str) -> Vec<String> {
        weighed(condition).into_iter().filter(|(_, _, at_fault)| *at_fault).map(|(text, ..)| text).collect()
    }

    #[test]
    fn what_is_untrue_without_harm_is_not_at_fault() {
        assert_eq!(weighed("a > 5 or b > 1").len(), 2);
        assert!(at_fault("a > 5 or b > 1").is_empty());
        assert!(at_fault("not (a > 5)").is_empty());
        assert!(at_fault("not (a > 5 and b > 1)").is_empty());
        assert_eq!(at_fault("a > 5 or b > 5"), ["a > 5", "b > 5"]);
        assert_eq!(at_fault("(a > 5 or b > 1) and a > 3"), ["a > 3"]);
        assert_eq!(at_fault("not (a < 5 or b > 5)"), ["a < 5"]);
    }

    #[test]
    fn near_values_are_compared_as_the_claim_compares_them() {
        assert_eq!(weighed("a ~= 1"), [("a ~= 1".to_owned(), true, false)]);
        assert_eq!(weighed("a ~= b within 1"), [("a ~= b within 1".to_owned(), true, false)]);
        assert_eq!(at_fault("a ~= b within 0.5"), ["a ~= b within 0.5"]);
    }
}
