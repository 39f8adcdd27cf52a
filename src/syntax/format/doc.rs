//! Laying out: a document of texts, possible line breaks and groups becomes lines of at most a given width.
//!
//! A group is laid out flat if it fits on the rest of its line, and broken otherwise: the method of Wadler's
//! "A prettier printer" (2003).

/// A piece of a document.
#[derive(Clone, Debug)]
pub(super) enum Doc {
    Text(String),
    /// A space when flat, a line break when broken.
    Line,
    /// Nothing when flat, a line break when broken.
    Soft,
    /// Always a line break.
    Hard,
    /// A line break and an empty line.
    Blank,
    /// Only when flat.
    Flat(&'static str),
    /// Only when broken.
    Broken(String),
    /// A comment that ends the line on which it falls.
    Comment(String),
    Many(Vec<Doc>),
    Indent(Box<Doc>),
    Group {
        content: Box<Doc>,
        /// It holds something that cannot be flat.
        broken: bool,
    },
}

impl Doc {
    pub fn text(text: impl Into<String>) -> Doc {
        Doc::Text(text.into())
    }

    pub fn indent(self) -> Doc {
        Doc::Indent(Box::new(self))
    }

    pub fn group(self) -> Doc {
        let broken = self.must_break();
        Doc::Group { content: Box::new(self), broken }
    }

    /// A group that is broken whether it fits or not.
    pub fn broken_group(self) -> Doc {
        Doc::Group { content: Box::new(self), broken: true }
    }

    pub fn is_empty(&self) -> bool {
        match self {
            Doc::Text(text) => text.is_empty(),
            Doc::Many(parts) => parts.iter().all(Doc::is_empty),
            _ => false,
        }
    }

    fn must_break(&self) -> bool {
        match self {
            Doc::Hard | Doc::Blank | Doc::Comment(_) => true,
            Doc::Many(parts) => parts.iter().any(Doc::must_break),
            Doc::Indent(content) => content.must_break(),
            Doc::Group { broken, .. } => *broken,
            _ => false,
        }
    }
}

impl From<&str> for Doc {
    fn from(text: &str) -> Doc {
        Doc::Text(text.to_owned())
    }
}

impl From<String> for Doc {
    fn from(text: String) -> Doc {
        Doc::Text(text)
    }
}

impl From<Vec<Doc>> for Doc {
    fn from(parts: Vec<Doc>) -> Doc {
        Doc::Many(parts)
    }
}

/// Documents one after another.
macro_rules! docs {
    ($($part:expr),* $(,)?) => { Doc::Many(vec![$(Doc::from($part)),*]) };
}
pub(super) use docs;

/// Texts with something between them.
pub(super) fn join(parts: Vec<Doc>, between: &Doc) -> Doc {
    let mut out = Vec::with_capacity(parts.len() * 2);
    for (index, part) in parts.into_iter().enumerate() {
        if index > 0 {
            out.push(between.clone());
        }
        out.push(part);
    }
    Doc::Many(out)
}

#[derive(Clone, Copy)]
struct Work<'d> {
    indent: usize,
    flat: bool,
    doc: &'d Doc,
}

