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
    pub help: Option<Box<Help>>,
}

/// The way out: in words and, where it is known exactly, as changes of the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Help {
    pub text: String,
    /// Alternatives, the likeliest first: each does away with the diagnostic.
    pub fixes: Vec<Fix>,
}

/// Changes that belong together.
pub type Fix = Vec<Edit>;

/// One change: the text of a place becomes another. An empty place is where something is inserted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    pub span: Span,
    pub text: String,
}

impl<T: Into<String>> From<T> for Help {
    fn from(text: T) -> Self {
        Help { text: text.into(), fixes: Vec::new() }
    }
}

impl Help {
    /// The name at a place is a slip for another.
    pub fn meant(span: Span, name: &str) -> Self {
        Help::replace(span, name, format!("did you mean `{name}`?"))
    }

    /// Something else is to stand at a place.
    pub fn replace(span: Span, with: impl Into<String>, text: impl Into<String>) -> Self {
        Help::from(text).or(vec![Edit { span, text: with.into() }])
    }

    /// Something is to be inserted at the end of a place.
    pub fn insert_after(span: Span, with: impl Into<String>, text: impl Into<String>) -> Self {
        Help::replace(span.after(), with, text)
    }

    /// Another way to do away with it.
    pub fn or(mut self, fix: Fix) -> Self {
        self.fixes.push(fix);
        self
    }

    /// The last way needs this change too.
    pub fn and(mut self, edit: Option<Edit>) -> Self {
        if let Some(fix) = self.fixes.last_mut() {
            fix.extend(edit);
        }
        self
    }

    /// Other words for the same changes.
    pub fn saying(self, text: impl Into<String>) -> Self {
        Help { text: text.into(), ..self }
    }
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

    pub fn help(mut self, help: impl Into<Help>) -> Self {
        self.help = Some(Box::new(help.into()));
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
