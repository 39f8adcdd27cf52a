//! From the tree back to text: `ansatz fmt`.
//!
//! In: a tree and the text it was parsed from, which is asked only for the comments' surroundings and for where the
//! writer broke lines. Out: the text in the one form that the formatter knows. Formatting its own output changes
//! nothing.

mod doc;
mod expression;
mod item;
mod statement;

use doc::{Doc, docs, join, render};
pub(super) use expression::sign;

use super::ast::{Comment, File, Name};
use crate::source::Span;

/// The widest line, if it can be helped.
const WIDTH: usize = 100;

/// The text of a file as the formatter prints it.
pub fn format(file: &File, text: &str) -> String {
    let mut formatter = Formatter { text, comments: &file.comments, next: 0 };
    let mut parts: Vec<Doc> = Vec::new();
    let start = file.items.first().map_or(text.len(), |item| item.span.start as usize);
    if !file.docs.is_empty() {
        // Comments above the documentation of the file stay above it.
        let top = text.find("//!").unwrap_or(0);
        while let Some(comment) = formatter.comment_before(top.min(start)) {
            parts.extend([Doc::text(&comment.text), Doc::Hard]);
        }
        for line in &file.docs {
            parts.extend([documentation("//!", line), Doc::Hard]);
        }
        if !file.items.is_empty() || formatter.next < file.comments.len() {
            parts.push(Doc::Hard);
        }
    }
    let elements = file.items.iter().map(|item| (item.span, item)).collect();
    let body = formatter.lines(elements, text.len(), |formatter, item| formatter.item(item));
    parts.push(body);
    let out = render(&Doc::Many(parts), WIDTH);
    let out = out.trim_end();
    if out.is_empty() { String::new() } else { format!("{out}\n") }
}

fn documentation(mark: &str, line: &str) -> Doc {
    Doc::Text(if line.is_empty() { mark.to_owned() } else { format!("{mark} {line}") })
}

struct Formatter<'a> {
    text: &'a str,
    comments: &'a [Comment],
    /// The first comment that is not printed yet.
    next: usize,
}

