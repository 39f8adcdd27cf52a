//! The pages of the standard library: one a module, one of the built-in functions, and an index.
//!
//! In: the files of the library. Out: names of pages and their texts.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::{Chapter, Entry, chapter, page};
use crate::check::builtin::Builtin;
use crate::library::{FILES, module_of_path};
use crate::source::Sources;
use crate::syntax::{ExprIds, parse};

/// The library as it is documented: modules with their chapters, in order of their names.
pub struct Library {
    modules: BTreeMap<&'static str, Vec<Chapter>>,
    /// The page of each name: the first module that has it.
    homes: BTreeMap<String, &'static str>,
}

impl Library {
    pub fn new() -> Library {
        let mut sources = Sources::default();
        let mut modules: BTreeMap<&'static str, Vec<Chapter>> = BTreeMap::new();
        let mut homes = BTreeMap::new();
        for (path, text) in FILES {
            let id = sources.add(*path, *text);
            // The library is parsed by its own tests.
            let Ok(file) = parse(id, text, &mut ExprIds::default()) else { continue };
            let module = module_of_path(path);
            let chapter = chapter(&sources, &file);
            for entry in &chapter.entries {
                homes.entry(entry.name.clone()).or_insert(module);
            }
            modules.entry(module).or_default().push(chapter);
        }
        Library { modules, homes }
    }

    pub fn modules(&self) -> impl Iterator<Item = (&'static str, usize)> + '_ {
        self.modules
            .iter()
            .map(|(module, chapters)| (*module, chapters.iter().map(|chapter| chapter.entries.len()).sum()))
    }

    /// All items of this name, with the paths of their files.
    pub fn named<'a>(&'a self, name: &'a str) -> impl Iterator<Item = (&'a str, &'a Entry)> {
        let chapters = self.modules.values().flatten();
        chapters.flat_map(move |chapter| {
            let entries = chapter.entries.iter().filter(move |entry| entry.name == name);
            entries.map(|entry| (chapter.file.as_str(), entry))
        })
    }

    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.homes.keys().map(String::as_str)
    }

    /// The page of one module.
    pub fn module(&self, module: &str) -> Option<String> {
        let chapters = self.modules.get(module)?;
        let links = |name: &str| {
            let home = self.homes.get(name)?;
            Some(if *home == module { format!("#{}", anchor(name)) } else { self.link(name)? })
        };
        let title = if module == "prelude" { "The prelude".to_owned() } else { format!("std.{module}") };
        Some(page(&title, chapters, &links))
    }

    /// Names of files and their texts.
    pub fn pages(&self) -> Vec<(String, String)> {
        let modules =
            self.modules.keys().filter_map(|module| Some((format!("{module}.md"), self.module(module)?)));
        let mut pages: Vec<(String, String)> = modules.collect();
        pages.push(("builtin.md".to_owned(), builtin()));
        pages.push(("README.md".to_owned(), self.index()));
        pages
    }

    fn link(&self, name: &str) -> Option<String> {
        Some(format!("{}.md#{}", self.homes.get(name)?, anchor(name)))
    }

    fn index(&self) -> String {
        let mut text = "# The standard library\n\nWritten by `ansatz doc --out`, from the comments of its files. `ansatz doc NAME` shows one item on the terminal.\n\n\
            | module | items |\n|---|---|\n"
            .to_owned();
        for (module, items) in self.modules() {
            let title = if module == "prelude" {
                "the prelude, which needs no `use`".to_owned()
            } else {
                format!("`std.{module}`")
            };
            let _ = writeln!(text, "| [{title}]({module}.md) | {items} |");
        }
        let _ = writeln!(text, "| [functions that are built in](builtin.md) | {} |", Builtin::ALL.len());
        text += "\n| item | |\n|---|---|\n";
        for (name, module) in &self.homes {
            let first = self.named(name).next().and_then(|(_, entry)| entry.docs.first().cloned());
            let first = super::page::prose(&[first.unwrap_or_default()], &|_| None).replace('|', "\\|");
            let _ = writeln!(text, "| [`{name}`]({module}.md#{}) | {first} |", anchor(name));
        }
        text
    }
}

impl Default for Library {
    fn default() -> Self {
        Library::new()
    }
}

fn builtin() -> String {
    let mut text = "# Functions that are built in\n\nThey need no `use`.\n".to_owned();
    for builtin in Builtin::ALL {
        let doc = super::page::prose(&[builtin.doc().to_owned()], &|_| None);
        let _ =
            write!(text, "\n### {}\n\n```ansatz\n{}\n```\n\n{doc}\n", builtin.name(), builtin.signature());
    }
    text
}

/// What a title becomes in a link.
fn anchor(name: &str) -> String {
    name.to_lowercase()
}
