//! Chapters as Markdown.
//!
//! In: chapters, and where names have pages. Out: text in which code stands in fences, and names of other items are links.

use std::fmt::Write;

use super::{Chapter, Entry};
use crate::syntax::names::Kind;

/// Where the page of a name is, seen from the page that is written; none if it has none.
pub type Links<'a> = dyn Fn(&str) -> Option<String> + 'a;

/// The page of a module, or of a file of the user.
pub fn page(title: &str, chapters: &[Chapter], links: &Links) -> String {
    let mut text = format!("# {title}\n");
    for chapter in chapters {
        if chapters.len() > 1 {
            let _ = write!(text, "\n## {}\n", chapter.file);
        }
        if !chapter.docs.is_empty() {
            let _ = write!(text, "\n{}\n", prose(&chapter.docs, links));
        }
        for of in &chapter.entries {
            let _ = write!(text, "\n### {}\n\n{}", of.name, entry(of, links));
        }
    }
    text
}

/// One item, without its title.
pub fn entry(of: &Entry, links: &Links) -> String {
    let mut text = format!("```ansatz\n{}\n```\n", of.signature);
    if !of.docs.is_empty() {
        let _ = write!(text, "\n{}\n", prose(&of.docs, links));
    }
    if !of.members.is_empty() {
        let what = if of.kind == Kind::Layer { "A layer made with it is called so" } else { "It has" };
        let _ = write!(text, "\n{what}:\n\n```ansatz\n");
        for member in &of.members {
            for line in &member.docs {
                let _ = writeln!(text, "/// {line}");
            }
            let _ = writeln!(text, "{}", member.signature);
        }
        text += "```\n";
    }
    if let Some((name, test)) = &of.test {
        let _ = write!(
            text,
            "\n<details>\n<summary>Test: {}</summary>\n\n```ansatz\n{test}\n```\n\n</details>\n",
            escaped(name)
        );
    }
    text
}

/// Comments as text: what stands in backticks stays, and is a link where it names an item.
pub fn prose(lines: &[String], links: &Links) -> String {
    let mut in_code = false;
    let lines: Vec<String> = lines
        .iter()
        .map(|line| {
            if line.trim_start().starts_with("```") {
                in_code = !in_code;
                return line.clone();
            }
            if in_code { line.clone() } else { linked(line, links) }
        })
        .collect();
    lines.join("\n")
}

fn linked(line: &str, links: &Links) -> String {
    let mut text = String::new();
    for (at, part) in line.split('`').enumerate() {
        let is_code = at % 2 == 1;
        match links(part).filter(|_| is_code) {
            Some(link) => {
                let _ = write!(text, "[`{part}`]({link})");
            }
            None if is_code => {
                let _ = write!(text, "`{part}`");
            }
            None => text += &escaped(part),
        }
    }
    text
}

/// Signs that Markdown would take for its own.
fn escaped(text: &str) -> String {
    text.replace('<', "&lt;").replace("](", "]\\(")
}
