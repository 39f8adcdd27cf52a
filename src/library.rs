//! The standard library: its files, embedded, and which names are in which.
//!
//! In: nothing but `stdlib/` at build time. Out: texts, found by module and name without parsing them all.

use std::sync::OnceLock;

/// All files: the path below `stdlib/` and the text.
pub const FILES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/library.rs"));

/// What kinds of items may be imported.
const KEYWORDS: [&str; 7] = ["fn", "layer", "optimizer", "combiner", "data", "axis", "let"];

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

/// The names of all optimizers.
pub fn optimizers() -> Vec<String> {
    entries().iter().filter(|entry| entry.keyword == "optimizer").map(|entry| entry.name.to_owned()).collect()
}
