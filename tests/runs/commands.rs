//! `ansatz runs`: list, show, diff, export, table, gc.

use ansatz::store::{Keep, RunStore};
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::RowAccessor;

use super::cache::{FILE, bench};
use crate::support::runs::Bench;

fn said(bench: &Bench, arguments: &[&str]) -> String {
    let output = bench.ansatz(arguments);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {errors}");
    String::from_utf8(output.stdout).expect("text")
}

fn name(folder: Option<std::path::PathBuf>) -> String {
    folder.expect("a run").file_name().expect("a name").to_string_lossy().into_owned()
}

#[test]
fn runs_are_listed_and_shown() {
    let bench = bench();
    assert!(said(&bench, &["runs", "list"]).contains("there are no runs"));
    let first = name(bench.run(&[]).folder);
    let second = name(bench.run(&["--seed", "1"]).folder);
    let list = said(&bench, &["runs", "list"]);
    assert_eq!(list.lines().count(), 3, "{list}");
    assert!(list.contains(&first) && list.contains(&second) && list.contains("seed 1, cpu"), "{list}");
    let shown = said(&bench, &["runs", "show", &first]);
    assert!(shown.contains("4 trials: 4 computed") && shown.contains("holds: it learns"), "{shown}");
    // The beginning of a name is enough; the same run again is the same folder.
    assert!(said(&bench, &["runs", "show", "e"]).contains("seed 1"));
    assert_eq!(name(bench.run(&[]).folder), first);
    assert_eq!(said(&bench, &["runs", "list"]).lines().count(), 3);
    let wrong = bench.ansatz(&["runs", "show", "f-123"]);
    let errors = String::from_utf8_lossy(&wrong.stderr).into_owned();
    assert_eq!(wrong.status.code(), Some(2));
    assert!(errors.contains("A0608"), "{errors}");
}

/// Lost, damaged, or old: it is made again from the folders, and says the same.
#[test]
fn the_index_can_be_lost() {
    let bench = bench();
    bench.run(&[]);
    bench.run(&["--seed", "1"]);
    let ids = || RunStore::open(&bench.runs()).runs().into_iter().map(|run| run.id).collect::<Vec<_>>();
    let before = ids();
    assert_eq!(before.len(), 2);
    let index = bench.path("runs/index.jsonl");
    let text = std::fs::read_to_string(&index).expect("an index");
    for damaged in [String::new(), text[..text.len() / 2].to_owned(), text.replace("finished", "failed")] {
        std::fs::write(&index, damaged).expect("the damage");
        assert_eq!(ids(), before);
    }
    std::fs::remove_file(&index).expect("it was there");
    assert_eq!(ids(), before);
    std::fs::remove_dir_all(bench.runs().join(&before[0])).expect("it was there");
    assert_eq!(ids(), before[1..]);
    bench.run(&["--seed", "2"]);
    assert_eq!(ids().len(), 2);
}

#[test]
fn runs_are_compared() {
    let bench = bench();
    let first = name(bench.run(&[]).folder);
    assert!(said(&bench, &["runs", "diff", &first, &first]).contains("no difference"));
    bench.write("e.anz", FILE.replace("< limit", "< 0 * limit").replace("steps 40", "steps 20"));
    let second = name(bench.run(&["--set", "rate=0.01"]).folder);
    let said = said(&bench, &["runs", "diff", &first, &second]);
    for part in
        ["another program", "settings: none and rate = 0.01", "claim \"it learns\": holds and refuted"]
    {
        assert!(said.contains(part), "{said}");
    }
    assert!(said.contains("measure loss: 4 of 4 values differ"), "{said}");
}

