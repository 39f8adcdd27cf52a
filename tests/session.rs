//! A session on a terminal, from nothing to a report, as `docs/session.md` shows it: the commands run again, and what a user sees is compared
//! with the page, but for numbers and names of runs.
//!
//! `RENEW=1 cargo test --release --test session` writes the page anew.

use std::num::NonZero;
use std::path::Path;
use std::process::{Command, Stdio};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");
const PAGE: &str = "docs/session.md";
const SIZE: (u16, u16) = (200, 110);

/// What happens, in order.
enum Step {
    /// Words of the page.
    Words(&'static str),
    /// A command, with the code that it exits with.
    Run(&'static str, i32),
    /// A text that is changed in the file.
    Edit(&'static str, &'static str),
}

use Step::{Edit, Run, Words};

const STEPS: &[Step] = &[
    Words("`ansatz new` makes a folder with an experiment that works, and its data:"),
    Run("ansatz new first", 0),
    Words("A change with a mistake in it:"),
    Edit("Mlp[Coordinate, Hidden, Out]", "Mlp[Cordinate, Hidden, Out]"),
    Run("ansatz check first.anz", 2),
    Words("Corrected, it runs:"),
    Edit("Mlp[Cordinate, Hidden, Out]", "Mlp[Coordinate, Hidden, Out]"),
    Run("ansatz check first.anz", 0),
    Run("ansatz run first.anz --backend cpu", 0),
    Words("A claim is made stronger. Nothing is trained again, as no trial depends on it:"),
    Edit("Seed) > 0.9\n", "Seed) > 0.95\n"),
    Run("ansatz run first.anz --backend cpu", 0),
    Words("What it measures now is what it shall measure from now on:"),
    Run("ansatz test first.anz", 0),
    Run("ansatz test first.anz --accept", 0),
    Run("ansatz test first.anz", 0),
    Words("If the network becomes worse, the test says where, and how far:"),
    Edit("adam(lr = 0.02)", "adam(lr = 0.0002)"),
    Run("ansatz test first.anz", 1),
    Edit("adam(lr = 0.0002)", "adam(lr = 0.02)"),
    Words("The last run as a page, with its plots as images:"),
    Run("ansatz report first.anz --png plots", 0),
    Run("ls plots", 0),
];

/// The last screen of a command that runs on a terminal, and its exit code.
fn on_a_terminal(command: &str, folder: &Path) -> (String, i32) {
    let (rows, columns) = SIZE;
    let size = |size: u16| NonZero::new(size).expect("more than none");
    let own = Path::new(env!("CARGO_BIN_EXE_ansatz")).parent().expect("a folder").display();
    let line = format!("stty rows {rows} cols {columns}; PATH=\"{own}:$PATH\"; {command}");
    let output = Command::new("script")
        .args(["--quiet", "--return", "--flush", "--command", &line, "/dev/null"])
        .env("TERM", "xterm")
        .env("NO_COLOR", "1")
        .env_remove("CI")
        .current_dir(folder)
        .stdin(Stdio::null())
        .output()
        .expect("`script` of util-linux makes a terminal");
    let mut terminal = vt100::Parser::new(size(rows), size(columns), 0);
    terminal.process(&output.stdout);
    let screen = terminal.screen().contents();
    let lines: Vec<&str> = screen.lines().map(str::trim_end).collect();
    (lines.join("\n").trim_end().to_owned(), output.status.code().unwrap_or(-1))
}

/// The page that these steps make.
fn session() -> String {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut inside = folder.path().to_path_buf();
    let mut page =
        "# A session\n\nFrom nothing to a report, on a terminal. A test runs these commands and compares.\n"
            .to_owned();
    for step in STEPS {
        match step {
            Words(words) => page += &format!("\n{words}\n"),
            Edit(old, new) => {
                let path = inside.join("first.anz");
                let text = std::fs::read_to_string(&path).expect("the experiment");
                assert_eq!(text.matches(old).count(), 1, "`{old}` stands once");
                std::fs::write(&path, text.replace(old, new)).expect("the file can be written");
                page += &format!("\n```diff\n- {}\n+ {}\n```\n", old.trim_end(), new.trim_end());
            }
            Run(command, code) => {
                let (seen, found) = on_a_terminal(command, &inside);
                assert_eq!(found, *code, "{command}: {seen}");
                let seen = if seen.is_empty() { seen } else { format!("{seen}\n") };
                page += &format!("\n```text\n$ {command}\n{seen}```\n");
                if command.contains(" new ") {
                    inside.push("first");
                    page += "\n```text\n$ cd first\n```\n";
                }
            }
        }
    }
    page
}

/// Without what differs from machine to machine: numbers, and the names of runs.
fn masked(text: &str) -> String {
    let names = regex::Regex::new("first-[0-9a-f]{8}").expect("a pattern");
    let numbers = regex::Regex::new(r"[0-9]+(\.[0-9]+)?(e-?[0-9]+)?").expect("a pattern");
    let spaces = regex::Regex::new(" +").expect("a pattern");
    let text = names.replace_all(text, "RUN");
    spaces.replace_all(&numbers.replace_all(&text, "N"), " ").replace("[N, N", "[N N")
}

#[test]
fn the_page_shows_what_happens() {
    let found = session();
    let path = Path::new(ROOT).join(PAGE);
    if std::env::var_os("RENEW").is_some() {
        std::fs::write(&path, &found).expect("the page can be written");
    }
    let page = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(found.contains("10 trials kept from before"), "something was trained again: {found}");
    assert_eq!(
        masked(&page),
        masked(&found),
        "{PAGE} is not what happens; `RENEW=1 cargo test --release --test session` writes it anew"
    );
}
