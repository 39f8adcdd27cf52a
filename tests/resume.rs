//! A run that is cut off at every moment it can be observed goes on, and ends with the same bytes: for every construct that
//! only experiments have (the files of tests/conformance).

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use ansatz::check;
use ansatz::report;
use ansatz::run::{self, Cadence, Failure, Keeper, Observer, Options, Silent};
use ansatz::source::Disk;
use ansatz::store::RunStore;

/// Ends everything when it has been called so often, as a killed process ends: nothing is tidied up.
struct Cut {
    calls: AtomicUsize,
    most: usize,
}

impl Observer for Cut {
    fn training(&self, _trial: usize, _block: usize, _done: usize, _steps: usize) {
        assert!(self.calls.fetch_add(1, Ordering::Relaxed) < self.most, "cut off here");
    }
}

/// The results of every experiment of a file but for their times, or why there are none.
fn results(file: &Path, store: Option<&Path>, observer: &dyn Observer) -> Vec<String> {
    let text = std::fs::read_to_string(file).expect("the file");
    let outcome = check::check(&file.display().to_string(), &text);
    let program = outcome.program.expect("a right file");
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let world = Disk { roots: vec![root.join("tests/conformance"), root.join("experiments/data")] };
    let mut found = Vec::new();
    for experiment in run::experiments(&program) {
        let cadence = Cadence { every: None, steps: Some(5) };
        let keeper = store.map(|at| Keeper::new(RunStore::create(at).expect("a store"), false, cadence));
        let options = Options::default();
        let ran =
            run::run(&program, experiment, &outcome.sources, &world, &options, keeper.as_ref(), observer);
        if let Some(keeper) = &keeper {
            assert!(keeper.troubles().is_empty(), "{}: {:?}", file.display(), keeper.troubles());
        }
        found.push(match ran {
            Ok(mut results) => {
                results.times = Default::default();
                report::json(&results)
            }
            Err(Failure::Wrong(problems) | Failure::Failed(problems)) => format!("{problems:?}"),
        });
    }
    found
}

#[test]
fn every_construct_goes_on_where_it_was() {
    // What is cut off is no news.
    std::panic::set_hook(Box::new(|info| {
        let text = info.payload().downcast_ref::<&str>().copied().unwrap_or_default();
        if !text.contains("cut off here") {
            eprintln!("{info}");
        }
    }));
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/conformance");
    let entries = std::fs::read_dir(folder).expect("the folder").map(|entry| entry.expect("an entry").path());
    let mut files: Vec<PathBuf> =
        entries.filter(|path| path.extension().is_some_and(|e| e == "anz")).collect();
    files.sort();
    let (mut cuts, mut resumed) = (0, 0);
    for file in files {
        let expected = results(&file, None, &Silent);
        // In memory where that is a folder: thousands of small files are written.
        let memory = Path::new("/dev/shm");
        let parent = if memory.is_dir() { memory.to_path_buf() } else { std::env::temp_dir() };
        let store = tempfile::tempdir_in(parent).expect("a store");
        // Each attempt may go further than the one before, so that this ends however little was kept.
        let mut most = 1;
        loop {
            let cut = Cut { calls: AtomicUsize::new(0), most };
            most += 1 + most / 4;
            let attempt = catch_unwind(AssertUnwindSafe(|| results(&file, Some(store.path()), &cut)));
            match attempt {
                Err(_) => cuts += 1,
                Ok(found) => {
                    assert!(found == expected, "{}: other results", file.display());
                    break;
                }
            }
        }
        resumed += logs(store.path()).matches("\"resumed\"").count();
    }
    assert!(cuts > 50 && resumed > 50, "{cuts} cuts, {resumed} blocks resumed");
}

/// The logs of all runs.
fn logs(store: &Path) -> String {
    let runs = std::fs::read_dir(store).expect("a store").flatten();
    runs.filter_map(|entry| std::fs::read_to_string(entry.path().join("log.jsonl")).ok()).collect()
}