#[test]
fn values_are_exported_with_their_examples() {
    let bench = bench();
    bench.run(&[]);
    let csv = said(&bench, &["runs", "export", "e"]);
    let mut lines = csv.lines();
    assert_eq!(lines.next(), Some("measure,Objective,Seed,Row.test,value"));
    let rows: Vec<Vec<&str>> = lines.map(|line| line.split(',').collect()).collect();
    // Four losses, and of 16 rows of the test part how far each trial is off.
    assert_eq!(rows.len(), 4 + 4 * 16);
    let examples = |objective: &str, seed: &str| -> Vec<&str> {
        let of = |row: &&Vec<&str>| row[0] == "off" && row[1] == objective && row[2] == seed;
        rows.iter().filter(of).map(|row| row[3]).collect()
    };
    // Arms share their split, so that they can be compared example by example; seeds do not.
    assert_eq!(examples("square", "0"), examples("absolute", "0"));
    assert_ne!(examples("square", "0"), examples("square", "1"));
    // They are rows of the data.
    assert!(examples("square", "1").iter().all(|row| row.parse::<usize>().is_ok_and(|row| row < 40)));
    let mut distinct = examples("square", "0");
    distinct.sort_unstable();
    distinct.dedup();
    assert_eq!(distinct.len(), 16);

    let json: serde_json::Value =
        serde_json::from_str(&said(&bench, &["runs", "export", "e", "--format", "json"])).expect("JSON");
    assert_eq!(json.as_array().map(Vec::len), Some(rows.len()));
    said(&bench, &["runs", "export", "e", "--format", "parquet", "--output", "out.parquet"]);
    let file = std::fs::File::open(bench.path("out.parquet")).expect("the file");
    let reader = SerializedFileReader::new(file).expect("a parquet file");
    let mut read = 0;
    for (row, (known, object)) in
        reader.get_row_iter(None).expect("rows").zip(rows.iter().zip(json.as_array().expect("a list")))
    {
        let row = row.expect("a row");
        assert_eq!(row.get_string(0).expect("a measure"), known[0]);
        let example = row.get_string(3).map(String::as_str).unwrap_or("");
        assert_eq!(example, known[3]);
        let value: f64 = known[4].parse().expect("a number");
        assert_eq!(row.get_double(4).expect("a number"), value);
        assert_eq!(object["value"].as_f64(), Some(value));
        read += 1;
    }
    assert_eq!(read, rows.len());
}

/// The page is of full runs; it is compared but for seconds and last digits.
#[test]
fn a_page_of_claims_is_written_and_compared() {
    let bench = bench();
    bench.write("e.anz", format!("//! Lines. Not reproduced: curves.\n{FILE}"));
    let none = bench.ansatz(&["runs", "table", "e.anz"]);
    assert_eq!(none.status.code(), Some(2), "there is no run yet");
    bench.run(&["--seeds", "1"]);
    assert_eq!(
        bench.ansatz(&["runs", "table", "e.anz"]).status.code(),
        Some(2),
        "only one with other settings"
    );
    bench.run(&[]);
    let page = said(&bench, &["runs", "table", "e.anz"]);
    let row = page.lines().last().expect("a row");
    assert!(
        row.starts_with("| [Lines. Not reproduced: curves.](e.anz) | holds: it learns (`loss` "),
        "{row}"
    );
    assert!(row.contains("&lt; 9") && row.contains(" ± "), "{row}");
    let cells: Vec<&str> = row.trim_matches('|').split(" | ").collect();
    assert_eq!((cells[2], cells[4]), ("2", "43"), "{row}");
    said(&bench, &["runs", "table", "e.anz", "--output", "page.md"]);
    said(&bench, &["runs", "table", "e.anz", "--output", "page.md", "--check"]);
    bench.write("page.md", page.replace("holds:", "refuted:"));
    let other = bench.ansatz(&["runs", "table", "e.anz", "--output", "page.md", "--check"]);
    assert_eq!(other.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&other.stderr).contains("+ | [Lines."));
}

#[test]
fn garbage_is_what_no_run_needs() {
    let bench = bench();
    bench.run(&[]);
    let before = bench.run(&["--seed", "1"]).results();
    bench.write("runs/.unfinished-abc", "cut off");
    let store = || RunStore::open(&bench.runs());
    let garbage = store().garbage(Keep::All);
    assert_eq!((garbage.runs.len(), garbage.trials.len()), (0, 0));
    assert!(
        said(&bench, &["runs", "gc", "--keep", "1", "--dry-run"]).contains("to delete: 1 runs, 4 trials")
    );
    assert!(bench.path("runs/.unfinished-abc").exists());
    // Not while somebody works in it.
    let working = RunStore::create(&bench.runs()).expect("a store");
    assert_eq!(bench.ansatz(&["runs", "gc"]).status.code(), Some(3));
    drop(working);
    let told = said(&bench, &["runs", "gc", "--keep", "1"]);
    assert!(told.contains("deleted 1 runs, 4 trials"), "{told}");
    assert!(!bench.path("runs/.unfinished-abc").exists());
    assert_eq!(store().runs().len(), 1);
    // What remains is whole.
    let again = bench.run(&["--seed", "1"]);
    assert!(again.computed().is_empty());
    assert_eq!(again.results(), before);
    // The names of runs go first: nothing else is in the way.
    said(&bench, &["runs", "gc", "--keep", "0"]);
    assert!(store().runs().is_empty() && store().garbage(Keep::All).bytes == 0);
}

#[test]
fn a_run_without_results_says_so() {
    let bench = bench();
    let ran = bench.run(&[]);
    let results = ran.folder.expect("a run").join("results.json");
    std::fs::write(&results, "{").expect("the damage");
    for damaged in [true, false] {
        let output = bench.ansatz(&["runs", "export", "e"]);
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2));
        assert!(errors.contains("A0609") && errors.contains("damaged") == damaged, "{errors}");
        if damaged {
            std::fs::remove_file(&results).expect("it was there");
        }
    }
}
