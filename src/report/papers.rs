//! A table of experiments with what each of them claims and found, for a page of a book.
//!
//! In: finished runs with their sources. Out: Markdown, with a row for each file; and how two such tables differ but for times and last digits.

use super::number::{short, with_interval};
use super::stored::{StoredClaim, StoredEvidence, StoredResults, StoredSide};
use crate::run::table::summarise;

/// What the newest run of each experiment of a file has left.
pub struct Entry {
    /// As links of the page name it.
    pub link: String,
    pub source: String,
    pub runs: Vec<StoredResults>,
}

const HEADING: &str = "\
# Papers

What each experiment claims, whether it holds, and what decided it. `ansatz runs table` writes this page from the results of runs.

- An effect with the axis `Seed` is shown as its mean over all that it has, with the half width of the 95 % t interval of that mean; else as its range.
- Seconds are those of a run from nothing; where trials were kept from before, it says so. Lines are those of code, without comments and blank lines.
";

/// The page.
pub fn papers(entries: &[Entry]) -> String {
    let mut out = format!(
        "{HEADING}\n| experiment | claims, and what decided them | seeds | seconds | lines | differences |\n|---|---|---|---|---|---|\n"
    );
    for entry in entries {
        let header: Vec<&str> =
            entry.source.lines().map_while(|line| line.strip_prefix("//!")).map(str::trim).collect();
        let title = header.first().copied().unwrap_or_default();
        let claims: Vec<String> = entry.runs.iter().flat_map(|run| &run.claims).map(claim).collect();
        let cells = [
            format!("[{}]({})", cell_text(title), entry.link),
            claims.join("<br>"),
            seeds(&entry.runs),
            seconds(&entry.runs),
            lines_of_code(&entry.source).to_string(),
            cell_text(&differences(&header)),
        ];
        out.push_str(&format!("| {} |\n", cells.join(" | ")));
    }
    out
}

fn claim(claim: &StoredClaim) -> String {
    let decided: Vec<String> = claim.evidence.iter().map(evidence).collect();
    format!("{}: {} ({})", cell_text(&claim.verdict), cell_text(&claim.text), decided.join("; "))
}

fn evidence(evidence: &StoredEvidence) -> String {
    let left = format!("`{}` {}", evidence.left.source.replace('|', "\\|"), values(&evidence.left));
    let Some(right) = &evidence.right else { return left };
    let relation = cell_text(&evidence.relation);
    match right.axes.is_empty() {
        true => format!("{left} {relation} {}", values(right)),
        false => format!("{left} {relation} `{}` {}", right.source.replace('|', "\\|"), values(right)),
    }
}

fn values(side: &StoredSide) -> String {
    let known: Vec<f64> = side.values.iter().copied().filter(|value| !value.is_nan()).collect();
    if known.len() <= 1 {
        return known.first().map_or("-".to_owned(), |value| short(*value));
    }
    if side.axes.iter().any(|axis| axis.name == "Seed") {
        let cell = summarise(&known);
        return with_interval(cell.mean, cell.half_width);
    }
    let (least, most) =
        known.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), v| (a.min(*v), b.max(*v)));
    format!("{} to {}", short(least), short(most))
}

/// The most that any measure has.
fn seeds(runs: &[StoredResults]) -> String {
    let axes = runs.iter().flat_map(|run| &run.measures).flat_map(|measure| &measure.axes);
    let most = axes.filter(|axis| axis.name == "Seed").map(|axis| axis.labels.len()).max();
    most.map_or("-".to_owned(), |most| most.to_string())
}

fn seconds(runs: &[StoredResults]) -> String {
    match runs.iter().any(|run| run.times.kept > 0) {
        true => "kept".to_owned(),
        false => format!("{:.0}", runs.iter().map(|run| run.times.seconds).sum::<f64>().ceil()),
    }
}

fn lines_of_code(source: &str) -> usize {
    let code = |line: &&str| !line.trim().is_empty() && !line.trim().starts_with("//");
    source.lines().filter(code).count()
}

/// The sentences of a file's header on what was refuted, is not claimed or not reproduced.
fn differences(header: &[&str]) -> String {
    let text = header.iter().skip(1).copied().collect::<Vec<_>>().join(" ");
    let marks = ["Refuted", "Not claimed", "Not reproduced", "Reported only", "Reported, not claimed"];
    let sentences = text.split_inclusive(". ").map(str::trim).filter(|sentence| !sentence.is_empty());
    let wanted = sentences.filter(|sentence| marks.iter().any(|mark| sentence.starts_with(mark)));
    wanted.collect::<Vec<_>>().join(" ")
}

fn cell_text(text: &str) -> String {
    text.replace('|', "\\|").replace('<', "&lt;")
}

/// The first lines in which two pages differ: words exactly, numbers by more than a twentieth and 0.02, seconds not at all.
pub fn differing<'t>(old: &'t str, new: &'t str) -> Option<(&'t str, &'t str)> {
    let (mut old, mut new) = (old.lines(), new.lines());
    loop {
        match (old.next(), new.next()) {
            (None, None) => return None,
            (a, b) => {
                let (a, b) = (a.unwrap_or_default(), b.unwrap_or_default());
                if !alike(&without_seconds(a), &without_seconds(b)) {
                    return Some((a, b));
                }
            }
        }
    }
}

fn without_seconds(line: &str) -> String {
    let cells: Vec<&str> = line.split(" | ").collect();
    let kept = cells.iter().enumerate().filter(|(at, _)| cells.len() < 6 || *at + 3 != cells.len());
    kept.map(|(_, cell)| *cell).collect::<Vec<_>>().join(" | ")
}

fn alike(a: &str, b: &str) -> bool {
    let words = |text: &str| -> Vec<String> {
        text.split(|c: char| c.is_whitespace() || "();".contains(c)).map(str::to_owned).collect()
    };
    let (a, b) = (words(a), words(b));
    let same = |(a, b): (&String, &String)| match (a.parse::<f64>(), b.parse::<f64>()) {
        (Ok(x), Ok(y)) => x == y || (x - y).abs() <= 0.02 + 0.05 * x.abs().max(y.abs()),
        _ => a == b,
    };
    a.len() == b.len() && a.iter().zip(&b).all(same)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn last_digits_and_seconds_do_not_count() {
        let row = |effect: &str, seconds: &str| {
            format!("| [A](a.anz) | holds: it learns (`gain` {effect} > 0) | 5 | {seconds} | 40 | - |")
        };
        assert_eq!(differing(&row("0.912 ± 0.012", "3"), &row("0.915 ± 0.013", "7")), None);
        assert_eq!(differing(&row("0.1 to infinity", "3"), &row("0.1 to infinity", "3")), None);
        let (old, new) = (row("0.912 ± 0.012", "3"), row("0.512 ± 0.012", "3"));
        assert_eq!(differing(&old, &new), Some((&old[..], &new[..])));
        let refuted = row("0.912 ± 0.012", "3").replace("holds", "refuted");
        assert!(differing(&row("0.912 ± 0.012", "3"), &refuted).is_some());
    }

    #[test]
    fn a_header_says_what_differs() {
        let header = [
            "A title.",
            "",
            "It learns. Refuted here, and reported: this. Data: that.",
            "Not reproduced: all.",
        ];
        assert_eq!(differences(&header), "Refuted here, and reported: this. Not reproduced: all.");
        assert_eq!(lines_of_code("//! a\n\n/// b\nlet x = 1\n  // c\nlet y = 2\n"), 2);
    }
}
