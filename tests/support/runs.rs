//! Running files through the program, and reading what their runs left.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

/// The results in a folder of runs, in the order of the runs' names.
pub fn results(runs: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(runs).into_iter().flatten();
    let mut paths: Vec<PathBuf> = entries
        .map(|entry| entry.expect("an entry").path().join("results.json"))
        .filter(|path| path.is_file())
        .collect();
    paths.sort();
    paths
}

/// An experiment in a folder of its own, with its runs.
pub struct Bench {
    folder: tempfile::TempDir,
}

impl Bench {
    pub fn new(text: &str) -> Self {
        let bench = Bench { folder: tempfile::tempdir().expect("a temporary folder") };
        bench.write("e.anz", text);
        bench
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        std::fs::write(self.path(name), content).expect("the file is written");
    }

    pub fn runs(&self) -> PathBuf {
        self.path("runs")
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ansatz"));
        command.current_dir(self.folder.path()).args(arguments);
        command
    }

    pub fn ansatz(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().expect("the program starts")
    }

    /// `ansatz run e.anz` on the processor.
    pub fn run(&self, more: &[&str]) -> Ran {
        let mut arguments = vec!["run", "e.anz", "--quiet"];
        if !more.contains(&"--backend") {
            arguments.extend(["--backend", "cpu"]);
        }
        arguments.extend(more);
        self.ran(self.ansatz(&arguments))
    }

    /// What a run said, and what it left behind.
    pub fn ran(&self, output: Output) -> Ran {
        let out = String::from_utf8_lossy(&output.stdout).into_owned();
        let folder = out.lines().rev().find_map(|line| line.strip_prefix("kept in ")).map(|at| self.path(at));
        Ran {
            code: output.status.code(),
            out,
            errors: String::from_utf8_lossy(&output.stderr).into_owned(),
            folder,
        }
    }

    /// Of the only run, or the newest.
    pub fn newest_record(&self) -> Value {
        let records = std::fs::read_dir(self.runs()).expect("runs").flatten().filter_map(|entry| {
            let text = std::fs::read_to_string(entry.path().join("run.json")).ok()?;
            let time = entry.path().join("run.json").metadata().ok()?.modified().ok()?;
            Some((time, serde_json::from_str::<Value>(&text).expect("a record")))
        });
        records.max_by_key(|(time, _)| *time).expect("a run").1
    }
}

pub struct Ran {
    pub code: Option<i32>,
    pub out: String,
    pub errors: String,
    /// Of the run.
    pub folder: Option<PathBuf>,
}

impl Ran {
    /// Everything but how long it took, byte for byte.
    pub fn results(&self) -> String {
        let folder = self.folder.as_ref().unwrap_or_else(|| panic!("no run: {}{}", self.out, self.errors));
        untimed(&std::fs::read_to_string(folder.join("results.json")).expect("results"))
    }

    /// The labels of the trials that were computed, and of those that were not.
    pub fn trials(&self) -> (Vec<String>, Vec<String>) {
        let folder = self.folder.as_ref().unwrap_or_else(|| panic!("no run: {}{}", self.out, self.errors));
        let text = std::fs::read_to_string(folder.join("run.json")).expect("a record");
        let record: Value = serde_json::from_str(&text).expect("a record is JSON");
        let with = |condition: &str| -> Vec<String> {
            let trials = record["trials"].as_array().expect("trials").iter();
            trials.filter(|trial| trial["condition"] == condition).map(labels).collect()
        };
        (with("computed"), with("kept"))
    }

    pub fn computed(&self) -> Vec<String> {
        self.trials().0
    }
}

/// `plain 0`
fn labels(trial: &Value) -> String {
    let labels = trial["trial"].as_array().expect("labels").iter();
    labels.map(|label| label[1].as_str().expect("a label")).collect::<Vec<_>>().join(" ")
}

pub fn untimed(results: &str) -> String {
    let mut value: Value = serde_json::from_str(results).expect("results are JSON");
    value.as_object_mut().expect("an object").remove("times").expect("times");
    value.to_string()
}
