//! Which columns of the files each declared column is: by name, by numbered group, with the sizes of inner axes.

use super::group;
use super::schema::{ColumnKind, ColumnSpec, Schema};
use super::table::SizedAxis;
use super::text::Records;
use crate::diagnostic::{Checked, Code, Diagnostic, nearest};
use crate::source::Span;

/// The fields of a declared column in the order of its inner axes: (file, field).
pub struct Bound {
    pub fields: Vec<(usize, usize)>,
    /// The column tells where the field is empty: `known: Bool = "age.missing"`.
    pub is_missing: bool,
}

/// After the name of a field: whether it is empty.
const MISSING: &str = ".missing";

/// The sizes of inner axes found so far, with the column that set each.
#[derive(Default)]
pub struct Sizes {
    found: Vec<(SizedAxis, Span)>,
}

impl Sizes {
    pub fn into_axes(self) -> Vec<SizedAxis> {
        self.found.into_iter().map(|(axis, _)| axis).collect()
    }

    fn of(&self, name: &str) -> Option<usize> {
        self.found.iter().find(|(axis, _)| axis.name == name).map(|(axis, _)| axis.size)
    }

    /// Notes a size, or says which other column disagrees.
    pub fn set(&mut self, column: &ColumnSpec, name: &str, size: usize) -> Result<(), Diagnostic> {
        match self.found.iter().find(|(axis, _)| axis.name == name) {
            Some((axis, span)) if axis.size != size => Err(Diagnostic::error(
                Code::A0422,
                column.span,
                format!(
                    "the axis {name} has {size} positions in `{}` and {} elsewhere",
                    column.name, axis.size
                ),
            )
            .label(format!("{size} positions here"))
            .related(*span, format!("{} positions here", axis.size))
            .help("give one of them another axis name")),
            Some(_) => Ok(()),
            None => {
                self.found.push((SizedAxis { name: name.to_string(), size }, column.span));
                Ok(())
            }
        }
    }

    /// Sizes for the inner axes of a column of `count` numbered columns; at most one may still be unknown.
    fn fit(&mut self, column: &ColumnSpec, count: usize) -> Result<(), Diagnostic> {
        let mut known = 1usize;
        let mut unknown = Vec::new();
        for axis in &column.inner {
            match axis.size.or_else(|| self.of(&axis.name)) {
                Some(size) => known = known.saturating_mul(size),
                None => unknown.push(axis.name.as_str()),
            }
        }
        let names = || column.inner.iter().map(|a| a.name.as_str()).collect::<Vec<_>>().join(", ");
        let shape = |expected: String| {
            Diagnostic::error(
                Code::A0421,
                column.span,
                format!(
                    "`{}` has {count} numbered columns, which do not make [{}]: {expected}",
                    column.name,
                    names()
                ),
            )
            .label("the columns are taken in the order of their numbers, the last axis fastest")
        };
        match unknown.as_slice() {
            [] if known != count => return Err(shape(format!("the sizes of the axes make {known}"))),
            [] => {}
            [_] if known == 0 || !count.is_multiple_of(known) => {
                return Err(shape(format!("{count} is not a multiple of {known}")));
            }
            [_] => {}
            several => {
                return Err(shape(format!("the sizes of {} are all unknown", several.join(" and ")))
                    .help("declare all but one of them, as in `axis Row = 8`"));
            }
        }
        for axis in &column.inner {
            let size = axis.size.or_else(|| self.of(&axis.name)).unwrap_or(count / known.max(1));
            self.set(column, &axis.name, size)?;
        }
        Ok(())
    }
}

