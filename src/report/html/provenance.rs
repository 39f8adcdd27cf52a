//! What the numbers of a page came from.

use super::Report;
use crate::report::escape::escape;

/// Enough of a hash to tell contents apart by eye; the whole of it stands in `results.json`.
const DIGITS: usize = 16;

pub fn provenance(report: &Report) -> String {
    let (from, times) = (&report.results.provenance, &report.results.times);
    let hash = |hash: &str| hash.chars().take(DIGITS).collect::<String>();
    let mut rows: Vec<(String, String)> = vec![
        ("file".to_owned(), from.file.clone()),
        ("its text (blake3)".to_owned(), hash(&from.source)),
        ("the program (blake3)".to_owned(), hash(&from.program)),
        ("seed".to_owned(), from.seed.to_string()),
        ("backend".to_owned(), from.backend.clone()),
        ("Ansatz".to_owned(), from.ansatz.clone()),
    ];
    rows.extend(from.data.iter().map(|(name, content)| (format!("{name} (blake3)"), hash(content))));
    rows.extend(from.settings.iter().map(|(name, value)| (format!("setting {name}"), value.clone())));
    let kept = match times.kept {
        0 => String::new(),
        kept => format!(", {kept} of them kept from before"),
    };
    rows.push(("trials".to_owned(), format!("{}{kept}", times.trials)));
    rows.push(("time".to_owned(), format!("{:.1} s", times.seconds)));
    if let Some(record) = report.record {
        rows.push(("run".to_owned(), record.id.clone()));
        rows.push(("started".to_owned(), date(record.started)));
    }
    let row = |(name, value): &(String, String)| {
        format!("<tr><th scope=\"row\">{}</th><td><code>{}</code></td></tr>\n", escape(name), escape(value))
    };
    let rows: String = rows.iter().filter(|(_, value)| !value.is_empty()).map(row).collect();
    format!(
        "<div class=\"wide\" tabindex=\"0\" role=\"group\" aria-label=\"Provenance\"><table>\n<tbody>\n{rows}</tbody>\n</table></div>\n"
    )
}

/// Milliseconds since 1970 as a date and time of day in UTC.
fn date(milliseconds: u64) -> String {
    let seconds = milliseconds / 1000;
    let (days, of_day) = (seconds / 86_400, seconds % 86_400);
    // Years begin in March here, so that the leap day is their last; 400 years have 146 097 days.
    let shifted = days + 719_468;
    let (era, day) = (shifted / 146_097, shifted % 146_097);
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = era * 400 + year + u64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02} {:02}:{:02} UTC", of_day / 3600, of_day / 60 % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_those_of_the_calendar() {
        assert_eq!(date(0), "1970-01-01 00:00 UTC");
        assert_eq!(date(951_782_400_000), "2000-02-29 00:00 UTC");
        assert_eq!(date(1_709_251_199_000), "2024-02-29 23:59 UTC");
        assert_eq!(date(4_107_542_400_000), "2100-03-01 00:00 UTC");
    }
}
