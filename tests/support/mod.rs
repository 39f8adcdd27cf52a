//! What several tests share; each uses a part of it.
#![allow(dead_code)]

#[cfg(feature = "gpu")]
pub mod gpu;
pub mod mlp;
pub mod random_program;
pub mod runs;

/// The files of the standard library.
pub fn library() -> Vec<std::path::PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![std::path::PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/stdlib"))];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("the library's folder").flatten() {
            match entry.path() {
                path if path.is_dir() => folders.push(path),
                path => files.push(path),
            }
        }
    }
    files.sort();
    files
}
