//! The files that a text names: whether they are there, and fit what the text says of their columns.

use std::path::PathBuf;

use super::context::Context;
use super::place;
use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::run;
use crate::source::{Disk, World};

/// Larger files are not read while someone types; that they exist is checked.
const LARGEST: u64 = 2 << 20;

/// What is wrong with the data of a right text. Paths start at its folder, or at one of `roots`.
pub fn problems(context: &Context, roots: &[PathBuf]) -> Vec<Diagnostic> {
    let Some(folder) = place::path(&context.document.uri).and_then(|path| Some(path.parent()?.to_path_buf()))
    else {
        return Vec::new();
    };
    if context.analysis.failed || context.analysis.file().is_none() {
        return Vec::new();
    }
    let roots = std::iter::once(folder).chain(roots.iter().cloned()).collect();
    let world = Small { disk: Disk { roots } };
    let mut problems = run::data_problems(context.program(), &world);
    problems.retain(|problem| problem.code != Code::A0403);
    for problem in problems.iter_mut().filter(|problem| problem.code == Code::A0401) {
        // The command line may name folders that the editor does not know.
        problem.severity = Severity::Warning;
    }
    problems
}

struct Small {
    disk: Disk,
}

impl World for Small {
    fn read(&self, path: &std::path::Path) -> std::io::Result<Vec<u8>> {
        let sizes = self.disk.roots.iter().filter_map(|root| std::fs::metadata(root.join(path)).ok());
        match sizes.map(|found| found.len()).max() {
            Some(size) if size > LARGEST => Err(std::io::ErrorKind::FileTooLarge.into()),
            _ => self.disk.read(path),
        }
    }
}
