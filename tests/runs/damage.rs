//! Disks that are full, folders that cannot be written, files that are damaged.

use std::path::{Path, PathBuf};

use super::cache::{FILE, bench, points};
use crate::support::runs::{Bench, Ran};

/// All files of the store that hold numbers.
fn arrays(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        match entry.path() {
            path if path.is_dir() => found.extend(arrays(&path)),
            path if path.extension().is_some_and(|e| e == "safetensors") => found.push(path),
            _ => {}
        }
    }
    found.sort();
    found
}

fn flip_a_byte(path: &Path) {
    let mut bytes = std::fs::read(path).expect("a file");
    let at = bytes.len() - 3;
    bytes[at] ^= 0x10;
    std::fs::write(path, bytes).expect("the damage");
}

#[test]
fn a_damaged_trial_is_computed_again_with_a_warning() {
    let bench = bench();
    let first = bench.run(&[]);
    let files = arrays(&bench.path("runs/trials"));
    assert_eq!(files.len(), 4);
    flip_a_byte(&files[0]);
    std::fs::remove_file(&files[1]).expect("it was there");
    std::fs::write(files[2].with_extension("").with_extension("json"), "{").expect("the damage");
    let again = bench.run(&[]);
    assert_eq!(again.code, Some(0), "{}", again.errors);
    assert!(again.errors.contains("[A0607] Warning"), "{}", again.errors);
    assert_eq!(again.computed().len(), 3);
    assert_eq!(again.results(), first.results());
    // It is whole again.
    let third = bench.run(&[]);
    assert!(third.computed().is_empty() && !third.errors.contains("A06"), "{}", third.errors);
}

