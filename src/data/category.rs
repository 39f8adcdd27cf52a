//! Category axes: the values of all columns that name one axis become its positions.
//!
//! In: each category column as codes into the values it holds. Out: the axes, and the columns as index tensors.

use std::cmp::Ordering;
use std::collections::{BTreeSet, HashMap};

use super::bind::{Sizes, listed};
use super::cells::short;
use super::schema::{ColumnKind, ColumnSpec, Domain, Schema};
use super::table::{CategoryAxis, Table};
use crate::diagnostic::{Checked, Code, Diagnostic, nearest};
use crate::graph::tensor::Tensor;

/// A category column before its axis is known.
pub struct Coded<'a> {
    column: &'a ColumnSpec,
    /// Its position in [`Table::columns`].
    at: usize,
    /// Each distinct value, with the place where it first stands.
    pub values: Vec<(String, String)>,
    /// For each element the position in `values`.
    pub codes: Vec<u32>,
}

impl<'a> Coded<'a> {
    pub fn new(column: &'a ColumnSpec, at: usize) -> Self {
        Coded { column, at, values: Vec::new(), codes: Vec::new() }
    }

    fn axis(&self) -> (&'a str, &'a Domain) {
        match &self.column.kind {
            ColumnKind::Category { axis, domain } => (axis, domain),
            // Only category columns are coded.
            _ => ("", &Domain::Found),
        }
    }
}

/// The order of found values: numbers by value, then texts with their runs of digits read as numbers.
pub fn compare(a: &str, b: &str) -> Ordering {
    let number = |text: &str| text.parse::<f64>().ok().filter(|x| x.is_finite());
    match (number(a), number(b)) {
        (Some(x), Some(y)) => x.total_cmp(&y).then_with(|| a.cmp(b)),
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (None, None) => natural(a, b).then_with(|| a.cmp(b)),
    }
}

/// Compares texts piece by piece, a run of digits as one number of any length.
fn natural(a: &str, b: &str) -> Ordering {
    let (mut a, mut b) = (a.as_bytes(), b.as_bytes());
    let digits = |text: &[u8]| text.iter().take_while(|c| c.is_ascii_digit()).count();
    while let (Some(x), Some(y)) = (a.first(), b.first()) {
        let (run_a, run_b) = (digits(a), digits(b));
        let order = if run_a > 0 && run_b > 0 {
            let strip = |run: &[u8]| run.iter().position(|c| *c != b'0').unwrap_or(run.len());
            let (left, right) = (&a[strip(&a[..run_a])..run_a], &b[strip(&b[..run_b])..run_b]);
            let order = left.len().cmp(&right.len()).then_with(|| left.cmp(right));
            (a, b) = (&a[run_a..], &b[run_b..]);
            order
        } else {
            (a, b) = (&a[1..], &b[1..]);
            x.cmp(y)
        };
        if order != Ordering::Equal {
            return order;
        }
    }
    a.len().cmp(&b.len())
}

/// Makes the axes and fills in the index tensors.
pub fn finish(schema: &Schema, table: &mut Table, coded: Vec<Coded>, sizes: &mut Sizes) -> Checked<()> {
    let mut problems = Vec::new();
    for column in &coded {
        let (name, _) = column.axis();
        if table.category(name).is_none() {
            table.categories.push(axis(name, &coded));
        }
    }
    for column in &coded {
        let (name, _) = column.axis();
        let Some(axis) = table.categories.iter().find(|axis| axis.name == name) else { continue };
        match positions(column, axis) {
            Ok(positions) => {
                let indexes = column.codes.iter().map(|code| positions[*code as usize]).collect();
                let target = &mut table.columns[column.at];
                target.category = Some(name.to_string());
                target.tensor = Tensor::Index(indexes);
            }
            Err(problem) => problems.push(problem),
        }
    }
    // An axis may be both: the classes of a label and the inner axis of a column of class probabilities.
    for column in &schema.columns {
        for inner in &column.inner {
            if let Some(axis) = table.categories.iter().find(|axis| axis.name == inner.name)
                && let Err(problem) = sizes.set(column, &axis.name, axis.size)
            {
                problems.push(problem);
            }
        }
    }
    if problems.is_empty() { Ok(()) } else { Err(problems) }
}

/// The axis of that name: as declared by any of its columns, or of all values found.
fn axis(name: &str, coded: &[Coded]) -> CategoryAxis {
    let mine = || coded.iter().filter(|column| column.axis().0 == name);
    let declared = mine().map(|column| column.axis().1).find(|domain| **domain != Domain::Found);
    let (size, values) = match declared {
        Some(Domain::Size(size)) => (*size, Vec::new()),
        Some(Domain::Listed(values)) => (values.len(), values.clone()),
        _ => {
            let distinct: BTreeSet<&str> =
                mine().flat_map(|column| column.values.iter().map(|(value, _)| value.as_str())).collect();
            let mut values: Vec<String> = distinct.into_iter().map(String::from).collect();
            values.sort_by(|a, b| compare(a, b));
            (values.len(), values)
        }
    };
    CategoryAxis { name: name.to_string(), size, values }
}

/// The position on the axis of each distinct value of a column.
fn positions(column: &Coded, axis: &CategoryAxis) -> Result<Vec<i32>, Diagnostic> {
    let span = column.column.span;
    let by_size = axis.values.is_empty();
    let known: HashMap<&str, i32> =
        axis.values.iter().enumerate().map(|(at, value)| (value.as_str(), at as i32)).collect();
    let mut positions = Vec::with_capacity(column.values.len());
    let mut wrong: Vec<&(String, String)> = Vec::new();
    for entry in &column.values {
        let value = entry.0.as_str();
        let position = if by_size {
            value
                .parse::<i32>()
                .ok()
                .filter(|index| usize::try_from(*index).is_ok_and(|index| index < axis.size))
        } else {
            known.get(value).copied()
        };
        if position.is_none() {
            wrong.push(entry);
        }
        positions.push(position.unwrap_or(0));
    }
    let Some((value, place)) = wrong.first() else { return Ok(positions) };
    let more =
        if wrong.len() > 1 { format!(" (nor are {} other values)", wrong.len() - 1) } else { String::new() };
    let shown = short(value);
    Err(if by_size {
        Diagnostic::error(
            Code::A0412,
            span,
            format!("`{shown}` at {place} is not a position on the axis {}{more}", axis.name),
        )
        .label(format!("{} has the positions 0 to {}", axis.name, axis.size.saturating_sub(1)))
        .help(if value.parse::<i64>().is_ok() {
            "declare the axis with a larger size, or number the values from 0"
        } else {
            "an axis declared with a size takes whole numbers; without a size the values in the file make the axis"
        })
    } else {
        let names = axis.values.iter().map(String::as_str);
        Diagnostic::error(
            Code::A0424,
            span,
            format!("`{shown}` at {place} is not a value of the category {}{more}", axis.name),
        )
        .label(format!("the values are {}", listed(names.clone())))
        .help(match nearest(value, names) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "add the value to the category, or mend the file".to_string(),
        })
    })
}
