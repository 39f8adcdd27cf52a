//! Which files a program is made of: the user's, the library's files that it uses, and the prelude.
//!
//! In: the user's text. Out: the trees in order, imports first, and the names at the top of each file.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::builtin::Builtin;
use super::import::elsewhere;
use super::program::ItemRef;
use super::resolve::is_constant;
use super::state::FileNames;
use crate::diagnostic::{Code, Diagnostic, Help, nearest};
use crate::library;
use crate::source::Sources;
use crate::syntax::ast::{File, ItemKind, Name, Use};
use crate::syntax::{ExprIds, parse, parse_rest};

/// The files of a program.
#[derive(Default)]
pub(super) struct Loaded {
    pub files: Vec<Arc<File>>,
    pub names: Vec<FileNames>,
    pub diagnostics: Vec<Diagnostic>,
    /// The user's file could be parsed, at least in part, so that there is something to check.
    pub complete: bool,
    /// It could be parsed only in part.
    pub broken: bool,
}

struct Loader<'a> {
    sources: &'a mut Sources,
    ids: ExprIds,
    /// Position in `library::FILES` to position in `files`; None while its imports are being loaded.
    library: HashMap<usize, Option<u32>>,
    loaded: Loaded,
    /// Items of the library that the user's text may need; the others are not parsed.
    needed: HashSet<&'static str>,
}

/// Parses the user's file and everything that it uses.
///
/// `partly`: of a text with errors of syntax, take what can be read.
pub(super) fn load(sources: &mut Sources, name: &str, text: &str, partly: bool) -> Loaded {
    let id = sources.add(name, text);
    let mut loader = Loader {
        sources,
        ids: ExprIds::default(),
        library: HashMap::new(),
        loaded: Loaded::default(),
        needed: library::needed(text),
    };
    let parsed = parse(id, text, &mut loader.ids);
    for (file, (path, _)) in library::FILES.iter().enumerate() {
        if library::module_of_path(path) == "prelude" {
            loader.library_file(file);
        }
    }
    let preludes: Vec<u32> = loader.library.values().copied().flatten().collect();
    let file = match parsed {
        Ok(file) => Some(file),
        Err(errors) => {
            loader.loaded.broken = true;
            let rest = if partly { parse_rest(id, text, &mut loader.ids, &errors) } else { None };
            loader.loaded.diagnostics.extend(errors);
            rest
        }
    };
    if let Some(file) = file {
        loader.imports(&file, true);
        loader.loaded.files.push(Arc::new(file));
        loader.loaded.names.push(FileNames::default());
        loader.loaded.complete = true;
    }
    loader.names(&preludes);
    loader.loaded
}

impl Loader<'_> {
    fn library_file(&mut self, file: usize) {
        if self.library.contains_key(&file) {
            return;
        }
        self.library.insert(file, None);
        let (path, text) = library::FILES[file];
        let id = self.sources.add(format!("std/{path}"), text);
        match parse(id, &library::excerpt(file, &self.needed), &mut self.ids) {
            Ok(tree) => {
                self.imports(&tree, false);
                self.library.insert(file, Some(self.loaded.files.len() as u32));
                self.loaded.files.push(Arc::new(tree));
                self.loaded.names.push(FileNames {
                    module: Some(format!("std.{}", library::module_of_path(path))),
                    ..FileNames::default()
                });
            }
            Err(errors) => self.loaded.diagnostics.extend(errors),
        }
    }

    /// Loads what the `use`s of a file name; wrong ones are reported.
    fn imports(&mut self, file: &File, report: bool) {
        for item in &file.items {
            let ItemKind::Use(import) = &item.kind else { continue };
            match module(import) {
                Ok(module) => {
                    if report && import.names.is_empty() {
                        let place = import.path.last().map_or(item.span, |name| name.span);
                        self.loaded.diagnostics.push(
                            Diagnostic::error(Code::A0107, place, "a `use` names what it imports")
                                .label("nothing is imported")
                                .help(format!("name the items: `use std.{module} (name)`")),
                        );
                    }
                    for name in &import.names {
                        match library::find(module, &name.text) {
                            Some(entry) => self.library_file(entry.file),
                            None => {
                                let text = &self.sources.get(file.id).text;
                                self.loaded.diagnostics.push(not_in_module(file, text, module, name));
                            }
                        }
                    }
                }
                Err(diagnostic) => self.loaded.diagnostics.push(*diagnostic),
            }
        }
    }

    /// Fills in the names at the top of every file, once every file has its number.
    fn names(&mut self, preludes: &[u32]) {
        for at in 0..self.loaded.files.len() {
            let file = Arc::clone(&self.loaded.files[at]);
            let mut names = std::mem::take(&mut self.loaded.names[at]);
            for (item_at, item) in file.items.iter().enumerate() {
                let item_ref = ItemRef { file: at as u32, item: item_at as u32 };
                if let ItemKind::Use(import) = &item.kind {
                    self.imported(import, &mut names);
                    continue;
                }
                for name in defined(&item.kind) {
                    self.own(&item.kind, name, item_ref, &mut names, &file);
                }
            }
            for prelude in preludes.iter().filter(|prelude| **prelude != at as u32) {
                let file = Arc::clone(&self.loaded.files[*prelude as usize]);
                for (item_at, item) in file.items.iter().enumerate() {
                    for name in defined(&item.kind) {
                        let item = ItemRef { file: *prelude, item: item_at as u32 };
                        names.prelude.insert(name.text.clone(), item);
                    }
                }
            }
            self.loaded.names[at] = names;
        }
    }

    fn own(&mut self, kind: &ItemKind, name: &Name, item: ItemRef, names: &mut FileNames, file: &File) {
        let function = !matches!(kind, ItemKind::Let(_) | ItemKind::Data(_));
        if let Some(builtin) = Builtin::find(&name.text)
            && (function || is_constant(builtin))
        {
            self.loaded.diagnostics.push(
                Diagnostic::error(Code::A0114, name.span, format!("`{}` is a builtin", name.text))
                    .label("hides the builtin")
                    .help(format!(
                        "choose another name; `{}` is: {}",
                        builtin.signature(),
                        builtin.doc().trim_end_matches('.')
                    )),
            );
        }
        let place = |item: ItemRef| {
            let known = defined(&file.items[item.item as usize].kind).into_iter();
            known.filter(|known| known.text == name.text).map(|known| known.span).next()
        };
        let first = match names.own.get(&name.text) {
            Some(first) => place(*first),
            None => names.imported.get(&name.text).map(|(_, span)| *span),
        };
        match first {
            Some(first) => self.loaded.diagnostics.push(
                Diagnostic::error(Code::A0113, name.span, format!("`{}` is defined twice", name.text))
                    .label("the second definition")
                    .related(first, "the first one")
                    .help("give one of them another name"),
            ),
            None => {
                names.own.insert(name.text.clone(), item);
            }
        }
    }

    fn imported(&mut self, import: &Use, names: &mut FileNames) {
        let Ok(module) = module(import) else { return };
        for name in &import.names {
            let Some(entry) = library::find(module, &name.text) else { continue };
            let Some(Some(file)) = self.library.get(&entry.file).copied() else { continue };
            let tree = &self.loaded.files[file as usize];
            let position =
                tree.items.iter().position(|item| defined(&item.kind).iter().any(|n| n.text == name.text));
            let Some(position) = position else { continue };
            let item = ItemRef { file, item: position as u32 };
            if let Some((_, first)) = names.imported.insert(name.text.clone(), (item, name.span)) {
                self.loaded.diagnostics.push(
                    Diagnostic::error(Code::A0113, name.span, format!("`{}` is imported twice", name.text))
                        .label("the second time")
                        .related(first, "the first time")
                        .help("import it once"),
                );
            }
        }
    }
}

