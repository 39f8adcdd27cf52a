//! `ansatz new NAME`: a folder with an experiment that works, its data, and how to go on.

use std::path::{Path, PathBuf};

use clap::Args;

use super::{Exit, open};
use crate::diagnostic::{Code, Diagnostic};
use crate::source::{FileId, Sources, Span};
use crate::store;
use crate::syntax::{self, ExprIds};

#[derive(Args)]
pub struct New {
    /// The folder to make; its last part is the name of the experiment
    #[arg(value_name = "NAME")]
    folder: PathBuf,
}

const EXPERIMENT: &str = include_str!("template/experiment.anz");
const DATA: &str = include_str!("template/data/rings.csv");
const README: &str = include_str!("template/README.md");
/// What runs and tests leave, and a repository does not want.
const IGNORED: &str = "/runs\n*.snap.new\n";

impl New {
    pub fn execute(&self) -> Exit {
        match self.make() {
            Ok(name) => {
                let folder = self.folder.display();
                println!("made {folder}; now: cd {folder} && ansatz run {name}.anz");
                Exit::Success
            }
            Err((problem, exit)) => {
                let mut sources = Sources::default();
                sources.add(self.folder.display().to_string(), "");
                open::print(&[*problem], &sources);
                exit
            }
        }
    }

    /// Everything or, where something is there already, nothing. The name of the experiment.
    fn make(&self) -> Result<String, (Box<Diagnostic>, Exit)> {
        let shown = self.folder.display();
        let refuse = |message: String, help: &str, exit| {
            let problem = Diagnostic::error(Code::A0623, Span::default(), message).help(help);
            Err((Box::new(problem), exit))
        };
        let name = self.folder.file_name().map(|name| name.to_string_lossy().into_owned());
        let Some(name) = name.filter(|name| is_plain(name)) else {
            return refuse(
                format!("`{shown}` cannot be the name of an experiment"),
                "use letters, digits, `-` and `_`: `ansatz new my-study`",
                Exit::Wrong,
            );
        };
        // Anything by this name, a broken link too.
        if self.folder.symlink_metadata().is_ok() {
            return refuse(
                format!("`{shown}` is there already"),
                "nothing is overwritten: choose another name",
                Exit::Wrong,
            );
        }
        match write(&self.folder, &name) {
            Ok(()) => Ok(name),
            Err(error) => refuse(
                format!("`{shown}` cannot be made: {error}"),
                "make room, change the permissions, or choose another folder",
                Exit::Failed,
            ),
        }
    }
}

fn is_plain(name: &str) -> bool {
    let allowed = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_');
    name.chars().all(allowed) && name.starts_with(char::is_alphanumeric)
}

fn write(folder: &Path, name: &str) -> std::io::Result<()> {
    if let Some(parent) = folder.parent() {
        std::fs::create_dir_all(parent)?;
    }
    std::fs::create_dir(folder)?;
    let files = [
        (format!("{name}.anz"), EXPERIMENT.replace("EXPERIMENT", &identifier(name))),
        ("data/rings.csv".to_owned(), DATA.to_owned()),
        ("README.md".to_owned(), README.replace("NAME", name)),
        (".gitignore".to_owned(), IGNORED.to_owned()),
    ];
    files.iter().try_for_each(|(path, text)| store::write(&folder.join(path), text.as_bytes()))
}

/// The name as the language writes one: `my_study` for `my-study`.
fn identifier(name: &str) -> String {
    let text = name.replace('-', "_");
    // Words of the language and numbers are no names.
    let parsed =
        syntax::parse(FileId::default(), &format!("experiment {text} {{ }}"), &mut ExprIds::default());
    if parsed.is_ok() { text } else { format!("experiment_{text}") }
}
