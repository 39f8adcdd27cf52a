//! `ansatz doc`

use std::path::{Path, PathBuf};

use clap::Args;

use super::Exit;
use super::open::{print, read};
use crate::diagnostic::nearest;
use crate::doc::library::Library;
use crate::doc::{chapter, entry, page};
use crate::source::Sources;
use crate::syntax::{ExprIds, parse};

#[derive(Args)]
pub struct Doc {
    /// An item or a module of the standard library, or a file; without one, the modules
    what: Option<String>,
    /// Write the pages of the standard library, or of the file, to this folder, as Markdown
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,
}

impl Doc {
    pub fn execute(&self) -> Exit {
        match &self.what {
            Some(what) if what.ends_with(".anz") => self.file(Path::new(what)),
            Some(what) => self.named(what),
            None => self.library(),
        }
    }

    fn library(&self) -> Exit {
        let library = Library::new();
        let Some(folder) = &self.out else {
            for (module, items) in library.modules() {
                println!("{module:<12} {items}");
            }
            println!("\n`ansatz doc MODULE` and `ansatz doc NAME` show more");
            return Exit::Success;
        };
        let pages = library.pages();
        pages.iter().map(|(name, text)| write(folder, name, text)).max().unwrap_or(Exit::Success)
    }

    fn file(&self, path: &Path) -> Exit {
        let (name, text) = match read(path) {
            Ok(read) => read,
            Err(exit) => return exit,
        };
        let mut sources = Sources::default();
        let id = sources.add(name.clone(), text.clone());
        let file = match parse(id, &text, &mut ExprIds::default()) {
            Ok(file) => file,
            Err(problems) => {
                print(&problems, &sources);
                return Exit::Wrong;
            }
        };
        let text = page(&name, &[chapter(&sources, &file)], &|_| None);
        let Some(folder) = &self.out else {
            print!("{text}");
            return Exit::Success;
        };
        let stem = path.file_stem().map_or_else(|| "file".into(), |stem| stem.to_string_lossy());
        write(folder, &format!("{stem}.md"), &text)
    }

    fn named(&self, name: &str) -> Exit {
        let library = Library::new();
        let module = name.strip_prefix("std.").unwrap_or(name);
        if let Some(text) = library.module(module) {
            print!("{text}");
            return Exit::Success;
        }
        let mut found = false;
        for (file, of) in library.named(name) {
            println!("{file}\n\n{}", entry(of, &|_| None));
            found = true;
        }
        if found {
            return Exit::Success;
        }
        if let Some(builtin) = crate::check::builtin::Builtin::ALL.iter().find(|known| known.name() == name) {
            println!("built in\n\n{}\n\n{}", builtin.signature(), builtin.doc());
            return Exit::Success;
        }
        let near = nearest(name, library.names());
        let hint = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
        eprintln!(
            "the standard library has no item and no module `{name}`{hint} (`ansatz doc` lists the modules)"
        );
        Exit::Wrong
    }
}

fn write(folder: &Path, name: &str, text: &str) -> Exit {
    let path = folder.join(name);
    let result = std::fs::create_dir_all(folder).and_then(|()| std::fs::write(&path, text));
    match result {
        Ok(()) => Exit::Success,
        Err(error) => {
            eprintln!("{} cannot be written: {error}", path.display());
            Exit::Failed
        }
    }
}