/// The module that a `use` names.
fn module(import: &Use) -> Result<&str, Box<Diagnostic>> {
    let modules = library::modules();
    let unknown = |name: &Name, message: String| {
        let near = nearest(&name.text, modules.iter().copied().chain(["std"]));
        let help = match near {
            Some(near) => Help::meant(name.span, near),
            None => format!("the modules are std.{}", modules.join(", std.")).into(),
        };
        Box::new(Diagnostic::error(Code::A0106, name.span, message).label("unknown module").help(help))
    };
    match import.path.as_slice() {
        [std, module] if std.text == "std" => match modules.contains(&module.text.as_str()) {
            true => Ok(&module.text),
            false => Err(unknown(module, format!("there is no module `std.{}`", module.text))),
        },
        [std] if std.text == "std" => Err(unknown(
            std,
            "a `use` names a module of the standard library: `use std.loss (bce)`".to_owned(),
        )),
        [first, ..] => Err(unknown(
            first,
            format!("there is no module `{}`; the library's begin with `std`", first.text),
        )),
        [] => Ok(""),
    }
}

fn not_in_module(file: &File, text: &str, module: &str, name: &Name) -> Diagnostic {
    let known: Vec<&str> = library::entries().iter().filter(|e| e.module == module).map(|e| e.name).collect();
    let help = match (library::module_of(&name.text), nearest(&name.text, known.iter().copied())) {
        (Some(other), _) => {
            let help = Help::from(format!("it is in `std.{other}`: `use std.{other} ({})`", name.text));
            match elsewhere(file, text, name.span, other, &name.text) {
                Some(fix) => help.or(fix),
                None => help,
            }
        }
        (None, Some(near)) => Help::meant(name.span, near),
        (None, None) => format!("it has {}", known.join(", ")).into(),
    };
    Diagnostic::error(Code::A0107, name.span, format!("`std.{module}` has no `{}`", name.text))
        .label("not in this module")
        .help(help)
}

/// The names that an item brings into its file.
pub(super) fn defined(kind: &ItemKind) -> Vec<&Name> {
    match kind {
        ItemKind::Function(function) | ItemKind::Combiner(function) => vec![&function.name],
        ItemKind::Layer(layer) => vec![&layer.name],
        ItemKind::Optimizer(o) | ItemKind::SteppingCombiner(o) | ItemKind::Constraint(o) => vec![&o.name],
        ItemKind::Data(data) => vec![&data.name],
        ItemKind::Let(l) => l.names.iter().collect(),
        ItemKind::Experiment(experiment) => vec![&experiment.name],
        ItemKind::Use(_) | ItemKind::Test(_) | ItemKind::Axis(_) => Vec::new(),
    }
}