/// Finds every declared column among the headers. All that is missing is reported together.
pub fn columns(schema: &Schema, records: &[Records]) -> Checked<Vec<Bound>> {
    let headers: Vec<(usize, usize, &str)> = records
        .iter()
        .enumerate()
        .flat_map(|(file, r)| r.headers.iter().enumerate().map(move |(field, h)| (file, field, h.as_str())))
        .collect();
    let mut problems = Vec::new();
    for (at, (file, _, header)) in headers.iter().enumerate() {
        if let Some((first, _, _)) =
            headers[..at].iter().find(|(f, _, h)| f != file && h == header && !h.is_empty())
            && schema.columns.iter().any(|c| c.header() == *header)
        {
            problems.push(
                Diagnostic::error(
                    Code::A0409,
                    schema.source.span,
                    format!(
                        "the column `{header}` is in `{}` and in `{}`",
                        records[*first].path, records[*file].path
                    ),
                )
                .label("files of one data set are joined side by side, row by row"),
            );
        }
    }
    let mut bound = Vec::with_capacity(schema.columns.len());
    for column in &schema.columns {
        match bind(column, &headers) {
            Ok(found) => bound.push(found),
            Err(problem) => problems.push(problem),
        }
    }
    if problems.is_empty() { Ok(bound) } else { Err(problems) }
}

/// The inner axes' sizes of all columns.
pub fn sizes(schema: &Schema, bound: &[Bound]) -> Checked<Sizes> {
    let mut sizes = Sizes::default();
    let mut problems = Vec::new();
    for (column, found) in schema.columns.iter().zip(bound) {
        if !column.inner.is_empty()
            && let Err(problem) = sizes.fit(column, found.fields.len())
        {
            problems.push(problem);
        }
    }
    if problems.is_empty() { Ok(sizes) } else { Err(problems) }
}

fn bind(column: &ColumnSpec, headers: &[(usize, usize, &str)]) -> Result<Bound, Diagnostic> {
    let wanted = column.header();
    if !column.inner.is_empty() {
        let is_missing = column.kind == ColumnKind::Bool && wanted.ends_with(MISSING);
        if is_missing {
            let mut stem = column.clone();
            stem.header = wanted.strip_suffix(MISSING).map(String::from);
            return group::bind(&stem, headers).map(|fields| Bound { fields, is_missing });
        }
        return group::bind(column, headers).map(|fields| Bound { fields, is_missing });
    }
    if let Some((file, field, _)) = headers.iter().find(|(_, _, h)| *h == wanted) {
        return Ok(Bound { fields: vec![(*file, *field)], is_missing: false });
    }
    if column.kind == ColumnKind::Bool
        && let Some(stem) = wanted.strip_suffix(MISSING)
        && let Some((file, field, _)) = headers.iter().find(|(_, _, h)| *h == stem)
    {
        return Ok(Bound { fields: vec![(*file, *field)], is_missing: true });
    }
    let problem =
        Diagnostic::error(Code::A0416, column.span, format!("no column of the file is called `{wanted}`"))
            .label("not in the header line");
    let names = headers.iter().map(|(_, _, h)| *h);
    Err(if let Some(near) = nearest(wanted, names.clone()) {
        problem.help(if column.header.is_some() {
            format!("did you mean `{near}`? The columns are {}", listed(names))
        } else {
            format!(
                "did you mean `{near}`? A column may have another name in the file: `{}: ... = \"{near}\"`",
                column.name
            )
        })
    } else if group::exists(wanted, headers) {
        problem.help(format!(
            "the numbered columns `{wanted}...` make an array: give it an axis, as in `[Slot]`"
        ))
    } else {
        problem.help(format!("the columns are {}", listed(names)))
    })
}

/// Names for a message, the first dozen of them.
pub fn listed<'a>(names: impl Iterator<Item = &'a str> + Clone) -> String {
    let count = names.clone().count();
    let mut text = names.take(12).map(|n| format!("`{n}`")).collect::<Vec<_>>().join(", ");
    if count > 12 {
        text.push_str(&format!(" and {} more", count - 12));
    }
    text
}

/// Files joined by row must have as many rows each.
pub fn same_lengths(schema: &Schema, files: &[(&str, usize)]) -> Checked<()> {
    let Some((first, rows)) = files.first() else { return Ok(()) };
    match files.iter().find(|(_, other)| other != rows) {
        None => Ok(()),
        Some((path, other)) => Err(vec![
            Diagnostic::error(
                Code::A0417,
                schema.source.span,
                format!("`{first}` has {rows} rows and `{path}` has {other}"),
            )
            .label("row i of the data is row i of every file")
            .help("check that the files belong together and that none was cut off"),
        ]),
    }
}