impl<'a> Formatter<'a> {
    /// The next comment, if it starts before `at`; it counts as printed.
    fn comment_before(&mut self, at: usize) -> Option<&'a Comment> {
        let comment = self.comments.get(self.next).filter(|comment| (comment.span.start as usize) < at)?;
        self.next += 1;
        Some(comment)
    }

    fn has_comment_before(&self, at: usize) -> bool {
        self.comments.get(self.next).is_some_and(|comment| (comment.span.start as usize) < at)
    }

    /// The comments that stand on the same line behind `end`, before any other element.
    fn trailing(&mut self, end: &mut usize) -> Vec<Doc> {
        let mut out = Vec::new();
        while let Some(comment) = self.comments.get(self.next) {
            let start = comment.span.start as usize;
            let between = self.text.get(*end..start).unwrap_or("\n");
            if !between.chars().all(|c| matches!(c, ' ' | '\t' | ',')) {
                break;
            }
            self.next += 1;
            *end = comment.span.end as usize;
            out.push(Doc::Comment(comment.text.clone()));
        }
        out
    }

    fn blank_between(&self, from: usize, to: usize) -> bool {
        self.text.get(from..to).is_some_and(|gap| gap.matches('\n').count() > 1)
    }

    /// Elements on lines of their own, with the comments and single blank lines between them.
    fn lines<T>(
        &mut self,
        elements: Vec<(Span, T)>,
        end: usize,
        print: impl FnMut(&mut Self, T) -> Doc,
    ) -> Doc {
        self.separated(elements, end, |_| Doc::Many(Vec::new()), print)
    }

    /// As `lines`, with a separator behind each element.
    fn separated<T>(
        &mut self,
        elements: Vec<(Span, T)>,
        end: usize,
        separator: impl Fn(bool) -> Doc,
        mut print: impl FnMut(&mut Self, T) -> Doc,
    ) -> Doc {
        let mut out: Vec<Doc> = Vec::new();
        let mut before: Option<usize> = None;
        let count = elements.len();
        for (index, (span, element)) in elements.into_iter().enumerate() {
            let start = span.start as usize;
            self.own_lines(start, &mut before, &mut out);
            if let Some(before) = before {
                out.push(if self.blank_between(before, start) { Doc::Blank } else { Doc::Line });
            }
            let printed = print(self, element);
            // What stood inside the element where no line can be given to it goes above it.
            while let Some(comment) = self.comment_before(span.end as usize) {
                out.extend([Doc::text(&comment.text), Doc::Hard]);
            }
            out.push(printed);
            out.push(separator(index + 1 == count));
            let mut end = span.end as usize;
            out.extend(self.trailing(&mut end));
            before = Some(end);
        }
        self.own_lines(end, &mut before, &mut out);
        Doc::Many(out)
    }

    fn own_lines(&mut self, until: usize, before: &mut Option<usize>, out: &mut Vec<Doc>) {
        while let Some(comment) = self.comment_before(until) {
            if let Some(before) = *before {
                let blank = self.blank_between(before, comment.span.start as usize);
                out.push(if blank { Doc::Blank } else { Doc::Hard });
            }
            // Whatever holds a comment cannot be on one line.
            out.extend([Doc::text(&comment.text), Doc::Comment(String::new())]);
            *before = Some(comment.span.end as usize);
        }
    }

    /// The first place from `at` on that is neither white space nor a comment.
    fn skip(&self, mut at: usize) -> usize {
        while let Some(rest) = self.text.get(at..) {
            let trimmed = rest.trim_start();
            at = self.text.len() - trimmed.len();
            if !trimmed.starts_with("//") {
                break;
            }
            at += trimmed.find('\n').unwrap_or(trimmed.len());
        }
        at
    }

    /// Elements in braces. They stay on one line if the writer put the first one behind the brace and all fit.
    /// `header_end` is a place before the brace with nothing but the brace between it and the first element.
    fn braced<T>(
        &mut self,
        elements: Vec<(Span, T)>,
        header_end: usize,
        statements: bool,
        print: impl FnMut(&mut Self, T) -> Doc,
    ) -> Doc {
        let last = elements.last().map(|(span, _)| span.end as usize);
        let close = match last {
            // A comma may follow the last element.
            Some(end) => {
                let at = self.skip(end);
                if self.text[at..].starts_with(',') { self.skip(at + 1) } else { at }
            }
            None => {
                let open = self.skip(header_end);
                self.skip((open + 1).min(self.text.len()))
            }
        };
        if elements.is_empty() && !self.has_comment_before(close) {
            return Doc::text("{}");
        }
        let first = elements.first().map_or(close, |(span, _)| span.start as usize);
        let before_first = &self.text[..first];
        let on_new_line = before_first[before_first.trim_end().len()..].contains('\n');
        let many = statements && elements.len() > 1;
        let one_line = !(on_new_line || many || self.has_comment_before(close));
        let content = self.separated(
            elements,
            close,
            |last| if statements || last { Doc::Many(Vec::new()) } else { Doc::Flat(",") },
            print,
        );
        let doc = docs!["{", docs![Doc::Line, content].indent(), Doc::Line, "}"];
        if one_line { doc.group() } else { doc.broken_group() }
    }

    /// Elements between brackets with commas: on one line if they fit, else each on its own.
    fn listed<T>(
        &mut self,
        open: &'static str,
        close: &'static str,
        elements: Vec<(Span, T)>,
        end: usize,
        after: Doc,
        print: impl FnMut(&mut Self, T) -> Doc,
    ) -> Doc {
        if elements.is_empty() && after.is_empty() && !self.has_comment_before(end) {
            return docs![open, close];
        }
        let clauses = !after.is_empty();
        let content = self.separated(
            elements,
            end,
            |last| match (last, clauses) {
                (true, true) => Doc::Many(Vec::new()),
                (true, false) => Doc::Broken(",".to_owned()),
                (false, _) => Doc::text(","),
            },
            print,
        );
        docs![open, docs![Doc::Soft, content, after].indent(), Doc::Soft, close].group()
    }
}

fn names(names: &[Name]) -> Doc {
    join(names.iter().map(|name| Doc::text(&name.text)).collect(), &Doc::text(", "))
}
