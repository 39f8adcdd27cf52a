//! Tables whose rows are the values of a category: `over Shop by name`.

use super::bind::listed;
use super::category::compare;
use super::cells::short;
use super::schema::Schema;
use super::text::Records;
use crate::diagnostic::{Code, Diagnostic, nearest};

/// Puts the rows in the order of a category and tells the value of each; none without a key.
pub fn sort(schema: &Schema, records: &mut [Records]) -> Result<Option<Vec<String>>, Diagnostic> {
    let Some(key) = &schema.key else { return Ok(None) };
    let place = records.iter().enumerate().find_map(|(file, r)| {
        r.headers.iter().position(|header| *header == key.header).map(|field| (file, field))
    });
    let Some((file, field)) = place else {
        let names: Vec<&str> = records.iter().flat_map(|r| r.headers.iter().map(String::as_str)).collect();
        let help = match nearest(&key.header, names.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("the columns are {}", listed(names.iter().copied())),
        };
        return Err(Diagnostic::error(
            Code::A0416,
            key.span,
            format!("no column of the file is called `{}`", key.header),
        )
        .label("names the rows of the table")
        .help(help));
    };
    let of = &records[file];
    let named: Vec<String> =
        of.rows.iter().map(|row| row.get(field).unwrap_or("").trim().to_string()).collect();
    if let Some(row) = named.iter().position(String::is_empty) {
        return Err(Diagnostic::error(
            Code::A0411,
            key.span,
            format!(
                "a value is missing at {} {} of `{}`, column `{}`",
                of.unit,
                of.line(row),
                of.path,
                key.header
            ),
        )
        .label("names the rows of the table")
        .help("every row of a table with `by` is one value of the category; give it a name in the file"));
    }
    let mut order: Vec<usize> = (0..named.len()).collect();
    order.sort_by(|a, b| compare(&named[*a], &named[*b]));
    if let Some(pair) = order.windows(2).find(|pair| named[pair[0]] == named[pair[1]]) {
        let (first, second) = (pair[0].min(pair[1]), pair[0].max(pair[1]));
        return Err(Diagnostic::error(
            Code::A0445,
            key.span,
            format!(
                "`{}` stands in two rows of `{}`: {} {} and {}",
                short(&named[first]),
                of.path,
                of.unit,
                of.line(first),
                of.line(second)
            ),
        )
        .label("names the rows of the table")
        .related(schema.span, "every row is one value of the category")
        .help("remove one of the rows, or read the file without `by` and group by the column"));
    }
    for file in records.iter_mut() {
        let mut rows: Vec<Option<csv::StringRecord>> =
            std::mem::take(&mut file.rows).into_iter().map(Some).collect();
        file.rows = order.iter().filter_map(|row| rows.get_mut(*row).and_then(Option::take)).collect();
    }
    Ok(Some(order.into_iter().map(|row| named[row].clone()).collect()))
}
