//! A first, linear look at the text: comments, brackets, strings, depth.
//!
//! In: the text of one file. Out: its comments in order, and the errors that are better found here than in the
//! grammar: brackets and strings without an end, and nesting so deep that no program means it.

use crate::diagnostic::{Code, Diagnostic, Edit, Help};
use crate::source::{FileId, Span};

use super::ast::Comment;

/// Brackets, or constructs without brackets (`not not not ...`), may be nested so deep.
const DEEPEST: usize = 200;
/// A chain of operators may have so many operands: the tree of a sum leans to the left and is as deep as it is long.
const LONGEST: usize = 20_000;

/// What the first look found.
#[derive(Debug, Default)]
pub(super) struct Scan {
    pub comments: Vec<Comment>,
    pub errors: Vec<Diagnostic>,
    /// Every bracket with its place, in order of the text.
    pub brackets: Vec<(usize, u8)>,
    pub deepest: usize,
}

struct Open {
    at: usize,
    bracket: u8,
    /// Words and prefix operators that opened something since the last statement of this level.
    pending: usize,
    /// Binary operators since the last comma or statement of this level.
    operators: usize,
}

impl Open {
    fn new(at: usize, bracket: u8) -> Self {
        Open { at, bracket, pending: 0, operators: 0 }
    }
}

/// Looks over the whole text once. Of the ways to mend a bracket, those are kept that leave all brackets matched.
pub(super) fn scan(file: FileId, text: &str) -> Scan {
    let mut scan = look(file, text);
    for help in
        scan.errors.iter_mut().filter(|error| error.code == Code::A0005).filter_map(|e| e.help.as_mut())
    {
        help.fixes.retain(|fix| fix.iter().all(|edit| look(file, &with_edit(text, edit)).errors.is_empty()));
    }
    scan
}

fn with_edit(text: &str, edit: &Edit) -> String {
    let mut text = text.to_owned();
    text.replace_range(edit.span.start as usize..edit.span.end as usize, &edit.text);
    text
}

fn look(file: FileId, text: &str) -> Scan {
    let mut scan = Scan::default();
    let bytes = text.as_bytes();
    let mut open = vec![Open::new(0, b' ')];
    // Whether an operand may begin here, so that `-` is a sign.
    let mut before_operand = true;
    let mut line_has_token = false;
    let mut at = 0;
    while at < bytes.len() {
        let byte = bytes[at];
        match byte {
            b'\n' => {
                line_has_token = false;
                at += 1;
                continue;
            }
            b' ' | b'\t' | b'\r' => {
                at += 1;
                continue;
            }
            b'/' if text[at..].starts_with("//") => {
                let end = text[at..].find('\n').map_or(text.len(), |length| at + length);
                let line = text[at..end].trim_end();
                let documentation =
                    line.starts_with("//!") || (line.starts_with("///") && !line.starts_with("////"));
                if !documentation {
                    let span = Span::new(file, at, at + line.len());
                    scan.comments.push(Comment { text: line.to_owned(), span, trailing: line_has_token });
                }
                at = end;
                continue;
            }
            b'"' => match string_end(bytes, at) {
                Some(end) => {
                    starts_line(&mut line_has_token, before_operand, &mut open);
                    at = end;
                    before_operand = false;
                }
                None => {
                    let end = text[at..].find('\n').map_or(text.len(), |length| at + length);
                    scan.errors.push(
                        Diagnostic::error(Code::A0004, Span::new(file, at, end), "this string has no end")
                            .label("opened here")
                            .help(Help::insert_after(
                                Span::new(file, at, at + text[at..end].trim_end().len()),
                                "\"",
                                "close it with `\"` on the same line; write `\\n` for a line break and `\\\"` for a quote",
                            )),
                    );
                    at = end;
                }
            },
            b'(' | b'[' | b'{' => {
                line_has_token = true;
                scan.brackets.push((at, byte));
                open.push(Open::new(at, byte));
                let depth =
                    open.len() - 1 + open.iter().map(|level| level.pending).sum::<usize>().min(DEEPEST + 1);
                scan.deepest = scan.deepest.max(depth);
                if open.len() - 1 > DEEPEST {
                    scan.errors.push(too_deep(file, at));
                    return scan;
                }
                before_operand = true;
                at += 1;
            }
            b')' | b']' | b'}' => {
                line_has_token = true;
                scan.brackets.push((at, byte));
                let top = open.len() - 1;
                if top > 0 && open[top].bracket == opening(byte) {
                    open.pop();
                } else {
                    scan.errors.push(unmatched(
                        file,
                        text,
                        at,
                        byte,
                        if top > 0 { Some(&open[top]) } else { None },
                    ));
                    return scan;
                }
                before_operand = false;
                at += 1;
            }
            _ if byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80 => {
                let length = text[at..]
                    .find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '\''))
                    .unwrap_or(text.len() - at);
                let length = length.max(text[at..].chars().next().map_or(1, char::len_utf8));
                let word = &text[at..at + length];
                let opens =
                    matches!(word, "if" | "match" | "scan" | "iterate" | "fn" | "not" | "else" | "from");
                if !matches!(word, "else" | "from") {
                    starts_line(&mut line_has_token, before_operand, &mut open);
                }
                line_has_token = true;
                if opens {
                    if too_many(&mut open, 1, 0) {
                        scan.errors.push(too_deep(file, at));
                        return scan;
                    }
                    scan.deepest =
                        scan.deepest.max(open.len() - 1 + open.last().map_or(0, |level| level.pending));
                }
                before_operand = opens
                    || matches!(
                        word,
                        "and"
                            | "or"
                            | "within"
                            | "yield"
                            | "assert"
                            | "minimize"
                            | "maximize"
                            | "in"
                            | "by"
                            | "where"
                            | "over"
                            | "with"
                            | "until"
                            | "to"
                            | "when"
                            | "project"
                    );
                at += length;
            }
            b',' => {
                if let Some(level) = open.last_mut() {
                    (level.pending, level.operators) = (0, 0);
                }
                line_has_token = true;
                before_operand = true;
                at += 1;
            }
            _ => {
                line_has_token = true;
                let sign = byte == b'-' && before_operand;
                let nests = sign || byte == b'^';
                if too_many(&mut open, nests as usize, (!sign && byte != b'.') as usize) {
                    scan.errors.push(too_deep(file, at));
                    return scan;
                }
                before_operand = byte != b'.' && byte != b'\'';
                at += 1;
            }
        }
    }
    // A string without an end may have swallowed the bracket.
    if open.len() > 1 && scan.errors.is_empty() {
        scan.errors.push(unclosed(file, text, &scan.brackets));
    }
    scan
}

