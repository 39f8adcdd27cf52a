//! The one place where diagnostics become text.

use ariadne::{Color, Config, IndexType, Label as Mark, Report, ReportKind};

use super::{Diagnostic, Severity};
use crate::source::{Source, Sources};

/// Text of all diagnostics, in the order given, with the source lines they point to.
pub fn render(diagnostics: &[Diagnostic], sources: &Sources, colour: bool) -> String {
    let mut out = Vec::new();
    for diagnostic in diagnostics {
        if !can_be_shown(diagnostic, sources) {
            out.extend(plain(diagnostic, sources).into_bytes());
            continue;
        }
        // Writing to memory cannot fail.
        let _ = report(diagnostic, sources, colour).write(Cache { sources, open: Vec::new() }, &mut out);
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// Longer lines (in bytes) are not shown: a file of one line of a megabyte would fill the screen.
const LONGEST_LINE: usize = 2000;

fn can_be_shown(diagnostic: &Diagnostic, sources: &Sources) -> bool {
    let spans = diagnostic.related.iter().chain([&diagnostic.primary]).map(|label| label.span);
    spans.into_iter().all(|span| {
        let text = &sources.get(span.file).text;
        let start = (span.start as usize).min(text.len());
        let end = (span.end as usize).clamp(start, text.len());
        let before = text.as_bytes()[..start].iter().rev().take_while(|b| **b != b'\n').count();
        let after = text.as_bytes()[end..].iter().take_while(|b| **b != b'\n').count();
        !text.is_empty() && before + after <= LONGEST_LINE && end - start <= 100 * LONGEST_LINE
    })
}

/// The message with its place, without the source.
fn plain(diagnostic: &Diagnostic, sources: &Sources) -> String {
    let word = match diagnostic.severity {
        Severity::Error => "Error",
        Severity::Warning => "Warning",
    };
    let (line, column) = sources.position(diagnostic.primary.span);
    let name = &sources.get(diagnostic.primary.span.file).name;
    let mut text =
        format!("[{}] {word}: {}\n   at {name}:{line}:{column}\n", diagnostic.code, diagnostic.message);
    if let Some(help) = &diagnostic.help {
        text.push_str(&format!("   Help: {}\n", help.text));
    }
    text
}

type Place = (u32, std::ops::Range<usize>);

fn report<'a>(diagnostic: &Diagnostic, sources: &Sources, colour: bool) -> Report<'a, Place> {
    let place = |span: crate::source::Span| -> Place {
        let length = sources.get(span.file).text.len();
        let start = (span.start as usize).min(length);
        (span.file.0, start..(span.end as usize).clamp(start, length))
    };
    let (kind, main) = match diagnostic.severity {
        Severity::Error => (ReportKind::Error, Color::Red),
        Severity::Warning => (ReportKind::Warning, Color::Yellow),
    };
    let text = if diagnostic.primary.text.is_empty() { "here" } else { &diagnostic.primary.text };
    let mut builder = Report::build(kind, place(diagnostic.primary.span))
        .with_code(diagnostic.code)
        .with_message(&diagnostic.message)
        .with_config(Config::default().with_color(colour).with_index_type(IndexType::Byte))
        .with_label(Mark::new(place(diagnostic.primary.span)).with_message(text).with_color(main));
    for label in &diagnostic.related {
        builder = builder
            .with_label(Mark::new(place(label.span)).with_message(&label.text).with_color(Color::Cyan));
    }
    if let Some(help) = &diagnostic.help {
        builder = builder.with_help(&help.text);
    }
    builder.finish()
}

struct Cache<'a> {
    sources: &'a Sources,
    open: Vec<(u32, ariadne::Source<String>)>,
}

impl ariadne::Cache<u32> for Cache<'_> {
    type Storage = String;

    fn fetch(&mut self, id: &u32) -> Result<&ariadne::Source<String>, impl std::fmt::Debug> {
        let at = match self.open.iter().position(|(known, _)| known == id) {
            Some(at) => at,
            None => {
                let source: &Source = self.sources.get(crate::source::FileId(*id));
                self.open.push((*id, ariadne::Source::from(source.text.clone())));
                self.open.len() - 1
            }
        };
        Ok::<_, String>(&self.open[at].1)
    }

    fn display<'b>(&self, id: &'b u32) -> Option<impl std::fmt::Display + 'b> {
        Some(self.sources.get(crate::source::FileId(*id)).name.clone())
    }
}
