//! Files behind addresses: the user's own, and those of the library, which are embedded in the program.
//!
//! In: paths and addresses. Out: addresses that any editor can open. Files of the library and pages of the error index
//! are written to a folder of the user's cache, where they can be read but not changed.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use lsp_types::Uri;
use url::Url;

use crate::diagnostic::{Code, explain};
use crate::library;

/// The path of a `file:` address.
pub fn path(uri: &Uri) -> Option<PathBuf> {
    Url::parse(uri.as_str()).ok()?.to_file_path().ok()
}

pub fn uri(path: &Path) -> Option<Uri> {
    Uri::from_str(Url::from_file_path(path).ok()?.as_str()).ok()
}

/// What a file is called in messages: its path, or the address of a text that has none.
pub fn name(uri: &Uri) -> String {
    match path(uri) {
        Some(path) => library_name(&path).unwrap_or_else(|| path.display().to_string()),
        None => uri.as_str().to_owned(),
    }
}

/// The address of a file of the library by its name in messages: `std/loss/dice.anz`.
pub fn library_file(name: &str) -> Option<Uri> {
    let path = name.strip_prefix("std/")?;
    let (_, text) = library::FILES.iter().find(|(known, _)| *known == path)?;
    written(&folder().join("std").join(path), text)
}

/// The address of the page about a code.
pub fn page(code: Code) -> Option<Uri> {
    written(&folder().join("errors").join(format!("{code}.md")), explain(code))
}

fn library_name(path: &Path) -> Option<String> {
    let inside = path.strip_prefix(folder()).ok()?;
    let name = inside.to_str()?.replace('\\', "/");
    let known = |inner: &str| library::FILES.iter().any(|(known, _)| *known == inner);
    name.strip_prefix("std/").is_some_and(known).then_some(name)
}

/// A folder for this library: other versions of the program have others.
fn folder() -> PathBuf {
    let home = || std::env::var_os("HOME").map(|home| Path::new(&home).join(".cache"));
    let base = std::env::var_os("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .or_else(|| std::env::var_os("LOCALAPPDATA").map(PathBuf::from))
        .or_else(home)
        .unwrap_or_else(std::env::temp_dir);
    base.join("ansatz").join("library").join(&blake3::hash(library_text()).to_hex()[..12])
}

fn library_text() -> &'static [u8] {
    use std::sync::OnceLock;
    static ALL: OnceLock<Vec<u8>> = OnceLock::new();
    ALL.get_or_init(|| {
        let files = library::FILES.iter().flat_map(|(path, text)| [path.as_bytes(), text.as_bytes()]);
        files.chain([env!("CARGO_PKG_VERSION").as_bytes()]).flatten().copied().collect()
    })
}

fn written(path: &Path, text: &str) -> Option<Uri> {
    if std::fs::read_to_string(path).ok().as_deref() != Some(text) {
        let folder = path.parent()?;
        std::fs::create_dir_all(folder).ok()?;
        // Whole or not at all: another server may read it at the same time.
        let mut file = tempfile::NamedTempFile::new_in(folder).ok()?;
        std::io::Write::write_all(&mut file, text.as_bytes()).ok()?;
        let mut permissions = file.as_file().metadata().ok()?.permissions();
        permissions.set_readonly(true);
        file.as_file().set_permissions(permissions).ok()?;
        file.persist(path).ok()?;
    }
    uri(path)
}
