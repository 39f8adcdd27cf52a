//! `ansatz fmt FILE`

use std::path::PathBuf;

use clap::Args;

use super::Exit;
use super::open::{files, print, read};
use crate::source::Sources;
use crate::syntax;

#[derive(Args)]
pub struct Fmt {
    /// Files or folders
    #[arg(required = true)]
    paths: Vec<PathBuf>,
    /// Change nothing; exit with 1 if a file is not formatted
    #[arg(long)]
    check: bool,
}

impl Fmt {
    pub fn execute(&self) -> Exit {
        files(&self.paths).into_iter().map(|path| self.file(path)).max().unwrap_or(Exit::Success)
    }

    fn file(&self, path: PathBuf) -> Exit {
        let (name, text) = match read(&path) {
            Ok(read) => read,
            Err(exit) => return exit,
        };
        let mut sources = Sources::default();
        let id = sources.add(name.clone(), text.clone());
        let tree = match syntax::parse(id, &text, &mut syntax::ExprIds::default()) {
            Ok(tree) => tree,
            Err(problems) => {
                print(&problems, &sources);
                return Exit::Wrong;
            }
        };
        let formatted = syntax::format(&tree, &text);
        if formatted == text {
            return Exit::Success;
        }
        if self.check {
            println!("not formatted: {name}");
            return Exit::Refuted;
        }
        match std::fs::write(&path, formatted) {
            Ok(()) => {
                println!("formatted {name}");
                Exit::Success
            }
            Err(error) => {
                eprintln!("{name} cannot be written: {error}");
                Exit::Failed
            }
        }
    }
}
