//! A text that is being written, made readable: what is wrong is blanked, and everything else keeps its place.
//!
//! In: a text with errors of syntax. Out: a text of the same places that can be parsed, for what editors ask about the
//! rest of it; or none, if nothing of it can be made out.

use super::ast::File;
use super::scan::closing;
use super::{ExprIds, parse};
use crate::diagnostic::{Code, Diagnostic};
use crate::source::FileId;

/// After so many attempts the text is given up.
const MOST_ATTEMPTS: usize = 24;

/// The tree of what can be read of a text that has errors. `errors` are those of its parse.
pub fn parse_rest(file: FileId, text: &str, ids: &mut ExprIds, errors: &[Diagnostic]) -> Option<File> {
    let mut text = text.as_bytes().to_vec();
    let mut errors = errors.to_vec();
    for _ in 0..MOST_ATTEMPTS {
        let before = text.clone();
        errors.iter().rev().for_each(|error| mend(&mut text, error));
        if text == before {
            return None;
        }
        // Only whole lines and single bytes of ASCII were replaced.
        let readable = std::str::from_utf8(&text).ok()?;
        match parse(file, readable, ids) {
            Ok(tree) => return Some(tree),
            Err(found) => errors = found,
        }
    }
    None
}

fn mend(text: &mut Vec<u8>, error: &Diagnostic) {
    let start = (error.primary.span.start as usize).min(text.len());
    let end = (error.primary.span.end as usize).clamp(start, text.len());
    match (error.code, text.get(start).copied()) {
        // Not closed: the bracket that is missing is written in the gap where it is missed.
        (Code::A0005, Some(b'{')) => match error.related.first() {
            Some(place) => close(text, start, place.span.end as usize),
            None => blank_statement(text, start, end, false),
        },
        (Code::A0005, Some(b')' | b']' | b'}')) => match error.related.first() {
            Some(open) => blank_statement(text, open.span.start as usize, open.span.end as usize, false),
            None => text[start] = b' ',
        },
        (Code::A0005, _) => blank_statement(text, start, end, false),
        (Code::A0004, Some(b'"')) if end > start + 1 => {
            text[start..end].fill(b' ');
            text[start] = b'"';
            text[start + 1] = b'"';
        }
        _ => blank_statement(text, start, end, true),
    }
}

fn close(text: &mut Vec<u8>, open: usize, at: usize) {
    let bracket = closing(text[open]) as u8;
    match text.get(at) {
        Some(b' ' | b'\t' | b'\n' | b'\r') => text[at] = bracket,
        None => {
            text.push(b'\n');
            text.push(bracket);
        }
        Some(_) => blank_statement(text, open, open + 1, false),
    }
}

/// Blanks the lines of a place and, where brackets match, as many after them as have what their brackets open.
fn blank_statement(text: &mut [u8], start: usize, end: usize, matched: bool) {
    // At the end of a text, or between lines, the line before is at fault.
    let mut start = start.min(text.len());
    while start > 0 && text.get(start).is_none_or(|byte| byte.is_ascii_whitespace()) {
        start -= 1;
    }
    let first = text[..start].iter().rposition(|byte| *byte == b'\n').map_or(0, |newline| newline + 1);
    let line_end =
        |at: usize| text[at..].iter().position(|byte| *byte == b'\n').map_or(text.len(), |n| at + n);
    let mut last = line_end(end.max(start).min(text.len()));
    // Brackets that were opened before stay, those opened here are blanked to their ends.
    let mut depth = 0usize;
    let mut keep = Vec::new();
    let mut at = first;
    let mut within_text = false;
    while at < last || (matched && depth > 0 && at < text.len()) {
        match text[at] {
            b'\n' => within_text = false,
            b'"' => within_text = !within_text,
            b'/' if !within_text && text[at..].starts_with(b"//") => {
                let newline = text[at..].iter().position(|byte| *byte == b'\n');
                at = newline.map_or(text.len(), |n| at + n);
                continue;
            }
            b'(' | b'[' | b'{' if !within_text => depth += 1,
            b')' | b']' | b'}' if !within_text => match depth {
                0 => keep.push(at),
                _ => depth -= 1,
            },
            _ => {}
        }
        at += 1;
        last = last.max(at);
    }
    for (at, byte) in text[..last].iter_mut().enumerate().skip(first) {
        if *byte != b'\n' && !keep.contains(&at) {
            *byte = b' ';
        }
    }
}