/// A name or number first on its line, where the line before was complete, begins a new statement.
fn starts_line(line_has_token: &mut bool, before_operand: bool, open: &mut [Open]) {
    if !*line_has_token
        && !before_operand
        && let Some(level) = open.last_mut()
    {
        (level.pending, level.operators) = (0, 0);
    }
    *line_has_token = true;
}

fn too_many(open: &mut [Open], nested: usize, operators: usize) -> bool {
    let Some(level) = open.last_mut() else { return false };
    level.pending += nested;
    level.operators += operators;
    level.pending > 10 * DEEPEST || level.operators > LONGEST
}

fn opening(closing: u8) -> u8 {
    match closing {
        b')' => b'(',
        b']' => b'[',
        _ => b'{',
    }
}

/// The bracket that closes `opening`.
pub(super) fn closing(opening: u8) -> char {
    match opening {
        b'(' => ')',
        b'[' => ']',
        _ => '}',
    }
}

fn string_end(bytes: &[u8], start: usize) -> Option<usize> {
    let mut at = start + 1;
    while at < bytes.len() {
        match bytes[at] {
            b'"' => return Some(at + 1),
            b'\n' => return None,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    None
}

fn too_deep(file: FileId, at: usize) -> Diagnostic {
    Diagnostic::error(
        Code::A0003,
        Span::new(file, at, at + 1),
        "this is nested too deeply, or too long for one expression",
    )
    .label("the limit is passed here")
    .help(format!("give parts of it names with `let`; brackets nest at most {DEEPEST} deep"))
}

fn unmatched(file: FileId, text: &str, at: usize, byte: u8, open: Option<&Open>) -> Diagnostic {
    let found = byte as char;
    let error_place = Span::new(file, at, at + 1);
    let error = Diagnostic::error(
        Code::A0005,
        error_place,
        match open {
            Some(open) => format!("`{found}` does not close `{}`", open.bracket as char),
            None => format!("`{found}` closes nothing"),
        },
    );
    match open {
        Some(open) => error
            .label(format!("`{}` expected", closing(open.bracket)))
            .related(Span::new(file, open.at, open.at + 1), "opened here")
            .help(
                Help::replace(
                    closed_at(file, text, open.at, at),
                    closing(open.bracket),
                    format!("close it with `{}` first, or take `{found}` away", closing(open.bracket)),
                )
                .or(vec![Edit { span: error_place, text: String::new() }]),
            ),
        None => error.label("no bracket is open here").help(Help::replace(
            error_place,
            "",
            "take it away, or look for a bracket closed too early",
        )),
    }
}

/// Where a bracket is best closed: at the end of its line, if what does not close it is on a later one.
fn closed_at(file: FileId, text: &str, open: usize, found: usize) -> Span {
    let line = text[open..found].lines().next().unwrap_or("");
    let later = text[open..found].contains('\n') && text.as_bytes()[open] != b'{';
    let end = match line.find("//") {
        None if later => open + line.trim_end().len(),
        _ => found,
    };
    Span::new(file, end, end)
}

/// The bracket that was left open: the innermost one where the next declaration starts, or where the text ends.
fn unclosed(file: FileId, text: &str, brackets: &[(usize, u8)]) -> Diagnostic {
    let mut open: Vec<(usize, u8)> = Vec::new();
    let mut next = brackets.iter().peekable();
    let mut offset = 0;
    let mut end = text.trim_end().len();
    for line in text.split_inclusive('\n') {
        if !open.is_empty() && super::parse::starts_declaration(line) {
            end = offset;
            break;
        }
        offset += line.len();
        while let Some((at, byte)) = next.next_if(|(at, _)| *at < offset) {
            if matches!(byte, b'(' | b'[' | b'{') {
                open.push((*at, *byte));
            } else {
                open.pop();
            }
        }
    }
    // A statement that begins while a round or square bracket is open shows better where it was forgotten; the
    // innermost bracket is what the user must close first in any case.
    let (at, byte) = open.last().copied().unwrap_or((0, b'{'));
    let before = text[..end].trim_end().len();
    let last = text[..before].char_indices().next_back().map_or(0, |(last, _)| last);
    Diagnostic::error(Code::A0005, Span::new(file, at, at + 1), format!("`{}` is never closed", byte as char))
        .label("opened here")
        .related(
            Span::new(file, last, before),
            format!("still open here, where `{}` is missing", closing(byte)),
        )
        .help(Help::insert_after(
            Span::new(file, last, before),
            closing(byte),
            format!("write the missing `{}`", closing(byte)),
        ))
}
