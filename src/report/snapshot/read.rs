//! The text of a snapshot file, read back. Its header is insta's and not looked at.

use super::{Claim, Marked, Snapshot};

/// Why a file is no snapshot: from where to where in its text, and what is wrong there.
#[derive(Clone, Debug, PartialEq)]
pub struct Damage {
    pub place: (usize, usize),
    pub what: &'static str,
}

pub fn read(text: &str) -> Result<Snapshot, Damage> {
    let mut lines = Lines { text, at: 0 };
    let no_header = |place| Damage { place, what: "a snapshot begins with a header between two lines `---`" };
    let (place, first) = lines.next().unwrap_or(((0, 0), ""));
    if first != "---" || !lines.by_ref().any(|(_, line)| line == "---") {
        return Err(no_header(place));
    }
    let mut snapshot = Snapshot::default();
    let mut section = Section::None;
    for (place, line) in lines {
        let damage = |what| Damage { place, what };
        if line.is_empty() {
            section = Section::None;
        } else if let Some(entry) = line.strip_prefix("  ") {
            let broken = damage("neither `coordinates: number` nor `verdict: claim`");
            match section {
                Section::None => return Err(damage("this stands under no heading")),
                Section::Values => {
                    let (coordinate, value) = entry.rsplit_once(": ").ok_or(broken)?;
                    let value = number(value).ok_or(damage("this is no number"))?;
                    let entries = snapshot.values.last_mut().map(|marked| &mut marked.entries);
                    entries.into_iter().for_each(|entries| entries.push((coordinate.to_owned(), value)));
                }
                Section::Claims => {
                    let (verdict, text) = entry.split_once(": ").ok_or(broken)?;
                    snapshot.claims.push(Claim { verdict: verdict.to_owned(), text: text.to_owned() });
                }
            }
        } else if line == "claims" {
            section = Section::Claims;
        } else if let Some(settings) = line.strip_prefix("quick:") {
            snapshot.quick = Some(settings.trim_start().to_owned());
        } else {
            snapshot.values.push(heading(line).ok_or(damage("no heading such as `score (within 0.02)`"))?);
            section = Section::Values;
        }
    }
    Ok(snapshot)
}

#[derive(Clone, Copy)]
enum Section {
    None,
    Values,
    Claims,
}

/// `score (within 0.02)`, or with a single number `score (within 0.02): 0.9`.
fn heading(line: &str) -> Option<Marked> {
    let (name, rest) = line.split_once(" (within ")?;
    let (within, rest) = rest.split_once(')')?;
    let entries = match rest {
        "" => Vec::new(),
        _ => vec![(String::new(), number(rest.strip_prefix(": ")?)?)],
    };
    Some(Marked { name: name.to_owned(), within: number(within)?, entries })
}

fn number(text: &str) -> Option<f64> {
    match text {
        "NaN" => Some(f64::NAN),
        "infinity" => Some(f64::INFINITY),
        "-infinity" => Some(f64::NEG_INFINITY),
        text => text.parse().ok().filter(|value: &f64| value.is_finite()),
    }
}

/// The lines of a text, with their places; without what ends them.
struct Lines<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Iterator for Lines<'t> {
    type Item = ((usize, usize), &'t str);

    fn next(&mut self) -> Option<Self::Item> {
        let rest = self.text.get(self.at..).filter(|rest| !rest.is_empty())?;
        let length = rest.find('\n').unwrap_or(rest.len());
        let line = rest[..length].trim_end_matches('\r');
        let start = self.at;
        self.at += length + 1;
        Some(((start, start + line.len()), line))
    }
}
