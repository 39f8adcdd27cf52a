//! Diagnostics: what every stage says to the user, and nothing about how it found out.
//!
//! In: codes, spans and names. Out: a [`Diagnostic`] value; `render` turns it into text with ariadne.
//! Every code has one line in `codes.rs` and one page in `docs/errors/`.

mod codes;
mod render;

pub use codes::{Code, explain};
pub use render::render;

use crate::source::Span;

/// A place in the source with what there is to say about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    pub span: Span,
    pub text: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    Warning,
    Error,
}

/// One message: code, primary place, other places, and the way out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    pub code: Code,
    pub severity: Severity,
    pub message: String,
    /// Where the problem shows.
    pub primary: Label,
    /// The other places: where the expectation was set.
    pub related: Vec<Label>,
    /// What to write instead, or where to look.
    pub help: Option<String>,
}

impl Diagnostic {
    pub fn error(code: Code, span: Span, message: impl Into<String>) -> Self {
        Diagnostic {
            code,
            severity: Severity::Error,
            message: message.into(),
            primary: Label { span, text: String::new() },
            related: Vec::new(),
            help: None,
        }
    }

    pub fn warning(code: Code, span: Span, message: impl Into<String>) -> Self {
        Diagnostic { severity: Severity::Warning, ..Self::error(code, span, message) }
    }

    /// What the primary place is, in a few words.
    pub fn label(mut self, text: impl Into<String>) -> Self {
        self.primary.text = text.into();
        self
    }

    /// The other place that set the expectation.
    pub fn related(mut self, span: Span, text: impl Into<String>) -> Self {
        self.related.push(Label { span, text: text.into() });
        self
    }

    pub fn help(mut self, text: impl Into<String>) -> Self {
        self.help = Some(text.into());
        self
    }
}

/// What a stage returns: its value, or everything that is wrong.
pub type Checked<T> = Result<T, Vec<Diagnostic>>;

/// The name nearest to `wanted`, if one is near enough to be what the user meant.
pub fn nearest<'a>(wanted: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let limit = 1 + wanted.chars().count() / 4;
    known
        .into_iter()
        .map(|name| (strsim::damerau_levenshtein(&wanted.to_lowercase(), &name.to_lowercase()), name))
        .filter(|(distance, _)| *distance <= limit && *distance < wanted.chars().count())
        .min()
        .map(|(_, name)| name)
}
