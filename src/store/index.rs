//! The index of runs: a line for each, so that a list of many runs opens one file.
//!
//! Nothing rests on it. A line holds as long as the `run.json` it was made from is the same file (by size and time); what
//! is missing, old or damaged is read from the folders, and the index is written anew.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::UNIX_EPOCH;

use serde::{Deserialize, Serialize};

use super::record::RunRecord;
use super::{RunStore, atomic, run_folder};

#[derive(Clone, Serialize, Deserialize)]
struct Line {
    stamp: Stamp,
    run: RunRecord,
}

/// Changes whenever the file does.
#[derive(Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Stamp {
    bytes: u64,
    nanoseconds: u128,
}

impl RunStore {
    /// All runs, the newest first.
    pub fn runs(&self) -> Vec<RunRecord> {
        let path = self.root.join("index.jsonl");
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        let lines = text.lines().filter_map(|line| serde_json::from_str::<Line>(line).ok());
        let known: BTreeMap<String, Line> = lines.map(|line| (line.run.id.clone(), line)).collect();
        let (mut lines, mut changed) = (Vec::new(), false);
        for entry in std::fs::read_dir(&self.root).into_iter().flatten().flatten() {
            let Some(stamp) = stamp(&entry.path().join("run.json")) else { continue };
            let id = entry.file_name().to_string_lossy().into_owned();
            match known.get(&id).filter(|line| line.stamp == stamp) {
                Some(line) => lines.push(line.clone()),
                None => {
                    changed = true;
                    lines.extend(run_folder::read(&entry.path()).map(|run| Line { stamp, run }));
                }
            }
        }
        lines.sort_by(|a, b| (b.run.started, &a.run.id).cmp(&(a.run.started, &b.run.id)));
        if changed || lines.len() != known.len() {
            let text: Vec<String> =
                lines.iter().filter_map(|line| serde_json::to_string(line).ok()).collect();
            // A store that cannot be written can be listed all the same.
            let _ = atomic::write(&path, (text.join("\n") + "\n").as_bytes());
        }
        let truth = |line: Line| run_folder::with_true_condition(&self.root.join(&line.run.id), line.run);
        lines.into_iter().map(truth).collect()
    }

    /// The run of this name, or the newest of those whose names begin so.
    pub fn find(&self, name: &str) -> Option<RunRecord> {
        let name = name.trim_end_matches('/').rsplit('/').next().unwrap_or(name);
        let runs = self.runs();
        let exact = runs.iter().find(|run| run.id == name);
        exact.or_else(|| runs.iter().find(|run| run.id.starts_with(name))).cloned()
    }

    /// A file of a run.
    pub fn file(&self, run: &RunRecord, name: &str) -> std::io::Result<String> {
        std::fs::read_to_string(self.root.join(&run.id).join(name))
    }
}

fn stamp(path: &Path) -> Option<Stamp> {
    let meta = std::fs::metadata(path).ok()?;
    let nanoseconds = meta.modified().ok()?.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos());
    Some(Stamp { bytes: meta.len(), nanoseconds })
}
