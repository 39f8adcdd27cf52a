//! The book says what is so: its code blocks are checked and run, its links lead somewhere, and the index of codes is whole.
//!
//! A block that begins with three backticks and `anz` is one file that must be right. Further words:
//! `run`: its tests pass, its experiments run, and every claim holds; a block `text output` after it is what is printed;
//! `error A0201`: it is wrong, and says so with that code; `in NAME`: it stands in `docs/examples/frames/NAME.anz`, at the line
//! `// here`. Paths of data start at `docs/examples`.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use ansatz::check::builtin::Builtin;
use ansatz::diagnostic::Code;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// The pages of the book, and the front page.
fn pages() -> Vec<PathBuf> {
    let mut pages = vec![Path::new(ROOT).join("README.md")];
    for folder in ["docs", "docs/errors", "docs/stdlib"] {
        let entries = std::fs::read_dir(Path::new(ROOT).join(folder)).expect("the folder can be read");
        pages.extend(
            entries.map(|e| e.expect("an entry").path()).filter(|p| p.extension().is_some_and(|e| e == "md")),
        );
    }
    pages.sort();
    pages
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn shown(path: &Path) -> String {
    path.strip_prefix(ROOT).unwrap_or(path).display().to_string()
}

/// A fenced block of a page.
struct Block {
    /// `docs/language.md:12`
    place: String,
    /// The words after the backticks.
    info: Vec<String>,
    text: String,
}

impl Block {
    fn after(&self, word: &str) -> Option<&str> {
        let at = self.info.iter().position(|known| known == word)?;
        self.info.get(at + 1).map(String::as_str)
    }

    fn has(&self, word: &str) -> bool {
        self.info.iter().any(|known| known == word)
    }

    /// The whole file that the block stands for.
    fn file(&self) -> String {
        let Some(frame) = self.after("in") else { return self.text.clone() };
        let frame = read(&Path::new(ROOT).join("docs/examples/frames").join(format!("{frame}.anz")));
        let lines: Vec<String> = frame
            .lines()
            .flat_map(|line| match line.trim() {
                "// here" => {
                    let indent = &line[..line.len() - "// here".len()];
                    self.text.lines().map(|own| format!("{indent}{own}")).collect()
                }
                _ => vec![line.to_owned()],
            })
            .collect();
        lines.join("\n") + "\n"
    }
}

fn blocks(path: &Path) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut open: Option<Block> = None;
    for (number, line) in read(path).lines().enumerate() {
        match (line.strip_prefix("```"), &mut open) {
            (Some(info), None) => {
                let place = format!("{}:{}", shown(path), number + 1);
                let info = info.split_whitespace().map(str::to_owned).collect();
                open = Some(Block { place, info, text: String::new() });
            }
            (Some(_), Some(_)) => blocks.extend(open.take()),
            (None, Some(block)) => {
                block.text.push_str(line);
                block.text.push('\n');
            }
            (None, None) => {}
        }
    }
    assert!(open.is_none(), "{}: a block without an end", shown(path));
    blocks
}

fn ansatz(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ansatz"));
    command.args(arguments).current_dir(ROOT).output().expect("the program starts")
}

/// What is wrong with a block; nothing if it keeps its word.
fn problem(block: &Block, output: Option<&Block>, folder: &Path) -> Option<String> {
    let path = folder.join("example.anz");
    std::fs::write(&path, block.file()).expect("the file can be written");
    let path = path.display().to_string();
    let json = folder.join("results.json").display().to_string();
    // Data of the front page's example lie beside the experiments.
    let data = if block.place.starts_with("README") { "experiments" } else { "docs/examples" };
    let run = ["run", &path, "--quiet", "--backend", "cpu", "--data", data, "--no-store", "--results", &json];
    let errors = |output: &Output| String::from_utf8_lossy(&output.stderr).into_owned();
    if let Some(code) = block.after("error") {
        // Some faults show only when the data are read or the graph is built.
        let mut found = ansatz(&["check", &path]);
        if found.status.code() == Some(0) {
            found =
                if block.file().contains("experiment ") { ansatz(&run) } else { ansatz(&["test", &path]) };
        }
        let text = errors(&found);
        let expected = found.status.code() != Some(0) && text.contains(code);
        return (!expected).then(|| format!("should end in {code}, but says:\n{text}"));
    }
    if !block.has("in") && ansatz(&["fmt", "--check", &path]).status.code() != Some(0) {
        return Some("not formatted as `ansatz fmt` does".to_owned());
    }
    let checked = ansatz(&["check", &path]);
    if checked.status.code() != Some(0) {
        return Some(errors(&checked));
    }
    if !block.has("run") {
        return None;
    }
    // Of snapshots there is none yet, on whatever machine this is.
    let tested = ansatz(&["test", "--accept", &path, "--data", data]);
    if tested.status.code() != Some(0) {
        return Some(String::from_utf8_lossy(&tested.stdout).into_owned() + &errors(&tested));
    }
    if !block.file().contains("experiment ") {
        return None;
    }
    let ran = ansatz(&run);
    if ran.status.code() != Some(0) {
        return Some(String::from_utf8_lossy(&ran.stdout).into_owned() + &errors(&ran));
    }
    let (expected, found) = (untimed(&output?.text), untimed(&String::from_utf8_lossy(&ran.stdout)));
    (expected != found).then(|| format!("prints\n{found}\ninstead of\n{expected}"))
}

