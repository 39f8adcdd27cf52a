//! The standard library: its files, embedded, and which names are in which.
//!
//! In: nothing but `stdlib/` at build time. Out: texts, found by module and name without parsing them all.

use std::collections::HashSet;
use std::sync::OnceLock;

/// All files: the path below `stdlib/` and the text.
pub const FILES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/library.rs"));

/// What kinds of items may be imported.
const KEYWORDS: [&str; 8] = ["fn", "layer", "optimizer", "combiner", "constraint", "data", "axis", "let"];

/// One item of the library.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    pub module: &'static str,
    pub name: &'static str,
    /// `fn`, `layer` ...
    pub keyword: &'static str,
    /// Position in [`FILES`].
    pub file: usize,
}

/// All items of all files. Items begin at the start of a line, so that a look at the lines finds them.
pub fn entries() -> &'static [Entry] {
    static ENTRIES: OnceLock<Vec<Entry>> = OnceLock::new();
    ENTRIES.get_or_init(|| {
        let mut entries = Vec::new();
        for (file, (path, text)) in FILES.iter().enumerate() {
            let module = module_of_path(path);
            for line in text.lines() {
                for keyword in KEYWORDS {
                    let Some(rest) = line.strip_prefix(keyword).and_then(|rest| rest.strip_prefix(' '))
                    else {
                        continue;
                    };
                    let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
                    if end > 0 {
                        entries.push(Entry { module, name: &rest[..end], keyword, file });
                    }
                }
            }
        }
        entries
    })
}

/// `loss` for `loss/dice.anz`, `prelude` for `prelude.anz`.
pub fn module_of_path(path: &'static str) -> &'static str {
    path.split_once('/').map_or(path.trim_end_matches(".anz"), |(folder, _)| folder)
}

/// An item of a file with its documentation: a range of bytes of its text.
struct Segment {
    start: usize,
    end: usize,
    /// Empty for tests.
    name: &'static str,
    /// It may be left out by who has no use for it.
    optional: bool,
}

fn segments() -> &'static [Vec<Segment>] {
    static SEGMENTS: OnceLock<Vec<Vec<Segment>>> = OnceLock::new();
    SEGMENTS.get_or_init(|| FILES.iter().map(|(_, text)| segments_of(text)).collect())
}

fn segments_of(text: &'static str) -> Vec<Segment> {
    let mut found: Vec<Segment> = Vec::new();
    let (mut at, mut docs) = (0, None);
    for line in text.split_inclusive('\n') {
        let item = KEYWORDS.iter().find_map(|keyword| {
            let rest = line.strip_prefix(keyword)?.strip_prefix(' ')?;
            Some((*keyword, words(rest).next().unwrap_or("")))
        });
        let begins = item.is_some() || line.starts_with("test \"") || line.starts_with("use ");
        if line.starts_with("///") {
            docs = docs.or(Some(at));
        } else if begins {
            let start = docs.take().unwrap_or(at);
            if let Some(before) = found.last_mut() {
                before.end = start;
            }
            let (keyword, name) = item.unwrap_or_default();
            let optional = matches!(keyword, "fn" | "layer" | "optimizer" | "combiner" | "constraint")
                || line.starts_with("test ");
            found.push(Segment { start, end: text.len(), name, optional });
        }
        at += line.len();
    }
    found
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| !word.is_empty())
}

/// The names of library items that a text may need, itself or through others: every item whose name it mentions.
pub fn needed(text: &str) -> HashSet<&'static str> {
    let mut needed: HashSet<&'static str> = HashSet::new();
    let mut open: Vec<&str> = vec![text];
    while let Some(text) = open.pop() {
        for word in words(text) {
            for entry in entries().iter().filter(|entry| entry.name == word) {
                if needed.insert(entry.name) {
                    open.extend(segments().iter().zip(FILES).flat_map(|(segments, (_, text))| {
                        segments.iter().filter(|s| s.name == word).map(|s| &text[s.start..s.end])
                    }));
                }
            }
        }
    }
    needed
}

/// The text of a file with everything blanked that is not needed, tests above all. All places stay as they are.
pub fn excerpt(file: usize, needed: &HashSet<&str>) -> String {
    let text = FILES[file].1;
    let mut out = text.as_bytes().to_vec();
    for segment in segments()[file].iter().filter(|s| s.optional && !needed.contains(s.name)) {
        for byte in &mut out[segment.start..segment.end] {
            if *byte != b'\n' {
                *byte = b' ';
            }
        }
    }
    // Whole characters were blanked: segments begin and end with lines.
    String::from_utf8(out).unwrap_or_else(|_| text.to_owned())
}

/// The names of all modules that can be imported.
pub fn modules() -> Vec<&'static str> {
    let mut modules: Vec<_> = FILES.iter().map(|(path, _)| module_of_path(path)).collect();
    modules.sort_unstable();
    modules.dedup();
    modules
}

/// The item of that name in a module.
pub fn find(module: &str, name: &str) -> Option<Entry> {
    entries().iter().copied().find(|entry| entry.module == module && entry.name == name)
}

/// A module that has an item of that name, other than the prelude.
pub fn module_of(name: &str) -> Option<&'static str> {
    entries().iter().find(|entry| entry.name == name && entry.module != "prelude").map(|entry| entry.module)
}

/// The names of all items of a kind: of all optimizers, for example.
pub fn of_kind(keyword: &str) -> Vec<&'static str> {
    entries().iter().filter(|entry| entry.keyword == keyword).map(|entry| entry.name).collect()
}
