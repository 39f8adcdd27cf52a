//! The run store: what runs leave on the disk, so that nothing is computed twice and nothing is lost.
//!
//! In: a folder. Out: kept trials and checkpoints ([`Bundle`]s by the hash of a trial), the folders of runs, and an index of
//! them. Every file is written whole; logs only grow. All of it can be deleted at any time, and costs the time it took.
//!
//! ```text
//! runs/
//!   quickstart-1f3a77c2/       a run: run.json, results.json, report.txt, source.anz, log.jsonl
//!   trials/4c/4c81..json       what a trial measured, by its identity, with 4c81..*.safetensors
//!   checkpoints/4c81../        of a trial that is going on, or was interrupted
//!   index.jsonl                a line for each run, made anew where it is old
//! ```

mod atomic;
mod bundle;
mod garbage;
mod index;
mod record;
mod run_folder;

use std::fs::{File, TryLockError};
use std::io::{self, Result};
use std::path::{Path, PathBuf};

pub use atomic::write;
pub use bundle::{Bundle, Unreadable};
pub use garbage::{Garbage, Keep};
pub use record::{Condition, RunRecord, TrialCondition, TrialRecord};
pub use run_folder::{RunFolder, now};

/// A folder of runs.
#[derive(Debug)]
pub struct RunStore {
    root: PathBuf,
    /// Shared by all who work in the store; who deletes must have it alone.
    _lock: Option<File>,
}

impl RunStore {
    /// For writing: makes the folder, and fails where it cannot be written.
    pub fn create(root: &Path) -> Result<Self> {
        std::fs::create_dir_all(root)?;
        // Results are made again from files that are under version control; they need not be.
        let ignore = root.join(".gitignore");
        if !ignore.exists() {
            atomic::write(&ignore, b"*\n")?;
        }
        std::fs::create_dir_all(root.join("trials"))?;
        std::fs::create_dir_all(root.join("checkpoints"))?;
        tempfile::Builder::new().prefix(atomic::UNFINISHED).tempfile_in(root)?;
        let lock = atomic::lock_file(&root.join(".lock"))?;
        // Where the file system has no locks, nobody is kept from deleting.
        let held = lock.lock_shared().is_ok();
        Ok(RunStore { root: root.to_path_buf(), _lock: held.then_some(lock) })
    }

    /// For reading: the folder may be missing.
    pub fn open(root: &Path) -> Self {
        RunStore { root: root.to_path_buf(), _lock: None }
    }

    pub fn root(&self) -> &Path {
        &self.root
    }

    /// What the trial of this identity measured.
    pub fn trial(&self, identity: &str) -> std::result::Result<Bundle, Unreadable> {
        Bundle::read(&self.trial_folder(identity), identity)
    }

    /// Whether it is there, whole or not.
    pub fn has_trial(&self, identity: &str) -> bool {
        self.trial_folder(identity).join(format!("{identity}.json")).is_file()
    }

    pub fn keep_trial(&self, identity: &str, bundle: &Bundle) -> Result<()> {
        bundle.write(&self.trial_folder(identity), identity)
    }

    fn trial_folder(&self, identity: &str) -> PathBuf {
        self.root.join("trials").join(identity.get(..2).unwrap_or("00"))
    }

    /// The folder for the checkpoints of a trial; it may not exist.
    pub fn checkpoints(&self, identity: &str) -> PathBuf {
        self.root.join("checkpoints").join(identity)
    }

    /// The right to compute a trial, unless another process, or another trial of the same identity, has it. It ends with
    /// the claim, and with the process however that ends.
    pub fn claim(&self, identity: &str) -> Claim {
        let folder = self.checkpoints(identity);
        let locked = std::fs::create_dir_all(&folder).and_then(|()| {
            let file = atomic::lock_file(&folder.join("lock"))?;
            match file.try_lock() {
                Ok(()) => Ok(Claim::Ours(Some(file))),
                Err(TryLockError::WouldBlock) => Ok(Claim::Taken),
                Err(TryLockError::Error(error)) => Err(error),
            }
        });
        // Without locks, or with a full disk, the worst is that work is done twice.
        locked.unwrap_or(Claim::Ours(None))
    }

    /// Deletes the checkpoints of a trial.
    pub fn forget_checkpoints(&self, identity: &str) -> Result<()> {
        match std::fs::remove_dir_all(self.checkpoints(identity)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }
}

/// Whether one may compute a trial.
#[derive(Debug)]
pub enum Claim {
    /// While the file is open; none where the file system has no locks.
    Ours(Option<File>),
    Taken,
}
