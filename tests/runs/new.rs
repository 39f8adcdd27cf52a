//! `ansatz new`: what it makes works.

use std::path::Path;
use std::process::{Command, Output};

/// The program in a folder, where it is nobody's machine of continuous integration.
fn ansatz(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ansatz"));
    command.current_dir(folder).args(arguments).env_remove("CI").output().expect("the program starts")
}

#[test]
fn what_is_made_is_right_runs_and_passes_its_tests() {
    let folder = tempfile::tempdir().expect("a folder");
    let made = ansatz(folder.path(), &["new", "studies/my-study"]);
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let study = folder.path().join("studies/my-study");
    let commands: [&[&str]; 8] = [
        &["check", "my-study.anz"],
        &["fmt", "--check", "my-study.anz"],
        &["run", "my-study.anz", "--quiet", "--backend", "cpu"],
        &["run", "my-study.anz", "--quiet", "--backend", "cpu", "--quick"],
        &["report", "my-study"],
        &["test", "--accept", "my-study.anz"],
        &["test", "my-study.anz"],
        &["test", "--ci", "."],
    ];
    for arguments in commands {
        let output = ansatz(&study, arguments);
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let said = format!("{}{}", text(&output.stdout), text(&output.stderr));
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {said}");
        assert!(!said.contains("Warning"), "{arguments:?}: {said}");
        match arguments[0] {
            "run" if !arguments.contains(&"--quick") => {
                assert!(said.contains("3 of 3 claims hold"), "{said}")
            }
            "test" => assert!(
                said.contains("1 passed, 0 failed; 1 assertions") && said.contains("snapshots: 1"),
                "{said}"
            ),
            _ => {}
        }
    }
    assert!(study.join("snapshots/my-study__my_study.snap").is_file());
}

#[test]
fn nothing_is_overwritten() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("mine"), "precious").expect("a file");
    for (name, told) in [
        ("mine", "is there already"),
        ("a b", "cannot be the name"),
        ("..", "cannot be the name"),
        ("-x/..", "cannot be the name"),
    ] {
        let made = ansatz(folder.path(), &["new", "--", name]);
        let errors = String::from_utf8_lossy(&made.stderr).into_owned();
        assert_eq!(made.status.code(), Some(2), "{name}: {errors}");
        assert!(errors.contains("A0623") && errors.contains(told), "{name}: {errors}");
    }
    assert_eq!(std::fs::read_to_string(folder.path().join("mine")).expect("it is there"), "precious");
    assert_eq!(std::fs::read_dir(folder.path()).expect("a folder").count(), 1);
}

/// Words of the language and numbers cannot name an experiment: it is called otherwise.
#[test]
fn any_plain_name_makes_an_experiment() {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, experiment) in
        [("match", "experiment_match"), ("2024-05", "experiment_2024_05"), ("data", "data")]
    {
        assert!(ansatz(folder.path(), &["new", name]).status.success());
        let file = folder.path().join(name).join(format!("{name}.anz"));
        let text = std::fs::read_to_string(&file).expect("an experiment");
        assert!(text.contains(&format!("experiment {experiment} {{")), "{text}");
        let checked = ansatz(folder.path(), &["check", &file.display().to_string()]);
        assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stderr));
    }
}
