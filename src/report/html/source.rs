//! The text of the file with what came of it beside its lines.

use std::collections::HashMap;

use super::{Report, verdict};
use crate::report::escape::{escape, shortened};
use crate::report::number::with_interval;
use crate::report::plot::over_replicates;
use crate::report::stored::{StoredMeasure, StoredResults};

/// So many values of a measure stand beside its line.
const BESIDE: usize = 4;

/// What the file says of itself: its first lines, `//! ...`.
pub fn introduction(report: &Report) -> String {
    let lines = report.source.unwrap_or("").lines().map_while(|line| line.strip_prefix("//!"));
    let text: Vec<&str> = lines.map(str::trim).collect();
    let paragraphs = text.split(|line| line.is_empty()).filter(|lines| !lines.is_empty());
    paragraphs.map(|lines| format!("<p class=\"introduction\">{}</p>\n", escape(&lines.join(" ")))).collect()
}

/// Every line with its number, and the verdicts and values of the claims and measures that begin there.
pub fn source(report: &Report) -> String {
    let Some(text) = report.source else { return String::new() };
    let beside = beside(report.results);
    let line = |(number, line): (usize, &str)| {
        let number = number + 1;
        let result = beside
            .get(&number)
            .map_or(String::new(), |result| format!("<span class=\"result\">{result}</span>"));
        let class = if result.is_empty() { "line" } else { "line marked" };
        format!(
            "<div class=\"{class}\" id=\"L{number}\"><span class=\"digits\">{number}</span><code>{}</code>{result}</div>\n",
            coloured(line)
        )
    };
    let lines: String = text.lines().enumerate().map(line).collect();
    format!("<div class=\"wide code\" tabindex=\"0\" role=\"group\" aria-label=\"Source\">\n{lines}</div>\n")
}

fn beside(results: &StoredResults) -> HashMap<usize, String> {
    let mut beside: HashMap<usize, String> = HashMap::new();
    let mut add = |line: usize, text: String| {
        let known = beside.entry(line).or_default();
        if !known.is_empty() {
            known.push(' ');
        }
        known.push_str(&text);
    };
    for claim in &results.claims {
        add(claim.line, verdict::badge(verdict::holds(claim)).to_owned());
    }
    for measure in &results.measures {
        add(measure.line, escape(&values(measure)));
    }
    for divergence in &results.diverged {
        add(divergence.line, format!("<span class=\"refuted\">diverged at step {}</span>", divergence.step));
    }
    beside
}

/// `0.97 ± 0.01 plain, 0.95 ± 0.02 smoothed`
fn values(measure: &StoredMeasure) -> String {
    let grid = over_replicates(measure);
    let shown = grid.cells.iter().enumerate().take(BESIDE).map(|(number, cell)| {
        let labels = shortened(&grid.labels(number).join(", "), 30);
        format!("{} {labels}", with_interval(cell.mean, cell.half_width)).trim_end().to_owned()
    });
    let mut text = shown.collect::<Vec<_>>().join(" · ");
    if grid.cells.len() > BESIDE {
        text.push_str(&format!(" … {} values", grid.cells.len()));
    }
    text
}

/// A line with its comment and its texts marked. A text may hold `//`, and a comment quotes.
fn coloured(line: &str) -> String {
    let mut out = String::new();
    let mut rest = line;
    while !rest.is_empty() {
        let (class, length) = if rest.starts_with("//") {
            ("comment", rest.len())
        } else if let Some(text) = rest.strip_prefix('"') {
            ("text", text.find('"').map_or(rest.len(), |end| end + 2))
        } else {
            let end = [rest.find("//"), rest.find('"')].into_iter().flatten().min();
            ("", end.unwrap_or(rest.len()))
        };
        let (part, after) = rest.split_at(length);
        match class {
            "" => out.push_str(&escape(part)),
            class => out.push_str(&format!("<span class=\"{class}\">{}</span>", escape(part))),
        }
        rest = after;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_texts_are_marked() {
        assert_eq!(
            coloured("claim \"a // b\": x < 1 // \"so\""),
            "claim <span class=\"text\">&quot;a // b&quot;</span>: x &lt; 1 <span class=\"comment\">// &quot;so&quot;</span>"
        );
        assert_eq!(coloured("\"open"), "<span class=\"text\">&quot;open</span>");
    }
}