/// The lines of a document.
pub(super) fn render(doc: &Doc, width: usize) -> String {
    let mut out = String::new();
    let mut comments: Vec<&str> = Vec::new();
    let mut marks: Vec<usize> = Vec::new();
    let mut column = 0;
    let mut stack = vec![Work { indent: 0, flat: false, doc }];
    while let Some(Work { indent, flat, doc }) = stack.pop() {
        match doc {
            Doc::Text(text) => write(&mut out, &mut column, text),
            Doc::Broken(text) if !flat => write(&mut out, &mut column, text),
            Doc::Flat(text) if flat => write(&mut out, &mut column, text),
            Doc::Broken(_) | Doc::Flat(_) => {}
            Doc::Comment(text) => comments.push(text),
            Doc::Line if flat => write(&mut out, &mut column, " "),
            Doc::Soft if flat => {}
            Doc::Line | Doc::Soft | Doc::Hard | Doc::Blank => {
                end_line(&mut out, &mut comments, &mut marks);
                if matches!(doc, Doc::Blank) {
                    out.push('\n');
                }
                out.extend(std::iter::repeat_n(' ', indent));
                column = indent;
            }
            Doc::Many(parts) => stack.extend(parts.iter().rev().map(|doc| Work { indent, flat, doc })),
            Doc::Indent(content) => stack.push(Work { indent: indent + 2, flat, doc: content }),
            Doc::Group { content, broken } => {
                let work = Work { indent, flat: true, doc: content };
                let flat = flat || (!broken && fits(work, &stack, width.saturating_sub(column)));
                stack.push(Work { flat, ..work });
            }
        }
    }
    end_line(&mut out, &mut comments, &mut marks);
    align(&out, &marks)
}

/// Comments behind the text of lines that follow each other start in one column. `marks` are their places.
fn align(text: &str, marks: &[usize]) -> String {
    let mut out = String::with_capacity(text.len());
    let mut marks = marks.iter().peekable();
    let mut run: Vec<(&str, &str)> = Vec::new();
    let mut offset = 0;
    for line in text.split_inclusive('\n') {
        match marks.next_if(|mark| **mark < offset + line.len()) {
            Some(mark) => run.push(line.split_at(mark - offset)),
            None => {
                end_run(&mut out, &mut run);
                out.push_str(line);
            }
        }
        offset += line.len();
    }
    end_run(&mut out, &mut run);
    out
}

fn end_run(out: &mut String, run: &mut Vec<(&str, &str)>) {
    let width = |code: &str| code.trim_end().chars().count();
    let column = run.iter().map(|(code, _)| width(code)).max().unwrap_or(0) + 2;
    for (code, comment) in run.drain(..) {
        out.push_str(code.trim_end());
        out.extend(std::iter::repeat_n(' ', column - width(code)));
        out.push_str(comment);
    }
}

fn write(out: &mut String, column: &mut usize, text: &str) {
    out.push_str(text);
    *column += text.chars().count();
}

fn end_line(out: &mut String, comments: &mut Vec<&str>, marks: &mut Vec<usize>) {
    out.truncate(out.trim_end_matches(' ').len());
    for comment in comments.drain(..).filter(|comment| !comment.is_empty()) {
        if !out.is_empty() && !out.ends_with('\n') {
            out.push_str("  ");
            if marks.last().is_none_or(|mark| out[*mark..].contains('\n')) {
                marks.push(out.len());
            }
        }
        out.push_str(comment);
    }
    out.push('\n');
}

/// Whether a piece laid out flat, and what follows it up to the next line break, fits into `room`.
fn fits<'d>(first: Work<'d>, rest: &[Work<'d>], room: usize) -> bool {
    let mut room = room as isize;
    let mut rest = rest.iter().rev();
    let mut stack = vec![first];
    loop {
        let Some(Work { indent, flat, doc }) = stack.pop().or_else(|| rest.next().copied()) else {
            return true;
        };
        match doc {
            Doc::Text(text) => room -= text.chars().count() as isize,
            Doc::Broken(text) if !flat => room -= text.chars().count() as isize,
            Doc::Flat(text) if flat => room -= text.len() as isize,
            Doc::Broken(_) | Doc::Flat(_) | Doc::Comment(_) => {}
            Doc::Line if flat => room -= 1,
            Doc::Soft if flat => {}
            Doc::Line | Doc::Soft | Doc::Hard | Doc::Blank => return true,
            Doc::Many(parts) => stack.extend(parts.iter().rev().map(|doc| Work { indent, flat, doc })),
            Doc::Indent(content) => stack.push(Work { indent, flat, doc: content }),
            Doc::Group { content, broken } => {
                stack.push(Work { indent, flat: flat && !broken, doc: content })
            }
        }
        if room < 0 {
            return false;
        }
    }
}