/// What a run prints, without how long it took.
fn untimed(text: &str) -> String {
    let lines = text.lines().map(|line| match line.rsplit_once(" in ") {
        Some((before, time)) if time.ends_with(" s") => before,
        _ => line,
    });
    lines.map(str::trim_end).collect::<Vec<_>>().join("\n")
}

#[test]
fn code_blocks_are_right() {
    let mut wrong = Vec::new();
    let mut seen = 0;
    for page in pages() {
        let blocks = blocks(&page);
        for (at, block) in blocks.iter().enumerate() {
            if block.info.first().is_none_or(|language| language != "anz") {
                continue;
            }
            seen += 1;
            let output = blocks.get(at + 1).filter(|next| next.info == ["text", "output"]);
            let folder = tempfile::tempdir().expect("a temporary folder");
            if let Some(problem) = problem(block, output, folder.path()) {
                wrong.push(format!("{}: {problem}", block.place));
            }
        }
    }
    assert!(seen > 20, "only {seen} blocks were found");
    assert!(wrong.is_empty(), "{} of {seen} blocks are wrong\n{}", wrong.len(), wrong.join("\n"));
}

/// The example of the front page is the experiment that its command runs, without the comment at its top.
#[test]
fn the_front_page_shows_the_quickstart() {
    let experiment = read(&Path::new(ROOT).join("experiments/quickstart.anz"));
    let bare: Vec<&str> =
        experiment.lines().skip_while(|line| line.starts_with("//!") || line.is_empty()).collect();
    let blocks = blocks(&Path::new(ROOT).join("README.md"));
    let shown = blocks.iter().find(|block| block.has("anz")).expect("an example");
    assert_eq!(shown.text.lines().collect::<Vec<_>>(), bare);
}

/// What stands between single backticks outside code blocks.
fn words_of_code(text: &str) -> BTreeSet<String> {
    let mut code = false;
    let mut words = BTreeSet::new();
    for line in text.lines() {
        if line.starts_with("```") {
            code = !code;
        } else if !code {
            words.extend(line.split('`').skip(1).step_by(2).map(str::to_owned));
        }
    }
    words
}

#[test]
fn every_builtin_is_in_the_reference() {
    let words = words_of_code(&read(&Path::new(ROOT).join("docs/language.md")));
    let named = |name: &str| words.iter().any(|word| word.split(['(', '[']).next() == Some(name));
    let missing: Vec<&str> =
        Builtin::ALL.iter().map(|builtin| builtin.name()).filter(|name| !named(name)).collect();
    assert!(missing.is_empty(), "docs/language.md does not name {}", missing.join(", "));
}

