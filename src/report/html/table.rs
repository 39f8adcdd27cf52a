//! Tables: those that the file asks for, and one of every measure.

use crate::report::escape::escape;
use crate::report::number::{short, with_interval};
use crate::report::plot::{REPLICATES, over_replicates};
use crate::report::stored::{StoredMeasure, StoredResults, StoredTable};

/// A measure of more cells is folded away.
const OPEN: usize = 16;
/// A measure of more cells is summed up.
const LISTED: usize = 400;

/// A `table` statement: means with the half widths of their 95 % intervals.
pub fn stated(table: &StoredTable) -> String {
    let rows: Vec<Vec<String>> = table
        .rows
        .iter()
        .map(|row| {
            let cells = row.cells.iter().map(|cell| with_interval(cell.mean, cell.half_width));
            row.labels.iter().cloned().chain(cells).collect()
        })
        .collect();
    let most = table.rows.iter().flat_map(|row| &row.cells).map(|cell| cell.count).max().unwrap_or(0);
    let heads: Vec<&str> = table.by.iter().chain(&table.columns).map(String::as_str).collect();
    let caption = match most {
        0 | 1 => String::new(),
        most => format!("mean ± half width of the 95 % interval, of {most} values each"),
    };
    format!("{}{}", boxed(&heads, table.by.len(), &rows, "Table"), note(&caption))
}

/// Every measure with its values.
pub fn measures(results: &StoredResults) -> String {
    let single = |measure: &&StoredMeasure| over_replicates(measure).cells.len() == 1;
    let (singles, others): (Vec<&StoredMeasure>, Vec<&StoredMeasure>) =
        results.measures.iter().partition(single);
    let mut out = String::new();
    if !singles.is_empty() {
        let rows: Vec<Vec<String>> = singles
            .iter()
            .map(|measure| {
                let cell = over_replicates(measure).cells[0];
                vec![measure.name.clone(), with_interval(cell.mean, cell.half_width), repeats(measure)]
            })
            .collect();
        out.push_str(&boxed(
            &["measure", "mean ± half width of the 95 % interval", "over"],
            1,
            &rows,
            "Measures",
        ));
    }
    others.iter().for_each(|measure| out.push_str(&several(measure)));
    out
}

/// A measure that has other axes than those of repetition.
fn several(measure: &StoredMeasure) -> String {
    let grid = over_replicates(measure);
    let line = match measure.line {
        0 => String::new(),
        line => format!(" <a class=\"place\" href=\"#L{line}\">line {line}</a>"),
    };
    let axes: Vec<&str> = grid.axes.iter().map(|axis| axis.name.as_str()).collect();
    let name = format!("<code>{}</code> over {}{line}", escape(&measure.name), escape(&axes.join(", ")));
    let table = if grid.cells.len() > LISTED {
        summed_up(measure)
    } else {
        let row = |(number, cell): (usize, &crate::report::plot::Estimate)| {
            let labels = grid.labels(number).into_iter().map(str::to_owned);
            labels.chain([with_interval(cell.mean, cell.half_width)]).collect::<Vec<String>>()
        };
        let rows: Vec<Vec<String>> = grid.cells.iter().enumerate().map(row).collect();
        let over = repeats(measure);
        let value = match over.as_str() {
            "" => measure.name.clone(),
            over => format!("{}, mean over {over} ± half width of its 95 % interval", measure.name),
        };
        let heads: Vec<&str> = axes.iter().copied().chain([value.as_str()]).collect();
        boxed(&heads, axes.len(), &rows, &measure.name)
    };
    let open = if grid.cells.len() <= OPEN { " open" } else { "" };
    format!("<details{open}><summary>{name}</summary>\n{table}</details>\n")
}

/// The spread of many values.
fn summed_up(measure: &StoredMeasure) -> String {
    let mut finite: Vec<f64> = measure.values.iter().copied().filter(|value| value.is_finite()).collect();
    finite.sort_by(f64::total_cmp);
    let at = |share: f64| {
        let place = (share * finite.len().saturating_sub(1) as f64).round() as usize;
        finite.get(place).copied().map_or("-".to_owned(), short)
    };
    let mean = finite.iter().sum::<f64>() / finite.len() as f64;
    let row = vec![
        measure.values.len().to_string(),
        (measure.values.len() - finite.len()).to_string(),
        short(mean),
        at(0.0),
        at(0.25),
        at(0.5),
        at(0.75),
        at(1.0),
    ];
    let heads = ["values", "not finite", "mean", "least", "quarter", "median", "three quarters", "greatest"];
    format!("{}{}", boxed(&heads, 0, &[row], &measure.name), note("All values: ansatz runs export"))
}

/// The axes of repetition, with how many positions each has.
fn repeats(measure: &StoredMeasure) -> String {
    let repeats = measure.axes.iter().filter(|axis| REPLICATES.contains(&axis.name.as_str()));
    repeats
        .map(|axis| format!("{} {}", axis.labels.len(), plural(&axis.name, axis.labels.len())))
        .collect::<Vec<_>>()
        .join(" × ")
}

fn plural(name: &str, count: usize) -> String {
    let name = name.to_lowercase();
    if count == 1 { name } else { format!("{name}s") }
}

/// A table in a box that scrolls where it does not fit. The first `labels` columns name the row.
fn boxed(heads: &[&str], labels: usize, rows: &[Vec<String>], name: &str) -> String {
    let head = |(at, head): (usize, &&str)| {
        let class = if at < labels { "" } else { " class=\"number\"" };
        format!("<th scope=\"col\"{class}>{}</th>", escape(head))
    };
    let heads: String = heads.iter().enumerate().map(head).collect();
    let cell = |(at, cell): (usize, &String)| match at < labels {
        true => format!("<th scope=\"row\">{}</th>", escape(cell)),
        false => format!("<td class=\"number\">{}</td>", escape(cell)),
    };
    let row =
        |row: &Vec<String>| format!("<tr>{}</tr>\n", row.iter().enumerate().map(cell).collect::<String>());
    format!(
        "<div class=\"wide\" tabindex=\"0\" role=\"group\" aria-label=\"{}\"><table>\n<thead><tr>{heads}</tr></thead>\n<tbody>\n{}</tbody>\n</table></div>\n",
        escape(name),
        rows.iter().map(row).collect::<String>()
    )
}

fn note(text: &str) -> String {
    if text.is_empty() { String::new() } else { format!("<p class=\"note\">{}</p>\n", escape(text)) }
}
