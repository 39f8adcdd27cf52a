//! `ansatz runs table`: the runs that the page shows.

use std::path::{Path, PathBuf};

use super::{Outcome, missing, newest_of, results};
use crate::report::{self, Entry};
use crate::store::{Condition, RunRecord, RunStore};

/// The page of the newest full runs of these files. Links lead from the place of the page.
pub fn page(store: &RunStore, files: &[PathBuf], output: Option<&Path>) -> Outcome<String> {
    let depth = output.and_then(Path::parent).map_or(0, |folder| folder.components().count());
    let mut entries = Vec::new();
    for file in files {
        let name = file.to_string_lossy();
        let runs = newest_of(store, &name, full);
        let Some(first) = runs.first() else { return Err(missing(store, &name)) };
        let source = store.file(first, "source.anz").unwrap_or_default();
        let link = match file.is_absolute() {
            true => name.clone().into_owned(),
            false => format!("{}{name}", "../".repeat(depth)),
        };
        let runs = runs.iter().map(|run| results(store, run)).collect::<Outcome<Vec<_>>>()?;
        entries.push(Entry { link, source, runs });
    }
    Ok(report::papers(&entries))
}

/// A run of all that the file says.
fn full(run: &RunRecord) -> bool {
    run.condition == Condition::Finished && run.settings.is_empty()
}
