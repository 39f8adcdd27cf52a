//! The items of the library for completion: kinds at once, signatures and documentation when they are asked for.

use std::collections::HashMap;
use std::sync::{Mutex, OnceLock};

use crate::library::{self, Entry};
use crate::source::Sources;
use crate::syntax::names::{Binding, Role, names};
use crate::syntax::{ExprIds, parse};

/// The signature and the documentation of an item.
#[derive(Clone, Debug, Default)]
pub struct Article {
    pub head: String,
    pub docs: Vec<String>,
}

/// What is written about an item of a module.
pub fn article(module: &str, name: &str) -> Option<Article> {
    static KNOWN: OnceLock<Mutex<HashMap<usize, HashMap<String, Article>>>> = OnceLock::new();
    let entry = library::find(module, name)?;
    let mut known = KNOWN.get_or_init(Default::default).lock().ok()?;
    let of_file = known.entry(entry.file).or_insert_with(|| articles(entry.file));
    of_file.get(name).cloned()
}

fn articles(file: usize) -> HashMap<String, Article> {
    let mut sources = Sources::default();
    let (path, text) = library::FILES[file];
    let id = sources.add(format!("std/{path}"), text);
    let Ok(tree) = parse(id, text, &mut ExprIds::default()) else { return HashMap::new() };
    let article = |binding: &Binding| Article {
        head: crate::syntax::names::head(&sources, binding),
        docs: binding.docs.to_vec(),
    };
    let mut found = HashMap::new();
    for written in names(&tree) {
        if let Role::Binding(binding) = &written.role {
            // Items come before what is inside of them.
            found.entry(written.name.text.clone()).or_insert_with(|| article(binding));
        }
    }
    found
}

/// All items but those of the prelude, which need no import.
pub fn importable() -> impl Iterator<Item = &'static Entry> {
    library::entries().iter().filter(|entry| entry.module != "prelude")
}
