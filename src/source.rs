//! Files, spans, and the one door to the outside.
//!
//! In: paths and bytes. Out: `Source` texts with a `FileId`, and `Span`s that every later stage carries.
//! What an experiment reads, it reads through a [`World`]. What runs leave behind is the matter of [`store`](crate::store).

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// A file known to one compilation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct FileId(pub u32);

/// A range of bytes in a file: where something that the user wrote stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Span {
    pub file: FileId,
    pub start: u32,
    pub end: u32,
}

impl Span {
    pub fn new(file: FileId, start: usize, end: usize) -> Self {
        Span { file, start: start as u32, end: end as u32 }
    }

    /// The empty place directly before it.
    pub fn before(self) -> Span {
        Span { end: self.start, ..self }
    }

    /// The empty place directly behind it.
    pub fn after(self) -> Span {
        Span { start: self.end, ..self }
    }

    /// The smallest span that covers both.
    pub fn to(self, other: Span) -> Span {
        Span { file: self.file, start: self.start.min(other.start), end: self.end.max(other.end) }
    }
}

/// The text of one file.
#[derive(Debug)]
pub struct Source {
    pub id: FileId,
    /// As shown in messages: the path that the user gave, or `std/loss/dice.anz` for an embedded file.
    pub name: String,
    pub text: String,
}

/// All texts of one compilation, by `FileId`.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    files: Vec<Arc<Source>>,
}

impl Sources {
    pub fn add(&mut self, name: impl Into<String>, text: impl Into<String>) -> FileId {
        let id = FileId(self.files.len() as u32);
        self.files.push(Arc::new(Source { id, name: name.into(), text: text.into() }));
        id
    }

    pub fn get(&self, id: FileId) -> &Arc<Source> {
        &self.files[id.0 as usize]
    }

    /// The text that a span covers.
    pub fn slice(&self, span: Span) -> &str {
        let text = &self.get(span.file).text;
        text.get(span.start as usize..(span.end as usize).min(text.len())).unwrap_or("")
    }

    /// Line and column of a span's start, both from 1.
    pub fn position(&self, span: Span) -> (usize, usize) {
        let text = &self.get(span.file).text;
        let before = &text[..(span.start as usize).min(text.len())];
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().map_or(0, |l| l.chars().count()) + 1;
        (line, column)
    }

    pub fn iter(&self) -> impl Iterator<Item = &Arc<Source>> {
        self.files.iter()
    }
}

/// What the outside offers: command line, tests and editor each bring their own.
pub trait World: Sync {
    /// The bytes of a file below the experiment's folder or a data root. `path` is as the user wrote it.
    fn read(&self, path: &Path) -> std::io::Result<Vec<u8>>;
}

/// The real file system, limited to some folders: an experiment reads only beneath them.
pub struct Disk {
    /// Folders searched in order: the experiment file's own folder first, then the data roots.
    pub roots: Vec<PathBuf>,
}

impl World for Disk {
    fn read(&self, path: &Path) -> std::io::Result<Vec<u8>> {
        use std::io::{Error, ErrorKind};
        let mut refused = None;
        for root in &self.roots {
            let root = if root.as_os_str().is_empty() { Path::new(".") } else { root };
            let Ok(full) = root.join(path).canonicalize() else { continue };
            let base = root.canonicalize()?;
            if !full.starts_with(&base) {
                refused = Some(Error::new(
                    ErrorKind::PermissionDenied,
                    format!("`{}` lies outside the experiment's folder", path.display()),
                ));
                continue;
            }
            return std::fs::read(full);
        }
        Err(refused.unwrap_or_else(|| Error::new(ErrorKind::NotFound, "no such file")))
    }
}

/// Files held in memory, for tests.
#[derive(Default)]
pub struct Memory {
    pub files: std::collections::BTreeMap<PathBuf, Vec<u8>>,
}

impl World for Memory {
    fn read(&self, path: &Path) -> std::io::Result<Vec<u8>> {
        self.files
            .get(path)
            .cloned()
            .ok_or_else(|| std::io::Error::new(std::io::ErrorKind::NotFound, "no such file"))
    }
}
