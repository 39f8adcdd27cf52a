//! Claims with what decided them.

use crate::report::escape::escape;
use crate::report::number::short;
use crate::report::stored::{StoredClaim, StoredEvidence, StoredResults, StoredSide};

/// Up to so many values are all shown, each with its labels.
const LISTED: usize = 8;

/// How many claims hold, in a line.
pub fn summary(results: &StoredResults) -> String {
    let count = results.claims.len();
    if count == 0 {
        return "<p class=\"summary\">This experiment claims nothing.</p>\n".to_owned();
    }
    let held = results.claims.iter().filter(|claim| holds(claim)).count();
    let class = if held == count { "holds" } else { "refuted" };
    let diverged = match results.diverged.len() {
        0 => String::new(),
        1 => "; 1 trial diverged".to_owned(),
        several => format!("; {several} trials diverged"),
    };
    format!(
        "<p class=\"summary\"><strong class=\"{class}\">{held} of {count} claims hold</strong>{diverged}</p>\n"
    )
}

pub fn holds(claim: &StoredClaim) -> bool {
    claim.verdict == "holds"
}

/// `✓ holds`
pub fn badge(holds: bool) -> &'static str {
    match holds {
        true => "<span class=\"badge holds\">✓ holds</span>",
        false => "<span class=\"badge refuted\">✗ refuted</span>",
    }
}

/// Every claim with its comparisons.
pub fn verdicts(results: &StoredResults) -> String {
    results.claims.iter().map(claim).collect()
}

fn claim(claim: &StoredClaim) -> String {
    let line = match claim.line {
        0 => String::new(),
        line => format!(" <a class=\"place\" href=\"#L{line}\">line {line}</a>"),
    };
    let evidence = match claim.evidence.as_slice() {
        [] => "<p>There is nothing to decide it by.</p>\n".to_owned(),
        evidence => {
            let rows: String = evidence.iter().map(row).collect();
            format!(
                "<div class=\"wide\" tabindex=\"0\" role=\"group\" aria-label=\"Evidence\"><table>\n\
                 <thead><tr><th scope=\"col\">quantity</th><th scope=\"col\">found</th><th scope=\"col\">compared with</th>\
                 <th scope=\"col\">so</th></tr></thead>\n<tbody>\n{rows}</tbody>\n</table></div>\n"
            )
        }
    };
    let class = if holds(claim) { "holds" } else { "refuted" };
    format!(
        "<article class=\"claim {class}\">\n<h3>{} {}{line}</h3>\n{evidence}</article>\n",
        badge(holds(claim)),
        escape(&claim.text)
    )
}

fn row(evidence: &StoredEvidence) -> String {
    let against = match &evidence.right {
        None => "must be true".to_owned(),
        Some(right) => {
            let within =
                evidence.within.as_ref().map_or(String::new(), |within| format!(" within {}", bound(within)));
            format!("{} {}{within}", relation(&evidence.relation), bound(right))
        }
    };
    format!(
        "<tr><th scope=\"row\"><code>{}</code></th><td>{}</td><td>{against}</td><td>{}</td></tr>\n",
        escape(&evidence.left.source),
        values(&evidence.left),
        if evidence.holds { "yes" } else { "<span class=\"refuted\">no</span>" }
    )
}

fn relation(relation: &str) -> String {
    escape(match relation {
        "<=" => "≤",
        ">=" => "≥",
        "==" => "=",
        "!=" => "≠",
        "~=" => "≈",
        other => other,
    })
}

/// What a quantity is compared with; a number that the user wrote stands alone.
fn bound(side: &StoredSide) -> String {
    if side.source.parse::<f64>().is_ok() || side.values.len() == 1 && side.source == short(side.values[0]) {
        return escape(&side.source);
    }
    format!("<code>{}</code>: {}", escape(&side.source), values(side))
}

/// The values with their labels; of many, their range.
fn values(side: &StoredSide) -> String {
    match side.values.as_slice() {
        [one] if side.axes.iter().all(|axis| axis.labels.len() == 1) => short(*one),
        many if many.len() <= LISTED => {
            let measure = side.as_measure();
            let names: Vec<&str> = measure.axes.iter().map(|axis| axis.name.as_str()).collect();
            let grid = crate::report::plot::grid(&measure, &names);
            let value = |(number, value): (usize, &f64)| {
                let labels = names.iter().zip(grid.labels(number)).map(|(name, label)| labelled(name, label));
                let labels = escape(&labels.collect::<Vec<_>>().join(", "));
                format!("<span class=\"value\"><i>{labels}:</i> {}</span>", short(*value))
            };
            many.iter().enumerate().map(value).collect::<Vec<_>>().join(" ")
        }
        many => {
            let low = many.iter().copied().fold(f64::INFINITY, f64::min);
            let high = many.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let axes: Vec<&str> = side.axes.iter().map(|axis| axis.name.as_str()).collect();
            format!("{} to {} over {}", short(low), short(high), escape(&axes.join(", ")))
        }
    }
}

/// `Seed 0`, as a number says nothing alone; `plain`.
fn labelled(axis: &str, label: &str) -> String {
    if label.parse::<f64>().is_ok() { format!("{axis} {label}") } else { label.to_owned() }
}
