//! The short form `--workload W1`: a file of the benchmark, and what `workloads.json` beside it says of it.

use std::path::{Path, PathBuf};

use serde::Deserialize;

/// What is known of a benchmark besides its file.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Workload {
    /// Steps in a timed block.
    pub steps: Option<usize>,
    /// Floating-point operations of the contractions of a step.
    pub flops: Option<f64>,
    /// Bytes that no implementation can avoid moving in a step.
    pub bytes: Option<f64>,
    /// The whole experiment is timed, of so many steps in all its trials.
    pub whole: Option<usize>,
}

/// The file of a workload in a folder, and what is known of it.
pub fn find(folder: &Path, name: &str) -> Result<(PathBuf, Workload), String> {
    let file = folder.join(format!("{name}.anz"));
    if !file.is_file() {
        return Err(format!(
            "there is no {}; `--folder` names the folder of the benchmark's files",
            file.display()
        ));
    }
    let table = folder.join("workloads.json");
    let Ok(text) = std::fs::read_to_string(&table) else { return Ok((file, Workload::default())) };
    let mut all: std::collections::BTreeMap<String, Workload> =
        serde_json::from_str(&text).map_err(|error| format!("{}: {error}", table.display()))?;
    Ok((file, all.remove(name).unwrap_or_default()))
}
