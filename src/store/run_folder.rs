//! The folder of one run.

use std::fs::File;
use std::io::{self, Result};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use super::record::{Condition, RunRecord};
use super::{RunStore, atomic};

/// A run that is going on.
#[derive(Debug)]
pub struct RunFolder {
    folder: PathBuf,
    /// Held as long as it goes on.
    _lock: Option<File>,
}

impl RunFolder {
    /// Makes the folder, or enters it again: a run of the same content has the same folder.
    pub fn begin(store: &RunStore, record: &RunRecord, source: &str) -> Result<Self> {
        let folder = store.root.join(&record.id);
        std::fs::create_dir_all(&folder)?;
        let lock = atomic::lock_file(&folder.join("lock"))?;
        let held = lock.lock_shared().is_ok();
        let run = RunFolder { folder, _lock: held.then_some(lock) };
        run.write("source.anz", source)?;
        run.record(record)?;
        Ok(run)
    }

    pub fn path(&self) -> &Path {
        &self.folder
    }

    pub fn record(&self, record: &RunRecord) -> Result<()> {
        let text = serde_json::to_string_pretty(record).map_err(io::Error::other)?;
        self.write("run.json", &format!("{text}\n"))
    }

    pub fn write(&self, name: &str, text: &str) -> Result<()> {
        atomic::write(&self.folder.join(name), text.as_bytes())
    }

    /// One more line of the log.
    pub fn log(&self, event: &str, more: Value) -> Result<()> {
        let mut line = json!({ "at": now(), "event": event });
        if let (Some(line), Value::Object(more)) = (line.as_object_mut(), more) {
            line.extend(more);
        }
        atomic::append(&self.folder.join("log.jsonl"), &line.to_string())
    }
}

/// The record in a folder of a run, with what only a look at its lock can tell.
pub fn read(folder: &Path) -> Option<RunRecord> {
    let text = std::fs::read(folder.join("run.json")).ok()?;
    let mut record: RunRecord = serde_json::from_slice(&text).ok()?;
    // A folder that was copied or renamed is the run that its name says.
    record.id = folder.file_name()?.to_string_lossy().into_owned();
    Some(record)
}

/// Whether nobody works on a run that says it is running.
pub fn is_abandoned(folder: &Path) -> bool {
    File::open(folder.join("lock")).is_ok_and(|lock| lock.try_lock().is_ok())
}

pub fn with_true_condition(folder: &Path, mut record: RunRecord) -> RunRecord {
    if record.condition == Condition::Running && is_abandoned(folder) {
        record.condition = Condition::Interrupted;
    }
    record
}

/// Milliseconds since 1970.
pub fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64)
}
