//! Deleting what no run needs any more.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::TryLockError;
use std::io::{Error, ErrorKind, Result};
use std::path::{Path, PathBuf};

use super::atomic::UNFINISHED;
use super::{RunStore, atomic};

/// Which runs stay.
#[derive(Clone, Copy, Debug)]
pub enum Keep {
    All,
    /// So many of each experiment, the newest.
    Newest(usize),
}

/// What there is to delete.
#[derive(Clone, Debug, Default)]
pub struct Garbage {
    /// Folders of runs.
    pub runs: Vec<String>,
    /// Kept trials that no remaining run has.
    pub trials: BTreeSet<String>,
    /// Trials with checkpoints that are finished, or that no remaining run has.
    pub checkpoints: Vec<String>,
    pub bytes: u64,
    paths: Vec<PathBuf>,
}

impl RunStore {
    /// What could be deleted.
    pub fn garbage(&self, keep: Keep) -> Garbage {
        let mut garbage = Garbage::default();
        let mut seen: BTreeMap<(String, String), usize> = BTreeMap::new();
        let mut needed = BTreeSet::new();
        for run in self.runs() {
            let count = seen.entry((run.file.clone(), run.experiment.clone())).or_default();
            *count += 1;
            match keep {
                Keep::Newest(most) if *count > most => {
                    garbage.add(&self.root.join(&run.id));
                    garbage.runs.push(run.id);
                }
                _ => needed.extend(run.trials.into_iter().map(|trial| trial.identity)),
            }
        }
        for folder in entries(&self.root.join("trials")) {
            for path in entries(&folder) {
                let identity = name(&path).split('.').next().unwrap_or_default().to_owned();
                if !identity.is_empty() && !needed.contains(&identity) {
                    garbage.add(&path);
                    garbage.trials.insert(identity);
                }
            }
        }
        for path in entries(&self.root.join("checkpoints")) {
            if self.has_trial(&name(&path)) || !needed.contains(&name(&path)) {
                garbage.add(&path);
                garbage.checkpoints.push(name(&path));
            }
        }
        self.unfinished(&self.root, 3, &mut garbage);
        garbage
    }

    /// Files that were being written when their process ended.
    fn unfinished(&self, folder: &Path, depth: usize, garbage: &mut Garbage) {
        for path in entries(folder) {
            if name(&path).starts_with(UNFINISHED) {
                if !garbage.paths.contains(&path) {
                    garbage.add(&path);
                }
            } else if depth > 0 && path.is_dir() {
                self.unfinished(&path, depth - 1, garbage);
            }
        }
    }

    /// Deletes what could be deleted, unless somebody works in the store.
    pub fn collect_garbage(&self, keep: Keep) -> Result<Garbage> {
        if !self.root.is_dir() {
            return Ok(Garbage::default());
        }
        let lock = atomic::lock_file(&self.root.join(".lock"))?;
        match lock.try_lock() {
            Err(TryLockError::WouldBlock) => return Err(Error::other("a run is going on in this store")),
            Err(TryLockError::Error(error)) => return Err(error),
            Ok(()) => {}
        }
        let garbage = self.garbage(keep);
        for path in &garbage.paths {
            let removed = match path.is_dir() {
                true => std::fs::remove_dir_all(path),
                false => std::fs::remove_file(path),
            };
            // It may have gone with its folder.
            if let Err(error) = removed
                && error.kind() != ErrorKind::NotFound
            {
                return Err(error);
            }
        }
        Ok(garbage)
    }
}

impl Garbage {
    fn add(&mut self, path: &Path) {
        self.bytes += bytes(path);
        self.paths.push(path.to_path_buf());
    }
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let read = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut paths: Vec<PathBuf> = read.map(|entry| entry.path()).collect();
    paths.sort();
    paths
}

fn name(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

fn bytes(path: &Path) -> u64 {
    match path.is_dir() {
        true => entries(path).iter().map(|inner| bytes(inner)).sum(),
        false => std::fs::metadata(path).map_or(0, |meta| meta.len()),
    }
}