/// A run that was cut off leaves checkpoints; one of them is damaged.
#[test]
fn a_damaged_checkpoint_costs_its_steps_and_nothing_else() {
    let text = FILE.replace("steps 40", "steps 200000");
    let bench = Bench::new(&text);
    bench.write("points.csv", points(2.0));
    bench.write("other.csv", "size\n1\n");
    let mut child = bench
        .command(&["run", "e.anz", "--quiet", "--backend", "cpu", "--checkpoint-steps", "50"])
        .stderr(std::process::Stdio::null())
        .spawn()
        .expect("it starts");
    let checkpoints = bench.path("runs/checkpoints");
    while !super::kill::has_checkpoint(&checkpoints) && child.try_wait().expect("a child").is_none() {
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
    child.kill().expect("it can be killed");
    child.wait().expect("a child");
    let files = arrays(&checkpoints);
    assert!(super::kill::has_checkpoint(&checkpoints), "it ended too early");
    let list = bench.ansatz(&["runs", "list"]);
    let list = String::from_utf8_lossy(&list.stdout).into_owned();
    assert!(list.contains("interrupted"), "{list}");
    files.iter().for_each(|file| flip_a_byte(file));
    let short = ["--most-steps", "100"];
    // The checkpoints are those of a long run: they are used only by it.
    let other = bench.run(&short);
    assert!(!other.errors.contains("A0607"), "{}", other.errors);
    let ran = bench.ran(
        bench.command(&["run", "e.anz", "--quiet", "--backend", "cpu"]).output().expect("the program starts"),
    );
    assert_eq!(ran.code, Some(0), "{}", ran.errors);
    assert!(ran.errors.contains("A0607") && ran.errors.contains("checkpoint"), "{}", ran.errors);
    let results = ran.results();
    assert_eq!(results, bench.run(&["--fresh"]).results());
}

/// As on a full disk, files cannot grow beyond some size.
#[cfg(unix)]
#[test]
fn a_full_disk_is_told_and_earlier_results_stay() {
    let bench = bench();
    let first = bench.run(&[]);
    let before = snapshot(&first.folder.clone().expect("a run"));
    // The signal of the limit is ignored, so that writing fails with an error.
    let limited = |file: &str, blocks: u32| -> Ran {
        let program = env!("CARGO_BIN_EXE_ansatz");
        let line = format!(
            "trap '' XFSZ; ulimit -f {blocks}; exec {program} run {file} --quiet --backend cpu --seed 3"
        );
        let output = std::process::Command::new("sh")
            .current_dir(bench.path(""))
            .args(["-c", &line])
            .output()
            .expect("a shell");
        bench.ran(output)
    };
    // Nothing can be written at all.
    let ran = limited("e.anz", 0);
    assert_eq!(ran.code, Some(3), "{}{}", ran.out, ran.errors);
    assert!(ran.errors.contains("A0606"), "{}", ran.errors);
    // Trials can, results cannot. The report is printed all the same.
    let ran = limited("e.anz", 6);
    assert_eq!(ran.code, Some(3), "{}{}", ran.out, ran.errors);
    assert!(ran.errors.contains("A0606") && !ran.errors.contains("panicked"), "{}", ran.errors);
    assert!(ran.out.contains("claims hold"), "{}", ran.out);
    assert_eq!(snapshot(&first.folder.expect("a run")), before, "the earlier run has changed");
    // With room again, the same run ends as it should.
    let ran = bench.run(&["--seed", "3"]);
    assert_eq!(ran.code, Some(0), "{}", ran.errors);
    assert!(!ran.errors.contains("A0607"), "{}", ran.errors);
    let results = ran.results();
    assert_eq!(results, bench.run(&["--seed", "3", "--fresh"]).results());
}

/// The names and contents of the files of a folder.
fn snapshot(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let entries = std::fs::read_dir(folder).expect("a folder").flatten();
    let mut files: Vec<_> = entries
        .map(|entry| {
            let content = std::fs::read(entry.path()).expect("a file");
            (entry.file_name().to_string_lossy().into_owned(), content)
        })
        .collect();
    files.sort();
    files
}

#[test]
fn a_store_that_cannot_be_made_is_refused_before_anything_is_computed() {
    let bench = bench();
    bench.write("taken", "a file where the folder should be");
    let ran = bench.run(&["--runs", "taken"]);
    assert_eq!(ran.code, Some(3), "{}", ran.errors);
    assert!(ran.errors.contains("A0606") && ran.errors.contains("--no-store"), "{}", ran.errors);
    assert!(!ran.out.contains("claims hold"), "{}", ran.out);
}

#[cfg(unix)]
#[test]
fn a_folder_that_is_read_only_is_refused() {
    use std::os::unix::fs::PermissionsExt;
    let bench = bench();
    let ran = bench.run(&[]);
    let before = ran.results();
    let runs = bench.runs();
    let mode = |mode| std::fs::set_permissions(&runs, PermissionsExt::from_mode(mode)).expect("permissions");
    mode(0o555);
    // A superuser may write everywhere.
    let forbidden = std::fs::write(runs.join("probe"), "").is_err();
    let refused = bench.run(&["--seed", "4"]);
    let listed = bench.ansatz(&["runs", "list"]);
    mode(0o755);
    if forbidden {
        assert_eq!(refused.code, Some(3), "{}", refused.errors);
        assert!(refused.errors.contains("A0606"), "{}", refused.errors);
    }
    assert!(listed.status.success() && String::from_utf8_lossy(&listed.stdout).contains("finished"));
    assert_eq!(ran.results(), before);
}

#[test]
fn missing_and_damaged_data_leave_earlier_results_alone() {
    let bench = bench();
    let first = bench.run(&[]);
    let before = snapshot(first.folder.as_ref().expect("a run"));
    std::fs::remove_file(bench.path("points.csv")).expect("it was there");
    let ran = bench.run(&[]);
    assert_eq!(ran.code, Some(2), "{}", ran.errors);
    assert!(ran.errors.contains("[A04"), "{}", ran.errors);
    // A parquet file that is shorter than it says.
    let whole =
        std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/three.parquet")).expect("a file");
    bench.write("points.parquet", &whole[..whole.len() * 2 / 3]);
    bench.write("e.anz", FILE.replace("csv(\"points.csv\")", "parquet(\"points.parquet\")"));
    let ran = bench.run(&[]);
    assert_eq!(ran.code, Some(2), "{}", ran.errors);
    assert!(ran.errors.contains("A0443"), "{}", ran.errors);
    assert_eq!(snapshot(first.folder.as_ref().expect("a run")), before);
    // With the data back, nothing is computed.
    bench.write("points.csv", points(2.0));
    bench.write("e.anz", FILE);
    assert!(bench.run(&[]).computed().is_empty());
}
