//! What names stand for: the checker knows it of every name of the shipped files.

use std::path::Path;

use ansatz::check::analyse;
use ansatz::check::uses::{Meaning, uses};
use ansatz::source::FileId;

fn programs(folder: &Path, found: &mut Vec<std::path::PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("a folder of the repository").flatten() {
        let path = entry.path();
        if path.is_dir() {
            programs(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "anz") {
            found.push(path);
        }
    }
}

#[test]
fn every_name_of_the_shipped_files_stands_for_something() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    for folder in ["experiments", "stdlib", "tests/conformance", "tests/language"] {
        programs(&root.join(folder), &mut files);
    }
    files.sort();
    assert!(files.len() > 100, "the files are no longer found");
    let (mut names, mut unknown) = (0, Vec::new());
    for path in &files {
        let text = std::fs::read_to_string(path).expect("a file");
        let analysis = analyse(&path.display().to_string(), &text, None);
        for of in uses(&analysis.program) {
            names += 1;
            let shown = path.strip_prefix(root).expect("inside").display();
            let (line, column) = analysis.sources.position(of.name.span);
            match of.meaning {
                Meaning::Unknown => {
                    unknown.push(format!("{shown}:{line}:{column}: {} {:?}", of.name.text, of.role));
                }
                // What is bound in the file is bound by a name of that text.
                Meaning::Bound(place) if place.file == FileId(0) => {
                    let (bound, name) = (analysis.sources.slice(place), of.name.text.trim_end_matches('\''));
                    if !bound.starts_with(name) && bound != "\"" {
                        let name = &of.name.text;
                        unknown.push(format!("{shown}:{line}:{column}: `{name}` is bound by `{bound}`"));
                    }
                }
                _ => {}
            }
        }
    }
    assert!(names > 10_000, "only {names} names");
    assert!(unknown.is_empty(), "{} of {names}:\n{}", unknown.len(), unknown.join("\n"));
}

/// Of a text that is cut off after a line: how many of the names before the cut are still known. What is lost is the
/// statement that is not complete.
#[test]
fn a_text_that_is_cut_off_keeps_what_stands_before() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(root.join("experiments/quickstart.anz")).expect("a file");
    let whole = analyse("quickstart.anz", &text, None);
    let mut table = String::new();
    let mut end = 0;
    for line in text.split_inclusive('\n') {
        end += line.len();
        let cut = analyse("quickstart.anz", &text[..end], None);
        let before: Vec<_> =
            uses(&whole.program).into_iter().filter(|of| of.name.span.end as usize <= end).collect();
        let known = uses(&cut.program);
        let same = before.iter().filter(|of| {
            let found = known.iter().find(|known| known.name.span == of.name.span);
            found.is_some_and(|found| found.meaning == of.meaning)
        });
        table += &format!("{:3} of {:3}  {line}", same.count(), before.len());
    }
    insta::assert_snapshot!(table);
}
