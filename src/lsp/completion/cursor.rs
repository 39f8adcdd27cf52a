//! The text with a name at the cursor, so that it can be read: what the tree has there says what is being written.
//!
//! In: a text that is half written, and a place. Out: an analysis of it with a name of our own at the place.

use crate::check::{Analysis, analyse};
use crate::source::{FileId, Span};
use crate::syntax::names::{Role, Written, names};

/// No name that anyone writes.
const MARK: &str = "zz_cursor_zz";

pub struct Cursor {
    pub analysis: Analysis,
    /// What is written of the word already.
    pub prefix: String,
    /// Where the word begins, in this text and in the editor's.
    pub start: usize,
}

impl Cursor {
    /// None where nothing can be completed: in comments, texts and numbers.
    pub fn new(name: &str, text: &str, at: usize) -> Option<Cursor> {
        let letter = |c: char| c.is_alphanumeric() || c == '_';
        let start = text[..at].char_indices().rev().take_while(|(_, c)| letter(*c)).last();
        let start = start.map_or(at, |(start, _)| start);
        let prefix = &text[start..at];
        if prefix.starts_with(|c: char| c.is_ascii_digit()) || in_words(text, start) {
            return None;
        }
        let end = at + text[at..].find(|c| !letter(c)).unwrap_or(text.len() - at);
        let mut last = None;
        for candidate in candidates(text, start, at, end) {
            let mark = candidate.find(MARK)?;
            let analysis = analyse(name, &candidate, Some(mark));
            let cursor = Cursor { analysis, prefix: prefix.to_owned(), start };
            if cursor.written().is_some() {
                return Some(cursor);
            }
            last = Some(cursor);
        }
        last
    }

    /// The name at the cursor, and what it is there for.
    pub fn written(&self) -> Option<Written<'_>> {
        let names = names(self.analysis.file()?);
        names.into_iter().find(|written| written.name.text.ends_with(MARK))
    }

    /// Whether an expression is the name at the cursor.
    pub fn is_here(&self, span: Span) -> bool {
        span.file == FileId(0) && self.written().is_some_and(|written| written.name.span == span)
    }

    /// Whether the name at the cursor could begin a statement.
    pub fn begins_line(&self, text: &str) -> bool {
        let before = text[..self.start].trim_end_matches([' ', '\t']);
        before.is_empty() || before.ends_with(['\n', '{'])
    }

    /// The word before the one at the cursor.
    pub fn word_before<'t>(&self, text: &'t str) -> &'t str {
        let before = text[..self.start].trim_end();
        let letter = |c: char| c.is_alphanumeric() || c == '_';
        let start = before.char_indices().rev().take_while(|(_, c)| letter(*c)).last();
        start.map_or("", |(start, _)| &before[start..])
    }

    pub fn role(&self) -> Option<Role<'_>> {
        self.written().map(|written| written.role)
    }
}

/// Texts with a name at the cursor, from the one that keeps most to the one that is surely readable.
fn candidates(text: &str, start: usize, at: usize, end: usize) -> [String; 4] {
    let name = format!("{}{MARK}", &text[start..at]);
    let line_start = text[..start].rfind('\n').map_or(0, |newline| newline + 1);
    let line_end = text[end..].find('\n').map_or(text.len(), |newline| end + newline);
    let before = &text[line_start..start];
    // Closed on this line, where it was left open; a brace that opens a block stays.
    let closers: String = open_brackets(before).iter().rev().collect();
    let block = text[end..line_end].trim_end().ends_with('{') && !closers.contains('}');
    let head = |tail: &str| format!("{}{before}{name}{tail}{}", &text[..line_start], &text[line_end..]);
    // `data.part.na`: the chain alone, as a value.
    let chain =
        before.char_indices().rev().take_while(|(_, c)| c.is_alphanumeric() || matches!(c, '_' | '.'));
    let chain = chain.last().map_or("", |(from, _)| &before[from..]);
    // A call on this line, whatever stands before it.
    let call = last_call(before);
    let close: String = open_brackets(call).iter().rev().collect();
    [
        format!("{}{name}{}", &text[..start], &text[end..]),
        head(&format!("{closers}{}", if block { " {" } else { "" })),
        format!("{}{call}{name}{close}{}", &text[..line_start], &text[line_end..]),
        format!("{}{chain}{name}{}", &text[..line_start], &text[line_end..]),
    ]
}

fn open_brackets(text: &str) -> Vec<char> {
    let mut open = Vec::new();
    for c in text.chars() {
        match c {
            '(' => open.push(')'),
            '[' => open.push(']'),
            '{' => open.push('}'),
            ')' | ']' | '}' => drop(open.pop()),
            _ => {}
        }
    }
    open
}

/// From the name of the innermost call that is open at the end of a line.
fn last_call(before: &str) -> &str {
    let mut depth = 0usize;
    for (at, c) in before.char_indices().rev() {
        match c {
            ')' | ']' | '}' => depth += 1,
            '(' if depth == 0 => {
                let callee = before[..at].char_indices().rev();
                let callee = callee.take_while(|(_, c)| c.is_alphanumeric() || matches!(c, '_' | '.'));
                return callee.last().map_or("", |(from, _)| &before[from..]);
            }
            '(' | '[' | '{' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    ""
}

/// Whether a place is in a text or a comment.
fn in_words(text: &str, at: usize) -> bool {
    let line = text[..at].rsplit('\n').next().unwrap_or("");
    let (mut quoted, mut escaped, mut slashes) = (false, false, false);
    for c in line.chars() {
        match c {
            '"' if !escaped => quoted = !quoted,
            '/' if !quoted && slashes => return true,
            _ => {}
        }
        escaped = c == '\\' && !escaped;
        slashes = c == '/';
    }
    quoted
}