/// The table of the library names what exists, each in its module.
#[test]
fn the_table_of_the_library_is_right() {
    let page = read(&Path::new(ROOT).join("docs/language.md"));
    let mut wrong = Vec::new();
    let mut seen = 0;
    for line in page.lines().filter(|line| line.starts_with("| `std.")) {
        let cells: Vec<&str> = line.split('|').collect();
        let module = cells[1].trim().trim_matches('`').trim_start_matches("std.").to_owned();
        for name in words_of_code(cells[2]) {
            seen += 1;
            if ansatz::library::find(&module, &name).is_none() {
                wrong.push(format!("std.{module} has no `{name}`"));
            }
        }
    }
    assert!(seen > 80, "only {seen} names were found");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The last example of the tutorial is the file that it names.
#[test]
fn the_tutorial_ends_in_its_file() {
    let blocks = blocks(&Path::new(ROOT).join("docs/tutorial.md"));
    let last = blocks.iter().rfind(|block| block.has("run")).expect("an example");
    assert_eq!(last.text, read(&Path::new(ROOT).join("docs/examples/penguins.anz")));
}

/// The targets of `[text](target)` outside code blocks.
fn links(text: &str) -> Vec<String> {
    let mut links = Vec::new();
    let mut code = false;
    for line in text.lines() {
        if line.starts_with("```") {
            code = !code;
        }
        if code {
            continue;
        }
        // Brackets and parentheses in `code` are no link.
        let prose: String = line.split('`').step_by(2).collect();
        for rest in prose.split("](").skip(1) {
            if let Some((target, _)) = rest.split_once(')') {
                links.push(target.to_owned());
            }
        }
    }
    links
}

/// What the titles of a page are called in links.
fn anchors(page: &Path) -> BTreeSet<String> {
    let text = read(page);
    let titles = text.lines().filter(|line| line.starts_with('#'));
    let kept = |c: char| (c.is_alphanumeric() || "-_ ".contains(c)).then_some(if c == ' ' { '-' } else { c });
    titles
        .map(|title| title.trim_start_matches('#').trim().to_lowercase().chars().filter_map(kept).collect())
        .collect()
}

#[test]
fn the_reference_of_the_library_says_what_its_files_say() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let output = ansatz(&["doc", "--out", &folder.path().display().to_string()]);
    assert_eq!(output.status.code(), Some(0));
    let names = |folder: &Path| -> BTreeSet<String> {
        let entries = std::fs::read_dir(folder).expect("the folder can be read");
        entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect()
    };
    let kept = Path::new(ROOT).join("docs/stdlib");
    assert_eq!(names(&kept), names(folder.path()), "`ansatz doc --out docs/stdlib` writes the pages anew");
    for name in names(&kept) {
        let same = read(&kept.join(&name)) == read(&folder.path().join(&name));
        assert!(same, "docs/stdlib/{name} is old: `ansatz doc --out docs/stdlib` writes it anew");
    }
}

#[test]
fn links_lead_to_files() {
    let mut dead = Vec::new();
    let mut seen = 0;
    for page in pages() {
        let folder = page.parent().expect("a folder");
        for link in links(&read(&page)) {
            let target = link.split('#').next().unwrap_or_default();
            if link.contains("://") || target.is_empty() {
                continue;
            }
            seen += 1;
            let path = folder.join(target);
            let anchor = link.split_once('#').map(|(_, anchor)| anchor).filter(|_| target.ends_with(".md"));
            if !path.exists() || anchor.is_some_and(|anchor| !anchors(&path).contains(anchor)) {
                dead.push(format!("{}: {link}", shown(&page)));
            }
        }
    }
    assert!(seen > 100, "only {seen} links were found");
    assert!(dead.is_empty(), "dead links\n{}", dead.join("\n"));
}

#[test]
fn every_page_is_in_the_table_of_contents() {
    let contents: BTreeSet<String> =
        links(&read(&Path::new(ROOT).join("docs/SUMMARY.md"))).into_iter().collect();
    let missing: Vec<String> = pages()
        .iter()
        .filter_map(|page| {
            page.strip_prefix(Path::new(ROOT).join("docs")).ok().map(|page| page.display().to_string())
        })
        .filter(|page| page != "SUMMARY.md" && !contents.contains(page))
        .collect();
    assert!(missing.is_empty(), "not in docs/SUMMARY.md: {}", missing.join(", "));
}

#[test]
fn the_index_of_codes_is_whole() {
    let folder = Path::new(ROOT).join("docs/errors");
    let codes: BTreeSet<String> = Code::ALL.iter().map(Code::to_string).collect();
    let pages: BTreeSet<String> = std::fs::read_dir(&folder)
        .expect("docs/errors exists")
        .map(|entry| entry.expect("an entry").path())
        .filter_map(|path| path.file_stem().map(|name| name.to_string_lossy().into_owned()))
        .filter(|name| name != "README")
        .collect();
    assert_eq!(pages, codes, "the pages of docs/errors are not the codes");
    for code in Code::ALL {
        let page = read(&folder.join(format!("{code}.md")));
        assert!(page.starts_with(&format!("# {code}: ")), "{code}.md does not begin with its code and title");
        assert!(page.lines().count() > 2, "{code}.md says nothing");
    }
    let index = read(&folder.join("README.md"));
    let missing: Vec<String> =
        Code::ALL.iter().map(index_line).filter(|line| !index.lines().any(|own| own == line)).collect();
    assert!(missing.is_empty(), "docs/errors/README.md lacks the lines\n{}", missing.join("\n"));
    let extra: Vec<String> =
        links(&index).into_iter().filter(|link| !codes.contains(link.trim_end_matches(".md"))).collect();
    assert!(extra.is_empty(), "docs/errors/README.md has {extra:?}");
}

/// The line of a code in the index.
fn index_line(code: &Code) -> String {
    format!("- [{code}]({code}.md): {}", code.title())
}
